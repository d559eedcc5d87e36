/* Handlers that entry.S and traps.c call. */
#pragma once

#include "asm/ptrace.h"

void do_trap(struct pt_regs *regs, u32 vector, u32 error_code);
void do_page_fault(struct pt_regs *regs, u32 error_code);
void do_IRQ(struct pt_regs *regs);
void do_int80_syscall_32(struct pt_regs *regs);
void exit_to_user_mode(void);
