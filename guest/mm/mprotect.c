/* Other permissions, and locks, for parts of an address space. */
#include "asm/pgtable.h"
#include "bug.h"
#include "errno.h"
#include "mman.h"
#include "swap.h"
#include "vma.h"

long change_flags(struct mm_struct *mm, unsigned long start, unsigned long end, u32 cleared, u32 set)
{
    while (start < end) {
        struct vm_area_struct *vma = find_vma(mm, start);
        if (vma == NULL || vma->vm_start > start)
            return -ENOMEM;
        unsigned long part_end = min(end, vma->vm_end);
        u32 flags = (vma->vm_flags & ~cleared) | set;
        if ((flags & (VM_SHARED | VM_MAYWRITE | VM_WRITE)) == (VM_SHARED | VM_WRITE))
            return -EACCES;
        if (flags != vma->vm_flags) {
            if (cut_out(mm, start, part_end))
                return -ENOMEM;
            vma = find_vma(mm, start);
            account_vma(vma, -(long)vma_pages(vma));
            vma->vm_flags = flags;
            account_vma(vma, (long)vma_pages(vma));
            change_protection(vma, start, part_end);
            vma_merge(vma);
        }
        start = part_end;
    }
    return 0;
}

long do_mprotect(struct mm_struct *mm, unsigned long start, unsigned long bytes, u32 prot)
{
    if ((start & ~PAGE_MASK) || (prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC)))
        return -EINVAL;
    if (bytes == 0)
        return 0;
    if (!is_user_range(start, &bytes))
        return -ENOMEM;
    return change_flags(mm, start, start + bytes, VM_ACCESS_FLAGS, prot);
}

/* mlock() takes any address: what counts is the pages. */
static long lock_range(struct mm_struct *mm, unsigned long start, unsigned long bytes, u32 lock)
{
    bytes += start & ~PAGE_MASK;
    start &= PAGE_MASK;
    if (!is_user_range(start, &bytes))
        return bytes ? -ENOMEM : 0;
    return change_flags(mm, start, start + bytes, VM_LOCKED, lock);
}

long do_mlock(struct mm_struct *mm, unsigned long start, unsigned long bytes)
{
    long error = lock_range(mm, start, bytes, VM_LOCKED);
    return error ? error : mm_populate(mm, start & PAGE_MASK, PAGE_ALIGN(start + bytes));
}

/* Reclaim may have put the pages aside that it found locked. */
static void rescue_pages(struct mm_struct *mm, unsigned long start, unsigned long end)
{
    for (unsigned long address = start; address < end; address += PAGE_SIZE) {
        const pte_t *pte = find_pte(mm, address);
        if (pte && pte_present(*pte))
            rescue_unevictable_page(pte_page(*pte));
    }
}

long do_munlock(struct mm_struct *mm, unsigned long start, unsigned long bytes)
{
    long error = lock_range(mm, start, bytes, 0);
    if (error == 0)
        rescue_pages(mm, start & PAGE_MASK, PAGE_ALIGN(start + bytes));
    return error;
}

long do_mlockall(struct mm_struct *mm, u32 flags)
{
    if (flags & ~(MCL_CURRENT | MCL_FUTURE))
        return -EINVAL;
    mm->def_flags = (flags & MCL_FUTURE) ? VM_LOCKED : 0;
    if (flags == MCL_FUTURE)
        return 0;
    u32 lock = (flags & MCL_CURRENT) ? VM_LOCKED : 0;
    for (struct vm_area_struct *vma = first_vma(mm); vma; vma = find_vma(mm, vma->vm_end)) {
        account_vma(vma, -(long)vma_pages(vma));
        vma->vm_flags = (vma->vm_flags & ~VM_LOCKED) | lock;
        account_vma(vma, (long)vma_pages(vma));
        if (lock == 0)
            rescue_pages(mm, vma->vm_start, vma->vm_end);
        vma = vma_merge(vma);
    }
    if (lock)
        (void)mm_populate(mm, 0, TASK_SIZE);
    return 0;
}
