/*
 * The transmitter: descriptors, the data that they name, and the frames that become of them (manual 3.3 to
 * 3.5).
 *
 * One descriptor is fetched at a time, and its data in pieces. The next frame is fetched while one is on
 * the wire, and waits there till that has crossed it: preamble, frame, check sequence and gap at the link's
 * speed.
 */
#include "dma/nic_internal.h"

#include "sim/base/dev_event.h"

#include <string.h>

enum { PREAMBLE_BYTES = 8, GAP_BYTES = 12, BITS = 8, LOW_UNIT = 8, LOW_SHIFT = 25 };

static void go(struct nic *nic, enum nic_tx_step step, cycle_t when)
{
    nic->tx.step = step;
    dev_schedule(nic->params.events, &nic->tx.event, when);
}

/* A refused access: nothing more is sent until software looks after it. */
static void fail(struct nic *nic)
{
    nic->tx.step = TX_REST;
    nic->tx.has_failed = true;
}

static uint32_t nr_descriptors(const struct nic *nic)
{
    return nic->held[HELD_TDLEN] / NIC_DESCRIPTOR_BYTES;
}

static bool has_descriptor(const struct nic *nic)
{
    return nr_descriptors(nic) && nic->held[HELD_TDH] != nic->held[HELD_TDT];
}

static uint8_t command(const struct nic *nic)
{
    return nic->tx.descriptor[TXD_COMMAND];
}

/* ---- Sums ---- */

/* The complement of the sum over `from` to `to` (0: the end; else it is included) goes to `at`. */
static void insert_sum(struct nic *nic, uint8_t *frame, uint32_t frame_bytes, uint32_t from, uint32_t to,
                       uint32_t at)
{
    uint32_t end = to && to < frame_bytes ? to + 1 : frame_bytes;
    if (from >= end || at + 2 > frame_bytes)
        return;
    inet_put16(frame + at, (uint16_t)~inet_sum(frame + from, end - from, 0));
    nic->stats.checksums_inserted++;
}

static void insert_sums(struct nic *nic, uint8_t *frame, uint32_t frame_bytes)
{
    const struct nic_context *context = &nic->tx.contexts[nic->tx.is_cut ? CONTEXT_SEGMENTS : CONTEXT_PLAIN];
    if (nic->tx.options & TXD_TXSM)
        insert_sum(nic, frame, frame_bytes, context->tucss, context->tucse, context->tucso);
    if (nic->tx.options & TXD_IXSM)
        insert_sum(nic, frame, frame_bytes, context->ipcss, context->ipcse, context->ipcso);
}

/* ---- Segments (manual 3.5) ---- */

static const struct nic_context *segments(const struct nic *nic)
{
    return &nic->tx.contexts[CONTEXT_SEGMENTS];
}

/* As much payload as one frame takes. */
static uint32_t segment_bytes(const struct nic *nic)
{
    const struct nic_context *context = segments(nic);
    uint32_t room = ETHER_MAX_BYTES - context->hdrlen;
    return context->mss && context->mss < room ? context->mss : room;
}

static void add16(uint8_t *frame, uint32_t frame_bytes, uint32_t at, uint32_t more)
{
    if (at + 2 <= frame_bytes)
        inet_put16(frame + at, inet_get16(frame + at) + more);
}

static void put16(uint8_t *frame, uint32_t frame_bytes, uint32_t at, uint32_t value)
{
    if (at + 2 <= frame_bytes)
        inet_put16(frame + at, value);
}

enum { IPV4_LENGTH = 2, IPV4_IDENTIFICATION = 4, IPV6_LENGTH = 4, IPV6_HEADER_BYTES = 40 };
enum { TCP_SEQUENCE = 4, TCP_FLAGS = 13, TCP_FIN_AND_PUSH = 0x09, TCP_SUM = 16, UDP_LENGTH = 4, UDP_SUM = 6 };

/*
 * The header in front of a segment becomes its own. Software has left the sum of the pseudo-header without
 * a length where the sum of TCP or UDP goes.
 */
static void fit_header(struct nic *nic, uint8_t *frame, uint32_t frame_bytes, bool is_last)
{
    const struct nic_context *context = segments(nic);
    uint32_t ip = context->ipcss, payload = context->tucss, payload_bytes = frame_bytes - payload;
    if (ip >= frame_bytes || payload >= frame_bytes)
        return;
    if (context->is_ipv4) {
        put16(frame, frame_bytes, ip + IPV4_LENGTH, frame_bytes - ip);
        add16(frame, frame_bytes, ip + IPV4_IDENTIFICATION, nic->tx.nr_segments);
    } else {
        put16(frame, frame_bytes, ip + IPV6_LENGTH, frame_bytes - ip - IPV6_HEADER_BYTES);
    }
    if (context->is_tcp && payload + TCP_FLAGS < frame_bytes) {
        uint8_t *sequence = frame + payload + TCP_SEQUENCE;
        uint32_t number = (uint32_t)inet_get16(sequence) << 16 | inet_get16(sequence + 2);
        number += nic->tx.payload_bytes;
        inet_put16(sequence, number >> 16);
        inet_put16(sequence + 2, number);
        if (!is_last)
            frame[payload + TCP_FLAGS] &= (uint8_t)~TCP_FIN_AND_PUSH;
    } else if (!context->is_tcp) {
        put16(frame, frame_bytes, payload + UDP_LENGTH, payload_bytes);
    }
    uint32_t sum = context->tucso;
    if (sum + 2 <= frame_bytes) {
        uint8_t bytes[2] = {(uint8_t)(payload_bytes >> 8), (uint8_t)payload_bytes};
        inet_put16(frame + sum, inet_sum(bytes, sizeof bytes, inet_get16(frame + sum)));
    }
}

/* ---- The wire ---- */

static bool loops(const struct nic *nic)
{
    return (nic->held[HELD_RCTL] & RCTL_LBM) == RCTL_LBM_MAC || nic_phy_loops(nic);
}

static bool can_send(const struct nic *nic)
{
    bool has_link = nic->phy.has_link && (nic->held[HELD_CTRL] & CTRL_SLU);
    return nic->tx.wire_bytes == 0 && (has_link || loops(nic));
}

static cycle_t crossing_cycles(const struct nic *nic, uint32_t nr_bytes)
{
    static const uint64_t bit_nanoseconds[] = {
        [NIC_SPEED_10] = 100, [NIC_SPEED_100] = 10, [NIC_SPEED_1000] = 1};
    return nic_cycles(nic,
                      (PREAMBLE_BYTES + nr_bytes + GAP_BYTES) * BITS * bit_nanoseconds[nic->params.speed]);
}

/* The wire has it whole. Damaged ones are nobody's who answers, but they come back where all do. */
static void cross_wire(struct nic *nic, uint32_t nr_bytes, cycle_t now)
{
    struct ether_wire *wire = nic->params.wire;
    const uint8_t *answer = NULL;
    size_t answer_bytes = 0;
    if (nic_has_good_crc(nic->tx.wire, nr_bytes))
        answer = ether_wire_send(wire, nic->tx.wire, nr_bytes - ETHER_CRC_BYTES, now, &answer_bytes);
    if (ether_wire_loops(wire))
        nic_rx_frame(nic, nic->tx.wire, nr_bytes, now);
    else if (answer)
        nic_rx_arrive(nic, answer, answer_bytes, now);
}

static void crossed(void *opaque, cycle_t now)
{
    struct nic *nic = opaque;
    uint32_t nr_bytes = nic->tx.wire_bytes;
    nic->tx.wire_bytes = 0;
    if (loops(nic))
        nic_rx_frame(nic, nic->tx.wire, nr_bytes, now);
    else
        cross_wire(nic, nr_bytes, now);
    nic_tx_wake(nic, now);
}

enum { STATIONS_BYTES = 12, TAG_BYTES = 4 };

/*
 * Puts the frame on the wire, with the tag of a VLAN if its descriptor says so (CTRL.VME); how long it is
 * then.
 */
static uint32_t copy_to_wire(struct nic *nic)
{
    struct nic_transmitter *tx = &nic->tx;
    uint32_t nr_bytes = tx->frame_bytes;
    bool has_tag = (nic->held[HELD_CTRL] & CTRL_VME) && (command(nic) & TXD_VLE) &&
                   nr_bytes >= ETHER_HEADER_BYTES && nr_bytes + TAG_BYTES <= ETHER_MAX_BYTES;
    if (!has_tag) {
        memcpy(tx->wire, tx->frame, nr_bytes);
        return nr_bytes;
    }
    memcpy(tx->wire, tx->frame, STATIONS_BYTES);
    inet_put16(tx->wire + STATIONS_BYTES, nic->held[HELD_VET]);
    inet_put16(tx->wire + STATIONS_BYTES + 2, nic_get16(tx->descriptor + TXD_SPECIAL));
    memcpy(tx->wire + STATIONS_BYTES + TAG_BYTES, tx->frame + STATIONS_BYTES, nr_bytes - STATIONS_BYTES);
    return nr_bytes + TAG_BYTES;
}

/* The frame in `tx.frame`, with its check sequence or without. */
static void put_on_wire(struct nic *nic, bool has_crc, cycle_t now)
{
    struct nic_transmitter *tx = &nic->tx;
    uint32_t nr_bytes = copy_to_wire(nic);
    if (!has_crc) {
        if ((nic->held[HELD_TCTL] & TCTL_PSP) && nr_bytes < ETHER_MIN_BYTES) {
            memset(tx->wire + nr_bytes, 0, ETHER_MIN_BYTES - nr_bytes);
            nr_bytes = ETHER_MIN_BYTES;
        }
        nic_put_crc(tx->wire, nr_bytes);
        nr_bytes += ETHER_CRC_BYTES;
    }
    tx->wire_bytes = nr_bytes;
    nic_count_sent(nic, tx->wire, nr_bytes);
    nic->stats.frames_sent++;
    nic->stats.bytes_sent += nr_bytes - ETHER_CRC_BYTES;
    dev_schedule(nic->params.events, &tx->crossed, now + crossing_cycles(nic, nr_bytes));
}

/* ---- Descriptors ---- */

static bool is_legacy(const struct nic *nic)
{
    return !(command(nic) & TXD_DEXT);
}

static void report(struct nic *nic, cycle_t now)
{
    go(nic, command(nic) & TXD_RS ? TX_REPORT : TX_FINISH, now);
}

static void take_context(struct nic *nic)
{
    const uint8_t *from = nic->tx.descriptor;
    uint8_t tucmd = command(nic);
    bool has_segments = tucmd & TXD_TSE;
    nic->tx.contexts[has_segments ? CONTEXT_SEGMENTS : CONTEXT_PLAIN] = (struct nic_context){
        .ipcss = from[TXD_IPCSS],
        .ipcso = from[TXD_IPCSO],
        .ipcse = nic_get16(from + TXD_IPCSE),
        .tucss = from[TXD_TUCSS],
        .tucso = from[TXD_TUCSO],
        .tucse = nic_get16(from + TXD_TUCSE),
        .hdrlen = from[TXD_HDRLEN],
        .mss = nic_get16(from + TXD_MSS),
        .is_tcp = tucmd & TXD_TCP,
        .is_ipv4 = tucmd & TXD_IP,
    };
    if (has_segments)
        nic_count(nic, STATISTIC_TSCTC);
}

/* The descriptor is here: a context, or the data of a frame. */
static void begin(struct nic *nic, cycle_t now)
{
    struct nic_transmitter *tx = &nic->tx;
    bool is_data = tx->descriptor[TXD_TYPE] >> 4 == TXD_TYPE_DATA;
    nic->stats.descriptors_sent++;
    if (!is_legacy(nic) && !is_data) {
        take_context(nic);
        report(nic, now);
        return;
    }
    tx->at = nic_get64(tx->descriptor);
    tx->left_bytes = nic_get16(tx->descriptor + TXD_LENGTH);
    if (!is_legacy(nic))
        tx->left_bytes |= (tx->descriptor[TXD_TYPE] & 15u) << 16;
    if (!tx->is_begun) {
        tx->is_begun = true;
        tx->is_cut = !is_legacy(nic) && (command(nic) & TXD_TSE);
        tx->options = is_legacy(nic) ? 0 : tx->descriptor[TXD_POPTS] & (TXD_IXSM | TXD_TXSM);
        tx->is_too_long = false;
        tx->frame_bytes = tx->payload_bytes = tx->nr_segments = 0;
    }
    go(nic, TX_MOVE, now);
}

static void end_frame(struct nic_transmitter *tx)
{
    tx->is_begun = tx->is_cut = false;
    tx->frame_bytes = 0;
}

/* How many bytes more the present frame takes; 0: it is to be sent first. */
static uint32_t room_bytes(const struct nic *nic)
{
    const struct nic_transmitter *tx = &nic->tx;
    if (!tx->is_cut)
        return ETHER_MAX_BYTES - tx->frame_bytes;
    uint32_t header_bytes = segments(nic)->hdrlen;
    uint32_t limit = tx->frame_bytes < header_bytes ? header_bytes : header_bytes + segment_bytes(nic);
    return limit > tx->frame_bytes ? limit - tx->frame_bytes : 0; /* it may be a new context's */
}

/* What follows once the data of a descriptor are all here. */
static void end_data(struct nic *nic, cycle_t now)
{
    struct nic_transmitter *tx = &nic->tx;
    bool is_last = command(nic) & TXD_EOP;
    if (is_last && !tx->is_too_long && tx->frame_bytes) {
        go(nic, TX_SEND, now);
        return;
    }
    if (is_last)
        end_frame(tx);
    report(nic, now);
}

static void move(struct nic *nic, cycle_t now)
{
    struct nic_transmitter *tx = &nic->tx;
    uint32_t room = room_bytes(nic), size_bytes = tx->left_bytes;
    cycle_t done;
    if (size_bytes == 0) {
        end_data(nic, now);
        return;
    }
    if (room == 0 && tx->is_cut) {
        go(nic, TX_SEND, now);
        return;
    }
    if (room == 0) { /* longer than the card's buffer allows: what is behind is not even read */
        tx->is_too_long = true;
        tx->left_bytes = 0;
        end_data(nic, now);
        return;
    }
    size_bytes = size_bytes < room ? size_bytes : room;
    size_bytes = size_bytes < NIC_PIECE_BYTES ? size_bytes : NIC_PIECE_BYTES;
    if (!nic_memory_read(nic, tx->at, tx->frame + tx->frame_bytes, size_bytes, now, &done)) {
        fail(nic);
        return;
    }
    tx->at += size_bytes;
    tx->left_bytes -= size_bytes;
    tx->frame_bytes += size_bytes;
    if (tx->is_cut && tx->frame_bytes == segments(nic)->hdrlen)
        memcpy(tx->header, tx->frame, tx->frame_bytes);
    go(nic, TX_MOVE, done);
}

/* A segment that is not the last, or a whole frame. */
static void send(struct nic *nic, cycle_t now)
{
    struct nic_transmitter *tx = &nic->tx;
    bool is_last = tx->left_bytes == 0, has_crc = is_last && !(command(nic) & TXD_IFCS);
    uint32_t header_bytes = tx->is_cut ? segments(nic)->hdrlen : 0;
    if (!can_send(nic))
        return; /* nic_tx_wake() comes back to it */
    if (tx->is_cut)
        fit_header(nic, tx->frame, tx->frame_bytes, is_last);
    if (is_legacy(nic) && (command(nic) & TXD_IC))
        insert_sum(nic, tx->frame, tx->frame_bytes, tx->descriptor[TXD_CSS], 0, tx->descriptor[TXD_CSO]);
    insert_sums(nic, tx->frame, tx->frame_bytes);
    nic->stats.segments += tx->is_cut;
    put_on_wire(nic, has_crc && tx->frame_bytes > ETHER_HEADER_BYTES + ETHER_CRC_BYTES, now);
    if (is_last) {
        end_frame(tx);
        report(nic, now);
        return;
    }
    tx->payload_bytes += tx->frame_bytes - header_bytes;
    tx->nr_segments++;
    memcpy(tx->frame, tx->header, header_bytes);
    tx->frame_bytes = header_bytes;
    go(nic, TX_MOVE, now);
}

static void fetch(struct nic *nic, cycle_t now)
{
    struct nic_transmitter *tx = &nic->tx;
    cycle_t done;
    uint64_t at = nic_ring_at(nic->held[HELD_TDBAL], nic->held[HELD_TDBAH], nic->held[HELD_TDH]);
    if (nic_memory_read(nic, at, tx->descriptor, sizeof tx->descriptor, now, &done))
        go(nic, TX_BEGIN, done);
    else
        fail(nic);
}

/* The half with the status is written back. */
static void write_back(struct nic *nic, cycle_t now)
{
    struct nic_transmitter *tx = &nic->tx;
    enum { HALF_BYTES = NIC_DESCRIPTOR_BYTES / 2 };
    cycle_t done;
    uint64_t at = nic_ring_at(nic->held[HELD_TDBAL], nic->held[HELD_TDBAH], nic->held[HELD_TDH]);
    tx->descriptor[TXD_STATUS] |= TXD_DD;
    if (nic_memory_write(nic, at + HALF_BYTES, tx->descriptor + HALF_BYTES, HALF_BYTES, now, &done))
        go(nic, TX_FINISH, done);
    else
        fail(nic);
}

static void finish(struct nic *nic, cycle_t now)
{
    struct nic_transmitter *tx = &nic->tx;
    uint32_t nr = nr_descriptors(nic), head = nic->held[HELD_TDH] + 1;
    nic->held[HELD_TDH] = head >= nr ? 0 : head;
    tx->step = TX_REST;
    if (command(nic) & TXD_RS)
        nic_tx_done(nic, command(nic) & TXD_IDE, now);
    uint32_t left = nr ? (nic->held[HELD_TDT] + nr - nic->held[HELD_TDH]) % nr : 0;
    uint32_t low = (nic->held[HELD_TXDCTL] >> LOW_SHIFT) * LOW_UNIT;
    if (low && left == low)
        nic_raise(nic, CAUSE_TXD_LOW, now);
    if (!has_descriptor(nic))
        nic_raise(nic, CAUSE_TXQE, now);
    nic_tx_wake(nic, now);
}

static void step(void *opaque, cycle_t now)
{
    struct nic *nic = opaque;
    switch (nic->tx.step) {
    case TX_FETCH:
        fetch(nic, now);
        break;
    case TX_BEGIN:
        begin(nic, now);
        break;
    case TX_MOVE:
        move(nic, now);
        break;
    case TX_SEND:
        send(nic, now);
        break;
    case TX_REPORT:
        write_back(nic, now);
        break;
    case TX_FINISH:
        finish(nic, now);
        break;
    case TX_REST:
        break;
    }
}

void nic_tx_wake(struct nic *nic, cycle_t now)
{
    struct nic_transmitter *tx = &nic->tx;
    if (tx->step == TX_SEND && can_send(nic))
        dev_schedule(nic->params.events, &tx->event, now);
    if (tx->step == TX_REST && !tx->has_failed && (nic->held[HELD_TCTL] & TCTL_EN) && has_descriptor(nic) &&
        nic_may_master(nic))
        go(nic, TX_FETCH, now);
}

/* ---- Making and resetting ---- */

bool nic_tx_init(struct nic *nic)
{
    return nic_make_event(nic, &nic->tx.event, step, "network card: transmitter") &&
           nic_make_event(nic, &nic->tx.crossed, crossed, "network card: wire");
}

void nic_tx_reset(struct nic *nic)
{
    struct nic_transmitter *tx = &nic->tx;
    ev_cancel(nic->params.events, &tx->event);
    ev_cancel(nic->params.events, &tx->crossed);
    tx->step = TX_REST;
    tx->has_failed = false;
    tx->wire_bytes = 0;
    memset(tx->contexts, 0, sizeof tx->contexts);
    end_frame(tx);
}
