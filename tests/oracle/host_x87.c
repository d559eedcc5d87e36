/*
 * Oracle: x87 instructions against the CPU this runs on: every opcode from D8 to DF with every ModRM, FWAIT
 * and EMMS, on random register stacks, tags, control and status words. Registers, tags, status, control,
 * EFLAGS, memory and exceptions must agree; transcendental results to an ulp or two, as processors differ
 * there among themselves.
 */
#include <stdio.h>
#include <string.h>

#include "tests/oracle/host.h"

enum {
    ESC = 0xd8,
    NR_ESC = 8,
    FORM_MEMORY = NR_ESC * 64, /* before: register forms by ModRM; from here on: memory forms by digit */
    FORM_FWAIT = FORM_MEMORY + NR_ESC * 8,
    FORM_EMMS,
    FORM_FXSAVE,
    FORM_FXRSTOR,
    NR_X87_FORMS,
};

/* Of an FXSAVE image. AMD's MXCSR has a bit more (APM2 11.1.4), and reports it. */
enum { MXCSR_OFFSET = 24, MXCSR_MASK_OFFSET = 28 };
#define MISALIGNED 0x20000u

enum { ST_EXCEPTIONS = 0x3f, ST_INVALID = 1, ST_SUMMARY = 0x8080, ST_C1 = 0x200, ST_FREE = 0x7f40 };

static uint16_t random_exponent(struct host_random *r, uint16_t near)
{
    static const uint16_t edges[] = {0,      0,      1,      0x3bcd, 0x3c01, 0x3f6a, 0x3f81, 0x3ffe, 0x3fff,
                                     0x4000, 0x400e, 0x401e, 0x403e, 0x407e, 0x43fe, 0x7ffe, 0x7fff, 0x7fff};
    switch (host_below(r, 4)) {
    case 0:
        return edges[host_below(r, sizeof edges / sizeof *edges)];
    case 1:
        return (uint16_t)(host_next(r) & 0x7fff);
    case 2:
        return (uint16_t)((near + host_below(r, 128) - 64) & 0x7fff);
    default:
        return (uint16_t)(0x3fff + host_below(r, 72) - 36);
    }
}

static void random_stack(struct host_case *c, struct host_random *r)
{
    uint16_t near = 0x3fff;
    for (unsigned i = 0; i < 8; i++) {
        near = random_exponent(r, near);
        c->fx.st[i].sign_exponent = near | (host_one_in(r, 2) ? 0x8000 : 0);
        c->fx.st[i].mantissa = host_one_in(r, 2) ? host_next(r) : host_value(r);
        if (!host_one_in(r, 8))
            c->fx.st[i].mantissa |= 1ull << 63;
        if (host_one_in(r, 12))
            c->fx.st[i].mantissa = c->fx.st[i].sign_exponent = 0;
    }
}

/* Mostly a full or half-full stack, so that pushes and operands are both right and wrong. */
static uint8_t random_tags(struct host_random *r)
{
    switch (host_below(r, 4)) {
    case 0:
        return 0xff;
    case 1:
        return 0x55;
    case 2:
        return (uint8_t)(host_next(r) | host_next(r));
    default:
        return (uint8_t)host_next(r);
    }
}

static void random_control(struct host_case *c, struct host_random *r)
{
    uint16_t masks = host_one_in(r, 2) ? ST_EXCEPTIONS : (uint16_t)(host_next(r) & ST_EXCEPTIONS);
    c->fx.control = (uint16_t)(0x40 | (host_next(r) & 0x1f00) | masks);
    c->fx.status = (uint16_t)(host_next(r) & ST_FREE);
    if (host_one_in(r, 2))
        c->fx.status |= (uint16_t)(host_next(r) & masks);
    if (host_one_in(r, 24) && masks != ST_EXCEPTIONS) /* an exception is pending */
        c->fx.status |= (uint16_t)(~masks & ST_EXCEPTIONS) | ST_SUMMARY;
}

/* A memory operand at an absolute address. */
static void put_memory(struct host_case *c, struct host_random *r, unsigned digit, uint32_t offset)
{
    if (c->mode == DEC_16) {
        c->selector[DEC_SEG_DS] = HOST_DATA16;
        host_put(c, digit << 3 | 6, 1);
        host_put(c, offset, 2);
        return;
    }
    bool is_windowed = c->mode == DEC_32 && host_one_in(r, 8);
    if (is_windowed)
        c->selector[DEC_SEG_DS] = HOST_WINDOWED;
    host_put(c, digit << 3 | (c->mode == DEC_64 ? 4 : 5), 1);
    if (c->mode == DEC_64)
        host_put(c, 0x25, 1);
    host_put(c, is_windowed ? offset - 0x100 : HOST_DATA + offset, 4);
}

/* FCOMI, FUCOMI, FCOMIP, FUCOMIP. */
static bool is_comi(const struct host_case *c)
{
    return c->form < FORM_MEMORY && (c->bytes[0] == 0xdb || c->bytes[0] == 0xdf) && c->bytes[1] >= 0xe8 &&
           c->bytes[1] < 0xf8;
}

/*
 * Environments and states: which of two pages faults first is open, and whether a fault or the segment's end
 * comes first.
 */
static void make_state(struct host_case *c, uint32_t offset)
{
    enum { FORM_FLDENV = FORM_MEMORY + 8 + 4, FORM_FNSTENV = FORM_MEMORY + 8 + 6 };
    enum { FORM_FRSTOR = FORM_MEMORY + 5 * 8 + 4, FORM_FNSAVE = FORM_MEMORY + 5 * 8 + 6, MAX_BYTES = 512 };
    bool is_state = c->form == FORM_FLDENV || c->form == FORM_FNSTENV || c->form == FORM_FRSTOR ||
                    c->form == FORM_FNSAVE || c->form >= FORM_FXSAVE;
    c->is_cr2_undefined = is_state;
    bool is_long = c->form == FORM_MEMORY + 3 * 8 + 5 || c->form == FORM_MEMORY + 3 * 8 + 7 ||
                   c->form == FORM_MEMORY + 7 * 8 + 4 || c->form == FORM_MEMORY + 7 * 8 + 6; /* 10 bytes */
    c->is_undefined = (is_state || is_long) && c->mode == DEC_16 && offset > 0xffff - MAX_BYTES;
    /* Intel's have stored the part in the first page. */
    c->is_memory_open_in_fault = is_long;
    unsigned digit = (c->form - FORM_MEMORY) % 8, esc = ESC + (c->form - FORM_MEMORY) / 8;
    bool is_memory = c->form >= FORM_MEMORY && c->form < FORM_FWAIT;
    bool stores = digit == 2 || digit == 3 || (digit == 1 && esc != 0xd9) ||
                  (digit >= 6 && (esc == 0xdb || esc == 0xdf));
    c->is_store_open = is_memory && (esc & 1) && stores && !is_state;
}

/* FXSAVE and FXRSTOR: window[1] is the place of MXCSR, good more often than not. */
static void make_fx(struct host_case *c, struct host_random *r, uint32_t offset)
{
    if (!host_one_in(r, 8))
        offset &= ~15u;
    host_put(c, 0xae0f, 2);
    put_memory(c, r, c->form == FORM_FXRSTOR, offset);
    uint32_t mxcsr = (uint32_t)host_next(r) & (host_one_in(r, 4) ? ~MISALIGNED : 0xffff);
    if (offset + MXCSR_OFFSET + sizeof mxcsr > HOST_DATA_BYTES)
        return;
    c->window[1] = (struct host_window){.at = offset + MXCSR_OFFSET, .nr_bytes = sizeof mxcsr};
    memcpy(c->window[1].bytes, &mxcsr, sizeof mxcsr);
}

static void make(struct host_case *c, uint64_t seed, uint64_t number, const uint8_t data[HOST_DATA_BYTES])
{
    static const enum dec_mode modes[] = {DEC_32, DEC_32, DEC_64, DEC_16};
    struct host_random r = host_random(seed, number);
    unsigned form = (unsigned)(number % NR_X87_FORMS);
    uint32_t offset = host_data_offset(&r);
    const uint32_t offsets[2] = {offset, offset};
    (void)data;
    host_case_init(c, &r, modes[host_below(&r, 4)], offsets);
    host_fx_init(c, &r);
    random_stack(c, &r);
    random_control(c, &r);
    c->fx.tags = random_tags(&r);
    c->form = form;
    if (form == FORM_FWAIT) {
        host_put(c, 0x9b, 1);
    } else if (form == FORM_EMMS) {
        host_put(c, 0x770f, 2);
    } else if (form == FORM_FXSAVE || form == FORM_FXRSTOR) {
        make_fx(c, &r, offset);
    } else if (form < FORM_MEMORY) {
        host_put(c, ESC + form / 64, 1);
        host_put(c, 0xc0 + form % 64, 1);
    } else {
        unsigned digit = (form - FORM_MEMORY) % 8;
        host_put(c, ESC + (form - FORM_MEMORY) / 8, 1);
        put_memory(c, &r, digit, offset);
    }
    make_state(c, offset);
    /* FCOMI leaves EFLAGS if it raises an unmasked IE (SDM 2A FCOMI); AMD's set them. */
    if (is_comi(c) && !(c->fx.control & ST_INVALID))
        c->undefined_flags = HOST_STATUS_FLAGS;
}

/* Instructions that processors round differently (docs/conformance.md). */
static bool is_transcendental(const struct host_case *c)
{
    if (c->form >= FORM_MEMORY || c->bytes[0] != 0xd9)
        return false;
    uint8_t modrm = c->bytes[1];
    return (modrm >= 0xf0 && modrm <= 0xf3) || modrm == 0xf9 || modrm == 0xfb || modrm >= 0xfe;
}

/* The distance of two numbers of one sign in units of the last place, also across a power of two. */
static uint64_t distance(const struct host_fx_register *a, const struct host_fx_register *b)
{
    __extension__ typedef __int128 wide;
    wide first = (wide)a->sign_exponent << 63 | (a->mantissa & INT64_MAX);
    wide second = (wide)b->sign_exponent << 63 | (b->mantissa & INT64_MAX);
    wide apart = first < second ? second - first : first - second;
    return apart > INT64_MAX ? INT64_MAX : (uint64_t)apart;
}

/* Takes the host's value for ours where they are neighbours. */
static void round_alike(union host_fx *ours, const union host_fx *theirs)
{
    enum { ULPS = 2 };
    for (unsigned i = 0; i < 2; i++) {
        bool is_normal = (ours->st[i].mantissa & theirs->st[i].mantissa) >> 63;
        if (is_normal && distance(&ours->st[i], &theirs->st[i]) <= ULPS)
            ours->st[i] = theirs->st[i];
    }
    ours->status = (uint16_t)((ours->status & ~ST_C1) | (theirs->status & ST_C1));
}

/* C1 after FCOMI is 0 (SDM 2A FCOMI); AMD's leave it. */
static bool fx_agrees(const struct host_case *c, const union host_fx *theirs, const union host_fx *ours)
{
    union host_fx a = *theirs, b = *ours;
    if (is_comi(c)) {
        a.status &= (uint16_t)~ST_C1;
        b.status &= (uint16_t)~ST_C1;
    }
    if (is_transcendental(c))
        round_alike(&b, &a);
    return memcmp(&a, &b, sizeof a) == 0;
}

static void reconcile(const struct host_case *c, const uint8_t *theirs, uint8_t *ours)
{
    uint32_t at = c->window[1].at - MXCSR_OFFSET + MXCSR_MASK_OFFSET;
    if (c->form == FORM_FXSAVE && at <= HOST_DATA_BYTES - sizeof(uint32_t))
        memcpy(ours + at, theirs + at, sizeof(uint32_t));
}

static const char *form_name(unsigned form)
{
    static char name[32];
    if (form == FORM_FWAIT || form == FORM_EMMS)
        return form == FORM_EMMS ? "emms" : "fwait";
    if (form == FORM_FXSAVE || form == FORM_FXRSTOR)
        return form == FORM_FXSAVE ? "fxsave" : "fxrstor";
    struct dec_insn insn;
    bool is_memory = form >= FORM_MEMORY;
    uint8_t esc = (uint8_t)(ESC + (is_memory ? (form - FORM_MEMORY) / 8 : form / 64));
    uint8_t modrm = (uint8_t)(is_memory ? (form - FORM_MEMORY) % 8 << 3 : 0xc0 + form % 64);
    const uint8_t bytes[] = {esc, modrm};
    bool is_known = dec_decode(bytes, sizeof bytes, DEC_32, &insn) == DEC_OK;
    snprintf(name, sizeof name, "%02x %02x %s", esc, modrm,
             is_known ? dec_mnemonic((enum dec_op)insn.op) : "?");
    return name;
}

int main(int argc, char **argv)
{
    static const struct host_generator generator = {
        .program = "host_x87",
        .default_cases = 240000 / LK_ORACLE_SHARE,
        .nr_forms = NR_X87_FORMS,
        .form_name = form_name,
        .make = make,
        .fx_agrees = fx_agrees,
        .reconcile = reconcile,
    };
    return host_main(argc, argv, &generator);
}
