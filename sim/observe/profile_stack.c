#include "sim/observe/profile_stack.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_FRAMES = 1024,   /* deeper calls count for the deepest */
    MAX_NODES = 1 << 20, /* more stacks than that count for their callers */
    MAX_STACKS = 4096,
    BASE_MARGIN_BYTES = 256, /* what lies above the first stack pointer seen may belong to it */
    NEAR_BYTES = 4096,       /* what a return may take off at once */
    FAR_BYTES = 1 << 16,     /* a frame is no larger */
    BELOW_BYTES = 2048,      /* what a task has pushed since its last call when it is switched off */
    USER_STACK_BYTES = 8 << 20,
};

struct frame {
    uint64_t stack; /* where the return address lies */
    uint32_t node;
    bool is_entry;
};

/* A stack in the guest's memory; frame 0 is its bottom. */
struct stack {
    struct stack *next;
    bool is_user;
    uint32_t process;    /* is_user only: kernels' stacks are the same in all */
    uint64_t base;       /* its highest address, about */
    struct stack *below; /* the user's stack on which this kernel's one was entered */
    unsigned nr_frames;
    struct frame frame[MAX_FRAMES];
};

/* What is called or entered next, until its first instruction comes. */
struct pending {
    bool is_there;
    enum profile_node_kind kind;
    unsigned vector;
    uint64_t from, stack;
};

struct profile_stacks {
    struct profile_node *nodes;
    size_t nr_nodes, nodes_room;
    uint32_t *index; /* a hash table of nodes, number + 1; 0: free */
    size_t index_room;
    struct stack *all, *current;
    unsigned nr_stacks;
    unsigned cpl;
    struct pending pending;
    bool is_new_thread; /* on a stack that was not seen before */
};

struct profile_stacks *profile_stacks_create(void)
{
    struct profile_stacks *stacks = calloc(1, sizeof *stacks);
    if (!stacks)
        return NULL;
    stacks->index_room = 1 << 12;
    stacks->nodes_room = 1 << 10;
    stacks->index = calloc(stacks->index_room, sizeof *stacks->index);
    stacks->nodes = calloc(stacks->nodes_room, sizeof *stacks->nodes);
    stacks->is_new_thread = true;
    if (stacks->index && stacks->nodes)
        return stacks;
    profile_stacks_destroy(stacks);
    return NULL;
}

void profile_stacks_destroy(struct profile_stacks *stacks)
{
    if (!stacks)
        return;
    for (struct stack *stack = stacks->all, *next; stack; stack = next) {
        next = stack->next;
        free(stack);
    }
    free(stacks->index);
    free(stacks->nodes);
    free(stacks);
}

struct profile_node *profile_stacks_nodes(struct profile_stacks *stacks, size_t *nr_nodes)
{
    *nr_nodes = stacks->nr_nodes;
    return stacks->nodes;
}

struct profile_node *profile_stacks_take_nodes(struct profile_stacks *stacks, size_t *nr_nodes)
{
    struct profile_node *nodes = stacks->nodes;
    *nr_nodes = stacks->nr_nodes;
    stacks->nodes = NULL;
    stacks->nr_nodes = 0;
    return nodes;
}

uint32_t profile_stacks_node(const struct profile_stacks *stacks)
{
    const struct stack *stack = stacks->current;
    return stack ? stack->frame[stack->nr_frames - 1].node : 0;
}

/* ---- Nodes ---- */

static uint64_t hash_of(const struct profile_node *node)
{
    uint64_t hash = 0xcbf29ce484222325;
    const uint64_t words[] = {node->kind == PROFILE_THREAD ? UINT32_MAX : node->parent, node->process,
                              (uint64_t)node->kind << 32 | node->vector, node->from, node->to};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15;
        hash ^= hash >> 29;
    }
    return hash;
}

static bool is_same(const struct profile_node *a, const struct profile_node *b)
{
    return a->kind == b->kind && a->vector == b->vector && a->from == b->from && a->to == b->to &&
           a->process == b->process && (a->kind == PROFILE_THREAD || a->parent == b->parent);
}

static bool grow(struct profile_stacks *stacks)
{
    if (stacks->nr_nodes == stacks->nodes_room) {
        struct profile_node *nodes = realloc(stacks->nodes, stacks->nodes_room * 2 * sizeof *nodes);
        if (!nodes)
            return false;
        stacks->nodes = nodes;
        stacks->nodes_room *= 2;
    }
    if (stacks->nr_nodes * 2 < stacks->index_room)
        return true;
    size_t room = stacks->index_room * 2;
    uint32_t *index = calloc(room, sizeof *index);
    if (!index)
        return false;
    for (size_t i = 0; i < stacks->nr_nodes; i++) {
        size_t at = hash_of(&stacks->nodes[i]) & (room - 1);
        while (index[at])
            at = (at + 1) & (room - 1);
        index[at] = (uint32_t)i + 1;
    }
    free(stacks->index);
    stacks->index = index;
    stacks->index_room = room;
    return true;
}

/* The node like that one, which is made if there is none. The parent when there is no room for more. */
static uint32_t node_like(struct profile_stacks *stacks, const struct profile_node *wanted)
{
    size_t at = hash_of(wanted) & (stacks->index_room - 1);
    for (; stacks->index[at]; at = (at + 1) & (stacks->index_room - 1)) {
        uint32_t node = stacks->index[at] - 1;
        if (is_same(&stacks->nodes[node], wanted)) {
            stacks->nodes[node].nr_calls++;
            return node;
        }
    }
    if (stacks->nr_nodes == MAX_NODES || !grow(stacks))
        return wanted->parent;
    uint32_t node = (uint32_t)stacks->nr_nodes++;
    stacks->nodes[node] = *wanted;
    stacks->nodes[node].nr_calls = 1;
    if (wanted->kind == PROFILE_THREAD)
        stacks->nodes[node].parent = node;
    for (at = hash_of(wanted) & (stacks->index_room - 1); stacks->index[at];)
        at = (at + 1) & (stacks->index_room - 1);
    stacks->index[at] = node + 1;
    return node;
}

/* ---- Stacks ---- */

static struct frame *top(struct stack *stack)
{
    return &stack->frame[stack->nr_frames - 1];
}

static void push(struct stack *stack, uint64_t at, uint32_t node, bool is_entry)
{
    if (stack->nr_frames < MAX_FRAMES)
        stack->frame[stack->nr_frames++] = (struct frame){at, node, is_entry};
}

/* Takes off what lies below `at`; the bottom stays. */
static void pop_below(struct stack *stack, uint64_t at)
{
    while (stack->nr_frames > 1 && top(stack)->stack < at) {
        if (top(stack)->is_entry)
            stack->below = NULL; /* the way in is not the way out any more */
        stack->nr_frames--;
    }
}

/* A stack on which a thread begins, whose first instruction comes next. */
static struct stack *new_stack(struct profile_stacks *stacks, uint64_t at, bool is_user, uint32_t process)
{
    struct stack *stack;
    if (stacks->nr_stacks < MAX_STACKS && (stack = malloc(sizeof *stack))) {
        stacks->nr_stacks++;
        stack->next = stacks->all;
        stacks->all = stack;
    } else {
        stack = stacks->all; /* the latest one is forgotten */
        if (!stack)
            return NULL;
    }
    stack->is_user = is_user;
    stack->process = process;
    stack->base = at + BASE_MARGIN_BYTES < at ? UINT64_MAX : at + BASE_MARGIN_BYTES;
    stack->below = NULL;
    stack->nr_frames = 1;
    stack->frame[0] = (struct frame){.stack = UINT64_MAX};
    return stack;
}

static bool is_of(const struct stack *stack, bool is_user, uint32_t process)
{
    return stack->is_user == is_user && (!is_user || stack->process == process);
}

/* The stack in which `at` lies: stacks do not overlap, so that it is the one with the next base above. */
static struct stack *stack_with(const struct profile_stacks *stacks, uint64_t at, bool is_user,
                                uint32_t process)
{
    struct stack *best = NULL;
    for (struct stack *stack = stacks->all; stack; stack = stack->next)
        if (is_of(stack, is_user, process) && stack->base >= at && (!best || stack->base < best->base))
            best = stack;
    if (!best)
        return NULL;
    uint64_t lowest = best->nr_frames > 1 ? top(best)->stack : best->base;
    uint64_t reach = best == stacks->current ? FAR_BYTES : BELOW_BYTES;
    return lowest > reach && at < lowest - reach ? NULL : best;
}

/* The stack pointer is somewhere else than where calls and returns have led: another task runs. */
static void switch_to(struct profile_stacks *stacks, uint64_t at, uint32_t process)
{
    struct stack *current = stacks->current, *found = stack_with(stacks, at, current->is_user, process);
    if (found == current) {
        pop_below(current, at);
        return;
    }
    if (!found && current->is_user && current->process == process && at > current->base &&
        at - current->base < USER_STACK_BYTES) {
        current->base = at + BASE_MARGIN_BYTES; /* callers that were there before it was watched */
        current->nr_frames = 1;
        return;
    }
    if (!found && current->nr_frames == 1 && !current->is_user) {
        current->base = at + BASE_MARGIN_BYTES; /* who was called by nobody has set its stack up */
        return;
    }
    bool is_new = !found;
    if (found) {
        pop_below(found, at);
        is_new = found->nr_frames == 1 && !found->is_user;
        if (is_new)
            found->below = NULL; /* a stack that is used again */
    } else {
        found = new_stack(stacks, at, current->is_user, process);
    }
    stacks->current = found;
    stacks->is_new_thread = is_new;
}

static bool is_in_reach(const struct stack *stack, uint64_t at)
{
    uint64_t lowest = stack->nr_frames > 1 ? stack->frame[stack->nr_frames - 1].stack : stack->base;
    return at <= stack->base && (at >= lowest || lowest - at < FAR_BYTES);
}

/* ---- What the instructions do ---- */

/* The step may be a call's first one, which was the first thing done on this stack. */
static void begin_thread(struct profile_stacks *stacks, const struct cpu_seen_step *step, uint32_t process)
{
    bool is_called = stacks->pending.is_there && stacks->pending.kind == PROFILE_CALL;
    struct profile_node thread = {.kind = PROFILE_THREAD,
                                  .process = process,
                                  .to = is_called ? stacks->pending.from : step->linear.v,
                                  .cpl = step->cpl};
    if (!stacks->current)
        stacks->current = new_stack(stacks, step->stack, step->cpl == 3, process);
    stacks->is_new_thread = false;
    if (stacks->current)
        stacks->current->frame[0].node = node_like(stacks, &thread);
}

void profile_stacks_begin(struct profile_stacks *stacks, const struct cpu_seen_step *step, uint32_t process)
{
    if (stacks->is_new_thread)
        begin_thread(stacks, step, process);
    const struct pending *pending = &stacks->pending;
    if (!pending->is_there || !stacks->current)
        return;
    stacks->pending.is_there = false;
    struct profile_node called = {.parent = profile_stacks_node(stacks),
                                  .process = process,
                                  .kind = pending->kind,
                                  .vector = pending->vector,
                                  .cpl = step->cpl,
                                  .from = pending->from,
                                  .to = step->linear.v};
    bool is_entry = pending->kind != PROFILE_CALL;
    bool is_other_stack = is_entry && stacks->cpl == 3 && step->cpl < 3;
    uint32_t node = node_like(stacks, &called);
    if (is_other_stack) {
        struct stack *below = stacks->current, *stack = stack_with(stacks, step->stack, false, process);
        if (!stack)
            stack = new_stack(stacks, step->stack, false, process);
        if (!stack)
            return;
        /* A kernel may keep what is above; most begin with an empty stack. */
        pop_below(stack, step->stack);
        if (stack->nr_frames == 1)
            stack->frame[0].node = node;
        else
            push(stack, step->stack, node, true);
        stack->below = below == stack ? NULL : below;
        stacks->current = stack;
    } else {
        push(stacks->current, is_entry ? step->stack : pending->stack, node, is_entry);
    }
}

/* IRET and the like: back to what was interrupted, on this stack or on the user's. */
static void leave(struct profile_stacks *stacks, const struct cpu_seen_step *step, uint32_t process)
{
    struct stack *stack = stacks->current;
    if (step->cpl == 3 && !stack->is_user) {
        struct stack *user = stack->below;
        if (user && user->is_user && user->process == process) {
            stacks->current = user;
            pop_below(user, step->stack);
        } else {
            stacks->current = new_stack(stacks, step->stack, true, process);
            stacks->is_new_thread = true;
        }
        stack->below = NULL;
        return;
    }
    unsigned nr_frames = stack->nr_frames;
    while (nr_frames > 1 && !stack->frame[nr_frames - 1].is_entry)
        nr_frames--;
    if (nr_frames > 1)
        stack->nr_frames = nr_frames - 1;
}

void profile_stacks_end(struct profile_stacks *stacks, const struct cpu_seen_step *step, uint32_t process)
{
    struct stack *stack = stacks->current;
    if (!stack || step->flow == CPU_FLOW_NONE) {
        stacks->cpl = step->cpl;
        return;
    }
    switch ((enum cpu_flow)step->flow) {
    case CPU_FLOW_CALL:
        if (!is_in_reach(stack, step->stack))
            switch_to(stacks, step->stack, process);
        stacks->pending = (struct pending){
            .is_there = true, .kind = PROFILE_CALL, .from = step->linear.v, .stack = step->stack};
        break;
    case CPU_FLOW_RETURN: {
        const struct frame *frame = top(stack);
        bool is_plain = stack->nr_frames > 1 && !frame->is_entry && frame->stack < step->stack &&
                        step->stack - frame->stack <= NEAR_BYTES && step->stack <= stack->base &&
                        stack->frame[stack->nr_frames - 2].stack >= step->stack;
        if (is_plain)
            stack->nr_frames--;
        else
            switch_to(stacks, step->stack, process);
        break;
    }
    case CPU_FLOW_ENTRY:
        stacks->pending = (struct pending){
            .is_there = true, .kind = PROFILE_SYSTEM_CALL, .vector = step->vector, .from = step->linear.v};
        break;
    case CPU_FLOW_LEAVE:
        leave(stacks, step, process);
        break;
    case CPU_FLOW_NONE:
        break;
    }
    if (step->flow != CPU_FLOW_ENTRY)
        stacks->cpl = step->cpl;
}

void profile_stacks_settle(struct profile_stacks *stacks, const struct cpu_seen_exception *exception,
                           uint32_t process)
{
    struct cpu_seen_step step = {.linear = exception->linear, .cpl = (uint8_t)stacks->cpl};
    if (stacks->current &&
        (stacks->is_new_thread || (stacks->pending.is_there && stacks->pending.kind == PROFILE_CALL)))
        profile_stacks_begin(stacks, &step, process);
}

void profile_stacks_enter(struct profile_stacks *stacks, const struct cpu_seen_exception *exception,
                          uint64_t from)
{
    stacks->pending = (struct pending){
        .is_there = stacks->current != NULL,
        .kind = exception->is_interrupt ? PROFILE_INTERRUPT : PROFILE_EXCEPTION,
        .vector = exception->vector,
        .from = from,
    };
}
