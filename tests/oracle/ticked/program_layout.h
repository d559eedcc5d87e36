/* Where the parts of a random program lie. */
#ifndef LK_TESTS_TICKED_PROGRAM_LAYOUT_H
#define LK_TESTS_TICKED_PROGRAM_LAYOUT_H

#include "tests/oracle/ticked/program.h"

enum {
    DIRECTORY = 0x1000,
    TABLE = 0x2000,   /* of the first 4 MiB: as they are, and some pages */
    ALIASES = 0x3000, /* of 4 MiB more, where each page is one of the data's */
    GDT = 0x4000,
    IDT = 0x5000,
    TSS = 0x6000,
    RESUME = 0x7000, /* where a handler goes on */
    HANDLERS = 0x8000,
    CODE = 0x10000,
    CODE_END = 0x1f000,
    DATA = 0x20000,
    DATA_END = 0x60000,
    STACK_LOW = 0x60000,
    STACK0 = 0x70000,
    STACK3 = 0x78000,
    ALIAS_BASE = 0x400000,
    NR_ALIASES = 128,
    GONE = 0x480000,      /* not mapped */
    READ_ONLY = 0x481000, /* mapped, not to be written by the user */
    UNCACHED = 0x482000,
    DEVICE = 0x483000,
    HIGH_DATA = 0x484000,
    CODE0 = 0x08,
    DATA0 = 0x10,
    CODE3 = 0x1b,
    DATA3 = 0x23,
    TASK = 0x28,
    NR_VECTORS = 64,
    INTERRUPT = 0x20,
    END = 0x30, /* ends the program from ring 3 */
    CALL = 0x31,
    PORT = 0x55,
    IO_MAP = 0x68, /* in the TSS */
    IO_MAP_BYTES = 65,
    NR_PORTS_ALLOWED = 256,
};

/* A program in the making. */
struct program {
    struct dice *dice;
    uint8_t *code;
    unsigned at;
    bool is_user;
    unsigned depth;     /* of loops */
    unsigned nr_pushed; /* dwords on the stack in this chunk */
    unsigned functions[8], nr_functions;
    bool is_function;
    bool knows_resume;
};

#define BELOW(n) dice_below(p->dice, (n))
#define ONE_IN(n) dice_one_in(p->dice, (n))

/* program_insn.c: one byte, four, and an instruction (or the few that belong together) that is no branch. */
void emit(struct program *p, unsigned byte);
void emit32(struct program *p, uint32_t value);
void program_plain(struct program *p);
/* rBP becomes a small number that depends on what came before. */
void program_make_base(struct program *p);

struct program_code {
    uint8_t bytes[CODE_END - CODE];
    unsigned nr_bytes, start; /* where it begins to run */
};

/* program_code.c: functions, and the chunks that call them. */
void program_write(struct dice *dice, bool is_user, struct program_code *code);

#endif
