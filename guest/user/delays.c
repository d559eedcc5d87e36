/*
 * R10. What tasks wait for: the CPU, disks, memory, swap (/proc/PID/delays, /proc/pressure). The sums are
 * checked against the clock: of a task that never sleeps for anything else, time run and time waited are the
 * time that went by.
 */
#include "lab.h"
#include "mman.h"
#include "swapping.h"

#define CLOCK_MONOTONIC 1
#define NR_COMPUTERS 3u
#define NR_ROUNDS 100u
#define ROUND_NS 100000u
#define READ_BYTES 16384u
#define NR_READS 32u
#define DISK_BYTES (4u << 20) /* of them, some are read */

enum kind { BLKIO, SWAPIN, FREEPAGES, COMPACT, THROTTLE, NR_KINDS };
static const char *const kind_words[NR_KINDS] = {"blkio ", "swapin ", "freepages ", "compact ", "throttle "};

struct delays {
    u64 at_ns; /* the clock */
    u64 cpu_count, waited_ns, ran_ns;
    struct {
        u64 count, ns;
    } kinds[NR_KINDS];
};

static u64 now_ns(void)
{
    u32 time[2] = {0, 0};
    syscall(__NR_clock_gettime, CLOCK_MONOTONIC, word_of(time), 0);
    return (u64)time[0] * 1000000000u + time[1];
}

static u64 number64_of(const char **text)
{
    u64 number = 0;
    while (**text == ' ')
        (*text)++;
    for (; **text >= '0' && **text <= '9'; (*text)++)
        number = number * 10 + (u64)(**text - '0');
    return number;
}

/* This process's, and the clock. */
static struct delays read_delays(void)
{
    char text[512];
    struct delays delays = {0};
    read_text("/proc/self/delays", text, sizeof(text));
    const char *at = line_after(text, "cpu ");
    delays.at_ns = now_ns();
    if (at == NULL)
        return delays;
    delays.cpu_count = number64_of(&at);
    delays.waited_ns = number64_of(&at);
    delays.ran_ns = number64_of(&at);
    for (u32 kind = 0; kind < NR_KINDS; kind++) {
        at = line_after(text, kind_words[kind]);
        delays.kinds[kind].count = at ? number64_of(&at) : 0;
        delays.kinds[kind].ns = at ? number64_of(&at) : 0;
    }
    return delays;
}

static struct delays delays_since(const struct delays *begin)
{
    struct delays delays = read_delays();
    delays.at_ns -= begin->at_ns;
    delays.cpu_count -= begin->cpu_count;
    delays.waited_ns -= begin->waited_ns;
    delays.ran_ns -= begin->ran_ns;
    for (u32 kind = 0; kind < NR_KINDS; kind++) {
        delays.kinds[kind].count -= begin->kinds[kind].count;
        delays.kinds[kind].ns -= begin->kinds[kind].ns;
    }
    return delays;
}

/* Where time is the host's, others may have taken some of it between two readings. */
#define check_time(holds, ...) ((void)(lab_counts_cycles() && lab_check(holds, __VA_ARGS__)))

/* Within a part of `expected`. */
static bool is_about(u64 value, u64 expected, u32 part)
{
    u64 difference = value > expected ? value - expected : expected - value;
    return difference * part <= expected;
}

/* The total of a line of /proc/pressure, in microseconds. */
static u64 pressure_us(const char *name, const char *line)
{
    char text[256];
    const char *at = line_after(read_text(name, text, sizeof(text)), line);
    while (at && *at && *at != '\n' && strncmp(at, "total=", 6))
        at++;
    if (at == NULL || *at != 't')
        return 0;
    at += 6;
    return number64_of(&at);
}

/* ---- The CPU ---- */

static void compute_for(u64 ns)
{
    u64 end = now_ns() + ns;
    while (now_ns() < end)
        ;
}

/* Takes turns with the others; its status is what does not hold, by bits. */
static __noreturn void compute(int begin_fd)
{
    char byte;
    read(begin_fd, &byte, 1);
    compute_for(ROUND_NS);
    struct delays begin = read_delays();
    for (u32 i = 0; i < NR_ROUNDS; i++) {
        compute_for(ROUND_NS);
        sched_yield();
    }
    struct delays delays = delays_since(&begin);
    bool is_whole = is_about(delays.ran_ns + delays.waited_ns, delays.at_ns, 100);
    bool is_fair = is_about(delays.waited_ns, delays.ran_ns * (NR_COMPUTERS - 1), 10);
    exit((is_whole ? 0 : 1) | (is_fair ? 0 : 2) | (delays.kinds[BLKIO].count ? 4 : 0));
}

static void check_cpu(void)
{
    int fds[2], status, bits = 0;
    u32 nr_exited = 0;
    pipe(fds);
    for (u32 i = 0; i < NR_COMPUTERS; i++) {
        if (fork() == 0) {
            close(fds[1]);
            compute(fds[0]);
        }
    }
    u64 some = pressure_us("/proc/pressure/cpu", "some"), begin = now_ns();
    close(fds[1]);
    close(fds[0]);
    while (waitpid(-1, &status, 0) > 0) {
        nr_exited += (status & 0x7F) == 0;
        bits |= status >> 8;
    }
    some = (pressure_us("/proc/pressure/cpu", "some") - some) * 1000;
    u64 wall = now_ns() - begin;
    lab_check(nr_exited == NR_COMPUTERS, "%u processes compute in turn", NR_COMPUTERS);
    check_time(!(bits & 1), "of each, time run and time waited are the time that went by");
    check_time(!(bits & 2), "each waits %u times as long as it runs", NR_COMPUTERS - 1);
    lab_check(!(bits & 4), "none waits for a disk");
    check_time(is_about(some, wall, 10), "/proc/pressure/cpu: some task waits nearly all the time");
}

/* ---- Disks ---- */

/* Requests that the disk has served (the fourth word of its line in /proc/diskstats). */
static u64 disk_reads(void)
{
    char text[1024];
    const char *at = read_text("/proc/diskstats", text, sizeof(text));
    while (*at && strncmp(at, "hda ", 4))
        at++;
    at += *at ? 4 : 0;
    return number64_of(&at);
}

/* Reads here and there, so that nothing is there beforehand. */
static void read_disk(void)
{
    static char buf[READ_BYTES];
    int fd = open("/dev/hda", O_RDONLY, 0);
    for (u32 i = 0; i < NR_READS; i++) {
        lseek(fd, (long)(i * 37 % NR_READS * (DISK_BYTES / NR_READS)), 0);
        read(fd, buf, sizeof(buf));
    }
    close(fd);
}

static void check_disk(void)
{
    write_text("/proc/sys/vm/drop_caches", "1");
    u64 some = pressure_us("/proc/pressure/io", "some"), full = pressure_us("/proc/pressure/io", "full");
    u64 reads = disk_reads();
    struct delays begin = read_delays();
    read_disk();
    struct delays delays = delays_since(&begin);
    reads = disk_reads() - reads;
    some = (pressure_us("/proc/pressure/io", "some") - some) * 1000;
    full = (pressure_us("/proc/pressure/io", "full") - full) * 1000;
    u64 ns = delays.kinds[BLKIO].ns;
    lab_check(reads >= NR_READS && delays.kinds[BLKIO].count == reads,
              "a process that reads a disk waits for each of its %llu requests", reads);
    check_time(ns > 0 && is_about(delays.ran_ns + delays.waited_ns + ns, delays.at_ns, 100),
               "time run, waited for the CPU and slept for the disk are the time that went by");
    check_time(is_about(some, ns, 20) && is_about(full, ns, 20),
               "/proc/pressure/io: some, and full, as long as it slept: nobody else had anything to do");
}

/* Somebody computes meanwhile: then the CPU is not idle for want of the disk. */
static void check_disk_beside_computer(void)
{
    int status, pid;
    write_text("/proc/sys/vm/drop_caches", "1");
    pid = fork();
    if (pid == 0)
        for (;;)
            ;
    nanosleep(0, 10000000);
    u64 some = pressure_us("/proc/pressure/io", "some"), full = pressure_us("/proc/pressure/io", "full");
    struct delays begin = read_delays();
    read_disk();
    struct delays delays = delays_since(&begin);
    some = (pressure_us("/proc/pressure/io", "some") - some) * 1000;
    full = (pressure_us("/proc/pressure/io", "full") - full) * 1000;
    kill(pid, 9);
    waitpid(pid, &status, 0);
    u64 ns = delays.kinds[BLKIO].ns;
    check_time(ns > 0 && is_about(delays.ran_ns + delays.waited_ns + ns, delays.at_ns, 100),
               "beside a process that computes: the same sum");
    check_time(is_about(some, ns, 20) && full == 0, "/proc/pressure/io: some as long, full not at all");
}

/* ---- Memory ---- */

#define GROUP "/cgroup/delays"
#define LIMIT_PAGES 256u
#define MEMORY_PAGES 400u

/* More than its group may have: what it writes goes to swap, by its own doing. */
static void check_reclaim(volatile u32 *memory)
{
    u64 some = pressure_us("/proc/pressure/memory", "some"), swapped = vm_event("pswpout ");
    struct delays begin = read_delays();
    for (u32 i = 0; i < MEMORY_PAGES; i++)
        memory[i * PAGE_BYTES / 4] = i + 1;
    struct delays delays = delays_since(&begin);
    some = (pressure_us("/proc/pressure/memory", "some") - some) * 1000;
    swapped = vm_event("pswpout ") - swapped;
    u64 ns = delays.kinds[FREEPAGES].ns;
    lab_check(swapped >= MEMORY_PAGES - LIMIT_PAGES && delays.kinds[FREEPAGES].count > 0,
              "%u pages where %u are allowed: the others go to swap, and who writes waits for reclaim",
              MEMORY_PAGES, LIMIT_PAGES);
    lab_check(delays.kinds[BLKIO].count == 0 && delays.kinds[SWAPIN].count == 0,
              "what it writes to the disk for that is part of reclaim, and counts once");
    check_time(is_about(some, ns, 20), "/proc/pressure/memory: some, as long as that");
}

/* With room for all of it, what is away comes back, and nothing else happens. */
static void check_swapin(volatile const u32 *memory)
{
    u32 nr_wrong = 0;
    write_text(GROUP "/memory.limit_in_bytes", "-1");
    u64 swapped = vm_event("pswpin "), major = vm_event("pgmajfault ");
    struct delays begin = read_delays();
    for (u32 i = 0; i < MEMORY_PAGES; i++)
        nr_wrong += memory[i * PAGE_BYTES / 4] != i + 1;
    struct delays delays = delays_since(&begin);
    swapped = vm_event("pswpin ") - swapped;
    major = vm_event("pgmajfault ") - major;
    u64 ns = delays.kinds[SWAPIN].ns;
    lab_check(nr_wrong == 0 && swapped >= MEMORY_PAGES - LIMIT_PAGES,
              "all of it is read: the others come back");
    lab_check(delays.kinds[SWAPIN].count >= major && major == swapped && delays.kinds[BLKIO].count == 0,
              "each is a major fault, which waits for swap");
    check_time(ns > 0 && is_about(delays.ran_ns + delays.waited_ns + ns, delays.at_ns, 100),
               "time run, waited for the CPU and slept for swap are the time that went by");
}

static void check_memory(void)
{
    int status;
    lab_check(make_swap("/dev/hda", DISK_BYTES / PAGE_BYTES) && syscall(__NR_sync, 0, 0, 0) == 0 &&
                  swapon("/dev/hda", 0) == 0,
              "the disk is a swap area");
    mount_on("cgroup", "/cgroup", "memory");
    mkdir(GROUP, 0755);
    write_text(GROUP "/memory.limit_in_bytes", "1M");
    int pid = fork();
    if (pid == 0) {
        write_number(GROUP "/tasks", getpid());
        u32 *memory =
            mmap(NULL, MEMORY_PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
        check_reclaim(memory);
        check_swapin(memory);
        exit((int)lab_status());
    }
    lab_check(waitpid(pid, &status, 0) == pid && status == 0, "all that was true of a process of the group");
    syscall(__NR_swapoff, word_of("/dev/hda"), 0, 0);
    rmdir(GROUP);
}

int main(void);

int main(void)
{
    mount_on("proc", "/proc", "");
    mount_on("devtmpfs", "/dev", "");
    check_cpu();
    check_disk();
    check_disk_beside_computer();
    check_memory();
    return (int)lab_status();
}
