/* /proc/PID/fd: a link for each open file, which leads to it. */
#include "err.h"
#include "fdtable.h"
#include "internal.h"
#include "sched.h"

static struct file *fd_file(const struct task_struct *task, u32 fd)
{
    return task->files ? fcheck_files(task->files, fd) : NULL;
}

bool proc_fd_update_inode(struct proc_inode *inode, const struct task_struct *task)
{
    const struct file *file = fd_file(task, inode->fd);
    if (file == NULL)
        return false;
    umode_t mode = S_IFLNK;
    if (file->f_mode & FMODE_READ)
        mode |= 0500;
    if (file->f_mode & FMODE_WRITE)
        mode |= 0300;
    inode->vfs_inode.i_mode = mode;
    return true;
}

static int proc_fd_get_path(struct dentry *dentry, struct path *path)
{
    const struct proc_inode *inode = PROC_I(dentry->d_inode);
    const struct task_struct *task = find_task(inode->pid);
    const struct file *file = task ? fd_file(task, inode->fd) : NULL;
    if (file == NULL)
        return -ENOENT;
    path_get(&file->f_path);
    *path = file->f_path;
    return 0;
}

static int proc_fd_readlink(struct dentry *dentry, char *buf, u32 size)
{
    struct path path;
    int error = proc_fd_get_path(dentry, &path);
    if (error)
        return error;
    int bytes = proc_path_text(&path, buf, size);
    path_put(&path);
    return bytes;
}

static const struct inode_operations proc_fd_link_inode_operations = {
    .setattr = proc_setattr, .readlink = proc_fd_readlink, .get_path = proc_fd_get_path};

/* File descriptor 0 is a number too. */
static bool name_to_fd(const struct qstr *name, u32 *fd)
{
    *fd = proc_name_to_number(name);
    return *fd || (name->len == 1 && name->name[0] == '0');
}

static struct dentry *proc_fd_lookup(struct inode *dir, struct dentry *dentry)
{
    static const struct pid_entry link = {.mode = S_IFLNK | 0700, .iop = &proc_fd_link_inode_operations};
    const struct task_struct *task = proc_task(dir);
    u32 fd;
    if (task == NULL || !name_to_fd(&dentry->d_name, &fd) || fd_file(task, fd) == NULL) {
        d_add(dentry, NULL);
        return NULL;
    }
    struct proc_inode *inode = proc_pid_make_inode(dir->i_sb, PROC_I(dir)->pid, &link);
    if (inode) {
        inode->is_fd = true;
        inode->fd = fd;
        proc_pid_update_inode(inode);
    }
    return proc_add(dentry, inode);
}

static int proc_fd_iterate(struct file *file, struct dir_context *ctx)
{
    const struct task_struct *task = proc_task(file_inode(file));
    if (task == NULL)
        return -ENOENT;
    if (!dir_emit_dots(file, ctx))
        return 0;
    for (; task->files && ctx->pos - 2 < task->files->max_fds; ctx->pos++) {
        u32 fd = (u32)ctx->pos - 2;
        if (fd_file(task, fd) && !proc_emit_number(ctx, fd, mode_to_dt(S_IFLNK)))
            return 0;
    }
    return 0;
}

const struct inode_operations proc_fd_inode_operations = {.setattr = proc_setattr, .lookup = proc_fd_lookup};
const struct file_operations proc_fd_operations = {.iterate_shared = proc_fd_iterate,
                                                   .llseek = generic_file_llseek};
