/*
 * R7. Swap in memory, compressed: pages that are not used for long take a fraction of their frames, and come
 * back without a disk; it costs the cycles of compressing and decompressing.
 */
#include "swapping.h"

#define NR_PAGES 256u /* of text; and some of each of the others */
#define NR_OTHERS 64u
#define BYTES (NR_PAGES * PAGE_BYTES)
#define DEVICE "/dev/zram0"

static u32 random_state = 1;

static u32 random_below(u32 limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (u32)(((u64)random_state * limit) >> 32);
}

/* Rows of a table: words that come again and again, and numbers. */
static void fill_text(char *page)
{
    static const char *const words[] = {"anonymous memory, ",  "page table entries, ", "the swap cache, ",
                                        "buffers of a disk, ", "kernel stacks, ",      "slab objects, ",
                                        "the page cache, ",    "a process's heap, ",   "translation caches, ",
                                        "free blocks, ",       "reserved frames, ",    "a file's mapping, "};
    for (u32 at = 0; at < PAGE_BYTES;) {
        const char *word = words[random_below(ARRAY_SIZE(words))];
        while (*word && at < PAGE_BYTES)
            page[at++] = *word++;
        if (random_below(4) == 0 && at < PAGE_BYTES)
            page[at++] = (char)('0' + random_below(10));
    }
}

static void fill_random(char *page)
{
    u32 *words = (u32 *)(void *)page;
    for (u32 i = 0; i < PAGE_WORDS; i++)
        words[i] = random_below(0xFFFFFFFFu);
}

static void fill_same(char *page)
{
    memset(page, 0x5A, PAGE_BYTES);
}

static void fill(char *memory, u32 nr_pages, void (*fill_page)(char *page))
{
    for (u32 i = 0; i < nr_pages; i++)
        fill_page(memory + i * PAGE_BYTES);
}

static u32 checksum(const char *memory, u32 nr_pages)
{
    const u32 *words = (const u32 *)(const void *)memory;
    u32 sum = 0;
    for (u32 i = 0; i < nr_pages * PAGE_WORDS; i++)
        sum = sum * 31 + words[i];
    return sum;
}

enum { ORIGINAL, COMPRESSED, TAKEN, LIMIT, MOST_TAKEN, SAME, COMPACTED, HUGE, NR_MM_STATS };

static void read_mm_stat(u32 stat[NR_MM_STATS])
{
    char text[128];
    const char *at = read_text("/proc/zram0/mm_stat", text, sizeof(text));
    for (u32 i = 0; i < NR_MM_STATS; i++) {
        stat[i] = (u32)number_of(at);
        while (*at == ' ')
            at++;
        while (*at && *at != ' ')
            at++;
    }
}

static char *mapped(u32 nr_pages)
{
    return mmap(NULL, nr_pages * PAGE_BYTES, READ_WRITE, ANON);
}

static void page_out(char *memory, u32 nr_pages, const char *what)
{
    lab_check(madvise(memory, nr_pages * PAGE_BYTES, MADV_PAGEOUT) == 0 &&
                  pages_in_core(memory, nr_pages) == 0,
              "%s: all pages are away", what);
}

static void check_text(void)
{
    u32 before[NR_MM_STATS], after[NR_MM_STATS];
    struct lab_region out, in;
    char *memory = mapped(NR_PAGES);
    fill(memory, NR_PAGES, fill_text);
    u32 sum = checksum(memory, NR_PAGES), free_before = proc_row("/proc/meminfo", "MemFree:");
    read_mm_stat(before);
    lab_region_begin(&out, "compressing");
    page_out(memory, NR_PAGES, "1 MiB of words");
    lab_region_end(&out);
    read_mm_stat(after);
    u32 won_kbytes = proc_row("/proc/meminfo", "MemFree:") - free_before;
    u32 taken = after[TAKEN] - before[TAKEN], compressed = after[COMPRESSED] - before[COMPRESSED];
    lab_check(after[ORIGINAL] - before[ORIGINAL] == BYTES, "zram0 has 1 MiB");
    lab_figure("compressed to", (u64)compressed * 100, BYTES, "percent");
    lab_figure("memory taken for that", (u64)taken * 100, BYTES, "percent");
    lab_check(compressed < BYTES / 2 && taken >= compressed && taken < BYTES / 2,
              "in less than half of the memory");
    lab_check(won_kbytes > BYTES / 2 / 1024 && won_kbytes <= BYTES / 1024, "MemFree has grown by %s",
              won_kbytes > BYTES / 2 / 1024 ? "more than half of it" : "too little");

    u32 faults = major_faults();
    lab_region_begin(&in, "coming back");
    bool is_right = checksum(memory, NR_PAGES) == sum;
    lab_region_end(&in);
    lab_check(is_right, "all of it comes back as it was");
    lab_check(major_faults() - faults == NR_PAGES, "by a major fault each, without a disk");
    if (lab_counts_cycles()) {
        lab_figure("a page out", out.counts.cycles, NR_PAGES, "cycles");
        lab_figure("a page in, and read", in.counts.cycles, NR_PAGES, "cycles");
    }
    munmap(memory, BYTES);
    read_mm_stat(after);
    lab_check(after[ORIGINAL] == before[ORIGINAL] && after[TAKEN] == before[TAKEN],
              "slots that nobody needs take no memory");
}

static void check_others(void)
{
    u32 before[NR_MM_STATS], after[NR_MM_STATS];
    char *same = mapped(NR_OTHERS), *random = mapped(NR_OTHERS);
    fill(same, NR_OTHERS, fill_same);
    fill(random, NR_OTHERS, fill_random);
    u32 same_sum = checksum(same, NR_OTHERS), random_sum = checksum(random, NR_OTHERS);
    read_mm_stat(before);
    page_out(same, NR_OTHERS, "64 pages of one byte over and over");
    read_mm_stat(after);
    lab_check(after[SAME] - before[SAME] == NR_OTHERS && after[TAKEN] == before[TAKEN],
              "are noted as such, and take no memory");
    before[HUGE] = after[HUGE];
    page_out(random, NR_OTHERS, "64 pages of random numbers");
    read_mm_stat(after);
    lab_check(after[HUGE] - before[HUGE] == NR_OTHERS, "do not become smaller, and are kept as they are");
    lab_check(checksum(same, NR_OTHERS) == same_sum && checksum(random, NR_OTHERS) == random_sum,
              "both come back as they were");
    munmap(same, NR_OTHERS * PAGE_BYTES);
    munmap(random, NR_OTHERS * PAGE_BYTES);
}

int main(void)
{
    mount_on("proc", "/proc", NULL);
    u32 nr_pages = (u32)read_number("/proc/zram0/disksize") / PAGE_BYTES;
    if (nr_pages == 0) {
        lab_skip("there is no compressed disk: zram=16M makes one");
        return (int)lab_status();
    }
    lab_check(make_swap(DEVICE, nr_pages) && swapon(DEVICE, SWAP_FLAG_PREFER | 5) == 0,
              "/dev/zram0, %u pages, is a swap area of priority 5", nr_pages);
    check_text();
    check_others();
    lab_check(swapoff(DEVICE) == 0, "swapoff");
    return (int)lab_status();
}
