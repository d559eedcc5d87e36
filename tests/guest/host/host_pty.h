/* A pseudo-terminal of the host's, whose line discipline is Linux's own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct host_pty {
    int master, slave; /* neither waits */
};

/* False: the host has none. */
bool host_pty_open(struct host_pty *pty);
void host_pty_close(struct host_pty *pty);
/* A kernel's struct termios, as TCSETS takes it. */
void host_pty_set_termios(const struct host_pty *pty, const void *termios);
/* How many characters a program could read. */
unsigned int host_pty_input_bytes(const struct host_pty *pty);
/* All return how many bytes, -1 if it would have to wait. */
long host_pty_read(int fd, char *to, size_t bytes);
long host_pty_write(int fd, const char *text, size_t bytes);
/* Lets others run: what was typed is worked on by a thread of the kernel's. */
void host_pty_yield(unsigned int nr_tries);
