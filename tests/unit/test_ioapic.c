/* The I/O APIC as its data sheet says (82093AA), with a local APIC that takes its messages. */
#include "sim/board/interrupts.h"

#include "tests/unit/board_fixture.h"

enum { SELECT = 0, WINDOW = 0x10, SVR = 0xf0, END = 0xb0, ISR = 0x100, TMR = 0x180 };
enum { LOW = 1 << 13, REMOTE_IRR = 1 << 14, LEVEL = 1 << 15, MASKED = 1 << 16, PENDING = 1 << 12 };

static struct board_fixture at;
static struct iomap *memory;
static struct interrupts *wired;
static struct lapic *lapic;

static uint32_t get(uint8_t reg)
{
    iomap_write(memory, IOAPIC_BASE + SELECT, 4, reg);
    return (uint32_t)iomap_read(memory, IOAPIC_BASE + WINDOW, 4);
}

static void set(uint8_t reg, uint32_t value)
{
    iomap_write(memory, IOAPIC_BASE + SELECT, 4, reg);
    iomap_write(memory, IOAPIC_BASE + WINDOW, 4, value);
}

static uint32_t entry(unsigned pin)
{
    return get((uint8_t)(0x10 + 2 * pin));
}

static void set_entry(unsigned pin, uint32_t low)
{
    set((uint8_t)(0x10 + 2 * pin), low);
}

static void end(void)
{
    lapic_write(lapic, END, 4, 0);
}

static void setup(void)
{
    fixture_init(&at);
    memory = iomap_create("memory");
    wired = interrupts_create(
        &(struct interrupts_params){
            .events = at.events,
            .cpu_hz = 1000000000,
            .apic_hz = 100000000,
            .has_apic = true,
            .core = {.intr = recording_line(&at.irq)},
        },
        at.ports, memory, &at.diag);
    cr_assert(wired);
    lapic = interrupts_lapic(wired);
    lapic_write(lapic, SVR, 4, 0x1ff);
}

static void teardown(void)
{
    interrupts_destroy(wired);
    iomap_destroy(memory);
    fixture_fini(&at);
}

TestSuite(ioapic, .init = setup, .fini = teardown);

Test(ioapic, registers)
{
    cr_assert_eq(get(1), 0x170011);
    cr_assert_eq(get(0), 0);
    set(0, UINT32_MAX);
    cr_assert_eq(get(0), 0x0f000000);
    cr_assert_eq(get(2), 0x0f000000);
    set(1, 0);
    cr_assert_eq(get(1), 0x170011);
    for (unsigned pin = 0; pin < IOAPIC_NR_PINS; pin++) {
        cr_assert_eq(entry(pin), MASKED);
        set_entry(pin, UINT32_MAX);
        cr_assert_eq(entry(pin), 0x1afff);
        set((uint8_t)(0x11 + 2 * pin), UINT32_MAX);
        cr_assert_eq(get((uint8_t)(0x11 + 2 * pin)), 0xff000000);
    }
    cr_assert_eq(get(0x40), UINT32_MAX);
    cr_assert_eq(iomap_read(memory, IOAPIC_BASE, 1), 0xff); /* whole dwords only */
    cr_assert_eq(iomap_stats(memory)->unclaimed_reads, 1);
}

Test(ioapic, an_edge_is_one_message)
{
    struct irq_line line = interrupts_isa_line(wired, 4);
    irq_set(&line, true);
    irq_set(&line, false);
    set_entry(4, 0x54);
    cr_assert_not(at.irq.level); /* an edge at a masked input is lost */
    irq_set(&line, true);
    cr_assert_eq(interrupts_acknowledge(wired), 0x54);
    end();
    cr_assert_not(at.irq.level);
    irq_set(&line, false);
    cr_assert_not(at.irq.level);
    set_entry(4, 0x54 | LOW);
    irq_set(&line, true);
    cr_assert_not(at.irq.level);
    irq_set(&line, false);
    cr_assert_eq(interrupts_acknowledge(wired), 0x54);
    cr_assert_eq(lapic_read(lapic, TMR + 0x20, 4), 0);
}

Test(ioapic, a_level_is_one_message_for_each_end)
{
    struct irq_line line = interrupts_pirq_line(wired, 1);
    set_entry(17, 0x61 | LOW | LEVEL);
    cr_assert_not(at.irq.level);
    irq_set(&line, true);
    cr_assert_eq(entry(17), 0x61 | LOW | LEVEL | REMOTE_IRR);
    cr_assert_eq(interrupts_acknowledge(wired), 0x61);
    cr_assert_eq(lapic_read(lapic, TMR + 0x30, 4), 2);
    cr_assert_not(at.irq.level);
    end();
    cr_assert(at.irq.level); /* the device still asks */
    cr_assert_eq(interrupts_acknowledge(wired), 0x61);
    irq_set(&line, false);
    end();
    cr_assert_not(at.irq.level);
    cr_assert_eq(entry(17), 0x61 | LOW | LEVEL);
    irq_set(&line, true);
    irq_set(&line, false);
    cr_assert(at.irq.level); /* accepted already */
    cr_assert_eq(ioapic_nr_sent(interrupts_ioapic(wired)), 3);
}

/* How software ends an interrupt without the local APIC's EOI: Linux does it with this version. */
Test(ioapic, an_edge_in_between_clears_remote_irr)
{
    struct irq_line line = interrupts_pirq_line(wired, 0);
    set_entry(16, 0x61 | LOW | LEVEL);
    irq_set(&line, true);
    irq_set(&line, false);
    set_entry(16, 0x61 | LOW | MASKED);
    cr_assert_eq(entry(16), 0x61 | LOW | MASKED);
    set_entry(16, 0x61 | LOW | LEVEL);
    cr_assert_eq(entry(16), 0x61 | LOW | LEVEL);
}

/* The line is low when a device asks: an entry for active high takes the idle line for a request. */
Test(ioapic, pci_lines_are_active_low)
{
    set_entry(19, 0x70 | LEVEL);
    cr_assert(at.irq.level);
}

Test(ioapic, a_level_that_nobody_takes_waits)
{
    struct irq_line line = interrupts_pirq_line(wired, 0);
    lapic_write(lapic, SVR, 4, 0xff);
    set_entry(16, 0x61 | LOW | LEVEL);
    irq_set(&line, true);
    cr_assert_eq(entry(16), 0x61 | LOW | LEVEL | PENDING);
    cr_assert_not(at.irq.level);
    lapic_write(lapic, SVR, 4, 0x1ff);
    cr_assert_eq(entry(16), 0x61 | LOW | LEVEL | REMOTE_IRR);
    cr_assert_eq(interrupts_acknowledge(wired), 0x61);
}

Test(ioapic, the_tick_is_on_pin_2)
{
    struct irq_line tick = interrupts_isa_line(wired, 0);
    set_entry(0, 0x40);
    set_entry(2, 0x42);
    irq_set(&tick, true);
    cr_assert_eq(interrupts_acknowledge(wired), 0x42);
    cr_assert_not(at.irq.level);
}

static void program_pics(void)
{
    static const uint16_t writes[][2] = {{0x20, 0x11}, {0x21, 0x20}, {0x21, 4}, {0x21, 1}, {0x21, 0xef},
                                         {0xa0, 0x11}, {0xa1, 0x28}, {0xa1, 2}, {0xa1, 1}, {0xa1, 0xff}};
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++)
        out(&at, writes[i][0], (uint8_t)writes[i][1]);
}

/* MP 1.4, 3.6.2.2: the 8259s through LINT0; 3.6.2.3: through the I/O APIC. */
Test(ioapic, both_virtual_wire_modes_deliver_the_pics_vector)
{
    struct irq_line line = interrupts_isa_line(wired, 4);
    program_pics();
    lapic_set_virtual_wire(lapic);
    irq_set(&line, true);
    cr_assert(at.irq.level);
    cr_assert_eq(interrupts_acknowledge(wired), 0x24);
    cr_assert_not(at.irq.level);
    irq_set(&line, false);
    out(&at, 0x20, 0x20);
    lapic_write(lapic, 0x350, 4, 0x10700);
    set_entry(0, 0x700);
    irq_set(&line, true);
    cr_assert(at.irq.level);
    cr_assert_eq(interrupts_acknowledge(wired), 0x24);
    cr_assert_not(at.irq.level);
}

Test(ioapic, without_apics_the_pics_drive_the_core)
{
    struct iomap *ports = iomap_create("port");
    struct line_record intr = {0};
    struct interrupts *plain = interrupts_create(
        &(struct interrupts_params){
            .events = at.events, .cpu_hz = 1000000, .core = {.intr = recording_line(&intr)}},
        ports, memory, &at.diag);
    cr_assert(plain);
    cr_assert_null(interrupts_lapic(plain));
    iomap_destroy(at.ports);
    at.ports = ports;
    program_pics();
    struct irq_line line = interrupts_isa_line(plain, 4);
    irq_set(&line, true);
    cr_assert(intr.level);
    cr_assert_eq(interrupts_acknowledge(plain), 0x24);
    interrupts_destroy(plain);
}
