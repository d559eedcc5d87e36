/*
 * The cache of names. A dentry is one name in one folder; its inode is what the name means, or NULL when it
 * is known that there is no such name (a negative dentry). Dentries that nobody uses stay until memory is
 * wanted (shrink_dcache()), their inodes with them.
 */
#pragma once

#include "list.h"
#include "types.h"

struct inode;
struct super_block;
struct dentry;

#define NAME_MAX 255
#define PATH_MAX 4096

/* A name that need not end with a NUL. */
struct qstr {
    const char *name;
    u32 len;
    u32 hash; /* full_name_hash() */
};

struct dentry_operations {
    /* False: what the cache knows of the name is no longer true; it is looked up anew. */
    bool (*d_revalidate)(struct dentry *dentry);
    /* True: is not kept when nobody uses it. */
    bool (*d_delete)(const struct dentry *dentry);
};

#define DNAME_INLINE_LEN 36

struct dentry {
    u32 d_count; /* users: paths, children, and a file system that keeps its files only here */
    u32 d_flags;
    struct dentry *d_parent; /* itself: the root of a file system, or a name that has no folder */
    struct qstr d_name;
    struct inode *d_inode;
    struct super_block *d_sb;
    const struct dentry_operations *d_op; /* or NULL */
    void *d_fsdata;                       /* the file system's own */
    u32 d_order;              /* among its siblings: grows along d_parent->d_subdirs, and never comes twice */
    struct list_head d_hash;  /* of its bucket; empty: cannot be found any more */
    struct list_head d_child; /* in d_parent->d_subdirs */
    struct list_head d_subdirs;
    struct list_head d_lru;         /* while d_count is 0 */
    struct list_head d_alias;       /* the names of an inode: inode->i_dentry */
    char d_iname[DNAME_INLINE_LEN]; /* of short names */
};

#define DCACHE_MOUNTED 0x1u /* something is mounted here, in some place of the tree of mounts */

void dcache_init(void);
u32 full_name_hash(const struct dentry *parent, const char *name, u32 len);

/* A negative dentry with one user, not yet to be found; NULL: no memory. */
struct dentry *d_alloc(struct dentry *parent, const struct qstr *name);
/* The root of a file system. Takes over the inode, also when it fails (NULL). */
struct dentry *d_make_root(struct inode *root_inode);
/* A name that is in no folder (pipes, sockets): what /proc/PID/fd shows for it. */
struct dentry *d_alloc_pseudo(struct super_block *sb, const struct qstr *name);
/* The name gets a meaning; takes over the caller's reference to the inode. */
void d_instantiate(struct dentry *dentry, struct inode *inode);
/* From now on the name can be found. */
void d_rehash(struct dentry *dentry);
/* What ->lookup() does at its end: d_instantiate() (inode may be NULL) and d_rehash(). */
void d_add(struct dentry *dentry, struct inode *inode);
/*
 * The same for an inode that may be a folder: a folder has one name only. Returns NULL, the dentry that the
 * folder has already, or inode itself if it is an error pointer.
 */
struct dentry *d_splice_alias(struct inode *inode, struct dentry *dentry);
/* What the cache knows, with a reference, or NULL. d_lookup() wants the hash. */
struct dentry *d_lookup(struct dentry *parent, const struct qstr *name);
struct dentry *d_hash_and_lookup(struct dentry *parent, const char *name);
/* The name cannot be found any more; who has it goes on using it. */
void d_drop(struct dentry *dentry);
/* The name is gone from its folder: becomes negative, or is dropped if somebody still uses it. */
void d_delete(struct dentry *dentry);
/* dentry takes target's name and place; target, which has lost its meaning, is dropped. */
void d_move(struct dentry *dentry, struct dentry *target);
/* Drops all that can be dropped below a folder. */
void shrink_dcache_parent(struct dentry *parent);
/* Frees up to so many dentries that nobody uses, the longest unused first. Returns how many it freed. */
unsigned long shrink_dcache(unsigned long nr);
/* At the end of a file system: none of its dentries may be in use but the root, once. All go. */
void shrink_dcache_for_umount(struct dentry *root);
/* dentry is ancestor, or lies below it. */
bool is_subdir(const struct dentry *dentry, const struct dentry *ancestor);

static inline struct dentry *dget(struct dentry *dentry)
{
    if (dentry)
        dentry->d_count++;
    return dentry;
}

/* The last one leaves it to the cache. NULL is nothing. */
void dput(struct dentry *dentry);

static inline bool d_unhashed(const struct dentry *dentry)
{
    return list_empty(&dentry->d_hash);
}

static inline bool d_is_negative(const struct dentry *dentry)
{
    return dentry->d_inode == NULL;
}

static inline bool IS_ROOT(const struct dentry *dentry)
{
    return dentry->d_parent == dentry;
}

/* A dentry that is in use cannot be freed by dput(); the unused ones are what the cache could give back. */
struct dentry_stat {
    unsigned long nr_dentry, nr_unused;
};
extern struct dentry_stat dentry_stat;
