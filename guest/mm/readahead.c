/*
 * Read-ahead: who reads a file from front to back gets the pages behind the one that is missing with the same
 * command to the disk. A window of pages is read at a time; as long as the next miss comes right behind the
 * last window, the next one is larger, up to ra_pages.
 */
#include "blkdev.h"
#include "fs.h"
#include "memcontrol.h"
#include "page_cache.h"

static u32 roundup_pow_of_two(u32 value)
{
    u32 power = 1;
    while (power < value)
        power *= 2;
    return power;
}

/* Linux's steps, in pages: the first window, by how much was asked for, and the one behind another. */
static u32 get_init_ra_size(u32 wanted, u32 most)
{
    u32 size = roundup_pow_of_two(wanted);
    if (size <= most / 32)
        size *= 4;
    else if (size <= most / 4)
        size *= 2;
    return min(size, most);
}

static u32 get_next_ra_size(u32 size, u32 most)
{
    return min(size < most / 16 ? size * 4 : size * 2, most);
}

static struct block_device *bdev_of(const struct address_space *mapping)
{
    const struct inode *inode = mapping->host;
    return S_ISBLK(inode->i_mode) ? inode->i_bdev : inode->i_sb->s_bdev;
}

/* ---- Reading pages that are not there ---- */

struct read_batch {
    struct address_space *mapping;
    u32 nr;
    struct page *pages[MAX_PAGES_AT_ONCE];
};

/* What could not be read leaves the cache: who really wants it asks once more, and is told the error. */
static void read_batch(struct read_batch *batch)
{
    if (batch->nr == 0)
        return;
    (void)batch->mapping->a_ops->readpages(batch->pages, batch->nr);
    for (u32 i = 0; i < batch->nr; i++) {
        struct page *page = batch->pages[i];
        if (page->flags & PG_error) {
            page->flags &= ~PG_error;
            remove_from_page_cache(page);
        } else {
            page->flags |= PG_uptodate;
            page_cache_stat.nr_read++;
        }
        unlock_page(page);
        put_page(page);
    }
    batch->nr = 0;
}

/* False: no memory for it, or somebody else has just added it. */
static bool add_to_batch(struct read_batch *batch, unsigned long index)
{
    /* While pages are locked, nobody sleeps for memory. */
    struct page *page = alloc_page((batch->mapping->gfp_mask & ~__GFP_IO) | __GFP_NOWARN);
    if (page == NULL)
        return false;
    page->flags |= PG_locked;
    if (mem_cgroup_charge(page, batch->mapping->gfp_mask & ~__GFP_IO) ||
        add_to_page_cache(page, batch->mapping, index)) {
        page->flags &= ~PG_locked;
        put_page(page);
        return false;
    }
    batch->pages[batch->nr++] = page;
    return true;
}

/* Those of nr pages from first on that are not in the cache and lie in the file. Returns how many it read. */
static u32 do_page_cache_readahead(struct address_space *mapping, unsigned long first, u32 nr)
{
    struct read_batch batch = {.mapping = mapping};
    const loff_t size = i_size_read(mapping->host);
    const unsigned long before = page_cache_stat.nr_read;
    if (size == 0 || mapping->a_ops->readpages == NULL)
        return 0;
    const unsigned long last = (unsigned long)((size - 1) >> PAGE_SHIFT);
    for (unsigned long index = first; index < first + nr && index <= last; index++) {
        if (radix_tree_lookup(&mapping->page_tree, index) || batch.nr == MAX_PAGES_AT_ONCE)
            read_batch(&batch);
        if (radix_tree_lookup(&mapping->page_tree, index) == NULL && !add_to_batch(&batch, index))
            break;
    }
    read_batch(&batch);
    return (u32)(page_cache_stat.nr_read - before);
}

/* ---- How much ---- */

static u32 file_ra_pages(const struct file *file)
{
    const struct block_device *bdev = bdev_of(file->f_mapping);
    u32 pages = bdev ? bdev->ra_pages : 0;
    if (file->f_ra.mode == RA_RANDOM)
        return 0;
    return file->f_ra.mode == RA_SEQUENTIAL ? 2 * pages : pages;
}

/* The window for a miss at index, of which the reader wants so many pages. */
static void next_window(struct file_ra_state *ra, unsigned long index, u32 wanted, u32 most)
{
    if (index == ra->start + ra->size && ra->size)
        ra->size = get_next_ra_size(ra->size, most);
    else
        ra->size = get_init_ra_size(wanted, most);
    ra->start = index;
}

void page_cache_sync_readahead(struct file *file, unsigned long index, u32 wanted)
{
    struct file_ra_state *ra = &file->f_ra;
    const u32 most = file_ra_pages(file);
    if (most == 0) {
        do_page_cache_readahead(file->f_mapping, index, min(wanted, MAX_PAGES_AT_ONCE));
        return;
    }
    bool is_sequential = index == 0 || index - ra->prev_index <= 1 || index == ra->start + ra->size;
    if (!is_sequential && wanted <= most) {
        /* Anywhere in the file: what is wanted, and nothing else. */
        do_page_cache_readahead(file->f_mapping, index, wanted);
        return;
    }
    next_window(ra, index, wanted, most);
    do_page_cache_readahead(file->f_mapping, index, ra->size);
}

/*
 * A program's pages are used around each other, in both directions, and with gaps: reading less than a reader
 * gets pays more.
 */
#define READAROUND_PART 4
#define MMAP_LOTSAMISS 100

void filemap_readaround(struct file *file, unsigned long index)
{
    struct file_ra_state *ra = &file->f_ra;
    const u32 pages = file_ra_pages(file) / READAROUND_PART;
    if (pages == 0)
        return;
    if (file->f_ra.mode == RA_SEQUENTIAL) {
        page_cache_sync_readahead(file, index, 1);
        return;
    }
    /* Where it has not helped for long, it is not tried any more. */
    if (ra->mmap_miss < MMAP_LOTSAMISS * 10)
        ra->mmap_miss++;
    if (ra->mmap_miss > MMAP_LOTSAMISS)
        return;
    unsigned long first = index - min(index, (unsigned long)pages / 2);
    do_page_cache_readahead(file->f_mapping, first, pages);
}

void force_page_cache_readahead(struct address_space *mapping, unsigned long first, unsigned long nr)
{
    const unsigned long end =
        (unsigned long)((i_size_read(mapping->host) + (loff_t)PAGE_SIZE - 1) >> PAGE_SHIFT);
    if (first >= end)
        return;
    for (nr = min(nr, end - first); nr > 0;) {
        u32 part = (u32)min(nr, (unsigned long)MAX_PAGES_AT_ONCE);
        do_page_cache_readahead(mapping, first, part);
        first += part;
        nr -= part;
    }
}
