/*
 * Red-black trees: ordered, and never higher than twice the logarithm of their size. The nodes lie in the
 * objects, as with list.h. Who inserts walks down from the root by an order of his own, links the node in
 * (rb_link_node()), and has the tree balanced (rb_insert_color()).
 */
#pragma once

#include "compiler.h"
#include "types.h"

enum rb_side { RB_LEFT, RB_RIGHT };

struct rb_node {
    struct rb_node *parent;
    struct rb_node *child[2]; /* by enum rb_side; smaller ones left */
    bool is_red;
};

struct rb_root {
    struct rb_node *rb_node;
};

#define rb_entry(ptr, type, member) container_of(ptr, type, member)

/* Makes node a red leaf at *link, which is parent's child pointer or the root's. */
static inline void rb_link_node(struct rb_node *node, struct rb_node *parent, struct rb_node **link)
{
    *node = (struct rb_node){.parent = parent, .is_red = true};
    *link = node;
}

/* Balances the tree around a node that was just linked in. */
void rb_insert_color(struct rb_node *node, struct rb_root *root);
void rb_erase(struct rb_node *node, struct rb_root *root);

/* In order; NULL behind the last one. */
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);
