/* The bytes that a call moves: pieces of a user's memory, taken one after the other. */
#pragma once

#include "compiler.h"
#include "types.h"

/* A word of the user's as a pointer. */
static inline void __user *user_ptr(uintptr_t word)
{
    union {
        uintptr_t word;
        void *pointer;
    } of = {.word = word};
    return of.pointer;
}

struct user_iovec {
    u32 base, bytes;
};
#define UIO_MAXIOV 1024u

struct iov_iter {
    const struct user_iovec *iov; /* what is left begins iov_offset bytes behind the first's beginning */
    u32 iov_offset;
    size_t count; /* bytes that are left */
};

/* One piece of memory; `piece` lives as long as the iterator. */
static inline void iov_iter_single(struct iov_iter *iter, struct user_iovec *piece, u32 base, u32 bytes)
{
    *piece = (struct user_iovec){.base = base, .bytes = bytes};
    *iter = (struct iov_iter){.iov = piece, .count = bytes};
}

/* Both move on, and return how many bytes they copied: fewer than were asked for where memory is bad. */
size_t copy_from_iter(void *to, size_t bytes, struct iov_iter *iter);
size_t copy_to_iter(const void *from, size_t bytes, struct iov_iter *iter);
