/* What lies in /proc itself, and the folders of tasks. */
#include "asm/desc.h"
#include "asm/irq.h"
#include "asm/processor.h"
#include "blkdev.h"
#include "err.h"
#include "internal.h"
#include "kallsyms.h"
#include "mm.h"
#include "printk.h"
#include "psi.h"
#include "sched.h"
#include "slab.h"
#include "swapops.h"
#include "vmalloc.h"
#include "zram.h"

/* Where /proc/self and /proc/thread-self lead depends on who asks. */
static int self_target(char *buf, u32 size)
{
    return snprintf(buf, size, "%u", current->tgid);
}

static int thread_self_target(char *buf, u32 size)
{
    return snprintf(buf, size, "%u/task/%u", current->tgid, current->pid);
}

static const struct proc_entry pressure_entries[] = {
    PROC_TEXT("cpu", psi_cpu_show),
    PROC_TEXT("io", psi_io_show),
    PROC_TEXT("memory", psi_memory_show),
    {.name = NULL},
};

static const struct proc_entry zram_entries[] = {
    PROC_TEXT("comp_algorithm", zram_comp_algorithm_show),
    PROC_SETTING("disksize", zram_disksize_show, zram_disksize_store),
    PROC_TEXT("mm_stat", zram_mm_stat_show),
    PROC_SETTING("reset", NULL, zram_reset_store),
    {.name = NULL},
};

static const struct proc_entry root_entries[] = {
    PROC_TEXT("buddyinfo", buddyinfo_show),
    PROC_TEXT("cgroups", cgroups_show),
    PROC_TEXT("cmdline", cmdline_show),
    PROC_TEXT("cpuinfo", cpuinfo_show),
    PROC_TEXT("devices", devices_show),
    PROC_TEXT("diskstats", diskstats_show),
    PROC_TEXT("filesystems", filesystems_show),
    PROC_TEXT("gdt", gdt_show),
    PROC_TEXT("interrupts", interrupts_show),
    PROC_TEXT("iomem", iomem_show),
    PROC_TEXT("kallsyms", kallsyms_show),
    PROC_TEXT("loadavg", loadavg_show),
    PROC_TEXT("meminfo", meminfo_show),
    PROC_LINK("mounts", "self/mounts"),
    PROC_FOLDER("net", proc_net_entries),
    PROC_TEXT("pagetypeinfo", pagetypeinfo_show),
    PROC_TEXT("partitions", partitions_show),
    PROC_FOLDER("pressure", pressure_entries),
    {.name = "self", .mode = S_IFLNK | 0777, .get_target = self_target},
    PROC_TEXT("slabinfo", slabinfo_show),
    PROC_TEXT("stat", stat_show),
    PROC_TEXT("swaps", swaps_show),
    PROC_FOLDER("sys", proc_sys_entries),
    {.name = "thread-self", .mode = S_IFLNK | 0777, .get_target = thread_self_target},
    PROC_TEXT("uptime", uptime_show),
    PROC_TEXT("version", version_show),
    PROC_TEXT("vmallocinfo", vmallocinfo_show),
    PROC_TEXT("vmstat", vmstat_show),
    PROC_TEXT("zoneinfo", zoneinfo_show),
    PROC_FOLDER("zram0", zram_entries),
    {.name = NULL},
};
const struct proc_entry proc_root_entry = PROC_FOLDER("/", root_entries);

/* Tasks follow behind the entries that are always there, by number. */
#define FIRST_TASK_POS 256u

static struct dentry *proc_root_lookup(struct inode *dir, struct dentry *dentry)
{
    const struct proc_entry *entry = proc_find_entry(PROC_I(dir)->entry->entries, &dentry->d_name);
    if (entry) {
        struct inode *inode = proc_get_entry_inode(dir->i_sb, entry);
        return proc_add(dentry, inode ? PROC_I(inode) : NULL);
    }
    u32 number = proc_name_to_number(&dentry->d_name);
    if (number == 0 || find_task(number) == NULL) {
        d_add(dentry, NULL);
        return NULL;
    }
    return proc_add(dentry, proc_pid_make_inode(dir->i_sb, number, &proc_tgid_root));
}

/* The process with the lowest number from `from` on, or NULL. */
static const struct task_struct *next_process(u32 from)
{
    const struct task_struct *task, *next = NULL;
    for_each_process(task)
    {
        if (task->pid >= from && (next == NULL || task->pid < next->pid))
            next = task;
    }
    return next;
}

static int proc_root_iterate(struct file *file, struct dir_context *ctx)
{
    if (!dir_emit_dots(file, ctx) || !proc_emit_entries(ctx, PROC_I(file_inode(file))->entry->entries))
        return 0;
    if (ctx->pos < FIRST_TASK_POS)
        ctx->pos = FIRST_TASK_POS;
    const struct task_struct *task;
    while ((task = next_process((u32)ctx->pos - FIRST_TASK_POS))) {
        u32 pid = task->pid;
        ctx->pos = pid + FIRST_TASK_POS;
        if (!proc_emit_number(ctx, pid, mode_to_dt(S_IFDIR)))
            return 0;
        ctx->pos++;
    }
    return 0;
}

const struct inode_operations proc_root_inode_operations = {.setattr = proc_setattr,
                                                            .lookup = proc_root_lookup};
const struct file_operations proc_root_operations = {.iterate_shared = proc_root_iterate,
                                                     .llseek = generic_file_llseek};
