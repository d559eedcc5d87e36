/* What a program says about how it will read a file: readahead(), posix_fadvise(). */
#include "errno.h"
#include "fcntl.h"
#include "fdtable.h"
#include "fs.h"
#include "fs_calls.h"
#include "writeback.h"

static bool has_pages(const struct file *file)
{
    return file->f_mapping && file->f_mapping->a_ops->readpage;
}

static unsigned long page_of(loff_t pos)
{
    return (unsigned long)(min(pos, (loff_t)0x7FFFFFFFull << PAGE_SHIFT) >> PAGE_SHIFT);
}

/* Pages of which only a part is not wanted stay. What is dirty is written first, so that it can go. */
static void dont_need(struct address_space *mapping, loff_t start, loff_t end)
{
    struct writeback_control wbc = WRITE_ALL(WB_SYNC_NONE);
    unsigned long first = page_of(start + (loff_t)PAGE_SIZE - 1);
    bool reaches_end = end >= i_size_read(mapping->host);
    unsigned long behind = page_of(reaches_end ? end + (loff_t)PAGE_SIZE - 1 : end);
    wbc.range_start = page_of(start);
    wbc.range_end = page_of(end);
    (void)do_writepages(mapping, &wbc);
    if (behind > first)
        invalidate_mapping_pages(mapping, first, behind - 1);
}

static long advise(struct file *file, loff_t start, loff_t end, u32 advice)
{
    switch (advice) {
    case POSIX_FADV_NORMAL:
        file->f_ra.mode = RA_NORMAL;
        return 0;
    case POSIX_FADV_RANDOM:
        file->f_ra.mode = RA_RANDOM;
        return 0;
    case POSIX_FADV_SEQUENTIAL:
        file->f_ra.mode = RA_SEQUENTIAL;
        return 0;
    case POSIX_FADV_WILLNEED:
        force_page_cache_readahead(file->f_mapping, page_of(start), page_of(end - 1) - page_of(start) + 1);
        return 0;
    case POSIX_FADV_DONTNEED:
        dont_need(file->f_mapping, start, end);
        return 0;
    case POSIX_FADV_NOREUSE:
        return 0;
    default:
        return -EINVAL;
    }
}

long do_fadvise(u32 fd, loff_t offset, loff_t length, u32 advice)
{
    struct file *file = fget(fd);
    if (file == NULL)
        return -EBADF;
    long result = (file->f_mode & FMODE_LSEEK) ? 0 : -ESPIPE;
    if (result == 0 && (length < 0 || advice > POSIX_FADV_NOREUSE))
        result = -EINVAL;
    if (result == 0 && has_pages(file) && offset >= 0) {
        /* No length: all of it; what would not fit in a position ends there, too. */
        loff_t most = (loff_t)(~0ull >> 1) - (loff_t)PAGE_SIZE;
        loff_t end = length == 0 || length > most - offset ? most : offset + length;
        result = advise(file, offset, end, advice);
    }
    fput(file);
    return result;
}

long do_readahead(u32 fd, loff_t offset, u32 count)
{
    struct file *file = fget(fd);
    if (file == NULL)
        return -EBADF;
    long result = !(file->f_mode & FMODE_READ) ? -EBADF : !has_pages(file) || offset < 0 ? -EINVAL : 0;
    if (result == 0 && count)
        force_page_cache_readahead(file->f_mapping, page_of(offset),
                                   page_of(offset + count - 1) - page_of(offset) + 1);
    fput(file);
    return result;
}
