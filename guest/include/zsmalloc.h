/*
 * An allocator for pieces of any size up to a page that need no address: compressed pages. Pieces of a size
 * class lie side by side in a few pages of highmem (a zspage), across their borders if need be, so that
 * little is lost; who wants one copies it out.
 */
#pragma once

#include "mm.h"

struct zspage;

/* A piece. zspage NULL: none. */
struct zs_handle {
    struct zspage *zspage;
    u16 index;
};

#define ZS_STEP_BYTES 32u
#define ZS_NR_CLASSES (u32)(PAGE_SIZE / ZS_STEP_BYTES)

struct zs_pool {
    struct list_head partial[ZS_NR_CLASSES]; /* zspages that have room, by class */
    unsigned long nr_pages, max_pages;       /* taken, and the most that there were */
};

void zs_pool_init(struct zs_pool *pool);
/* So many bytes, 1 to PAGE_SIZE. False: no memory; it is not waited for. */
bool zs_malloc(struct zs_pool *pool, u32 bytes, struct zs_handle *handle);
void zs_free(struct zs_pool *pool, struct zs_handle handle);
/* Copies the beginning of a piece, as many bytes as it has at most. */
void zs_read(struct zs_handle handle, void *to, u32 bytes);
void zs_write(struct zs_handle handle, const void *from, u32 bytes);
