/* A place in the tree of all mounted file systems. */
#pragma once

#include "types.h"

struct vfsmount;
struct dentry;

struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
};

void path_get(const struct path *path);
void path_put(const struct path *path);

static inline bool path_equal(const struct path *a, const struct path *b)
{
    return a->mnt == b->mnt && a->dentry == b->dentry;
}

/*
 * The path's name from the current task's root, in the end of buf; " (deleted)" behind a name that is gone.
 * Returns where it begins, or ERR_PTR(-ENAMETOOLONG).
 */
char *d_path(const struct path *path, char *buf, u32 buf_bytes);
