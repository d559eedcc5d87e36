#include "report.h"

#include <inttypes.h>
#include <stdio.h>

enum kind { KIND_GPR, KIND_HIGH, KIND_ALL, KIND_FLAGS, KIND_SELECTOR, KIND_BASE, KIND_NONE };

static const struct {
    const char *name;
    enum kind kind;
} fields[NR_FIELDS] = {
#define FIELD(name, bytes, kind) {#name, KIND_##kind},
#include "fields.def"
#undef FIELD
};

enum {
    CR0_PE_BIT = 1,
    EFER_LMA_BIT = 0x400,
    FLAG_RF = 0x10000,
    FLAG_OF = 0x800,
    FLAG_AF = 0x10,
    FLAG_VM = 0x20000
};

void look_at(const struct ours *ours, struct look *look)
{
    struct state state;
    ours_state(ours, &state);
    *look = (struct look){
        .linear = ours_linear_rip(ours), .rip = state.v[FIELD_rip], .cs = (uint16_t)state.v[FIELD_cs]};
    look->nr_bytes = ours_code(ours, look->bytes, &look->bits);
    ZydisMachineMode mode = look->bits == 64   ? ZYDIS_MACHINE_MODE_LONG_64
                            : look->bits == 32 ? ZYDIS_MACHINE_MODE_LEGACY_32
                                               : ZYDIS_MACHINE_MODE_LEGACY_16;
    ZydisStackWidth width = look->bits == 64   ? ZYDIS_STACK_WIDTH_64
                            : look->bits == 32 ? ZYDIS_STACK_WIDTH_32
                                               : ZYDIS_STACK_WIDTH_16;
    ZydisDecoder decoder;
    ZydisDecoderInit(&decoder, mode, width);
    look->is_decoded =
        look->nr_bytes > 0 && ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, look->bytes, look->nr_bytes,
                                                                  &look->insn, look->operands));
}

void past_add(struct past *past, const struct look *look)
{
    past->look[past->nr++ % HISTORY] = *look;
}

/*
 * Zydis' table says which flags an instruction leaves undefined. It cannot know the count of a shift: OF is
 * defined for a count of 1 only (SDM 2B SAL, RCL).
 */
uint64_t undefined_flags(const struct look *look, const struct state *before)
{
    uint64_t flags = 0;
    (void)before;
    if (!look->is_decoded)
        return 0;
    if (look->insn.cpu_flags)
        flags = look->insn.cpu_flags->undefined;
    switch (look->insn.mnemonic) {
    case ZYDIS_MNEMONIC_ROL:
    case ZYDIS_MNEMONIC_ROR:
    case ZYDIS_MNEMONIC_RCL:
    case ZYDIS_MNEMONIC_RCR:
        return flags | FLAG_OF;
    case ZYDIS_MNEMONIC_SHL:
    case ZYDIS_MNEMONIC_SHR:
    case ZYDIS_MNEMONIC_SAR:
    case ZYDIS_MNEMONIC_SHLD:
    case ZYDIS_MNEMONIC_SHRD:
        return flags | FLAG_OF | FLAG_AF;
    default:
        return flags;
    }
}

bool field_differs(enum state_field field, const struct state *ours, const struct state *qemu,
                   uint64_t undefined)
{
    uint64_t mine = ours->v[field], theirs = qemu->v[field], mask = UINT64_MAX;
    bool is_long = ours->v[FIELD_efer] & EFER_LMA_BIT;
    bool is_protected = (ours->v[FIELD_cr0] & CR0_PE_BIT) && !(ours->v[FIELD_eflags] & FLAG_VM);
    switch (fields[field].kind) {
    case KIND_GPR:
        /* In long mode's 32-bit code the stub gives 32 bits too, and zeros for the high registers. */
        mask = theirs >> 32 ? UINT64_MAX : UINT32_MAX;
        break;
    case KIND_HIGH:
        if (!is_long || !theirs)
            return false;
        break;
    case KIND_FLAGS:
        mask = UINT32_MAX & ~(undefined | FLAG_RF);
        break;
    case KIND_BASE:
        /* A null selector leaves the base as it was, or clears it: nothing can see it but 64-bit code. */
        if (is_protected && !is_long && (ours->v[field == FIELD_fs_base ? FIELD_fs : FIELD_gs] & 0xfffc) == 0)
            return false;
        break;
    case KIND_NONE:
        return false;
    default:
        break;
    }
    return (mine ^ theirs) & mask;
}

bool states_differ(const struct state *ours, const struct state *qemu, uint64_t undefined)
{
    for (unsigned field = 0; field < NR_FIELDS; field++)
        if (field_differs(field, ours, qemu, undefined))
            return true;
    return false;
}

static void show_instruction(const struct look *look)
{
    char text[128] = "(not an instruction)";
    ZydisFormatter formatter;
    ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
    if (look->is_decoded)
        ZydisFormatterFormatInstruction(&formatter, &look->insn, look->operands,
                                        look->insn.operand_count_visible, text, sizeof text, look->rip, NULL);
    printf("    %04x:%08" PRIx64 "  ", look->cs, look->rip);
    for (size_t i = 0; i < 10; i++)
        if (i < look->nr_bytes && (!look->is_decoded || i < look->insn.length))
            printf("%02x ", look->bytes[i]);
        else
            printf("   ");
    printf(" %s\n", text);
}

void report_difference(const struct past *past, const struct state *before, const struct state *ours,
                       const struct state *qemu, uint64_t undefined)
{
    printf("  the last instructions, the one that differs last:\n");
    for (uint64_t i = past->nr < HISTORY ? 0 : past->nr - HISTORY; i < past->nr; i++)
        show_instruction(&past->look[i % HISTORY]);
    printf("    %-14s %16s %16s %16s\n", "", "before", "lookaside", "QEMU");
    for (unsigned field = 0; field < NR_FIELDS; field++) {
        bool differs = field_differs(field, ours, qemu, undefined);
        if (differs || field <= FIELD_gs)
            printf("  %c %-14s %16" PRIx64 " %16" PRIx64 " %16" PRIx64 "\n", differs ? '*' : ' ',
                   fields[field].name, before->v[field], ours->v[field], qemu->v[field]);
    }
}
