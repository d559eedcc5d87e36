/* The terminal that programs read from: what is typed, a line at a time, shown on the console as it comes. */
#pragma once

#include "compiler.h"
#include "types.h"

/* From a device's interrupt: a character was typed. */
void tty_receive_char(char c);
/* /dev/console and /dev/tty. */
void tty_init(void);
/*
 * Sleeps until there is a line (ended by Enter), and copies what fits of it, newline and all; what is left is
 * read next. 0: Ctrl-D on an empty line. -EFAULT: a bad pointer.
 */
long tty_read(void __user *to, u32 bytes);

/* keyboard.c: the PS/2 keyboard, behind an 8042. */
void keyboard_init(void);
