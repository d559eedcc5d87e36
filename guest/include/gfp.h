/* What an allocation may do and where it may come from: Linux's GFP flags. */
#pragma once

#include "types.h"

struct page;

/* Zone modifiers: the highest zone that will do. Without one, NORMAL and below. */
#define __GFP_DMA ((gfp_t)0x01)
#define __GFP_HIGHMEM ((gfp_t)0x02)
/* Mobility: what can become of the page while it is in use. Without one, it stays where it is until freed. */
#define __GFP_MOVABLE ((gfp_t)0x08)     /* its content may be moved to another frame */
#define __GFP_RECLAIMABLE ((gfp_t)0x10) /* a cache that can be shrunk when memory runs low */
#define GFP_MOVABLE_SHIFT 3
/* Action modifiers. */
#define __GFP_HIGH ((gfp_t)0x20)     /* may go half way below the min watermark */
#define __GFP_IO ((gfp_t)0x40)       /* may sleep until a disk has written pages that then are free */
#define __GFP_RECLAIM ((gfp_t)0x400) /* may take pages from caches that need no waiting for */
#define __GFP_NOWARN ((gfp_t)0x200)  /* a failure is expected and not reported */
#define __GFP_COMP ((gfp_t)0x4000)   /* let the pages of a block know their first one: compound_head() */
#define __GFP_ZERO ((gfp_t)0x8000)   /* hand out zeroed pages */

/*
 * Unlike Linux's, GFP_KERNEL does not contain __GFP_IO: such a request never sleeps, so that whoever makes it
 * finds everything else as he left it. It takes clean pages and unused slabs, wakes kswapd for the rest, and
 * may go half way below the min watermark meanwhile. A system call makes up for what it takes there before it
 * begins (reclaim_before_system_call()), when nobody relies on anything. Only pages that processes and
 * files get, which is what memory is full of, are allocated with __GFP_IO: page faults and the page cache
 * look again at what they knew before.
 */
#define GFP_ATOMIC (__GFP_HIGH)
#define GFP_KERNEL (__GFP_RECLAIM)
#define GFP_USER (GFP_KERNEL)
#define GFP_HIGHUSER (GFP_USER | __GFP_HIGHMEM)
#define GFP_HIGHUSER_MOVABLE (GFP_HIGHUSER | __GFP_MOVABLE | __GFP_IO)
#define GFP_DMA (__GFP_DMA)

/*
 * A block of 1 << order pages whose address is a multiple of its size, or NULL. Its owner is
 * PAGE_OWNER_KERNEL.
 */
struct page *alloc_pages(gfp_t gfp, unsigned int order);
/* The same from memory that is always mapped: its address, or 0. */
unsigned long __get_free_pages(gfp_t gfp, unsigned int order);

/* Give a block back; order must be the one it was allocated with. */
void __free_pages(struct page *page, unsigned int order);
void free_pages(unsigned long address, unsigned int order);

/*
 * Pages that were freed one by one wait on per-CPU lists for the next who asks; this gives them to the buddy
 * system, where they can merge.
 */
void drain_all_pages(void);

static inline struct page *alloc_page(gfp_t gfp)
{
    return alloc_pages(gfp, 0);
}

static inline void __free_page(struct page *page)
{
    __free_pages(page, 0);
}
