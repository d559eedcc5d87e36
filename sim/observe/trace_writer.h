/*
 * Writes what the observers of a core and of devices are told into a file (docs/trace.md). Call order:
 * trace_writer_create; hand trace_observer to the core and trace_dma_observer to the memory; run;
 * trace_writer_finish. The file bears its name only after trace_writer_finish; until then it stands beside it
 * with `.tmp.` and the process number behind the name. A run's trace is the same, byte for byte, each time.
 */
#ifndef LK_SIM_OBSERVE_TRACE_WRITER_H
#define LK_SIM_OBSERVE_TRACE_WRITER_H

#include "cpu/observe.h"
#include "sim/base/diag.h"
#include "sim/observe/trace_filter.h"

struct trace_params {
    const char *version;       /* of lookaside, as `lookaside version` prints it */
    const char *config_digest; /* what identifies the effective configuration */
    const char *image;         /* the guest's name */
    uint64_t clock_hz;
    cycle_t from, to;           /* only what touches these cycles is recorded; to 0: to the end */
    uint64_t limit_bytes;       /* recording stops before the file grows larger; 0: no limit */
    uint32_t records_per_chunk; /* 0: the usual number */
    struct trace_filter filter; /* only what it takes; kinds 0: all */
    /*
     * Only while CR3 has this page directory, only within this region of interest. What the whole trace needs
     * (control writes, marks) is recorded all the time.
     */
    bool has_process, has_region;
    uint64_t process_cr3;
    uint32_t region;
};

struct trace_writer;

/* NULL with a line in `diag` when the file cannot be made (EXIT_STATUS_NO_OUTPUT) or memory is short. */
struct trace_writer *trace_writer_create(const char *file, const struct trace_params *params,
                                         struct diag *diag);

/* For cpu_params.observer and dma_memory_params.observer; they live as long as the writer. */
const struct cpu_observer *trace_observer(struct trace_writer *writer);
const struct dma_observer *trace_dma_observer(struct trace_writer *writer);

/* A marker of the guest speaks, in the latest cycle that the observers were told. */
void trace_writer_mark(struct trace_writer *writer, enum trace_mark_kind kind, uint32_t id, const char *text);

/*
 * Writes the index, names the file, frees the writer. False with a line (EXIT_STATUS_NO_OUTPUT) when any
 * write failed.
 */
bool trace_writer_finish(struct trace_writer *writer, struct diag *diag);

/* Frees the writer and leaves no file. NULL is fine. */
void trace_writer_abandon(struct trace_writer *writer);

#endif
