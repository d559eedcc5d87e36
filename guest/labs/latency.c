/*
 * The guest of `lookaside lab latency`: chases a random cycle of pointers through working sets of growing
 * size, and says what a load took. Runs alone, without a kernel.
 *
 * Its command line: MODE STRIDE FIRST LAST
 *   flat STRIDE FIRST LAST    paging off; FIRST to LAST bytes with a cell each STRIDE bytes
 *   paged STRIDE FIRST LAST   the same with pages of 4 KiB
 *   pages STRIDE FIRST LAST   FIRST to LAST pages of 4 KiB, one cell in each, a STRIDE further on each time
 *
 * Each size is a region of interest (marker 1 and 2), and a line on port E9h: `size cells loads cycles`,
 * cycles by the time-stamp counter, or 0 on a processor that has none. The first line, of size 0, is the cost
 * of measuring.
 */
#include "lookaside.h"
#include "types.h"

enum { PAGE_BYTES = 4096, TABLE_ENTRIES = 1024, LARGE_BYTES = 4 << 20, BASE_BYTES = 1 << 20 };
enum { PAGE_PRESENT = 1, PAGE_WRITABLE = 2, PAGE_ACCESSED = 0x20, PAGE_DIRTY = 0x40 };
enum { LOADS_PER_ROUND = 128, MIN_LOADS = 16 * 1024, MAX_LOADS = 64 * 1024 };
enum { MULTIBOOT_COMMAND_LINE = 4 }; /* index in the information, 0.6.96 3.3 */

u32 *chase(u32 *at, u32 nr_rounds);
void lab_main(const u32 *information);

extern u8 _end[];

static bool has_tsc;

static void put_byte(u8 byte)
{
    __asm__ volatile("outb %0, $0xe9" : : "a"(byte));
}

static void put_number(u32 value, char end)
{
    char digits[10];
    unsigned nr = 0;
    do
        digits[nr++] = (char)('0' + value % 10);
    while (value /= 10);
    while (nr)
        put_byte((u8)digits[--nr]);
    put_byte((u8)end);
}

/* EFLAGS.ID can be changed where there is CPUID (SDM 3A 22.15); leaf 1, EDX bit 4 is the counter. */
static bool find_tsc(void)
{
    u32 before, after, features;
    __asm__ volatile("pushfl; popl %0; movl %0, %1; xorl $0x200000, %1; pushl %1; popfl; pushfl; popl %1"
                     : "=&r"(before), "=&r"(after));
    if (!((before ^ after) & 0x200000))
        return false;
    u32 leaf = 1;
    __asm__ volatile("cpuid" : "+a"(leaf), "=d"(features) : : "ebx", "ecx");
    return features >> 4 & 1;
}

/* All regions are far below 2^32 cycles. */
static u32 now(void)
{
    u32 low = 0, high;
    if (has_tsc)
        __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return low;
}

static u32 random_state = 0x2545f491;

/* 0 to bound - 1 (xorshift, and the high half of a product). */
static u32 random_below(u32 bound)
{
    u32 product_low, product_high;
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    __asm__("mull %3" : "=a"(product_low), "=d"(product_high) : "0"(random_state), "rm"(bound));
    return product_high;
}

/* Where cell `i` lies: every `step` bytes, and `shift` further for each page before it, within its page. */
struct ring {
    u32 base, step, shift;
};

static u32 *cell(const struct ring *ring, u32 i)
{
    return (u32 *)(ring->base + i * ring->step + (i * ring->shift & (PAGE_BYTES - 1)));
}

/* One cycle through all cells, each as likely as any other (Sattolo). */
static void make_ring(const struct ring *ring, u32 nr_cells)
{
    for (u32 i = 0; i < nr_cells; i++)
        *cell(ring, i) = (u32)cell(ring, i);
    for (u32 i = nr_cells - 1; i > 0; i--) {
        u32 *a = cell(ring, i), *b = cell(ring, random_below(i));
        u32 kept = *a;
        *a = *b;
        *b = kept;
    }
}

static void measure(u32 id, u32 size, const struct ring *ring, u32 nr_cells)
{
    u32 nr_rounds = 0, *at = cell(ring, 0);
    if (nr_cells) {
        u32 nr_loads = nr_cells < MIN_LOADS ? MIN_LOADS : nr_cells > MAX_LOADS ? MAX_LOADS : nr_cells;
        nr_rounds = (nr_loads + LOADS_PER_ROUND - 1) / LOADS_PER_ROUND;
        make_ring(ring, nr_cells);
        /* Once round all cells, so that what fits is there, and this code is as well. */
        at = chase(at, (nr_cells + LOADS_PER_ROUND - 1) / LOADS_PER_ROUND);
    } else {
        chase(at, 0);
        now();
    }
    lk_roi_begin(id);
    u32 begin = now();
    chase(at, nr_rounds);
    u32 cycles = now() - begin;
    lk_roi_end(id);
    put_number(size, ' ');
    put_number(nr_cells, ' ');
    put_number(nr_rounds * LOADS_PER_ROUND, ' ');
    put_number(cycles, '\n');
}

/* Maps all below `end` one to one by pages of 4 KiB; the tables lie from `tables` on. */
static void turn_paging_on(u32 tables, u32 end)
{
    u32 *directory = (u32 *)tables, *table = directory + TABLE_ENTRIES;
    const u32 flags = PAGE_PRESENT | PAGE_WRITABLE | PAGE_ACCESSED | PAGE_DIRTY;
    for (u32 i = 0; i < TABLE_ENTRIES; i++) {
        directory[i] = 0;
        if (i * LARGE_BYTES >= end)
            continue;
        directory[i] = (u32)table | flags;
        for (u32 page = 0; page < TABLE_ENTRIES; page++)
            *table++ = (i * LARGE_BYTES + page * PAGE_BYTES) | flags;
    }
    u32 control0;
    __asm__ volatile("movl %1, %%cr3; movl %%cr0, %0; orl $0x80000000, %0; movl %0, %%cr0; jmp 1f; 1:"
                     : "=&r"(control0)
                     : "r"(tables)
                     : "memory");
}

static const char *skip_word(const char *text)
{
    while (*text && *text != ' ')
        text++;
    while (*text == ' ')
        text++;
    return text;
}

static u32 number(const char *text)
{
    u32 value = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (u32)(*text - '0');
    return value;
}

static bool begins_with(const char *text, const char *word)
{
    for (; *word; text++, word++) {
        if (*text != *word)
            return false;
    }
    return true;
}

void lab_main(const u32 *information)
{
    /* The image's name is the first word. */
    const char *mode = skip_word((const char *)information[MULTIBOOT_COMMAND_LINE]);
    const char *words = skip_word(mode);
    u32 stride = number(words), first = number(skip_word(words)), last = number(skip_word(skip_word(words)));
    bool is_pages = begins_with(mode, "pages");
    /* What the loader put behind the image is no longer needed then. */
    struct ring ring = {((u32)_end + BASE_BYTES - 1) & ~(BASE_BYTES - 1u), stride, 0};
    if (is_pages)
        ring = (struct ring){ring.base, PAGE_BYTES, stride};
    u32 ring_end = ring.base + last * (is_pages ? PAGE_BYTES : 1) + PAGE_BYTES;
    has_tsc = find_tsc();
    if (!begins_with(mode, "flat"))
        turn_paging_on((ring_end + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1u), ring_end + 2 * LARGE_BYTES);
    measure(0, 0, &ring, 0);
    u32 id = 1;
    for (u32 size = first; size <= last; size *= 2) {
        const u32 sizes[] = {size, size + size / 2};
        for (unsigned half = 0; half < 2 && sizes[half] <= last; half++)
            measure(id++, sizes[half], &ring, is_pages ? sizes[half] : sizes[half] / stride);
    }
    (void)lk_marker(7, 0, 0, 0);
}
