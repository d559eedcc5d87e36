/*
 * The receiver: which frames are this card's (manual 3.2.1, 13.4.22), its buffer, and how they come into
 * memory (manual 3.2.3 to 3.2.9).
 *
 * A frame goes into the buffer as a whole, if that has room (PBA). From there it goes into as many of the
 * ring's buffers as it needs, in pieces; the descriptor of each is read before and written back behind it.
 */
#include "dma/nic_internal.h"

#include "sim/base/dev_event.h"

#include <string.h>

enum { RECORD_BYTES = 4, MAX_PLAIN_BYTES = 1522, MIN_PLAIN_BYTES = ETHER_MIN_BYTES + ETHER_CRC_BYTES };
enum { KIB = 1024, ADDRESS_BYTES = 6, VLAN_TAG_BYTES = 4, TYPE_AT = 12, LEAST_NANOSECONDS = 1 };

static void go(struct nic *nic, enum nic_rx_step step, cycle_t when)
{
    nic->rx.step = step;
    dev_schedule(nic->params.events, &nic->rx.event, when);
}

static void fail(struct nic *nic)
{
    nic->rx.step = RX_REST;
    nic->rx.has_failed = true;
}

/* ---- Whose frame it is ---- */

static bool is_station(const struct nic *nic, const uint8_t *address)
{
    for (unsigned i = 0; i < NIC_NR_STATIONS; i++) {
        uint32_t low = nic->ra[2 * i], high = nic->ra[2 * i + 1];
        if ((high & RAH_AV) && nic_get32(address) == low && nic_get16(address + 4) == (high & 0xffff))
            return true;
    }
    return false;
}

/* Twelve bits of the address, from one of four places, choose a bit of the table. */
static bool is_in_table(const struct nic *nic, const uint8_t *address)
{
    static const unsigned shifts[] = {4, 3, 2, 0};
    unsigned shift = shifts[nic->held[HELD_RCTL] >> RCTL_MO_SHIFT & 3];
    unsigned hash = nic_get16(address + 4) >> shift & 0xfff;
    return nic->mta[hash / 32] >> hash % 32 & 1;
}

static bool is_broadcast(const uint8_t *address)
{
    for (unsigned i = 0; i < ADDRESS_BYTES; i++)
        if (address[i] != 0xff)
            return false;
    return true;
}

/* *status: RXD_PIF, if it only passed by the table, which lets others through as well. */
static bool passes_address(const struct nic *nic, const uint8_t *frame, uint8_t *status)
{
    uint32_t rctl = nic->held[HELD_RCTL];
    bool is_group = frame[0] & 1;
    *status = 0;
    if (is_station(nic, frame) || (rctl & (is_group ? RCTL_MPE : RCTL_UPE)) ||
        ((rctl & RCTL_BAM) && is_broadcast(frame)))
        return true;
    if (!is_group || !is_in_table(nic, frame))
        return false;
    *status = RXD_PIF;
    return true;
}

/* Frames with a tag of a VLAN that is not in the filter are for others. */
static bool passes_vlan(const struct nic *nic, const uint8_t *frame)
{
    uint32_t rctl = nic->held[HELD_RCTL];
    if (!(rctl & RCTL_VFE) || inet_get16(frame + TYPE_AT) != nic->held[HELD_VET])
        return true;
    uint32_t tag = inet_get16(frame + TYPE_AT + 2), id = tag & 0xfff;
    if ((rctl & RCTL_CFIEN) && (tag >> 12 & 1) != !!(rctl & RCTL_CFI))
        return false;
    return nic->vfta[id / 32] >> id % 32 & 1;
}

/*
 * Damaged frames and those of a wrong length are counted, and pass only where software wants bad ones
 * (SBP).
 */
static bool passes_form(struct nic *nic, const uint8_t *frame, uint32_t nr_bytes, uint8_t *errors)
{
    bool has_good_crc = nic_has_good_crc(frame, nr_bytes);
    bool is_long = nr_bytes > MAX_PLAIN_BYTES && !(nic->held[HELD_RCTL] & RCTL_LPE);
    *errors = has_good_crc ? 0 : RXD_CE;
    if (nr_bytes < MIN_PLAIN_BYTES && has_good_crc)
        nic_count(nic, STATISTIC_RUC);
    else if (is_long && has_good_crc)
        nic_count(nic, STATISTIC_ROC);
    else if (nr_bytes >= MIN_PLAIN_BYTES && !has_good_crc)
        nic_count(nic, STATISTIC_CRCERRS);
    if (nr_bytes < MIN_PLAIN_BYTES || is_long)
        return false;
    return has_good_crc || (nic->held[HELD_RCTL] & RCTL_SBP);
}

/* ---- The card's buffer ---- */

static void fifo_put(struct nic_receiver *rx, const void *bytes, uint32_t nr_bytes)
{
    uint32_t at = (rx->fifo_first + rx->fifo_used_bytes) % NIC_FIFO_BYTES, to_end = NIC_FIFO_BYTES - at;
    uint32_t first = nr_bytes < to_end ? nr_bytes : to_end;
    memcpy(rx->fifo + at, bytes, first);
    memcpy(rx->fifo, (const uint8_t *)bytes + first, nr_bytes - first);
    rx->fifo_used_bytes += nr_bytes;
}

static void fifo_get(struct nic_receiver *rx, void *bytes, uint32_t nr_bytes)
{
    uint32_t to_end = NIC_FIFO_BYTES - rx->fifo_first, first = nr_bytes < to_end ? nr_bytes : to_end;
    memcpy(bytes, rx->fifo + rx->fifo_first, first);
    memcpy((uint8_t *)bytes + first, rx->fifo, nr_bytes - first);
    rx->fifo_first = (rx->fifo_first + nr_bytes) % NIC_FIFO_BYTES;
    rx->fifo_used_bytes -= nr_bytes;
}

/* What PBA gives to the receiver, of 64 KiB that the card has. */
static uint32_t fifo_bytes(const struct nic *nic)
{
    uint32_t bytes = nic->held[HELD_PBA] * KIB;
    return bytes < NIC_FIFO_BYTES ? bytes : NIC_FIFO_BYTES;
}

static uint32_t nr_descriptors(const struct nic *nic)
{
    return nic->held[HELD_RDLEN] / NIC_DESCRIPTOR_BYTES;
}

static bool has_descriptor(const struct nic *nic)
{
    return nr_descriptors(nic) && nic->held[HELD_RDH] != nic->held[HELD_RDT];
}

static void keep(struct nic *nic, const uint8_t *frame, uint32_t nr_bytes, uint8_t status, uint8_t errors,
                 cycle_t now)
{
    struct nic_receiver *rx = &nic->rx;
    uint8_t record[RECORD_BYTES] = {[2] = status, [3] = errors};
    nic_put16(record, nr_bytes);
    if (rx->fifo_used_bytes + RECORD_BYTES + nr_bytes > fifo_bytes(nic)) {
        nic->stats.frames_missed++;
        nic_count(nic, STATISTIC_MPC);
        nic_raise(nic, CAUSE_RXO, now);
        return;
    }
    nic_count_received(nic, frame, nr_bytes);
    if (!has_descriptor(nic))
        nic_count(nic, STATISTIC_RNBC);
    fifo_put(rx, record, sizeof record);
    fifo_put(rx, frame, nr_bytes);
    nic_rx_wake(nic, now);
}

void nic_rx_frame(struct nic *nic, const uint8_t *frame, uint32_t nr_bytes, cycle_t now)
{
    uint8_t status = 0, errors = 0;
    bool is_enabled = nic->held[HELD_RCTL] & RCTL_EN;
    if (is_enabled)
        nic_count_arrived(nic, nr_bytes);
    if (is_enabled && passes_form(nic, frame, nr_bytes, &errors) && passes_address(nic, frame, &status) &&
        passes_vlan(nic, frame))
        keep(nic, frame, nr_bytes, status, errors, now);
    else
        nic->stats.frames_filtered++;
}

/* ---- Into memory ---- */

static uint32_t buffer_bytes(const struct nic *nic)
{
    uint32_t rctl = nic->held[HELD_RCTL], size = rctl >> RCTL_BSIZE_SHIFT & 3;
    uint32_t bytes = 2048u >> size;
    return (rctl & RCTL_BSEX) && size ? bytes * 16 : bytes;
}

/* The tag of a VLAN goes into the descriptor, if software wants that (CTRL.VME). */
static void strip_tag(struct nic *nic)
{
    struct nic_receiver *rx = &nic->rx;
    rx->special = 0;
    if (!(nic->held[HELD_CTRL] & CTRL_VME) || inet_get16(rx->frame + TYPE_AT) != nic->held[HELD_VET])
        return;
    rx->special = inet_get16(rx->frame + TYPE_AT + 2);
    rx->status |= RXD_VP;
    rx->frame_bytes -= VLAN_TAG_BYTES;
    memmove(rx->frame + TYPE_AT, rx->frame + TYPE_AT + VLAN_TAG_BYTES, rx->frame_bytes - TYPE_AT);
}

/* The next frame of the buffer is the one to be stored. */
static void take_frame(struct nic *nic)
{
    struct nic_receiver *rx = &nic->rx;
    uint8_t record[RECORD_BYTES];
    fifo_get(rx, record, sizeof record);
    rx->frame_bytes = nic_get16(record);
    rx->status = record[2];
    rx->errors = record[3];
    fifo_get(rx, rx->frame, rx->frame_bytes);
    rx->has_frame = true;
    rx->stored_bytes = 0;
    struct nic_verdict verdict =
        nic_check_sums(rx->frame, rx->frame_bytes - ETHER_CRC_BYTES, nic->held[HELD_RXCSUM]);
    rx->status |= verdict.status;
    rx->errors |= verdict.errors;
    strip_tag(nic);
    if (nic->held[HELD_RCTL] & RCTL_SECRC)
        rx->frame_bytes -= ETHER_CRC_BYTES;
}

static uint64_t descriptor_at(const struct nic *nic)
{
    return nic_ring_at(nic->held[HELD_RDBAL], nic->held[HELD_RDBAH], nic->held[HELD_RDH]);
}

static void fetch(struct nic *nic, cycle_t now)
{
    struct nic_receiver *rx = &nic->rx;
    uint8_t descriptor[NIC_DESCRIPTOR_BYTES];
    cycle_t done;
    if (!nic_memory_read(nic, descriptor_at(nic), descriptor, sizeof descriptor, now, &done)) {
        fail(nic);
        return;
    }
    rx->buffer = nic_get64(descriptor);
    rx->buffer_bytes = buffer_bytes(nic);
    rx->filled_bytes = 0;
    if (!rx->has_frame)
        take_frame(nic);
    go(nic, RX_STORE, done);
}

static void store(struct nic *nic, cycle_t now)
{
    struct nic_receiver *rx = &nic->rx;
    uint32_t left = rx->frame_bytes - rx->stored_bytes, room = rx->buffer_bytes - rx->filled_bytes;
    uint32_t size_bytes = left < room ? left : room;
    cycle_t done;
    size_bytes = size_bytes < NIC_PIECE_BYTES ? size_bytes : NIC_PIECE_BYTES;
    if (size_bytes == 0) {
        go(nic, RX_REPORT, now);
        return;
    }
    if (!nic_memory_write(nic, rx->buffer + rx->filled_bytes, rx->frame + rx->stored_bytes, size_bytes, now,
                          &done)) {
        fail(nic);
        return;
    }
    rx->stored_bytes += size_bytes;
    rx->filled_bytes += size_bytes;
    go(nic, RX_STORE, done);
}

/* The complement of the sum of what is stored, from PCSS on. */
static uint16_t packet_checksum(const struct nic *nic)
{
    const struct nic_receiver *rx = &nic->rx;
    uint32_t from = nic->held[HELD_RXCSUM] & RXCSUM_PCSS;
    uint32_t end = rx->frame_bytes - (nic->held[HELD_RCTL] & RCTL_SECRC ? 0 : ETHER_CRC_BYTES);
    return (uint16_t) ~(from < end ? inet_sum(rx->frame + from, end - from, 0) : 0);
}

static void write_back(struct nic *nic, cycle_t now)
{
    struct nic_receiver *rx = &nic->rx;
    enum { HALF_BYTES = NIC_DESCRIPTOR_BYTES / 2 };
    uint8_t half[HALF_BYTES] = {[RXD_STATUS - HALF_BYTES] = RXD_DD};
    cycle_t done;
    nic_put16(half + (RXD_LENGTH - HALF_BYTES), rx->filled_bytes);
    if (rx->stored_bytes == rx->frame_bytes) {
        half[RXD_STATUS - HALF_BYTES] |= RXD_EOP | rx->status;
        half[RXD_ERRORS - HALF_BYTES] = rx->errors;
        nic_put16(half + (RXD_CHECKSUM - HALF_BYTES), packet_checksum(nic));
        nic_put16(half + (RXD_SPECIAL - HALF_BYTES), rx->special);
    }
    if (nic_memory_write(nic, descriptor_at(nic) + HALF_BYTES, half, sizeof half, now, &done))
        go(nic, RX_FINISH, done);
    else
        fail(nic);
}

/* Half, a quarter or an eighth of the ring is left. */
static bool has_few_left(const struct nic *nic)
{
    uint32_t nr = nr_descriptors(nic), shift = (nic->held[HELD_RCTL] >> RCTL_RDMTS_SHIFT & 3) + 1;
    return nr && (nic->held[HELD_RDT] + nr - nic->held[HELD_RDH]) % nr == nr >> shift;
}

static void finish(struct nic *nic, cycle_t now)
{
    struct nic_receiver *rx = &nic->rx;
    uint32_t head = nic->held[HELD_RDH] + 1;
    nic->held[HELD_RDH] = head >= nr_descriptors(nic) ? 0 : head;
    nic->stats.descriptors_received++;
    rx->step = RX_REST;
    if (rx->stored_bytes == rx->frame_bytes) {
        rx->has_frame = false;
        nic->stats.frames_received++;
        nic->stats.bytes_received += rx->frame_bytes;
        nic_rx_done(nic, rx->frame_bytes, now);
    }
    if (has_few_left(nic))
        nic_raise(nic, CAUSE_RXDMT0, now);
    nic_rx_wake(nic, now);
}

static void step(void *opaque, cycle_t now)
{
    struct nic *nic = opaque;
    switch (nic->rx.step) {
    case RX_FETCH:
        fetch(nic, now);
        break;
    case RX_STORE:
        store(nic, now);
        break;
    case RX_REPORT:
        write_back(nic, now);
        break;
    case RX_FINISH:
        finish(nic, now);
        break;
    case RX_REST:
        break;
    }
}

void nic_rx_wake(struct nic *nic, cycle_t now)
{
    struct nic_receiver *rx = &nic->rx;
    bool has_work = rx->has_frame || rx->fifo_used_bytes;
    if (rx->step == RX_REST && has_work && !rx->has_failed && (nic->held[HELD_RCTL] & RCTL_EN) &&
        has_descriptor(nic) && nic_may_master(nic))
        go(nic, RX_FETCH, now);
}

/* ---- Frames that come by the wire ---- */

void nic_rx_arrive(struct nic *nic, const uint8_t *bytes, size_t nr_bytes, cycle_t now)
{
    uint8_t *frame = nic->rx.arriving;
    uint32_t sent_bytes = nr_bytes < ETHER_MIN_BYTES ? ETHER_MIN_BYTES : (uint32_t)nr_bytes;
    memset(frame, 0, ETHER_MIN_BYTES);
    memcpy(frame, bytes, nr_bytes);
    nic_put_crc(frame, sent_bytes);
    if (nic->phy.has_link)
        nic_rx_frame(nic, frame, sent_bytes + ETHER_CRC_BYTES, now);
}

static void arrives(void *opaque, cycle_t now)
{
    struct nic *nic = opaque;
    size_t nr_bytes;
    if (ether_wire_next(nic->params.wire) == EV_NEVER)
        return;
    const uint8_t *bytes = ether_wire_take(nic->params.wire, &nr_bytes);
    nic_rx_arrive(nic, bytes, nr_bytes, now);
    nic_rx_listen(nic, now);
}

void nic_rx_listen(struct nic *nic, cycle_t now)
{
    if (nic->held[HELD_RCTL] & RCTL_EN)
        ether_wire_enabled(nic->params.wire, now);
    cycle_t next = ether_wire_next(nic->params.wire), soonest = now + nic_cycles(nic, LEAST_NANOSECONDS);
    if (next != EV_NEVER)
        dev_schedule(nic->params.events, &nic->rx.arrival, next > soonest ? next : soonest);
    else
        ev_cancel(nic->params.events, &nic->rx.arrival);
}

/* ---- Making and resetting ---- */

bool nic_rx_init(struct nic *nic)
{
    return nic_make_event(nic, &nic->rx.event, step, "network card: receiver") &&
           nic_make_event(nic, &nic->rx.arrival, arrives, "network card: arrival");
}

void nic_rx_reset(struct nic *nic)
{
    struct nic_receiver *rx = &nic->rx;
    ev_cancel(nic->params.events, &rx->event);
    rx->step = RX_REST;
    rx->has_failed = rx->has_frame = false;
    rx->fifo_first = rx->fifo_used_bytes = 0;
}
