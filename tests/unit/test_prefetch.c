/* What each prefetcher asks for, access by access, and what comes of it in a cache (docs/memory.md). */
#include "cache/cache.h"

#include <criterion/criterion.h>

enum { LINE_BYTES = 64, PAGE_LINES = 4096 / LINE_BYTES };

static struct prefetcher *prefetcher;
static struct prefetch_list list;

static void use(struct prefetch_params params)
{
    params.line_bytes = LINE_BYTES;
    prefetcher = prefetcher_create(&params);
    cr_assert_not_null(prefetcher);
}

static void done(void)
{
    prefetcher_destroy(prefetcher);
}

/* An access by that instruction; then `nr` lines must be asked for, `first` and on by `step`. */
static void expect(uint64_t ip, uint64_t line, unsigned nr, uint64_t first, int64_t step)
{
    struct prefetch_event event = {.line = line, .ip = ip, .is_miss = true};
    prefetcher_train(prefetcher, &event, &list);
    cr_assert_eq(list.nr_lines, nr, "line %llu: %u lines", (unsigned long long)line, list.nr_lines);
    for (unsigned i = 0; i < nr; i++)
        cr_assert_eq(list.line[i], first + (uint64_t)(step * i), "line %llu: the %uth is %llu",
                     (unsigned long long)line, i, (unsigned long long)list.line[i]);
}

static void expect_nothing(uint64_t ip, uint64_t line)
{
    expect(ip, line, 0, 0, 0);
}

TestSuite(prefetch, .fini = done);

Test(prefetch, next_line_asks_for_the_lines_behind)
{
    use((struct prefetch_params){.kind = PREFETCH_NEXT_LINE, .degree = 1, .distance = 1});
    expect(1, 100, 1, 101, 1);
    expect(1, 7, 1, 8, 1);
    done();
    use((struct prefetch_params){.kind = PREFETCH_NEXT_LINE, .degree = 3, .distance = 2});
    expect(1, 100, 3, 102, 1);
}

Test(prefetch, nothing_crosses_a_page)
{
    use((struct prefetch_params){.kind = PREFETCH_NEXT_LINE, .degree = 4, .distance = 1});
    expect(1, PAGE_LINES - 3, 2, PAGE_LINES - 2, 1);
    expect_nothing(1, PAGE_LINES - 1);
    expect(1, PAGE_LINES, 4, PAGE_LINES + 1, 1);
}

/* Chen and Baer's table: the stride is known with the second access, and used from the third on. */
Test(prefetch, stride_is_used_from_the_third_access_on)
{
    use((struct prefetch_params){.kind = PREFETCH_STRIDE, .degree = 2, .distance = 1, .nr_entries = 16});
    expect_nothing(5, 0);
    expect_nothing(5, 3);
    expect(5, 6, 2, 9, 3);
    expect(5, 9, 2, 12, 3);
}

Test(prefetch, stride_goes_down_too_and_is_kept_by_instruction)
{
    use((struct prefetch_params){.kind = PREFETCH_STRIDE, .degree = 1, .distance = 2, .nr_entries = 16});
    expect_nothing(5, 40);
    expect_nothing(6, 100);
    expect_nothing(5, 38);
    expect_nothing(6, 101);
    expect(5, 36, 1, 32, -2);
    expect(6, 102, 1, 104, 1);
    expect_nothing(0, 1); /* nobody's */
    expect_nothing(0, 2);
    expect_nothing(0, 3);
}

/* One access out of line costs one prefetch, the stride stays; two in a row begin anew. */
Test(prefetch, stride_survives_one_break)
{
    use((struct prefetch_params){.kind = PREFETCH_STRIDE, .degree = 1, .distance = 1, .nr_entries = 16});
    expect_nothing(5, 64);
    expect_nothing(5, 66);
    expect(5, 68, 1, 70, 2);
    expect_nothing(5, 640);    /* steady, wrong: initial */
    expect(5, 642, 1, 644, 2); /* initial, right: steady */
    expect_nothing(5, 650);    /* initial */
    expect_nothing(5, 655);    /* transient, stride 5 */
    expect_nothing(5, 661);    /* no prediction, stride 6 */
    expect_nothing(5, 667);    /* transient */
    expect(5, 673, 1, 679, 6); /* steady */
    expect_nothing(5, 673);    /* the same line again: nothing */
    expect(5, 679, 1, 685, 6);
}

Test(prefetch, an_instruction_takes_the_entry_of_another)
{
    use((struct prefetch_params){.kind = PREFETCH_STRIDE, .degree = 1, .distance = 1, .nr_entries = 4});
    expect_nothing(5, 64);
    expect_nothing(5, 66);
    expect_nothing(9, 66); /* 9 mod 4 = 5 mod 4 */
    expect_nothing(5, 68);
    expect_nothing(5, 70);
    expect(5, 72, 1, 74, 2);
}

Test(prefetch, stream_is_known_by_its_third_access_and_runs_ahead)
{
    use((struct prefetch_params){.kind = PREFETCH_STREAM, .degree = 2, .distance = 5, .nr_entries = 4});
    expect_nothing(0, 10);
    expect_nothing(0, 11);
    expect(0, 12, 2, 13, 1);
    expect(0, 13, 2, 15, 1); /* 13 and 14 have been asked for */
    expect(0, 14, 2, 17, 1);
    expect(0, 15, 2, 19, 1);
    expect(0, 16, 1, 21, 1); /* five ahead and no more */
    expect(0, 30, 2, 31, 1); /* it overtook */
    expect_nothing(0, 20);   /* turns */
    expect(0, 19, 2, 18, -1);
}

Test(prefetch, streams_are_kept_by_page)
{
    use((struct prefetch_params){.kind = PREFETCH_STREAM, .degree = 1, .distance = 8, .nr_entries = 2});
    for (uint64_t i = 0; i < 2; i++) {
        expect_nothing(0, i);
        expect_nothing(0, PAGE_LINES + 40 - i);
    }
    expect(0, 2, 1, 3, 1);
    expect(0, PAGE_LINES + 38, 1, PAGE_LINES + 37, -1);
    expect_nothing(0, 9 * PAGE_LINES); /* takes the place of page 0, whose event is the older one */
    expect(0, PAGE_LINES + 37, 1, PAGE_LINES + 36, -1);
    expect_nothing(0, 3);
    expect_nothing(0, 4);
    expect(0, 5, 1, 6, 1);
}

/* ---- In a cache ---- */

enum { CACHE_LINES = 1024, RAM_LINES = 1 << 22, L1_CYCLES = 3, DRAM_CYCLES = 100 };

struct memory {
    struct dram *dram;
    struct cache *cache;
    cycle_t now;
};

/* An L1 before a DRAM that takes the same time for each line, and has a bank for each. */
static struct memory memory_with(struct prefetch_params prefetch, uint64_t mshrs)
{
    struct dram_params dram = {.nr_banks = 1024,
                               .row_bytes = 256,
                               .row_hit_cycles = DRAM_CYCLES,
                               .row_miss_cycles = DRAM_CYCLES,
                               .row_conflict_cycles = DRAM_CYCLES};
    prefetch.line_bytes = LINE_BYTES;
    struct cache_params params = {.size_bytes = CACHE_LINES * LINE_BYTES,
                                  .nr_ways = 8,
                                  .line_bytes = LINE_BYTES,
                                  .latency_cycles = L1_CYCLES,
                                  .mshrs = mshrs,
                                  .prefetch = prefetch};
    struct memory memory = {.dram = dram_create(&dram)};
    memory.cache = cache_create(&params, SERVED_BY_L1, NULL, memory.dram);
    cr_assert_not_null(memory.cache);
    return memory;
}

static void destroy(struct memory *memory)
{
    cache_destroy(memory->cache);
    dram_destroy(memory->dram);
}

/* A load that waits for its data, and then some. */
static cycle_t load(struct memory *memory, uint64_t ip, uint64_t line, cycle_t pause_cycles)
{
    cycle_t asked = memory->now;
    struct cache_answer answer =
        cache_ask(memory->cache, CACHE_USE_ALL, paddr(line * LINE_BYTES), false, asked, ip);
    memory->now = answer.ready + pause_cycles;
    return answer.ready - asked;
}

/* Slow enough for each line to be there: one miss a page, and each line that came ahead is used. */
Test(prefetch_in_cache, next_line_leaves_one_miss_a_page_of_a_stream)
{
    enum { PAGES = 10 };
    struct memory memory =
        memory_with((struct prefetch_params){.kind = PREFETCH_NEXT_LINE, .degree = 1, .distance = 1}, 0);
    for (uint64_t line = 0; line < PAGES * PAGE_LINES; line++) {
        cycle_t cycles = load(&memory, 1, line, DRAM_CYCLES);
        bool is_first = line % PAGE_LINES == 0;
        cr_assert_eq(cycles, (cycle_t)(L1_CYCLES + (is_first ? DRAM_CYCLES : 0)));
    }
    const struct cache_stats *stats = cache_stats(memory.cache);
    cr_assert_eq(stats->misses, PAGES);
    cr_assert_eq(stats->prefetches, PAGES * (PAGE_LINES - 1));
    cr_assert_eq(stats->prefetch_useful, stats->prefetches);
    cr_assert_eq(stats->prefetch_late + stats->prefetch_useless + stats->prefetch_dropped, 0);
    destroy(&memory);
}

/*
 * A load each L1_CYCLES: line n + 1 is asked for when n is (its first hit), and comes DRAM_CYCLES later than
 * it is wanted, less the time the load itself took. So each is late, and the stream takes the DRAM's time a
 * line.
 */
Test(prefetch_in_cache, what_comes_too_late_is_counted_with_the_cycles_lost)
{
    struct memory memory =
        memory_with((struct prefetch_params){.kind = PREFETCH_NEXT_LINE, .degree = 1, .distance = 1}, 0);
    load(&memory, 1, 0, 0); /* asked for in cycle 0, as is line 1: there in L1_CYCLES + DRAM_CYCLES */
    cr_assert_eq(memory.now, L1_CYCLES + DRAM_CYCLES);
    cr_assert_eq(load(&memory, 1, 1, 0), L1_CYCLES); /* line 2 is asked for now */
    cr_assert_eq(load(&memory, 1, 2, 0), DRAM_CYCLES);
    const struct cache_stats *stats = cache_stats(memory.cache);
    cr_assert_eq(stats->misses, 1);
    cr_assert_eq(stats->prefetch_useful, 2);
    cr_assert_eq(stats->prefetch_late, 1);
    cr_assert_eq(stats->prefetch_late_cycles, DRAM_CYCLES - L1_CYCLES);
    destroy(&memory);
}

Test(prefetch_in_cache, a_random_chase_gets_nothing_of_it)
{
    static const enum prefetch_kind kinds[] = {PREFETCH_NEXT_LINE, PREFETCH_STRIDE, PREFETCH_STREAM};
    enum { LOADS = 20000 };
    for (unsigned k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        struct memory memory = memory_with(
            (struct prefetch_params){.kind = kinds[k], .degree = 1, .distance = 1, .nr_entries = 16}, 0);
        uint64_t line = 1;
        for (unsigned i = 0; i < LOADS; i++) {
            line = line * 6364136223846793005u + 1442695040888963407u;
            load(&memory, 1, (line >> 20) % RAM_LINES, 0);
        }
        const struct cache_stats *stats = cache_stats(memory.cache);
        cr_assert_gt(stats->misses, LOADS * 99 / 100);
        cr_assert_leq(stats->prefetch_useful, LOADS / 100, "%d: %llu useful", kinds[k],
                      (unsigned long long)stats->prefetch_useful);
        destroy(&memory);
    }
}

/* Three misses of each page tell the stride; those behind them hit. Across pages it goes on where it was. */
Test(prefetch_in_cache, a_stride_of_lines_misses_three_times)
{
    for (uint64_t stride = 1; stride <= 8; stride++) {
        struct memory memory = memory_with(
            (struct prefetch_params){.kind = PREFETCH_STRIDE, .degree = 1, .distance = 1, .nr_entries = 16},
            0);
        for (uint64_t line = 0; line < PAGE_LINES; line += stride)
            load(&memory, 77, line, DRAM_CYCLES);
        cr_assert_eq(cache_stats(memory.cache)->misses, 3, "stride %llu: %llu misses",
                     (unsigned long long)stride, (unsigned long long)cache_stats(memory.cache)->misses);
        destroy(&memory);
    }
}

Test(prefetch_in_cache, a_stream_misses_three_times_a_page)
{
    enum { PAGES = 4 };
    struct memory memory = memory_with(
        (struct prefetch_params){.kind = PREFETCH_STREAM, .degree = 2, .distance = 8, .nr_entries = 16}, 0);
    for (uint64_t line = 0; line < PAGES * PAGE_LINES; line++)
        load(&memory, 0, line, DRAM_CYCLES);
    cr_assert_eq(cache_stats(memory.cache)->misses, 3 * PAGES);
    cr_assert_eq(cache_stats(memory.cache)->prefetch_useful, PAGES * (PAGE_LINES - 3));
    cr_assert_eq(cache_stats(memory.cache)->prefetch_useless, 0);
    destroy(&memory);
}

/* One MSHR is busy with the miss itself; a second one takes one of two prefetches. */
Test(prefetch_in_cache, prefetches_need_a_free_mshr)
{
    for (uint64_t mshrs = 1; mshrs <= 3; mshrs++) {
        struct memory memory = memory_with(
            (struct prefetch_params){.kind = PREFETCH_NEXT_LINE, .degree = 2, .distance = 1}, mshrs);
        load(&memory, 1, 0, 0);
        cr_assert_eq(cache_stats(memory.cache)->prefetches, mshrs - 1);
        cr_assert_eq(cache_stats(memory.cache)->prefetch_dropped, 3 - mshrs);
        destroy(&memory);
    }
}

/* What leaves before it was used, by whatever way, was useless. */
Test(prefetch_in_cache, lines_that_leave_unused_are_counted)
{
    struct memory memory =
        memory_with((struct prefetch_params){.kind = PREFETCH_NEXT_LINE, .degree = 3, .distance = 1}, 0);
    load(&memory, 1, 0, DRAM_CYCLES);
    cache_flush_line(memory.cache, paddr(2 * LINE_BYTES), true, memory.now);
    cr_assert_eq(cache_stats(memory.cache)->prefetch_useless, 1);
    load(&memory, 1, 1, 0);
    cr_assert_eq(cache_stats(memory.cache)->prefetches,
                 3 + 2); /* line 1's first hit asks for 2 again, and 4 */
    cache_flush(memory.cache, true, memory.now);
    cr_assert_eq(cache_stats(memory.cache)->prefetch_useless, 1 + 3);
    destroy(&memory);
}
