/* System calls about processes (kernel/sys_task.c). Arguments are in ebx, ecx, edx, esi, edi, ebp. */
#pragma once

struct pt_regs;
long sys_exit(const struct pt_regs *regs);
long sys_fork(const struct pt_regs *regs);
long sys_execve(const struct pt_regs *regs);
long sys_waitpid(const struct pt_regs *regs);
long sys_wait4(const struct pt_regs *regs);
long sys_kill(const struct pt_regs *regs);
long sys_getpid(const struct pt_regs *regs);
long sys_getppid(const struct pt_regs *regs);
long sys_getrusage(const struct pt_regs *regs);
long sys_sched_yield(const struct pt_regs *regs);
