/*
 * The page cache: a file's pages in memory, found by the file's address space and the page's number in it.
 * read(), write() and mappings all go through it, so that they see the same bytes; what was written goes to
 * the disk later, or never if the file has none (ramfs).
 *
 * The cache holds a reference to each page, a mapping in a process another, whoever works with one a third
 * (find_get_page() takes it, put_page() drops it). A page is locked (PG_locked) while it is read, written to
 * disk, or taken out of the cache; who has got the lock must look whether page->mapping still is the file's.
 */
#pragma once

#include "mm.h"
#include "radix-tree.h"

struct address_space;
struct file;
struct inode;
struct vm_area_struct;

/* 128 KiB: as much as one command of an IDE disk moves. */
#define MAX_PAGES_AT_ONCE 32u

/* Where the pages of a file come from. All get a locked page, and leave it locked. 0 or an error. */
struct address_space_operations {
    /* Fills the page; what lies behind the end of the file becomes zeroes. Waits for the disk. */
    int (*readpage)(struct page *page);
    /* Writes what lies within the file to disk, and waits. NULL: the pages live nowhere else. */
    int (*writepage)(struct page *page);
    /*
     * The same for up to MAX_PAGES_AT_ONCE pages of one file, in the order of their numbers, with as few
     * commands to the disk as possible. Those that it fails for get PG_error. NULL: one after another.
     */
    int (*readpages)(struct page **pages, u32 nr);
    int (*writepages)(struct page **pages, u32 nr);
    /* The block on disk of a block of the file's; 0: a hole. 0 or an error. NULL: it has no fixed place. */
    int (*bmap)(struct inode *inode, u32 block, u32 *disk_block);
    /*
     * Bytes from..to of the page are about to be written: takes the disk blocks for them. NULL: it needs
     * none.
     */
    int (*prepare_write)(struct page *page, u32 from, u32 to);
    /* A write ended early: blocks behind the end of the file go again. NULL: there are none. */
    void (*write_failed)(struct address_space *mapping);
};

struct address_space {
    struct inode *host; /* the file; a block device's pages have its inode */
    struct radix_tree_root page_tree;
    unsigned long nrpages, nrdirty;
    unsigned long nrwriteback; /* pages that are being written */
    const struct address_space_operations *a_ops;
    struct list_head i_mmap; /* areas that map the file, through vma->shared */
    gfp_t gfp_mask;          /* how its pages are allocated */
    int wb_err;              /* error of a write-back that nobody has been told yet */
};

/* Pages in all caches together, and what was moved. */
struct page_cache_stat {
    unsigned long nr_pages;
    unsigned long nr_dirty;            /* of these, the ones that wait to be written to a disk */
    unsigned long nr_writeback;        /* pages that are being written */
    unsigned long nr_read, nr_written; /* pages moved from and to disks since the boot */
    unsigned long nr_dirtied;          /* pages that had to be written to one */
};
extern struct page_cache_stat page_cache_stat;

void page_cache_init(void);
/*
 * A new inode gets an empty address space, whose pages will be allocated with gfp_mask (GFP_HIGHUSER_MOVABLE,
 * unless the kernel itself works in them). 0 or -ENOMEM.
 */
int inode_init_mapping(struct inode *inode, const struct address_space_operations *a_ops, gfp_t gfp_mask);
/* An inode that goes loses it, with all pages, written or not. It may have none. */
void inode_free_mapping(struct inode *inode);

/* Where in its page a position of a file lies. */
static inline u32 offset_in_page(loff_t pos)
{
    return (u32)pos & (u32)(PAGE_SIZE - 1);
}

static inline bool PageLocked(const struct page *page)
{
    return page->flags & PG_locked;
}

static inline bool PageUptodate(const struct page *page)
{
    return page->flags & PG_uptodate;
}

static inline bool PageDirty(const struct page *page)
{
    return page->flags & PG_dirty;
}

static inline bool PageAnon(const struct page *page)
{
    return page->flags & PG_anon;
}

/* ---- Locks (mm/page_lock.c) ---- */

/* Waits until nobody has the lock, and takes it. */
void lock_page(struct page *page);
bool trylock_page(struct page *page);
void unlock_page(struct page *page);

/* ---- Pages of a file (mm/filemap.c) ---- */

/* The page, with a reference, or NULL: it is not in the cache. */
struct page *find_get_page(struct address_space *mapping, unsigned long index);
/* The same, locked. */
struct page *find_lock_page(struct address_space *mapping, unsigned long index);
/* The same; a page that is not there is added, locked and not up to date. NULL: no memory. */
struct page *find_or_create_page(struct address_space *mapping, unsigned long index);
/* Puts a page of the caller's, locked, in the cache, which takes a reference. 0, -EEXIST, -ENOMEM. */
int add_to_page_cache(struct page *page, struct address_space *mapping, unsigned long index);
/* Takes it out, and drops the cache's reference. The page is locked, and nobody has it mapped. */
void remove_from_page_cache(struct page *page);
/*
 * The page with its content, with a reference and not locked, or an error (IS_ERR). *is_major (or NULL)
 * becomes true if that took reading.
 */
struct page *read_mapping_page(struct address_space *mapping, unsigned long index, bool *is_major);
/* The page will be written back, or must stay if it has no place elsewhere. */
void set_page_dirty(struct page *page);

/* ---- Read-ahead (mm/readahead.c) ---- */

struct file_ra_state;
/* The page is not there, and a reader wants so many from it on: reads them, and what he may want next. */
void page_cache_sync_readahead(struct file *file, unsigned long index, u32 wanted);
/* The same for a page fault: pages around it. A page that was there makes up for a miss. */
void filemap_readaround(struct file *file, unsigned long index);
/* So many pages from number first on, as far as the file goes. Errors are told to who reads them. */
void force_page_cache_readahead(struct address_space *mapping, unsigned long first, unsigned long nr);

/* ---- What most file systems' operations are (mm/filemap_io.c, mm/filemap_fault.c) ---- */

/* Bytes moved, less than count only at the end of the file or after an error, or the error; *pos moves on. */
ssize_t generic_file_read(struct file *file, char *user_buffer, size_t count, loff_t *pos);
ssize_t generic_file_write(struct file *file, const char *user_buffer, size_t count, loff_t *pos);
int generic_file_mmap(struct file *file, struct vm_area_struct *vma);
/* Writes the dirty pages and what the file system knows of the file. 0 or an error, of earlier writes too. */
int generic_file_fsync(struct file *file, int datasync);

/* readpage() for files that have no disk: a page of zeroes. */
int simple_readpage(struct page *page);

/* ---- Truncation (mm/truncate.c) ---- */

/*
 * The file ends at new_size now, which i_size says already: pages behind it go, from processes too, and the
 * rest of the last one becomes zeroes. 0 or the error of reading that one.
 */
int truncate_pagecache(struct inode *inode, loff_t new_size);
/*
 * Frees those pages from number first to last that are clean and that nobody uses or maps. Returns how many.
 */
unsigned long invalidate_mapping_pages(struct address_space *mapping, unsigned long first,
                                       unsigned long last);
/* All pages go, written or not. Nobody maps the file. */
void truncate_inode_pages(struct address_space *mapping);

/* ---- Write-back (mm/page-writeback.c) ---- */

/* Writes all dirty pages of the file. 0 or the first error, which filemap_check_errors() tells, too. */
int filemap_write_and_wait(struct address_space *mapping);
/* The error of write-backs since this was asked last, or 0. */
int filemap_check_errors(struct address_space *mapping);
/*
 * After a page was made dirty: sleeps while there are too many. The caller holds no lock that writing pages
 * needs.
 */
void balance_dirty_pages(struct address_space *mapping);

/* ---- Getting memory back (swap.h) ---- */

/*
 * Frees up to so many clean pages of files that nobody uses, those first that were not used for long. Returns
 * how many.
 */
unsigned long shrink_page_cache(unsigned long nr);
