/*
 * Packets of gdb's remote serial protocol (gdb manual, "Remote Protocol", "Overview"): bytes from a peer
 * become packets, replies become bytes. It knows nothing of what they mean, and of no socket.
 */
#ifndef LK_SIM_OBSERVE_GDB_PACKET_H
#define LK_SIM_OBSERVE_GDB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest packet, without `$` and checksum, that is taken; replies are no longer. */
enum { GDB_PACKET_BYTES = 16384 };

enum gdb_event {
    GDB_EVENT_NONE,     /* all bytes were looked at */
    GDB_EVENT_PACKET,   /* `packet` holds one: its bytes unescaped, and a NUL behind them */
    GDB_EVENT_TOO_LONG, /* one came that has no room */
    GDB_EVENT_BREAK,    /* the byte 03h between two packets */
};

enum gdb_link_state { GDB_BETWEEN, GDB_IN_PACKET, GDB_ESCAPED, GDB_CHECKSUM_1, GDB_CHECKSUM_2 };

/* Begins as all zero. */
struct gdb_link {
    char packet[GDB_PACKET_BYTES + 1];
    size_t packet_bytes;
    enum gdb_link_state state;
    uint8_t sum, sent_sum;
    bool has_bad_digit, is_too_long;
    bool has_no_acks;    /* QStartNoAckMode */
    bool starts_no_acks; /* as soon as the reply to that has been acknowledged */
    /* For the peer, to be taken away by whoever sends them; owned. */
    uint8_t *out;
    size_t nr_out, room_out;
    /* The latest reply, which the peer may ask for again; owned. */
    uint8_t *reply;
    size_t nr_reply, room_reply;
    /* Memory was short, or the peer asks and never reads: the connection is of no use any more. */
    bool is_broken;
};

void gdb_link_fini(struct gdb_link *link);

/* Looks at bytes until one completes an event; *nr_taken is how many that were. */
enum gdb_event gdb_link_take(struct gdb_link *link, const uint8_t *bytes, size_t nr_bytes, size_t *nr_taken);

/* A reply of so many bytes, any of which is escaped as need be. */
void gdb_link_reply(struct gdb_link *link, const void *bytes, size_t nr_bytes);

/* Of hexadecimal digits: 0 to 15, or -1. */
int gdb_digit(char c);

/*
 * The operands of a packet: what is there is taken from *at, which is behind it then. False: it is not there.
 */
bool gdb_take_char(const char **at, char c);
/* A hexadecimal number, its high digit first. */
bool gdb_take_number(const char **at, uint64_t *value);
/* ADDRESS,LENGTH */
bool gdb_take_range(const char **rest, uint64_t *address, uint64_t *size_bytes);
/* Exactly so many bytes, two digits each. */
bool gdb_take_bytes(const char **at, uint8_t *bytes, size_t nr_bytes);

/* Two digits a byte, and a NUL. Returns where that is. */
char *gdb_put_bytes(char *to, const uint8_t *bytes, size_t nr_bytes);

#endif
