/*
 * An IDE channel: a cable with device 0 and device 1 on it, where each may be missing, its interrupt
 * line, and its bus master (ide_dma.h). Registers are those of ATA/ATAPI-6 chapter 7; the controller maps
 * them where its ports are.
 *
 * Both devices take what is written, the selected one answers, and a command is for that one, but for
 * EXECUTE DEVICE DIAGNOSTIC. Where device 1 is missing device 0 answers for it, with a status of 00h;
 * where device 0 is, nobody drives the cable, and a pull-down at bit 7 leaves 7Fh to be read (ATA/ATAPI-6
 * 9.16; 4.2, DD7).
 */
#ifndef LK_DMA_IDE_H
#define LK_DMA_IDE_H

#include "dma/ata.h"
#include "dma/ide_dma.h"
#include "sim/base/irq.h"

enum { IDE_NR_DEVICES = 2 };

struct ide_params {
    struct disk *disks[IDE_NR_DEVICES]; /* NULL: missing. They and what follows outlive the channel. */
    unsigned number;                    /* of the first of them in the machine */
    struct ev_queue *events;
    struct ata_timing timing;
    struct ata_stats *stats;
    struct irq_line irq;
    struct dma_master *master; /* NULL: there is no memory */
    /* Whether the controller may master the bus now; ide_try_dma() when that has changed. */
    bool (*may_master)(void *opaque);
    void (*aborted)(void *opaque); /* as in ide_dma.h */
    void *opaque;
};

struct ide;

/* On failure adds a line and returns NULL. */
struct ide *ide_create(const struct ide_params *params, struct diag *diag);
void ide_destroy(struct ide *ide);

/* The command block: `at` is an enum ata_register; `size` counts for ATA_DATA only, where it is 1, 2 or 4. */
uint32_t ide_read(struct ide *ide, unsigned at, unsigned size);
void ide_write(struct ide *ide, unsigned at, unsigned size, uint32_t value);

/* The control block: alternate status, device control. */
uint8_t ide_read_control(const struct ide *ide);
void ide_write_control(struct ide *ide, uint8_t value);

/* The bus master's IDE_DMA_BYTES registers. */
uint8_t ide_read_dma(const struct ide *ide, unsigned at);
void ide_write_dma(struct ide *ide, unsigned at, uint8_t value);

void ide_try_dma(struct ide *ide);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void ide_snap(struct ide *ide, struct snap *snap);

#endif
