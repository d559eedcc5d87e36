/* The words of the progress line: how fast this run is, and what is left for it. */
#include "sim/progress.h"

#include "sim/base/event.h"

#include <criterion/criterion.h>

static void expect(const struct progress *progress, double seconds, cycle_t now, uint64_t nr_instructions,
                   const char *expected)
{
    char text[PROGRESS_CHARS];
    progress_describe(progress, seconds, now, nr_instructions, text);
    cr_expect_str_eq(text, expected);
}

Test(progress, no_limit)
{
    const struct progress progress = {.max_cycles = EV_NEVER, .max_instructions = UINT64_MAX};
    expect(&progress, 2, 30000000, 20000000, "cycle 30.0 M, 20.0 M instructions, 10.0 M/s");
    expect(&progress, 0, 0, 0, "cycle 0.0 M, 0.0 M instructions, 0.0 M/s");
}

/* The nearer limit counts. */
Test(progress, limits)
{
    struct progress progress = {.max_cycles = 120000000, .max_instructions = UINT64_MAX};
    expect(&progress, 2, 30000000, 20000000, "cycle 30.0 M, 20.0 M instructions, 10.0 M/s, 25 %, 6 s left");
    progress.max_instructions = 40000000;
    expect(&progress, 2, 30000000, 20000000, "cycle 30.0 M, 20.0 M instructions, 10.0 M/s, 50 %, 2 s left");
    expect(&progress, 2, 120000000, 20000000,
           "cycle 120.0 M, 20.0 M instructions, 10.0 M/s, 100 %, 2 s left");
}

/* What was done before its checkpoint was done by another. */
Test(progress, from_a_checkpoint)
{
    const struct progress progress = {.max_cycles = 1000000000,
                                      .max_instructions = UINT64_MAX,
                                      .has_first = true,
                                      .first_cycle = 900000000,
                                      .first_instructions = 800000000};
    expect(&progress, 2, 920000000, 810000000,
           "cycle 920.0 M, 810.0 M instructions, 5.0 M/s, 92 %, 8 s left");
}
