/*
 * What the system calls about files do, by file numbers and pointers into user memory; sys_fs.c hands them
 * their registers. Results are the system calls': not negative, or an error number negated.
 */
#pragma once

#include "fs.h"
#include "uio.h"

/* file.c */
long do_close(u32 fd);
long do_close_range(u32 first, u32 last, u32 flags);
long do_dup(u32 fd);
long do_dup2(u32 old_fd, u32 new_fd);
long do_dup3(u32 old_fd, u32 new_fd, u32 flags);
long do_dupfd(u32 fd, u32 start, u32 flags);
u32 get_close_on_exec(u32 fd);
void change_close_on_exec(u32 fd, bool closes);

/* fs_struct.c: what the first task is given. 0 or -ENOMEM. */
int init_fs_struct(const struct path *root);
long do_umask(u32 mask);

/* open.c */
long do_openat(int dfd, const char __user *name, u32 flags, u32 mode);
/* A regular file that is written is not run, and the other way round: 0, or -ETXTBSY. */
int get_write_access(struct inode *inode);

/* read_write.c, sendfile.c */
/* fget() and fput() around what reads or writes at the file's own position. */
struct file *fget_pos(u32 fd);
void fput_pos(struct file *file);
long do_read(u32 fd, char __user *buf, size_t count);
long do_write(u32 fd, const char __user *buf, size_t count);
long do_pread64(u32 fd, char __user *buf, size_t count, loff_t pos);
long do_pwrite64(u32 fd, const char __user *buf, size_t count, loff_t pos);
long do_vector(u32 fd, const void __user *user_vec, u32 count, bool writes);
long do_vector_at(u32 fd, const void __user *user_vec, u32 count, loff_t pos, bool writes);
loff_t do_llseek(u32 fd, loff_t offset, int whence);
/* offset: where to read, which moves on; NULL: the file's own position. */
long do_sendfile64(u32 out_fd, u32 in_fd, loff_t *offset, size_t count);
/* To what takes pages, from what has a page cache; bytes or an error; *pos moves on. */
ssize_t send_pages(struct file *out, const struct file *in, loff_t *pos, size_t count);

/* splice.c: offsets NULL: the files' own positions. */
long do_splice(u32 fd_in, loff_t *off_in, u32 fd_out, loff_t *off_out, size_t count, u32 flags);
long do_tee(u32 fd_in, u32 fd_out, size_t count, u32 flags);

/* readdir.c: fills to with as many records as have room; their bytes, 0 at the end. */
long do_getdents(u32 fd, void __user *to, u32 bytes, bool is_64);

/* namei_calls.c */
long do_mkdirat(int dfd, const char __user *name, u32 mode);
long do_mknodat(int dfd, const char __user *name, u32 mode, u32 dev);
long do_symlinkat(const char __user *target, int dfd, const char __user *name);
long do_linkat(int old_dfd, const char __user *old_name, int new_dfd, const char __user *new_name, u32 flags);
long do_unlinkat(int dfd, const char __user *name, u32 flags);
long do_renameat2(int old_dfd, const char __user *old_name, int new_dfd, const char __user *new_name,
                  u32 flags);

/* stat.c */
int vfs_fstat(u32 fd, struct kstat *stat);
int vfs_statx(int dfd, const char __user *name, u32 flags, struct kstat *stat);
long put_stat64(const struct kstat *stat, void __user *to);
long put_stat32(const struct kstat *stat, void __user *to);
long do_statx(int dfd, const char __user *name, u32 flags, u32 mask, void __user *to);
long do_readlinkat(int dfd, const char __user *name, char __user *to, u32 bytes);
/* statfs.c */
long do_statfs(const char __user *name, u32 bytes, void __user *to);
long do_fstatfs(u32 fd, u32 bytes, void __user *to);

/* attr.c */
#define UTIME_NOW 0x3FFFFFFF
#define UTIME_OMIT 0x3FFFFFFE
long do_truncate(const char __user *name, loff_t size);
long do_ftruncate(u32 fd, loff_t size);
long do_fchmodat(int dfd, const char __user *name, u32 mode);
long do_fchmod(u32 fd, u32 mode);
long do_fchownat(int dfd, const char __user *name, u32 uid, u32 gid, u32 flags);
long do_fchown(u32 fd, u32 uid, u32 gid);
/* times: of access and change, or NULL: now; in kernel memory. name NULL: the file dfd. */
long do_utimensat(int dfd, const char __user *name, const struct timespec64 times[2], u32 flags);

/* places.c */
long do_chdir(const char __user *name);
long do_fchdir(u32 fd);
long do_chroot(const char __user *name);
long do_getcwd(char __user *to, u32 bytes);
long do_faccessat(int dfd, const char __user *name, u32 mode, u32 flags);

/* fcntl.c */
long do_fcntl(u32 fd, u32 command, unsigned long arg);
long do_ioctl(u32 fd, u32 command, unsigned long arg);
long do_fsync(u32 fd, int datasync);
long do_syncfs(u32 fd);
long do_sync_file_range(u32 fd, loff_t offset, loff_t length, u32 flags);
long do_fadvise(u32 fd, loff_t offset, loff_t length, u32 advice);
long do_readahead(u32 fd, loff_t offset, u32 count);
long do_fallocate(u32 fd, loff_t offset, loff_t length);

/* locks.c */
long do_flock(u32 fd, u32 operation);
/* fcntl()'s F_GETLK, F_SETLK and F_SETLKW, and the same with 64 bits. */
long fcntl_lock(struct file *file, u32 command, void __user *arg);

/* pipe.c: fds in kernel memory. */
long do_pipe2(int fds[2], u32 flags);

/* select.c */
struct pollfd {
    s32 fd;
    u16 events, revents;
};
/* ticks: to wait at most; negative: for ever. */
long do_poll(struct pollfd __user *fds, u32 count, long ticks);
/* Sets of count bits, in and out; each may be NULL. */
long do_select(u32 count, u32 __user *in, u32 __user *out, u32 __user *except, long ticks);
