/*
 * What is to be put where, before any of it is: the segments of an image, checked against the file, the
 * machine's RAM and each other. Nothing is written to RAM until a plan is known to be good.
 */
#ifndef LK_SIM_LOAD_PLAN_H
#define LK_SIM_LOAD_PLAN_H

#include "sim/base/diag.h"
#include "sim/base/ram.h"
#include "sim/board/memory_map.h"
#include "sim/load/file_map.h"

struct load_segment {
    char name[64]; /* for messages: "program header 2 at offset 0x74" */
    uint64_t file_offset, file_bytes;
    struct paddr base;
    uint64_t memory_bytes; /* from base; what the file does not fill is zero */
    uint64_t linked_at;    /* the address the code was linked for */
};

struct load_plan {
    const struct file_map *file;
    struct load_segment *segments; /* owned; ascending by base once checked */
    size_t nr_segments;
    uint64_t entry; /* physical once checked */
};

void plan_init(struct load_plan *plan, const struct file_map *file);
void plan_fini(struct load_plan *plan);

/* Copies `segment`; one without memory is left out. */
bool plan_add(struct load_plan *plan, const struct load_segment *segment, struct diag *diag);

/*
 * Checks that each segment lies within the file and within usable RAM, that none overlaps another, and that
 * the entry lies in one. An entry given as the address that the code was linked for becomes the physical one.
 */
bool plan_check(struct load_plan *plan, const struct memory_map *map, struct diag *diag);

/* Whether [base, base + size_bytes) has something of the image in it. */
bool plan_covers(const struct load_plan *plan, struct paddr base, uint64_t size_bytes);

/* The first address above the image. */
struct paddr plan_end(const struct load_plan *plan);

/* Copies a checked plan into RAM that still is as ram_init() left it: what is to be zero is not written. */
void plan_load(const struct load_plan *plan, struct ram *ram);

/* The usable range that holds all of [base, base + size_bytes); NULL when none does. */
const struct memory_range *usable_range(const struct memory_map *map, struct paddr base, uint64_t size_bytes);

#endif
