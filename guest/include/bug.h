/* Stopping when the kernel finds itself broken. */
#pragma once

#include "compiler.h"

/* Prints the message, tells the simulator (marker 8), and halts for good. */
__printf(1, 2) __noreturn void panic(const char *fmt, ...);

#define BUG() panic("BUG at %s:%d", __FILE__, __LINE__)
#define BUG_ON(condition)                                                                                    \
    do {                                                                                                     \
        if (unlikely(condition))                                                                             \
            BUG();                                                                                           \
    } while (0)
