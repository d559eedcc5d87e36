/*
 * F5. fork() copies page tables, not pages: both share them until one writes. What fork() takes grows with
 * the parent's size.
 */
#include "lab.h"
#include "mman.h"
#include "ulib.h"

#define PAGE_BYTES 4096u
#define NR_PAGES 256u
#define NR_WRITES 16u
#define LARGE_PAGES 2048u

static volatile u32 *word(u8 *memory, u32 page)
{
    return (volatile u32 *)(void *)(memory + page * PAGE_BYTES);
}

static u8 *filled(u32 nr_pages)
{
    u8 *memory = mmap(NULL, nr_pages * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    for (u32 i = 0; i < nr_pages; i++)
        *word(memory, i) = i;
    return memory;
}

static u32 count_right(u8 *memory, u32 nr_pages)
{
    u32 nr = 0;
    for (u32 i = 0; i < nr_pages; i++)
        nr += *word(memory, i) == i;
    return nr;
}

/* In the child: each answer is a bit of the exit status. */
static int child(u8 *memory)
{
    u32 before = minor_faults();
    bool sees_all = count_right(memory, NR_PAGES) == NR_PAGES;
    bool no_fault = minor_faults() == before;
    before = minor_faults();
    for (u32 i = 0; i < NR_WRITES; i++)
        *word(memory, i) = ~i;
    bool one_each = minor_faults() - before == NR_WRITES;
    bool its_own = *word(memory, 0) == ~0u && *word(memory, NR_WRITES) == NR_WRITES;
    return sees_all | no_fault << 1 | one_each << 2 | its_own << 3;
}

static void check_child(u8 *memory)
{
    int status, pid = fork();
    if (pid == 0)
        exit(child(memory));
    lab_check(waitpid(pid, &status, 0) == pid && (status & 0x7F) == 0,
              "the child has the number %d and ends by itself", pid);
    int answers = status >> 8;
    lab_check(answers & 1, "it finds all that its parent had written");
    lab_check(answers & 2, "reading costs it no page fault");
    lab_check(answers & 4, "writing costs one fault a page, the first time");
    lab_check(answers & 8, "what it writes is its own");
    lab_check(count_right(memory, NR_PAGES) == NR_PAGES, "the parent's pages are as they were");
    u32 before = minor_faults();
    for (u32 i = 0; i < NR_PAGES; i++)
        *word(memory, i) = i;
    lab_check(minor_faults() - before == NR_PAGES,
              "the parent's next write to each page is a fault: the entry is read-only");
    before = minor_faults();
    for (u32 i = 0; i < NR_PAGES; i++)
        *word(memory, i) = i;
    lab_check(minor_faults() == before, "the one after that is not");
}

static u64 time_fork(const char *what)
{
    struct lab_region region;
    lab_region_begin(&region, what);
    int pid = fork();
    if (pid == 0)
        exit(0);
    lab_region_end(&region);
    waitpid(pid, NULL, 0);
    return region.counts.cycles;
}

static void compare_forks(void)
{
    u64 small = time_fork("fork of a small process");
    u8 *memory = filled(LARGE_PAGES);
    u64 large = time_fork("fork of one with 8 MiB more");
    munmap(memory, LARGE_PAGES * PAGE_BYTES);
    if (!lab_counts_cycles())
        return;
    lab_figure("fork of a small process", small, 1, "cycles");
    lab_figure("fork of one with 2048 pages more", large, 1, "cycles");
    lab_check(large > 2 * small, "fork takes longer the more pages the parent has");
}

int main(void);

int main(void)
{
    u8 *memory = filled(NR_PAGES);
    (void)minor_faults();
    check_child(memory);
    compare_forks();
    munmap(memory, NR_PAGES * PAGE_BYTES);
    return (int)lab_status();
}
