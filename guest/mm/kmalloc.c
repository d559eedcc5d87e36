/* kmalloc(): a cache for each size that is a power of two, and two in between. */
#include "bug.h"
#include "slab_internal.h"

/* Names are constants: a cache keeps the pointer. */
#define SIZE(bytes)                                                                                          \
    {                                                                                                        \
        bytes, "kmalloc-" #bytes, "dma-kmalloc-" #bytes                                                      \
    }
static const struct {
    u32 bytes;
    const char *name, *dma_name;
} sizes[] = {
    SIZE(8),    SIZE(16),    SIZE(32),    SIZE(64),    SIZE(96),     SIZE(128),
    SIZE(192),  SIZE(256),   SIZE(512),   SIZE(1024),  SIZE(2048),   SIZE(4096),
    SIZE(8192), SIZE(16384), SIZE(32768), SIZE(65536), SIZE(131072),
};

static struct kmem_cache *kmalloc_caches[ARRAY_SIZE(sizes)];
/* Made when somebody asks for the first object: few drivers need them. */
static struct kmem_cache *kmalloc_dma_caches[ARRAY_SIZE(sizes)];

static bool is_power_of_two(u32 x)
{
    return (x & (x - 1)) == 0;
}

static struct kmem_cache *create_size(unsigned int i, bool is_dma, u32 flags)
{
    u32 bytes = sizes[i].bytes;
    u32 align = is_power_of_two(bytes) ? min(bytes, CACHE_LINE_BYTES) : 8;
    return kmem_cache_create(is_dma ? sizes[i].dma_name : sizes[i].name, bytes, align,
                             flags | (is_dma ? SLAB_CACHE_DMA : 0), NULL);
}

void kmalloc_init(void)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
        kmalloc_caches[i] = create_size(i, false, SLAB_PANIC);
}

static struct kmem_cache *kmalloc_slab(size_t size, gfp_t gfp)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
        if (size > sizes[i].bytes)
            continue;
        if (!(gfp & __GFP_DMA))
            return kmalloc_caches[i];
        if (kmalloc_dma_caches[i] == NULL)
            kmalloc_dma_caches[i] = create_size(i, true, 0);
        return kmalloc_dma_caches[i];
    }
    return NULL;
}

static void *kmalloc_for(size_t size, gfp_t gfp, unsigned long caller)
{
    struct kmem_cache *cache = kmalloc_slab(size, gfp);
    return cache ? slab_alloc(cache, gfp, caller) : NULL;
}

void *kmalloc(size_t size, gfp_t gfp)
{
    return kmalloc_for(size, gfp, (unsigned long)__builtin_return_address(0));
}

void *kzalloc(size_t size, gfp_t gfp)
{
    return kmalloc_for(size, gfp | __GFP_ZERO, (unsigned long)__builtin_return_address(0));
}

void *kcalloc(size_t n, size_t size, gfp_t gfp)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        return NULL;
    return kmalloc_for(bytes, gfp | __GFP_ZERO, (unsigned long)__builtin_return_address(0));
}

void kfree(const void *object)
{
    if (object == NULL)
        return;
    const struct page *slab = virt_to_head_page(object);
    BUG_ON(slab->owner != PAGE_OWNER_SLAB);
    slab_free(slab->slab_cache, (void *)(uintptr_t)object, (unsigned long)__builtin_return_address(0));
}

size_t ksize(const void *object)
{
    return object ? virt_to_head_page(object)->slab_cache->object_size : 0;
}
