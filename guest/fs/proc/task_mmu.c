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

struct row {
    const char *name;
    unsigned long kbytes;
};

static void show_rows(struct seq_file *m, const struct row rows[], u32 nr)
{
    for (u32 i = 0; i < nr; i++)
        seq_printf(m, "%s:%*s%8lu kB\n", rows[i].name, (int)(15 - strlen(rows[i].name)), "", rows[i].kbytes);
}

static unsigned long pss_kbytes(u64 pss)
{
    return (unsigned long)(pss >> (PSS_SHIFT + 10));
}

/* What an area and all areas of a task together have rows for. */
static void show_sums(struct seq_file *m, const struct mem_size_stats *stats, u64 locked_pss)
{
    const struct row rows[] = {
        {"Rss", stats->resident >> 10},
        {"Pss", pss_kbytes(stats->pss)},
        {"Shared_Clean", stats->shared_clean >> 10},
        {"Shared_Dirty", stats->shared_dirty >> 10},
        {"Private_Clean", stats->private_clean >> 10},
        {"Private_Dirty", stats->private_dirty >> 10},
        {"Referenced", stats->referenced >> 10},
        {"Anonymous", stats->anonymous >> 10},
        {"Swap", stats->swap >> 10},
        {"SwapPss", pss_kbytes(stats->swap_pss)},
        {"Locked", pss_kbytes(locked_pss)},
    };
    show_rows(m, rows, ARRAY_SIZE(rows));
}

static void show_smap(struct seq_file *m, const struct vm_area_struct *vma)
{
    struct mem_size_stats stats = {0};
    const struct row rows[] = {
        {"Size", (vma->vm_end - vma->vm_start) >> 10},
        {"KernelPageSize", PAGE_SIZE >> 10},
        {"MMUPageSize", PAGE_SIZE >> 10},
    };
    smap_gather_stats(vma, &stats);
    show_rows(m, rows, ARRAY_SIZE(rows));
    show_sums(m, &stats, vma->vm_flags & VM_LOCKED ? stats.pss : 0);
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

/* The sums of smaps over all areas, under a line that looks like one from the first to the last of them. */
int proc_pid_smaps_rollup(struct seq_file *m, struct task_struct *task)
{
    struct mem_size_stats stats = {0};
    u64 locked_pss = 0;
    unsigned long start = 0, end = 0;
    const struct vm_area_struct *vma = task->mm ? first_vma(task->mm) : NULL;
    if (vma)
        start = vma->vm_start;
    for (; vma; vma = next_vma(vma)) {
        u64 pss_before = stats.pss;
        smap_gather_stats(vma, &stats);
        if (vma->vm_flags & VM_LOCKED)
            locked_pss += stats.pss - pss_before;
        end = vma->vm_end;
    }
    if (end == 0)
        return 0;
    seq_printf(m, "%08lx-%08lx ---p 00000000 00:00 0    [rollup]\n", start, end);
    show_sums(m, &stats, locked_pss);
    return 0;
}
