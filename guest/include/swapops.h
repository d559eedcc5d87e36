/*
 * Swap: pages of processes that wait on a disk. A swap area is cut into slots of a page; what a page table
 * has in place of a page that is away is a swap entry, the area (type) and the slot (offset).
 *
 * On its way out or in, a page is in the swap cache (PG_swapcache): memory and slot both belong to it, and
 * whoever has its entry finds the page by it. The cache holds a reference. As long as the page stays clean
 * after it came in, its slot is kept, and it can go again without being written.
 *
 * The order in which reclaim does it, all with the page locked: add_to_swap(), try_to_unmap(),
 * swap_writepage() if it is dirty, and delete_from_swap_cache() if nobody has taken another reference.
 */
#pragma once

#include "asm/pgtable.h"
#include "mm_types.h"

#define MAX_SWAPFILES (SWP_TYPE_MASK + 1)

static inline swp_entry_t swp_entry(unsigned long type, unsigned long offset)
{
    return (swp_entry_t){type << SWP_TYPE_SHIFT | offset << SWP_OFFSET_SHIFT};
}

static inline unsigned long swp_type(swp_entry_t entry)
{
    return entry.val >> SWP_TYPE_SHIFT & SWP_TYPE_MASK;
}

static inline unsigned long swp_offset(swp_entry_t entry)
{
    return entry.val >> SWP_OFFSET_SHIFT;
}

/* ---- Slots (mm/swap_slots.c) ---- */

/* Slots that are free, and all, of all areas in use. */
extern unsigned long nr_swap_pages, total_swap_pages;
/* Pages in the swap cache, whether they are mapped or not. */
extern unsigned long total_swapcache_pages;

/* One more page-table entry holds the entry; one less: with the last one the slot is free, unless cached. */
void swap_duplicate(swp_entry_t entry);
void swap_free(swp_entry_t entry);
/* swap_free(), and a page that is in the cache for nobody else goes as well. */
void free_swap_and_cache(swp_entry_t entry);

/* swapfile.c: whether an area lies there. */
struct block_device;
bool is_swap_device(const struct block_device *bdev);
/* At the end, when no process is left. */
void swapoff_all(void);
/* /proc/swaps. */
struct seq_file;
void swaps_show(struct seq_file *m);

/* ---- The swap cache (mm/swap_state.c) ---- */

static inline bool PageSwapCache(const struct page *page)
{
    return page->flags & PG_swapcache;
}

/* By this number the page is found in areas of its anon_vma, or in its file. */
unsigned long page_index(const struct page *page);
/*
 * Gives a locked anonymous page, up to date, a slot and puts it in the cache, dirty. 0, or -ENOSPC: no swap
 * area has a free one. Allocates nothing.
 */
int add_to_swap(struct page *page);
/* Takes a locked page out of the cache, and drops the cache's reference. It need not be written any more. */
void delete_from_swap_cache(struct page *page);
/*
 * The same if no page-table entry needs the slot: what processes have is the page. True if it is out now.
 */
bool try_to_free_swap(struct page *page);

/* ---- Unmapping (mm/rmap.c) ---- */

enum ttu_result {
    TTU_SUCCESS, /* nobody maps it any more */
    TTU_MLOCK,   /* an area that is VM_LOCKED does: it stays, and belongs on the unevictable list */
};

/*
 * Takes a locked page, of a file or of the swap cache, out of all page tables, but for those of areas with
 * VM_LOCKED. What a process wrote makes it dirty. The page tables' references go.
 */
enum ttu_result try_to_unmap(struct page *page);

/* ---- Moving pages (mm/page_io.c) ---- */

/*
 * Writes a locked page of the swap cache to its slot and waits for the disk; it stays locked. 0: it is clean
 * now. -EIO: it stays dirty.
 */
int swap_writepage(struct page *page);
