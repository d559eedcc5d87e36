/*
 * The terminal: what is typed on COM1 or the PS/2 keyboard, and what the consoles show. There is one; the
 * files /dev/console, tty, tty0, tty1 and ttyS0 all are it.
 */
#pragma once

#include "n_tty.h"
#include "wait.h"

struct tty_struct {
    struct n_tty n_tty;
    struct winsize winsize;
    u32 session, pgrp; /* whose controlling terminal it is (0: nobody's); who is in the foreground */
    wait_queue_head_t read_wait, write_wait;
};

extern struct tty_struct console_tty;

/* The terminal's device number for /proc/PID/stat: /dev/ttyS0's. */
#define TTY_MAJOR 4u
#define TTYAUX_MAJOR 5u
#define TTY_CONSOLE_MINOR 64u

/* The terminal takes what is typed from here on; and its files in /dev. */
void tty_init(void);
void tty_devices_init(void);
/* From a device's interrupt: characters were typed. */
void tty_receive(const char *text, u32 bytes);

/* ---- tty_jobctrl.c: who may use the terminal ---- */

/*
 * A process of the background reads (SIGTTIN), or changes something (SIGTTOU): its group gets the signal.
 * 0: it may; -ERESTARTSYS: the signal was sent; -EIO: nobody could do anything about it.
 */
int tty_check_change(const struct tty_struct *tty, int sig);
/* Opening makes it the controlling terminal of a session that has none, if the session's leader opens it. */
void tty_open_proc_set_tty(struct tty_struct *tty);
/* The session leader ends (or, is_exit false, gives the terminal up): hang up. */
void disassociate_ctty(bool is_exit);
/* TIOCSCTTY and the like. -ENOTTY: none of them. */
long tty_jobctrl_ioctl(struct tty_struct *tty, u32 cmd, u32 arg);

/* ---- tty_ioctl.c ---- */

struct file;
long tty_ioctl(struct file *file, u32 cmd, unsigned long arg);

/* ---- keyboard.c: the PS/2 keyboard, behind an 8042 ---- */

void keyboard_init(void);
