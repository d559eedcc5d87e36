/* What predictors and the BTB can learn and what they cannot, by closed forms on loops. */
#include "tests/unit/loop_fixture.h"

/*
 * An inner loop of `trips` iterations in an outer one, which ECX counts. Mispredictions in the outer
 * iterations from `few` to `many`.
 */
static uint64_t mispredicts_of(unsigned trips, const char *const *settings, unsigned few, unsigned many)
{
    uint64_t counted[2];
    for (unsigned i = 0; i < 2; i++) {
        /* mov ecx,n; outer: mov edx,trips; inner: dec edx; jnz inner; dec ecx; jnz outer; hlt */
        char text[96];
        uint8_t code[64];
        unsigned nr = i ? many : few;
        sprintf(text, "b9%02x%02x0000 ba%02x%02x0000 4a 75fd 49 75f5 f4", nr & 255, nr >> 8, trips & 255,
                trips >> 8);
        struct cpu_state state = start(CODE);
        struct cpu_stats stats, watched;
        unsigned nr_bytes = from_hex(text, code);
        cycle_t cycles = run_code(CORE_INORDER, settings, code, nr_bytes, &state, &stats);
        cr_assert_eq(run_code(CORE_WATCHED, settings, code, nr_bytes, &state, &watched), cycles);
        cr_assert_eq(watched.mispredicts, stats.mispredicts);
        counted[i] = stats.mispredicts;
    }
    return counted[1] - counted[0];
}

/* What the iterations between FEW and MANY counted. */
static struct cpu_stats counted_by(const struct loop *loop)
{
    struct cpu_stats few, many, watched;
    run_loop(loop, CORE_INORDER, FEW, &few);
    cycle_t cycles = run_loop(loop, CORE_INORDER, MANY, &many);
    cr_assert_eq(run_loop(loop, CORE_WATCHED, MANY, &watched), cycles);
    many.btb_misses -= few.btb_misses;
    many.mispredicts -= few.mispredicts;
    return many;
}

enum { WARM = 1000, LATER = 1200 };

Test(predict, tage_learns_the_way_out_of_a_loop_that_its_history_spans)
{
    static const unsigned trips[] = {3, 12, 20, 40, 100};
    for (unsigned i = 0; i < 5; i++) {
        const char *settings[] = {"cpu.predictor=tage", "cpu.tage_min_history=4", "cpu.tage_max_history=160",
                                  NULL};
        cr_assert_eq(mispredicts_of(trips[i], settings, WARM, LATER), 0, "%u trips", trips[i]);
    }
}

Test(predict, a_loop_longer_than_the_longest_history_costs_one_wrong_prediction)
{
    /* The way out before lies behind trips - 1 taken branches and the outer one, and must be seen. */
    const char *settings[] = {"cpu.predictor=tage", "cpu.tage_min_history=4", "cpu.tage_max_history=16",
                              NULL};
    cr_assert_eq(mispredicts_of(16, settings, WARM, LATER), 0);
    cr_assert_eq(mispredicts_of(100, settings, WARM, LATER), LATER - WARM);
}

Test(predict, gshare_knows_the_way_out_up_to_its_history)
{
    /*
     * 256 counters are 8 branches of history. The way out is seen where the branch that left the loop before
     * is still in it: with trips - 1 taken ones and the outer one behind it.
     */
    const char *settings[] = {"cpu.predictor=gshare", "cpu.predictor_entries=256", NULL};
    cr_assert_eq(mispredicts_of(6, settings, WARM, LATER), 0);
    cr_assert_eq(mispredicts_of(20, settings, WARM, LATER), LATER - WARM);
    cr_assert_eq(mispredicts_of(100, settings, WARM, LATER), LATER - WARM);
}

Test(predict, bimodal_is_wrong_once_a_loop)
{
    const char *settings[] = {"cpu.predictor=bimodal", NULL};
    cr_assert_eq(mispredicts_of(3, settings, WARM, LATER), LATER - WARM);
    cr_assert_eq(mispredicts_of(100, settings, WARM, LATER), LATER - WARM);
}

Test(predict, lru_keeps_as_many_targets_as_ways_and_none_of_one_more)
{
    /* One set. JMPs to the next instruction, and the loop's JNZ: all of them taken in turn. */
    for (unsigned ways = 1; ways <= 8; ways++) {
        char entries[32], associativity[32];
        sprintf(entries, "cpu.btb_entries=%u", ways);
        sprintf(associativity, "cpu.btb_ways=%u", ways);
        for (unsigned branches = 2; branches <= 12; branches++) {
            struct loop loop = {.settings = {associativity, entries}, .body = "eb00", .copies = branches - 1};
            struct cpu_stats stats = counted_by(&loop);
            uint64_t misses = branches <= ways ? 0 : branches;
            cr_assert_eq(stats.btb_misses, misses * (MANY - FEW), "%u ways, %u branches: %lu", ways, branches,
                         stats.btb_misses);
        }
    }
}

Test(predict, a_set_is_chosen_by_the_lowest_bits)
{
    /*
     * Two branches that lie 16 bytes apart, JNZ at the end: 16 sets of one way hold one of them, 8 of two
     * both, and 32 of one both.
     */
    static const struct {
        const char *entries, *ways;
        unsigned misses;
    } cases[] = {{"cpu.btb_entries=16", "cpu.btb_ways=1", 2},
                 {"cpu.btb_entries=16", "cpu.btb_ways=2", 0},
                 {"cpu.btb_entries=32", "cpu.btb_ways=1", 0}};
    for (unsigned i = 0; i < 3; i++) {
        /* jmp, and NOPs of 8 and 5 bytes; DEC makes 16 */
        struct loop loop = {.settings = {cases[i].entries, cases[i].ways},
                            .body = "eb00 0f1f840000000000 0f1f440000",
                            .copies = 1};
        struct cpu_stats stats = counted_by(&loop);
        cr_assert_eq(stats.btb_misses, cases[i].misses * (MANY - FEW), "%s %s: %lu", cases[i].entries,
                     cases[i].ways, stats.btb_misses);
    }
}

Test(predict, an_indirect_branch_needs_its_entry_as_well)
{
    /* mov eax,over; jmp eax; over: ... wrong each time where JNZ has taken the only entry */
    for (unsigned ways = 1; ways <= 2; ways++) {
        struct loop loop = {.settings = {ways == 1 ? "cpu.btb_ways=1" : "cpu.btb_ways=2",
                                         ways == 1 ? "cpu.btb_entries=1" : "cpu.btb_entries=2"},
                            .body = "b827000100 ffe0",
                            .copies = 1};
        struct cpu_stats stats = counted_by(&loop);
        cr_assert_eq(stats.mispredicts, ways == 1 ? MANY - FEW : 0, "%u: %lu", ways, stats.mispredicts);
    }
}
