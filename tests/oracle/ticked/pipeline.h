/*
 * The in-order pipeline of docs/timing.md, latch by latch: the front end, the fetch queue, the issue stage,
 * the scoreboard, the memory ports, the store buffer. Time goes in ticks of an issue slot, of which a cycle
 * has `cpu.width`; in each tick the stages move in reverse order. Instructions and the answers of the memory
 * system come from a stream; cycles are the pipeline's own, and compared with those of the stream.
 */
#ifndef LK_TESTS_TICKED_PIPELINE_H
#define LK_TESTS_TICKED_PIPELINE_H

#include "sim/base/config.h"
#include "tests/oracle/ticked/stream.h"

#include <stdio.h>

struct pipeline;

struct pipeline *pipeline_create(const struct config *config, const struct stream *stream);
void pipeline_destroy(struct pipeline *pipeline);

/*
 * Ticks on. Until the stream is over some items must be left, for the front end to run ahead into. False when
 * a cycle differs.
 */
bool pipeline_run(struct pipeline *pipeline, bool is_over);

/* What differs, with the instructions around it. */
void pipeline_report(const struct pipeline *pipeline, FILE *file);

struct pipeline_counts {
    uint64_t instructions, blocks, requests, exceptions, stores, cycles;
};
struct pipeline_counts pipeline_counts(const struct pipeline *pipeline);
/* Items before this one will not be looked at again. */
uint64_t pipeline_oldest_item(const struct pipeline *pipeline);

#endif
