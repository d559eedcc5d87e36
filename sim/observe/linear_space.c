#include "sim/observe/linear_space.h"

#include <string.h>

/* More than any of our processors has, so that no address bit of a stranger's entry counts as reserved. */
enum { PHYSICAL_BITS = 52 };

void linear_space_init(struct linear_space *space, const struct ram *ram, enum paging_kind kind,
                       uint64_t root)
{
    *space = (struct linear_space){.ram = ram};
    struct paging_mode *mode = &space->mode;
    mode->cr0 = CR0_PE | CR0_WP | CR0_PG;
    mode->cr3 = root;
    mode->cr4 = kind == PAGING_TWO_LEVEL ? CR4_PSE : kind == PAGING_FIVE_LEVEL ? CR4_PAE | CR4_LA57 : CR4_PAE;
    mode->efer =
        kind == PAGING_FOUR_LEVEL || kind == PAGING_FIVE_LEVEL ? EFER_LME | EFER_LMA | EFER_NXE : EFER_NXE;
    mode->physical_bits = kind == PAGING_TWO_LEVEL ? 40 : PHYSICAL_BITS; /* PSE-36 goes to 40 (SDM 3A 4.3) */
    mode->has_1gib_pages = true;
    if (kind == PAGING_PAE && !ram_read(ram, paddr(root & ~(uint64_t)0x1f), mode->pdpte, sizeof mode->pdpte))
        memset(mode->pdpte, 0, sizeof mode->pdpte);
}

static uint64_t read_entry(void *opaque, struct walk_step *step)
{
    uint64_t value = 0;
    return ram_read(((struct linear_space *)opaque)->ram, step->at, &value, step->size_bytes) ? value : 0;
}

static void keep_entry(void *opaque, const struct walk_step *step, uint64_t value)
{
    (void)opaque, (void)step, (void)value;
}

bool linear_translate(struct linear_space *space, uint64_t linear, struct paddr *physical)
{
    uint64_t page = linear & ~(uint64_t)PAGE_MASK;
    if (!space->has_page || space->page != page) {
        const struct walk_memory memory = {.opaque = space, .read = read_entry, .update = keep_entry};
        struct walk walk = {.linear = laddr(page), .asker = MMU_SUPERVISOR_AC};
        struct tlb_entry entry;
        space->has_page = paging_walk(&space->mode, &memory, &walk, NULL, &entry);
        if (!space->has_page)
            return false;
        space->page = page;
        space->frame = entry.frame.v + (page & ((1ull << tlb_page_shift(entry.page)) - 1));
    }
    *physical = paddr(space->frame + (linear & PAGE_MASK));
    return true;
}

bool linear_read(struct linear_space *space, uint64_t linear, void *into, size_t size_bytes)
{
    uint8_t *to = into;
    while (size_bytes > 0) {
        size_t rest = PAGE_BYTES - (linear & PAGE_MASK), part = size_bytes < rest ? size_bytes : rest;
        struct paddr physical;
        if (!linear_translate(space, linear, &physical) || !ram_read(space->ram, physical, to, part))
            return false;
        linear += part;
        to += part;
        size_bytes -= part;
    }
    return true;
}
