/* Pages to swap areas and back. */
#include "bug.h"
#include "errno.h"
#include "lookaside.h"
#include "page_cache.h"
#include "printk.h"
#include "swap_info.h"

sector_t swap_slot_sector(const struct swap_info_struct *si, u32 slot)
{
    u32 low = 0, high = si->nr_extents;
    while (high - low > 1) {
        u32 middle = (low + high) / 2;
        if (si->extents[middle].start_slot <= slot)
            low = middle;
        else
            high = middle;
    }
    const struct swap_extent *extent = &si->extents[low];
    return extent->start_sector + ((sector_t)(slot - extent->start_slot) << (PAGE_SHIFT - SECTOR_SHIFT));
}

static int move_page(struct page *page, enum req_op op)
{
    swp_entry_t entry = page_swp_entry(page);
    const struct swap_info_struct *si = swap_info_of(entry);
    const struct bio_vec vec = {.bv_page = page, .bv_len = PAGE_SIZE};
    const struct bio bio = {.bi_bdev = si->bdev,
                            .bi_opf = op,
                            .bi_sector = swap_slot_sector(si, (u32)swp_offset(entry)),
                            .bi_io_vec = &vec,
                            .bi_vcnt = 1};
    count_vm_event(op == REQ_OP_WRITE ? PSWPOUT : PSWPIN);
    int error = submit_bio_wait(&bio);
    if (error && error != -ENOMEM) /* of a compressed disk, which is no fault */
        pr_err("%s: swap slot %lu cannot be %s\n", si->bdev->name, swp_offset(entry),
               op == REQ_OP_WRITE ? "written" : "read");
    return error ? -EIO : 0;
}

int swap_writepage(struct page *page)
{
    BUG_ON(!PageLocked(page) || !PageSwapCache(page));
    page->flags &= ~PG_dirty;
    /* All who had it are gone. */
    if (page->_mapcount == 0 && swap_count(page_swp_entry(page)) == 0)
        return 0;
    lk_mm_swap_out(page_to_pfn(page), (u32)page->index);
    int error = move_page(page, REQ_OP_WRITE);
    if (error)
        page->flags |= PG_dirty;
    return error;
}

int swap_readpage(struct page *page)
{
    BUG_ON(!PageLocked(page) || !PageSwapCache(page));
    return move_page(page, REQ_OP_READ);
}
