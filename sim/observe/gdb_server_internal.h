/* What the packets of gdb are answered from, for the files that answer them. */
#ifndef LK_SIM_OBSERVE_GDB_SERVER_INTERNAL_H
#define LK_SIM_OBSERVE_GDB_SERVER_INTERNAL_H

#include "sim/observe/gdb_packet.h"
#include "sim/observe/gdb_registers.h"
#include "sim/observe/gdb_server.h"

/* Errors, as QEMU's stub numbers them. */
#define GDB_BAD_REQUEST "E22"
#define GDB_BAD_ADDRESS "E14"
#define GDB_NO_ROOM "E28"

struct gdb_server {
    struct gdb_server_params params;
    struct gdb_registers registers;
    struct gdb_link link;
    struct cpu_point point[CPU_MAX_DEBUGGER_POINTS];
    bool is_hardware_point[CPU_MAX_DEBUGGER_POINTS];
    unsigned nr_points;
    bool is_running, is_physical, says_swbreak, says_hwbreak;
    bool steps_into_interrupts;
    char *description; /* the target description; owned */
    size_t description_bytes;
    char stop_reply[64];
    enum gdb_wish wish;
    char reply[GDB_PACKET_BYTES + 1];
};

void gdb_reply(struct gdb_server *server, const char *text);
void gdb_reply_ok(struct gdb_server *server, bool is_good);

/* Of registers, as whoever owns the machine does it. */
bool gdb_change_state(const struct gdb_server *server, const struct cpu_state *state);

/* Each a packet; `rest` is what follows its name. */
void gdb_read_registers(struct gdb_server *server, const char *rest);
void gdb_write_registers(struct gdb_server *server, const char *rest);
void gdb_read_register(struct gdb_server *server, const char *rest);
void gdb_write_register(struct gdb_server *server, const char *rest);
void gdb_read_bytes(struct gdb_server *server, const char *rest);
void gdb_write_bytes(struct gdb_server *server, const char *rest);
void gdb_write_binary(struct gdb_server *server, const char *rest);

#endif
