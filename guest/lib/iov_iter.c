#include "uaccess.h"
#include "uio.h"

/* Bytes of the piece that comes next, at most so many; pieces that are used up or empty are left behind. */
static u32 next_piece(struct iov_iter *iter, size_t most)
{
    most = min(most, iter->count);
    while (most && iter->iov_offset == iter->iov->bytes) {
        iter->iov++;
        iter->iov_offset = 0;
    }
    return most ? (u32)min(most, (size_t)(iter->iov->bytes - iter->iov_offset)) : 0;
}

static void advance(struct iov_iter *iter, u32 bytes)
{
    iter->iov_offset += bytes;
    iter->count -= bytes;
}

size_t copy_from_iter(void *to, size_t bytes, struct iov_iter *iter)
{
    size_t done = 0;
    u32 piece;
    while ((piece = next_piece(iter, bytes - done)) != 0) {
        u32 left = (u32)copy_from_user((u8 *)to + done, user_ptr(iter->iov->base + iter->iov_offset), piece);
        advance(iter, piece - left);
        done += piece - left;
        if (left)
            break;
    }
    return done;
}

size_t copy_to_iter(const void *from, size_t bytes, struct iov_iter *iter)
{
    size_t done = 0;
    u32 piece;
    while ((piece = next_piece(iter, bytes - done)) != 0) {
        u32 left =
            (u32)copy_to_user(user_ptr(iter->iov->base + iter->iov_offset), (const u8 *)from + done, piece);
        advance(iter, piece - left);
        done += piece - left;
        if (left)
            break;
    }
    return done;
}
