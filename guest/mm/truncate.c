/* Pages leave the cache because the file does not have them any more. */
#include "bug.h"
#include "err.h"
#include "fs.h"
#include "highmem.h"
#include "page_cache.h"
#include "rmap.h"
#include "string.h"

#define BATCH 16

/* A page that is locked by somebody else goes when he is done with it. */
static void drop_page(struct address_space *mapping, struct page *page)
{
    lock_page(page);
    if (page->mapping == mapping) {
        unmap_page(page);
        remove_from_page_cache(page);
    }
    unlock_page(page);
}

static void drop_pages_from(struct address_space *mapping, unsigned long first)
{
    void *found[BATCH];
    u32 nr;
    while ((nr = radix_tree_gang_lookup(&mapping->page_tree, found, first, BATCH)) != 0) {
        for (u32 i = 0; i < nr; i++)
            get_page(found[i]);
        for (u32 i = 0; i < nr; i++) {
            drop_page(mapping, found[i]);
            put_page(found[i]);
        }
    }
}

void truncate_inode_pages(struct address_space *mapping)
{
    drop_pages_from(mapping, 0);
    BUG_ON(mapping->nrpages || mapping->nrdirty);
}

/* Nobody but the cache has the page, and the disk has what it holds. */
static bool can_be_invalidated(const struct page *page)
{
    return !PageLocked(page) && !PageDirty(page) && page->_mapcount == 0 && page->_refcount == 1;
}

unsigned long invalidate_mapping_pages(struct address_space *mapping, unsigned long first, unsigned long last)
{
    unsigned long nr_freed = 0;
    void *found[BATCH];
    u32 nr;
    while ((nr = radix_tree_gang_lookup(&mapping->page_tree, found, first, BATCH)) != 0) {
        for (u32 i = 0; i < nr; i++) {
            struct page *page = found[i];
            if (page->index > last)
                return nr_freed;
            first = page->index + 1;
            if (!can_be_invalidated(page))
                continue;
            get_page(page);
            page->flags |= PG_locked;
            remove_from_page_cache(page);
            unlock_page(page);
            put_page(page);
            nr_freed++;
        }
        if (first == 0)
            break;
    }
    return nr_freed;
}

/* What stands behind the end in the last page would be seen again if the file grew. */
static int clear_rest_of_page(struct address_space *mapping, loff_t size)
{
    u32 offset = offset_in_page(size);
    unsigned long index = (unsigned long)(size >> PAGE_SHIFT);
    if (offset == 0)
        return 0;
    struct page *page = read_mapping_page(mapping, index, NULL);
    if (IS_ERR(page))
        return (int)PTR_ERR(page);
    lock_page(page);
    if (page->mapping == mapping) {
        char *address = kmap_atomic(page);
        memset(address + offset, 0, PAGE_SIZE - offset);
        kunmap_atomic(address);
        set_page_dirty(page);
    }
    unlock_page(page);
    put_page(page);
    return 0;
}

int truncate_pagecache(struct inode *inode, loff_t new_size)
{
    struct address_space *mapping = inode->i_mapping;
    unsigned long first = (unsigned long)((new_size + (loff_t)PAGE_SIZE - 1) >> PAGE_SHIFT);
    unmap_mapping_range(mapping, first);
    drop_pages_from(mapping, first);
    return clear_rest_of_page(mapping, new_size);
}
