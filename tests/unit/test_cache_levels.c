/* Caches above caches: times in closed form, and what must hold whatever was asked. */
#include "tests/unit/cache_fixture.h"

#include <inttypes.h>
#include <stdlib.h>

enum { L1_CYCLES = 3, L2_CYCLES = 10 };

#define SMALL                                                                                                \
    "cache.l1d.size=512", "cache.l1d.ways=2", "cache.l1i.size=256", "cache.l1i.ways=2",                      \
        "cache.l2.size=2KiB", "cache.l2.ways=4", "cache.l3.size=4KiB", "cache.l3.ways=4"

static struct cache_answer load(struct stack_of_caches *caches, uint64_t line, cycle_t now)
{
    return cache_access(caches->at.l1d, paddr(line * LINE), false, now);
}

static struct cache_answer store(struct stack_of_caches *caches, uint64_t line, cycle_t now)
{
    return cache_access(caches->at.l1d, paddr(line * LINE), true, now);
}

/* ---- Times ---- */

Test(cache_levels, a_load_takes_the_sum_of_the_levels_it_passes)
{
    struct stack_of_caches caches = make_caches((const char *const[]){SMALL, "cache.levels=3", NULL});
    static const struct {
        unsigned served_by;
        cycle_t cycles;
    } expected[] = {{SERVED_BY_L1, 3}, {SERVED_BY_L2, 13}, {SERVED_BY_L3, 38}, {SERVED_BY_DRAM, 88}};
    struct cache *levels[] = {caches.at.l1d, caches.at.l2, caches.at.l3};
    for (unsigned i = 0; i < 4; i++) {
        load(&caches, 0, 1000 + i * 1000);
        for (unsigned j = 0; j < i; j++)
            cache_flush(levels[j], true, 1500 + i * 1000);
        struct cache_answer answer = load(&caches, 0, 1700 + i * 1000);
        cr_assert_eq(answer.served_by, expected[i].served_by);
        cr_assert_eq(answer.ready - (1700 + i * 1000), expected[i].cycles, "level %u", i);
    }
    destroy_caches(&caches);
}

/* Brings lines 0 to n - 1 into the L2, and out of the L1s. */
static void warm_l2(struct stack_of_caches *caches, unsigned nr_lines)
{
    for (unsigned i = 0; i < nr_lines; i++)
        load(caches, i, i * 1000);
    cache_flush(caches->at.l1d, false, 0);
}

Test(cache_levels, misses_that_are_outstanding_are_as_many_as_mshrs)
{
    static const char *const mshrs[] = {"cache.l1d.mshrs=1", "cache.l1d.mshrs=2", "cache.l1d.mshrs=4",
                                        "cache.l1d.mshrs=8"};
    for (unsigned k = 0; k < 4; k++) {
        struct stack_of_caches caches =
            make_caches((const char *const[]){"cache.l2.mshrs=0", mshrs[k], NULL});
        warm_l2(&caches, 32);
        uint64_t waited = 0;
        for (unsigned i = 0; i < 32; i++) {
            cycle_t ready = load(&caches, i, 100000).ready, rounds = i >> k;
            waited += rounds * (L1_CYCLES + L2_CYCLES);
            cr_assert_eq(ready, 100000 + (rounds + 1) * (L1_CYCLES + L2_CYCLES), "%s: miss %u", mshrs[k], i);
        }
        cr_assert_eq(cache_stats(caches.at.l1d)->mshr_wait_cycles, waited);
        destroy_caches(&caches);
    }
}

Test(cache_levels, hits_pass_misses_and_the_same_line_takes_no_second_mshr)
{
    struct stack_of_caches caches = make_caches((const char *const[]){"cache.l1d.mshrs=1", NULL});
    warm_l2(&caches, 2);
    load(&caches, 5, 50000);
    cr_assert_eq(load(&caches, 0, 100000).ready, 100013);
    cr_assert_eq(load(&caches, 5, 100001).ready, 100004, "a hit under the miss");
    cr_assert_eq(load(&caches, 0, 100002).ready, 100013, "merged");
    cr_assert_eq(load(&caches, 1, 100003).ready, 100026, "a second miss waits for the MSHR");
    cr_assert_eq(cache_stats(caches.at.l1d)->hits_in_flight, 1);
    cr_assert_eq(cache_stats(caches.at.l1d)->mshr_wait_cycles, 10);
    destroy_caches(&caches);
}

Test(cache_levels, lines_come_at_the_rate_of_the_path)
{
    static const struct {
        const char *setting;
        cycle_t cycles;
    } cases[] = {{"cache.l1d.bytes_per_cycle=0", 0},
                 {"cache.l1d.bytes_per_cycle=64", 1},
                 {"cache.l1d.bytes_per_cycle=24", 3},
                 {"cache.l1d.bytes_per_cycle=8", 8}};
    for (unsigned k = 0; k < 4; k++) {
        struct stack_of_caches caches = make_caches(
            (const char *const[]){"cache.l1d.mshrs=0", "cache.l2.mshrs=0", cases[k].setting, NULL});
        warm_l2(&caches, 16);
        cycle_t free_at = 0;
        for (unsigned i = 0; i < 16; i++) {
            cycle_t asked = 100000 + i * 2, there = asked + L1_CYCLES + L2_CYCLES;
            cycle_t begins = there > free_at ? there : free_at;
            free_at = begins + cases[k].cycles;
            cr_assert_eq(load(&caches, i, asked).ready, begins, "%s: line %u", cases[k].setting, i);
        }
        cr_assert_eq(load(&caches, 100, 50000).ready, 50000 + L1_CYCLES + L2_CYCLES + DRAM_CYCLES,
                     "an earlier request finds the path free");
        destroy_caches(&caches);
    }
}

Test(cache_levels, a_victim_waits_for_a_write_buffer)
{
    struct stack_of_caches caches =
        make_caches((const char *const[]){"cache.levels=1", "cache.l1d.size=256", "cache.l1d.ways=1",
                                          "cache.l1d.write_buffers=1", "cache.l1d.mshrs=0", NULL});
    store(&caches, 0, 1000);
    store(&caches, 1, 2000);
    cr_assert_eq(load(&caches, 4, 3000).ready, 3053, "the write begins behind the read, and is over at 3053");
    cr_assert_eq(load(&caches, 5, 3010).ready, 3063, "its victim leaves then, before the line comes");
    cr_assert_eq(cache_stats(caches.at.l1d)->write_buffer_wait_cycles, 43);
    store(&caches, 4, 4000);
    store(&caches, 5, 4000);
    store(&caches, 2, 4000);
    cr_assert_eq(load(&caches, 8, 5000).ready, 5053);
    cr_assert_eq(load(&caches, 9, 5000).ready, 5053, "when the buffer is free as well");
    cr_assert_eq(load(&caches, 6, 5000).ready, 5103, "its victim waits for two writes");
    destroy_caches(&caches);
}

Test(cache_levels, a_store_that_goes_through_takes_a_buffer)
{
    struct stack_of_caches caches = make_caches(
        (const char *const[]){"cache.levels=1", "cache.l1d.write=through", "cache.l1d.write_allocate=false",
                              "cache.l1d.write_buffers=2", NULL});
    cr_assert_eq(store(&caches, 0, 1000).ready, 1003);
    cr_assert_eq(store(&caches, 0, 1001).ready, 1004);
    cr_assert_eq(store(&caches, 1, 1002).ready, 1050, "the first write is over at 1050");
    cr_assert_eq(store(&caches, 1, 1003).ready, 1051, "the second one");
    cr_assert_not(cache_contains(caches.at.l1d, paddr(0)), "no line is brought in for a store");
    load(&caches, 0, 2000);
    store(&caches, 0, 3000);
    cr_assert_eq(cache_state(caches.at.l1d, paddr(0)), CACHE_STATE_E, "never dirty");
    cr_assert_eq(cache_front(caches.at.l1d)->write_line[0], CACHE_NO_LINE);
    cr_assert_eq(dram_stats(caches.dram)->writes, 5);
    cr_assert_eq(cache_stats(caches.at.l1d)->write_throughs, 5);
    destroy_caches(&caches);
}

/* ---- Invariants ---- */

enum { LINES = 160 };

struct policy {
    const char *name;
    const char *settings[12];
};

static const struct policy policies[] = {
    {"plain", {NULL}},
    {"three levels", {"cache.levels=3", NULL}},
    {"inclusive", {"cache.l2.inclusion=inclusive", NULL}},
    {"inclusive, three levels",
     {"cache.levels=3", "cache.l2.inclusion=inclusive", "cache.l3.inclusion=inclusive", NULL}},
    {"inclusive L3 of 4 small levels",
     {"cache.levels=3", "cache.l3.inclusion=inclusive", "cache.l3.size=2KiB", NULL}},
    {"exclusive", {"cache.l2.inclusion=exclusive", NULL}},
    {"exclusive, three levels",
     {"cache.levels=3", "cache.l2.inclusion=exclusive", "cache.l3.inclusion=exclusive", NULL}},
    {"exclusive above inclusive",
     {"cache.levels=3", "cache.l2.inclusion=exclusive", "cache.l3.inclusion=inclusive", NULL}},
    {"inclusive above exclusive",
     {"cache.levels=3", "cache.l2.inclusion=inclusive", "cache.l3.inclusion=exclusive", NULL}},
    {"write-through L1", {"cache.l1d.write=through", NULL}},
    {"write-through L1, no allocation", {"cache.l1d.write=through", "cache.l1d.write_allocate=false", NULL}},
    {"write-through L1, exclusive L2",
     {"cache.l1d.write=through", "cache.l1d.write_allocate=false", "cache.l2.inclusion=exclusive", NULL}},
    {"write-through L2", {"cache.levels=3", "cache.l2.write=through", "cache.l2.write_allocate=false", NULL}},
    {"no allocation",
     {"cache.levels=3", "cache.l1d.write_allocate=false", "cache.l2.write_allocate=false",
      "cache.l3.write_allocate=false", NULL}},
    {"unified", {"cache.unified_l1=true", "cache.l2.inclusion=exclusive", NULL}},
    {"other policies",
     {"cache.levels=3", "cache.l1d.replacement=plru", "cache.l2.replacement=srrip",
      "cache.l3.replacement=random", "cache.l3.inclusion=inclusive", NULL}},
    {"one level", {"cache.levels=1", NULL}},
};

struct counted {
    struct cache *cache[4];
    unsigned nr_caches;
};

static struct counted all_of(const struct stack_of_caches *caches)
{
    struct counted all = {.nr_caches = 0};
    struct cache *const order[] = {caches->at.l1i == caches->at.l1d ? NULL : caches->at.l1i, caches->at.l1d,
                                   caches->at.l2, caches->at.l3};
    for (unsigned i = 0; i < 4; i++)
        if (order[i])
            all.cache[all.nr_caches++] = order[i];
    return all;
}

static bool setting_is(const struct policy *policy, const char *text)
{
    for (unsigned i = 0; policy->settings[i]; i++)
        if (strcmp(policy->settings[i], text) == 0)
            return true;
    return false;
}

static bool is_in(const struct cache *cache, uint64_t line)
{
    return cache && cache_contains(cache, paddr(line * LINE));
}

/* What must hold of one line, after anything. Returns whether it is dirty somewhere. */
static bool check_line(const struct stack_of_caches *caches, const struct policy *policy, uint64_t line)
{
    const struct cache_hierarchy *at = &caches->at;
    struct counted all = all_of(caches);
    unsigned nr_dirty = 0;
    bool is_in_l1 = is_in(at->l1i, line) || is_in(at->l1d, line);
    for (unsigned i = 0; i < all.nr_caches; i++)
        nr_dirty += cache_state(all.cache[i], paddr(line * LINE)) == CACHE_STATE_M;
    if (setting_is(policy, "cache.l2.inclusion=inclusive") && is_in_l1)
        cr_assert(is_in(at->l2, line), "%s: line %lu", policy->name, line);
    if (setting_is(policy, "cache.l3.inclusion=inclusive") && (is_in_l1 || is_in(at->l2, line)))
        cr_assert(is_in(at->l3, line), "%s: line %lu", policy->name, line);
    if (setting_is(policy, "cache.l2.inclusion=exclusive")) {
        cr_assert_not(is_in_l1 && is_in(at->l2, line), "%s: line %lu", policy->name, line);
        cr_assert(at->l3 || nr_dirty <= 1, "%s: line %lu has two dirty copies", policy->name, line);
    }
    if (setting_is(policy, "cache.l3.inclusion=exclusive"))
        cr_assert_not(is_in(at->l2, line) && is_in(at->l3, line), "%s: line %lu", policy->name, line);
    if (at->l1i != at->l1d)
        cr_assert_neq(cache_state(at->l1i, paddr(line * LINE)), CACHE_STATE_M);
    if (setting_is(policy, "cache.l1d.write=through"))
        cr_assert_neq(cache_state(at->l1d, paddr(line * LINE)), CACHE_STATE_M);
    if (setting_is(policy, "cache.l2.write=through"))
        cr_assert_neq(cache_state(at->l2, paddr(line * LINE)), CACHE_STATE_M);
    return nr_dirty > 0;
}

/* Something happens to a line. Returns whether memory is now older than what was written. */
static bool do_something(struct stack_of_caches *caches, uint64_t line, unsigned what, cycle_t now)
{
    struct counted all = all_of(caches);
    struct paddr at = paddr(line * LINE);
    switch (what) {
    case 0:
        for (unsigned i = 0; i < all.nr_caches; i++)
            cache_flush_line(all.cache[i], at, true, now);
        return false;
    case 1:
        cache_hierarchy_snoop(&caches->at, at, now % 2 ? CACHE_SNOOP_ALONE : CACHE_SNOOP_READ, now);
        return false;
    case 2:
        cache_access_as(caches->at.l1d, CACHE_USE_NONE, at, false, now);
        return false;
    case 3:
        cache_access_as(caches->at.l1d, CACHE_USE_NO_FILL, at, false, now);
        return false;
    default:
        break;
    }
    struct cache *cache = what % 4 == 0 ? caches->at.l1i : caches->at.l1d;
    bool is_write = cache == caches->at.l1d && what % 3 == 0;
    cache_access(cache, at, is_write, now);
    return is_write;
}

/* Lines dirty somewhere can become fewer only by writing to memory, and more only by writing to them. */
static void run(const struct policy *policy, uint64_t seed)
{
    const char *settings[32] = {SMALL};
    unsigned nr_settings = 8;
    for (unsigned i = 0; policy->settings[i]; i++)
        settings[nr_settings++] = policy->settings[i];
    struct stack_of_caches caches = make_caches(settings);
    uint64_t random = seed, nr_dirty = 0, writes = 0;
    for (unsigned i = 0; i < 4000; i++) {
        uint64_t line = next_random(&random) % LINES, before = nr_dirty;
        unsigned what = (unsigned)(next_random(&random) % 400);
        bool is_written = do_something(&caches, line, what, i * 20 + next_random(&random) % 40);
        nr_dirty = 0;
        for (uint64_t other = 0; other < LINES; other++)
            nr_dirty += check_line(&caches, policy, other);
        uint64_t now_written = dram_stats(caches.dram)->writes;
        cr_assert_leq(nr_dirty, before + is_written, "%s: access %u", policy->name, i);
        cr_assert_leq(before, nr_dirty + now_written - writes, "%s: a line is lost in access %u",
                      policy->name, i);
        writes = now_written;
    }
    struct counted all = all_of(&caches);
    uint64_t from_caches = 0;
    for (unsigned i = 0; i < all.nr_caches; i++) {
        const struct cache_stats *stats = cache_stats(all.cache[i]);
        cr_assert_eq(stats->accesses, stats->hits + stats->misses);
        cr_assert_leq(stats->evictions, stats->fills);
        cache_flush(all.cache[i], true, 1000000);
        for (uint64_t line = 0; line < LINES; line++)
            cr_assert_not(is_in(all.cache[i], line));
        from_caches += stats->interventions;
    }
    for (unsigned i = caches.at.l2 ? all.nr_caches - 1 : 0; i < all.nr_caches; i++)
        from_caches += cache_stats(all.cache[i])->writebacks + cache_stats(all.cache[i])->write_throughs;
    cr_assert_eq(dram_stats(caches.dram)->writes, from_caches, "%s", policy->name);
    destroy_caches(&caches);
}

Test(cache_levels, what_a_policy_promises_holds_after_anything)
{
    for (unsigned i = 0; i < sizeof policies / sizeof *policies; i++)
        run(&policies[i], i + 1);
}

Test(cache_levels, a_flush_writes_what_is_dirty_once)
{
    for (unsigned i = 0; i < sizeof policies / sizeof *policies; i++) {
        const char *settings[32] = {SMALL};
        for (unsigned j = 0; policies[i].settings[j]; j++)
            settings[8 + j] = policies[i].settings[j];
        struct stack_of_caches caches = make_caches(settings);
        struct counted all = all_of(&caches);
        for (uint64_t line = 0; line < 12; line++)
            store(&caches, line, line * 100), load(&caches, line + 20, line * 100);
        unsigned nr_dirty = 0;
        uint64_t before = dram_stats(caches.dram)->writes;
        for (uint64_t line = 0; line < LINES; line++)
            nr_dirty += check_line(&caches, &policies[i], line);
        for (uint64_t line = 0; line < LINES; line++)
            for (unsigned j = 0; j < all.nr_caches; j++)
                cache_flush_line(all.cache[j], paddr(line * LINE), true, 5000);
        cr_assert_eq(dram_stats(caches.dram)->writes - before, nr_dirty, "%s: line by line",
                     policies[i].name);
        for (uint64_t line = 0; line < LINES; line++)
            cr_assert_not(is_in(caches.at.l1d, line) || is_in(caches.at.l2, line) ||
                          is_in(caches.at.l3, line));
        destroy_caches(&caches);
    }
}

/* ---- Snoops ---- */

Test(cache_levels, a_snoop_finds_the_newest_copy_and_leaves_memory_as_new)
{
    struct stack_of_caches caches = make_caches((const char *const[]){"cache.levels=3", NULL});
    const struct cache_hierarchy *at = &caches.at;
    struct cache_snoop_answer answer = cache_hierarchy_snoop(at, paddr(0), CACHE_SNOOP_READ, 10);
    cr_assert_not(answer.was_here || answer.was_dirty);
    store(&caches, 0, 100);
    cr_assert_eq(cache_state(at->l1d, paddr(0)), CACHE_STATE_M);
    cr_assert_eq(cache_state(at->l2, paddr(0)), CACHE_STATE_E);
    answer = cache_hierarchy_snoop(at, paddr(0), CACHE_SNOOP_READ, 200);
    cr_assert(answer.was_here && answer.was_dirty);
    cr_assert_eq(answer.ready, 203);
    struct cache *const levels[] = {at->l1d, at->l2, at->l3};
    for (unsigned i = 0; i < 3; i++)
        cr_assert_eq(cache_state(levels[i], paddr(0)), CACHE_STATE_S);
    cr_assert_eq(dram_stats(caches.dram)->writes, 1);
    cr_assert_eq(cache_stats(at->l1d)->interventions, 1);
    cr_assert_eq(cache_front(at->l1d)->write_line[0], CACHE_NO_LINE, "a store has to ask again");
    store(&caches, 0, 300);
    cr_assert_eq(cache_stats(at->l1d)->upgrades, 1);
    cr_assert_eq(cache_state(at->l1d, paddr(0)), CACHE_STATE_M);
    answer = cache_hierarchy_snoop(at, paddr(0), CACHE_SNOOP_ALONE, 400);
    cr_assert(answer.was_dirty);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(cache_state(levels[i], paddr(0)), CACHE_STATE_I);
        cr_assert_eq(cache_stats(levels[i])->snoop_invalidations, 1);
    }
    cr_assert_eq(dram_stats(caches.dram)->writes, 2);
    cr_assert_eq(cache_stats(at->l1i)->snoops, 3);
    cr_assert_eq(cache_stats(at->l1i)->snoop_hits, 0);
    destroy_caches(&caches);
}

Test(cache_levels, a_shared_line_comes_up_shared)
{
    struct stack_of_caches caches = make_caches((const char *const[]){"cache.levels=2", NULL});
    load(&caches, 0, 100);
    cache_hierarchy_snoop(&caches.at, paddr(0), CACHE_SNOOP_READ, 200);
    cache_flush(caches.at.l1d, true, 300);
    load(&caches, 0, 400);
    cr_assert_eq(cache_state(caches.at.l1d, paddr(0)), CACHE_STATE_S);
    destroy_caches(&caches);
}

/* ---- What a window is told ---- */

Test(cache_levels, each_line_that_comes_counts_in_its_frame)
{
    enum { NR_FRAMES = 4, NR_LINES = (NR_FRAMES + 1) * 4096 / LINE, NR_ASKED = 20000 };
    struct stack_of_caches caches = make_caches((const char *const[]){SMALL, NULL});
    uint16_t nr_fills[NR_FRAMES] = {0};
    uint64_t expected[NR_FRAMES + 1] = {0}, state = 7;
    cache_count_fills(caches.at.l1d, nr_fills, NR_FRAMES);
    for (uint64_t i = 0; i < NR_ASKED; i++) {
        /* Half of all accesses go to the first lines. */
        uint64_t line = next_random(&state) % (next_random(&state) % 2 ? NR_LINES : 10);
        expected[line * LINE >> 12] += !cache_contains(caches.at.l1d, paddr(line * LINE));
        load(&caches, line, i * 1000);
    }
    for (unsigned i = 0; i < NR_FRAMES; i++)
        cr_assert_eq(nr_fills[i], expected[i], "frame %u: %u, not %" PRIu64, i, nr_fills[i], expected[i]);
    cr_assert_gt(nr_fills[0], nr_fills[1]);
    cr_assert_gt(expected[NR_FRAMES], 0u, "and none beyond them");

    /* A full counter stays full; who looks no more counts no more. */
    nr_fills[0] = nr_fills[1] = UINT16_MAX - 1;
    cache_flush(caches.at.l1d, true, UINT32_MAX);
    for (uint64_t line = 0; line < 3; line++)
        load(&caches, line, UINT32_MAX + 1000 * line);
    cr_assert_eq(nr_fills[0], UINT16_MAX);
    cache_count_fills(caches.at.l1d, NULL, 0);
    load(&caches, 4096 / LINE, 2ull * UINT32_MAX);
    cr_assert_eq(nr_fills[1], UINT16_MAX - 1);
    destroy_caches(&caches);
}
