/* What a difference looks like, and what the runner remembers for that. */
#ifndef LK_TESTS_LOCKSTEP_REPORT_H
#define LK_TESTS_LOCKSTEP_REPORT_H

#include "lockstep.h"

#include <Zydis/Zydis.h>

/* An instruction as it lies before the machines. */
struct look {
    uint64_t linear, rip;
    uint16_t cs;
    unsigned bits;
    size_t nr_bytes;
    uint8_t bytes[15];
    bool is_decoded;
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

enum { HISTORY = 8 };

struct past {
    struct look look[HISTORY];
    uint64_t nr;
};

void look_at(const struct ours *ours, struct look *look);
void past_add(struct past *past, const struct look *look);

/* Flags that the instruction leaves undefined. */
uint64_t undefined_flags(const struct look *look, const struct state *before);

/* Whether a field differs where it is to be compared. */
bool field_differs(enum state_field field, const struct state *ours, const struct state *qemu,
                   uint64_t undefined);
bool states_differ(const struct state *ours, const struct state *qemu, uint64_t undefined);

void report_difference(const struct past *past, const struct state *before, const struct state *ours,
                       const struct state *qemu, uint64_t undefined);

#endif
