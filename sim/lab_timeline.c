#include "sim/lab_timeline.h"

#include "sim/base/outfile.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void copy_printable(char *to, size_t room, const char *text)
{
    size_t length = 0;
    for (; text[length] && length + 1 < room; length++)
        to[length] = (char)(isprint((unsigned char)text[length]) ? text[length] : '?');
    to[length] = '\0';
}

void timeline_fini(struct lab_timeline *timeline)
{
    free(timeline->event);
    *timeline = (struct lab_timeline){0};
}

void timeline_add(struct lab_timeline *timeline, const struct mm_event *event)
{
    if (event->kind == MM_EVENT_ALLOC || event->kind == MM_EVENT_FREE)
        return;
    if (timeline->nr == timeline->room) {
        size_t room = timeline->room ? 2 * timeline->room : 1024;
        struct mm_event *more = realloc(timeline->event, room * sizeof *more);
        if (!more) {
            timeline->is_short_of_memory = true;
            return;
        }
        timeline->event = more;
        timeline->room = room;
    }
    timeline->event[timeline->nr++] = *event;
}

void timeline_name_task(struct lab_timeline *timeline, uint32_t pid, const char *name)
{
    for (unsigned i = 0; i < timeline->nr_tasks; i++)
        if (timeline->task[i].pid == pid)
            return;
    if (timeline->nr_tasks == TIMELINE_MAX_TASKS)
        return;
    struct timeline_task *task = &timeline->task[timeline->nr_tasks++];
    task->pid = pid;
    copy_printable(task->name, sizeof task->name, name);
}

void timeline_begin_phase(struct lab_timeline *timeline, const char *name, cycle_t cycle)
{
    if (timeline->nr_phases == TIMELINE_MAX_PHASES)
        return;
    struct timeline_phase *phase = &timeline->phase[timeline->nr_phases++];
    phase->begin = phase->end = cycle;
    copy_printable(phase->name, sizeof phase->name, name);
}

void timeline_end_phase(struct lab_timeline *timeline, cycle_t cycle)
{
    if (timeline->nr_phases)
        timeline->phase[timeline->nr_phases - 1].end = cycle;
}

size_t timeline_count(const struct lab_timeline *timeline, enum mm_event_kind kind, cycle_t from, cycle_t to)
{
    size_t nr = 0;
    for (size_t i = 0; i < timeline->nr; i++)
        nr += timeline->event[i].kind == kind && timeline->event[i].cycle >= from &&
              timeline->event[i].cycle < to;
    return nr;
}

const struct timeline_phase *timeline_phase(const struct lab_timeline *timeline, const char *name)
{
    for (unsigned i = 0; i < timeline->nr_phases; i++)
        if (strcmp(timeline->phase[i].name, name) == 0)
            return &timeline->phase[i];
    return NULL;
}

bool timeline_write(const struct lab_timeline *timeline, const char *title, const char *folder,
                    const char *name, struct diag *diag)
{
    char *file;
    struct outfile out;
    if (asprintf(&file, "%s/%s", folder, name) < 0)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    bool is_good = outfile_open(&out, file, diag);
    free(file);
    if (!is_good)
        return false;
    if (timeline_draw(timeline, title, out.to))
        return outfile_commit(&out, diag);
    outfile_abandon(&out);
    return diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
}
