/* tmpfs: a ramfs that takes no more than so much memory, half of all if nothing else is said. */
#include "errno.h"
#include "libfs.h"
#include "mm.h"
#include "params.h"
#include "seq_file.h"
#include "slab.h"
#include "string.h"

#define TMPFS_MAGIC 0x01021994u

struct tmpfs_info {
    unsigned long max_pages;
    /* At least as many as there are: a page is counted before it is written, which may fail. */
    unsigned long nr_pages;
};

static struct tmpfs_info *info_of(const struct super_block *sb)
{
    return sb->s_fs_info;
}

/* The pages that hold something. */
static unsigned long count_pages(const struct super_block *sb)
{
    const struct inode *inode;
    unsigned long nr = 0;
    list_for_each_entry(inode, &sb->s_inodes, i_sb_list)
    {
        if (inode->i_mapping)
            nr += inode->i_mapping->nrdirty;
    }
    return nr;
}

static int tmpfs_prepare_write(struct page *page, u32 from, u32 to)
{
    const struct super_block *sb = page->mapping->host->i_sb;
    struct tmpfs_info *info = info_of(sb);
    (void)from;
    (void)to;
    if (PageDirty(page))
        return 0;
    if (info->nr_pages >= info->max_pages)
        info->nr_pages = count_pages(sb);
    if (info->nr_pages >= info->max_pages)
        return -ENOSPC;
    info->nr_pages++;
    return 0;
}

const struct address_space_operations tmpfs_aops = {.readpage = simple_readpage,
                                                    .prepare_write = tmpfs_prepare_write};

static int tmpfs_statfs(struct dentry *dentry, struct kstatfs *buf)
{
    struct tmpfs_info *info = info_of(dentry->d_sb);
    info->nr_pages = count_pages(dentry->d_sb);
    buf->f_blocks = info->max_pages;
    buf->f_bfree = buf->f_bavail = info->max_pages - min(info->nr_pages, info->max_pages);
    return 0;
}

static void tmpfs_show_options(struct seq_file *m, struct super_block *sb)
{
    seq_printf(m, ",size=%luk", info_of(sb)->max_pages << (PAGE_SHIFT - 10));
}

static void tmpfs_put_super(struct super_block *sb)
{
    kfree(sb->s_fs_info);
}

static const struct super_operations tmpfs_super_operations = {.evict_inode = ramfs_evict_inode,
                                                               .statfs = tmpfs_statfs,
                                                               .show_options = tmpfs_show_options,
                                                               .put_super = tmpfs_put_super};

static bool is_end_of_option(char c)
{
    return c == '\0' || c == ',';
}

/* size=BYTES, with K, M, G, or as a part of all memory: 25%. */
static int set_size(struct tmpfs_info *info, const char *value)
{
    const char *end;
    u64 size = memparse(value, &end);
    if (*end == '%') {
        info->max_pages = (unsigned long)((u64)nr_managed_pages() * size / 100);
        end++;
    } else {
        info->max_pages = (unsigned long)((size + PAGE_SIZE - 1) >> PAGE_SHIFT);
    }
    return end == value || !is_end_of_option(*end) ? -EINVAL : 0;
}

static int set_mode(umode_t *mode, const char *value)
{
    u32 bits = 0;
    for (; *value >= '0' && *value <= '7'; value++)
        bits = bits << 3 | (u32)(*value - '0');
    *mode = (umode_t)(S_IFDIR | (bits & S_IALLUGO));
    return is_end_of_option(*value) ? 0 : -EINVAL;
}

/* Others are for file systems that have users and quotas, and change nothing here. */
static int parse_options(struct tmpfs_info *info, umode_t *mode, const char *data)
{
    int error = 0;
    while (data && *data && error == 0) {
        if (strncmp(data, "size=", 5) == 0)
            error = set_size(info, data + 5);
        else if (strncmp(data, "mode=", 5) == 0)
            error = set_mode(mode, data + 5);
        data = strchr(data, ',');
        data = data ? data + 1 : NULL;
    }
    return error;
}

static int tmpfs_fill_super(struct super_block *sb, const char *data)
{
    umode_t mode = S_IFDIR | S_IRWXUGO | S_ISVTX;
    struct tmpfs_info *info = kzalloc(sizeof(*info), GFP_KERNEL);
    if (info == NULL)
        return -ENOMEM;
    info->max_pages = nr_managed_pages() / 2;
    int error = parse_options(info, &mode, data);
    if (error) {
        kfree(info);
        return error;
    }
    sb->s_magic = TMPFS_MAGIC;
    sb->s_op = &tmpfs_super_operations;
    sb->s_d_op = &simple_dentry_operations;
    sb->s_fs_info = info;
    sb->s_root = d_make_root(ramfs_get_inode(sb, NULL, mode, 0));
    if (sb->s_root)
        return 0;
    kfree(info);
    return -ENOMEM;
}

static struct super_block *tmpfs_mount(const struct file_system_type *type, u32 flags, const char *dev_name,
                                       const char *data)
{
    (void)dev_name;
    return mount_nodev(type, flags, data, tmpfs_fill_super);
}

static struct file_system_type tmpfs_type = {.name = "tmpfs", .fs_flags = FS_LITTER, .mount = tmpfs_mount};

void tmpfs_init(void)
{
    register_filesystem(&tmpfs_type);
}
