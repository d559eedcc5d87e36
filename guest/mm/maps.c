/* /proc/PID/maps: the areas of an address space, in order. */
#include "maps.h"
#include "mm_types.h"
#include "seq_file.h"

/* Where Linux has the names, on 32 bits. */
#define NAME_COLUMN 49

static const char *area_name(const struct vm_area_struct *vma, const char *program)
{
    if (vma->vm_image)
        return program;
    if (vma->vm_flags & VM_GROWSDOWN)
        return "[stack]";
    return vma->fault_kind == FAULT_HEAP ? "[heap]" : "";
}

void area_show(struct seq_file *m, const struct vm_area_struct *vma, const char *program)
{
    size_t start = m->count;
    seq_printf(m, "%08lx-%08lx %c%c%cp 00000000 00:00 0 ", vma->vm_start, vma->vm_end,
               (vma->vm_flags & VM_READ) ? 'r' : '-', (vma->vm_flags & VM_WRITE) ? 'w' : '-',
               (vma->vm_flags & VM_EXEC) ? 'x' : '-');
    const char *name = area_name(vma, program);
    if (*name)
        seq_printf(m, "%*s%s", (int)(start + NAME_COLUMN - m->count), "", name);
    seq_printf(m, "\n");
}

void maps_show(struct seq_file *m, const struct mm_struct *mm, const char *program)
{
    for (const struct vm_area_struct *vma = first_vma(mm); vma; vma = next_vma(vma))
        area_show(m, vma, program);
}
