#include "sim/observe/view_mappings.h"

#include <string.h>

/* The tables of an address space as they are gone through. */
struct tables {
    const struct view_mapping_visitor *visitor;
    const struct ram *ram;
    const struct paging_mode *mode;
    uint64_t nr_left; /* entries and frames that may still be looked at: tables may lead to themselves */
};

static bool spend(struct tables *tables, uint64_t nr)
{
    bool is_enough = tables->nr_left >= nr;
    tables->nr_left -= is_enough ? nr : tables->nr_left;
    return is_enough;
}

/* What is allowed along the way is allowed; what is forbidden once is forbidden (SDM 3A 4.6). */
static uint64_t combine(uint64_t rights, uint64_t entry)
{
    return (rights & entry & (PTE_RW | PTE_US)) | ((rights | entry) & PTE_XD);
}

static void visit_page(struct tables *tables, unsigned level, uint64_t linear, uint64_t entry,
                       uint64_t rights)
{
    enum paging_kind kind = paging_kind(tables->mode);
    bool is_small = level == paging_nr_levels(kind) - 1;
    enum tlb_page page = is_small ? TLB_PAGE_4K : paging_level(kind, level)->large;
    struct view_mapping mapping = {
        .linear = linear,
        .first = paging_frame(kind, entry, page) >> PAGE_SHIFT,
        .nr_frames = 1ull << (tlb_page_shift(page) - PAGE_SHIFT),
        .rights = combine(rights, entry),
    };
    if (tables->visitor->page && spend(tables, mapping.nr_frames))
        tables->visitor->page(tables->visitor->opaque, &mapping);
}

/* Bits 63:48 (or 63:57) of a linear address are those of bit 47 (or 56) (SDM 1 3.3.7.1). */
static uint64_t canonical(enum paging_kind kind, uint64_t linear)
{
    unsigned unused = kind == PAGING_FIVE_LEVEL ? 7 : kind == PAGING_FOUR_LEVEL ? 16 : 0;
    return (uint64_t)((int64_t)(linear << unused) >> unused);
}

/* The table at `at`, whose first entry is for `linear`, and what it leads to. */
static void visit_table(struct tables *tables, uint64_t at, unsigned level, uint64_t linear, uint64_t rights)
{
    enum paging_kind kind = paging_kind(tables->mode);
    unsigned entry_bytes = paging_entry_bytes(kind), nr_entries = PAGE_BYTES / entry_bytes;
    unsigned shift = paging_level(kind, level)->shift;
    uint8_t table[PAGE_BYTES];
    if (!spend(tables, nr_entries) || !ram_read(tables->ram, paddr(at), table, sizeof table))
        return;
    for (unsigned i = 0; i < nr_entries; i++) {
        uint64_t entry = 0, here = canonical(kind, linear + ((uint64_t)i << shift));
        memcpy(&entry, table + i * entry_bytes, entry_bytes);
        if (!(entry & PTE_P) || (tables->visitor->is_users_only && !(entry & PTE_US)))
            continue;
        if (paging_is_leaf(tables->mode, level, entry))
            visit_page(tables, level, here, entry, rights);
        else
            visit_table(tables, paging_frame(kind, entry, TLB_PAGE_4K), level + 1, here,
                        combine(rights, entry));
    }
    if (tables->visitor->table)
        tables->visitor->table(tables->visitor->opaque, at >> PAGE_SHIFT);
}

void view_visit_mappings(const struct ram *ram, const struct paging_mode *mode,
                         const struct view_mapping_visitor *visitor)
{
    enum { ENOUGH = 1 << 24, PDPTE_SHIFT = 30 };
    struct tables tables = {.visitor = visitor, .ram = ram, .mode = mode, .nr_left = ENOUGH};
    enum paging_kind kind = paging_kind(mode);
    if (kind == PAGING_OFF)
        return;
    unsigned nr_roots = kind == PAGING_PAE ? NR_PDPTES : 1;
    for (uint64_t i = 0; i < nr_roots; i++) {
        struct walk_start start;
        if (paging_start(mode, laddr(i << PDPTE_SHIFT), &start))
            visit_table(&tables, start.table, 0, i << PDPTE_SHIFT, start.rights & ~PTE_XD);
    }
    if (kind == PAGING_PAE && visitor->table)
        visitor->table(visitor->opaque, (mode->cr3 & UINT32_MAX) >> PAGE_SHIFT);
}
