#include "fs_struct.h"
#include "errno.h"
#include "fs_calls.h"
#include "nameidata.h"
#include "sched.h"
#include "slab.h"

static struct fs_struct *copy_fs_struct(const struct fs_struct *old)
{
    struct fs_struct *fs = kzalloc(sizeof(*fs), GFP_KERNEL);
    if (fs == NULL)
        return NULL;
    *fs = *old;
    fs->users = 1;
    path_get(&fs->root);
    path_get(&fs->pwd);
    return fs;
}

int copy_fs(u32 clone_flags, struct task_struct *task)
{
    if (clone_flags & CLONE_FS) {
        task->fs = current->fs;
        current->fs->users++;
    } else {
        task->fs = copy_fs_struct(current->fs);
    }
    return task->fs ? 0 : -ENOMEM;
}

void exit_fs(struct task_struct *task)
{
    struct fs_struct *fs = task->fs;
    task->fs = NULL;
    if (fs == NULL || --fs->users)
        return;
    path_put(&fs->root);
    path_put(&fs->pwd);
    kfree(fs);
}

int init_fs_struct(const struct path *root)
{
    const struct fs_struct fs = {.umask = 022, .root = *root, .pwd = *root};
    current->fs = copy_fs_struct(&fs);
    return current->fs ? 0 : -ENOMEM;
}

void get_fs_root(struct path *root)
{
    *root = current->fs->root;
    path_get(root);
}

void get_fs_pwd(struct path *pwd)
{
    *pwd = current->fs->pwd;
    path_get(pwd);
}

static void set_place(struct path *place, const struct path *path)
{
    const struct path old = *place;
    path_get(path);
    *place = *path;
    path_put(&old);
}

void set_fs_root(const struct path *path)
{
    set_place(&current->fs->root, path);
}

void set_fs_pwd(const struct path *path)
{
    set_place(&current->fs->pwd, path);
}

u32 current_umask(void)
{
    return current->fs->umask;
}

long do_umask(u32 mask)
{
    u32 before = current->fs->umask;
    current->fs->umask = mask & S_IRWXUGO;
    return (long)before;
}
