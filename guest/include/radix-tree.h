/*
 * A tree from numbers to pointers whose nodes are tables of 64 entries, as deep as the largest number wants
 * (as Linux's radix-tree.h). The page cache finds a file's pages in one.
 */
#pragma once

#include "types.h"

#define RADIX_TREE_MAP_SHIFT 6
#define RADIX_TREE_MAP_SIZE (1u << RADIX_TREE_MAP_SHIFT)

struct radix_tree_node {
    u32 count; /* entries in use */
    void *slots[RADIX_TREE_MAP_SIZE];
};

struct radix_tree_root {
    u32 height; /* levels of tables; 0: the tree is empty */
    struct radix_tree_node *rnode;
};

/* The cache of nodes. */
void radix_tree_init(void);
/* Puts item (not NULL) at index. 0, -EEXIST: something is there; -ENOMEM. */
int radix_tree_insert(struct radix_tree_root *root, unsigned long index, void *item);
/* What is at index, or NULL. */
void *radix_tree_lookup(const struct radix_tree_root *root, unsigned long index);
/* The place of what is at index, or NULL, so that something else can be put there. */
void **radix_tree_lookup_slot(const struct radix_tree_root *root, unsigned long index);
/* Takes out what is at index and returns it, or NULL. Tables that are empty then go. */
void *radix_tree_delete(struct radix_tree_root *root, unsigned long index);
/*
 * What is at the lowest index that is not below first: its items go to results, at most max of them, in order
 * of their numbers. Returns how many.
 */
u32 radix_tree_gang_lookup(const struct radix_tree_root *root, void **results, unsigned long first, u32 max);
