#include "mmu/paging_cache.h"

void paging_caches_init(struct paging_caches *caches, struct tlb *const of[NR_TLB_STRUCTURES])
{
    caches->nr = 0;
    for (unsigned i = 0; i < NR_TLB_STRUCTURES; i++) {
        caches->of[i] = of[i];
        caches->nr += of[i] != NULL;
    }
}

/* The level whose entries a cache holds; the last level leads to no table. */
static unsigned level_of(enum paging_kind kind, unsigned cache)
{
    return paging_nr_levels(kind) - 2 - cache;
}

static unsigned nr_used(enum paging_kind kind)
{
    return paging_nr_levels(kind) - 1;
}

/* What a paging-structure entry of the cache spans. */
static enum tlb_page span_of(enum paging_kind kind, unsigned cache)
{
    static const enum tlb_page spans[NR_TLB_STRUCTURES] = {TLB_PAGE_2M, TLB_PAGE_1G, TLB_SPAN_512G,
                                                           TLB_SPAN_256T};
    return kind == PAGING_TWO_LEVEL ? TLB_PAGE_4M : spans[cache];
}

bool paging_caches_find(struct paging_caches *caches, const struct paging_mode *mode, unsigned pcid,
                        struct laddr linear, struct walk_start *start)
{
    enum paging_kind kind = paging_kind(mode);
    for (unsigned i = 0; i < nr_used(kind); i++) {
        const struct tlb_entry *entry = caches->of[i] ? tlb_lookup(caches->of[i], linear, pcid) : NULL;
        if (!entry)
            continue;
        *start = (struct walk_start){.level = level_of(kind, i) + 1,
                                     .table = entry->frame.v,
                                     .rights = (entry->flags & TLB_WRITABLE ? PTE_RW : 0u) |
                                               (entry->flags & TLB_USER ? PTE_US : 0u),
                                     .no_execute = entry->flags & TLB_NO_EXECUTE ? PTE_XD : 0,
                                     .pat_index = entry->pat_index};
        return true;
    }
    return false;
}

void paging_caches_learn(struct paging_caches *caches, unsigned pcid, const struct walk *walk,
                         const struct walk_start *start)
{
    uint64_t rights = start ? start->rights : PTE_RW | PTE_US, no_execute = start ? start->no_execute : 0;
    for (unsigned i = 0; i + 1 < walk->nr_steps; i++) {
        uint64_t value = walk->step[i].value;
        unsigned cache = nr_used(walk->kind) - 1 - (walk->first_level + i);
        enum tlb_page span = span_of(walk->kind, cache);
        rights &= value;
        no_execute |= value & PTE_XD;
        struct tlb_entry entry = {.page_number = walk->linear.v >> tlb_page_shift(span),
                                  .frame = paddr(paging_frame(walk->kind, value, TLB_PAGE_4K)),
                                  .page = span,
                                  .flags = (rights & PTE_US ? TLB_USER : 0u) |
                                           (rights & PTE_RW ? TLB_WRITABLE : 0u) |
                                           (no_execute ? TLB_NO_EXECUTE : 0u),
                                  .pcid = (uint16_t)pcid,
                                  .pat_index = (uint8_t)paging_table_pat_index(value)};
        if (caches->of[cache])
            tlb_fill(caches->of[cache], &entry);
    }
}
