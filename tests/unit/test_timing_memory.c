/*
 * The core and the memory system together, against closed forms: what a load costs that waits for the one
 * before it, over each level of caches, TLBs, page walks and DRAM, and what MSHRs allow at a time. All
 * follows from docs/timing.md and docs/memory.md by arithmetic on the configured cycles.
 */
#define CORE_RAM_BYTES (4 << 20)
#include "tests/oracle/naive_cache.h"
#include "tests/unit/loop_fixture.h"

enum {
    L1 = 3, /* cycles, as the default configuration has them */
    L2 = 10,
    L3 = 25,
    L2_TLB = 7,
    ROW_HIT = 40,
    ROW_MISS = 60,
    ROW_CONFLICT = 80,
    BURST = 4,
    LINE = 64,
    ROW = 8192,
    BANKS = 8,

    TABLES = 0x200000,  /* page tables; the top one is here */
    CELLS = 0x100000,   /* physical */
    LINEAR = 0x4000000, /* where paging puts them */
    PRESENT = 0x27,     /* P, R/W, U/S; accessed */
    ACCESSED = 0x20,
    DIRTY = 0x40,
    LARGE = 0x80,
    LOADS = 32, /* in an iteration */
};

enum paging { FLAT, PAGES_4K, PAGES_4M, LONG_4K };

/* A ring of pointers, and a loop of LOADS of `mov ebx,[ebx]` that follows it. */
struct chase {
    enum paging paging;
    uint32_t nr, stride;              /* cells, and how far apart they are */
    bool is_accessed_clear, is_dirty; /* of the entries that map the cells */
    const char *settings[MAX_SETTINGS];
};

static uint32_t linear_of(const struct chase *chase, uint32_t cell)
{
    /* With pages, each cell is in another one, and in another line of the caches. */
    switch (chase->paging) {
    case FLAT:
        return CELLS + cell * chase->stride;
    case PAGES_4M:
        return LINEAR + cell * chase->stride + CELLS + cell * LINE;
    default:
        return LINEAR + cell * chase->stride + (cell * LINE & 0xfff);
    }
}

static uint32_t physical_of(const struct chase *chase, uint32_t cell)
{
    return CELLS + cell * (chase->paging == FLAT ? chase->stride : LINE);
}

/* Maps a page of 4 KiB by tables of entries of so many bytes; each table is made when it is first wanted. */
static void map(struct core *core, unsigned nr_levels, unsigned entry_bytes, uint32_t linear, uint32_t entry,
                uint32_t *next_table)
{
    unsigned bits = entry_bytes == 8 ? 9 : 10;
    uint32_t table = TABLES;
    for (unsigned level = nr_levels; level > 1; level--) {
        uint32_t at = table + (uint32_t)((uint64_t)linear >> (12 + bits * (level - 1)) & ((1u << bits) - 1)) *
                                  entry_bytes;
        if (!core_get32(core, at)) {
            core_put32(core, at, *next_table | PRESENT);
            *next_table += 4096;
        }
        table = core_get32(core, at) & ~0xfffu;
    }
    core_put32(core, table + (linear >> 12 & ((1u << bits) - 1)) * entry_bytes, entry);
}

static void lay_out(const struct chase *chase, struct core *core, struct cpu_state *state)
{
    uint32_t next_table = TABLES + 4096, rights = chase->is_accessed_clear ? PRESENT & ~ACCESSED : PRESENT;
    rights |= chase->is_dirty ? DIRTY : 0;
    unsigned nr_levels = chase->paging == LONG_4K ? 4 : 2, entry_bytes = chase->paging == LONG_4K ? 8 : 4;
    for (uint32_t i = 0; i < chase->nr; i++) {
        uint32_t at = linear_of(chase, i), next = linear_of(chase, (i + 1) % chase->nr);
        core_put32(core, physical_of(chase, i), next);
        if (chase->paging == PAGES_4M)
            core_put32(core, TABLES + (at >> 22) * 4, rights | LARGE);
        else if (chase->paging != FLAT)
            map(core, nr_levels, entry_bytes, at, (physical_of(chase, i) & ~0xfffu) | rights, &next_table);
    }
    state->gpr[CPU_BX] = linear_of(chase, 0);
    if (chase->paging == FLAT)
        return;
    map(core, nr_levels, entry_bytes, CODE, CODE | PRESENT, &next_table);
    state->cr0 |= CR0_PG;
    state->cr3 = TABLES;
    state->cr4 = CR4_PSE;
    if (chase->paging == LONG_4K) {
        state->cr4 = CR4_PAE;
        state->efer = EFER_LME | EFER_LMA;
        state->segment[DEC_SEG_CS] = core_segment(CODE_SELECTOR, 0x00af9b000000ffff);
    }
}

/* Runs code until HLT, with the ring of `chase` around it. `parts`, if not NULL: the CPI stack. */
static cycle_t run(const struct chase *chase, enum core_kind kind, const uint8_t *code, unsigned nr_bytes,
                   cycle_t *parts)
{
    struct core core;
    struct cpu_state state = start(CODE);
    /* The loop is predicted right from the first time on. */
    const char *settings[MAX_SETTINGS + 1] = {"cpu.predictor=taken"};
    for (unsigned i = 0; i + 1 < MAX_SETTINGS; i++)
        settings[i + 1] = chase->settings[i];
    core_init(&core, kind, settings);
    core_put(&core, CODE, code, nr_bytes);
    lay_out(chase, &core, &state);
    cpu_set_state(core.cpu, &state);
    enum cpu_stop stop = cpu_run(core.cpu, 100000000);
    cr_assert_eq(stop, CPU_STOP_HALTED);
    cpu_settle(core.cpu);
    if (parts)
        cpu_cpi_stack(core.cpu, parts);
    cycle_t now = cpu_now(core.cpu);
    core_fini(&core);
    return now;
}

/* mov ecx,nr; body; dec ecx; jnz; with the loop at the beginning of a fetch block. */
static unsigned loop_of(const uint8_t *body, unsigned nr_body, uint32_t nr, uint8_t *code)
{
    memset(code, 0x90, 27);
    code[27] = 0xb9;
    memcpy(code + 28, &nr, 4);
    unsigned at = 32;
    memcpy(code + at, body, nr_body);
    at += nr_body;
    at += from_hex("0f85", code + at);
    int32_t back = 32 - (int32_t)at - 4;
    memcpy(code + at, &back, 4);
    code[at + 4] = 0xf4;
    return at + 5;
}

/* Cycles of the loads of a number of iterations behind the first ones, and what they went into. */
static cycle_t chase_cycles(const struct chase *chase, uint32_t first, uint32_t nr, cycle_t parts[NR_REASONS])
{
    uint8_t body[2 * LOADS + 2], code[256];
    from_hex("ffc9", body); /* dec ecx, in 64-bit code too */
    for (unsigned i = 0; i < LOADS; i++)
        from_hex("8b1b", body + 2 + 2 * i);
    cycle_t cycles[NR_CORE_KINDS], before[NR_REASONS];
    for (enum core_kind kind = CORE_INORDER; kind <= CORE_WATCHED; kind++) {
        cycles[kind] = run(chase, kind, code, loop_of(body, sizeof body, first + nr, code), parts);
        cycles[kind] -= run(chase, kind, code, loop_of(body, sizeof body, first, code), before);
    }
    cr_assert_eq(cycles[CORE_INORDER], cycles[CORE_WATCHED]);
    for (unsigned i = 0; i < NR_REASONS; i++)
        parts[i] -= before[i];
    return cycles[CORE_INORDER];
}

/*
 * Each load takes what its translation and its data take. In the CPI stack the instructions' slots (of two a
 * cycle: the loads', DEC's and JNZ's) are base, and the data's time but for them belongs to who served it.
 */
static void expect_load(const struct chase *chase, enum reason served_by, cycle_t translation, cycle_t data)
{
    /* Three times through the ring, and once more. */
    uint32_t first = 3 * (chase->nr / LOADS + 1), nr = chase->nr / LOADS + 1;
    cycle_t parts[NR_REASONS], cycles = chase_cycles(chase, first, nr, parts);
    cr_assert_eq(cycles, nr * LOADS * (translation + data),
                 "%u cells, %u apart, with %s: %lu cycles for %u loads, not %lu each", chase->nr,
                 chase->stride, chase->settings[0], cycles, nr * LOADS, translation + data);
    cycle_t expected[NR_REASONS] = {
        [REASON_BASE] = nr * (LOADS + 2) / 2, [REASON_DTLB] = nr * LOADS * translation};
    expected[served_by] = nr * LOADS * data - expected[REASON_BASE];
    for (unsigned i = 0; i < NR_REASONS; i++)
        cr_assert_eq(parts[i], expected[i],
                     "%u cells, %u apart, with %s: part %u of the CPI stack is %lu, not %lu", chase->nr,
                     chase->stride, chase->settings[0], i, parts[i], expected[i]);
}

/* Caches of one set each: 16 lines, 64 lines, 256 lines. */
#define ONE_SET                                                                                              \
    "cache.l1d.size=1KiB", "cache.l1d.ways=16", "cache.l2.size=4KiB", "cache.l2.ways=64",                    \
        "cache.l3.size=16KiB", "cache.l3.ways=256"
#define CHASE(nr_cells, bytes, ...)                                                                          \
    (&(struct chase){.nr = (nr_cells), .stride = (bytes), .settings = {__VA_ARGS__}})
#define PAGED(how, nr_cells, bytes, ...)                                                                     \
    (&(struct chase){.paging = (how), .nr = (nr_cells), .stride = (bytes), .settings = {__VA_ARGS__}})

/* ---- Caches and DRAM ---- */

Test(timing_memory, a_chase_takes_the_latencies_of_all_levels_that_it_passes)
{
    expect_load(CHASE(16, LINE, ONE_SET, "cache.levels=3"), REASON_L1D, 0, L1);
    expect_load(CHASE(17, LINE, ONE_SET, "cache.levels=3"), REASON_L2, 0, L1 + L2);
    expect_load(CHASE(60, LINE, ONE_SET, "cache.levels=3"), REASON_L2, 0, L1 + L2);
    expect_load(CHASE(70, LINE, ONE_SET, "cache.levels=3"), REASON_L3, 0, L1 + L2 + L3);
    expect_load(CHASE(250, LINE, ONE_SET, "cache.levels=3"), REASON_L3, 0, L1 + L2 + L3);
    expect_load(CHASE(70, LINE, ONE_SET, "cache.levels=3", "cache.l1d.latency_cycles=4",
                      "cache.l2.latency_cycles=12", "cache.l3.latency_cycles=31"),
                REASON_L3, 0, 4 + 12 + 31);
}

Test(timing_memory, a_chase_over_dram_takes_what_the_row_costs)
{
    /* 70 lines of one row; a row each in one bank; a row each and none left open */
    expect_load(CHASE(70, LINE, ONE_SET, "cache.levels=2"), REASON_DRAM, 0, L1 + L2 + ROW_HIT);
    expect_load(CHASE(70, LINE, ONE_SET, "cache.levels=1"), REASON_DRAM, 0, L1 + ROW_HIT);
    expect_load(CHASE(36, ROW * BANKS, ONE_SET, "cache.levels=1", "dram.permute=false"), REASON_DRAM, 0,
                L1 + ROW_CONFLICT);
    expect_load(CHASE(70, LINE, ONE_SET, "cache.levels=2", "dram.policy=closed"), REASON_DRAM, 0,
                L1 + L2 + ROW_MISS);
    /* two rows in two banks, one after the other: both stay open */
    expect_load(CHASE(260, LINE, ONE_SET, "cache.levels=3"), REASON_DRAM, 0, L1 + L2 + L3 + ROW_HIT);
}

static uint64_t hits_of(enum naive_policy policy, unsigned nr_ways, unsigned nr_lines, unsigned from,
                        unsigned to)
{
    struct naive_line lines[16] = {{0}};
    static bool tree[1][NAIVE_TREE_NODES];
    memset(tree, 0, sizeof tree);
    struct naive_cache set = {
        .nr_sets = 1, .nr_ways = nr_ways, .policy = policy, .lines = lines, .tree = tree, .random = 1};
    uint64_t hits = 0;
    for (unsigned i = 0; i < to; i++) {
        struct naive_line *line = lines;
        while (line < lines + nr_ways && line->state && line->number != i % nr_lines)
            line++;
        if (line < lines + nr_ways && line->state) {
            hits += i >= from;
            naive_policy_touch(&set, line);
            continue;
        }
        if (line == lines + nr_ways)
            line = naive_policy_victim(&set, lines);
        line->state = 'E';
        line->number = i % nr_lines;
        naive_policy_fill(&set, line);
    }
    return hits;
}

/*
 * A ring of one line more than the ways. LRU, FIFO and SRRIP, whose lines grow old together, put out the
 * line that is wanted next, and so does the tree once fills alone have set its bits: no load hits. By chance
 * the line put out is any of the other W, and the next miss 1 to W loads away: 2 / (W + 1) of all miss.
 */
Test(timing_memory, a_line_more_than_ways_thrashes_by_policy)
{
    static const struct {
        const char *setting;
        enum naive_policy policy;
    } policies[] = {{"cache.l1d.replacement=lru", NAIVE_LRU},
                    {"cache.l1d.replacement=fifo", NAIVE_FIFO},
                    {"cache.l1d.replacement=srrip", NAIVE_SRRIP},
                    {"cache.l1d.replacement=plru", NAIVE_PLRU},
                    {"cache.l1d.replacement=random", NAIVE_RANDOM}};
    enum { FIRST = 4, THEN = 60 };
    for (unsigned i = 0; i < sizeof policies / sizeof *policies; i++) {
        for (unsigned ways = 2; ways <= 16; ways *= 2) {
            char size[40], nr_ways[40];
            sprintf(size, "cache.l1d.size=%u", ways * LINE);
            sprintf(nr_ways, "cache.l1d.ways=%u", ways);
            struct chase chase = {
                .nr = ways, .stride = LINE, .settings = {policies[i].setting, size, nr_ways}};
            expect_load(&chase, REASON_L1D, 0, L1);
            chase.nr = ways + 1;
            uint64_t loads = (uint64_t)THEN * LOADS, hits = hits_of(policies[i].policy, ways, ways + 1,
                                                                    FIRST * LOADS, (FIRST + THEN) * LOADS);
            cycle_t parts[NR_REASONS], cycles = chase_cycles(&chase, FIRST, THEN, parts);
            cr_assert_eq(cycles, loads * (L1 + L2) - hits * L2, "%s, %u ways: %lu cycles, %lu hits",
                         policies[i].setting, ways, cycles, hits);
            uint64_t expected = policies[i].policy == NAIVE_RANDOM ? loads * (ways - 1) / (ways + 1) : 0;
            cr_assert_leq(hits, expected + expected / 16, "%s, %u ways: %lu hits", policies[i].setting, ways,
                          hits);
            cr_assert_geq(hits, expected - expected / 16, "%s, %u ways: %lu hits", policies[i].setting, ways,
                          hits);
        }
    }
}

/* ---- Translation ---- */

#define TLBS(l1_entries, l2_entries)                                                                         \
    "tlb.l1d.entries=" #l1_entries, "tlb.l1d.ways=" #l1_entries, "tlb.l2.entries=" #l2_entries,              \
        "tlb.l2.ways=" #l2_entries

Test(timing_memory, pages_within_reach_cost_nothing_and_one_more_misses_always)
{
    expect_load(PAGED(PAGES_4K, 8, 4096, TLBS(8, 16)), REASON_L1D, 0, L1);
    expect_load(PAGED(PAGES_4K, 9, 4096, TLBS(8, 16)), REASON_L1D, L2_TLB, L1);
    expect_load(PAGED(PAGES_4K, 16, 4096, TLBS(8, 16)), REASON_L1D, L2_TLB, L1);
    expect_load(PAGED(PAGES_4K, 17, 4096, TLBS(8, 16)), REASON_L1D, L2_TLB + 2 * L1, L1);
    expect_load(PAGED(PAGES_4K, 17, 4096, TLBS(8, 16), "tlb.l2.latency_cycles=11"), REASON_L1D, 11 + 2 * L1,
                L1);
    /* The default machine: 64 entries of 4 ways, 512 behind them. */
    expect_load(PAGED(PAGES_4K, 64, 4096, "tlb.l2.entries=512"), REASON_L1D, 0, L1);
    expect_load(PAGED(PAGES_4K, 80, 4096, "tlb.l2.entries=512"), REASON_L1D, L2_TLB, L1);
}

Test(timing_memory, a_walk_takes_the_sum_of_its_reads)
{
    /* By level of tables: a page of 4 MiB has one, 64-bit code four. All entries are in the L1D. */
    expect_load(PAGED(PAGES_4M, 5, 4 << 20, "tlb.l1d_large.entries=4", "tlb.l1d_large.ways=4",
                      "tlb.l2.entries=4", "tlb.l2.ways=4"),
                REASON_L1D, L2_TLB + L1, L1);
    expect_load(PAGED(LONG_4K, 17, 4096, TLBS(8, 16)), REASON_L1D, L2_TLB + 4 * L1, L1);
    /* A walker that passes the L1D by. */
    expect_load(PAGED(PAGES_4K, 17, 4096, TLBS(8, 16), "mmu.walk_through=l2"), REASON_L1D, L2_TLB + 2 * L2,
                L1);
    expect_load(PAGED(LONG_4K, 17, 4096, TLBS(8, 16), "mmu.walk_through=l2"), REASON_L1D, L2_TLB + 4 * L2,
                L1);
}

Test(timing_memory, a_walk_begins_where_a_paging_structure_cache_lets_it)
{
    /* 17 pages of one table: its PDE alone is held. Of five tables, four PDEs and all above them. */
    expect_load(PAGED(LONG_4K, 17, 4096, TLBS(8, 16), "tlb.pde.entries=4"), REASON_L1D, L2_TLB + L1, L1);
    expect_load(PAGED(LONG_4K, 5, 2 << 20, TLBS(4, 4), "tlb.pde.entries=4", "tlb.pdpte.entries=4"),
                REASON_L1D, L2_TLB + 2 * L1, L1);
    expect_load(PAGED(LONG_4K, 5, 2 << 20, TLBS(4, 4), "tlb.pml4e.entries=4"), REASON_L1D, L2_TLB + 3 * L1,
                L1);
}

Test(timing_memory, a_walks_reads_cost_what_the_levels_that_serve_them_take)
{
    /*
     * Sixteen pages apart, so that each entry of the last table is in a line of its own. The directory's line
     * is read by each walk and stays in the L1D; the entries and the cells are twice as many lines as pages,
     * and come from the level that holds so many.
     */
    enum { APART = 16 * 4096 };
    expect_load(PAGED(PAGES_4K, 7, APART, ONE_SET, TLBS(4, 4), "cache.levels=3"), REASON_L1D,
                L2_TLB + L1 + L1, L1);
    expect_load(PAGED(PAGES_4K, 12, APART, ONE_SET, TLBS(4, 4), "cache.levels=3"), REASON_L2,
                L2_TLB + L1 + (L1 + L2), L1 + L2);
    expect_load(PAGED(PAGES_4K, 40, APART, ONE_SET, TLBS(4, 4), "cache.levels=3"), REASON_L3,
                L2_TLB + L1 + (L1 + L2 + L3), L1 + L2 + L3);
    expect_load(PAGED(PAGES_4K, 140, APART, ONE_SET, TLBS(4, 4), "cache.levels=3", "dram.policy=closed"),
                REASON_DRAM, L2_TLB + L1 + (L1 + L2 + L3 + ROW_MISS), L1 + L2 + L3 + ROW_MISS);
    expect_load(PAGED(PAGES_4K, 140, APART, ONE_SET, TLBS(4, 4), "cache.levels=2", "dram.policy=closed"),
                REASON_DRAM, L2_TLB + L1 + (L1 + L2 + ROW_MISS), L1 + L2 + ROW_MISS);
}

Test(timing_memory, a_walk_that_sets_the_accessed_bit_writes_once_more)
{
    /* The first walks alone: from then on the bits are set. */
    struct chase chase = {.paging = PAGES_4K, .nr = LOADS, .stride = 4096, .settings = {TLBS(8, 16)}};
    uint8_t code[2 * LOADS + 1];
    for (unsigned i = 0; i < LOADS; i++)
        from_hex("8b1b", code + 2 * i);
    code[2 * LOADS] = 0xf4;
    for (enum core_kind kind = CORE_INORDER; kind <= CORE_WATCHED; kind++) {
        chase.is_accessed_clear = false;
        cycle_t without = run(&chase, kind, code, sizeof code, NULL);
        chase.is_accessed_clear = true;
        cycle_t with = run(&chase, kind, code, sizeof code, NULL);
        cr_assert_eq(with - without, LOADS * L1, "%lu, %lu", with, without);
    }
}

Test(timing_memory, the_first_store_to_a_clean_page_walks_and_writes)
{
    /* Loads of eight pages; when all is there, stores to them, whose TLB entries are clean or dirty. */
    enum { NR = 8 };
    struct chase chase = {
        .paging = PAGES_4K, .nr = NR, .stride = 4096, .settings = {TLBS(8, 16), "cpu.width=1"}};
    uint8_t code[6 * NR + 3 + 6 * NR + 1];
    for (uint32_t i = 0; i < NR; i++) {
        uint8_t *load = code + 6 * i, *store = code + 6 * NR + 3 + 6 * i;
        uint32_t at = linear_of(&chase, i);
        from_hex("8b05", load); /* mov eax,[at] */
        from_hex("8905", store);
        memcpy(load + 2, &at, 4);
        memcpy(store + 2, &at, 4);
    }
    from_hex("0faef0", code + 6 * NR); /* mfence */
    code[sizeof code - 1] = 0xf4;
    for (enum core_kind kind = CORE_INORDER; kind <= CORE_WATCHED; kind++) {
        cycle_t parts[2][NR_REASONS], cycles[2];
        for (unsigned dirty = 0; dirty < 2; dirty++) {
            chase.is_dirty = dirty;
            cycles[dirty] = run(&chase, kind, code, sizeof code, parts[dirty]);
        }
        /* Two reads and a write of the page's entry, each in the L1D, before the next store can issue. */
        cycle_t walks = parts[0][REASON_DTLB] - parts[1][REASON_DTLB];
        cr_assert_eq(walks, NR * 3 * L1, "%lu", walks);
        cr_assert_lt(cycles[1], cycles[0]);
    }
}

/* ---- Misses at a time ---- */

/*
 * 32 independent loads of lines that miss the L1D, and then `lea ebx,[ebx+eax]`, on which the next 32 wait.
 * Four issue in a cycle, load i in t + i / 4; of M MSHRs each is free again after a miss's time T, so that
 * load i gets one T after load i - M.
 */
static cycle_t loads_at_a_time(const struct chase *chase, uint32_t first, uint32_t stride)
{
    enum { NR = 32, FIRST_TURNS = 8, TURNS = 10 };
    uint8_t body[2 + 6 * NR + 3], code[512];
    from_hex("ffc9", body);
    for (uint32_t i = 0; i < NR; i++) {
        uint8_t *at = body + 2 + 6 * i;
        uint32_t displacement = first + i * stride;
        from_hex("8b83", at); /* mov eax,[ebx+displacement] */
        memcpy(at + 2, &displacement, 4);
    }
    from_hex("8d1c03", body + 2 + 6 * NR); /* lea leaves DEC's flags alone */
    cycle_t cycles[NR_CORE_KINDS];
    for (enum core_kind kind = CORE_INORDER; kind <= CORE_WATCHED; kind++) {
        cycles[kind] = run(chase, kind, code, loop_of(body, sizeof body, FIRST_TURNS + TURNS, code), NULL);
        cycles[kind] -= run(chase, kind, code, loop_of(body, sizeof body, FIRST_TURNS, code), NULL);
    }
    cr_assert_eq(cycles[CORE_INORDER], cycles[CORE_WATCHED]);
    cr_assert_eq(cycles[CORE_INORDER] % TURNS, 0, "%lu", cycles[CORE_INORDER]);
    return cycles[CORE_INORDER] / TURNS;
}

static cycle_t misses_at_a_time(const char *const settings[MAX_SETTINGS])
{
    struct chase chase = {.nr = 1, .stride = LINE};
    memcpy(chase.settings, settings, sizeof chase.settings);
    return loads_at_a_time(&chase, 0, LINE);
}

/*
 * The same of loads that miss the TLBs and hit the L1D. Without hit under walk each waits for its own walk
 * before the next one issues. With it they issue as above, and of M walkers each is free again after a walk's
 * two reads.
 */
Test(timing_memory, independent_loads_walk_as_many_at_a_time_as_there_are_walkers)
{
    enum { NR = 32, WALK = 2 * L1, PAST_THE_CELLS = 0x800 };
    struct chase chase = {.paging = PAGES_4K,
                          .nr = NR,
                          .stride = 4096,
                          .settings = {WIDE(4), "cpu.memory_ports=4", TLBS(8, 16), "mmu.walkers=1"}};
    enum { WALKERS = 8, HIT_UNDER_WALK };
    cr_assert_str_eq(chase.settings[WALKERS], "mmu.walkers=1");
    cycle_t each = loads_at_a_time(&chase, PAST_THE_CELLS, 4096);
    cr_assert_eq(each, NR * (L2_TLB + WALK) + L1 + 1, "%lu", each);
    chase.settings[HIT_UNDER_WALK] = "mmu.hit_under_walk=true";
    for (unsigned walkers = 1; walkers <= 8; walkers *= 2) {
        char setting[32];
        sprintf(setting, "mmu.walkers=%u", walkers);
        chase.settings[WALKERS] = setting;
        each = loads_at_a_time(&chase, PAST_THE_CELLS, 4096);
        cr_assert_eq(each, L2_TLB + NR / walkers * WALK + (walkers - 1) / 4 + L1 + 1, "%u: %lu", walkers,
                     each);
    }
    /* Any number: the last one issues in the eighth cycle. */
    chase.settings[WALKERS] = "mmu.walkers=0";
    each = loads_at_a_time(&chase, PAST_THE_CELLS, 4096);
    cr_assert_eq(each, (NR - 1) / 4 + L2_TLB + WALK + L1 + 1, "%lu", each);
}

/* Two loads of each of 16 pages, more than the TLBs hold: the second finds what the first has walked for. */
Test(timing_memory, a_page_that_is_walked_for_is_waited_for_and_not_walked_for_again)
{
    enum { NR_PAGES = 16, WALK = 2 * L1, BETWEEN_THE_CELLS = 0x20 };
    struct chase chase = {
        .paging = PAGES_4K,
        .nr = NR_PAGES,
        .stride = 4096,
        .settings = {WIDE(4), "cpu.memory_ports=4", TLBS(4, 8), "mmu.hit_under_walk=true", "mmu.walkers=1"}};
    cycle_t each = loads_at_a_time(&chase, BETWEEN_THE_CELLS, 2048);
    cr_assert_eq(each, L2_TLB + NR_PAGES * WALK + L1 + 1, "%lu", each);
}

/* A chase has nothing that could go on; each load is waited for by the next, for its translation. */
Test(timing_memory, a_chase_takes_as_long_with_hit_under_walk)
{
    expect_load(PAGED(PAGES_4K, 17, 4096, TLBS(8, 16), "mmu.hit_under_walk=true"), REASON_DTLB, 0,
                L2_TLB + 2 * L1 + L1);
}

Test(timing_memory, independent_misses_take_a_latency_for_each_round_of_mshrs)
{
    for (unsigned mshrs = 1; mshrs <= 8; mshrs *= 2) {
        char setting[32];
        sprintf(setting, "cache.l1d.mshrs=%u", mshrs);
        const char *settings[MAX_SETTINGS] = {WIDE(4), "cpu.memory_ports=4", ONE_SET, "dram.burst_cycles=4",
                                              setting};
        /* From the L2: rounds; the last of a round issues (M - 1) / 4 cycles behind the first; LEA. */
        cycle_t each = misses_at_a_time(settings);
        cr_assert_eq(each, 32 / mshrs * (L1 + L2) + (mshrs - 1) / 4 + 1, "%u: %lu", mshrs, each);
        /* From one row of the DRAM, whose bank gives a line each BURST cycles. */
        settings[12] = "cache.levels=1";
        each = misses_at_a_time(settings);
        cr_assert_eq(each, 32 / mshrs * (L1 + ROW_HIT) + (mshrs - 1) * BURST + 1, "%u: %lu", mshrs, each);
    }
}
