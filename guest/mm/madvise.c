/* madvise(): what a process will do with its memory. */
#include "errno.h"
#include "fs.h"
#include "mman.h"
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

long do_madvise(struct mm_struct *mm, unsigned long start, unsigned long bytes, int advice)
{
    if (advice < MADV_NORMAL || advice > MADV_DONTNEED || !is_user_range(start, &bytes))
        return -EINVAL;
    const unsigned long end = start + bytes;
    switch (advice) {
    case MADV_WILLNEED:
        return willneed(mm, start, end);
    case MADV_DONTNEED:
        return dontneed(mm, start, end);
    case MADV_RANDOM:
        return change_flags(mm, start, end, VM_SEQ_READ, VM_RAND_READ);
    case MADV_SEQUENTIAL:
        return change_flags(mm, start, end, VM_RAND_READ, VM_SEQ_READ);
    default:
        return change_flags(mm, start, end, VM_RAND_READ | VM_SEQ_READ, 0);
    }
}
