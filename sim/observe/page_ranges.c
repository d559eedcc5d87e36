#include "sim/observe/page_ranges.h"

enum { MAX_WALKS = 1 << 24 };

/* From a walk's entries; of PAE's PDPTE registers, which grant no rights, there is none. */
static unsigned rights_of(const struct walk *walk)
{
    uint64_t all = UINT64_MAX, any = 0;
    for (unsigned i = 0; i < walk->nr_steps; i++) {
        all &= walk->step[i].value;
        any |= walk->step[i].size_bytes == 8 ? walk->step[i].value : 0;
    }
    return (all & PTE_US ? TLB_USER : 0u) | (all & PTE_RW ? TLB_WRITABLE : 0u) |
           (any & PTE_XD ? TLB_NO_EXECUTE : 0u);
}

/* How many linear address bits a kind of paging translates. */
static unsigned linear_bits(enum paging_kind kind)
{
    return kind == PAGING_FIVE_LEVEL ? 57 : kind == PAGING_FOUR_LEVEL ? 48 : 32;
}

/* What the entry that ended a walk spans. */
static unsigned span_shift(const struct walk *walk)
{
    return walk->nr_steps == 0 ? 30 : paging_level(walk->kind, walk->nr_steps - 1)->shift;
}

static bool continues(const struct page_range *range, const struct page_range *page, bool are_contiguous)
{
    return range->size_bytes != 0 && range->first.v + range->size_bytes == page->first.v &&
           range->flags == page->flags &&
           (!are_contiguous || range->physical.v + range->size_bytes == page->physical.v);
}

bool page_ranges(const struct cpu *cpu, bool are_contiguous,
                 bool (*take)(void *opaque, const struct page_range *range), void *opaque)
{
    const struct mmu *mmu = cpu_mmu(cpu);
    enum paging_kind kind = paging_kind(&mmu->mode);
    struct page_range range = {.size_bytes = 0};
    if (kind == PAGING_OFF)
        return true;
    unsigned bits = linear_bits(kind), nr_walks = 0;
    for (uint64_t at = 0; at < 1ull << bits;) {
        if (nr_walks++ == MAX_WALKS)
            return false;
        unsigned unused = bits == 32 ? 0 : 64 - bits; /* canonical: the highest bit is repeated */
        struct laddr linear = laddr((uint64_t)((int64_t)(at << unused) >> unused));
        struct walk walk;
        struct paddr physical;
        bool is_mapped = mmu_peek(mmu, linear, &walk, &physical);
        uint64_t size_bytes = 1ull << span_shift(&walk);
        if (is_mapped) {
            struct page_range page = {linear, size_bytes, physical, rights_of(&walk)};
            if (continues(&range, &page, are_contiguous)) {
                range.size_bytes += size_bytes;
            } else {
                if (range.size_bytes != 0 && !take(opaque, &range))
                    return true;
                range = page;
            }
        }
        at += size_bytes;
    }
    if (range.size_bytes != 0)
        take(opaque, &range);
    return true;
}
