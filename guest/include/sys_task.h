/*
 * System calls about processes: kernel/sys_task.c, sys_cred.c, sys_sched.c, sys_resource.c, sys_session.c,
 * sys_misc.c, futex_sys.c, arch/x86/kernel/tls.c. Arguments are in ebx, ecx, edx, esi, edi, ebp.
 */
#pragma once

struct pt_regs;
long sys_exit(const struct pt_regs *regs);
long sys_exit_group(const struct pt_regs *regs);
long sys_fork(const struct pt_regs *regs);
long sys_vfork(const struct pt_regs *regs);
long sys_clone(const struct pt_regs *regs);
long sys_execve(const struct pt_regs *regs);
long sys_waitpid(const struct pt_regs *regs);
long sys_wait4(const struct pt_regs *regs);
long sys_waitid(const struct pt_regs *regs);
long sys_getpid(const struct pt_regs *regs);
long sys_getppid(const struct pt_regs *regs);
long sys_gettid(const struct pt_regs *regs);
long sys_set_tid_address(const struct pt_regs *regs);
long sys_set_thread_area(const struct pt_regs *regs);
long sys_get_thread_area(const struct pt_regs *regs);

long sys_futex(const struct pt_regs *regs);
long sys_futex_time64(const struct pt_regs *regs);
long sys_set_robust_list(const struct pt_regs *regs);
long sys_get_robust_list(const struct pt_regs *regs);

long sys_getpgrp(const struct pt_regs *regs);
long sys_getpgid(const struct pt_regs *regs);
long sys_setpgid(const struct pt_regs *regs);
long sys_getsid(const struct pt_regs *regs);
long sys_setsid(const struct pt_regs *regs);

long sys_getrusage(const struct pt_regs *regs);
long sys_getrlimit(const struct pt_regs *regs);
long sys_ugetrlimit(const struct pt_regs *regs);
long sys_setrlimit(const struct pt_regs *regs);
long sys_prlimit64(const struct pt_regs *regs);
long sys_getpriority(const struct pt_regs *regs);
long sys_setpriority(const struct pt_regs *regs);
long sys_nice(const struct pt_regs *regs);

long sys_sched_yield(const struct pt_regs *regs);
long sys_sched_setparam(const struct pt_regs *regs);
long sys_sched_getparam(const struct pt_regs *regs);
long sys_sched_setscheduler(const struct pt_regs *regs);
long sys_sched_getscheduler(const struct pt_regs *regs);
long sys_sched_get_priority_max(const struct pt_regs *regs);
long sys_sched_get_priority_min(const struct pt_regs *regs);
long sys_sched_rr_get_interval(const struct pt_regs *regs);
long sys_sched_rr_get_interval_time64(const struct pt_regs *regs);
long sys_sched_setaffinity(const struct pt_regs *regs);
long sys_sched_getaffinity(const struct pt_regs *regs);

long sys_getuid(const struct pt_regs *regs);
long sys_getgid(const struct pt_regs *regs);
long sys_geteuid(const struct pt_regs *regs);
long sys_getegid(const struct pt_regs *regs);
long sys_setuid(const struct pt_regs *regs);
long sys_setgid(const struct pt_regs *regs);
long sys_setreuid(const struct pt_regs *regs);
long sys_setregid(const struct pt_regs *regs);
long sys_setresuid(const struct pt_regs *regs);
long sys_setresgid(const struct pt_regs *regs);
long sys_getresuid(const struct pt_regs *regs);
long sys_getresgid(const struct pt_regs *regs);
long sys_setfsuid(const struct pt_regs *regs);
long sys_setfsgid(const struct pt_regs *regs);
long sys_getgroups(const struct pt_regs *regs);
long sys_setgroups(const struct pt_regs *regs);

long sys_setdomainname(const struct pt_regs *regs);
long sys_sysinfo(const struct pt_regs *regs);
long sys_personality(const struct pt_regs *regs);
long sys_prctl(const struct pt_regs *regs);
long sys_reboot(const struct pt_regs *regs);
long sys_getcpu(const struct pt_regs *regs);
