/* /proc/PID: what is in a task's folder. */
#include "err.h"
#include "fdtable.h"
#include "fs_struct.h"
#include "gfp.h"
#include "internal.h"
#include "maps.h"
#include "mm.h"
#include "mount.h"
#include "printk.h"
#include "sched.h"
#include "string.h"

u32 proc_name_to_number(const struct qstr *name)
{
    u32 number = 0;
    for (u32 i = 0; i < name->len; i++) {
        if (name->name[i] < '0' || name->name[i] > '9' || (i == 0 && name->name[0] == '0'))
            return 0;
        number = number * 10 + (u32)(name->name[i] - '0');
        if (number > PID_MAX)
            return 0;
    }
    return number;
}

bool proc_emit_number(struct dir_context *ctx, u32 number, u32 d_type)
{
    char name[12];
    int length = snprintf(name, sizeof(name), "%u", number);
    return dir_emit(ctx, name, (u32)length, 1, d_type);
}

struct task_struct *proc_task(const struct inode *inode)
{
    return find_task(PROC_I(inode)->pid);
}

/* ---- Links ---- */

int proc_path_text(const struct path *path, char *buf, u32 size)
{
    char *page = (char *)__get_free_pages(GFP_KERNEL, 0);
    if (page == NULL)
        return -ENOMEM;
    const char *text = d_path(path, page, PAGE_SIZE);
    int bytes = IS_ERR(text) ? (int)PTR_ERR(text) : (int)min((u32)strlen(text), size);
    if (bytes > 0)
        memcpy(buf, text, (size_t)bytes);
    free_pages((unsigned long)page, 0);
    return bytes;
}

static int proc_pid_get_path(struct dentry *dentry, struct path *path)
{
    struct proc_inode *inode = PROC_I(dentry->d_inode);
    struct task_struct *task = find_task(inode->pid);
    return task ? inode->pid_entry->get_link(task, path) : -ENOENT;
}

static int proc_pid_readlink(struct dentry *dentry, char *buf, u32 size)
{
    struct path path;
    int error = proc_pid_get_path(dentry, &path);
    if (error)
        return error;
    int bytes = proc_path_text(&path, buf, size);
    path_put(&path);
    return bytes;
}

static int copy_path(const struct path *from, struct path *to)
{
    path_get(from);
    *to = *from;
    return 0;
}

static int proc_cwd_link(struct task_struct *task, struct path *path)
{
    return task->fs ? copy_path(&task->fs->pwd, path) : -ENOENT;
}

static int proc_root_link(struct task_struct *task, struct path *path)
{
    return task->fs ? copy_path(&task->fs->root, path) : -ENOENT;
}

static int proc_exe_link(struct task_struct *task, struct path *path)
{
    return task->mm && task->mm->exe_file ? copy_path(&task->mm->exe_file->f_path, path) : -ENOENT;
}

/* ---- Text ---- */

static int show_pid_entry(struct seq_file *m, void *inode)
{
    struct task_struct *task = proc_task(inode);
    return task ? PROC_I(inode)->pid_entry->show(m, task) : -ESRCH;
}

static int proc_pid_open(struct inode *inode, struct file *file)
{
    return single_open(file, show_pid_entry, inode);
}

static ssize_t proc_pid_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
    const struct inode *inode = file_inode(file);
    char text[PROC_WRITE_MOST];
    if (PROC_I(inode)->pid_entry->store == NULL)
        return -EIO;
    int error = proc_copy_text(text, buf, count);
    struct task_struct *task = proc_task(inode);
    if (error == 0)
        error = task ? PROC_I(inode)->pid_entry->store(task, text) : -ESRCH;
    if (error)
        return error;
    *pos += (loff_t)count;
    return (ssize_t)count;
}

/* Bytes of another address space as far as they are there; they come as they are, NULs among them. */
static int show_bytes(struct seq_file *m, struct mm_struct *mm, unsigned long start, unsigned long end)
{
    while (start < end) {
        unsigned long bytes = min(PAGE_SIZE - (start & ~PAGE_MASK), end - start);
        if (m->size - m->count <= bytes) {
            m->count = m->size;
            return 0;
        }
        if (!read_remote_memory(mm, start, m->buf + m->count, bytes))
            break;
        m->count += bytes;
        start += bytes;
    }
    return 0;
}

/* What it takes from swap takes so long that the process may be gone meanwhile. */
static int show_memory(struct seq_file *m, struct mm_struct *mm, unsigned long start, unsigned long end)
{
    mm->mm_users++;
    int error = show_bytes(m, mm, start, end);
    mmput(mm);
    return error;
}

static int proc_pid_cmdline(struct seq_file *m, struct task_struct *task)
{
    struct mm_struct *mm = task->mm;
    return mm ? show_memory(m, mm, mm->arg_start, mm->arg_end) : 0;
}

static int proc_pid_environ(struct seq_file *m, struct task_struct *task)
{
    struct mm_struct *mm = task->mm;
    return mm ? show_memory(m, mm, mm->env_start, mm->env_end) : 0;
}

static int proc_pid_comm(struct seq_file *m, struct task_struct *task)
{
    seq_printf(m, "%s\n", task->comm);
    return 0;
}

static int proc_pid_set_comm(struct task_struct *task, const char *text)
{
    strlcpy(task->comm, text, TASK_COMM_LEN);
    return 0;
}

static int proc_pid_mounts(struct seq_file *m, struct task_struct *task)
{
    (void)task;
    mounts_show(m);
    return 0;
}

static int proc_pid_limits(struct seq_file *m, struct task_struct *task)
{
    static const struct {
        const char *name, *unit;
    } rows[RLIM_NLIMITS] = {
        [RLIMIT_CPU] = {"Max cpu time", "seconds"},
        [RLIMIT_FSIZE] = {"Max file size", "bytes"},
        [RLIMIT_DATA] = {"Max data size", "bytes"},
        [RLIMIT_STACK] = {"Max stack size", "bytes"},
        [RLIMIT_CORE] = {"Max core file size", "bytes"},
        [RLIMIT_RSS] = {"Max resident set", "bytes"},
        [RLIMIT_NPROC] = {"Max processes", "processes"},
        [RLIMIT_NOFILE] = {"Max open files", "files"},
        [RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
        [RLIMIT_AS] = {"Max address space", "bytes"},
        [RLIMIT_LOCKS] = {"Max file locks", "locks"},
        [RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
        [RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},
        [RLIMIT_NICE] = {"Max nice priority", ""},
        [RLIMIT_RTPRIO] = {"Max realtime priority", ""},
        [RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
    };
    seq_printf(m, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (unsigned int i = 0; i < RLIM_NLIMITS; i++) {
        const struct rlimit *limit = &task->signal->rlim[i];
        seq_printf(m, "%-25s", rows[i].name);
        for (unsigned int hard = 0; hard < 2; hard++) {
            u32 value = hard ? limit->rlim_max : limit->rlim_cur;
            if (value == RLIM_INFINITY)
                seq_printf(m, " %-20s", "unlimited");
            else
                seq_printf(m, " %-20u", value);
        }
        seq_printf(m, " %-10s\n", rows[i].unit);
    }
    return 0;
}

/* ---- The folder ---- */

#define TEXT(entry_name, show_function)                                                                      \
    {                                                                                                        \
        .name = (entry_name), .mode = S_IFREG | 0444, .show = (show_function)                                \
    }
#define SETTING(entry_name, show_function, store_function)                                                   \
    {                                                                                                        \
        .name = (entry_name), .mode = S_IFREG | 0644, .show = (show_function), .store = (store_function)     \
    }
#define LINK(entry_name, link_function)                                                                      \
    {                                                                                                        \
        .name = (entry_name), .mode = S_IFLNK | 0777, .get_link = (link_function)                            \
    }

static const struct inode_operations proc_task_inode_operations;
static const struct file_operations proc_task_operations;

/* The last two are not in the folders of threads. */
#define COMMON_ENTRIES                                                                                       \
    TEXT("cgroup", proc_pid_cgroup), TEXT("cmdline", proc_pid_cmdline),                                      \
        SETTING("comm", proc_pid_comm, proc_pid_set_comm), LINK("cwd", proc_cwd_link),                       \
        TEXT("environ", proc_pid_environ), LINK("exe", proc_exe_link),                                       \
        {.name = "fd",                                                                                       \
         .mode = S_IFDIR | 0500,                                                                             \
         .iop = &proc_fd_inode_operations,                                                                   \
         .fop = &proc_fd_operations},                                                                        \
        TEXT("limits", proc_pid_limits), TEXT("maps", proc_pid_maps), TEXT("mounts", proc_pid_mounts),       \
        TEXT("oom_score", proc_oom_score), SETTING("oom_adj", proc_oom_adj, proc_set_oom_adj),               \
        SETTING("oom_score_adj", proc_oom_score_adj, proc_set_oom_score_adj), LINK("root", proc_root_link),  \
        TEXT("schedstat", proc_pid_schedstat), TEXT("smaps", proc_pid_smaps),                                \
        TEXT("smaps_rollup", proc_pid_smaps_rollup), TEXT("statm", proc_pid_statm),                          \
        TEXT("status", proc_pid_status)
static const struct pid_entry tid_entries[] = {
    COMMON_ENTRIES, TEXT("delays", proc_tid_delays), TEXT("stat", proc_tid_stat), {.name = NULL}};
static const struct pid_entry tgid_entries[] = {
    COMMON_ENTRIES,
    TEXT("delays", proc_tgid_delays),
    TEXT("stat", proc_tgid_stat),
    {.name = "task",
     .mode = S_IFDIR | 0555,
     .iop = &proc_task_inode_operations,
     .fop = &proc_task_operations},
    {.name = NULL},
};

static const struct inode_operations proc_pid_link_inode_operations = {
    .setattr = proc_setattr, .readlink = proc_pid_readlink, .get_path = proc_pid_get_path};
static const struct file_operations proc_pid_file_operations = {
    .open = proc_pid_open,
    .read = single_read,
    .write = proc_pid_write,
    .llseek = generic_file_llseek,
    .release = single_release,
};

bool proc_pid_update_inode(struct proc_inode *inode)
{
    if (inode->pid == 0)
        return true;
    const struct task_struct *task = find_task(inode->pid);
    if (task == NULL || (inode->is_fd && !proc_fd_update_inode(inode, task)))
        return false;
    inode->vfs_inode.i_uid = task->cred.euid;
    inode->vfs_inode.i_gid = task->cred.egid;
    return true;
}

struct proc_inode *proc_pid_make_inode(struct super_block *sb, u32 pid, const struct pid_entry *entry)
{
    struct proc_inode *inode = proc_new_inode(sb, entry->mode);
    if (inode == NULL)
        return NULL;
    inode->pid = pid;
    inode->pid_entry = entry;
    if (entry->iop)
        inode->vfs_inode.i_op = entry->iop;
    else if (entry->get_link)
        inode->vfs_inode.i_op = &proc_pid_link_inode_operations;
    else
        inode->vfs_inode.i_op = &proc_file_inode_operations;
    inode->vfs_inode.i_fop = entry->fop ? entry->fop : &proc_pid_file_operations;
    proc_pid_update_inode(inode);
    return inode;
}

static struct dentry *pident_lookup(struct inode *dir, struct dentry *dentry, const struct pid_entry *entries)
{
    const struct qstr *name = &dentry->d_name;
    for (; entries->name; entries++) {
        if (strlen(entries->name) == name->len && strncmp(entries->name, name->name, name->len) == 0)
            return proc_add(dentry, proc_pid_make_inode(dir->i_sb, PROC_I(dir)->pid, entries));
    }
    d_add(dentry, NULL);
    return NULL;
}

static int pident_iterate(struct file *file, struct dir_context *ctx, const struct pid_entry *entries)
{
    if (proc_task(file_inode(file)) == NULL)
        return -ENOENT;
    if (!dir_emit_dots(file, ctx))
        return 0;
    for (loff_t pos = 2; entries->name; entries++, pos++) {
        if (pos < ctx->pos)
            continue;
        if (!dir_emit(ctx, entries->name, (u32)strlen(entries->name), 1, mode_to_dt(entries->mode)))
            return 0;
        ctx->pos = pos + 1;
    }
    return 0;
}

static struct dentry *proc_tgid_lookup(struct inode *dir, struct dentry *dentry)
{
    return pident_lookup(dir, dentry, tgid_entries);
}

static int proc_tgid_iterate(struct file *file, struct dir_context *ctx)
{
    return pident_iterate(file, ctx, tgid_entries);
}

static struct dentry *proc_tid_lookup(struct inode *dir, struct dentry *dentry)
{
    return pident_lookup(dir, dentry, tid_entries);
}

static int proc_tid_iterate(struct file *file, struct dir_context *ctx)
{
    return pident_iterate(file, ctx, tid_entries);
}

static const struct inode_operations proc_tgid_inode_operations = {.setattr = proc_setattr,
                                                                   .lookup = proc_tgid_lookup};
static const struct file_operations proc_tgid_operations = {.iterate_shared = proc_tgid_iterate,
                                                            .llseek = generic_file_llseek};
static const struct inode_operations proc_tid_inode_operations = {.setattr = proc_setattr,
                                                                  .lookup = proc_tid_lookup};
static const struct file_operations proc_tid_operations = {.iterate_shared = proc_tid_iterate,
                                                           .llseek = generic_file_llseek};
const struct pid_entry proc_tgid_root = {
    .mode = S_IFDIR | 0555, .iop = &proc_tgid_inode_operations, .fop = &proc_tgid_operations};
static const struct pid_entry tid_root = {
    .mode = S_IFDIR | 0555, .iop = &proc_tid_inode_operations, .fop = &proc_tid_operations};

/* ---- /proc/PID/task ---- */

static struct dentry *proc_task_lookup(struct inode *dir, struct dentry *dentry)
{
    u32 number = proc_name_to_number(&dentry->d_name);
    const struct task_struct *leader = proc_task(dir), *task = number ? find_task(number) : NULL;
    if (leader && task && task->tgid == leader->tgid)
        return proc_add(dentry, proc_pid_make_inode(dir->i_sb, number, &tid_root));
    d_add(dentry, NULL);
    return NULL;
}

/* By their place in the ring of threads, which is that of their making. */
static int proc_task_iterate(struct file *file, struct dir_context *ctx)
{
    struct task_struct *leader = proc_task(file_inode(file));
    if (leader == NULL)
        return -ENOENT;
    if (!dir_emit_dots(file, ctx))
        return 0;
    struct task_struct *task = leader;
    loff_t pos = 2;
    do {
        if (pos++ < ctx->pos)
            continue;
        if (!proc_emit_number(ctx, task->pid, mode_to_dt(S_IFDIR)))
            return 0;
        ctx->pos = pos;
    }
    while_each_thread(leader, task);
    return 0;
}

static const struct inode_operations proc_task_inode_operations = {.setattr = proc_setattr,
                                                                   .lookup = proc_task_lookup};
static const struct file_operations proc_task_operations = {.iterate_shared = proc_task_iterate,
                                                            .llseek = generic_file_llseek};
