/* Object caches (include/slab.h). */
#include "slab.h"
#include "asm/irqflags.h"
#include "bug.h"
#include "mm.h"
#include "string.h"

/* A free object holds the pointer to the next one in its first word. */
static void push_object(struct page *slab, void *object)
{
    *(void **)object = slab->freelist;
    slab->freelist = object;
}

static void *pop_object(struct page *slab)
{
    void *object = slab->freelist;
    slab->freelist = *(void **)object;
    return object;
}

static struct page *new_slab(struct kmem_cache *cache, gfp_t gfp)
{
    struct page *slab = alloc_page(gfp);
    if (slab == NULL)
        return NULL;
    set_page_owner(slab, 0, PAGE_OWNER_SLAB);
    slab->mapping = cache;
    slab->freelist = NULL;
    slab->nr_objs = 0;
    char *start = page_address(slab);
    for (u32 i = (u32)PAGE_SIZE / cache->object_bytes; i-- > 0;)
        push_object(slab, start + i * cache->object_bytes);
    list_add(&slab->lru, &cache->partial);
    cache->nr_slabs++;
    return slab;
}

static void free_slab(struct kmem_cache *cache, struct page *slab)
{
    list_del_init(&slab->lru);
    slab->mapping = NULL;
    slab->freelist = NULL;
    cache->nr_slabs--;
    __free_page(slab);
}

void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp)
{
    unsigned long flags = local_irq_save();
    void *object = NULL;
    struct page *slab = list_empty(&cache->partial) ? new_slab(cache, gfp)
                                                    : list_first_entry(&cache->partial, struct page, lru);
    if (slab) {
        object = pop_object(slab);
        slab->nr_objs++;
        cache->nr_active++;
        if (slab->freelist == NULL)
            list_del_init(&slab->lru);
    }
    local_irq_restore(flags);
    if (object)
        memset(object, 0, cache->object_bytes);
    return object;
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
    struct page *slab = virt_to_page(object);
    BUG_ON(slab->owner != PAGE_OWNER_SLAB || slab->mapping != cache);
    unsigned long flags = local_irq_save();
    if (slab->freelist == NULL)
        list_add(&slab->lru, &cache->partial);
    push_object(slab, object);
    cache->nr_active--;
    if (--slab->nr_objs == 0)
        free_slab(cache, slab);
    local_irq_restore(flags);
}
