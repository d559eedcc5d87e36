/*
 * A predictor of directions by tagged tables of geometric history lengths: Seznec and Michaud, "A case for
 * (partially) TAgged GEometric history length branch prediction", Journal of Instruction-Level Parallelism 8,
 * 2006. docs/timing.md, section 6, has what is counted exactly, and where the paper leaves a choice or draws
 * lots.
 */
#ifndef LK_CPU_TAGE_H
#define LK_CPU_TAGE_H

#include "sim/base/config.h"

#include <stdbool.h>
#include <stdint.h>

struct tage;

/* From cpu.tage_* and cpu.predictor_entries. NULL: no memory. */
struct tage *tage_create(const struct config *config);
void tage_destroy(struct tage *tage);

/*
 * A conditional branch at the linear address `from` goes on as `is_taken` says. Returns what was predicted,
 * and has learnt.
 */
bool tage_pass(struct tage *tage, uint64_t from, bool is_taken);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void tage_snap(struct tage *tage, struct snap *snap);

#endif
