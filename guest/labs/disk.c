/*
 * A disk's sectors by PIO, where the CPU moves each word through a port, and by the bus master, which writes
 * them to memory itself. The disk is hda, whose words lookaside has filled (sim/lab_disk.c); what the lab
 * writes lookaside reads in the file.
 */
#include "blkdev.h"
#include "bug.h"
#include "errno.h"
#include "ide.h"
#include "lab.h"
#include "slab.h"

enum { NR_PAGES = 16, NR_SECTORS = NR_PAGES * 8, PAGE_WORDS = 1024, SECTOR_WORDS = 128 };
/* Where the lab writes, by PIO and by DMA: NR_SECTORS each. */
enum { PIO_SECTOR = 4096, DMA_SECTOR = 6144 };

static struct block_device *disk;
static struct bio_vec vecs[NR_PAGES];

static u32 disk_word(u32 number)
{
    return number * 0x9E3779B1u ^ 0xD15Cu;
}

static u32 written_word(u32 number)
{
    return ~disk_word(number);
}

static int transfer(enum req_op op, sector_t sector)
{
    const struct bio bio = {
        .bi_bdev = disk, .bi_opf = op, .bi_sector = sector, .bi_io_vec = vecs, .bi_vcnt = NR_PAGES};
    return submit_bio_wait(&bio);
}

static void fill(sector_t sector, u32 (*word)(u32))
{
    for (u32 i = 0; i < NR_PAGES; i++) {
        u32 *page = page_address(vecs[i].bv_page);
        for (u32 j = 0; j < PAGE_WORDS; j++)
            page[j] = word((u32)sector * SECTOR_WORDS + i * PAGE_WORDS + j);
    }
}

static u32 nr_wrong_words(sector_t sector, u32 (*word)(u32))
{
    u32 nr = 0;
    for (u32 i = 0; i < NR_PAGES; i++) {
        const u32 *page = page_address(vecs[i].bv_page);
        for (u32 j = 0; j < PAGE_WORDS; j++)
            nr += page[j] != word((u32)sector * SECTOR_WORDS + i * PAGE_WORDS + j);
    }
    return nr;
}

static u32 zero(u32 number)
{
    (void)number;
    return 0;
}

/* Reads 64 KiB, writes 64 KiB elsewhere and reads them back. */
static u64 go(const char *read_name, const char *write_name, sector_t to)
{
    struct lab_region reading, writing;
    fill(0, zero);
    lab_region_begin(&reading, read_name);
    int error = transfer(REQ_OP_READ, 0);
    lab_region_end(&reading);
    lab_check(error == 0 && nr_wrong_words(0, disk_word) == 0, "%s: %u sectors, each word right", read_name,
              NR_SECTORS);
    fill(to, written_word);
    lab_region_begin(&writing, write_name);
    error = transfer(REQ_OP_WRITE, to);
    lab_region_end(&writing);
    fill(0, zero);
    lab_check(error == 0 && transfer(REQ_OP_READ, to) == 0 && nr_wrong_words(to, written_word) == 0,
              "%s: %u sectors, read back, each word right", write_name, NR_SECTORS);
    if (lab_counts_cycles()) {
        lab_figure(read_name, reading.counts.cycles, 1, "cycles for 64 KiB");
        lab_figure(write_name, writing.counts.cycles, 1, "cycles for 64 KiB");
    }
    return reading.counts.cycles;
}

static void read_all(void)
{
    u32 nr_wrong = 0;
    int error = 0;
    for (sector_t sector = 0; sector + NR_SECTORS <= disk->nr_sectors; sector += NR_SECTORS) {
        bool is_written = sector == PIO_SECTOR || sector == DMA_SECTOR;
        error |= transfer(REQ_OP_READ, sector);
        nr_wrong += nr_wrong_words(sector, is_written ? written_word : disk_word);
    }
    lab_check(error == 0 && nr_wrong == 0,
              "all %llu sectors read by DMA: what was written, and the rest as it was", disk->nr_sectors);
}

static void disk_lab(void)
{
    disk = blkdev_get_by_name("hda");
    if (disk == NULL) {
        lab_skip("there is no disk");
        return;
    }
    for (u32 i = 0; i < NR_PAGES; i++) {
        vecs[i] = (struct bio_vec){.bv_page = alloc_page(GFP_KERNEL), .bv_len = PAGE_SIZE};
        BUG_ON(vecs[i].bv_page == NULL);
    }
    lab_say("hda has %llu sectors; devices %s", disk->nr_sectors,
            dma_default_coherent ? "snoop" : "do not snoop, so the driver flushes");
    ide_use_dma(disk, false);
    u64 pio_cycles = go("read by PIO", "write by PIO", PIO_SECTOR);
    if (lab_check(ide_use_dma(disk, true), "the controller has a bus master")) {
        u64 dma_cycles = go("read by DMA", "write by DMA", DMA_SECTOR);
        if (lab_counts_cycles())
            lab_check(dma_cycles < pio_cycles, "by DMA it takes less time");
        read_all();
    }
    lab_check(transfer(REQ_OP_READ, disk->nr_sectors - NR_SECTORS + 1) == -EINVAL,
              "a request beyond the last sector is refused");
    for (u32 i = 0; i < NR_PAGES; i++)
        __free_page(vecs[i].bv_page);
}
LAB("disk", disk_lab);
