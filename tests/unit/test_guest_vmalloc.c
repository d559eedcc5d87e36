/* The red-black tree, and the areas of the vmalloc region, against arrays searched from end to end. */
#include <criterion/criterion.h>
#include <string.h>

#include "asm/page.h"
#include "host_mm.h"
#include "rbtree.h"
#include "slab.h"
#include "vmalloc.h"

#define NR_KEYS 512u

struct item {
    struct rb_node node;
    u32 key;
    bool is_in;
};

static struct item items[NR_KEYS];
static struct rb_root root;

static struct item *item_of(struct rb_node *node)
{
    return node ? rb_entry(node, struct item, node) : NULL;
}

static void insert_item(struct item *item)
{
    struct rb_node **link = &root.rb_node, *parent = NULL;
    while (*link) {
        parent = *link;
        link = &parent->child[item->key < item_of(parent)->key ? RB_LEFT : RB_RIGHT];
    }
    rb_link_node(&item->node, parent, link);
    rb_insert_color(&item->node, &root);
    item->is_in = true;
}

/* How many black nodes are on every way down from here; fails if the ways differ or red follows red. */
static int black_height(const struct rb_node *node)
{
    if (node == NULL)
        return 1;
    int height[2];
    for (int side = RB_LEFT; side <= RB_RIGHT; side++) {
        const struct rb_node *child = node->child[side];
        if (child && (child->parent != node || (node->is_red && child->is_red)))
            cr_assert_fail("a child does not know its parent, or red follows red");
        height[side] = black_height(child);
    }
    if (height[0] != height[1])
        cr_assert_fail("black heights %d and %d", height[0], height[1]);
    return height[0] + !node->is_red;
}

static void check_order(void)
{
    struct rb_node *node = rb_first(&root), *before = NULL;
    for (u32 key = 0; key < NR_KEYS; key++) {
        if (!items[key].is_in)
            continue;
        if (item_of(node) != &items[key] || rb_prev(node) != before)
            cr_assert_fail("key %u is not next", key);
        before = node;
        node = rb_next(node);
    }
    if (node || rb_last(&root) != before)
        cr_assert_fail("the tree has more nodes than were put in");
}

static void check_tree(void)
{
    black_height(root.rb_node);
    if (root.rb_node && (root.rb_node->is_red || root.rb_node->parent))
        cr_assert_fail("the root is red or has a parent");
    check_order();
}

Test(guest_vmalloc, rbtree_stays_ordered_and_balanced)
{
    for (u32 key = 0; key < NR_KEYS; key++)
        items[key].key = key;
    check_tree();
    for (u32 step = 0; step < HOST_MANY * 200; step++) {
        struct item *item = &items[random_below(NR_KEYS)];
        /* Grows and shrinks in turn, so that empty and full trees come up, too. */
        bool grows = step / 4000 % 2 == 0;
        if (item->is_in && (!grows || random_below(4) == 0)) {
            rb_erase(&item->node, &root);
            item->is_in = false;
        } else if (!item->is_in && (grows || random_below(4) == 0)) {
            insert_item(item);
        }
        if (step % 50 == 0)
            check_tree();
    }
    for (u32 key = 0; key < NR_KEYS; key++)
        if (items[key].is_in)
            rb_erase(&items[key].node, &root);
    cr_assert_null(root.rb_node, "all that was put in is taken out");
}

#define REGION_PAGES ((VMALLOC_END - VMALLOC_START) >> PAGE_SHIFT)
#define MAX_AREAS 300

static bool is_used[REGION_PAGES];

static void start(void)
{
    start_memory();
    kmem_cache_init();
    vm_area_init();
}

/* The first aligned hole of so many pages; REGION_PAGES if there is none. */
static unsigned long naive_hole(unsigned long pages, unsigned long align_pages)
{
    for (unsigned long first = 0; first + pages <= REGION_PAGES; first += align_pages) {
        unsigned long i = 0;
        while (i < pages && !is_used[first + i])
            i++;
        if (i == pages)
            return first;
    }
    return REGION_PAGES;
}

static void mark(const struct vm_struct *area, bool used)
{
    unsigned long first = (area->addr - VMALLOC_START) >> PAGE_SHIFT;
    for (unsigned long i = 0; i < area->size >> PAGE_SHIFT; i++)
        is_used[first + i] = used;
}

static struct vm_struct *take_area(void)
{
    unsigned long pages = 1 + random_below(1u << random_below(8)), align_pages = 1ul << random_below(5);
    unsigned long hole = naive_hole(pages + 1, align_pages);
    unsigned long bytes = pages * PAGE_SIZE - random_below(PAGE_SIZE);
    struct vm_struct *area = get_vm_area(bytes, align_pages << PAGE_SHIFT, VM_MAP, 1);
    if ((area == NULL) != (hole == REGION_PAGES))
        cr_assert_fail("%lu pages: an area although there is no hole, or none although there is one", pages);
    if (area == NULL)
        return NULL;
    if (area->addr != VMALLOC_START + (hole << PAGE_SHIFT) || area->size != (pages + 1) << PAGE_SHIFT)
        cr_assert_fail("%lu pages at %lx: not the first hole, or without a guard page", pages, area->addr);
    mark(area, true);
    return area;
}

static void check_lookup(struct vm_struct **areas)
{
    unsigned long page = random_below((u32)REGION_PAGES);
    unsigned long address = VMALLOC_START + (page << PAGE_SHIFT) + random_below(PAGE_SIZE);
    const struct vm_struct *expected = NULL;
    for (int i = 0; i < MAX_AREAS; i++)
        if (areas[i] && address >= areas[i]->addr && address < areas[i]->addr + areas[i]->size)
            expected = areas[i];
    cr_assert_eq(find_vm_area(address), expected);
}

Test(guest_vmalloc, areas_are_first_fit_and_found_by_address)
{
    static struct vm_struct *areas[MAX_AREAS];
    start();
    for (u32 step = 0; step < HOST_MANY * 20; step++) {
        struct vm_struct **area = &areas[random_below(MAX_AREAS)];
        if (*area == NULL) {
            *area = take_area();
        } else {
            mark(*area, false);
            free_vm_area(*area);
            *area = NULL;
        }
        check_lookup(areas);
    }
    unsigned long last_end = 0;
    for (const struct vm_struct *area = first_vm_area(); area; area = next_vm_area(area)) {
        cr_assert_geq(area->addr, last_end);
        last_end = area->addr + area->size;
    }
}

Test(guest_vmalloc, no_area_is_larger_than_the_region)
{
    start();
    cr_assert_null(get_vm_area(0, PAGE_SIZE, VM_MAP, 1));
    cr_assert_null(get_vm_area(VMALLOC_END - VMALLOC_START, PAGE_SIZE, VM_MAP, 1),
                   "no room for the guard page");
    cr_assert_null(get_vm_area(~0ul, PAGE_SIZE, VM_MAP, 1));
    cr_assert_not_null(get_vm_area(VMALLOC_END - VMALLOC_START - PAGE_SIZE, PAGE_SIZE, VM_MAP, 1));
    cr_assert_null(get_vm_area(1, PAGE_SIZE, VM_MAP, 1));
}
