/* Moving a page's content to another frame (migrate.c). */
#pragma once

#include "mm.h"

/*
 * Moves a page of a process or a file to `copy`, a fresh one, and frees its frame; all entries that mapped it
 * map the new one, and its file finds it. 0, or -EBUSY: somebody but the page tables and the file holds it.
 */
int migrate_page_to(struct page *page, struct page *copy);
/* The same to whatever page there is. -ENOMEM: none. */
int migrate_page(struct page *page);
