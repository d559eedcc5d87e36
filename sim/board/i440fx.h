/*
 * The host bridge: an 82441FX (PMC) as device 0 of the bus. Its PAM registers say whether reads and writes of
 * C0000h-FFFFFh go to RAM, its SMRAM register whether A0000h-BFFFFh are RAM; TRC resets. The registers of the
 * DRAM, of buffers and of timers hold what is written and do nothing: time is the DRAM model's
 * (docs/dram.md).
 */
#ifndef LK_SIM_BOARD_I440FX_H
#define LK_SIM_BOARD_I440FX_H

#include "sim/board/pci.h"
#include "sim/board/shadow.h"

struct i440fx_params {
    struct shadow *shadow;
    void (*reset)(void *opaque); /* may be NULL */
    void *opaque;
};

struct i440fx;

/* Puts itself on the bus. On failure adds a line and returns NULL. */
struct i440fx *i440fx_create(const struct i440fx_params *params, struct pci *pci, struct diag *diag);
void i440fx_destroy(struct i440fx *bridge);

/* As a firmware writes a byte of its registers. */
void i440fx_firmware_write(struct i440fx *bridge, unsigned offset, uint8_t value);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void i440fx_snap(struct i440fx *bridge, struct snap *snap);

#endif
