/* Files that are open. */
#include "bug.h"
#include "err.h"
#include "filelock.h"
#include "internal.h"
#include "slab.h"

static struct kmem_cache *filp_cachep;
unsigned long nr_files;

void files_init(void)
{
    filp_cachep = kmem_cache_create("filp", sizeof(struct file), 0, SLAB_PANIC, NULL);
}

struct file *alloc_file(const struct path *path, u32 f_mode, const struct file_operations *fop)
{
    struct file *file = kmem_cache_zalloc(filp_cachep, GFP_KERNEL);
    if (file == NULL)
        return ERR_PTR(-ENFILE);
    file->f_count = 1;
    file->f_mode = f_mode;
    mutex_init(&file->f_pos_lock);
    file->f_path = *path;
    path_get(path);
    file->f_inode = path->dentry->d_inode;
    file->f_mapping = file->f_inode->i_mapping;
    file->f_op = fop;
    nr_files++;
    return file;
}

void fput(struct file *file)
{
    BUG_ON(file->f_count == 0);
    if (--file->f_count)
        return;
    struct inode *inode = file_inode(file);
    if (inode->i_flock)
        unlock_all(inode, file);
    if (file->f_op->release)
        file->f_op->release(inode, file);
    if ((file->f_mode & FMODE_WRITE) && S_ISREG(inode->i_mode))
        inode->i_writecount--;
    path_put(&file->f_path);
    nr_files--;
    kmem_cache_free(filp_cachep, file);
}
