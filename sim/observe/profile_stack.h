/*
 * The call stacks of a running guest, from its calls, returns, and ways in and out of its kernel. A stack is
 * known by where in memory it lies, so that a kernel's switch to another task's stack is seen at the return
 * that follows it, whatever the kernel.
 */
#ifndef LK_SIM_OBSERVE_PROFILE_STACK_H
#define LK_SIM_OBSERVE_PROFILE_STACK_H

#include "cpu/observe.h"
#include "sim/observe/profile.h"

struct profile_stacks;

/* NULL when memory is short. */
struct profile_stacks *profile_stacks_create(void);
void profile_stacks_destroy(struct profile_stacks *stacks);

/* The call stack that is running, until something else is called. */
uint32_t profile_stacks_node(const struct profile_stacks *stacks);
/* To count in. NULL: memory was short once. */
struct profile_node *profile_stacks_nodes(struct profile_stacks *stacks, size_t *nr_nodes);
/* They are the caller's now. */
struct profile_node *profile_stacks_take_nodes(struct profile_stacks *stacks, size_t *nr_nodes);

/*
 * Before an instruction is counted: it is the first one of what was called or entered before, if that is so.
 * `process` is the one that runs.
 */
void profile_stacks_begin(struct profile_stacks *stacks, const struct cpu_seen_step *step, uint32_t process);
/* Behind it. */
void profile_stacks_end(struct profile_stacks *stacks, const struct cpu_seen_step *step, uint32_t process);
/*
 * An exception or interrupt: settle before what led to it is counted, for the first instruction of what was
 * called may have failed, and was called nevertheless. Then enter: it is at `from`, and its handler begins
 * next.
 */
void profile_stacks_settle(struct profile_stacks *stacks, const struct cpu_seen_exception *exception,
                           uint32_t process);
void profile_stacks_enter(struct profile_stacks *stacks, const struct cpu_seen_exception *exception,
                          uint64_t from);

#endif
