/*
 * The instruction decoder: bytes in, one `struct dec_insn` out. It knows 16-, 32- and 64-bit code, and
 * nothing about the state of a CPU: what depends on CPL, CR0, CPUID or the segment limits is the executor's
 * business.
 *
 * It allocates nothing and keeps no state; the same bytes in the same mode always give the same record.
 */
#ifndef LK_CPU_DECODE_H
#define LK_CPU_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The code segment's kind: CS.D = 0, CS.D = 1, or CS.L = 1 with EFER.LMA (SDM 3A 3.4.5, 5.2.1). */
enum dec_mode { DEC_16, DEC_32, DEC_64 };

enum dec_result {
    DEC_OK,
    DEC_UNDEFINED, /* #UD */
    DEC_TOO_LONG,  /* more than 15 bytes: #GP(0) (SDM 2A 2.3.11) */
    DEC_NEED_MORE, /* the bytes given end inside the instruction: fetch the next page, or fault there */
};

/*
 * One id for an instruction of the manual. DEC_INVALID is what an undefined opcode decodes to. TZCNT and
 * LZCNT are what F3 makes of BSF and BSR: where CPUID does not have them, they execute as those.
 */
enum dec_op {
    DEC_INVALID,
#define OP(id, mnemonic) DEC_##id,
#include "cpu/mnemonics.def"
#undef OP
    DEC_NR_OPS,
};

/* Segment registers in the order of their encoding in ModRM.reg. */
enum dec_seg { DEC_SEG_ES, DEC_SEG_CS, DEC_SEG_SS, DEC_SEG_DS, DEC_SEG_FS, DEC_SEG_GS, DEC_NR_SEGS };

enum dec_rep { DEC_REP_NONE, DEC_REP_F2, DEC_REP_F3 };

enum dec_map { DEC_MAP_1BYTE, DEC_MAP_0F, DEC_MAP_0F38, DEC_MAP_0F3A };

enum dec_operand_kind {
    DEC_OPERAND_NONE,
    DEC_OPERAND_GPR,  /* reg 0-15; 8 bits wide with high_byte: reg 0-3 means AH, CH, DH, BH */
    DEC_OPERAND_MEM,  /* seg:[base + index << scale + disp]; moffs is one without base and index */
    DEC_OPERAND_SRC,  /* a string's source, seg:[rSI] */
    DEC_OPERAND_DST,  /* a string's destination, ES:[rDI]; cannot be overridden */
    DEC_OPERAND_IMM,  /* imm, extended to size_bytes as the instruction wants it and cut there */
    DEC_OPERAND_IMM2, /* imm2: ENTER's nesting level */
    DEC_OPERAND_REL,  /* imm, sign-extended to 64 bits: a branch distance from the next instruction */
    DEC_OPERAND_FAR,  /* imm2:imm, a selector and an offset of operand_size */
    DEC_OPERAND_SREG, /* reg is an enum dec_seg */
    DEC_OPERAND_CREG,
    DEC_OPERAND_DREG,
    DEC_OPERAND_X87, /* reg 0-7: ST(reg) */
    DEC_OPERAND_MMX, /* reg 0-7 */
    DEC_OPERAND_XMM, /* reg 0-15 */
};

#define DEC_NO_REG 0xFF  /* base or index that is absent */
#define DEC_REG_RIP 0x10 /* base of a RIP-relative operand: the address of the next instruction */

/*
 * size_bytes is what the instruction reads or writes there; 0 where that is no plain value (LEA, INVLPG,
 * FXSAVE).
 */
struct dec_operand {
    uint8_t kind; /* enum dec_operand_kind */
    uint8_t reg;
    uint8_t size_bytes;
    bool high_byte;
};

/* dec_insn.flags, from the instruction's row. */
#define DEC_FLAG_PRIVILEGED 0x01 /* #GP(0) unless CPL is 0 */
#define DEC_FLAG_STRING 0x02     /* rep repeats it; on other instructions rep means nothing to the executor */
#define DEC_FLAG_BRANCH 0x04     /* rIP may go elsewhere than behind it: a run of straight code ends here */
#define DEC_FLAG_LOCKABLE 0x08   /* takes a LOCK prefix when its destination is memory */

#define DEC_MAX_OPERANDS 4
#define DEC_MAX_LENGTH 15

struct dec_insn {
    uint64_t imm;
    int64_t disp; /* sign-extended (moffs: zero-extended); the effective address wraps at address_size */
    uint16_t op;  /* enum dec_op */
    uint16_t imm2;
    uint8_t length;
    uint8_t operand_size; /* 2, 4 or 8, the attribute; byte and fixed-size forms differ in operand[] */
    uint8_t address_size; /* 2, 4 or 8 */
    uint8_t cond;         /* of JCC, SETCC and CMOVCC: the manual's tttn, 0 = O ... 15 = NLE */
    uint8_t base;
    uint8_t index;
    uint8_t scale; /* log2 */
    uint8_t seg;   /* enum dec_seg of the memory or SRC operand, defaults and override applied */
    bool seg_override;
    uint8_t rep; /* enum dec_rep: the last F2 or F3, also where it chose the instruction */
    bool lock;
    uint8_t rex; /* the whole REX byte, 0 when there is none in force */
    uint8_t map; /* enum dec_map */
    uint8_t opcode;
    bool has_modrm;
    uint8_t modrm;
    uint8_t flags; /* DEC_FLAG_* */
    uint8_t nr_operands;
    struct dec_operand operand[DEC_MAX_OPERANDS]; /* in the manual's order; implied ones left out */
};

/*
 * Decodes the instruction at bytes[0]. nr_bytes may be more than the instruction needs; bytes past
 * DEC_MAX_LENGTH are not looked at. *out is filled in on DEC_OK; on any other result its length (bytes looked
 * at), map and opcode are what was known when decoding stopped and op is DEC_INVALID. LOCK where it is not
 * allowed is DEC_UNDEFINED. Sources: SDM 2A 2.1-2.2 (formats, prefixes), SDM 2D A (opcode maps), APM3 A;
 * deviations at the head of each .def.
 */
enum dec_result dec_decode(const uint8_t *bytes, size_t nr_bytes, enum dec_mode mode, struct dec_insn *out);

/* Lower-case mnemonic without condition or operand size: "jcc", "movs"; "(bad)" for DEC_INVALID. */
const char *dec_mnemonic(enum dec_op op);

#endif
