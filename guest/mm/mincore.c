/* mincore(): which pages of a range are in memory. */
#include "asm/pgtable.h"
#include "asm/uaccess.h"
#include "fs.h"
#include "mman.h"
#include "pagemap.h"
#include "swap_cache.h"
#include "vma.h"

static bool is_in_swap_cache(swp_entry_t entry)
{
    struct page *page = lookup_swap_cache(entry);
    bool is_there = page && PageUptodate(page);
    if (page)
        put_page(page);
    return is_there;
}

/* In a page table, or else in the page cache, where a fault would find it. */
static bool is_in_core(const struct vm_area_struct *vma, unsigned long address)
{
    const pte_t *pte = find_pte(vma->vm_mm, address);
    if (pte && pte_present(*pte))
        return true;
    if (pte && is_swap_pte(*pte))
        return is_in_swap_cache(pte_to_swp_entry(*pte));
    if (vma->vm_file == NULL)
        return false;
    unsigned long index = vma->vm_pgoff + ((address - vma->vm_start) >> PAGE_SHIFT);
    struct page *page = find_get_page(vma->vm_file->f_mapping, index);
    bool is_there = page && PageUptodate(page);
    if (page)
        put_page(page);
    return is_there;
}

long do_mincore(struct mm_struct *mm, unsigned long start, unsigned long bytes, unsigned char *user_vector)
{
    if (start & ~PAGE_MASK)
        return -EINVAL;
    if (!is_user_range(start, &bytes))
        return bytes ? -ENOMEM : 0;
    for (unsigned long end = start + bytes; start < end; start += PAGE_SIZE) {
        /* Looked up anew for each page: writing the answer may sleep. */
        const struct vm_area_struct *vma = find_vma(mm, start);
        if (vma == NULL || vma->vm_start > start)
            return -ENOMEM;
        const unsigned char value = is_in_core(vma, start);
        if (copy_to_user(user_vector++, &value, 1))
            return -EFAULT;
    }
    return 0;
}
