/* fork()'s part of memory management: areas and page tables are copied, pages are shared. */
#include "asm/pgtable.h"
#include "fork_mm.h"
#include "fs.h"
#include "rmap.h"
#include "vma.h"

static bool dup_area(struct mm_struct *mm, struct vm_area_struct *area)
{
    struct vm_area_struct *copy = new_vma(mm, area);
    if (copy == NULL)
        return false;
    /* Locks are not inherited. */
    copy->vm_flags &= ~VM_LOCKED;
    account_vma(copy, (long)vma_pages(copy));
    return copy_page_range(copy, area) == 0;
}

struct mm_struct *dup_mm(struct mm_struct *from)
{
    struct mm_struct *mm = mm_alloc();
    if (mm == NULL)
        return NULL;
    mm->start_code = from->start_code;
    mm->end_code = from->end_code;
    mm->start_data = from->start_data;
    mm->end_data = from->end_data;
    mm->start_brk = from->start_brk;
    mm->brk = from->brk;
    mm->start_stack = from->start_stack;
    mm->arg_start = from->arg_start;
    mm->arg_end = from->arg_end;
    mm->env_start = from->env_start;
    mm->env_end = from->env_end;
    if (from->exe_file && deny_write_access(from->exe_file) == 0)
        mm->exe_file = get_file(from->exe_file);
    for (struct vm_area_struct *area = first_vma(from); area; area = next_vma(area))
        if (!dup_area(mm, area)) {
            mmput(mm);
            return NULL;
        }
    return mm;
}
