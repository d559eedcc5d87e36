/* /proc/PID/maps: the areas of an address space, in order. */
#include "maps.h"
#include "err.h"
#include "fs.h"
#include "mm_types.h"
#include "seq_file.h"

/* Where Linux has the names, on 32 bits. */
#define NAME_COLUMN 49

static const char *area_name(const struct vm_area_struct *vma)
{
    static char buf[PATH_MAX]; /* nobody sleeps while it is in use */
    if (vma->vm_file) {
        const char *name = d_path(&vma->vm_file->f_path, buf, sizeof(buf));
        return IS_ERR(name) ? "?" : name;
    }
    if (vma->vm_flags & VM_GROWSDOWN)
        return "[stack]";
    return vma->fault_kind == FAULT_HEAP ? "[heap]" : "";
}

void area_show(struct seq_file *m, const struct vm_area_struct *vma)
{
    size_t start = m->count;
    const struct inode *inode = vma->vm_file ? file_inode(vma->vm_file) : NULL;
    u64 offset = inode ? (u64)vma->vm_pgoff << PAGE_SHIFT : 0;
    dev_t dev = inode ? inode->i_sb->s_dev : 0;
    seq_printf(m, "%08lx-%08lx %c%c%c%c %08llx %02x:%02x %lu ", vma->vm_start, vma->vm_end,
               (vma->vm_flags & VM_READ) ? 'r' : '-', (vma->vm_flags & VM_WRITE) ? 'w' : '-',
               (vma->vm_flags & VM_EXEC) ? 'x' : '-', (vma->vm_flags & VM_SHARED) ? 's' : 'p', offset,
               MAJOR(dev), MINOR(dev), inode ? inode->i_ino : 0);
    const char *name = area_name(vma);
    if (*name)
        seq_printf(m, "%*s%s", max((int)(start + NAME_COLUMN - m->count), 0), "", name);
    seq_printf(m, "\n");
}

void maps_show(struct seq_file *m, const struct mm_struct *mm)
{
    for (const struct vm_area_struct *vma = first_vma(mm); vma; vma = next_vma(vma))
        area_show(m, vma);
}
