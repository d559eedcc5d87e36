/* Replacement against plain models: what a policy keeps follows from its sentence in docs/memory.md. */
#include "tests/unit/cache_fixture.h"

enum { MAX_WAYS = 64, SETS = 4, ACCESSES = 20000 };

/* One set of a plain model: which line each way holds, and whatever the policy remembers of it. */
struct plain_set {
    uint64_t line[MAX_WAYS], when[MAX_WAYS];
    unsigned rrpv[MAX_WAYS];
    bool is_right[2 * MAX_WAYS]; /* of each node of the tree: the victim is in its right half */
};

struct plain {
    struct plain_set set[SETS];
    enum cache_replacement policy;
    unsigned nr_ways;
    uint64_t time, random;
};

static void touch(struct plain *plain, struct plain_set *set, unsigned way, bool is_fill)
{
    plain->time++;
    if (plain->policy == CACHE_LRU || is_fill)
        set->when[way] = plain->time;
    set->rrpv[way] = is_fill ? 2 : 0;
    unsigned node = 1, first = 0;
    for (unsigned width = plain->nr_ways; width > 1; width /= 2) {
        bool goes_right = way >= first + width / 2;
        set->is_right[node] = !goes_right;
        first += goes_right ? width / 2 : 0;
        node = node * 2 + goes_right;
    }
}

static unsigned tree_victim(const struct plain *plain, const struct plain_set *set)
{
    unsigned node = 1, first = 0;
    for (unsigned width = plain->nr_ways; width > 1; width /= 2) {
        first += set->is_right[node] ? width / 2 : 0;
        node = node * 2 + set->is_right[node];
    }
    return first;
}

static unsigned victim(struct plain *plain, struct plain_set *set)
{
    unsigned best = 0;
    switch (plain->policy) {
    case CACHE_PLRU:
        return tree_victim(plain, set);
    case CACHE_RANDOM:
        plain->random ^= plain->random << 13;
        plain->random ^= plain->random >> 7;
        plain->random ^= plain->random << 17;
        return (unsigned)(plain->random % plain->nr_ways);
    case CACHE_SRRIP:
        for (;;) {
            for (unsigned way = 0; way < plain->nr_ways; way++)
                if (set->rrpv[way] >= 3)
                    return way;
            for (unsigned way = 0; way < plain->nr_ways; way++)
                set->rrpv[way]++;
        }
    case CACHE_LRU:
    case CACHE_FIFO:
        break;
    }
    for (unsigned way = 1; way < plain->nr_ways; way++)
        if (set->when[way] < set->when[best])
            best = way;
    return best;
}

static bool plain_access(struct plain *plain, uint64_t line)
{
    struct plain_set *set = &plain->set[line % SETS];
    unsigned way = 0;
    while (way < plain->nr_ways && set->line[way] != line)
        way++;
    if (way < plain->nr_ways) {
        touch(plain, set, way, false);
        return true;
    }
    for (way = 0; way < plain->nr_ways && set->line[way] != CACHE_NO_LINE;)
        way++;
    if (way == plain->nr_ways)
        way = victim(plain, set);
    set->line[way] = line;
    touch(plain, set, way, true);
    return false;
}

static void plain_forget(struct plain *plain, uint64_t line)
{
    for (unsigned way = 0; way < plain->nr_ways; way++)
        if (plain->set[line % SETS].line[way] == line)
            plain->set[line % SETS].line[way] = CACHE_NO_LINE;
}

static struct cache *make(enum cache_replacement policy, unsigned nr_ways, struct dram *dram)
{
    struct cache_params params = {.size_bytes = (uint64_t)nr_ways * SETS * LINE,
                                  .nr_ways = nr_ways,
                                  .line_bytes = LINE,
                                  .latency_cycles = 3,
                                  .replacement = policy,
                                  .seed = 12345};
    struct cache *cache = cache_create(&params, SERVED_BY_L1, NULL, dram);
    cr_assert_not_null(cache);
    return cache;
}

static void compare(enum cache_replacement policy, unsigned nr_ways)
{
    static struct plain plain;
    struct dram *dram = plain_dram();
    struct cache *cache = make(policy, nr_ways, dram);
    plain = (struct plain){.policy = policy, .nr_ways = nr_ways, .random = 12345};
    for (unsigned i = 0; i < SETS; i++)
        for (unsigned way = 0; way < nr_ways; way++)
            plain.set[i].line[way] = CACHE_NO_LINE;
    uint64_t random = nr_ways * 7 + (unsigned)policy, hits = 0, lines = (uint64_t)nr_ways * SETS * 3 / 2;
    for (unsigned i = 0; i < ACCESSES; i++) {
        uint64_t line = next_random(&random) % lines;
        if (next_random(&random) % 50 == 0) {
            cache_flush_line(cache, paddr(line * LINE), true, i * 100);
            plain_forget(&plain, line);
            continue;
        }
        struct cache_answer answer = cache_access(cache, paddr(line * LINE), i % 3 == 0, i * 100);
        bool is_hit = plain_access(&plain, line);
        hits += is_hit;
        cr_assert_eq(answer.served_by == SERVED_BY_L1, is_hit, "policy %d, %u ways, access %u", policy,
                     nr_ways, i);
    }
    cr_assert_eq(cache_stats(cache)->hits, hits);
    cr_assert_gt(hits, ACCESSES / 4);
    cr_assert_gt(cache_stats(cache)->evictions, 0);
    cache_destroy(cache);
    dram_destroy(dram);
}

Test(cache_policies, each_keeps_what_its_plain_model_keeps)
{
    static const unsigned any[] = {1, 2, 3, 7, 8, 12, 16, 17, 24, 64};
    for (unsigned i = 0; i < sizeof any / sizeof *any; i++) {
        compare(CACHE_LRU, any[i]);
        compare(CACHE_FIFO, any[i]);
        compare(CACHE_SRRIP, any[i]);
        compare(CACHE_RANDOM, any[i]);
        if ((any[i] & (any[i] - 1)) == 0)
            compare(CACHE_PLRU, any[i]);
    }
}

/* Misses of `rounds` rounds over `lines` lines of one set. */
static uint64_t misses_of_rounds(enum cache_replacement policy, unsigned nr_ways, unsigned lines,
                                 unsigned rounds)
{
    struct dram *dram = plain_dram();
    struct cache *cache = make(policy, nr_ways, dram);
    for (unsigned i = 0; i < rounds * lines; i++)
        cache_access(cache, paddr(i % lines * SETS * LINE), false, i * 100);
    uint64_t misses = cache_stats(cache)->misses;
    cache_destroy(cache);
    dram_destroy(dram);
    return misses;
}

Test(cache_policies, one_line_more_than_ways_thrashes_lru_and_fifo)
{
    for (unsigned ways = 1; ways <= 20; ways++) {
        for (unsigned policy = CACHE_LRU; policy <= CACHE_FIFO; policy++) {
            if (policy != CACHE_PLRU || (ways & (ways - 1)) == 0)
                cr_assert_eq(misses_of_rounds(policy, ways, ways, 10), ways, "what fits misses once");
        }
        cr_assert_eq(misses_of_rounds(CACHE_LRU, ways, ways + 1, 10), 10 * (ways + 1));
        cr_assert_eq(misses_of_rounds(CACHE_FIFO, ways, ways + 1, 10), 10 * (ways + 1));
    }
}

/* Mattson's stack: with LRU, a set of n ways hits if fewer than n other lines were used since. */
Test(cache_policies, lru_hits_are_stack_distances_below_the_ways)
{
    enum { LINES = 40 };
    static const unsigned ways[] = {1, 2, 4, 8, 16, 32};
    uint64_t last_use[LINES] = {0}, random = 1, by_distance[LINES + 1] = {0};
    struct dram *dram = plain_dram();
    struct cache *cache[sizeof ways / sizeof *ways];
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++)
        cache[i] = make(CACHE_LRU, ways[i], dram);
    for (unsigned n = 1; n <= ACCESSES; n++) {
        uint64_t line = next_random(&random) % (1 + next_random(&random) % LINES);
        unsigned distance = 0;
        for (unsigned other = 0; other < LINES; other++)
            distance += last_use[other] > last_use[line];
        by_distance[last_use[line] ? distance : LINES]++;
        last_use[line] = n;
        for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++)
            cache_access(cache[i], paddr(line * SETS * LINE), false, n * 100);
    }
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++) {
        uint64_t hits = 0;
        for (unsigned distance = 0; distance < ways[i]; distance++)
            hits += by_distance[distance];
        cr_assert_eq(cache_stats(cache[i])->hits, hits, "%u ways", ways[i]);
        cache_destroy(cache[i]);
    }
    dram_destroy(dram);
}

/* ---- What the core does without asking ---- */

/* The same accesses, once all asked for, once by the front's word where it has one. */
static void compare_with_front(const char *const *settings, uint64_t seed)
{
    struct stack_of_caches asked = make_caches(settings), skipped = make_caches(settings);
    const struct cache_front *front = cache_front(skipped.at.l1d);
    uint64_t random = seed, nr_skipped = 0;
    for (unsigned i = 0; i < ACCESSES; i++) {
        uint64_t line = next_random(&random) % 24 * (next_random(&random) % 4 ? 1 : 16);
        bool is_write = next_random(&random) % 3 == 0;
        cycle_t now = 1000 + i * 4 - next_random(&random) % 60;
        struct paddr at = paddr(line * LINE);
        uint64_t set = line & front->set_mask;
        if (next_random(&random) % 200 == 0) {
            cache_hierarchy_snoop(&asked.at, at, CACHE_SNOOP_READ, now);
            cache_hierarchy_snoop(&skipped.at, at, CACHE_SNOOP_READ, now);
        }
        struct cache_answer answer = cache_access(asked.at.l1d, at, is_write, now);
        if ((is_write ? front->write_line : front->read_line)[set] == line) {
            cr_assert_eq(answer.ready, now + cache_hit_cycles(asked.at.l1d), "%s: access %u", settings[0], i);
            cache_add_front_hits(skipped.at.l1d, 1);
            nr_skipped++;
        } else {
            struct cache_answer other = cache_access(skipped.at.l1d, at, is_write, now);
            cr_assert(other.ready == answer.ready && other.served_by == answer.served_by, "%s: access %u",
                      settings[0], i);
        }
    }
    cr_assert_arr_eq(cache_stats(asked.at.l1d), cache_stats(skipped.at.l1d), sizeof(struct cache_stats));
    cr_assert_arr_eq(cache_stats(asked.at.l2), cache_stats(skipped.at.l2), sizeof(struct cache_stats));
    cr_assert_gt(nr_skipped, 100, "%s", settings[0]);
    destroy_caches(&asked);
    destroy_caches(&skipped);
}

Test(cache_policies, the_fronts_word_changes_nothing)
{
    static const char *const policies[] = {"lru", "plru", "srrip", "random", "fifo"};
    static const char *const inclusions[] = {"non-inclusive", "inclusive", "exclusive"};
    for (unsigned i = 0; i < sizeof policies / sizeof *policies; i++) {
        for (unsigned j = 0; j < sizeof inclusions / sizeof *inclusions; j++) {
            char replacement[64], inclusion[64];
            snprintf(replacement, sizeof replacement, "cache.l1d.replacement=%s", policies[i]);
            snprintf(inclusion, sizeof inclusion, "cache.l2.inclusion=%s", inclusions[j]);
            const char *const settings[] = {
                replacement,       inclusion, "cache.l1d.size=1KiB", "cache.l1d.ways=4", "cache.l2.size=2KiB",
                "cache.l2.ways=4", NULL};
            compare_with_front(settings, i * 3 + j);
        }
    }
}
