/* Moving a page's content to another frame (migrate.c). */
#pragma once

#include "mm.h"

/*
 * Moves an anonymous page and frees its frame; all entries that mapped it map the new one. 0, -EBUSY
 * (somebody but the page tables holds it), or -ENOMEM.
 */
int migrate_page(struct page *page);
