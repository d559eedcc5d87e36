/* The files of a task, by number. */
#include "bug.h"
#include "errno.h"
#include "fdtable.h"
#include "filelock.h"
#include "fs_calls.h"
#include "resource.h"
#include "sched.h"
#include "slab.h"
#include "string.h"

/* Stands for a file that is being opened: the number is taken. */
static struct file reserved_file;

static struct files_struct *alloc_files(void)
{
    struct files_struct *files = kzalloc(sizeof(*files), GFP_KERNEL);
    if (files == NULL)
        return NULL;
    files->count = 1;
    files->max_fds = NR_OPEN_DEFAULT;
    files->fd = files->fd_array;
    files->close_on_exec = files->close_on_exec_init;
    return files;
}

static void free_tables(struct files_struct *files)
{
    if (files->fd == files->fd_array)
        return;
    kfree(files->fd);
    kfree(files->close_on_exec);
}

/* Numbers up to max_fds - 1, which is a multiple of 32 and more than before. */
static int expand_files(struct files_struct *files, u32 max_fds)
{
    struct file **fd = kcalloc(max_fds, sizeof(*fd), GFP_KERNEL);
    u32 *close_on_exec = kzalloc(max_fds / 8, GFP_KERNEL);
    if (fd == NULL || close_on_exec == NULL) {
        kfree(fd);
        kfree(close_on_exec);
        return -ENOMEM;
    }
    memcpy(fd, files->fd, files->max_fds * sizeof(*fd));
    memcpy(close_on_exec, files->close_on_exec, files->max_fds / 8);
    free_tables(files);
    files->fd = fd;
    files->close_on_exec = close_on_exec;
    files->max_fds = max_fds;
    return 0;
}

static u32 max_open_files(void)
{
    return (u32)min(rlimit(RLIMIT_NOFILE), (unsigned long)NR_OPEN_MAX);
}

static int make_room_for(struct files_struct *files, u32 fd)
{
    u32 max_fds = files->max_fds;
    while (max_fds <= fd)
        max_fds *= 2;
    return max_fds == files->max_fds ? 0 : expand_files(files, max_fds);
}

static bool closes_on_exec(const struct files_struct *files, u32 fd)
{
    return files->close_on_exec[fd / 32] >> fd % 32 & 1;
}

static void set_close_on_exec(struct files_struct *files, u32 fd, bool closes)
{
    u32 bit = 1u << fd % 32;
    files->close_on_exec[fd / 32] = (files->close_on_exec[fd / 32] & ~bit) | (closes ? bit : 0);
}

int get_unused_fd_from(u32 start, u32 flags)
{
    struct files_struct *files = current->files;
    u32 fd = max(start, files->next_fd);
    while (fd < files->max_fds && files->fd[fd])
        fd++;
    if (fd >= max_open_files())
        return -EMFILE;
    int error = make_room_for(files, fd);
    if (error)
        return error;
    if (start <= files->next_fd)
        files->next_fd = fd + 1;
    files->fd[fd] = &reserved_file;
    set_close_on_exec(files, fd, flags & O_CLOEXEC);
    return (int)fd;
}

/* The number is free again. */
static void clear_fd(struct files_struct *files, u32 fd)
{
    files->fd[fd] = NULL;
    set_close_on_exec(files, fd, false);
    files->next_fd = min(files->next_fd, fd);
}

void put_unused_fd(u32 fd)
{
    clear_fd(current->files, fd);
}

void fd_install(u32 fd, struct file *file)
{
    BUG_ON(current->files->fd[fd] != &reserved_file);
    current->files->fd[fd] = file;
}

struct file *fcheck_files(const struct files_struct *files, u32 fd)
{
    if (fd >= files->max_fds || files->fd[fd] == &reserved_file)
        return NULL;
    return files->fd[fd];
}

struct file *fget_raw(u32 fd)
{
    struct file *file = fcheck_files(current->files, fd);
    return file ? get_file(file) : NULL;
}

struct file *fget(u32 fd)
{
    struct file *file = fcheck_files(current->files, fd);
    return file && !(file->f_mode & FMODE_PATH) ? get_file(file) : NULL;
}

int filp_close(struct file *file, const struct files_struct *owner)
{
    int error = file->f_op->flush ? file->f_op->flush(file) : 0;
    /* POSIX: the locks of a process on a file go with the first of its files that is closed. */
    if (file_inode(file)->i_flock)
        unlock_all(file_inode(file), owner);
    fput(file);
    return error;
}

static void close_files(struct files_struct *files)
{
    for (u32 fd = 0; fd < files->max_fds; fd++) {
        struct file *file = files->fd[fd];
        if (file == NULL)
            continue;
        files->fd[fd] = NULL;
        filp_close(file, files);
    }
}

static void put_files(struct files_struct *files)
{
    if (--files->count)
        return;
    close_files(files);
    free_tables(files);
    kfree(files);
}

/* The same files under the same numbers. */
static struct files_struct *dup_files(const struct files_struct *old)
{
    struct files_struct *files = alloc_files();
    if (files == NULL)
        return NULL;
    if (old->max_fds > files->max_fds && expand_files(files, old->max_fds)) {
        kfree(files);
        return NULL;
    }
    files->next_fd = old->next_fd;
    for (u32 fd = 0; fd < old->max_fds; fd++) {
        /* One that another thread is opening is not the child's. */
        if (old->fd[fd] == &reserved_file)
            files->next_fd = min(files->next_fd, fd);
        else if (old->fd[fd])
            files->fd[fd] = get_file(old->fd[fd]);
        set_close_on_exec(files, fd, files->fd[fd] && closes_on_exec(old, fd));
    }
    return files;
}

int copy_files(u32 clone_flags, struct task_struct *task)
{
    struct files_struct *old = current->files;
    if (old == NULL) {
        task->files = alloc_files();
    } else if (clone_flags & CLONE_FILES) {
        task->files = old;
        old->count++;
    } else {
        task->files = dup_files(old);
    }
    return task->files ? 0 : -ENOMEM;
}

void exit_files(struct task_struct *task)
{
    struct files_struct *files = task->files;
    task->files = NULL;
    if (files)
        put_files(files);
}

int unshare_files(void)
{
    struct files_struct *old = current->files;
    if (old->count == 1)
        return 0;
    struct files_struct *files = dup_files(old);
    if (files == NULL)
        return -ENOMEM;
    current->files = files;
    put_files(old);
    return 0;
}

void do_close_on_exec(void)
{
    struct files_struct *files = current->files;
    for (u32 fd = 0; fd < files->max_fds; fd++)
        if (closes_on_exec(files, fd))
            do_close(fd);
}

long do_close(u32 fd)
{
    struct files_struct *files = current->files;
    struct file *file = fcheck_files(files, fd);
    if (file == NULL)
        return -EBADF;
    clear_fd(files, fd);
    return filp_close(file, files);
}

long do_dup(u32 fd)
{
    return do_dupfd(fd, 0, 0);
}

long do_dupfd(u32 fd, u32 start, u32 flags)
{
    if (start >= max_open_files())
        return -EINVAL;
    struct file *file = fget_raw(fd);
    if (file == NULL)
        return -EBADF;
    int new_fd = get_unused_fd_from(start, flags);
    if (new_fd < 0)
        fput(file);
    else
        fd_install((u32)new_fd, file);
    return new_fd;
}

long do_dup3(u32 old_fd, u32 new_fd, u32 flags)
{
    struct files_struct *files = current->files;
    if ((flags & ~O_CLOEXEC) || old_fd == new_fd)
        return -EINVAL;
    if (new_fd >= max_open_files() || fcheck_files(files, old_fd) == NULL)
        return -EBADF;
    int error = make_room_for(files, new_fd);
    if (error)
        return error;
    struct file *replaced = files->fd[new_fd];
    /* Another thread is just opening it. */
    if (replaced == &reserved_file)
        return -EBUSY;
    files->fd[new_fd] = get_file(files->fd[old_fd]);
    set_close_on_exec(files, new_fd, flags & O_CLOEXEC);
    if (replaced)
        filp_close(replaced, files);
    return (long)new_fd;
}

long do_dup2(u32 old_fd, u32 new_fd)
{
    if (old_fd != new_fd)
        return do_dup3(old_fd, new_fd, 0);
    return fcheck_files(current->files, old_fd) ? (long)new_fd : -EBADF;
}

u32 get_close_on_exec(u32 fd)
{
    return closes_on_exec(current->files, fd) ? FD_CLOEXEC : 0;
}

void change_close_on_exec(u32 fd, bool closes)
{
    set_close_on_exec(current->files, fd, closes);
}

long do_close_range(u32 first, u32 last, u32 flags)
{
    struct files_struct *files = current->files;
    if (flags || first > last)
        return -EINVAL;
    for (u32 fd = first; fd <= last && fd < files->max_fds; fd++)
        do_close(fd);
    return 0;
}
