/* The DMA engine on the PCI bus of a whole board: what configuration space, memory and interrupts show. */
#include "sim/board/board.h"
#include "sim/board/dma_card.h"
#include "tests/unit/engine_fixture.h"

enum { CONFIG_ADDRESS = 0xcf8, CONFIG_DATA = 0xcfc, IRQ = 11 };

struct card_world {
    struct dma_world memory;
    struct ev_queue *events;
    struct board *board;
    struct line_record intr;
};

static void nothing(void *opaque)
{
    (void)opaque;
}

static void make_board(struct card_world *world, unsigned nr_channels)
{
    struct diag diag;
    diag_init(&diag);
    *world = (struct card_world){.events = ev_queue_create()};
    make_dma_world(&world->memory, NULL);
    struct board_params params = {.events = world->events,
                                  .cpu_hz = 1000000000,
                                  .ram_bytes = 4 << 20,
                                  .dma = world->memory.memory,
                                  .engine = plain_engine(),
                                  .core = {.intr = recording_line(&world->intr)},
                                  .power = {.reset = nothing},
                                  .opaque = world};
    params.engine.nr_channels = nr_channels;
    world->board = board_create(&params, &diag);
    cr_assert_not_null(world->board);
    diag_fini(&diag);
}

static void destroy_board(struct card_world *world)
{
    board_destroy(world->board);
    destroy_dma_world(&world->memory);
    ev_queue_destroy(world->events);
}

static void point_at(const struct card_world *world, unsigned offset)
{
    iomap_write(board_ports(world->board), CONFIG_ADDRESS, 4, 0x80000000u | 3 << 11 | (offset & 0xfc));
}

static uint32_t config(const struct card_world *world, unsigned offset, unsigned size)
{
    point_at(world, offset);
    return (uint32_t)iomap_read(board_ports(world->board), CONFIG_DATA + (offset & 3), size);
}

static void set_config(const struct card_world *world, unsigned offset, unsigned size, uint32_t value)
{
    point_at(world, offset);
    iomap_write(board_ports(world->board), CONFIG_DATA + (offset & 3), size, value);
}

static uint64_t get(const struct card_world *world, uint64_t at, unsigned size)
{
    return iomap_read(board_memory(world->board), at, size);
}

static void set(const struct card_world *world, uint64_t at, uint32_t value)
{
    iomap_write(board_memory(world->board), at, 4, value);
}

/* A NOP that asks for an interrupt, on channel 2. */
static void do_nop(const struct card_world *world, uint64_t base, uint64_t ring)
{
    const struct descriptor nop = {.command = ENGINE_INT};
    uint64_t channel = base + channel_offset(2, 0);
    if (ring < DMA_RAM_BYTES)
        memcpy(world->memory.ram.host + ring, &nop, sizeof nop);
    set(world, channel + ENGINE_CH_CONTROL, ENGINE_RESET);
    set(world, channel + ENGINE_CH_RING_LO, (uint32_t)ring);
    set(world, channel + ENGINE_CH_RING_SIZE, 1);
    set(world, channel + ENGINE_CH_CONTROL, RUN_AND_ASK);
    set(world, channel + ENGINE_CH_TAIL, 1);
    /* Other devices have events of their own: those that never end are not waited for. */
    ev_run(world->events, ev_now(world->events) + 1000);
}

Test(dma_card, is_where_its_page_says)
{
    struct card_world world;
    make_board(&world, 3);
    cr_expect_eq(config(&world, PCI_VENDOR, 4), 0x00014c4b);
    cr_expect_eq(config(&world, PCI_REVISION, 4), 0x08800000);
    cr_expect_eq(config(&world, PCI_BAR0, 4), 0xfeb00000);
    cr_expect_eq(config(&world, PCI_COMMAND, 2), PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    cr_expect_eq(config(&world, PCI_INTERRUPT_LINE, 2), 0x0100 | IRQ);
    set_config(&world, PCI_BAR0, 4, UINT32_MAX);
    cr_expect_eq(config(&world, PCI_BAR0, 4), 0xfffff000, "4 KiB of memory");
    set_config(&world, PCI_BAR0, 4, 0xd0000000);
    cr_expect_eq(get(&world, 0xd0000000, 4), ENGINE_ID);
    cr_expect_eq(get(&world, 0xd0000004, 4), 3 | 1 << 4 | 64 << 8);
    cr_expect_eq(get(&world, 0xd0000000, 8), ENGINE_ID | UINT64_C(0x4013) << 32, "wider ones are split");
    cr_expect_eq(get(&world, 0xd0000000, 2), 0xffff, "narrower ones are nobody's");
    cr_expect_eq(get(&world, 0xfeb00000, 4), UINT32_MAX);
    set_config(&world, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    cr_expect_eq(get(&world, 0xd0000000, 4), UINT32_MAX, "memory accesses are off");
    destroy_board(&world);
    make_board(&world, 0);
    cr_expect_eq(config(&world, PCI_VENDOR, 4), UINT32_MAX, "none without channels");
    cr_expect_null(board_dma_engine(world.board));
    destroy_board(&world);
}

Test(dma_card, is_found_untouched_by_a_firmware)
{
    struct card_world world;
    struct diag diag;
    static const uint8_t rom[0x20000] = {0};
    diag_init(&diag);
    make_board(&world, 1);
    cr_assert(board_set_rom(world.board, rom, sizeof rom, &diag));
    cr_expect_eq(config(&world, PCI_BAR0, 4), 0);
    cr_expect_eq(config(&world, PCI_COMMAND, 2), 0);
    cr_expect_eq(config(&world, PCI_INTERRUPT_LINE, 2), 0x0100);
    diag_fini(&diag);
    destroy_board(&world);
}

Test(dma_card, interrupts_by_its_pin)
{
    struct card_world world;
    make_board(&world, 3);
    iomap_write(board_ports(world.board), 0x21, 1, 0xfb); /* the cascade */
    iomap_write(board_ports(world.board), 0xa1, 1, 0xf7); /* IRQ 11 */
    cr_expect_not(world.intr.level);
    do_nop(&world, DMA_CARD_BASE, RING);
    cr_expect(world.intr.level);
    cr_expect_eq(get(&world, DMA_CARD_BASE + ENGINE_REG_INT_STATUS, 4), 1 << 2);
    cr_expect_eq(board_acknowledge(world.board), 0x70 + IRQ - 8);
    set(&world, DMA_CARD_BASE + channel_offset(2, ENGINE_CH_STATUS), ENGINE_DONE);
    iomap_write(board_ports(world.board), 0xa0, 1, 0x20);
    iomap_write(board_ports(world.board), 0x20, 1, 0x20);
    cr_expect_not(world.intr.level, "a level that has gone");
    destroy_board(&world);
}

Test(dma_card, needs_leave_to_master_the_bus)
{
    struct card_world world;
    uint64_t status = DMA_CARD_BASE + channel_offset(2, ENGINE_CH_STATUS);
    make_board(&world, 3);
    cr_expect_eq(config(&world, PCI_STATUS, 2) & PCI_STATUS_MASTER_ABORT, 0);
    set_config(&world, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    do_nop(&world, DMA_CARD_BASE, RING);
    cr_expect_eq(get(&world, status, 4), ENGINE_ERROR | ENGINE_NOT_MASTER << ENGINE_CODE_SHIFT);
    cr_expect_eq(config(&world, PCI_STATUS, 2) & PCI_STATUS_MASTER_ABORT, 0);
    set_config(&world, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    do_nop(&world, DMA_CARD_BASE, RING);
    cr_expect_eq(get(&world, status, 4), ENGINE_DONE);
    do_nop(&world, DMA_CARD_BASE, DMA_CARD_BASE + 0x100);
    cr_expect_eq(get(&world, status, 4), ENGINE_ERROR | ENGINE_NO_MEMORY << ENGINE_CODE_SHIFT,
                 "its own registers are no memory");
    cr_expect_eq(config(&world, PCI_STATUS, 2) & PCI_STATUS_MASTER_ABORT, PCI_STATUS_MASTER_ABORT);
    set_config(&world, PCI_STATUS, 2, PCI_STATUS_MASTER_ABORT);
    cr_expect_eq(config(&world, PCI_STATUS, 2) & PCI_STATUS_MASTER_ABORT, 0);
    destroy_board(&world);
}
