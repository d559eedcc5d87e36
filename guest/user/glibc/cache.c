/*
 * R1. What memory is used for: pages of files, blocks of a raw device, memory without a file; what
 * /proc/meminfo and free say of it, and what can be had again at once.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include "lab_proc.h"

#define FILE_NAME "/tmp/cache"
#define FILE_KIB 2048
#define DEVICE "/dev/hda"
#define DEVICE_KIB 1024
#define ANON_KIB 1024
/* What else may come and go in between: the program's own pages and the kernel's tables. */
#define STRAY_KIB 64
/* What is read of a device before anybody asks for it. */
#define READ_AHEAD_KIB 128

struct usage {
    long free, available, buffers, cached, anon;
    long sectors; /* read from disks, in KiB */
};

static struct usage usage(const char *what)
{
    struct usage now;
    const char *text = proc_text("/proc/meminfo");
    now.free = value_in(text, "MemFree");
    now.available = value_in(text, "MemAvailable");
    now.buffers = value_in(text, "Buffers");
    now.cached = value_in(text, "Cached");
    now.anon = value_in(text, "AnonPages");
    now.sectors = vmstat("pgpgin");
    printf("  %-34s %8ld %9ld %8ld %8ld %8ld KiB\n", what, now.free, now.available, now.buffers, now.cached,
           now.anon);
    return now;
}

static int is_about(long value, long wanted)
{
    return value >= wanted - STRAY_KIB && value <= wanted + STRAY_KIB;
}

/* The lowest byte says which KiB it is; the sum of those, or -1. */
static long read_all(const char *name, off_t from, long kib)
{
    static unsigned char buffer[1024];
    long sum = 0;
    int fd = open(name, O_RDONLY);
    if (fd < 0 || lseek(fd, from, SEEK_SET) != from)
        return -1;
    for (long i = 0; i < kib; i++) {
        if (read(fd, buffer, sizeof buffer) != (ssize_t)sizeof buffer)
            return -1;
        sum += buffer[0];
    }
    close(fd);
    return sum;
}

static int write_file(void)
{
    static unsigned char buffer[1024];
    int fd = open(FILE_NAME, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    for (long i = 0; i < FILE_KIB; i++) {
        memset(buffer, (int)i, sizeof buffer);
        if (write(fd, buffer, sizeof buffer) != (ssize_t)sizeof buffer)
            return 0;
    }
    return fsync(fd) == 0 && close(fd) == 0;
}

/* The numbers in the second line of free, behind "Mem:". */
static int run_free(long column[7])
{
    char text[1024];
    int ends[2], status;
    size_t used = 0;
    ssize_t bytes;
    if (pipe(ends))
        return 0;
    if (fork() == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        execl("/usr/bin/free", "free", "-k", "-w", NULL);
        _exit(99);
    }
    close(ends[1]);
    while (used < sizeof text - 1 && (bytes = read(ends[0], text + used, sizeof text - 1 - used)) > 0)
        used += (size_t)bytes;
    text[used] = '\0';
    close(ends[0]);
    wait(&status);
    printf("%s", text);
    const char *line = strstr(text, "Mem:");
    return status == 0 && line &&
           sscanf(line + 4, "%ld %ld %ld %ld %ld %ld %ld", &column[0], &column[1], &column[2], &column[3],
                  &column[4], &column[5], &column[6]) == 7;
}

enum { TOTAL, USED, FREE, SHARED, BUFFERS, CACHE, AVAILABLE };

static void compare_with_free(void)
{
    long column[7];
    if (access("/usr/bin/free", X_OK)) {
        printf("skipped: there is no /usr/bin/free\n");
        return;
    }
    int has_run = run_free(column);
    check(has_run, "free has its columns");
    if (!has_run)
        return;
    check(column[TOTAL] == meminfo("MemTotal"), "total: %ld KiB, as MemTotal", column[TOTAL]);
    check(column[USED] == column[TOTAL] - column[AVAILABLE], "used: what is not available, %ld KiB",
          column[USED]);
    check(is_about(column[BUFFERS], meminfo("Buffers")), "buffers: %ld KiB", column[BUFFERS]);
    check(column[CACHE] >= FILE_KIB && column[AVAILABLE] > column[FREE],
          "cache: %ld KiB; %ld KiB are available, more than the %ld that are free", column[CACHE],
          column[AVAILABLE], column[FREE]);
}

/* Touches memory; the sum of what it reads of a file's mapping. */
static long touch(unsigned char *memory, long kib, int is_write)
{
    long sum = 0;
    for (long i = 0; i < kib; i++) {
        if (is_write)
            memory[i * 1024] = 1;
        sum += memory[i * 1024];
    }
    return sum;
}

int main(void)
{
    static char line[1024];
    const long right_sum = FILE_KIB / 256 * (255 * 256 / 2);
    setvbuf(stdout, line, _IOLBF, sizeof line);
    check(mount_proc() && write_file() && proc_set("/proc/sys/vm/drop_caches", "3"), "a file is on the disk");
    printf("  %-34s %8s %9s %8s %8s %8s\n", "", "free", "available", "buffers", "cached", "anon");
    usage("(once, for the program's own pages)");
    struct usage before = usage("before");

    check(read_all(FILE_NAME, 0, FILE_KIB) == right_sum, "the file is read");
    struct usage file = usage("a file of 2048 KiB was read");
    check(is_about(file.cached - before.cached, FILE_KIB), "Cached has grown by %ld KiB",
          file.cached - before.cached);
    check(is_about(file.buffers, before.buffers) && is_about(file.anon, before.anon),
          "Buffers and AnonPages have not");
    check(is_about(before.free - file.free, FILE_KIB) && before.available - file.available <= FILE_KIB / 2,
          "%ld KiB less are free, but most of them are available", before.free - file.free);
    check(file.sectors - before.sectors >= FILE_KIB, "%ld KiB came from the disk",
          file.sectors - before.sectors);
    check(read_all(FILE_NAME, 0, FILE_KIB) == right_sum && vmstat("pgpgin") == file.sectors,
          "the second time, nothing does: the page cache has it");

    check(read_all(DEVICE, 24 << 20, DEVICE_KIB) >= 0, "a raw device is read");
    struct usage device = usage("1024 KiB of a device were read");
    check(device.buffers - file.buffers >= DEVICE_KIB &&
              device.buffers - file.buffers <= DEVICE_KIB + READ_AHEAD_KIB + STRAY_KIB &&
              is_about(device.cached, file.cached),
          "Buffers has grown by %ld KiB, Cached has not", device.buffers - file.buffers);

    unsigned char *memory =
        mmap(NULL, ANON_KIB * 1024, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    touch(memory, ANON_KIB, 1);
    struct usage anon = usage("1024 KiB of memory were written");
    check(is_about(anon.anon - device.anon, ANON_KIB) && is_about(anon.cached, device.cached) &&
              is_about(anon.buffers, device.buffers),
          "AnonPages has grown by %ld KiB, the others have not", anon.anon - device.anon);
    check(is_about(device.available - anon.available, ANON_KIB), "so much less is available");

    int fd = open(FILE_NAME, O_RDONLY);
    unsigned char *mapping = mmap(NULL, FILE_KIB * 1024, PROT_READ, MAP_SHARED, fd, 0);
    check(touch(mapping, FILE_KIB, 0) == right_sum, "the file is mapped");
    struct usage mapped = usage("the file was mapped, too");
    check(is_about(mapped.free, anon.free) && is_about(mapped.cached, anon.cached),
          "a mapping shows the same pages: it takes no more memory");
    compare_with_free();
    munmap(mapping, FILE_KIB * 1024);
    check(proc_set("/proc/sys/vm/drop_caches", "1"), "the page cache is dropped");
    struct usage after = usage("after that");
    check(mapped.cached - after.cached >= FILE_KIB && mapped.buffers - after.buffers >= DEVICE_KIB &&
              is_about(after.anon, anon.anon),
          "files' and devices' pages are gone, anonymous ones are not");
    return nr_failed ? 1 : 0;
}
