/*
 * Random numbers of cases, biased to where things go wrong: edge values, addresses around the ends of lines
 * and pages.
 */
#include <string.h>

#include "tests/oracle/host.h"

struct host_random host_random(uint64_t seed, uint64_t number)
{
    return (struct host_random){seed * 0x100000001b3 + number * 0x9e3779b97f4a7c15};
}

/* splitmix64 (Steele, Lea, Flood 2014). */
uint64_t host_next(struct host_random *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

uint32_t host_below(struct host_random *r, uint32_t n)
{
    return (uint32_t)(host_next(r) >> 32) % n;
}

bool host_one_in(struct host_random *r, uint32_t n)
{
    return host_below(r, n) == 0;
}

uint64_t host_value(struct host_random *r)
{
    static const uint64_t edges[] = {0,
                                     1,
                                     2,
                                     0x7f,
                                     0x80,
                                     0xff,
                                     0x100,
                                     0x7fff,
                                     0x8000,
                                     0xffff,
                                     0x10000,
                                     0x7fffffff,
                                     0x80000000,
                                     0xffffffff,
                                     0x100000000,
                                     0x8080,
                                     0xff00,
                                     0xff7f,
                                     0x00ff00ff,
                                     0x80008000,
                                     0xfffffffe,
                                     0x66666666,
                                     0x7fffffffffffffff,
                                     0x8000000000000000,
                                     0xffffffffffffffff,
                                     0xffffffff00000000,
                                     0xffffffff80000000,
                                     0x00007fffffffffff,
                                     0xffff800000000000,
                                     0x8000000080000000,
                                     0x0123456789abcdef};
    switch (host_below(r, 8)) {
    case 0:
    case 1:
        return edges[host_below(r, sizeof edges / sizeof *edges)];
    case 2:
        return 1ull << host_below(r, 64);
    case 3:
        return 1u << host_below(r, 32);
    case 4:
        return host_below(r, 64);
    case 5:
        return 0ull - host_below(r, 64);
    case 6:
        return (uint32_t)host_next(r);
    default:
        return host_next(r);
    }
}

uint32_t host_data_offset(struct host_random *r)
{
    uint32_t page = host_below(r, HOST_DATA_PAGES) * HOST_PAGE_BYTES;
    switch (host_below(r, 16)) {
    case 0:
        return page - 16 + host_below(r, 20);
    case 1:
        return page + HOST_PAGE_BYTES - 8 + host_below(r, 8);
    case 2:
        return page + host_below(r, HOST_PAGE_BYTES);
    case 3:
    case 4:
        return HOST_PAGE_BYTES - 16 + host_below(r, 18); /* both pages writable */
    case 5:
    case 6:
        return host_below(r, 2 * HOST_PAGE_BYTES / 64) * 64 + 56 + host_below(r, 8);
    case 7:
        return host_below(r, 2 * HOST_PAGE_BYTES / 64) * 64;
    default:
        return host_below(r, 2 * HOST_PAGE_BYTES - 16);
    }
}

static struct host_window make_window(struct host_random *r, uint32_t offset)
{
    struct host_window window = {.at = offset - HOST_WINDOW_BYTES / 2, .nr_bytes = HOST_WINDOW_BYTES};
    if (window.at >= HOST_DATA_BYTES)
        window.at = 0;
    if (window.at > HOST_DATA_BYTES - HOST_WINDOW_BYTES)
        window.at = HOST_DATA_BYTES - HOST_WINDOW_BYTES;
    bool is_uniform = host_one_in(r, 4); /* long runs of equal elements, for REPE */
    uint64_t same = host_value(r);
    for (unsigned i = 0; i < HOST_WINDOW_BYTES; i += 8) {
        uint64_t v = is_uniform && !host_one_in(r, 8) ? same : host_value(r);
        memcpy(window.bytes + i, &v, 8);
    }
    return window;
}

void host_case_init(struct host_case *c, struct host_random *r, enum dec_mode mode, const uint32_t offsets[2])
{
    *c = (struct host_case){.mode = mode, .flags = host_next(r) & HOST_STATUS_FLAGS};
    c->is_legacy = mode != DEC_64 && (!ours_can_run(DEC_64) || host_one_in(r, 2));
    for (unsigned i = 0; i < 16; i++)
        c->gpr[i] = mode == DEC_64 ? host_value(r) : (uint32_t)host_value(r);
    for (unsigned seg = 0; seg < DEC_NR_SEGS; seg++)
        c->selector[seg] = mode == DEC_64 ? 0 : HOST_DATA32;
    if (host_one_in(r, 4))
        c->flags |= 0x400; /* DF */
    /* In the shortest slices a core might get stuck. */
    if (host_one_in(r, 8))
        c->slice_cycles = 1 + host_below(r, host_one_in(r, 2) ? 3 : 40);
    c->code_offset = host_one_in(r, 4) ? HOST_PAGE_BYTES - host_below(r, HOST_MAX_LENGTH + 1)
                                       : host_below(r, HOST_PAGE_BYTES / 4);
    for (unsigned i = 0; i < 2; i++) {
        c->window[i] = make_window(r, offsets[i]);
        c->touched[i] = HOST_DATA + (host_one_in(r, 4) ? host_data_offset(r) : offsets[i]);
    }
}

void host_fx_init(struct host_case *c, struct host_random *r)
{
    static const uint16_t exponents[] = {0, 1, 0x3ffe, 0x3fff, 0x4000, 0x7ffe, 0x7fff};
    c->has_fx = true;
    c->fx = (union host_fx){
        .control = 0x7f | (uint16_t)(host_next(r) & 0xf00),
        .status = (uint16_t)(host_next(r) & 0x7f00), /* TOP and the condition codes; no exception */
        .tags = host_one_in(r, 2) ? 0xff : (uint8_t)host_next(r),
        .mxcsr = 0x1f80 | (uint32_t)(host_next(r) & 0x6000),
    };
    for (unsigned i = 0; i < 8; i++) {
        uint16_t edge = exponents[host_below(r, sizeof exponents / sizeof *exponents)];
        c->fx.st[i].mantissa = host_value(r) | (host_one_in(r, 4) ? 0 : 1ull << 63);
        c->fx.st[i].sign_exponent = host_one_in(r, 2) ? edge : (uint16_t)host_next(r);
    }
    for (unsigned i = 0; i < 32; i++)
        c->fx.xmm[i / 2][i % 2] = host_value(r);
}

void host_put(struct host_case *c, uint64_t value, unsigned nr_bytes)
{
    for (unsigned i = 0; i < nr_bytes; i++)
        c->bytes[c->length++] = (uint8_t)(value >> i * 8);
}
