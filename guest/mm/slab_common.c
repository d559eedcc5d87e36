/* Making and unmaking caches, kmalloc()'s among them, and what /proc/slabinfo says about them. */
#include "bug.h"
#include "errno.h"
#include "seq_file.h"
#include "slab_internal.h"
#include "string.h"

struct list_head slab_caches = LIST_HEAD_INIT(slab_caches);

/* The cache from which caches come. */
static struct kmem_cache kmem_cache_boot;

/* Larger slabs are harder to get; only an object that is larger itself is worth them. */
#define SLAB_ORDER_USUAL 1u
/* A slab that holds objects of this many bytes may stay empty without going back. */
#define FREE_SLABS_MOST 2u

static u32 slab_bytes(u32 order)
{
    return (u32)PAGE_SIZE << order;
}

/* The smallest slab that wastes no more than an eighth. */
static void choose_order(struct kmem_cache *cache)
{
    u32 order = 0;
    while (slab_bytes(order) < cache->size)
        order++;
    while (order < SLAB_ORDER_USUAL && slab_bytes(order) % cache->size * 8 > slab_bytes(order))
        order++;
    cache->gfporder = order;
    cache->num = slab_bytes(order) / cache->size;
}

/* Small objects are asked for often, large ones hold much memory while they wait. */
static u32 array_cache_limit(const struct kmem_cache *cache)
{
    if (slab_is_debugged(cache))
        return 0;
    if (cache->size > PAGE_SIZE)
        return 8;
    if (cache->size > 1024)
        return 24;
    return cache->size > 256 ? 54 : ARRAY_CACHE_MOST;
}

void setup_cache(struct kmem_cache *cache, const char *name, u32 size, u32 align, u32 flags,
                 void (*ctor)(void *))
{
    const u32 word = (u32)sizeof(void *);
    memset(cache, 0, sizeof(*cache));
    INIT_LIST_HEAD(&cache->slabs_partial);
    INIT_LIST_HEAD(&cache->slabs_full);
    INIT_LIST_HEAD(&cache->slabs_free);
    cache->name = name;
    cache->object_size = size;
    cache->flags = flags | slab_debug_flags(name);
    cache->align = max(align, 8u);
    if ((flags & SLAB_HWCACHE_ALIGN) && size >= CACHE_LINE_BYTES / 2)
        cache->align = max(cache->align, CACHE_LINE_BYTES);
    cache->ctor = ctor;
    cache->size = ALIGN_UP(size, word);
    /* A free object's first word links it to the next; one that was constructed must keep it. */
    if (ctor) {
        cache->free_offset = cache->size;
        cache->size += word;
    }
    if (slab_is_debugged(cache))
        slab_debug_layout(cache);
    cache->size = ALIGN_UP(cache->size, cache->align);
    choose_order(cache);
    cache->free_slabs_most = FREE_SLABS_MOST;
    for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
        cache->cpu_cache[cpu].limit = array_cache_limit(cache);
        cache->cpu_cache[cpu].batchcount = cache->cpu_cache[cpu].limit / 2;
    }
    list_add_tail(&cache->list, &slab_caches);
}

struct kmem_cache *kmem_cache_create(const char *name, u32 size, u32 align, u32 flags, void (*ctor)(void *))
{
    struct kmem_cache *cache =
        size && size <= KMALLOC_MAX_SIZE ? kmem_cache_alloc(&kmem_cache_boot, GFP_KERNEL) : NULL;
    if (cache == NULL) {
        if (flags & SLAB_PANIC)
            panic("kmem_cache_create: %s: no memory, or not 1 to %lu bytes", name, KMALLOC_MAX_SIZE);
        return NULL;
    }
    setup_cache(cache, name, size, align, flags, ctor);
    return cache;
}

int kmem_cache_destroy(struct kmem_cache *cache)
{
    kmem_cache_shrink(cache);
    if (cache->nr_slabs) {
        pr_err("kmem_cache_destroy %s: %u objects are not back\n", cache->name, cache->nr_active);
        return -EBUSY;
    }
    list_del_init(&cache->list);
    kmem_cache_free(&kmem_cache_boot, cache);
    return 0;
}

void kmem_cache_note_active(void)
{
    struct kmem_cache *cache;
    list_for_each_entry(cache, &slab_caches, list) cache->nr_noted = cache->nr_active;
}

unsigned long kmem_cache_show_leaks(void)
{
    struct kmem_cache *cache;
    unsigned long nr_leaked = 0;
    list_for_each_entry(cache, &slab_caches, list)
    {
        if (cache->nr_active <= cache->nr_noted)
            continue;
        pr_warn("slab: %u objects of %s were not given back\n", cache->nr_active - cache->nr_noted,
                cache->name);
        nr_leaked += cache->nr_active - cache->nr_noted;
    }
    return nr_leaked;
}

unsigned long kmem_cache_shrink_all(void)
{
    unsigned long pages = 0;
    struct kmem_cache *cache;
    list_for_each_entry(cache, &slab_caches, list) pages += kmem_cache_shrink(cache);
    return pages;
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
    return slab_alloc(cache, gfp, (unsigned long)__builtin_return_address(0));
}

void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp)
{
    BUG_ON(cache->ctor);
    return slab_alloc(cache, gfp | __GFP_ZERO, (unsigned long)__builtin_return_address(0));
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
    const struct page *slab = virt_to_head_page(object);
    BUG_ON(slab->owner != PAGE_OWNER_SLAB || slab->slab_cache != cache);
    slab_free(cache, object, (unsigned long)__builtin_return_address(0));
}

void slabinfo_show(struct seq_file *m)
{
    seq_printf(m, "slabinfo - version: 2.1\n");
    seq_printf(m, "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
                  " : tunables <limit> <batchcount> <sharedfactor>"
                  " : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
    const struct kmem_cache *cache;
    list_for_each_entry(cache, &slab_caches, list)
    {
        const struct array_cache *ac = &cache->cpu_cache[smp_processor_id()];
        seq_printf(m, "%-17s %6u %6u %6u %4u %4u", cache->name, cache->nr_active,
                   cache->nr_slabs * cache->num, cache->size, cache->num, 1u << cache->gfporder);
        seq_printf(m, " : tunables %4u %4u %4u", ac->limit, ac->batchcount, 0);
        seq_printf(m, " : slabdata %6u %6u %6u\n", cache->nr_slabs - cache->nr_free_slabs, cache->nr_slabs,
                   0);
    }
}

void kmem_cache_init(void)
{
    setup_cache(&kmem_cache_boot, "kmem_cache", (u32)sizeof(struct kmem_cache), 0, SLAB_HWCACHE_ALIGN, NULL);
    kmalloc_init();
}
