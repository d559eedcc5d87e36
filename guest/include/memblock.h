/*
 * The boot memory allocator: two sorted lists of ranges, what is RAM and what of it is taken. It works
 * before there is a struct page, and ends when free_area_init() has turned the lists into struct pages
 * (memblock_close()).
 */
#pragma once

#include "types.h"

#define MEMBLOCK_REGIONS 64

struct memblock_region {
    phys_addr_t base, end;
};

/* Sorted by base; neither overlapping nor touching. */
struct memblock_type {
    const char *name;
    unsigned int nr;
    struct memblock_region regions[MEMBLOCK_REGIONS];
};

struct memblock {
    phys_addr_t current_limit; /* allocations end below it: what is mapped so far */
    struct memblock_type memory;
    struct memblock_type reserved;
};

extern struct memblock memblock;

void memblock_add(phys_addr_t base, phys_addr_t bytes);
void memblock_reserve(phys_addr_t base, phys_addr_t bytes);
/* Drops all memory from limit upwards (the "mem=" option). */
void memblock_enforce_limit(phys_addr_t limit);
void memblock_set_current_limit(phys_addr_t limit);
/*
 * Takes the highest free range that fits below the limit; panics if there is none. align is a power of two.
 */
phys_addr_t memblock_phys_alloc(phys_addr_t bytes, phys_addr_t align);
/* The highest free range in [start, end), without taking it; false if there is none. */
bool memblock_find_in_range(phys_addr_t start, phys_addr_t end, phys_addr_t bytes, phys_addr_t align,
                            phys_addr_t *found);
/* No allocation from here on. */
void memblock_close(void);

phys_addr_t memblock_end_of_memory(void);

enum memblock_kind { MEMBLOCK_HOLE, MEMBLOCK_FREE, MEMBLOCK_RESERVED };

/*
 * What the frame pfn is and how far that goes: *end_pfn is the first frame of another kind (at most
 * limit_pfn). A frame that is only partly RAM is a hole, one that is partly reserved is reserved.
 */
enum memblock_kind memblock_classify(unsigned long pfn, unsigned long limit_pfn, unsigned long *end_pfn);
