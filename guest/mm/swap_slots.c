/* Slots of swap areas: which are free, and how many page-table entries name each (include/swapops.h). */
#include "bug.h"
#include "swap_cache.h"

struct swap_info_struct swap_info[MAX_SWAPFILES];
struct list_head swap_mms = LIST_HEAD_INIT(swap_mms);
unsigned long nr_swap_pages, total_swap_pages;

/* The area of the highest priority that has room; of those that are alike, the emptiest. */
static struct swap_info_struct *area_with_room(void)
{
    struct swap_info_struct *best = NULL;
    for (u32 i = 0; i < MAX_SWAPFILES; i++) {
        struct swap_info_struct *si = &swap_info[i];
        if (!si->is_writeok || si->nr_inuse == si->nr_pages)
            continue;
        if (best == NULL || si->prio > best->prio ||
            (si->prio == best->prio && si->nr_inuse < best->nr_inuse))
            best = si;
    }
    return best;
}

static bool is_free(const struct swap_info_struct *si, u32 slot)
{
    return si->swap_map[slot] == 0 && si->slots[slot].page == NULL;
}

/* From where the last one was on: what leaves together lies together, and comes back together. */
static u32 find_free_slot(const struct swap_info_struct *si)
{
    for (u32 i = 0, slot = si->next; i < si->max; i++, slot++) {
        if (slot >= si->max)
            slot = 1;
        if (is_free(si, slot))
            return slot;
    }
    return 0;
}

swp_entry_t get_swap_page(void)
{
    struct swap_info_struct *si = area_with_room();
    if (si == NULL)
        return (swp_entry_t){0};
    u32 slot = find_free_slot(si);
    BUG_ON(slot == 0);
    si->next = slot + 1;
    si->nr_inuse++;
    nr_swap_pages--;
    return swp_entry(si->type, slot);
}

static void slot_is_free(swp_entry_t entry)
{
    struct swap_info_struct *si = swap_info_of(entry);
    si->nr_inuse--;
    if (si->bdev->swap_slot_free_notify)
        si->bdev->swap_slot_free_notify(si->bdev, swap_slot_sector(si, (u32)swp_offset(entry)));
    if (si->is_writeok)
        nr_swap_pages++;
}

u32 swap_count(swp_entry_t entry)
{
    const struct swap_info_struct *si = swap_info_of(entry);
    return si->is_used && swp_offset(entry) < si->max ? si->swap_map[swp_offset(entry)] : 0;
}

void swap_duplicate(swp_entry_t entry)
{
    u16 *count = &swap_info_of(entry)->swap_map[swp_offset(entry)];
    BUG_ON(*count >= SWAP_MAP_BAD - 1);
    ++*count;
}

void swap_free(swp_entry_t entry)
{
    u16 *count = &swap_info_of(entry)->swap_map[swp_offset(entry)];
    BUG_ON(*count == 0 || *count == SWAP_MAP_BAD);
    if (--*count == 0 && swap_slot_of(entry)->page == NULL)
        slot_is_free(entry);
}

void swap_slot_uncached(swp_entry_t entry)
{
    if (swap_count(entry) == 0)
        slot_is_free(entry);
}

void set_swap_pte(struct mm_struct *mm, pte_t *pte, swp_entry_t entry)
{
    swap_duplicate(entry);
    set_pte(pte, swp_entry_to_pte(entry));
    mm->nr_swapents++;
    if (list_empty(&mm->mmlist))
        list_add_tail(&mm->mmlist, &swap_mms);
}

bool vm_swap_full(void)
{
    return nr_swap_pages * 2 < total_swap_pages;
}
