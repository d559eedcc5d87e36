/* From a place to its name. */
#include "err.h"
#include "fs_struct.h"
#include "internal.h"
#include "string.h"

void path_get(const struct path *path)
{
    mntget(path->mnt);
    dget(path->dentry);
}

void path_put(const struct path *path)
{
    dput(path->dentry);
    mntput(path->mnt);
}

/* Text that grows towards lower addresses. */
struct prepend_buffer {
    char *start;
    u32 room;
    bool is_full;
};

static void prepend(struct prepend_buffer *b, const char *text, u32 len)
{
    if (len > b->room)
        b->is_full = true;
    if (b->is_full)
        return;
    b->room -= len;
    b->start -= len;
    memcpy(b->start, text, len);
}

/* Returns false at a name that is in no folder. */
static bool prepend_path(struct prepend_buffer *b, const struct path *path, const struct path *root)
{
    const struct vfsmount *mnt = path->mnt;
    const struct dentry *dentry = path->dentry;
    while (dentry != root->dentry || mnt != root->mnt) {
        if (dentry == mnt->mnt_root) {
            if (mnt->mnt_parent == mnt)
                break;
            dentry = mnt->mnt_mountpoint;
            mnt = mnt->mnt_parent;
            continue;
        }
        prepend(b, dentry->d_name.name, dentry->d_name.len);
        if (IS_ROOT(dentry))
            return false;
        prepend(b, "/", 1);
        dentry = dentry->d_parent;
    }
    return true;
}

char *d_path(const struct path *path, char *buf, u32 buf_bytes)
{
    static const char deleted[] = " (deleted)";
    struct prepend_buffer b = {.start = buf + buf_bytes, .room = buf_bytes};
    struct path root;
    get_fs_root(&root);
    prepend(&b, "", 1);
    if (!IS_ROOT(path->dentry) && d_unhashed(path->dentry))
        prepend(&b, deleted, sizeof(deleted) - 1);
    const char *end = b.start;
    if (prepend_path(&b, path, &root) && b.start == end)
        prepend(&b, "/", 1);
    path_put(&root);
    return b.is_full ? ERR_PTR(-ENAMETOOLONG) : b.start;
}
