/*
 * Files: what file systems and drivers give to the virtual file system, and what it gives to them. A super
 * block is a file system in use, an inode is a file in it, a dentry (dcache.h) is a name of the file, a file
 * is somebody's use of it, with a position.
 */
#pragma once

#include "dcache.h"
#include "fcntl.h"
#include "mutex.h"
#include "pagemap.h"
#include "path.h"
#include "stat.h"

struct block_device;
struct dir_context;
struct file;
struct file_lock;
struct file_system_type;
struct kstatfs;
struct pipe_inode_info;
struct poll_table;
struct seq_file;
struct vm_area_struct;

/* --- inodes --- */

struct inode {
    umode_t i_mode;
    u16 i_state; /* I_ bits */
    u32 i_flags; /* S_ bits */
    u32 i_uid, i_gid;
    u32 i_nlink;      /* names on the medium; 0: the file goes with its last user */
    u32 i_count;      /* users */
    s32 i_writecount; /* files open for writing; negative: programs that run */
    unsigned long i_ino;
    dev_t i_rdev; /* of a device file */
    u32 i_generation;
    loff_t i_size; /* bytes; i_size_write() for who may have readers */
    u64 i_blocks;  /* of 512 bytes */
    struct timespec64 i_atime, i_mtime, i_ctime;

    const struct inode_operations *i_op;
    const struct file_operations *i_fop; /* of files that are opened */
    struct super_block *i_sb;
    struct address_space *i_mapping; /* the file's pages (inode_init_mapping()); NULL: it has none */
    struct mutex i_mutex;            /* held while the file's contents change: write(), truncate() */

    struct list_head i_hash;      /* by number: inodes of file systems on disk */
    struct list_head i_sb_list;   /* of its super block */
    struct list_head i_lru;       /* while i_count is 0 */
    struct list_head i_dirty;     /* while it is dirty: fs-writeback.c */
    unsigned long i_dirtied_when; /* jiffies */
    struct list_head i_dentry;    /* its names, through d_alias */
    union {
        struct pipe_inode_info *i_pipe; /* FIFOs that are open */
        struct block_device *i_bdev;    /* block devices that are open */
    };
    struct file_lock *i_flock; /* filelock.h */
    void *i_private;           /* the file system's own */
};

#define I_NEW 0x1u         /* being read: wait_on_inode() */
#define I_DIRTY_SYNC 0x2u  /* differs from the medium: ->write_inode() */
#define I_DIRTY_PAGES 0x4u /* has pages that must be written to its disk */
#define I_DIRTY (I_DIRTY_SYNC | I_DIRTY_PAGES)
#define I_FREEING 0x8u
#define I_SYNC 0x10u     /* being written: who wants to write or to evict it waits */
#define S_DEAD 0x1u      /* a folder that is gone: nothing can be made in it */
#define S_IMMUTABLE 0x2u /* not even root changes it: files that the kernel makes up */

/* What is to change about an inode: bits of ia_valid say what. */
struct iattr {
    u32 ia_valid;
    umode_t ia_mode;
    u32 ia_uid, ia_gid;
    loff_t ia_size;
    struct timespec64 ia_atime, ia_mtime, ia_ctime;
};
#define ATTR_MODE 0x1u
#define ATTR_UID 0x2u
#define ATTR_GID 0x4u
#define ATTR_SIZE 0x8u
#define ATTR_ATIME 0x10u
#define ATTR_MTIME 0x20u
#define ATTR_CTIME 0x40u
#define ATTR_ATIME_SET 0x80u /* to the time that was given, not to now */
#define ATTR_MTIME_SET 0x100u

/*
 * All but permission and getattr are called with the super block's names locked (s_names_mutex); the
 * dentries are negative where something is made, and positive where something is taken away. The callee
 * keeps i_nlink and the times, and d_instantiate()s what it made; the VFS does d_delete() and d_move().
 */
struct inode_operations {
    /* Gives dentry its meaning with d_add() or d_splice_alias(); NULL, another dentry, or an error. */
    struct dentry *(*lookup)(struct inode *dir, struct dentry *dentry);
    int (*create)(struct inode *dir, struct dentry *dentry, umode_t mode);
    int (*link)(struct dentry *old_dentry, struct inode *dir, struct dentry *new_dentry);
    int (*unlink)(struct inode *dir, struct dentry *dentry);
    int (*symlink)(struct inode *dir, struct dentry *dentry, const char *target);
    int (*mkdir)(struct inode *dir, struct dentry *dentry, umode_t mode);
    int (*rmdir)(struct inode *dir, struct dentry *dentry); /* -ENOTEMPTY */
    int (*mknod)(struct inode *dir, struct dentry *dentry, umode_t mode, dev_t dev);
    /* What new_dentry meant until now, if anything, loses this name. Folders: it was found to be one, too. */
    int (*rename)(struct inode *old_dir, struct dentry *old_dentry, struct inode *new_dir,
                  struct dentry *new_dentry);
    /* Symbolic links: up to size bytes of the text, without a NUL; returns how many. */
    int (*readlink)(struct dentry *dentry, char *buf, u32 size);
    /*
     * Links of /proc that lead to a place without a name for it (or NULL). Takes references; -ENOENT: it
     * leads nowhere. readlink() says what it looks like.
     */
    int (*get_path)(struct dentry *dentry, struct path *path);
    /* May the current task do this? NULL: generic_permission() says so. */
    int (*permission)(struct inode *inode, u32 mask);
    /* NULL: simple_setattr(). */
    int (*setattr)(struct dentry *dentry, struct iattr *attr);
    /* NULL: generic_fillattr(). */
    int (*getattr)(const struct path *path, struct kstat *stat);
};

#define MAY_EXEC 1u
#define MAY_WRITE 2u
#define MAY_READ 4u

/* --- files --- */

/* Read-ahead of one user of a file (mm/readahead.c). */
enum ra_mode { RA_NORMAL, RA_RANDOM, RA_SEQUENTIAL };
struct file_ra_state {
    enum ra_mode mode;   /* posix_fadvise() */
    unsigned long start; /* the window that was read last: number of the first page, and pages */
    u32 size;
    unsigned long prev_index; /* the page that was read last */
    u32 mmap_miss;            /* faults that read-around did not spare */
};

struct file {
    u32 f_count; /* get_file(), fput() */
    u32 f_flags; /* O_ flags */
    u32 f_mode;  /* FMODE_ bits */
    struct path f_path;
    struct inode *f_inode;
    struct address_space *f_mapping; /* f_inode->i_mapping, or the block device's */
    const struct file_operations *f_op;
    loff_t f_pos;
    struct mutex f_pos_lock; /* held while a regular file or a folder is read or written at f_pos */
    u32 f_version;           /* what has changed since (pipes: writers) */
    struct file_ra_state f_ra;
    void *private_data; /* the driver's or file system's own */
};

#define FMODE_READ 0x1u
#define FMODE_WRITE 0x2u
#define FMODE_LSEEK 0x4u
#define FMODE_EXEC 0x20u   /* to be run */
#define FMODE_PATH 0x4000u /* O_PATH: a place, not its contents */

/* Receives the names of a folder; actor returns false when it has no room. */
struct dir_context {
    bool (*actor)(struct dir_context *ctx, const char *name, u32 len, loff_t pos, u64 ino, u32 d_type);
    loff_t pos; /* of the next name; the file system says what it means */
};

/* d_type of a mode. */
#define DT_UNKNOWN 0u
#define DT_DIR 4u
static inline u32 mode_to_dt(umode_t mode)
{
    return (mode & S_IFMT) >> 12;
}

/*
 * Buffers are the user's, or the kernel's while set_fs(KERNEL_DS) holds (kernel_read()): always through
 * copy_to_user() and copy_from_user(). A missing operation gives the error that Linux gives.
 */
struct file_operations {
    loff_t (*llseek)(struct file *file, loff_t offset, int whence);
    ssize_t (*read)(struct file *file, char __user *buf, size_t count, loff_t *pos);
    ssize_t (*write)(struct file *file, const char __user *buf, size_t count, loff_t *pos);
    /* Hands the names from ctx->pos on to ctx->actor(); 0 or an error. Names are locked (s_names_mutex). */
    int (*iterate_shared)(struct file *file, struct dir_context *ctx);
    /*
     * Takes a piece of a page, which may change until it is on its way, instead of a copy. More may follow at
     * once, and form one message with it. NULL: writes copies. Bytes or an error.
     */
    ssize_t (*sendpage)(struct file *file, struct page *page, u32 offset, u32 bytes, bool has_more);
    /* EPOLL bits that hold now; poll_wait()s on what changes them. NULL: can always be read and written. */
    u32 (*poll)(struct file *file, struct poll_table *table);
    long (*unlocked_ioctl)(struct file *file, u32 cmd, unsigned long arg);
    int (*mmap)(struct file *file, struct vm_area_struct *vma);
    int (*open)(struct inode *inode, struct file *file);
    /* At each close(2). */
    int (*flush)(struct file *file);
    /* When the last user is gone. */
    int (*release)(struct inode *inode, struct file *file);
    int (*fsync)(struct file *file, int datasync);
};

/* file_table.c */
struct file *alloc_file(const struct path *path, u32 f_mode, const struct file_operations *fop);
void fput(struct file *file);

static inline struct file *get_file(struct file *file)
{
    file->f_count++;
    return file;
}

static inline struct inode *file_inode(const struct file *file)
{
    return file->f_inode;
}

/* shmem.c: so many bytes of zeroes without a name, for memory that processes share. A file or ERR_PTR. */
struct file *shmem_zero_file(loff_t bytes);

/* open.c: opens by a name in kernel memory; a file or ERR_PTR. fput() closes it. */
struct file *filp_open(const char *name, u32 flags, umode_t mode);
struct file *dentry_open(const struct path *path, u32 flags);
/* For programs: a regular file that may be executed, open for reading. */
struct file *open_exec(const char *name);
/* A program's file is not written while it runs: 0, or -ETXTBSY; allow_write_access() ends that. */
int deny_write_access(struct file *file);
void allow_write_access(struct file *file);
int nonseekable_open(struct inode *inode, struct file *file);

/* read_write.c: bytes done, fewer at the file's end, or an error. *pos moves on. */
ssize_t vfs_read(struct file *file, char __user *buf, size_t count, loff_t *pos);
ssize_t vfs_write(struct file *file, const char __user *buf, size_t count, loff_t *pos);
/* The same with a buffer of the kernel's. */
ssize_t kernel_read(struct file *file, void *buf, size_t count, loff_t *pos);
ssize_t kernel_write(struct file *file, const void *buf, size_t count, loff_t *pos);
loff_t vfs_llseek(struct file *file, loff_t offset, int whence);
loff_t generic_file_llseek(struct file *file, loff_t offset, int whence);
loff_t no_llseek(struct file *file, loff_t offset, int whence);
loff_t noop_llseek(struct file *file, loff_t offset, int whence);
int vfs_fsync(struct file *file, int datasync);
int iterate_dir(struct file *file, struct dir_context *ctx);
/* "." and "..": false when there was no room. */
bool dir_emit_dots(struct file *file, struct dir_context *ctx);
static inline bool dir_emit(struct dir_context *ctx, const char *name, u32 len, u64 ino, u32 d_type)
{
    return ctx->actor(ctx, name, len, ctx->pos, ino, d_type);
}

/* --- file systems --- */

struct super_operations {
    /* An inode as part of what the file system keeps of it; NULL: a struct inode alone. */
    struct inode *(*alloc_inode)(struct super_block *sb);
    void (*destroy_inode)(struct inode *inode);
    /* Write what is in memory to the medium. 0 or -EIO. */
    int (*write_inode)(struct inode *inode);
    /* The inode goes from memory; without names (i_nlink 0) from the medium too. NULL: pages are dropped. */
    void (*evict_inode)(struct inode *inode);
    int (*sync_fs)(struct super_block *sb);
    void (*put_super)(struct super_block *sb);
    int (*statfs)(struct dentry *dentry, struct kstatfs *buf);
    int (*remount_fs)(struct super_block *sb, u32 flags, const char *data);
    /* What stands behind the type in /proc/mounts: ",size=..." */
    void (*show_options)(struct seq_file *m, struct super_block *sb);
};

struct super_block {
    dev_t s_dev;
    u32 s_blocksize; /* bytes */
    u32 s_blocksize_bits;
    u32 s_flags; /* SB_ bits */
    u32 s_magic;
    u32 s_count; /* mounts */
    loff_t s_maxbytes;
    const struct super_operations *s_op;
    const struct dentry_operations *s_d_op; /* of all its dentries, or NULL */
    const struct file_system_type *s_type;
    struct dentry *s_root;
    struct block_device *s_bdev; /* or NULL */
    struct mutex s_names_mutex;  /* held while names are looked up on the medium, made, moved, or listed */
    struct list_head s_list;     /* super_blocks */
    struct list_head s_inodes;   /* all of them in memory */
    void *s_fs_info;             /* the file system's own */
};

#define SB_RDONLY 0x1u
#define SB_ACTIVE 0x40000000u
#define IS_RDONLY(inode) (((inode)->i_sb->s_flags & SB_RDONLY) != 0)

struct kstatfs {
    u32 f_type, f_bsize;
    u64 f_blocks, f_bfree, f_bavail, f_files, f_ffree;
    u32 f_namelen;
};

struct file_system_type {
    const char *name;
    u32 fs_flags; /* FS_ bits */
    /* A super block to be mounted, or ERR_PTR: mount_bdev(), mount_nodev() or mount_single(). */
    struct super_block *(*mount)(const struct file_system_type *type, u32 flags, const char *dev_name,
                                 const char *data);
    struct file_system_type *next;
};
#define FS_REQUIRES_DEV 1u
#define FS_LITTER 2u /* keeps its files in the cache of names only, each by one more reference */

/* Fills in sb: s_op, s_magic, s_blocksize, s_root. 0 or an error; then put_super is not called. */
typedef int (*fill_super_t)(struct super_block *sb, const char *data);

/* filesystems.c */
void register_filesystem(struct file_system_type *type);
void ext2_init(void); /* fs/ext2/super.c */
const struct file_system_type *get_fs_type(const char *name);
void filesystems_show(struct seq_file *m); /* /proc/filesystems */

/* super.c: one on the block device whose file is called dev_name; a new one; the only one of its type. */
struct super_block *mount_bdev(const struct file_system_type *type, u32 flags, const char *dev_name,
                               const char *data, fill_super_t fill_super);
struct super_block *mount_nodev(const struct file_system_type *type, u32 flags, const char *data,
                                fill_super_t fill_super);
struct super_block *mount_single(const struct file_system_type *type, u32 flags, const char *data,
                                 fill_super_t fill_super);
/* A mount less; the last one writes everything out and frees everything. */
void deactivate_super(struct super_block *sb);
/* Writes out what differs from the medium: inodes, their pages, the file system's own. 0 or -EIO. */
int sync_filesystem(struct super_block *sb);
/* sync(2) */
void sync_filesystems(void);

/* drop_caches.c: frees all clean pages of files that no process maps; returns how many. */
unsigned long drop_pagecache(void);
/* Frees names that nobody uses, and inodes that the medium has as they are. */
void drop_slab(void);

/* inode.c */
void inode_init(void);
/* A fresh inode with one user and no name, not to be found by number; NULL: no memory. */
struct inode *new_inode(struct super_block *sb);
/* A number that no other inode of the kernel's own file systems has. */
unsigned long get_next_ino(void);
/*
 * The inode of this number with a reference, from memory; otherwise a new one with I_NEW set, which the
 * caller fills in and then calls unlock_new_inode(), or iget_failed(). NULL: no memory.
 */
struct inode *iget_locked(struct super_block *sb, unsigned long ino);
void unlock_new_inode(struct inode *inode);
void iget_failed(struct inode *inode);
/* Lets a new inode be found by its number. */
void insert_inode_hash(struct inode *inode);
/* The last user's iput() keeps it while it has a name and can be found by number, and evicts it otherwise. */
void iput(struct inode *inode);
/* At the end of evict_inode: nothing may be left of it. */
void clear_inode(struct inode *inode);
void mark_inode_dirty(struct inode *inode);
/* Writes out what of it is not on the medium: the pages first. 0 or -EIO. */
int write_inode_now(struct inode *inode);
/* Frees up to so many inodes that nobody uses and the medium has as they are. Returns how many it freed. */
unsigned long shrink_clean_icache(unsigned long nr);
/* At the end of a file system. Returns how many were still in use. */
unsigned long evict_inodes(struct super_block *sb);
/* The owner and the mode that a new inode in dir gets. */
void inode_init_owner(struct inode *inode, const struct inode *dir, umode_t mode);
/* The operations of a FIFO, character device, block device or socket; a socket's, which cannot be opened. */
void init_special_inode(struct inode *inode, umode_t mode, dev_t rdev);
extern const struct file_operations no_open_fops;
struct timespec64 current_time(void);
void touch_atime(const struct path *path);
void file_update_time(struct file *file);
void set_nlink(struct inode *inode, u32 nlink);
void inc_nlink(struct inode *inode);
void drop_nlink(struct inode *inode);
void clear_nlink(struct inode *inode);

static inline struct inode *igrab(struct inode *inode)
{
    inode->i_count++;
    return inode;
}

static inline void i_size_write(struct inode *inode, loff_t size)
{
    inode->i_size = size;
}

static inline loff_t i_size_read(const struct inode *inode)
{
    return inode->i_size;
}

struct inodes_stat {
    unsigned long nr_inodes, nr_unused;
};
extern struct inodes_stat inodes_stat;

/* stat.c, attr.c, namei.c */
void generic_fillattr(const struct inode *inode, struct kstat *stat);
int vfs_getattr(const struct path *path, struct kstat *stat);
/* Does attr to the inode, with what follows from it (ctime, set-user-ID bits); ->setattr() does the rest. */
int notify_change(struct dentry *dentry, struct iattr *attr);
/* All of attr but the size. */
void setattr_copy(struct inode *inode, const struct iattr *attr);
/* ->setattr() of files that have pages and nothing else. */
int simple_setattr(struct dentry *dentry, struct iattr *attr);
/* May the size become this? -EFBIG, -EINVAL. */
int inode_newsize_ok(const struct inode *inode, loff_t size);
int vfs_truncate(const struct path *path, loff_t size);
int generic_permission(const struct inode *inode, u32 mask);
int inode_permission(struct inode *inode, u32 mask);

/* --- devices --- */

/* char_dev.c: minors base_minor to base_minor + count - 1 of major are served by fops. 0 or -EBUSY. */
int register_chrdev(u32 major, u32 base_minor, u32 count, const char *name,
                    const struct file_operations *fops);
/* devtmpfs.c: /dev/NAME (there may be one folder in it). mode has S_IFCHR or S_IFBLK. 0 or an error. */
int devtmpfs_create_node(const char *name, umode_t mode, dev_t dev);
void devices_show(struct seq_file *m); /* /proc/devices */
/* block_dev.c: the operations of block device files, and the device behind one (opened by its name). */
extern const struct file_operations def_blk_fops;
struct block_device *blkdev_get_by_path(const char *name);

void chr_dev_init(void); /* drivers/mem.c: null, zero, random and the like */
void blkdev_devices_show(struct seq_file *m);

/* --- the whole --- */

/* The caches, the types of file systems that are always there, and the devices without hardware. */
void vfs_init(void);
/*
 * For the first task: mounts the rootfs, with /dev and the embedded programs in /bin, opens the console as
 * its files 0, 1 and 2. What cannot be done without memory for it panics.
 */
void vfs_start(void);
/* Mounts what root= names in place of that root; panics if it cannot. */
void prepare_namespace(void);
/* When all tasks are gone: writes everything out, unmounts everything, frees all caches. */
void vfs_shutdown(void);
