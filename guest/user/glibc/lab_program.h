/* For labs that are programs of the root file system: lines as guest/include/lab.h has them, and regions. */
#pragma once

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

static int nr_failed;

__attribute__((format(printf, 2, 3))) static inline void check(int holds, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf(holds ? "ok: " : "FAILED: ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    nr_failed += !holds;
}

/* docs/markers.md */
static inline void marker_1(uint32_t id)
{
    __asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00; .long 0x4c410001" : "+a"(id)::"memory");
}

static inline void marker_2(uint32_t id)
{
    __asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00; .long 0x4c410002" : "+a"(id)::"memory");
}

static inline void marker_3(uint32_t id, const char *name)
{
    __asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00; .long 0x4c410003" : "+a"(id) : "d"(name) : "memory");
}
