/*
 * sendfile(2): from file to file without the user's memory. What takes pages (sockets) is given the page
 * cache's own; to others go copies, by way of a page.
 */
#include "err.h"
#include "fdtable.h"
#include "fs_calls.h"
#include "gfp.h"
#include "internal.h"

#define MAX_SENDFILE_COUNT 0x7FFFF000u

/* The page of in at pos, with a reference; NULL: nothing is to be sent any more. Or an error. */
static struct page *get_page_at(const struct file *in, loff_t pos, size_t count)
{
    struct address_space *mapping = in->f_mapping;
    if (count == 0 || pos >= i_size_read(mapping->host))
        return NULL;
    return read_mapping_page(mapping, (unsigned long)(pos >> PAGE_SHIFT), NULL);
}

/*
 * The next page is there before one is sent, so that whoever puts packets together knows which is the last.
 */
ssize_t send_pages(struct file *out, const struct file *in, loff_t *pos, size_t count)
{
    size_t total = 0;
    struct page *page = get_page_at(in, *pos, count), *next;
    ssize_t error = IS_ERR(page) ? PTR_ERR(page) : 0;
    for (; page && !error; page = next) {
        u32 offset = offset_in_page(*pos), bytes = (u32)min((size_t)PAGE_SIZE - offset, count - total);
        bytes = (u32)min((loff_t)bytes, i_size_read(in->f_mapping->host) - *pos);
        next = get_page_at(in, *pos + bytes, count - total - bytes);
        error = IS_ERR(next) ? PTR_ERR(next) : 0;
        ssize_t sent = out->f_op->sendpage(out, page, offset, bytes, next && !error);
        put_page(page);
        if (sent > 0) {
            total += (size_t)sent;
            *pos += sent;
        }
        if (sent < (ssize_t)bytes) {
            if (next && !error)
                put_page(next);
            error = sent < 0 ? sent : 0;
            break;
        }
    }
    return total ? (ssize_t)total : error;
}

static ssize_t send_copies(struct file *out, struct file *in, loff_t *pos, size_t count, char *page)
{
    size_t total = 0;
    while (total < count) {
        loff_t read_pos = *pos;
        ssize_t got = kernel_read(in, page, min(count - total, (size_t)PAGE_SIZE), &read_pos);
        if (got <= 0)
            return total ? (ssize_t)total : got;
        ssize_t put = kernel_write(out, page, (size_t)got, &out->f_pos);
        if (put <= 0)
            return total ? (ssize_t)total : put;
        total += (size_t)put;
        *pos += put;
        if (put < got)
            break;
    }
    return (ssize_t)total;
}

static ssize_t send(struct file *out, struct file *in, loff_t *pos, size_t count)
{
    if (out->f_op->sendpage && in->f_op->read == generic_file_read)
        return send_pages(out, in, pos, count);
    unsigned long page = __get_free_pages(GFP_KERNEL, 0);
    if (page == 0)
        return -ENOMEM;
    ssize_t result = send_copies(out, in, pos, count, (char *)page);
    free_pages(page, 0);
    return result;
}

static long send_at(u32 out_fd, struct file *in, loff_t *pos, size_t count)
{
    if (!(in->f_mode & FMODE_READ))
        return -EBADF;
    /*
     * What waits for more would hold back what has come, and a terminal's Ctrl-D would be taken for no
     * byte.
     */
    umode_t mode = file_inode(in)->i_mode;
    if (!S_ISREG(mode) && !S_ISBLK(mode))
        return -EINVAL;
    struct file *out = fget(out_fd);
    if (out == NULL)
        return -EBADF;
    long result = -EBADF;
    if (out->f_flags & O_APPEND)
        result = -EINVAL;
    else if (out->f_mode & FMODE_WRITE)
        result = send(out, in, pos, min(count, (size_t)MAX_SENDFILE_COUNT));
    fput(out);
    return result;
}

long do_sendfile64(u32 out_fd, u32 in_fd, loff_t *offset, size_t count)
{
    struct file *in = fget(in_fd);
    if (in == NULL)
        return -EBADF;
    long result;
    if (offset == NULL)
        result = send_at(out_fd, in, &in->f_pos, count);
    else if (!(in->f_mode & FMODE_LSEEK))
        result = -ESPIPE;
    else
        result = *offset < 0 ? -EINVAL : send_at(out_fd, in, offset, count);
    fput(in);
    return result;
}
