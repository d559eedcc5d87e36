/*
 * Memory types: the manual's tables of the MTRRs and the PAT, read anew (SDM 3A 11.5.2, 11.11, 11.12), and
 * what caches do with each kind of access.
 */
#include "mmu/memory_type.h"

#include <criterion/criterion.h>

enum {
    MSR_CAP = 0xfe,
    MSR_BASE0 = 0x200,
    MSR_MASK0 = 0x201,
    MSR_PAT = 0x277,
    MSR_DEFAULT = 0x2ff,
    E = 0x800,
    FE = 0x400
};

static uint64_t state = 1;

static uint64_t pick(uint64_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % below;
}

static void write_msr(struct memory_types *types, uint32_t msr, uint64_t value)
{
    cr_assert(memory_types_write(types, msr, value), "msr %x, value %lx", msr, value);
}

static uint64_t read_msr(const struct memory_types *types, uint32_t msr)
{
    uint64_t value = 0;
    cr_assert(memory_types_read(types, msr, &value), "msr %x", msr);
    return value;
}

Test(memory_types, mtrr_and_pat_together_make_table_11_7)
{
    static const struct {
        unsigned mtrr;
        unsigned by_pat[6]; /* UC, UC-, WC, WT, WB, WP */
    } table[] = {
        {0, {0, 0, 1, 0, 0, 0}}, {1, {0, 1, 1, 0, 1, 0}}, {4, {0, 0, 1, 4, 4, 5}},
        {6, {0, 0, 1, 4, 6, 5}}, {5, {0, 1, 1, 4, 5, 5}},
    };
    static const uint64_t pat_values[] = {0, 7, 1, 4, 6, 5};
    struct memory_types types;
    memory_types_init(&types, 40);
    for (unsigned i = 0; i < 8; i++)
        write_msr(&types, MSR_MASK0 + 2 * i, 0);
    for (unsigned row = 0; row < 5; row++) {
        write_msr(&types, MSR_DEFAULT, E | table[row].mtrr);
        for (unsigned column = 0; column < 6; column++) {
            for (unsigned index = 0; index < 8; index++) {
                write_msr(&types, MSR_PAT, pat_values[column] << 8 * index);
                cr_assert_eq(memory_type_of(&types, paddr(0x12345678), index), table[row].by_pat[column],
                             "MTRR %u, PAT %lu", table[row].mtrr, pat_values[column]);
            }
        }
    }
    write_msr(&types, MSR_DEFAULT, 6);
    cr_assert_eq(memory_type_by_mtrrs(&types, paddr(0x12345678)), MEMORY_UC, "MTRRs are off: all is UC");
}

Test(memory_types, the_pat_begins_as_table_11_12_has_it)
{
    struct memory_types types;
    memory_types_init(&types, 36);
    cr_assert_eq(read_msr(&types, MSR_PAT), 0x0007040600070406);
    cr_assert_eq(read_msr(&types, MSR_CAP), 0x508);
    static const unsigned by_pwt_pcd[] = {MEMORY_WB, MEMORY_WT, MEMORY_UC, MEMORY_UC}; /* UC- under WB */
    for (unsigned i = 0; i < 8; i++)
        cr_assert_eq(memory_type_of(&types, paddr(0x200000), i), by_pwt_pcd[i % 4]);
}

/* SDM 3A table 11-9: which byte of which fixed-range MTRR covers an address. */
Test(memory_types, fixed_ranges_lie_where_table_11_9_has_them)
{
    static const struct {
        uint32_t msr;
        uint64_t begin, part_bytes;
    } ranges[] = {{0x250, 0, 0x10000},      {0x258, 0x80000, 0x4000}, {0x259, 0xa0000, 0x4000},
                  {0x268, 0xc0000, 0x1000}, {0x269, 0xc8000, 0x1000}, {0x26a, 0xd0000, 0x1000},
                  {0x26b, 0xd8000, 0x1000}, {0x26c, 0xe0000, 0x1000}, {0x26d, 0xe8000, 0x1000},
                  {0x26e, 0xf0000, 0x1000}, {0x26f, 0xf8000, 0x1000}};
    struct memory_types types;
    memory_types_init(&types, 40);
    write_msr(&types, MSR_DEFAULT, E | FE | MEMORY_UC);
    for (unsigned i = 0; i < 11; i++)
        write_msr(&types, ranges[i].msr, 0);
    for (unsigned i = 0; i < 11; i++) {
        for (unsigned part = 0; part < 8; part++) {
            uint64_t begin = ranges[i].begin + part * ranges[i].part_bytes,
                     end = begin + ranges[i].part_bytes;
            write_msr(&types, ranges[i].msr, 6ull << 8 * part);
            for (uint64_t at = 0; at < 0x101000; at += 0x1000)
                cr_assert_eq(memory_type_by_mtrrs(&types, paddr(at)),
                             at >= begin && at < end ? MEMORY_WB : MEMORY_UC, "MSR %x, part %u, address %lx",
                             ranges[i].msr, part, at);
        }
        write_msr(&types, ranges[i].msr, 0);
    }
}

/*
 * SDM 3A 11.11.2.3, 11.11.4.1: in a range if address and mask is base and mask; then the rules of precedence.
 */
static unsigned manual_type(const uint64_t base[8], const uint64_t mask[8], unsigned default_type,
                            uint64_t at)
{
    bool has[8] = {false};
    unsigned nr_kinds = 0, last = default_type;
    for (unsigned i = 0; i < 8; i++) {
        bool is_in = (mask[i] & 0x800) && (at >> 12 & mask[i] >> 12) == (base[i] >> 12 & mask[i] >> 12);
        unsigned type = base[i] & 0xff;
        if (!is_in || has[type])
            continue;
        has[type] = true;
        last = type;
        nr_kinds++;
    }
    if (nr_kinds <= 1)
        return last;
    return nr_kinds == 2 && has[4] && has[6] ? 4 : 0;
}

Test(memory_types, variable_ranges_match_and_overlap_as_the_manual_says)
{
    static const unsigned kinds[] = {0, 1, 4, 5, 6, 6, 6, 4};
    for (unsigned n = 0; n < 2000; n++) {
        struct memory_types types;
        uint64_t base[8], mask[8];
        unsigned default_type = kinds[pick(8)];
        memory_types_init(&types, 36);
        write_msr(&types, MSR_DEFAULT, E | default_type);
        for (unsigned i = 0; i < 8; i++) {
            uint64_t bytes = 0x1000ull << pick(21);
            base[i] = (pick(1ull << 24) << 12 & ~(bytes - 1)) | kinds[pick(8)];
            mask[i] = (0xfffffffffull & ~(bytes - 1)) | (pick(3) ? 0x800 : 0);
            write_msr(&types, MSR_BASE0 + 2 * i, base[i]);
            write_msr(&types, MSR_MASK0 + 2 * i, mask[i]);
            cr_assert_eq(read_msr(&types, MSR_BASE0 + 2 * i), base[i]);
        }
        for (unsigned i = 0; i < 100; i++) {
            uint64_t at = pick(2) ? pick(1ull << 24) << 12 : (base[pick(8)] & ~0xfffull) + pick(1 << 22);
            cr_assert_eq(memory_type_by_mtrrs(&types, paddr(at)), manual_type(base, mask, default_type, at),
                         "address %lx", at);
        }
    }
}

Test(memory_types, bad_values_are_refused_and_change_nothing)
{
    static const struct {
        uint32_t msr;
        uint64_t value;
        bool is_good;
    } cases[] = {
        {MSR_CAP, 0, false},
        {MSR_PAT, 0x0706050401000007, true},
        {MSR_PAT, 2, false},
        {MSR_PAT, 3ull << 56, false},
        {MSR_PAT, 8, false},
        {0x250, 0x0606060606060606, true},
        {0x250, 7, false},
        {0x26f, 2ull << 32, false},
        {MSR_DEFAULT, E | FE, true},
        {MSR_DEFAULT, 7, false},
        {MSR_DEFAULT, 0x100, false},
        {MSR_DEFAULT, 0x1000, false},
        {MSR_BASE0, 0x12345006, true},
        {MSR_BASE0, 0x106, false},
        {MSR_BASE0, 2, false},
        {MSR_BASE0, 1ull << 36, false},
        {MSR_MASK0, 0xffffff800, true},
        {MSR_MASK0, 0x400, false},
        {MSR_MASK0, 1ull << 36, false},
        {0x210, 0, false},
        {0x25a, 0, false},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct memory_types types, before;
        memory_types_init(&types, 36);
        before = types;
        cr_assert_eq(memory_types_write(&types, cases[i].msr, cases[i].value), cases[i].is_good, "case %u",
                     i);
        if (cases[i].is_good)
            cr_assert_eq(read_msr(&types, cases[i].msr), cases[i].value);
        else
            cr_assert_eq(memory_type_by_mtrrs(&types, paddr(0x5000)),
                         memory_type_by_mtrrs(&before, paddr(0x5000)));
    }
}

Test(memory_types, each_type_uses_the_caches_as_tables_11_2_and_11_5_say)
{
    static const struct {
        enum memory_type type;
        enum cache_use read, write, read_cd, write_cd;
    } rows[] = {
        {MEMORY_UC, CACHE_USE_NONE, CACHE_USE_NONE, CACHE_USE_NONE, CACHE_USE_NONE},
        {MEMORY_WC, CACHE_USE_NONE, CACHE_USE_NONE, CACHE_USE_NONE, CACHE_USE_NONE},
        {MEMORY_WT, CACHE_USE_ALL, CACHE_USE_WRITE_THROUGH, CACHE_USE_NO_FILL, CACHE_USE_WRITE_THROUGH},
        {MEMORY_WP, CACHE_USE_ALL, CACHE_USE_NONE, CACHE_USE_NO_FILL, CACHE_USE_NONE},
        {MEMORY_WB, CACHE_USE_ALL, CACHE_USE_ALL, CACHE_USE_NO_FILL, CACHE_USE_NO_FILL},
    };
    for (unsigned i = 0; i < 5; i++) {
        cr_assert_eq(memory_cache_use(rows[i].type, false, false), rows[i].read);
        cr_assert_eq(memory_cache_use(rows[i].type, false, true), rows[i].write);
        cr_assert_eq(memory_cache_use(rows[i].type, true, false), rows[i].read_cd);
        cr_assert_eq(memory_cache_use(rows[i].type, true, true), rows[i].write_cd);
    }
}

/*
 * ---- Two levels of cache over a DRAM whose every access is a row hit of 40 cycles, once its row is open
 * ----
 */

static struct hierarchy {
    struct dram *dram;
    struct cache *l2, *l1;
} h;

static void create(void)
{
    struct dram_params dram = {.nr_banks = 1,
                               .row_bytes = 1 << 20,
                               .row_hit_cycles = 40,
                               .row_miss_cycles = 40,
                               .row_conflict_cycles = 40};
    struct cache_params params = {.size_bytes = 1024, .nr_ways = 2, .line_bytes = 64, .latency_cycles = 3};
    h.dram = dram_create(&dram);
    h.l2 = cache_create(&params, SERVED_BY_L2, NULL, h.dram);
    h.l1 = cache_create(&params, SERVED_BY_L1, h.l2, NULL);
}

static void destroy(void)
{
    cache_destroy(h.l1), cache_destroy(h.l2), dram_destroy(h.dram);
}

Test(memory_types, an_uncached_access_fills_nothing_and_drops_what_is_there, .init = create, .fini = destroy)
{
    for (unsigned i = 0; i < 3; i++) {
        struct cache_answer answer = cache_access_as(h.l1, CACHE_USE_NONE, paddr(0x40), false, 100);
        cr_assert(answer.ready == 140 && answer.served_by == SERVED_BY_DRAM);
    }
    cr_assert_not(cache_contains(h.l1, paddr(0x40)) || cache_contains(h.l2, paddr(0x40)));
    cr_assert(cache_stats(h.l1)->accesses == 0 && cache_stats(h.l1)->uncached == 3 &&
              cache_stats(h.l2)->uncached == 3);
    cache_access(h.l1, paddr(0x40), true, 200); /* now it is there, and dirty */
    cache_access(h.l1, paddr(0x240), false, 300);
    cache_access_as(h.l1, CACHE_USE_NONE, paddr(0x7f), false, 400);
    cr_assert_not(cache_contains(h.l1, paddr(0x40)) || cache_contains(h.l2, paddr(0x40)));
    cr_assert(cache_contains(h.l1, paddr(0x240)), "its neighbour in the set stays");
    cr_assert_eq(cache_stats(h.l1)->writebacks, 1);
    cr_assert_eq(cache_stats(h.l2)->writebacks, 1, "down to memory before memory is read");
    cr_assert_eq(dram_stats(h.dram)->writes, 1);
    cr_assert_neq(cache_front(h.l1)->read_line[1], 0x40 / 64, "what is gone is not hit without asking");
}

Test(memory_types, writes_through_go_to_memory_and_leave_lines_clean, .init = create, .fini = destroy)
{
    cache_access_as(h.l1, CACHE_USE_WRITE_THROUGH, paddr(0x80), true, 100);
    cr_assert_not(cache_contains(h.l1, paddr(0x80)), "no allocation for a write");
    cache_access(h.l1, paddr(0x80), false, 200);
    cache_access_as(h.l1, CACHE_USE_WRITE_THROUGH, paddr(0x80), true, 300);
    cr_assert(cache_contains(h.l1, paddr(0x80)) && cache_contains(h.l2, paddr(0x80)));
    cr_assert_eq(dram_stats(h.dram)->writes, 2);
    cr_assert_eq(cache_stats(h.l1)->write_throughs, 2);
    cr_assert_eq(cache_stats(h.l1)->accesses, 3);
    cr_assert(cache_stats(h.l1)->hits == 1 && cache_stats(h.l1)->misses == 2 &&
              cache_stats(h.l1)->fills == 1);
    cache_flush(h.l1, true, 400);
    cache_flush(h.l2, true, 400);
    cr_assert_eq(dram_stats(h.dram)->writes, 2, "nothing was dirty");
}

Test(memory_types, without_fills_hits_hit_and_misses_leave_all_as_it_is, .init = create, .fini = destroy)
{
    cache_access(h.l1, paddr(0), false, 0);
    struct cache_answer answer = cache_access_as(h.l1, CACHE_USE_NO_FILL, paddr(0), true, 100);
    cr_assert(answer.ready == 103 && answer.served_by == SERVED_BY_L1);
    for (unsigned i = 0; i < 2; i++) {
        answer = cache_access_as(h.l1, CACHE_USE_NO_FILL, paddr(0x400), i, 200);
        cr_assert(answer.ready == 246 && answer.served_by == SERVED_BY_DRAM, "two lookups, then memory");
    }
    cr_assert(cache_contains(h.l1, paddr(0)) && !cache_contains(h.l1, paddr(0x400)) &&
              !cache_contains(h.l2, paddr(0x400)));
    cr_assert(cache_stats(h.l1)->accesses == cache_stats(h.l1)->hits + cache_stats(h.l1)->misses);
    cr_assert(cache_stats(h.l1)->fills == 1 && cache_stats(h.l2)->fills == 1 &&
              dram_stats(h.dram)->writes == 1);
}
