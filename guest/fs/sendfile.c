/* sendfile(2): from file to file by way of a page, without the user's memory. */
#include "err.h"
#include "fdtable.h"
#include "fs_calls.h"
#include "gfp.h"
#include "internal.h"

static ssize_t send(struct file *out, struct file *in, loff_t *pos, size_t count, char *page)
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
        result = -ENOMEM;
    unsigned long page = result == -ENOMEM ? __get_free_pages(GFP_KERNEL, 0) : 0;
    if (page) {
        result = send(out, in, pos, count, (char *)page);
        free_pages(page, 0);
    }
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
