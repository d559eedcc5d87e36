/* R5. What goes when memory is short: pages of files, or of processes. */
#include "asm/ptrace.h"
#include "asm/uaccess.h"
#include "blkdev.h"
#include "lab.h"
#include "number_file.h"
#include "own_mm.h"
#include "string.h"
#include "sys_mm.h"
#include "uaccess.h"
#include "vmstat.h"

#define START 0x10000000ul
#define NR_PAGES 1500u   /* of the process, and of the file */
#define NR_TO_FREE 600ul /* fewer than the disk has room for */

/* ---- Swap on the lab's disk ---- */

/* What mkswap(8) writes: the version and the last page behind 1024 bytes for the loader, and a signature. */
static int make_swap(struct block_device *disk)
{
    struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
    if (page == NULL)
        return -ENOMEM;
    u32 *words = page_address(page);
    words[256] = 1;
    words[257] = (u32)(disk->nr_sectors >> (PAGE_SHIFT - SECTOR_SHIFT)) - 1;
    memcpy((char *)words + PAGE_SIZE - 10, "SWAPSPACE2", 10);
    const struct bio_vec vec = {.bv_page = page, .bv_len = PAGE_SIZE};
    const struct bio bio = {.bi_bdev = disk, .bi_opf = REQ_OP_WRITE, .bi_io_vec = &vec, .bi_vcnt = 1};
    int error = submit_bio_wait(&bio);
    __free_page(page);
    return error;
}

static long call_with_name(long (*sys_call)(const struct pt_regs *regs), const char *name)
{
    const struct pt_regs regs = {.bx = (u32)name};
    bool before = set_fs_kernel(true);
    long result = sys_call(&regs);
    set_fs_kernel(before);
    return result;
}

/* ---- Reclaim with one setting ---- */

static u32 word_of(u32 number, u32 round)
{
    return number * 2654435761u + round;
}

/* Each kind is as much used as the other: once, and all of it. Nothing is known of the past. */
static bool fill_memory(struct inode *file, u32 round)
{
    struct zone *zone;
    for_each_populated_zone(zone) zone->lruvec.reclaim_stat =
        (struct zone_reclaim_stat){.recent_rotated = {0}};
    map_anonymous(current->mm, START, NR_PAGES << PAGE_SHIFT);
    for (u32 i = 0; i < NR_PAGES; i++) {
        if (put_user_u32(word_of(i, round), (u32 *)(START + (i << PAGE_SHIFT))) ||
            !number_file_read(file, i, NULL))
            return false;
    }
    return true;
}

static bool memory_is_right(u32 round)
{
    for (u32 i = 0; i < NR_PAGES; i++) {
        u32 value;
        if (get_user_u32(&value, (const u32 *)(START + (i << PAGE_SHIFT))) || value != word_of(i, round))
            return false;
    }
    return true;
}

/* Pages of the process among those that were freed, in thousandths. */
static u32 share_of_anon(u32 round, unsigned long swappiness)
{
    struct mm_struct *mm = new_mm();
    struct inode file;
    use_mm(mm);
    number_file_open(&file);
    lab_check(fill_memory(&file, round), "swappiness %lu: %u pages of a process, %u of a file", swappiness,
              NR_PAGES, NR_PAGES);
    unsigned long nr_anon = vm_events[PGSTEAL_ANON], nr_file = vm_events[PGSTEAL_FILE];
    vm_swappiness = swappiness;
    for (unsigned long nr_freed = 0, nr = 1; nr && nr_freed < NR_TO_FREE; nr_freed += nr)
        nr = try_to_free_pages(GFP_HIGHUSER_MOVABLE, 0);
    nr_anon = vm_events[PGSTEAL_ANON] - nr_anon;
    nr_file = vm_events[PGSTEAL_FILE] - nr_file;
    lab_figure("freed of the process", nr_anon, 1, "pages");
    lab_figure("freed of the file", nr_file, 1, "pages");
    lab_check(nr_anon + nr_file >= NR_TO_FREE, "%lu pages were freed", nr_anon + nr_file);
    lab_check(memory_is_right(round), "the process's pages come back, and hold what they held");
    use_mm(NULL);
    mmput(mm);
    inode_free_mapping(&file);
    return (u32)(nr_anon * 1000 / max(nr_anon + nr_file, 1ul));
}

static void swappiness(void)
{
    static const unsigned long settings[] = {0, 20, 60, 100};
    struct block_device *disk = blkdev_get_by_name("hda");
    u32 shares[ARRAY_SIZE(settings)];
    const unsigned long before = vm_swappiness;
    if (disk == NULL) {
        lab_skip("there is no disk for swap");
        return;
    }
    if (!lab_check(make_swap(disk) == 0 && call_with_name(sys_swapon, "/dev/hda") == 0, "swap on /dev/hda"))
        return;
    for (u32 i = 0; i < ARRAY_SIZE(settings); i++)
        shares[i] = share_of_anon(i, settings[i]);
    vm_swappiness = before;
    lab_check(shares[0] == 0, "with swappiness 0, all pages that go are the file's");
    bool is_rising = true;
    for (u32 i = 1; i < ARRAY_SIZE(settings); i++)
        is_rising &= shares[i] > shares[i - 1];
    lab_check(is_rising, "the higher it is, the more are the process's: %u, %u, %u, %u of 1000", shares[0],
              shares[1], shares[2], shares[3]);
    lab_check(call_with_name(sys_swapoff, "/dev/hda") == 0, "swapoff");
}
LAB("swappiness", swappiness);
