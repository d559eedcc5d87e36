/* What each prefetcher asks for, access by access (docs/memory.md). */
#include "cache/prefetch.h"

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
