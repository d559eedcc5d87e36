/*
 * What the opcode rows (opcodes_*.def, operands.def) become: constant arrays that decode.c walks. Included by
 * the decoder's own files and its tests only.
 *
 * A row is found by (map, prefix, opcode). A prefixed row (66, F3, F2) is looked at when the unprefixed one
 * is missing or says so in its flags; otherwise these prefixes keep their plain meaning. A SELECT row leads
 * on to a group of eight rows.
 */
#ifndef LK_CPU_DECODE_INTERNAL_H
#define LK_CPU_DECODE_INTERNAL_H

#include <stdint.h>

#include "cpu/decode.h"

/* F2 and F3 take precedence over 66 as mandatory prefixes (SDM 2A 2.1.2). */
enum dec_prefix { DEC_PREFIX___, DEC_PREFIX_66, DEC_PREFIX_F3, DEC_PREFIX_F2, DEC_NR_PREFIXES };

#define DEC_NR_MAPS 4
#define DEC_ROW_OPERANDS 3

/* The flags column; the first four are handed on as DEC_FLAG_*. */
enum dec_row_flags {
    ROW_PRIV = DEC_FLAG_PRIVILEGED,
    ROW_STR = DEC_FLAG_STRING,
    ROW_BR = DEC_FLAG_BRANCH,
    ROW_LOCK = DEC_FLAG_LOCKABLE,
    ROW_I64 = 0x0010, /* undefined in 64-bit code */
    ROW_O64 = 0x0020, /* undefined outside it */
    ROW_D64 = 0x0040, /* operand size is 64 by default in 64-bit code, 16 with 66 */
    ROW_F64 = 0x0080, /* operand size is always 64 in 64-bit code */
    ROW_S66 =
        0x0100, /* with 66, F3 or F2 the opcode is another instruction: the prefixed row, or undefined */
    ROW_SF3 = 0x0200,
    ROW_SF2 = 0x0400,
    ROW_NP = ROW_S66 | ROW_SF3 | ROW_SF2,
    ROW_MOD3 = 0x0800,  /* ModRM.mod is taken as 3, whatever it is */
    ROW_MODRM = 0x1000, /* has a ModRM byte; follows from the operands, not written in the rows */
};

/* What indexes the group that a SELECT row names. */
enum dec_select {
    DEC_SELECT_NONE,
    DEC_SELECT_MODE64, /* 0, or 1 in 64-bit code */
    DEC_SELECT_OPSIZE, /* operand size 2, 4, 8 */
    DEC_SELECT_REXB,
    DEC_SELECT_MODRM, /* the kinds below read ModRM */
    DEC_SELECT_REG = DEC_SELECT_MODRM,
    DEC_SELECT_RM,
    DEC_SELECT_MOD,    /* 0 memory, 1 register */
    DEC_SELECT_MODREG, /* by ModRM.reg, in the named group for memory and the one after it for registers */
};

enum dec_group {
#define GROUP(group) DEC_GROUP_##group,
#define ROW(...)
#define SELECT(...)
#include "cpu/opcodes_groups.def"
#include "cpu/opcodes_x87.def"
#undef GROUP
#undef ROW
#undef SELECT
    DEC_NR_GROUPS,
};

/* Operand letters: none, those that need ModRM, DEC_OPR_END_MODRM, the others. */
enum dec_opr {
    DEC_OPR___,
#define MODRM_OPERAND(letters, place, size, detail) DEC_OPR_##letters,
#define OPERAND(letters, place, size, detail)
#include "cpu/operands.def"
#undef MODRM_OPERAND
#undef OPERAND
    DEC_OPR_END_MODRM,
#define MODRM_OPERAND(letters, place, size, detail)
#define OPERAND(letters, place, size, detail) DEC_OPR_##letters,
#include "cpu/operands.def"
#undef MODRM_OPERAND
#undef OPERAND
    DEC_NR_OPRS,
};

/*
 * Where an operand is: in ModRM.rm (register or memory), in ModRM.reg, only memory, or told by the opcode
 * alone.
 */
enum dec_place {
    DEC_PLACE_RM_GPR,
    DEC_PLACE_RM_MMX,
    DEC_PLACE_RM_XMM,
    DEC_PLACE_RM_X87,
    DEC_PLACE_MEM,
    DEC_PLACE_REG_GPR,
    DEC_PLACE_REG_MMX,
    DEC_PLACE_REG_XMM,
    DEC_PLACE_REG_SREG,
    DEC_PLACE_REG_CREG,
    DEC_PLACE_REG_DREG,
    DEC_PLACE_OPCODE_GPR,
    DEC_PLACE_GPR,
    DEC_PLACE_SREG,
    DEC_PLACE_X87,
    DEC_PLACE_IMM,
    DEC_PLACE_IMM2,
    DEC_PLACE_ONE,
    DEC_PLACE_REL,
    DEC_PLACE_FAR,
    DEC_PLACE_MOFFS,
    DEC_PLACE_SRC,
    DEC_PLACE_DST,
    DEC_PLACE_BASE, /* [base], a register that the opcode implies */
};

/*
 * Sizes that depend on prefixes and mode share a byte with plain sizes; the letters are explained in
 * operands.def.
 */
enum dec_size {
    DEC_SIZE_V = 0x80,
    DEC_SIZE_Z,
    DEC_SIZE_Y,
    DEC_SIZE_M,
    DEC_SIZE_P,
    DEC_SIZE_A,
    DEC_SIZE_S,
    DEC_SIZE_E,
    DEC_SIZE_F,
    DEC_NOT_MEM, /* the memory form is undefined */
};

struct dec_row {
    uint16_t op; /* enum dec_op */
    uint16_t flags;
    uint8_t operand[DEC_ROW_OPERANDS]; /* enum dec_opr */
    uint8_t select;                    /* enum dec_select */
    uint8_t group;                     /* enum dec_group, of a SELECT row */
};

struct dec_operand_rule {
    uint8_t place;  /* enum dec_place */
    uint8_t size;   /* bytes or enum dec_size */
    uint8_t detail; /* size in memory, encoded size of an immediate, or a fixed register */
};

/* One decoding under way; *out is being filled in. The first failure sticks; reads after it give zero. */
struct decoder {
    const uint8_t *bytes;
    uint8_t pos;
    uint8_t nr_readable;
    enum dec_mode mode;
    enum dec_result failure;
    enum dec_result at_end; /* what running out of bytes means */
    bool opsize_prefix;
    bool addrsize_prefix;
    struct dec_insn *out;
};

#define REX_W 0x08
#define REX_R 0x04
#define REX_X 0x02
#define REX_B 0x01

/* Missing rows are all zero: op DEC_INVALID, select DEC_SELECT_NONE. */
extern const struct dec_row dec_map_rows[DEC_NR_MAPS][DEC_NR_PREFIXES][256];
extern const struct dec_row dec_group_rows[DEC_NR_GROUPS][8];
extern const struct dec_operand_rule dec_operand_rules[DEC_NR_OPRS];

/* The next bytes, little-endian and zero-extended; 0 and a failure when they are not there. */
uint64_t dec_take(struct decoder *d, unsigned nr_bytes);
void dec_fail(struct decoder *d, enum dec_result why);

/* Takes the ModRM byte unless a group has already done so. */
void dec_take_modrm(struct decoder *d);

static inline unsigned dec_modrm_reg(const struct dec_insn *insn)
{
    return insn->modrm >> 3 & 7;
}

/* Takes what the row's operands need (ModRM, SIB, displacement, immediates) and fills in out->operand. */
void dec_take_operands(struct decoder *d, const struct dec_row *row);

/* ROW8 in the .def files: eight opcodes in a row that differ only in a register or condition. */
#define ROW8(prefix, first, ...)                                                                             \
    ROW(prefix, (first), __VA_ARGS__)                                                                        \
    ROW(prefix, (first) + 1, __VA_ARGS__)                                                                    \
    ROW(prefix, (first) + 2, __VA_ARGS__)                                                                    \
    ROW(prefix, (first) + 3, __VA_ARGS__)                                                                    \
    ROW(prefix, (first) + 4, __VA_ARGS__)                                                                    \
    ROW(prefix, (first) + 5, __VA_ARGS__)                                                                    \
    ROW(prefix, (first) + 6, __VA_ARGS__)                                                                    \
    ROW(prefix, (first) + 7, __VA_ARGS__)

#endif
