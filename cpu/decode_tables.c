/* The rows of the .def files as constant arrays. A row given twice is a compile error (-Woverride-init). */
#include "cpu/decode_internal.h"

/* The flags column's names without their prefix. */
enum {
    PRIV = ROW_PRIV,
    STR = ROW_STR,
    BR = ROW_BR,
    LOCK = ROW_LOCK,
    I64 = ROW_I64,
    O64 = ROW_O64,
    D64 = ROW_D64,
    F64 = ROW_F64,
    SF3 = ROW_SF3,
    SF2 = ROW_SF2,
    NP = ROW_NP,
    MOD3 = ROW_MOD3,
};

#define HAS_MODRM(a) (DEC_OPR_##a > DEC_OPR___ && DEC_OPR_##a < DEC_OPR_END_MODRM)
#define OPERANDS(a, b, c) .operand = {DEC_OPR_##a, DEC_OPR_##b, DEC_OPR_##c}
#define FLAGS(a, b, c, bits) .flags = (bits) | (HAS_MODRM(a) || HAS_MODRM(b) || HAS_MODRM(c) ? ROW_MODRM : 0)

#define ROW(prefix, opcode, id, a, b, c, bits)                                                               \
    [MAP][DEC_PREFIX_##prefix][opcode] = {.op = DEC_##id, OPERANDS(a, b, c), FLAGS(a, b, c, bits)},
#define SELECT(prefix, opcode, kind, g, a, b, c, bits)                                                       \
    [MAP][DEC_PREFIX_##prefix][opcode] = {                                                                   \
        .select = DEC_SELECT_##kind, .group = DEC_GROUP_##g, OPERANDS(a, b, c), FLAGS(a, b, c, bits)},

const struct dec_row dec_map_rows[DEC_NR_MAPS][DEC_NR_PREFIXES][256] = {
#define MAP DEC_MAP_1BYTE
#include "cpu/opcodes_1byte.def"
#undef MAP
#define MAP DEC_MAP_0F
#include "cpu/opcodes_0f.def"
#include "cpu/opcodes_0f_simd.def"
#undef MAP
#define MAP DEC_MAP_0F38
#include "cpu/opcodes_0f38.def"
#undef MAP
#define MAP DEC_MAP_0F3A
#include "cpu/opcodes_0f3a.def"
#undef MAP
};

#undef ROW
#undef SELECT
#define GROUP(g)
#define ROW(g, index, id, a, b, c, bits)                                                                     \
    [DEC_GROUP_##g][index] = {.op = DEC_##id, OPERANDS(a, b, c), FLAGS(a, b, c, bits)},
#define SELECT(g, index, kind, next, a, b, c, bits)                                                          \
    [DEC_GROUP_##g][index] = {                                                                               \
        .select = DEC_SELECT_##kind, .group = DEC_GROUP_##next, OPERANDS(a, b, c), FLAGS(a, b, c, bits)},

const struct dec_row dec_group_rows[DEC_NR_GROUPS][8] = {
#include "cpu/opcodes_groups.def"
#include "cpu/opcodes_x87.def"
};

/* Bare size names for operands.def; plain numbers stand for themselves. */
enum {
    SIZE_V = DEC_SIZE_V,
    SIZE_Z = DEC_SIZE_Z,
    SIZE_Y = DEC_SIZE_Y,
    SIZE_M = DEC_SIZE_M,
    SIZE_P = DEC_SIZE_P,
    SIZE_A = DEC_SIZE_A,
    SIZE_S = DEC_SIZE_S,
    SIZE_E = DEC_SIZE_E,
    SIZE_F = DEC_SIZE_F,
    NOT_MEM = DEC_NOT_MEM,
};

const struct dec_operand_rule dec_operand_rules[DEC_NR_OPRS] = {
#define OPERAND(letters, place, size, detail) [DEC_OPR_##letters] = {DEC_PLACE_##place, size, detail},
#define MODRM_OPERAND OPERAND
#include "cpu/operands.def"
#undef MODRM_OPERAND
#undef OPERAND
};

static const char *const mnemonics[DEC_NR_OPS] = {
    [DEC_INVALID] = "(bad)",
#define OP(id, mnemonic) [DEC_##id] = mnemonic,
#include "cpu/mnemonics.def"
#undef OP
};

const char *dec_mnemonic(enum dec_op op)
{
    return (unsigned)op < DEC_NR_OPS ? mnemonics[op] : mnemonics[DEC_INVALID];
}
