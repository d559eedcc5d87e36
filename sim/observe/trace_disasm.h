/*
 * Instructions as text: Intel syntax, short, by Zydis. For people only: nothing that is simulated depends on
 * it.
 */
#ifndef LK_SIM_OBSERVE_TRACE_DISASM_H
#define LK_SIM_OBSERVE_TRACE_DISASM_H

#include "cpu/observe.h"

#include <stdbool.h>
#include <stddef.h>

enum { TRACE_DISASM_CHARS = 96 };

struct trace_disasm;

/* NULL when memory is short. */
struct trace_disasm *trace_disasm_create(void);
void trace_disasm_destroy(struct trace_disasm *disasm);

/* Returns its length in bytes. "(bad)", and 0, for what is no instruction. */
unsigned trace_disasm(const struct trace_disasm *disasm, const struct cpu_seen_insn *insn,
                      char text[TRACE_DISASM_CHARS]);

/* Whether its bytes are exactly a near call: by offset, or through a register or memory. */
bool trace_disasm_is_call(const struct trace_disasm *disasm, const struct cpu_seen_insn *insn);

#endif
