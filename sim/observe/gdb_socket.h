/*
 * Where gdb connects: a TCP port of this host's loopback interface, which nobody else can reach. One peer at
 * a time; nothing here waits, but for sending and where it says so.
 */
#ifndef LK_SIM_OBSERVE_GDB_SOCKET_H
#define LK_SIM_OBSERVE_GDB_SOCKET_H

#include "sim/base/diag.h"

#include <stdint.h>
#include <sys/types.h>

struct gdb_socket {
    int listener, peer; /* -1: none */
};

/* Port 0: any that is free. On failure adds a line that names the option. */
bool gdb_socket_open(struct gdb_socket *socket, unsigned port, struct diag *diag);
void gdb_socket_close(struct gdb_socket *socket);
unsigned gdb_socket_port(const struct gdb_socket *socket);

/* Whether somebody new has connected, who is the peer then. There must be none yet. */
bool gdb_socket_accept(struct gdb_socket *socket);
void gdb_socket_hang_up(struct gdb_socket *socket);

/* How many bytes came, 0 for none yet, -1 when the peer is gone. */
ssize_t gdb_socket_read(const struct gdb_socket *socket, uint8_t *bytes, size_t room);

/* False when the peer is gone, or has not read for seconds. */
bool gdb_socket_write(const struct gdb_socket *socket, const uint8_t *bytes, size_t nr_bytes);

/* Until something comes, a signal, or the time is over. */
void gdb_socket_wait(const struct gdb_socket *socket, int milliseconds);

#endif
