/*
 * Device registers: the bytes are accesses to ports, to device memory and to the local APIC, commands to
 * disks, words in memory where devices look for them, interrupts that are taken, keys that are typed,
 * requests for ISA DMA, and time that passes.
 */
#include "sim/base/event.h"
#include "sim/board/board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RAM_BYTES = 8 << 20, STEP_BYTES = 8, MAX_STEPS = 2000 };
enum step {
    PORT_READ,
    PORT_WRITE,
    MEMORY_READ,
    MEMORY_WRITE,
    LAPIC_READ,
    LAPIC_WRITE,
    TAKE,
    WAIT,
    TYPE,
    ASK_DISK,
    WRITE_RAM,
    ASK_ISA_DMA,
    NR_STEPS
};

/* Where devices are; others are as well hit by chance. */
static const uint16_t ports[] = {0x00,  0x20,  0x40,  0x60,  0x64,  0x70,  0x81,  0x92,  0xa0,  0xc0,  0xe9,
                                 0xf0,  0x170, 0x1f0, 0x2f8, 0x370, 0x3f0, 0x3b4, 0x3ba, 0x3c0, 0x3c8, 0x3ce,
                                 0x3d4, 0x3da, 0x3f8, 0x4d0, 0x600, 0x604, 0x608, 0xcf8, 0xcfc, 0xc000};
static const uint64_t places[] = {0xa0000,    0xb8000,    0xc0000,    0xf0000,    0xfeb00000,
                                  0xfeb80000, 0xfeb80100, 0xfeb82800, 0xfeb83800, 0xfec00000,
                                  0xfec00010, 0xfed90000, 0xfed90100, 0xfee00000, 0xfffffff0};

static void set_intr(void *opaque, unsigned number, bool level)
{
    (void)number;
    *(bool *)opaque = level;
}

static unsigned width_of(uint8_t byte)
{
    return 1u << byte % 3;
}

static bool is_ram(void *opaque, struct paddr page)
{
    return (memory_is_hole(page) ? page.v >= 0xf0000 : true) && ram_has(opaque, page, PAGE_BYTES);
}

static void changed(void *opaque, struct paddr at, uint64_t size_bytes)
{
    if (!ram_has(opaque, at, size_bytes))
        abort();
}

/* A command with a count and an address near each other, on either channel, and perhaps its bus master. */
static void ask_disk(struct board *board, const uint8_t *bytes)
{
    uint16_t command = bytes[1] & 1 ? 0x170 : 0x1f0, master = bytes[1] & 1 ? 0xc008 : 0xc000;
    struct iomap *map = board_ports(board);
    iomap_write(map, command + 6u, 1, bytes[1] & 0xfe);
    for (unsigned i = 2; i < 6; i++)
        iomap_write(map, command + i, 1, bytes[i]);
    if (bytes[7] & 1) {
        iomap_write(map, master, 1, 0);
        iomap_write(map, master + 4u, 4, bytes[7] & 0xf0u);
        iomap_write(map, master, 1, 1 | (bytes[7] & 8));
    }
    iomap_write(map, command + 7u, 1, bytes[6]);
}

/* One step of eight bytes: what, width and place, an offset, a value. */
static void take_step(struct board *board, struct ram *ram, struct ev_queue *events, const uint8_t *bytes,
                      bool *intr)
{
    uint32_t value;
    memcpy(&value, bytes + 4, sizeof value);
    unsigned size = width_of(bytes[1]), offset = bytes[2] & 15;
    uint16_t port = (uint16_t)(ports[bytes[3] % (sizeof ports / sizeof *ports)] + offset);
    uint64_t at = places[bytes[3] % (sizeof places / sizeof *places)] + bytes[2] * 4u;
    switch (bytes[0] % NR_STEPS) {
    case PORT_READ:
        iomap_read(board_ports(board), port, size);
        break;
    case PORT_WRITE:
        iomap_write(board_ports(board), port, size, value);
        break;
    case MEMORY_READ:
        iomap_read(board_memory(board), at, bytes[1] & 0x80 ? 8 : size);
        break;
    case MEMORY_WRITE:
        iomap_write(board_memory(board), at, bytes[1] & 0x80 ? 8 : size, value);
        break;
    case LAPIC_READ:
        lapic_read(board_lapic(board), bytes[2] * 16u, size);
        break;
    case LAPIC_WRITE:
        if (bytes[3] == 0xff)
            lapic_set_base(board_lapic(board), LAPIC_DEFAULT_BASE | (value & 0x900));
        lapic_write(board_lapic(board), (bytes[2] & 0x3fu) * 16, 4, value);
        break;
    case TAKE:
        if (*intr)
            board_acknowledge(board);
        break;
    case WAIT:
        ev_run(events, ev_now(events) + (value & 0xfffff));
        break;
    case ASK_DISK:
        ask_disk(board, bytes);
        break;
    case WRITE_RAM:
        ram_write(ram, paddr(bytes[2] * 4u), &value, sizeof value);
        break;
    case ASK_ISA_DMA:
        isa_dma_request(board_isa_dma(board), bytes[1] & 7, bytes[2] & 1);
        break;
    default:
        board_type(board, bytes[2]);
        break;
    }
}

enum { NAME_CHARS = 32 };

/* Disks of 100 sectors in memory: the first two, and the fourth, which cannot be written. */
static void open_disks(struct disk *disks[PIIX3_IDE_NR_DISKS], char names[][NAME_CHARS], struct diag *diag)
{
    static const enum disk_mode modes[PIIX3_IDE_NR_DISKS] = {DISK_SNAPSHOT, DISK_READ_WRITE, DISK_READ_WRITE,
                                                             DISK_READ_ONLY};
    for (unsigned i = 0; i < PIIX3_IDE_NR_DISKS; i++) {
        int fd = i != 2 ? memfd_create("disk", 0) : -1;
        if (fd < 0)
            continue;
        snprintf(names[i], NAME_CHARS, "/proc/self/fd/%d", fd);
        if (ftruncate(fd, 100L * DISK_SECTOR_BYTES) != 0)
            abort();
        disks[i] = disk_open(&(struct disk_source){.file = names[i], .mode = modes[i]}, diag);
        close(fd);
        if (!disks[i])
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nr_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t nr_bytes)
{
    struct diag diag;
    struct ram ram;
    bool intr = false;
    diag_init(&diag);
    struct ev_queue *events = ev_queue_create();
    if (!events || !ram_init(&ram, RAM_BYTES))
        abort();
    struct dma_memory *dma = dma_memory_create(
        &(struct dma_memory_params){.ram = &ram, .is_ram = is_ram, .written = changed, .opaque = &ram});
    struct board_params params = {
        .events = events,
        .cpu_hz = 1000000000,
        .ram_bytes = RAM_BYTES,
        .ram = &ram,
        .dma = dma,
        .disk_timing = {.command_cycles = 100, .seek_cycles = 1000, .sector_cycles = 10},
        .has_apic = true,
        .apic_hz = 100000000,
        .core = {.intr = {.set = set_intr, .opaque = &intr}},
    };
    params.engine = (struct dma_engine_params){
        .nr_channels = 2,
        .path = {.name = "DMA engine", .address_bits = 32, .bytes_per_cycle = 8, .burst_bytes = 64}};
    params.engine.path.bursts_in_flight = 4;
    params.iommu = (struct iommu_params){.iotlb_entries = 4, .iotlb_ways = 2, .context_entries = 2};
    params.nic = (struct nic_params){
        .path = {.address_bits = 32, .bytes_per_cycle = 8, .burst_bytes = 64, .bursts_in_flight = 1}};
    params.nic.wire = ether_wire_open(
        &(struct ether_wire_params){.kind = ETHER_WIRE_LOOPBACK, .cpu_hz = params.cpu_hz}, &diag);
    char names[PIIX3_IDE_NR_DISKS][NAME_CHARS];
    open_disks(params.disks, names, &diag);
    struct board *board = dma ? board_create(&params, &diag) : NULL;
    if (!board)
        abort();
    for (size_t i = 0; i + STEP_BYTES <= nr_bytes && i < (size_t)MAX_STEPS * STEP_BYTES; i += STEP_BYTES)
        take_step(board, &ram, events, bytes + i, &intr);
    struct vga_screen *screen = malloc(sizeof *screen);
    if (screen)
        vga_read_screen(board_vga(board), screen);
    free(screen);
    board_destroy(board);
    ether_wire_close(params.nic.wire);
    for (unsigned i = 0; i < PIIX3_IDE_NR_DISKS; i++)
        disk_close(params.disks[i]);
    dma_memory_destroy(dma);
    ram_fini(&ram);
    ev_queue_destroy(events);
    diag_fini(&diag);
    return 0;
}
