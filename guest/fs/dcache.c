#include "dcache.h"
#include "bug.h"
#include "err.h"
#include "fs.h"
#include "shrinker.h"
#include "slab.h"
#include "string.h"

#define DCACHE_BUCKETS 1024u

static struct kmem_cache *dentry_cachep;
static struct list_head hash_table[DCACHE_BUCKETS];
/* Dentries without users that can still be found, the longest unused last. */
static LIST_HEAD(unused_list);
struct dentry_stat dentry_stat;

static unsigned long count_unused(void)
{
    return dentry_stat.nr_unused;
}

static struct shrinker dcache_shrinker = {.count_objects = count_unused, .scan_objects = shrink_dcache};

void dcache_init(void)
{
    dentry_cachep = KMEM_CACHE(dentry, SLAB_PANIC);
    register_shrinker(&dcache_shrinker);
    for (u32 i = 0; i < DCACHE_BUCKETS; i++)
        INIT_LIST_HEAD(&hash_table[i]);
}

/* FNV-1a, from the folder on. */
u32 full_name_hash(const struct dentry *parent, const char *name, u32 len)
{
    u32 hash = 2166136261u ^ (u32)((uintptr_t)parent / sizeof(*parent));
    for (u32 i = 0; i < len; i++)
        hash = (hash ^ (u8)name[i]) * 16777619u;
    return hash;
}

static struct list_head *bucket_of(u32 hash)
{
    return &hash_table[(hash ^ hash >> 16) % DCACHE_BUCKETS];
}

static bool name_is_inline(const struct dentry *dentry)
{
    return dentry->d_name.name == dentry->d_iname;
}

static bool set_name(struct dentry *dentry, const struct qstr *name)
{
    char *text = dentry->d_iname;
    if (name->len >= DNAME_INLINE_LEN) {
        text = kmalloc(name->len + 1, GFP_KERNEL);
        if (text == NULL)
            return false;
    }
    memcpy(text, name->name, name->len);
    text[name->len] = '\0';
    dentry->d_name = (struct qstr){.name = text, .len = name->len, .hash = name->hash};
    return true;
}

static struct dentry *alloc_dentry(struct super_block *sb, const struct qstr *name)
{
    struct dentry *dentry = kmem_cache_zalloc(dentry_cachep, GFP_KERNEL);
    if (dentry == NULL)
        return NULL;
    if (!set_name(dentry, name)) {
        kmem_cache_free(dentry_cachep, dentry);
        return NULL;
    }
    dentry->d_count = 1;
    dentry->d_parent = dentry;
    dentry->d_sb = sb;
    dentry->d_op = sb->s_d_op;
    INIT_LIST_HEAD(&dentry->d_hash);
    INIT_LIST_HEAD(&dentry->d_child);
    INIT_LIST_HEAD(&dentry->d_subdirs);
    INIT_LIST_HEAD(&dentry->d_lru);
    INIT_LIST_HEAD(&dentry->d_alias);
    dentry_stat.nr_dentry++;
    return dentry;
}

/* Behind its siblings, so that who lists a folder in pieces meets every name that stays exactly once. */
static void add_child(struct dentry *dentry, struct dentry *parent)
{
    static u32 last_order;
    dentry->d_parent = parent;
    dentry->d_order = ++last_order;
    list_add_tail(&dentry->d_child, &parent->d_subdirs);
}

struct dentry *d_alloc(struct dentry *parent, const struct qstr *name)
{
    struct dentry *dentry = alloc_dentry(parent->d_sb, name);
    if (dentry == NULL)
        return NULL;
    add_child(dentry, dget(parent));
    return dentry;
}

struct dentry *d_alloc_pseudo(struct super_block *sb, const struct qstr *name)
{
    return alloc_dentry(sb, name);
}

struct dentry *d_make_root(struct inode *root_inode)
{
    static const struct qstr name = {.name = "/", .len = 1};
    if (root_inode == NULL)
        return NULL;
    struct dentry *dentry = alloc_dentry(root_inode->i_sb, &name);
    if (dentry)
        d_instantiate(dentry, root_inode);
    else
        iput(root_inode);
    return dentry;
}

/* The dentry loses its meaning. May sleep: the inode may go. */
static void dentry_iput(struct dentry *dentry)
{
    struct inode *inode = dentry->d_inode;
    dentry->d_inode = NULL;
    list_del_init(&dentry->d_alias);
    if (inode)
        iput(inode);
}

static void lru_del(struct dentry *dentry)
{
    if (list_empty(&dentry->d_lru))
        return;
    list_del_init(&dentry->d_lru);
    dentry_stat.nr_unused--;
}

/* Frees a dentry that nobody uses; returns its parent, whose reference the caller drops, or NULL. */
static struct dentry *dentry_kill(struct dentry *dentry)
{
    struct dentry *parent = IS_ROOT(dentry) ? NULL : dentry->d_parent;
    lru_del(dentry);
    list_del_init(&dentry->d_hash);
    list_del_init(&dentry->d_child);
    dentry_iput(dentry);
    if (!name_is_inline(dentry))
        kfree(dentry->d_name.name);
    dentry_stat.nr_dentry--;
    kmem_cache_free(dentry_cachep, dentry);
    return parent;
}

static bool is_worth_keeping(const struct dentry *dentry)
{
    return !d_unhashed(dentry) && !(dentry->d_op && dentry->d_op->d_delete && dentry->d_op->d_delete(dentry));
}

void dput(struct dentry *dentry)
{
    while (dentry) {
        BUG_ON(dentry->d_count == 0);
        if (--dentry->d_count)
            return;
        if (is_worth_keeping(dentry)) {
            list_add(&dentry->d_lru, &unused_list);
            dentry_stat.nr_unused++;
            return;
        }
        dentry = dentry_kill(dentry);
    }
}

/* A reference to one that may have had no users. */
static struct dentry *dget_found(struct dentry *dentry)
{
    lru_del(dentry);
    return dget(dentry);
}

void d_instantiate(struct dentry *dentry, struct inode *inode)
{
    dentry->d_inode = inode;
    if (inode)
        list_add(&dentry->d_alias, &inode->i_dentry);
}

void d_rehash(struct dentry *dentry)
{
    struct qstr *name = &dentry->d_name;
    name->hash = full_name_hash(dentry->d_parent, name->name, name->len);
    list_add(&dentry->d_hash, bucket_of(name->hash));
}

void d_add(struct dentry *dentry, struct inode *inode)
{
    d_instantiate(dentry, inode);
    d_rehash(dentry);
}

struct dentry *d_splice_alias(struct inode *inode, struct dentry *dentry)
{
    if (IS_ERR(inode))
        return ERR_PTR(PTR_ERR(inode));
    if (inode && S_ISDIR(inode->i_mode) && !list_empty(&inode->i_dentry)) {
        struct dentry *alias = list_first_entry(&inode->i_dentry, struct dentry, d_alias);
        dget_found(alias);
        iput(inode);
        if (d_unhashed(alias))
            d_rehash(alias);
        return alias;
    }
    d_add(dentry, inode);
    return NULL;
}

struct dentry *d_lookup(struct dentry *parent, const struct qstr *name)
{
    struct dentry *dentry;
    list_for_each_entry(dentry, bucket_of(name->hash), d_hash)
    {
        const struct qstr *other = &dentry->d_name;
        if (dentry->d_parent == parent && other->hash == name->hash && other->len == name->len &&
            memcmp(other->name, name->name, name->len) == 0)
            return dget_found(dentry);
    }
    return NULL;
}

struct dentry *d_hash_and_lookup(struct dentry *parent, const char *name)
{
    u32 len = (u32)strlen(name);
    const struct qstr of = {.name = name, .len = len, .hash = full_name_hash(parent, name, len)};
    return d_lookup(parent, &of);
}

void d_drop(struct dentry *dentry)
{
    list_del_init(&dentry->d_hash);
}

void d_delete(struct dentry *dentry)
{
    if (dentry->d_count == 1)
        dentry_iput(dentry);
    else
        d_drop(dentry);
}

static void swap_names(struct dentry *a, struct dentry *b)
{
    char text[DNAME_INLINE_LEN];
    struct qstr name = a->d_name;
    bool a_is_inline = name_is_inline(a), b_is_inline = name_is_inline(b);
    memcpy(text, a->d_iname, sizeof(text));
    memcpy(a->d_iname, b->d_iname, sizeof(text));
    memcpy(b->d_iname, text, sizeof(text));
    a->d_name = b->d_name;
    b->d_name = name;
    if (b_is_inline)
        a->d_name.name = a->d_iname;
    if (a_is_inline)
        b->d_name.name = b->d_iname;
}

/* Both are in no bucket. Each parent keeps as many references as before. */
static void swap_places(struct dentry *a, struct dentry *b)
{
    struct dentry *parent = a->d_parent;
    swap_names(a, b);
    list_del_init(&a->d_child);
    list_del_init(&b->d_child);
    add_child(a, b->d_parent);
    add_child(b, parent);
}

void d_move(struct dentry *dentry, struct dentry *target)
{
    d_drop(dentry);
    d_drop(target);
    swap_places(dentry, target);
    d_rehash(dentry);
}

bool is_subdir(const struct dentry *dentry, const struct dentry *ancestor)
{
    while (dentry != ancestor && !IS_ROOT(dentry))
        dentry = dentry->d_parent;
    return dentry == ancestor;
}

/* Freeing a name may make its folder an unused one. */
static void kill_unused(struct dentry *dentry)
{
    dput(dentry_kill(dentry));
}

static struct dentry *find_unused_below(const struct dentry *parent)
{
    struct dentry *dentry;
    list_for_each_entry(dentry, &unused_list, d_lru)
    {
        if (dentry != parent && is_subdir(dentry, parent))
            return dentry;
    }
    return NULL;
}

void shrink_dcache_parent(struct dentry *parent)
{
    struct dentry *dentry;
    while ((dentry = find_unused_below(parent)))
        kill_unused(dentry);
}

unsigned long shrink_dcache(unsigned long nr)
{
    unsigned long nr_freed = 0;
    for (; nr_freed < nr && !list_empty(&unused_list); nr_freed++)
        kill_unused(list_entry(unused_list.prev, struct dentry, d_lru));
    return nr_freed;
}

/* Without the root's own reference, and the one by which a file system without a medium keeps its files. */
static u32 users_beyond_the_file_system(const struct dentry *dentry)
{
    bool is_kept = IS_ROOT(dentry) || ((dentry->d_sb->s_type->fs_flags & FS_LITTER) && dentry->d_inode);
    return dentry->d_count - (is_kept && dentry->d_count ? 1 : 0);
}

void shrink_dcache_for_umount(struct dentry *root)
{
    struct dentry *dentry = root;
    while (dentry) {
        if (!list_empty(&dentry->d_subdirs)) {
            dentry = list_first_entry(&dentry->d_subdirs, struct dentry, d_child);
            continue;
        }
        if (users_beyond_the_file_system(dentry))
            pr_err("VFS: %s (%s) is still in use: %u\n", dentry->d_name.name, dentry->d_sb->s_type->name,
                   dentry->d_count);
        dentry = dentry_kill(dentry);
        if (dentry)
            dentry->d_count--;
    }
}
