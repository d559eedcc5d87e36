/* How pipes and FIFOs begin and end. */
#include "err.h"
#include "fdtable.h"
#include "fs_calls.h"
#include "internal.h"
#include "libfs.h"
#include "pipe.h"
#include "printk.h"
#include "sched.h"

static struct vfsmount *pipe_mnt;

static void put_pipe(struct inode *inode)
{
    struct pipe_inode_info *pipe = inode->i_pipe;
    if (--pipe->users)
        return;
    inode->i_pipe = NULL;
    free_pipe_info(pipe);
}

static void add_file(struct pipe_inode_info *pipe, const struct file *file)
{
    if (file->f_mode & FMODE_READ) {
        pipe->readers++;
        pipe->r_counter++;
        wake_up(&pipe->wr_wait);
    }
    if (file->f_mode & FMODE_WRITE) {
        pipe->writers++;
        pipe->w_counter++;
        wake_up(&pipe->rd_wait);
    }
}

int pipe_release(struct inode *inode, struct file *file)
{
    struct pipe_inode_info *pipe = inode->i_pipe;
    if (file->f_mode & FMODE_READ)
        pipe->readers--;
    if (file->f_mode & FMODE_WRITE)
        pipe->writers--;
    wake_up(&pipe->rd_wait);
    wake_up(&pipe->wr_wait);
    put_pipe(inode);
    return 0;
}

/* Waits until the other end has been opened, too. */
static int wait_for_partner(struct pipe_inode_info *pipe, const struct file *file)
{
    u32 r_counter = pipe->r_counter, w_counter = pipe->w_counter;
    if (file->f_mode & FMODE_READ)
        return wait_event_interruptible(pipe->rd_wait, pipe->writers || pipe->w_counter != w_counter);
    return wait_event_interruptible(pipe->wr_wait, pipe->readers || pipe->r_counter != r_counter);
}

int fifo_open(struct inode *inode, struct file *file)
{
    bool reads = file->f_mode & FMODE_READ, writes = file->f_mode & FMODE_WRITE;
    if (!reads && !writes)
        return -EINVAL;
    if (inode->i_pipe == NULL) {
        struct pipe_inode_info *pipe = alloc_pipe_info();
        if (pipe == NULL)
            return -ENOMEM;
        /* The allocation may have slept. */
        if (inode->i_pipe)
            free_pipe_info(pipe);
        else
            inode->i_pipe = pipe;
    }
    struct pipe_inode_info *pipe = inode->i_pipe;
    if (!reads && (file->f_flags & O_NONBLOCK) && pipe->readers == 0) {
        pipe->users++;
        put_pipe(inode);
        return -ENXIO;
    }
    pipe->users++;
    add_file(pipe, file);
    file->f_mode &= ~FMODE_LSEEK;
    /* A count that is not to come: there is a writer, whose end counts as one. */
    file->f_version = pipe->writers ? pipe->w_counter - 1 : pipe->w_counter;
    bool has_partner = reads ? pipe->writers : pipe->readers;
    int error = has_partner || (file->f_flags & O_NONBLOCK) ? 0 : wait_for_partner(pipe, file);
    if (error)
        pipe_release(inode, file);
    return error;
}

static struct inode *get_pipe_inode(void)
{
    struct inode *inode = new_inode(pipe_mnt->mnt_sb);
    if (inode == NULL)
        return NULL;
    inode->i_pipe = alloc_pipe_info();
    if (inode->i_pipe == NULL) {
        iput(inode);
        return NULL;
    }
    inode->i_ino = get_next_ino();
    inode_init_owner(inode, NULL, S_IFIFO | 0600);
    inode->i_atime = inode->i_mtime = inode->i_ctime = current_time();
    inode->i_fop = &pipefifo_fops;
    return inode;
}

/* A name for both ends, which holds the inode. */
static struct dentry *get_pipe_dentry(struct inode *inode)
{
    char text[24];
    const struct qstr name = {.name = text,
                              .len = (u32)snprintf(text, sizeof(text), "pipe:[%lu]", inode->i_ino)};
    struct dentry *dentry = d_alloc_pseudo(inode->i_sb, &name);
    if (dentry)
        d_instantiate(dentry, inode);
    else
        iput(inode);
    return dentry;
}

static struct file *open_end(const struct path *path, u32 f_mode, u32 flags)
{
    struct file *file = alloc_file(path, f_mode, &pipefifo_fops);
    if (IS_ERR(file))
        return file;
    file->f_flags = (flags & (O_NONBLOCK | O_DIRECT)) | ((f_mode & FMODE_WRITE) ? O_WRONLY : O_RDONLY);
    file_inode(file)->i_pipe->users++;
    add_file(file_inode(file)->i_pipe, file);
    file->f_version = ~0u;
    return file;
}

static int create_pipe_files(struct file *files[2], u32 flags)
{
    struct inode *inode = get_pipe_inode();
    if (inode == NULL)
        return -ENFILE;
    /* As long as there is no file. */
    struct pipe_inode_info *pipe = inode->i_pipe;
    pipe->users = 1;
    struct path path = {.mnt = pipe_mnt, .dentry = get_pipe_dentry(inode)};
    if (path.dentry == NULL) {
        free_pipe_info(pipe);
        return -ENFILE;
    }
    files[0] = open_end(&path, FMODE_READ, flags);
    files[1] = IS_ERR(files[0]) ? files[0] : open_end(&path, FMODE_WRITE, flags);
    int error = IS_ERR(files[1]) ? (int)PTR_ERR(files[1]) : 0;
    if (error && !IS_ERR(files[0]))
        fput(files[0]);
    put_pipe(inode);
    dput(path.dentry);
    return error;
}

static int get_two_fds(int fds[2], u32 flags)
{
    fds[0] = get_unused_fd_flags(flags);
    if (fds[0] < 0)
        return fds[0];
    fds[1] = get_unused_fd_flags(flags);
    if (fds[1] >= 0)
        return 0;
    put_unused_fd((u32)fds[0]);
    return fds[1];
}

long do_pipe2(int fds[2], u32 flags)
{
    struct file *files[2];
    if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
        return -EINVAL;
    int error = get_two_fds(fds, flags);
    if (error)
        return error;
    error = create_pipe_files(files, flags);
    for (u32 i = 0; i < 2; i++) {
        if (error)
            put_unused_fd((u32)fds[i]);
        else
            fd_install((u32)fds[i], files[i]);
    }
    return error;
}

static struct file_system_type pipefs_type = {.name = "pipefs", .mount = mount_pseudo};

void pipefs_init(void)
{
    register_filesystem(&pipefs_type);
}

int pipefs_start(void)
{
    pipe_mnt = kern_mount(&pipefs_type, 0, "pipefs", NULL);
    return IS_ERR(pipe_mnt) ? (int)PTR_ERR(pipe_mnt) : 0;
}

void pipefs_end(void)
{
    mntput(pipe_mnt);
    pipe_mnt = NULL;
}
