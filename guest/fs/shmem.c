/* Memory that processes share without a file: pages of a file of a tmpfs that has no name. */
#include "err.h"
#include "libfs.h"
#include "mount.h"

static struct vfsmount *shm_mnt;

struct file *shmem_zero_file(loff_t bytes)
{
    static const struct qstr name = {.name = "/dev/zero (deleted)", .len = 19};
    struct inode *inode = shm_mnt ? ramfs_get_inode(shm_mnt->mnt_sb, NULL, S_IFREG | S_IRWXUGO, 0) : NULL;
    if (inode == NULL)
        return ERR_PTR(shm_mnt ? -ENOMEM : -ENODEV);
    i_size_write(inode, bytes);
    const struct path path = {.mnt = shm_mnt, .dentry = d_alloc_pseudo(inode->i_sb, &name)};
    if (path.dentry == NULL) {
        iput(inode);
        return ERR_PTR(-ENOMEM);
    }
    d_instantiate(path.dentry, inode);
    struct file *file = alloc_file(&path, FMODE_READ | FMODE_WRITE, inode->i_fop);
    dput(path.dentry);
    return file;
}

int shmem_start(void)
{
    shm_mnt = kern_mount(get_fs_type("tmpfs"), 0, "tmpfs", NULL);
    int error = IS_ERR(shm_mnt) ? (int)PTR_ERR(shm_mnt) : 0;
    if (error)
        shm_mnt = NULL;
    return error;
}

void shmem_end(void)
{
    mntput(shm_mnt);
    shm_mnt = NULL;
}
