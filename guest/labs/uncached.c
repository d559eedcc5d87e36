/*
 * A11. One page, mapped with each memory type that its entry's PCD, PWT and PAT bits can choose (SDM 3A
 * 11.12): what a load and a store take by each.
 */
#include "asm/cacheflush.h"
#include "asm/cpuid.h"
#include "asm/fixmap.h"
#include "asm/irqflags.h"
#include "asm/msr.h"
#include "asm/pgtable.h"
#include "bug.h"
#include "lab.h"
#include "printk.h"

/* Few enough cells for the smallest cache, each in a line of its own, in a ring of offsets. */
enum { NR_CELLS = 8, CELL_BYTES = 64, NR_ROUNDS = 64, NR_ACCESSES = NR_CELLS * NR_ROUNDS };

/* PAT entry 4, which none but this lab uses; after reset it is write-back, as entry 0. */
#define PAT_ENTRY4_SHIFT 32
#define PAT_UC 0ull
#define PAT_WB 6ull

static const struct memory_type {
    const char *name, *load_region, *store_region;
    pteval_t bits;
    bool is_cached;
} types[] = {
    {"write-back", "loads, write-back", "stores, write-back", 0, true},
    {"write-through (PWT)", "loads, PWT", "stores, PWT", _PAGE_PWT, true},
    {"uncached (PCD)", "loads, PCD", "stores, PCD", _PAGE_PCD, false},
    {"uncached (PCD, PWT)", "loads, PCD and PWT", "stores, PCD and PWT", _PAGE_PCD | _PAGE_PWT, false},
    {"uncached (PAT)", "loads, PAT", "stores, PAT", _PAGE_PAT, false},
};

static void set_pat_entry4(u64 type)
{
    u64 pat = rdmsr(MSR_PAT) & ~(0xFFull << PAT_ENTRY4_SHIFT);
    wrmsr(MSR_PAT, pat | type << PAT_ENTRY4_SHIFT);
}

static u32 follow(const u8 *page, u32 nr_rounds)
{
    u32 offset = 0;
    for (u32 i = 0; i < nr_rounds * NR_CELLS; i++)
        offset = *(const volatile u32 *)(page + offset);
    return offset;
}

static void store(u8 *page)
{
    for (u32 i = 0; i < NR_ACCESSES; i++)
        *(volatile u32 *)(page + i % NR_CELLS * CELL_BYTES + 4) = i;
}

static u64 take(const char *region_name, u8 *page, bool stores)
{
    struct lab_region region;
    unsigned long flags = local_irq_save();
    follow(page, 1);
    lab_region_begin(&region, region_name);
    if (stores)
        store(page);
    else
        follow(page, NR_ROUNDS);
    lab_region_end(&region);
    local_irq_restore(flags);
    return region.counts.cycles;
}

/* The lines must be in no cache when the page's type changes. */
static u8 *map_as(const struct page *page, pteval_t bits)
{
    wbinvd();
    set_fixmap(FIX_LAB, page_to_pfn(page), _PAGE_KERNEL | bits);
    return (u8 *)fix_to_virt(FIX_LAB);
}

static void check_types(const struct page *page, u32 nr_types)
{
    u64 load_cycles[ARRAY_SIZE(types)], store_cycles[ARRAY_SIZE(types)];
    for (u32 i = 0; i < nr_types; i++) {
        u8 *mapped = map_as(page, types[i].bits);
        load_cycles[i] = take(types[i].load_region, mapped, false);
        store_cycles[i] = take(types[i].store_region, mapped, true);
        lab_check(follow(mapped, 1) == 0 && *(u32 *)(mapped + 4) == NR_ACCESSES - NR_CELLS,
                  "%s: what was stored is what is loaded", types[i].name);
    }
    if (!lab_counts_cycles())
        return;
    for (u32 i = 0; i < nr_types; i++) {
        char what[64];
        snprintf(what, sizeof(what), "a load, %s", types[i].name);
        lab_figure(what, load_cycles[i], NR_ACCESSES, "cycles");
        snprintf(what, sizeof(what), "a store, %s", types[i].name);
        lab_figure(what, store_cycles[i], NR_ACCESSES, "cycles");
    }
    lab_check(load_cycles[1] * 10 <= load_cycles[0] * 11, "loads are cached with write-through too");
    for (u32 i = 0; i < nr_types; i++) {
        if (!types[i].is_cached)
            lab_check(load_cycles[i] > 3 * load_cycles[0], "%s: a load takes more than three times as long",
                      types[i].name);
    }
}

static void uncached(void)
{
    struct page *page = alloc_page(GFP_KERNEL);
    BUG_ON(page == NULL);
    u8 *cells = page_address(page);
    for (u32 i = 0; i < NR_CELLS; i++)
        *(u32 *)(cells + i * CELL_BYTES) = (i + 1) % NR_CELLS * CELL_BYTES;

    bool has_pat = cpu_features() & X86_FEATURE_PAT;
    lab_say(
        "One frame, mapped at %08lx by entries with different bits; %u loads that wait for each other, then "
        "%u stores, to %u lines",
        fix_to_virt(FIX_LAB), NR_ACCESSES, NR_ACCESSES, NR_CELLS);
    if (has_pat)
        set_pat_entry4(PAT_UC);
    check_types(page, ARRAY_SIZE(types) - !has_pat);
    map_as(page, 0);
    set_fixmap(FIX_LAB, 0, 0);
    if (has_pat)
        set_pat_entry4(PAT_WB);
    __free_pages(page, 0);
}
LAB("uncached", uncached);
