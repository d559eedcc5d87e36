/* For tests without processes: no page can move. */
#include "errno.h"
#include "migrate.h"

int migrate_page(struct page *page)
{
    (void)page;
    return -EBUSY;
}
