#include "mmu/paging.h"

/* One level of a walk. Two-level paging with 4-byte entries: SDM 3A 4.3. */
struct level {
    unsigned shift; /* of the index in the linear address */
    unsigned index_bits;
    bool can_be_large;
};

static const struct level two_level[] = {
    {.shift = 22, .index_bits = 10, .can_be_large = true},
    {.shift = 12, .index_bits = 10, .can_be_large = false},
};

enum { ENTRY_BYTES = 4, NR_LEVELS = 2 };

/* Without PSE-36 bits 21-13 of an entry that maps 4 MiB are reserved (SDM 3A table 4-4). */
static const uint64_t large_reserved = 0x3fe000;
static const uint64_t frame_mask = 0xfffff000;
static const uint64_t large_frame_mask = 0xffc00000;

bool paging_allows(const struct paging_mode *mode, unsigned tlb_flags, enum mmu_access access, bool is_user)
{
    if (is_user && !(tlb_flags & TLB_USER))
        return false;
    if (access == MMU_WRITE && !(tlb_flags & TLB_WRITABLE))
        return !is_user && !(mode->cr0 & CR0_WP);
    return true;
}

uint32_t paging_error_code(enum mmu_access access, bool is_user)
{
    return (access == MMU_WRITE ? PF_W : 0u) | (is_user ? PF_U : 0u);
}

static bool fault(struct walk *walk, uint32_t why)
{
    walk->is_fault = true;
    walk->error_code = why | paging_error_code(walk->access, walk->is_user);
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

bool paging_walk(const struct paging_mode *mode, const struct walk_memory *memory, struct walk *walk,
                 struct tlb_entry *entry)
{
    uint64_t table = mode->cr3 & frame_mask;
    uint64_t rights = PTE_RW | PTE_US;
    walk->nr_steps = 0;
    walk->is_fault = false;
    walk->error_code = 0;
    for (unsigned i = 0; i < NR_LEVELS; i++) {
        const struct level *level = &two_level[i];
        struct walk_step *step = &walk->step[walk->nr_steps++];
        step->index = (unsigned)(walk->linear.v >> level->shift & ((1u << level->index_bits) - 1));
        step->at = paddr(table + (uint64_t)step->index * ENTRY_BYTES);
        step->value = memory->read(memory->opaque, step);
        if (!(step->value & PTE_P))
            return fault(walk, 0);
        rights &= step->value;
        bool is_large = level->can_be_large && (step->value & PTE_PS) && (mode->cr4 & CR4_PSE);
        if (is_large && (step->value & large_reserved))
            return fault(walk, PF_P | PF_RSVD);
        if (is_large || i == NR_LEVELS - 1) {
            entry->page = is_large ? TLB_PAGE_4M : TLB_PAGE_4K;
            entry->frame = paddr(step->value & (is_large ? large_frame_mask : frame_mask));
            break;
        }
        table = step->value & frame_mask;
    }
    uint64_t leaf = walk->step[walk->nr_steps - 1].value;
    bool is_global = (leaf & PTE_G) && (mode->cr4 & CR4_PGE);
    bool is_dirty = (leaf & PTE_D) || walk->access == MMU_WRITE;
    entry->page_number = walk->linear.v >> tlb_page_shift(entry->page);
    entry->flags = (rights & PTE_US ? TLB_USER : 0u) | (rights & PTE_RW ? TLB_WRITABLE : 0u) |
                   (is_global ? TLB_GLOBAL : 0u) | (is_dirty ? TLB_DIRTY : 0u);
    if (!paging_allows(mode, entry->flags, walk->access, walk->is_user))
        return fault(walk, PF_P);
    mark(memory, walk);
    return true;
}
