/* The boot memory allocator (include/memblock.h). */
#include "memblock.h"
#include "asm/page.h"
#include "bug.h"
#include "printk.h"

struct memblock memblock = {
    .current_limit = 0,
    .memory = {.name = "memory"},
    .reserved = {.name = "reserved"},
};

static void remove_region(struct memblock_type *type, unsigned int index)
{
    type->nr--;
    for (unsigned int i = index; i < type->nr; i++)
        type->regions[i] = type->regions[i + 1];
}

static void insert_region(struct memblock_type *type, unsigned int index, phys_addr_t base, phys_addr_t end)
{
    if (type->nr == MEMBLOCK_REGIONS)
        panic("memblock: more than %u %s regions", MEMBLOCK_REGIONS, type->name);
    for (unsigned int i = type->nr; i > index; i--)
        type->regions[i] = type->regions[i - 1];
    type->regions[index] = (struct memblock_region){.base = base, .end = end};
    type->nr++;
}

/* Adds [base, end) and swallows every region that it overlaps or touches. */
static void add_range(struct memblock_type *type, phys_addr_t base, phys_addr_t end)
{
    if (base >= end)
        return;
    unsigned int i = 0;
    while (i < type->nr && type->regions[i].end < base)
        i++;
    while (i < type->nr && type->regions[i].base <= end) {
        base = min(base, type->regions[i].base);
        end = max(end, type->regions[i].end);
        remove_region(type, i);
    }
    insert_region(type, i, base, end);
}

void memblock_add(phys_addr_t base, phys_addr_t bytes)
{
    add_range(&memblock.memory, base, base + bytes);
}

void memblock_reserve(phys_addr_t base, phys_addr_t bytes)
{
    add_range(&memblock.reserved, base, base + bytes);
}

void memblock_enforce_limit(phys_addr_t limit)
{
    struct memblock_type *memory = &memblock.memory;
    while (memory->nr && memory->regions[memory->nr - 1].base >= limit)
        remove_region(memory, memory->nr - 1);
    if (memory->nr)
        memory->regions[memory->nr - 1].end = min(memory->regions[memory->nr - 1].end, limit);
}

void memblock_set_current_limit(phys_addr_t limit)
{
    memblock.current_limit = limit;
}

void memblock_close(void)
{
    memblock.current_limit = 0;
}

phys_addr_t memblock_end_of_memory(void)
{
    const struct memblock_type *memory = &memblock.memory;
    return memory->nr ? memory->regions[memory->nr - 1].end : 0;
}

/*
 * The highest start in [floor, ceiling - bytes] that no reserved region reaches into; false if there is
 * none.
 */
static bool find_below(phys_addr_t floor, phys_addr_t ceiling, phys_addr_t bytes, phys_addr_t align,
                       phys_addr_t *found)
{
    unsigned int i = memblock.reserved.nr;
    for (;;) {
        if (ceiling < bytes)
            return false;
        phys_addr_t start = ALIGN_DOWN(ceiling - bytes, align);
        if (start < floor)
            return false;
        while (i > 0 && memblock.reserved.regions[i - 1].base >= start + bytes)
            i--;
        if (i == 0 || memblock.reserved.regions[i - 1].end <= start) {
            *found = start;
            return true;
        }
        ceiling = memblock.reserved.regions[i - 1].base;
    }
}

bool memblock_find_in_range(phys_addr_t start, phys_addr_t end, phys_addr_t bytes, phys_addr_t align,
                            phys_addr_t *found)
{
    for (unsigned int i = memblock.memory.nr; i-- > 0;) {
        const struct memblock_region *region = &memblock.memory.regions[i];
        if (find_below(max(region->base, start), min(region->end, end), bytes, align, found))
            return true;
    }
    return false;
}

phys_addr_t memblock_phys_alloc(phys_addr_t bytes, phys_addr_t align)
{
    phys_addr_t found;
    if (!memblock_find_in_range(0, memblock.current_limit, bytes, align, &found))
        panic("memblock: no %llu bytes below %08llx", bytes, memblock.current_limit);
    memblock_reserve(found, bytes);
    return found;
}

/*
 * Whether [start, start + PAGE_SIZE) lies wholly (or, if partly_is_enough, at least partly) in a region,
 * and in *change the next address where that may be different.
 */
static bool frame_in_regions(const struct memblock_type *type, phys_addr_t start, bool partly_is_enough,
                             phys_addr_t *change)
{
    for (unsigned int i = 0; i < type->nr; i++) {
        phys_addr_t base = type->regions[i].base, end = type->regions[i].end;
        base = partly_is_enough ? ALIGN_DOWN(base, PAGE_SIZE) : ALIGN_UP(base, PAGE_SIZE);
        end = partly_is_enough ? ALIGN_UP(end, PAGE_SIZE) : ALIGN_DOWN(end, PAGE_SIZE);
        if (start < base) {
            *change = min(*change, base);
            return false;
        }
        if (start < end) {
            *change = min(*change, end);
            return true;
        }
    }
    return false;
}

enum memblock_kind memblock_classify(unsigned long pfn, unsigned long limit_pfn, unsigned long *end_pfn)
{
    phys_addr_t start = (phys_addr_t)pfn << PAGE_SHIFT;
    phys_addr_t change = (phys_addr_t)limit_pfn << PAGE_SHIFT;
    bool is_ram = frame_in_regions(&memblock.memory, start, false, &change);
    bool is_reserved = is_ram && frame_in_regions(&memblock.reserved, start, true, &change);
    *end_pfn = PFN_DOWN(change);
    if (!is_ram)
        return MEMBLOCK_HOLE;
    return is_reserved ? MEMBLOCK_RESERVED : MEMBLOCK_FREE;
}
