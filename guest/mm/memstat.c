/* The pages of an address space, counted by their entries (include/memstat.h). */
#include "memstat.h"
#include "asm/pgtable.h"
#include "math64.h"
#include "swap_info.h"

static void gather_pte(pte_t pte, struct mem_size_stats *stats)
{
    const struct page *page = pte_page(pte);
    /* The page of zeroes is everybody's, and costs nobody anything. */
    if (page == virt_to_page(empty_zero_page))
        return;
    unsigned long nr_mappings = page->_mapcount > 0 ? (unsigned long)page->_mapcount : 1;
    bool is_dirty = pte_dirty(pte) || (page->flags & PG_anon);
    stats->resident += PAGE_SIZE;
    stats->pss += div_u64((u64)PAGE_SIZE << PSS_SHIFT, (u32)nr_mappings);
    if (page->flags & PG_anon)
        stats->anonymous += PAGE_SIZE;
    if (pte_young(pte))
        stats->referenced += PAGE_SIZE;
    if (nr_mappings > 1)
        *(is_dirty ? &stats->shared_dirty : &stats->shared_clean) += PAGE_SIZE;
    else
        *(is_dirty ? &stats->private_dirty : &stats->private_clean) += PAGE_SIZE;
}

static void gather_swap_entry(swp_entry_t entry, struct mem_size_stats *stats)
{
    stats->swap += PAGE_SIZE;
    stats->swap_pss += div_u64((u64)PAGE_SIZE << PSS_SHIFT, swap_count(entry));
}

void smap_gather_stats(const struct vm_area_struct *vma, struct mem_size_stats *stats)
{
    for (unsigned long address = vma->vm_start; address < vma->vm_end; address += PAGE_SIZE) {
        const pte_t *pte = find_pte(vma->vm_mm, address);
        if (pte == NULL)
            address = (address & PMD_MASK) + PMD_SIZE - PAGE_SIZE;
        else if (pte_present(*pte))
            gather_pte(*pte, stats);
        else if (is_swap_pte(*pte))
            gather_swap_entry(pte_to_swp_entry(*pte), stats);
    }
}

void mm_gather_stats(struct mm_struct *mm, struct mem_size_stats *stats)
{
    for (const struct vm_area_struct *vma = first_vma(mm); vma; vma = next_vma(vma))
        smap_gather_stats(vma, stats);
}
