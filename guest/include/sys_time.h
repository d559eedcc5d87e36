/* The system calls about time (kernel/time/sys_*.c), and how they get times from the user. */
#pragma once

#include "types.h"

struct pt_regs;

long sys_time(const struct pt_regs *regs);
long sys_stime(const struct pt_regs *regs);
long sys_gettimeofday(const struct pt_regs *regs);
long sys_settimeofday(const struct pt_regs *regs);
long sys_clock_gettime(const struct pt_regs *regs);
long sys_clock_gettime64(const struct pt_regs *regs);
long sys_clock_settime(const struct pt_regs *regs);
long sys_clock_settime64(const struct pt_regs *regs);
long sys_clock_getres(const struct pt_regs *regs);
long sys_clock_getres_time64(const struct pt_regs *regs);
long sys_nanosleep(const struct pt_regs *regs);
long sys_clock_nanosleep(const struct pt_regs *regs);
long sys_clock_nanosleep_time64(const struct pt_regs *regs);
long sys_alarm(const struct pt_regs *regs);
long sys_getitimer(const struct pt_regs *regs);
long sys_setitimer(const struct pt_regs *regs);
long sys_times(const struct pt_regs *regs);

/* A struct timespec with 32 or 64 bits of seconds, in ns. 0, -EFAULT, -EINVAL. Too large is ~0. */
int get_timespec32(u64 *ns, u32 user_time);
int get_timespec64(u64 *ns, u32 user_time);
int put_timespec32(u64 ns, u32 user_time);
int put_timespec64(u64 ns, u32 user_time);
/* Ticks to sleep so that the monotonic clock has come to ns for sure. */
long ticks_until(u64 ns);
