/*
 * Guest memory by linear address, through page tables as they lie in RAM, whichever processor uses them and
 * whether or not one does. Nothing is changed, not even an accessed bit.
 */
#ifndef LK_SIM_OBSERVE_LINEAR_SPACE_H
#define LK_SIM_OBSERVE_LINEAR_SPACE_H

#include "mmu/paging.h"
#include "sim/base/ram.h"

struct linear_space {
    const struct ram *ram;
    struct paging_mode mode;
    /* The page that was found last. It holds as long as the guest stands still. */
    uint64_t page, frame;
    bool has_page;
};

/* `kind` of tables that begin at physical address `root`: what CR3 would say. Not PAGING_OFF. */
void linear_space_init(struct linear_space *space, const struct ram *ram, enum paging_kind kind,
                       uint64_t root);

/* False: not mapped. */
bool linear_translate(struct linear_space *space, uint64_t linear, struct paddr *physical);

/* False, with some of `into` changed: a part is not mapped, or no RAM. */
bool linear_read(struct linear_space *space, uint64_t linear, void *into, size_t size_bytes);

#endif
