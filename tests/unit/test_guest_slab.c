/* The guest's slab allocator on the host: objects against copies of what was written to them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "errno.h"
#include "host_mm.h"
#include "params.h"
#include "seq_file.h"
#include "slab.h"

#define NR_OBJECTS 1000
#define NR_STEPS (HOST_MANY * 300)

struct toy {
    u32 id[25];
};

static bool toy_holds(const struct toy *toy, u32 id)
{
    for (size_t i = 0; i < ARRAY_SIZE(toy->id); i++)
        if (toy->id[i] != id)
            return false;
    return true;
}

static void fill_toy(struct toy *toy, u32 id)
{
    for (size_t i = 0; i < ARRAY_SIZE(toy->id); i++)
        toy->id[i] = id;
}

static void start(const char *slub_debug)
{
    boot_params.slub_debug = slub_debug;
    start_memory();
    kmem_cache_init();
    clear_console();
}

static struct kmem_cache *toy_cache(void (*ctor)(void *))
{
    return kmem_cache_create("toy", sizeof(struct toy), 0, 0, ctor);
}

static struct toy *objects[NR_OBJECTS];

static void take_object(struct kmem_cache *cache, u32 i)
{
    objects[i] = kmem_cache_zalloc(cache, GFP_KERNEL);
    if (objects[i] == NULL || !toy_holds(objects[i], 0))
        cr_assert_fail("a new object is zeroed");
    fill_toy(objects[i], i + 1);
}

static void give_object(struct kmem_cache *cache, u32 i)
{
    if (!toy_holds(objects[i], i + 1))
        cr_assert_fail("object %u was overwritten", i);
    kmem_cache_free(cache, objects[i]);
    objects[i] = NULL;
}

static void take_and_give_objects(struct kmem_cache *cache)
{
    u32 nr_active = 0;
    for (int step = 0; step < NR_STEPS; step++) {
        u32 i = random_below(NR_OBJECTS);
        bool is_taken = objects[i] != NULL;
        (is_taken ? give_object : take_object)(cache, i);
        nr_active += is_taken ? -1u : 1u;
    }
    cr_assert_eq(cache->nr_active, nr_active);
    for (u32 i = 0; i < NR_OBJECTS; i++)
        if (objects[i])
            give_object(cache, i);
    cr_assert_eq(cache->nr_active, 0);
}

Test(guest_slab, objects_do_not_overlap_and_empty_slabs_go_back)
{
    start(NULL);
    kmem_cache_shrink_all();
    unsigned long free_at_first = nr_free_pages();
    struct kmem_cache *cache = toy_cache(NULL);
    take_and_give_objects(cache);
    cr_assert_eq(kmem_cache_destroy(cache), 0);
    kmem_cache_shrink_all();
    cr_assert_eq(nr_free_pages(), free_at_first);
}

Test(guest_slab, debugged_objects_that_are_used_well_cause_no_report)
{
    start("");
    struct kmem_cache *cache = toy_cache(NULL);
    take_and_give_objects(cache);
    cr_assert_eq(kmem_cache_destroy(cache), 0);
    cr_assert_eq(slab_nr_errors(), 0);
    cr_assert_str_eq(console_text(), "");
}

Test(guest_slab, a_cache_with_objects_out_is_not_destroyed)
{
    start(NULL);
    struct kmem_cache *cache = toy_cache(NULL);
    void *object = kmem_cache_alloc(cache, GFP_KERNEL);
    cr_assert_eq(kmem_cache_destroy(cache), -EBUSY);
    kmem_cache_free(cache, object);
    cr_assert_eq(kmem_cache_destroy(cache), 0);
}

Test(guest_slab, the_object_freed_last_is_the_next_to_go)
{
    start(NULL);
    struct kmem_cache *cache = toy_cache(NULL);
    void *a = kmem_cache_alloc(cache, GFP_KERNEL), *b = kmem_cache_alloc(cache, GFP_KERNEL);
    kmem_cache_free(cache, a);
    kmem_cache_free(cache, b);
    cr_assert_eq(kmem_cache_alloc(cache, GFP_KERNEL), b);
    cr_assert_eq(kmem_cache_alloc(cache, GFP_KERNEL), a);
}

/* Full, partial and empty slabs, counted by hand. */
Test(guest_slab, slabs_are_on_the_list_of_their_state)
{
    start("F,toy");
    struct kmem_cache *cache = toy_cache(NULL);
    static void *taken[256];
    u32 nr = 2 * cache->num + 1;
    for (u32 i = 0; i < nr; i++)
        taken[i] = kmem_cache_alloc(cache, GFP_KERNEL);
    cr_assert_eq(cache->nr_slabs, 3);
    cr_assert_eq(virt_to_head_page(taken[nr - 1]), list_first_entry(&cache->slabs_partial, struct page, lru));
    cr_assert(!list_empty(&cache->slabs_full) && list_empty(&cache->slabs_free));
    kmem_cache_free(cache, taken[--nr]);
    cr_assert_eq(cache->nr_free_slabs, 1);
    cr_assert(list_empty(&cache->slabs_partial));
    while (nr > 0)
        kmem_cache_free(cache, taken[--nr]);
    cr_assert(list_empty(&cache->slabs_full) && list_empty(&cache->slabs_partial));
    cr_assert_eq(cache->nr_slabs, cache->free_slabs_most);
    cr_assert_eq(kmem_cache_shrink(cache), (unsigned long)cache->free_slabs_most << cache->gfporder);
    cr_assert_eq(cache->nr_slabs, 0);
}

static int nr_constructed;

static void construct_toy(void *object)
{
    nr_constructed++;
    fill_toy(object, 0xC0DE);
}

static void check_constructor(const char *slub_debug)
{
    nr_constructed = 0;
    start(slub_debug);
    struct kmem_cache *cache = toy_cache(construct_toy);
    for (int round = 0; round < 100; round++) {
        struct toy *object = kmem_cache_alloc(cache, GFP_KERNEL);
        cr_assert(toy_holds(object, 0xC0DE), "an object is as the constructor left it");
        kmem_cache_free(cache, object);
    }
    cr_assert_eq(nr_constructed, (int)cache->num, "each object of the one slab once");
}

Test(guest_slab, a_constructor_runs_once_for_each_object_and_its_work_stays)
{
    check_constructor(NULL);
}

Test(guest_slab, a_constructors_work_stays_in_a_debugged_cache)
{
    check_constructor("FZPU");
    cr_assert_str_eq(console_text(), "");
}

struct piece {
    u8 *bytes;
    size_t size;
    u8 fill;
};

static size_t random_size(void)
{
    return 1 + random_below(1u << (3 + random_below(15)));
}

static void take_piece(struct piece *piece)
{
    piece->size = random_size();
    piece->fill = (u8)random_below(256);
    piece->bytes = kmalloc(piece->size, (random_below(8) ? GFP_KERNEL : GFP_DMA) | __GFP_NOWARN);
    if (piece->size > KMALLOC_MAX_SIZE) {
        cr_assert_null(piece->bytes);
        return;
    }
    if (piece->bytes == NULL)
        return;
    if (ksize(piece->bytes) < piece->size || (uintptr_t)piece->bytes % 8)
        cr_assert_fail("%zu bytes at %p, of which %zu may be used", piece->size, (void *)piece->bytes,
                       ksize(piece->bytes));
    memset(piece->bytes, piece->fill, piece->size);
}

static void give_piece(struct piece *piece)
{
    if (piece->bytes[0] != piece->fill || memcmp(piece->bytes, piece->bytes + 1, piece->size - 1) != 0)
        cr_assert_fail("a piece of %zu bytes was overwritten", piece->size);
    kfree(piece->bytes);
    piece->bytes = NULL;
}

static void take_and_give_pieces(int nr_steps)
{
    static struct piece pieces[200];
    for (int step = 0; step < nr_steps; step++) {
        struct piece *piece = &pieces[random_below(ARRAY_SIZE(pieces))];
        if (piece->bytes)
            give_piece(piece);
        else
            take_piece(piece);
    }
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
        if (pieces[i].bytes)
            give_piece(&pieces[i]);
}

Test(guest_slab, kmalloc_of_random_sizes)
{
    start(NULL);
    kmem_cache_shrink_all();
    take_and_give_pieces(HOST_MANY * 50);
    cr_assert_null(kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL));
    cr_assert_null(kcalloc((size_t)-1, 2, GFP_KERNEL));
    u8 *zeroed = kzalloc(100, GFP_KERNEL);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(zeroed[i], 0);
    kfree(zeroed);
    kfree(NULL);
}

Test(guest_slab, kmalloc_of_random_sizes_under_debugging)
{
    start("");
    take_and_give_pieces(HOST_MANY * 2);
    cr_assert_eq(slab_nr_errors(), 0);
}

Test(guest_slab, kmalloc_from_the_dma_zone)
{
    start(NULL);
    cr_assert_eq(page_zonenum(virt_to_page(kmalloc(100, GFP_DMA))), ZONE_DMA);
    cr_assert_eq(page_zonenum(virt_to_page(kmalloc(100, GFP_KERNEL))), ZONE_NORMAL);
}

/* Each mistake in a debugged cache gives one report that says which it was. */
static struct kmem_cache *start_debugged(void)
{
    start("FZPU,toy");
    return toy_cache(NULL);
}

static void expect_report(const char *what)
{
    cr_assert_eq(slab_nr_errors(), 1, "%lu reports: %s", slab_nr_errors(), console_text());
    cr_assert_not_null(strstr(console_text(), "BUG toy: "));
    cr_assert_not_null(strstr(console_text(), what), "%s", console_text());
    cr_assert_not_null(strstr(console_text(), "Allocated in 0x"));
}

Test(guest_slab, a_write_behind_an_object_is_reported_when_it_is_freed)
{
    struct kmem_cache *cache = start_debugged();
    u8 *object = kmem_cache_alloc(cache, GFP_KERNEL);
    object[sizeof(struct toy)] = 0x41;
    cr_assert_eq(slab_nr_errors(), 0);
    kmem_cache_free(cache, object);
    expect_report("Right Redzone overwritten");
    cr_assert_not_null(strstr(console_text(), "first byte 0x41 instead of 0xcc"));
}

Test(guest_slab, a_write_in_front_of_an_object_is_reported_when_it_is_freed)
{
    struct kmem_cache *cache = start_debugged();
    u8 *object = kmem_cache_alloc(cache, GFP_KERNEL);
    object[-1] = 0x42;
    kmem_cache_free(cache, object);
    expect_report("Left Redzone overwritten");
}

Test(guest_slab, a_write_to_a_free_object_is_reported_when_it_is_handed_out)
{
    struct kmem_cache *cache = start_debugged();
    struct toy *object = kmem_cache_alloc(cache, GFP_KERNEL);
    kmem_cache_free(cache, object);
    object->id[3] = 5;
    cr_assert_eq(kmem_cache_alloc(cache, GFP_KERNEL), object);
    expect_report("Poison overwritten");
    cr_assert_not_null(strstr(console_text(), "Freed in 0x"));
}

Test(guest_slab, a_second_free_is_reported_and_refused)
{
    struct kmem_cache *cache = start_debugged();
    void *object = kmem_cache_alloc(cache, GFP_KERNEL);
    void *other = kmem_cache_alloc(cache, GFP_KERNEL);
    kmem_cache_free(cache, object);
    kmem_cache_free(cache, object);
    expect_report("Object already free");
    cr_assert_eq(cache->nr_active, 1);
    kmem_cache_free(cache, other);
}

Test(guest_slab, a_free_of_the_middle_of_an_object_is_reported_and_refused)
{
    struct kmem_cache *cache = start_debugged();
    struct toy *object = kmem_cache_alloc(cache, GFP_KERNEL);
    kmem_cache_free(cache, &object->id[1]);
    cr_assert_eq(slab_nr_errors(), 1);
    cr_assert_not_null(strstr(console_text(), "Invalid object pointer"));
    cr_assert_eq(cache->nr_active, 1);
}

Test(guest_slab, only_the_caches_that_the_option_names_are_debugged)
{
    start("Z,toy,kmalloc-64");
    cr_assert_eq(toy_cache(NULL)->flags & SLAB_DEBUG_FLAGS, SLAB_RED_ZONE);
    const struct kmem_cache *other = kmem_cache_create("to", 8, 0, 0, NULL);
    cr_assert_eq(other->flags & SLAB_DEBUG_FLAGS, 0);
}

Test(guest_slab, slabinfo_has_linuxs_columns)
{
    static char text[8192];
    start(NULL);
    struct kmem_cache *cache = toy_cache(NULL);
    kmem_cache_alloc(cache, GFP_KERNEL);
    struct seq_file m = {.buf = text, .size = sizeof(text)};
    slabinfo_show(&m);
    cr_assert(!seq_has_overflowed(&m));
    cr_assert_not_null(strstr(text, "slabinfo - version: 2.1\n# name            <active_objs> "));
    const char *row = strstr(text, "\ntoy ");
    cr_assert_not_null(row);
    unsigned active, num, size, per_slab, pages, limit, batch, shared, active_slabs, slabs, avail;
    cr_assert_eq(sscanf(row, "\ntoy %u %u %u %u %u : tunables %u %u %u : slabdata %u %u %u", &active, &num,
                        &size, &per_slab, &pages, &limit, &batch, &shared, &active_slabs, &slabs, &avail),
                 11);
    cr_assert_eq(active, 1);
    cr_assert_eq(num, per_slab);
    cr_assert_eq(size, 104);
    cr_assert_eq(per_slab, 4096 / 104);
    cr_assert(active_slabs == 1 && slabs == 1);
}
