/*
 * The local APIC: its registers, priorities, timer and messages as SDM 3A chapter 10 says, and two of them on
 * a bus.
 */
#include "sim/board/lapic.h"

#include "tests/unit/board_fixture.h"

enum { CPU_HZ = 1000000000, TIMER_HZ = 100000000, CYCLES_PER_TICK = 10 };
enum {
    ID = 0x20,
    VERSION = 0x30,
    TPR = 0x80,
    PPR = 0xa0,
    END = 0xb0,
    LDR = 0xd0,
    DFR = 0xe0,
    SVR = 0xf0,
    ISR = 0x100,
    TMR = 0x180,
    IRR = 0x200,
    ESR = 0x280,
    ICR_LOW = 0x300,
    ICR_HIGH = 0x310,
    LVT_TIMER = 0x320,
    LVT_PERFORMANCE = 0x340,
    LVT_LINT0 = 0x350,
    LVT_LINT1 = 0x360,
    LVT_ERROR = 0x370,
    INITIAL = 0x380,
    CURRENT = 0x390,
    DIVIDE = 0x3e0,
};
enum { MASKED = 1 << 16, PERIODIC = 1 << 17, LEVEL = 1 << 15, BY_1 = 0xb };
enum { SELF = 1 << 18, ALL = 2 << 18, OTHERS = 3 << 18, LOGICAL = 1 << 11, NMI = 4 << 8, EXTINT = 7 << 8 };

static struct board_fixture at;
static struct apic_bus bus;

struct cpu {
    struct lapic *lapic;
    struct line_record intr;
    unsigned nr_nmis, nr_inits, startup;
};
static struct cpu cpu[2];

static void on_nmi(void *opaque)
{
    ((struct cpu *)opaque)->nr_nmis++;
}

static void on_init(void *opaque)
{
    ((struct cpu *)opaque)->nr_inits++;
}

static void on_startup(void *opaque, uint8_t vector)
{
    ((struct cpu *)opaque)->startup = vector;
}

static void write(unsigned i, uint32_t reg, uint32_t value)
{
    lapic_write(cpu[i].lapic, reg, 4, value);
}

static uint32_t read(unsigned i, uint32_t reg)
{
    return (uint32_t)lapic_read(cpu[i].lapic, reg, 4);
}

static void setup(void)
{
    fixture_init(&at);
    bus = (struct apic_bus){0};
    for (unsigned i = 0; i < 2; i++) {
        cpu[i] = (struct cpu){.intr = {.events = at.events}};
        cpu[i].lapic = lapic_create(
            &(struct lapic_params){
                .events = at.events,
                .cpu_hz = CPU_HZ,
                .timer_hz = TIMER_HZ,
                .id = (uint8_t)i,
                .is_boot_processor = i == 0,
                .bus = &bus,
                .core = {.intr = recording_line(&cpu[i].intr),
                         .nmi = on_nmi,
                         .init = on_init,
                         .startup = on_startup,
                         .opaque = &cpu[i]},
            },
            &at.diag);
        cr_assert(cpu[i].lapic);
        write(i, SVR, 0x1ff);
    }
}

static void teardown(void)
{
    lapic_destroy(cpu[0].lapic);
    lapic_destroy(cpu[1].lapic);
    fixture_fini(&at);
}

TestSuite(lapic, .init = setup, .fini = teardown);

static void self(uint8_t vector)
{
    write(0, ICR_LOW, SELF | vector);
}

/* SDM 3A 10.4.7.1. */
Test(lapic, after_a_reset)
{
    lapic_reset(cpu[0].lapic);
    cr_assert_eq(lapic_base(cpu[0].lapic), 0xfee00900);
    cr_assert_eq(lapic_base(cpu[1].lapic), 0xfee00800);
    cr_assert_eq(read(0, SVR), 0xff);
    cr_assert_eq(read(0, DFR), 0xffffffff);
    cr_assert_eq(read(0, LDR), 0);
    cr_assert_eq(read(1, ID), 1u << 24);
    cr_assert_eq(read(0, VERSION), 0x50014);
    for (uint32_t reg = LVT_TIMER; reg <= LVT_ERROR; reg += 0x10)
        cr_assert_eq(read(0, reg), MASKED);
    for (uint32_t reg = ISR; reg < ESR; reg += 0x10)
        cr_assert_eq(read(0, reg), 0);
    cr_assert_eq(read(0, INITIAL) | read(0, CURRENT) | read(0, DIVIDE) | read(0, TPR), 0);
}

Test(lapic, registers_keep_the_bits_they_have)
{
    static const struct {
        uint32_t reg, bits;
    } rows[] = {
        {ID, 0xff000000},       {TPR, 0xff},
        {LDR, 0xff000000},      {SVR, 0x3ff},
        {ICR_HIGH, 0xff000000}, {LVT_TIMER, 0x300ff},
        {0x330, 0x107ff},       {LVT_PERFORMANCE, 0x107ff},
        {LVT_LINT1, 0x1a7ff},   {LVT_ERROR, 0x100ff},
        {INITIAL, UINT32_MAX},  {DIVIDE, 0xb},
        {VERSION, 0},           {PPR, 0},
        {CURRENT, 0},           {ISR, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].bits == 0) {
            uint32_t before = read(0, rows[i].reg);
            write(0, rows[i].reg, ~before);
            cr_assert_eq(read(0, rows[i].reg), before);
            continue;
        }
        write(1, rows[i].reg, UINT32_MAX);
        cr_assert_eq(read(1, rows[i].reg), rows[i].bits, "register %x", rows[i].reg);
    }
    write(1, DFR, 0);
    cr_assert_eq(read(1, DFR), 0x0fffffff);
    write(1, ICR_LOW,
          0xfff33000 | 0x40); /* reserved delivery mode bits stay away from the bus: fixed, to none */
    cr_assert_eq(read(1, ICR_LOW) & 0xfff33000, 0);
}

Test(lapic, only_aligned_dwords_are_written)
{
    write(0, TPR, 0x20);
    lapic_write(cpu[0].lapic, TPR, 1, 0x30);
    lapic_write(cpu[0].lapic, TPR, 8, 0x30);
    lapic_write(cpu[0].lapic, TPR + 4, 4, 0x30);
    cr_assert_eq(read(0, TPR), 0x20);
    cr_assert_eq(lapic_read(cpu[0].lapic, VERSION + 2, 1), 5);
    cr_assert_eq(lapic_read(cpu[0].lapic, VERSION + 4, 4), 0);
    cr_assert_eq(lapic_read(cpu[0].lapic, VERSION, 8), 0x50014);
}

Test(lapic, addresses_without_a_register_are_errors)
{
    cr_assert_eq(read(0, 0x40), 0);
    cr_assert_eq(read(0, ESR), 0); /* not before a write */
    write(0, ESR, 0);
    cr_assert_eq(read(0, ESR), 0x80);
    write(0, 0x3f0, 1);
    write(0, ESR, 0);
    cr_assert_eq(read(0, ESR), 0x80);
    write(0, ESR, 0);
    cr_assert_eq(read(0, ESR), 0);
}

Test(lapic, the_highest_class_goes_first_and_blocks_the_rest)
{
    self(0x41);
    cr_assert(cpu[0].intr.level);
    self(0x52);
    self(0x53);
    cr_assert_eq(read(0, IRR + 0x20), 1u << 0x12 | 1u << 0x13 | 1u << 1);
    cr_assert_eq(lapic_acknowledge(cpu[0].lapic), 0x53);
    cr_assert_not(cpu[0].intr.level); /* 52h is of the same class */
    cr_assert_eq(read(0, PPR), 0x50);
    cr_assert_eq(read(0, ISR + 0x20), 1u << 0x13);
    self(0x61);
    cr_assert(cpu[0].intr.level);
    cr_assert_eq(lapic_acknowledge(cpu[0].lapic), 0x61);
    write(0, END, 0);
    cr_assert_eq(read(0, PPR), 0x50);
    write(0, END, 0);
    cr_assert_eq(lapic_acknowledge(cpu[0].lapic), 0x52);
    write(0, END, 0);
    cr_assert_eq(lapic_acknowledge(cpu[0].lapic), 0x41);
    write(0, END, 0);
    write(0, END, 0); /* one too many: no matter */
    cr_assert_not(cpu[0].intr.level);
    cr_assert_eq(lapic_stats(cpu[0].lapic)->interrupts, 4);
}

Test(lapic, task_priority_holds_back)
{
    write(0, TPR, 0x40);
    self(0x4f);
    cr_assert_not(cpu[0].intr.level);
    write(0, TPR, 0x3f);
    cr_assert(cpu[0].intr.level);
    lapic_set_task_priority(cpu[0].lapic, 5);
    cr_assert_eq(read(0, TPR), 0x50);
    cr_assert_not(cpu[0].intr.level);
    cr_assert_eq(lapic_acknowledge(cpu[0].lapic), 0xff); /* nothing to take: the spurious vector */
    cr_assert_eq(read(0, ISR + 0x70), 0);
    cr_assert_eq(lapic_task_priority(cpu[0].lapic), 5);
    cr_assert_eq(read(0, PPR), 0x50);
}

Test(lapic, illegal_vectors)
{
    write(0, LVT_ERROR, 0x99);
    self(0x0f);
    write(0, ESR, 0);
    cr_assert_eq(read(0, ESR), 1 << 5);
    cr_assert_eq(lapic_acknowledge(cpu[0].lapic), 0x99);
    write(0, END, 0);
    struct apic_message message = {.destination = 0, .vector = 3};
    apic_bus_send(&bus, &message, NULL);
    write(0, ESR, 0);
    cr_assert_eq(read(0, ESR), 1 << 6);
    cr_assert_eq(lapic_acknowledge(cpu[0].lapic), 0x99);
    write(0, LVT_ERROR, 0x02); /* the error's own vector is one: no end of errors */
    self(0x0f);
    write(0, ESR, 0);
    cr_assert_eq(read(0, ESR), 1 << 5);
}

Test(lapic, one_shot_timer)
{
    static const struct {
        uint32_t code, by;
    } rows[] = {{0, 2}, {1, 4}, {2, 8}, {3, 16}, {8, 32}, {9, 64}, {10, 128}, {11, 1}};
    write(0, LVT_TIMER, 0x40);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cycle_t start = ev_now(at.events), period = (cycle_t)rows[i].by * CYCLES_PER_TICK;
        write(0, DIVIDE, rows[i].code);
        write(0, INITIAL, 1000);
        go_to(&at, start + period - 1);
        cr_assert_eq(read(0, CURRENT), 1000);
        go_to(&at, start + period);
        cr_assert_eq(read(0, CURRENT), 999);
        go_to(&at, start + 1000 * period - 1);
        cr_assert_eq(read(0, CURRENT), 1);
        cr_assert_not(cpu[0].intr.level);
        go_to(&at, start + 1000 * period);
        cr_assert_eq(read(0, CURRENT), 0);
        cr_assert(cpu[0].intr.level);
        cr_assert_eq(cpu[0].intr.last_rise, start + 1000 * period);
        cr_assert_eq(lapic_acknowledge(cpu[0].lapic), 0x40);
        write(0, END, 0);
        go_to(&at, start + 5000 * period);
        cr_assert_not(cpu[0].intr.level);
    }
}

Test(lapic, periodic_timer)
{
    write(0, LVT_TIMER, PERIODIC | 0x40);
    write(0, DIVIDE, BY_1);
    write(0, INITIAL, 7);
    for (unsigned i = 1; i < 100; i++) {
        cycle_t due = (cycle_t)i * 7 * CYCLES_PER_TICK;
        go_to(&at, due - 1);
        cr_assert_not(cpu[0].intr.level);
        cr_assert_eq(read(0, CURRENT), 1);
        go_to(&at, due);
        cr_assert(cpu[0].intr.level);
        cr_assert_eq(read(0, CURRENT), 7);
        cr_assert_eq(lapic_acknowledge(cpu[0].lapic), 0x40);
        write(0, END, 0);
    }
    cr_assert_eq(lapic_stats(cpu[0].lapic)->timer, 99);
    write(0, INITIAL, 0);
    cr_assert_eq(read(0, CURRENT), 0);
    cr_assert_eq(ev_next(at.events), EV_NEVER);
}

Test(lapic, a_masked_timer_counts_and_loses_its_interrupt)
{
    write(0, LVT_TIMER, MASKED | PERIODIC | 0x40);
    write(0, DIVIDE, BY_1);
    write(0, INITIAL, 100);
    cr_assert_eq(ev_next(at.events), EV_NEVER);
    go_to(&at, 1250);
    cr_assert_eq(read(0, CURRENT), 75);
    write(0, LVT_TIMER, PERIODIC | 0x40);
    cr_assert_not(cpu[0].intr.level);
    cr_assert_eq(ev_next(at.events), 2000);
    go_to(&at, 1500);
    write(0, DIVIDE, 0); /* by two, from a count of 50 */
    cr_assert_eq(read(0, CURRENT), 50);
    cr_assert_eq(ev_next(at.events), 2500);
}

Test(lapic, software_disabled)
{
    write(0, LVT_TIMER, 0x40);
    write(0, DIVIDE, BY_1);
    write(0, INITIAL, 100);
    self(0x80);
    write(0, SVR, 0xff);
    cr_assert(cpu[0].intr.level); /* what has come stays (SDM 3A 10.4.7.2) */
    cr_assert_eq(lapic_acknowledge(cpu[0].lapic), 0x80);
    self(0x90);
    cr_assert_eq(read(0, IRR + 0x40), 0);
    cr_assert_eq(read(0, LVT_TIMER), MASKED | 0x40);
    write(0, LVT_TIMER, 0x40);
    cr_assert_eq(read(0, LVT_TIMER), MASKED | 0x40);
    go_to(&at, 2000);
    cr_assert_eq(read(0, IRR + 0x20), 0);
    write(1, ICR_HIGH, 0);
    write(1, ICR_LOW, NMI);
    cr_assert_eq(cpu[0].nr_nmis, 1);
}

Test(lapic, virtual_wire)
{
    struct irq_line intr = lapic_line(cpu[0].lapic, 0), nmi = lapic_line(cpu[0].lapic, 1);
    lapic_reset(cpu[0].lapic);
    irq_set(&intr, true);
    irq_set(&nmi, true);
    cr_assert_not(cpu[0].intr.level); /* masked */
    cr_assert_eq(cpu[0].nr_nmis, 0);
    lapic_set_virtual_wire(cpu[0].lapic);
    cr_assert(cpu[0].intr.level);
    write(0, TPR, 0xff); /* does not hold back what is external */
    cr_assert(cpu[0].intr.level);
    cr_assert_eq(lapic_acknowledge(cpu[0].lapic), LAPIC_EXTERNAL);
    irq_set(&intr, false);
    cr_assert_not(cpu[0].intr.level);
    irq_set(&nmi, false);
    irq_set(&nmi, true);
    cr_assert_eq(cpu[0].nr_nmis, 1);
}

Test(lapic, lint_with_a_vector)
{
    struct irq_line line = lapic_line(cpu[0].lapic, 0);
    write(0, LVT_LINT0, 0x70);
    irq_set(&line, true);
    cr_assert_eq(lapic_acknowledge(cpu[0].lapic), 0x70);
    write(0, END, 0);
    cr_assert_not(cpu[0].intr.level); /* one an edge */
    write(0, LVT_LINT0, LEVEL | 0x70);
    cr_assert_eq(read(0, LVT_LINT0), LEVEL | 1 << 14 | 0x70); /* remote IRR */
    cr_assert_eq(lapic_acknowledge(cpu[0].lapic), 0x70);
    cr_assert_not(cpu[0].intr.level);
    cr_assert_eq(read(0, TMR + 0x30), 1u << 0x10);
    write(0, END, 0);
    cr_assert(cpu[0].intr.level); /* it is still active */
    irq_set(&line, false);
    cr_assert_eq(lapic_acknowledge(cpu[0].lapic), 0x70);
    write(0, END, 0);
    cr_assert_not(cpu[0].intr.level);
    cr_assert_eq(read(0, LVT_LINT0), LEVEL | 0x70);
    write(0, LVT_LINT0, 1 << 13 | LEVEL | 0x71); /* active low */
    cr_assert(cpu[0].intr.level);
}

Test(lapic, disabled_in_its_base_register_the_pins_are_plain)
{
    struct irq_line intr = lapic_line(cpu[0].lapic, 0), nmi = lapic_line(cpu[0].lapic, 1);
    self(0x80);
    lapic_set_base(cpu[0].lapic, 0xfee00100);
    cr_assert_not(cpu[0].intr.level);
    irq_set(&intr, true);
    irq_set(&nmi, true);
    cr_assert(cpu[0].intr.level);
    cr_assert_eq(cpu[0].nr_nmis, 1);
    cr_assert_eq(lapic_acknowledge(cpu[0].lapic), LAPIC_EXTERNAL);
    struct apic_message message = {.destination = 0, .vector = 0x30};
    cr_assert_not(apic_bus_send(&bus, &message, NULL));
    lapic_set_base(cpu[0].lapic, 0xfee00900);
    cr_assert_eq(read(0, SVR), 0xff); /* as after a reset */
    cr_assert_not(cpu[0].intr.level);
}

Test(lapic, performance_entry_masks_itself)
{
    write(0, LVT_PERFORMANCE, 0xe0);
    lapic_performance_interrupt(cpu[0].lapic);
    lapic_performance_interrupt(cpu[0].lapic);
    cr_assert_eq(read(0, LVT_PERFORMANCE), MASKED | 0xe0);
    cr_assert_eq(lapic_acknowledge(cpu[0].lapic), 0xe0);
    write(0, LVT_PERFORMANCE, NMI);
    lapic_performance_interrupt(cpu[0].lapic);
    cr_assert_eq(cpu[0].nr_nmis, 1);
}

Test(lapic, destinations)
{
    static const struct {
        uint32_t destination, icr;
        bool to0, to1;
    } rows[] = {
        {0, 0, true, false},         {1, 0, false, true},           {0xff, 0, true, true},
        {2, 0, false, false},        {9, SELF, true, false},        {9, ALL, true, true},
        {9, OTHERS, false, true},    {0x01, LOGICAL, true, false},  {0x02, LOGICAL, false, true},
        {0x07, LOGICAL, true, true}, {0x08, LOGICAL, false, false},
    };
    write(0, LDR, 1u << 24);
    write(1, LDR, 2u << 24);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t vector = 0x30 + 16 * (uint32_t)(i % 8);
        write(0, ICR_HIGH, rows[i].destination << 24);
        write(0, ICR_LOW, rows[i].icr | vector);
        cr_assert_eq(read(0, ICR_LOW) & 1 << 12, 0); /* idle: sent */
        for (unsigned to = 0; to < 2; to++) {
            bool is_taken = cpu[to].intr.level;
            cr_assert_eq(is_taken, to ? rows[i].to1 : rows[i].to0, "row %zu, to %u", i, to);
            if (is_taken) {
                cr_assert_eq(lapic_acknowledge(cpu[to].lapic), (int)vector);
                write(to, END, 0);
            }
        }
    }
}

Test(lapic, logical_clusters)
{
    for (unsigned i = 0; i < 2; i++)
        write(i, DFR, 0x0fffffff);
    write(0, LDR, 0x11u << 24);
    write(1, LDR, 0x21u << 24);
    write(0, ICR_HIGH, 0x2fu << 24);
    write(0, ICR_LOW, LOGICAL | 0x40);
    cr_assert_not(cpu[0].intr.level);
    cr_assert(cpu[1].intr.level);
}

Test(lapic, lowest_priority)
{
    write(0, TPR, 0x30);
    write(1, TPR, 0x20);
    struct apic_message message = {.destination = 0xff, .delivery = APIC_LOWEST_PRIORITY, .vector = 0x50};
    cr_assert(apic_bus_send(&bus, &message, NULL));
    cr_assert_not(cpu[0].intr.level);
    cr_assert_eq(lapic_acknowledge(cpu[1].lapic), 0x50);
    write(1, END, 0);
    write(1, TPR, 0x40);
    cr_assert(apic_bus_send(&bus, &message, NULL));
    cr_assert(cpu[0].intr.level);
}

Test(lapic, init_and_startup)
{
    write(0, ICR_HIGH, 1u << 24);
    write(0, ICR_LOW, 0xc500); /* INIT, level, assert */
    write(0, ICR_LOW, 0x8500); /* de-assert */
    cr_assert_eq(cpu[1].nr_inits, 1);
    write(0, ICR_LOW, 0x4600 | 0x9a);
    cr_assert_eq(cpu[1].startup, 0x9a);
    write(0, ICR_HIGH, 5u << 24); /* nobody is there */
    write(0, ICR_LOW, 0xc500);
    write(0, ICR_LOW, 0x4600 | 0x10);
    cr_assert_eq(cpu[0].nr_inits + cpu[1].nr_inits, 1);
    write(0, ESR, 0);
    cr_assert_eq(read(0, ESR), 0);
    write(0, ICR_LOW, OTHERS | 0xc500);
    cr_assert_eq(cpu[1].nr_inits, 2);
    write(0, ICR_LOW, SELF | 0xc500); /* not valid */
    cr_assert_eq(cpu[0].nr_inits, 0);
}

Test(lapic, an_external_message_is_answered_once)
{
    struct apic_message message = {.destination = 0, .delivery = APIC_EXTINT};
    cr_assert(apic_bus_send(&bus, &message, NULL));
    cr_assert(cpu[0].intr.level);
    cr_assert_eq(lapic_acknowledge(cpu[0].lapic), LAPIC_EXTERNAL);
    cr_assert_not(cpu[0].intr.level);
}
