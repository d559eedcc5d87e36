/*
 * gdb's remote serial protocol, machine side (gdb manual, "Remote Protocol", "Packets"): what a packet asks
 * of a core is done here, but for running: that is a wish, which whoever owns the machine grants. One thread,
 * 1, is the core.
 *
 * Bytes go in by gdb_server_take; what is to be sent lies in gdb_server_output.
 */
#ifndef LK_SIM_OBSERVE_GDB_SERVER_H
#define LK_SIM_OBSERVE_GDB_SERVER_H

#include "cpu/cpu.h"
#include "cpu/stop_points.h"

#include <stdio.h>

struct gdb_server;

struct gdb_server_params {
    struct cpu *cpu;
    bool is_64bit, has_sse; /* how gdb sees the processor, for the whole session */
    /* A line of `monitor`; its answer goes to `to`. May be NULL. */
    void (*monitor)(void *opaque, const char *line, FILE *to);
    /* cpu_change_state and cpu_write_physical, as whoever owns the machine does it. NULL: on `cpu` itself. */
    bool (*change_state)(void *opaque, const struct cpu_state *state);
    bool (*write)(void *opaque, struct paddr at, const void *from, size_t size_bytes);
    void *opaque;
    bool can_go_back; /* the wishes to go back can be granted */
};

/* NULL when memory is short. */
struct gdb_server *gdb_server_create(const struct gdb_server_params *params);
void gdb_server_destroy(struct gdb_server *server);

enum gdb_wish {
    GDB_WISH_NONE,
    GDB_WISH_CONTINUE,
    GDB_WISH_STEP,      /* one instruction */
    GDB_WISH_STEP_BACK, /* ... the latest, undone */
    GDB_WISH_CONTINUE_BACK,
    GDB_WISH_INTERRUPT, /* a running machine is to stop */
    GDB_WISH_DETACH,    /* the machine runs on by itself; the session is over */
    GDB_WISH_KILL,      /* the run is to end */
};

/*
 * A peer has connected, or has gone: acknowledgements are wanted anew, stop points are forgotten. The machine
 * stands still.
 */
void gdb_server_begin(struct gdb_server *server);

/*
 * Takes bytes from the peer until one makes a wish; *nr_taken is how many that were. While the machine runs
 * (after CONTINUE or STEP, until gdb_server_stopped) packets are refused, and only the break-in is heard.
 */
enum gdb_wish gdb_server_take(struct gdb_server *server, const uint8_t *bytes, size_t nr_bytes,
                              size_t *nr_taken);

/* Whether a step that an interrupt comes in between is over only behind the interrupt's handler. */
bool gdb_server_steps_over_interrupts(const struct gdb_server *server);

/* Signals as gdb numbers them. */
enum gdb_signal {
    GDB_SIGINT = 2,
    GDB_SIGILL = 4,
    GDB_SIGTRAP = 5,
    GDB_SIGABRT = 6,
    GDB_SIGFPE = 8,
    GDB_SIGSEGV = 11,
    GDB_SIGSTOP = 17,
};

/* The signal that stands for an exception which nobody handled. */
enum gdb_signal gdb_signal_of(unsigned vector);

/* The machine has stopped: at `point`, or (NULL) for another reason. */
void gdb_server_stopped(struct gdb_server *server, enum gdb_signal signal, const struct cpu_point *point);

/* It stands where what is known of the past begins. */
void gdb_server_stopped_at_begin(struct gdb_server *server);

/* Another machine has taken the place of the one so far, with the same stop points. */
void gdb_server_set_cpu(struct gdb_server *server, struct cpu *cpu);

/* The run is over, with this exit status. */
void gdb_server_exited(struct gdb_server *server, unsigned status);

/*
 * What is to be sent, and that so much of it was. *is_broken: the connection cannot go on (see struct
 * gdb_link).
 */
const uint8_t *gdb_server_output(const struct gdb_server *server, size_t *nr_bytes, bool *is_broken);
void gdb_server_sent(struct gdb_server *server, size_t nr_bytes);

#endif
