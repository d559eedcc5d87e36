/*
 * Cycles of one clock in those of another, exactly and without a division: the ratio is kept as a whole
 * number and a fraction of 2^64, which is too small by less than 2^-64, so that for any time the quotient is
 * right or one too small; the remainder says which.
 */
#ifndef LK_CACHE_DRAM_CLOCK_H
#define LK_CACHE_DRAM_CLOCK_H

#include <stdint.h>

struct clock_ratio {
    uint64_t to, from; /* `to` cycles of the one take as long as `from` of the other; lowest terms */
    uint64_t whole, fraction;
};

static inline struct clock_ratio clock_ratio(uint64_t to_hz, uint64_t from_hz)
{
    if (!to_hz || !from_hz)
        return (struct clock_ratio){.from = 1};
    uint64_t a = to_hz, b = from_hz;
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    struct clock_ratio ratio = {.to = to_hz / a, .from = from_hz / a};
    ratio.whole = ratio.to / ratio.from;
    ratio.fraction = (uint64_t)(((unsigned __int128)(ratio.to % ratio.from) << 64) / ratio.from);
    return ratio;
}

/*
 * The first cycle of the other clock that begins not before cycle `time` of this one: ceil(time x to / from).
 */
static inline uint64_t clock_convert(const struct clock_ratio *ratio, uint64_t time)
{
    uint64_t quotient = time * ratio->whole + (uint64_t)(((unsigned __int128)time * ratio->fraction) >> 64);
    uint64_t rest = time * ratio->to - quotient * ratio->from; /* below 2 x from, whatever overflowed */
    return quotient + (rest > 0) + (rest > ratio->from);
}

#endif
