/* For tests without processes: no page can move. */
#include "errno.h"
#include "migrate.h"
#include "mm_types.h"

pte_t *find_pte(struct mm_struct *mm, unsigned long address)
{
    (void)mm;
    (void)address;
    return NULL;
}

int migrate_page_to(struct page *page, struct page *copy)
{
    (void)page;
    (void)copy;
    return -EBUSY;
}

int migrate_page(struct page *page)
{
    (void)page;
    return -EBUSY;
}
