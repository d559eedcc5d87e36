/* The system calls about signals (kernel/sys_signal.c, arch/x86/kernel/signal.c). */
#pragma once

#include "signal.h"

long sys_kill(const struct pt_regs *regs);
long sys_tkill(const struct pt_regs *regs);
long sys_tgkill(const struct pt_regs *regs);
long sys_signal(const struct pt_regs *regs);
long sys_sigaction(const struct pt_regs *regs);
long sys_rt_sigaction(const struct pt_regs *regs);
long sys_sigprocmask(const struct pt_regs *regs);
long sys_rt_sigprocmask(const struct pt_regs *regs);
long sys_sigpending(const struct pt_regs *regs);
long sys_rt_sigpending(const struct pt_regs *regs);
long sys_sigsuspend(const struct pt_regs *regs);
long sys_rt_sigsuspend(const struct pt_regs *regs);
long sys_rt_sigqueueinfo(const struct pt_regs *regs);
long sys_rt_tgsigqueueinfo(const struct pt_regs *regs);
long sys_rt_sigtimedwait(const struct pt_regs *regs);
long sys_rt_sigtimedwait_time64(const struct pt_regs *regs);
long sys_sigaltstack(const struct pt_regs *regs);
long sys_pause(const struct pt_regs *regs);
long sys_restart_syscall(const struct pt_regs *regs);
long sys_sigreturn(const struct pt_regs *regs);
long sys_rt_sigreturn(const struct pt_regs *regs);

/* Whether sp is on the alternate stack, and whether there is one: ss_flags. */
u32 sas_flags(u32 sp);
/* 0, -EPERM (it is in use), -EINVAL, -ENOMEM (too small). */
int set_sigaltstack(const struct sigaltstack *stack, u32 sp);
