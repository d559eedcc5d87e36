/* A file of a lab's own, on a disk that costs nothing: each page holds its number. */
#pragma once

#include "bug.h"
#include "err.h"
#include "fs.h"
#include "highmem.h"
#include "pagemap.h"
#include "swap.h"

static inline int number_readpage(struct page *page)
{
    u32 *words = kmap_atomic(page);
    words[0] = (u32)page->index;
    kunmap_atomic(words);
    return 0;
}

/* The disk knows it already. */
static inline int number_writepage(struct page *page)
{
    (void)page;
    return 0;
}

static const struct address_space_operations number_aops = {.readpage = number_readpage,
                                                            .writepage = number_writepage};

static inline void number_file_open(struct inode *inode)
{
    *inode = (struct inode){.i_size = 1ll << 40};
    BUG_ON(inode_init_mapping(inode, &number_aops, GFP_HIGHUSER_MOVABLE));
}

static inline bool number_file_has(const struct inode *inode, unsigned long number)
{
    struct page *page = find_get_page(inode->i_mapping, number);
    if (page)
        put_page(page);
    return page != NULL;
}

/*
 * Reads a page as read() does. False: no memory, or it holds something else. *is_major (or NULL) becomes true
 * if it was not in memory.
 */
static inline bool number_file_read(const struct inode *inode, unsigned long number, bool *is_major)
{
    struct page *page = read_mapping_page(inode->i_mapping, number, is_major);
    if (IS_ERR(page))
        return false;
    const u32 *words = kmap_atomic(page);
    bool is_right = words[0] == (u32)number;
    kunmap_atomic((void *)words);
    mark_page_accessed(page);
    put_page(page);
    return is_right;
}
