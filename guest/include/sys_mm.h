/* The system calls about address spaces (mm/sys_mm.c). Arguments are in ebx, ecx, edx, esi, edi, ebp. */
#pragma once

struct pt_regs;

long sys_brk(const struct pt_regs *regs);
long sys_mmap2(const struct pt_regs *regs);
long sys_munmap(const struct pt_regs *regs);
long sys_mprotect(const struct pt_regs *regs);
long sys_mremap(const struct pt_regs *regs);
long sys_mincore(const struct pt_regs *regs);
long sys_mmap(const struct pt_regs *regs);
long sys_msync(const struct pt_regs *regs);
long sys_madvise(const struct pt_regs *regs);
long sys_mlock(const struct pt_regs *regs);
long sys_munlock(const struct pt_regs *regs);
long sys_mlockall(const struct pt_regs *regs);
long sys_munlockall(const struct pt_regs *regs);
long sys_swapon(const struct pt_regs *regs);
long sys_swapoff(const struct pt_regs *regs);
