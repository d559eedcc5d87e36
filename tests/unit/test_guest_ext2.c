/*
 * The guest's ext2 under its virtual file system, compiled for the host, on images that mke2fs makes: random
 * calls in the root of an image and in an empty folder of the host's must have the same results and leave the
 * same tree, and e2fsck must find nothing. Damaged images give errors.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host_disk.h"
#include "host_random.h"
#include "host_vfs.h"

#define MOST_BYTES 400000u
#define NR_NAMES 12u
#define GUEST_DIR "/disk"
#ifdef __SANITIZE_ADDRESS__
#define NR_STEPS 600u
#define NR_DAMAGES 20u
#else
#define NR_STEPS 2500u
#define NR_DAMAGES 60u
#endif

static char folder[64], image[128], tree[128], buffer_text[256];
static int image_fd;

static void run(const char *format, ...)
{
    char command[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    int status = system(command); // NOLINT(cert-env33-c): nothing of it comes from outside
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: %d", command, status);
}

static void make_image(unsigned block_bytes, unsigned kbytes, const char *options)
{
    run("mke2fs -q -t ext2 -F -b %u %s %s %uk >/dev/null", block_bytes, options, image, kbytes);
}

static void start(void)
{
    strcpy(folder, "/tmp/guest-ext2-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(image, sizeof(image), "%s/image", folder);
    snprintf(tree, sizeof(tree), "%s/tree", folder);
    cr_assert_eq(mkdir(tree, 0755), 0);
    umask(022);
    guest_vfs_start(0, 0);
    guest_umask(022);
    cr_assert_eq(guest_mkdirat(HOST_AT_FDCWD, GUEST_DIR, 0755), 0);
}

static void stop(void)
{
    run("rm -rf %s", folder);
}

static long insert_disk(void)
{
    struct stat st;
    image_fd = open(image, O_RDWR | O_CLOEXEC);
    cr_assert(image_fd >= 0 && fstat(image_fd, &st) == 0);
    guest_disk_start(image_fd, (unsigned long)st.st_size);
    return guest_mount_ext2(GUEST_DIR);
}

static void remove_disk(bool is_mounted)
{
    if (is_mounted)
        cr_assert_eq(guest_umount(GUEST_DIR), 0);
    guest_disk_end();
    close(image_fd);
}

static void check_image(void)
{
    run("e2fsck -fn %s >%s/e2fsck.log 2>&1 || { cat %s/e2fsck.log; exit 1; }", image, folder, folder);
}

/* ---- The same calls on both sides ---- */

static char host_name[PATH_MAX], guest_name[PATH_MAX];

/* Names up to three levels deep, some of them long, so that folders need more than a block. */
static void choose_name(char *host, char *guest)
{
    char name[3 * 130] = "";
    unsigned depth = 1 + random_below(3);
    for (unsigned i = 0; i < depth; i++) {
        unsigned nr = random_below(NR_NAMES);
        size_t used = strlen(name);
        snprintf(name + used, sizeof(name) - used, "/%c%0*u", 'a' + (char)nr, nr > 8 ? 120 : 1, nr);
    }
    snprintf(host, PATH_MAX, "%s%s", tree, name);
    snprintf(guest, PATH_MAX, GUEST_DIR "%s", name);
}

static void same(long host, long guest, const char *call)
{
    long expected = host < 0 ? -errno : host;
    cr_assert_eq(guest, expected, "%s of %s: %ld instead of %ld", call, guest_name, guest, expected);
}

static unsigned char buffer[MOST_BYTES], guest_buffer[MOST_BYTES];

static void try_write(void)
{
    unsigned flags = O_RDWR | (random_below(2) ? O_CREAT : 0) | (random_below(10) ? 0 : O_TRUNC);
    int host = open(host_name, (int)flags | O_CLOEXEC, 0644);
    long guest = guest_openat(HOST_AT_FDCWD, guest_name, flags, 0644);
    same(host < 0 ? -1 : 0, guest < 0 ? guest : 0, "open");
    if (host < 0)
        return;
    for (unsigned n = random_below(4); n > 0; n--) {
        off_t pos = random_below(random_below(4) ? 20000 : 3 * MOST_BYTES);
        unsigned bytes = random_below(random_below(8) ? 3000 : MOST_BYTES / 8);
        for (unsigned i = 0; i < bytes; i++)
            buffer[i] = (unsigned char)random_below(256);
        /* Whole blocks here and there, so that there are holes between. */
        if (random_below(2)) {
            pos -= pos % 1024;
            bytes = 1024;
        }
        same(lseek(host, pos, SEEK_SET), guest_lseek((int)guest, pos, SEEK_SET), "lseek");
        same(write(host, buffer, bytes), guest_write((int)guest, buffer, bytes), "write");
    }
    if (random_below(4) == 0) {
        off_t size = random_below(random_below(3) ? 20000 : 3 * MOST_BYTES);
        same(ftruncate(host, size), guest_ftruncate((int)guest, size), "ftruncate");
    }
    close(host);
    cr_assert_eq(guest_close((int)guest), 0);
}

static void try_read(void)
{
    int host = open(host_name, O_RDONLY | O_CLOEXEC);
    long guest = guest_openat(HOST_AT_FDCWD, guest_name, O_RDONLY, 0);
    same(host < 0 ? -1 : 0, guest < 0 ? guest : 0, "open");
    if (host < 0)
        return;
    off_t pos = random_below(20000);
    lseek(host, pos, SEEK_SET);
    guest_lseek((int)guest, pos, SEEK_SET);
    long got = read(host, buffer, MOST_BYTES);
    same(got, guest_read((int)guest, guest_buffer, MOST_BYTES), "read");
    cr_assert(got <= 0 || memcmp(buffer, guest_buffer, (size_t)got) == 0, "%s has other bytes", guest_name);
    close(host);
    cr_assert_eq(guest_close((int)guest), 0);
}

static void try_symlink(void)
{
    char target[200];
    unsigned length = 1 + random_below(random_below(2) ? 59 : sizeof(target) - 2);
    memset(target, 'x', length);
    target[length] = '\0';
    same(symlink(target, host_name), guest_symlinkat(target, HOST_AT_FDCWD, guest_name), "symlink");
}

static void check_readlink(void)
{
    char host[PATH_MAX], guest[PATH_MAX];
    long got = readlink(host_name, host, sizeof(host));
    same(got, guest_readlinkat(HOST_AT_FDCWD, guest_name, guest, sizeof(guest)), "readlink");
    cr_assert(got < 0 || memcmp(host, guest, (size_t)got) == 0);
}

static void check_stat(void)
{
    struct stat host;
    struct guest_stat guest;
    long result = lstat(host_name, &host);
    same(result, guest_fstatat(HOST_AT_FDCWD, guest_name, AT_SYMLINK_NOFOLLOW, &guest), "lstat");
    if (result < 0)
        return;
    cr_assert_eq(guest.mode, host.st_mode, "%s: mode %o instead of %o", guest_name, guest.mode, host.st_mode);
    if (!S_ISDIR(host.st_mode)) {
        cr_assert_eq(guest.size, host.st_size);
        cr_assert_eq(guest.nlink, host.st_nlink);
    }
}

static bool is_fifo(const char *name)
{
    struct stat st;
    return stat(name, &st) == 0 && S_ISFIFO(st.st_mode);
}

static void step(void)
{
    char host_other[PATH_MAX], guest_other[PATH_MAX];
    choose_name(host_name, guest_name);
    choose_name(host_other, guest_other);
    switch (random_below(16)) {
    case 0:
    case 1:
        same(mkdir(host_name, 0755), guest_mkdirat(HOST_AT_FDCWD, guest_name, 0755), "mkdir");
        break;
    case 2:
        same(rmdir(host_name), guest_unlinkat(HOST_AT_FDCWD, guest_name, AT_REMOVEDIR), "rmdir");
        break;
    case 3:
        same(unlink(host_name), guest_unlinkat(HOST_AT_FDCWD, guest_name, 0), "unlink");
        break;
    case 4:
        same(rename(host_name, host_other),
             guest_renameat2(HOST_AT_FDCWD, guest_name, HOST_AT_FDCWD, guest_other, 0), "rename");
        break;
    case 5:
        same(link(host_name, host_other),
             guest_linkat(HOST_AT_FDCWD, guest_name, HOST_AT_FDCWD, guest_other, 0), "link");
        break;
    case 6:
        try_symlink();
        break;
    case 7:
        check_readlink();
        break;
    case 8:
        same(mkfifo(host_name, 0600), guest_mkfifoat(HOST_AT_FDCWD, guest_name, 0600), "mkfifo");
        break;
    case 9:
    case 10:
        check_stat();
        break;
    case 11:
    case 12:
        if (access(host_name, F_OK) || !is_fifo(host_name))
            try_read();
        break;
    default:
        if (access(host_name, F_OK) || !is_fifo(host_name))
            try_write();
        break;
    }
}

/* What debugfs, which knows nothing of us, finds on the image is what the host's folder holds. */
static void compare_trees(void)
{
    run("mkdir %s/dump && debugfs -R 'rdump / %s/dump' %s >/dev/null 2>&1 && rmdir %s/dump/lost+found && "
        "find %s/tree %s/dump -type p -delete && diff -r --no-dereference %s/tree %s/dump",
        folder, folder, image, folder, folder, folder, folder, folder);
}

static void remove_and_check(void)
{
    remove_disk(true);
    check_image();
}

static void run_steps(void)
{
    for (unsigned n = 0; n < NR_STEPS; n++) {
        step();
        if (n % 100 == 99)
            cr_assert_eq(guest_syncfs(GUEST_DIR), 0);
        if (n % 50 == 49)
            guest_drop_caches();
        if (n % 800 == 799) {
            remove_and_check();
            cr_assert_eq(insert_disk(), 0);
        }
    }
}

static void run_on(unsigned block_bytes, unsigned kbytes, const char *options)
{
    make_image(block_bytes, kbytes, options);
    cr_assert_eq(insert_disk(), 0);
    run_steps();
    remove_and_check();
    compare_trees();
    cr_assert_eq(guest_vfs_end(), 0);
}

Test(guest_ext2, blocks_of_1024_bytes, .init = start, .fini = stop)
{
    run_on(1024, 64000, "");
}

Test(guest_ext2, blocks_of_2048_bytes, .init = start, .fini = stop)
{
    run_on(2048, 64000, "-O ^filetype,^resize_inode,^dir_index");
}

Test(guest_ext2, blocks_of_4096_bytes_and_old_inodes, .init = start, .fini = stop)
{
    run_on(4096, 64000, "-I 128 -g 8192");
}

/* ---- What goes wrong ---- */

/* A few files and folders, large and small, for an image to begin with. */
static void fill_tree(void)
{
    run("cd %s && mkdir a0 b1 a0/c2 && head -c 300000 /dev/zero | tr '\\0' x >a0/d3 && echo text >b1/e4 && "
        "ln -s e4 "
        "b1/f5 && mkfifo a0/g6 && for i in 0 1 2 3 4 5 6 7 8 9; do echo $i "
        ">a0/c2/file-with-a-longer-name-$i; done",
        tree);
}

/* Looks at all names below a folder, and reads all files; what it gets is whatever is left there. */
static void read_everything(const char *name, unsigned depth)
{
    static char entries[6][4096];
    struct guest_stat stat;
    long fd = guest_openat(HOST_AT_FDCWD, name, O_RDONLY | O_NONBLOCK, 0), bytes;
    if (fd < 0)
        return;
    if (guest_fstat((int)fd, &stat) == 0 && S_ISREG(stat.mode))
        while (guest_read((int)fd, guest_buffer, sizeof(guest_buffer)) > 0 &&
               guest_lseek((int)fd, 0, SEEK_CUR) < 2000000)
            ;
    while (depth < 6 && (bytes = guest_getdents64((int)fd, entries[depth], sizeof(entries[0]))) > 0) {
        for (long at = 0; at < bytes;) {
            const char *entry = &entries[depth][at];
            unsigned short reclen;
            char path[PATH_MAX];
            memcpy(&reclen, entry + 16, sizeof(reclen));
            at += reclen;
            if (strcmp(entry + 19, ".") == 0 || strcmp(entry + 19, "..") == 0)
                continue;
            snprintf(path, sizeof(path), "%s/%s", name, entry + 19);
            if (guest_fstatat(HOST_AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &stat) == 0 &&
                (S_ISREG(stat.mode) || S_ISDIR(stat.mode)))
                read_everything(path, depth + 1);
            (void)guest_readlinkat(HOST_AT_FDCWD, path, (char *)guest_buffer, 100);
        }
    }
    guest_close((int)fd);
}

/* Calls whose results nobody can know. */
static void change_something(void)
{
    char other[PATH_MAX];
    choose_name(host_name, other);
    choose_name(host_name, guest_name);
    switch (random_below(6)) {
    case 0:
        (void)guest_mkdirat(HOST_AT_FDCWD, guest_name, 0755);
        break;
    case 1:
        (void)guest_unlinkat(HOST_AT_FDCWD, guest_name, random_below(2) ? AT_REMOVEDIR : 0);
        break;
    case 2:
        (void)guest_renameat2(HOST_AT_FDCWD, guest_name, HOST_AT_FDCWD, other, 0);
        break;
    case 3:
        (void)guest_truncate(guest_name, random_below(400000));
        break;
    default: {
        long fd = guest_openat(HOST_AT_FDCWD, guest_name, O_RDWR | O_CREAT | O_NONBLOCK, 0644);
        if (fd < 0)
            break;
        (void)guest_lseek((int)fd, random_below(300000), SEEK_SET);
        (void)guest_write((int)fd, buffer, random_below(20000));
        (void)guest_close((int)fd);
        break;
    }
    }
}

/* Other bytes somewhere, mostly where the file system keeps its own data. */
static void damage_image(void)
{
    int fd = open(image, O_RDWR | O_CLOEXEC);
    cr_assert_geq(fd, 0);
    for (unsigned n = 1 + random_below(30); n > 0; n--) {
        unsigned char bytes[4];
        off_t limits[] = {1024 + 200, 4096, 100000, 2000000};
        off_t from = random_below(2) ? 1024 : 0;
        off_t pos = from + random_below((unsigned)(limits[random_below(4)] - from));
        for (unsigned i = 0; i < sizeof(bytes); i++)
            bytes[i] = random_below(3) ? (unsigned char)random_below(256) : 0xFF;
        /* The magic number stays: without it there is nothing to see. */
        if (pos + 4 <= 1024 + 56 || pos >= 1024 + 58)
            cr_assert_gt(pwrite(fd, bytes, 1 + random_below(4), pos), 0);
    }
    close(fd);
}

Test(guest_ext2, damaged_images_give_errors, .init = start, .fini = stop, .timeout = 60)
{
    unsigned nr_mounted = 0;
    fill_tree();
    for (unsigned n = 0; n < NR_DAMAGES; n++) {
        snprintf(buffer_text, sizeof(buffer_text), "-d %s -N 128", tree);
        make_image(1024, 2000, buffer_text);
        damage_image();
        bool is_mounted = insert_disk() == 0;
        nr_mounted += is_mounted;
        if (is_mounted) {
            read_everything(GUEST_DIR, 0);
            for (unsigned i = 0; i < 60; i++)
                change_something();
            read_everything(GUEST_DIR, 0);
        }
        remove_disk(is_mounted);
    }
    cr_assert(nr_mounted > NR_DAMAGES / 4 && nr_mounted < NR_DAMAGES, "%u of them were mounted", nr_mounted);
    cr_assert_eq(guest_vfs_end(), 0);
}

Test(guest_ext2, errors_of_the_disk_reach_fsync_and_close, .init = start, .fini = stop)
{
    make_image(1024, 2000, "");
    cr_assert_eq(insert_disk(), 0);
    long fd = guest_openat(HOST_AT_FDCWD, GUEST_DIR "/file", O_RDWR | O_CREAT, 0644);
    cr_assert_eq(guest_write((int)fd, buffer, 10000), 10000);
    cr_assert_eq(guest_fsync((int)fd), 0);
    cr_assert_eq(guest_write((int)fd, buffer, 10000), 10000);
    guest_disk_fail_after(0);
    cr_assert_eq(guest_fsync((int)fd), -EIO);
    guest_disk_fail_after(-1);
    cr_assert_eq(guest_fsync((int)fd), 0);
    /* Somebody else writes it out: the next who closes hears of it. */
    cr_assert_eq(guest_write((int)fd, buffer, 10000), 10000);
    guest_disk_fail_after(0);
    cr_assert_eq(guest_syncfs(GUEST_DIR), -EIO);
    cr_assert_eq(guest_close((int)fd), -EIO);
    guest_disk_fail_after(-1);
    guest_drop_caches();
    fd = guest_openat(HOST_AT_FDCWD, GUEST_DIR "/file", O_RDONLY, 0);
    guest_disk_fail_after(0);
    cr_assert_eq(guest_read((int)fd, guest_buffer, 100), -EIO);
    guest_disk_fail_after(-1);
    cr_assert_eq(guest_read((int)fd, guest_buffer, 100), 100);
    cr_assert_eq(guest_close((int)fd), 0);
    remove_disk(true);
    cr_assert_eq(guest_vfs_end(), 0);
}

Test(guest_ext2, a_full_disk_gives_enospc_and_stays_whole, .init = start, .fini = stop)
{
    make_image(1024, 1000, "-m 0");
    cr_assert_eq(insert_disk(), 0);
    long got = 0;
    for (unsigned n = 0; n < 40 && got >= 0; n++) {
        char name[64];
        snprintf(name, sizeof(name), GUEST_DIR "/file%u", n);
        long fd = guest_openat(HOST_AT_FDCWD, name, O_RDWR | O_CREAT, 0644);
        cr_assert_geq(fd, 0);
        while ((got = guest_write((int)fd, buffer, 5000)) == 5000 &&
               guest_lseek((int)fd, 0, SEEK_CUR) < 100000)
            ;
        cr_assert_eq(guest_close((int)fd), 0);
    }
    cr_assert_eq(got, -ENOSPC);
    cr_assert_eq(guest_mkdirat(HOST_AT_FDCWD, GUEST_DIR "/dir", 0755), -ENOSPC);
    remove_disk(true);
    check_image();
    cr_assert_eq(guest_vfs_end(), 0);
}
