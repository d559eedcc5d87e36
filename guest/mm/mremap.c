/* mremap(): an area becomes larger or smaller, or moves with all its pages. */
#include "errno.h"
#include "mman.h"
#include "vma.h"

/* The area that contains all of [address, address + bytes), or NULL. */
static struct vm_area_struct *area_with(struct mm_struct *mm, unsigned long address, unsigned long bytes)
{
    struct vm_area_struct *vma = find_vma(mm, address);
    return vma && vma->vm_start <= address && bytes <= vma->vm_end - address ? vma : NULL;
}

static bool can_grow_in_place(const struct vm_area_struct *vma, unsigned long new_end)
{
    const struct vm_area_struct *behind = next_vma(vma);
    return new_end > vma->vm_end && new_end <= TASK_SIZE &&
           (behind == NULL || vm_start_gap(behind) >= new_end);
}

static long grow_in_place(struct vm_area_struct *vma, unsigned long address, unsigned long new_end)
{
    unsigned long old_end = vma->vm_end;
    vma->vm_end = new_end;
    account_vma(vma, (long)((new_end - old_end) >> PAGE_SHIFT));
    struct mm_struct *mm = vma->vm_mm;
    bool is_locked = vma->vm_flags & VM_LOCKED;
    vma_merge(vma);
    if (is_locked)
        (void)mm_populate(mm, old_end, new_end);
    return (long)address;
}

/* A part of an area, in its new place: pages that are there keep their names. */
static struct vm_area_struct *copy_vma(struct vm_area_struct *vma, unsigned long address, unsigned long bytes,
                                       unsigned long new_address)
{
    struct vm_area_struct part = *vma;
    unsigned long offset = address - vma->vm_start;
    part.vm_start = new_address;
    part.vm_end = new_address + bytes;
    part.vm_pgoff += offset >> PAGE_SHIFT;
    /* Without pages, there is nothing to be found again, and joining neighbours is worth more. */
    if (vma->anon_vma == NULL && vma->vm_file == NULL)
        part.vm_pgoff = new_address >> PAGE_SHIFT;
    struct vm_area_struct *copy = new_vma(vma->vm_mm, &part);
    if (copy)
        account_vma(copy, (long)vma_pages(copy));
    return copy;
}

static long move_vma(struct vm_area_struct *vma, unsigned long address, unsigned long old_bytes,
                     unsigned long new_bytes, unsigned long new_address)
{
    struct mm_struct *mm = vma->vm_mm;
    bool is_locked = vma->vm_flags & VM_LOCKED;
    struct vm_area_struct *copy = copy_vma(vma, address, new_bytes, new_address);
    if (copy == NULL)
        return -ENOMEM;
    if (move_page_tables(vma, address, copy, new_address, old_bytes)) {
        /* What has moved goes back; the tables for that are still there. */
        (void)move_page_tables(copy, new_address, vma, address, old_bytes);
        zap_page_range(mm, copy->vm_start, copy->vm_end);
        remove_vma(copy);
        return -ENOMEM;
    }
    vma_merge(copy);
    long error = do_munmap(mm, address, old_bytes);
    if (error)
        return error;
    if (is_locked)
        (void)mm_populate(mm, new_address, new_address + new_bytes);
    return (long)new_address;
}

/* MREMAP_FIXED: whatever is at the new place goes. */
static long clear_the_way(struct mm_struct *mm, unsigned long address, unsigned long old_bytes,
                          unsigned long new_address, unsigned long new_bytes)
{
    if (!is_user_range(new_address, &new_bytes))
        return -EINVAL;
    if (new_address < address + old_bytes && address < new_address + new_bytes)
        return -EINVAL;
    return do_munmap(mm, new_address, new_bytes);
}

long do_mremap(struct mm_struct *mm, unsigned long address, unsigned long old_bytes, unsigned long new_bytes,
               u32 flags, unsigned long new_address)
{
    bool may_move = flags & MREMAP_MAYMOVE, is_fixed = flags & MREMAP_FIXED;
    if ((flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED)) || (is_fixed && !may_move) || old_bytes == 0)
        return -EINVAL;
    if (!is_user_range(address, &old_bytes) || new_bytes == 0 || new_bytes > TASK_SIZE)
        return -EINVAL;
    new_bytes = PAGE_ALIGN(new_bytes);
    if (is_fixed) {
        long error = clear_the_way(mm, address, old_bytes, new_address, new_bytes);
        if (error)
            return error;
    }
    if (new_bytes < old_bytes) {
        long error = do_munmap(mm, address + new_bytes, old_bytes - new_bytes);
        if (error)
            return error;
        old_bytes = new_bytes;
    }
    if (old_bytes == new_bytes && !is_fixed)
        return (long)address;
    struct vm_area_struct *vma = area_with(mm, address, old_bytes);
    if (vma == NULL)
        return -EFAULT;
    if (!is_fixed) {
        if (vma->vm_end == address + old_bytes && can_grow_in_place(vma, address + new_bytes))
            return grow_in_place(vma, address, address + new_bytes);
        if (!may_move)
            return -ENOMEM;
        new_address = get_unmapped_area(mm, 0, new_bytes);
        if (new_address == 0)
            return -ENOMEM;
    }
    return move_vma(vma, address, old_bytes, new_bytes, new_address);
}
