/* Which features of features.def a core has: cpu.isa of the configuration says. */
#ifndef LK_CPU_FEATURES_H
#define LK_CPU_FEATURES_H

#include "sim/base/config.h"

#include <stdbool.h>
#include <stdint.h>

enum cpu_feature {
    FEATURE_NONE, /* always there */
#define FEATURE(id, isa, leaf, subleaf, reg, bit) FEATURE_##id,
#include "cpu/features.def"
#undef FEATURE
    NR_FEATURES,
};
_Static_assert(NR_FEATURES <= 64, "a core's features are bits of a word");

static inline uint64_t features_of(enum cfg_isa isa)
{
    uint64_t features = 1u << FEATURE_NONE;
#define FEATURE(id, since, leaf, subleaf, reg, bit)                                                          \
    features |= isa >= CFG_ISA_##since ? 1ull << FEATURE_##id : 0;
#include "cpu/features.def"
#undef FEATURE
    return features;
}

#endif
