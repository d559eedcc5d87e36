/*
 * What the ticked model knows of an instruction from its bytes: which registers it waits for and writes, how
 * long it takes, and in which steps it passes the issue stage (docs/timing.md). Registers, flags and memory
 * operands come from Zydis, latencies from the table of the page.
 */
#ifndef LK_TESTS_TICKED_INSN_H
#define LK_TESTS_TICKED_INSN_H

#include "tests/oracle/ticked/stream.h"

/* Places in the scoreboard. */
enum {
    PLACE_GPR = 0,
    PLACE_SP = PLACE_GPR + 4,
    PLACE_FLAGS = 16,
    PLACE_XMM,
    PLACE_X87 = PLACE_XMM + 16, /* and MMX: by physical register */
    PLACE_X87_STATUS = PLACE_X87 + 8,
    NR_PLACES,
};

/* The order of an instruction's steps. */
enum shape {
    SHAPE_PLAIN, /* at most a load, a store, or a load and its store */
    SHAPE_PUSH_MEMORY,
    SHAPE_POP_MEMORY,
    SHAPE_CALL_MEMORY,
    SHAPE_CALL_REGISTER,
    SHAPE_WAITS_FOR_DATA, /* issues when the load's data are there */
    SHAPE_STRING,
    SHAPE_SEQUENCE, /* accesses of the processor itself, one after the other, and then it issues */
    SHAPE_SEGMENT,  /* a load, and then a sequence */
    SHAPE_SERIAL,
    SHAPE_FAR,
    SHAPE_PORT,
    SHAPE_PORT_STRING,
    SHAPE_STATE, /* images of the x87 and SSE state */
    SHAPE_MASKED,
    SHAPE_FENCE,
    SHAPE_FLUSH_LINE,
    SHAPE_EXCHANGE16,
    SHAPE_SERIALISED, /* waits for all before it, and takes no time for that */
};

enum branch {
    BRANCH_NONE,
    BRANCH_CONDITIONAL,
    BRANCH_DIRECT,
    BRANCH_INDIRECT,
    BRANCH_CALL_DIRECT,
    BRANCH_CALL_INDIRECT,
    BRANCH_RETURN,
};

struct recipe {
    enum shape shape;
    enum branch branch;
    uint64_t reads;    /* a bit a place: waited for first */
    uint64_t address;  /* of those, the registers of the memory operand; SHAPE_CALL_REGISTER: the target */
    uint64_t writes;   /* there when the result is */
    uint64_t steps_on; /* there one cycle after issue, whenever data come: rSP of pushes and pops */
    unsigned latency_cycles;
    bool is_iterative;  /* takes the unit that divides */
    bool is_load_only;  /* the result is the load's data, with nothing computed */
    bool redirects;     /* the front end waits for it, and starts again */
    bool is_repeated;   /* has a REP that counts */
    bool waits_for_all; /* before it issues */
    bool is_halt;
    bool swaps; /* FXCH: two places change names */
    uint64_t exchanged;
    unsigned serial_cycles;
    unsigned nr_operand_loads; /* of a sequence: so many loads before it are the instruction's own */
    bool is_privileged;        /* refused before it waits for anything */
    bool is_interrupt;         /* INT n and the like */
    bool is_push_of_x87;       /* a load to a new ST0: its latency counts from issue to data, too */
    bool moves_string, compares_string, loads_string;
    bool fences_loads, fences_stores;
};

struct insn_tables;
struct insn_tables *insn_tables_create(void);
void insn_tables_destroy(struct insn_tables *tables);

/* False: these bytes are no instruction, or not whole. */
bool insn_read(const struct insn_tables *tables, const struct item *item, unsigned x87_top,
               struct recipe *recipe);
void insn_text(const struct item *item, char *into, size_t nr_bytes);

#endif
