/* Sectors moved by the controller's bus master, by a table of physical regions. */
#include "asm/io.h"
#include "errno.h"
#include "ide.h"

struct device ide_device = {.name = "ide", .dma_mask = DMA_BIT_MASK(32)};

bool ide_dma_init(struct ide_channel *channel)
{
    ide_device.is_coherent = dma_default_coherent;
    channel->prdt = dma_alloc_coherent(&ide_device, PAGE_SIZE, &channel->prdt_bus, GFP_KERNEL);
    return channel->prdt != NULL;
}

/* A region of the table may not cross a multiple of 64 KiB, a piece that an IOMMU has joined may. */
static bool write_prdt(struct ide_channel *channel, const struct scatterlist *sg, u32 nents)
{
    u32 nr = 0;
    for (u32 i = 0; i < nents; i++) {
        u32 address = (u32)sg[i].dma_address, rest = sg[i].dma_length;
        while (rest) {
            u32 bytes = min(rest, PRD_SPAN - address % PRD_SPAN);
            if (nr == PRDS_IN_TABLE)
                return false;
            channel->prdt[nr++] = (struct prd){.address = address, .bytes = (u16)bytes};
            address += bytes;
            rest -= bytes;
        }
    }
    channel->prdt[nr - 1].flags = PRD_END;
    return true;
}

static int run(struct ide_drive *drive, bool is_write, sector_t sector, u32 nr_sectors)
{
    const struct ide_channel *channel = drive->channel;
    const u16 bm = channel->bus_master;
    const u8 direction = is_write ? 0 : BM_COMMAND_TO_MEMORY;
    outb(direction, bm + BM_COMMAND);
    outl((u32)channel->prdt_bus, bm + BM_PRDT);
    outb((u8)((inb(bm + BM_STATUS) & BM_STATUS_KEPT) | BM_STATUS_ERROR | BM_STATUS_INTERRUPT),
         bm + BM_STATUS);
    ide_issue(drive, is_write ? ATA_CMD_WRITE_DMA : ATA_CMD_READ_DMA,
              is_write ? ATA_CMD_WRITE_DMA_EXT : ATA_CMD_READ_DMA_EXT, sector, nr_sectors);
    outb(direction | BM_COMMAND_START, bm + BM_COMMAND);
    int error = ide_wait(drive);
    u8 status = inb(bm + BM_STATUS);
    outb(direction, bm + BM_COMMAND);
    return error || (status & BM_STATUS_ERROR) ? -EIO : 0;
}

int ide_dma_transfer(struct ide_drive *drive, bool is_write, sector_t sector, struct scatterlist *sg,
                     u32 nents, u32 nr_sectors)
{
    const enum dma_data_direction dir = is_write ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
    u32 nr = dma_map_sg(&ide_device, sg, nents, dir);
    if (nr == 0)
        return -EIO;
    int error = write_prdt(drive->channel, sg, nr) ? run(drive, is_write, sector, nr_sectors) : -EIO;
    dma_unmap_sg(&ide_device, sg, nents, dir);
    return error;
}
