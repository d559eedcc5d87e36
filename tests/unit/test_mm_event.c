/* What the bundled guest says by marker 12h and what lookaside takes it for are the same. */
#include "sim/base/mm_event.h"

#include "guest/include/lookaside.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect_text(uint32_t kind, uint32_t edx, uint32_t ecx, const char *expected)
{
    char text[MM_EVENT_TEXT_CHARS];
    mm_event_describe(&(struct mm_event){.kind = kind, .edx = edx, .ecx = ecx}, text);
    cr_expect_str_eq(text, expected);
}

Test(mm_event, kinds_are_the_guests)
{
#define SAME(name) cr_expect_eq((int)LK_MM_##name, (int)MM_EVENT_##name)
    SAME(ALLOC);
    SAME(FREE);
    SAME(WATERMARK);
    SAME(FREE_PAGES);
    SAME(BELOW_WATERMARK);
    SAME(ABOVE_WATERMARK);
    SAME(KSWAPD_WAKE);
    SAME(KSWAPD_SLEEP);
    SAME(DIRECT_RECLAIM_BEGIN);
    SAME(DIRECT_RECLAIM_END);
    SAME(OOM_KILL);
    SAME(MIGRATE);
    SAME(WRITEBACK_BEGIN);
    SAME(WRITEBACK_END);
    SAME(SWAP_OUT);
    SAME(SWAP_IN_BEGIN);
    SAME(SWAP_IN_END);
    SAME(THROTTLE_BEGIN);
    SAME(THROTTLE_END);
    SAME(BLOCK_IO_BEGIN);
    SAME(BLOCK_IO_END);
#undef SAME
    cr_expect_eq(NR_MM_EVENTS, LK_MM_BLOCK_IO_END + 1);
}

Test(mm_event, words_are_said)
{
    expect_text(LK_MM_ALLOC, 0x1234, 3 | 2 << 8, "allocated: frame 1234, order 3, zone 2");
    expect_text(LK_MM_BELOW_WATERMARK, 999, 1 | 1 << 8, "zone 1 not above low: 999 pages free");
    expect_text(LK_MM_DIRECT_RECLAIM_END, 7, 32, "direct reclaim ends: pid 7, 32 pages");
    expect_text(LK_MM_SWAP_OUT, 0xabc, 0x40, "swap-out: frame abc to entry 40");
}

/* Whatever a guest says is said again, and nothing runs over. */
Test(mm_event, words_of_a_stranger)
{
    expect_text(0, 1, 2, "kind 0: 1, 2");
    expect_text(22, 1, 2, "kind 16: 1, 2");
    expect_text(UINT32_MAX, UINT32_MAX, UINT32_MAX, "kind ffffffff: ffffffff, ffffffff");
    expect_text(LK_MM_WATERMARK, UINT32_MAX, UINT32_MAX, "watermark 255 of zone 255: 4294967295 pages");
    for (uint32_t kind = 0; kind < NR_MM_EVENTS; kind++) {
        char text[MM_EVENT_TEXT_CHARS];
        mm_event_describe(&(struct mm_event){.kind = kind, .edx = UINT32_MAX, .ecx = UINT32_MAX}, text);
        cr_expect_lt(strlen(text), sizeof text - 1, "kind %u has room for its numbers", kind);
    }
}

/* What is said is heard again: all that the words have in them. */
Test(mm_event, words_are_understood)
{
    for (uint32_t kind = 1; kind < NR_MM_EVENTS; kind++) {
        for (uint32_t i = 0; i < 8; i++) {
            char text[MM_EVENT_TEXT_CHARS], again[MM_EVENT_TEXT_CHARS];
            const struct mm_event said = {.kind = kind, .edx = i * 0x1234567, .ecx = i * 0x10001 + i * 0x301};
            struct mm_event heard;
            mm_event_describe(&said, text);
            cr_assert(mm_event_parse(&heard, kind, text), "%s", text);
            mm_event_describe(&heard, again);
            cr_expect_str_eq(text, again);
            cr_expect_not(mm_event_parse(&heard, kind == 1 ? 2 : 1, text));
            text[strlen(text) - 1] = '?';
            cr_expect_not(mm_event_parse(&heard, kind, text), "%s", text);
        }
    }
    struct mm_event heard;
    cr_expect(mm_event_parse(&heard, LK_MM_BELOW_WATERMARK, "zone 2 not above low: 999 pages free"));
    cr_expect(heard.edx == 999 && mm_event_zone(&heard) == 2 && mm_event_low(&heard) == 1);
    cr_expect_not(mm_event_parse(&heard, 0, "kind 0: 1, 2"));
    cr_expect_not(mm_event_parse(&heard, NR_MM_EVENTS, ""));
}

/* Each begin has its end right behind it, of the same name. */
Test(mm_event, begins_have_ends)
{
    for (uint32_t kind = 0; kind <= NR_MM_EVENTS; kind++) {
        struct mm_event_sort this = mm_event_sort_of(kind), next = mm_event_sort_of(kind + 1);
        cr_expect_eq(this.role == MM_EVENT_BEGINS, next.role == MM_EVENT_ENDS, "kind %u", kind);
        if (this.role == MM_EVENT_BEGINS)
            cr_expect(strcmp(this.name, next.name) == 0 && this.has_owner == next.has_owner);
    }
}
