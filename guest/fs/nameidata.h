/* A path walk in progress. */
#pragma once

#include "internal.h"

/* What the last name is: an ordinary one, ".", "..", or none (only slashes). */
enum last_type { LAST_NORM, LAST_ROOT, LAST_DOT, LAST_DOTDOT };

struct nameidata {
    struct path path; /* where the walk is */
    struct path root; /* where it goes for a name that begins with a slash, and never above */
    const char *name; /* what is still to be walked */
    char *buffer;     /* in which that lies, after a symbolic link; or NULL */
    u32 flags;        /* LOOKUP_ flags */
    u32 nr_links;     /* symbolic links so far */
    /* LOOKUP_PARENT: the name at which the walk has stopped. */
    struct qstr last;
    enum last_type last_type;
    bool has_trailing_slash;
};

/* 0 or an error; then there is nothing to end. The name must live as long as the walk. */
int nameidata_begin(struct nameidata *nd, int dfd, const char *name, u32 flags);
void nameidata_end(struct nameidata *nd);
/* Walks nd->name to its end, or to the last name. */
int path_walk(struct nameidata *nd);
/*
 * Makes a symbolic link what is to be walked, with rest behind it. Takes over the references of link. A
 * LOOKUP_PARENT walk that goes on from here stops at the link's last name.
 */
int follow_link(struct nameidata *nd, struct path *link, const char *rest);
/* From a place where something is mounted to what is seen there. */
void follow_mounts(struct path *path);
/* A name in a folder, from the cache or the file system, with the names locked. */
struct dentry *lookup_locked(struct dentry *parent, const struct qstr *name);

/* permission.c */
int may_create(struct inode *dir);
int may_delete(struct inode *dir, const struct dentry *victim, bool is_dir);
bool is_owner_or_root(const struct inode *inode);
