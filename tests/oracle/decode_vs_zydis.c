/*
 * Oracle: our decoder against Zydis, which shares no code and no tables with it. Every opcode with every
 * ModRM under a set of prefixes in the three modes, then random bytes; validity, length, mnemonic, operands,
 * immediates, memory operand and segment must agree.
 *
 *     decode_vs_zydis [number of random cases, default 200000] [seed]
 *
 * Prints the counts; the exit status is 1 if there is a difference that no row of accepted_differences
 * explains.
 */
#include <Zydis/Zydis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/decode.h"

#define BUFFER_SIZE 32
#define MAX_REPORTS 40

struct oracle_case {
    uint8_t bytes[BUFFER_SIZE];
    enum dec_mode mode;
    struct dec_insn ours;
    enum dec_result result;
    ZydisDecodedInstruction theirs;
    ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
    ZyanStatus status;
};

/* Mnemonics: ours have no size and no condition, theirs do. */

static const char *sized(const struct dec_insn *insn, const char *w, const char *d, const char *q)
{
    return insn->operand_size == 2 ? w : insn->operand_size == 4 ? d : q;
}

static void expected_mnemonic(const struct dec_insn *insn, char text[32])
{
    static const char *const cond[16] = {"o", "no", "b", "nb", "z", "nz", "be", "nbe",
                                         "s", "ns", "p", "np", "l", "nl", "le", "nle"};
    static const char suffix[] = {[1] = 'b', [2] = 'w', [4] = 'd', [8] = 'q'};
    const char *base = dec_mnemonic((enum dec_op)insn->op);
    const char *tail = "";
    char string_suffix[2] = "";

    switch (insn->op) {
    case DEC_JCC:
        base = "j";
        tail = cond[insn->cond];
        break;
    case DEC_CMOVCC:
        base = "cmov";
        tail = cond[insn->cond];
        break;
    case DEC_SETCC:
        base = "set";
        tail = cond[insn->cond];
        break;
    case DEC_CALL_FAR:
        base = "call";
        break;
    case DEC_JMP_FAR:
        base = "jmp";
        break;
    case DEC_RET_FAR:
        base = "ret";
        break;
    case DEC_MOV_CR:
    case DEC_MOV_DR:
        base = "mov";
        break;
    case DEC_IRET:
        tail = sized(insn, "", "d", "q");
        break;
    case DEC_PUSHF:
    case DEC_POPF:
        tail = sized(insn, "", "d", "q");
        break;
    case DEC_PUSHA:
    case DEC_POPA:
        tail = sized(insn, "", "d", "");
        break;
    case DEC_JCXZ:
        base = insn->address_size == 2 ? "jcxz" : insn->address_size == 4 ? "jecxz" : "jrcxz";
        break;
    case DEC_FXSAVE:
    case DEC_FXRSTOR:
        tail = sized(insn, "", "", "64");
        break;
    case DEC_FNENI:
        base = "feni8087_nop";
        break;
    case DEC_FNDISI:
        base = "fdisi8087_nop";
        break;
    case DEC_FNSETPM:
        base = "fsetpm287_nop";
        break;
    default:
        if (insn->flags & DEC_FLAG_STRING) {
            const unsigned which = insn->op == DEC_OUTS || insn->op == DEC_LODS || insn->op == DEC_SCAS;
            string_suffix[0] = suffix[insn->operand[which].size_bytes];
            tail = string_suffix;
        }
        break;
    }
    snprintf(text, 32, "%s%s", base, tail);
}

/* Operands. Each check returns what differs, or NULL. */

static ZydisRegister zydis_gpr(unsigned size_bytes, unsigned reg, bool high_byte)
{
    switch (size_bytes) {
    case 1:
        if (high_byte)
            return (ZydisRegister)(ZYDIS_REGISTER_AH + reg);
        return (ZydisRegister)(reg < 4 ? ZYDIS_REGISTER_AL + reg : ZYDIS_REGISTER_SPL + (reg - 4));
    case 2:
        return (ZydisRegister)(ZYDIS_REGISTER_AX + reg);
    case 4:
        return (ZydisRegister)(ZYDIS_REGISTER_EAX + reg);
    default:
        return (ZydisRegister)(ZYDIS_REGISTER_RAX + reg);
    }
}

static ZydisRegister zydis_register(const struct dec_operand *operand)
{
    const unsigned reg = operand->reg;

    switch (operand->kind) {
    case DEC_OPERAND_GPR:
        return zydis_gpr(operand->size_bytes, reg, operand->high_byte);
    case DEC_OPERAND_SREG:
        return (ZydisRegister)(ZYDIS_REGISTER_ES + reg);
    case DEC_OPERAND_CREG:
        return (ZydisRegister)(ZYDIS_REGISTER_CR0 + reg);
    case DEC_OPERAND_DREG:
        return (ZydisRegister)(ZYDIS_REGISTER_DR0 + reg);
    case DEC_OPERAND_X87:
        return (ZydisRegister)(ZYDIS_REGISTER_ST0 + reg);
    case DEC_OPERAND_MMX:
        return (ZydisRegister)(ZYDIS_REGISTER_MM0 + reg);
    default:
        return (ZydisRegister)(ZYDIS_REGISTER_XMM0 + reg);
    }
}

static uint64_t cut(uint64_t value, unsigned nr_bytes)
{
    return nr_bytes >= 8 ? value : value & (((uint64_t)1 << (8 * nr_bytes)) - 1);
}

static ZydisRegister zydis_address_register(const struct dec_insn *insn, uint8_t reg)
{
    if (reg == DEC_NO_REG)
        return ZYDIS_REGISTER_NONE;
    if (reg == DEC_REG_RIP)
        return insn->address_size == 4 ? ZYDIS_REGISTER_EIP : ZYDIS_REGISTER_RIP;
    return zydis_gpr(insn->address_size, reg, false);
}

static const char *differs_in_memory(const struct dec_insn *insn, const struct dec_operand *operand,
                                     const ZydisDecodedOperand *theirs)
{
    uint8_t base = insn->base, index = insn->index, seg = insn->seg;
    uint64_t disp = (uint64_t)insn->disp;

    if (operand->kind == DEC_OPERAND_SRC || operand->kind == DEC_OPERAND_DST) {
        base = operand->kind == DEC_OPERAND_SRC ? 6 : 7;
        index = DEC_NO_REG;
        seg = operand->kind == DEC_OPERAND_SRC ? insn->seg : DEC_SEG_ES;
        disp = 0;
    }
    if (theirs->mem.type != ZYDIS_MEMOP_TYPE_AGEN &&
        theirs->mem.segment != (ZydisRegister)(ZYDIS_REGISTER_ES + seg))
        return "segment";
    if (theirs->mem.base != zydis_address_register(insn, base))
        return "base";
    if (insn->op != DEC_XLAT && theirs->mem.index != zydis_address_register(insn, index))
        return "index";
    if (index != DEC_NO_REG && theirs->mem.scale != 1u << insn->scale)
        return "scale";
    if (cut((uint64_t)theirs->mem.disp.value, insn->address_size) != cut(disp, insn->address_size))
        return "displacement";
    if (operand->size_bytes != 0 && theirs->size != 8u * operand->size_bytes)
        return "memory size";
    return NULL;
}

static const char *differs_in_immediate(const struct dec_insn *insn, const struct dec_operand *operand,
                                        const ZydisDecodedOperand *theirs)
{
    const uint64_t value = theirs->imm.value.u;

    switch (operand->kind) {
    case DEC_OPERAND_IMM:
        return cut(value, operand->size_bytes) == insn->imm ? NULL : "immediate";
    case DEC_OPERAND_IMM2:
        return value == insn->imm2 ? NULL : "second immediate";
    default:
        return theirs->imm.is_relative && value == insn->imm ? NULL : "branch distance";
    }
}

static const char *differs_in_operand(const struct dec_insn *insn, const struct dec_operand *operand,
                                      const ZydisDecodedOperand *theirs)
{
    switch (operand->kind) {
    case DEC_OPERAND_MEM:
    case DEC_OPERAND_SRC:
    case DEC_OPERAND_DST:
        return theirs->type == ZYDIS_OPERAND_TYPE_MEMORY ? differs_in_memory(insn, operand, theirs)
                                                         : "operand kind";
    case DEC_OPERAND_IMM:
        if (insn->opcode >= 0xD0 && insn->opcode <= 0xD1 && theirs->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
            return theirs->imm.value.u == 1 ? NULL : "immediate";
        __attribute__((fallthrough));
    case DEC_OPERAND_IMM2:
    case DEC_OPERAND_REL:
        return theirs->type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? differs_in_immediate(insn, operand, theirs)
                                                            : "operand kind";
    case DEC_OPERAND_FAR:
        if (theirs->type != ZYDIS_OPERAND_TYPE_POINTER)
            return "operand kind";
        return theirs->ptr.segment == insn->imm2 && theirs->ptr.offset == insn->imm ? NULL : "far pointer";
    default:
        if (theirs->type != ZYDIS_OPERAND_TYPE_REGISTER)
            return "operand kind";
        return theirs->reg.value == zydis_register(operand) ? NULL : "register";
    }
}

/*
 * Ours must be theirs in their order. Zydis hides what the mnemonic implies (the memory of MOVS, the ST0 of
 * FADD m32); we name some of it where the manual's row does, so an operand of ours may also be a hidden one
 * of theirs.
 */
static const char *differs_in_operands(const struct oracle_case *c)
{
    const struct dec_insn *insn = &c->ours;
    unsigned visible = 0;

    for (unsigned i = 0; i < insn->nr_operands; i++) {
        const char *what = "number of operands";

        if (visible < c->theirs.operand_count_visible)
            what = differs_in_operand(insn, &insn->operand[i], &c->operand[visible]);
        if (!what) {
            visible++;
            continue;
        }
        bool is_hidden = false;
        for (unsigned k = c->theirs.operand_count_visible; k < c->theirs.operand_count && !is_hidden; k++)
            is_hidden = !differs_in_operand(insn, &insn->operand[i], &c->operand[k]);
        if (!is_hidden)
            return what;
    }
    return visible == c->theirs.operand_count_visible ? NULL : "number of operands";
}

/* What the row says apart from the operands. */
static const char *differs_in_flags(const struct oracle_case *c)
{
    const ZydisInstructionAttributes attributes = c->theirs.attributes;
    const uint8_t flags = c->ours.flags;

    if (!(flags & DEC_FLAG_PRIVILEGED) != !(attributes & ZYDIS_ATTRIB_IS_PRIVILEGED))
        return "privilege";
    if ((attributes & ZYDIS_ATTRIB_ACCEPTS_LOCK) && !(flags & DEC_FLAG_LOCKABLE))
        return "lockable";
    if (c->theirs.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE && !(flags & DEC_FLAG_BRANCH))
        return "branch";
    if (c->theirs.operand_width != 8 && c->theirs.operand_width != 8 * c->ours.operand_size)
        return "operand size";
    return NULL;
}

static const char *difference(const struct oracle_case *c)
{
    char mnemonic[32];

    if (c->result == DEC_TOO_LONG || c->status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG)
        return c->result == DEC_TOO_LONG && c->status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG ? NULL
                                                                                           : "15-byte limit";
    if (c->result != DEC_OK)
        return ZYAN_SUCCESS(c->status) ? "undefined for us only" : NULL;
    if (!ZYAN_SUCCESS(c->status))
        return "undefined for Zydis only";
    if (c->ours.length != c->theirs.length)
        return "length";
    expected_mnemonic(&c->ours, mnemonic);
    if (strcmp(mnemonic, ZydisMnemonicGetString(c->theirs.mnemonic)) != 0)
        return "mnemonic";
    if (c->ours.address_size * 8 != c->theirs.address_width)
        return "address size";
    const char *what = differs_in_operands(c);
    return what ? what : differs_in_flags(c);
}

/* Differences that are meant. */

/* Extensions that the CPU modelled does not have and that therefore have no rows. */
static bool is_left_out(const struct oracle_case *c)
{
    static const ZydisISASet left_out[] = {
        ZYDIS_ISA_SET_ADOX_ADCX,
        ZYDIS_ISA_SET_AES,
        ZYDIS_ISA_SET_AMD3DNOW,
        ZYDIS_ISA_SET_AMD_INVLPGB,
        ZYDIS_ISA_SET_CET,
        ZYDIS_ISA_SET_CLFLUSHOPT,
        ZYDIS_ISA_SET_CLWB,
        ZYDIS_ISA_SET_CLZERO,
        ZYDIS_ISA_SET_ENQCMD,
        ZYDIS_ISA_SET_GFNI,
        ZYDIS_ISA_SET_HRESET,
        ZYDIS_ISA_SET_KEYLOCKER,
        ZYDIS_ISA_SET_KEYLOCKER_WIDE,
        ZYDIS_ISA_SET_MCOMMIT,
        ZYDIS_ISA_SET_MONITORX,
        ZYDIS_ISA_SET_MOVDIR,
        ZYDIS_ISA_SET_PADLOCK_ACE,
        ZYDIS_ISA_SET_PADLOCK_PHE,
        ZYDIS_ISA_SET_PADLOCK_PMM,
        ZYDIS_ISA_SET_PADLOCK_RNG,
        ZYDIS_ISA_SET_PCLMULQDQ,
        ZYDIS_ISA_SET_PCONFIG,
        ZYDIS_ISA_SET_PKU,
        ZYDIS_ISA_SET_PT,
        ZYDIS_ISA_SET_RDPRU,
        ZYDIS_ISA_SET_RTM,
        ZYDIS_ISA_SET_SERIALIZE,
        ZYDIS_ISA_SET_SGX,
        ZYDIS_ISA_SET_SGX_ENCLV,
        ZYDIS_ISA_SET_SHA,
        ZYDIS_ISA_SET_SMX,
        ZYDIS_ISA_SET_SNP,
        ZYDIS_ISA_SET_SSE4A,
        ZYDIS_ISA_SET_SVM,
        ZYDIS_ISA_SET_TDX,
        ZYDIS_ISA_SET_TSX_LDTRK,
        ZYDIS_ISA_SET_UINTR,
        ZYDIS_ISA_SET_VMFUNC,
        ZYDIS_ISA_SET_VTX,
        ZYDIS_ISA_SET_WAITPKG,
        ZYDIS_ISA_SET_XSAVE,
        ZYDIS_ISA_SET_XSAVEC,
        ZYDIS_ISA_SET_XSAVEOPT,
        ZYDIS_ISA_SET_XSAVES,
    };

    if (c->theirs.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
        return c->theirs.encoding != ZYDIS_INSTRUCTION_ENCODING_3DNOW || c->ours.opcode == 0x0F;
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
        if (c->theirs.meta.isa_set == left_out[i])
            return true;
    return false;
}

static bool is_undefined_within_limit(const struct oracle_case *c)
{
    return c->result == DEC_UNDEFINED;
}

static bool is_r13_without_base(const struct oracle_case *c)
{
    return c->mode == DEC_64 && c->ours.address_size == 4 && c->ours.modrm < 0x40 && c->ours.rex & 1 &&
           c->ours.base == DEC_NO_REG;
}

static bool is_hint_nop(const struct oracle_case *c)
{
    return c->ours.op == DEC_NOP && c->ours.map == DEC_MAP_0F;
}

static bool is_movsxd(const struct oracle_case *c)
{
    return c->ours.op == DEC_MOVSXD;
}

static bool is_pause_with_rex_b(const struct oracle_case *c)
{
    return c->ours.op == DEC_XCHG && c->ours.opcode == 0x90 && c->theirs.mnemonic == ZYDIS_MNEMONIC_PAUSE;
}

static bool is_ud(const struct oracle_case *c)
{
    return c->ours.op == DEC_UD0 || c->ours.op == DEC_UD1;
}

static bool is_lar_or_lsl(const struct oracle_case *c)
{
    return c->ours.op == DEC_LAR || c->ours.op == DEC_LSL;
}

static bool is_prefetch_alias(const struct oracle_case *c)
{
    return c->ours.op == DEC_PREFETCH && c->theirs.mnemonic == ZYDIS_MNEMONIC_PREFETCHWT1;
}

static bool is_monitor(const struct oracle_case *c)
{
    return c->ours.op == DEC_MONITOR;
}

static bool is_lgdt(const struct oracle_case *c)
{
    return c->ours.op == DEC_LGDT;
}

/* Nothing in these depends on the operand-size attribute. */
static bool is_fixed_size(const struct oracle_case *c)
{
    for (unsigned i = 0; i < c->ours.nr_operands; i++)
        if (c->ours.operand[i].kind == DEC_OPERAND_XMM || c->ours.operand[i].kind == DEC_OPERAND_MMX)
            return true;
    switch (c->ours.op) {
    case DEC_MOV_CR:
    case DEC_MOV_DR:
    case DEC_CMPXCHG8B:
    case DEC_INVPCID:
    case DEC_SYSCALL:
    case DEC_CVTSS2SI:
    case DEC_CVTTSS2SI:
    case DEC_CVTSD2SI:
    case DEC_CVTTSD2SI:
    case DEC_IN:
    case DEC_OUT:
        return true;
    default:
        return false;
    }
}

struct accepted {
    const char *what; /* as difference() says it */
    bool (*fits)(const struct oracle_case *c);
    const char *reason;
};

static const struct accepted accepted_differences[] = {
    {"undefined for us only", is_left_out, "extensions and VEX, EVEX, XOP encodings that have no rows"},
    {"15-byte limit", is_undefined_within_limit,
     "Zydis goes on to read an instruction that is already known as undefined"},
    {"base", is_r13_without_base,
     "mod 0, SIB base 5, address size 32: Zydis names R13 with REX.B; hardware and SDM 2A table 2-3 have no "
     "base"},
    {"number of operands", is_hint_nop,
     "Zydis shows ModRM.reg of hint NOPs as a second operand; the manual has only Ev"},
    {"register", is_hint_nop, "hint NOPs 0F 1A, 1B, 1E: Zydis shows ModRM.reg, or ignores 66"},
    {"memory size", is_movsxd, "66 63: Zydis says m32, SDM 2B MOVSXD says r/m16"},
    {"mnemonic", is_pause_with_rex_b, "F3 REX.B 90 is XCHG r8, rAX on hardware"},
    {"mnemonic", is_prefetch_alias,
     "0F 0D /2 is PREFETCHWT1 on Knights cores only, a PREFETCH alias elsewhere"},
    {"number of operands", is_monitor,
     "we name the memory at rAX that MONITOR watches, Zydis only the registers"},
    {"operand size", is_fixed_size,
     "nothing depends on it; we keep what the prefixes say, Zydis what it ends up with"},
    {"privilege", is_lgdt, "Zydis does not mark LGDT; SDM 2A LGDT: #GP(0) if CPL is not 0"},
    {"register", is_ud, "UD0, UD1: Zydis has 32-bit operands always; nothing reads them"},
    {"register", is_lar_or_lsl, "LAR, LSL from a register: Zydis has its low half; only 16 bits are read"},
};

#define NR_ACCEPTED (sizeof accepted_differences / sizeof *accepted_differences)

/* One report for each kind of difference of an instruction is enough. */
struct reported {
    const char *what;
    uint16_t op;
    uint8_t map, opcode;
};

struct oracle {
    ZydisDecoder decoder[3];
    uint64_t seed;
    uint64_t nr_cases;
    uint64_t nr_valid;
    uint64_t nr_unexplained;
    uint64_t nr_accepted[NR_ACCEPTED];
    bool was_seen[DEC_NR_OPS];
    struct reported reported[MAX_REPORTS];
    unsigned nr_reported;
};

/* splitmix64, so that a failing case can be repeated from its seed. */
static uint64_t next_random(struct oracle *o)
{
    uint64_t z = o->seed += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static void report(const struct oracle_case *c, const char *what)
{
    char mnemonic[32];

    printf("%s, %d-bit:", what, 16 << c->mode);
    for (unsigned i = 0; i < DEC_MAX_LENGTH; i++)
        printf(" %02x", c->bytes[i]);
    expected_mnemonic(&c->ours, mnemonic);
    printf("\n    ours: result %d, %s, length %u", c->result, mnemonic, c->ours.length);
    printf("\n    Zydis: status %08x", c->status);
    if (ZYAN_SUCCESS(c->status)) {
        char text[96] = "";
        ZydisFormatter formatter;
        ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
        ZydisFormatterFormatInstruction(&formatter, &c->theirs, c->operand, c->theirs.operand_count_visible,
                                        text, sizeof text, ZYDIS_RUNTIME_ADDRESS_NONE, NULL);
        printf(", %s, length %u, %s", text, c->theirs.length, ZydisISASetGetString(c->theirs.meta.isa_set));
    }
    printf("\n");
}

static void judge(struct oracle *o, const struct oracle_case *c, const char *what)
{
    for (unsigned i = 0; i < NR_ACCEPTED; i++) {
        if (strcmp(accepted_differences[i].what, what) == 0 && accepted_differences[i].fits(c)) {
            o->nr_accepted[i]++;
            return;
        }
    }
    o->nr_unexplained++;
    for (unsigned i = 0; i < o->nr_reported; i++) {
        const struct reported *r = &o->reported[i];
        if (r->what == what && r->map == c->ours.map && r->opcode == c->ours.opcode && r->op == c->ours.op)
            return;
    }
    if (o->nr_reported == MAX_REPORTS)
        return;
    o->reported[o->nr_reported++] = (struct reported){what, c->ours.op, c->ours.map, c->ours.opcode};
    report(c, what);
}

/*
 * The same instruction from exactly its bytes must be the same record, and from one byte less must not be
 * found.
 */
static void check_truncation(struct oracle *o, const struct oracle_case *c)
{
    struct dec_insn again;

    memset(&again, 0, sizeof again);
    if (dec_decode(c->bytes, c->ours.length, c->mode, &again) != DEC_OK ||
        memcmp(&again, &c->ours, sizeof again) != 0)
        judge(o, c, "decodes differently without the bytes behind it");
    if (dec_decode(c->bytes, c->ours.length - 1u, c->mode, &again) != DEC_NEED_MORE)
        judge(o, c, "does not need its last byte");
}

static void run_case(struct oracle *o, const uint8_t bytes[BUFFER_SIZE], enum dec_mode mode)
{
    struct oracle_case c = {.mode = mode};

    memcpy(c.bytes, bytes, BUFFER_SIZE);
    c.result = dec_decode(c.bytes, BUFFER_SIZE, mode, &c.ours);
    c.status = ZydisDecoderDecodeFull(&o->decoder[mode], c.bytes, BUFFER_SIZE, &c.theirs, c.operand);
    o->nr_cases++;
    if (c.result == DEC_OK) {
        o->nr_valid++;
        o->was_seen[c.ours.op] = true;
        if (o->nr_cases % 16 == 0)
            check_truncation(o, &c);
    }

    const char *what = difference(&c);
    if (what)
        judge(o, &c, what);
}

static void fill_random(struct oracle *o, uint8_t *bytes, size_t nr)
{
    for (size_t i = 0; i < nr; i++)
        bytes[i] = (uint8_t)(next_random(o) >> 24);
}

static void run_every_opcode(struct oracle *o)
{
    static const char *const prefixes[] = {
        "",         "\x66",     "\x67",     "\xF3", "\xF2",     "\x66\xF3", "\x66\xF2",     "\xF0",
        "\x2E",     "\x64",     "\x66\x67", "\x48", "\x41",     "\x66\x48", "\xF3\x48",     "\xF3\x41",
        "\x67\x44", "\xF0\x48", "\xF0\x66", "\x40", "\x66\x42", "\x65\x2E", "\xF2\x66\x4D", "\x48\x66"};
    static const char *const maps[] = {"", "\x0F", "\x0F\x38", "\x0F\x3A"};
    uint8_t bytes[BUFFER_SIZE];

    for (size_t p = 0; p < sizeof prefixes / sizeof *prefixes; p++) {
        for (size_t m = 0; m < sizeof maps / sizeof *maps; m++) {
            for (unsigned code = 0; code < 0x10000; code++) {
                const size_t nr_prefix = strlen(prefixes[p]);
                const size_t at = nr_prefix + strlen(maps[m]);

                memcpy(bytes, prefixes[p], nr_prefix);
                memcpy(bytes + nr_prefix, maps[m], at - nr_prefix);
                bytes[at] = (uint8_t)(code >> 8);
                bytes[at + 1] = (uint8_t)code;
                fill_random(o, bytes + at + 2, BUFFER_SIZE - at - 2);
                for (enum dec_mode mode = DEC_16; mode <= DEC_64; mode++)
                    run_case(o, bytes, mode);
            }
        }
    }
}

/*
 * Half of the cases begin with up to 15 prefixes, so that their order, their number and the length limit are
 * met.
 */
static void run_random(struct oracle *o, uint64_t nr_cases)
{
    static const uint8_t prefixes[16] = {0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67,
                                         0xF0, 0xF2, 0xF3, 0x40, 0x41, 0x48, 0x4D, 0x66};
    uint8_t bytes[BUFFER_SIZE];

    for (uint64_t i = 0; i < nr_cases; i++) {
        uint64_t choice = next_random(o);

        fill_random(o, bytes, BUFFER_SIZE);
        for (unsigned nr = choice & 16 ? choice & 15 : 0; nr > 0; nr--)
            bytes[nr - 1] = prefixes[next_random(o) & 15];
        run_case(o, bytes, (enum dec_mode)(i % 3));
    }
}

static void init_decoders(struct oracle *o)
{
    ZydisDecoderInit(&o->decoder[DEC_16], ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
    ZydisDecoderInit(&o->decoder[DEC_32], ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
    ZydisDecoderInit(&o->decoder[DEC_64], ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    for (unsigned mode = 0; mode < 3; mode++) {
        ZydisDecoderEnableMode(&o->decoder[mode], ZYDIS_DECODER_MODE_MPX, ZYAN_FALSE);
        ZydisDecoderEnableMode(&o->decoder[mode], ZYDIS_DECODER_MODE_CET, ZYAN_FALSE);
        ZydisDecoderEnableMode(&o->decoder[mode], ZYDIS_DECODER_MODE_CLDEMOTE, ZYAN_FALSE);
        ZydisDecoderEnableMode(&o->decoder[mode], ZYDIS_DECODER_MODE_WBNOINVD, ZYAN_FALSE);
    }
}

int main(int argc, char **argv)
{
    struct oracle o = {.seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1};
    const uint64_t nr_random = argc > 1 ? strtoull(argv[1], NULL, 0) : 200000 / LK_ORACLE_SHARE;
    unsigned nr_ops = 0;

    init_decoders(&o);
    run_every_opcode(&o);
    run_random(&o, nr_random);
    for (unsigned op = 0; op < DEC_NR_OPS; op++)
        nr_ops += o.was_seen[op];
    printf("%llu cases, %llu valid, %u of %u instructions met\n", (unsigned long long)o.nr_cases,
           (unsigned long long)o.nr_valid, nr_ops, DEC_NR_OPS - 1);
    for (unsigned i = 0; i < NR_ACCEPTED; i++)
        printf("%10llu accepted: %s: %s\n", (unsigned long long)o.nr_accepted[i],
               accepted_differences[i].what, accepted_differences[i].reason);
    printf("%10llu unexplained\n", (unsigned long long)o.nr_unexplained);
    return o.nr_unexplained != 0;
}
