/*
 * An ATA disk at one end of a cable: its registers, commands, sectors and time (ATA/ATAPI-6, T13 1410D). The
 * cable, with one or two of these on it, is ide.h.
 *
 * Commands are those of the general feature set, of 48-bit addresses, of power management (whose states are
 * all the same here), and of multiple sectors; the rest is aborted. Sectors move by PIO through the data
 * register, or by DMA: then the disk asks, and who answers takes or gives what ata_dma_window() shows.
 *
 * Time, in CPU cycles: a command is worked on after `command_cycles`; if its first sector is not the one
 * after the last that the heads were at, `seek_cycles` later; and each sector takes `sector_cycles`,
 * before it is there when reading, after it has been handed over when writing. What is asked for in DMA
 * takes the memory's time besides.
 */
#ifndef LK_DMA_ATA_H
#define LK_DMA_ATA_H

#include "dma/disk.h"
#include "sim/base/event.h"

enum ata_status {
    ATA_ERR = 1 << 0,
    ATA_DRQ = 1 << 3,
    ATA_DSC = 1 << 4, /* no meaning since ATA-4; disks go on setting it */
    ATA_DF = 1 << 5,
    ATA_DRDY = 1 << 6,
    ATA_BSY = 1 << 7,
};

enum ata_error {
    ATA_DIAGNOSED = 1 << 0, /* after a reset: device 0 is well, and device 1 too or not there */
    ATA_ABRT = 1 << 2,
    ATA_IDNF = 1 << 4,
    ATA_UNC = 1 << 6,
};

/* Registers of the command block, as offsets from its port. */
enum ata_register {
    ATA_DATA,
    ATA_FEATURES, /* written; the error register is read there */
    ATA_COUNT,
    ATA_LBA_LOW,
    ATA_LBA_MID,
    ATA_LBA_HIGH,
    ATA_DEVICE,
    ATA_COMMAND, /* written; the status register is read there */
    ATA_NR_REGISTERS
};

enum { ATA_DEVICE_1 = 1 << 4, ATA_DEVICE_LBA = 1 << 6 };
enum { ATA_EXECUTE_DIAGNOSTIC = 0x90 }; /* the one command that both devices take, whichever is selected */

struct ata_timing {
    uint64_t command_cycles, seek_cycles, sector_cycles;
};

/* Counted for all disks of a machine together. */
struct ata_stats {
#define STAT(name, unit, sentence) uint64_t name;
#include "dma/ata_stats.def"
#undef STAT
};

struct ata_params {
    struct disk *disk;       /* outlives the device */
    struct ev_queue *events; /* outlives the device */
    struct ata_timing timing;
    unsigned number;         /* of the disk in the machine: its serial number */
    struct ata_stats *stats; /* outlives the device */
    /* The device's interrupt is pending, or is no longer. */
    void (*interrupt)(void *opaque);
    /* The device asks for DMA (DMARQ): ata_dma_window(). */
    void (*dma)(void *opaque);
    void *opaque;
};

struct ata;

/* On failure adds a line and returns NULL. It is ready, and its registers have its signature. */
struct ata *ata_create(const struct ata_params *params, struct diag *diag);
void ata_destroy(struct ata *ata);

/* ATA_FEATURES to ATA_DEVICE; with HOB set in the device control register what they held before. */
uint8_t ata_read(const struct ata *ata, enum ata_register at, bool is_high);
/* What the device does not take while it is busy is lost. */
void ata_write(struct ata *ata, enum ata_register at, uint8_t value);
void ata_command(struct ata *ata, uint8_t command);
uint8_t ata_status(const struct ata *ata);
/* A word through the data register; FFFFh, and lost, when no word is due. */
uint16_t ata_read_data(struct ata *ata);
void ata_write_data(struct ata *ata, uint16_t word);

/* A software reset begins (SRST), and ends. */
void ata_begin_reset(struct ata *ata);
void ata_end_reset(struct ata *ata);

bool ata_has_interrupt(const struct ata *ata);
void ata_clear_interrupt(struct ata *ata);

/* What is to move now by DMA; `bytes` NULL while the device does not ask. */
struct ata_window {
    uint8_t *bytes;
    uint64_t size_bytes;
    bool is_to_memory;
};
struct ata_window ata_dma_window(struct ata *ata);
/* So many bytes of the window have moved; the last of them in cycle `done`. */
void ata_dma_moved(struct ata *ata, uint64_t nr_bytes, cycle_t done);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void ata_snap(struct ata *ata, struct snap *snap);

#endif
