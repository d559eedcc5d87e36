/* The guest's radix tree against an array: numbers near each other and far apart, and memory runs out. */
#include <criterion/criterion.h>
#include <string.h>

#include "errno.h"
#include "host_mm.h"
#include "radix-tree.h"
#include "slab.h"

#define NR_NUMBERS 4096u
#define NR_STEPS (HOST_MANY * 40u)
#define MOST_FOUND 16u

/* The model's number i stands for this one of the tree, so that trees of every height come up. */
static unsigned long number_at(u32 i)
{
    static const u32 shifts[] = {0, 2, 8, 14, 20};
    u32 group = i * (u32)ARRAY_SIZE(shifts) / NR_NUMBERS;
    return (unsigned long)i << shifts[group];
}

static struct radix_tree_root root;
static bool is_in[NR_NUMBERS];
static u32 items[NR_NUMBERS];

static void check_gang(u32 first)
{
    void *found[MOST_FOUND];
    u32 most = 1 + random_below(MOST_FOUND), nr = 0;
    u32 got = radix_tree_gang_lookup(&root, found, number_at(first), most);
    for (u32 i = first; i < NR_NUMBERS && nr < most; i++)
        if (is_in[i]) {
            cr_assert(nr < got && found[nr] == &items[i], "from %u on: item %u is missing", first, i);
            nr++;
        }
    cr_assert_eq(nr, got);
}

static void check_all(void)
{
    for (u32 i = 0; i < NR_NUMBERS; i++)
        cr_assert_eq(radix_tree_lookup(&root, number_at(i)), is_in[i] ? &items[i] : NULL);
}

static void step(u32 limit)
{
    u32 i = random_below(limit);
    if (random_below(2)) {
        cr_assert_eq(radix_tree_insert(&root, number_at(i), &items[i]), is_in[i] ? -EEXIST : 0);
        is_in[i] = true;
    } else {
        cr_assert_eq(radix_tree_delete(&root, number_at(i)), is_in[i] ? &items[i] : NULL);
        is_in[i] = false;
    }
    check_gang(random_below(NR_NUMBERS));
}

static void start(void)
{
    start_memory();
    kmem_cache_init();
    radix_tree_init();
}

Test(guest_radix_tree, does_what_an_array_does, .init = start)
{
    for (u32 i = 1; i < NR_NUMBERS; i++)
        cr_assert_lt(number_at(i - 1), number_at(i));
    /* Small trees most of the time, so that they grow and shrink. */
    for (u32 n = 0; n < NR_STEPS; n++) {
        step(n % 1000 < 700 ? 200 : NR_NUMBERS);
        if (n % 1000 == 999)
            check_all();
    }
    for (u32 i = 0; i < NR_NUMBERS; i++) {
        cr_assert_eq(radix_tree_delete(&root, number_at(i)), is_in[i] ? &items[i] : NULL);
        is_in[i] = false;
    }
    cr_assert_null(root.rnode);
    cr_assert_eq(root.height, 0);
}

Test(guest_radix_tree, the_last_number_has_a_place, .init = start)
{
    void *found[2];
    cr_assert_eq(radix_tree_insert(&root, ~0ul, &items[1]), 0);
    cr_assert_eq(radix_tree_insert(&root, 0, &items[0]), 0);
    cr_assert_eq(radix_tree_gang_lookup(&root, found, 0, 2), 2);
    cr_assert_eq(found[1], &items[1]);
    cr_assert_eq(radix_tree_gang_lookup(&root, found, 1, 2), 1);
    cr_assert_eq(radix_tree_delete(&root, ~0ul), &items[1]);
    cr_assert_eq(root.height, 1);
}

Test(guest_radix_tree, without_memory_nothing_is_left_behind, .init = start)
{
    cr_assert_eq(radix_tree_insert(&root, 5, &items[5]), 0);
    kmem_cache_shrink_all();
    unsigned long free_before = nr_free_pages();
    /* All memory goes; what is left of the last slab of tables goes to numbers far apart. */
    struct page *taken = NULL, *page;
    while ((page = alloc_pages(GFP_HIGHUSER | __GFP_NOWARN, 0)) != NULL) {
        page->mapping = (void *)taken;
        taken = page;
    }
    u32 nr = 1;
    while (radix_tree_insert(&root, (unsigned long)nr << 20, &items[nr]) == 0)
        nr++;
    cr_assert_gt(nr, 1);
    cr_assert_null(radix_tree_lookup(&root, (unsigned long)nr << 20));
    cr_assert_eq(radix_tree_lookup(&root, 5), &items[5]);
    for (u32 i = 1; i < nr; i++)
        cr_assert_eq(radix_tree_delete(&root, (unsigned long)i << 20), &items[i]);
    cr_assert_eq(root.height, 1);
    while (taken) {
        page = taken;
        taken = (void *)page->mapping;
        __free_page(page);
    }
    kmem_cache_shrink_all();
    cr_assert_eq(nr_free_pages(), free_before);
}
