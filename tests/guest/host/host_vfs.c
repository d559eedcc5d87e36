/* The rest of the guest, as far as its virtual file system wants it (host_vfs.h). */
#include "host_vfs.h"

#include "binfmts.h"
#include "blkdev.h"
#include "bug.h"
#include "err.h"
#include "fdtable.h"
#include "fs_calls.h"
#include "fs_struct.h"
#include "host_mm.h"
#include "internal.h"
#include "libfs.h"
#include "page_cache.h"
#include "rmap.h"
#include "sched.h"
#include "slab.h"
#include "string.h"
#include "timekeeping.h"
#include "uaccess.h"
#include "writeback.h"

static struct task_struct the_task;
struct task_struct *current_task = &the_task;
volatile bool need_resched;
static struct vfsmount *root_mnt;
static unsigned long free_before;

/* There is one task, which has nobody to wait for. */
void schedule(void)
{
    panic("the only task sleeps");
}

volatile unsigned long jiffies;

long schedule_timeout(long ticks)
{
    (void)ticks;
    panic("the only task sleeps");
}

/* Who makes too much dirty writes it himself. */
void wakeup_flusher_threads(unsigned long nr_pages)
{
    (void)nr_pages;
}

bool flusher_is_running(void)
{
    return false;
}

bool wake_up_process(struct task_struct *task)
{
    (void)task;
    return false;
}

bool wake_up_state(struct task_struct *task, u32 states)
{
    (void)task;
    (void)states;
    return false;
}

long do_kill(s32 pid, int sig)
{
    (void)pid;
    (void)sig;
    return 0;
}

u32 rlimit(unsigned int limit)
{
    (void)limit;
    return 1024;
}

bool in_group_p(u32 gid)
{
    return gid == the_task.cred.fsgid;
}

u64 ktime_get_real_ns(void)
{
    static u64 ns = 1700000000ull * 1000000000u;
    ns += 1000000;
    return ns;
}

unsigned long copy_from_user(void *to, const void *from, unsigned long bytes)
{
    memcpy(to, from, bytes);
    return 0;
}

unsigned long copy_to_user(void *to, const void *from, unsigned long bytes)
{
    memcpy(to, from, bytes);
    return 0;
}

/* Not the guest's, which reads a little of what lies behind the string in its page. */
long strncpy_from_user(char *to, const char *from, long count)
{
    size_t length = strnlen(from, (size_t)count);
    memcpy(to, from, length < (size_t)count ? length + 1 : length);
    return (long)length;
}

void pagefault_disable(void)
{
}

void pagefault_enable(void)
{
}

int get_user_u32(u32 *value, const u32 *from)
{
    *value = *from;
    return 0;
}

int put_user_u32(u32 value, u32 *to)
{
    *to = value;
    return 0;
}

/* ---- What has no part in it: processes that map files, block devices, devices, programs ---- */

u32 page_referenced(struct page *page, u32 *vm_flags)
{
    (void)page;
    *vm_flags = 0;
    return 0;
}

void write_protect_page(struct page *page)
{
    (void)page;
}

void unmap_page(struct page *page)
{
    (void)page;
}

void unmap_mapping_range(struct address_space *mapping, unsigned long first)
{
    (void)mapping;
    (void)first;
}

int generic_file_mmap(struct file *file, struct vm_area_struct *vma)
{
    (void)file;
    (void)vma;
    return -ENODEV;
}

const struct file_operations def_blk_fops, def_chr_fops;

/* ---- The library ---- */

static unsigned long count_free(void)
{
    kmem_cache_shrink_all();
    drain_all_pages();
    return nr_free_pages();
}

static void start_kernel_once(void)
{
    static bool is_started;
    if (is_started)
        return;
    is_started = true;
    start_memory();
    kmem_cache_init();
    page_cache_init();
    dcache_init();
    inode_init();
    files_init();
    namei_init();
    ramfs_init();
    tmpfs_init();
    pipefs_init();
}

void guest_vfs_start(unsigned uid, unsigned gid)
{
    start_kernel_once();
    the_task.cred =
        (struct cred){.uid = uid, .gid = gid, .euid = uid, .egid = gid, .fsuid = uid, .fsgid = gid};
    free_before = count_free();
    root_mnt = kern_mount(get_fs_type("tmpfs"), 0, "tmpfs", NULL);
    if (IS_ERR(root_mnt))
        panic("no memory");
    const struct path root = {.mnt = root_mnt, .dentry = root_mnt->mnt_root};
    list_add_tail(&root_mnt->mnt_list, &mount_list);
    if (init_fs_struct(&root) || copy_files(0, current) || pipefs_start())
        panic("no memory");
}

long guest_vfs_end(void)
{
    exit_files(current);
    exit_fs(current);
    unmount_all(root_mnt);
    pipefs_end();
    long nr_pages = (long)(free_before - count_free());
    return nr_pages + (long)(dentry_stat.nr_dentry + inodes_stat.nr_inodes + nr_files);
}

long guest_openat(int dfd, const char *name, unsigned flags, unsigned mode)
{
    return do_openat(dfd, name, flags, mode);
}

long guest_close(int fd)
{
    return do_close((u32)fd);
}

long guest_dup(int fd)
{
    return do_dup((u32)fd);
}

long guest_read(int fd, void *buf, size_t bytes)
{
    return do_read((u32)fd, buf, bytes);
}

long guest_write(int fd, const void *buf, size_t bytes)
{
    return do_write((u32)fd, buf, bytes);
}

long guest_lseek(int fd, long long offset, int whence)
{
    return (long)do_llseek((u32)fd, offset, whence);
}

long guest_ftruncate(int fd, long long bytes)
{
    return do_ftruncate((u32)fd, bytes);
}

long guest_getdents64(int fd, void *buf, size_t bytes)
{
    return do_getdents((u32)fd, buf, (u32)bytes, true);
}

static long fill_stat(int error, const struct kstat *stat, struct guest_stat *to)
{
    if (error == 0)
        *to = (struct guest_stat){.mode = stat->mode,
                                  .nlink = stat->nlink,
                                  .uid = stat->uid,
                                  .gid = stat->gid,
                                  .ino = (unsigned long)stat->ino,
                                  .size = stat->size};
    return error;
}

long guest_fstat(int fd, struct guest_stat *to)
{
    struct kstat stat;
    return fill_stat(vfs_fstat((u32)fd, &stat), &stat, to);
}

long guest_fstatat(int dfd, const char *name, unsigned flags, struct guest_stat *to)
{
    struct kstat stat;
    return fill_stat(vfs_statx(dfd, name, flags, &stat), &stat, to);
}

long guest_mkdirat(int dfd, const char *name, unsigned mode)
{
    return do_mkdirat(dfd, name, mode);
}

long guest_mkfifoat(int dfd, const char *name, unsigned mode)
{
    return do_mknodat(dfd, name, S_IFIFO | mode, 0);
}

long guest_unlinkat(int dfd, const char *name, unsigned flags)
{
    return do_unlinkat(dfd, name, flags);
}

long guest_symlinkat(const char *target, int dfd, const char *name)
{
    return do_symlinkat(target, dfd, name);
}

long guest_linkat(int dfd, const char *name, int new_dfd, const char *new_name, unsigned flags)
{
    return do_linkat(dfd, name, new_dfd, new_name, flags);
}

long guest_renameat2(int dfd, const char *name, int new_dfd, const char *new_name, unsigned flags)
{
    return do_renameat2(dfd, name, new_dfd, new_name, flags);
}

long guest_readlinkat(int dfd, const char *name, char *buf, size_t bytes)
{
    return do_readlinkat(dfd, name, buf, (u32)bytes);
}

long guest_faccessat(int dfd, const char *name, unsigned mode)
{
    return do_faccessat(dfd, name, mode, 0);
}

long guest_fchmodat(int dfd, const char *name, unsigned mode)
{
    return do_fchmodat(dfd, name, mode);
}

long guest_truncate(const char *name, long long bytes)
{
    return do_truncate(name, bytes);
}

long guest_chdir(const char *name)
{
    return do_chdir(name);
}

long guest_fchdir(int fd)
{
    return do_fchdir((u32)fd);
}

long guest_getcwd(char *buf, size_t bytes)
{
    return do_getcwd(buf, (u32)bytes);
}

long guest_umask(unsigned mask)
{
    return do_umask(mask);
}

long guest_flock(int fd, unsigned operation)
{
    return do_flock((u32)fd, operation);
}

/* struct flock64 of Linux on i386. */
struct guest_flock {
    s16 type, whence;
    s64 start, length;
    s32 pid;
} __packed;

static long call_fcntl(int fd, u32 command, struct guest_flock *flock)
{
    return do_fcntl((u32)fd, command, (unsigned long)(uintptr_t)flock);
}

long guest_set_lock(int fd, int type, int whence, long long start, long long length)
{
    struct guest_flock flock = {.type = (s16)type, .whence = (s16)whence, .start = start, .length = length};
    return call_fcntl(fd, F_OFD_SETLK, &flock);
}

long guest_can_lock(int fd, int type, int whence, long long start, long long length)
{
    struct guest_flock flock = {.type = (s16)type, .whence = (s16)whence, .start = start, .length = length};
    long error = call_fcntl(fd, F_OFD_GETLK, &flock);
    return error ? error : flock.type == F_UNLCK;
}

long guest_mount_tmpfs(const char *dir)
{
    return do_mount("tmpfs", dir, "tmpfs", 0, NULL);
}

long guest_umount(const char *dir)
{
    return do_umount(dir, 0);
}
