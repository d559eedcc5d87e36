#include "sim/observe/trace_disasm.h"

#include <Zydis/Zydis.h>
#include <stdlib.h>
#include <string.h>

struct trace_disasm {
    ZydisFormatter formatter;
    ZydisDecoder decoder[3]; /* of 16-, 32- and 64-bit code */
};

struct trace_disasm *trace_disasm_create(void)
{
    static const ZydisFormatterProperty unpadded[] = {
        ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE, ZYDIS_FORMATTER_PROP_ADDR_PADDING_RELATIVE,
        ZYDIS_FORMATTER_PROP_DISP_PADDING, ZYDIS_FORMATTER_PROP_IMM_PADDING};
    struct trace_disasm *disasm = malloc(sizeof *disasm);
    if (!disasm)
        return NULL;
    bool is_good =
        ZYAN_SUCCESS(ZydisFormatterInit(&disasm->formatter, ZYDIS_FORMATTER_STYLE_INTEL)) &&
        ZYAN_SUCCESS(
            ZydisFormatterSetProperty(&disasm->formatter, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE)) &&
        ZYAN_SUCCESS(
            ZydisDecoderInit(&disasm->decoder[0], ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16)) &&
        ZYAN_SUCCESS(
            ZydisDecoderInit(&disasm->decoder[1], ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32)) &&
        ZYAN_SUCCESS(ZydisDecoderInit(&disasm->decoder[2], ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64));
    for (size_t i = 0; is_good && i < sizeof unpadded / sizeof *unpadded; i++)
        is_good = ZYAN_SUCCESS(
            ZydisFormatterSetProperty(&disasm->formatter, unpadded[i], (ZyanUPointer)ZYDIS_PADDING_DISABLED));
    if (is_good)
        return disasm;
    free(disasm);
    return NULL;
}

void trace_disasm_destroy(struct trace_disasm *disasm)
{
    free(disasm);
}

/* "mov eax, [esi]" becomes "mov eax,[esi]": a table has few columns. */
static void squeeze(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (*from != ' ' || from == text || from[-1] != ',')
            *to++ = *from;
    }
    *to = 0;
}

static const ZydisDecoder *decoder_of(const struct trace_disasm *disasm, const struct cpu_seen_insn *insn)
{
    return &disasm->decoder[insn->code_bits == 16 ? 0 : insn->code_bits == 32 ? 1 : 2];
}

unsigned trace_disasm(const struct trace_disasm *disasm, const struct cpu_seen_insn *insn,
                      char text[TRACE_DISASM_CHARS])
{
    const ZydisDecoder *decoder = decoder_of(disasm, insn);
    ZydisDecodedInstruction decoded;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    static const char bad[] = "(bad)";
    memcpy(text, bad, sizeof bad);
    bool is_good =
        ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder, insn->bytes, insn->length_bytes, &decoded, operands));
    if (is_good && !ZYAN_SUCCESS(ZydisFormatterFormatInstruction(&disasm->formatter, &decoded, operands,
                                                                 decoded.operand_count_visible, text,
                                                                 TRACE_DISASM_CHARS, insn->rip, NULL)))
        memcpy(text, bad, sizeof bad);
    squeeze(text);
    return is_good ? decoded.length : 0;
}

bool trace_disasm_is_call(const struct trace_disasm *disasm, const struct cpu_seen_insn *insn)
{
    ZydisDecodedInstruction decoded;
    return ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(decoder_of(disasm, insn), NULL, insn->bytes,
                                                      insn->length_bytes, &decoded)) &&
           decoded.mnemonic == ZYDIS_MNEMONIC_CALL && decoded.length == insn->length_bytes &&
           decoded.meta.branch_type == ZYDIS_BRANCH_TYPE_NEAR;
}
