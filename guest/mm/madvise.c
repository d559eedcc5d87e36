/* madvise(): what a process will do with its memory. */
#include "asm/pgtable.h"
#include "errno.h"
#include "fs.h"
#include "mman.h"
#include "swap.h"
#include "vma.h"

/* Does something to a part of an area; returns where it stopped. It may sleep, and the area go meanwhile. */
typedef unsigned long (*area_fn)(const struct vm_area_struct *vma, unsigned long start, unsigned long end);

/* For each area of the range, each looked for anew. -ENOMEM if there are holes, after all was done. */
static long walk_areas(struct mm_struct *mm, unsigned long start, unsigned long end, u32 forbidden_flags,
                       area_fn fn)
{
    long result = 0;
    while (start < end) {
        const struct vm_area_struct *vma = find_vma(mm, start);
        if (vma == NULL || vma->vm_start > start)
            result = -ENOMEM;
        if (vma == NULL || vma->vm_start >= end)
            break;
        if (vma->vm_flags & forbidden_flags)
            return -EINVAL;
        start = fn(vma, max(start, vma->vm_start), min(end, vma->vm_end));
    }
    return result;
}

/* Gives the pages back; what they held is gone, and the next touch brings a fresh one. */
static unsigned long dontneed(const struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
    zap_page_range(vma->vm_mm, start, end);
    return end;
}

/* Reads what of the area's file lies there. */
static unsigned long willneed(const struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
    if (vma->vm_file) {
        struct file *file = get_file(vma->vm_file);
        unsigned long first = vma->vm_pgoff + ((start - vma->vm_start) >> PAGE_SHIFT);
        force_page_cache_readahead(file->f_mapping, first, (end - start) >> PAGE_SHIFT);
        fput(file);
    }
    return end;
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

/* Reclaims what lies there, so many pages at a time. */
static unsigned long pageout(const struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
    struct list_head pages = LIST_HEAD_INIT(pages);
    for (unsigned long nr = 0; start < end && nr < SWAP_CLUSTER_MAX; start += PAGE_SIZE) {
        struct page *page = isolate_for_pageout(vma, start);
        if (page == NULL)
            continue;
        list_add(&page->lru, &pages);
        nr++;
    }
    reclaim_pages(&pages);
    return start;
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
        return walk_areas(mm, start, end, 0, willneed);
    case MADV_DONTNEED:
        return walk_areas(mm, start, end, VM_LOCKED, dontneed);
    case MADV_PAGEOUT:
        return walk_areas(mm, start, end, VM_LOCKED, pageout);
    case MADV_RANDOM:
        return change_flags(mm, start, end, VM_SEQ_READ, VM_RAND_READ);
    case MADV_SEQUENTIAL:
        return change_flags(mm, start, end, VM_RAND_READ, VM_SEQ_READ);
    default:
        return change_flags(mm, start, end, VM_RAND_READ | VM_SEQ_READ, 0);
    }
}
