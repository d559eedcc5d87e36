/*
 * R9, the part of memory cgroups: a group is charged for each page its processes bring in, and for no other;
 * at its limit memory is taken from it alone, and if there is none to take, one of its processes is ended.
 */
#include "lab.h"
#include "mman.h"
#include "ugroup.h"

#define SIGKILL 9
#define WNOHANG 1
#define DISK_PAGES 1024u
#define NO_LIMIT "9223372036854771712"

static u8 *map_pages(u32 pages)
{
    return mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
}

static void write_pages(volatile u8 *memory, u32 pages)
{
    for (u32 i = 0; i < pages; i++)
        memory[i * PAGE_BYTES] = 1;
}

/* ---- Limits as text ---- */

static void check_limits(void)
{
    static const struct {
        const char *text, *shown;
    } rows[] = {{"4M", "4194304"}, {"64k", "65536"},  {"2G", "2147483648"},
                {"-1", NO_LIMIT},  {"12287", "8192"}, {"1048576", "1048576"}};
    lab_check(reads("a", "memory.limit_in_bytes", NO_LIMIT), "a new group has no limit");
    for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
        lab_check(set("a", "memory.limit_in_bytes", rows[i].text) == 0 &&
                      reads("a", "memory.limit_in_bytes", rows[i].shown),
                  "limit %s: %s bytes", rows[i].text, rows[i].shown);
    check_error(set("a", "memory.limit_in_bytes", "lots"), EINVAL, "limit lots");
    check_error(set("a", "memory.swappiness", "101"), EINVAL, "swappiness 101");
    check_error(set("a", "tasks", "30000"), ESRCH, "a process that is not there");
    set("a", "memory.limit_in_bytes", "-1");
}

/* ---- What is charged ---- */

/* In a child, which belongs to the group: its status is what does not hold, by bits. */
static __noreturn void use_memory(void)
{
    char text[64];
    int status;
    u32 before = usage("a"), bits = 0;
    u8 *memory = map_pages(100);
    write_pages(memory, 60);
    bits |= usage("a") == before + 60 ? 0 : 1;
    read_text("/proc/self/cgroup", text, sizeof(text));
    bits |= strcmp(text, "1:memory:/a\n") == 0 ? 0 : 2;
    int pid = fork();
    if (pid == 0) {
        /* Copied on write: pages of its own, in the same group. */
        u32 shared = usage("a");
        write_pages(memory, 40);
        exit(usage("a") == shared + 40 ? 0 : 1);
    }
    bits |= waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 4;
    before = usage("a");
    munmap(memory, 100 * PAGE_BYTES);
    bits |= usage("a") == before - 60 ? 0 : 8;
    exit((int)bits);
}

static void check_charges(void)
{
    int status, pid;
    u8 *mine = map_pages(50);
    pid = fork();
    if (pid == 0) {
        write_number(group_file("a", "tasks"), getpid());
        use_memory();
    }
    write_pages(mine, 50);
    int bits = waitpid(pid, &status, 0) == pid ? status >> 8 : -1;
    lab_check(bits >= 0 && (status & 0x7F) == 0 && !(bits & 1),
              "60 pages are written: usage grows by 60 pages");
    lab_check(!(bits & 2), "/proc/self/cgroup: 1:memory:/a");
    lab_check(!(bits & 4), "fork inherits the group: 40 pages copied on write are 40 more");
    lab_check(!(bits & 8), "they are unmapped: usage falls by 60");
    lab_check(usage("a") == 0, "when its processes have ended, usage is 0; 50 pages outside counted nowhere");
    munmap(mine, 50 * PAGE_BYTES);
}

/* ---- Reclaim inside the group ---- */

static u32 read_disk(u32 pages)
{
    static u32 buf[PAGE_BYTES / 4];
    u32 sum = 0;
    int fd = open("/dev/hda", O_RDONLY, 0);
    for (u32 i = 0; i < pages; i++) {
        read(fd, buf, sizeof(buf));
        sum = sum * 31 + buf[i % (PAGE_BYTES / 4)];
    }
    close(fd);
    return sum;
}

static u64 disk_reads(void)
{
    return (u64)number_after("/proc/vmstat", "pgpgin ");
}

/* The group reads all of the disk through 64 pages; who is outside keeps what it has in the page cache. */
static void check_reclaim(void)
{
    int status, pid;
    write_text("/proc/sys/vm/drop_caches", "1");
    u32 sum = read_disk(DISK_PAGES / 8);
    (void)sum;
    set("a", "memory.limit_in_bytes", "256k");
    set("a", "memory.max_usage_in_bytes", "0");
    pid = fork();
    if (pid == 0) {
        write_number(group_file("a", "tasks"), getpid());
        static u8 buf[PAGE_BYTES];
        int fd = open("/dev/hda", O_RDONLY, 0);
        lseek(fd, DISK_PAGES / 8 * PAGE_BYTES, 0);
        for (u32 i = DISK_PAGES / 8; i < DISK_PAGES; i++)
            read(fd, buf, sizeof(buf));
        exit(0);
    }
    lab_check(waitpid(pid, &status, 0) == pid && status == 0,
              "a group with a limit of 64 pages reads 896 pages of a disk");
    lab_check(pages_of("a", "memory.max_usage_in_bytes") <= 64 && usage("a") > 16,
              "it never had more than its limit, and its pages of the cache stay charged");
    lab_check(read_number(group_file("a", "memory.failcnt")) > 0, "its limit was hit (failcnt)");
    u64 reads_before = disk_reads();
    lab_check(
        read_disk(DISK_PAGES / 8) == sum && disk_reads() == reads_before,
        "the 128 pages that were read outside before are still in the cache: nothing was taken from others");
    set("a", "memory.force_empty", "0");
    lab_check(usage("a") == 0, "force_empty: it has nothing any more");
}

/* ---- OOM inside the group ---- */

/* Has so many pages of its own, tells, and waits. */
static int start_member(const char *group, u32 pages, const char *adj)
{
    int fds[2];
    char byte = 0;
    pipe(fds);
    int pid = fork();
    if (pid == 0) {
        close(fds[0]);
        write_text("/proc/self/oom_score_adj", adj);
        if (group)
            write_number(group_file(group, "tasks"), getpid());
        write_pages(map_pages(pages), pages);
        write(fds[1], &byte, 1);
        for (;;)
            nanosleep(1, 0);
    }
    close(fds[1]);
    read(fds[0], &byte, 1);
    close(fds[0]);
    return pid;
}

static bool is_alive(int pid)
{
    return waitpid(pid, NULL, WNOHANG) == 0;
}

static void end(int pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* It need not be at once. */
static bool was_killed(int pid)
{
    int status = 0, ended = 0;
    for (u32 i = 0; i < 50 && ended == 0; i++) {
        nanosleep(0, 10000000);
        ended = waitpid(pid, &status, WNOHANG);
    }
    if (ended == 0)
        end(pid);
    return ended == pid && status == SIGKILL;
}

static void check_oom(void)
{
    /* 1024 pages, so that a thousandth is one. */
    set("a", "memory.limit_in_bytes", "4M");
    int outside = start_member(NULL, 1500, "0"), small = start_member("a", 240, "0"),
        safe = start_member("a", 400, "-1000");
    int large = start_member("a", 1200, "0");
    lab_check(was_killed(large), "a process that wants more than the group may have is ended");
    lab_check(is_alive(small) && is_alive(safe), "those with less, or with -1000, live");
    lab_check(is_alive(outside), "and so does the largest process, which is outside");
    lab_check(number_after(group_file("a", "memory.oom_control"), "oom_kill ") == 1, "oom_kill counts 1");
    /* One with less memory, but more points. */
    int given_up = start_member("a", 40, "1000");
    int next = start_member("a", 360, "0");
    lab_check(was_killed(given_up), "one with 40 pages and oom_score_adj 1000 goes first");
    lab_check(is_alive(small) && is_alive(safe) && is_alive(next), "which made room for 360 pages");
    end(next);
    end(small);
    end(safe);
    end(outside);
}

static void check_oom_disabled(void)
{
    int fds[2];
    char byte = 0;
    set("a", "memory.oom_control", "1");
    pipe(fds);
    int pid = fork();
    if (pid == 0) {
        write_number(group_file("a", "tasks"), getpid());
        write_pages(map_pages(1200), 1200);
        write(fds[1], &byte, 1);
        exit(7);
    }
    while (number_after(group_file("a", "memory.oom_control"), "under_oom ") == 0)
        nanosleep(0, 10000000);
    lab_check(is_alive(pid) && usage("a") == 1024, "oom_kill_disable: who wants more waits; under_oom is 1");
    set("a", "memory.limit_in_bytes", "8M");
    int status;
    lab_check(waitpid(pid, &status, 0) == pid && status == 7 << 8, "the limit is raised: it goes on");
    set("a", "memory.oom_control", "0");
    close(fds[0]);
    close(fds[1]);
}

/* ---- Groups below groups ---- */

static void check_hierarchy(void)
{
    lab_check(make_group("a/b") == 0 && make_group("a/c") == 0, "groups below a group");
    set("a", "memory.limit_in_bytes", "4M");
    int b = start_member("a/b", 300, "0"), c = start_member("a/c", 100, "0");
    u32 sum = usage("a/b") + usage("a/c");
    lab_check(sum >= 400 && usage("a") == sum, "the upper one's usage is the sum");
    check_error(remove_group("a/b"), EBUSY, "a group with a process cannot be removed");
    check_error(remove_group("a"), EBUSY, "nor one with groups below it");
    int outside = start_member(NULL, 1500, "0"), more = start_member("a/c", 1000, "0");
    lab_check(was_killed(more), "the upper one's limit holds: 1000 pages more are too many");
    lab_check(is_alive(b) && is_alive(c) && is_alive(outside), "the others live");
    write_number(ROOT "/tasks", b);
    u32 kept = usage("a/b");
    lab_check(kept >= 300 && remove_group("a/b") == 0 && usage("a") >= kept,
              "a process leaves, its pages stay charged; the group is removed, and they are the upper one's");
    end(b);
    end(c);
    end(outside);
    lab_check(remove_group("a/c") == 0 && usage("a") == 0, "when the processes have ended, nothing is left");
}

int main(void);

int main(void)
{
    mount_on("proc", "/proc", "");
    mount_on("devtmpfs", "/dev", "");
    lab_check(mount_on("cgroup", ROOT, "memory"), "mount -t cgroup -o memory");
    lab_check(make_group("a") == 0, "a folder is a group");
    check_limits();
    check_charges();
    check_reclaim();
    check_oom();
    check_oom_disabled();
    check_hierarchy();
    lab_check(remove_group("a") == 0, "rmdir removes the group");
    return (int)lab_status();
}
