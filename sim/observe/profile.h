/*
 * What a profile holds, in memory and as a file (docs/profile.md): what was counted by process, privilege
 * level and instruction, and by call stack. Both have the same sums.
 */
#ifndef LK_SIM_OBSERVE_PROFILE_H
#define LK_SIM_OBSERVE_PROFILE_H

#include "sim/base/diag.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum profile_event {
#define EVENT(id, name, statistic, sentence) PROFILE_##id,
#include "sim/observe/profile_events.def"
#undef EVENT
    NR_PROFILE_EVENTS,
};

extern const char *const profile_event_names[NR_PROFILE_EVENTS];

/* Cycles are counted in ticks of the core's clock, so that nothing is rounded before it is summed. */
enum { PROFILE_TICKS_PER_CYCLE = 64, PROFILE_NAME_CHARS = 17 };

struct profile_counts {
    uint64_t of[NR_PROFILE_EVENTS];
};

/* An address space that ran, by its page directory; and whose it was, where the guest says so. */
struct profile_process {
    uint64_t cr3;
    uint32_t pid;
    char name[PROFILE_NAME_CHARS]; /* "" where the guest says nothing */
};

struct profile_code {
    uint32_t process; /* index */
    unsigned cpl;
    uint64_t linear;
    struct profile_counts counts;
};

enum profile_node_kind {
    PROFILE_THREAD, /* the bottom of a stack: parent is itself */
    PROFILE_CALL,
    PROFILE_EXCEPTION,
    PROFILE_INTERRUPT,
    PROFILE_SYSTEM_CALL, /* INT n, SYSENTER, SYSCALL (the latter two with vector 0) */
    NR_PROFILE_NODE_KINDS,
};

/* A call stack: its parent's, and one call or entry more. A parent comes before its children. */
struct profile_node {
    uint32_t parent, process;
    enum profile_node_kind kind;
    unsigned vector, cpl;
    uint64_t from, to; /* where it was called, and the first instruction there */
    uint64_t nr_calls;
    struct profile_counts counts; /* its own, without those of its children */
};

/* A function of the guest's kernel, as the kernel itself calls it. */
struct profile_function {
    uint64_t begin, size_bytes;
    char *name; /* owned */
};

struct profile {
    char *version, *config_digest, *image; /* owned; image: the file, as it was named */
    struct profile_process *processes;
    struct profile_function *functions; /* sorted; only those in which something was counted */
    struct profile_code *code;          /* sorted: process, cpl, linear */
    struct profile_node *nodes;
    size_t nr_processes, nr_functions, nr_code, nr_nodes;
    bool is_cut; /* the file ends before its end: sums are those of what is there */
    struct profile_counts total;
};

void profile_add(struct profile_counts *to, const struct profile_counts *from);

/* Writes all of it; errors are the stream's. */
void profile_write(const struct profile *profile, FILE *to);

/*
 * Reads a stranger's file. False with a line in `diag`: EXIT_STATUS_NO_INPUT, or EXIT_STATUS_BAD_DATA with
 * the number of the bad line. To be freed by profile_fini in either case.
 */
bool profile_read(struct profile *profile, const char *file, struct diag *diag);
void profile_fini(struct profile *profile);
/* The functions alone. */
void profile_free_functions(struct profile *profile);

#endif
