/*
 * The paging unit with TLBs that are too large to lose anything, against a plain list of the translations
 * that they must hold: tables change behind its back all the time, and only what drops entries by the manual
 * (SDM 3A 4.10.4.1; SDM 2A INVLPG, INVPCID) lets the change be seen.
 */
#include "mmu/mmu.h"
#include "tests/unit/mmu_fixture.h"

#include <stdlib.h>
#include <string.h>

enum {
    RAM_BYTES = 1 << 20,
    NR_SPACES = 3, /* address spaces: PML4 at 4 KiB x (1 + 4 x space), then PDPT, PD, PT */
    NR_PAGES = 8,  /* 4 KiB each at linear 0, and as many of 2 MiB at 1 GiB */
    NR_PCIDS = 3,
    MAX_HELD = 1024,
};

struct held {
    bool is_fetch_side, is_global;
    unsigned pcid;
    uint64_t page_bytes, number, frame;
};

static struct world {
    struct ram ram;
    struct tlb *itlb, *dtlb, *l2_tlb;
    struct cache *l1, *l2;
    struct dram *dram;
    struct mmu mmu;
    struct paging_mode mode;
    unsigned nr_held;
    struct held held[MAX_HELD]; /* what the L2 TLB holds */
} w;

static uint64_t table_at(unsigned space, unsigned level)
{
    return 4096 * (1 + 4 * (uint64_t)space + level);
}

static uint64_t pte_at(unsigned space, unsigned page)
{
    return page < NR_PAGES ? table_at(space, 3) + page * 8
                           : table_at(space, 2) + 4096 / 2 + (page - NR_PAGES) * 8;
}

static uint64_t linear_of(unsigned page)
{
    return page < NR_PAGES ? page * 4096ull : 256 * (2ull << 20) + (page - NR_PAGES) * (2ull << 20);
}

/*
 * Another frame; now and then nothing at all. All may be read, written and executed. Every third page is
 * global in all spaces: where some are and others are not, the manual lets a TLB find either.
 */
static void change(unsigned space, unsigned page)
{
    uint64_t frame = page < NR_PAGES ? mmu_pick(1 << 20) << 12 : mmu_pick(1 << 11) << 21;
    mmu_put(&w.ram, pte_at(space, page),
            frame | 0x67 | (page < NR_PAGES ? 0 : 0x80) | (page % 3 ? 0 : 0x100));
    if (mmu_pick(6) == 0)
        mmu_put(&w.ram, pte_at(space, page), 0);
}

static void set_up(void)
{
    struct tlb_params tlb = {1, {{4096, 4096, TLB_PAGE_4K | TLB_PAGES_LARGE, TLB_LRU, 1}}};
    struct cache_params cache = {.size_bytes = 4096, .nr_ways = 4, .line_bytes = 64, .latency_cycles = 2};
    struct dram_params dram = {.nr_banks = 4,
                               .row_bytes = 1024,
                               .row_hit_cycles = 40,
                               .row_miss_cycles = 60,
                               .row_conflict_cycles = 80,
                               .burst_cycles = 8};
    cr_assert(ram_init(&w.ram, RAM_BYTES));
    w.itlb = tlb_create(&tlb), w.dtlb = tlb_create(&tlb), w.l2_tlb = tlb_create(&tlb);
    w.dram = dram_create(&dram);
    w.l2 = cache_create(&cache, SERVED_BY_L2, NULL, w.dram);
    w.l1 = cache_create(&cache, SERVED_BY_L1, w.l2, NULL);
    struct mmu_params params = {.is_timed = true,
                                .itlb = w.itlb,
                                .dtlb = w.dtlb,
                                .l2_tlb = w.l2_tlb,
                                .walk_cache = w.l1,
                                .ram = &w.ram,
                                .physical_bits = 40,
                                .entry_written = mmu_entry_written};
    mmu_init(&w.mmu, &params);
    for (unsigned space = 0; space < NR_SPACES; space++) {
        for (unsigned level = 0; level < 3; level++)
            mmu_put(&w.ram, table_at(space, level), table_at(space, level + 1) | 0x67);
        for (unsigned page = 0; page < 2 * NR_PAGES; page++)
            change(space, page);
    }
    w.mode = (struct paging_mode){.cr0 = CR0_PE | CR0_PG | CR0_WP,
                                  .cr3 = table_at(0, 0),
                                  .cr4 = CR4_PAE | CR4_PGE | CR4_PCIDE,
                                  .efer = EFER_LME | EFER_LMA | EFER_NXE,
                                  .physical_bits = 40};
    mmu_set_mode(&w.mmu, &w.mode);
    w.nr_held = 0;
}

static void tear_down(void)
{
    tlb_destroy(w.itlb), tlb_destroy(w.dtlb), tlb_destroy(w.l2_tlb);
    cache_destroy(w.l1), cache_destroy(w.l2), dram_destroy(w.dram);
    ram_fini(&w.ram);
}

static unsigned current_pcid(void)
{
    return w.mode.cr4 & CR4_PCIDE ? (unsigned)(w.mode.cr3 & 0xfff) : 0;
}

static unsigned current_space(void)
{
    return (unsigned)((w.mode.cr3 >> 12) - 1) / 4;
}

/* What the list says, or the tables where it says nothing; the list then holds it. False: not present. */
static bool expected(unsigned page, uint64_t *physical)
{
    uint64_t linear = linear_of(page), page_bytes = page < NR_PAGES ? 4096 : 2u << 20;
    for (unsigned i = 0; i < w.nr_held; i++) {
        const struct held *held = &w.held[i];
        if (held->number == linear / held->page_bytes && (held->is_global || held->pcid == current_pcid())) {
            *physical = held->frame;
            return true;
        }
    }
    uint64_t pte = mmu_get(&w.ram, pte_at(current_space(), page));
    if (!(pte & 1))
        return false;
    cr_assert_lt(w.nr_held, MAX_HELD);
    *physical = pte & 0xffffff000 & ~(page_bytes - 1);
    w.held[w.nr_held++] = (struct held){.pcid = current_pcid(),
                                        .is_global = (pte & 0x100) && (w.mode.cr4 & CR4_PGE),
                                        .page_bytes = page_bytes,
                                        .number = linear / page_bytes,
                                        .frame = *physical};
    return true;
}

static bool is_dropped(const struct held *held, enum mmu_drop what, unsigned pcid, uint64_t linear)
{
    bool is_here = linear / held->page_bytes == held->number;
    switch (what) {
    case MMU_DROP_ADDRESS:
        return is_here && !held->is_global && held->pcid == pcid;
    case MMU_DROP_CONTEXT:
        return !held->is_global && held->pcid == pcid;
    case MMU_DROP_ALL:
        return true;
    case MMU_DROP_ALL_BUT_GLOBAL:
        return !held->is_global;
    default:
        return is_here && (held->is_global || held->pcid == pcid);
    }
}

static void drop_held(enum mmu_drop what, unsigned pcid, uint64_t linear)
{
    unsigned nr_kept = 0;
    for (unsigned i = 0; i < w.nr_held; i++)
        if (!is_dropped(&w.held[i], what, pcid, linear))
            w.held[nr_kept++] = w.held[i];
    w.nr_held = nr_kept;
}

static void translate(void)
{
    unsigned page = (unsigned)mmu_pick(2 * NR_PAGES);
    uint64_t physical, offset = mmu_pick(4096);
    bool is_there = expected(page, &physical);
    struct mmu_answer answer = mmu_translate(&w.mmu, laddr(linear_of(page) + offset),
                                             mmu_pick(2) ? MMU_FETCH : MMU_READ, MMU_USER, 1);
    cr_assert_eq(answer.entry != NULL, is_there, "page %u", page);
    if (is_there)
        cr_assert_eq(mmu_physical(&w.mmu, answer.entry, laddr(linear_of(page) + offset)).v,
                     physical + offset);
}

static void load_cr3(void)
{
    bool keeps = (w.mode.cr4 & CR4_PCIDE) && mmu_pick(2);
    w.mode.cr3 =
        table_at((unsigned)mmu_pick(NR_SPACES), 0) | (w.mode.cr4 & CR4_PCIDE ? mmu_pick(NR_PCIDS) : 0);
    mmu_load_cr3(&w.mmu, &w.mode, keeps);
    if (!keeps)
        drop_held(MMU_DROP_CONTEXT, current_pcid(), 0);
}

/* Changes of CR4 that drop everything, and those that drop nothing: PCIDE 0 to 1, SMEP 1 to 0, SMAP. */
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
        drop_held(MMU_DROP_ALL, 0, 0);
    if (!is_set && bit == CR4_PCIDE) { /* from now on bits 11-0 mean something else: away with them */
        w.mode.cr3 &= ~0xfffull;
        mmu_load_cr3(&w.mmu, &w.mode, false);
    }
}

Test(mmu, what_the_tlbs_hold_is_used_until_the_manual_says_that_it_is_dropped, .init = set_up,
     .fini = tear_down)
{
    unsigned nr_stale = 0;
    for (unsigned n = 0; n < 300000; n++) {
        uint64_t linear = linear_of((unsigned)mmu_pick(2 * NR_PAGES)) + mmu_pick(4096);
        unsigned what = (unsigned)mmu_pick(40),
                 pcid = w.mode.cr4 & CR4_PCIDE ? (unsigned)mmu_pick(NR_PCIDS) : 0;
        if (what < 25) {
            translate();
        } else if (what < 32) {
            change((unsigned)mmu_pick(NR_SPACES), (unsigned)mmu_pick(2 * NR_PAGES));
            nr_stale += w.nr_held;
        } else if (what < 35) {
            load_cr3();
        } else if (what < 37) {
            mmu_invalidate(&w.mmu, laddr(linear));
            drop_held(MMU_DROP_PAGE, current_pcid(), linear);
        } else if (what < 39) {
            enum mmu_drop type = mmu_pick(8) ? MMU_DROP_ADDRESS : (enum mmu_drop)mmu_pick(NR_INVPCID_TYPES);
            mmu_drop(&w.mmu, type, pcid, laddr(linear));
            drop_held(type, pcid, linear);
        } else if (mmu_pick(10) == 0) {
            write_cr4();
        }
    }
    cr_assert_gt(nr_stale, 100000, "entries were held while tables changed");
    cr_assert_eq(tlb_stats(w.l2_tlb)->evictions, 0, "nothing was lost, or the list is wrong");
}
