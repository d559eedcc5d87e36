/*
 * The MC146818 real-time clock and its CMOS RAM (ports 70h, 71h), with the bytes that a PC's firmware keeps
 * there. The date starts at a fixed one and moves with CPU cycles, so that every run sees the same time.
 */
#ifndef LK_SIM_BOARD_CMOS_H
#define LK_SIM_BOARD_CMOS_H

#include "sim/base/diag.h"
#include "sim/base/event.h"
#include "sim/base/iomap.h"
#include "sim/base/irq.h"

#include <stdint.h>

/* 2026-01-01 00:00:00. */
#define CMOS_DEFAULT_DATE UINT64_C(1767225600)

enum { CMOS_NR_DISKS = 4 };

struct cmos_params {
    struct ev_queue *events; /* outlives the clock */
    uint64_t cpu_hz;
    struct irq_line irq;
    uint64_t start_seconds; /* date at cycle 0, since 1970-01-01 00:00:00 */
    uint64_t
        ram_bytes; /* at most 3 GiB; described in bytes 15h-18h, 30h-31h, 34h-35h (5Bh-5Dh, above 4 GiB: 0) */
    unsigned nr_cpus;
    uint64_t disk_sectors[CMOS_NR_DISKS]; /* of IDE disks, primary master first; 0: missing */
};

struct cmos;

/* Registers its ports. On failure adds a line and returns NULL. */
struct cmos *cmos_create(const struct cmos_params *params, struct iomap *ports, struct diag *diag);
void cmos_destroy(struct cmos *cmos);

/* Bit 7 of port 70h: NMI does not reach the CPU. */
bool cmos_masks_nmi(const struct cmos *cmos);

/* A byte of the RAM (0Eh..7Fh) as it stands, without side effects: 0Fh is the shutdown status. */
uint8_t cmos_peek(const struct cmos *cmos, unsigned index);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void cmos_snap(struct cmos *cmos, struct snap *snap);

#endif
