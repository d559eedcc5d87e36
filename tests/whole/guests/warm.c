/*
 * A region of interest whose misses can be told: 400 pages, a byte of each, in turn, twice; the same passes
 * before it, which warm what is to be warmed; other work before those, with the caches emptied in its midst
 * if the command line has a word.
 */
#include "guest.h"

enum {
    NR_PAGES = 400,
    BASE = 2 << 20,
    OTHER = 6 << 20,
    OTHER_BYTES = 1 << 20,
    NR_STEPS = 50000,
    WARM_PASSES = 3,
    REGION_PASSES = 2,
};

static void work(void)
{
    for (unsigned i = 0; i < NR_STEPS; i++)
        *at(OTHER + i * (PAGE + 64) % OTHER_BYTES) += i;
}

static u32 walk_pages(unsigned nr_passes)
{
    u32 sum = 0;
    for (unsigned i = 0; i < nr_passes; i++)
        for (unsigned page = 0; page < NR_PAGES; page++)
            sum += *at(BASE + page * (PAGE + 64));
    return sum;
}

void main(const char *word)
{
    paging_init();
    work();
    if (*word)
        __asm__ volatile("wbinvd" : : : "memory");
    work();
    walk_pages(WARM_PASSES);
    MARKER(MARKER_ROI_BEGIN, 1, 0);
    walk_pages(REGION_PASSES);
    MARKER(MARKER_ROI_END, 1, 0);
    work();
    check("the pages hold zeros", walk_pages(1), 0);
    finish();
}
