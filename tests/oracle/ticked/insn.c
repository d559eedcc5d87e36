#include "tests/oracle/ticked/insn.h"

#include <Zydis/Zydis.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STATUS_FLAGS = ZYDIS_CPUFLAG_CF | ZYDIS_CPUFLAG_PF | ZYDIS_CPUFLAG_AF | ZYDIS_CPUFLAG_ZF |
                   ZYDIS_CPUFLAG_SF | ZYDIS_CPUFLAG_OF,
};

struct insn_tables {
    uint8_t latency[ZYDIS_MNEMONIC_MAX_VALUE + 1]; /* 0: not in the table */
    bool is_iterative[ZYDIS_MNEMONIC_MAX_VALUE + 1];
};

struct insn_tables *insn_tables_create(void)
{
    static const struct {
        const char *name;
        unsigned cycles;
        bool is_iterative;
    } rows[] = {
#define UOPS(op, latency_cycles, class) {#op, latency_cycles, #class[0] == 'I'},
#include "cpu/uops.def"
#undef UOPS
    };
    struct insn_tables *tables = calloc(1, sizeof *tables);
    if (!tables)
        abort();
    for (unsigned i = 0; i <= ZYDIS_MNEMONIC_MAX_VALUE; i++) {
        char upper[32] = "";
        const char *name = ZydisMnemonicGetString((ZydisMnemonic)i);
        for (size_t at = 0; name && name[at] && at < sizeof upper - 1; at++)
            upper[at] = (char)toupper((unsigned char)name[at]);
        for (size_t row = 0; row < sizeof rows / sizeof *rows; row++)
            if (strcmp(rows[row].name, upper) == 0) {
                tables->latency[i] = (uint8_t)rows[row].cycles;
                tables->is_iterative[i] = rows[row].is_iterative;
            }
    }
    return tables;
}

void insn_tables_destroy(struct insn_tables *tables)
{
    free(tables);
}

static bool decode(const struct item *item, ZydisDecodedInstruction *insn,
                   ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT])
{
    static const struct {
        ZydisMachineMode mode;
        ZydisStackWidth width;
    } modes[] = {{ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16},
                 {ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32},
                 {ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64}};
    unsigned mode = item->code_bits == 64 ? 2 : item->code_bits == 32 ? 1 : 0;
    ZydisDecoder decoder;
    ZydisDecoderInit(&decoder, modes[mode].mode, modes[mode].width);
    ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_MPX, ZYAN_FALSE);
    ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_CET, ZYAN_FALSE);
    ZydisDecoderEnableMode(&decoder, ZYDIS_DECODER_MODE_CLDEMOTE, ZYAN_FALSE);
    return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, item->bytes, item->nr_bytes, insn, operands));
}

void insn_text(const struct item *item, char *into, size_t nr_bytes)
{
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    ZydisFormatter formatter;
    ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
    snprintf(into, nr_bytes, "?");
    if (decode(item, &insn, operands))
        ZydisFormatterFormatInstruction(&formatter, &insn, operands, insn.operand_count_visible, into,
                                        nr_bytes, item->linear, NULL);
}

/* A register's place as a bit; 0 for what is always there. */
static uint64_t place_of(ZydisRegister reg, unsigned x87_top)
{
    switch (ZydisRegisterGetClass(reg)) {
    case ZYDIS_REGCLASS_GPR8:
        if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH)
            return 1ull << (PLACE_GPR + (reg - ZYDIS_REGISTER_AH));
        if (reg >= ZYDIS_REGISTER_SPL)
            return 1ull << (PLACE_GPR + 4 + (reg - ZYDIS_REGISTER_SPL));
        return 1ull << (PLACE_GPR + (reg - ZYDIS_REGISTER_AL));
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
    case ZYDIS_REGCLASS_GPR64:
        return 1ull << (PLACE_GPR + ZydisRegisterGetId(reg));
    case ZYDIS_REGCLASS_XMM:
        return 1ull << (PLACE_XMM + ZydisRegisterGetId(reg));
    case ZYDIS_REGCLASS_MMX:
        return 1ull << (PLACE_X87 + ZydisRegisterGetId(reg));
    case ZYDIS_REGCLASS_X87:
        return 1ull << (PLACE_X87 + (x87_top + (unsigned)ZydisRegisterGetId(reg)) % 8);
    default:
        return reg == ZYDIS_REGISTER_X87STATUS ? 1ull << PLACE_X87_STATUS : 0;
    }
}

/* Flags are one register: what leaves some of them reads them. */
static void read_flags(const ZydisDecodedInstruction *insn, struct recipe *recipe)
{
    if (!insn->cpu_flags)
        return;
    unsigned changed = insn->cpu_flags->modified | insn->cpu_flags->set_0 | insn->cpu_flags->set_1;
    unsigned touched = changed | insn->cpu_flags->undefined;
    bool writes = changed & STATUS_FLAGS;
    bool leaves_some = writes && (touched & STATUS_FLAGS) != STATUS_FLAGS;
    if ((insn->cpu_flags->tested & STATUS_FLAGS) || leaves_some)
        recipe->reads |= 1ull << PLACE_FLAGS;
    if (writes)
        recipe->writes |= 1ull << PLACE_FLAGS;
}

/* Whether a write leaves a part of the register as it was. Of scalar SSE Zydis does not always say so. */
static bool keeps_the_rest(const ZydisDecodedInstruction *insn, ZydisRegister reg)
{
    switch (insn->mnemonic) {
    case ZYDIS_MNEMONIC_SQRTSS:
    case ZYDIS_MNEMONIC_SQRTSD:
    case ZYDIS_MNEMONIC_RCPSS:
    case ZYDIS_MNEMONIC_RSQRTSS:
    case ZYDIS_MNEMONIC_ROUNDSS:
    case ZYDIS_MNEMONIC_ROUNDSD:
    case ZYDIS_MNEMONIC_CVTSS2SD:
    case ZYDIS_MNEMONIC_CVTSD2SS:
    case ZYDIS_MNEMONIC_CVTSI2SS:
    case ZYDIS_MNEMONIC_CVTSI2SD:
        return true;
    default:
        break;
    }
    ZydisRegisterClass class = ZydisRegisterGetClass(reg);
    return class == ZYDIS_REGCLASS_GPR8 || class == ZYDIS_REGCLASS_GPR16;
}

static void read_operands(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands,
                          unsigned x87_top, struct recipe *recipe)
{
    for (unsigned i = 0; i < insn->operand_count; i++) {
        const ZydisDecodedOperand *operand = &operands[i];
        if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY) {
            uint64_t address = place_of(operand->mem.base, x87_top) | place_of(operand->mem.index, x87_top);
            recipe->reads |= address;
            if (operand->visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
                recipe->address |= address;
        }
        if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER)
            continue;
        uint64_t place = place_of(operand->reg.value, x87_top);
        if (operand->actions & (ZYDIS_OPERAND_ACTION_MASK_READ | ZYDIS_OPERAND_ACTION_CONDWRITE))
            recipe->reads |= place;
        if (operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) {
            recipe->writes |= place;
            if (keeps_the_rest(insn, operand->reg.value))
                recipe->reads |= place;
        }
    }
}

#define PLACE(n) (1ull << (n))

enum { AX, CX, DX, BX, SP, BP, SI, DI };

static void stack_moves(struct recipe *recipe)
{
    recipe->writes &= ~PLACE(PLACE_SP);
    recipe->steps_on |= PLACE(PLACE_SP);
}

static bool has_memory(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands)
{
    for (unsigned i = 0; i < insn->operand_count_visible; i++)
        if (operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
            return true;
    return false;
}

static void serial(struct recipe *recipe, unsigned cycles)
{
    recipe->shape = SHAPE_SERIAL;
    recipe->serial_cycles = cycles;
    recipe->redirects = true;
    recipe->is_privileged = true;
}

static void far_transfer(struct recipe *recipe, uint64_t reads)
{
    recipe->shape = SHAPE_FAR;
    recipe->reads = reads;
    recipe->writes = 0;
    recipe->serial_cycles = 10;
    recipe->redirects = true;
}

/* By opcode: A4-A7 and AA-AF, of which each pair is bytes and words. */
static void read_string(const ZydisDecodedInstruction *insn, struct recipe *recipe)
{
    const unsigned pair = insn->opcode & 0xfe;
    const bool has_source = pair == 0xa4 || pair == 0xa6 || pair == 0xac, has_destination = pair != 0xac;
    const bool is_repeated =
        insn->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
    const uint64_t counters =
        (has_source ? PLACE(SI) : 0) | (has_destination ? PLACE(DI) : 0) | (is_repeated ? PLACE(CX) : 0);
    recipe->is_repeated = is_repeated;
    recipe->latency_cycles = 1; /* CMPSD and MOVSD are also what SSE2 calls something else */
    recipe->moves_string = pair == 0xa4;
    recipe->compares_string = pair == 0xa6 || pair == 0xae;
    recipe->loads_string = recipe->is_load_only = pair == 0xac;
    const bool keeps_ax = recipe->loads_string && (insn->opcode == 0xac || insn->operand_width == 16);
    recipe->reads = counters | (pair == 0xaa || pair == 0xae || keeps_ax ? PLACE(AX) : 0);
    recipe->writes = counters | (recipe->loads_string ? PLACE(AX) : 0) |
                     (recipe->compares_string ? PLACE(PLACE_FLAGS) : 0);
}

/* What the tables of Zydis do not say, instruction by instruction. */
/* INS and OUTS; Zydis does not say that they write rSI or rDI. */
static void port_string(const ZydisDecodedInstruction *insn, struct recipe *recipe, unsigned pointer)
{
    recipe->shape = SHAPE_PORT_STRING;
    recipe->is_repeated = insn->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPNE);
    recipe->writes = PLACE(pointer) | (recipe->is_repeated ? PLACE(CX) : 0);
}

static void read_mnemonic(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands,
                          struct recipe *recipe)
{
    const bool is_memory = has_memory(insn, operands);
    const uint64_t flags = PLACE(PLACE_FLAGS);
    switch (insn->mnemonic) {
    case ZYDIS_MNEMONIC_NOP:
    case ZYDIS_MNEMONIC_PREFETCH:
    case ZYDIS_MNEMONIC_PREFETCHW:
    case ZYDIS_MNEMONIC_PREFETCHNTA:
    case ZYDIS_MNEMONIC_PREFETCHT0:
    case ZYDIS_MNEMONIC_PREFETCHT1:
    case ZYDIS_MNEMONIC_PREFETCHT2:
        recipe->reads = recipe->writes = 0;
        break;
    case ZYDIS_MNEMONIC_MOV:
        if (operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER) {
            switch (ZydisRegisterGetClass(operands[0].reg.value)) {
            case ZYDIS_REGCLASS_SEGMENT:
                recipe->shape = SHAPE_SEGMENT;
                recipe->nr_operand_loads = is_memory;
                break;
            case ZYDIS_REGCLASS_CONTROL:
            case ZYDIS_REGCLASS_DEBUG:
                serial(recipe, 10);
                break;
            default:
                break;
            }
        }
        recipe->reads &= ~flags; /* MOV to CR leaves flags undefined */
        recipe->writes &= ~flags;
        recipe->is_load_only = true;
        break;
    case ZYDIS_MNEMONIC_MOVZX:
    case ZYDIS_MNEMONIC_MOVSX:
    case ZYDIS_MNEMONIC_MOVSXD:
    case ZYDIS_MNEMONIC_XLAT:
        recipe->is_load_only = true;
        break;
    case ZYDIS_MNEMONIC_SHL:
    case ZYDIS_MNEMONIC_SHR:
    case ZYDIS_MNEMONIC_SAR:
        if (operands[1].type == ZYDIS_OPERAND_TYPE_REGISTER) /* a count of 0 leaves the flags */
            recipe->reads |= flags;
        break;
    case ZYDIS_MNEMONIC_SHLD:
    case ZYDIS_MNEMONIC_SHRD:
        if (operands[2].type == ZYDIS_OPERAND_TYPE_REGISTER)
            recipe->reads |= flags;
        break;
    case ZYDIS_MNEMONIC_BSF:
    case ZYDIS_MNEMONIC_BSR: /* of 0 they leave all but ZF */
        recipe->reads |= flags | recipe->writes;
        break;
    case ZYDIS_MNEMONIC_PUSH:
        stack_moves(recipe);
        if (is_memory)
            recipe->shape = SHAPE_PUSH_MEMORY;
        break;
    case ZYDIS_MNEMONIC_POP:
        recipe->is_load_only = true;
        if (is_memory) {
            recipe->shape = SHAPE_POP_MEMORY;
            recipe->reads = PLACE(PLACE_SP);
            stack_moves(recipe);
        } else if (ZydisRegisterGetClass(operands[0].reg.value) == ZYDIS_REGCLASS_SEGMENT) {
            recipe->shape = SHAPE_SEGMENT;
            recipe->nr_operand_loads = 1;
        } else if (recipe->writes != PLACE(PLACE_SP)) { /* POP rSP has the load's word */
            stack_moves(recipe);
        }
        break;
    case ZYDIS_MNEMONIC_LEAVE:
        recipe->reads = PLACE(BP);
        recipe->is_load_only = true;
        stack_moves(recipe);
        break;
    case ZYDIS_MNEMONIC_PUSHF:
    case ZYDIS_MNEMONIC_PUSHFD:
    case ZYDIS_MNEMONIC_PUSHFQ:
        recipe->reads = flags | PLACE(PLACE_SP);
        recipe->writes = 0;
        stack_moves(recipe);
        break;
    case ZYDIS_MNEMONIC_POPF:
    case ZYDIS_MNEMONIC_POPFD:
    case ZYDIS_MNEMONIC_POPFQ:
        recipe->shape = SHAPE_WAITS_FOR_DATA;
        recipe->reads = PLACE(PLACE_SP);
        recipe->writes = flags;
        stack_moves(recipe);
        break;
    case ZYDIS_MNEMONIC_LDMXCSR:
        recipe->shape = SHAPE_WAITS_FOR_DATA;
        break;
    case ZYDIS_MNEMONIC_PUSHA:
    case ZYDIS_MNEMONIC_PUSHAD:
    case ZYDIS_MNEMONIC_POPA:
    case ZYDIS_MNEMONIC_POPAD:
        recipe->shape = SHAPE_SEQUENCE;
        if (insn->mnemonic == ZYDIS_MNEMONIC_POPA || insn->mnemonic == ZYDIS_MNEMONIC_POPAD) {
            recipe->reads = insn->mnemonic == ZYDIS_MNEMONIC_POPA ? 0xff : PLACE(PLACE_SP);
            recipe->writes = 0xff;
        } else {
            recipe->reads = 0xff;
            recipe->writes = PLACE(PLACE_SP);
        }
        break;
    case ZYDIS_MNEMONIC_ENTER:
        recipe->shape = SHAPE_SEQUENCE;
        recipe->reads = recipe->writes = PLACE(SP) | PLACE(BP);
        break;
    case ZYDIS_MNEMONIC_SGDT:
    case ZYDIS_MNEMONIC_SIDT:
        recipe->shape = SHAPE_SEQUENCE;
        break;
    case ZYDIS_MNEMONIC_LDS:
    case ZYDIS_MNEMONIC_LES:
    case ZYDIS_MNEMONIC_LFS:
    case ZYDIS_MNEMONIC_LGS:
    case ZYDIS_MNEMONIC_LSS:
        recipe->shape = SHAPE_SEGMENT;
        recipe->nr_operand_loads = 2;
        recipe->address = recipe->reads;
        break;
    case ZYDIS_MNEMONIC_LAR:
    case ZYDIS_MNEMONIC_LSL:
    case ZYDIS_MNEMONIC_VERR:
    case ZYDIS_MNEMONIC_VERW:
        recipe->shape = SHAPE_SEGMENT;
        recipe->nr_operand_loads = is_memory;
        break;
    case ZYDIS_MNEMONIC_INVLPG:
    case ZYDIS_MNEMONIC_LGDT:
    case ZYDIS_MNEMONIC_LIDT:
    case ZYDIS_MNEMONIC_CLTS:
    case ZYDIS_MNEMONIC_RDMSR:
    case ZYDIS_MNEMONIC_WRMSR:
    case ZYDIS_MNEMONIC_INVPCID:
        serial(recipe, 10);
        break;
    case ZYDIS_MNEMONIC_LLDT:
    case ZYDIS_MNEMONIC_LTR:
    case ZYDIS_MNEMONIC_LMSW:
        serial(recipe, 10);
        recipe->nr_operand_loads = is_memory;
        break;
    case ZYDIS_MNEMONIC_WBINVD:
    case ZYDIS_MNEMONIC_INVD:
        serial(recipe, 10);
        recipe->waits_for_all = true;
        break;
    case ZYDIS_MNEMONIC_CPUID:
        serial(recipe, 40);
        recipe->is_privileged = false;
        break;
    case ZYDIS_MNEMONIC_HLT:
        serial(recipe, 1);
        recipe->is_halt = true;
        break;
    case ZYDIS_MNEMONIC_RDTSCP:
        recipe->shape = SHAPE_SERIALISED;
        break;
    case ZYDIS_MNEMONIC_IN:
    case ZYDIS_MNEMONIC_OUT:
        recipe->shape = SHAPE_PORT;
        recipe->reads = PLACE(AX) | PLACE(DX);
        break;
    case ZYDIS_MNEMONIC_INSB:
    case ZYDIS_MNEMONIC_INSW:
    case ZYDIS_MNEMONIC_INSD:
        port_string(insn, recipe, DI);
        break;
    case ZYDIS_MNEMONIC_OUTSB:
    case ZYDIS_MNEMONIC_OUTSW:
    case ZYDIS_MNEMONIC_OUTSD:
        port_string(insn, recipe, SI);
        break;
    case ZYDIS_MNEMONIC_IRET:
    case ZYDIS_MNEMONIC_IRETD:
    case ZYDIS_MNEMONIC_IRETQ:
        far_transfer(recipe, PLACE(PLACE_SP));
        break;
    case ZYDIS_MNEMONIC_INT:
    case ZYDIS_MNEMONIC_INT3:
    case ZYDIS_MNEMONIC_INT1:
        far_transfer(recipe, 0);
        recipe->is_interrupt = true;
        break;
    case ZYDIS_MNEMONIC_INTO:
        far_transfer(recipe, flags);
        recipe->is_interrupt = true;
        break;
    case ZYDIS_MNEMONIC_SYSCALL:
        far_transfer(recipe, flags);
        break;
    case ZYDIS_MNEMONIC_SYSRET:
        far_transfer(recipe, PLACE(CX) | PLACE(11));
        break;
    case ZYDIS_MNEMONIC_SYSENTER:
        far_transfer(recipe, 0);
        break;
    case ZYDIS_MNEMONIC_SYSEXIT:
        far_transfer(recipe, PLACE(CX) | PLACE(DX));
        break;
    case ZYDIS_MNEMONIC_JMP:
        if (insn->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
            far_transfer(recipe, recipe->address);
        else
            recipe->branch =
                operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? BRANCH_DIRECT : BRANCH_INDIRECT;
        break;
    case ZYDIS_MNEMONIC_CALL:
        if (insn->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR) {
            far_transfer(recipe, recipe->address | PLACE(PLACE_SP));
            break;
        }
        stack_moves(recipe);
        recipe->branch =
            operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? BRANCH_CALL_DIRECT : BRANCH_CALL_INDIRECT;
        if (recipe->branch == BRANCH_CALL_INDIRECT)
            recipe->shape = is_memory ? SHAPE_CALL_MEMORY : SHAPE_CALL_REGISTER;
        if (recipe->shape == SHAPE_CALL_REGISTER)
            recipe->address = place_of(operands[0].reg.value, 0);
        break;
    case ZYDIS_MNEMONIC_RET:
        if (insn->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR) {
            far_transfer(recipe, PLACE(PLACE_SP));
            break;
        }
        stack_moves(recipe);
        recipe->branch = BRANCH_RETURN;
        break;
    case ZYDIS_MNEMONIC_LOOP:
    case ZYDIS_MNEMONIC_LOOPE:
    case ZYDIS_MNEMONIC_LOOPNE:
    case ZYDIS_MNEMONIC_JCXZ:
    case ZYDIS_MNEMONIC_JECXZ:
    case ZYDIS_MNEMONIC_JRCXZ:
        recipe->branch = BRANCH_CONDITIONAL;
        break;
    case ZYDIS_MNEMONIC_MOVSB:
    case ZYDIS_MNEMONIC_MOVSW:
    case ZYDIS_MNEMONIC_MOVSQ:
    case ZYDIS_MNEMONIC_STOSB:
    case ZYDIS_MNEMONIC_STOSW:
    case ZYDIS_MNEMONIC_STOSD:
    case ZYDIS_MNEMONIC_STOSQ:
    case ZYDIS_MNEMONIC_LODSB:
    case ZYDIS_MNEMONIC_LODSW:
    case ZYDIS_MNEMONIC_LODSD:
    case ZYDIS_MNEMONIC_LODSQ:
    case ZYDIS_MNEMONIC_CMPSB:
    case ZYDIS_MNEMONIC_CMPSW:
    case ZYDIS_MNEMONIC_CMPSQ:
    case ZYDIS_MNEMONIC_SCASB:
    case ZYDIS_MNEMONIC_SCASW:
    case ZYDIS_MNEMONIC_SCASD:
    case ZYDIS_MNEMONIC_SCASQ:
        recipe->shape = SHAPE_STRING;
        break;
    case ZYDIS_MNEMONIC_MOVSD:
    case ZYDIS_MNEMONIC_CMPSD:
        if (insn->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT)
            recipe->shape = SHAPE_STRING;
        else
            recipe->is_load_only = insn->mnemonic == ZYDIS_MNEMONIC_MOVSD;
        break;
    case ZYDIS_MNEMONIC_LFENCE:
    case ZYDIS_MNEMONIC_MFENCE:
    case ZYDIS_MNEMONIC_SFENCE:
        recipe->shape = SHAPE_FENCE;
        recipe->fences_loads = insn->mnemonic != ZYDIS_MNEMONIC_SFENCE;
        recipe->fences_stores = insn->mnemonic != ZYDIS_MNEMONIC_LFENCE;
        break;
    case ZYDIS_MNEMONIC_CLFLUSH:
        recipe->shape = SHAPE_FLUSH_LINE;
        break;
    case ZYDIS_MNEMONIC_CMPXCHG16B:
        recipe->shape = SHAPE_EXCHANGE16;
        break;
    case ZYDIS_MNEMONIC_MASKMOVQ:
    case ZYDIS_MNEMONIC_MASKMOVDQU:
        recipe->shape = SHAPE_MASKED;
        break;
    case ZYDIS_MNEMONIC_FNSTENV:
    case ZYDIS_MNEMONIC_FLDENV:
    case ZYDIS_MNEMONIC_FNSAVE:
    case ZYDIS_MNEMONIC_FRSTOR:
    case ZYDIS_MNEMONIC_FXSAVE:
    case ZYDIS_MNEMONIC_FXSAVE64:
    case ZYDIS_MNEMONIC_FXRSTOR:
    case ZYDIS_MNEMONIC_FXRSTOR64:
        recipe->shape = SHAPE_STATE;
        recipe->reads = recipe->address;
        for (unsigned place = PLACE_XMM; place < NR_PLACES; place++)
            recipe->reads |= PLACE(place);
        recipe->writes = 0;
        break;
    case ZYDIS_MNEMONIC_MOVUPS:
    case ZYDIS_MNEMONIC_MOVUPD:
    case ZYDIS_MNEMONIC_MOVAPS:
    case ZYDIS_MNEMONIC_MOVAPD:
    case ZYDIS_MNEMONIC_MOVDQA:
    case ZYDIS_MNEMONIC_MOVDQU:
    case ZYDIS_MNEMONIC_MOVSS:
    case ZYDIS_MNEMONIC_LDDQU:
    case ZYDIS_MNEMONIC_MOVNTDQA:
        recipe->is_load_only = true;
        break;
    case ZYDIS_MNEMONIC_MOVD:
    case ZYDIS_MNEMONIC_MOVQ:
        recipe->is_load_only = true;
        if (!is_memory &&
            ZydisRegisterGetClass(operands[0].reg.value) == ZydisRegisterGetClass(operands[1].reg.value))
            recipe->latency_cycles = 1;
        break;
    default:
        if (insn->meta.category == ZYDIS_CATEGORY_COND_BR)
            recipe->branch = BRANCH_CONDITIONAL;
        break;
    }
    if (recipe->shape == SHAPE_STRING)
        read_string(insn, recipe);
}

/* x87: what is pushed, and which instructions have condition codes for a result. */
static void read_x87(const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands, unsigned top,
                     struct recipe *recipe)
{
    const uint64_t status = PLACE(PLACE_X87_STATUS), pushed = PLACE(PLACE_X87 + (top + 7) % 8);
    if (insn->meta.category != ZYDIS_CATEGORY_X87_ALU && insn->meta.category != ZYDIS_CATEGORY_FCMOV)
        return;
    recipe->reads &= ~status;
    recipe->writes &= ~status;
    switch (insn->mnemonic) {
    case ZYDIS_MNEMONIC_FLD:
    case ZYDIS_MNEMONIC_FILD:
    case ZYDIS_MNEMONIC_FBLD:
        recipe->is_push_of_x87 = has_memory(insn, operands);
        if (recipe->is_push_of_x87)
            recipe->reads = recipe->address;
        recipe->writes = pushed;
        break;
    case ZYDIS_MNEMONIC_FLD1:
    case ZYDIS_MNEMONIC_FLDL2T:
    case ZYDIS_MNEMONIC_FLDL2E:
    case ZYDIS_MNEMONIC_FLDPI:
    case ZYDIS_MNEMONIC_FLDLG2:
    case ZYDIS_MNEMONIC_FLDLN2:
    case ZYDIS_MNEMONIC_FLDZ:
        recipe->reads = 0;
        recipe->writes = pushed;
        break;
    case ZYDIS_MNEMONIC_FSINCOS:
    case ZYDIS_MNEMONIC_FPTAN:
        recipe->writes |= pushed | status;
        break;
    case ZYDIS_MNEMONIC_FXTRACT:
        recipe->writes |= pushed;
        break;
    case ZYDIS_MNEMONIC_FCOM:
    case ZYDIS_MNEMONIC_FCOMP:
    case ZYDIS_MNEMONIC_FCOMPP:
    case ZYDIS_MNEMONIC_FICOM:
    case ZYDIS_MNEMONIC_FICOMP:
    case ZYDIS_MNEMONIC_FUCOM:
    case ZYDIS_MNEMONIC_FUCOMP:
    case ZYDIS_MNEMONIC_FUCOMPP:
    case ZYDIS_MNEMONIC_FTST:
    case ZYDIS_MNEMONIC_FXAM:
        recipe->writes = status;
        break;
    case ZYDIS_MNEMONIC_FPREM:
    case ZYDIS_MNEMONIC_FPREM1:
    case ZYDIS_MNEMONIC_FSIN:
    case ZYDIS_MNEMONIC_FCOS:
        recipe->writes |= status;
        break;
    case ZYDIS_MNEMONIC_FNSTSW:
        recipe->reads |= status;
        break;
    case ZYDIS_MNEMONIC_FXCH:
        recipe->swaps = true;
        recipe->exchanged = recipe->reads;
        recipe->reads = recipe->writes = 0;
        break;
    case ZYDIS_MNEMONIC_FCOMI:
    case ZYDIS_MNEMONIC_FCOMIP:
    case ZYDIS_MNEMONIC_FUCOMI:
    case ZYDIS_MNEMONIC_FUCOMIP:
        recipe->writes = PLACE(PLACE_FLAGS);
        recipe->reads &= ~PLACE(PLACE_FLAGS);
        break;
    case ZYDIS_MNEMONIC_FST:
    case ZYDIS_MNEMONIC_FSTP:
    case ZYDIS_MNEMONIC_FSTPNCE:
        recipe->reads |= recipe->writes;
        break;
    case ZYDIS_MNEMONIC_FFREE:
    case ZYDIS_MNEMONIC_FFREEP:
        recipe->reads = recipe->writes = place_of(operands[0].reg.value, top);
        break;
    case ZYDIS_MNEMONIC_FBSTP:
        recipe->is_iterative = false;
        break;
    case ZYDIS_MNEMONIC_FINCSTP:
    case ZYDIS_MNEMONIC_FDECSTP:
    case ZYDIS_MNEMONIC_FNOP:
        recipe->reads = recipe->writes = 0;
        break;
    default:
        break;
    }
}

bool insn_read(const struct insn_tables *tables, const struct item *item, unsigned x87_top,
               struct recipe *recipe)
{
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    *recipe = (struct recipe){.latency_cycles = 1};
    if (!decode(item, &insn, operands))
        return false;
    if (tables->latency[insn.mnemonic])
        recipe->latency_cycles = tables->latency[insn.mnemonic];
    recipe->is_iterative = tables->is_iterative[insn.mnemonic];
    read_operands(&insn, operands, x87_top, recipe);
    read_flags(&insn, recipe);
    read_mnemonic(&insn, operands, recipe);
    read_x87(&insn, operands, x87_top, recipe);
    return true;
}
