/* The slab allocator's core: objects between slabs, the CPU's array and the user (include/slab.h). */
#include "asm/irqflags.h"
#include "bug.h"
#include "slab_internal.h"
#include "string.h"

static void **next_free(const struct kmem_cache *cache, void *object)
{
    return (void **)(void *)((char *)object + cache->free_offset);
}

static void push_object(const struct kmem_cache *cache, struct page *slab, void *object)
{
    *next_free(cache, object) = slab->freelist;
    slab->freelist = object;
}

static void *pop_object(const struct kmem_cache *cache, struct page *slab)
{
    void *object = slab->freelist;
    slab->freelist = *next_free(cache, object);
    return object;
}

bool is_slab_object(const struct kmem_cache *cache, struct page *slab, const void *address)
{
    const char *first = (const char *)page_address(slab) + cache->red_left_pad;
    if ((const char *)address < first)
        return false;
    size_t offset = (size_t)((const char *)address - first);
    return offset % cache->size == 0 && offset / cache->size < cache->num;
}

static struct page *new_slab(struct kmem_cache *cache, gfp_t gfp)
{
    if (cache->flags & SLAB_CACHE_DMA)
        gfp |= __GFP_DMA;
    gfp &= ~(__GFP_ZERO | __GFP_HIGHMEM | __GFP_MOVABLE);
    struct page *slab = alloc_pages(gfp | __GFP_COMP, cache->gfporder);
    if (slab == NULL)
        return NULL;
    set_page_owner(slab, cache->gfporder, PAGE_OWNER_SLAB);
    slab->slab_cache = cache;
    slab->freelist = NULL;
    slab->nr_objs = 0;
    char *first = (char *)page_address(slab) + cache->red_left_pad;
    /* Backwards, so that the first object is the first to go. */
    for (u32 i = cache->num; i-- > 0;) {
        char *object = first + i * cache->size;
        if (cache->ctor)
            cache->ctor(object);
        slab_debug_init_object(cache, object);
        push_object(cache, slab, object);
    }
    list_add(&slab->lru, &cache->slabs_free);
    cache->nr_slabs++;
    cache->nr_free_slabs++;
    return slab;
}

static void destroy_slab(struct kmem_cache *cache, struct page *slab)
{
    list_del_init(&slab->lru);
    slab->slab_cache = NULL;
    slab->freelist = NULL;
    cache->nr_slabs--;
    cache->nr_free_slabs--;
    __free_pages(slab, cache->gfporder);
}

/* Puts the slab on the list where it belongs with so many objects taken. */
static void move_slab(struct kmem_cache *cache, struct page *slab, u32 nr_before)
{
    u32 nr_now = slab->nr_objs;
    if (nr_before == 0)
        cache->nr_free_slabs--;
    list_del_init(&slab->lru);
    if (nr_now == 0) {
        list_add(&slab->lru, &cache->slabs_free);
        cache->nr_free_slabs++;
    } else {
        list_add(&slab->lru, nr_now == cache->num ? &cache->slabs_full : &cache->slabs_partial);
    }
}

/* Slabs in use first: the empty ones may become somebody else's pages. */
static struct page *slab_with_free_object(struct kmem_cache *cache, gfp_t gfp)
{
    if (!list_empty(&cache->slabs_partial))
        return list_first_entry(&cache->slabs_partial, struct page, lru);
    if (!list_empty(&cache->slabs_free))
        return list_first_entry(&cache->slabs_free, struct page, lru);
    return new_slab(cache, gfp);
}

/* Takes up to nr objects from one slab into objects[]; returns how many. */
static u32 take_objects(struct kmem_cache *cache, gfp_t gfp, void **objects, u32 nr)
{
    struct page *slab = slab_with_free_object(cache, gfp);
    if (slab == NULL)
        return 0;
    u32 before = slab->nr_objs, taken = 0;
    while (taken < nr && slab->freelist)
        objects[taken++] = pop_object(cache, slab);
    slab->nr_objs = (u16)(before + taken);
    move_slab(cache, slab, before);
    return taken;
}

static void give_object(struct kmem_cache *cache, void *object)
{
    struct page *slab = virt_to_head_page(object);
    u32 before = slab->nr_objs--;
    push_object(cache, slab, object);
    if (before == cache->num || before == 1)
        move_slab(cache, slab, before);
    if (slab->nr_objs == 0 && cache->nr_free_slabs > cache->free_slabs_most)
        destroy_slab(cache, slab);
}

/* The array is empty: one object for the caller, and a batch for those who come after. */
static void *cache_alloc_refill(struct kmem_cache *cache, struct array_cache *ac, gfp_t gfp)
{
    void *objects[ARRAY_CACHE_MOST / 2 + 1];
    u32 nr = take_objects(cache, gfp, objects, max(ac->batchcount, 1u));
    if (nr == 0)
        return NULL;
    /* Upside down, so that they go in the order in which they lie in the slab. */
    while (nr > 1) {
        void *object = objects[--nr];
        /* Memory that was got back for a new slab may have filled the array meanwhile. */
        if (ac->avail < max(ac->limit, ac->batchcount))
            ac->entry[ac->avail++] = object;
        else
            give_object(cache, object);
    }
    return objects[0];
}

/* The array is full: those that have been in it longest go back to their slabs. */
static void cache_flusharray(struct kmem_cache *cache, struct array_cache *ac, u32 nr)
{
    for (u32 i = 0; i < nr; i++)
        give_object(cache, ac->entry[i]);
    ac->avail -= nr;
    memmove(ac->entry, ac->entry + nr, ac->avail * sizeof(ac->entry[0]));
}

void *slab_alloc(struct kmem_cache *cache, gfp_t gfp, unsigned long caller)
{
    unsigned long flags = local_irq_save();
    struct array_cache *ac = &cache->cpu_cache[smp_processor_id()];
    void *object = ac->avail ? ac->entry[--ac->avail] : cache_alloc_refill(cache, ac, gfp);
    if (object)
        cache->nr_active++;
    if (object && slab_is_debugged(cache))
        slab_debug_alloc(cache, object, caller);
    local_irq_restore(flags);
    if (object && (gfp & __GFP_ZERO))
        memset(object, 0, cache->object_size);
    return object;
}

void slab_free(struct kmem_cache *cache, void *object, unsigned long caller)
{
    unsigned long flags = local_irq_save();
    struct array_cache *ac = &cache->cpu_cache[smp_processor_id()];
    if (!slab_is_debugged(cache) || slab_debug_free(cache, object, caller)) {
        cache->nr_active--;
        if (ac->limit == 0) {
            give_object(cache, object);
        } else {
            if (ac->avail == ac->limit)
                cache_flusharray(cache, ac, ac->batchcount);
            ac->entry[ac->avail++] = object;
        }
    }
    local_irq_restore(flags);
}

unsigned long kmem_cache_shrink(struct kmem_cache *cache)
{
    unsigned long pages = 0;
    unsigned long flags = local_irq_save();
    for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
        cache_flusharray(cache, &cache->cpu_cache[cpu], cache->cpu_cache[cpu].avail);
    while (!list_empty(&cache->slabs_free)) {
        destroy_slab(cache, list_first_entry(&cache->slabs_free, struct page, lru));
        pages += 1ul << cache->gfporder;
    }
    local_irq_restore(flags);
    return pages;
}
