/*
 * The other end of a network card's cable. What comes over it is known from the start (a capture file) or
 * is an answer to what the card has sent, so that a run is the same each time.
 *
 * Files are in the format of libpcap, link type 1 (Ethernet), without check sequences.
 */
#ifndef LK_DMA_ETHER_WIRE_H
#define LK_DMA_ETHER_WIRE_H

#include "sim/base/addr.h"
#include "sim/base/diag.h"

#include <stddef.h>
#include <stdint.h>

/* In the order of the names in `nic.wire`. */
enum ether_wire_kind {
    ETHER_WIRE_SILENT,    /* the link is up, and nobody answers */
    ETHER_WIRE_LOOPBACK,  /* what is sent comes back */
    ETHER_WIRE_UNPLUGGED, /* there is no link */
    ETHER_WIRE_HOST,      /* a host that answers (ether_host.h) */
};

enum { ETHER_HEADER_BYTES = 14, ETHER_CRC_BYTES = 4, ETHER_MIN_BYTES = 60, ETHER_MAX_BYTES = 16288 };

/* The times of a received file begin when the card's receiver is enabled first, unless a cycle is given. */
#define ETHER_WIRE_WHEN_ENABLED UINT64_MAX

struct ether_wire_params {
    enum ether_wire_kind kind;
    const char *sent;     /* file for the frames that the card sends; NULL: none; outlives the wire */
    const char *received; /* file of frames that come; NULL: none; likewise */
    cycle_t first;        /* when the first of them comes; ETHER_WIRE_WHEN_ENABLED */
    uint64_t cpu_hz;
    uint64_t start_seconds; /* the date at cycle 0, for the times in `sent` */
};

struct ether_wire;

/*
 * On failure adds a line of status 66 for a file that cannot be read, 65 for one that is no capture of
 * Ethernet frames, 73 for one that cannot be written, and returns NULL.
 */
struct ether_wire *ether_wire_open(const struct ether_wire_params *params, struct diag *diag);
void ether_wire_close(struct ether_wire *wire);

/*
 * The file of sent frames gets its name, with what was sent so far. False with a line of status 73: it
 * cannot.
 */
bool ether_wire_finish(struct ether_wire *wire, struct diag *diag);

bool ether_wire_has_link(const struct ether_wire *wire);

/* All that is sent comes back. */
bool ether_wire_loops(const struct ether_wire *wire);

/*
 * A frame of the card's, which is not damaged, has crossed the wire in cycle `now`. What is said to it,
 * until the next call, and *answer_bytes; NULL: nothing.
 */
const uint8_t *ether_wire_send(struct ether_wire *wire, const uint8_t *frame, size_t nr_bytes, cycle_t now,
                               size_t *answer_bytes);

/* The card's receiver is enabled in this cycle. */
void ether_wire_enabled(struct ether_wire *wire, cycle_t now);
/* When the next frame of the file is here; EV_NEVER: that is not known yet, or none is left. */
cycle_t ether_wire_next(const struct ether_wire *wire);
/*
 * That frame, which is there until the wire is closed. Shorter ones than Ethernet allows are padded by the
 * card.
 */
const uint8_t *ether_wire_take(struct ether_wire *wire, size_t *nr_bytes);

/* Where it is in its file, for checkpoints (sim/base/snap.h); what was sent before is not in the new file. */
struct snap;
void ether_wire_snap(struct ether_wire *wire, struct snap *snap);

#endif
