/*
 * Ways to end and to restart, the keyboard controller's part in them, and the board that puts all devices
 * together.
 */
#include "sim/board/power.h"

#include "sim/board/board.h"
#include "sim/board/kbd.h"

#include "tests/unit/board_fixture.h"

enum { CPU_HZ = 1000000000 };

static struct board_fixture at;
static struct board *board;
static unsigned nr_resets, nr_power_offs, nr_exits, nr_a20_changes;
static uint32_t exit_status;
static bool is_a20_open;
static char said[32], sent[32];
static unsigned nr_said, nr_sent;

static void on_reset(void *opaque)
{
    (void)opaque;
    nr_resets++;
}

static void on_power_off(void *opaque)
{
    (void)opaque;
    nr_power_offs++;
}

static void on_exit_request(void *opaque, uint32_t status)
{
    (void)opaque;
    nr_exits++;
    exit_status = status;
}

static void on_debug_put(void *opaque, uint8_t byte)
{
    (void)opaque;
    said[nr_said++] = (char)byte;
}

static void on_uart_put(void *opaque, uint8_t byte)
{
    (void)opaque;
    sent[nr_sent++] = (char)byte;
}

static void on_a20(void *opaque, bool is_open)
{
    (void)opaque;
    nr_a20_changes++;
    is_a20_open = is_open;
}

static void setup(void)
{
    fixture_init(&at);
    iomap_destroy(at.ports);
    board = board_create(
        &(struct board_params){
            .events = at.events,
            .cpu_hz = CPU_HZ,
            .ram_bytes = 64 << 20,
            .core = {.intr = recording_line(&at.irq)},
            .power = {.power_off = on_power_off,
                      .reset = on_reset,
                      .debug_exit = on_exit_request,
                      .debug_put = on_debug_put},
            .uart_put = on_uart_put,
            .a20 = on_a20,
        },
        &at.diag);
    cr_assert(board);
    at.ports = board_ports(board);
}

static void teardown(void)
{
    board_destroy(board);
    at.ports = NULL;
    fixture_fini(&at);
}

TestSuite(power, .init = setup, .fini = teardown);
TestSuite(board, .init = setup, .fini = teardown);

Test(power, soft_off_needs_slp_en)
{
    iomap_write(at.ports, 0x604, 2, 0x1c01);
    cr_assert_eq(nr_power_offs, 0);
    cr_assert_eq(iomap_read(at.ports, 0x604, 2), 0x1c01);
    iomap_write(at.ports, 0x604, 2, 0x2000);
    cr_assert_eq(nr_power_offs, 1);
    cr_assert_eq(iomap_read(at.ports, 0x604, 2), 0, "SLP_EN reads as zero");
    out(&at, 0x605, 0x20);
    cr_assert_eq(nr_power_offs, 2, "a byte is enough");
}

Test(power, debug_exit_makes_its_status_odd)
{
    out(&at, 0xf4, 0x10);
    cr_assert_eq(exit_status, 0x21);
    iomap_write(at.ports, 0xf4, 4, 0x12345678);
    cr_assert_eq(exit_status, 0x2468acf1);
    cr_assert_eq(nr_exits, 2, "one write is one exit, however wide");
}

Test(power, debug_console)
{
    cr_assert_eq(in(&at, 0xe9), 0xe9);
    out(&at, 0xe9, 'h');
    out(&at, 0xe9, 'i');
    cr_assert_str_eq(said, "hi");
}

Test(power, post_codes_are_counted_and_the_last_one_kept)
{
    out(&at, 0x80, 0x12);
    out(&at, 0x80, 0x34);
    cr_assert_eq(in(&at, 0x80), 0x34);
    cr_assert_eq(board_stats(board)->post_codes, 2);
    cr_assert_eq(board_stats(board)->post_code, 0x34);
}

Test(power, pm_timer_counts_at_its_frequency)
{
    go_to(&at, 0);
    cr_assert_eq(iomap_read(at.ports, 0x608, 4), 0);
    go_to(&at, CPU_HZ);
    cr_assert_eq(iomap_read(at.ports, 0x608, 4), 3579545);
    go_to(&at, (cycle_t)CPU_HZ * 100);
    cr_assert_eq(iomap_read(at.ports, 0x608, 4), 357954500 & 0xffffff, "24 bits");
    cr_assert_eq(iomap_read(at.ports, 0x609, 1), (357954500 >> 8) & 0xff);
}

Test(power, pm_timer_status_is_set_by_its_top_bit_and_cleared_by_a_one)
{
    cr_assert_eq(iomap_read(at.ports, 0x600, 2), 0);
    go_to(&at, (cycle_t)CPU_HZ * 3);
    cr_assert_eq(iomap_read(at.ports, 0x600, 2), 1);
    iomap_write(at.ports, 0x600, 2, 0);
    cr_assert_eq(iomap_read(at.ports, 0x600, 2), 1);
    iomap_write(at.ports, 0x600, 4, 0x00010001);
    cr_assert_eq(iomap_read(at.ports, 0x600, 4), 0x00010000, "status cleared, enable set");
}

/* ACPI 4.8.1: the SCI is a level, on IRQ 9, while an event has come and is enabled. */
Test(power, the_timers_carry_asks_by_the_sci)
{
    enum { SCI_VECTOR = 0x71, HALF = 1 << 23 };
    cycle_t carry = (cycle_t)(((unsigned __int128)HALF * CPU_HZ + 3579544) / 3579545);
    out(&at, 0xa1, 0xfd);
    out(&at, 0x21, 0xfb);
    cr_assert_eq(iomap_read(at.ports, 0x604, 2), 1, "SCI_EN: firmware leaves ACPI mode");
    iomap_write(at.ports, 0x602, 2, 1);
    go_to(&at, carry - 1);
    cr_assert_not(at.irq.level);
    go_to(&at, carry);
    cr_assert(at.irq.level);
    cr_assert_eq(board_acknowledge(board), SCI_VECTOR);
    out(&at, 0xa0, 0x20);
    out(&at, 0x20, 0x20);
    cr_assert(at.irq.level, "it is a level");
    iomap_write(at.ports, 0x600, 2, 1);
    cr_assert_not(at.irq.level);
    go_to(&at, 2 * carry);
    cr_assert(at.irq.level);
    iomap_write(at.ports, 0x602, 2, 0);
    cr_assert_not(at.irq.level);
    go_to(&at, 3 * carry);
    iomap_write(at.ports, 0x602, 2, 1);
    cr_assert(at.irq.level, "what has come asks when it is enabled");
}

/* ACPI 4.8.3.1: the clock's interrupt is an event as well; that of the global lock can be enabled. */
Test(power, the_clocks_interrupt_is_an_event)
{
    enum { ENABLES = 0x421, RTC = 0x400 };
    iomap_write(at.ports, 0x602, 2, 0xffff);
    cr_assert_eq(iomap_read(at.ports, 0x602, 2), ENABLES);
    iomap_write(at.ports, 0x602, 2, RTC);
    out(&at, 0xa1, 0xfd);
    out(&at, 0x21, 0xfb);
    out(&at, 0x70, 0x0b);
    out(&at, 0x71, 0x12); /* an interrupt when the second is updated */
    go_to(&at, CPU_HZ / 2);
    cr_assert_eq(iomap_read(at.ports, 0x600, 2) & RTC, 0);
    go_to(&at, 2 * (cycle_t)CPU_HZ);
    cr_assert_eq(iomap_read(at.ports, 0x600, 2) & RTC, RTC);
    cr_assert(at.irq.level);
    iomap_write(at.ports, 0x600, 2, RTC);
    cr_assert_eq(iomap_read(at.ports, 0x600, 2) & RTC, 0);
    cr_assert_not(at.irq.level);
}

Test(power, reset_by_cf9_needs_a_rising_bit_and_a_byte_access)
{
    iomap_write(at.ports, 0xcf8, 4, 0x8000ff00);
    cr_assert_eq(nr_resets, 0, "PCI's address register is not the reset register");
    out(&at, 0xcf9, 0x02);
    cr_assert_eq(nr_resets, 0);
    out(&at, 0xcf9, 0x06);
    cr_assert_eq(nr_resets, 1);
    out(&at, 0xcf9, 0x06);
    cr_assert_eq(nr_resets, 1);
    cr_assert_eq(in(&at, 0xcf9), 0x06);
    cr_assert_eq(iomap_read(at.ports, 0xcf8, 4), 0x8000ff00);
}

Test(power, reset_by_the_keyboard_controller)
{
    out(&at, 0x64, 0xff);
    cr_assert_eq(nr_resets, 0, "no line is pulsed");
    out(&at, 0x64, 0xfe);
    cr_assert_eq(nr_resets, 1);
    out(&at, 0x64, 0xd1);
    out(&at, 0x60, 0xde);
    cr_assert_eq(nr_resets, 2, "bit 0 of the output port");
}

Test(power, reset_by_port_92)
{
    out(&at, 0x92, 0x02);
    cr_assert_eq(nr_resets, 0);
    out(&at, 0x92, 0x03);
    cr_assert_eq(nr_resets, 1);
}

Test(power, a20_closes_when_both_gates_do)
{
    out(&at, 0x92, 0x00);
    cr_assert_eq(nr_a20_changes, 0, "the keyboard controller still has it open");
    out(&at, 0x64, 0xd1);
    out(&at, 0x60, 0xdd);
    cr_assert_eq(nr_a20_changes, 1);
    cr_assert_not(is_a20_open);
    out(&at, 0x92, 0x02);
    cr_assert(is_a20_open);
    cr_assert_eq(nr_a20_changes, 2);
}

Test(power, keyboard_controller_answers)
{
    cr_assert_eq(in(&at, 0x64) & 0x03, 0, "nothing to read, ready for a command");
    const struct {
        uint8_t command, answer;
    } asked[] = {{0xaa, 0x55}, {0xab, 0x00}, {0xa9, 0x01}, {0xd0, 0xcf}, {0xc0, 0x80}, {0x20, 0x65}};
    for (unsigned i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
        out(&at, 0x64, asked[i].command);
        cr_assert(in(&at, 0x64) & 0x01);
        cr_assert_eq(in(&at, 0x60), asked[i].answer, "command %02x", asked[i].command);
        cr_assert_not(in(&at, 0x64) & 0x01);
    }
}

Test(power, keyboard_answers_and_interrupts)
{
    out(&at, 0x21, 0xfd);
    out(&at, 0x64, 0x60);
    out(&at, 0x60, 0x45);
    out(&at, 0x60, 0xff);
    cr_assert(at.irq.level);
    cr_assert_eq(board_acknowledge(board), 0x09);
    cr_assert_eq(in(&at, 0x60), 0xfa);
    out(&at, 0x20, 0x20);
    cr_assert(at.irq.level, "the second byte is a new interrupt");
    cr_assert_eq(board_acknowledge(board), 0x09);
    cr_assert_eq(in(&at, 0x60), 0xaa);
    out(&at, 0x20, 0x20);
    cr_assert_not(at.irq.level);
    cr_assert_eq(board_stats(board)->irq1, 2);
    out(&at, 0x60, 0xed);
    out(&at, 0x60, 0x07);
    cr_assert_eq(in(&at, 0x60), 0xfa);
    cr_assert_eq(in(&at, 0x60), 0xfa);
    for (unsigned i = 0; i < 100; i++)
        out(&at, 0x60, 0xff);
    cr_assert_eq(in(&at, 0x64) & 0x01, 1, "a queue that is full drops bytes");
}

Test(board, is_left_as_the_firmware_leaves_it)
{
    cr_assert_eq(in(&at, 0x21), 0xb8);
    cr_assert_eq(in(&at, 0xa1), 0x8e);
    go_to(&at, CPU_HZ / 10);
    cr_assert(at.irq.level, "the tick at 18.2 Hz");
    cr_assert_eq(board_acknowledge(board), 0x08);
}

Test(board, com1_is_the_terminal)
{
    out(&at, 0x3f8, '>');
    cr_assert_eq(sent[0], '>');
    cr_assert(board_uart_input(board, 'k'));
    cr_assert_not(board_uart_input(board, 'l'));
    cr_assert_eq(in(&at, 0x3f8), 'k');
    cr_assert_eq(board_stats(board)->com1_sent, 1);
    cr_assert_eq(board_stats(board)->com1_received, 1);
    out(&at, 0x2f8, 'x');
    cr_assert_eq(nr_sent, 1, "COM2 leads nowhere");
    cr_assert_eq(board_stats(board)->com2_sent, 1);
}

Test(board, every_device_has_its_line)
{
    /* COM1 on IRQ 4, COM2 on IRQ 3, the clock on IRQ 8. */
    out(&at, 0x21, 0xe3);
    out(&at, 0xa1, 0xfe);
    out(&at, 0x3fc, 0x08);
    out(&at, 0x3f9, 0x02);
    cr_assert_eq(board_acknowledge(board), 0x0c);
    out(&at, 0x20, 0x20);
    out(&at, 0x2fc, 0x08);
    out(&at, 0x2f9, 0x02);
    cr_assert_eq(board_acknowledge(board), 0x0b);
    out(&at, 0x20, 0x20);
    out(&at, 0x70, 0x0b);
    out(&at, 0x71, 0x42);
    go_to(&at, CPU_HZ / 100);
    cr_assert_eq(board_acknowledge(board), 0x70);
    const struct board_stats *stats = board_stats(board);
    cr_assert(stats->irq4 == 1 && stats->irq3 == 1 && stats->irq8 == 1 && stats->irq_other == 0);
}

Test(board, nobody_s_ports_read_ones_and_are_counted)
{
    cr_assert_eq(in(&at, 0x240), 0xff);
    out(&at, 0x240, 0);
    cr_assert_eq(iomap_read(board_memory(board), 0xc8000, 4), 0xffffffff);
    const struct board_stats *stats = board_stats(board);
    cr_assert_eq(stats->unclaimed_port_reads, 1);
    cr_assert_eq(stats->unclaimed_port_writes, 1);
    cr_assert_eq(stats->unclaimed_memory_reads, 1);
}

Test(board, statistics_rows_name_every_counter)
{
    size_t nr_rows = 0;
    const struct stat_row *rows = board_stat_rows(&nr_rows);
    cr_assert_eq(nr_rows * sizeof(uint64_t), sizeof(struct board_stats));
    for (size_t i = 0; i < nr_rows; i++)
        cr_assert_eq(rows[i].offset, i * sizeof(uint64_t));
}

Test(board, memory_map_is_ascending_and_covers_all_ram_but_the_hole)
{
    const uint64_t sizes[] = {4 << 20, 64 << 20, UINT64_C(1) << 30, UINT64_C(3) << 30};
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        struct memory_map map = memory_map(sizes[i]);
        uint64_t end = 0, in_ram = 0;
        for (size_t n = 0; n < map.nr_ranges; n++) {
            const struct memory_range *range = &map.ranges[n];
            cr_assert(range->base.v >= end && range->size_bytes > 0);
            end = range->base.v + range->size_bytes;
            if (end <= sizes[i])
                in_ram += range->size_bytes;
        }
        cr_assert_eq(end, UINT64_C(1) << 32);
        cr_assert_eq(in_ram, sizes[i] - 0x50000, "A0000-EFFFF is nobody's");
    }
    cr_assert(memory_is_hole(paddr(0xa0000)) && memory_is_hole(paddr(0xfffff)));
    cr_assert_not(memory_is_hole(paddr(0x9ffff)) || memory_is_hole(paddr(0x100000)));
}
