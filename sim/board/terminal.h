/*
 * The terminal lookaside runs in, which is the guest's COM1. If its input is a terminal it is put into raw
 * mode and given back as it was at every exit: terminal_destroy(), exit(), a signal that stops or ends the
 * process, a crash.
 *
 * In raw mode Ctrl-A is the escape key: x quits, s shows statistics and v the VGA's screen (if there is a
 * hook), c asks for the monitor, h helps, a second Ctrl-A sends one. Input that is not a terminal goes to the
 * guest byte for byte.
 */
#ifndef LK_SIM_BOARD_TERMINAL_H
#define LK_SIM_BOARD_TERMINAL_H

#include "sim/base/diag.h"

#include <stdint.h>

/* What somebody wants of the machine, found out by terminal_poll(). */
enum terminal_request {
    TERMINAL_NONE,
    TERMINAL_QUIT,        /* Ctrl-A x */
    TERMINAL_INTERRUPTED, /* SIGINT, from elsewhere: in raw mode Ctrl-C is a byte for the guest */
    TERMINAL_TERMINATED,  /* SIGTERM or SIGHUP */
    TERMINAL_CANNOT_WRITE,
    TERMINAL_MONITOR, /* Ctrl-A c: the machine is to stand still, and lines are to be read (terminal_ask) */
};

struct terminal_params {
    int in_fd, out_fd; /* stay the caller's; in_fd may be -1 for no input */
    int message_fd;    /* for what lookaside itself says: stderr */
    /* A byte for the guest. False when there is no room: it is kept and offered again at the next poll. */
    bool (*input)(void *opaque, uint8_t byte);
    void (*statistics)(void *opaque); /* writes a few lines to message_fd; may be NULL */
    void (*screen)(void *opaque);     /* writes what the VGA shows there; may be NULL */
    bool has_monitor;                 /* Ctrl-A c is taken */
    void *opaque;
};

struct terminal;

/* There can be one in a process. On failure adds a line and returns NULL. */
struct terminal *terminal_create(const struct terminal_params *params, struct diag *diag);

/* Writes what is still buffered and restores the terminal and the signals. */
void terminal_destroy(struct terminal *terminal);

/* A byte from the guest; buffered until the buffer is full or the next poll. */
void terminal_put(struct terminal *terminal, uint8_t byte);

/*
 * To be called by the machine between slices, every few milliseconds: writes what is buffered, hands input to
 * the guest and answers the escape key. Never waits for input. Where the input is not a terminal, calls at
 * fixed cycles make the guest get the same bytes at the same cycles in each run.
 */
enum terminal_request terminal_poll(struct terminal *terminal);

/*
 * The same while the machine stands still. Input that is not a terminal's stays where it is, for it belongs
 * to later cycles.
 */
enum terminal_request terminal_poll_still(struct terminal *terminal);

/*
 * While the machine stands still: a line from the user, without its end, with the terminal's own editing.
 * False: there is none, or a signal came, which the next poll tells of.
 */
bool terminal_ask(struct terminal *terminal, const char *prompt, char *line, size_t room);

#endif
