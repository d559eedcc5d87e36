/*
 * What a firmware that was built for QEMU asks about the machine, by QEMU's firmware configuration interface
 * (QEMU, docs/specs/fw_cfg): a selector at port 510h, bytes at 511h. Read only, no DMA. There are the
 * signature, the interface's version, the directory, and files: "etc/e820", the memory map;
 * "etc/sercon-port", the port of a UART that the firmware is to use as its console; and the ACPI tables with
 * what it takes to place them (tables.h).
 */
#ifndef LK_SIM_BOARD_FWCFG_H
#define LK_SIM_BOARD_FWCFG_H

#include "sim/base/diag.h"
#include "sim/base/iomap.h"

struct tables_files;

struct fwcfg_params {
    uint64_t ram_bytes;
    uint16_t console_port;             /* 0: no such file */
    const struct tables_files *tables; /* copied; NULL: no such files */
};

struct fwcfg;

/* Registers its ports. On failure adds a line and returns NULL. */
struct fwcfg *fwcfg_create(const struct fwcfg_params *params, struct iomap *ports, struct diag *diag);
void fwcfg_destroy(struct fwcfg *fwcfg);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void fwcfg_snap(struct fwcfg *fwcfg, struct snap *snap);

#endif
