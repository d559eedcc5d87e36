/*
 * The 8254 against a naive model that is clocked tick by tick as the data sheet describes the modes, and the
 * timer's place on the board: exact cycles of its edges, no drift, port 61h.
 */
#include "sim/board/pit.h"
#include "sim/board/pit_channel.h"

#include "tests/unit/board_fixture.h"

/* One counter as a machine of clock pulses. */
struct naive {
    unsigned mode;
    bool is_bcd, gate, out;
    unsigned count;   /* CR, 1..65536 (10000) */
    unsigned element; /* CE, same range; 0 is reached, not loaded */
    bool is_odd;      /* the count that mode 3 is working on */
    bool must_load, is_active, is_strobing;
};

static void naive_control(struct naive *naive, unsigned mode, bool is_bcd)
{
    *naive = (struct naive){.mode = mode, .is_bcd = is_bcd, .gate = naive->gate, .out = mode != 0};
}

static void naive_count(struct naive *naive, unsigned count)
{
    naive->count = count;
    if (naive->mode == 0 || naive->mode == 4 || ((naive->mode == 2 || naive->mode == 3) && !naive->is_active))
        naive->must_load = true;
    if (naive->mode == 0)
        naive->out = false;
    if (naive->mode != 1 && naive->mode != 5)
        naive->is_active = true;
}

static void naive_gate(struct naive *naive, bool gate)
{
    bool rises = gate && !naive->gate;
    naive->gate = gate;
    if (naive->count && rises && naive->mode != 0 && naive->mode != 4)
        naive->must_load = naive->is_active = true;
    if (!gate && (naive->mode == 2 || naive->mode == 3))
        naive->out = true;
}

static void naive_load(struct naive *naive)
{
    naive->must_load = false;
    naive->element = naive->count;
    naive->is_odd = naive->count & 1;
    if (naive->mode == 3)
        naive->element &= ~1u;
    if (naive->mode == 1)
        naive->out = false;
}

static void naive_decrement(struct naive *naive)
{
    unsigned limit = naive->is_bcd ? 10000 : 65536;
    naive->element = naive->element ? naive->element - 1 : limit - 1;
}

static void naive_square_wave(struct naive *naive)
{
    bool has_expired = naive->element == 0;
    if (!has_expired) {
        naive->element -= 2;
        /* The high half of an odd count lasts for one pulse more. */
        has_expired = naive->element == 0 && !(naive->is_odd && naive->out);
    }
    if (has_expired) {
        naive->out = !naive->out;
        naive_load(naive);
    }
}

static void naive_clock(struct naive *naive)
{
    bool was_strobing = naive->is_strobing;
    naive->is_strobing = false;
    if (was_strobing)
        naive->out = true;
    if (!naive->is_active)
        return;
    if (naive->must_load) {
        naive_load(naive);
        return;
    }
    if (!naive->gate && naive->mode != 1 && naive->mode != 5)
        return;
    switch (naive->mode) {
    case 2:
        if (naive->element == 1) {
            naive_load(naive);
            naive->out = true;
        } else {
            naive_decrement(naive);
            naive->out = naive->element != 1;
        }
        break;
    case 3:
        naive_square_wave(naive);
        break;
    case 0:
    case 1:
        naive_decrement(naive);
        if (naive->element == 0)
            naive->out = true;
        break;
    default:
        naive_decrement(naive);
        /* Only the first time: the count goes on, the strobe does not come again until a load. */
        if (naive->element == 0 && naive->count) {
            naive->out = false;
            naive->is_strobing = true;
        }
        break;
    }
}

static unsigned shown(const struct naive *naive)
{
    unsigned value = naive->element % (naive->is_bcd ? 10000 : 65536);
    if (!naive->is_bcd)
        return value;
    return value / 1000 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 | value % 10;
}

static uint32_t random_state;

static unsigned random_below(unsigned limit)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % limit;
}

static unsigned random_count(void)
{
    return 2 + random_below(random_below(4) ? 12 : 90);
}

/* Two decimal digits are enough for BCD: random_count() gives no more. */
static void write_count(struct pit_channel *channel, unsigned count, pit_tick now)
{
    unsigned written = channel->is_bcd ? count / 10 << 4 | count % 10 : count;
    channel_write(channel, (uint8_t)written, now);
    channel_write(channel, (uint8_t)(written >> 8), now);
}

static unsigned read_count(struct pit_channel *channel, pit_tick now)
{
    channel_latch_count(channel, now);
    unsigned low = channel_read(channel, now);
    return (unsigned)channel_read(channel, now) << 8 | low;
}

static void compare_mode(unsigned mode, bool is_bcd)
{
    struct pit_channel channel = {.gate = true};
    struct naive naive = {.gate = true};
    bool was_loaded = false;
    pit_tick expected_edge = PIT_NEVER;
    channel_control(&channel, (uint8_t)(0x30 | mode << 1 | is_bcd), 0);
    naive_control(&naive, mode, is_bcd);
    for (pit_tick now = 0; now < 60000; now++) {
        bool before = naive.out;
        naive_clock(&naive);
        was_loaded |= naive.is_active && !naive.must_load;
        if (expected_edge == now)
            cr_assert_neq(naive.out, before, "mode %u tick %ld: an edge was announced", mode, (long)now);
        else
            cr_assert_eq(naive.out, before, "mode %u tick %ld: this edge was not announced", mode, (long)now);
        channel_settle(&channel, now);
        cr_assert_eq(channel_out(&channel, now), naive.out, "mode %u tick %ld: OUT", mode, (long)now);
        if (was_loaded && !naive.must_load)
            cr_assert_eq(read_count(&channel, now), shown(&naive), "mode %u tick %ld: count", mode,
                         (long)now);

        unsigned action = now == 0 ? 0 : random_below(60);
        bool is_strobe = mode == 4 && !naive.out;
        if (action == 0) {
            unsigned count = random_count();
            write_count(&channel, count, now);
            naive_count(&naive, count);
        }
        if ((action == 1 || action == 2) && !is_strobe) {
            channel_set_gate(&channel, action == 1, now);
            naive_gate(&naive, action == 1);
        } else if (action == 3 && !is_strobe) {
            channel_set_gate(&channel, false, now);
            channel_set_gate(&channel, true, now);
            naive_gate(&naive, false);
            naive_gate(&naive, true);
        }
        cr_assert_eq(channel_out(&channel, now), naive.out, "mode %u tick %ld: OUT after a write", mode,
                     (long)now);
        expected_edge = channel_next_edge(&channel, now);
    }
}

Test(pit, modes_agree_with_a_counter_clocked_tick_by_tick)
{
    for (unsigned mode = 0; mode < 6; mode++) {
        random_state = 42 + mode;
        compare_mode(mode, false);
        compare_mode(mode, true);
    }
}

enum { CPU_HZ = 1000000000 };

static struct board_fixture at;
static struct pit *pit;

static void start(uint64_t cpu_hz)
{
    fixture_init(&at);
    pit = pit_create(
        &(struct pit_params){.events = at.events, .cpu_hz = cpu_hz, .irq = recording_line(&at.irq)}, at.ports,
        &at.diag);
    cr_assert(pit);
}

static void setup(void)
{
    start(CPU_HZ);
}

static void teardown(void)
{
    pit_destroy(pit);
    fixture_fini(&at);
}

TestSuite(pit_board, .init = setup, .fini = teardown);

static void program(unsigned channel, unsigned mode, unsigned count)
{
    out(&at, 0x43, (uint8_t)(channel << 6 | 0x30 | mode << 1));
    out(&at, (uint16_t)(0x40 + channel), (uint8_t)count);
    out(&at, (uint16_t)(0x40 + channel), (uint8_t)(count >> 8));
}

/* The first cycle of a tick of 1193182 Hz. */
static cycle_t cycle_of(uint64_t tick, uint64_t cpu_hz)
{
    return (cycle_t)(((unsigned __int128)tick * cpu_hz + PIT_HZ - 1) / PIT_HZ);
}

Test(pit_board, rate_generator_raises_irq_0_in_exact_cycles)
{
    program(0, 2, 11932);
    for (unsigned n = 1; n <= 100; n++) {
        /* The count is loaded at tick 1; the output is low for the last tick of each period. */
        cycle_t rise = cycle_of(1 + n * UINT64_C(11932), CPU_HZ);
        go_to(&at, rise - 1);
        cr_assert_not(at.irq.level);
        cr_assert_eq(at.irq.nr_rises, n, "it is high from the start");
        go_to(&at, rise);
        cr_assert(at.irq.level);
        cr_assert_eq(at.irq.last_rise, rise);
        cr_assert_eq(at.irq.last_fall, cycle_of(n * UINT64_C(11932), CPU_HZ));
    }
}

Test(pit_board, does_not_drift_in_an_hour)
{
    program(0, 2, 65536);
    while (at.irq.nr_rises < 65537)
        go_to(&at, ev_next(at.events));
    cr_assert_eq(at.irq.last_rise, cycle_of(1 + UINT64_C(65536) * 65536, CPU_HZ));
}

Test(pit_board, one_shot_interrupt_comes_once)
{
    program(0, 0, 1000);
    cr_assert_not(at.irq.level);
    go_to(&at, cycle_of(1001, CPU_HZ) - 1);
    cr_assert_not(at.irq.level);
    go_to(&at, cycle_of(1001, CPU_HZ));
    cr_assert(at.irq.level);
    cr_assert_eq(ev_next(at.events), EV_NEVER, "nothing more to wait for");
}

Test(pit_board, count_is_read_from_the_present_cycle)
{
    program(0, 2, 1000);
    for (unsigned tick = 1; tick < 3000; tick += 7) {
        ev_set_now(at.events, cycle_of(tick, CPU_HZ));
        out(&at, 0x43, 0x00);
        unsigned low = in(&at, 0x40), count = in(&at, 0x40) * 256u + low;
        cr_assert_eq(count, 1000 - (tick - 1) % 1000, "tick %u", tick);
    }
}

Test(pit_board, edge_that_is_due_is_delivered_before_a_later_access)
{
    program(0, 0, 100);
    /* The CPU runs ahead of the queue within a slice. */
    ev_set_now(at.events, cycle_of(150, CPU_HZ));
    in(&at, 0x40);
    cr_assert(at.irq.level);
}

Test(pit_board, latch_holds_until_it_is_read)
{
    program(2, 2, 0x1234);
    out(&at, 0x61, 0x01);
    ev_set_now(at.events, cycle_of(11, CPU_HZ));
    out(&at, 0x43, 0x80);
    ev_set_now(at.events, cycle_of(500, CPU_HZ));
    out(&at, 0x43, 0x80);
    unsigned low = in(&at, 0x42), high = in(&at, 0x42);
    cr_assert_eq(high << 8 | low, 0x1234 - 10, "a second latch command is ignored");
}

Test(pit_board, read_back_gives_status_then_count)
{
    program(0, 3, 100);
    out(&at, 0x43, 0xe2);
    cr_assert_eq(in(&at, 0x40), 0x80 | 0x40 | 0x30 | 0x06,
                 "OUT high, count not yet loaded, both bytes, mode 3");
    ev_set_now(at.events, cycle_of(1 + 60, CPU_HZ));
    out(&at, 0x43, 0xc2);
    cr_assert_eq(in(&at, 0x40), 0x30 | 0x06, "the low half of the wave");
    unsigned low = in(&at, 0x40), count = in(&at, 0x40) * 256u + low;
    cr_assert_eq(count, 80, "counts by twos");
}

Test(pit_board, control_port_cannot_be_read)
{
    cr_assert_eq(in(&at, 0x43), 0xff);
}

Test(pit_board, byte_access_modes)
{
    out(&at, 0x43, 0x14);
    out(&at, 0x40, 0x20);
    ev_set_now(at.events, cycle_of(4, CPU_HZ));
    cr_assert_eq(in(&at, 0x40), 0x1d, "low byte only");
    out(&at, 0x43, 0x24);
    out(&at, 0x40, 0x02);
    ev_set_now(at.events, cycle_of(4 + 4, CPU_HZ));
    cr_assert_eq(in(&at, 0x40), 0x01, "high byte only, of 0x200 - 3");
}

Test(pit_board, port_61_gates_and_shows_channel_2)
{
    program(2, 0, 100);
    cr_assert_not(in(&at, 0x61) & 0x20);
    ev_set_now(at.events, cycle_of(1000, CPU_HZ));
    cr_assert_not(in(&at, 0x61) & 0x20, "the gate is closed");
    out(&at, 0x61, 0x01);
    ev_set_now(at.events, cycle_of(1099, CPU_HZ));
    cr_assert_not(in(&at, 0x61) & 0x20);
    ev_set_now(at.events, cycle_of(1100, CPU_HZ));
    cr_assert(in(&at, 0x61) & 0x20);
    cr_assert_eq(in(&at, 0x61) & 0x0f, 0x01);
}

Test(pit_board, refresh_bit_toggles_every_period_of_channel_1)
{
    out(&at, 0x43, 0x54);
    out(&at, 0x41, 18);
    for (unsigned period = 0; period < 8; period++) {
        ev_set_now(at.events, cycle_of(1 + period * 18 + 9, CPU_HZ));
        cr_assert_eq(in(&at, 0x61) >> 4 & 1, period & 1);
    }
}

Test(pit_board, pulse_is_not_lost_when_a_cycle_is_longer_than_a_tick)
{
    teardown();
    start(1000000);
    program(0, 2, 1000);
    while (at.irq.nr_rises < 1001)
        go_to(&at, ev_next(at.events));
    cr_assert_eq(at.irq.last_rise, cycle_of(1 + 1000 * UINT64_C(1000), 1000000));
}
