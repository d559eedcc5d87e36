/* From names to places: the path walk. */
#pragma once

#include "fs.h"

#define LOOKUP_FOLLOW 0x1u    /* a symbolic link at the end is followed */
#define LOOKUP_DIRECTORY 0x2u /* must be a folder */
#define LOOKUP_PARENT 0x10u   /* ends at the folder of the last name */
#define LOOKUP_EMPTY 0x4000u  /* the empty name means where the walk begins */
#define MAXSYMLINKS 40

/* Kernel memory; 0 or an error. The caller has a reference then: path_put(). */
int kern_path(const char *name, u32 flags, struct path *path);
/* The same from a folder that is open as dfd (or AT_FDCWD). */
int kern_path_at(int dfd, const char *name, u32 flags, struct path *path);
/* The name in user memory. */
int user_path_at(int dfd, const char __user *name, u32 flags, struct path *path);

/* As mknod(2) of the current task: a file of that kind, for a name in kernel memory. 0 or an error. */
int kern_mknod(const char *name, umode_t mode);

/* A user's name in kernel memory: an address for putname(), or ERR_PTR(-EFAULT, -ENAMETOOLONG, -ENOENT). */
char *getname(const char __user *name);
char *getname_flags(const char __user *name, u32 flags);
void putname(char *name);
/* A buffer of PATH_MAX bytes for putname(); NULL: no memory. */
char *__getname(void);
void namei_init(void);

/* One name in a folder, with a reference or ERR_PTR: no links are followed. Locks the names. */
struct dentry *lookup_one_len(const char *name, struct dentry *parent, u32 len);

/*
 * What system calls do, with the names locked by the caller; 0 or an error. They check permissions and then
 * call the inode's operation.
 */
int vfs_create(struct inode *dir, struct dentry *dentry, umode_t mode);
int vfs_mkdir(struct inode *dir, struct dentry *dentry, umode_t mode);
int vfs_mknod(struct inode *dir, struct dentry *dentry, umode_t mode, dev_t dev);
int vfs_symlink(struct inode *dir, struct dentry *dentry, const char *target);
int vfs_link(struct dentry *old_dentry, struct inode *dir, struct dentry *new_dentry);
int vfs_unlink(struct inode *dir, struct dentry *dentry);
int vfs_rmdir(struct inode *dir, struct dentry *dentry);
int vfs_rename(struct inode *old_dir, struct dentry *old_dentry, struct inode *new_dir,
               struct dentry *new_dentry, u32 flags);
#define RENAME_NOREPLACE 1u
