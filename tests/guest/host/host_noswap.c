/* For tests without swap areas: no slot is ever read. */
#include "errno.h"
#include "swap_info.h"

int swap_readpage(struct page *page)
{
    (void)page;
    return -EIO;
}

int swap_writepage(struct page *page)
{
    (void)page;
    return -EIO;
}

sector_t swap_slot_sector(const struct swap_info_struct *si, u32 slot)
{
    (void)si;
    return slot;
}
