#define _GNU_SOURCE
/*
 * R8. Pages that were written and are not on the disk yet: how many there may be, when the flusher writes
 * them and which first, when a writer is stopped, and what sync() and drop_caches do.
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "lab_proc.h"

#define VM "/proc/sys/vm/"
#define PAGE_BYTES 4096
#define FILE_PAGES 128
#define MOST_PAGES 512
/* What the file system itself has to write for a file: inode, bitmaps, numbers of blocks, a folder. */
#define STRAY_PAGES 16
/* A writer looks once in so many pages whether there are too many dirty ones. */
#define RATELIMIT_PAGES 8

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void pause_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static int set(const char *name, long value)
{
    char path[64], text[32];
    snprintf(path, sizeof path, VM "%s", name);
    snprintf(text, sizeof text, "%ld\n", value);
    return proc_set(path, text) && strtol(proc_text(path), NULL, 10) == value;
}

/*
 * Writes so many pages of a new file with one call: the kernel lets nobody else run in it, unless the writer
 * is stopped.
 */
static int write_file(const char *name, long pages)
{
    static char buffer[MOST_PAGES * PAGE_BYTES];
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    memset(buffer, name[5], (size_t)pages * PAGE_BYTES);
    ssize_t done = write(fd, buffer, (size_t)pages * PAGE_BYTES);
    close(fd);
    return done == pages * PAGE_BYTES;
}

/* How many of a file's pages are in memory. */
static long nr_resident(const char *name, long pages)
{
    static unsigned char is_there[4096];
    long nr = 0;
    int fd = open(name, O_RDONLY);
    void *mapping = mmap(NULL, (size_t)pages * PAGE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (mapping == MAP_FAILED || mincore(mapping, (size_t)pages * PAGE_BYTES, is_there))
        return -1;
    for (long i = 0; i < pages; i++)
        nr += is_there[i] & 1;
    munmap(mapping, (size_t)pages * PAGE_BYTES);
    return nr;
}

/* Sum of the zones' high watermarks: what is kept free cannot become dirty. */
static long reserve(void)
{
    long sum = 0;
    for (const char *at = proc_text("/proc/zoneinfo"); (at = strstr(at, "\n        high ")); at++)
        sum += strtol(at + 14, NULL, 10);
    return sum;
}

static void thresholds(void)
{
    const long kept = reserve();
    const char *text = proc_text("/proc/vmstat");
    const long dirtyable = value_in(text, "nr_free_pages") - kept + value_in(text, "nr_file_pages");
    const long background = value_in(text, "nr_dirty_background_threshold");
    const long dirty = value_in(text, "nr_dirty_threshold");
    printf("  %ld pages could be dirty: free, but for %ld, or of files\n", dirtyable, kept);
    check(background == dirtyable * 10 / 100,
          "dirty_background_ratio 10: from %ld pages on, the flusher writes", background);
    check(dirty == dirtyable * 20 / 100, "dirty_ratio 20: above %ld pages, writers are stopped", dirty);
}

/* Below the thresholds, and as long as nothing is old, nothing is written. */
static void below_thresholds(void)
{
    check(set("dirty_writeback_centisecs", 0), "the flusher does not look for old pages");
    sync();
    const long written = vmstat("nr_written");
    write_file("/tmp/a", FILE_PAGES);
    pause_ms(300);
    const long dirty = vmstat("nr_dirty");
    check(dirty >= FILE_PAGES && dirty <= FILE_PAGES + STRAY_PAGES && vmstat("nr_written") == written,
          "a file of %d pages is written: %ld are dirty, and stay so", FILE_PAGES, dirty);
}

/* Too many: the flusher writes the older file, and stops when enough of it is on the disk. */
static void background(void)
{
    write_file("/tmp/b", FILE_PAGES);
    const long dirty = vmstat("nr_dirty"), wanted = FILE_PAGES + FILE_PAGES / 2;
    check(dirty >= 2 * FILE_PAGES, "a second file: %ld pages are dirty", dirty);
    check(set("dirty_background_bytes", wanted * PAGE_BYTES), "dirty_background_bytes: %ld pages", wanted);
    pause_ms(300);
    const long left = vmstat("nr_dirty");
    check(left <= wanted && left >= wanted - 32, "the flusher writes until %ld are left, and no more", left);
    check(proc_set(VM "drop_caches", "1"), "drop_caches: 1");
    const long first = nr_resident("/tmp/a", FILE_PAGES), second = nr_resident("/tmp/b", FILE_PAGES);
    check(
        second == FILE_PAGES && first >= FILE_PAGES / 4 && first <= FILE_PAGES - FILE_PAGES / 4,
        "it frees only clean pages: of the first file %ld are left, of the second %ld: the older went first",
        first, second);
    check(vmstat("nr_dirty") == left, "it writes nothing");
    check(set("dirty_background_ratio", 10) && strtol(proc_text(VM "dirty_background_bytes"), NULL, 10) == 0,
          "setting the ratio clears the bytes");
}

/* How long a page stays dirty, in seconds. */
static double age_at_writing(void)
{
    sync();
    write_file("/tmp/c", 8);
    const double begin = now();
    while (vmstat("nr_dirty") >= 8 && now() < begin + 10)
        pause_ms(10);
    return now() - begin;
}

static void expiry(void)
{
    static const struct {
        long expire, interval; /* hundredths of a second */
    } settings[] = {{50, 20}, {100, 20}, {50, 100}};
    for (int i = 0; i < 3; i++) {
        const double expire = (double)settings[i].expire / 100, interval = (double)settings[i].interval / 100;
        set("dirty_expire_centisecs", settings[i].expire);
        set("dirty_writeback_centisecs", settings[i].interval);
        const double age = age_at_writing();
        check(age >= expire - 0.05 && age <= expire + interval + 0.3,
              "dirty_expire_centisecs %ld, dirty_writeback_centisecs %ld: written after that, and before one "
              "interval more",
              settings[i].expire, settings[i].interval);
        printf("figure: a page was dirty for = %.2f s\n", age);
    }
    set("dirty_writeback_centisecs", 0);
}

/* How often a writer of MOST_PAGES sleeps meanwhile. */
static long sleeps_writing(const char *name, uint32_t id, const char *region)
{
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    region_begin(id, region);
    write_file(name, MOST_PAGES);
    region_end(id);
    getrusage(RUSAGE_SELF, &after);
    printf("  %s sleeps %ld times\n", region, after.ru_nvcsw - before.ru_nvcsw);
    return after.ru_nvcsw - before.ru_nvcsw;
}

static void stopped_writer(void)
{
    enum { LIMIT = 128 };
    sync();
    check(sleeps_writing("/tmp/d", 256, "a writer below the threshold") < 4,
          "a writer of %d pages, which is below the threshold, does not wait", MOST_PAGES);
    sync();
    check(set("dirty_bytes", (long)LIMIT * PAGE_BYTES), "dirty_bytes: %d pages", LIMIT);
    const long nr_sleeps = sleeps_writing("/tmp/e", 257, "a writer above it");
    const char *text = proc_text("/proc/vmstat");
    const long dirty = value_in(text, "nr_dirty") + value_in(text, "nr_writeback");
    check(dirty > 0 && dirty <= LIMIT + RATELIMIT_PAGES, "in the end %ld pages are dirty or on their way",
          dirty);
    check(nr_sleeps >= 4, "the writer was stopped until the flusher had written others");
    check(set("dirty_ratio", 20), "and dirty_ratio again");
}

static void syncing(void)
{
    static char page[PAGE_BYTES];
    write_file("/tmp/f", FILE_PAGES);
    int fd = open("/tmp/f", O_RDWR);
    long dirty = vmstat("nr_dirty"), written = vmstat("nr_written");
    check(dirty >= FILE_PAGES, "%ld pages are dirty", dirty);
    check(fsync(fd) == 0 && vmstat("nr_written") - written >= FILE_PAGES, "fsync() writes the file");
    check(pwrite(fd, page, sizeof page, 0) == PAGE_BYTES && vmstat("nr_dirty") > 0,
          "a page of it is changed");
    check(sync_file_range(fd, 0, PAGE_BYTES,
                          SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) ==
                  0 &&
              vmstat("nr_written") - written >= FILE_PAGES + 1,
          "sync_file_range() writes it");
    close(fd);
    fd = open("/tmp/f", O_WRONLY | O_DSYNC);
    written = vmstat("nr_written");
    dirty = vmstat("nr_dirty");
    check(write(fd, page, sizeof page) == PAGE_BYTES && vmstat("nr_written") > written &&
              vmstat("nr_dirty") <= dirty,
          "a file opened with O_DSYNC is written at once");
    write_file("/tmp/g", FILE_PAGES);
    sync();
    check(vmstat("nr_dirty") == 0 && vmstat("nr_writeback") == 0, "sync() writes everything");
    close(fd);
}

static long unused_names(void)
{
    const char *text = proc_text("/proc/sys/fs/dentry-state");
    char *end;
    strtol(text, &end, 10);
    return strtol(end, NULL, 10);
}

static void dropping(void)
{
    int fd = open("/tmp/g", O_RDONLY);
    nr_resident("/tmp/f", FILE_PAGES);
    check(unused_names() > 0, "names are kept that nobody uses: %ld", unused_names());
    proc_set(VM "drop_caches", "2");
    long names = unused_names();
    check(names <= 8, "drop_caches: 2 frees them: %ld are left, what reading this takes", names);
    check(nr_resident("/tmp/g", FILE_PAGES) == FILE_PAGES, "the pages of a file that is open stay");
    check(proc_set(VM "drop_caches", "3") && nr_resident("/tmp/g", FILE_PAGES) == 0 && unused_names() <= 16,
          "drop_caches: 3 frees both");
    close(fd);
}

int main(void)
{
    static char line[1024];
    setvbuf(stdout, line, _IOLBF, sizeof line);
    check(mount_proc(), "/proc is there");
    sync();
    thresholds();
    below_thresholds();
    background();
    expiry();
    stopped_writer();
    syncing();
    dropping();
    return nr_failed ? 1 : 0;
}
