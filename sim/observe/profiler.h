/*
 * Counts where a run's cycles and misses go, exactly: an observer of the core that is told of each
 * instruction and asks the counters when something has missed. Call order: profiler_create; hand
 * profiler_observer to the core; profiler_attach before it runs; run; profiler_finish.
 */
#ifndef LK_SIM_OBSERVE_PROFILER_H
#define LK_SIM_OBSERVE_PROFILER_H

#include "cpu/cpu.h"
#include "sim/observe/guest_kernel.h"
#include "sim/observe/profile.h"

struct profiler;

struct profiler_params {
    const char *version, *config_digest;
    const char *image; /* the guest's file, for whoever wants its symbols */
};

/* Whose counters are asked. NULL: there is none of it. */
struct profiler_sources {
    const struct cpu *cpu;
    const struct tlb *itlb, *dtlb;
    const struct cache *l1i, *l1d, *l2;
    const struct ram *ram;
    const void *note; /* of the guest's image, for the names of processes; NULL when it has none */
    size_t note_bytes;
};

/* NULL with a line in `diag` when memory is short, or the file cannot be made. */
struct profiler *profiler_create(const char *file, const struct profiler_params *params, struct diag *diag);
const struct cpu_observer *profiler_observer(struct profiler *profiler);
void profiler_attach(struct profiler *profiler, const struct profiler_sources *sources);

/* Writes the file and frees the profiler. False with a line of EXIT_STATUS_NO_OUTPUT. */
bool profiler_finish(struct profiler *profiler, struct diag *diag);
/* Frees it and leaves no file. NULL is fine. */
void profiler_abandon(struct profiler *profiler);

#endif
