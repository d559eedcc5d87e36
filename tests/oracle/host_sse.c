/*
 * Oracle: MMX and SSE against the CPU this runs on. The forms are the rows of the decoder's own tables, in
 * register and memory form; operands are what floating point and packed integers find hard, under any MXCSR,
 * exceptions unmasked among them. Registers, MXCSR, memory, EFLAGS and the exception taken must agree.
 *
 * The approximations (RCPPS and the like) differ from one processor to the next: they must agree within the
 * error that the manual allows, and in which elements are special.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/oracle/host.h"

enum { ANY = 8, MAX_FORMS = 1024, NR_NAME_BYTES = 48 };

struct row {
    const char *name;
    uint8_t prefix, map, opcode, digit;
    const char *operand[3];
};

#define PREFIX___ 0
#define PREFIX_66 0x66
#define PREFIX_F3 0xF3
#define PREFIX_F2 0xF2
#define MAP_0F 0
#define MAP_0F38 0x38
#define MAP_0F3A 0x3A

static const struct row rows[] = {
#define FORM(prefix, map, opcode, digit, name, a, b, c)                                                      \
    {#name, PREFIX_##prefix, MAP_##map, opcode, digit, {#a, #b, #c}},
#include "tests/oracle/host_sse_forms.def"
#undef FORM
#define SELECT(...)
#define ROW(prefix, opcode, name, a, b, c, flags) {#name, PREFIX_##prefix, MAP_0F, opcode, ANY, {#a, #b, #c}},
#include "cpu/opcodes_0f_simd.def"
#undef ROW
#define ROW(prefix, opcode, name, a, b, c, flags)                                                            \
    {#name, PREFIX_##prefix, MAP_0F38, opcode, ANY, {#a, #b, #c}},
#include "cpu/opcodes_0f38.def"
#undef ROW
#define ROW(prefix, opcode, name, a, b, c, flags)                                                            \
    {#name, PREFIX_##prefix, MAP_0F3A, opcode, ANY, {#a, #b, #c}},
#include "cpu/opcodes_0f3a.def"
#undef ROW
};

enum { NR_ROWS = sizeof rows / sizeof *rows };

struct form {
    const struct row *row;
    bool is_memory;
    char name[NR_NAME_BYTES];
};

static struct form forms[MAX_FORMS];
static unsigned nr_forms;

/* The operand that ModRM.rm names, or NULL. */
static const char *rm_letters(const struct row *row)
{
    for (unsigned i = 0; i < 3; i++)
        if (strchr("EQWRNUM", row->operand[i][0]) && strncmp(row->operand[i], "MrDI", 4) != 0)
            return row->operand[i];
    return NULL;
}

static void add_form(const struct row *row, bool is_memory)
{
    static const char *const prefixes[] = {"", "66 ", "F3 ", "F2 "};
    struct form *form = &forms[nr_forms++];
    const char *prefix = prefixes[row->prefix == 0x66 ? 1 : row->prefix == 0xF3 ? 2 : row->prefix ? 3 : 0];
    form->row = row;
    form->is_memory = is_memory;
    snprintf(form->name, sizeof form->name, "%s%s %s,%s%s%s", prefix, row->name, row->operand[0],
             row->operand[1], strcmp(row->operand[2], "__") == 0 ? "" : ",imm", is_memory ? " mem" : "");
}

static void make_forms(void)
{
    for (unsigned i = 0; i < NR_ROWS; i++) {
        const char *rm = rm_letters(&rows[i]);
        bool is_split = rm && strncmp(rm, "Rd", 2) == 0 && rm[2] == 'M';
        if (strcmp(rows[i].name, "INVPCID") == 0)
            continue;
        if (!rm || is_split || !strchr("M", rm[0]))
            add_form(&rows[i], false);
        if (rm && (is_split || !strchr("RNU", rm[0])))
            add_form(&rows[i], true);
    }
}

static const char *form_name(unsigned form)
{
    return forms[form].name;
}

/* ---- Operands ---- */

static uint32_t random_single(struct host_random *r)
{
    static const uint32_t edges[] = {0,          1,          2,          0x007fffff, 0x00400000, 0x00800000,
                                     0x00800001, 0x00ffffff, 0x3effffff, 0x3f000000, 0x3f000001, 0x3f7fffff,
                                     0x3f800000, 0x3f800001, 0x3fc00000, 0x40000000, 0x40200000, 0x40600000,
                                     0x4b000000, 0x4b000001, 0x4b7fffff, 0x4effffff, 0x4f000000, 0x4f000001,
                                     0x5effffff, 0x5f000000, 0x7e7fffff, 0x7f000000, 0x7f7fffff, 0x7f800000,
                                     0x7f800001, 0x7fbfffff, 0x7fc00000, 0x7fffffff, 0x7fc12345};
    uint32_t sign = host_one_in(r, 2) ? 0x80000000 : 0;
    switch (host_below(r, 6)) {
    case 0:
    case 1:
        return sign | edges[host_below(r, sizeof edges / sizeof *edges)];
    case 2: /* near one another */
        return sign | (uint32_t)(0x3f800000 + (host_below(r, 9) - 4) * 0x800000 + (host_next(r) & 0x7fffff));
    case 3: /* around the smallest and the largest */
        return sign | ((host_one_in(r, 2) ? host_below(r, 24) : 254 - host_below(r, 24)) << 23) |
               (uint32_t)(host_next(r) & 0x7fffff);
    case 4: /* few bits */
        return sign | (uint32_t)(120 + host_below(r, 40)) << 23 | (host_below(r, 16) << 19);
    default:
        return (uint32_t)host_next(r);
    }
}

static uint64_t random_double(struct host_random *r)
{
    static const uint64_t edges[] = {0,
                                     1,
                                     0x000fffffffffffff,
                                     0x0008000000000000,
                                     0x0010000000000000,
                                     0x0010000000000001,
                                     0x36a0000000000000,
                                     0x3690000000000000,
                                     0x380fffffffffffff,
                                     0x3810000000000000,
                                     0x3fdfffffffffffff,
                                     0x3fe0000000000000,
                                     0x3fe0000000000001,
                                     0x3fefffffffffffff,
                                     0x3ff0000000000000,
                                     0x3ff8000000000000,
                                     0x4004000000000000,
                                     0x41dfffffffc00000,
                                     0x41dfffffffe00000,
                                     0x41e0000000000000,
                                     0x41e0000000100000,
                                     0x4330000000000000,
                                     0x4340000000000001,
                                     0x43dfffffffffffff,
                                     0x43e0000000000000,
                                     0x47efffffe0000000,
                                     0x47efffffefffffff,
                                     0x47f0000000000000,
                                     0x7fdfffffffffffff,
                                     0x7fefffffffffffff,
                                     0x7ff0000000000000,
                                     0x7ff0000000000001,
                                     0x7ff7ffffffffffff,
                                     0x7ff8000000000000,
                                     0x7fffffffffffffff};
    const uint64_t mantissa = 0x000fffffffffffff;
    uint64_t sign = host_one_in(r, 2) ? 1ull << 63 : 0;
    switch (host_below(r, 6)) {
    case 0:
    case 1:
        return sign | edges[host_below(r, sizeof edges / sizeof *edges)];
    case 2:
        return sign | (uint64_t)(1019 + host_below(r, 9)) << 52 | (host_next(r) & mantissa);
    case 3: /* around the ends of the range, of singles as well */
        return sign |
               (uint64_t)(host_one_in(r, 2)   ? host_below(r, 54)
                          : host_one_in(r, 2) ? 2046 - host_below(r, 54)
                          : host_one_in(r, 2) ? 870 + host_below(r, 32)
                                              : 1140 + host_below(r, 32))
                   << 52 |
               (host_next(r) & mantissa);
    case 4:
        return sign | (uint64_t)(1018 + host_below(r, 70)) << 52 | (uint64_t)host_below(r, 16) << 48;
    default:
        return host_next(r);
    }
}

enum element { SINGLES, DOUBLES, INTEGERS, SMALL, NR_ELEMENTS };

static uint64_t random_half(struct host_random *r, enum element element)
{
    switch (element) {
    case SINGLES:
        return random_single(r) | (uint64_t)random_single(r) << 32;
    case DOUBLES:
        return random_double(r);
    case SMALL: /* shift counts, short strings */
        return host_one_in(r, 2) ? host_below(r, 70) : host_next(r) & 0x0301000201030200;
    default:
        return host_one_in(r, 2) ? host_next(r) : host_value(r);
    }
}

/* What an instruction's operands mostly are, by the letters that its name ends in. */
static enum element usual_element(const struct row *row)
{
    size_t length = strlen(row->name);
    const char *end = row->name + length - 2;
    bool is_floating = row->name[0] != 'P' && length > 3;
    if (strncmp(row->name, "CVT", 3) == 0) {
        const char *from = row->name + (row->name[3] == 'T' ? 4 : 3);
        return strncmp(from, "PS", 2) == 0 || strncmp(from, "SS", 2) == 0   ? SINGLES
               : strncmp(from, "PD", 2) == 0 || strncmp(from, "SD", 2) == 0 ? DOUBLES
                                                                            : INTEGERS;
    }
    if (is_floating && (strcmp(end, "PS") == 0 || strcmp(end, "SS") == 0))
        return SINGLES;
    if (is_floating && (strcmp(end, "PD") == 0 || strcmp(end, "SD") == 0))
        return DOUBLES;
    return row->name[0] == 'P' && (row->name[1] == 'S' || strncmp(row->name, "PCMP", 4) == 0) ? SMALL
                                                                                              : INTEGERS;
}

static enum element element_for(struct host_random *r, const struct row *row)
{
    return host_one_in(r, 6)                                  ? (enum element)host_below(r, NR_ELEMENTS)
           : usual_element(row) == SMALL && host_one_in(r, 2) ? INTEGERS
                                                              : usual_element(row);
}

static uint32_t random_mxcsr(struct host_random *r)
{
    uint32_t mxcsr = 0x1f80 | (uint32_t)(host_next(r) & 0x6000);
    if (host_one_in(r, 3))
        mxcsr |= (uint32_t)(host_next(r) & 0x8040);
    if (host_one_in(r, 3))
        mxcsr |= (uint32_t)(host_next(r) & 0x3f);
    if (host_one_in(r, 4))
        mxcsr &= ~(uint32_t)(host_next(r) & 0x1f80);
    else if (host_one_in(r, 6)) /* one of them */
        mxcsr &= ~(0x80u << host_below(r, 6));
    return mxcsr;
}

static void fill_registers(struct host_case *c, struct host_random *r, const struct row *row)
{
    enum element element = element_for(r, row);
    for (unsigned i = 0; i < 32; i++)
        c->fx.xmm[i / 2][i % 2] = random_half(r, element);
    for (unsigned i = 0; i < 8; i++)
        if (host_one_in(r, 2))
            c->fx.st[i].mantissa = random_half(r, element);
    c->fx.mxcsr = random_mxcsr(r);
    if (host_one_in(r, 4)) { /* equal operands */
        unsigned from = host_below(r, 8), to = host_below(r, 8);
        memcpy(c->fx.xmm[to], c->fx.xmm[from], sizeof c->fx.xmm[to]);
    }
}

static void fill_window(struct host_case *c, struct host_random *r, const struct row *row, uint32_t offset)
{
    enum element element = element_for(r, row);
    struct host_window *window = &c->window[0];
    c->window[1].nr_bytes = 0;
    uint32_t into = offset - window->at; /* far beyond the window for an operand that begins before it */
    for (unsigned i = into % 8; i + 8 <= window->nr_bytes; i += 8) {
        uint64_t v = random_half(r, element);
        memcpy(window->bytes + i, &v, sizeof v);
    }
    if (strcmp(row->name, "LDMXCSR") == 0 && window->nr_bytes >= 4u && into <= window->nr_bytes - 4u) {
        uint32_t v = host_one_in(r, 8) ? (uint32_t)host_value(r) : random_mxcsr(r);
        v &= ~0x20000u; /* misaligned mode: AMD's, reserved elsewhere (APM1 4.2.2) */
        memcpy(window->bytes + into, &v, sizeof v);
    }
}

/* ---- Encoding ---- */

enum { AX, CX, DX, BX, SP, BP, SI, DI, R12 = 12, R13 = 13 };
enum { REX = 0x40, REX_W = 8, REX_R = 4, REX_X = 2, REX_B = 1 };

struct encoding {
    unsigned rex, reg, rm; /* reg and rm with their fourth bits */
    unsigned mod;
    bool has_sib;
    unsigned base, index, scale;
    uint32_t disp;
    unsigned nr_disp_bytes;
};

/* An address form, and the registers so that it gives `target`. */
static void choose_address(struct host_case *c, struct host_random *r, struct encoding *e, uint64_t target)
{
    unsigned nr_registers = c->mode == DEC_64 ? 16 : 8;
    e->base = host_below(r, nr_registers);
    e->index = host_below(r, nr_registers);
    e->scale = host_below(r, 4);
    e->mod = 1 + host_below(r, 2);
    e->has_sib = (e->base & 7) == SP || host_one_in(r, 3);
    if (!e->has_sib || e->index == SP || e->index == e->base)
        e->index = SP;
    e->nr_disp_bytes = e->mod == 1 ? 1 : 4;
    e->disp = e->mod == 1 ? (uint32_t)(int8_t)host_next(r) : (uint32_t)host_value(r);
    uint64_t scaled = e->index == SP ? 0 : c->gpr[e->index] << e->scale;
    c->gpr[e->base] = target - scaled - (uint64_t)(int64_t)(int32_t)e->disp;
    if (c->mode != DEC_64)
        c->gpr[e->base] &= UINT32_MAX;
    e->rm = e->base;
    e->rex |= (e->base & 8 ? REX_B : 0u) | (e->index & 8 ? REX_X : 0u);
}

static void put_instruction(struct host_case *c, const struct row *row, const struct encoding *e,
                            bool has_modrm)
{
    if (row->prefix)
        host_put(c, row->prefix, 1);
    if (c->mode == DEC_64 && e->rex)
        host_put(c, REX | e->rex, 1);
    host_put(c, 0x0F, 1);
    if (row->map)
        host_put(c, row->map, 1);
    host_put(c, row->opcode, 1);
    if (!has_modrm)
        return;
    bool has_sib = e->mod != 3 && e->has_sib;
    host_put(c, e->mod << 6 | (e->reg & 7) << 3 | (has_sib ? SP : e->rm & 7), 1);
    if (has_sib)
        host_put(c, e->scale << 6 | (e->index & 7) << 3 | (e->base & 7), 1);
    if (e->mod != 3)
        host_put(c, e->disp, e->nr_disp_bytes);
}

static bool has_operand(const struct row *row, const char *letters)
{
    for (unsigned i = 0; i < 3; i++)
        if (strncmp(row->operand[i], letters, strlen(letters)) == 0)
            return true;
    return false;
}

/* EAX and EDX are lengths, XMM0 and the like have been filled. */
static void bias_registers(struct host_case *c, struct host_random *r, const struct row *row)
{
    if (strncmp(row->name, "PCMPE", 5) == 0 && host_one_in(r, 4) == 0) {
        c->gpr[AX] = (uint32_t)(host_below(r, 40) - 20);
        c->gpr[DX] = (uint32_t)(host_below(r, 40) - 20);
    }
}

/*
 * Which bytes a masked store asks for where some are not selected is open, and so is whether it has begun MMX
 * state when it faults (SDM 2B MASKMOVQ): where it may fault, all are selected, and the state is begun.
 */
static void make_masked_store(struct host_case *c, uint32_t offset)
{
    const uint64_t signs = 0x8080808080808080;
    c->gpr[DI] = HOST_DATA + offset;
    if (offset <= HOST_READ_ONLY_PAGE * HOST_PAGE_BYTES - 16)
        return;
    c->fx.status = 0;
    c->fx.tags = 0xff;
    for (unsigned i = 0; i < 8; i++)
        c->fx.st[i].mantissa |= signs;
    for (unsigned i = 0; i < 16; i++) {
        c->fx.xmm[i][0] |= signs;
        c->fx.xmm[i][1] |= signs;
    }
}

/*
 * Another segment, whose base is not zero and whose limit may be in the way; LOCK, which none of these takes.
 */
static void put_odd_prefix(struct host_case *c, struct host_random *r, const struct encoding *e,
                           bool is_memory)
{
    static const uint16_t selectors[] = {HOST_WINDOWED, HOST_DOWNWARD, HOST_UNWRITABLE, 0};
    unsigned which = host_below(r, 4);
    if (c->mode == DEC_64 || !is_memory || host_one_in(r, 4)) {
        host_put(c, 0xF0, 1);
        return;
    }
    c->selector[DEC_SEG_FS] = selectors[which];
    c->gpr[e->base] -= HOST_DATA + (selectors[which] == HOST_WINDOWED ? 0x100 : 0);
    c->gpr[e->base] &= UINT32_MAX;
    host_put(c, 0x64, 1);
}

/* An x87 exception waits to be delivered by the next MMX instruction. */
static void make_pending(struct host_case *c)
{
    c->fx.control &= (uint16_t)~1u;
    c->fx.status |= 0x8081;
}

static void make(struct host_case *c, uint64_t seed, uint64_t number, const uint8_t data[HOST_DATA_BYTES])
{
    (void)data;
    struct host_random r = host_random(seed, number);
    const struct form *form = &forms[number % nr_forms];
    const struct row *row = form->row;
    enum dec_mode mode = number / nr_forms % 2 && ours_can_run(DEC_64) ? DEC_64 : DEC_32;
    if (!form->is_memory && strncmp(row->name, "MASKMOV", 7) != 0 && host_one_in(&r, 8))
        mode = DEC_16;
    uint32_t offset = host_data_offset(&r);
    if (!host_one_in(&r, 8))
        offset &= ~15u;
    const uint32_t offsets[2] = {offset, offset};
    host_case_init(c, &r, mode, offsets);
    host_fx_init(c, &r);
    c->form = (unsigned)(number % nr_forms);
    if (strcmp(row->name, "LZCNT") == 0)
        c->undefined_flags = 0x894; /* OF SF AF PF (SDM 2A LZCNT) */
    fill_registers(c, &r, row);
    fill_window(c, &r, row, offset);

    bool has_modrm = strcmp(row->operand[0], "__") != 0;
    uint64_t target = HOST_DATA + offset;
    unsigned nr_registers = mode == DEC_64 ? 16 : 8;
    struct encoding e = {.mod = 3, .reg = row->digit == ANY ? host_below(&r, nr_registers) : row->digit};
    bias_registers(c, &r, row);
    bool is_masked_store = strncmp(row->name, "MASKMOV", 7) == 0;
    c->is_cr2_undefined = is_masked_store; /* of any of its bytes */
    if (is_masked_store)
        make_masked_store(c, offset);
    else if (host_one_in(&r, 16))
        make_pending(c);
    if (form->is_memory)
        choose_address(c, &r, &e, target);
    else
        e.rm = host_below(&r, nr_registers);
    if (mode == DEC_64) {
        e.rex |= (e.reg & 8 ? REX_R : 0u) | (!form->is_memory && e.rm & 8 ? REX_B : 0u);
        e.rex |= host_one_in(&r, 3) ? REX_W : 0u;
    }
    if (host_one_in(&r, 24))
        put_odd_prefix(c, &r, &e, form->is_memory);
    bool is_wide = (has_operand(row, "Gv") || has_operand(row, "Mv")) && !row->prefix && host_one_in(&r, 3);
    if (is_wide || (row->prefix == 0xF2 && has_operand(row, "Ev") && host_one_in(&r, 3)))
        host_put(c, 0x66, 1);
    put_instruction(c, row, &e, has_modrm);
    if (has_operand(row, "Ib"))
        host_put(c, host_one_in(&r, 2) ? host_below(&r, 32) : host_next(&r) & 0xff, 1);
}

/* ---- Approximations ---- */

static bool is_close(uint32_t theirs, uint32_t ours)
{
    float a, b;
    memcpy(&a, &theirs, sizeof a);
    memcpy(&b, &ours, sizeof b);
    if (theirs == ours)
        return true;
    /* Each is within 1.5 * 2^-12 of the truth. */
    return isfinite(a) && isfinite(b) && fabsf(a - b) <= 3 * 0x1p-12f * fabsf(a) * 1.001f;
}

/* An MMX store whose address faults: Intel's have begun the MMX state by then, with all registers in use. */
static bool is_begun(const union host_fx *theirs, const union host_fx *ours)
{
    enum { TOP_SHIFT = 11, TOP = 7 << TOP_SHIFT };
    union host_fx a = *theirs, b = *ours;
    unsigned top = b.status >> TOP_SHIFT & 7;
    for (unsigned i = 0; i < 8; i++)
        b.st[(i + top) & 7] = ours->st[i];
    b.status &= (uint16_t)~TOP;
    if (a.tags == 0xff)
        b.tags = 0xff;
    return memcmp(&a, &b, sizeof a) == 0;
}

/* Sums with a NaN: which one comes out hangs on their order. */
static bool are_nans_where_they_differ(const union host_fx *theirs, const union host_fx *ours)
{
    union host_fx a = *theirs, b = *ours;
    for (unsigned i = 0; i < 16; i++)
        for (unsigned half = 0; half < 2; half++)
            for (unsigned shift = 0; shift < 64; shift += 32) {
                uint32_t first = (uint32_t)(a.xmm[i][half] >> shift) & INT32_MAX;
                uint32_t second = (uint32_t)(b.xmm[i][half] >> shift) & INT32_MAX;
                if (first != second && (first <= 0x7f800000 || second <= 0x7f800000))
                    return false;
            }
    memset(a.xmm, 0, sizeof a.xmm);
    memset(b.xmm, 0, sizeof b.xmm);
    return memcmp(&a, &b, sizeof a) == 0;
}

/* Results at the edge of the smallest normal may be zero on one side. */
static bool fx_agrees(const struct host_case *c, const union host_fx *theirs, const union host_fx *ours)
{
    const struct row *row = forms[c->form].row;
    const char *name = row->name;
    if (forms[c->form].is_memory && row->operand[1][0] == 'P')
        return is_begun(theirs, ours);
    if (strcmp(name, "DPPS") == 0)
        return are_nans_where_they_differ(theirs, ours);
    if (strncmp(name, "RCP", 3) != 0 && strncmp(name, "RSQRT", 5) != 0)
        return false;
    union host_fx a = *theirs, b = *ours;
    for (unsigned i = 0; i < 16; i++)
        for (unsigned lane = 0; lane < 4; lane++) {
            unsigned shift = lane % 2 * 32;
            if (!is_close((uint32_t)(a.xmm[i][lane / 2] >> shift), (uint32_t)(b.xmm[i][lane / 2] >> shift)))
                return false;
        }
    memset(a.xmm, 0, sizeof a.xmm);
    memset(b.xmm, 0, sizeof b.xmm);
    return memcmp(&a, &b, sizeof a) == 0;
}

/* Whether the forms decode to all instructions that have a row in simd_ops.def. */
static bool are_complete(void)
{
    static const struct {
        enum dec_op op;
        const char *name;
    } wanted[] = {
#define SIMD(op, shape, dst) {DEC_##op, #op},
#include "cpu/simd_ops.def"
#undef SIMD
    };
    static const uint8_t nothing[HOST_DATA_BYTES];
    bool is_there[DEC_NR_OPS] = {false}, is_complete = true;
    for (uint64_t number = 0; number < (uint64_t)nr_forms * 4; number++) {
        struct host_case c;
        struct dec_insn insn;
        make(&c, 1, number, nothing);
        if (dec_decode(c.bytes, c.length, c.mode, &insn) == DEC_OK)
            is_there[insn.op] = true;
    }
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (!is_there[wanted[i].op])
            fprintf(stderr, "host_sse: no form of %s\n", wanted[i].name);
        is_complete &= is_there[wanted[i].op];
    }
    return is_complete;
}

int main(int argc, char **argv)
{
    make_forms();
    if (ours_can_run(DEC_64) && !are_complete())
        return 1;
    const struct host_generator generator = {
        .program = "host_sse",
        .default_cases = 60000 / LK_ORACLE_SHARE,
        .nr_forms = nr_forms,
        .form_name = form_name,
        .make = make,
        .fx_agrees = fx_agrees,
    };
    return host_main(argc, argv, &generator);
}
