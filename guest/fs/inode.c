/* Inodes in memory: found by number, kept while they may be wanted again, written out, evicted. */
#include "bug.h"
#include "cred.h"
#include "internal.h"
#include "math64.h"
#include "sched.h"
#include "shrinker.h"
#include "slab.h"
#include "timekeeping.h"
#include "wait.h"

#define INODE_BUCKETS 256u

static struct kmem_cache *inode_cachep;
static struct list_head hash_table[INODE_BUCKETS];
/* Inodes without users that can still be found, the longest unused last. */
static LIST_HEAD(unused_list);
DECLARE_WAIT_QUEUE_HEAD(inode_wait);
struct inodes_stat inodes_stat;

static unsigned long count_unused(void)
{
    return inodes_stat.nr_unused;
}

static struct shrinker icache_shrinker = {.count_objects = count_unused, .scan_objects = shrink_clean_icache};

void inode_init(void)
{
    inode_cachep = KMEM_CACHE(inode, SLAB_PANIC);
    register_shrinker(&icache_shrinker);
    for (u32 i = 0; i < INODE_BUCKETS; i++)
        INIT_LIST_HEAD(&hash_table[i]);
}

static struct list_head *bucket_of(const struct super_block *sb, unsigned long ino)
{
    return &hash_table[(u32)(ino * 31 + (uintptr_t)sb / sizeof(*sb)) % INODE_BUCKETS];
}

static const struct inode_operations no_inode_operations;
static const struct file_operations no_file_operations;

static struct inode *alloc_inode(struct super_block *sb)
{
    struct inode *inode =
        sb->s_op->alloc_inode ? sb->s_op->alloc_inode(sb) : kmem_cache_alloc(inode_cachep, GFP_KERNEL);
    if (inode == NULL)
        return NULL;
    *inode = (struct inode){
        .i_count = 1, .i_nlink = 1, .i_sb = sb, .i_op = &no_inode_operations, .i_fop = &no_file_operations};
    mutex_init(&inode->i_mutex);
    INIT_LIST_HEAD(&inode->i_hash);
    INIT_LIST_HEAD(&inode->i_lru);
    INIT_LIST_HEAD(&inode->i_dirty);
    INIT_LIST_HEAD(&inode->i_dentry);
    list_add(&inode->i_sb_list, &sb->s_inodes);
    inodes_stat.nr_inodes++;
    return inode;
}

struct inode *new_inode(struct super_block *sb)
{
    return alloc_inode(sb);
}

unsigned long get_next_ino(void)
{
    static unsigned long last_ino;
    return ++last_ino;
}

static void lru_del(struct inode *inode)
{
    if (list_empty(&inode->i_lru))
        return;
    list_del_init(&inode->i_lru);
    inodes_stat.nr_unused--;
}

static struct inode *find_inode(const struct super_block *sb, unsigned long ino)
{
    struct inode *inode;
    list_for_each_entry(inode, bucket_of(sb, ino), i_hash)
    {
        if (inode->i_sb == sb && inode->i_ino == ino)
            return inode;
    }
    return NULL;
}

void insert_inode_hash(struct inode *inode)
{
    list_add(&inode->i_hash, bucket_of(inode->i_sb, inode->i_ino));
}

struct inode *igrab_unused(struct inode *inode)
{
    lru_del(inode);
    return igrab(inode);
}

struct inode *iget_locked(struct super_block *sb, unsigned long ino)
{
    for (;;) {
        struct inode *inode = find_inode(sb, ino);
        if (inode == NULL)
            break;
        if (inode->i_state & (I_NEW | I_FREEING)) {
            /* Looked up anew each time: it may be another inode then, or none. */
            wait_event(inode_wait,
                       (inode = find_inode(sb, ino)) == NULL || !(inode->i_state & (I_NEW | I_FREEING)));
            continue;
        }
        return igrab_unused(inode);
    }
    struct inode *inode = alloc_inode(sb);
    if (inode == NULL)
        return NULL;
    inode->i_ino = ino;
    inode->i_state = I_NEW;
    insert_inode_hash(inode);
    return inode;
}

void unlock_new_inode(struct inode *inode)
{
    inode->i_state &= (u16)~I_NEW;
    wake_up_all(&inode_wait);
}

void iget_failed(struct inode *inode)
{
    list_del_init(&inode->i_hash);
    unlock_new_inode(inode);
    iput(inode);
}

void clear_inode(struct inode *inode)
{
    BUG_ON(inode->i_mapping);
    list_del_init(&inode->i_dirty);
    inode->i_state = I_FREEING;
}

static void destroy_inode(struct inode *inode)
{
    list_del_init(&inode->i_sb_list);
    list_del_init(&inode->i_hash);
    inodes_stat.nr_inodes--;
    if (inode->i_sb->s_op->destroy_inode)
        inode->i_sb->s_op->destroy_inode(inode);
    else
        kmem_cache_free(inode_cachep, inode);
    wake_up_all(&inode_wait);
}

/* It can be found by number until it is gone, so that nobody reads it from the medium too early. */
static void evict(struct inode *inode)
{
    const struct super_operations *op = inode->i_sb->s_op;
    BUG_ON(!list_empty(&inode->i_dentry));
    lru_del(inode);
    inode->i_state |= I_FREEING;
    inode_wait_for_writeback(inode);
    if (op->evict_inode) {
        op->evict_inode(inode);
    } else {
        inode_free_mapping(inode);
        clear_inode(inode);
    }
    destroy_inode(inode);
}

void iput(struct inode *inode)
{
    if (inode == NULL)
        return;
    BUG_ON(inode->i_count == 0);
    if (--inode->i_count)
        return;
    if (inode->i_nlink && !list_empty(&inode->i_hash)) {
        if (inode->i_sb->s_flags & SB_ACTIVE) {
            list_add(&inode->i_lru, &unused_list);
            inodes_stat.nr_unused++;
            return;
        }
        inode->i_count++;
        write_inode_now(inode);
        inode->i_count--;
    }
    evict(inode);
}

/* Gives up an inode that nobody uses; what has changed of it goes to the medium. */
static void dispose(struct inode *inode)
{
    lru_del(inode);
    inode->i_count = 1;
    write_inode_now(inode);
    /* Somebody may have found it meanwhile. */
    if (inode->i_count == 1) {
        inode->i_count = 0;
        evict(inode);
    } else {
        iput(inode);
    }
}

unsigned long shrink_clean_icache(unsigned long nr)
{
    unsigned long nr_freed = 0;
    for (unsigned long left = inodes_stat.nr_unused; left > 0 && nr_freed < nr; left--) {
        struct inode *inode = list_entry(unused_list.prev, struct inode, i_lru);
        if (inode_is_dirty(inode)) {
            list_del_init(&inode->i_lru);
            list_add(&inode->i_lru, &unused_list);
            continue;
        }
        evict(inode);
        nr_freed++;
    }
    return nr_freed;
}

static struct inode *find_unused(const struct super_block *sb)
{
    struct inode *inode;
    list_for_each_entry(inode, &sb->s_inodes, i_sb_list)
    {
        if (!list_empty(&inode->i_lru))
            return inode;
    }
    return NULL;
}

unsigned long evict_inodes(struct super_block *sb)
{
    struct inode *inode;
    while ((inode = find_unused(sb)))
        dispose(inode);
    unsigned long nr_busy = 0;
    list_for_each_entry(inode, &sb->s_inodes, i_sb_list) nr_busy++;
    return nr_busy;
}

/* A new file belongs to who makes it; in a set-group-ID folder its group is the folder's, as the bit is. */
void inode_init_owner(struct inode *inode, const struct inode *dir, umode_t mode)
{
    inode->i_uid = current_fsuid();
    inode->i_gid = current_fsgid();
    if (dir && (dir->i_mode & S_ISGID)) {
        inode->i_gid = dir->i_gid;
        if (S_ISDIR(mode))
            mode |= S_ISGID;
    }
    inode->i_mode = mode;
}

/* A socket is reached by connect(), not by open(). */
static int no_open(struct inode *inode, struct file *file)
{
    (void)inode;
    (void)file;
    return -ENXIO;
}

const struct file_operations no_open_fops = {.open = no_open};

void init_special_inode(struct inode *inode, umode_t mode, dev_t rdev)
{
    inode->i_mode = mode;
    inode->i_rdev = rdev;
    if (S_ISCHR(mode))
        inode->i_fop = &def_chr_fops;
    else if (S_ISBLK(mode))
        inode->i_fop = &def_blk_fops;
    else if (S_ISFIFO(mode))
        inode->i_fop = &pipefifo_fops;
    else if (S_ISSOCK(mode))
        inode->i_fop = &no_open_fops;
}

struct timespec64 current_time(void)
{
    u32 ns;
    s64 seconds = (s64)div_u64_rem(ktime_get_real_ns(), NSEC_PER_SEC, &ns);
    return (struct timespec64){.tv_sec = seconds, .tv_nsec = (s32)ns};
}

/* The relatime rule: an access is noted if none was since the last change, so that reading writes little. */
void touch_atime(const struct path *path)
{
    struct inode *inode = path->dentry->d_inode;
    if (IS_RDONLY(inode) || (path->mnt->mnt_flags & (MNT_NOATIME | MNT_READONLY)))
        return;
    if (timespec64_compare(&inode->i_atime, &inode->i_mtime) > 0 &&
        timespec64_compare(&inode->i_atime, &inode->i_ctime) > 0)
        return;
    inode->i_atime = current_time();
    mark_inode_dirty(inode);
}

void file_update_time(struct file *file)
{
    struct inode *inode = file_inode(file);
    inode->i_mtime = inode->i_ctime = current_time();
    mark_inode_dirty(inode);
}

void set_nlink(struct inode *inode, u32 nlink)
{
    inode->i_nlink = nlink;
}

void inc_nlink(struct inode *inode)
{
    inode->i_nlink++;
}

void drop_nlink(struct inode *inode)
{
    BUG_ON(inode->i_nlink == 0);
    inode->i_nlink--;
}

void clear_nlink(struct inode *inode)
{
    inode->i_nlink = 0;
}
