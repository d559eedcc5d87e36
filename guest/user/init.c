/*
 * The default program: shows where its parts lie, and makes the kernel bring in pages on demand in each of
 * the ways that exist so far. Exits with the number of checks that failed.
 */
#include "ulib.h"

#define PAGE_BYTES 4096u
#define HEAP_PAGES 64u
#define STACK_DEPTH 32u
#define NR_ZEROES (4 * PAGE_BYTES)

/* An address that no area contains, and one that only the kernel may touch. */
#define UNMAPPED_ADDRESS 0x00001000u
#define KERNEL_ADDRESS 0xC0100000u

extern char __executable_start[], etext[], edata[], end[];

static const char greeting[] = "hello from ring 3";
static u32 initialised[1024] = {1, 2, 3};
static u8 zeroes[NR_ZEROES];

static int nr_failed;

static void check(bool ok, const char *what)
{
    printf("init: %s: %s\n", what, ok ? "ok" : "FAILED");
    /*
     * Written only if it must be: QEMU takes a read-modify-write of a fresh page for a read and then a write,
     * two faults.
     */
    if (!ok)
        nr_failed++;
}

static void show_addresses(char **argv)
{
    u32 local = 0;
    u8 *heap = sbrk(0);
    printf("init: %s, pid %d, %s\n", greeting, getpid(), argv[0]);
    printf("init: text  %p - %p, main-like code at %p\n", (void *)__executable_start, (void *)etext,
           (void *)(uintptr_t)show_addresses);
    printf("init: data  %p - %p, initialised array at %p\n", (void *)initialised, (void *)edata,
           (void *)initialised);
    printf("init: bss   %p - %p, zeroed array at %p\n", (void *)edata, (void *)end, (void *)zeroes);
    printf("init: heap  %p, stack %p\n", (void *)heap, (void *)&local);
}

/* One page after another: each first write is a fault. */
static void touch_heap(void)
{
    u8 *heap = sbrk(HEAP_PAGES * PAGE_BYTES);
    check(heap != (u8 *)-1, "heap grows by 64 pages");
    u32 sum = 0;
    for (u32 page = 0; page < HEAP_PAGES; page++)
        heap[page * PAGE_BYTES] = (u8)page;
    for (u32 page = 0; page < HEAP_PAGES; page++)
        sum += heap[page * PAGE_BYTES] + heap[page * PAGE_BYTES + 1];
    check(sum == HEAP_PAGES * (HEAP_PAGES - 1) / 2, "heap pages hold what was written, and zeroes");
    check(sbrk(-(long)(HEAP_PAGES * PAGE_BYTES)) != (void *)-1 && sbrk(0) == heap, "heap shrinks again");
}

static void touch_bss(void)
{
    u32 sum = 0;
    for (u32 i = 0; i < NR_ZEROES; i += 64)
        sum += zeroes[i];
    zeroes[NR_ZEROES - 1] = 1;
    check(sum == 0 && zeroes[NR_ZEROES - 1] == 1, "bss reads as zeroes, then takes a write");
    initialised[3] = 4;
    check(initialised[0] + initialised[1] + initialised[2] + initialised[3] == 10, "data segment");
}

/* Each call puts a page on the stack. */
static __attribute__((noinline)) u32 grow_stack(u32 depth)
{
    volatile u8 page[PAGE_BYTES];
    page[0] = (u8)depth;
    u32 below = depth ? grow_stack(depth - 1) : 0;
    return below + page[0];
}

static void check_bad_pointers(void)
{
    errno = 0;
    check(write(1, (const void *)UNMAPPED_ADDRESS, 16) == -1 && errno == EFAULT,
          "write() from nowhere gives EFAULT");
    errno = 0;
    check(write(1, (const void *)KERNEL_ADDRESS, 16) == -1 && errno == EFAULT,
          "write() from kernel memory gives EFAULT");
    errno = 0;
    check(write(7, greeting, 1) == -1 && errno == EBADF, "write() to no file gives EBADF");
}

/*
 * What an ordinary machine's first cache and TLB hold, and a tiny one's do not: 16 KiB of which a word of
 * each line is read, and 32 pages of which a word is read each, over and over.
 */
enum { TABLE_PAGES = 32, LINE_BYTES = 64, NR_LINES = 256, NR_ROUNDS = 600 };

static unsigned char table[TABLE_PAGES * (PAGE_BYTES + LINE_BYTES)];

/* The sum of nr words that lie stride bytes apart, of NR_ROUNDS rounds; each word holds its number. */
static unsigned read_words(unsigned nr, unsigned stride_bytes)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < nr; i++)
        table[i * stride_bytes] = (unsigned char)i;
    for (unsigned round = 0; round < NR_ROUNDS; round++)
        for (unsigned i = 0; i < nr; i++)
            sum += table[i * stride_bytes];
    return sum;
}

static void read_tables(void)
{
    check(read_words(NR_LINES, LINE_BYTES) == NR_ROUNDS * (NR_LINES * (NR_LINES - 1) / 2),
          "256 lines read 600 times");
    check(read_words(TABLE_PAGES, PAGE_BYTES + LINE_BYTES) ==
              NR_ROUNDS * (TABLE_PAGES * (TABLE_PAGES - 1) / 2),
          "32 pages read 600 times");
}

int main(int argc, char **argv);

int main(int argc, char **argv)
{
    check(argc == 1, "argc is 1");
    show_addresses(argv);
    touch_bss();
    touch_heap();
    check(grow_stack(STACK_DEPTH) == STACK_DEPTH * (STACK_DEPTH + 1) / 2, "stack grows by 33 pages");
    check_bad_pointers();
    read_tables();
    check(nanosleep(0, 20000000) == 0, "nanosleep() comes back");
    return nr_failed;
}
