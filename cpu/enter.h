/*
 * From ordinary code into the executors. Where the build has them save no register for their caller
 * (cpu/CMakeLists.txt), that is done here, once for all that run until one returns.
 */
#ifndef LK_CPU_ENTER_H
#define LK_CPU_ENTER_H

#include "cpu/cpu_internal.h"

#ifdef LK_EXECUTORS_SAVE_NOTHING
/* What must survive a call by the System V ABI for x86-64, 3.2.1, but for RBP, which executors do save. */
const struct insn *cpu_enter(struct cpu *cpu, const struct insn *insn, stamp_t t, exec_fn *run);
__asm__(".pushsection .text\n"
        ".type cpu_enter, @function\n"
        "cpu_enter:\n"
        ".cfi_startproc\n"
        "pushq %rbx\n"
        ".cfi_adjust_cfa_offset 8\n"
        "pushq %r12\n"
        ".cfi_adjust_cfa_offset 8\n"
        "pushq %r13\n"
        ".cfi_adjust_cfa_offset 8\n"
        "pushq %r14\n"
        ".cfi_adjust_cfa_offset 8\n"
        "pushq %r15\n"
        ".cfi_adjust_cfa_offset 8\n"
        "call *%rcx\n"
        "popq %r15\n"
        ".cfi_adjust_cfa_offset -8\n"
        "popq %r14\n"
        ".cfi_adjust_cfa_offset -8\n"
        "popq %r13\n"
        ".cfi_adjust_cfa_offset -8\n"
        "popq %r12\n"
        ".cfi_adjust_cfa_offset -8\n"
        "popq %rbx\n"
        ".cfi_adjust_cfa_offset -8\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size cpu_enter, .-cpu_enter\n"
        ".popsection\n");
#else
static inline const struct insn *cpu_enter(struct cpu *cpu, const struct insn *insn, stamp_t t, exec_fn *run)
{
    return run(cpu, insn, t);
}
#endif

#endif
