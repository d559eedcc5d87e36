/*
 * Object caches: objects of one size, cut from blocks of pages (slabs) that belong to PAGE_OWNER_SLAB. And
 * kmalloc(), which is a row of such caches for sizes that nobody has made a cache for.
 */
#pragma once

#include "gfp.h"
#include "list.h"
#include "smp.h"

/* What a cache does to find those who misuse its objects (slab_debug.c). Each costs time and room. */
#define SLAB_CONSISTENCY_CHECKS 0x100u /* F: is what is freed an object, and not free already? */
#define SLAB_RED_ZONE 0x400u           /* Z: bytes around the object that nobody may write */
#define SLAB_POISON 0x800u             /* P: free objects are filled, and nobody may write them */
#define SLAB_STORE_USER 0x10000u       /* U: who took the object, who gave it back */
#define SLAB_DEBUG_FLAGS (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)
/* Other flags. */
#define SLAB_HWCACHE_ALIGN 0x2000u /* objects start on cache lines */
#define SLAB_CACHE_DMA 0x4000u     /* slabs from ZONE_DMA */
#define SLAB_PANIC 0x40000u        /* the boot cannot go on without it */

/*
 * Free objects that a CPU has at hand, the one freed last on top: its lines are still in the cache. To the
 * slabs they count as taken.
 */
#define ARRAY_CACHE_MOST 120
struct array_cache {
    u32 avail;      /* objects in entry[] */
    u32 limit;      /* as many as it may hold; 0: the cache goes without */
    u32 batchcount; /* moved at once from or to the slabs */
    void *entry[ARRAY_CACHE_MOST];
};

struct kmem_cache {
    struct array_cache cpu_cache[NR_CPUS];
    /* A slab is on one of these, through page->lru of its first page. */
    struct list_head slabs_partial, slabs_full, slabs_free;
    u32 nr_slabs, nr_free_slabs;
    u32 nr_active;       /* objects handed out */
    u32 nr_noted;        /* what that was at kmem_cache_note_active() */
    u32 free_slabs_most; /* more empty ones go back to the buddy system */

    const char *name;
    u32 object_size; /* bytes that the user has */
    u32 size;        /* from one object to the next */
    u32 align;
    u32 flags;
    u32 free_offset;  /* of the pointer to the next free object, from the object's start */
    u32 num;          /* objects in a slab */
    u32 gfporder;     /* a slab has 1 << gfporder pages */
    u32 red_left_pad; /* debug: bytes in front of the object */
    u32 track_offset; /* debug: of two struct track */
    void (*ctor)(void *object);
    struct list_head list; /* slab_caches */
};

/* The caches themselves and kmalloc's. From here on, allocations are possible. */
void kmem_cache_init(void);
/*
 * A new cache for objects of 1 to KMALLOC_MAX_SIZE bytes, or NULL (with SLAB_PANIC, never). align: 0 or a
 * power of two. ctor (or NULL) is run on every object once, when its slab is made; who frees an object must
 * leave it as the constructor did.
 */
struct kmem_cache *kmem_cache_create(const char *name, u32 size, u32 align, u32 flags, void (*ctor)(void *));
/* A cache for objects of a type. */
#define KMEM_CACHE(type, flags)                                                                              \
    kmem_cache_create(#type, (u32)sizeof(struct type), (u32) __alignof__(struct type), (flags), NULL)
/* All objects must be back; then its slabs go, and it. Otherwise says so and returns -EBUSY. */
int kmem_cache_destroy(struct kmem_cache *cache);

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp);
/* A zeroed object; for caches without a constructor. */
void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp);
void kmem_cache_free(struct kmem_cache *cache, void *object);
/* Gives all empty slabs back to the buddy system. Returns how many pages that were. */
unsigned long kmem_cache_shrink(struct kmem_cache *cache);
unsigned long kmem_cache_shrink_all(void);

/* Notes how many objects are handed out; the other tells which caches have more now, and how many that is. */
void kmem_cache_note_active(void);
unsigned long kmem_cache_show_leaks(void);

#define KMALLOC_MAX_SIZE (128ul << 10)

/*
 * At least size bytes that are contiguous in physical memory, from lowmem; aligned to 8, and to a cache line
 * if size is a power of two and not below it. NULL: no memory, or more than KMALLOC_MAX_SIZE.
 */
void *kmalloc(size_t size, gfp_t gfp);
void *kzalloc(size_t size, gfp_t gfp);
/* Room for n elements, zeroed; NULL also when n * size overflows. */
void *kcalloc(size_t n, size_t size, gfp_t gfp);
/* Takes what kmalloc() gave; NULL is nothing. */
void kfree(const void *object);
/* Bytes that may be used, which may be more than were asked for. */
size_t ksize(const void *object);

/* /proc/slabinfo. */
struct seq_file;
void slabinfo_show(struct seq_file *m);
/* The reports of slab_debug.c so far: how many, and the last one. */
struct slab_report {
    const char *what;
    const struct kmem_cache *cache;
    unsigned long found_by;           /* return addresses: who called the allocator when it was found, */
    unsigned long taken_by, given_by; /* took the object last, gave it back last; 0: not known */
};
unsigned long slab_nr_errors(void);
const struct slab_report *slab_last_report(void);
