/*
 * Numbers as the bytes of a trace's records, and back. What is read may be anybody's: once something is
 * wrong, what follows reads as zero, and `what` stays.
 */
#ifndef LK_SIM_OBSERVE_TRACE_BYTES_H
#define LK_SIM_OBSERVE_TRACE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Inlined, so that the place to write to stays in a register. */
#define TRACE_INLINE static inline __attribute__((always_inline))

struct trace_out {
    uint8_t *at;
};

TRACE_INLINE void trace_out_byte(struct trace_out *out, unsigned byte)
{
    *out->at++ = (uint8_t)byte;
}

TRACE_INLINE void trace_out_bytes(struct trace_out *out, const void *from, size_t nr_bytes)
{
    memcpy(out->at, from, nr_bytes);
    out->at += nr_bytes;
}

static inline uint8_t *trace_put_long(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value & 0x7f) | 0x80;
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

/* Seven bits a byte, low ones first; bit 7 says that more follow. */
TRACE_INLINE void trace_out_number(struct trace_out *out, uint64_t value)
{
    if (value < 0x80)
        *out->at++ = (uint8_t)value;
    else
        out->at = trace_put_long(out->at, value);
}

/* How far `value` is from `from`, either way: small distances become small numbers. */
TRACE_INLINE void trace_out_delta(struct trace_out *out, uint64_t value, uint64_t from)
{
    uint64_t delta = value - from;
    trace_out_number(out, delta << 1 ^ (delta >> 63 ? UINT64_MAX : 0));
}

struct trace_in {
    const uint8_t *at, *end;
    const char *what;
};

static inline unsigned trace_in_byte(struct trace_in *in)
{
    if (in->at == in->end) {
        if (!in->what)
            in->what = "it ends too early";
        return 0;
    }
    return *in->at++;
}

static inline uint64_t trace_in_number(struct trace_in *in)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        unsigned byte = trace_in_byte(in);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
    if (!in->what)
        in->what = "a number is longer than 64 bits";
    return 0;
}

static inline uint64_t trace_in_delta(struct trace_in *in, uint64_t from)
{
    uint64_t coded = trace_in_number(in);
    return from + (coded >> 1 ^ (coded & 1 ? UINT64_MAX : 0));
}

static inline unsigned trace_in_check(struct trace_in *in, uint64_t value, unsigned limit, const char *what)
{
    if (value < limit)
        return (unsigned)value;
    if (!in->what)
        in->what = what;
    return 0;
}

/* Reads a byte that must be below `limit`. */
static inline unsigned trace_in_below(struct trace_in *in, unsigned limit, const char *what)
{
    return trace_in_check(in, trace_in_byte(in), limit, what);
}

static inline void trace_in_bytes(struct trace_in *in, void *to, size_t nr_bytes)
{
    for (size_t i = 0; i < nr_bytes; i++)
        ((uint8_t *)to)[i] = (uint8_t)trace_in_byte(in);
}

#endif
