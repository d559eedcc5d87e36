/*
 * Paging-structure caches under the paging unit: tables change behind its back at all levels, and what is
 * held is used until the manual says that it is dropped (SDM 3A 4.10.3, 4.10.4). The plain model keeps lists
 * of what is held; the TLBs have one entry each, so that walks are frequent.
 */
#include "mmu/mmu.h"
#include "tests/unit/mmu_fixture.h"

#include <string.h>

enum {
    RAM_BYTES = 1 << 20,
    NR_LEVELS = 4,  /* of tables: PML4, PDPT, PD, PT */
    NR_TABLES = 4,  /* of each level */
    NR_INDICES = 2, /* entries in use of each table */
    NR_PCIDS = 3,
    MAX_HELD = 256,
    ENTRY = 0x63, /* present, writable, accessed, dirty */
    USER = 4,
    LARGE = 0x80,
};
#define NO_EXECUTE (1ull << 63)
#define FRAME 0xffffff000ull

/* A paging-structure entry that is held: what `level` and all above it say. */
struct held {
    unsigned pcid, level;
    uint64_t prefix, value; /* linear address without the bits that select below `level` */
};

struct page {
    bool is_there;
    unsigned pcid;
    uint64_t bytes, number, value; /* value: the leaf's frame with the rights that all levels leave */
};

static struct world {
    struct ram ram;
    struct tlb *itlb, *dtlb, *l2_tlb, *structure[NR_TLB_STRUCTURES];
    struct cache *l1;
    struct dram *dram;
    struct mmu mmu;
    struct paging_mode mode;
    unsigned nr_held;
    struct held held[MAX_HELD];
    struct page page[3]; /* ITLB, DTLB, L2 TLB */
    uint64_t hits[NR_TLB_STRUCTURES], misses[NR_TLB_STRUCTURES], nr_refuted, nr_stale;
} w;

static unsigned shift_of(unsigned level)
{
    return 39 - 9 * level;
}

static uint64_t table_at(unsigned level, unsigned table)
{
    return 4096 * (1 + NR_TABLES * (uint64_t)level + table);
}

static void change(unsigned level, unsigned table, unsigned index)
{
    uint64_t value = ENTRY | (mmu_pick(8) ? USER : 0) | (mmu_pick(8) ? 0 : NO_EXECUTE);
    if (mmu_pick(6) == 0)
        value &= ~2ull;
    if (level == NR_LEVELS - 1)
        value |= mmu_pick(1 << 20) << 12;
    else if (level == 2 && mmu_pick(6) == 0)
        value |= LARGE | mmu_pick(1 << 11) << 21;
    else
        value |= table_at(level + 1, (unsigned)mmu_pick(NR_TABLES));
    mmu_put(&w.ram, table_at(level, table) + 8 * index, mmu_pick(10) ? value : 0);
}

static void make_tlb(struct tlb **tlb, uint64_t nr_entries, unsigned pages)
{
    *tlb = tlb_create(&(struct tlb_params){1, {{nr_entries, nr_entries, pages, TLB_LRU, 1}}});
    cr_assert(*tlb);
}

static void set_up(void)
{
    struct cache_params cache = {.size_bytes = 4096, .nr_ways = 4, .line_bytes = 64, .latency_cycles = 2};
    struct dram_params dram = {.nr_banks = 4,
                               .row_bytes = 1024,
                               .row_hit_cycles = 40,
                               .row_miss_cycles = 60,
                               .row_conflict_cycles = 80,
                               .burst_cycles = 8};
    memset(&w, 0, sizeof w);
    cr_assert(ram_init(&w.ram, RAM_BYTES));
    const unsigned all = TLB_PAGE_4K | TLB_PAGES_LARGE;
    make_tlb(&w.itlb, 1, all), make_tlb(&w.dtlb, 1, all), make_tlb(&w.l2_tlb, 1, all);
    make_tlb(&w.structure[TLB_PDE], MAX_HELD, TLB_PAGE_2M | TLB_PAGE_4M);
    make_tlb(&w.structure[TLB_PDPTE], MAX_HELD, TLB_PAGE_1G);
    make_tlb(&w.structure[TLB_PML4E], MAX_HELD, TLB_SPAN_512G);
    make_tlb(&w.structure[TLB_PML5E], MAX_HELD, TLB_SPAN_256T);
    w.dram = dram_create(&dram);
    w.l1 = cache_create(&cache, SERVED_BY_L1, NULL, w.dram);
    struct mmu_params params = {.is_timed = true,
                                .itlb = w.itlb,
                                .dtlb = w.dtlb,
                                .l2_tlb = w.l2_tlb,
                                .walk_cache = w.l1,
                                .ram = &w.ram,
                                .physical_bits = 40,
                                .entry_written = mmu_entry_written};
    memcpy(params.structure, w.structure, sizeof w.structure);
    mmu_init(&w.mmu, &params);
    for (unsigned level = 0; level < NR_LEVELS; level++)
        for (unsigned n = 0; n < NR_TABLES * NR_INDICES; n++)
            change(level, n / NR_INDICES, n % NR_INDICES);
    w.mode = (struct paging_mode){.cr0 = CR0_PE | CR0_PG | CR0_WP,
                                  .cr3 = table_at(0, 0),
                                  .cr4 = CR4_PAE | CR4_PCIDE,
                                  .efer = EFER_LME | EFER_LMA | EFER_NXE,
                                  .physical_bits = 40};
    mmu_set_mode(&w.mmu, &w.mode);
}

static void tear_down(void)
{
    tlb_destroy(w.itlb), tlb_destroy(w.dtlb), tlb_destroy(w.l2_tlb);
    for (unsigned i = 0; i < NR_TLB_STRUCTURES; i++)
        tlb_destroy(w.structure[i]);
    cache_destroy(w.l1), dram_destroy(w.dram);
    ram_fini(&w.ram);
}

static unsigned current_pcid(void)
{
    return w.mode.cr4 & CR4_PCIDE ? (unsigned)(w.mode.cr3 & 0xfff) : 0;
}

/* ---- The plain model ---- */

enum { ALL_RIGHTS = 2 | USER };

/* Goes down from the table in `value`, at `level`, to a page. False: a page fault. Notes what it passes. */
static bool descend(uint64_t linear, unsigned level, uint64_t value, unsigned need, bool is_fetch,
                    struct page *page, unsigned *nr_passed, struct held passed[NR_LEVELS])
{
    uint64_t rights = value & ALL_RIGHTS, no_execute = value & NO_EXECUTE;
    *nr_passed = 0;
    for (;; level++) {
        uint64_t entry = mmu_get(&w.ram, (value & FRAME) + 8 * (linear >> shift_of(level) & 511));
        if (!(entry & 1))
            return false;
        rights &= entry, no_execute |= entry & NO_EXECUTE;
        value = (entry & FRAME) | rights | no_execute;
        bool is_page = level == NR_LEVELS - 1 || (level == 2 && (entry & LARGE));
        if (is_page)
            break;
        passed[(*nr_passed)++] = (struct held){current_pcid(), level, linear >> shift_of(level), value};
    }
    *page = (struct page){true, current_pcid(), 1ull << shift_of(level), linear >> shift_of(level), value};
    return (rights & need) == need && !(is_fetch && no_execute);
}

static bool is_of(const struct held *held, uint64_t linear, unsigned pcid)
{
    return held->pcid == pcid && held->prefix == linear >> shift_of(held->level);
}

/* Drops what is held of a PCID, or only what is for an address; NULL: of all PCIDs. */
static void drop_held(const unsigned *pcid, const uint64_t *linear)
{
    unsigned nr_kept = 0;
    for (unsigned i = 0; i < w.nr_held; i++) {
        const struct held *held = &w.held[i];
        bool is_dropped = !pcid || (linear ? is_of(held, *linear, *pcid) : held->pcid == *pcid);
        if (!is_dropped)
            w.held[nr_kept++] = *held;
    }
    w.nr_held = nr_kept;
}

static void hold(unsigned nr, const struct held *passed)
{
    for (unsigned i = 0; i < nr; i++) {
        unsigned at = 0;
        while (at < w.nr_held && !(w.held[at].pcid == passed[i].pcid && w.held[at].level == passed[i].level &&
                                   w.held[at].prefix == passed[i].prefix))
            at++;
        cr_assert_lt(at, MAX_HELD);
        w.held[at] = passed[i];
        w.nr_held += at == w.nr_held;
    }
}

static const struct held *deepest(uint64_t linear)
{
    for (unsigned cache = 0; cache < NR_LEVELS - 1; cache++) {
        for (unsigned i = 0; i < w.nr_held; i++) {
            if (w.held[i].level != NR_LEVELS - 2 - cache || !is_of(&w.held[i], linear, current_pcid()))
                continue;
            w.hits[cache]++;
            return &w.held[i];
        }
        w.misses[cache]++;
    }
    return NULL;
}

static bool walk(uint64_t linear, unsigned need, bool is_fetch, bool is_confirming, struct page *page)
{
    unsigned nr;
    struct held passed[NR_LEVELS];
    uint64_t root = (w.mode.cr3 & FRAME) | ALL_RIGHTS;
    const struct held *from = is_confirming ? NULL : deepest(linear);
    bool is_good = descend(linear, from ? from->level + 1 : 0, from ? from->value : root, need, is_fetch,
                           page, &nr, passed);
    if (from && !is_good) {
        unsigned pcid = current_pcid();
        w.nr_refuted++;
        drop_held(&pcid, &linear);
        is_good = descend(linear, 0, root, need, is_fetch, page, &nr, passed);
    }
    if (is_good)
        hold(nr, passed);
    return is_good;
}

static bool is_in(const struct page *page, uint64_t linear)
{
    return page->is_there && page->pcid == current_pcid() && page->number == linear / page->bytes;
}

/* False: a page fault. */
static bool expected(uint64_t linear, enum mmu_access access, uint64_t *physical)
{
    unsigned need = access == MMU_WRITE ? ALL_RIGHTS : USER;
    bool is_fetch = access == MMU_FETCH;
    struct page *l1 = &w.page[is_fetch ? 0 : 1], *l2 = &w.page[2], page;
    const struct page *found = is_in(l1, linear) ? l1 : is_in(l2, linear) ? l2 : NULL;
    bool is_usable = found && (found->value & need) == need && !(is_fetch && (found->value & NO_EXECUTE));
    if (is_usable) {
        *l1 = page = *found;
    } else {
        if (!walk(linear, need, is_fetch, found != NULL, &page))
            return false;
        *l1 = *l2 = page;
    }
    *physical = (page.value & FRAME & ~(page.bytes - 1)) + linear % page.bytes;
    return true;
}

/* ---- The events ---- */

static uint64_t pick_linear(void)
{
    uint64_t linear = mmu_pick(4096);
    for (unsigned level = 0; level < NR_LEVELS; level++)
        linear |= mmu_pick(NR_INDICES) << shift_of(level);
    return linear;
}

static void drop_pages(const unsigned *pcid, const uint64_t *linear)
{
    for (unsigned i = 0; i < 3; i++) {
        struct page *page = &w.page[i];
        if ((!pcid || page->pcid == *pcid) &&
            (!linear || !page->is_there || *linear / page->bytes == page->number))
            page->is_there = false;
    }
}

static void translate(void)
{
    uint64_t linear = pick_linear(), physical = 0, fresh_physical = 0;
    enum mmu_access access = (enum mmu_access)mmu_pick(3);
    unsigned pcid = current_pcid(), nr;
    struct page fresh;
    struct held passed[NR_LEVELS];
    bool is_fresh =
        descend(linear, 0, (w.mode.cr3 & FRAME) | ALL_RIGHTS, access == MMU_WRITE ? ALL_RIGHTS : USER,
                access == MMU_FETCH, &fresh, &nr, passed);
    if (is_fresh)
        fresh_physical = (fresh.value & FRAME & ~(fresh.bytes - 1)) + linear % fresh.bytes;
    bool is_good = expected(linear, access, &physical);
    struct mmu_answer answer = mmu_translate(&w.mmu, laddr(linear), access, MMU_USER, 1);
    cr_assert_eq(answer.entry != NULL, is_good, "linear %016lx", (unsigned long)linear);
    if (!is_good) { /* and what the tables say is a fault too */
        cr_assert_not(is_fresh);
        mmu_drop_faulted(&w.mmu, laddr(linear));
        drop_held(&pcid, &linear);
        drop_pages(&pcid, &linear);
        return;
    }
    cr_assert_eq(mmu_physical(&w.mmu, answer.entry, laddr(linear)).v, physical);
    w.nr_stale += !is_fresh || fresh_physical != physical;
}

static void load_cr3(void)
{
    bool keeps = (w.mode.cr4 & CR4_PCIDE) && mmu_pick(2);
    unsigned pcid = w.mode.cr4 & CR4_PCIDE ? (unsigned)mmu_pick(NR_PCIDS) : 0;
    w.mode.cr3 = table_at(0, (unsigned)mmu_pick(NR_TABLES)) | pcid;
    mmu_load_cr3(&w.mmu, &w.mode, keeps);
    if (!keeps)
        drop_held(&pcid, NULL), drop_pages(&pcid, NULL);
}

static void drop(void)
{
    uint64_t linear = pick_linear();
    unsigned pcid = current_pcid();
    if (mmu_pick(3) == 0) {
        mmu_invalidate(&w.mmu, laddr(linear));
        drop_held(&pcid, NULL), drop_pages(&pcid, &linear);
        return;
    }
    enum mmu_drop type = mmu_pick(6) ? MMU_DROP_ADDRESS : (enum mmu_drop)mmu_pick(NR_INVPCID_TYPES);
    pcid = w.mode.cr4 & CR4_PCIDE ? (unsigned)mmu_pick(NR_PCIDS) : 0;
    mmu_drop(&w.mmu, type, pcid, laddr(linear));
    const unsigned *whose = type == MMU_DROP_ADDRESS || type == MMU_DROP_CONTEXT ? &pcid : NULL;
    const uint64_t *where = type == MMU_DROP_ADDRESS ? &linear : NULL;
    drop_held(whose, where), drop_pages(whose, where);
}

/* PGE either way, PCIDE to 0, SMEP to 1: all goes (SDM 3A 4.10.4.1). */
static void write_cr4(void)
{
    static const uint64_t bits[] = {CR4_PGE, CR4_PCIDE, CR4_SMEP, CR4_SMAP};
    uint64_t bit = bits[mmu_pick(4)];
    bool is_set = !(w.mode.cr4 & bit);
    if (bit == CR4_PCIDE && is_set && (w.mode.cr3 & 0xfff))
        return;
    w.mode.cr4 ^= bit;
    mmu_set_mode(&w.mmu, &w.mode);
    if (bit == CR4_PGE || (bit == CR4_PCIDE && !is_set) || (bit == CR4_SMEP && is_set))
        drop_held(NULL, NULL), drop_pages(NULL, NULL);
    if (!is_set && bit == CR4_PCIDE) {
        unsigned pcid = 0;
        w.mode.cr3 &= ~0xfffull;
        mmu_load_cr3(&w.mmu, &w.mode, false);
        drop_held(&pcid, NULL), drop_pages(&pcid, NULL);
    }
}

Test(paging_cache, what_is_held_is_used_until_the_manual_says_that_it_is_dropped, .init = set_up,
     .fini = tear_down)
{
    for (unsigned n = 0; n < 300000; n++) {
        unsigned what = (unsigned)mmu_pick(200);
        if (what < 150)
            translate();
        else if (what < 180)
            change((unsigned)mmu_pick(NR_LEVELS), (unsigned)mmu_pick(NR_TABLES),
                   (unsigned)mmu_pick(NR_INDICES));
        else if (what < 188)
            load_cr3();
        else if (what < 199)
            drop();
        else
            write_cr4();
    }
    cr_assert_gt(w.nr_stale, 1000, "what was held and not in the tables any more was used %lu times",
                 (unsigned long)w.nr_stale);
    cr_assert_gt(w.nr_refuted, 1000);
    cr_assert_eq(w.mmu.stats.refuted_walks, w.nr_refuted);
    for (unsigned i = 0; i < NR_TLB_STRUCTURES; i++) {
        const struct tlb_stats *stats = tlb_stats(w.structure[i]);
        cr_assert_eq(stats->hits, w.hits[i], "cache %u", i);
        cr_assert_eq(stats->misses, w.misses[i], "cache %u", i);
        cr_assert_eq(stats->evictions, 0, "nothing was lost, or the lists are wrong");
        cr_assert(i == TLB_PML5E || stats->hits > 1000);
    }
}

/* ---- One thing at a time ---- */

/* A path of tables to linear 0 and the page behind it; their entries have `bits` besides P, RW and US. */
static void lay_path(uint64_t bits)
{
    for (unsigned level = 0; level < NR_LEVELS; level++)
        mmu_put(&w.ram, table_at(level, 0),
                (level < NR_LEVELS - 1 ? table_at(level + 1, 0) : 0x50000) | 3 | USER | bits);
    mmu_put(&w.ram, table_at(3, 0) + 8, 0x51000 | 3 | USER | bits);
}

static void read_at(uint64_t linear)
{
    cr_assert(mmu_translate(&w.mmu, laddr(linear), MMU_READ, MMU_USER, 1).entry);
}

Test(paging_cache, a_walk_that_begins_below_marks_only_what_it_reads, .init = set_up, .fini = tear_down)
{
    lay_path(0);
    read_at(0);
    cr_assert_eq(w.mmu.last_walk.nr_steps, 4);
    for (unsigned level = 0; level < NR_LEVELS; level++) {
        cr_assert(mmu_get(&w.ram, table_at(level, 0)) & PTE_A);
        mmu_put(&w.ram, table_at(level, 0), mmu_get(&w.ram, table_at(level, 0)) & ~(uint64_t)PTE_A);
    }
    read_at(4096);
    cr_assert_eq(w.mmu.last_walk.first_level, 3);
    cr_assert_eq(w.mmu.last_walk.nr_steps, 1);
    for (unsigned level = 0; level < NR_LEVELS; level++)
        cr_assert_not(mmu_get(&w.ram, table_at(level, 0)) & PTE_A);
    cr_assert(mmu_get(&w.ram, table_at(3, 0) + 8) & PTE_A);
}

Test(paging_cache, a_walk_that_faults_leaves_nothing, .init = set_up, .fini = tear_down)
{
    lay_path(0);
    mmu_put(&w.ram, table_at(3, 0), 0);
    cr_assert_not(mmu_translate(&w.mmu, laddr(0), MMU_READ, MMU_USER, 1).entry);
    for (unsigned i = 0; i < NR_TLB_STRUCTURES; i++)
        cr_assert_eq(tlb_stats(w.structure[i])->fills, 0);
    mmu_put(&w.ram, table_at(3, 0), 0x50000 | 3 | USER);
    read_at(0);
    cr_assert_eq(w.mmu.last_walk.nr_steps, 4);
}

Test(paging_cache, invlpg_drops_all_of_the_current_pcid_and_nothing_of_another, .init = set_up,
     .fini = tear_down)
{
    lay_path(0);
    for (unsigned pcid = 1; pcid < NR_PCIDS; pcid++) {
        w.mode.cr3 = table_at(0, 0) | pcid;
        mmu_load_cr3(&w.mmu, &w.mode, true);
        read_at(0);
        cr_assert_eq(w.mmu.last_walk.nr_steps, 4, "what PCID %u finds is its own", pcid);
    }
    mmu_invalidate(&w.mmu, laddr(0xffff800000000000)); /* far away */
    read_at(4096);
    cr_assert_eq(w.mmu.last_walk.nr_steps, 4);
    w.mode.cr3 = table_at(0, 0) | 1;
    mmu_load_cr3(&w.mmu, &w.mode, true); /* bit 63 */
    read_at(4096);
    cr_assert_eq(w.mmu.last_walk.nr_steps, 1);
}

/* The G flag of entries that lead to tables means nothing (SDM 3A 4.10.2.4). */
Test(paging_cache, nothing_is_global, .init = set_up, .fini = tear_down)
{
    w.mode.cr4 |= CR4_PGE;
    mmu_set_mode(&w.mmu, &w.mode);
    lay_path(PTE_G);
    read_at(0);
    mmu_load_cr3(&w.mmu, &w.mode, false);
    read_at(4096);
    cr_assert_eq(w.mmu.last_walk.nr_steps, 4);
}

Test(paging_cache, each_kind_of_paging_uses_the_caches_of_its_levels, .init = set_up, .fini = tear_down)
{
    static const struct {
        uint64_t cr4, efer;
        unsigned nr_levels;
    } kinds[] = {{0, 0, 2},
                 {CR4_PAE, 0, 2},
                 {CR4_PAE, EFER_LME | EFER_LMA, 4},
                 {CR4_PAE | CR4_LA57, EFER_LME | EFER_LMA, 5}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        uint64_t fills[NR_TLB_STRUCTURES];
        for (unsigned i = 0; i < NR_TLB_STRUCTURES; i++)
            fills[i] = tlb_stats(w.structure[i])->fills;
        w.mode.cr4 = kinds[k].cr4;
        w.mode.efer = kinds[k].efer;
        w.mode.cr3 = 0x20000;
        w.mode.pdpte[0] = 0x20000 | PTE_P;
        mmu_set_mode(&w.mmu, &w.mode);
        mmu_load_cr3(&w.mmu, &w.mode, false);
        for (unsigned level = 0; level < kinds[k].nr_levels; level++) {
            mmu_put(&w.ram, 0x20000 + 4096 * level, (0x21000 + 4096 * level) | 3 | USER);
            mmu_put(&w.ram, 0x20008 + 4096 * level, 0x30003 | USER);
            if (paging_entry_bytes(paging_kind(&w.mode)) == 4)
                mmu_put(&w.ram, 0x20000 + 4096 * level,
                        (0x21000 + 4096 * level) | 3 | USER | (0x30003ull | USER) << 32);
        }
        read_at(0);
        cr_assert_eq(w.mmu.last_walk.nr_steps, kinds[k].nr_levels);
        read_at(4096);
        cr_assert_eq(w.mmu.last_walk.nr_steps, 1);
        cr_assert_eq(w.mmu.last_walk.first_level, kinds[k].nr_levels - 1);
        for (unsigned i = 0; i < NR_TLB_STRUCTURES; i++)
            cr_assert_eq(tlb_stats(w.structure[i])->fills - fills[i], i + 1 < kinds[k].nr_levels);
    }
}

/* Each walk's time is that of its reads: a PDE that is held saves three. */
Test(paging_cache, a_hit_takes_no_time, .init = set_up, .fini = tear_down)
{
    enum { L1_LATENCY = 2 };
    lay_path(PTE_A);
    read_at(0);
    mmu_drop(&w.mmu, MMU_DROP_ALL, 0, laddr(0));
    cycle_t from_root = mmu_translate(&w.mmu, laddr(0), MMU_READ, MMU_USER, 10000).ready - 10000;
    cycle_t from_pde = mmu_translate(&w.mmu, laddr(4096), MMU_READ, MMU_USER, 20000).ready - 20000;
    cr_assert_eq(from_root, NR_LEVELS * L1_LATENCY);
    cr_assert_eq(from_pde, L1_LATENCY);
    const struct mmu_stats *stats = &w.mmu.stats; /* the first walk found nothing in the caches */
    cr_assert_eq(stats->walks_0_to_7_cycles, 1);
    cr_assert_eq(stats->walks_8_to_15_cycles, 1);
    cr_assert_eq(stats->walks, 3);
    cr_assert_eq(stats->pte_reads, 3);
    cr_assert_eq(stats->pml4e_reads, 2);
    cr_assert_eq(stats->walk_update_cycles, 0);
}
