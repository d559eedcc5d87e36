/* Tables of 64 entries, a level for each six bits of the largest number (include/radix-tree.h). */
#include "radix-tree.h"
#include "bug.h"
#include "errno.h"
#include "slab.h"

#define INDEX_BITS (8 * (u32)sizeof(unsigned long))
#define MAX_HEIGHT ((INDEX_BITS + RADIX_TREE_MAP_SHIFT - 1) / RADIX_TREE_MAP_SHIFT)

static struct kmem_cache *radix_tree_node_cachep;

void radix_tree_init(void)
{
    radix_tree_node_cachep = KMEM_CACHE(radix_tree_node, SLAB_PANIC);
}

static u32 slot_of(unsigned long index, u32 level)
{
    return (u32)(index >> (level * RADIX_TREE_MAP_SHIFT)) & (RADIX_TREE_MAP_SIZE - 1);
}

/* The largest number for which a tree of this height has a place. */
static unsigned long max_index(u32 height)
{
    u32 bits = height * RADIX_TREE_MAP_SHIFT;
    if (height == 0)
        return 0;
    return bits >= INDEX_BITS ? ~0ul : (1ul << bits) - 1;
}

static struct radix_tree_node *alloc_node(void)
{
    /* Never by freeing pages of the cache, which may be in the very tree that is being changed. */
    return kmem_cache_zalloc(radix_tree_node_cachep, GFP_ATOMIC | __GFP_NOWARN);
}

/* Puts tables on top until the number has a place. */
static int extend(struct radix_tree_root *root, unsigned long index)
{
    while (root->height == 0 || index > max_index(root->height)) {
        if (root->rnode) {
            struct radix_tree_node *node = alloc_node();
            if (node == NULL)
                return -ENOMEM;
            node->slots[0] = root->rnode;
            node->count = 1;
            root->rnode = node;
        }
        root->height++;
    }
    return 0;
}

/* Takes out the tables on the way to index that are empty, then those on top that only lead to number 0. */
static void trim(struct radix_tree_root *root, unsigned long index)
{
    struct radix_tree_node *path[MAX_HEIGHT], *node = root->rnode;
    u32 level = root->height;
    while (node && level > 0) {
        path[--level] = node;
        node = level ? node->slots[slot_of(index, level)] : NULL;
    }
    for (; level < root->height && path[level]->count == 0; level++) {
        kmem_cache_free(radix_tree_node_cachep, path[level]);
        if (level + 1 == root->height) {
            root->rnode = NULL;
        } else {
            path[level + 1]->slots[slot_of(index, level + 1)] = NULL;
            path[level + 1]->count--;
        }
    }
    if (root->rnode == NULL)
        root->height = 0;
    while (root->height > 1 && root->rnode->count == 1 && root->rnode->slots[0]) {
        struct radix_tree_node *top = root->rnode;
        root->rnode = top->slots[0];
        root->height--;
        kmem_cache_free(radix_tree_node_cachep, top);
    }
}

/* The place of index, with the tables on the way to it made; NULL: no memory. */
static void **make_slot(struct radix_tree_root *root, unsigned long index, struct radix_tree_node **table)
{
    struct radix_tree_node *node = root->rnode;
    if (node == NULL)
        node = root->rnode = alloc_node();
    for (u32 level = root->height; node && level > 1; level--) {
        void **slot = &node->slots[slot_of(index, level - 1)];
        if (*slot == NULL) {
            *slot = alloc_node();
            node->count += *slot != NULL;
        }
        node = *slot;
    }
    *table = node;
    return node ? &node->slots[slot_of(index, 0)] : NULL;
}

int radix_tree_insert(struct radix_tree_root *root, unsigned long index, void *item)
{
    BUG_ON(item == NULL);
    struct radix_tree_node *table;
    void **slot = extend(root, index) ? NULL : make_slot(root, index, &table);
    if (slot == NULL) {
        trim(root, index);
        return -ENOMEM;
    }
    if (*slot)
        return -EEXIST;
    *slot = item;
    table->count++;
    return 0;
}

/* The lowest table on the way to index, or NULL. */
static struct radix_tree_node *find_table(const struct radix_tree_root *root, unsigned long index)
{
    if (root->rnode == NULL || index > max_index(root->height))
        return NULL;
    struct radix_tree_node *node = root->rnode;
    for (u32 level = root->height; node && level > 1; level--)
        node = node->slots[slot_of(index, level - 1)];
    return node;
}

void **radix_tree_lookup_slot(const struct radix_tree_root *root, unsigned long index)
{
    struct radix_tree_node *table = find_table(root, index);
    void **slot = table ? &table->slots[slot_of(index, 0)] : NULL;
    return slot && *slot ? slot : NULL;
}

void *radix_tree_lookup(const struct radix_tree_root *root, unsigned long index)
{
    const struct radix_tree_node *table = find_table(root, index);
    return table ? table->slots[slot_of(index, 0)] : NULL;
}

void *radix_tree_delete(struct radix_tree_root *root, unsigned long index)
{
    struct radix_tree_node *table = find_table(root, index);
    void *item = table ? table->slots[slot_of(index, 0)] : NULL;
    if (item == NULL)
        return NULL;
    table->slots[slot_of(index, 0)] = NULL;
    table->count--;
    trim(root, index);
    return item;
}

/*
 * The item at index, or NULL. Then *next is the first number behind it, or behind the lowest table that is
 * missing on the way to it, where something may be; 0: there is nothing behind.
 */
static void *lookup_or_skip(const struct radix_tree_root *root, unsigned long index, unsigned long *next)
{
    void *item = root->rnode;
    u32 level = root->height;
    while (item && level > 0) {
        const struct radix_tree_node *node = item;
        item = node->slots[slot_of(index, --level)];
    }
    unsigned long span = 1ul << (level * RADIX_TREE_MAP_SHIFT);
    *next = (index & ~(span - 1)) + span;
    return item;
}

u32 radix_tree_gang_lookup(const struct radix_tree_root *root, void **results, unsigned long first, u32 max)
{
    u32 found = 0;
    while (found < max && root->rnode && first <= max_index(root->height)) {
        results[found] = lookup_or_skip(root, first, &first);
        found += results[found] != NULL;
        if (first == 0)
            break;
    }
    return found;
}
