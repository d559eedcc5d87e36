#include "mmu/paging.h"

/* Bits low .. high-1; high is 64 at the most. */
#define BITS(high, low) (((high) == 64 ? 0 : 1ull << (high)) - (1ull << (low)))

/* What an entry holds, by the width of entries: SDM 3A 4.3 (4 bytes), 4.4 and 4.5 (8 bytes). */
static const uint64_t frame_mask_4 = BITS(32, 12);
static const uint64_t frame_mask_8 = BITS(52, 12);

/*
 * Each kind of paging: the levels, and of an 8-byte entry the bits that are reserved whatever MAXPHYADDR is.
 * PAE entries have no ignored bits at the top (SDM 3A tables 4-9 to 4-11), those of four and five levels have
 * (tables 4-15 to 4-20).
 */
struct geometry {
    unsigned nr_levels;
    uint64_t reserved;
    const struct paging_level *level;
};

static const struct paging_level two_level[] = {
    {.name = "PDE", .shift = 22, .index_bits = 10, .large = TLB_PAGE_4M},
    {.name = "PTE", .shift = 12, .index_bits = 10},
};

static const struct paging_level five_level[] = {
    {.name = "PML5E", .shift = 48, .index_bits = 9},
    {.name = "PML4E", .shift = 39, .index_bits = 9},
    {.name = "PDPTE", .shift = 30, .index_bits = 9, .large = TLB_PAGE_1G},
    {.name = "PDE", .shift = 21, .index_bits = 9, .large = TLB_PAGE_2M},
    {.name = "PTE", .shift = 12, .index_bits = 9},
};

static const struct geometry geometries[NR_PAGING_KINDS] = {
    [PAGING_OFF] = {0, 0, NULL},
    [PAGING_TWO_LEVEL] = {2, 0, two_level},
    [PAGING_PAE] = {2, BITS(63, 52), five_level + 3},
    [PAGING_FOUR_LEVEL] = {4, 0, five_level + 1},
    [PAGING_FIVE_LEVEL] = {5, 0, five_level},
};

unsigned paging_nr_levels(enum paging_kind kind)
{
    return geometries[kind].nr_levels;
}

const struct paging_level *paging_level(enum paging_kind kind, unsigned index)
{
    return &geometries[kind].level[index];
}

uint64_t paging_frame(enum paging_kind kind, uint64_t value, enum tlb_page page)
{
    if (page == TLB_PAGE_4M) /* bits 20-13 are bits 39-32 of the address (SDM 3A table 4-4) */
        return (value & BITS(32, 22)) | (value >> 13 & 0xff) << 32;
    uint64_t mask = kind == PAGING_TWO_LEVEL ? frame_mask_4 : frame_mask_8;
    return value & mask & ~((1ull << tlb_page_shift(page)) - 1);
}

static inline bool is_large(const struct paging_mode *mode, const struct paging_level *level, uint64_t value)
{
    if (!level->large || !(value & PTE_PS))
        return false;
    return level->large == TLB_PAGE_4M   ? (mode->cr4 & CR4_PSE) != 0
           : level->large == TLB_PAGE_1G ? mode->has_1gib_pages
                                         : true;
}

bool paging_is_leaf(const struct paging_mode *mode, unsigned level, uint64_t value)
{
    const struct geometry *geometry = &geometries[paging_kind(mode)];
    return level == geometry->nr_levels - 1 || is_large(mode, &geometry->level[level], value);
}

/* Address bits that this processor does not have, up to `end`. */
static uint64_t beyond_physical(const struct paging_mode *mode, unsigned end)
{
    unsigned bits = mode->physical_bits > 32 ? mode->physical_bits : 32;
    return bits < end ? BITS(end, bits) : 0;
}

/* What follows from mode and kind alone: see reserved_bits. */
static inline uint64_t always_reserved(const struct paging_mode *mode, enum paging_kind kind)
{
    if (kind == PAGING_TWO_LEVEL)
        return 0;
    uint64_t reserved = geometries[kind].reserved | beyond_physical(mode, 52);
    return mode->efer & EFER_NXE ? reserved : reserved | PTE_XD;
}

/* The bits of a present entry that must be zero (SDM 3A 4.3, 4.4.2, 4.5.4, notes to their tables). */
static inline uint64_t reserved_bits(const struct paging_mode *mode, enum paging_kind kind, uint64_t always,
                                     const struct paging_level *level, bool maps_large)
{
    if (kind == PAGING_TWO_LEVEL) /* bit 21, and of 20-13 what is above the physical address */
        return maps_large ? 1u << 21 | beyond_physical(mode, 40) >> 32 << 13 : 0;
    if (maps_large)
        return always | BITS(tlb_page_shift(level->large), 13);
    return level->shift >= 39 || level->large == TLB_PAGE_1G ? always | PTE_PS : always;
}

bool paging_is_good_pdpte(const struct paging_mode *mode, uint64_t value)
{
    uint64_t reserved = BITS(3, 1) | BITS(9, 5) | BITS(64, 52) | beyond_physical(mode, 52);
    return !(value & PTE_P) || !(value & reserved);
}

uint32_t paging_error_code(const struct paging_mode *mode, enum mmu_access access, enum mmu_asker asker)
{
    bool has_nx = (mode->cr4 & CR4_PAE) && (mode->efer & EFER_NXE);
    bool shows_fetch = access == MMU_FETCH && (has_nx || (mode->cr4 & CR4_SMEP));
    return (access == MMU_WRITE ? PF_W : 0u) | (asker == MMU_USER ? PF_U : 0u) | (shows_fetch ? PF_I : 0u);
}

static bool fault(const struct paging_mode *mode, struct walk *walk, uint32_t why)
{
    walk->is_fault = true;
    walk->error_code = why | paging_error_code(mode, walk->access, walk->asker);
    return false;
}

/* Entries are marked only once the whole walk is known to succeed: no fault leaves a trace in the tables. */
static void mark(const struct walk_memory *memory, struct walk *walk)
{
    for (unsigned i = 0; i < walk->nr_steps; i++) {
        const struct walk_step *step = &walk->step[i];
        uint64_t want = step->value | PTE_A;
        if (i == walk->nr_steps - 1 && walk->access == MMU_WRITE)
            want |= PTE_D;
        if (want != step->value)
            memory->update(memory->opaque, step, want);
    }
}

/* The index into the PAT that an entry which maps a page makes (SDM 3A 4.9.2). */
static uint8_t pat_index(uint64_t leaf, bool maps_large)
{
    bool pat = leaf & (maps_large ? PTE_PAT_LARGE : PTE_PAT);
    return (uint8_t)((leaf & PTE_PWT ? 1 : 0) | (leaf & PTE_PCD ? 2 : 0) | (pat ? 4 : 0));
}

bool paging_start(const struct paging_mode *mode, struct laddr linear, struct walk_start *start)
{
    enum paging_kind kind = paging_kind(mode);
    *start = (struct walk_start){.rights = PTE_RW | PTE_US};
    uint64_t root = mode->cr3;
    if (kind == PAGING_PAE)
        root = mode->pdpte[paging_pdpte_index(linear)];
    start->table = paging_frame(kind, root, TLB_PAGE_4K);
    bool has_pcid = kind != PAGING_PAE && (mode->cr4 & CR4_PCIDE);
    start->pat_index = has_pcid ? 0 : paging_table_pat_index(root);
    return kind != PAGING_PAE || (root & PTE_P);
}

/* A walk under way: what the entries read so far say together. */
struct descent {
    const struct paging_mode *mode;
    const struct walk_memory *memory;
    struct walk *walk;
    uint64_t always; /* see reserved_bits */
    uint64_t table, rights, no_execute, accessed, leaf;
    unsigned table_pat;
    enum tlb_page page;
    bool maps_large;
};

#define INLINE static inline __attribute__((always_inline))

/* Reads the entry of a level. `kind` is constant as far as the width of entries goes. False: a page fault. */
INLINE bool descend(struct descent *at, enum paging_kind kind, const struct paging_level *level)
{
    struct walk *walk = at->walk;
    struct walk_step *step = &walk->step[walk->nr_steps++];
    unsigned index = (unsigned)(walk->linear.v >> level->shift & ((1u << level->index_bits) - 1));
    step->index = index;
    step->at = paddr(at->table + (uint64_t)index * paging_entry_bytes(kind));
    step->size_bytes = paging_entry_bytes(kind);
    step->pat_index = at->table_pat;
    uint64_t leaf = at->memory->read(at->memory->opaque, step);
    step->value = at->leaf = leaf;
    if (!(leaf & PTE_P))
        return fault(at->mode, walk, 0);
    at->maps_large = is_large(at->mode, level, leaf);
    if (leaf & reserved_bits(at->mode, kind, at->always, level, at->maps_large))
        return fault(at->mode, walk, PF_P | PF_RSVD);
    at->rights &= leaf;
    at->accessed &= leaf;
    at->no_execute |= leaf & PTE_XD;
    at->page = at->maps_large ? level->large : TLB_PAGE_4K;
    at->table = paging_frame(kind, leaf, at->page);
    at->table_pat = paging_table_pat_index(leaf);
    return true;
}

/* The walk has come to a page: what its TLB entry holds. False: a page fault; this is not allowed there. */
INLINE bool arrive(const struct descent *at, struct tlb_entry *entry)
{
    struct walk *walk = at->walk;
    bool is_global = (at->leaf & PTE_G) && (at->mode->cr4 & CR4_PGE);
    bool is_dirty = (at->leaf & PTE_D) || walk->access == MMU_WRITE;
    entry->page = at->page;
    entry->frame = paddr(at->table);
    entry->page_number = walk->linear.v >> tlb_page_shift(at->page);
    entry->pat_index = pat_index(at->leaf, at->maps_large);
    entry->flags = (at->rights & PTE_US ? TLB_USER : 0u) | (at->rights & PTE_RW ? TLB_WRITABLE : 0u) |
                   (at->no_execute ? TLB_NO_EXECUTE : 0u) | (is_global ? TLB_GLOBAL : 0u) |
                   (is_dirty ? TLB_DIRTY : 0u);
    if (!paging_allows(at->mode, entry->flags, walk->access, walk->asker))
        return fault(at->mode, walk, PF_P);
    if (!at->accessed || (walk->access == MMU_WRITE && !(at->leaf & PTE_D)))
        mark(at->memory, walk);
    return true;
}

bool paging_walk(const struct paging_mode *mode, const struct walk_memory *memory, struct walk *walk,
                 const struct walk_start *start, struct tlb_entry *entry)
{
    walk->kind = paging_kind(mode);
    walk->first_level = start ? start->level : 0;
    walk->nr_steps = 0;
    walk->is_fault = false;
    walk->error_code = 0;
    struct walk_start root;
    if (!start) {
        if (!paging_start(mode, walk->linear, &root))
            return fault(mode, walk, 0);
        start = &root;
    }
    struct descent at = {.mode = mode,
                         .memory = memory,
                         .walk = walk,
                         .always = always_reserved(mode, walk->kind),
                         .table = start->table,
                         .rights = start->rights,
                         .no_execute = start->no_execute,
                         .accessed = PTE_A,
                         .table_pat = start->pat_index};
    if (walk->kind == PAGING_TWO_LEVEL) {
        if (start->level == 0 && !descend(&at, PAGING_TWO_LEVEL, &two_level[0]))
            return false;
        return (at.maps_large || descend(&at, PAGING_TWO_LEVEL, &two_level[1])) && arrive(&at, entry);
    }
    const struct geometry *geometry = &geometries[walk->kind];
    for (unsigned i = start->level; i < geometry->nr_levels && !at.maps_large; i++)
        if (!descend(&at, PAGING_FOUR_LEVEL, &geometry->level[i]))
            return false;
    return arrive(&at, entry);
}
