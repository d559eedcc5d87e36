/*
 * F2. Memory that was asked for costs nothing until it is touched: a first read maps the page of zeroes that
 * all share, a first write takes a page.
 */
#include "lab.h"
#include "mman.h"
#include "ulib.h"

#define PAGE_BYTES 4096u
#define NR_PAGES 256u
#define BYTES (NR_PAGES * PAGE_BYTES)
#define READ_WRITE (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static u32 read_all(const volatile u32 *memory)
{
    u32 sum = 0;
    for (u32 i = 0; i < NR_PAGES; i++)
        sum |= memory[i * PAGE_BYTES / sizeof(u32)];
    return sum;
}

static void write_all(volatile u32 *memory)
{
    for (u32 i = 0; i < NR_PAGES; i++)
        memory[i * PAGE_BYTES / sizeof(u32)] = i + 1;
}

static bool all_written(const volatile u32 *memory)
{
    for (u32 i = 0; i < NR_PAGES; i++)
        if (memory[i * PAGE_BYTES / sizeof(u32)] != i + 1)
            return false;
    return true;
}

static void check_faults(u32 before, u32 expected, const char *what)
{
    u32 faults = minor_faults() - before;
    lab_check(faults == expected, "%s: %u page faults", what, faults);
}

static void figure_fault(const char *what, const struct lab_region *region)
{
    if (lab_counts_cycles())
        lab_figure(what, region->counts.cycles, NR_PAGES, "cycles");
}

static void check_read_then_write(void)
{
    struct lab_region first_read, first_write, again;
    u32 before = minor_faults();
    u32 *memory = mmap(NULL, BYTES, READ_WRITE, ANON);
    lab_check(memory != MAP_FAILED, "1 MiB is mapped");
    check_faults(before, 0, "for the mapping");

    before = minor_faults();
    lab_region_begin(&first_read, "first read of 256 pages");
    u32 bits = read_all(memory);
    lab_region_end(&first_read);
    check_faults(before, NR_PAGES, "reading a word of each page");
    lab_check(bits == 0, "all that was read is zero");

    before = minor_faults();
    lab_region_begin(&first_write, "first write to them");
    write_all(memory);
    lab_region_end(&first_write);
    check_faults(before, NR_PAGES, "writing to each of them then");

    before = minor_faults();
    lab_region_begin(&again, "writing once more");
    write_all(memory);
    lab_region_end(&again);
    check_faults(before, 0, "writing to them again");
    lab_check(all_written(memory), "all hold what was written");
    figure_fault("a first read (maps the page of zeroes)", &first_read);
    figure_fault("a write to a page of zeroes (takes a page)", &first_write);
    figure_fault("a write to a page that is there", &again);
    munmap(memory, BYTES);
}

static void check_write_at_once(void)
{
    u32 *memory = mmap(NULL, BYTES, READ_WRITE, ANON);
    u32 before = minor_faults();
    write_all(memory);
    check_faults(before, NR_PAGES, "fresh memory, written at once");

    madvise(memory, BYTES, MADV_DONTNEED);
    before = minor_faults();
    lab_check(read_all(memory) == 0, "after MADV_DONTNEED it is zero again");
    check_faults(before, NR_PAGES, "which is read from");
    munmap(memory, BYTES);
}

static void check_locked(void)
{
    u32 *memory = mmap(NULL, BYTES, READ_WRITE, ANON);
    mlock(memory, BYTES);
    u32 before = minor_faults();
    write_all(memory);
    check_faults(before, 0, "after mlock, memory is there");
    munmap(memory, BYTES);

    lab_check(mlockall(MCL_CURRENT | MCL_FUTURE) == 0, "mlockall for what is there and what comes");
    before = minor_faults();
    memory = mmap(NULL, BYTES, READ_WRITE, ANON);
    write_all(memory);
    check_faults(before, 0, "memory that is mapped later");
    munmap(memory, BYTES);
    munlockall();
}

int main(void);

int main(void)
{
    /* What measuring needs itself comes in now. */
    struct lab_region empty;
    lab_region_begin(&empty, "nothing");
    lab_region_end(&empty);
    (void)minor_faults();
    lab_say("A program maps memory and touches it, page by page");
    check_read_then_write();
    check_write_at_once();
    check_locked();
    return (int)lab_status();
}
