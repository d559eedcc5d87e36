/* Memory-management events (marker 12h) whose begins and ends overlap, as tasks' do. */
#include "guest.h"

/* guest/include/lookaside.h, which is another's copy of these numbers, is not used here. */
enum {
    FREE_PAGES = 4,
    BELOW_WATERMARK = 5,
    KSWAPD_WAKE = 7,
    KSWAPD_SLEEP = 8,
    DIRECT_RECLAIM_BEGIN = 9,
    DIRECT_RECLAIM_END = 10,
    BLOCK_IO_BEGIN = 20,
};

static void say_event(u32 kind, u32 edx, u32 ecx)
{
    __asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0; .long 0x4c410012" : : "a"(kind), "d"(edx), "c"(ecx));
}

void main(const char *word)
{
    (void)word;
    say_event(FREE_PAGES, 500, 1 << 8);
    say_event(KSWAPD_WAKE, 2, 1 << 8);
    say_event(BELOW_WATERMARK, 90, 1 << 8 | 1);
    say_event(DIRECT_RECLAIM_BEGIN, 7, 0);
    say_event(DIRECT_RECLAIM_BEGIN, 8, 1);
    say_event(DIRECT_RECLAIM_END, 7, 32);
    say_event(KSWAPD_SLEEP, 40, 0);
    say_event(DIRECT_RECLAIM_END, 8, 33);
    say_event(DIRECT_RECLAIM_END, 9, 34);
    say_event(BLOCK_IO_BEGIN, 3, 0);
    finish();
}
