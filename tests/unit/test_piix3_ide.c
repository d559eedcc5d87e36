/*
 * The IDE controller on the PCI bus: when its ports answer, its interrupt lines, its bus masters' ports
 * and its status.
 */
#include "sim/board/board.h"
#include "tests/unit/board_fixture.h"
#include "tests/unit/disk_fixture.h"

enum { RAM_BYTES = 4 << 20, NR_SECTORS = 16, CONFIG = 1 << 11 | 1 << 8 };
enum { COMMAND = 4, STATUS = 6, BMIBA = 0x20, IDETIM = 0x40, BUS_MASTERS = 0xc000 };
enum { IDENTIFY = 0xec, READ_DMA = 0xc8, LIST = 0x1000, BUFFER = 0x2000, MASTER_ABORT = 1 << 13 };

static struct {
    struct ev_queue *events;
    struct ram ram;
    struct dma_memory *memory;
    struct disk_image images[2];
    struct board_params params;
    struct board *board;
    struct diag diag;
    bool intr;
} at;

static bool is_ram(void *opaque, struct paddr page)
{
    (void)opaque;
    return !memory_is_hole(page);
}

static void written(void *opaque, struct paddr where, uint64_t size_bytes)
{
    (void)opaque, (void)where, (void)size_bytes;
}

static void set_intr(void *opaque, unsigned number, bool level)
{
    (void)opaque, (void)number;
    at.intr = level;
}

/* Disks as device 0 of each channel. */
static void make(void)
{
    diag_init(&at.diag);
    at.events = ev_queue_create();
    cr_assert(ram_init(&at.ram, RAM_BYTES));
    at.memory =
        dma_memory_create(&(struct dma_memory_params){.ram = &at.ram, .is_ram = is_ram, .written = written});
    at.params = (struct board_params){.events = at.events,
                                      .cpu_hz = 1000000000,
                                      .ram_bytes = RAM_BYTES,
                                      .ram = &at.ram,
                                      .dma = at.memory,
                                      .disk_timing = {.command_cycles = 100, .sector_cycles = 10},
                                      .core = {.intr = {.set = set_intr}}};
    for (unsigned i = 0; i < 2; i++) {
        at.images[i] = make_image(NR_SECTORS);
        at.params.disks[2 * i] = open_image(&at.images[i], DISK_READ_WRITE);
    }
    at.board = board_create(&at.params, &at.diag);
    cr_assert_not_null(at.board);
}

static void destroy(void)
{
    board_destroy(at.board);
    for (unsigned i = 0; i < 2; i++) {
        disk_close(at.params.disks[2 * i]);
        destroy_image(&at.images[i]);
    }
    dma_memory_destroy(at.memory);
    ram_fini(&at.ram);
    ev_queue_destroy(at.events);
    diag_fini(&at.diag);
}

TestSuite(piix3_ide, .init = make, .fini = destroy);

static uint32_t in_ports(uint16_t port, unsigned size)
{
    return (uint32_t)iomap_read(board_ports(at.board), port, size);
}

static void out_ports(uint16_t port, unsigned size, uint32_t value)
{
    iomap_write(board_ports(at.board), port, size, value);
}

static uint32_t config(unsigned offset, unsigned size)
{
    out_ports(0xcf8, 4, 0x80000000 | CONFIG | (offset & 0xfc));
    return in_ports((uint16_t)(0xcfc + (offset & 3)), size);
}

static void set_config(unsigned offset, unsigned size, uint32_t value)
{
    out_ports(0xcf8, 4, 0x80000000 | CONFIG | (offset & 0xfc));
    out_ports((uint16_t)(0xcfc + (offset & 3)), size, value);
}

static void pass(cycle_t cycles)
{
    ev_run(at.events, ev_now(at.events) + cycles);
}

Test(piix3_ide, is_as_firmware_leaves_it)
{
    cr_assert_eq(config(0, 4), 0x70108086);
    cr_assert_eq(config(8, 4), 0x01018000);
    cr_assert_eq(config(COMMAND, 4), 0x02800005);
    cr_assert_eq(config(BMIBA, 4), BUS_MASTERS | 1);
    cr_assert_eq(config(IDETIM, 4), 0x80008000);
    cr_assert_eq(config(0x0e, 1), 0);
    set_config(0x0d, 1, 0xff);
    cr_assert_eq(config(0x0d, 1), 0xf0, "latency in units of 16 clocks");
    cr_assert_eq(config(0x3c, 2), 0, "no interrupt pin: legacy mode");
}

/* The status of device 0 is 50h where its channel answers; FFh, and nobody's, where it does not. */
static void check_answers(bool primary, bool secondary)
{
    static const uint16_t ports[] = {0x1f7, 0x3f6, 0x177, 0x376};
    const bool answers[] = {primary, primary, secondary, secondary};
    uint64_t before = board_stats(at.board)->unclaimed_port_reads;
    for (unsigned i = 0; i < 4; i++)
        cr_assert_eq(in_ports(ports[i], 1), answers[i] ? 0x50 : 0xff, "port %x", ports[i]);
    cr_assert_eq(board_stats(at.board)->unclaimed_port_reads - before, 2 * !primary + 2 * !secondary);
}

Test(piix3_ide, answers_where_it_decodes)
{
    check_answers(true, true);
    set_config(IDETIM, 2, 0);
    check_answers(false, true);
    set_config(IDETIM + 2, 2, 0x7fff);
    check_answers(false, false);
    set_config(IDETIM, 4, 0xffffffff);
    cr_assert_eq(config(IDETIM, 4), 0xf3fff3ff);
    check_answers(true, true);
    set_config(COMMAND, 2, 4);
    check_answers(false, false);
    out_ports(0x1f7, 1, IDENTIFY); /* which nobody hears */
    set_config(COMMAND, 2, 5);
    pass(100);
    check_answers(true, true);
}

Test(piix3_ide, has_irq_14_and_15)
{
    out_ports(0x21, 1, 0xfb); /* the cascade, and both behind it */
    out_ports(0xa1, 1, 0x3f);
    out_ports(0x1f7, 1, IDENTIFY);
    pass(100);
    cr_assert(at.intr);
    cr_assert_eq(board_acknowledge(at.board), 0x70 + 6);
    out_ports(0x177, 1, IDENTIFY);
    pass(100);
    out_ports(0xa0, 1, 0x20);
    out_ports(0x20, 1, 0x20);
    cr_assert_eq(board_acknowledge(at.board), 0x70 + 7);
    const struct board_stats *stats = board_stats(at.board);
    cr_assert(stats->irq14 == 1 && stats->irq15 == 1 && stats->irq_other == 0);
}

Test(piix3_ide, four_bytes_of_data_are_two_words)
{
    uint16_t words[256];
    out_ports(0x1f7, 1, IDENTIFY);
    pass(100);
    for (unsigned i = 0; i < 256; i++)
        words[i] = (uint16_t)in_ports(0x1f0, 2);
    cr_assert_eq(words[60], NR_SECTORS);
    out_ports(0x1f7, 1, IDENTIFY);
    pass(100);
    for (unsigned i = 0; i < 256; i += 2)
        cr_assert_eq(in_ports(0x1f0, 4), words[i] | (uint32_t)words[i + 1] << 16);
    cr_assert_eq(in_ports(0x1f7, 1), 0x50);
}

static void start_reading(uint16_t bus_master, uint16_t command_block, uint32_t where)
{
    const uint32_t list[] = {where, 0x80000200};
    cr_assert(ram_write(&at.ram, paddr(LIST), list, sizeof list));
    out_ports((uint16_t)(bus_master + 4), 4, LIST);
    out_ports(bus_master, 1, 9);
    out_ports((uint16_t)(command_block + 6), 1, 0xe0);
    out_ports((uint16_t)(command_block + 2), 4, 3 << 8 | 1); /* sector 3 */
    out_ports((uint16_t)(command_block + 7), 1, READ_DMA);
    pass(1000);
}

Test(piix3_ide, its_bus_masters_are_where_bmiba_is)
{
    uint8_t wanted[DISK_SECTOR_BYTES];
    fill_sector(wanted, 3);
    start_reading(BUS_MASTERS + 8, 0x170, BUFFER);
    cr_assert_eq(in_ports(BUS_MASTERS + 8, 4), 0x040009, "command and status");
    cr_assert(!memcmp(at.ram.host + BUFFER, wanted, sizeof wanted));
    set_config(BMIBA, 4, 0xd000);
    cr_assert_eq(in_ports(BUS_MASTERS + 8, 1), 0xff);
    cr_assert_eq(in_ports(0xd008, 1), 9);
    memset(at.ram.host + BUFFER, 0, sizeof wanted);
    set_config(COMMAND, 2, 1); /* it may not master the bus */
    start_reading(0xd000, 0x1f0, BUFFER);
    cr_assert_eq(in_ports(0xd002, 1), 1);
    set_config(COMMAND, 2, 5);
    pass(1000);
    cr_assert_eq(in_ports(0xd002, 1), 4);
    cr_assert(!memcmp(at.ram.host + BUFFER, wanted, sizeof wanted));
}

Test(piix3_ide, where_no_memory_is_it_has_received_a_master_abort)
{
    start_reading(BUS_MASTERS, 0x1f0, RAM_BYTES);
    cr_assert_eq(in_ports(BUS_MASTERS + 2, 1), 2);
    cr_assert(config(STATUS, 2) & MASTER_ABORT);
    set_config(STATUS, 2, MASTER_ABORT);
    cr_assert_not(config(STATUS, 2) & MASTER_ABORT);
}
