/* IDE: registers of a channel, of its bus master, and what the driver keeps. Shared by ide*.c. */
#pragma once

#include "blkdev.h"
#include "completion.h"
#include "dma-mapping.h"
#include "mutex.h"

/* Of a channel, from its base (ATA/ATAPI-6, 7 and annex D of ATA-4 for the ports of a PC). */
#define ATA_DATA 0
#define ATA_ERROR 1 /* read; written: features */
#define ATA_NSECT 2
#define ATA_LBAL 3
#define ATA_LBAM 4
#define ATA_LBAH 5
#define ATA_DEVICE 6
#define ATA_STATUS 7 /* read; written: command */

#define ATA_BUSY 0x80u
#define ATA_DRDY 0x40u
#define ATA_DF 0x20u
#define ATA_DRQ 0x08u
#define ATA_ERR 0x01u
#define ATA_DEV_LBA 0xE0u /* with the two bits that were always one */

#define ATA_CTL_NIEN 0x02u
#define ATA_CTL_SRST 0x04u

#define ATA_CMD_READ 0x20u
#define ATA_CMD_READ_EXT 0x24u
#define ATA_CMD_READ_DMA_EXT 0x25u
#define ATA_CMD_WRITE 0x30u
#define ATA_CMD_WRITE_EXT 0x34u
#define ATA_CMD_WRITE_DMA_EXT 0x35u
#define ATA_CMD_READ_DMA 0xC8u
#define ATA_CMD_WRITE_DMA 0xCAu
#define ATA_CMD_FLUSH 0xE7u
#define ATA_CMD_IDENTIFY 0xECu

/* Of its bus master (Programming Interface for Bus Master IDE Controller 1.0). */
#define BM_COMMAND 0
#define BM_STATUS 2
#define BM_PRDT 4
#define BM_COMMAND_START 0x01u
#define BM_COMMAND_TO_MEMORY 0x08u
#define BM_STATUS_ERROR 0x02u
#define BM_STATUS_INTERRUPT 0x04u
#define BM_STATUS_KEPT 0x60u

/* A physical region: within 64 KiB, 0 bytes mean 64 KiB. */
struct prd {
    u32 address;
    u16 bytes;
    u16 flags;
};
#define PRD_END 0x8000u
#define PRD_SPAN 0x10000u
#define PRDS_IN_TABLE (PAGE_SIZE / sizeof(struct prd))

struct ide_channel {
    u16 io, control;
    u16 bus_master; /* 0: there is none */
    u8 irq;
    struct mutex mutex; /* held from a command to its end */
    volatile u8 status; /* as the interrupt handler read it */
    struct completion interrupt;
    struct prd *prdt;
    dma_addr_t prdt_bus;
};

struct ide_drive {
    struct block_device bdev;
    struct ide_channel *channel;
    u8 unit;
    bool has_lba48;
    bool use_dma;
};

/* ide.c: selects the drive and gives it the command; the device answers by its interrupt. */
void ide_issue(struct ide_drive *drive, u8 command, u8 command_ext, sector_t sector, u32 nr_sectors);
/* Sleeps until the interrupt. 0, or -EIO when it says so or none comes. */
int ide_wait(struct ide_drive *drive);
/* Spins until the drive is not busy and has these bits; false: it takes more than a second. */
bool ide_poll(const struct ide_channel *channel, u8 bits);

/* ide_dma.c */
extern struct device ide_device;
bool ide_dma_init(struct ide_channel *channel);
/* Up to PRDS_IN_TABLE pieces; 0 or -EIO. */
int ide_dma_transfer(struct ide_drive *drive, bool is_write, sector_t sector, struct scatterlist *sg,
                     u32 nents, u32 nr_sectors);

/* For labs: which way a drive of that name moves its sectors from now on. False: it cannot. */
bool ide_use_dma(struct block_device *bdev, bool use_dma);
void ide_init(void);
