/* Pages come in when they are touched, and go when their area goes. */
#include "asm/pgtable.h"
#include "bug.h"
#include "errno.h"
#include "highmem.h"
#include "mm_types.h"
#include "string.h"

static pte_t *pte_alloc(struct mm_struct *mm, pmd_t *pmd, unsigned long address)
{
    if (pmd_none(*pmd)) {
        struct page *table = alloc_page(GFP_KERNEL | __GFP_ZERO);
        if (table == NULL)
            return NULL;
        set_page_owner(table, 0, PAGE_OWNER_PAGE_TABLE);
        pmd_populate(pmd, table);
        mm->nr_ptes++;
    }
    return pte_offset_kernel(pmd, address);
}

/* A page for the process, from highmem if there is any: the kernel does not need it at hand. */
static struct page *alloc_user_page(void)
{
    struct page *page = alloc_page(GFP_HIGHUSER);
    if (page)
        set_page_owner(page, 0, PAGE_OWNER_ANON);
    return page;
}

static void map_user_page(struct vm_area_struct *vma, pte_t *pte, struct page *page, bool writable)
{
    struct mm_struct *mm = vma->vm_mm;
    pte_t entry = mk_pte(page, vm_get_page_prot(vma->vm_flags));
    page->_mapcount++;
    mm->rss++;
    mm->hiwater_rss = max(mm->hiwater_rss, mm->rss);
    /* A writable entry is born dirty, since it is made for a write. */
    set_pte(pte, writable ? pte_mkwrite(pte_mkdirty(entry)) : entry);
}

/*
 * The first touch of memory that has no content: a read gets the shared page of zeroes, a write one of its
 * own.
 */
static int do_anonymous_page(struct vm_area_struct *vma, pte_t *pte, u32 flags)
{
    if (!(flags & FAULT_FLAG_WRITE)) {
        set_pte(pte, mk_pte(virt_to_page(empty_zero_page), vm_get_page_prot(vma->vm_flags)));
        vma->vm_mm->nr_zero_page_faults++;
        return 0;
    }
    struct page *page = alloc_user_page();
    if (page == NULL)
        return -ENOMEM;
    clear_highpage(page);
    map_user_page(vma, pte, page, true);
    return 0;
}

/* The first touch of memory that has content: a copy of the image, with zeroes behind its end. */
static int do_image_page(struct vm_area_struct *vma, pte_t *pte, unsigned long address)
{
    struct page *page = alloc_user_page();
    if (page == NULL)
        return -ENOMEM;
    unsigned long offset = (address & PAGE_MASK) - vma->vm_start;
    unsigned long bytes = offset < vma->vm_image_bytes ? min(vma->vm_image_bytes - offset, PAGE_SIZE) : 0;
    char *to = kmap_atomic(page);
    memcpy(to, vma->vm_image + offset, bytes);
    memset(to + bytes, 0, PAGE_SIZE - bytes);
    kunmap_atomic(to);
    map_user_page(vma, pte, page, vma->vm_flags & VM_WRITE);
    return 0;
}

/* A write to a page that is mapped read-only in a writable area: it can only be the page of zeroes. */
static int do_wp_page(struct vm_area_struct *vma, pte_t *pte, unsigned long address)
{
    BUG_ON(pte_pfn(*pte) != page_to_pfn(virt_to_page(empty_zero_page)));
    struct page *page = alloc_user_page();
    if (page == NULL)
        return -ENOMEM;
    clear_highpage(page);
    map_user_page(vma, pte, page, true);
    flush_tlb_page(address);
    return 0;
}

int handle_mm_fault(struct vm_area_struct *vma, unsigned long address, u32 flags)
{
    struct mm_struct *mm = vma->vm_mm;
    pmd_t *pmd = pmd_offset(pgd_offset(mm->pgd, address), address);
    pte_t *pte = pte_alloc(mm, pmd, address);
    if (pte == NULL)
        return -ENOMEM;
    mm->nr_faults[vma->fault_kind]++;
    if (pte_none(*pte))
        return vma->vm_image ? do_image_page(vma, pte, address) : do_anonymous_page(vma, pte, flags);
    if ((flags & FAULT_FLAG_WRITE) && !pte_write(*pte))
        return do_wp_page(vma, pte, address);
    /* The entry allows the access by now: a stale translation, which the fault itself has thrown out. */
    return 0;
}

static void zap_pte(struct mm_struct *mm, pte_t *pte)
{
    struct page *page = pfn_to_page(pte_pfn(*pte));
    set_pte(pte, (pte_t){0});
    if (page == virt_to_page(empty_zero_page))
        return;
    page->_mapcount--;
    mm->rss--;
    put_page(page);
}

void zap_page_range(struct mm_struct *mm, unsigned long start, unsigned long end)
{
    for (unsigned long address = start; address < end;) {
        pmd_t *pmd = pmd_offset(pgd_offset(mm->pgd, address), address);
        if (pmd_none(*pmd)) {
            address = (address & ~(PMD_SIZE - 1)) + PMD_SIZE;
            continue;
        }
        pte_t *pte = pte_offset_kernel(pmd, address);
        if (pte_present(*pte)) {
            zap_pte(mm, pte);
            flush_tlb_page(address);
        }
        address += PAGE_SIZE;
    }
}

void free_pgtables(struct mm_struct *mm)
{
    for (unsigned long address = 0; address < TASK_SIZE; address += PMD_SIZE) {
        pmd_t *pmd = pmd_offset(pgd_offset(mm->pgd, address), address);
        if (pmd_none(*pmd))
            continue;
        struct page *table = pmd_page(*pmd);
        pmd_clear(pmd);
        __free_page(table);
        mm->nr_ptes--;
    }
}
