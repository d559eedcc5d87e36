/* maps and smaps of a task (proc(5)). */
#include "internal.h"
#include "maps.h"
#include "memstat.h"
#include "mm.h"
#include "sched.h"
#include "string.h"

int proc_pid_maps(struct seq_file *m, struct task_struct *task)
{
    if (task->mm)
        maps_show(m, task->mm);
    return 0;
}

static void show_flags(struct seq_file *m, u32 flags)
{
    static const struct {
        u32 flag;
        const char *name;
    } names[] = {
        {VM_READ, "rd"},   {VM_WRITE, "wr"},     {VM_EXEC, "ex"},
        {VM_SHARED, "sh"}, {VM_GROWSDOWN, "gd"}, {VM_LOCKED, "lo"},
    };
    seq_printf(m, "VmFlags: ");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (flags & names[i].flag)
            seq_printf(m, "%s ", names[i].name);
    seq_printf(m, "\n");
}

static void show_smap(struct seq_file *m, const struct vm_area_struct *vma)
{
    struct mem_size_stats stats = {0};
    smap_gather_stats(vma, &stats);
    const unsigned long page_kbytes = PAGE_SIZE >> 10;
    bool is_locked = vma->vm_flags & VM_LOCKED;
    unsigned long pss_kbytes = (unsigned long)(stats.pss >> (PSS_SHIFT + 10));
    const struct {
        const char *name;
        unsigned long kbytes;
    } rows[] = {
        {"Size", (vma->vm_end - vma->vm_start) >> 10},
        {"KernelPageSize", page_kbytes},
        {"MMUPageSize", page_kbytes},
        {"Rss", stats.resident >> 10},
        {"Pss", pss_kbytes},
        {"Shared_Clean", stats.shared_clean >> 10},
        {"Shared_Dirty", stats.shared_dirty >> 10},
        {"Private_Clean", stats.private_clean >> 10},
        {"Private_Dirty", stats.private_dirty >> 10},
        {"Referenced", stats.referenced >> 10},
        {"Anonymous", stats.anonymous >> 10},
        {"Swap", stats.swap >> 10},
        {"SwapPss", (unsigned long)(stats.swap_pss >> (PSS_SHIFT + 10))},
        {"Locked", is_locked ? pss_kbytes : 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        seq_printf(m, "%s:%*s%8lu kB\n", rows[i].name, (int)(15 - strlen(rows[i].name)), "", rows[i].kbytes);
    show_flags(m, vma->vm_flags);
}

int proc_pid_smaps(struct seq_file *m, struct task_struct *task)
{
    const struct vm_area_struct *vma = task->mm ? first_vma(task->mm) : NULL;
    for (; vma; vma = next_vma(vma)) {
        area_show(m, vma);
        show_smap(m, vma);
    }
    return 0;
}
