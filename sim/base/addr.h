/*
 * The kinds of addresses that this machine knows, each a type of its own so that the compiler tells them
 * apart. A logical address is a selector and an offset and lives in the segmentation unit (mmu/).
 */
#ifndef LK_SIM_BASE_ADDR_H
#define LK_SIM_BASE_ADDR_H

#include <stdint.h>

typedef uint64_t cycle_t;
typedef uint64_t pfn_t;

enum { PAGE_SHIFT = 12, PAGE_BYTES = 1 << PAGE_SHIFT, PAGE_MASK = PAGE_BYTES - 1 };

struct laddr {
    uint64_t v; /* linear: after segmentation, before paging */
};

struct paddr {
    uint64_t v; /* guest-physical: what the caches and the board see */
};

struct baddr {
    uint64_t v; /* bus: what a DMA device puts on its bus */
};

static inline struct laddr laddr(uint64_t v)
{
    return (struct laddr){v};
}

static inline struct paddr paddr(uint64_t v)
{
    return (struct paddr){v};
}

static inline struct baddr baddr(uint64_t v)
{
    return (struct baddr){v};
}

#endif
