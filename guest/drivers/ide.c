/* ATA disks behind an IDE controller in compatibility mode, at the ports of the PC. */
#include "ide.h"
#include "asm/io.h"
#include "asm/irq.h"
#include "compiler.h"
#include "errno.h"
#include "fs.h"
#include "highmem.h"
#include "iommu.h"
#include "jiffies.h"
#include "pci.h"
#include "printk.h"
#include "sched.h"

#define NR_CHANNELS 2
#define NR_DRIVES (2 * NR_CHANNELS)
#define BUS_MASTER_BAR 4
#define BUS_MASTER_STRIDE 8
#define TIMEOUT_TICKS (5 * HZ)
#define MAX_SECTORS 256u /* of one command with 28 bits of address */
#define LBA28_SECTORS (1ull << 28)

/* Words of IDENTIFY DEVICE (ATA/ATAPI-6, 8.15). */
#define ID_CAPABILITIES 49
#define ID_LBA_SECTORS 60
#define ID_COMMAND_SET_2 83
#define ID_LBA48_SECTORS 100
#define ID_WORDS 256
#define ID_HAS_DMA (1u << 8)
#define ID_HAS_LBA (1u << 9)
#define ID_HAS_LBA48 (1u << 10)

static struct ide_channel channels[NR_CHANNELS] = {{.io = 0x1F0, .control = 0x3F6, .irq = 14},
                                                   {.io = 0x170, .control = 0x376, .irq = 15}};
static struct ide_drive drives[NR_DRIVES];
static const char *const drive_names[NR_DRIVES] = {"hda", "hdb", "hdc", "hdd"};

/* ---- A command ---- */

bool ide_poll(const struct ide_channel *channel, u8 bits)
{
    unsigned long until = jiffies + HZ;
    while (!time_after_eq(jiffies, until)) {
        u8 status = inb(channel->io + ATA_STATUS);
        if (status & ATA_BUSY)
            continue;
        if (status & (ATA_ERR | ATA_DF))
            return false;
        if ((status & bits) == bits)
            return true;
    }
    return false;
}

/* 400 ns until a drive that is selected shows its status: four reads of a port take them. */
static void select_drive(const struct ide_drive *drive, u8 low_bits)
{
    const struct ide_channel *channel = drive->channel;
    outb((u8)(ATA_DEV_LBA | drive->unit << 4 | low_bits), channel->io + ATA_DEVICE);
    for (u32 i = 0; i < 4; i++)
        inb(channel->control);
}

void ide_issue(struct ide_drive *drive, u8 command, u8 command_ext, sector_t sector, u32 nr_sectors)
{
    struct ide_channel *channel = drive->channel;
    const u16 io = channel->io;
    bool is_ext = sector + nr_sectors > LBA28_SECTORS;
    select_drive(drive, is_ext ? 0 : (u8)(sector >> 24 & 0xF));
    if (is_ext) { /* each register takes two bytes, the high one first */
        outb((u8)(nr_sectors >> 8), io + ATA_NSECT);
        outb((u8)(sector >> 24), io + ATA_LBAL);
        outb((u8)(sector >> 32), io + ATA_LBAM);
        outb((u8)(sector >> 40), io + ATA_LBAH);
    }
    outb((u8)nr_sectors, io + ATA_NSECT);
    outb((u8)sector, io + ATA_LBAL);
    outb((u8)(sector >> 8), io + ATA_LBAM);
    outb((u8)(sector >> 16), io + ATA_LBAH);
    reinit_completion(&channel->interrupt);
    outb(is_ext ? command_ext : command, io + ATA_STATUS);
}

int ide_wait(struct ide_drive *drive)
{
    struct ide_channel *channel = drive->channel;
    bool has_come = wait_for_completion_timeout(&channel->interrupt, TIMEOUT_TICKS);
    reinit_completion(&channel->interrupt);
    return has_come && !(channel->status & (ATA_ERR | ATA_DF)) ? 0 : -EIO;
}

/* Reading the status takes the drive's interrupt away; the bus master notes that there was one. */
static void channel_interrupt(struct ide_channel *channel)
{
    u16 bm = channel->bus_master;
    if (bm) {
        u8 status = inb(bm + BM_STATUS);
        if (!(status & BM_STATUS_INTERRUPT))
            return;
        outb((u8)((status & BM_STATUS_KEPT) | BM_STATUS_INTERRUPT), bm + BM_STATUS);
    }
    channel->status = inb(channel->io + ATA_STATUS);
    complete(&channel->interrupt);
}

static void primary_interrupt(void)
{
    channel_interrupt(&channels[0]);
}

static void secondary_interrupt(void)
{
    channel_interrupt(&channels[1]);
}

/* ---- Sectors ---- */

/* One sector through the data port. */
static void move_sector(const struct ide_channel *channel, bool is_write, const struct bio_vec *vec,
                        u32 offset)
{
    u8 *page = kmap_atomic(vec->bv_page), *bytes = page + vec->bv_offset + offset;
    if (is_write)
        outsw(channel->io + ATA_DATA, bytes, SECTOR_SIZE / 2);
    else
        insw(channel->io + ATA_DATA, bytes, SECTOR_SIZE / 2);
    kunmap_atomic(page);
}

/* Reading, an interrupt comes before each sector; writing, after each. */
static int pio_transfer(struct ide_drive *drive, bool is_write, sector_t sector, const struct bio_vec *vec,
                        u32 nr_vecs, u32 nr_sectors)
{
    struct ide_channel *channel = drive->channel;
    ide_issue(drive, is_write ? ATA_CMD_WRITE : ATA_CMD_READ, is_write ? ATA_CMD_WRITE_EXT : ATA_CMD_READ_EXT,
              sector, nr_sectors);
    for (u32 i = 0; i < nr_vecs; i++) {
        for (u32 offset = 0; offset < vec[i].bv_len; offset += SECTOR_SIZE) {
            if (!is_write && ide_wait(drive))
                return -EIO;
            if (!ide_poll(channel, ATA_DRQ))
                return -EIO;
            move_sector(channel, is_write, &vec[i], offset);
            if (is_write && ide_wait(drive))
                return -EIO;
        }
    }
    return 0;
}

static int dma_transfer(struct ide_drive *drive, bool is_write, sector_t sector, const struct bio_vec *vec,
                        u32 nr_vecs, u32 nr_sectors)
{
    struct scatterlist sg[MAX_SECTORS / 8];
    for (u32 i = 0; i < nr_vecs; i++)
        sg[i] =
            (struct scatterlist){.page = vec[i].bv_page, .offset = vec[i].bv_offset, .length = vec[i].bv_len};
    return ide_dma_transfer(drive, is_write, sector, sg, nr_vecs, nr_sectors);
}

static int transfer(struct ide_drive *drive, const struct bio *bio)
{
    const bool is_write = bio->bi_opf == REQ_OP_WRITE;
    sector_t sector = bio->bi_sector;
    int error = 0;
    for (u32 done = 0; done < bio->bi_vcnt && error == 0;) {
        const struct bio_vec *vec = bio->bi_io_vec + done;
        u32 nr_vecs = 0, nr_sectors = 0;
        while (done < bio->bi_vcnt && nr_vecs < MAX_SECTORS / 8 &&
               nr_sectors + (vec[nr_vecs].bv_len >> SECTOR_SHIFT) <= MAX_SECTORS) {
            nr_sectors += vec[nr_vecs].bv_len >> SECTOR_SHIFT;
            nr_vecs++;
            done++;
        }
        error =
            (drive->use_dma ? dma_transfer : pio_transfer)(drive, is_write, sector, vec, nr_vecs, nr_sectors);
        sector += nr_sectors;
    }
    return error;
}

/* A drive that did not answer, or not well, is ready for the next command after a reset of its channel. */
static void reset_channel(const struct ide_channel *channel)
{
    outb(ATA_CTL_SRST, channel->control);
    schedule_timeout_uninterruptible(1);
    outb(0, channel->control);
    ide_poll(channel, 0);
}

/* One command at a time for both drives of a channel. */
static int submit(struct block_device *bdev, const struct bio *bio)
{
    struct ide_drive *drive = container_of(bdev, struct ide_drive, bdev);
    struct ide_channel *channel = drive->channel;
    int error;
    mutex_lock(&channel->mutex);
    if (bio->bi_opf == REQ_OP_FLUSH) {
        ide_issue(drive, ATA_CMD_FLUSH, ATA_CMD_FLUSH, 0, 0);
        error = ide_wait(drive);
    } else {
        error = transfer(drive, bio);
    }
    if (error)
        reset_channel(channel);
    mutex_unlock(&channel->mutex);
    return error;
}

bool ide_use_dma(struct block_device *bdev, bool use_dma)
{
    struct ide_drive *drive = container_of(bdev, struct ide_drive, bdev);
    drive->use_dma = use_dma;
    return !use_dma || drive->channel->prdt;
}

/* ---- Finding drives ---- */

/* False: no drive, or none that is an ATA disk with LBA. */
static bool __init identify(struct ide_drive *drive)
{
    static u16 __initdata words[ID_WORDS];
    const struct ide_channel *channel = drive->channel;
    select_drive(drive, 0);
    /*
     * Without a drive the lines float, bit 7 is pulled down; a drive that is alone answers 0 for the other.
     */
    u8 status = inb(channel->io + ATA_STATUS);
    if (status == 0 || (status & 0x7F) == 0x7F)
        return false;
    outb(ATA_CMD_IDENTIFY, channel->io + ATA_STATUS);
    if (inb(channel->io + ATA_STATUS) == 0 || !ide_poll(channel, ATA_DRQ))
        return false;
    insw(channel->io + ATA_DATA, words, ID_WORDS);
    if (!(words[ID_CAPABILITIES] & ID_HAS_LBA))
        return false;
    drive->has_lba48 = words[ID_COMMAND_SET_2] & ID_HAS_LBA48;
    drive->use_dma = words[ID_CAPABILITIES] & ID_HAS_DMA;
    drive->bdev.nr_sectors = drive->has_lba48
                                 ? words[ID_LBA48_SECTORS] | (u64)words[ID_LBA48_SECTORS + 1] << 16 |
                                       (u64)words[ID_LBA48_SECTORS + 2] << 32
                                 : words[ID_LBA_SECTORS] | (u64)words[ID_LBA_SECTORS + 1] << 16;
    return drive->bdev.nr_sectors != 0;
}

static void __init probe_channel(u32 number)
{
    struct ide_channel *channel = &channels[number];
    bool has_drive = false;
    outb(ATA_CTL_NIEN, channel->control);
    for (u8 unit = 0; unit < 2; unit++) {
        struct ide_drive *drive = &drives[2 * number + unit];
        *drive = (struct ide_drive){.channel = channel,
                                    .unit = unit,
                                    .bdev = {.name = drive_names[2 * number + unit],
                                             .driver = number ? "ide1" : "ide0",
                                             .bd_dev = MKDEV(number ? IDE1_MAJOR : IDE0_MAJOR, 64u * unit),
                                             .submit = submit}};
        if (!identify(drive))
            continue;
        if (!has_drive && channel->bus_master && !ide_dma_init(channel))
            channel->bus_master = 0;
        has_drive = true;
        drive->use_dma = drive->use_dma && channel->bus_master;
        add_disk(&drive->bdev);
        devtmpfs_create_node(drive->bdev.name, S_IFBLK | 0660, drive->bdev.bd_dev);
        pr_info("%s: %llu sectors, %s\n", drive->bdev.name, drive->bdev.nr_sectors,
                drive->use_dma ? "DMA" : "PIO");
    }
    if (!has_drive)
        return;
    /* What IDENTIFY asked while nobody listened is taken away by the status. */
    inb(channel->io + ATA_STATUS);
    init_completion(&channel->interrupt);
    mutex_init(&channel->mutex);
    request_irq(channel->irq, number == 0 ? primary_interrupt : secondary_interrupt,
                number == 0 ? "ide0" : "ide1");
    outb(0, channel->control);
}

void __init ide_init(void)
{
    const struct pci_dev *dev = pci_get_class(PCI_CLASS_STORAGE_IDE, NULL);
    if (dev == NULL)
        return;
    pci_enable_device(dev);
    pci_set_master(dev);
    iommu_attach_device(&ide_device, dev);
    for (u32 i = 0; i < NR_CHANNELS; i++) {
        const struct pci_bar *bar = &dev->bar[BUS_MASTER_BAR];
        if (bar->bytes && bar->is_io && bar->start)
            channels[i].bus_master = (u16)(bar->start + i * BUS_MASTER_STRIDE);
        probe_channel(i);
    }
}
