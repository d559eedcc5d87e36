/* System calls by Linux's i386 numbers; both the kernel and the user programs include this file. */
#pragma once

enum {
#define SYSCALL(number, name, function) __NR_##name = number,
#include "syscalls.def"
#undef SYSCALL
    NR_syscalls = 512
};
