/*
 * Facts from the 8259A data sheet: priorities, the ways to end an interrupt, the special modes, the cascade.
 */
#include "sim/board/pic.h"

#include "tests/unit/board_fixture.h"

static struct board_fixture at;
static struct pic *pic;

enum {
    EOI = 0x20,
    READ_IRR = 0x0a,
    READ_ISR = 0x0b,
    POLL = 0x0c,
    SPECIAL_MASK_ON = 0x68,
    SPECIAL_MASK_OFF = 0x48
};

static void init_chips(uint8_t master_icw4, uint8_t slave_icw4)
{
    const uint8_t master[] = {0x20, 0x04, master_icw4}, slave[] = {0x28, 0x02, slave_icw4};
    out(&at, 0x20, 0x11);
    out(&at, 0xa0, 0x11);
    for (unsigned i = 0; i < 3; i++) {
        out(&at, 0x21, master[i]);
        out(&at, 0xa1, slave[i]);
    }
}

static void setup(void)
{
    fixture_init(&at);
    pic = pic_create(recording_line(&at.irq), at.ports, &at.diag);
    init_chips(0x01, 0x01);
}

static void teardown(void)
{
    pic_destroy(pic);
    fixture_fini(&at);
}

TestSuite(pic, .init = setup, .fini = teardown);

static void set(unsigned irq, bool level)
{
    struct irq_line line = pic_line(pic, irq);
    irq_set(&line, level);
}

static void pulse(unsigned irq)
{
    set(irq, false);
    set(irq, true);
}

static uint8_t in_service(uint16_t port)
{
    out(&at, port, READ_ISR);
    return in(&at, port);
}

static uint8_t requested(uint16_t port)
{
    out(&at, port, READ_IRR);
    return in(&at, port);
}

Test(pic, vector_is_base_and_line)
{
    for (unsigned irq = 0; irq < PIC_NR_IRQS; irq++) {
        if (irq == PIC_CASCADE_IRQ)
            continue;
        set(irq, true);
        cr_assert(at.irq.level, "IRQ %u", irq);
        cr_assert_eq(pic_acknowledge(pic), 0x20 + irq);
        cr_assert_not(at.irq.level);
        out(&at, 0x20, EOI);
        if (irq >= 8)
            out(&at, 0xa0, EOI);
        set(irq, false);
        cr_assert_eq(pic_nr_acknowledged(pic, irq), 1);
    }
}

Test(pic, every_line_is_masked_by_its_own_bit_only)
{
    for (unsigned irq = 0; irq < PIC_NR_IRQS; irq++) {
        if (irq == PIC_CASCADE_IRQ)
            continue;
        unsigned mask = 1u << irq;
        out(&at, 0x21, (uint8_t)mask);
        out(&at, 0xa1, (uint8_t)(mask >> 8));
        set(irq, true);
        cr_assert_not(at.irq.level, "IRQ %u masked", irq);
        out(&at, 0x21, (uint8_t)(0xfb & ~mask));
        out(&at, 0xa1, (uint8_t) ~(mask >> 8));
        out(&at, 0x21, (uint8_t)(irq >= 8 ? 0xfb : 0xff & ~mask));
        cr_assert(at.irq.level, "IRQ %u alone open", irq);
        set(irq, false);
    }
}

Test(pic, mask_reads_back)
{
    out(&at, 0x21, 0x5a);
    out(&at, 0xa1, 0xa5);
    cr_assert_eq(in(&at, 0x21), 0x5a);
    cr_assert_eq(in(&at, 0xa1), 0xa5);
}

Test(pic, lower_number_goes_first_and_nests)
{
    set(5, true);
    set(3, true);
    cr_assert_eq(pic_acknowledge(pic), 0x23);
    cr_assert_not(at.irq.level, "IRQ 5 must wait for the end of IRQ 3");
    set(1, true);
    cr_assert(at.irq.level, "IRQ 1 interrupts IRQ 3");
    cr_assert_eq(pic_acknowledge(pic), 0x21);
    cr_assert_eq(in_service(0x20), 0x0a);
    out(&at, 0x20, EOI);
    cr_assert_eq(in_service(0x20), 0x08, "EOI ends the highest level in service");
    out(&at, 0x20, EOI);
    cr_assert_eq(pic_acknowledge(pic), 0x25);
}

Test(pic, specific_eoi_ends_the_level_named)
{
    set(4, true);
    pic_acknowledge(pic);
    set(2 + 1, true);
    pic_acknowledge(pic);
    out(&at, 0x20, 0x64);
    cr_assert_eq(in_service(0x20), 0x08);
}

Test(pic, edge_is_taken_once)
{
    set(4, true);
    pic_acknowledge(pic);
    out(&at, 0x20, EOI);
    cr_assert_not(at.irq.level, "the line is still high, but there was no second edge");
    pulse(4);
    cr_assert(at.irq.level);
}

Test(pic, level_input_asks_until_it_falls)
{
    out(&at, 0x4d0, 0x20);
    cr_assert_eq(in(&at, 0x4d0), 0x20);
    set(5, true);
    pic_acknowledge(pic);
    cr_assert_eq(requested(0x20), 0x20, "the request stands while the line is high");
    out(&at, 0x20, EOI);
    cr_assert(at.irq.level);
    set(5, false);
    cr_assert_not(at.irq.level);
}

Test(pic, elcr_bits_of_the_board_stay_edge_triggered)
{
    out(&at, 0x4d0, 0xff);
    out(&at, 0x4d1, 0xff);
    cr_assert_eq(in(&at, 0x4d0), 0xf8);
    cr_assert_eq(in(&at, 0x4d1), 0xde);
}

Test(pic, request_that_has_gone_is_spurious_7)
{
    set(3, true);
    set(3, false);
    cr_assert_not(at.irq.level, "the input must stay high until it is acknowledged");
    cr_assert_eq(pic_acknowledge(pic), 0x27);
    cr_assert_eq(in_service(0x20), 0, "a spurious interrupt is not in service");
    cr_assert_eq(pic_nr_spurious(pic), 1);
    cr_assert_eq(pic_nr_acknowledged(pic, 7), 0);
}

Test(pic, slave_request_that_has_gone_leaves_the_master_too)
{
    set(10, true);
    cr_assert_eq(requested(0x20), 0x04);
    out(&at, 0xa1, 0xff);
    cr_assert_eq(requested(0x20), 0);
    cr_assert_eq(pic_acknowledge(pic), 0x27);
    out(&at, 0xa1, 0x00);
    cr_assert_eq(pic_acknowledge(pic), 0x2a);
    cr_assert_eq(in_service(0x20), 0x04);
    cr_assert_eq(in_service(0xa0), 0x04);
}

Test(pic, slave_needs_two_eois)
{
    set(8, true);
    cr_assert_eq(pic_acknowledge(pic), 0x28);
    out(&at, 0xa0, EOI);
    set(9, true);
    cr_assert_not(at.irq.level, "the master still has the cascade in service");
    out(&at, 0x20, EOI);
    cr_assert(at.irq.level);
    cr_assert_eq(pic_acknowledge(pic), 0x29);
}

Test(pic, waiting_slave_request_comes_after_the_first_one)
{
    set(12, true);
    set(9, true);
    cr_assert_eq(pic_acknowledge(pic), 0x29);
    out(&at, 0xa0, EOI);
    out(&at, 0x20, EOI);
    cr_assert(at.irq.level);
    cr_assert_eq(pic_acknowledge(pic), 0x2c);
}

Test(pic, special_fully_nested_master_lets_a_higher_slave_level_in)
{
    set(12, true);
    pic_acknowledge(pic);
    set(9, true);
    cr_assert_not(at.irq.level, "without the mode the cascade locks itself out");
    init_chips(0x11, 0x01);
    out(&at, 0x21, 0);
    pulse(12);
    cr_assert_eq(pic_acknowledge(pic), 0x2c);
    pulse(9);
    cr_assert(at.irq.level);
    cr_assert_eq(pic_acknowledge(pic), 0x29);
}

Test(pic, automatic_eoi_leaves_nothing_in_service)
{
    init_chips(0x03, 0x03);
    set(6, true);
    cr_assert_eq(pic_acknowledge(pic), 0x26);
    cr_assert_eq(in_service(0x20), 0);
    set(9, true);
    set(10, true);
    cr_assert_eq(pic_acknowledge(pic), 0x29);
    cr_assert(at.irq.level, "the slave's second request is a new edge at the master");
    cr_assert_eq(pic_acknowledge(pic), 0x2a);
}

Test(pic, rotation_in_automatic_eoi_mode)
{
    init_chips(0x03, 0x01);
    out(&at, 0x20, 0x80);
    set(3, true);
    pic_acknowledge(pic);
    pulse(3);
    set(4, true);
    cr_assert_eq(pic_acknowledge(pic), 0x24, "3 has become the lowest");
    cr_assert_eq(pic_acknowledge(pic), 0x23);
    out(&at, 0x20, 0x00);
    pulse(3);
    pulse(4);
    cr_assert_eq(pic_acknowledge(pic), 0x24);
    pulse(4);
    cr_assert_eq(pic_acknowledge(pic), 0x24, "without rotation 3 stays the lowest");
}

Test(pic, rotate_on_eoi_makes_the_served_level_lowest)
{
    set(4, true);
    pic_acknowledge(pic);
    out(&at, 0x20, 0xa0);
    pulse(4);
    set(5, true);
    set(3, true);
    cr_assert_eq(pic_acknowledge(pic), 0x25, "5 is the highest now");
    out(&at, 0x20, EOI);
    cr_assert_eq(pic_acknowledge(pic), 0x23);
    out(&at, 0x20, EOI);
    cr_assert_eq(pic_acknowledge(pic), 0x24);
}

Test(pic, set_priority_names_the_lowest_level)
{
    out(&at, 0x20, 0xc5);
    set(5, true);
    set(6, true);
    set(0, true);
    cr_assert_eq(pic_acknowledge(pic), 0x26);
    out(&at, 0x20, 0xe6);
    cr_assert_eq(in_service(0x20), 0);
    set(7, true);
    cr_assert_eq(pic_acknowledge(pic), 0x27, "rotate on specific EOI has made 6 the lowest");
}

Test(pic, special_mask_opens_lower_levels)
{
    set(3, true);
    pic_acknowledge(pic);
    set(6, true);
    cr_assert_not(at.irq.level);
    out(&at, 0x21, 0x08);
    cr_assert_not(at.irq.level);
    out(&at, 0x20, SPECIAL_MASK_ON);
    cr_assert(at.irq.level, "the masked level in service no longer inhibits");
    cr_assert_eq(pic_acknowledge(pic), 0x26);
    out(&at, 0x20, EOI);
    cr_assert_eq(in_service(0x20), 0x08, "EOI without a name does not end a masked level");
    out(&at, 0x20, SPECIAL_MASK_OFF);
    out(&at, 0x20, EOI);
    cr_assert_eq(in_service(0x20), 0);
}

Test(pic, poll_takes_the_request)
{
    out(&at, 0x20, POLL);
    cr_assert_eq(in(&at, 0x20), 0, "nothing to take");
    set(6, true);
    out(&at, 0x20, POLL);
    cr_assert_eq(in(&at, 0x20), 0x86);
    cr_assert_not(at.irq.level);
    cr_assert_eq(in_service(0x20), 0x40);
    out(&at, 0xa0, POLL);
    set(11, true);
    cr_assert_eq(in(&at, 0xa0), 0x83);
    cr_assert_eq(in(&at, 0x21), 0, "a poll is for one read only");
}

Test(pic, initialisation_forgets_requests_and_masks)
{
    out(&at, 0x21, 0xff);
    set(5, true);
    cr_assert_eq(requested(0x20), 0x20);
    init_chips(0x01, 0x01);
    cr_assert_eq(in(&at, 0x21), 0);
    cr_assert_eq(requested(0x20), 0, "a new edge is needed");
    cr_assert_not(at.irq.level);
    pulse(5);
    cr_assert_eq(pic_acknowledge(pic), 0x25);
}

Test(pic, initialisation_may_leave_out_icw3_and_icw4)
{
    out(&at, 0x20, 0x12);
    out(&at, 0x21, 0x47);
    out(&at, 0x21, 0x7f);
    cr_assert_eq(in(&at, 0x21), 0x7f, "after ICW2 of a single chip without ICW4 comes the mask");
    out(&at, 0x21, 0);
    set(1, true);
    cr_assert_eq(pic_acknowledge(pic), 0x41, "the low three bits of ICW2 do not count");
}
