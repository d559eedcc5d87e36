/*
 * A disk of which parts fail: who reads them gets EIO, or SIGBUS through a mapping, who writes them learns it
 * from fsync(), once, and all the rest goes on. /dev/hdb has an ext2 with a file "data", each page of which
 * is filled with its own number; the words mode= (read or write), from= and to= of the kernel's command line
 * say what is tried, and which of its pages are bad. Run as init, by tests/whole/failing_disk.py.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lab_proc.h"

#define PAGE_BYTES 4096
#define NR_PAGES 64
#define NEW 100 /* what is written is this much more than what was there */

static unsigned char page[PAGE_BYTES];
static int first_bad, last_bad;

static int is_bad(int number)
{
    return number >= first_bad && number <= last_bad;
}

static int is_filled(const unsigned char *bytes, int value)
{
    for (int i = 0; i < PAGE_BYTES; i++)
        if (bytes[i] != (unsigned char)value)
            return 0;
    return 1;
}

/* read(): each good page is right, each bad one an error. */
static int nr_wrong_reads(int fd)
{
    int nr = 0;
    for (int i = 0; i < NR_PAGES; i++) {
        errno = 0;
        ssize_t done = pread(fd, page, sizeof page, (off_t)i * PAGE_BYTES);
        nr += is_bad(i) ? done != -1 || errno != EIO : done != PAGE_BYTES || !is_filled(page, i);
    }
    return nr;
}

static sigjmp_buf before_fault;

static void on_sigbus(int signal)
{
    (void)signal;
    siglongjmp(before_fault, 1);
}

static int nr_wrong_looks(int fd)
{
    const unsigned char *mapping = mmap(NULL, NR_PAGES * PAGE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
    volatile int nr = 0;
    struct sigaction action = {.sa_handler = on_sigbus};
    sigaction(SIGBUS, &action, NULL);
    for (volatile int i = 0; i < NR_PAGES; i++) {
        if (sigsetjmp(before_fault, 1))
            nr += !is_bad(i);
        else
            nr += !is_filled(mapping + i * PAGE_BYTES, i) || is_bad(i);
    }
    munmap((void *)mapping, NR_PAGES * PAGE_BYTES);
    return nr;
}

static void reading(int fd)
{
    /* The one who has the other end makes the disk fail now. */
    printf("baddisk: ready\n");
    char unused;
    check(read(0, &unused, 1) == 1, "pages %d to %d cannot be read any more", first_bad, last_bad);
    check(posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED) == 0, "reading ahead is no error");
    check(nr_wrong_reads(fd) == 0, "read(): the good pages are right, the bad ones are EIO");
    check(nr_wrong_reads(fd) == 0, "and so once more");
    check(nr_wrong_looks(fd) == 0, "a mapping: the good pages are right, the bad ones are SIGBUS");
}

static void writing(int fd)
{
    for (int i = 0; i < NR_PAGES; i++) {
        memset(page, i + NEW, sizeof page);
        if (pwrite(fd, page, sizeof page, (off_t)i * PAGE_BYTES) != PAGE_BYTES)
            check(0, "page %d is not written", i);
    }
    errno = 0;
    check(fsync(fd) == -1 && errno == EIO, "pages %d to %d cannot be written: fsync() says so", first_bad,
          last_bad);
    check(fsync(fd) == 0, "once");
    memset(page, first_bad + NEW, sizeof page);
    check(pwrite(fd, page, sizeof page, (off_t)first_bad * PAGE_BYTES) == PAGE_BYTES, "again");
    proc_set("/proc/sys/vm/dirty_expire_centisecs", "10");
    proc_set("/proc/sys/vm/dirty_writeback_centisecs", "10");
    for (int i = 0; i < 100 && vmstat("nr_dirty") > 0; i++)
        usleep(20000);
    check(vmstat("nr_dirty") == 0, "the flusher tries it");
    errno = 0;
    check(fsync(fd) == -1 && errno == EIO && fsync(fd) == 0, "fsync() tells of that, too, once");
}

int main(void)
{
    const char *mode = getenv("mode"), *from = getenv("from"), *to = getenv("to");
    static char line[1024];
    setvbuf(stdout, line, _IOLBF, sizeof line);
    first_bad = from ? atoi(from) : 0;
    last_bad = to ? atoi(to) : NR_PAGES - 1;
    check(mount_proc() && mount("/dev/hdb", "/mnt", "ext2", 0, NULL) == 0, "the disk is mounted");
    int fd = open("/mnt/data", O_RDWR);
    check(fd >= 0, "a file is opened");
    if (mode && strcmp(mode, "write") == 0)
        writing(fd);
    else
        reading(fd);
    check(close(fd) == 0, "the file is closed");
    sync();
    check(umount("/mnt") == 0, "the disk is not mounted any more");
    printf("baddisk: %s\n", nr_failed ? "failed" : "done");
    return nr_failed ? 1 : 0;
}
