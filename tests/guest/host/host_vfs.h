/*
 * The guest's virtual file system as a library of the host: its system calls by plain C types, so that a test
 * can call the host's own beside them. Results are negative error numbers, or what Linux returns.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define HOST_AT_FDCWD (-100)

struct guest_stat {
    unsigned mode, nlink, uid, gid;
    unsigned long ino;
    long long size;
};

/* Memory, caches, and the rootfs with nothing in it; the caller acts for this user from now on. */
void guest_vfs_start(unsigned uid, unsigned gid);
/* Closes and frees everything. Returns how many dentries, inodes, files and pages were left behind. */
long guest_vfs_end(void);

long guest_openat(int dfd, const char *name, unsigned flags, unsigned mode);
long guest_close(int fd);
long guest_dup(int fd);
long guest_read(int fd, void *buf, size_t bytes);
long guest_write(int fd, const void *buf, size_t bytes);
long guest_lseek(int fd, long long offset, int whence);
long guest_ftruncate(int fd, long long bytes);
long guest_getdents64(int fd, void *buf, size_t bytes);
long guest_fstat(int fd, struct guest_stat *stat);
long guest_mkdirat(int dfd, const char *name, unsigned mode);
long guest_mkfifoat(int dfd, const char *name, unsigned mode);
long guest_unlinkat(int dfd, const char *name, unsigned flags);
long guest_symlinkat(const char *target, int dfd, const char *name);
long guest_linkat(int dfd, const char *name, int new_dfd, const char *new_name, unsigned flags);
long guest_renameat2(int dfd, const char *name, int new_dfd, const char *new_name, unsigned flags);
long guest_fstatat(int dfd, const char *name, unsigned flags, struct guest_stat *stat);
long guest_readlinkat(int dfd, const char *name, char *buf, size_t bytes);
long guest_faccessat(int dfd, const char *name, unsigned mode);
long guest_fchmodat(int dfd, const char *name, unsigned mode);
long guest_truncate(const char *name, long long bytes);
long guest_chdir(const char *name);
long guest_fchdir(int fd);
long guest_getcwd(char *buf, size_t bytes);
long guest_umask(unsigned mask);
long guest_flock(int fd, unsigned operation);
/* A lock of the open file's (F_OFD_SETLK). */
long guest_set_lock(int fd, int type, int whence, long long start, long long length);
/* F_OFD_GETLK: whether the lock could be had, 1 or 0. */
long guest_can_lock(int fd, int type, int whence, long long start, long long length);
long guest_mount_tmpfs(const char *dir);
long guest_umount(const char *dir);
