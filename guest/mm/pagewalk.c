/* Walks over the page tables of a range, and what is done to the entries found. */
#include "asm/pgtable.h"
#include "bug.h"
#include "errno.h"
#include "page_cache.h"
#include "rmap.h"
#include "swap.h"
#include "swap_cache.h"

static pmd_t *find_pmd(struct mm_struct *mm, unsigned long address)
{
    return pmd_offset(pgd_offset(mm->pgd, address), address);
}

pte_t *find_pte(struct mm_struct *mm, unsigned long address)
{
    pmd_t *pmd = find_pmd(mm, address);
    return pmd_none(*pmd) ? NULL : pte_offset_kernel(pmd, address);
}

pte_t *pte_alloc(struct mm_struct *mm, unsigned long address)
{
    pmd_t *pmd = find_pmd(mm, address);
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

/* The first address from start on whose entry is not empty; end if there is none before it. */
static unsigned long next_used(struct mm_struct *mm, unsigned long start, unsigned long end, pte_t **pte)
{
    while (start < end) {
        *pte = find_pte(mm, start);
        if (*pte == NULL)
            start = (start & PMD_MASK) + PMD_SIZE;
        else if (!pte_none(**pte))
            return start;
        else
            start += PAGE_SIZE;
    }
    return end;
}

/* A page, or a swap entry. */
#define for_each_used_pte(mm, address, pte, start, end)                                                      \
    for (address = next_used(mm, start, end, &(pte)); address < (end);                                       \
         address = next_used(mm, address + PAGE_SIZE, end, &(pte)))

static bool is_zero_page(const struct page *page)
{
    return page == virt_to_page(empty_zero_page);
}

static void zap_swap_pte(struct mm_struct *mm, pte_t *pte)
{
    swp_entry_t entry = pte_to_swp_entry(*pte);
    set_pte(pte, (pte_t){0});
    mm->nr_swapents--;
    free_swap_and_cache(entry);
}

static void zap_pte(struct mm_struct *mm, pte_t *pte)
{
    struct page *page = pte_page(*pte);
    bool was_used = pte_young(*pte);
    set_pte(pte, (pte_t){0});
    if (is_zero_page(page))
        return;
    /* Nobody can ask this entry later. */
    if (was_used && !PageAnon(page))
        mark_page_accessed(page);
    page_remove_rmap(page);
    mm->rss--;
    free_page_and_swap_cache(page);
}

void zap_page_range(struct mm_struct *mm, unsigned long start, unsigned long end)
{
    unsigned long address;
    pte_t *pte;
    for_each_used_pte(mm, address, pte, start, end)
    {
        if (is_swap_pte(*pte)) {
            zap_swap_pte(mm, pte);
            continue;
        }
        zap_pte(mm, pte);
        flush_tlb_page(address);
    }
}

/* An area's pages that are numbers first and up of its file. */
static void unmap_area_from(const struct vm_area_struct *vma, unsigned long first)
{
    unsigned long skipped = first > vma->vm_pgoff ? first - vma->vm_pgoff : 0;
    if (skipped < vma_pages(vma))
        zap_page_range(vma->vm_mm, vma->vm_start + (skipped << PAGE_SHIFT), vma->vm_end);
}

void unmap_mapping_range(struct address_space *mapping, unsigned long first)
{
    const struct vm_area_struct *vma;
    list_for_each_entry(vma, &mapping->i_mmap, shared)
    {
        unmap_area_from(vma, first);
    }
}

void change_protection(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
    pgprot_t prot = vm_get_page_prot(vma->vm_flags);
    unsigned long address;
    pte_t *pte;
    for_each_used_pte(vma->vm_mm, address, pte, start, end)
    {
        /* What is on disk gets the area's permissions when it comes in. */
        if (is_swap_pte(*pte))
            continue;
        /* Never writable at once: a fault makes sure first that the page is nobody else's. */
        set_pte(pte, pte_modify(*pte, prot));
        flush_tlb_page(address);
    }
}

int move_page_tables(struct vm_area_struct *vma, unsigned long old_start, struct vm_area_struct *new_vma,
                     unsigned long new_start, unsigned long bytes)
{
    struct mm_struct *mm = vma->vm_mm;
    unsigned long address;
    pte_t *pte;
    for_each_used_pte(mm, address, pte, old_start, old_start + bytes)
    {
        pte_t *new_pte = pte_alloc(new_vma->vm_mm, address - old_start + new_start);
        if (new_pte == NULL)
            return -ENOMEM;
        set_pte(new_pte, *pte);
        set_pte(pte, (pte_t){0});
        flush_tlb_page(address);
    }
    return 0;
}

int copy_page_range(struct vm_area_struct *child, struct vm_area_struct *parent)
{
    unsigned long address;
    pte_t *pte;
    for_each_used_pte(parent->vm_mm, address, pte, parent->vm_start, parent->vm_end)
    {
        pte_t *new_pte = pte_alloc(child->vm_mm, address);
        if (new_pte == NULL)
            return -ENOMEM;
        /* The page of a file may have gone for the sake of the table. */
        if (pte_none(*pte))
            continue;
        if (is_swap_pte(*pte)) {
            set_swap_pte(child->vm_mm, new_pte, pte_to_swp_entry(*pte));
            continue;
        }
        if (pte_write(*pte) && !(parent->vm_flags & VM_SHARED)) {
            set_pte(pte, pte_wrprotect(*pte));
            flush_tlb_page(address);
        }
        set_pte(new_pte, *pte);
        struct page *page = pte_page(*pte);
        if (is_zero_page(page))
            continue;
        get_page(page);
        page_dup_rmap(page);
        child->vm_mm->rss++;
    }
    child->vm_mm->hiwater_rss = max(child->vm_mm->hiwater_rss, child->vm_mm->rss);
    return 0;
}

void free_pgtables(struct mm_struct *mm)
{
    for (unsigned long address = 0; address < TASK_SIZE; address += PMD_SIZE) {
        pmd_t *pmd = find_pmd(mm, address);
        if (pmd_none(*pmd))
            continue;
        struct page *table = pmd_page(*pmd);
        pmd_clear(pmd);
        __free_page(table);
        mm->nr_ptes--;
    }
}
