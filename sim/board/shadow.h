/*
 * Memory from A0000h to FFFFFh: RAM, ROM or nobody, as the host bridge has it for reads and for writes, and
 * the firmware's ROM, which ends at 4 GiB and whose last 128 KiB (its whole, if it is smaller) lie below
 * 1 MiB as well (82441FX data sheet 4.1).
 *
 * Where reads and writes both go to RAM the page is RAM as any other (shadow_is_ram). All else is an access
 * to a device, but for code in write-protected RAM (shadow_reads_ram); that in ROM is not kept decoded.
 */
#ifndef LK_SIM_BOARD_SHADOW_H
#define LK_SIM_BOARD_SHADOW_H

#include "sim/base/diag.h"
#include "sim/base/iomap.h"
#include "sim/base/ram.h"

#include <stdbool.h>
#include <stdint.h>

enum shadow_access { SHADOW_NONE = 0, SHADOW_READ = 1 << 0, SHADOW_WRITE = 1 << 1, SHADOW_BOTH = 3 };

enum { SHADOW_BASE = 0xa0000, SHADOW_ROM_BASE = 0xc0000, SHADOW_END = 0x100000, SHADOW_UNIT_BYTES = 0x4000 };

struct shadow_params {
    struct iomap *memory; /* outlives it */
    struct ram *ram;      /* NULL: there is none below */
    /* A read or write of these pages goes elsewhere now; may be NULL. */
    void (*changed)(void *opaque, struct paddr at, uint64_t size_bytes);
    void *opaque;
};

struct shadow;

/* Registers C0000h-FFFFFh. All goes to ROM at first. On failure adds a line and returns NULL. */
struct shadow *shadow_create(const struct shadow_params *params, struct diag *diag);
void shadow_destroy(struct shadow *shadow);

/*
 * The firmware's ROM: a copy of `bytes`, at most 16 MiB, a multiple of 4 KiB. To be called once. On failure
 * adds a line and returns false.
 */
bool shadow_set_rom(struct shadow *shadow, const void *bytes, uint64_t size_bytes, struct diag *diag);
const uint8_t *shadow_rom(const struct shadow *shadow, uint64_t *size_bytes); /* NULL: there is none */
bool shadow_has_rom(const struct shadow *shadow);

/* What of [at, at + size_bytes) goes to RAM; both multiples of SHADOW_UNIT_BYTES. */
void shadow_set(struct shadow *shadow, uint32_t at, uint32_t size_bytes, enum shadow_access access);

/* For a page of A0000h-FFFFFh. */
bool shadow_is_ram(const struct shadow *shadow, struct paddr page);
bool shadow_reads_ram(const struct shadow *shadow, struct paddr page);

/* What goes where, for checkpoints (sim/base/snap.h). The ROM is loaded, not kept. */
struct snap;
void shadow_snap(struct shadow *shadow, struct snap *snap);

#endif
