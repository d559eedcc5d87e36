/*
 * F6. The same program three times: from the disk; from the page cache, where the first start has left it;
 * and from the disk again, when the page cache has been dropped. Its lines are those of guest/include/lab.h.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lab_program.h"

/* Nobody else has used it so far. */
#define PROGRAM "/bin/busybox"

struct start {
    long major, minor; /* page faults */
    long us;
    int status;
};

static long now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static struct start start(uint32_t id, const char *region)
{
    struct rusage before, after;
    struct start result;
    /* What is not in memory a marker does not find. */
    volatile size_t length = strlen(region);
    (void)length;
    getrusage(RUSAGE_CHILDREN, &before);
    marker_3(id, region);
    marker_1(id);
    long begin = now_us();
    if (fork() == 0) {
        execl(PROGRAM, "true", NULL);
        _exit(99);
    }
    wait(&result.status);
    result.us = now_us() - begin;
    marker_2(id);
    getrusage(RUSAGE_CHILDREN, &after);
    result.major = after.ru_majflt - before.ru_majflt;
    result.minor = after.ru_minflt - before.ru_minflt;
    printf("  %-30s %4ld major faults, %4ld minor\n", region, result.major, result.minor);
    return result;
}

static int drop_caches(void)
{
    if (mount("proc", "/proc", "proc", 0, NULL))
        return 0;
    int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
    return fd >= 0 && write(fd, "1", 1) == 1 && close(fd) == 0;
}

int main(void)
{
    static char buffer[1024];
    setvbuf(stdout, buffer, _IOLBF, sizeof buffer);
    struct start first = start(256, "the first start");
    struct start second = start(257, "the second start");
    check(first.status == 0 && second.status == 0, "a program starts and ends, twice");
    check(first.major > 0, "the first time, %ld of its pages come from the disk: major faults", first.major);
    check(second.major == 0, "the second time, none: they are in the page cache");
    check(second.major + second.minor <= first.major + first.minor,
          "it takes no more faults than the first time");
    check(second.us < first.us, "it is faster");
    check(drop_caches(), "the page cache is dropped");
    struct start third = start(258, "a start without the page cache");
    check(third.status == 0 && third.major > 0, "now %ld of its pages come from the disk again", third.major);
    return nr_failed ? 1 : 0;
}
