/* What the files of this folder share. */
#pragma once

#include "fs.h"
#include "proc_fs.h"
#include "seq_file.h"

struct task_struct;

/* A file of /proc that is always there: one of a folder, a link, or text with show(), store() or both. */
struct proc_entry {
    const char *name;
    umode_t mode;
    const struct proc_entry *entries;       /* of a folder; the last one has no name */
    const char *target;                     /* of a symbolic link; or, if it depends on the task: */
    int (*get_target)(char *buf, u32 size); /* as snprintf() */
    void (*show)(struct seq_file *m);
    /* Gets what was written, without the newline behind it. 0 or an error. */
    int (*store)(const char *text);
};
#define PROC_FOLDER(entry_name, folder_entries)                                                              \
    {                                                                                                        \
        .name = (entry_name), .mode = S_IFDIR | 0555, .entries = (folder_entries)                            \
    }
#define PROC_LINK(entry_name, link_target)                                                                   \
    {                                                                                                        \
        .name = (entry_name), .mode = S_IFLNK | 0777, .target = (link_target)                                \
    }
#define PROC_TEXT(entry_name, show_function)                                                                 \
    {                                                                                                        \
        .name = (entry_name), .mode = S_IFREG | 0444, .show = (show_function)                                \
    }
#define PROC_SETTING(entry_name, show_function, store_function)                                              \
    {                                                                                                        \
        .name = (entry_name), .mode = S_IFREG | 0644, .show = (show_function), .store = (store_function)     \
    }

/* A file of /proc/PID: text, a link to a place, or a folder with operations of its own. */
struct pid_entry {
    const char *name;
    umode_t mode;
    int (*show)(struct seq_file *m, struct task_struct *task);
    int (*store)(struct task_struct *task, const char *text);
    /* Takes references. 0 or an error. */
    int (*get_link)(struct task_struct *task, struct path *path);
    const struct inode_operations *iop;
    const struct file_operations *fop;
};

struct proc_inode {
    struct inode vfs_inode;
    const struct proc_entry *entry; /* files that are always there */
    const struct pid_entry *pid_entry;
    u32 pid; /* 0: of no task */
    bool is_fd;
    u32 fd; /* if is_fd, a link in /proc/PID/fd */
};

static inline struct proc_inode *PROC_I(const struct inode *inode)
{
    return list_entry(inode, struct proc_inode, vfs_inode);
}

/* inode.c: a new inode with that mode; NULL: no memory. */
struct proc_inode *proc_new_inode(struct super_block *sb, umode_t mode);
/* Gives dentry this inode, as a lookup() does at its end; NULL: -ENOMEM. */
struct dentry *proc_add(struct dentry *dentry, struct proc_inode *inode);

/* generic.c: files that are always there. */
struct inode *proc_get_entry_inode(struct super_block *sb, const struct proc_entry *entry);
/* The entry of that name, or NULL. */
const struct proc_entry *proc_find_entry(const struct proc_entry *entries, const struct qstr *name);
/* Hands out those from ctx->pos on; the first has the position 2. False: there was no room for one. */
bool proc_emit_entries(struct dir_context *ctx, const struct proc_entry *entries);
/* ->setattr() of all inodes here: owner and mode stay. */
int proc_setattr(struct dentry *dentry, struct iattr *attr);
extern const struct inode_operations proc_file_inode_operations;
/* What a user writes, as text without a newline at its end. 0, -EFAULT, or -EINVAL: too long. */
#define PROC_WRITE_MOST 128u
int proc_copy_text(char text[PROC_WRITE_MOST], const char __user *buf, size_t count);
/* A whole number in decimal, no more than most. 0 or -EINVAL. */
int proc_parse_number(const char *text, unsigned long most, unsigned long *value);

/* root.c */
extern const struct proc_entry proc_root_entry;
extern const struct inode_operations proc_root_inode_operations;
extern const struct file_operations proc_root_operations;
/* proc_sysctl.c */
extern const struct proc_entry proc_sys_entries[];
/* proc_net.c */
extern const struct proc_entry proc_net_entries[];

/* base.c: /proc/PID. The number that a name is, or 0: it is none. */
u32 proc_name_to_number(const struct qstr *name);
/* The name of ctx->pos is that number; false: there was no room for it. */
bool proc_emit_number(struct dir_context *ctx, u32 number, u32 d_type);
/* The task that a file of /proc/PID is about, or NULL: it is gone. */
struct task_struct *proc_task(const struct inode *inode);
/* What a link that leads to this path looks like, as readlink() gives it. Length or an error. */
int proc_path_text(const struct path *path, char *buf, u32 size);
extern const struct pid_entry proc_tgid_root;
/* A new inode of that entry, or NULL: no memory. */
struct proc_inode *proc_pid_make_inode(struct super_block *sb, u32 pid, const struct pid_entry *entry);
/* Takes owner and mode over from what a file of /proc/PID stands for; false: that is gone. */
bool proc_pid_update_inode(struct proc_inode *inode);

/* fd.c */
extern const struct inode_operations proc_fd_inode_operations;
extern const struct file_operations proc_fd_operations;
/* The same as proc_pid_update_inode(), for a link in /proc/PID/fd. */
bool proc_fd_update_inode(struct proc_inode *inode, const struct task_struct *task);

/* array.c, task_mmu.c: the text of files of /proc/PID. */
int proc_tid_stat(struct seq_file *m, struct task_struct *task);
int proc_tgid_stat(struct seq_file *m, struct task_struct *task);
int proc_pid_statm(struct seq_file *m, struct task_struct *task);
int proc_pid_status(struct seq_file *m, struct task_struct *task);
int proc_pid_maps(struct seq_file *m, struct task_struct *task);
int proc_pid_smaps(struct seq_file *m, struct task_struct *task);
int proc_pid_smaps_rollup(struct seq_file *m, struct task_struct *task);

/* delays.c */
int proc_tid_delays(struct seq_file *m, struct task_struct *task);
int proc_tgid_delays(struct seq_file *m, struct task_struct *task);
int proc_pid_schedstat(struct seq_file *m, struct task_struct *task);
/* cgroup.c */
int proc_pid_cgroup(struct seq_file *m, struct task_struct *task);
void cgroups_show(struct seq_file *m);
/* oom.c */
int proc_oom_score(struct seq_file *m, struct task_struct *task);
int proc_oom_score_adj(struct seq_file *m, struct task_struct *task);
int proc_set_oom_score_adj(struct task_struct *task, const char *text);
int proc_oom_adj(struct seq_file *m, struct task_struct *task);
int proc_set_oom_adj(struct task_struct *task, const char *text);
void oom_dump_tasks_show(struct seq_file *m);
int oom_dump_tasks_store(const char *text);
void oom_kill_allocating_task_show(struct seq_file *m);
int oom_kill_allocating_task_store(const char *text);
void panic_on_oom_show(struct seq_file *m);
int panic_on_oom_store(const char *text);

/* system.c, iomem.c: text about the whole system. */
void version_show(struct seq_file *m);
void cmdline_show(struct seq_file *m);
void uptime_show(struct seq_file *m);
void loadavg_show(struct seq_file *m);
void stat_show(struct seq_file *m);
void iomem_show(struct seq_file *m);
