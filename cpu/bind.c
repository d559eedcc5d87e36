/*
 * From a decoded instruction to the record that an executor takes: operands to their places, and the handler.
 */
#include "cpu/cpu_internal.h"
#include "cpu/handlers.h"
#include "cpu/x87.h"

/* What kinds of operands an instruction has, as far as that chooses an executor: the first two. */
enum bind_form {
    FORM_ANY,
    FORM_R,
    FORM_M,
    FORM_I,
    FORM_S,
    FORM_REL,
    FORM_RR,
    FORM_RM,
    FORM_MR,
    FORM_RI,
    FORM_MI,
    FORM_RS,
    FORM_MS,
    FORM_SR,
    FORM_SM,
    FORM_RC,
    FORM_CR,
    FORM_RD,
    FORM_DR,
    FORM_VV, /* V is an XMM register, P an MMX register, as in the manual's operand letters */
    FORM_VM,
    FORM_MV,
    FORM_VI,
    FORM_VR,
    FORM_RV,
    FORM_PP,
    FORM_PM,
    FORM_MP,
    FORM_PI,
    FORM_PR,
    FORM_RP,
    FORM_VP,
    FORM_PV,
    FORM_XM, /* X is an x87 register */
    FORM_MX,
    NR_FORMS,
};

enum bind_shape { SHAPE_NONE, SHAPE_ONE, SHAPE_SIZED, SHAPE_COND };

struct binding {
    uint16_t handler; /* enum handler: the first of its shape */
    uint8_t shape;
};

#define FIRST_ONE(name) HANDLER_##name
#define FIRST_SIZED(name) HANDLER_##name##8
#define FIRST_COND(name) HANDLER_##name##0

static const struct binding bindings[DEC_NR_OPS][NR_FORMS] = {
#define INTERNAL(name)
#define EXECUTOR(name, shape)
#define BIND(op, form, name, shape) [DEC_##op][FORM_##form] = {FIRST_##shape(name), SHAPE_##shape},
#include "cpu/executors.def"
#undef INTERNAL
#undef EXECUTOR
#undef BIND
};

static char kind_letter(const struct dec_operand *operand)
{
    static const char letters[] = {
        [DEC_OPERAND_NONE] = '-', [DEC_OPERAND_GPR] = 'R',  [DEC_OPERAND_MEM] = 'M',
        [DEC_OPERAND_SRC] = 'X',  [DEC_OPERAND_DST] = 'X',  [DEC_OPERAND_IMM] = 'I',
        [DEC_OPERAND_IMM2] = 'I', [DEC_OPERAND_REL] = 'J',  [DEC_OPERAND_FAR] = 'F',
        [DEC_OPERAND_SREG] = 'S', [DEC_OPERAND_CREG] = 'C', [DEC_OPERAND_DREG] = 'D',
        [DEC_OPERAND_X87] = 'X',  [DEC_OPERAND_MMX] = 'P',  [DEC_OPERAND_XMM] = 'V',
    };
    return letters[operand->kind];
}

static enum bind_form form_of(const struct dec_insn *dec)
{
    static const struct {
        char first, second;
        enum bind_form form;
    } forms[] = {
        {'R', '-', FORM_R},   {'M', '-', FORM_M},  {'I', '-', FORM_I},  {'S', '-', FORM_S},
        {'J', '-', FORM_REL}, {'R', 'R', FORM_RR}, {'R', 'M', FORM_RM}, {'M', 'R', FORM_MR},
        {'R', 'I', FORM_RI},  {'M', 'I', FORM_MI}, {'R', 'S', FORM_RS}, {'M', 'S', FORM_MS},
        {'S', 'R', FORM_SR},  {'S', 'M', FORM_SM}, {'R', 'C', FORM_RC}, {'C', 'R', FORM_CR},
        {'R', 'D', FORM_RD},  {'D', 'R', FORM_DR}, {'V', 'V', FORM_VV}, {'V', 'M', FORM_VM},
        {'M', 'V', FORM_MV},  {'V', 'I', FORM_VI}, {'V', 'R', FORM_VR}, {'R', 'V', FORM_RV},
        {'P', 'P', FORM_PP},  {'P', 'M', FORM_PM}, {'M', 'P', FORM_MP}, {'P', 'I', FORM_PI},
        {'P', 'R', FORM_PR},  {'R', 'P', FORM_RP}, {'V', 'P', FORM_VP}, {'P', 'V', FORM_PV},
        {'X', 'M', FORM_XM},  {'M', 'X', FORM_MX},
    };
    char first = dec->nr_operands > 0 ? kind_letter(&dec->operand[0]) : '-';
    char second = dec->nr_operands > 1 ? kind_letter(&dec->operand[1]) : '-';
    for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++)
        if (forms[i].first == first && forms[i].second == second)
            return forms[i].form;
    return FORM_ANY;
}

static uint8_t byte_offset(const struct dec_operand *operand)
{
    return (uint8_t)(operand->reg * sizeof(uint64_t) + operand->high_byte);
}

/* Whether an access through this segment needs the segmentation unit. */
static bool needs_checks(const struct cpu *cpu, unsigned seg)
{
    if (cpu->code_key & CODE_KEY_64BIT)
        return seg >= DEC_SEG_FS;
    return !segment_is_flat_data(&cpu->segment[seg]);
}

/* Whether addresses are of the size that linear ones of this code have. */
static bool is_whole_address(const struct cpu *cpu, const struct dec_insn *dec)
{
    return dec->address_size == (cpu->code_key & CODE_KEY_64BIT ? 8 : 4);
}

/* The next instruction's address is that of the page and a part that is known here (SDM 2A 2.2.1.6). */
static void bind_rip_relative(const struct dec_insn *dec, struct insn *insn)
{
    int64_t disp = dec->disp + insn->offset + insn->length_bytes;
    insn->base = REG_CODE;
    if (disp > INT32_MAX) {
        insn->index = REG_BIAS;
        disp -= CODE_BIAS;
    }
    insn->disp = (int32_t)disp;
}

/* Whether a base is all that an access through FS or GS needs of it. */
static bool has_only_base(const struct cpu *cpu, unsigned seg)
{
    return cpu->code_key & CODE_KEY_64BIT ||
           (seg >= DEC_SEG_FS && cpu->code_key >> (CODE_KEY_BASED_SHIFT + seg) & 1);
}

/*
 * Such a base is one more summand: where the operand has no base or no index, it takes the place. Not where
 * an address is no access (LEA) or made by the executor from a register that the opcode implies.
 */
static bool bind_segment_base(const struct cpu *cpu, const struct dec_insn *dec, struct insn *insn)
{
    bool is_memory = (dec->has_modrm && dec->modrm < 0xc0) || dec->op == DEC_MOV;
    if (!has_only_base(cpu, dec->seg) || !is_memory || dec->op == DEC_LEA)
        return false;
    uint8_t summand = dec->seg == DEC_SEG_FS ? REG_FS : REG_GS;
    if (insn->base == REG_ZERO) {
        insn->base = summand;
    } else if (insn->index == REG_ZERO) {
        insn->index = summand;
        insn->scale = 0;
    } else {
        return false;
    }
    insn->flags |= INSN_SEGMENT_BASE;
    return true;
}

static void bind_memory(const struct cpu *cpu, const struct dec_insn *dec, struct insn *insn)
{
    insn->flags |= INSN_MEMORY;
    insn->base = dec->base == DEC_NO_REG ? REG_ZERO : dec->base;
    insn->index = dec->index == DEC_NO_REG ? REG_ZERO : dec->index;
    insn->scale = dec->scale;
    insn->disp = (int32_t)dec->disp;
    insn->seg = dec->seg;
    if (dec->base == DEC_REG_RIP)
        bind_rip_relative(dec, insn);
    if (dec->address_size == 8 && dec->disp != insn->disp && dec->base == DEC_NO_REG) {
        insn->flags |= INSN_SLOW_ADDRESS | INSN_WIDE_ADDRESS;
        insn->imm = (uint64_t)dec->disp;
        return;
    }
    if (needs_checks(cpu, dec->seg) && is_whole_address(cpu, dec) && bind_segment_base(cpu, dec, insn))
        return;
    if (!is_whole_address(cpu, dec) || needs_checks(cpu, dec->seg))
        insn->flags |= INSN_SLOW_ADDRESS;
}

/* Instructions that use the stack, or a string's segments, without an operand that says so. */
static bool uses_stack(uint16_t op)
{
    switch (op) {
    case DEC_PUSH:
    case DEC_POP:
    case DEC_CALL:
    case DEC_RET:
    case DEC_LEAVE:
    case DEC_PUSHF:
    case DEC_POPF:
        return true;
    default:
        return false;
    }
}

static void bind_operand(const struct cpu *cpu, const struct dec_insn *dec, unsigned i, struct insn *insn)
{
    const struct dec_operand *operand = &dec->operand[i];
    switch (operand->kind) {
    case DEC_OPERAND_GPR:
    case DEC_OPERAND_SREG:
    case DEC_OPERAND_CREG:
    case DEC_OPERAND_DREG:
    case DEC_OPERAND_MMX:
    case DEC_OPERAND_XMM:
        if (i == 0) {
            insn->dst = operand->reg;
            insn->dst_byte = byte_offset(operand);
        } else {
            insn->src = operand->reg;
            insn->src_byte = byte_offset(operand);
        }
        break;
    case DEC_OPERAND_MEM:
        bind_memory(cpu, dec, insn);
        break;
    case DEC_OPERAND_SRC:
        insn->seg = dec->seg;
        if (!is_whole_address(cpu, dec) || needs_checks(cpu, dec->seg))
            insn->flags |= INSN_SLOW_ADDRESS;
        break;
    case DEC_OPERAND_DST:
        if (!is_whole_address(cpu, dec) || needs_checks(cpu, DEC_SEG_ES))
            insn->flags |= INSN_SLOW_ADDRESS;
        break;
    case DEC_OPERAND_IMM:
    case DEC_OPERAND_REL:
        insn->imm = dec->imm;
        break;
    case DEC_OPERAND_IMM2:
        insn->cond = (uint8_t)dec->imm2;
        break;
    case DEC_OPERAND_FAR:
        insn->imm = (uint64_t)dec->imm2 << 32 | (dec->imm & UINT32_MAX);
        break;
    default:
        break;
    }
}

/* What some executors want to know besides: see their files. */
static void bind_details(const struct dec_insn *dec, struct insn *insn)
{
    const struct dec_operand *operand = dec->operand;
    switch (dec->op) {
    case DEC_ROL:
    case DEC_ROR:
    case DEC_RCL:
    case DEC_RCR:
    case DEC_SHL:
    case DEC_SHR:
    case DEC_SAR:
    case DEC_BT:
    case DEC_BTS:
    case DEC_BTR:
    case DEC_BTC: /* the count or bit offset is in a register */
        insn->cond = operand[1].kind == DEC_OPERAND_GPR;
        break;
    case DEC_SHLD:
    case DEC_SHRD:
        insn->cond = dec->nr_operands > 2 && operand[2].kind == DEC_OPERAND_GPR;
        insn->src = operand[1].reg;
        insn->src_byte = byte_offset(&operand[1]);
        break;
    case DEC_IMUL:
        insn->cond = dec->nr_operands;
        break;
    case DEC_MOVZX:
    case DEC_MOVSX:
    case DEC_CRC32:
        insn->cond = operand[1].size_bytes;
        break;
    case DEC_IN:
    case DEC_OUT:
        insn->cond = operand[dec->op == DEC_IN].kind == DEC_OPERAND_GPR;
        break;
    case DEC_ENTER: /* the nesting level, which may be zero */
        insn->cond = (uint8_t)dec->imm2;
        break;
    default:
        insn->cond = insn->cond ? insn->cond : dec->cond;
        break;
    }
}

/*
 * 16-byte operands that may lie anywhere; all others are aligned (SDM 1 10.4.1.1, 12.10.3, SDM 2B PCMPESTRI).
 */
static bool may_be_unaligned(uint16_t op)
{
    switch (op) {
    case DEC_MOVUPS:
    case DEC_MOVUPD:
    case DEC_MOVDQU:
    case DEC_LDDQU:
    case DEC_MASKMOVDQU:
    case DEC_PCMPESTRM:
    case DEC_PCMPESTRI:
    case DEC_PCMPISTRM:
    case DEC_PCMPISTRI:
        return true;
    default:
        return false;
    }
}

/* MMX and SSE: cond is the size of the second operand. */
static void bind_simd(const struct dec_insn *dec, struct insn *insn)
{
    enum { DST_FREE = 1, DST_READ = 2 }; /* 0: no row */
    static const uint8_t dst_of[DEC_NR_OPS] = {
#define SIMD(op, shape, dst) [DEC_##op] = DST_##dst,
#include "cpu/simd_ops.def"
#undef SIMD
    };
    if (dst_of[dec->op] == DST_READ)
        insn->flags |= INSN_READS_DST;
    bool is_vector = dst_of[dec->op] != 0;
    for (unsigned i = 0; i < dec->nr_operands; i++) {
        const struct dec_operand *operand = &dec->operand[i];
        is_vector |= operand->kind == DEC_OPERAND_MMX || operand->kind == DEC_OPERAND_XMM;
        if (operand->kind == DEC_OPERAND_MEM && operand->size_bytes == 16 && !may_be_unaligned(dec->op))
            insn->flags |= INSN_ALIGNED;
    }
    if (is_vector && dec->nr_operands > 1)
        insn->cond = dec->operand[1].size_bytes;
    if (dec->op == DEC_PCMPESTRI || dec->op == DEC_PCMPESTRM) /* the size of the lengths */
        insn->src_byte = dec->operand_size;
}

/*
 * x87: imm is the opcode that the unit remembers (SDM 1 8.1.9), size_bytes that of the memory operand; dst
 * and src are stack registers, ST0 to ST7.
 */
static void bind_x87(const struct dec_insn *dec, struct insn *insn)
{
    if (dec->map != DEC_MAP_1BYTE || (dec->opcode & 0xf8) != 0xd8)
        return;
    const struct x87_row *row = &x87_rows[dec->op];
    insn->imm = (uint64_t)(dec->opcode & 7) << 8 | dec->modrm;
    for (unsigned i = 0; i < dec->nr_operands; i++) {
        if (dec->operand[i].kind == DEC_OPERAND_MEM)
            insn->size_bytes = dec->operand[i].size_bytes;
        else if (dec->operand[i].kind == DEC_OPERAND_X87)
            *(i == 0 ? &insn->dst : &insn->src) = dec->operand[i].reg;
    }
    switch ((enum x87_operands)row->operands) {
    case X87_OPERANDS_NONE:
    case X87_OPERANDS_GIVEN:
        break;
    case X87_OPERANDS_ST0:
        insn->dst = insn->src = 0;
        break;
    case X87_OPERANDS_ST0_ST1:
        insn->dst = 0;
        insn->src = 1;
        break;
    case X87_OPERANDS_ST1_ST0:
        insn->dst = 1;
        insn->src = 0;
        break;
    case X87_OPERANDS_PUSH: /* ST0 is a result only */
        insn->dst = REG_ZERO;
        break;
    }
}

static uint8_t operation_size(const struct dec_insn *dec)
{
    const struct dec_operand *operand = &dec->operand[0];
    switch (dec->op) {
    case DEC_PUSH:
    case DEC_POP:
    case DEC_CALL:
    case DEC_RET:
    case DEC_CALL_FAR:
    case DEC_JMP_FAR:
    case DEC_RET_FAR:
    case DEC_IRET:
    case DEC_PUSHF:
    case DEC_POPF:
    case DEC_PUSHA:
    case DEC_POPA:
    case DEC_ENTER:
    case DEC_LEAVE:
    case DEC_JCC:
    case DEC_JMP:
    case DEC_LOOP:
    case DEC_LOOPE:
    case DEC_LOOPNE:
    case DEC_JCXZ:
    case DEC_LGDT:
    case DEC_LIDT:
    case DEC_SGDT:
    case DEC_SIDT:
        return dec->operand_size;
    case DEC_OUT:
    case DEC_OUTS:
        return dec->operand[1].size_bytes;
    default:
        break;
    }
    if (dec->nr_operands == 0)
        return dec->operand_size;
    if (operand->kind == DEC_OPERAND_SREG || operand->size_bytes == 0)
        return dec->operand_size;
    return operand->size_bytes;
}

static void bind_latency(const struct dec_insn *dec, struct insn *insn)
{
    enum { CLASS_PIPED, CLASS_ITERATIVE, CLASS_SERIAL };
    static const struct {
        uint8_t latency_cycles, class;
    } rows[DEC_NR_OPS] = {
#define UOPS(op, latency_cycles, class) [DEC_##op] = {(latency_cycles), CLASS_##class},
#include "cpu/uops.def"
#undef UOPS
    };
    insn->latency_cycles = rows[dec->op].latency_cycles ? rows[dec->op].latency_cycles : 1;
    if (rows[dec->op].class == CLASS_ITERATIVE)
        insn->flags |= INSN_ITERATES;
}

/* Whether the processor of the configuration has the instruction in this form. */
static bool is_there(const struct cpu *cpu, const struct dec_insn *dec)
{
    static const struct {
        uint8_t plain, xmm; /* enum cpu_feature */
    } required[DEC_NR_OPS] = {
#define REQUIRES(op, plain, xmm) [DEC_##op] = {FEATURE_##plain, FEATURE_##xmm},
#include "cpu/op_features.def"
#undef REQUIRES
    };
    bool has_xmm = false;
    for (unsigned i = 0; i < dec->nr_operands; i++)
        has_xmm |= dec->operand[i].kind == DEC_OPERAND_XMM;
    return cpu_has(cpu, has_xmm ? required[dec->op].xmm : required[dec->op].plain);
}

void cpu_bind(struct cpu *cpu, const struct dec_insn *dec, struct insn *insn)
{
    struct dec_insn older = *dec;
    if (dec->op == DEC_LZCNT && !cpu_has(cpu, FEATURE_LZCNT)) { /* its prefix means nothing there */
        older.op = DEC_BSR;
        dec = &older;
    }
    insn->op = dec->op;
    insn->dst = insn->src = REG_ZERO;
    insn->base = insn->index = REG_ZERO;
    insn->seg = dec->seg;
    insn->imm = dec->imm;
    insn->address_bytes = dec->address_size;
    insn->rep = dec->rep;
    insn->size_bytes = operation_size(dec);
    bind_latency(dec, insn);
    for (unsigned i = 0; i < dec->nr_operands; i++)
        bind_operand(cpu, dec, i, insn);
    bind_details(dec, insn);
    bind_simd(dec, insn);
    bind_x87(dec, insn);
    if (uses_stack(dec->op) && needs_checks(cpu, DEC_SEG_SS))
        insn->flags |= INSN_SLOW_ADDRESS;
    if (dec->op == DEC_XLAT && dec->nr_operands == 0 &&
        (!is_whole_address(cpu, dec) || needs_checks(cpu, dec->seg)))
        insn->flags |= INSN_SLOW_ADDRESS;

    const struct binding *binding = &bindings[dec->op][form_of(dec)];
    if (binding->shape == SHAPE_NONE)
        binding = &bindings[dec->op][FORM_ANY];
    if (!is_there(cpu, dec)) {
        insn->run = cpu->handlers[HANDLER_undefined];
        return;
    }
    if (binding->shape == SHAPE_NONE) {
        insn->run = cpu->handlers[HANDLER_unimplemented];
        return;
    }
    unsigned handler = binding->handler;
    if (binding->shape == SHAPE_SIZED)
        handler += (unsigned)__builtin_ctz(insn->size_bytes);
    else if (binding->shape == SHAPE_COND)
        handler += dec->cond;
    insn->run = cpu->handlers[handler];
}
