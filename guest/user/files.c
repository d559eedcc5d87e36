/* T7. Inodes and names, hard and symbolic links, files that outlive their names, mounts, locks. */
#include "lab.h"
#include "ufiles.h"

#define WORK "/tmp/files"

static struct file_stat st;

/* A file with a text. */
static void make_file(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    write(fd, text, strlen(text));
    close(fd);
}

static bool holds(const char *name, const char *text)
{
    char buf[64];
    int fd = open(name, O_RDONLY, 0);
    long bytes = read(fd, buf, sizeof(buf));
    close(fd);
    return bytes == (long)strlen(text) && memcmp(buf, text, strlen(text)) == 0;
}

static u32 nlink_of(const char *name)
{
    return lstat(name, &st) ? 0 : st.nlink;
}

static u32 inode_of(const char *name)
{
    return lstat(name, &st) ? 0 : st.ino;
}

static void check_links(void)
{
    make_file("one", "the contents");
    link("one", "two");
    lab_check(inode_of("one") == inode_of("two") && nlink_of("one") == 2,
              "a hard link is a second name of the same inode, which has 2 now");
    symlink("one", "soft");
    lab_check(inode_of("soft") != inode_of("one") && S_ISLNK(st.mode) == 0 && lstat("soft", &st) == 0 &&
                  S_ISLNK(st.mode) && st.size == 3 && nlink_of("one") == 2,
              "a symbolic link is a file of its own, with the name as its contents");
    lab_check(stat("soft", &st) == 0 && st.ino == inode_of("two"), "who opens it gets what the name means");
    unlink("one");
    lab_check(holds("two", "the contents") && nlink_of("two") == 1,
              "without its first name, the file is there");
    check_error(open("soft", O_RDONLY, 0), ENOENT, "the symbolic link leads nowhere");
    symlink("loop", "loop");
    check_error(open("loop", O_RDONLY, 0), ELOOP, "a link to itself");
    check_error(link(".", "folder"), EPERM, "a hard link to a folder");
    unlink("soft");
    unlink("loop");
    unlink("two");
}

static void check_unlinked(void)
{
    char buf[8] = "";
    int fd = open("gone", O_CREAT | O_RDWR, 0600);
    write(fd, "still", 5);
    unlink("gone");
    check_error(stat("gone", &st), ENOENT, "an open file without a name cannot be found");
    lseek(fd, 0, SEEK_SET);
    lab_check(read(fd, buf, sizeof(buf)) == 5 && memcmp(buf, "still", 5) == 0, "and holds what it held");
    close(fd);
}

static void check_positions(void)
{
    int fd = open("positions", O_CREAT | O_RDWR, 0600), same = (int)syscall(__NR_dup, (u32)fd, 0, 0);
    int other = open("positions", O_RDWR, 0);
    write(fd, "0123456789", 10);
    lab_check(lseek(same, 0, SEEK_CUR) == 10, "a duplicate shares the position");
    lab_check(lseek(other, 0, SEEK_CUR) == 0, "a file that was opened again has its own");
    int status;
    int pid = fork();
    if (pid == 0) {
        lseek(fd, 3, SEEK_SET);
        exit(0);
    }
    waitpid(pid, &status, 0);
    lab_check(lseek(fd, 0, SEEK_CUR) == 3, "a child shares it, too");
    lab_check(lseek(other, 5000, SEEK_SET) == 5000 && write(other, "x", 1) == 1 &&
                  stat("positions", &st) == 0 && st.size == 5001 && st.blocks == 16,
              "behind a hole of a page's size: 5001 bytes, 2 pages");
    close(fd);
    close(same);
    close(other);
    unlink("positions");
}

static void check_folders(void)
{
    mkdir("a", 0755);
    mkdir("a/b", 0755);
    lab_check(nlink_of("a") == 3, "a folder has a name, its own \".\", and a \"..\" for each folder in it");
    check_error(rmdir("a"), ENOTEMPTY, "a folder with something in it goes not");
    check_error(rename("a", "a/b/c"), EINVAL, "nor can it be moved below itself");
    make_file("a/file", "moved");
    rename("a/file", "a/b/file");
    lab_check(holds("a/b/file", "moved"), "a file moves to another folder");
    chdir("a/b");
    lab_check(holds("../../a/./b/file", "moved"), "\"..\" leads up");
    chdir(WORK);
    unlink("a/b/file");
    lab_check(rmdir("a/b") == 0 && rmdir("a") == 0, "empty, they go");
}

static long mount_tmpfs(const char *options)
{
    return syscall5(__NR_mount, word_of("tmpfs"), word_of("mnt"), word_of("tmpfs"), 0, word_of(options));
}

static void check_mounts(void)
{
    mkdir("mnt", 0755);
    make_file("mnt/below", "hidden");
    u32 before = inode_of("mnt");
    lab_check(mount_tmpfs("") == 0, "a tmpfs is mounted on a folder");
    check_error(open("mnt/below", O_RDONLY, 0), ENOENT, "what was in the folder is hidden");
    make_file("mnt/above", "in it");
    lab_check(inode_of("mnt") != before && holds("mnt/../mnt/above", "in it"), "a walk goes in and out");
    check_error(rename("mnt/above", "above"), EXDEV, "a file does not move to another file system");
    check_error(link("mnt/above", "above"), EXDEV, "nor does a hard link lead there");
    int fd = open("mnt/above", O_RDONLY, 0);
    check_error(syscall(__NR_umount2, word_of("mnt"), 0, 0), EBUSY, "umount with a file open");
    close(fd);
    lab_check(syscall(__NR_umount2, word_of("mnt"), 0, 0) == 0 && holds("mnt/below", "hidden"),
              "afterwards the folder is what it was");
    unlink("mnt/below");
    rmdir("mnt");
}

/* Bytes until there is no room. */
static u32 fill(const char *name)
{
    static u8 buf[4096];
    u32 total = 0;
    long bytes;
    int fd = open(name, O_CREAT | O_WRONLY, 0600);
    while ((bytes = write(fd, buf, sizeof(buf))) > 0)
        total += (u32)bytes;
    close(fd);
    return total;
}

static void check_limit(void)
{
    mkdir("mnt", 0755);
    check_error(mount_tmpfs("size=lots"), EINVAL, "a tmpfs of a size that is none");
    mount_tmpfs("size=256k,mode=700");
    lab_check(stat("mnt", &st) == 0 && st.mode == (S_IFDIR | 0700),
              "a tmpfs has the mode that was asked for");
    lab_check(fill("mnt/a") == 256 * 1024 && errno == ENOSPC, "and takes 256 KiB: ENOSPC");
    unlink("mnt/a");
    lab_check(fill("mnt/b") == 256 * 1024, "and again, when they are gone");
    syscall(__NR_umount2, word_of("mnt"), 0, 0);
    rmdir("mnt");
}

struct flock {
    s16 type, whence;
    s32 start, length, pid;
};

static long lock(int fd, u32 command, s32 type, s32 start, s32 length)
{
    struct flock request = {.type = (s16)type, .start = start, .length = length};
    return syscall(__NR_fcntl, (u32)fd, command, word_of(&request));
}

static bool child_can_lock(int fd, s32 type, s32 start, s32 length)
{
    int status, pid = fork();
    if (pid == 0)
        exit(lock(fd, F_SETLK, type, start, length) != 0);
    waitpid(pid, &status, 0);
    return status == 0;
}

static void check_locks(void)
{
    int fd = open("locks", O_CREAT | O_RDWR, 0600), again = open("locks", O_RDWR, 0);
    lab_check(flock(fd, LOCK_EX) == 0, "flock: exclusive");
    check_error(flock(again, LOCK_SH | LOCK_NB), EAGAIN, "flock: who has opened the file again must wait");
    lab_check(flock(fd, LOCK_UN) == 0 && flock(again, LOCK_SH) == 0 && flock(fd, LOCK_SH | LOCK_NB) == 0,
              "flock: any number may share");
    close(again);
    lab_check(lock(fd, F_SETLK, F_WRLCK, 100, 100) == 0 && lock(fd, F_SETLK, F_UNLCK, 140, 20) == 0,
              "fcntl: bytes 100 to 199, but for 140 to 159");
    lab_check(!child_can_lock(fd, F_RDLCK, 0, 101) && !child_can_lock(fd, F_RDLCK, 199, 0) &&
                  child_can_lock(fd, F_WRLCK, 0, 100) && child_can_lock(fd, F_WRLCK, 140, 20) &&
                  child_can_lock(fd, F_WRLCK, 200, 0),
              "fcntl: another process gets what is free of them");
    close(open("locks", O_RDONLY, 0));
    lab_check(child_can_lock(fd, F_WRLCK, 0, 0), "fcntl: all go with the first of the files that is closed");
    close(fd);
    unlink("locks");
}

static void check_devices(void)
{
    char buf[16] = "xxxxxxxxxxxxxxx";
    int null = open("/dev/null", O_RDWR, 0), zero = open("/dev/zero", O_RDWR, 0),
        full = open("/dev/full", O_RDWR, 0);
    lab_check(read(null, buf, 16) == 0 && write(null, buf, 16) == 16,
              "/dev/null is empty, and takes everything");
    lab_check(read(zero, buf, 16) == 16 && buf[0] == 0 && buf[15] == 0, "/dev/zero gives zeroes");
    check_error(write(full, buf, 1), ENOSPC, "/dev/full takes nothing");
    lab_check(fcntl(null, F_GETFD, 0) == 0 && fcntl(null, F_SETFD, FD_CLOEXEC) == 0 &&
                  fcntl(null, F_GETFD, 0) == 1,
              "files can be marked to end with the program");
    close(null);
    close(zero);
    close(full);
}

static void check_numbers(void)
{
    int lowest = open("/", O_RDONLY, 0);
    lab_check(lowest == 3, "files 0, 1 and 2 are open; the next one is 3");
    lab_check(dup2(lowest, 200) == 200 && fcntl(200, F_DUPFD, 100) == 100, "numbers can be chosen");
    close(lowest);
    close(200);
    close(100);
    check_error(close(100), EBADF, "no number is closed twice");
    u32 nr = 0;
    while (open("/", O_RDONLY, 0) != -1)
        nr++;
    lab_check(errno == EMFILE && nr == 1021, "%u more files, and there are 1024", nr);
    for (u32 fd = 3; fd < 1024; fd++)
        close((int)fd);
}

int main(void);

int main(void)
{
    mkdir(WORK, 0755);
    chdir(WORK);
    check_numbers();
    check_links();
    check_unlinked();
    check_positions();
    check_folders();
    check_mounts();
    check_limit();
    check_locks();
    check_devices();
    chdir("/");
    lab_check(rmdir(WORK) == 0, "nothing is left");
    return (int)lab_status();
}
