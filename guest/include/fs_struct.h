/* Where in the tree of files tasks are. */
#pragma once

#include "path.h"
#include "types.h"

struct task_struct;

struct fs_struct {
    u32 users; /* tasks */
    u32 umask;
    struct path root, pwd;
};

/* A child shares the parent's (CLONE_FS) or gets a copy. 0 or -ENOMEM. */
int copy_fs(u32 clone_flags, struct task_struct *task);
void exit_fs(struct task_struct *task);
/* Of the current task; with references. */
void get_fs_root(struct path *root);
void get_fs_pwd(struct path *pwd);
/* Takes references of its own. */
void set_fs_root(const struct path *path);
void set_fs_pwd(const struct path *path);
u32 current_umask(void);
