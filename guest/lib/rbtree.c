/*
 * Red-black trees (include/rbtree.h). A red node has no red child, and every way down from the root passes
 * equally many black nodes. What is done on the left is done on the right the other way round, so the code
 * speaks of a side and the other side.
 */
#include "rbtree.h"

static bool is_red(const struct rb_node *node)
{
    return node && node->is_red;
}

static enum rb_side side_of(const struct rb_node *node)
{
    return node->parent && node->parent->child[RB_RIGHT] == node ? RB_RIGHT : RB_LEFT;
}

/* Puts `by` (or nothing) where node hangs. */
static void replace_child(struct rb_root *root, const struct rb_node *node, struct rb_node *by)
{
    if (node->parent)
        node->parent->child[side_of(node)] = by;
    else
        root->rb_node = by;
    if (by)
        by->parent = node->parent;
}

/* Lets node sink to a side; the child on the other side takes its place. */
static void rotate(struct rb_root *root, struct rb_node *node, enum rb_side side)
{
    struct rb_node *up = node->child[!side];
    node->child[!side] = up->child[side];
    if (up->child[side])
        up->child[side]->parent = node;
    replace_child(root, node, up);
    up->child[side] = node;
    node->parent = up;
}

void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
    while (is_red(node->parent)) {
        /* A red parent is not the root, so it has a parent itself. */
        struct rb_node *parent = node->parent, *grandparent = parent->parent;
        enum rb_side side = side_of(parent);
        struct rb_node *uncle = grandparent->child[!side];
        if (is_red(uncle)) {
            parent->is_red = uncle->is_red = false;
            grandparent->is_red = true;
            node = grandparent;
            continue;
        }
        if (side_of(node) != side) {
            rotate(root, parent, side);
            parent = node;
        }
        parent->is_red = false;
        grandparent->is_red = true;
        rotate(root, grandparent, !side);
        break;
    }
    root->rb_node->is_red = false;
}

/* The ways through parent's child on this side have lost a black node. */
static void erase_color(struct rb_root *root, struct rb_node *parent, enum rb_side side)
{
    while (parent && !is_red(parent->child[side])) {
        struct rb_node *sibling = parent->child[!side];
        if (is_red(sibling)) {
            sibling->is_red = false;
            parent->is_red = true;
            rotate(root, parent, side);
            sibling = parent->child[!side];
        }
        if (!is_red(sibling->child[RB_LEFT]) && !is_red(sibling->child[RB_RIGHT])) {
            sibling->is_red = true;
            side = side_of(parent);
            if (is_red(parent) || parent->parent == NULL) {
                parent->is_red = false;
                return;
            }
            parent = parent->parent;
            continue;
        }
        if (!is_red(sibling->child[!side])) {
            sibling->child[side]->is_red = false;
            sibling->is_red = true;
            rotate(root, sibling, !side);
            sibling = parent->child[!side];
        }
        sibling->is_red = parent->is_red;
        parent->is_red = false;
        sibling->child[!side]->is_red = false;
        rotate(root, parent, side);
        return;
    }
    if (parent)
        parent->child[side]->is_red = false;
    else if (root->rb_node)
        root->rb_node->is_red = false;
}

static struct rb_node *outermost(struct rb_node *node, enum rb_side side)
{
    while (node && node->child[side])
        node = node->child[side];
    return node;
}

/* Lets `by`, which hangs nowhere, take node's place with all that belongs to it. */
static void take_place(struct rb_root *root, const struct rb_node *node, struct rb_node *by)
{
    replace_child(root, node, by);
    by->is_red = node->is_red;
    for (int side = RB_LEFT; side <= RB_RIGHT; side++) {
        by->child[side] = node->child[side];
        if (by->child[side])
            by->child[side]->parent = by;
    }
}

void rb_erase(struct rb_node *node, struct rb_root *root)
{
    /* A node with two children: its successor, which has one at most, is taken out instead of it. */
    struct rb_node *out = node;
    if (node->child[RB_LEFT] && node->child[RB_RIGHT])
        out = outermost(node->child[RB_RIGHT], RB_LEFT);
    struct rb_node *child = out->child[RB_LEFT] ? out->child[RB_LEFT] : out->child[RB_RIGHT];
    struct rb_node *parent = out->parent;
    enum rb_side side = side_of(out);
    bool lost_black = !out->is_red;
    replace_child(root, out, child);
    if (out != node) {
        take_place(root, node, out);
        if (parent == node)
            parent = out;
    }
    if (lost_black)
        erase_color(root, parent, side);
}

struct rb_node *rb_first(const struct rb_root *root)
{
    return outermost(root->rb_node, RB_LEFT);
}

struct rb_node *rb_last(const struct rb_root *root)
{
    return outermost(root->rb_node, RB_RIGHT);
}

static struct rb_node *neighbour(const struct rb_node *node, enum rb_side side)
{
    if (node->child[side])
        return outermost(node->child[side], !side);
    while (node->parent && side_of(node) == side)
        node = node->parent;
    return node->parent;
}

struct rb_node *rb_next(const struct rb_node *node)
{
    return neighbour(node, RB_RIGHT);
}

struct rb_node *rb_prev(const struct rb_node *node)
{
    return neighbour(node, RB_LEFT);
}
