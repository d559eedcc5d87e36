/* What the files in mm/ share among themselves. */
#pragma once

#include "mm.h"

/* How far below the watermark an allocation may go, and where. */
#define ALLOC_WMARK_MASK 0x3u
#define ALLOC_NO_WATERMARKS 0x4u
#define ALLOC_HIGH 0x20u /* half way to nothing */
#define ALLOC_CMA 0x80u  /* CMA pageblocks too */

/* buddy.c; all with interrupts off */

/*
 * Puts a block into the free lists of a type, merged with its buddies as far as that goes. Its pages are
 * marked free already.
 */
void free_one_page(struct zone *zone, unsigned long pfn, unsigned int order, enum migratetype type);
/*
 * Takes a block for a request of this type: from its own lists, or else from CMA's (if alloc_flags allow) or
 * stolen from those of another type. NULL: none is large enough.
 */
struct page *__rmqueue(struct zone *zone, unsigned int order, enum migratetype type,
                       unsigned int alloc_flags);
/* Whether there is a block of at least this order that such a request may have. */
bool zone_has_block(const struct zone *zone, unsigned int order, unsigned int alloc_flags);
/*
 * Moves all free blocks of the pageblock around pfn to the lists of a type, and gives the pageblock that
 * type. Returns how many pages moved.
 */
unsigned long move_freepages_block(struct zone *zone, unsigned long pfn, enum migratetype type);
/* Takes the free block that contains frame pfn out of the lists, whole; NULL if the frame is not free. */
struct page *take_free_block(struct zone *zone, unsigned long pfn, unsigned int *order);

/* fallback.c: moves a block of another type to the lists of this one; false: nothing to steal. */
bool steal_fallback(struct zone *zone, unsigned int order, enum migratetype type);
/* buddy.c's parts that fallback.c needs */
void move_to_free_list(struct zone *zone, struct page *page, unsigned int order, enum migratetype type);

/* pcp.c; all with interrupts off */
void pageset_init(struct zone *zone);
/* Sets batch and high by the zone's size. */
void setup_pageset(struct zone *zone);
struct page *rmqueue_pcplist(struct zone *zone, enum migratetype type, unsigned int alloc_flags);
void free_pcppage(struct zone *zone, struct page *page);

/* The highest zone that a request may have. */
static inline enum zone_type gfp_zone(gfp_t gfp)
{
    if (gfp & __GFP_DMA)
        return ZONE_DMA;
    return (gfp & __GFP_HIGHMEM) ? ZONE_HIGHMEM : ZONE_NORMAL;
}

/* page_alloc.c: whether a request that may have zones up to that one finds one above its min watermark. */
bool zones_are_above_min(enum zone_type highest_zone);

/* page_alloc.c: what every page gets when it is handed out, and what is checked when it comes back. */
void prep_new_page(struct page *page, unsigned int order, gfp_t gfp);
void free_pages_prepare(struct page *page, unsigned int order);
