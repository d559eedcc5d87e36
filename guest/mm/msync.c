/* msync(): what a process wrote to its mappings of files is on disk when it returns. */
#include "errno.h"
#include "fs.h"
#include "mman.h"
#include "pagemap.h"
#include "vma.h"

/* The area may go while this sleeps: the file is what is synced. */
static long sync_file_of(const struct vm_area_struct *vma)
{
    if (vma->vm_file == NULL || !(vma->vm_flags & VM_SHARED))
        return 0;
    struct file *file = get_file(vma->vm_file);
    long error = vfs_fsync(file, 0);
    fput(file);
    return error;
}

long do_msync(struct mm_struct *mm, unsigned long start, unsigned long bytes, u32 flags)
{
    if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) || ((flags & MS_ASYNC) && (flags & MS_SYNC)))
        return -EINVAL;
    if (!is_user_range(start, &bytes))
        return (start & ~PAGE_MASK) ? -EINVAL : -ENOMEM;
    long result = 0;
    for (unsigned long end = start + bytes; start < end;) {
        const struct vm_area_struct *vma = find_vma(mm, start);
        if (vma == NULL || vma->vm_start > start)
            result = -ENOMEM;
        if (vma == NULL || vma->vm_start >= end)
            break;
        start = vma->vm_end;
        long error = (flags & MS_SYNC) ? sync_file_of(vma) : 0;
        if (error)
            return error;
    }
    return result;
}
