#include "string.h"
#include "uaccess.h"

/* Pieces that are not cut by a page's end, behind which there may be nothing. */
#define PIECE_BYTES 64ul

static unsigned long piece_bytes(const char *from, long left)
{
    unsigned long to_boundary = PIECE_BYTES - (uintptr_t)from % PIECE_BYTES;
    return min(to_boundary, (unsigned long)left);
}

long strncpy_from_user(char *to, const char __user *from, long count)
{
    long done = 0;
    while (done < count) {
        unsigned long bytes = piece_bytes(from + done, count - done);
        if (copy_from_user(to + done, from + done, bytes))
            return -EFAULT;
        size_t length = strnlen(to + done, bytes);
        done += (long)length;
        if (length < bytes)
            break;
    }
    return done;
}
