/* A vector by its lanes, for operations that plain C spells out. */
#ifndef LK_CPU_SIMD_LANES_H
#define LK_CPU_SIMD_LANES_H

#include <string.h>

#include "cpu/simd.h"

#define OPERATION(op) __m128i simd_##op(struct cpu *cpu, __m128i dst, __m128i src, const struct insn *insn)
#define UNUSED() ((void)cpu, (void)dst, (void)src, (void)insn)

union lanes {
    uint8_t b[16];
    uint16_t w[8];
    uint32_t d[4];
    uint64_t q[2];
    int8_t sb[16];
    int16_t sw[8];
    int32_t sd[4];
    int64_t sq[2];
};

static inline union lanes lanes_of(__m128i v)
{
    union lanes lanes;
    memcpy(&lanes, &v, sizeof lanes);
    return lanes;
}

static inline __m128i vector_of(const union lanes *lanes)
{
    return simd_load(lanes);
}

#define NR_LANES(union_of_lanes, lane) (sizeof(union_of_lanes) / sizeof *(union_of_lanes).lane)

#endif
