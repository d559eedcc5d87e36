/* How the tree of files begins, with the embedded programs in /bin, and how it ends. */
#include "binfmts.h"
#include "blkdev.h"
#include "buffer_head.h"
#include "bug.h"
#include "err.h"
#include "fdtable.h"
#include "fs_calls.h"
#include "fs_struct.h"
#include "internal.h"
#include "libfs.h"
#include "mount.h"
#include "net.h"
#include "params.h"
#include "sched.h"
#include "string.h"
#include "swapops.h"
#include "uaccess.h"
#include "zram.h"

static struct vfsmount *rootfs_mnt;

void __init vfs_init(void)
{
    dcache_init();
    inode_init();
    files_init();
    namei_init();
    ramfs_init();
    tmpfs_init();
    cgroup_init();
    devtmpfs_init();
    pipefs_init();
    sockfs_init();
    bdev_init();
    buffer_init();
    ext2_init();
    chr_dev_init();
}

static void make_folders(void)
{
    static const char *const names[] = {"/bin", "/dev", "/mnt", "/proc", "/root", "/tmp"};
    bool before = set_fs_kernel(true);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (do_mkdirat(AT_FDCWD, names[i], 0755))
            panic("VFS: no memory for %s", names[i]);
    set_fs_kernel(before);
}

static int write_program(const struct user_program *program)
{
    char name[32];
    loff_t pos = 0;
    size_t bytes = (size_t)(program->image_end - program->image);
    snprintf(name, sizeof(name), "/bin/%s", program->name);
    struct file *file = filp_open(name, O_WRONLY | O_CREAT | O_EXCL, 0755);
    if (IS_ERR(file))
        return (int)PTR_ERR(file);
    ssize_t done = kernel_write(file, program->image, bytes, &pos);
    fput(file);
    return done == (ssize_t)bytes ? 0 : -ENOSPC;
}

static void write_programs(void)
{
    for (const struct user_program *program = __start_user_programs; program < __stop_user_programs;
         program++)
        if (write_program(program))
            panic("VFS: no memory for /bin/%s", program->name);
}

/* Standard input, output and error output are the console. */
static void open_console(void)
{
    struct file *console = filp_open("/dev/console", O_RDWR, 0);
    if (IS_ERR(console))
        panic("VFS: no /dev/console (error %ld)", -PTR_ERR(console));
    for (u32 i = 0; i < 3; i++)
        fd_install((u32)get_unused_fd_flags(0), i ? get_file(console) : console);
}

void vfs_start(void)
{
    rootfs_mnt = kern_mount(get_fs_type("rootfs"), 0, "rootfs", NULL);
    if (IS_ERR(rootfs_mnt))
        panic("VFS: no memory for the root");
    const struct path root = {.mnt = rootfs_mnt, .dentry = rootfs_mnt->mnt_root};
    list_add_tail(&rootfs_mnt->mnt_list, &mount_list);
    if (init_fs_struct(&root) || copy_files(0, current) || pipefs_start() || sockfs_start() || bdev_start() ||
        shmem_start())
        panic("VFS: no memory for the first task's files");
    find_partitions();
    zram_start();
    make_folders();
    write_programs();
    int error = do_mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
    if (error)
        panic("VFS: cannot mount /dev (error %d)", -error);
    open_console();
}

void prepare_namespace(void)
{
    if (boot_params.root == NULL)
        return;
    int error = mount_root(boot_params.root, "ext2", boot_params.is_root_read_only ? SB_RDONLY : 0);
    if (error)
        panic("VFS: Unable to mount root fs on %s (error %d)", boot_params.root, -error);
    pr_info("VFS: Mounted root (ext2 filesystem) on %s.\n", boot_params.root);
}

void vfs_shutdown(void)
{
    swapoff_all();
    unmount_all(rootfs_mnt);
    rootfs_mnt = NULL;
    shmem_end();
    pipefs_end();
    sockfs_end();
    bdev_end();
    zram_end();
    if (dentry_stat.nr_dentry || inodes_stat.nr_inodes || nr_files)
        pr_err("VFS: still there: %lu dentries, %lu inodes, %lu files\n", dentry_stat.nr_dentry,
               inodes_stat.nr_inodes, nr_files);
}
