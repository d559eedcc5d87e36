/*
 * A load in a region of interest, counted by the processor's own counters too: "EVENT COUNT" to port E9h for
 * each event of the list, which tests/whole/counters.sh writes. An event is PERFEVTSELx's low 16 bits. Region
 * i + 1 is that of event i.
 */
#include "guest.h"

enum { PERFEVTSEL0 = 0x186, USR = 1 << 16, OS = 1 << 17, EN = 1 << 22, NR_PAGES = 96 };

static const u32 events[] = {
#include "events.h"
};

static void wrmsr(u32 number, u32 value)
{
    __asm__ volatile("wrmsr" : : "c"(number), "a"(value), "d"(0));
}

/* Reads and writes in more pages than an L1 TLB has, from empty TLBs, with branches that go either way. */
static __attribute__((noinline)) void load(void)
{
    write_cr3(read_cr3());
    for (u32 i = 0, at_page = 5 << 20; i < NR_PAGES; i++, at_page += PAGE) {
        u32 value = *at(at_page + i * 64 % PAGE);
        if (value * 2654435761u >> 31 || i % 3 == 0)
            *at(at_page) = value + i;
    }
}

/*
 * As many instructions from the first RDPMC to the region's beginning as from the second one to its end, so
 * that both count the same number of them.
 */
static __attribute__((noinline)) u32 measure(u32 region)
{
    u32 begin, end, unused;
    __asm__ volatile("rdpmc\n\t mov %%eax, %0\n\t mov %2, %%eax\n\t"
                     ".byte 0x0f, 0x1f, 0x84, 0x00; .long 0x4c410001"
                     : "=&m"(begin), "=&a"(unused)
                     : "r"(region), "c"(0)
                     : "edx", "memory");
    load();
    __asm__ volatile("rdpmc\n\t mov %%eax, %0\n\t mov %2, %%eax\n\t"
                     ".byte 0x0f, 0x1f, 0x84, 0x00; .long 0x4c410002"
                     : "=&m"(end), "=&a"(unused)
                     : "r"(region), "c"(0)
                     : "edx", "memory");
    return end - begin;
}

static void say_number(u32 value)
{
    char digits[11] = {0}, *digit = digits + 10;
    do
        *--digit = (char)('0' + value % 10);
    while (value /= 10);
    say(digit);
}

void main(const char *word)
{
    (void)word;
    paging_init();
    for (u32 i = 0; i < sizeof events / sizeof *events; i++) {
        wrmsr(PERFEVTSEL0, 0);
        wrmsr(PERFEVTSEL0, events[i] | USR | OS | EN);
        measure(0); /* so that code and stack are there */
        u32 count = measure(i + 1);
        say_number(events[i]);
        say(" ");
        say_number(count);
        say("\n");
    }
}
