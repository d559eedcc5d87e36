/* Pages come in when they are touched, and are copied when somebody writes to one that is shared. */
#include "asm/pgtable.h"
#include "bug.h"
#include "errno.h"
#include "highmem.h"
#include "rmap.h"
#include "string.h"

/*
 * A page for the process, from highmem if there is any: the kernel does not need it at hand. It may lie in
 * a CMA region, since it can be moved.
 */
static struct page *alloc_user_page(struct vm_area_struct *vma)
{
    if (anon_vma_prepare(vma))
        return NULL;
    struct page *page = alloc_page(GFP_HIGHUSER_MOVABLE);
    if (page)
        set_page_owner(page, 0, PAGE_OWNER_ANON);
    return page;
}

static pte_t maybe_mkwrite(pte_t entry, const struct vm_area_struct *vma)
{
    return (vma->vm_flags & VM_WRITE) ? pte_mkwrite(entry) : entry;
}

/* Maps a new page; is_written: it comes in for a write, so that it is born dirty. */
static void map_user_page(struct vm_area_struct *vma, unsigned long address, pte_t *pte, struct page *page,
                          bool is_written)
{
    struct mm_struct *mm = vma->vm_mm;
    pte_t entry = maybe_mkwrite(mk_pte(page, vm_get_page_prot(vma->vm_flags)), vma);
    page_add_new_anon_rmap(page, vma, address);
    mm->rss++;
    mm->hiwater_rss = max(mm->hiwater_rss, mm->rss);
    set_pte(pte, is_written ? pte_mkdirty(entry) : entry);
}

/*
 * The first touch of memory that has no content: a read gets the shared page of zeroes, a write one of its
 * own.
 */
static int do_anonymous_page(struct vm_area_struct *vma, unsigned long address, pte_t *pte, u32 flags)
{
    if (!(flags & FAULT_FLAG_WRITE)) {
        set_pte(pte, mk_pte(virt_to_page(empty_zero_page), vm_get_page_prot(vma->vm_flags)));
        vma->vm_mm->nr_zero_page_faults++;
        return 0;
    }
    struct page *page = alloc_user_page(vma);
    if (page == NULL)
        return -ENOMEM;
    clear_highpage(page);
    map_user_page(vma, address, pte, page, true);
    return 0;
}

/* The first touch of memory that has content: a copy of the image, with zeroes behind its end. */
static int do_image_page(struct vm_area_struct *vma, unsigned long address, pte_t *pte, u32 flags)
{
    struct page *page = alloc_user_page(vma);
    if (page == NULL)
        return -ENOMEM;
    unsigned long offset = address - vma->vm_start;
    unsigned long bytes = offset < vma->vm_image_bytes ? min(vma->vm_image_bytes - offset, PAGE_SIZE) : 0;
    char *to = kmap_atomic(page);
    memcpy(to, vma->vm_image + offset, bytes);
    memset(to + bytes, 0, PAGE_SIZE - bytes);
    kunmap_atomic(to);
    map_user_page(vma, address, pte, page, flags & FAULT_FLAG_WRITE);
    return 0;
}

/* Replaces a page that others have, too, by a copy of its own. */
static int copy_shared_page(struct vm_area_struct *vma, unsigned long address, pte_t *pte, struct page *old)
{
    struct page *page = alloc_user_page(vma);
    if (page == NULL)
        return -ENOMEM;
    copy_highpage(page, old);
    page_remove_rmap(old);
    vma->vm_mm->rss--;
    map_user_page(vma, address, pte, page, true);
    put_page(old);
    vma->vm_mm->nr_cow_faults++;
    return 0;
}

/* A write, allowed by the area, to a page that is mapped read-only. */
static int do_wp_page(struct vm_area_struct *vma, unsigned long address, pte_t *pte)
{
    struct page *page = pte_page(*pte);
    int error = 0;
    if (page == virt_to_page(empty_zero_page))
        error = do_anonymous_page(vma, address, pte, FAULT_FLAG_WRITE);
    else if (page->_mapcount == 1 && page->_refcount == 1)
        set_pte(pte, pte_mkdirty(pte_mkwrite(*pte))); /* the others have gone, or never were there */
    else
        error = copy_shared_page(vma, address, pte, page);
    flush_tlb_page(address);
    return error;
}

int handle_mm_fault(struct vm_area_struct *vma, unsigned long address, u32 flags)
{
    count_vm_event(PGFAULT);
    address &= PAGE_MASK;
    pte_t *pte = pte_alloc(vma->vm_mm, address);
    if (pte == NULL)
        return -ENOMEM;
    vma->vm_mm->nr_faults[vma->fault_kind]++;
    if (pte_none(*pte))
        return vma->vm_image ? do_image_page(vma, address, pte, flags)
                             : do_anonymous_page(vma, address, pte, flags);
    if ((flags & FAULT_FLAG_WRITE) && !pte_write(*pte))
        return do_wp_page(vma, address, pte);
    /* The entry allows the access by now: a stale translation, which the fault itself has thrown out. */
    return 0;
}

/* Brings in one page, unless it is there as it should be. */
static int populate_page(struct vm_area_struct *vma, unsigned long address)
{
    u32 flags = (vma->vm_flags & VM_WRITE) ? FAULT_FLAG_WRITE : 0;
    const pte_t *pte = find_pte(vma->vm_mm, address);
    if (pte && pte_present(*pte) && (!flags || pte_write(*pte)))
        return 0;
    return handle_mm_fault(vma, address, flags);
}

int mm_populate(struct mm_struct *mm, unsigned long start, unsigned long end)
{
    while (start < end) {
        struct vm_area_struct *vma = find_vma(mm, start);
        if (vma == NULL)
            return 0;
        start = max(start, vma->vm_start);
        /* What nobody may touch needs no page. */
        if (!(vma->vm_flags & VM_ACCESS_FLAGS))
            start = vma->vm_end;
        for (; start < min(end, vma->vm_end); start += PAGE_SIZE) {
            int error = populate_page(vma, start);
            if (error)
                return error;
        }
    }
    return 0;
}
