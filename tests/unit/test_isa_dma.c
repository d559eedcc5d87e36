/* The 8237As by their data sheet: registers, modes, priorities, wraps, and the bytes against plain copies. */
#include "dma/isa_dma.h"
#include "tests/unit/board_fixture.h"
#include "tests/unit/dma_fixture.h"

#include <string.h>

/* One clock of the controllers is one cycle here, so that cycles are those of the data sheet. */
enum { CPU_HZ = ISA_DMA_HZ, GRANT = 2, LATCH = 1, NORMAL = 3, COMPRESSED = 2, MEMORY = 8 };
enum { VERIFY = 0 << 2, TO_MEMORY = 1 << 2, FROM_MEMORY = 2 << 2, RELOADED = 1 << 4, DESCENDING = 1 << 5 };
enum { DEMAND = 0 << 6, SINGLE = 1 << 6, BLOCK = 2 << 6, CASCADE = 3 << 6 };
enum {
    STATUS = 8,
    COMMAND = 8,
    REQUEST,
    MASK_ONE,
    MODE,
    CLEAR_FLIP_FLOP,
    MASTER_CLEAR,
    CLEAR_MASK,
    MASK_ALL
};
enum { MAX_BYTES = 0x20000 };

/* A device that gives 1, 2, 3 ... and remembers what it took and when it saw TC. */
struct tape {
    struct isa_dma *dma;
    unsigned channel, nr, nr_ends, stops_at; /* DREQ falls after so many; 0: never by itself */
    uint16_t taken[MAX_BYTES];
};

static struct {
    struct board_fixture board;
    struct dma_world world;
    struct dma_master *master;
    struct isa_dma *dma;
    unsigned order[16], nr_served; /* channels, as they were served */
} at;

static struct tape tapes[ISA_DMA_NR_CHANNELS];

static void went(struct tape *tape, bool is_last)
{
    if (at.nr_served < sizeof at.order / sizeof *at.order)
        at.order[at.nr_served] = tape->channel;
    at.nr_served++;
    tape->nr++;
    tape->nr_ends += is_last;
    if (is_last || tape->nr == tape->stops_at)
        isa_dma_request(tape->dma, tape->channel, false);
}

static uint16_t give(void *opaque, bool is_last)
{
    struct tape *tape = opaque;
    went(tape, is_last);
    return (uint16_t)tape->nr;
}

static void take(void *opaque, uint16_t data, bool is_last)
{
    struct tape *tape = opaque;
    tape->taken[tape->nr % MAX_BYTES] = data;
    went(tape, is_last);
}

static unsigned port_of(unsigned channel, unsigned at_register)
{
    return channel < ISA_DMA_CASCADE ? at_register : 0xc0 + 2 * at_register;
}

static void set(unsigned channel, unsigned at_register, uint8_t value)
{
    out(&at.board, (uint16_t)port_of(channel, at_register), value);
}

static uint8_t get(unsigned channel, unsigned at_register)
{
    return in(&at.board, (uint16_t)port_of(channel, at_register));
}

static void set_pair(unsigned channel, unsigned at_register, unsigned value)
{
    set(channel, CLEAR_FLIP_FLOP, 0);
    set(channel, at_register, (uint8_t)value);
    set(channel, at_register, (uint8_t)(value >> 8));
}

static unsigned get_pair(unsigned channel, unsigned at_register)
{
    set(channel, CLEAR_FLIP_FLOP, 0);
    unsigned low = get(channel, at_register);
    return low | (unsigned)get(channel, at_register) << 8;
}

/* A channel for `nr` transfers from physical `where` on; unmasked. */
static void program(unsigned channel, unsigned mode, uint32_t where, unsigned nr)
{
    static const uint16_t pages[] = {0x87, 0x83, 0x81, 0x82, 0x8f, 0x8b, 0x89, 0x8a};
    bool has_words = channel >= ISA_DMA_CASCADE;
    set(channel, MASK_ONE, (uint8_t)(4 | channel % 4));
    set(channel, MODE, (uint8_t)(mode | channel % 4));
    set_pair(channel, 2 * (channel % 4), has_words ? where >> 1 : where);
    set_pair(channel, 2 * (channel % 4) + 1, nr - 1);
    out(&at.board, pages[channel], (uint8_t)(where >> 16));
    set(channel, MASK_ONE, (uint8_t)(channel % 4));
}

static void make(void)
{
    const struct dma_master_params params = {
        .name = "ISA DMA", .address_bits = ISA_DMA_ADDRESS_BITS, .burst_bytes = 2, .bursts_in_flight = 1};
    fixture_init(&at.board);
    make_dma_world(&at.world, NULL);
    at.master = dma_master_create(&params, at.world.memory);
    at.dma = isa_dma_create(
        &(struct isa_dma_params){.events = at.board.events, .master = at.master, .cpu_hz = CPU_HZ},
        at.board.ports, &at.board.diag);
    cr_assert_not_null(at.dma);
    for (unsigned i = 0; i < ISA_DMA_NR_CHANNELS; i++) {
        tapes[i].dma = at.dma;
        tapes[i].channel = i;
        isa_dma_connect(at.dma, i, &(struct isa_dma_device){.give = give, .take = take, .opaque = &tapes[i]});
    }
    set(ISA_DMA_CASCADE, MODE, CASCADE);
    set(ISA_DMA_CASCADE, MASK_ONE, 0);
}

static void destroy(void)
{
    isa_dma_destroy(at.dma);
    dma_master_destroy(at.master);
    destroy_dma_world(&at.world);
    fixture_fini(&at.board);
}

static void pass(cycle_t cycles)
{
    go_to(&at.board, ev_now(at.board.events) + cycles);
}

TestSuite(isa_dma, .init = make, .fini = destroy);

/* ---- Registers ---- */

Test(isa_dma, address_and_count_go_through_eight_bits)
{
    for (unsigned channel = 0; channel < ISA_DMA_NR_CHANNELS; channel++) {
        for (unsigned i = 0; i < 2; i++)
            set_pair(channel, 2 * (channel % 4) + i, 0x1234 + 0x1111 * (2 * channel + i));
    }
    for (unsigned channel = 0; channel < ISA_DMA_NR_CHANNELS; channel++) {
        for (unsigned i = 0; i < 2; i++)
            cr_assert_eq(get_pair(channel, 2 * (channel % 4) + i),
                         (0x1234 + 0x1111 * (2 * channel + i)) & 0xffff);
    }
    get(0, 0); /* the low byte; the flip-flop is the controller's, not the register's */
    cr_assert_eq(get(0, 3), 0x45);
    set(0, CLEAR_FLIP_FLOP, 0);
    cr_assert_eq(get(0, 3), 0x67);
    cr_assert_eq(in(&at.board, 0xc1), 0xbc, "address line 0 does not reach the second controller");
}

Test(isa_dma, masks_and_master_clear)
{
    cr_assert_eq(get(0, MASK_ALL), 0xff, "all are masked at power-on");
    set(0, MASK_ONE, 2);
    cr_assert_eq(get(0, MASK_ALL), 0xfb);
    set(0, MASK_ALL, 5);
    cr_assert_eq(get(0, MASK_ALL), 0xf5);
    set(0, MASK_ONE, 4 | 1);
    cr_assert_eq(get(0, MASK_ALL), 0xf7);
    set(0, CLEAR_MASK, 0);
    cr_assert_eq(get(0, MASK_ALL), 0xf0);
    set(0, COMMAND, 4); /* disabled, so that the request waits */
    set(0, REQUEST, 4 | 3);
    cr_assert_eq(get(0, STATUS), 0x80);
    get(0, 0);
    set(0, MASTER_CLEAR, 0);
    cr_assert_eq(get(0, STATUS), 0);
    cr_assert_eq(get(0, MASK_ALL), 0xff);
    cr_assert_eq(get(0, MASTER_CLEAR), 0, "the temporary register");
    set(0, 0, 0x11); /* the low byte: the flip-flop was cleared too */
    cr_assert_eq(get_pair(0, 0) & 0xff, 0x11);
}

Test(isa_dma, page_registers_hold_a_byte)
{
    for (uint16_t port = 0x81; port <= 0x8f; port++)
        out(&at.board, port, (uint8_t)(port * 3));
    for (uint16_t port = 0x81; port <= 0x8f; port++)
        cr_assert_eq(in(&at.board, port), (uint8_t)(port * 3));
}

/* ---- Modes ---- */

Test(isa_dma, single_mode_asks_for_the_bus_each_time)
{
    program(2, SINGLE | TO_MEMORY, 0x12340, 3);
    isa_dma_request(at.dma, 2, true);
    for (unsigned i = 1; i <= 3; i++) {
        pass(GRANT + LATCH + NORMAL - 1);
        cr_assert_eq(tapes[2].nr, i - 1);
        pass(1);
        cr_assert_eq(tapes[2].nr, i);
    }
    cr_assert_eq(tapes[2].nr_ends, 1);
    pass(1000);
    cr_assert_eq(tapes[2].nr, 3, "TC masks the channel");
    cr_assert(!memcmp(at.world.ram.host + 0x12340, "\1\2\3\0", 4));
    cr_assert_eq(get(2, MASK_ALL), 0xff);
    cr_assert_eq(get(2, STATUS), 0x04);
    cr_assert_eq(get(2, STATUS), 0, "reading clears it");
    cr_assert_eq(get_pair(2, 4), 0x2343);
    cr_assert_eq(get_pair(2, 5), 0xffff);
}

Test(isa_dma, block_mode_goes_on_without_its_request)
{
    memcpy(at.world.ram.host + 0x20000, "abcdef", 6);
    program(1, BLOCK | FROM_MEMORY, 0x20000, 6);
    isa_dma_request(at.dma, 1, true);
    tapes[1].stops_at = 1;
    pass(GRANT + LATCH + 6 * NORMAL - 1);
    cr_assert_eq(tapes[1].nr, 5);
    pass(1);
    cr_assert_eq(tapes[1].nr, 6);
    for (unsigned i = 0; i < 6; i++)
        cr_assert_eq(tapes[1].taken[i], "abcdef"[i]);
    cr_assert_eq(tapes[1].nr_ends, 1);
}

Test(isa_dma, demand_mode_stops_with_its_request_and_goes_on)
{
    program(3, DEMAND | TO_MEMORY, 0x3000, 5);
    tapes[3].stops_at = 2;
    isa_dma_request(at.dma, 3, true);
    pass(1000);
    cr_assert_eq(tapes[3].nr, 2);
    cr_assert_eq(get_pair(3, 7), 2);
    isa_dma_request(at.dma, 3, true);
    pass(GRANT + LATCH + 3 * NORMAL);
    cr_assert_eq(tapes[3].nr, 5);
    cr_assert_eq(tapes[3].nr_ends, 1);
    cr_assert(!memcmp(at.world.ram.host + 0x3000, "\1\2\3\4\5", 6));
}

Test(isa_dma, a_request_that_is_withdrawn_in_time_is_none)
{
    program(3, SINGLE | TO_MEMORY, 0x3000, 5);
    isa_dma_request(at.dma, 3, true);
    pass(GRANT);
    isa_dma_request(at.dma, 3, false);
    pass(1000);
    cr_assert_eq(tapes[3].nr, 0);
}

Test(isa_dma, compressed_timing_leaves_a_clock_out)
{
    set(0, COMMAND, 8);
    program(1, BLOCK | TO_MEMORY, 0x1000, 10);
    isa_dma_request(at.dma, 1, true);
    pass(GRANT + LATCH + 10 * COMPRESSED - 1);
    cr_assert_eq(tapes[1].nr, 9);
    pass(1);
    cr_assert_eq(tapes[1].nr, 10);
}

Test(isa_dma, autoinitialisation_begins_anew)
{
    program(1, BLOCK | RELOADED | TO_MEMORY, 0x1000, 4);
    isa_dma_request(at.dma, 1, true); /* TC takes the request away */
    pass(1000);
    cr_assert_eq(get_pair(1, 2), 0x1000);
    cr_assert_eq(get_pair(1, 3), 3);
    cr_assert_eq(get(1, MASK_ALL), 0xfd, "it is not masked");
    isa_dma_request(at.dma, 1, true);
    pass(1000);
    cr_assert_eq(tapes[1].nr, 8);
    cr_assert(!memcmp(at.world.ram.host + 0x1000, "\5\6\7\10\0", 5));
}

Test(isa_dma, descending_and_verify)
{
    program(2, BLOCK | DESCENDING | TO_MEMORY, 0x1002, 3);
    isa_dma_request(at.dma, 2, true);
    pass(1000);
    cr_assert(!memcmp(at.world.ram.host + 0x1000, "\3\2\1", 3));
    cr_assert_eq(get(2, STATUS), 0x04);
    program(2, BLOCK | VERIFY, 0x2000, 300);
    set(2, REQUEST, 4 | 2);
    pass(GRANT + 2 * LATCH + 300 * NORMAL - 1);
    cr_assert_eq(get(2, STATUS), 0x40);
    pass(1); /* 256 transfers with one address latched, and 44 with the next */
    cr_assert_eq(get(2, STATUS), 0x04);
    cr_assert_eq(get_pair(2, 4), 0x2000 + 300);
    cr_assert_eq(tapes[2].nr, 3, "a device is not asked");
    cr_assert_eq(dma_master_stats(at.master)->bursts, 3);
}

/* ---- Addresses ---- */

Test(isa_dma, addresses_wrap_within_their_64_kib)
{
    program(1, BLOCK | TO_MEMORY, 0x2fffe, 4);
    isa_dma_request(at.dma, 1, true);
    pass(1000);
    cr_assert(!memcmp(at.world.ram.host + 0x2fffe, "\1\2\0", 3), "not into the next");
    cr_assert(!memcmp(at.world.ram.host + 0x20000, "\3\4", 2));
    program(1, BLOCK | TO_MEMORY, 0x30000, 65536);
    isa_dma_request(at.dma, 1, true);
    tapes[1].nr = 0;
    pass(GRANT + 256 * LATCH + 65536 * NORMAL);
    cr_assert_eq(tapes[1].nr, 65536);
    for (unsigned i = 0; i < 65536; i++)
        cr_assert_eq(at.world.ram.host[0x30000 + i], (uint8_t)(i + 1));
}

Test(isa_dma, words_wrap_within_their_128_kib)
{
    program(5, BLOCK | TO_MEMORY, 0x5fffe, 2); /* bit 16 is the page's bit 0, which words do not use */
    isa_dma_request(at.dma, 5, true);
    pass(1000);
    cr_assert(!memcmp(at.world.ram.host + 0x5fffe, "\1\0\0", 3));
    cr_assert(!memcmp(at.world.ram.host + 0x40000, "\2\0", 2));
    memcpy(at.world.ram.host + 0x12344, "\x34\x12\x78\x56", 4);
    program(7, SINGLE | FROM_MEMORY, 0x12344, 2);
    isa_dma_request(at.dma, 7, true);
    pass(1000);
    cr_assert_eq(tapes[7].taken[0], 0x1234);
    cr_assert_eq(tapes[7].taken[1], 0x5678);
    cr_assert_eq(get(7, STATUS), 0x08 | 0x02);
}

Test(isa_dma, where_no_memory_is_ones_are_read)
{
    program(1, BLOCK | FROM_MEMORY, 0xff0000, 2);
    isa_dma_request(at.dma, 1, true);
    pass(1000);
    cr_assert_eq(tapes[1].taken[1], 0xff);
    program(6, BLOCK | FROM_MEMORY, HOLE_PAGE << PAGE_SHIFT, 1);
    isa_dma_request(at.dma, 6, true);
    pass(1000);
    cr_assert_eq(tapes[6].taken[0], 0xffff);
    program(1, BLOCK | TO_MEMORY, 0xff0000, 2);
    isa_dma_request(at.dma, 1, true);
    pass(1000);
    cr_assert_eq(get(1, STATUS), 0x02, "it ends all the same");
}

/* ---- Who is next ---- */

static void ask_all(const unsigned *channels, unsigned nr)
{
    set(0, COMMAND, 4);
    set(4, COMMAND, (uint8_t)(4));
    for (unsigned i = 0; i < nr; i++) {
        program(channels[i], SINGLE | TO_MEMORY, 0x1000 * (channels[i] + 1), 2);
        isa_dma_request(at.dma, channels[i], true);
    }
}

static void check_order(const unsigned *wanted, unsigned nr)
{
    cr_assert_eq(at.nr_served, nr);
    for (unsigned i = 0; i < nr; i++)
        cr_assert_eq(at.order[i], wanted[i], "turn %u: channel %u", i, at.order[i]);
}

Test(isa_dma, the_lowest_channel_is_first)
{
    static const unsigned channels[] = {7, 3, 5, 0, 2}, wanted[] = {0, 0, 2, 2, 3, 3, 5, 5, 7, 7};
    ask_all(channels, 5);
    set(0, COMMAND, 0);
    set(4, COMMAND, 0);
    pass(1000);
    check_order(wanted, 10);
}

Test(isa_dma, rotating_priority_gives_each_its_turn)
{
    static const unsigned channels[] = {3, 0, 2, 6}, wanted[] = {0, 2, 3, 0, 2, 3, 6, 6};
    ask_all(channels, 4);
    set(0, COMMAND, 0x10);
    set(4, COMMAND, 0);
    pass(1000);
    check_order(wanted, 8);
}

Test(isa_dma, both_rotating_share_by_halves)
{
    static const unsigned channels[] = {1, 2, 5}, wanted[] = {1, 5, 2, 5, 1, 2};
    ask_all(channels, 3);
    set(0, COMMAND, 0x10);
    set(4, COMMAND, 0x10);
    pass(1000);
    check_order(wanted, 6);
}

Test(isa_dma, the_first_controller_needs_the_cascade)
{
    program(2, SINGLE | TO_MEMORY, 0x1000, 10);
    set(4, MASK_ONE, 4);
    isa_dma_request(at.dma, 2, true);
    pass(1000);
    cr_assert_eq(tapes[2].nr, 0);
    cr_assert_eq(get(2, STATUS), 0x40, "it waits");
    set(4, MODE, SINGLE | TO_MEMORY);
    set(4, MASK_ONE, 0);
    pass(1000);
    cr_assert_eq(tapes[2].nr, 0);
    set(4, MODE, CASCADE);
    set(4, COMMAND, 4);
    pass(1000);
    cr_assert_eq(tapes[2].nr, 0);
    set(4, COMMAND, 0);
    pass(1000);
    cr_assert_eq(tapes[2].nr, 10);
}

/* ---- Requests by software ---- */

Test(isa_dma, a_software_request_ignores_the_mask_and_ends_with_tc)
{
    program(1, BLOCK | TO_MEMORY, 0x1000, 3);
    set(1, MASK_ONE, 4 | 1);
    set(1, REQUEST, 4 | 1);
    cr_assert_eq(get(1, STATUS), 0x20);
    pass(GRANT + LATCH + 3 * NORMAL);
    cr_assert_eq(tapes[1].nr, 3);
    cr_assert_eq(get(1, STATUS), 0x02);
    pass(1000);
    cr_assert_eq(tapes[1].nr, 3);
}

Test(isa_dma, memory_to_memory_copies_and_fills)
{
    for (unsigned i = 0; i < 100; i++)
        at.world.ram.host[0x1000 + i] = (uint8_t)(i + 1);
    program(0, BLOCK | FROM_MEMORY, 0x1000, 100);
    program(1, BLOCK | TO_MEMORY, 0x22000, 100);
    set(0, COMMAND, 1);
    set(0, REQUEST, 4 | 0);
    pass(GRANT + 100 * MEMORY - 1);
    cr_assert_eq(get(0, STATUS), 0x10);
    pass(1);
    cr_assert_eq(get(0, STATUS), 0x02);
    cr_assert(!memcmp(at.world.ram.host + 0x1000, at.world.ram.host + 0x22000, 100));
    cr_assert_eq(at.world.ram.host[0x22000 + 100], 0);
    cr_assert_eq(get(0, MASTER_CLEAR), 100, "the temporary register has the last byte");
    cr_assert_eq(tapes[0].nr + tapes[1].nr, 0, "no device takes part");
    program(0, BLOCK | FROM_MEMORY, 0x1004, 1);
    program(1, BLOCK | TO_MEMORY, 0x23000, 50);
    set(0, COMMAND, 3); /* channel 0 holds its address */
    set(0, REQUEST, 4 | 0);
    pass(GRANT + 50 * MEMORY);
    cr_assert_eq(get(0, STATUS) & 0xf2, 0x02);
    for (unsigned i = 0; i < 50; i++)
        cr_assert_eq(at.world.ram.host[0x23000 + i], 5);
    cr_assert_eq(get_pair(0, 0), 0x1004);
}
