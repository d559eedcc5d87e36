/* The swap cache: pages that are in memory and have a slot (include/swapops.h). */
#include "bug.h"
#include "err.h"
#include "memcontrol.h"
#include "page_cache.h"
#include "swap.h"
#include "swap_cache.h"

unsigned long total_swapcache_pages;

unsigned long page_index(const struct page *page)
{
    return PageSwapCache(page) ? swap_slot_of(page_swp_entry(page))->index : page->index;
}

void set_page_index(struct page *page, unsigned long index)
{
    if (PageSwapCache(page))
        swap_slot_of(page_swp_entry(page))->index = index;
    else
        page->index = index;
}

/* The page keeps its name in the slot. */
static void add_to_swap_cache(struct page *page, swp_entry_t entry)
{
    *swap_slot_of(entry) = (struct swap_slot){.page = page, .index = page->index};
    page->index = entry.val;
    page->flags |= PG_swapcache;
    get_page(page);
    total_swapcache_pages++;
}

int add_to_swap(struct page *page)
{
    BUG_ON(!PageLocked(page) || !PageAnon(page) || PageSwapCache(page));
    swp_entry_t entry = get_swap_page();
    if (entry.val == 0)
        return -ENOSPC;
    add_to_swap_cache(page, entry);
    page->flags |= PG_uptodate | PG_dirty;
    return 0;
}

void delete_from_swap_cache(struct page *page)
{
    BUG_ON(!PageLocked(page) || !PageSwapCache(page));
    swp_entry_t entry = page_swp_entry(page);
    struct swap_slot *slot = swap_slot_of(entry);
    page->index = slot->index;
    slot->page = NULL;
    page->flags &= ~(PG_swapcache | PG_dirty);
    total_swapcache_pages--;
    swap_slot_uncached(entry);
    put_page(page);
}

bool try_to_free_swap(struct page *page)
{
    if (!PageSwapCache(page) || swap_count(page_swp_entry(page)))
        return false;
    delete_from_swap_cache(page);
    return true;
}

void replace_in_swap_cache(struct page *page, struct page *copy)
{
    swap_slot_of(page_swp_entry(page))->page = copy;
}

void free_swap_and_cache(swp_entry_t entry)
{
    swap_free(entry);
    struct page *page = swap_slot_of(entry)->page;
    if (page == NULL || page->_mapcount || swap_count(entry) || !trylock_page(page))
        return;
    get_page(page);
    delete_from_swap_cache(page);
    unlock_page(page);
    put_page(page);
}

void free_page_and_swap_cache(struct page *page)
{
    if (PageSwapCache(page) && page->_mapcount == 0 && trylock_page(page)) {
        try_to_free_swap(page);
        unlock_page(page);
    }
    put_page(page);
}

struct page *lookup_swap_cache(swp_entry_t entry)
{
    /* Without an entry in a page table, the area may be gone. */
    if (swap_count(entry) == 0)
        return NULL;
    struct page *page = swap_slot_of(entry)->page;
    if (page)
        get_page(page);
    return page;
}

/* A page for a slot that is not in memory; ours is not needed if another task was faster. */
static struct page *read_swap_cache(swp_entry_t entry)
{
    struct page *page = alloc_page(GFP_HIGHUSER_MOVABLE);
    if (page == NULL)
        return ERR_PTR(-ENOMEM);
    if (mem_cgroup_charge(page, GFP_HIGHUSER_MOVABLE)) {
        put_page(page);
        return ERR_PTR(-ENOMEM);
    }
    struct page *other = lookup_swap_cache(entry);
    if (other || swap_count(entry) == 0) {
        __free_page(page);
        return other ? other : ERR_PTR(-EAGAIN);
    }
    set_page_owner(page, 0, PAGE_OWNER_ANON);
    page->flags |= PG_locked | PG_anon;
    add_to_swap_cache(page, entry);
    lru_cache_add(page);
    if (swap_readpage(page) == 0)
        page->flags |= PG_uptodate;
    unlock_page(page);
    return page;
}

struct page *swapin_page(swp_entry_t entry, bool *is_major)
{
    struct page *page = lookup_swap_cache(entry);
    *is_major = page == NULL;
    return page ? page : read_swap_cache(entry);
}
