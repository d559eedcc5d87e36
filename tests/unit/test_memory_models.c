/*
 * TLBs, caches and DRAM against models written as one would write them down first: lists that are searched
 * from end to end, the time of the last use beside each entry.
 */
#include "cache/cache.h"
#include "tlb/tlb.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { MAX_ENTRIES = 64 };

/* One set-associative array with true LRU, of numbers. */
struct model {
    uint64_t nr_sets, nr_ways;
    struct {
        bool is_used, is_dirty;
        uint64_t number, when;
    } place[MAX_ENTRIES];
    uint64_t now, nr_hits, nr_misses, nr_evictions, nr_writebacks;
};

/* True for a hit. A miss puts the number in place of the one used least recently, or of nothing. */
static bool model_access(struct model *model, uint64_t number, bool is_write)
{
    uint64_t first = number % model->nr_sets * model->nr_ways, oldest = first;
    model->now++;
    for (uint64_t i = first; i < first + model->nr_ways; i++) {
        if (model->place[i].is_used && model->place[i].number == number) {
            model->place[i].when = model->now;
            model->place[i].is_dirty |= is_write;
            model->nr_hits++;
            return true;
        }
        uint64_t age = model->place[i].is_used ? model->place[i].when : 0;
        uint64_t oldest_age = model->place[oldest].is_used ? model->place[oldest].when : 0;
        if (age < oldest_age)
            oldest = i;
    }
    model->nr_misses++;
    model->nr_evictions += model->place[oldest].is_used;
    model->nr_writebacks += model->place[oldest].is_used && model->place[oldest].is_dirty;
    model->place[oldest].is_used = true;
    model->place[oldest].is_dirty = is_write;
    model->place[oldest].number = number;
    model->place[oldest].when = model->now;
    return false;
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* Entries and ways, of any number of sets. */
static const uint64_t shapes[][2] = {{8, 8}, {8, 1}, {7, 1}, {12, 4}, {15, 3}, {64, 4}, {1, 1}, {6, 2}};

Test(memory_models, tlb_counts_what_a_plain_list_counts)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct tlb_params params = {1, {{shapes[i][0], shapes[i][1], TLB_PAGE_4K, TLB_LRU, 1}}};
        struct tlb *tlb = tlb_create(&params);
        struct model model = {.nr_sets = shapes[i][0] / shapes[i][1], .nr_ways = shapes[i][1]};
        uint64_t random = i + 1;
        for (unsigned n = 0; n < 20000; n++) {
            uint64_t page = next_random(&random) % (shapes[i][0] * 2) + 100;
            struct tlb_entry *entry = tlb_lookup(tlb, laddr(page << 12 | 0x123), 0);
            cr_assert_eq(model_access(&model, page, false), entry != NULL, "shape %zu, access %u", i, n);
            if (!entry) {
                struct tlb_entry fresh = {
                    .page_number = page, .frame = paddr(page << 12), .page = TLB_PAGE_4K};
                entry = tlb_fill(tlb, &fresh);
            }
            cr_assert_eq(entry->page_number, page);
        }
        const struct tlb_stats *stats = tlb_stats(tlb);
        cr_assert_eq(stats->accesses, 20000);
        cr_assert_eq(stats->hits, model.nr_hits);
        cr_assert_eq(stats->misses, model.nr_misses);
        cr_assert_eq(stats->evictions, model.nr_evictions);
        tlb_destroy(tlb);
    }
}

Test(memory_models, tlb_shortcuts_are_hits_and_keep_their_order)
{
    struct tlb_params params = {1, {{2, 2, TLB_PAGE_4K, TLB_LRU, 1}}};
    struct tlb *tlb = tlb_create(&params);
    struct tlb_entry *entry[3];
    for (uint64_t page = 0; page < 2; page++)
        entry[page] = tlb_fill(tlb, &(struct tlb_entry){.page_number = page, .page = TLB_PAGE_4K});
    entry[0]->last_use = ++*tlb_clock(tlb); /* as the CPU does: page 1 is now the older one */
    entry[2] = tlb_fill(tlb, &(struct tlb_entry){.page_number = 2, .page = TLB_PAGE_4K});
    cr_assert_eq(entry[2], entry[1], "page 2 went where page 1 was");
    cr_assert_eq(tlb_nr_shortcuts(tlb), 1);
    tlb_settle(tlb);
    cr_assert_eq(tlb_stats(tlb)->hits, 1);
    cr_assert_eq(tlb_stats(tlb)->accesses, 1);
    tlb_destroy(tlb);
}

Test(memory_models, tlb_flush_keeps_global_entries_and_invlpg_does_not)
{
    struct tlb_params params = {2, {{8, 2, TLB_PAGE_4K, TLB_LRU, 1}, {4, 4, TLB_PAGE_4M, TLB_LRU, 1}}};
    struct tlb *tlb = tlb_create(&params);
    tlb_fill(tlb, &(struct tlb_entry){.page_number = 5, .page = TLB_PAGE_4K});
    tlb_fill(tlb, &(struct tlb_entry){.page_number = 6, .page = TLB_PAGE_4K, .flags = TLB_GLOBAL});
    tlb_fill(tlb, &(struct tlb_entry){.page_number = 3, .page = TLB_PAGE_4M, .flags = TLB_GLOBAL});
    tlb_flush(tlb, true);
    cr_assert_null(tlb_lookup(tlb, laddr(5 << 12), 0));
    cr_assert_not_null(tlb_lookup(tlb, laddr(6 << 12), 0));
    cr_assert_not_null(tlb_lookup(tlb, laddr((3 << 22) + 0x12345), 0));
    tlb_invalidate(tlb, laddr((3 << 22) + 0x3fffff), 0, false);
    cr_assert_null(tlb_lookup(tlb, laddr(3 << 22), 0));
    tlb_flush(tlb, false);
    cr_assert_null(tlb_lookup(tlb, laddr(6 << 12), 0));
    tlb_destroy(tlb);
}

static struct dram *plain_dram(void)
{
    struct dram_params params = {.nr_banks = 4,
                                 .row_bytes = 1024,
                                 .row_hit_cycles = 40,
                                 .row_miss_cycles = 60,
                                 .row_conflict_cycles = 80,
                                 .burst_cycles = 8};
    return dram_create(&params);
}

Test(memory_models, cache_counts_and_writes_back_what_a_plain_list_does)
{
    static const struct cache_params geometries[] = {
        {.size_bytes = 1024, .nr_ways = 2, .line_bytes = 64, .latency_cycles = 3},
        {.size_bytes = 64, .nr_ways = 1, .line_bytes = 16, .latency_cycles = 1},
        {.size_bytes = 512, .nr_ways = 8, .line_bytes = 64, .latency_cycles = 2},
        {.size_bytes = 2048, .nr_ways = 4, .line_bytes = 32, .latency_cycles = 3}};
    for (size_t i = 0; i < sizeof geometries / sizeof *geometries; i++) {
        const struct cache_params *p = &geometries[i];
        struct dram *dram = plain_dram();
        struct cache *cache = cache_create(p, SERVED_BY_L1, NULL, dram);
        struct model model = {.nr_sets = p->size_bytes / p->line_bytes / p->nr_ways, .nr_ways = p->nr_ways};
        uint64_t random = i + 7, now = 0;
        for (unsigned n = 0; n < 20000; n++) {
            struct paddr at = paddr(next_random(&random) % (p->size_bytes * 2));
            bool is_write = next_random(&random) % 4 == 0,
                 is_hit = model_access(&model, at.v / p->line_bytes, is_write);
            struct cache_answer answer = cache_access(cache, at, is_write, now);
            cr_assert_eq(answer.served_by == SERVED_BY_L1, is_hit, "geometry %zu, access %u", i, n);
            if (is_hit)
                cr_assert_eq(answer.ready, now + p->latency_cycles);
            now = answer.ready;
        }
        const struct cache_stats *stats = cache_stats(cache);
        cr_assert_eq(stats->hits, model.nr_hits);
        cr_assert_eq(stats->misses, model.nr_misses);
        cr_assert_eq(stats->evictions, model.nr_evictions);
        cr_assert_eq(stats->writebacks, model.nr_writebacks);
        cr_assert_eq(dram_stats(dram)->reads, model.nr_misses);
        cr_assert_eq(dram_stats(dram)->writes, model.nr_writebacks);
        cache_destroy(cache);
        dram_destroy(dram);
    }
}

Test(memory_models, one_line_more_than_the_ways_never_hits)
{
    struct dram *dram = plain_dram();
    struct cache_params params = {.size_bytes = 1024, .nr_ways = 4, .line_bytes = 64, .latency_cycles = 3};
    struct cache *cache = cache_create(&params, SERVED_BY_L1, NULL, dram);
    uint64_t way_bytes = params.size_bytes / params.nr_ways;
    for (unsigned round = 0; round < 10; round++)
        for (unsigned i = 0; i < params.nr_ways + 1; i++)
            cache_access(cache, paddr(i * way_bytes), false, round * 10000 + i * 1000);
    cr_assert_eq(cache_stats(cache)->hits, 0);
    cr_assert_eq(cache_stats(cache)->misses, 50);
    cache_destroy(cache);
    dram_destroy(dram);
}

Test(memory_models, a_line_on_its_way_is_waited_for_by_readers)
{
    struct dram *dram = plain_dram();
    struct cache_params params = {.size_bytes = 1024, .nr_ways = 2, .line_bytes = 64, .latency_cycles = 3};
    struct cache *cache = cache_create(&params, SERVED_BY_L1, NULL, dram);
    struct cache_answer miss = cache_access(cache, paddr(0), false, 100);
    cr_assert_eq(miss.ready, 100 + 3 + 60, "the lookup, then a bank with no open row");
    cr_assert_eq(cache_front(cache)->read_line[0], CACHE_NO_LINE, "the CPU must not take it for a hit yet");
    struct cache_answer early = cache_access(cache, paddr(8), false, 120);
    cr_assert_eq(early.ready, miss.ready);
    cr_assert_eq(early.served_by, SERVED_BY_DRAM);
    struct cache_answer late = cache_access(cache, paddr(16), false, 200);
    cr_assert_eq(late.ready, 203);
    cr_assert_eq(cache_front(cache)->read_line[0], 0);
    cr_assert_eq(cache_stats(cache)->hits_in_flight, 1);
    cache_destroy(cache);
    dram_destroy(dram);
}

Test(memory_models, dram_row_hit_miss_conflict_and_a_busy_bank_take_what_the_config_says)
{
    struct dram *dram = plain_dram();
    cr_assert_eq(dram_access(dram, paddr(0), false, 1000), 1060, "no row is open");
    cr_assert_eq(dram_access(dram, paddr(512), false, 2000), 2040, "the same row");
    /* Row 1 of the same bank: with 4 banks of 1 KiB rows, bank = (address / 1024) ^ row ^ row / 4. */
    cr_assert_eq(dram_access(dram, paddr(4096 + 1024), false, 3000), 3080, "another row of that bank");
    cr_assert_eq(dram_access(dram, paddr(4096 + 1024), false, 3000), 3048 + 40,
                 "busy for 40 + 8 cycles, then a hit");
    const struct dram_stats *stats = dram_stats(dram);
    cr_assert_eq(stats->row_misses, 1);
    cr_assert_eq(stats->row_hits, 2);
    cr_assert_eq(stats->row_conflicts, 1);
    cr_assert_eq(stats->queue_cycles, 48);
    dram_destroy(dram);
}
