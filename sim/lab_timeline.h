/*
 * The time line of a guest's memory management: what it said by marker 12h (docs/markers.md) between the
 * first and the last cycle of a lab's regions of interest, and a picture of it.
 */
#ifndef LK_SIM_LAB_TIMELINE_H
#define LK_SIM_LAB_TIMELINE_H

#include "sim/base/diag.h"
#include "sim/base/mm_event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { TIMELINE_MAX_ZONES = 3, TIMELINE_NR_MARKS = 3, TIMELINE_MAX_TASKS = 16, TIMELINE_MAX_PHASES = 32 };

struct timeline_task {
    uint32_t pid;
    char name[32]; /* printable */
};
struct timeline_phase {
    char name[64]; /* printable */
    cycle_t begin, end;
};

struct lab_timeline {
    struct mm_event *event; /* in their order, without single pages that come, go and move */
    size_t nr, room;
    bool is_short_of_memory;
    struct timeline_task task[TIMELINE_MAX_TASKS]; /* those that were stopped */
    unsigned nr_tasks;
    struct timeline_phase phase[TIMELINE_MAX_PHASES];
    unsigned nr_phases;
};

void timeline_fini(struct lab_timeline *timeline);
void timeline_add(struct lab_timeline *timeline, const struct mm_event *event);
/* The name of a task that an event names by its pid. */
void timeline_name_task(struct lab_timeline *timeline, uint32_t pid, const char *name);
/* A region of interest begins, and the one that began last ends. */
void timeline_begin_phase(struct lab_timeline *timeline, const char *name, cycle_t cycle);
void timeline_end_phase(struct lab_timeline *timeline, cycle_t cycle);

/* How often this happened between two cycles, the second not included. */
size_t timeline_count(const struct lab_timeline *timeline, enum mm_event_kind kind, cycle_t from, cycle_t to);
/* The phase of this name; NULL: there is none. */
const struct timeline_phase *timeline_phase(const struct lab_timeline *timeline, const char *name);

/* An SVG picture; `title` is its heading. False: out of memory. */
bool timeline_draw(const struct lab_timeline *timeline, const char *title, FILE *to);
/* Writes it to FOLDER/NAME. False with a line. */
bool timeline_write(const struct lab_timeline *timeline, const char *title, const char *folder,
                    const char *name, struct diag *diag);

#endif
