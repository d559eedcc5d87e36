/* read() and write() through the page cache: one copy, between the cache and the program's buffer. */
#include "asm/uaccess.h"
#include "bug.h"
#include "err.h"
#include "fs.h"
#include "highmem.h"
#include "page_cache.h"
#include "swap.h"
#include "vmstat.h"

/*
 * Copies between a page and a user's buffer without sleeping: the page may be locked, and kmap_atomic()'s
 * addresses are nobody's but this task's as long as no other runs. Returns the bytes that could not be copied
 * because the buffer is not there at the moment.
 */
static unsigned long copy_page_to_user(char __user *to, struct page *page, u32 offset, u32 bytes)
{
    const char *from = kmap_atomic(page);
    pagefault_disable();
    unsigned long left = copy_to_user(to, from + offset, bytes);
    pagefault_enable();
    kunmap_atomic((void *)from);
    count_vm_events(FILEMAP_TO_USER, bytes - left);
    return left;
}

static unsigned long copy_page_from_user(struct page *page, u32 offset, const char __user *from, u32 bytes)
{
    char *to = kmap_atomic(page);
    pagefault_disable();
    unsigned long left = copy_from_user(to + offset, from, bytes);
    pagefault_enable();
    kunmap_atomic(to);
    count_vm_events(FILEMAP_FROM_USER, bytes - left);
    return left;
}

/* Brings in the pages of a buffer of at most a page; false: there is no such memory. */
static bool fault_in_readable(const char __user *from, u32 bytes)
{
    char unused;
    return copy_from_user(&unused, from, 1) == 0 && copy_from_user(&unused, from + bytes - 1, 1) == 0;
}

/* The same; what the buffer holds is overwritten, which the caller is about to do anyway. */
static bool fault_in_writable(char __user *to, u32 bytes)
{
    return copy_to_user(to, "", 1) == 0 && copy_to_user(to + bytes - 1, "", 1) == 0;
}

/* Bytes of one page. Fewer than were asked for, or -EFAULT, when the buffer is bad. */
static ssize_t read_from_page(struct page *page, u32 offset, char __user *to, u32 bytes)
{
    unsigned long left = copy_page_to_user(to, page, offset, bytes);
    while (left) {
        u32 done = bytes - (u32)left;
        if (!fault_in_writable(to + done, (u32)left))
            return done ? (ssize_t)done : -EFAULT;
        left = copy_page_to_user(to + done, page, offset + done, (u32)left);
    }
    return (ssize_t)bytes;
}

/* Pages in which so many bytes lie that begin at an offset in the first; of very many, enough to know. */
static u32 pages_wanted(u32 offset, size_t bytes)
{
    return (u32)((offset + min(bytes, (size_t)1 << 30) + PAGE_SIZE - 1) >> PAGE_SHIFT);
}

ssize_t generic_file_read(struct file *file, char __user *user_buffer, size_t count, loff_t *pos)
{
    struct address_space *mapping = file->f_mapping;
    ssize_t done = 0;
    while ((size_t)done < count) {
        loff_t size = i_size_read(mapping->host);
        if (*pos >= size)
            break;
        u32 offset = offset_in_page(*pos), bytes = (u32)PAGE_SIZE - offset;
        bytes = (u32)min((size_t)bytes, count - (size_t)done);
        bytes = (u32)min((loff_t)bytes, size - *pos);
        unsigned long index = (unsigned long)(*pos >> PAGE_SHIFT);
        if (radix_tree_lookup(&mapping->page_tree, index) == NULL)
            page_cache_sync_readahead(file, index, pages_wanted(offset, count - (size_t)done));
        struct page *page = read_mapping_page(mapping, index, NULL);
        if (IS_ERR(page))
            return done ? done : PTR_ERR(page);
        ssize_t moved = read_from_page(page, offset, user_buffer + done, bytes);
        /* A page that is read piece by piece is used once. */
        if (index != file->f_ra.prev_index || offset == 0)
            mark_page_accessed(page);
        file->f_ra.prev_index = index;
        put_page(page);
        if (moved < 0)
            return done ? done : moved;
        done += moved;
        *pos += moved;
        if (moved < (ssize_t)bytes)
            break;
    }
    return done;
}

/* ---- Writing ---- */

/* What a write of a part does not overwrite must be there first; behind the file's end, there is nothing. */
static int fill_rest_of_page(struct page *page, u32 from, u32 to)
{
    if (PageUptodate(page) || (from == 0 && to == (u32)PAGE_SIZE))
        return 0;
    if (((loff_t)page->index << PAGE_SHIFT) >= i_size_read(page->mapping->host)) {
        clear_highpage(page);
        return 0;
    }
    return page->mapping->a_ops->readpage(page);
}

/* Copies into a locked page; the bytes copied, which may be none, or an error. */
static ssize_t write_locked_page(struct page *page, u32 from, const char __user *buffer, u32 bytes)
{
    struct address_space *mapping = page->mapping;
    int error = fill_rest_of_page(page, from, from + bytes);
    if (error == 0 && mapping->a_ops->prepare_write)
        error = mapping->a_ops->prepare_write(page, from, from + bytes);
    if (error)
        return error;
    u32 copied = bytes - (u32)copy_page_from_user(page, from, buffer, bytes);
    /* A whole page was to come, and half of it has not: what is there is nobody's content. */
    if (copied < bytes && bytes == (u32)PAGE_SIZE && !PageUptodate(page))
        return 0;
    page->flags |= PG_uptodate;
    if (copied == 0)
        return 0;
    loff_t end = ((loff_t)page->index << PAGE_SHIFT) + from + copied;
    if (end > i_size_read(mapping->host)) {
        i_size_write(mapping->host, end);
        if (mapping->host->i_sb)
            mark_inode_dirty(mapping->host);
    }
    set_page_dirty(page);
    mark_page_accessed(page);
    return (ssize_t)copied;
}

/* A part that lies in one page. Returns the bytes written, at least one, or an error. */
static ssize_t write_part(struct address_space *mapping, loff_t pos, const char __user *buffer, u32 bytes)
{
    for (;;) {
        /* Before the page is locked: the buffer may be a mapping of the very same page. */
        if (!fault_in_readable(buffer, bytes))
            return -EFAULT;
        struct page *page = find_or_create_page(mapping, (unsigned long)(pos >> PAGE_SHIFT));
        if (page == NULL)
            return -ENOMEM;
        ssize_t copied = write_locked_page(page, offset_in_page(pos), buffer, bytes);
        unlock_page(page);
        put_page(page);
        if (copied)
            return copied;
    }
}

static ssize_t write_pages(struct address_space *mapping, const char __user *buffer, size_t count,
                           loff_t *pos)
{
    ssize_t done = 0, copied = 0;
    while ((size_t)done < count) {
        u32 bytes = (u32)min(count - (size_t)done, (size_t)(u32)PAGE_SIZE - offset_in_page(*pos));
        copied = write_part(mapping, *pos, buffer + done, bytes);
        if (copied < 0)
            break;
        done += copied;
        *pos += copied;
        balance_dirty_pages(mapping);
    }
    if (copied < 0 && mapping->a_ops->write_failed)
        mapping->a_ops->write_failed(mapping);
    return done ? done : copied;
}

/* How many of these bytes the file may still get, or -EFBIG. */
static ssize_t writable_bytes(const struct inode *inode, loff_t pos, size_t count)
{
    bool is_device = S_ISBLK(inode->i_mode);
    loff_t most = is_device ? i_size_read(inode) : inode->i_sb->s_maxbytes;
    if (count == 0)
        return 0;
    if (pos >= most)
        return is_device ? -ENOSPC : -EFBIG;
    return (ssize_t)min((loff_t)count, most - pos);
}

ssize_t generic_file_write(struct file *file, const char __user *user_buffer, size_t count, loff_t *pos)
{
    struct inode *inode = file->f_mapping->host;
    mutex_lock(&inode->i_mutex);
    if (file->f_flags & O_APPEND)
        *pos = i_size_read(inode);
    ssize_t done = writable_bytes(inode, *pos, count);
    if (done > 0) {
        file_update_time(file);
        done = write_pages(file->f_mapping, user_buffer, (size_t)done, pos);
    }
    mutex_unlock(&inode->i_mutex);
    return done;
}
