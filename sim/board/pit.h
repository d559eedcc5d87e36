/*
 * The 8254 interval timer (ports 40h-43h) and the port that belongs to its channel 2 and the speaker (61h).
 * Channel 0 drives IRQ 0; channel 1 is the refresh request, seen in bit 4 of port 61h; channel 2 is gated by
 * bit 0 there. Its clock is 1193182 Hz, derived from CPU cycles without drift.
 */
#ifndef LK_SIM_BOARD_PIT_H
#define LK_SIM_BOARD_PIT_H

#include "sim/base/diag.h"
#include "sim/base/event.h"
#include "sim/base/iomap.h"
#include "sim/base/irq.h"

#include <stdint.h>

enum { PIT_HZ = 1193182 };

struct pit_params {
    struct ev_queue *events; /* outlives the PIT */
    uint64_t cpu_hz;
    struct irq_line irq;
};

struct pit;

/* Registers its ports. On failure adds a line and returns NULL. */
struct pit *pit_create(const struct pit_params *params, struct iomap *ports, struct diag *diag);
void pit_destroy(struct pit *pit);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void pit_snap(struct pit *pit, struct snap *snap);

#endif
