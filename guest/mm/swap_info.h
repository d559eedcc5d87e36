/* What the files of swap share: an area, its slots, and where they are on the disk (include/swapops.h). */
#pragma once

#include "blkdev.h"
#include "swapops.h"

/* Slots side by side on the disk. An area on a partition has one, a file as many as it is in pieces. */
struct swap_extent {
    u32 start_slot, nr_slots;
    sector_t start_sector;
};

/* A slot's page, as long as it is in the swap cache. */
struct swap_slot {
    struct page *page;
    unsigned long index; /* page->index, whose place in the page the slot's number takes */
};

#define SWAP_MAP_BAD 0xFFFFu /* never given out */

struct swap_info_struct {
    bool is_used;
    bool is_writeok; /* slots are given out: not any more when it is about to go */
    short prio;      /* areas with a higher one are filled first */
    u32 type;
    u32 max;                 /* slots, with the header and bad ones */
    u32 nr_pages;            /* of these, slots for pages */
    u32 nr_inuse;            /* of these, taken */
    u32 next;                /* where the next free one is looked for first */
    u16 *swap_map;           /* page-table entries that name the slot */
    struct swap_slot *slots; /* the swap cache's part of this area */
    struct swap_extent *extents;
    u32 nr_extents;
    struct block_device *bdev;
    struct file *file; /* as it was opened, device or file */
};

extern struct swap_info_struct swap_info[MAX_SWAPFILES];
/* Address spaces that have, or had, swap entries: mm->mmlist. */
extern struct list_head swap_mms;

static inline struct swap_info_struct *swap_info_of(swp_entry_t entry)
{
    return &swap_info[swp_type(entry)];
}

static inline struct swap_slot *swap_slot_of(swp_entry_t entry)
{
    return &swap_info_of(entry)->slots[swp_offset(entry)];
}

/* The slot that a page of the swap cache has. */
static inline swp_entry_t page_swp_entry(const struct page *page)
{
    return (swp_entry_t){page->index};
}

/* swap_slots.c: a free slot, which the cache is about to have; val 0: there is none. */
swp_entry_t get_swap_page(void);
/* Page-table entries that hold it; 0 also for an entry of an area that is gone. */
u32 swap_count(swp_entry_t entry);
/* The cache has let go of it. */
void swap_slot_uncached(swp_entry_t entry);
/* More than half of all swap is taken: pages in memory should not keep slots. */
bool vm_swap_full(void);

/* page_io.c: where a slot begins on si->bdev. */
sector_t swap_slot_sector(const struct swap_info_struct *si, u32 slot);
/* Fills a locked page of the swap cache from its slot and waits. 0 or -EIO. */
int swap_readpage(struct page *page);
