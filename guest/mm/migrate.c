/* Page migration: copy, change all entries that map the page, free the old frame. */
#include "migrate.h"
#include "asm/pgtable.h"
#include "bug.h"
#include "cma.h"
#include "errno.h"
#include "highmem.h"
#include "lookaside.h"
#include "memcontrol.h"
#include "pagemap.h"
#include "rmap.h"
#include "swap.h"
#include "swap_cache.h"

static unsigned long nr_migrated;

unsigned long nr_migrated_pages(void)
{
    return nr_migrated;
}

struct target {
    const struct page *page;
    s32 nr_entries;
};

static int change_entry(struct page *page, struct vm_area_struct *vma, unsigned long address, pte_t *pte,
                        void *arg)
{
    struct target *target = arg;
    (void)page;
    (void)vma;
    set_pte(pte, pte_with_page(*pte, target->page));
    flush_tlb_page(address);
    target->nr_entries++;
    return 0;
}

/* Its file finds the copy from now on. */
static void move_in_page_cache(struct page *page, struct page *copy)
{
    copy->mapping = page->mapping;
    *radix_tree_lookup_slot(&page->mapping->page_tree, page->index) = copy;
    set_page_owner(copy, 0, PAGE_OWNER_PAGE_CACHE);
}

static void move_anon(struct page *page, struct page *copy)
{
    copy->anon_vma = page->anon_vma;
    set_page_owner(copy, 0, PAGE_OWNER_ANON);
}

/*
 * No process runs while the kernel does this, so that none can write to the old page after it was copied. A
 * device may, and whoever reads a process's memory or a file for one holds a reference.
 */
int migrate_page_to(struct page *page, struct page *copy)
{
    const u32 kept =
        PG_anon | PG_uptodate | PG_dirty | PG_referenced | PG_active | PG_unevictable | PG_swapcache;
    bool is_cached = page->owner == PAGE_OWNER_PAGE_CACHE;
    const bool is_swapcache = PageSwapCache(page);
    if (PageLocked(page) || page->_refcount != page->_mapcount + (is_cached || is_swapcache)) {
        count_vm_event(PGMIGRATE_FAIL);
        return -EBUSY;
    }
    count_vm_event(PGMIGRATE_SUCCESS);
    lk_mm_migrate(page_to_pfn(page), page_to_pfn(copy));
    copy_highpage(copy, page);
    struct target target = {.page = copy};
    if (page->_mapcount)
        rmap_walk(page, change_entry, &target);
    BUG_ON(target.nr_entries != page->_mapcount);
    copy->flags |= page->flags & kept;
    copy->index = page->index;
    copy->nr_objs = page->nr_objs;
    copy->_mapcount = page->_mapcount;
    copy->_refcount = page->_refcount;
    if (is_cached)
        move_in_page_cache(page, copy);
    else
        move_anon(page, copy);
    if (is_swapcache)
        replace_in_swap_cache(page, copy);
    lru_cache_del(page);
    mem_cgroup_migrate(page, copy);
    get_page(copy);
    putback_lru_page(copy);
    page->_mapcount = 0;
    page->flags &= ~kept;
    lk_mm_migrate(page_to_pfn(page), page_to_pfn(copy));
    __free_page(page);
    nr_migrated++;
    return 0;
}

int migrate_page(struct page *page)
{
    gfp_t gfp = page->owner == PAGE_OWNER_PAGE_CACHE ? page->mapping->gfp_mask : GFP_HIGHUSER_MOVABLE;
    /* Not by freeing pages of the cache: this might be one. */
    struct page *copy = alloc_page((gfp & ~__GFP_RECLAIM) | __GFP_NOWARN);
    if (copy == NULL)
        return -ENOMEM;
    int error = migrate_page_to(page, copy);
    if (error)
        __free_page(copy);
    return error;
}
