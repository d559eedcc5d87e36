/* Page migration: copy, change all entries that map the page, free the old frame. */
#include "migrate.h"
#include "asm/pgtable.h"
#include "bug.h"
#include "cma.h"
#include "errno.h"
#include "highmem.h"
#include "rmap.h"

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

/*
 * No process runs while the kernel does this, so that none can write to the old page after it was copied. A
 * device may, and whoever reads a process's memory for one holds a reference.
 */
int migrate_page(struct page *page)
{
    if (page->_refcount != page->_mapcount)
        return -EBUSY;
    struct page *copy = alloc_page(GFP_HIGHUSER_MOVABLE | __GFP_NOWARN);
    if (copy == NULL)
        return -ENOMEM;
    set_page_owner(copy, 0, PAGE_OWNER_ANON);
    copy_highpage(copy, page);
    struct target target = {.page = copy};
    rmap_walk(page, change_entry, &target);
    BUG_ON(target.nr_entries != page->_mapcount);
    copy->flags |= PG_anon;
    copy->anon_vma = page->anon_vma;
    copy->index = page->index;
    copy->_mapcount = page->_mapcount;
    copy->_refcount = page->_refcount;
    page->_mapcount = 0;
    __free_page(page);
    nr_migrated++;
    return 0;
}
