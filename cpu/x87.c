/* See x87.h. Instructions are in the order of x87_ops.def; the stack's exceptions are in SDM 1 8.5.1.1. */
#include "cpu/x87.h"
#include "cpu/x87_transcend.h"

enum { X87_STACK_FAULT = X87_IE | X87_SF };

static struct x87_register *st(struct cpu *cpu, unsigned i)
{
    return &cpu->fpu.reg[x87_place(&cpu->fpu, i)];
}

static void set_top(struct fpu *fpu, unsigned top)
{
    fpu->status = (uint16_t)((fpu->status & ~(unsigned)X87_TOP) | (top & 7) << X87_TOP_SHIFT);
}

static void set(struct cpu *cpu, unsigned i, struct x87_register value)
{
    *st(cpu, i) = value;
    cpu->fpu.in_use |= (uint8_t)(1u << x87_place(&cpu->fpu, i));
}

static void pop(struct cpu *cpu, unsigned times)
{
    for (; times; times--) {
        cpu->fpu.in_use &= (uint8_t) ~(1u << x87_place(&cpu->fpu, 0));
        set_top(&cpu->fpu, x87_place(&cpu->fpu, 1));
    }
}

static void push(struct cpu *cpu, struct x87_register value)
{
    set_top(&cpu->fpu, x87_place(&cpu->fpu, 7));
    set(cpu, 0, value);
}

/*
 * An operation raised this; C1 is its too. True: an exception that keeps its result from being delivered is
 * unmasked.
 */
static bool raise(struct cpu *cpu, uint16_t raised)
{
    struct fpu *fpu = &cpu->fpu;
    uint16_t unmasked = raised & (uint16_t)~fpu->control & X87_EXCEPTIONS;
    fpu->status = (uint16_t)((fpu->status & ~X87_C1) | (raised & (X87_EXCEPTIONS | X87_SF | X87_C1)));
    if (unmasked)
        fpu->status |= X87_ES | X87_B;
    return unmasked & (X87_IE | X87_DE | X87_ZE);
}

static void set_conditions(struct cpu *cpu, uint16_t conditions, uint16_t which)
{
    cpu->fpu.status = (uint16_t)((cpu->fpu.status & ~which) | (conditions & which));
}

/* Whether a register that the instruction reads is empty. */
static bool has_underflow(const struct cpu *cpu, const struct insn *insn)
{
    const struct fpu *fpu = &cpu->fpu;
    return (insn->dst < 8 && x87_is_empty(fpu, insn->dst)) || (insn->src < 8 && x87_is_empty(fpu, insn->src));
}

static void deliver(struct cpu *cpu, unsigned i, struct x87_outcome outcome, unsigned pops)
{
    if (raise(cpu, outcome.status))
        return;
    set(cpu, i, outcome.value);
    pop(cpu, pops);
}

/* The source, from memory or a register. */
static struct x87_number source(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    uint64_t memory = cpu->wide.half[0];
    if (!(insn->flags & INSN_MEMORY))
        return x87_unpack(*st(cpu, insn->src));
    bool is_integer = row->flags & X87_FLAG_INTEGER;
    switch (insn->size_bytes) {
    case 2:
        return x87_unpack_integer((int16_t)memory);
    case 4:
        return is_integer ? x87_unpack_integer((int32_t)memory) : x87_unpack_single((uint32_t)memory);
    default:
        return is_integer ? x87_unpack_integer((int64_t)memory) : x87_unpack_double(memory);
    }
}

static const struct x87_outcome stack_underflow = {{X87_INTEGER_BIT | X87_QUIET_BIT, 0xffff},
                                                   X87_STACK_FAULT};
static const struct x87_outcome stack_overflow = {{X87_INTEGER_BIT | X87_QUIET_BIT, 0xffff},
                                                  X87_STACK_FAULT | X87_C1};

static void run_arith(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    struct x87_outcome outcome = stack_underflow;
    if (!has_underflow(cpu, insn))
        outcome = x87_arith((enum x87_arith)row->detail, cpu->fpu.control, x87_unpack(*st(cpu, insn->dst)),
                            source(cpu, insn, row));
    deliver(cpu, insn->dst, outcome, row->pops);
}

/* ---- Comparisons ---- */

static void deliver_comparison(struct cpu *cpu, uint16_t answer, unsigned pops)
{
    set_conditions(cpu, answer, X87_C0 | X87_C2 | X87_C3);
    if (!raise(cpu, answer & (X87_EXCEPTIONS | X87_SF)))
        pop(cpu, pops);
}

static uint16_t compare_operands(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    if (has_underflow(cpu, insn))
        return X87_C0 | X87_C2 | X87_C3 | X87_STACK_FAULT;
    return x87_compare(x87_unpack(*st(cpu, 0)), source(cpu, insn, row), row->detail);
}

static void run_compare(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    deliver_comparison(cpu, compare_operands(cpu, insn, row), row->pops);
}

static void run_test(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    uint16_t answer = X87_C0 | X87_C2 | X87_C3 | X87_STACK_FAULT;
    if (!has_underflow(cpu, insn))
        answer = x87_compare(x87_unpack(*st(cpu, 0)), x87_unpack_integer(0), false);
    deliver_comparison(cpu, answer, row->pops);
}

/* The condition codes go where the integer comparisons put theirs (SDM 2A FCOMI). */
static void run_compare_to_flags(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    uint16_t answer = compare_operands(cpu, insn, row);
    bool is_stopped = raise(cpu, answer & (X87_EXCEPTIONS | X87_SF));
    if (answer & ~cpu->fpu.control & X87_IE)
        return;
    cpu_set_status_flags(cpu, (answer & X87_C0 ? EFLAGS_CF : 0u) | (answer & X87_C2 ? EFLAGS_PF : 0u) |
                                  (answer & X87_C3 ? EFLAGS_ZF : 0u));
    if (!is_stopped)
        pop(cpu, row->pops);
}

/* SDM 2A FXAM, table 3-34. */
static void run_examine(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    static const uint16_t classes[] = {
        [X87_ZERO] = X87_C3, [X87_FINITE] = X87_C2, [X87_INFINITY] = X87_C2 | X87_C0,
        [X87_QNAN] = X87_C0, [X87_SNAN] = X87_C0,   [X87_UNSUPPORTED] = 0,
    };
    (void)insn, (void)row;
    const struct x87_register *r = st(cpu, 0);
    struct x87_number n = x87_unpack(*r);
    uint16_t answer = n.is_denormal ? X87_C3 | X87_C2 : classes[n.kind];
    if (x87_is_empty(&cpu->fpu, 0))
        answer = X87_C3 | X87_C0;
    set_conditions(cpu, (uint16_t)(answer | (r->sign_exponent & X87_SIGN ? X87_C1 : 0)), X87_CONDITIONS);
}

/* ---- Loads, and what only moves registers ---- */

static void deliver_push(struct cpu *cpu, struct x87_outcome outcome)
{
    if (!x87_is_empty(&cpu->fpu, 7) && !(outcome.status & X87_SF)) /* underflow comes before overflow */
        outcome = stack_overflow;
    raise(cpu, outcome.status);
    if (!(outcome.status & ~cpu->fpu.control & X87_IE)) /* an unmasked DE comes with the number */
        push(cpu, outcome.value);
}

static void run_load(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    struct x87_outcome outcome = stack_underflow;
    if (!(insn->flags & INSN_MEMORY)) {
        if (!has_underflow(cpu, insn))
            outcome = (struct x87_outcome){*st(cpu, insn->src), 0};
    } else if (insn->size_bytes == 10) {
        outcome = (struct x87_outcome){{cpu->wide.half[0], (uint16_t)cpu->wide.half[1]}, 0};
    } else {
        outcome = x87_load(source(cpu, insn, row));
    }
    deliver_push(cpu, outcome);
}

static void run_load_bcd(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    (void)insn, (void)row;
    struct x87_register value = x87_load_bcd(cpu->wide.half[0], (uint16_t)cpu->wide.half[1]);
    deliver_push(cpu, (struct x87_outcome){value, 0});
}

/* Rounded from a longer constant as RC says (SDM 2A FLDPI): the mantissa cut off, and the nearest one. */
static void run_constant(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    static const struct {
        uint64_t cut, nearest;
        uint16_t exponent;
    } constants[] = {
        [X87_CONST_1] = {0x8000000000000000, 0x8000000000000000, 0x3fff},
        [X87_CONST_L2T] = {0xd49a784bcd1b8afe, 0xd49a784bcd1b8afe, 0x4000},
        [X87_CONST_L2E] = {0xb8aa3b295c17f0bb, 0xb8aa3b295c17f0bc, 0x3fff},
        [X87_CONST_PI] = {0xc90fdaa22168c234, 0xc90fdaa22168c235, 0x4000},
        [X87_CONST_LG2] = {0x9a209a84fbcff798, 0x9a209a84fbcff799, 0x3ffd},
        [X87_CONST_LN2] = {0xb17217f7d1cf79ab, 0xb17217f7d1cf79ac, 0x3ffe},
        [X87_CONST_0] = {0, 0, 0},
    };
    (void)insn;
    enum x87_rounding rounding = x87_rounding(cpu->fpu.control);
    bool is_exact = row->detail == X87_CONST_1 || row->detail == X87_CONST_0;
    struct x87_register value = {constants[row->detail].cut, constants[row->detail].exponent};
    if (rounding == X87_NEAREST)
        value.mantissa = constants[row->detail].nearest;
    else if (rounding == X87_UP && !is_exact)
        value.mantissa++;
    deliver_push(cpu, (struct x87_outcome){value, 0});
}

/* FST ST(i): `src` is ST0. The destination may be empty. FSTPNCE only pops where ST0 is. */
static void run_copy(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    struct x87_outcome outcome = stack_underflow;
    if (insn->op == DEC_FSTPNCE && x87_is_empty(&cpu->fpu, 0)) {
        raise(cpu, 0);
        pop(cpu, 1);
        return;
    }
    if (!x87_is_empty(&cpu->fpu, 0))
        outcome = (struct x87_outcome){*st(cpu, 0), 0};
    deliver(cpu, insn->dst, outcome, row->pops);
}

/* Empty registers are exchanged as indefinites. */
static void run_exchange(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    (void)row;
    bool is_bad = has_underflow(cpu, insn);
    if (raise(cpu, is_bad ? X87_STACK_FAULT : 0))
        return;
    struct x87_register a = x87_is_empty(&cpu->fpu, 0) ? x87_indefinite : *st(cpu, 0);
    struct x87_register b = x87_is_empty(&cpu->fpu, insn->src) ? x87_indefinite : *st(cpu, insn->src);
    set(cpu, insn->src, a);
    set(cpu, 0, b);
}

static void run_free(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    set_conditions(cpu, 0, X87_C1);
    cpu->fpu.in_use &= (uint8_t) ~(1u << x87_place(&cpu->fpu, insn->dst));
    pop(cpu, row->pops);
}

static void run_move_top(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    (void)insn;
    set_top(&cpu->fpu, x87_place(&cpu->fpu, row->detail));
    set_conditions(cpu, 0, X87_C1);
}

static void run_nothing(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    (void)cpu, (void)insn, (void)row;
}

/* Whether condition `cond` (the manual's tttn) holds: of B, E, BE, U and their opposites. */
static bool holds(const struct cpu *cpu, unsigned cond)
{
    enum { BELOW = 1, EQUAL = 2, BELOW_OR_EQUAL = 3, UNORDERED = 5 };
    uint64_t flags = cpu_flags(cpu);
    uint64_t mask = 0;
    switch (cond >> 1) {
    case BELOW:
        mask = EFLAGS_CF;
        break;
    case EQUAL:
        mask = EFLAGS_ZF;
        break;
    case BELOW_OR_EQUAL:
        mask = EFLAGS_CF | EFLAGS_ZF;
        break;
    case UNORDERED:
        mask = EFLAGS_PF;
        break;
    }
    return (flags & mask ? 0 : 1) == (cond & 1);
}

static void run_move_if(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    if (has_underflow(cpu, insn))
        deliver(cpu, 0, stack_underflow, 0);
    else if (holds(cpu, row->detail))
        set(cpu, 0, *st(cpu, insn->src));
}

/* ---- One operand, or two in ST0 and ST1 ---- */

static void run_change_sign(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    struct x87_outcome outcome = stack_underflow;
    if (!has_underflow(cpu, insn)) {
        outcome = (struct x87_outcome){*st(cpu, 0), 0};
        outcome.value.sign_exponent ^= X87_SIGN;
        if (row->detail) /* FABS */
            outcome.value.sign_exponent &= X87_MAX_EXPONENT;
    }
    deliver(cpu, 0, outcome, 0);
}

static void run_square_root(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    (void)row;
    struct x87_outcome outcome = stack_underflow;
    if (!has_underflow(cpu, insn))
        outcome = x87_sqrt(cpu->fpu.control, x87_unpack(*st(cpu, 0)));
    deliver(cpu, 0, outcome, 0);
}

static void run_round(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    (void)row;
    struct x87_outcome outcome = stack_underflow;
    if (!has_underflow(cpu, insn))
        outcome = x87_round_integer(cpu->fpu.control, x87_unpack(*st(cpu, 0)));
    deliver(cpu, 0, outcome, 0);
}

static void run_scale(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    (void)row;
    struct x87_outcome outcome = stack_underflow;
    if (!has_underflow(cpu, insn))
        outcome = x87_scale(cpu->fpu.control, x87_unpack(*st(cpu, 0)), x87_unpack(*st(cpu, 1)));
    deliver(cpu, 0, outcome, 0);
}

static void run_remainder(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    struct x87_outcome outcome = stack_underflow;
    bool has_quotient = false;
    if (!has_underflow(cpu, insn)) {
        struct x87_number a = x87_unpack(*st(cpu, 0)), b = x87_unpack(*st(cpu, 1));
        outcome = x87_remainder(cpu->fpu.control, a, b, row->detail);
        has_quotient = !x87_is_nan(a) && !x87_is_nan(b) && !(outcome.status & X87_IE) &&
                       !x87_is_stopped(outcome.status, cpu->fpu.control);
    }
    set_conditions(cpu, outcome.status, has_quotient ? X87_C0 | X87_C2 | X87_C3 : X87_C2);
    deliver(cpu, 0, outcome, 0);
}

/* Two results: the first takes ST0's place, the second is pushed. */
static void deliver_two(struct cpu *cpu, struct x87_outcome first, struct x87_register second)
{
    if (raise(cpu, first.status))
        return;
    set(cpu, 0, first.value);
    push(cpu, second);
}

static void run_extract(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    (void)row;
    struct x87_outcome outcome = stack_underflow;
    struct x87_register significand = x87_indefinite;
    if (!has_underflow(cpu, insn)) {
        outcome = stack_overflow;
        if (x87_is_empty(&cpu->fpu, 7))
            outcome = x87_extract(x87_unpack(*st(cpu, 0)), &significand);
    }
    deliver_two(cpu, outcome, significand);
}

/* ---- Transcendental functions ---- */

static void run_trigonometric(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    struct x87_outcome outcome = stack_underflow;
    if (!has_underflow(cpu, insn))
        outcome =
            x87_trigonometric((enum x87_trigonometric)row->detail, cpu->fpu.control, x87_unpack(*st(cpu, 0)));
    set_conditions(cpu, outcome.status, X87_C2);
    deliver(cpu, 0, outcome, 0);
}

/* FSINCOS pushes the cosine, FPTAN (whose `detail` is the tangent) a one. */
static void run_trigonometric_pair(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    struct x87_outcome first = stack_underflow, second = {{X87_INTEGER_BIT, X87_BIAS}, 0};
    if (!has_underflow(cpu, insn)) {
        struct x87_number angle = x87_unpack(*st(cpu, 0));
        first = x87_trigonometric((enum x87_trigonometric)row->detail, cpu->fpu.control, angle);
        if (row->detail == X87_SINE)
            second = x87_trigonometric(X87_COSINE, cpu->fpu.control, angle);
        if (x87_is_nan(angle))
            second.value = first.value;
        if (!x87_is_empty(&cpu->fpu, 7))
            first = stack_overflow;
    }
    if (first.status & X87_IE)
        second = (struct x87_outcome){first.value, 0};
    set_conditions(cpu, first.status, X87_C2);
    if (first.status & X87_C2) {
        deliver(cpu, 0, first, 0);
        return;
    }
    first.status |= second.status;
    deliver_two(cpu, first, second.value);
}

static void run_exponential(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    (void)row;
    struct x87_outcome outcome = stack_underflow;
    if (!has_underflow(cpu, insn))
        outcome = x87_exponential(cpu->fpu.control, x87_unpack(*st(cpu, 0)));
    deliver(cpu, 0, outcome, 0);
}

/* FPATAN, FYL2X, FYL2XP1: ST1 and ST0 make a result in ST1, and ST0 is popped. */
static void run_of_two(struct cpu *cpu, const struct insn *insn, const struct x87_row *row)
{
    static struct x87_outcome (*const functions[])(uint16_t, struct x87_number, struct x87_number) = {
        [X87_OF_TWO_ARCTANGENT] = x87_arctangent,
        [X87_OF_TWO_LOGARITHM] = x87_logarithm,
        [X87_OF_TWO_LOGARITHM_PLUS_1] = x87_logarithm_plus_1,
    };
    struct x87_outcome outcome = stack_underflow;
    if (!has_underflow(cpu, insn))
        outcome = functions[row->detail](cpu->fpu.control, x87_unpack(*st(cpu, 1)), x87_unpack(*st(cpu, 0)));
    deliver(cpu, 1, outcome, 1);
}

/* ---- Stores to memory ---- */

enum { STORE_STOPPERS = X87_IE | X87_DE | X87_ZE | X87_OE | X87_UE };

static struct x87_stored convert(const struct cpu *cpu, const struct x87_register *r, unsigned size_bytes,
                                 unsigned kind)
{
    uint16_t control = cpu->fpu.control;
    switch (kind) {
    case X87_STORE_INTEGER:
        return x87_store_integer(x87_rounding(control), x87_unpack(*r), size_bytes);
    case X87_STORE_CUT:
        return x87_store_integer(X87_CUT, x87_unpack(*r), size_bytes);
    case X87_STORE_BCD:
        return x87_store_bcd(control, x87_unpack(*r));
    default:
        break;
    }
    if (size_bytes == 10) /* as it stands there */
        return (struct x87_stored){r->mantissa, r->sign_exponent, 0};
    return x87_store(control, x87_unpack(*r), size_bytes);
}

bool cpu_x87_prepare_store(struct cpu *cpu, const struct insn *insn, const struct x87_store_row *row)
{
    bool is_empty = x87_is_empty(&cpu->fpu, 0);
    const struct x87_register *r = is_empty ? &x87_indefinite : st(cpu, 0);
    struct x87_stored stored = convert(cpu, r, insn->size_bytes, row->kind);
    if (is_empty)
        stored.status = X87_STACK_FAULT;
    cpu->wide.half[0] = stored.memory;
    cpu->wide.half[1] = stored.upper;
    cpu->x87_raised = stored.status;
    return !(stored.status & ~cpu->fpu.control & STORE_STOPPERS);
}

void cpu_x87_finish_store(struct cpu *cpu, const struct x87_store_row *row)
{
    uint16_t unmasked = cpu->x87_raised & (uint16_t)~cpu->fpu.control & STORE_STOPPERS;
    raise(cpu, cpu->x87_raised);
    if (!unmasked)
        pop(cpu, row->pops);
}

#define STATUS X87_FLAG_STATUS
#define SETS_FLAGS X87_FLAG_SETS_FLAGS
#define READS_FLAGS X87_FLAG_READS_FLAGS
#define PUSHES X87_FLAG_PUSHES
#define SWAPS X87_FLAG_SWAPS
#define INTEGER X87_FLAG_INTEGER
#define COMPARES X87_FLAG_COMPARES

const struct x87_row x87_rows[DEC_NR_OPS] = {
#define X87(op, function, detail, operands, pops, flags)                                                     \
    [DEC_##op] = {run_##function, (detail), X87_OPERANDS_##operands, (pops), (flags)},
#define X87_STORE(op, kind, pops)
#include "cpu/x87_ops.def"
#undef X87
#undef X87_STORE
};

const struct x87_store_row x87_stores[DEC_NR_OPS] = {
#define X87(op, function, detail, operands, pops, flags)
#define X87_STORE(op, kind, pops) [DEC_##op] = {X87_STORE_##kind, (pops)},
#include "cpu/x87_ops.def"
#undef X87
#undef X87_STORE
};
