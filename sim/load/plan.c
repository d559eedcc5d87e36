#include "sim/load/plan.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void plan_init(struct load_plan *plan, const struct file_map *file)
{
    *plan = (struct load_plan){.file = file};
}

void plan_fini(struct load_plan *plan)
{
    free(plan->segments);
    *plan = (struct load_plan){0};
}

bool plan_add(struct load_plan *plan, const struct load_segment *segment, struct diag *diag)
{
    if (segment->memory_bytes == 0 && segment->file_bytes == 0)
        return true;
    /* Grows by doubling: the count is a power of two exactly when the room is used up. */
    size_t count = plan->nr_segments;
    if ((count & (count - 1)) == 0) {
        struct load_segment *segments = realloc(plan->segments, (count ? count * 2 : 1) * sizeof(*segments));
        if (!segments)
            return diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", plan->file->name);
        plan->segments = segments;
    }
    plan->segments[plan->nr_segments++] = *segment;
    return true;
}

const struct memory_range *usable_range(const struct memory_map *map, struct paddr base, uint64_t size_bytes)
{
    for (size_t i = 0; i < map->nr_ranges; i++) {
        const struct memory_range *range = &map->ranges[i];
        if (range->kind == MEMORY_USABLE && base.v >= range->base.v &&
            base.v - range->base.v <= range->size_bytes &&
            size_bytes <= range->size_bytes - (base.v - range->base.v))
            return range;
    }
    return NULL;
}

static bool refuse_place(const struct load_plan *plan, const struct load_segment *segment,
                         const struct memory_map *map, struct diag *diag)
{
    char allowed[160] = "";
    size_t used = 0;
    for (size_t i = 0; i < map->nr_ranges; i++) {
        const struct memory_range *range = &map->ranges[i];
        if (range->kind != MEMORY_USABLE || used >= sizeof(allowed))
            continue;
        used += (size_t)snprintf(allowed + used, sizeof(allowed) - used, "%s%#" PRIx64 "-%#" PRIx64,
                                 used ? ", " : "", range->base.v, range->base.v + range->size_bytes - 1);
    }
    return diag_add(diag, EXIT_STATUS_BAD_DATA,
                    "%s: %s: its memory %#" PRIx64 "-%#" PRIx64 " is not usable RAM; allowed: %s",
                    plan->file->name, segment->name, segment->base.v,
                    segment->base.v + (segment->memory_bytes - 1), allowed);
}

static bool check_segment(const struct load_plan *plan, const struct load_segment *segment,
                          const struct memory_map *map, struct diag *diag)
{
    uint64_t file_size = plan->file->size;
    if (segment->file_bytes > segment->memory_bytes)
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: %s: %#" PRIx64 " bytes in the file but %#" PRIx64
                        " in memory; allowed: at most as many as in memory",
                        plan->file->name, segment->name, segment->file_bytes, segment->memory_bytes);
    if (segment->file_bytes &&
        (segment->file_offset > file_size || segment->file_bytes > file_size - segment->file_offset))
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: %s: its bytes %#" PRIx64 "-%#" PRIx64
                        " lie beyond the end of the file, %#" PRIx64 " (truncated?)",
                        plan->file->name, segment->name, segment->file_offset,
                        segment->file_offset + (segment->file_bytes - 1), file_size);
    if (!usable_range(map, segment->base, segment->memory_bytes))
        return refuse_place(plan, segment, map, diag);
    return true;
}

static int by_base(const void *a, const void *b)
{
    uint64_t left = ((const struct load_segment *)a)->base.v,
             right = ((const struct load_segment *)b)->base.v;
    return (left > right) - (left < right);
}

static bool check_overlaps(struct load_plan *plan, struct diag *diag)
{
    qsort(plan->segments, plan->nr_segments, sizeof(*plan->segments), by_base);
    for (size_t i = 1; i < plan->nr_segments; i++) {
        const struct load_segment *low = &plan->segments[i - 1], *high = &plan->segments[i];
        if (high->base.v - low->base.v >= low->memory_bytes)
            continue;
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: %s (%#" PRIx64 "-%#" PRIx64 ") overlaps %s (%#" PRIx64 "-%#" PRIx64
                        ") in memory",
                        plan->file->name, high->name, high->base.v, high->base.v + (high->memory_bytes - 1),
                        low->name, low->base.v, low->base.v + (low->memory_bytes - 1));
    }
    return true;
}

/* An entry in the addresses that the code was linked for is taken as such first, as GRUB and QEMU do. */
static bool check_entry(struct load_plan *plan, struct diag *diag)
{
    for (size_t i = 0; i < plan->nr_segments; i++) {
        const struct load_segment *segment = &plan->segments[i];
        if (plan->entry - segment->linked_at < segment->memory_bytes) {
            plan->entry = plan->entry - segment->linked_at + segment->base.v;
            return true;
        }
    }
    if (plan_covers(plan, paddr(plan->entry), 1))
        return true;
    return diag_add(
        diag, EXIT_STATUS_BAD_DATA,
        "%s: entry point %#" PRIx64 " is not in any loaded segment (%zu of them, %#" PRIx64 "-%#" PRIx64 ")",
        plan->file->name, plan->entry, plan->nr_segments, plan->segments[0].base.v, plan_end(plan).v - 1);
}

bool plan_check(struct load_plan *plan, const struct memory_map *map, struct diag *diag)
{
    if (plan->nr_segments == 0)
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: nothing to load: no PT_LOAD program header with memory", plan->file->name);
    for (size_t i = 0; i < plan->nr_segments; i++) {
        if (!check_segment(plan, &plan->segments[i], map, diag))
            return false;
    }
    return check_overlaps(plan, diag) && check_entry(plan, diag);
}

bool plan_covers(const struct load_plan *plan, struct paddr base, uint64_t size_bytes)
{
    for (size_t i = 0; i < plan->nr_segments; i++) {
        const struct load_segment *segment = &plan->segments[i];
        if (base.v < segment->base.v + segment->memory_bytes && segment->base.v < base.v + size_bytes)
            return true;
    }
    return false;
}

struct paddr plan_end(const struct load_plan *plan)
{
    assert(plan->nr_segments > 0);
    /* Ascending and disjoint: the last one ends last. */
    const struct load_segment *last = &plan->segments[plan->nr_segments - 1];
    return paddr(last->base.v + last->memory_bytes);
}

void plan_load(const struct load_plan *plan, struct ram *ram)
{
    for (size_t i = 0; i < plan->nr_segments; i++) {
        const struct load_segment *segment = &plan->segments[i];
        if (segment->file_bytes == 0)
            continue;
        bool is_written = ram_write(ram, segment->base, plan->file->bytes + segment->file_offset,
                                    (size_t)segment->file_bytes);
        assert(is_written);
        (void)is_written;
    }
}
