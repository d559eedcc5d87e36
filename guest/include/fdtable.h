/* The files that tasks have open, by number. */
#pragma once

#include "fs.h"

#define NR_OPEN_DEFAULT 32u
#define NR_OPEN_MAX 4096u /* whatever RLIMIT_NOFILE says */

struct task_struct;

struct files_struct {
    u32 count;   /* tasks */
    u32 max_fds; /* entries of fd[], a multiple of 32 */
    u32 next_fd; /* none below it is free */
    struct file **fd;
    u32 *close_on_exec; /* a bit for each */
    struct file *fd_array[NR_OPEN_DEFAULT];
    u32 close_on_exec_init[NR_OPEN_DEFAULT / 32];
};

/* file.c. A child shares the parent's files (CLONE_FILES) or gets its own numbers for them. 0 or -ENOMEM. */
int copy_files(u32 clone_flags, struct task_struct *task);
void exit_files(struct task_struct *task);
/* execve(2): a table of its own, without those that are marked to be closed. 0 or -ENOMEM. */
int unshare_files(void);
void do_close_on_exec(void);

/* The lowest free number from start on, which is taken from now on; -EMFILE, -ENOMEM. */
int get_unused_fd_from(u32 start, u32 flags);
static inline int get_unused_fd_flags(u32 flags)
{
    return get_unused_fd_from(0, flags);
}
void put_unused_fd(u32 fd);
/* Gives the number its meaning; takes over the reference. */
void fd_install(u32 fd, struct file *file);
/* The file with a reference, or NULL; fget() knows none that is only a place (O_PATH), fget_raw() does. */
struct file *fget(u32 fd);
struct file *fget_raw(u32 fd);
/* The file of any task's number without a reference, or NULL. For /proc/PID/fd. */
struct file *fcheck_files(const struct files_struct *files, u32 fd);
/* What close(2) does to a file that was taken from its table. */
int filp_close(struct file *file, const struct files_struct *owner);
