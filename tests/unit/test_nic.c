/*
 * The network card, driven as a driver does it, with what a guest on QEMU cannot see: the cycles of frames,
 * delays and ITR, rings that run dry, buffers that are full, memory that is not there, checksums of frames
 * that come, files. What is the same on QEMU is in tests/whole/guests/nic.c.
 */
#include "dma/nic.h"
#include "dma/pcap.h"
#include "tests/unit/board_fixture.h"
#include "tests/unit/dma_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TX_RING = 0x1000, RX_RING = 0x2000, TX_BUFFER = 0x10000, RX_BUFFERS = 0x20000, BUFFER_BYTES = 2048 };
enum { EOP_IFCS_RS = TXD_EOP | TXD_IFCS | TXD_RS, NR = 8 };
enum { GHZ = 1000000000, FRAME = 100, FRAME_CYCLES = (8 + FRAME + 4 + 12) * 8 };

struct nic_world {
    struct dma_world memory;
    struct ev_queue *events;
    struct ether_wire *wire;
    struct nic *nic;
    struct line_record irq;
    bool is_master;
    unsigned nr_aborts;
};

static bool is_master(void *opaque)
{
    return ((struct nic_world *)opaque)->is_master;
}

static void aborted(void *opaque)
{
    ((struct nic_world *)opaque)->nr_aborts++;
}

static void make_nic(struct nic_world *world, const struct ether_wire_params *wire)
{
    struct diag diag;
    diag_init(&diag);
    *world = (struct nic_world){.is_master = true, .events = ev_queue_create()};
    make_dma_world(&world->memory, NULL);
    struct ether_wire_params params = *wire;
    params.cpu_hz = GHZ;
    world->wire = ether_wire_open(&params, &diag);
    cr_assert_not_null(world->wire);
    struct nic_params nic = {.events = world->events,
                             .memory = world->memory.memory,
                             .wire = world->wire,
                             .cpu_hz = GHZ,
                             .speed = NIC_SPEED_1000,
                             .path = plain_master(),
                             .irq = recording_line(&world->irq),
                             .is_master = is_master,
                             .aborted = aborted,
                             .opaque = world};
    nic.path.bytes_per_cycle = 16;
    world->nic = nic_create(&nic);
    cr_assert_not_null(world->nic);
    diag_fini(&diag);
}

static void destroy_nic(struct nic_world *world)
{
    nic_destroy(world->nic);
    ether_wire_close(world->wire);
    destroy_dma_world(&world->memory);
    ev_queue_destroy(world->events);
}

static void set(const struct nic_world *world, uint64_t offset, uint32_t value)
{
    nic_write(world->nic, offset, value);
}

static uint32_t get(const struct nic_world *world, uint64_t offset)
{
    return nic_read(world->nic, offset);
}

static void wait_until(const struct nic_world *world, cycle_t when)
{
    ev_run(world->events, when);
}

static uint8_t *at(const struct nic_world *world, uint64_t where)
{
    return world->memory.ram.host + where;
}

/* What a receive descriptor says of its buffer: length, status, errors. */
static uint32_t length_of(const struct nic_world *world, unsigned i)
{
    const uint8_t *descriptor = at(world, RX_RING + i * NIC_DESCRIPTOR_BYTES);
    return descriptor[RXD_LENGTH] | (uint32_t)descriptor[RXD_LENGTH + 1] << 8;
}

static uint8_t status_of(const struct nic_world *world, unsigned i)
{
    return at(world, RX_RING + i * NIC_DESCRIPTOR_BYTES)[RXD_STATUS];
}

static uint8_t errors_of(const struct nic_world *world, unsigned i)
{
    return at(world, RX_RING + i * NIC_DESCRIPTOR_BYTES)[RXD_ERRORS];
}

static void put_descriptor(const struct nic_world *world, uint64_t ring, unsigned i, uint64_t low,
                           uint64_t high)
{
    memcpy(at(world, ring + i * NIC_DESCRIPTOR_BYTES), &low, sizeof low);
    memcpy(at(world, ring + i * NIC_DESCRIPTOR_BYTES) + 8, &high, sizeof high);
}

/* The first `nr_rx` buffers are the receiver's. */
static void make_rings(const struct nic_world *world, unsigned nr_rx, uint32_t rctl)
{
    for (unsigned i = 0; i < NR; i++)
        put_descriptor(world, RX_RING, i, RX_BUFFERS + i * BUFFER_BYTES, 0);
    set(world, NIC_RDBAL, RX_RING);
    set(world, NIC_RDLEN, NR * NIC_DESCRIPTOR_BYTES);
    set(world, NIC_RDT, nr_rx);
    set(world, NIC_TDBAL, TX_RING);
    set(world, NIC_TDLEN, NR * NIC_DESCRIPTOR_BYTES);
    set(world, NIC_RCTL, RCTL_EN | rctl);
    set(world, NIC_TCTL, TCTL_EN | TCTL_PSP);
}

static void fill_frame(uint8_t *frame, uint32_t nr_bytes)
{
    static const uint8_t header[ETHER_HEADER_BYTES] = {0x52, 0x54, 0,    0x12, 0x34, 0x56, 0x52,
                                                       0x54, 0,    0x12, 0x34, 0x56, 0x88, 0xb5};
    for (uint32_t i = 0; i < nr_bytes; i++)
        frame[i] = (uint8_t)(i < ETHER_HEADER_BYTES ? header[i] : i * 5);
}

/* Legacy descriptors from number `first` on, each a frame of FRAME bytes. */
static void send_frames(const struct nic_world *world, unsigned first, unsigned nr, uint32_t more)
{
    fill_frame(at(world, TX_BUFFER), FRAME);
    for (unsigned i = first; i < first + nr; i++)
        put_descriptor(world, TX_RING, i % NR, TX_BUFFER, FRAME | (uint64_t)(EOP_IFCS_RS | more) << 24);
    set(world, NIC_TDT, (first + nr) % NR);
}

/* 100 bytes in seven accesses of 16 a cycle, a descriptor in one, 8 bytes in one more. */
Test(nic, takes_its_time)
{
    struct nic_world world;
    make_nic(&world, &(struct ether_wire_params){.kind = ETHER_WIRE_LOOPBACK});
    make_rings(&world, NR - 1, RCTL_SECRC);
    send_frames(&world, 0, 2, 0);
    enum { FETCHED = 1, MOVED = FETCHED + 4 + 3, ON_WIRE = MOVED, CROSSED = ON_WIRE + FRAME_CYCLES };
    wait_until(&world, ON_WIRE);
    cr_assert_eq(nic_stats(world.nic)->frames_sent, 1);
    wait_until(&world, CROSSED - 1);
    cr_assert_eq(nic_stats(world.nic)->frames_sent, 1, "the wire is not free");
    cr_assert_eq(status_of(&world, 0), 0);
    wait_until(&world, CROSSED + 20);
    cr_assert_eq(nic_stats(world.nic)->frames_sent, 2);
    cr_assert_eq(status_of(&world, 0) & (RXD_DD | RXD_EOP), RXD_DD | RXD_EOP);
    cr_assert_eq(length_of(&world, 0), FRAME);
    cr_assert_eq(memcmp(at(&world, RX_BUFFERS), at(&world, TX_BUFFER), FRAME), 0);
    destroy_nic(&world);
}

Test(nic, rests_where_there_is_no_descriptor)
{
    struct nic_world world;
    make_nic(&world, &(struct ether_wire_params){.kind = ETHER_WIRE_LOOPBACK});
    make_rings(&world, 2, RCTL_SECRC);
    send_frames(&world, 0, 5, 0);
    wait_until(&world, 100000);
    cr_assert_eq(get(&world, NIC_RDH), 2);
    cr_assert_eq(get(&world, NIC_STATISTICS + 0xa0), 3, "RNBC: of five two found one");
    cr_assert_eq(get(&world, NIC_ICR) & CAUSE_RXO, 0, "they are in the card's buffer");
    set(&world, NIC_RDT, 5);
    wait_until(&world, 200000);
    cr_assert_eq(get(&world, NIC_RDH), 5, "and come when there are descriptors");
    cr_assert_eq(nic_stats(world.nic)->frames_received, 5);
    destroy_nic(&world);
}

Test(nic, loses_what_finds_no_room)
{
    struct nic_world world;
    make_nic(&world, &(struct ether_wire_params){.kind = ETHER_WIRE_LOOPBACK});
    make_rings(&world, 0, RCTL_SECRC);
    set(&world, NIC_PBA, 1);
    for (unsigned i = 0; i < 12; i++) {
        send_frames(&world, i, 1, 0);
        wait_until(&world, (i + 1) * 10000);
    }
    enum { KEPT = 1024 / (FRAME + 4 + 4) };
    cr_assert_eq(nic_stats(world.nic)->frames_missed, 12 - KEPT);
    cr_assert_eq(get(&world, NIC_STATISTICS + 0x10), 12 - KEPT, "MPC");
    cr_assert_eq(get(&world, NIC_ICR) & CAUSE_RXO, CAUSE_RXO);
    destroy_nic(&world);
}

Test(nic, says_when_few_are_left)
{
    struct nic_world world;
    make_nic(&world, &(struct ether_wire_params){.kind = ETHER_WIRE_LOOPBACK});
    make_rings(&world, 4, RCTL_SECRC | 1 << RCTL_RDMTS_SHIFT);
    send_frames(&world, 0, 1, 0);
    wait_until(&world, 10000);
    cr_assert_eq(get(&world, NIC_ICR) & CAUSE_RXDMT0, 0, "three of eight");
    send_frames(&world, 1, 1, 0);
    wait_until(&world, 20000);
    cr_assert_eq(get(&world, NIC_ICR) & CAUSE_RXDMT0, CAUSE_RXDMT0, "a quarter");
    destroy_nic(&world);
}

Test(nic, delays_and_throttles_interrupts)
{
    struct nic_world world;
    make_nic(&world, &(struct ether_wire_params){.kind = ETHER_WIRE_LOOPBACK});
    make_rings(&world, NR - 1, RCTL_SECRC);
    set(&world, NIC_RDTR, 20);
    set(&world, NIC_RADV, 30);
    set(&world, NIC_IMS, CAUSE_RXT0);
    enum { RDTR_CYCLES = 20 * 1024, RADV_CYCLES = 30 * 1024 };
    for (unsigned i = 0; i < 4; i++) { /* each before the delay of the last is over */
        send_frames(&world, i, 1, 0);
        wait_until(&world, (i + 1) * 7000);
    }
    cr_assert_eq(world.irq.level, 0);
    wait_until(&world, RADV_CYCLES + FRAME_CYCLES + 50);
    cr_assert_eq(world.irq.level, 1, "the absolute delay");
    cr_assert_eq(get(&world, NIC_ICR) & CAUSE_RXT0, CAUSE_RXT0);
    wait_until(&world, 100000);
    cr_assert_eq(get(&world, NIC_ICR) & CAUSE_RXT0, 0, "which ends the other one");
    set(&world, NIC_RDTR, RDTR_FPD | 20);
    cr_assert_eq(get(&world, NIC_ICR) & CAUSE_RXT0, CAUSE_RXT0, "at once");
    uint64_t nr = nic_stats(world.nic)->interrupts;
    set(&world, NIC_ITR, 1000);
    set(&world, NIC_ICS, CAUSE_RXT0);
    cr_assert_eq(world.irq.level, 0, "256 microseconds since the last have not passed");
    wait_until(&world, 100000 + 256000 - 1);
    cr_assert_eq(world.irq.level, 0);
    wait_until(&world, 100000 + 256000);
    cr_assert_eq(world.irq.level, 1);
    cr_assert_eq(nic_stats(world.nic)->interrupts, nr + 1);
    cr_assert_eq(nic_stats(world.nic)->interrupts_throttled, 1);
    destroy_nic(&world);
}

Test(nic, delays_transmit_interrupts)
{
    struct nic_world world;
    make_nic(&world, &(struct ether_wire_params){.kind = ETHER_WIRE_SILENT});
    make_rings(&world, 0, 0);
    set(&world, NIC_TIDV, 10);
    send_frames(&world, 0, 1, TXD_IDE);
    wait_until(&world, 10 * 1024);
    cr_assert_eq(get(&world, NIC_ICR) & (CAUSE_TXDW | CAUSE_TXQE), CAUSE_TXQE);
    wait_until(&world, 10 * 1024 + 20);
    cr_assert_eq(get(&world, NIC_ICR), CAUSE_TXDW);
    send_frames(&world, 1, 1, 0);
    wait_until(&world, 20000);
    cr_assert_eq(get(&world, NIC_ICR) & CAUSE_TXDW, CAUSE_TXDW, "without IDE");
    destroy_nic(&world);
}

Test(nic, waits_for_the_bus_and_stops_at_holes)
{
    struct nic_world world;
    make_nic(&world, &(struct ether_wire_params){.kind = ETHER_WIRE_LOOPBACK});
    world.is_master = false;
    make_rings(&world, NR - 1, RCTL_SECRC);
    send_frames(&world, 0, 1, 0);
    wait_until(&world, 10000);
    cr_assert_eq(get(&world, NIC_TDH), 0);
    world.is_master = true;
    nic_master_changed(world.nic);
    wait_until(&world, 20000);
    cr_assert_eq(get(&world, NIC_RDH), 1);
    put_descriptor(&world, TX_RING, 1, DMA_RAM_BYTES, FRAME | (uint64_t)EOP_IFCS_RS << 24);
    set(&world, NIC_TDT, 2);
    wait_until(&world, 30000);
    cr_assert_eq(get(&world, NIC_TDH), 1, "there is no memory");
    cr_assert_eq(world.nr_aborts, 1);
    cr_assert_eq(nic_stats(world.nic)->failures, 1);
    send_frames(&world, 1, 2, 0);
    wait_until(&world, 40000);
    cr_assert_eq(get(&world, NIC_TDH), 1, "it has stopped");
    set(&world, NIC_TCTL, 0);
    set(&world, NIC_TCTL, TCTL_EN);
    wait_until(&world, 50000);
    cr_assert_eq(get(&world, NIC_TDH), 3);
    cr_assert_eq(nic_stats(world.nic)->frames_received, 3);
    destroy_nic(&world);
}

Test(nic, waits_for_a_link)
{
    struct nic_world world;
    make_nic(&world, &(struct ether_wire_params){.kind = ETHER_WIRE_UNPLUGGED});
    make_rings(&world, NR - 1, RCTL_SECRC);
    cr_assert_eq(get(&world, NIC_STATUS) & STATUS_LU, 0);
    send_frames(&world, 0, 1, 0);
    wait_until(&world, 10000);
    cr_assert_eq(get(&world, NIC_TDH), 0);
    set(&world, NIC_RCTL, RCTL_EN | RCTL_SECRC | RCTL_LBM_MAC);
    wait_until(&world, 20000);
    cr_assert_eq(nic_stats(world.nic)->frames_received, 1, "the loop inside needs none");
    destroy_nic(&world);
    make_nic(&world, &(struct ether_wire_params){.kind = ETHER_WIRE_SILENT});
    cr_assert_eq(get(&world, NIC_STATUS) & STATUS_LU, STATUS_LU);
    set(&world, NIC_MDIC, MDIC_WRITE | 1 << MDIC_PHY_SHIFT | 0x1340); /* negotiate anew */
    wait_until(&world, 25600);
    cr_assert_eq(get(&world, NIC_STATUS) & STATUS_LU, 0);
    cr_assert_eq(get(&world, NIC_ICR), CAUSE_LSC);
    wait_until(&world, 25600 + 1000000);
    cr_assert_eq(get(&world, NIC_STATUS) & STATUS_LU, STATUS_LU);
    cr_assert_eq(get(&world, NIC_ICR), CAUSE_LSC);
    destroy_nic(&world);
}

Test(nic, drops_what_is_too_long)
{
    struct nic_world world;
    make_nic(&world, &(struct ether_wire_params){.kind = ETHER_WIRE_LOOPBACK});
    make_rings(&world, NR - 1, RCTL_SECRC);
    fill_frame(at(&world, TX_BUFFER), 1519);
    put_descriptor(&world, TX_RING, 0, TX_BUFFER, 1518 | (uint64_t)EOP_IFCS_RS << 24);
    put_descriptor(&world, TX_RING, 1, TX_BUFFER, 1519 | (uint64_t)EOP_IFCS_RS << 24);
    put_descriptor(&world, TX_RING, 2, TX_BUFFER, 16000 | (uint64_t)TXD_RS << 24);
    put_descriptor(&world, TX_RING, 3, TX_BUFFER, 289 | (uint64_t)EOP_IFCS_RS << 24);
    set(&world, NIC_TDT, 4);
    wait_until(&world, 1000000);
    cr_assert_eq(get(&world, NIC_TDH), 4);
    cr_assert_eq(nic_stats(world.nic)->frames_sent, 2, "16289 bytes are not sent");
    cr_assert_eq(nic_stats(world.nic)->frames_received, 1, "1523 with the check sequence");
    cr_assert_eq(get(&world, NIC_STATISTICS + 0xac), 1, "ROC");
    set(&world, NIC_RCTL, RCTL_EN | RCTL_SECRC | RCTL_LPE);
    put_descriptor(&world, TX_RING, 4, TX_BUFFER, 16288 | (uint64_t)EOP_IFCS_RS << 24);
    set(&world, NIC_TDT, 5);
    wait_until(&world, 2000000);
    cr_assert_eq(nic_stats(world.nic)->frames_received, 1, "of eight buffers for it six are there");
    cr_assert_eq(get(&world, NIC_RDH), 7);
    set(&world, NIC_RDT, 2);
    wait_until(&world, 2100000);
    cr_assert_eq(nic_stats(world.nic)->frames_received, 2);
    cr_assert_eq(get(&world, NIC_RDH), 1);
    cr_assert_eq(length_of(&world, 7), BUFFER_BYTES);
    cr_assert_eq(length_of(&world, 0), 16288 - 7 * BUFFER_BYTES);
    destroy_nic(&world);
}

/* ---- What comes over the wire ---- */

static void put_be(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

/* RFC 1071, written for this test: all words added, and the carries at the end. */
static uint16_t naive_sum(const uint8_t *bytes, uint32_t nr_bytes, uint64_t sum)
{
    for (uint32_t i = 0; i < nr_bytes; i++)
        sum += i % 2 ? bytes[i] : bytes[i] * UINT64_C(256);
    return (uint16_t)(sum % 65535 ? sum % 65535 : sum ? 65535 : 0);
}

enum {
    IP_AT = ETHER_HEADER_BYTES,
    PAYLOAD_AT = IP_AT + 20,
    PAYLOAD_BYTES = 61,
    IP_FRAME = PAYLOAD_AT + PAYLOAD_BYTES
};

static void fill_ip_frame(uint8_t *frame, uint8_t protocol, uint32_t sum_at)
{
    static const uint8_t header[20] = {0x45, 0, 0, 0, 0, 1, 0, 0, 64, 0, 0, 0, 10, 0, 2, 2, 10, 0, 2, 15};
    fill_frame(frame, IP_FRAME);
    put_be(frame + 12, 0x0800);
    memcpy(frame + IP_AT, header, sizeof header);
    put_be(frame + IP_AT + 2, 20 + PAYLOAD_BYTES);
    frame[IP_AT + 9] = protocol;
    put_be(frame + IP_AT + 10, ~naive_sum(frame + IP_AT, 20, 0));
    put_be(frame + sum_at, 0);
    uint64_t pseudo = naive_sum(frame + IP_AT + 12, 8, 0) + UINT64_C(1) * protocol + PAYLOAD_BYTES;
    put_be(frame + sum_at, ~naive_sum(frame + PAYLOAD_AT, PAYLOAD_BYTES, pseudo));
}

enum { NR_CASES = 8 };

/* Good TCP and UDP, a bit of each sum wrong, UDP without a sum, a fragment, no IP. */
static void make_case(uint8_t *frame, unsigned which)
{
    bool is_tcp = which == 0 || which == 2;
    fill_ip_frame(frame, is_tcp ? 6 : 17, PAYLOAD_AT + (is_tcp ? 16 : 6));
    frame[IP_FRAME - 1] ^= which == 2 || which == 3;
    frame[IP_AT + 8] ^= which == 4;
    if (which == 5)
        put_be(frame + PAYLOAD_AT + 6, 0);
    if (which == 6) {
        put_be(frame + IP_AT + 6, 0x2000);
        put_be(frame + IP_AT + 10, 0);
        put_be(frame + IP_AT + 10, ~naive_sum(frame + IP_AT, 20, 0));
    }
    frame[13] ^= which == 7;
}

static const struct {
    uint8_t status, errors;
} verdicts[NR_CASES] = {
    {RXD_IPCS | RXD_TCPCS, 0},
    {RXD_IPCS | RXD_TCPCS, 0},
    {RXD_IPCS | RXD_TCPCS, RXD_TCPE},
    {RXD_IPCS | RXD_TCPCS, RXD_TCPE},
    {RXD_IPCS | RXD_TCPCS, RXD_IPE},
    {RXD_IPCS, 0},
    {RXD_IPCS, 0},
    {RXD_IXSM, 0},
};

/* A capture with the cases, 1 ms apart, under a temporary name. */
static void write_capture(char *name)
{
    int fd = mkstemp(name);
    cr_assert_geq(fd, 0);
    FILE *to = fdopen(fd, "wb");
    cr_assert(pcap_write_head(to));
    for (unsigned i = 0; i < NR_CASES; i++) {
        uint8_t frame[IP_FRAME];
        make_case(frame, i);
        cr_assert(pcap_write_frame(to, frame, sizeof frame, 7, i * 1000000));
    }
    fclose(to);
}

Test(nic, checks_sums_of_what_comes)
{
    struct nic_world world;
    char name[] = "/tmp/test_nic.XXXXXX";
    write_capture(name);
    make_nic(&world, &(struct ether_wire_params){.received = name, .first = ETHER_WIRE_WHEN_ENABLED});
    unlink(name);
    wait_until(&world, 500);
    make_rings(&world, NR - 1, RCTL_SECRC);
    set(&world, NIC_RXCSUM, RXCSUM_IPOFLD | RXCSUM_TUOFLD | PAYLOAD_AT);
    for (unsigned i = 0; i < NR_CASES; i++) {
        uint8_t frame[IP_FRAME], *descriptor = at(&world, RX_RING + i * NIC_DESCRIPTOR_BYTES);
        make_case(frame, i);
        wait_until(&world, 500 + i * 1000000 - (i != 0));
        cr_assert_eq(status_of(&world, i), 0, "case %u came too early", i);
        wait_until(&world, 500 + i * 1000000 + 50);
        cr_assert_eq(status_of(&world, i), RXD_DD | RXD_EOP | verdicts[i].status, "case %u", i);
        cr_assert_eq(errors_of(&world, i), verdicts[i].errors, "case %u", i);
        cr_assert_eq(length_of(&world, i), IP_FRAME);
        uint16_t sum = (uint16_t)(descriptor[RXD_CHECKSUM] | descriptor[RXD_CHECKSUM + 1] << 8);
        cr_assert_eq((uint16_t)~sum, naive_sum(frame + PAYLOAD_AT, PAYLOAD_BYTES, 0), "case %u", i);
        set(&world, NIC_RDT, i);
    }
    destroy_nic(&world);
}

/* With bit 0 of a byte changed, and without a check sequence of the card's. */
Test(nic, finds_damage)
{
    struct nic_world world;
    make_nic(&world, &(struct ether_wire_params){.kind = ETHER_WIRE_LOOPBACK});
    make_rings(&world, NR - 1, 0);
    send_frames(&world, 0, 1, 0);
    wait_until(&world, 10000);
    cr_assert_eq(length_of(&world, 0), FRAME + ETHER_CRC_BYTES, "it is not stripped");
    memcpy(at(&world, TX_BUFFER), at(&world, RX_BUFFERS), FRAME + ETHER_CRC_BYTES);
    uint64_t bare = (FRAME + ETHER_CRC_BYTES) | (uint64_t)(TXD_EOP | TXD_RS) << 24;
    put_descriptor(&world, TX_RING, 1, TX_BUFFER, bare);
    set(&world, NIC_TDT, 2);
    wait_until(&world, 20000);
    cr_assert_eq(nic_stats(world.nic)->frames_received, 2);
    at(&world, TX_BUFFER)[50] ^= 1;
    put_descriptor(&world, TX_RING, 2, TX_BUFFER, bare);
    set(&world, NIC_TDT, 3);
    wait_until(&world, 30000);
    cr_assert_eq(nic_stats(world.nic)->frames_received, 2);
    cr_assert_eq(get(&world, NIC_STATISTICS), 1, "CRCERRS");
    set(&world, NIC_RCTL, RCTL_EN | RCTL_SBP);
    put_descriptor(&world, TX_RING, 3, TX_BUFFER, bare);
    set(&world, NIC_TDT, 4);
    wait_until(&world, 40000);
    cr_assert_eq(nic_stats(world.nic)->frames_received, 3);
    cr_assert_eq(errors_of(&world, 2), RXD_CE);
    destroy_nic(&world);
}

Test(nic, filters_and_strips_tags)
{
    struct nic_world world;
    make_nic(&world, &(struct ether_wire_params){.kind = ETHER_WIRE_LOOPBACK});
    make_rings(&world, NR - 1, RCTL_SECRC | RCTL_VFE);
    for (uint32_t i = 0; i < 2; i++) {
        fill_frame(at(&world, TX_BUFFER), FRAME);
        memcpy(at(&world, TX_BUFFER + 12), "\x81\x00\x60\x2a", 4); /* priority 3, number 42 */
        put_descriptor(&world, TX_RING, i, TX_BUFFER, FRAME | (uint64_t)EOP_IFCS_RS << 24);
        set(&world, NIC_TDT, i + 1);
        wait_until(&world, (i + 1) * 10000);
        cr_assert_eq(get(&world, NIC_RDH), i, "only when its number is in the filter");
        set(&world, NIC_VFTA + 4, 1 << (42 - 32));
        set(&world, NIC_CTRL, get(&world, NIC_CTRL) | CTRL_VME);
    }
    const uint8_t *descriptor = at(&world, RX_RING);
    cr_assert_eq(status_of(&world, 0) & (RXD_DD | RXD_VP), RXD_DD | RXD_VP);
    cr_assert_eq(descriptor[RXD_SPECIAL] | descriptor[RXD_SPECIAL + 1] << 8, 0x602a);
    cr_assert_eq(length_of(&world, 0), FRAME - 4);
    cr_assert_eq(memcmp(at(&world, RX_BUFFERS), at(&world, TX_BUFFER), 12), 0);
    cr_assert_eq(memcmp(at(&world, RX_BUFFERS + 12), at(&world, TX_BUFFER + 16), FRAME - 16), 0);
    destroy_nic(&world);
}

Test(nic, puts_tags_in)
{
    struct nic_world world;
    make_nic(&world, &(struct ether_wire_params){.kind = ETHER_WIRE_LOOPBACK});
    make_rings(&world, NR - 1, RCTL_SECRC);
    set(&world, NIC_CTRL, get(&world, NIC_CTRL) | CTRL_VME);
    fill_frame(at(&world, TX_BUFFER), FRAME);
    uint64_t tagged = FRAME | (uint64_t)(EOP_IFCS_RS | TXD_VLE) << 24 | UINT64_C(0x602a) << 48;
    put_descriptor(&world, TX_RING, 0, TX_BUFFER, tagged);
    set(&world, NIC_TDT, 1);
    wait_until(&world, 100);
    set(&world, NIC_CTRL, get(&world, NIC_CTRL) & ~(uint32_t)CTRL_VME); /* it stays in when it comes back */
    wait_until(&world, 10000);
    cr_assert_eq(length_of(&world, 0), FRAME + 4);
    cr_assert_eq(memcmp(at(&world, RX_BUFFERS), at(&world, TX_BUFFER), 12), 0);
    cr_assert_eq(memcmp(at(&world, RX_BUFFERS + 12), "\x81\x00\x60\x2a", 4), 0);
    cr_assert_eq(memcmp(at(&world, RX_BUFFERS + 16), at(&world, TX_BUFFER + 12), FRAME - 12), 0);
    put_descriptor(&world, TX_RING, 1, TX_BUFFER, tagged);
    set(&world, NIC_TDT, 2);
    wait_until(&world, 20000);
    cr_assert_eq(length_of(&world, 1), FRAME, "not without CTRL.VME");
    destroy_nic(&world);
}

/* A guest writes its EEPROM by wires, which need leave to do so. */
static void clock_bits(const struct nic_world *world, uint32_t bits, unsigned nr)
{
    for (unsigned i = nr; i-- > 0;) {
        uint32_t wires = EECD_CS | (bits >> i & 1 ? EECD_DI : 0);
        set(world, NIC_EECD, wires);
        set(world, NIC_EECD, wires | EECD_SK);
    }
}

static void eeprom_command(const struct nic_world *world, uint32_t bits, unsigned nr)
{
    set(world, NIC_EECD, EECD_CS);
    clock_bits(world, bits, nr);
    set(world, NIC_EECD, 0);
}

static uint32_t eeprom_word(const struct nic_world *world, uint32_t address)
{
    set(world, NIC_EERD, address << EERD_ADDRESS_SHIFT | EERD_START);
    cr_assert_eq(get(world, NIC_EERD) & EERD_DONE, 0, "it takes time");
    wait_until(world, ev_now(world->events) + 25000);
    cr_assert_eq(get(world, NIC_EERD) & EERD_DONE, EERD_DONE);
    return get(world, NIC_EERD) >> EERD_DATA_SHIFT;
}

Test(nic, writes_its_eeprom)
{
    enum {
        WRITE_20H = 5 << 6 | 0x20,
        ENABLE = 0x130,
        DISABLE = 0x100,
        ERASE_20H = 7 << 6 | 0x20,
        ERASE_ALL = 0x120
    };
    struct nic_world world;
    make_nic(&world, &(struct ether_wire_params){.kind = ETHER_WIRE_SILENT});
    eeprom_command(&world, WRITE_20H << 16 | 0x1234, 25);
    cr_assert_eq(eeprom_word(&world, 0x20), 0xffff, "not without leave");
    eeprom_command(&world, ENABLE, 9);
    eeprom_command(&world, WRITE_20H << 16 | 0x1234, 25);
    cr_assert_eq(eeprom_word(&world, 0x20), 0x1234);
    eeprom_command(&world, ERASE_20H, 9);
    cr_assert_eq(eeprom_word(&world, 0x20), 0xffff);
    eeprom_command(&world, DISABLE, 9);
    eeprom_command(&world, ERASE_ALL, 9);
    cr_assert_eq(eeprom_word(&world, 0), 0x5452);
    eeprom_command(&world, ENABLE, 9);
    eeprom_command(&world, ERASE_ALL, 9);
    cr_assert_eq(eeprom_word(&world, 0), 0xffff);
    destroy_nic(&world);
}
