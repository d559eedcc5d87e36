/*
 * A decoded instruction as the executors want it: the handler to jump to, and its operands. Records of
 * straight-line code lie one behind the other, so that the next instruction is record + 1. Records that stand
 * for no instruction lie between them: one where a fetch block begins, one where the run of records ends.
 */
#ifndef LK_CPU_INSN_H
#define LK_CPU_INSN_H

#include "sim/base/stamp.h"

struct cpu;
struct insn;

/*
 * Executes `insn`, whose issue slot is `t` at the earliest. Builds with tail calls go on to the next record
 * themselves and return NULL when the core must stop; others return the next record (its slot in cpu->clock),
 * or NULL.
 */
typedef const struct insn *exec_fn(struct cpu *cpu, const struct insn *insn, stamp_t t);

/* insn.flags */
enum insn_flag {
    INSN_MEMORY = 1,        /* the operand that may be memory is memory */
    INSN_SLOW_ADDRESS = 2,  /* the effective address needs more than base + index + disp in a flat segment */
    INSN_SRC_HIGH = 4,      /* src is AH, CH, DH or BH */
    INSN_READS_DST = 8,     /* MMX and SSE: the result depends on what the destination was */
    INSN_ALIGNED = 16,      /* memory operand of 16 bytes that must be aligned */
    INSN_SEGMENT_BASE = 32, /* base or index is the base of FS or GS */
    INSN_WIDE_ADDRESS = 64, /* the offset is 64 bits of `imm` */
    INSN_ITERATES = 128,    /* takes the iterative unit until its result is there */
};

struct insn {
    exec_fn *run;
    const struct insn *target; /* a branch: the record of its destination in this page, once it is known */
    uint64_t imm;              /* immediate, sign-extended; a branch: its distance; a fetch block: its line */
    int32_t disp;
    uint16_t offset; /* of the first byte in its page */
    uint8_t length_bytes;
    uint8_t position;           /* instructions since the last fetch block record, this one not counted */
    uint8_t dst, src;           /* registers */
    uint8_t base, index, scale; /* absent ones name REG_ZERO */
    uint8_t seg;                /* enum dec_seg */
    uint8_t dst_byte, src_byte; /* where an 8-bit register lies in the register file */
    uint8_t flags;
    uint8_t size_bytes;    /* of the operation */
    uint8_t address_bytes; /* 2, 4 or 8 */
    uint8_t cond;
    uint8_t latency_cycles; /* from issue to result */
    uint8_t rep;
    uint16_t op; /* enum dec_op; DEC_INVALID for records that stand for no instruction */
};

#endif
