/* The calls that are under way in a guest, of whatever kind it is. */
#ifndef LK_SIM_OBSERVE_BACKTRACE_H
#define LK_SIM_OBSERVE_BACKTRACE_H

#include "cpu/cpu.h"
#include "sim/load/elf_symbols.h"

#include <stdio.h>

/*
 * Prints where the core is and who has called, the innermost first: as the frame pointers tell (EBP or RBP,
 * System V ABI), as long as each return address stands behind a call. Where they lead nowhere, or end before
 * the chain's end, words of the stack follow that stand behind a call too, with a question mark: a call that
 * is over may have left one. With `symbols`, which may be NULL, those have to lie in functions. Changes
 * nothing.
 */
void backtrace_print(const struct cpu *cpu, const struct elf_symbols *symbols, FILE *to);

#endif
