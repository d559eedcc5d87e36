/*
 * Kernel messages. A message goes to every console as it is printed; nothing carries a time stamp, because
 * the text of a boot must be the same on every machine. Levels are Linux's: a message whose level is not
 * below console_loglevel is dropped ("quiet" sets it to 4). A message without a level is always printed.
 */
#pragma once

#include <stdarg.h>

#include "compiler.h"
#include "types.h"

#define KERN_SOH "\001"
#define KERN_EMERG KERN_SOH "0"
#define KERN_ERR KERN_SOH "3"
#define KERN_WARNING KERN_SOH "4"
#define KERN_NOTICE KERN_SOH "5"
#define KERN_INFO KERN_SOH "6"

#define pr_emerg(...) printk(KERN_EMERG __VA_ARGS__)
#define pr_err(...) printk(KERN_ERR __VA_ARGS__)
#define pr_warn(...) printk(KERN_WARNING __VA_ARGS__)
#define pr_notice(...) printk(KERN_NOTICE __VA_ARGS__)
#define pr_info(...) printk(KERN_INFO __VA_ARGS__)

/* A device that shows characters; both must work with interrupts off and in any context. */
struct console {
    const char *name;
    void (*write)(const char *text, size_t bytes);     /* a line feed goes to the line's beginning, too */
    void (*write_raw)(const char *text, size_t bytes); /* what the terminal has prepared */
    struct console *next;
};

void register_console(struct console *con);
void console_write(const char *text, size_t bytes);
void console_write_raw(const char *text, size_t bytes);
void console_quiet(void);
__printf(1, 2) void printk(const char *fmt, ...);

/*
 * Formats d i u x X p s c %, flags - 0 # +, width and precision (also *), lengths l ll z. Returns the full
 * length.
 */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list args);
__printf(3, 4) int snprintf(char *buf, size_t size, const char *fmt, ...);
