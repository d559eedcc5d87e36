/*
 * R6. Memory that does not fit waits on a disk: a page that is not used goes to a slot of a swap area, its
 * entry says which, and the next access waits until it is back (a major fault). What did not change since
 * goes again without being written. The disk is /dev/hda as lookaside has filled it (sim/lab_disk.c), which
 * gets back what it had.
 */
#include "swapping.h"

#define NR_PAGES 256u
#define BYTES (NR_PAGES * PAGE_BYTES)
#define NR_SLOTS 600u /* so many that more than half stay free: then pages keep theirs */
#define DISK "/dev/hda"

static volatile u32 *memory;

static u32 pattern(u32 page, u32 generation)
{
    return page * 2654435761u + generation * 40503u;
}

static void write_pages(u32 generation)
{
    for (u32 i = 0; i < NR_PAGES; i++) {
        memory[i * PAGE_WORDS] = pattern(i, generation);
        memory[i * PAGE_WORDS + PAGE_WORDS - 1] = ~pattern(i, generation);
    }
}

static u32 nr_wrong(u32 generation)
{
    u32 nr = 0;
    for (u32 i = 0; i < NR_PAGES; i++)
        nr += memory[i * PAGE_WORDS] != pattern(i, generation) ||
              memory[i * PAGE_WORDS + PAGE_WORDS - 1] != ~pattern(i, generation);
    return nr;
}

static u32 page_out(const char *what)
{
    struct lab_region region;
    u32 before = vm_event("pswpout ");
    lab_region_begin(&region, what);
    lab_check(madvise((void *)(uintptr_t)memory, BYTES, MADV_PAGEOUT) == 0, "%s: MADV_PAGEOUT", what);
    lab_region_end(&region);
    if (lab_counts_cycles())
        lab_figure(what, region.counts.cycles, NR_PAGES, "cycles a page");
    lab_check(pages_in_core((const void *)(uintptr_t)memory, NR_PAGES) == 0, "%s: no page is in memory",
              what);
    return vm_event("pswpout ") - before;
}

static void go_and_come_back(void)
{
    struct lab_region minor, major;
    lab_region_begin(&minor, "first writes");
    write_pages(1);
    lab_region_end(&minor);
    pages_in_core((const void *)(uintptr_t)memory, NR_PAGES); /* has what it needs itself */
    u32 rss = proc_row("/proc/self/status", "VmRSS:");
    lab_check(page_out("out, dirty") == NR_PAGES, "each was written to the disk (pswpout)");
    u32 swapped = proc_row("/proc/self/status", "VmSwap:");
    lab_check(swapped == BYTES >> 10 && rss - proc_row("/proc/self/status", "VmRSS:") == swapped,
              "VmSwap has %u KiB, and VmRSS as much less", swapped);
    lab_check(proc_row("/proc/meminfo", "SwapTotal:") - proc_row("/proc/meminfo", "SwapFree:") == swapped,
              "SwapFree has become less by that");

    u32 faults = major_faults(), in = vm_event("pswpin ");
    lab_region_begin(&major, "coming back");
    u32 wrong = nr_wrong(1);
    lab_region_end(&major);
    faults = major_faults() - faults;
    in = vm_event("pswpin ") - in;
    lab_check(wrong == 0, "read again, all %u pages hold what they held", NR_PAGES);
    lab_check(in == NR_PAGES && faults == in, "%u pages were read from the disk, %u major faults", in,
              faults);
    if (lab_counts_cycles()) {
        lab_figure("a page fault that takes a fresh page", minor.counts.cycles, NR_PAGES, "cycles");
        lab_figure("a major fault", major.counts.cycles, NR_PAGES, "cycles");
        lab_check(major.counts.cycles > 3 * minor.counts.cycles, "the disk makes the difference");
    }
}

static void clean_pages_are_not_written(void)
{
    lab_check(page_out("out again, clean") == 0, "the disk has them still: nothing was written");
    lab_check(nr_wrong(1) == 0, "and they come back as they were");
    write_pages(2);
    lab_check(page_out("out, written to") == NR_PAGES, "what changed is written");
    lab_check(nr_wrong(2) == 0, "and comes back as it is now");
}

/* Parent and child share the slots, and then the pages, until one writes. */
static void shared_with_a_child(void)
{
    page_out("before fork");
    int status, pid = fork();
    if (pid == 0) {
        u32 wrong = nr_wrong(2);
        write_pages(3);
        exit(wrong || nr_wrong(3) ? 1 : 0);
    }
    lab_check(nr_wrong(2) == 0, "fork copies entries of swap: the parent has its pages");
    lab_check(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0,
              "the child has them, and writes its own");
    lab_check(nr_wrong(2) == 0, "which the parent does not see");
}

static void locked_pages_stay(void)
{
    lab_check(mlock((const void *)(uintptr_t)memory, BYTES) == 0 &&
                  madvise((void *)(uintptr_t)memory, BYTES, MADV_PAGEOUT) == -1 && errno == EINVAL &&
                  pages_in_core((const void *)(uintptr_t)memory, NR_PAGES) == NR_PAGES,
              "after mlock they cannot go");
    syscall(__NR_munlock, word_of((const void *)(uintptr_t)memory), BYTES, 0);
}

static void area_goes(void)
{
    page_out("before swapoff");
    lab_check(swapoff(DISK) == 0, "swapoff");
    lab_check(pages_in_core((const void *)(uintptr_t)memory, NR_PAGES) == NR_PAGES &&
                  proc_row("/proc/self/status", "VmSwap:") == 0 &&
                  proc_row("/proc/meminfo", "SwapTotal:") == 0,
              "has brought all pages back");
    lab_check(nr_wrong(2) == 0, "as they were");
}

/* Words of sim/lab_disk.h. */
static bool restore_disk(void)
{
    static u32 words[PAGE_WORDS];
    int fd = open(DISK, O_WRONLY, 0);
    bool is_good = fd >= 0;
    for (u32 page = 0; page < NR_SLOTS; page++) {
        for (u32 i = 0; i < PAGE_WORDS; i++)
            words[i] = (page * PAGE_WORDS + i) * 0x9E3779B1u ^ 0xD15Cu;
        is_good &= write(fd, words, sizeof(words)) == (long)sizeof(words);
    }
    is_good &= syscall(__NR_fsync, (u32)fd, 0, 0) == 0;
    close(fd);
    return is_good;
}

int main(void)
{
    mount_on("proc", "/proc", NULL);
    if (!make_swap(DISK, NR_SLOTS)) {
        lab_skip("there is no disk");
        return (int)lab_status();
    }
    memory = mmap(NULL, BYTES, READ_WRITE, ANON);
    lab_check(memory != MAP_FAILED && swapon("/dev/null", 0) == -1 && errno == EINVAL,
              "what is no disk cannot be a swap area");
    lab_check(swapon(DISK, 0) == 0 &&
                  proc_row("/proc/meminfo", "SwapTotal:") == (NR_SLOTS - 1) * PAGE_BYTES >> 10,
              "swapon: an area of %u pages", NR_SLOTS - 1);
    lab_check(swapon(DISK, 0) == -1 && errno == EBUSY, "once only");
    go_and_come_back();
    clean_pages_are_not_written();
    shared_with_a_child();
    locked_pages_stay();
    area_goes();
    lab_check(restore_disk(), "the disk gets back what it had");
    return (int)lab_status();
}
