/* Handlers that entry.S and traps.c call. */
#pragma once

#include "asm/ptrace.h"

void do_trap(struct pt_regs *regs, u32 vector, u32 error_code);
void do_page_fault(struct pt_regs *regs, u32 error_code);
void do_IRQ(struct pt_regs *regs);
void do_int80_syscall_32(struct pt_regs *regs);
/* What is left to do for the task before it goes on: others' turns, signals. Returns with interrupts off. */
void exit_to_user_mode(struct pt_regs *regs);
