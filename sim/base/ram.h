/*
 * Guest RAM: one host mapping, reserved and not touched, so that a guest costs the host only what it uses.
 * The mapping covers guest-physical 0 .. size; the hole at 0xA0000-0xFFFFF is RAM as far as this file knows
 * (the machine decides who answers there).
 */
#ifndef LK_SIM_BASE_RAM_H
#define LK_SIM_BASE_RAM_H

#include "sim/base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ram {
    uint8_t *host; /* where guest-physical 0 lies in the host's address space */
    uint64_t size_bytes;
};

/* False when the host cannot reserve that much address space. size_bytes is a multiple of a page. */
bool ram_init(struct ram *ram, uint64_t size_bytes);
void ram_fini(struct ram *ram);

static inline bool ram_has(const struct ram *ram, struct paddr at, uint64_t size_bytes)
{
    return at.v < ram->size_bytes && size_bytes <= ram->size_bytes - at.v;
}

/* Side-effect-free access for loaders, debuggers, windows and tests. False, and nothing done, outside RAM. */
bool ram_read(const struct ram *ram, struct paddr at, void *into, size_t size_bytes);
bool ram_write(struct ram *ram, struct paddr at, const void *from, size_t size_bytes);

/*
 * Sets touched[i] for each page i of [0, nr_pages) that the host has really backed. False when it cannot
 * tell.
 */
bool ram_touched(const struct ram *ram, uint8_t *touched, size_t nr_pages);

#endif
