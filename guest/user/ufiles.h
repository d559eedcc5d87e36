/* System calls about files, for programs of this folder: -1, and errno, when they fail. */
#pragma once

#include "fcntl.h"
#include "stat.h"
#include "syscalls.h"
#include "ulib.h"

static inline u32 word_of(const void *pointer)
{
    return (u32)(uintptr_t)pointer;
}

static inline int open(const char *name, u32 flags, u32 mode)
{
    return (int)syscall(__NR_open, word_of(name), flags, mode);
}

static inline int close(int fd)
{
    return (int)syscall(__NR_close, (u32)fd, 0, 0);
}

static inline long lseek(int fd, long offset, u32 whence)
{
    return syscall(__NR_lseek, (u32)fd, (u32)offset, whence);
}

static inline int mkdir(const char *name, u32 mode)
{
    return (int)syscall(__NR_mkdir, word_of(name), mode, 0);
}

static inline int rmdir(const char *name)
{
    return (int)syscall(__NR_rmdir, word_of(name), 0, 0);
}

static inline int link(const char *name, const char *new_name)
{
    return (int)syscall(__NR_link, word_of(name), word_of(new_name), 0);
}

static inline int symlink(const char *target, const char *name)
{
    return (int)syscall(__NR_symlink, word_of(target), word_of(name), 0);
}

static inline int unlink(const char *name)
{
    return (int)syscall(__NR_unlink, word_of(name), 0, 0);
}

static inline int rename(const char *name, const char *new_name)
{
    return (int)syscall(__NR_rename, word_of(name), word_of(new_name), 0);
}

static inline int chdir(const char *name)
{
    return (int)syscall(__NR_chdir, word_of(name), 0, 0);
}

static inline int mkfifo(const char *name, u32 mode)
{
    return (int)syscall(__NR_mknod, word_of(name), S_IFIFO | mode, 0);
}

static inline int pipe(int fds[2])
{
    return (int)syscall(__NR_pipe, word_of(fds), 0, 0);
}

static inline int dup2(int fd, int new_fd)
{
    return (int)syscall(__NR_dup2, (u32)fd, (u32)new_fd, 0);
}

static inline long fcntl(int fd, u32 command, u32 arg)
{
    return syscall(__NR_fcntl64, (u32)fd, command, arg);
}

static inline int flock(int fd, u32 operation)
{
    return (int)syscall(__NR_flock, (u32)fd, operation, 0);
}
#define LOCK_SH 1u
#define LOCK_EX 2u
#define LOCK_NB 4u
#define LOCK_UN 8u

/* The fields of struct stat (the older one) that programs here look at. */
struct file_stat {
    u32 dev, ino;
    u16 mode, nlink, uid, gid;
    u32 rdev, size, blksize, blocks;
    u32 times[6], unused[2];
};
_Static_assert(sizeof(struct file_stat) == 64, "struct stat of Linux on i386");

static inline int stat(const char *name, struct file_stat *to)
{
    return (int)syscall(__NR_stat, word_of(name), word_of(to), 0);
}

static inline int lstat(const char *name, struct file_stat *to)
{
    return (int)syscall(__NR_lstat, word_of(name), word_of(to), 0);
}

struct pollfd {
    s32 fd;
    u16 events, revents;
};
#define POLLIN 1u
#define POLLOUT 4u
#define POLLERR 8u
#define POLLHUP 16u
#define POLLNVAL 32u

static inline int poll(struct pollfd *fds, u32 count, int ms)
{
    return (int)syscall(__NR_poll, word_of(fds), count, (u32)ms);
}

/* A claim: the call fails with this error. */
#define check_error(call, error, what) lab_check((call) == -1 && errno == (error), "%s: " #error, what)
