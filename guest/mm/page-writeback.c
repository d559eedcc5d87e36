/* Dirty pages go to the disk: when somebody asks for it, or when there are too many. */
#include "bug.h"
#include "fs.h"
#include "page_cache.h"

#define BATCH 16
/* Of all memory, so many parts may wait to be written (Linux's dirty_ratio: 20 percent). */
#define DIRTY_PART 5

int write_one_page(struct page *page)
{
    struct address_space *mapping = page->mapping;
    BUG_ON(!PageLocked(page));
    if (!PageDirty(page) || !mapping_has_disk(mapping))
        return 0;
    /* First: what is written from here on makes it dirty again. */
    clear_page_dirty(page);
    write_protect_page(page);
    int error = mapping->a_ops->writepage(page);
    if (error)
        mapping->wb_err = error;
    else
        page_cache_stat.nr_written++;
    return error;
}

/* The page is still the file's when it is locked, or it needs no writing. */
static int write_page_of(struct address_space *mapping, struct page *page)
{
    int error = 0;
    lock_page(page);
    if (page->mapping == mapping)
        error = write_one_page(page);
    unlock_page(page);
    return error;
}

int filemap_write_and_wait(struct address_space *mapping)
{
    unsigned long next = 0;
    int first_error = 0;
    if (!mapping_has_disk(mapping))
        return 0;
    while (mapping->nrdirty) {
        void *found[BATCH];
        u32 nr = radix_tree_gang_lookup(&mapping->page_tree, found, next, BATCH);
        if (nr == 0)
            break;
        for (u32 i = 0; i < nr; i++)
            get_page(found[i]);
        for (u32 i = 0; i < nr; i++) {
            struct page *page = found[i];
            next = page->mapping == mapping ? page->index + 1 : next;
            int error = PageDirty(page) || PageLocked(page) ? write_page_of(mapping, page) : 0;
            first_error = first_error ? first_error : error;
            put_page(page);
        }
        if (next == 0)
            break;
    }
    return first_error;
}

int filemap_check_errors(struct address_space *mapping)
{
    int error = mapping->wb_err;
    mapping->wb_err = 0;
    return error;
}

static unsigned long managed_pages(void)
{
    unsigned long sum = 0;
    struct zone *zone;
    for_each_populated_zone(zone) sum += zone->managed_pages;
    return sum;
}

void balance_dirty_pages(struct address_space *mapping)
{
    if (mapping_has_disk(mapping) && page_cache_stat.nr_dirty > managed_pages() / DIRTY_PART)
        (void)filemap_write_and_wait(mapping);
}
