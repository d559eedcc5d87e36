#include "errno.h"
#include "fdtable.h"
#include "filelock.h"
#include "fs_calls.h"
#include "sched.h"
#include "slab.h"
#include "uaccess.h"
#include "wait.h"

/* All who wait for a lock of any file. */
static DECLARE_WAIT_QUEUE_HEAD(lock_wait);

static bool overlap(const struct file_lock *a, const struct file_lock *b)
{
    return a->is_flock == b->is_flock && a->start <= b->end && b->start <= a->end;
}

const struct file_lock *find_conflict(const struct inode *inode, const struct file_lock *request)
{
    if (request->type == F_UNLCK)
        return NULL;
    for (const struct file_lock *lock = inode->i_flock; lock; lock = lock->next)
        if (lock->owner != request->owner && overlap(lock, request) &&
            (lock->type == F_WRLCK || request->type == F_WRLCK))
            return lock;
    return NULL;
}

static void add_lock(struct inode *inode, struct file_lock *lock)
{
    lock->next = inode->i_flock;
    inode->i_flock = lock;
}

/* Takes the range away from what the owner has; a lock that it cuts in two leaves its upper part in spare. */
static void cut_range(struct inode *inode, const struct file_lock *range, struct file_lock **spare)
{
    struct file_lock **link = &inode->i_flock;
    while (*link) {
        struct file_lock *lock = *link;
        if (lock->owner != range->owner || !overlap(lock, range)) {
            link = &lock->next;
        } else if (lock->start < range->start && lock->end > range->end) {
            struct file_lock *upper = *spare;
            *spare = NULL;
            *upper = *lock;
            upper->start = range->end + 1;
            lock->end = range->start - 1;
            add_lock(inode, upper);
            return;
        } else if (lock->start < range->start) {
            lock->end = range->start - 1;
            link = &lock->next;
        } else if (lock->end > range->end) {
            lock->start = range->end + 1;
            link = &lock->next;
        } else {
            *link = lock->next;
            kfree(lock);
        }
    }
}

/* flock(2): who changes the type of his lock has none until he gets the new one. */
static void give_up_other_type(struct inode *inode, const struct file_lock *request)
{
    for (const struct file_lock *lock = inode->i_flock; lock; lock = lock->next) {
        if (lock->owner == request->owner && lock->is_flock && lock->type != request->type) {
            cut_range(inode, request, NULL);
            wake_up_all(&lock_wait);
            return;
        }
    }
}

int lock_file(struct inode *inode, const struct file_lock *request, bool waits)
{
    struct file_lock *lock = kmalloc(sizeof(*lock), GFP_KERNEL);
    struct file_lock *spare = kmalloc(sizeof(*spare), GFP_KERNEL);
    int error = lock && spare ? 0 : -ENOMEM;
    if (error == 0 && request->is_flock)
        give_up_other_type(inode, request);
    if (error == 0 && find_conflict(inode, request))
        error = waits ? wait_event_interruptible(lock_wait, !find_conflict(inode, request)) : -EAGAIN;
    if (error == 0) {
        cut_range(inode, request, &spare);
        if (request->type != F_UNLCK) {
            *lock = *request;
            add_lock(inode, lock);
            lock = NULL;
        }
        wake_up_all(&lock_wait);
    }
    kfree(lock);
    kfree(spare);
    return error;
}

void unlock_all(struct inode *inode, const void *owner)
{
    struct file_lock **link = &inode->i_flock;
    while (*link) {
        struct file_lock *lock = *link;
        if (lock->owner != owner) {
            link = &lock->next;
            continue;
        }
        *link = lock->next;
        kfree(lock);
        wake_up_all(&lock_wait);
    }
}

#define LOCK_SH 1u
#define LOCK_EX 2u
#define LOCK_NB 4u
#define LOCK_UN 8u

long do_flock(u32 fd, u32 operation)
{
    struct file_lock request = {.is_flock = true, .end = OFFSET_MAX, .pid = current->tgid};
    switch (operation & ~LOCK_NB) {
    case LOCK_SH:
        request.type = F_RDLCK;
        break;
    case LOCK_EX:
        request.type = F_WRLCK;
        break;
    case LOCK_UN:
        request.type = F_UNLCK;
        break;
    default:
        return -EINVAL;
    }
    struct file *file = fget(fd);
    if (file == NULL)
        return -EBADF;
    request.owner = file;
    int error = -EBADF;
    if (request.type == F_UNLCK || (file->f_mode & (FMODE_READ | FMODE_WRITE)))
        error = lock_file(file_inode(file), &request, !(operation & LOCK_NB));
    fput(file);
    return error;
}

/* struct flock64 of Linux on i386. */
struct flock64 {
    s16 l_type, l_whence;
    s64 l_start, l_len;
    s32 l_pid;
} __packed;
_Static_assert(sizeof(struct flock64) == 24, "Linux's ABI");

struct flock32 {
    s16 l_type, l_whence;
    s32 l_start, l_len, l_pid;
};

static int get_flock(struct flock64 *flock, const void __user *from, bool is_64)
{
    struct flock32 narrow;
    if (is_64)
        return copy_from_user(flock, from, sizeof(*flock)) ? -EFAULT : 0;
    if (copy_from_user(&narrow, from, sizeof(narrow)))
        return -EFAULT;
    *flock = (struct flock64){.l_type = narrow.l_type,
                              .l_whence = narrow.l_whence,
                              .l_start = narrow.l_start,
                              .l_len = narrow.l_len,
                              .l_pid = narrow.l_pid};
    return 0;
}

static int put_flock(const struct flock64 *flock, void __user *to, bool is_64)
{
    const struct flock32 narrow = {.l_type = flock->l_type,
                                   .l_whence = flock->l_whence,
                                   .l_start = (s32)flock->l_start,
                                   .l_len = (s32)flock->l_len,
                                   .l_pid = flock->l_pid};
    return (is_64 ? copy_to_user(to, flock, sizeof(*flock)) : copy_to_user(to, &narrow, sizeof(narrow)))
               ? -EFAULT
               : 0;
}

/* A length of 0: to the end, however far that is; a negative one: the bytes before the start. */
static int range_of(const struct file *file, const struct flock64 *flock, struct file_lock *lock)
{
    loff_t base = 0;
    if (flock->l_whence == SEEK_CUR)
        base = file->f_pos;
    else if (flock->l_whence == SEEK_END)
        base = i_size_read(file_inode(file));
    else if (flock->l_whence != SEEK_SET)
        return -EINVAL;
    if (flock->l_start > OFFSET_MAX - base)
        return -EOVERFLOW;
    lock->start = base + flock->l_start;
    if (lock->start < 0)
        return -EINVAL;
    lock->end = OFFSET_MAX;
    if (flock->l_len > 0) {
        if (flock->l_len - 1 > OFFSET_MAX - lock->start)
            return -EOVERFLOW;
        lock->end = lock->start + flock->l_len - 1;
    } else if (flock->l_len < 0) {
        if (lock->start + flock->l_len < 0)
            return -EINVAL;
        lock->end = lock->start - 1;
        lock->start += flock->l_len;
    }
    return 0;
}

static bool is_of_open_file(u32 command)
{
    return command >= F_OFD_GETLK && command <= F_OFD_SETLKW;
}

static int request_of(const struct file *file, u32 command, const struct flock64 *flock,
                      struct file_lock *request)
{
    *request = (struct file_lock){.owner = current->files, .pid = current->tgid, .type = flock->l_type};
    if (is_of_open_file(command)) {
        request->owner = file;
        request->pid = ~0u;
        if (flock->l_pid)
            return -EINVAL;
    }
    if (flock->l_type != F_RDLCK && flock->l_type != F_WRLCK && flock->l_type != F_UNLCK)
        return -EINVAL;
    return range_of(file, flock, request);
}

static long get_lock(const struct file *file, u32 command, struct flock64 *flock, void __user *to)
{
    struct file_lock request;
    int error = request_of(file, command, flock, &request);
    if (error)
        return error;
    if (request.type == F_UNLCK)
        return -EINVAL;
    const struct file_lock *lock = find_conflict(file_inode(file), &request);
    flock->l_type = F_UNLCK;
    if (lock)
        *flock = (struct flock64){.l_type = lock->type,
                                  .l_whence = SEEK_SET,
                                  .l_start = lock->start,
                                  .l_len = lock->end == OFFSET_MAX ? 0 : lock->end - lock->start + 1,
                                  .l_pid = (s32)lock->pid};
    return put_flock(flock, to, command != F_GETLK);
}

static long set_lock(const struct file *file, u32 command, const struct flock64 *flock)
{
    struct file_lock request;
    bool waits = command == F_SETLKW || command == F_SETLKW64 || command == F_OFD_SETLKW;
    int error = request_of(file, command, flock, &request);
    if (error)
        return error;
    if ((request.type == F_RDLCK && !(file->f_mode & FMODE_READ)) ||
        (request.type == F_WRLCK && !(file->f_mode & FMODE_WRITE)))
        return -EBADF;
    return lock_file(file_inode(file), &request, waits);
}

long fcntl_lock(struct file *file, u32 command, void __user *arg)
{
    struct flock64 flock;
    int error = get_flock(&flock, arg, command >= F_GETLK64);
    if (error)
        return error;
    bool asks = command == F_GETLK || command == F_GETLK64 || command == F_OFD_GETLK;
    return asks ? get_lock(file, command, &flock, arg) : set_lock(file, command, &flock);
}
