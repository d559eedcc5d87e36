/* What the files of the slab allocator share. */
#pragma once

#include "mm.h"
#include "slab.h"

#define CACHE_LINE_BYTES 64u

extern struct list_head slab_caches;

/* slab.c: caller is the address that a report would name. */
void *slab_alloc(struct kmem_cache *cache, gfp_t gfp, unsigned long caller);
void slab_free(struct kmem_cache *cache, void *object, unsigned long caller);
/* slab_common.c: lays out an object and a slab, and enters the cache into the list. */
void setup_cache(struct kmem_cache *cache, const char *name, u32 size, u32 align, u32 flags,
                 void (*ctor)(void *));

/* kmalloc.c */
void kmalloc_init(void);

/* slab_debug.c */

/* The debug flags that the command line (slub_debug=) wants for a cache of this name. */
u32 slab_debug_flags(const char *name);
/* Adds what the debug flags need to the layout: sets red_left_pad, free_offset, track_offset and size. */
void slab_debug_layout(struct kmem_cache *cache);
/* A slab's object for the first time. */
void slab_debug_init_object(struct kmem_cache *cache, void *object);
/* The object is handed out: was it left alone while it was free? */
void slab_debug_alloc(struct kmem_cache *cache, void *object, unsigned long caller);
/* The object comes back: false if it must not be taken, because it is none or is free already. */
bool slab_debug_free(struct kmem_cache *cache, void *object, unsigned long caller);

static inline bool slab_is_debugged(const struct kmem_cache *cache)
{
    return cache->flags & SLAB_DEBUG_FLAGS;
}

/* Whether address is where an object of this slab starts. */
bool is_slab_object(const struct kmem_cache *cache, struct page *slab, const void *address);
