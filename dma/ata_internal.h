/* What the files of an ATA disk share. */
#ifndef LK_DMA_ATA_INTERNAL_H
#define LK_DMA_ATA_INTERNAL_H

#include "dma/ata.h"

enum { ATA_MAX_MULTIPLE = 16, ATA_IDENTIFY_WORDS = 256 };

/* What the device does next, once its event has come. */
enum ata_step {
    ATA_STEP_NONE,
    ATA_STEP_FINISH,      /* the command is done */
    ATA_STEP_READ_BLOCK,  /* PIO: sectors are there for the host */
    ATA_STEP_ASK_BLOCK,   /* PIO: the host may hand sectors over */
    ATA_STEP_WRITE_BLOCK, /* ... which it did */
    ATA_STEP_READ_DMA,    /* a sector is there for memory */
    ATA_STEP_ASK_DMA,     /* memory may hand a sector over */
    ATA_STEP_WRITE_DMA,   /* ... which it did */
    ATA_STEP_IDENTIFY,    /* PIO: what the device is is there for the host */
    ATA_STEP_VERIFY,      /* sectors pass under the head and go nowhere */
    ATA_STEP_DIAGNOSE,
    ATA_STEP_RESET,
};

/* Values of the command block's registers; each is as deep as 48-bit addresses need. */
struct ata_task {
    uint8_t features, count, lba[3];
};

struct ata {
    struct ata_params params;
    struct ata_task now, before;
    uint8_t device, status, error;
    bool has_interrupt;
    /* The transfer of the present command. */
    uint64_t lba;       /* of the next sector */
    unsigned left;      /* sectors that have not moved */
    unsigned block;     /* sectors that one interrupt stands for */
    bool is_extended;   /* 48-bit */
    bool has_addressed; /* the registers hold an address that the geometry has */
    uint64_t head_at;   /* the sector that comes next without a seek */
    uint8_t buffer[ATA_MAX_MULTIPLE * DISK_SECTOR_BYTES];
    uint64_t position, filled; /* bytes of it that have moved, and that there are */
    enum ata_step step;        /* with `event` */
    enum ata_step moved;       /* by DMA or PIO: what comes when the buffer has moved */
    struct event event;
    /* Settings. */
    unsigned heads, sectors; /* of the geometry in use */
    unsigned multiple;       /* sectors a block; 0: READ MULTIPLE is off */
    uint8_t dma_mode;        /* as SET FEATURES 03h has it: 20h + n multiword, 40h + n Ultra */
    bool has_write_cache, has_look_ahead;
};

/* The device is busy until `due`, and does `step` then. */
void ata_busy_until(struct ata *ata, enum ata_step step, cycle_t due);
/* The command is over, with success or with bits of the error register. */
void ata_finish(struct ata *ata);
void ata_fail(struct ata *ata, uint8_t error);
/* The buffer's first bytes are for the host to read now; `moved` when it has. */
void ata_offer(struct ata *ata, uint64_t size_bytes, enum ata_step moved);

/* Begins a command, whose registers are as the host has set them. */
void ata_execute(struct ata *ata, uint8_t command);

/*
 * The geometry that it has to begin with (16 heads of 63 sectors), and how many cylinders the one in use
 * has.
 */
void ata_default_geometry(struct ata *ata);
unsigned ata_cylinders(const struct ata *ata, unsigned heads, unsigned sectors);

/* The answer to IDENTIFY DEVICE (ATA/ATAPI-6 8.15). */
void ata_identify(const struct ata *ata, uint16_t words[ATA_IDENTIFY_WORDS]);

#endif
