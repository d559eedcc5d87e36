/*
 * The line discipline: what a terminal does between what is typed and what a program reads, and with what a
 * program writes (termios(3)). It does not wait, nor know of tasks: who drives it gives it an output and
 * takes its signals. Interrupts are off in all of its functions but n_tty_opost().
 */
#pragma once

#include "termios.h"

#define N_TTY_BUF_SIZE 4096u /* a power of two; as many characters, less one, may wait to be read */

struct n_tty {
    struct termios termios;
    /* Counters of characters; buf holds them modulo its size: typed, read, in lines that have ended. */
    u32 head, tail, canon_head;
    u32 column, canon_column; /* of the cursor, now and where the line that is typed began */
    bool has_lnext;           /* the next character means itself */
    bool is_stopped;          /* Ctrl-S: output waits */
    u8 buf[N_TTY_BUF_SIZE];
    u8 ends_line[N_TTY_BUF_SIZE / 8]; /* a bit for each character in buf */

    /* Shows text on the terminal. */
    void (*write)(struct n_tty *tty, const char *text, u32 bytes);
    /* A character that is a signal to the foreground. */
    void (*signal)(struct n_tty *tty, int sig);
};

/* As a terminal is when it is opened: canonical, with echo. */
void n_tty_init(struct n_tty *tty);
void n_tty_set_termios(struct n_tty *tty, const struct termios *termios);
void n_tty_receive_char(struct n_tty *tty, u8 c);
/* Whether a read would give something; for poll(), whether as much as VMIN asks for. */
bool n_tty_input_available(const struct n_tty *tty, bool for_poll);
/* How many characters could be read. */
u32 n_tty_input_bytes(const struct n_tty *tty);
/*
 * Takes up to bytes of what can be read, in canonical mode of one line. Returns how many; *ends says that
 * the line ended (even if there is nothing in it: end of file).
 */
u32 n_tty_take(struct n_tty *tty, char *to, u32 bytes, bool *ends);
void n_tty_flush_input(struct n_tty *tty);
/*
 * Turns up to bytes of what a program writes into what is sent: at most to_bytes, which must be 8 or more.
 * Returns how many of them were used; *to_used is what they have become.
 */
u32 n_tty_opost(struct n_tty *tty, const char *text, u32 bytes, char *to, u32 to_bytes, u32 *to_used);
