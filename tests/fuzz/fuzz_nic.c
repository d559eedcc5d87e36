/*
 * The network card: the bytes are what a driver does to its registers and puts into memory, frames of a
 * capture file that come, and time that passes. The first byte chooses the cable, and whether the rest
 * begins with the file.
 */
#include "dma/nic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    RAM_BYTES = 1 << 20,
    STEP_BYTES = 8,
    MAX_STEPS = 2000,
    HOLE_PAGE = 0xa0,
    MAX_CYCLES = 0xffff,
    NR = 16
};
enum { TX_RING = 0x1000, RX_RING = 0x2000, NAME_CHARS = 32 };
enum {
    HAS_FILE = 4,
    IS_SLOW = 8,
    IS_DAMAGED = 16,
    IS_CUT = 32,
    MAX_FILE_BYTES = 200
}; /* of the first byte */
enum step { WRITE_ANY, READ_ANY, WRITE_NAMED, WRITE_WORD, WAIT, BEGIN, SEND, RECEIVE, NR_STEPS };

struct world {
    struct ram ram;
    struct ev_queue *events;
    struct dma_memory *memory;
    struct ether_wire *wire; /* NULL: the file was none */
    struct nic *nic;
    char name[NAME_CHARS];
    bool is_master;
};

static bool is_ram(void *opaque, struct paddr page)
{
    (void)opaque;
    return page.v >> PAGE_SHIFT != HOLE_PAGE;
}

static void changed(void *opaque, struct paddr at, uint64_t size_bytes)
{
    if (!ram_has(&((const struct world *)opaque)->ram, at, size_bytes))
        abort();
}

static bool is_master(void *opaque)
{
    return ((struct world *)opaque)->is_master;
}

/*
 * A head, and records whose frames are the bytes: each byte in front says how long and when; perhaps
 * damaged.
 */
static size_t make_capture(uint8_t *file, uint8_t kind, const uint8_t *bytes, size_t nr_bytes)
{
    static const uint8_t head[24] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, [20] = 1};
    size_t at = sizeof head;
    memcpy(file, head, sizeof head);
    for (uint8_t time = 0; nr_bytes > 1;) {
        size_t length = 14 + bytes[0] % 64;
        uint8_t record[16] = {[4] = time += bytes[0], [8] = (uint8_t)length, [12] = (uint8_t)length};
        memcpy(file + at, record, sizeof record);
        memset(file + at + sizeof record, bytes[1], length);
        memcpy(file + at + sizeof record, bytes + 1, length < nr_bytes - 1 ? length : nr_bytes - 1);
        at += sizeof record + length;
        size_t used = length + 1 < nr_bytes ? length + 1 : nr_bytes;
        nr_bytes -= used;
        bytes += used;
    }
    if (kind & IS_DAMAGED)
        file[kind * 7u % at] ^= kind;
    return kind & IS_CUT ? at - kind % 20u : at;
}

static int open_capture(uint8_t kind, const uint8_t *bytes, size_t nr_bytes)
{
    uint8_t file[4 * MAX_FILE_BYTES];
    int fd = memfd_create("capture", 0);
    size_t file_bytes = make_capture(file, kind, bytes, nr_bytes);
    if (fd < 0 || write(fd, file, file_bytes) != (ssize_t)file_bytes)
        abort();
    return fd;
}

/* NULL: the file was no capture. */
static void make_wire(struct world *world, uint8_t kind, const uint8_t *file, size_t nr_bytes)
{
    struct diag diag;
    int fd = kind & HAS_FILE ? open_capture(kind, file, nr_bytes) : -1;
    snprintf(world->name, sizeof world->name, "/proc/self/fd/%d", fd);
    diag_init(&diag);
    const struct ether_wire_params params = {.kind = (enum ether_wire_kind)((kind & 3)),
                                             .received = fd >= 0 ? world->name : NULL,
                                             .first = ETHER_WIRE_WHEN_ENABLED,
                                             .cpu_hz = 1000000000};
    world->wire = ether_wire_open(&params, &diag);
    if (!world->wire && (diag.status != EXIT_STATUS_BAD_DATA || !(kind & (IS_DAMAGED | IS_CUT))))
        abort();
    diag_fini(&diag);
    if (fd >= 0)
        close(fd);
}

static void make_world(struct world *world, uint8_t kind)
{
    world->events = ev_queue_create();
    world->is_master = true;
    if (!world->events || !ram_init(&world->ram, RAM_BYTES))
        abort();
    world->memory = dma_memory_create(&(struct dma_memory_params){
        .ram = &world->ram, .is_ram = is_ram, .written = changed, .opaque = world, .line_bytes = 64});
    struct nic_params params = {.events = world->events,
                                .memory = world->memory,
                                .wire = world->wire,
                                .cpu_hz = 1000000000,
                                .speed = kind & IS_SLOW ? NIC_SPEED_100 : NIC_SPEED_1000,
                                .is_master = is_master,
                                .opaque = world};
    params.path = (struct dma_master_params){
        .address_bits = 64, .bytes_per_cycle = 64, .burst_bytes = 4096, .bursts_in_flight = 1};
    world->nic = nic_create(&params);
    if (!world->nic)
        abort();
}

static void put64(struct world *world, uint64_t at, uint64_t value)
{
    memcpy(world->ram.host + at, &value, sizeof value);
}

/* What chance would seldom find: rings, and both halves enabled. */
static void begin(struct world *world, uint32_t value)
{
    for (uint32_t i = 0; i < NR; i++)
        put64(world, RX_RING + i * NIC_DESCRIPTOR_BYTES, 0x40000 + i * (value & 0xfff));
    nic_write(world->nic, NIC_TDBAL, TX_RING);
    nic_write(world->nic, NIC_TDLEN, NR * NIC_DESCRIPTOR_BYTES);
    nic_write(world->nic, NIC_RDBAL, RX_RING);
    nic_write(world->nic, NIC_RDLEN, NR * NIC_DESCRIPTOR_BYTES);
    nic_write(world->nic, NIC_RXCSUM, value >> 8);
    nic_write(world->nic, NIC_RCTL, RCTL_EN | RCTL_UPE | RCTL_MPE | (value & 0x06fffffe));
    nic_write(world->nic, NIC_TCTL, TCTL_EN | (value & TCTL_PSP));
}

/* A descriptor of any kind at the tail, with small numbers, and the tail moves on. */
static void send(struct world *world, const uint8_t *bytes, uint32_t value)
{
    uint32_t tail = nic_read(world->nic, NIC_TDT) % NR;
    uint64_t at = TX_RING + tail * UINT64_C(16), where = 0x10000 + bytes[1] * 16u, high = value;
    bool is_context = bytes[2] & 0x40;
    if (is_context)
        where = (uint64_t)value << 32 | (bytes[1] & 63u) | (bytes[3] & 63u) << 8;
    high = (uint64_t)bytes[2] << 24 | (is_context ? value & 0xfff : (value & 0x7fff) | 1u << 20) |
           (uint64_t)(value >> 8) << 40;
    put64(world, at, where);
    put64(world, at + 8, high);
    nic_write(world->nic, NIC_TDT, (tail + 1) % NR);
}

/* One step of eight bytes: what, three small ones, a value. */
static void take_step(struct world *world, const uint8_t *bytes)
{
    static const uint32_t named[] = {
        NIC_CTRL,  NIC_CTRL_EXT, NIC_EECD,  NIC_EERD, NIC_MDIC,   NIC_ICR,    NIC_ICS,   NIC_IMS,   NIC_IMC,
        NIC_ITR,   NIC_RCTL,     NIC_TCTL,  NIC_PBA,  NIC_RDH,    NIC_RDT,    NIC_RDTR,  NIC_RADV,  NIC_RSRPD,
        NIC_TDH,   NIC_TDT,      NIC_TIDV,  NIC_TADV, NIC_TXDCTL, NIC_VET,    NIC_RDLEN, NIC_TDLEN, NIC_RDBAL,
        NIC_TDBAL, NIC_RDBAH,    NIC_TDBAH, NIC_MTA,  NIC_VFTA,   NIC_RXCSUM, NIC_RA,    NIC_STATUS};
    uint32_t value;
    memcpy(&value, bytes + 4, sizeof value);
    uint64_t any =
        (bytes[1] | (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3] << 16) % NIC_REGISTERS_BYTES & ~3u;
    switch (bytes[0] % NR_STEPS) {
    case WRITE_ANY:
        nic_write(world->nic, any & 0x7ffc, value);
        break;
    case READ_ANY:
        nic_read(world->nic, any);
        break;
    case WRITE_NAMED:
        nic_write(world->nic, named[bytes[1] % (sizeof named / sizeof *named)], value);
        world->is_master = bytes[2] != 0xff;
        nic_master_changed(world->nic);
        break;
    case WRITE_WORD:
        put64(world, TX_RING + any % 0x2000u, value);
        break;
    case WAIT:
        ev_run(world->events, ev_now(world->events) + (value & MAX_CYCLES));
        break;
    case BEGIN:
        begin(world, value);
        break;
    case SEND:
        send(world, bytes, value);
        break;
    default:
        nic_write(world->nic, NIC_RDT, bytes[1] % NR);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nr_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nr_bytes)
{
    struct world world = {0};
    if (nr_bytes < 2)
        return 0;
    size_t file_bytes = bytes[0] & HAS_FILE ? bytes[1] % MAX_FILE_BYTES : 0;
    file_bytes = file_bytes < nr_bytes - 2 ? file_bytes : nr_bytes - 2;
    make_wire(&world, bytes[0], bytes + 2, file_bytes);
    if (!world.wire)
        return 0;
    make_world(&world, bytes[0]);
    for (size_t i = 2 + file_bytes; i + STEP_BYTES <= nr_bytes && i < (size_t)MAX_STEPS * STEP_BYTES;
         i += STEP_BYTES)
        take_step(&world, bytes + i);
    ev_run(world.events, ev_now(world.events) + MAX_CYCLES);
    nic_destroy(world.nic);
    ether_wire_close(world.wire);
    dma_memory_destroy(world.memory);
    ram_fini(&world.ram);
    ev_queue_destroy(world.events);
    return 0;
}
