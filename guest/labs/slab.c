/* S1, S2. Objects from slabs, slabs from the buddy system. */
#include "slab.h"
#include "asm/irqflags.h"
#include "lab.h"
#include "mm.h"
#include "seq_file.h"

#define NR_OBJECTS 300
#define NR_ROUNDS 1000
#define COOKIE 0xC0FFEE11u

struct sample {
    u32 cookie;
    u32 data[23];
};

static u32 nr_constructed;

static void construct(void *object)
{
    ((struct sample *)object)->cookie = COOKIE;
    nr_constructed++;
}

static void check_lists(struct kmem_cache *cache)
{
    static struct sample *objects[NR_OBJECTS];
    bool all_constructed = true;
    for (u32 i = 0; i < NR_OBJECTS; i++) {
        objects[i] = kmem_cache_alloc(cache, GFP_KERNEL);
        all_constructed &= objects[i]->cookie == COOKIE;
    }
    u32 slabs = (NR_OBJECTS + cache->num - 1) / cache->num;
    lab_check(cache->nr_slabs >= slabs && cache->nr_slabs <= slabs + 1 + ARRAY_CACHE_MOST / cache->num,
              "%u objects of %u bytes lie in %u slabs of %u page(s), %u in each", NR_OBJECTS, cache->size,
              cache->nr_slabs, 1u << cache->gfporder, cache->num);
    lab_check(all_constructed && nr_constructed == cache->nr_slabs * cache->num,
              "the constructor ran %u times: once for each object of each slab", nr_constructed);
    lab_check(virt_to_head_page(objects[0])->owner == PAGE_OWNER_SLAB,
              "their frames belong to the slab allocator");
    lab_show(slabinfo_show);
    for (u32 i = 0; i < NR_OBJECTS; i++)
        kmem_cache_free(cache, objects[i]);
    lab_check(cache->nr_active == 0 && cache->nr_slabs > 0, "all are back, and %u slabs wait for the next",
              cache->nr_slabs);
}

static void check_hot(struct kmem_cache *cache)
{
    void *a = kmem_cache_alloc(cache, GFP_KERNEL), *b = kmem_cache_alloc(cache, GFP_KERNEL);
    kmem_cache_free(cache, a);
    kmem_cache_free(cache, b);
    void *first = kmem_cache_alloc(cache, GFP_KERNEL), *second = kmem_cache_alloc(cache, GFP_KERNEL);
    lab_check(first == b && second == a, "the object freed last is the next to go");
    kmem_cache_free(cache, first);
    kmem_cache_free(cache, second);
    u32 before = nr_constructed;
    for (u32 i = 0; i < NR_ROUNDS; i++)
        kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
    lab_check(nr_constructed == before, "%u objects taken and given back: the constructor did not run again",
              NR_ROUNDS);
}

/* One pair of calls each, warm, with no tick in between. */
static void compare_costs(struct kmem_cache *cache)
{
    struct lab_region slab, buddy;
    kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
    unsigned long flags = local_irq_save();
    lab_region_begin(&slab, "kmem_cache_alloc and kmem_cache_free");
    for (u32 i = 0; i < NR_ROUNDS; i++)
        kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_KERNEL));
    lab_region_end(&slab);
    lab_region_begin(&buddy, "alloc_pages and __free_pages, order 1");
    for (u32 i = 0; i < NR_ROUNDS; i++)
        __free_pages(alloc_pages(GFP_KERNEL, 1), 1);
    lab_region_end(&buddy);
    local_irq_restore(flags);
    if (!lab_counts_cycles())
        return;
    lab_figure("an object taken and given back", slab.counts.cycles, NR_ROUNDS, "cycles");
    lab_figure("two pages taken and given back", buddy.counts.cycles, NR_ROUNDS, "cycles");
    lab_check(slab.counts.cycles < buddy.counts.cycles,
              "the CPU's array of objects is faster than the buddy system");
}

static void slab(void)
{
    nr_constructed = 0;
    struct kmem_cache *cache = kmem_cache_create("sample", sizeof(struct sample), 0, 0, construct);
    check_lists(cache);
    check_hot(cache);
    compare_costs(cache);
    lab_check(kmem_cache_destroy(cache) == 0, "the cache goes when nobody has an object of it");
}
LAB("slab", slab);

static void check_sizes(void)
{
    for (size_t size = 8; size <= KMALLOC_MAX_SIZE; size *= 4) {
        char *object = kmalloc(size, GFP_KERNEL);
        bool is_lowmem = object && page_to_pfn(virt_to_page(object)) < max_low_pfn;
        lab_check(is_lowmem && ksize(object) >= size,
                  "kmalloc(%zu): %08lx, in lowmem, of which %zu bytes may be used", size,
                  (unsigned long)object, ksize(object));
        kfree(object);
    }
    char *largest = kmalloc(KMALLOC_MAX_SIZE, GFP_KERNEL);
    lab_check(largest && __pa(largest + KMALLOC_MAX_SIZE - 1) - __pa(largest) == KMALLOC_MAX_SIZE - 1,
              "128 KiB are contiguous in physical memory");
    kfree(largest);
    lab_check(kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL) == NULL, "a byte more is refused");
}

static void kmalloc_lab(void)
{
    enum { NR = 64, BYTES = 1024 };
    static void *objects[NR];
    check_sizes();
    kmem_cache_shrink_all();
    unsigned long at_first = nr_free_pages();
    for (u32 i = 0; i < NR; i++)
        objects[i] = kmalloc(BYTES, GFP_KERNEL);
    unsigned long in_use = nr_free_pages();
    for (u32 i = 0; i < NR; i++)
        kfree(objects[i]);
    unsigned long freed = nr_free_pages();
    kmem_cache_shrink_all();
    unsigned long shrunk = nr_free_pages();
    lab_figure("pages for 64 objects of 1 KiB", at_first - in_use, 1, "pages");
    lab_figure("of these not given back by kfree", at_first - freed, 1, "pages");
    lab_check(at_first - in_use >= NR * BYTES / PAGE_SIZE, "64 KiB of objects take at least 16 pages");
    lab_check(freed < at_first, "kfree of all of them keeps some pages for the next");
    lab_check(shrunk == at_first, "shrinking the caches gives those to the buddy system, too");
}
LAB("kmalloc", kmalloc_lab);
