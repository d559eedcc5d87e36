/*
 * A stamp is a moment on a core's clock, in 1/64 of a cycle: bits 6 and up count cycles, bits 5-4 the issue
 * slot within the cycle, and bits 3-0 say what the core would be waiting for if it waited until then. The
 * order of stamps is the order of time (the reason only breaks ties), so the maximum of some stamps is both
 * when an instruction can go and what kept it, found with no branch. A latency is added as a multiple of
 * STAMP_CYCLE and never touches slot or reason.
 */
#ifndef LK_SIM_BASE_STAMP_H
#define LK_SIM_BASE_STAMP_H

#include "sim/base/addr.h"

typedef uint64_t stamp_t;

enum { STAMP_CYCLE = 64, STAMP_CYCLE_SHIFT = 6, STAMP_SLOT_SHIFT = 4, STAMP_REASON_MASK = 15 };

/* What a cycle went into: the parts of the CPI stack. */
enum reason {
    REASON_BASE,
#define REASON(id, name, sentence) REASON_##id,
#include "sim/base/reasons.def"
#undef REASON
    NR_REASONS,
};

static inline stamp_t stamp_of_cycle(cycle_t cycle)
{
    return cycle << STAMP_CYCLE_SHIFT;
}

static inline cycle_t stamp_cycle(stamp_t t)
{
    return t >> STAMP_CYCLE_SHIFT;
}

/* The first slot of t's cycle, for no reason. */
static inline stamp_t stamp_floor(stamp_t t)
{
    return t & ~(stamp_t)(STAMP_CYCLE - 1);
}

/* The first slot of the first cycle that does not begin before t. */
static inline stamp_t stamp_ceiling(stamp_t t)
{
    return stamp_floor(t + STAMP_CYCLE - 1);
}

static inline stamp_t stamp_later(stamp_t a, stamp_t b)
{
    return a > b ? a : b;
}

static inline enum reason stamp_reason(stamp_t t)
{
    return (enum reason)(t & STAMP_REASON_MASK);
}

static inline stamp_t stamp_because(stamp_t t, enum reason reason)
{
    return (t & ~(stamp_t)STAMP_REASON_MASK) | (stamp_t)reason;
}

#endif
