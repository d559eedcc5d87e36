/*
 * Replacement in TLBs: against a naive model that keeps each policy's state as it is described, with hits by
 * the CPU's shortcuts among the lookups, and against what is known without one.
 */
#include "tests/oracle/naive_structures.h"
#include "tlb/tlb.h"

#include <criterion/criterion.h>

enum { NR_POLICIES = TLB_FIFO + 1, NR_OPERATIONS = 20000 };

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static const enum naive_tlb_policy policies[NR_POLICIES] = {[TLB_LRU] = NAIVE_TLB_LRU,
                                                            [TLB_PLRU] = NAIVE_TLB_PLRU,
                                                            [TLB_RANDOM] = NAIVE_TLB_RANDOM,
                                                            [TLB_FIFO] = NAIVE_TLB_FIFO};

/* Pages of all sizes in one array. */
static const struct {
    enum tlb_page page;
    uint64_t bytes;
} sizes[] = {{TLB_PAGE_4K, 4096}, {TLB_PAGE_2M, 2u << 20}, {TLB_PAGE_1G, 1u << 30}};

static void compare(enum tlb_replacement replacement, uint64_t nr_entries, uint64_t nr_ways, uint64_t seed)
{
    struct tlb_params params = {1, {{nr_entries, nr_ways, TLB_PAGE_4K | TLB_PAGES_LARGE, replacement, seed}}};
    struct tlb *tlb = tlb_create(&params);
    struct naive_tlb naive = {.nr_arrays = 0};
    naive_tlb_add_array(&naive, NAIVE_SMALL | NAIVE_LARGE, policies[replacement], nr_entries, nr_ways, seed);
    struct tlb_entry *last = NULL;
    uint64_t random = seed, last_id = 0, last_at = 0, nr_shortcuts = 0;
    unsigned last_pcid = 0;
    for (unsigned n = 0; n < NR_OPERATIONS; n++) {
        unsigned size = (unsigned)(next_random(&random) % 3), pcid = (unsigned)(next_random(&random) % 2);
        uint64_t at = (1 + size * 64 + next_random(&random) % (nr_entries * 2)) * sizes[size].bytes;
        if (size == 0) /* no two sizes map the same address */
            at += 1ull << 40;
        unsigned what = (unsigned)(next_random(&random) % 64);
        if (what == 0) {
            tlb_invalidate(tlb, laddr(at), pcid, true);
            naive_tlb_invalidate(&naive, at, pcid, true);
        } else if (what == 1 && n % 8 == 0) {
            tlb_flush_pcid(tlb, pcid);
            naive_tlb_flush_pcid(&naive, pcid);
        } else if (what < 20 && last && last->id == last_id) { /* as the CPU does */
            last->last_use = ++*tlb_clock(tlb);
            nr_shortcuts++;
            cr_assert_not_null(naive_tlb_lookup(&naive, last_at, last_pcid));
        } else {
            struct tlb_entry *entry = tlb_lookup(tlb, laddr(at), pcid);
            bool is_hit = naive_tlb_lookup(&naive, at, pcid) != NULL, is_refill = what == 63;
            cr_assert_eq(is_hit, entry != NULL, "policy %u, %lu x %lu, step %u", (unsigned)replacement,
                         (unsigned long)nr_entries, (unsigned long)nr_ways, n);
            if (!entry || is_refill) {
                struct tlb_entry fresh = {
                    .page_number = at / sizes[size].bytes, .page = sizes[size].page, .pcid = (uint16_t)pcid};
                entry = tlb_fill(tlb, &fresh);
                naive_tlb_fill(&naive, (struct naive_page){.page_bytes = sizes[size].bytes,
                                                           .number = at / sizes[size].bytes,
                                                           .pcid = pcid});
            }
            last = entry;
            last_id = entry->id;
            last_at = at;
            last_pcid = pcid;
        }
    }
    cr_assert_eq(tlb_nr_shortcuts(tlb), nr_shortcuts);
    cr_assert_gt(nr_shortcuts, NR_OPERATIONS / 10);
    tlb_settle(tlb);
    cr_assert_eq(tlb_stats(tlb)->hits, naive.counts.hits);
    cr_assert_eq(tlb_stats(tlb)->misses, naive.counts.misses);
    cr_assert_eq(tlb_stats(tlb)->evictions, naive.counts.evictions);
    cr_assert_eq(tlb_stats(tlb)->fills, naive.counts.fills);
    naive_tlb_free(&naive);
    tlb_destroy(tlb);
}

Test(tlb_policies, agree_with_a_naive_model_also_by_shortcuts)
{
    static const uint64_t shapes[][2] = {{8, 8}, {8, 1}, {24, 4}, {64, 64}, {48, 16}, {4, 2}};
    for (unsigned policy = 0; policy < NR_POLICIES; policy++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
            compare((enum tlb_replacement)policy, shapes[i][0], shapes[i][1], policy * 100 + i + 1);
    compare(TLB_LRU, 15, 5, 7);
    compare(TLB_FIFO, 21, 7, 7);
    compare(TLB_RANDOM, 9, 3, 7);
}

static bool use(struct tlb *tlb, uint64_t page)
{
    if (tlb_lookup(tlb, laddr(page << 12), 0))
        return true;
    tlb_fill(tlb, &(struct tlb_entry){.page_number = page, .page = TLB_PAGE_4K});
    return false;
}

static struct tlb *make(enum tlb_replacement replacement, uint64_t nr_entries, uint64_t nr_ways)
{
    struct tlb_params params = {1, {{nr_entries, nr_ways, TLB_PAGE_4K, replacement, 1}}};
    return tlb_create(&params);
}

/* As many pages as there are entries: each is missed once, whatever the policy. */
Test(tlb_policies, what_fits_stays)
{
    for (unsigned policy = 0; policy < NR_POLICIES; policy++) {
        struct tlb *tlb = make((enum tlb_replacement)policy, 64, 4);
        for (uint64_t n = 0; n < 64 * 10; n++)
            use(tlb, n % 64);
        cr_assert_eq(tlb_stats(tlb)->misses, 64);
        tlb_destroy(tlb);
    }
}

/* One page more than a set has ways, in turn: LRU and FIFO lose each before it comes again. */
Test(tlb_policies, one_page_more_than_ways_thrashes)
{
    enum { WAYS = 8, ROUNDS = 100 };
    for (unsigned policy = 0; policy < NR_POLICIES; policy++) {
        struct tlb *tlb = make((enum tlb_replacement)policy, WAYS, WAYS);
        uint64_t nr_hits = 0;
        for (unsigned n = 0; n < (WAYS + 1) * ROUNDS; n++)
            nr_hits += use(tlb, n % (WAYS + 1));
        if (policy == TLB_LRU || policy == TLB_FIFO)
            cr_assert_eq(nr_hits, 0);
        else
            cr_assert_gt(nr_hits, 0);
        tlb_destroy(tlb);
    }
}

/* A FIFO does not care how often an entry is hit; an LRU does. */
Test(tlb_policies, fifo_forgets_hits)
{
    for (unsigned policy = TLB_LRU; policy <= TLB_FIFO; policy += TLB_FIFO - TLB_LRU) {
        struct tlb *tlb = make((enum tlb_replacement)policy, 2, 2);
        use(tlb, 1);
        use(tlb, 2);
        cr_assert(use(tlb, 1));
        use(tlb, 3);
        cr_assert_eq(use(tlb, 1), policy == TLB_LRU);
        tlb_destroy(tlb);
    }
}

/* Mattson's stack: a fully associative LRU of n entries hits if fewer than n other pages were used since. */
Test(tlb_policies, lru_hits_are_stack_distances_below_the_entries)
{
    enum { PAGES = 40 };
    for (unsigned ways = 1; ways <= 32; ways *= 2) {
        struct tlb *tlb = make(TLB_LRU, ways, ways);
        uint64_t last_use[PAGES] = {0}, random = ways;
        for (unsigned n = 1; n <= 5000; n++) {
            uint64_t page = next_random(&random) % (1 + next_random(&random) % PAGES);
            unsigned distance = 0;
            for (unsigned other = 0; other < PAGES; other++)
                distance += last_use[other] > last_use[page];
            cr_assert_eq(use(tlb, page), last_use[page] && distance < ways);
            last_use[page] = n;
        }
        tlb_destroy(tlb);
    }
}
