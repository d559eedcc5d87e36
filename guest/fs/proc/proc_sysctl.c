/* /proc/sys: what can be set while the system runs. */
#include "compaction.h"
#include "internal.h"
#include "mm.h"
#include "pagemap.h"
#include "sched.h"
#include "string.h"
#include "swap.h"
#include "utsname.h"
#include "writeback.h"

static void hostname_show(struct seq_file *m)
{
    seq_printf(m, "%s\n", utsname.nodename);
}

static int hostname_store(const char *text)
{
    return set_nodename(text, strlen(text));
}

static void osrelease_show(struct seq_file *m)
{
    seq_printf(m, "%s\n", utsname.release);
}

static void ostype_show(struct seq_file *m)
{
    seq_printf(m, "%s\n", utsname.sysname);
}

static void version_show_short(struct seq_file *m)
{
    seq_printf(m, "%s\n", utsname.version);
}

static void pid_max_show(struct seq_file *m)
{
    seq_printf(m, "%u\n", PID_MAX);
}

static void threads_max_show(struct seq_file *m)
{
    seq_printf(m, "%u\n", max_threads);
}

static const struct proc_entry kernel_entries[] = {
    PROC_SETTING("hostname", hostname_show, hostname_store),
    PROC_TEXT("osrelease", osrelease_show),
    PROC_TEXT("ostype", ostype_show),
    PROC_TEXT("pid_max", pid_max_show),
    PROC_TEXT("threads-max", threads_max_show),
    PROC_TEXT("version", version_show_short),
    {.name = NULL},
};

static void min_free_kbytes_show(struct seq_file *m)
{
    seq_printf(m, "%lu\n", min_free_kbytes);
}

#define MIN_FREE_KBYTES_MOST (256ul << 10)

static int min_free_kbytes_store(const char *text)
{
    int error = proc_parse_number(text, MIN_FREE_KBYTES_MOST, &min_free_kbytes);
    if (error == 0)
        setup_per_zone_wmarks();
    return error;
}

static void swappiness_show(struct seq_file *m)
{
    seq_printf(m, "%lu\n", vm_swappiness);
}

static int swappiness_store(const char *text)
{
    return proc_parse_number(text, SWAPPINESS_MOST, &vm_swappiness);
}

/* Whatever is written. */
static int compact_memory_store(const char *text)
{
    (void)text;
    compact_memory();
    return 0;
}

#define DROP_PAGECACHE 1ul
#define DROP_SLAB 2ul

/* Clean pages of files, names and inodes that nobody uses, or both. */
static int drop_caches_store(const char *text)
{
    unsigned long what;
    int error = proc_parse_number(text, DROP_PAGECACHE | DROP_SLAB, &what);
    if (error || what == 0)
        return -EINVAL;
    if (what & DROP_PAGECACHE)
        drop_pagecache();
    if (what & DROP_SLAB)
        drop_slab();
    return 0;
}

/* Areas may be larger than the memory there is: nobody counts what is promised (mode 1). */
static void overcommit_memory_show(struct seq_file *m)
{
    seq_printf(m, "1\n");
}

/* ---- Write-back: a share of memory, or if that was set last, bytes ---- */

/* The new value of one of two that exclude each other: the other becomes 0. */
static int store_either(const char *text, unsigned long least, unsigned long most, unsigned long *value,
                        unsigned long *other)
{
    unsigned long number;
    int error = proc_parse_number(text, most, &number);
    if (error || number < least)
        return -EINVAL;
    *value = number;
    *other = 0;
    flusher_settings_changed();
    return 0;
}

#define DIRTY_SETTING(name, variable, other, least, most)                                                    \
    static void name##_show(struct seq_file *m)                                                              \
    {                                                                                                        \
        seq_printf(m, "%lu\n", variable);                                                                    \
    }                                                                                                        \
    static int name##_store(const char *text)                                                                \
    {                                                                                                        \
        return store_either(text, least, most, &(variable), &(other));                                       \
    }
#define PERCENT 100ul
#define DIRTY_BYTES_MOST (1ul << 31)
#define CENTISECS_MOST (1ul << 24)

static unsigned long no_other;
DIRTY_SETTING(dirty_background_bytes, dirty_background_bytes, dirty_background_ratio, PAGE_SIZE,
              DIRTY_BYTES_MOST)
DIRTY_SETTING(dirty_background_ratio, dirty_background_ratio, dirty_background_bytes, 0, PERCENT)
DIRTY_SETTING(dirty_bytes, vm_dirty_bytes, vm_dirty_ratio, 2 * PAGE_SIZE, DIRTY_BYTES_MOST)
DIRTY_SETTING(dirty_ratio, vm_dirty_ratio, vm_dirty_bytes, 0, PERCENT)
DIRTY_SETTING(dirty_expire_centisecs, dirty_expire_interval, no_other, 0, CENTISECS_MOST)
DIRTY_SETTING(dirty_writeback_centisecs, dirty_writeback_interval, no_other, 0, CENTISECS_MOST)

static const struct proc_entry vm_entries[] = {
    {.name = "compact_memory", .mode = S_IFREG | 0200, .store = compact_memory_store},
    PROC_SETTING("dirty_background_bytes", dirty_background_bytes_show, dirty_background_bytes_store),
    PROC_SETTING("dirty_background_ratio", dirty_background_ratio_show, dirty_background_ratio_store),
    PROC_SETTING("dirty_bytes", dirty_bytes_show, dirty_bytes_store),
    PROC_SETTING("dirty_expire_centisecs", dirty_expire_centisecs_show, dirty_expire_centisecs_store),
    PROC_SETTING("dirty_ratio", dirty_ratio_show, dirty_ratio_store),
    PROC_SETTING("dirty_writeback_centisecs", dirty_writeback_centisecs_show,
                 dirty_writeback_centisecs_store),
    {.name = "drop_caches", .mode = S_IFREG | 0200, .store = drop_caches_store},
    PROC_SETTING("min_free_kbytes", min_free_kbytes_show, min_free_kbytes_store),
    PROC_SETTING("oom_dump_tasks", oom_dump_tasks_show, oom_dump_tasks_store),
    PROC_SETTING("oom_kill_allocating_task", oom_kill_allocating_task_show, oom_kill_allocating_task_store),
    PROC_SETTING("swappiness", swappiness_show, swappiness_store),
    PROC_TEXT("overcommit_memory", overcommit_memory_show),
    PROC_SETTING("panic_on_oom", panic_on_oom_show, panic_on_oom_store),
    {.name = NULL},
};

static void dentry_state_show(struct seq_file *m)
{
    seq_printf(m, "%lu\t%lu\t0\t0\t0\t0\n", dentry_stat.nr_dentry, dentry_stat.nr_unused);
}

static void inode_nr_show(struct seq_file *m)
{
    seq_printf(m, "%lu\t%lu\n", inodes_stat.nr_inodes, inodes_stat.nr_unused);
}

static const struct proc_entry fs_entries[] = {
    PROC_TEXT("dentry-state", dentry_state_show),
    PROC_TEXT("inode-nr", inode_nr_show),
    {.name = NULL},
};

const struct proc_entry proc_sys_entries[] = {
    PROC_FOLDER("fs", fs_entries),
    PROC_FOLDER("kernel", kernel_entries),
    PROC_FOLDER("vm", vm_entries),
    {.name = NULL},
};
