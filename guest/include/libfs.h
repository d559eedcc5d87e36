/* Operations of file systems whose files are in memory only: their names are the cache's, nowhere else. */
#pragma once

#include "fs.h"

/* A name that the cache does not know does not exist. */
struct dentry *simple_lookup(struct inode *dir, struct dentry *dentry);
int simple_link(struct dentry *old_dentry, struct inode *dir, struct dentry *new_dentry);
int simple_unlink(struct inode *dir, struct dentry *dentry);
int simple_rmdir(struct inode *dir, struct dentry *dentry);
int simple_rename(struct inode *old_dir, struct dentry *old_dentry, struct inode *new_dir,
                  struct dentry *new_dentry);
bool simple_empty(struct dentry *dentry);
int simple_statfs(struct dentry *dentry, struct kstatfs *buf);
/* The file gets this name: takes over the caller's reference, and the name has one more user. */
void simple_instantiate(struct inode *dir, struct dentry *dentry, struct inode *inode);
extern const struct file_operations simple_dir_operations;
extern const struct dentry_operations simple_dentry_operations; /* keeps no names that mean nothing */

/* ramfs: an inode of a mode, with operations; NULL: no memory. */
struct inode *ramfs_get_inode(struct super_block *sb, const struct inode *dir, umode_t mode, dev_t dev);
int ramfs_fill_super(struct super_block *sb, const char *data);
void ramfs_evict_inode(struct inode *inode);
void ramfs_init(void);
/* tmpfs is a ramfs with a limit, which s_fs_info has. */
extern const struct address_space_operations tmpfs_aops;
void tmpfs_init(void);

/* A file system without files, for inodes that have no names: pipes, sockets, block devices. */
struct super_block *mount_pseudo(const struct file_system_type *type, u32 flags, const char *dev_name,
                                 const char *data);

/* The kernel's own file systems: their types; and those that are there from the first task's start on. */
void devtmpfs_init(void);
void cgroup_init(void);
void pipefs_init(void);
int pipefs_start(void);
void pipefs_end(void);
int shmem_start(void);
void shmem_end(void);
void bdev_init(void);
int bdev_start(void);
void bdev_end(void);
