/* Stopping when the kernel finds itself broken. */
#pragma once

#include "printk.h"

/* Prints the message, tells the simulator (marker 8), and halts for good. */
__printf(1, 2) __noreturn void panic(const char *fmt, ...);

/* Stops with an oops: the invalid instruction brings registers and call trace into the report. */
#define BUG()                                                                                                \
    do {                                                                                                     \
        pr_emerg("kernel BUG at %s:%d!\n", __FILE__, __LINE__);                                              \
        __builtin_trap();                                                                                    \
    } while (0)
#define BUG_ON(condition)                                                                                    \
    do {                                                                                                     \
        if (unlikely(condition))                                                                             \
            BUG();                                                                                           \
    } while (0)
