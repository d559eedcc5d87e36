/*
 * The IDE controller: function 1 of an 82371SB (PIIX3) as device 1 of the PCI bus, 8086:7010, in legacy
 * mode: the primary channel at 1F0h-1F7h and 3F6h with IRQ 14, the secondary one at 170h-177h and 376h
 * with IRQ 15. Each answers while its IDETIM (40h, 42h) has IDE decode enabled (bit 15) and the command
 * register takes port accesses. The bus masters of both are at the 16 ports of BMIBA (20h), and move
 * memory while the command register has bus master enable. BMIBA has 32 bits, where the chip has 16:
 * firmware that is made for QEMU measures it so. The timing bits of IDETIM and SIDETIM hold what is
 * written; disk time is that of dma/ata.h.
 *
 * What moves the data is dma/ide.h.
 */
#ifndef LK_SIM_BOARD_PIIX3_IDE_H
#define LK_SIM_BOARD_PIIX3_IDE_H

#include "dma/ide.h"
#include "sim/base/stats.h"
#include "sim/board/pci.h"

enum { PIIX3_IDE_NR_CHANNELS = 2, PIIX3_IDE_NR_DISKS = PIIX3_IDE_NR_CHANNELS * IDE_NR_DEVICES };

struct piix3_ide_params {
    struct ev_queue *events;
    struct iomap *ports;
    struct disk *disks[PIIX3_IDE_NR_DISKS]; /* primary device 0 first; NULL: missing */
    struct ata_timing timing;
    struct irq_line irqs[PIIX3_IDE_NR_CHANNELS];
    struct dma_memory *memory; /* NULL: no answer where it masters the bus */
    enum dma_coherence coherence;
};

struct piix3_ide;

/* Registers its ports. What the parameters name outlives it. On failure adds a line and returns NULL. */
struct piix3_ide *piix3_ide_create(const struct piix3_ide_params *params, struct pci *pci, struct diag *diag);
void piix3_ide_destroy(struct piix3_ide *ide);

/* As a firmware leaves it: both channels decode, and the bus masters are at `bus_master_port`. */
void piix3_ide_enable(struct piix3_ide *ide, uint16_t bus_master_port);

/* `disk.*` and `dma.ide.*`. */
bool piix3_ide_register_stats(struct piix3_ide *ide, struct stat_registry *registry);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void piix3_ide_snap(struct piix3_ide *controller, struct snap *snap);

#endif
