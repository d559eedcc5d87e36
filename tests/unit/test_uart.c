/* Facts from National's PC16550D data sheet: FIFOs, interrupt priorities, loopback, timing. */
#include "sim/board/uart.h"

#include "tests/unit/board_fixture.h"

enum { BASE = 0x3f8, DATA = BASE, IER, IIR, LCR, MCR, LSR, MSR, SCRATCH };
enum { CPU_HZ = 1843200 * 10 };
enum { FCR = IIR };

/* At 10 cycles a clock of the UART, divisor 1 and 8N1 a character takes 10 bits x 16 clocks x 10 cycles. */
enum { CHARACTER_CYCLES = 1600 };

static struct board_fixture at;
static struct uart *uart;
static uint8_t sent[64];
static unsigned nr_sent;

static void on_put(void *opaque, uint8_t byte)
{
    (void)opaque;
    sent[nr_sent++] = byte;
}

static void start(bool is_paced)
{
    fixture_init(&at);
    nr_sent = 0;
    uart = uart_create(
        &(struct uart_params){
            .name = "COM1",
            .base = BASE,
            .events = at.events,
            .cpu_hz = CPU_HZ,
            .irq = recording_line(&at.irq),
            .host = {.put = on_put},
            .is_paced = is_paced,
        },
        at.ports, &at.diag);
    cr_assert(uart);
    out(&at, LCR, 0x03);
    out(&at, MCR, 0x0b);
}

static void setup(void)
{
    start(false);
}

static void setup_paced(void)
{
    start(true);
}

static void teardown(void)
{
    uart_destroy(uart);
    fixture_fini(&at);
}

TestSuite(uart, .init = setup, .fini = teardown);
TestSuite(uart_paced, .init = setup_paced, .fini = teardown);

Test(uart, sends_at_once_and_is_always_ready)
{
    for (unsigned i = 0; i < 40; i++) {
        cr_assert_eq(in(&at, LSR), 0x60);
        out(&at, DATA, (uint8_t)('A' + i));
    }
    cr_assert_eq(nr_sent, 40);
    cr_assert_eq(sent[39], 'A' + 39);
    cr_assert_eq(uart_nr_sent(uart), 40);
}

Test(uart, receives_one_byte_without_fifos)
{
    cr_assert(uart_receive(uart, 'x'));
    cr_assert_not(uart_receive(uart, 'y'), "no room until the first is read");
    cr_assert_eq(in(&at, LSR) & 0x01, 1);
    cr_assert_eq(in(&at, DATA), 'x');
    cr_assert_eq(in(&at, LSR) & 0x01, 0);
    cr_assert(uart_receive(uart, 'y'));
    cr_assert_eq(uart_nr_received(uart), 2);
}

Test(uart, fifo_holds_sixteen_bytes_in_order)
{
    out(&at, FCR, 0x01);
    for (unsigned i = 0; i < 16; i++)
        cr_assert(uart_receive(uart, (uint8_t)i));
    cr_assert_not(uart_receive(uart, 16));
    for (unsigned i = 0; i < 16; i++)
        cr_assert_eq(in(&at, DATA), i);
    cr_assert_not(in(&at, LSR) & 0x01);
}

Test(uart, received_interrupt_waits_for_the_trigger_level)
{
    const unsigned levels[] = {1, 4, 8, 14};
    out(&at, IER, 0x01);
    for (unsigned i = 0; i < 4; i++) {
        out(&at, FCR, (uint8_t)(i << 6 | 0x03));
        for (unsigned n = 1; n < levels[i]; n++) {
            uart_receive(uart, 0);
            cr_assert_not(at.irq.level, "level %u, %u bytes", levels[i], n);
        }
        uart_receive(uart, 0);
        cr_assert(at.irq.level, "level %u", levels[i]);
        cr_assert_eq(in(&at, IIR), 0xc4);
        in(&at, DATA);
        cr_assert_not(at.irq.level, "below the level %u again", levels[i]);
    }
}

Test(uart, bytes_below_the_trigger_level_time_out)
{
    out(&at, IER, 0x01);
    out(&at, FCR, 0xc1);
    go_to(&at, 1000);
    uart_receive(uart, 'a');
    uart_receive(uart, 'b');
    go_to(&at, 1000 + 4 * CHARACTER_CYCLES - 1);
    cr_assert_not(at.irq.level);
    go_to(&at, 1000 + 4 * CHARACTER_CYCLES);
    cr_assert(at.irq.level);
    cr_assert_eq(in(&at, IIR), 0xcc);
    cr_assert_eq(in(&at, DATA), 'a');
    cr_assert_not(at.irq.level, "reading restarts the clock");
    go_to(&at, 1000 + 8 * CHARACTER_CYCLES);
    cr_assert(at.irq.level, "b has waited long enough");
    in(&at, DATA);
    cr_assert_eq(ev_next(at.events), EV_NEVER, "nothing waits in an empty FIFO");
}

Test(uart, timeout_is_counted_from_the_line_s_speed)
{
    out(&at, LCR, 0x83);
    out(&at, DATA, 12);
    out(&at, LCR, 0x03);
    out(&at, IER, 0x01);
    out(&at, FCR, 0xc1);
    uart_receive(uart, 'a');
    cr_assert_eq(ev_next(at.events), 4 * 12 * CHARACTER_CYCLES);
}

Test(uart, interrupts_come_in_their_order)
{
    /* An overrun, a byte, an empty transmitter and a changed modem line at once. */
    out(&at, MCR, 0x10);
    out(&at, DATA, 'a');
    out(&at, DATA, 'b');
    out(&at, MCR, 0x0b);
    out(&at, IER, 0x0f);
    cr_assert_eq(in(&at, IIR), 0x06);
    cr_assert_eq(in(&at, LSR), 0x63);
    cr_assert_eq(in(&at, IIR), 0x04);
    cr_assert_eq(in(&at, DATA), 'b', "without FIFOs the last one overwrites");
    cr_assert_eq(in(&at, IIR), 0x02);
    cr_assert_eq(in(&at, IIR), 0x00, "reading IIR has answered the transmitter's");
    cr_assert(at.irq.level);
    in(&at, MSR);
    cr_assert_eq(in(&at, IIR), 0x01);
    cr_assert_not(at.irq.level);
}

Test(uart, transmitter_interrupt_is_a_new_edge_for_each_byte)
{
    out(&at, IER, 0x02);
    cr_assert(at.irq.level, "enabling it while the transmitter is empty raises it");
    cr_assert_eq(at.irq.nr_rises, 1);
    cr_assert_eq(in(&at, IIR), 0x02);
    cr_assert_not(at.irq.level);
    out(&at, DATA, 'a');
    cr_assert_eq(at.irq.nr_rises, 2);
    out(&at, DATA, 'b');
    cr_assert_eq(at.irq.nr_rises, 3, "without reading IIR too");
    out(&at, IER, 0x00);
    cr_assert_not(at.irq.level);
}

Test(uart, out2_gates_the_line)
{
    out(&at, IER, 0x01);
    out(&at, MCR, 0x03);
    uart_receive(uart, 'a');
    cr_assert_not(at.irq.level);
    cr_assert_eq(in(&at, IIR), 0x04, "the chip itself asks");
    out(&at, MCR, 0x0b);
    cr_assert(at.irq.level);
}

Test(uart, loopback_returns_bytes_and_modem_lines)
{
    out(&at, MCR, 0x10);
    out(&at, DATA, 0xae);
    cr_assert_eq(nr_sent, 0);
    cr_assert_not(uart_receive(uart, 'x'), "the line is cut");
    cr_assert_eq(in(&at, DATA), 0xae);
    /* DTR, RTS, OUT1, OUT2 come back as DSR, CTS, RI, DCD. */
    const struct {
        uint8_t mcr, msr;
    } wired[] = {{0x11, 0x20}, {0x12, 0x10}, {0x14, 0x40}, {0x18, 0x80}, {0x1f, 0xf0}, {0x10, 0x00}};
    for (unsigned i = 0; i < sizeof(wired) / sizeof(*wired); i++) {
        out(&at, MCR, wired[i].mcr);
        cr_assert_eq(in(&at, MSR) & 0xf0, wired[i].msr, "MCR %02x", wired[i].mcr);
    }
}

Test(uart, modem_deltas_are_cleared_by_reading)
{
    out(&at, MCR, 0x10);
    in(&at, MSR);
    out(&at, MCR, 0x12);
    cr_assert_eq(in(&at, MSR), 0x11, "CTS changed");
    cr_assert_eq(in(&at, MSR), 0x10);
    out(&at, MCR, 0x14);
    in(&at, MSR);
    out(&at, MCR, 0x10);
    cr_assert_eq(in(&at, MSR), 0x04, "the ring's trailing edge");
}

Test(uart, host_looks_like_a_connected_modem)
{
    cr_assert_eq(in(&at, MSR), 0xb0);
}

Test(uart, registers_that_hold_what_is_written)
{
    out(&at, SCRATCH, 0x5a);
    out(&at, IER, 0xff);
    cr_assert_eq(in(&at, SCRATCH), 0x5a);
    cr_assert_eq(in(&at, IER), 0x0f);
    out(&at, MCR, 0xff);
    cr_assert_eq(in(&at, MCR), 0x1f);
    out(&at, LCR, 0x9b);
    cr_assert_eq(in(&at, LCR), 0x9b);
}

Test(uart, divisor_latch_hides_data_and_ier)
{
    out(&at, IER, 0x05);
    out(&at, LCR, 0x83);
    out(&at, DATA, 0x34);
    out(&at, IER, 0x12);
    cr_assert_eq(in(&at, DATA), 0x34);
    cr_assert_eq(in(&at, IER), 0x12);
    out(&at, LCR, 0x03);
    cr_assert_eq(in(&at, IER), 0x05);
    cr_assert_eq(nr_sent, 0);
}

Test(uart, fifo_control)
{
    cr_assert_eq(in(&at, IIR), 0x01);
    out(&at, FCR, 0xc7);
    cr_assert_eq(in(&at, IIR), 0xc1, "FIFOs announced");
    uart_receive(uart, 'a');
    out(&at, FCR, 0x03);
    cr_assert_not(in(&at, LSR) & 0x01, "cleared");
    uart_receive(uart, 'a');
    out(&at, FCR, 0x02);
    cr_assert_not(in(&at, LSR) & 0x01, "turning the FIFOs off empties them");
    uart_receive(uart, 'a');
    out(&at, FCR, 0x02);
    cr_assert(in(&at, LSR) & 0x01, "the other bits count only with the first one set");
}

Test(uart_paced, byte_takes_its_time)
{
    out(&at, IER, 0x02);
    in(&at, IIR);
    out(&at, DATA, 'a');
    cr_assert_eq(in(&at, LSR), 0x20, "in the shift register: the holding register is free");
    out(&at, DATA, 'b');
    cr_assert_eq(in(&at, LSR), 0x00);
    go_to(&at, CHARACTER_CYCLES - 1);
    cr_assert_eq(nr_sent, 0);
    go_to(&at, CHARACTER_CYCLES);
    cr_assert_eq(nr_sent, 1);
    cr_assert(at.irq.level, "the holding register is free again");
    cr_assert_eq(in(&at, LSR), 0x20);
    go_to(&at, 2 * CHARACTER_CYCLES);
    cr_assert_eq(nr_sent, 2);
    cr_assert_eq(in(&at, LSR), 0x60);
}

Test(uart_paced, fifo_sends_sixteen_bytes_and_then_asks_for_more)
{
    out(&at, FCR, 0x01);
    out(&at, IER, 0x02);
    for (unsigned i = 0; i < 17; i++)
        out(&at, DATA, (uint8_t)i);
    in(&at, IIR);
    cr_assert_not(at.irq.level);
    go_to(&at, 16 * CHARACTER_CYCLES - 1);
    cr_assert_not(at.irq.level);
    go_to(&at, 16 * CHARACTER_CYCLES);
    cr_assert(at.irq.level, "the last byte has moved to the shift register");
    go_to(&at, 17 * CHARACTER_CYCLES);
    cr_assert_eq(nr_sent, 17);
    for (unsigned i = 0; i < 17; i++)
        cr_assert_eq(sent[i], i);
}
