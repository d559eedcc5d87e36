/* For tests without processes: no page is anonymous, and none is mapped. */
#include "errno.h"
#include "swapops.h"

unsigned long nr_swap_pages, total_swapcache_pages;

int add_to_swap(struct page *page)
{
    (void)page;
    return -ENOSPC;
}

enum ttu_result try_to_unmap(struct page *page)
{
    (void)page;
    return TTU_SUCCESS;
}

void delete_from_swap_cache(struct page *page)
{
    (void)page;
}

bool try_to_free_swap(struct page *page)
{
    (void)page;
    return false;
}

int swap_writepage(struct page *page)
{
    (void)page;
    return -EIO;
}
