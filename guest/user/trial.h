/* What a program must not do is done by a child, and its parent is told how it ended. */
#pragma once

#include "lab.h"
#include "ulib.h"

#define SIGILL 4
#define SIGTRAP 5
#define SIGFPE 8
#define SIGSEGV 11

/* The status of a child that does it, as waitpid() has it. */
static inline int try_in_child(void (*act)(void))
{
    int status = 0, pid = fork();
    if (pid == 0) {
        act();
        exit(0);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

/* A claim: this signal (0: none) ends a child that does it. */
static inline void check_trial(void (*act)(void), int sig, const char *what)
{
    int status = try_in_child(act);
    if (sig)
        lab_check(status == sig, "a program %s: signal %d ends it", what, status & 0x7F);
    else
        lab_check(status == 0, "a program %s: nothing happens to it", what);
}

static inline void write_to(uintptr_t address)
{
    *(volatile u8 *)address = 1;
}

static inline void read_from(uintptr_t address)
{
    (void)*(volatile u8 *)address;
}
