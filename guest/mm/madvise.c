/* madvise(): what a process will do with its memory. */
#include "asm/pgtable.h"
#include "errno.h"
#include "fs.h"
#include "mman.h"
#include "swap.h"
#include "vma.h"

/* Gives the pages back; what they held is gone, and the next touch brings a fresh one. */
static long dontneed(struct mm_struct *mm, unsigned long start, unsigned long end)
{
    long result = 0;
    while (start < end) {
        const struct vm_area_struct *vma = find_vma(mm, start);
        if (vma == NULL || vma->vm_start > start)
            result = -ENOMEM;
        if (vma == NULL || vma->vm_start >= end)
            break;
        if (vma->vm_flags & VM_LOCKED)
            return -EINVAL;
        start = max(start, vma->vm_start);
        zap_page_range(mm, start, min(end, vma->vm_end));
        start = vma->vm_end;
    }
    return result;
}

/* Reads what of the areas' files lies there. The areas may go while this sleeps: each is looked for anew. */
static long willneed(struct mm_struct *mm, unsigned long start, unsigned long end)
{
    long result = 0;
    while (start < end) {
        const struct vm_area_struct *vma = find_vma(mm, start);
        if (vma == NULL || vma->vm_start > start)
            result = -ENOMEM;
        if (vma == NULL || vma->vm_start >= end)
            break;
        start = max(start, vma->vm_start);
        const unsigned long part_end = min(end, vma->vm_end);
        if (vma->vm_file) {
            struct file *file = get_file(vma->vm_file);
            unsigned long first = vma->vm_pgoff + ((start - vma->vm_start) >> PAGE_SHIFT);
            force_page_cache_readahead(file->f_mapping, first, (part_end - start) >> PAGE_SHIFT);
            fput(file);
        }
        start = part_end;
    }
    return result;
}

/* A page of the process's alone, off its list as if it had not been used; NULL: it is none that can go. */
static struct page *isolate_for_pageout(const struct vm_area_struct *vma, unsigned long address)
{
    pte_t *pte = find_pte(vma->vm_mm, address);
    if (pte == NULL || !pte_present(*pte))
        return NULL;
    struct page *page = pte_page(*pte);
    if (page->_mapcount != 1 || isolate_lru_page(page))
        return NULL;
    set_pte(pte, pte_mkold(*pte));
    flush_tlb_page(address);
    page->flags &= ~(PG_referenced | PG_active);
    return page;
}

/* Isolates pages from start on, up to end, the area's end, or so many; returns where it stopped. */
static unsigned long collect_for_pageout(const struct vm_area_struct *vma, unsigned long start,
                                         unsigned long end, struct list_head *pages)
{
    for (unsigned long nr = 0; start < min(end, vma->vm_end) && nr < SWAP_CLUSTER_MAX; start += PAGE_SIZE) {
        struct page *page = isolate_for_pageout(vma, start);
        if (page == NULL)
            continue;
        list_add(&page->lru, pages);
        nr++;
    }
    return start;
}

/* Reclaims what lies there. The areas may go while this sleeps: each is looked for anew. */
static long pageout(struct mm_struct *mm, unsigned long start, unsigned long end)
{
    long result = 0;
    while (start < end) {
        const struct vm_area_struct *vma = find_vma(mm, start);
        if (vma == NULL || vma->vm_start > start)
            result = -ENOMEM;
        if (vma == NULL || vma->vm_start >= end)
            break;
        if (vma->vm_flags & VM_LOCKED)
            return -EINVAL;
        struct list_head pages = LIST_HEAD_INIT(pages);
        start = collect_for_pageout(vma, max(start, vma->vm_start), end, &pages);
        reclaim_pages(&pages);
    }
    return result;
}

static bool is_advice(int advice)
{
    return (advice >= MADV_NORMAL && advice <= MADV_DONTNEED) || advice == MADV_PAGEOUT;
}

long do_madvise(struct mm_struct *mm, unsigned long start, unsigned long bytes, int advice)
{
    if (!is_advice(advice) || !is_user_range(start, &bytes))
        return -EINVAL;
    const unsigned long end = start + bytes;
    switch (advice) {
    case MADV_WILLNEED:
        return willneed(mm, start, end);
    case MADV_DONTNEED:
        return dontneed(mm, start, end);
    case MADV_PAGEOUT:
        return pageout(mm, start, end);
    case MADV_RANDOM:
        return change_flags(mm, start, end, VM_SEQ_READ, VM_RAND_READ);
    case MADV_SEQUENTIAL:
        return change_flags(mm, start, end, VM_RAND_READ, VM_SEQ_READ);
    default:
        return change_flags(mm, start, end, VM_RAND_READ | VM_SEQ_READ, 0);
    }
}
