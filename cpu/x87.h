/*
 * What x87 instructions do to a core's state, apart from time and memory: executors (exec_x87.c) check
 * cpu_x87_fault, read or write memory, and call these. An instruction cannot fault here; an exception of its
 * own is masked, or pending in the status word for the next one that waits.
 */
#ifndef LK_CPU_X87_H
#define LK_CPU_X87_H

#include "cpu/fpu.h"

enum x87_operands {
    X87_OPERANDS_NONE,
    X87_OPERANDS_GIVEN,
    X87_OPERANDS_ST0,
    X87_OPERANDS_ST0_ST1,
    X87_OPERANDS_ST1_ST0,
    X87_OPERANDS_PUSH,
};

enum x87_flag {
    X87_FLAG_STATUS = 1,      /* condition codes are a result */
    X87_FLAG_SETS_FLAGS = 2,  /* EFLAGS are */
    X87_FLAG_READS_FLAGS = 4, /* EFLAGS are an operand */
    X87_FLAG_PUSHES = 8,      /* a second result is pushed */
    X87_FLAG_SWAPS = 16,      /* registers trade names, nothing moves */
    X87_FLAG_INTEGER = 32,
    X87_FLAG_COMPARES = 64, /* no register is a result */
};

enum x87_constant {
    X87_CONST_1,
    X87_CONST_L2T,
    X87_CONST_L2E,
    X87_CONST_PI,
    X87_CONST_LG2,
    X87_CONST_LN2,
    X87_CONST_0,
};

enum x87_of_two { X87_OF_TWO_ARCTANGENT, X87_OF_TWO_LOGARITHM, X87_OF_TWO_LOGARITHM_PLUS_1 };

enum x87_store_kind { X87_STORE_NONE, X87_STORE_FLOAT, X87_STORE_INTEGER, X87_STORE_CUT, X87_STORE_BCD };

/*
 * A row of x87_ops.def. In a record, dst and src are the numbers of stack registers, or REG_ZERO. A memory
 * operand stands in cpu->wide.
 */
struct x87_row {
    void (*run)(struct cpu *cpu, const struct insn *insn, const struct x87_row *row);
    uint8_t detail, operands, pops, flags;
};
extern const struct x87_row x87_rows[DEC_NR_OPS];

struct x87_store_row {
    uint8_t kind; /* enum x87_store_kind */
    uint8_t pops;
};
extern const struct x87_store_row x87_stores[DEC_NR_OPS];

/* Which physical register ST(i) is. */
static inline unsigned x87_place(const struct fpu *fpu, unsigned i)
{
    return (((unsigned)fpu->status >> X87_TOP_SHIFT) + i) & 7;
}

static inline bool x87_is_empty(const struct fpu *fpu, unsigned i)
{
    return !(fpu->in_use >> x87_place(fpu, i) & 1);
}

/* ST0 as the instruction stores it, into cpu->wide. False: an unmasked exception forbids the store. */
bool cpu_x87_prepare_store(struct cpu *cpu, const struct insn *insn, const struct x87_store_row *row);
/* The store was made, or was not to be made: exceptions, and pops. */
void cpu_x87_finish_store(struct cpu *cpu, const struct x87_store_row *row);

#endif
