#include "dma/ether_wire.h"

#include "dma/ether_host.h"
#include "dma/pcap.h"
#include "sim/base/event.h"
#include "sim/base/outfile.h"
#include "sim/base/snap.h"

#include <stdlib.h>

struct ether_wire {
    struct ether_wire_params params;
    struct outfile sent; /* `to` is NULL where there is none */
    struct pcap received;
    uint64_t next;  /* frame of `received` */
    cycle_t origin; /* of its times; EV_NEVER: not known yet */
    uint8_t answer[ETHER_MAX_BYTES];
};

static bool open_files(struct ether_wire *wire, struct diag *diag)
{
    const struct ether_wire_params *params = &wire->params;
    if (params->received && !pcap_read(&wire->received, params->received, ETHER_MAX_BYTES, diag))
        return false;
    if (!params->sent)
        return true;
    if (!outfile_open(&wire->sent, params->sent, diag))
        return false;
    pcap_write_head(wire->sent.to); /* a failure stays in the stream, and is told of at the end */
    return true;
}

struct ether_wire *ether_wire_open(const struct ether_wire_params *params, struct diag *diag)
{
    struct ether_wire *wire = calloc(1, sizeof *wire);
    if (!wire) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "network cable: out of memory");
        return NULL;
    }
    wire->params = *params;
    wire->origin = params->first; /* EV_NEVER is ETHER_WIRE_WHEN_ENABLED */
    if (!open_files(wire, diag)) {
        ether_wire_close(wire);
        return NULL;
    }
    return wire;
}

void ether_wire_close(struct ether_wire *wire)
{
    if (!wire)
        return;
    if (wire->sent.to)
        outfile_abandon(&wire->sent);
    pcap_fini(&wire->received);
    free(wire);
}

bool ether_wire_finish(struct ether_wire *wire, struct diag *diag)
{
    return !wire->sent.to || outfile_commit(&wire->sent, diag);
}

bool ether_wire_has_link(const struct ether_wire *wire)
{
    return wire->params.kind != ETHER_WIRE_UNPLUGGED;
}

bool ether_wire_loops(const struct ether_wire *wire)
{
    return wire->params.kind == ETHER_WIRE_LOOPBACK;
}

const uint8_t *ether_wire_send(struct ether_wire *wire, const uint8_t *frame, size_t nr_bytes, cycle_t now,
                               size_t *answer_bytes)
{
    uint64_t hz = wire->params.cpu_hz;
    uint32_t nanoseconds = (uint32_t)(now % hz * UINT64_C(1000000000) / hz);
    if (wire->sent.to)
        pcap_write_frame(wire->sent.to, frame, nr_bytes, wire->params.start_seconds + now / hz, nanoseconds);
    *answer_bytes =
        wire->params.kind == ETHER_WIRE_HOST ? ether_host_answer(frame, nr_bytes, wire->answer) : 0;
    return *answer_bytes ? wire->answer : NULL;
}

void ether_wire_enabled(struct ether_wire *wire, cycle_t now)
{
    if (wire->origin == EV_NEVER)
        wire->origin = now;
}

cycle_t ether_wire_next(const struct ether_wire *wire)
{
    if (wire->next >= wire->received.nr_frames || wire->origin == EV_NEVER ||
        wire->params.kind == ETHER_WIRE_UNPLUGGED)
        return EV_NEVER;
    uint64_t hz = wire->params.cpu_hz, at = wire->received.frames[wire->next].nanoseconds;
    enum { NANOSECONDS = 1000000000 };
    return wire->origin + at / NANOSECONDS * hz + at % NANOSECONDS * hz / NANOSECONDS;
}

const uint8_t *ether_wire_take(struct ether_wire *wire, size_t *nr_bytes)
{
    const struct pcap_frame *frame = &wire->received.frames[wire->next++];
    *nr_bytes = frame->nr_bytes;
    return frame->bytes;
}

void ether_wire_snap(struct ether_wire *wire, struct snap *snap)
{
    snap_same(snap, "the number of frames in the file that comes over the wire", wire->received.nr_frames);
    snap_same(snap, "the checksum of that file", wire->received.crc32c);
    SNAP_OPEN(snap, wire);
    SNAP_SKIP(snap, wire->params);
    SNAP_SKIP(snap, wire->sent); /* another file */
    SNAP_SKIP(snap, wire->received);
    SNAP_BELOW(snap, wire->next, wire->received.nr_frames + 1);
    SNAP(snap, wire->origin);
    SNAP_SKIP(snap, wire->answer); /* which was taken at once */
    SNAP_CLOSE(snap, wire);
}
