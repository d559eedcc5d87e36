/*
 * Object caches: objects of one size, cut from single pages that belong to PAGE_OWNER_SLAB. A page whose
 * last object is freed goes back to the buddy system at once.
 */
#pragma once

#include "gfp.h"
#include "list.h"

struct kmem_cache {
    const char *name;
    u32 object_bytes;
    u32 nr_active; /* objects handed out */
    u32 nr_slabs;
    struct list_head partial; /* slabs with at least one free object, through page->lru */
};

#define KMEM_CACHE_INIT(cache, type)                                                                         \
    {                                                                                                        \
        .name = #type, .object_bytes = ALIGN_UP((u32)sizeof(struct type), 8u),                               \
        .partial = LIST_HEAD_INIT((cache).partial)                                                           \
    }

/* A zeroed object, or NULL. */
void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp);
void kmem_cache_free(struct kmem_cache *cache, void *object);
