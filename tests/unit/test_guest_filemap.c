/*
 * The guest's page cache between programs and a disk that is an array: whatever is read, written, truncated,
 * written back, dropped and reclaimed, a file holds what an array of bytes holds.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "blkdev.h"
#include "errno.h"
#include "gfp.h"
#include "host_fs.h"
#include "host_mm.h"
#include "pagemap.h"
#include "slab.h"

#define NR_FILES 3
#define MAX_BYTES (40ul * PAGE_SIZE)
#define NR_STEPS (HOST_MANY * 10u)
#define BUFFER_BYTES (3 * PAGE_SIZE)

/* A file, what its disk holds, and what it ought to hold. */
static struct test_file {
    struct inode inode;
    struct file file;
    u8 disk[MAX_BYTES];
    u8 model[MAX_BYTES];
    u32 model_bytes;
    bool is_broken; /* the disk */
    bool is_full;
    bool has_lost; /* something could not be written: from here on the disk decides */
} files[NR_FILES];

static struct super_block sb = {.s_maxbytes = MAX_BYTES};

static struct test_file *test_file_of(const struct page *page)
{
    return container_of(page->mapping->host, struct test_file, inode);
}

static int test_readpage(struct page *page)
{
    struct test_file *file = test_file_of(page);
    if (file->is_broken)
        return -EIO;
    u8 *to = page_address(page);
    loff_t start = (loff_t)page->index << PAGE_SHIFT, end = i_size_read(&file->inode);
    u32 bytes = end <= start ? 0 : (u32)min(end - start, (loff_t)PAGE_SIZE);
    memcpy(to, file->disk + start, bytes);
    memset(to + bytes, 0, PAGE_SIZE - bytes);
    return 0;
}

static int test_writepage(struct page *page)
{
    struct test_file *file = test_file_of(page);
    if (file->is_broken)
        return -EIO;
    memcpy(file->disk + (page->index << PAGE_SHIFT), page_address(page), PAGE_SIZE);
    return 0;
}

static int test_prepare_write(struct page *page, u32 from, u32 to)
{
    cr_assert(from < to && to <= PAGE_SIZE);
    return test_file_of(page)->is_full ? -ENOSPC : 0;
}

static const struct address_space_operations test_aops = {
    .readpage = test_readpage, .writepage = test_writepage, .prepare_write = test_prepare_write};

static unsigned long free_before;

static void start(void)
{
    start_memory();
    kmem_cache_init();
    page_cache_init();
    free_before = nr_free_pages();
    for (u32 i = 0; i < NR_FILES; i++) {
        struct test_file *file = &files[i];
        file->inode.i_sb = &sb;
        mutex_init(&file->inode.i_mutex);
        cr_assert_eq(inode_init_mapping(&file->inode, &test_aops, GFP_HIGHUSER_MOVABLE), 0);
        file->file = (struct file){
            .f_count = 1, .f_inode = &file->inode, .f_mapping = file->inode.i_mapping, .f_mode = FMODE_READ};
    }
}

/* Everything goes, and nothing is left of it. */
static void end(void)
{
    for (u32 i = 0; i < NR_FILES; i++)
        inode_free_mapping(&files[i].inode);
    cr_assert_eq(page_cache_stat.nr_pages, 0);
    cr_assert_eq(page_cache_stat.nr_dirty, 0);
    kmem_cache_shrink_all();
    cr_assert_eq(nr_free_pages(), free_before);
}

static u8 buffer[BUFFER_BYTES];

static unsigned long drop_all(void)
{
    unsigned long nr_freed = 0;
    for (u32 i = 0; i < NR_FILES; i++)
        nr_freed += invalidate_mapping_pages(files[i].inode.i_mapping, 0, ~0ul);
    return nr_freed;
}

static void check_read(struct test_file *file, u32 pos, u32 bytes)
{
    loff_t at = pos;
    u32 there = pos < file->model_bytes ? min(bytes, file->model_bytes - pos) : 0;
    host_absent_address = random_below(4) ? NULL : (char *)buffer + random_below(BUFFER_BYTES);
    ssize_t got = generic_file_read(&file->file, (char *)buffer, bytes, &at);
    cr_assert_eq(got, (ssize_t)there, "read of %u at %u of %u: %ld", bytes, pos, file->model_bytes,
                 (long)got);
    cr_assert_eq(at, (loff_t)pos + there);
    cr_assert(memcmp(buffer, file->model + pos, there) == 0, "read of %u at %u: other bytes", bytes, pos);
}

static void try_write(struct test_file *file, u32 pos, u32 bytes)
{
    loff_t at = pos;
    u32 room = (u32)min((unsigned long)bytes, MAX_BYTES - pos);
    u8 value = (u8)random_below(256);
    for (u32 i = 0; i < bytes; i++)
        buffer[i] = (u8)(value + i * 7);
    u32 bad = random_below(8) ? BUFFER_BYTES : random_below(BUFFER_BYTES);
    host_bad_address = bad < BUFFER_BYTES ? (char *)buffer + bad : NULL;
    host_absent_address = random_below(4) ? NULL : (char *)buffer + random_below(BUFFER_BYTES);
    ssize_t got = generic_file_write(&file->file, (const char *)buffer, bytes, &at);
    host_bad_address = NULL;
    /* A bad byte may cost the bytes before it in its page. */
    ssize_t most = bad < room ? (ssize_t)bad : (ssize_t)room;
    if (bad >= room)
        cr_assert_eq(got, (ssize_t)room, "write of %u at %u: %ld", bytes, pos, (long)got);
    else
        cr_assert((got >= 0 && got <= most) || (got == -EFAULT && bad < PAGE_SIZE), "%ld", (long)got);
    if (got <= 0)
        return;
    cr_assert_eq(at, (loff_t)pos + got);
    if (pos > file->model_bytes)
        memset(file->model + file->model_bytes, 0, pos - file->model_bytes);
    memcpy(file->model + pos, buffer, (size_t)got);
    file->model_bytes = max(file->model_bytes, pos + (u32)got);
}

static void try_truncate(struct test_file *file, u32 bytes)
{
    if (bytes > file->model_bytes)
        memset(file->model + file->model_bytes, 0, bytes - file->model_bytes);
    bool is_shorter = bytes < file->model_bytes;
    file->model_bytes = bytes;
    i_size_write(&file->inode, bytes);
    if (is_shorter) {
        u32 kept = (u32)PAGE_ALIGN(bytes);
        cr_assert_eq(truncate_pagecache(&file->inode, bytes), 0);
        /* As a file system gives the blocks back. */
        memset(file->disk + kept, 0, MAX_BYTES - kept);
    }
    cr_assert_eq(i_size_read(&file->inode), bytes);
}

static void check_disk(struct test_file *file)
{
    cr_assert_eq(filemap_write_and_wait(file->inode.i_mapping), 0);
    cr_assert_eq(file->inode.i_mapping->nrdirty, 0);
    for (u32 i = 0; i < file->model_bytes; i++)
        if (file->disk[i] != file->model[i])
            cr_assert_fail("byte %u did not get to the disk", i);
}

static void step(void)
{
    struct test_file *file = &files[random_below(NR_FILES)];
    u32 pos = random_below(MAX_BYTES - 1), bytes = 1 + random_below(random_below(4) ? 300 : BUFFER_BYTES - 1);
    switch (random_below(12)) {
    case 0:
        try_truncate(file, random_below(3) ? random_below(MAX_BYTES) : random_below(2 * PAGE_SIZE));
        break;
    case 1:
        check_disk(file);
        break;
    case 2:
        drop_all();
        break;
    case 3:
        shrink_page_cache(1 + random_below(20));
        break;
    case 4:
    case 5:
    case 6:
    case 7:
        /* Mostly near the end, so that files do not become as long as they can at once. */
        try_write(file,
                  random_below(8) ? random_below(min(file->model_bytes + 5000, (u32)MAX_BYTES - 1)) : pos,
                  bytes);
        break;
    default:
        check_read(file, random_below(4) ? random_below(file->model_bytes + 100) : pos, bytes);
        break;
    }
}

Test(guest_filemap, files_hold_what_arrays_hold, .init = start)
{
    for (u32 n = 0; n < NR_STEPS; n++)
        step();
    for (u32 i = 0; i < NR_FILES; i++) {
        check_disk(&files[i]);
        check_read(&files[i], 0, BUFFER_BYTES);
    }
    cr_assert_gt(drop_all(), 0);
    cr_assert_eq(page_cache_stat.nr_pages, 0);
    end();
}

Test(guest_filemap, dirty_pages_stay_and_clean_ones_go, .init = start)
{
    try_write(&files[0], 0, PAGE_SIZE);
    try_write(&files[1], 0, PAGE_SIZE);
    cr_assert_eq(filemap_write_and_wait(files[0].inode.i_mapping), 0);
    cr_assert_eq(page_cache_stat.nr_dirty, 1);
    cr_assert_eq(shrink_page_cache(100), 1);
    cr_assert_eq(drop_all(), 0);
    cr_assert_eq(files[0].inode.i_mapping->nrpages, 0);
    cr_assert_eq(files[1].inode.i_mapping->nrpages, 1);
}

Test(guest_filemap, a_page_that_is_used_again_outlives_one_that_is_not, .init = start)
{
    for (u32 i = 0; i < NR_FILES; i++)
        try_write(&files[i], 0, 100);
    for (u32 i = 0; i < NR_FILES; i++)
        cr_assert_eq(filemap_write_and_wait(files[i].inode.i_mapping), 0);
    /* Each has been used; from now on only the first is. */
    cr_assert_eq(shrink_page_cache(1), 1);
    cr_assert_eq(page_cache_stat.nr_pages, 2);
    check_read(&files[1], 0, 100);
    cr_assert_eq(shrink_page_cache(1), 1);
    cr_assert_eq(files[1].inode.i_mapping->nrpages, 1);
}

Test(guest_filemap, errors_reach_whoever_asks, .init = start)
{
    struct test_file *file = &files[0];
    loff_t pos = 0;
    try_write(file, 0, 2 * PAGE_SIZE);
    file->is_broken = true;
    cr_assert_eq(filemap_write_and_wait(file->inode.i_mapping), -EIO);
    cr_assert_eq(filemap_check_errors(file->inode.i_mapping), -EIO);
    cr_assert_eq(filemap_check_errors(file->inode.i_mapping), 0);
    drop_all();
    cr_assert_eq(generic_file_read(&file->file, (char *)buffer, 10, &pos), -EIO);
    cr_assert_eq(pos, 0);
    /* A page that could not be read is not in the way of the next try. */
    cr_assert_eq(file->inode.i_mapping->nrpages, 0);
    file->is_broken = false;
    file->is_full = true;
    cr_assert_eq(generic_file_write(&file->file, (char *)buffer, 10, &pos), -ENOSPC);
    file->is_full = false;
    pos = (loff_t)MAX_BYTES;
    cr_assert_eq(generic_file_write(&file->file, (char *)buffer, 10, &pos), -EFBIG);
    pos = 0;
    cr_assert_eq(generic_file_read(&file->file, (char *)buffer, 10, &pos), 10);
}

Test(guest_filemap, files_larger_than_memory_can_be_read, .init = start)
{
    /* All pages but a few are somebody else's. */
    u32 nr = 0;
    while (nr_free_pages() > 600 && alloc_page(GFP_HIGHUSER | __GFP_NOWARN) != NULL)
        nr++;
    cr_assert_gt(nr, 1000);
    while (alloc_page(GFP_KERNEL & ~__GFP_RECLAIM) != NULL)
        ;
    for (u32 round = 0; round < 200; round++) {
        struct test_file *file = &files[round % NR_FILES];
        try_truncate(file, MAX_BYTES);
        check_read(file, (u32)(random_below(37) * PAGE_SIZE), 3 * PAGE_SIZE);
    }
}

/* ---- Read-ahead: a disk that moves many pages with one command ---- */

static struct {
    u32 nr_commands;
    unsigned long first, nr; /* pages of the last one */
    unsigned long bad;       /* a page that cannot be read */
} seen;

static int counted_readpage(struct page *page)
{
    seen.nr_commands++;
    seen.first = page->index;
    seen.nr = 1;
    return page->index == seen.bad ? -EIO : test_readpage(page);
}

static int counted_readpages(struct page **pages, u32 nr)
{
    int error = 0;
    seen.nr_commands++;
    seen.first = pages[0]->index;
    seen.nr = nr;
    for (u32 i = 0; i < nr; i++) {
        cr_assert_eq(pages[i]->index, seen.first + i, "a gap in a command");
        if (pages[i]->index == seen.bad || test_readpage(pages[i])) {
            pages[i]->flags |= PG_error;
            error = -EIO;
        }
    }
    return error;
}

static const struct address_space_operations counted_aops = {
    .readpage = counted_readpage, .readpages = counted_readpages, .writepage = test_writepage};

static void start_counted(void)
{
    static struct block_device bdev = {.ra_pages = 16};
    start();
    sb.s_bdev = &bdev;
    files[0].inode.i_mapping->a_ops = &counted_aops;
    seen.bad = ~0ul;
    try_truncate(&files[0], MAX_BYTES);
}

static void read_page(unsigned long index)
{
    check_read(&files[0], (u32)(index << PAGE_SHIFT), PAGE_SIZE);
}

Test(guest_filemap, windows_of_read_ahead_double, .init = start_counted)
{
    /* Linux's steps for windows of at most 16 pages: 1 page is asked for, so 2; then twice as many. */
    static const u32 windows[] = {2, 4, 8, 16, 10};
    unsigned long next = 0;
    for (u32 i = 0; i < sizeof(windows) / sizeof(*windows); i++) {
        read_page(next);
        cr_assert_eq(seen.nr_commands, i + 1);
        cr_assert_eq(seen.first, next);
        cr_assert_eq(seen.nr, windows[i], "window %u has %lu pages", i, seen.nr);
        for (unsigned long end = next + windows[i]; next < end; next++)
            read_page(next);
        cr_assert_eq(seen.nr_commands, i + 1, "pages of a window are there");
    }
    cr_assert_eq(next, MAX_BYTES >> PAGE_SHIFT);
}

Test(guest_filemap, who_reads_anywhere_gets_what_he_asks_for, .init = start_counted)
{
    static const unsigned long places[] = {30, 7, 21, 13, 38};
    for (u32 i = 0; i < sizeof(places) / sizeof(*places); i++) {
        read_page(places[i]);
        cr_assert_eq(seen.nr_commands, i + 1);
        cr_assert(seen.first == places[i] && seen.nr == 1);
    }
    files[0].file.f_ra.mode = RA_RANDOM;
    for (unsigned long index = 0; index < 5; index++)
        read_page(index);
    cr_assert_eq(seen.nr, 1, "in order, but said to be anywhere");
}

Test(guest_filemap, a_page_that_is_there_parts_a_window, .init = start_counted)
{
    read_page(20);
    force_page_cache_readahead(files[0].inode.i_mapping, 16, 8);
    cr_assert(seen.nr_commands == 3 && seen.first == 21 && seen.nr == 3);
    force_page_cache_readahead(files[0].inode.i_mapping, 0, ~0ul);
    cr_assert_eq(files[0].inode.i_mapping->nrpages, MAX_BYTES >> PAGE_SHIFT, "up to the file's end");
}

Test(guest_filemap, a_page_that_cannot_be_read_costs_no_other, .init = start_counted)
{
    loff_t pos = (loff_t)9 << PAGE_SHIFT;
    seen.bad = 9;
    force_page_cache_readahead(files[0].inode.i_mapping, 0, 16);
    cr_assert(seen.nr_commands == 1 && files[0].inode.i_mapping->nrpages == 15);
    for (unsigned long index = 0; index < 16; index++)
        if (index != seen.bad)
            read_page(index);
    cr_assert_eq(seen.nr_commands, 1);
    cr_assert_eq(generic_file_read(&files[0].file, (char *)buffer, 10, &pos), -EIO);
    cr_assert_eq(files[0].inode.i_mapping->nrpages, 15);
}
