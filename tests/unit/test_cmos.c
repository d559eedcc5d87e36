/* The MC146818's data sheet, with the C library's calendar as the second opinion. */
#include "sim/board/calendar.h"
#include "sim/board/cmos.h"

#include "tests/unit/board_fixture.h"

#include <time.h>

enum { CPU_HZ = 32768 * 4, TICK = 4, SECOND = CPU_HZ };
enum {
    SECONDS,
    SECONDS_ALARM,
    MINUTES,
    MINUTES_ALARM,
    HOURS,
    HOURS_ALARM,
    WEEKDAY,
    DAY,
    MONTH,
    YEAR,
    A,
    B,
    C,
    D
};
enum { CENTURY = 0x32 };

static struct board_fixture at;
static struct cmos *cmos;

static void start(uint64_t seconds, uint64_t ram_bytes)
{
    fixture_init(&at);
    cmos = cmos_create(
        &(struct cmos_params){
            .events = at.events,
            .cpu_hz = CPU_HZ,
            .irq = recording_line(&at.irq),
            .start_seconds = seconds,
            .ram_bytes = ram_bytes,
            .nr_cpus = 1,
        },
        at.ports, &at.diag);
    cr_assert(cmos);
}

static void setup(void)
{
    start(CMOS_DEFAULT_DATE, UINT64_C(1) << 30);
}

static void teardown(void)
{
    cmos_destroy(cmos);
    fixture_fini(&at);
}

TestSuite(cmos, .init = setup, .fini = teardown);

static uint8_t reg(uint8_t index)
{
    out(&at, 0x70, index);
    return in(&at, 0x71);
}

static void set_reg(uint8_t index, uint8_t value)
{
    out(&at, 0x70, index);
    out(&at, 0x71, value);
}

static void set_time(uint8_t hour, uint8_t minute, uint8_t second)
{
    set_reg(HOURS, hour);
    set_reg(MINUTES, minute);
    set_reg(SECONDS, second);
}

Test(calendar, agrees_with_the_c_library)
{
    /* Steps of a prime number of seconds meet every time of day and every day from 1970 to beyond 2100. */
    for (uint64_t seconds = 0; seconds < UINT64_C(5000000000); seconds += 76543) {
        time_t when = (time_t)seconds;
        struct tm tm;
        gmtime_r(&when, &tm);
        struct calendar_date date = calendar_date(seconds);
        cr_assert(date.year == (unsigned)tm.tm_year + 1900 && date.month == (unsigned)tm.tm_mon + 1 &&
                      date.day == (unsigned)tm.tm_mday && date.hour == (unsigned)tm.tm_hour &&
                      date.minute == (unsigned)tm.tm_min && date.second == (unsigned)tm.tm_sec &&
                      date.weekday == (unsigned)tm.tm_wday,
                  "%lu", (unsigned long)seconds);
        cr_assert_eq(calendar_seconds(&date), seconds);
    }
}

Test(cmos, starts_at_the_fixed_date_in_bcd_and_24_hours)
{
    const uint8_t expected[] = {0x00, 0, 0x00, 0, 0x00, 0, 0x05, 0x01, 0x01, 0x26};
    for (uint8_t i = 0; i < sizeof(expected); i++)
        cr_assert_eq(reg(i), expected[i], "register %u", i);
    cr_assert_eq(reg(CENTURY), 0x20);
    cr_assert_eq(reg(A), 0x26);
    cr_assert_eq(reg(B), 0x02);
    cr_assert_eq(reg(D), 0x80);
}

Test(cmos, second_passes_in_its_cycle)
{
    go_to(&at, SECOND - 1);
    cr_assert_eq(reg(SECONDS), 0x00);
    go_to(&at, SECOND);
    cr_assert_eq(reg(SECONDS), 0x01);
    go_to(&at, (cycle_t)SECOND * (86400 * 59 + 3600 * 13 + 60 * 45 + 59));
    cr_assert_eq(reg(SECONDS), 0x59);
    cr_assert_eq(reg(MINUTES), 0x45);
    cr_assert_eq(reg(HOURS), 0x13);
    cr_assert_eq(reg(DAY), 0x01);
    cr_assert_eq(reg(MONTH), 0x03);
    cr_assert_eq(reg(WEEKDAY), 0x01, "1 March 2026 is a Sunday");
}

Test(cmos, binary_and_12_hours)
{
    set_reg(B, 0x04);
    go_to(&at, (cycle_t)SECOND * 3600 * 12);
    cr_assert_eq(reg(HOURS), 0x80 | 12, "noon is 12 pm");
    cr_assert_eq(reg(YEAR), 26);
    go_to(&at, (cycle_t)SECOND * 3600 * 23);
    cr_assert_eq(reg(HOURS), 0x80 | 11);
    go_to(&at, (cycle_t)SECOND * 3600 * 24);
    cr_assert_eq(reg(HOURS), 12, "midnight is 12 am");
    set_reg(B, 0x00);
    go_to(&at, (cycle_t)SECOND * 3600 * 36);
    cr_assert_eq(reg(HOURS), 0x92);
}

Test(cmos, update_in_progress_is_announced_before_the_second)
{
    /* 244 us of warning and 1984 us of update: 8 + 65 ticks of 32768 Hz. */
    go_to(&at, SECOND - 73 * TICK - 1);
    cr_assert_not(reg(A) & 0x80);
    go_to(&at, SECOND - 73 * TICK);
    cr_assert(reg(A) & 0x80);
    go_to(&at, SECOND - 1);
    cr_assert(reg(A) & 0x80);
    go_to(&at, SECOND);
    cr_assert_not(reg(A) & 0x80);
}

Test(cmos, setting_the_time)
{
    set_reg(B, 0x82);
    set_time(0x23, 0x59, 0x58);
    set_reg(DAY, 0x28);
    set_reg(MONTH, 0x02);
    set_reg(YEAR, 0x28);
    go_to(&at, 10 * SECOND);
    cr_assert_eq(reg(SECONDS), 0x58, "SET holds the clock");
    cr_assert_not(reg(A) & 0x80);
    set_reg(B, 0x02);
    go_to(&at, 11 * SECOND);
    cr_assert_eq(reg(SECONDS), 0x59);
    go_to(&at, 12 * SECOND);
    cr_assert_eq(reg(HOURS), 0x00);
    cr_assert_eq(reg(DAY), 0x29, "2028 is a leap year");
    go_to(&at, (cycle_t)(12 + 86400) * SECOND);
    cr_assert_eq(reg(MONTH), 0x03);
}

Test(cmos, weekday_is_what_the_guest_made_of_it)
{
    set_reg(WEEKDAY, 0x02);
    cr_assert_eq(reg(WEEKDAY), 0x02);
    go_to(&at, (cycle_t)SECOND * 86400 * 6);
    cr_assert_eq(reg(WEEKDAY), 0x01);
}

Test(cmos, divider_reset_restarts_half_a_second_before_an_update)
{
    go_to(&at, SECOND / 4);
    set_reg(A, 0x76);
    go_to(&at, 3 * SECOND);
    cr_assert_eq(reg(SECONDS), 0x00, "held in reset");
    set_reg(A, 0x26);
    go_to(&at, 3 * SECOND + SECOND / 2 - 1);
    cr_assert_eq(reg(SECONDS), 0x00);
    go_to(&at, 3 * SECOND + SECOND / 2);
    cr_assert_eq(reg(SECONDS), 0x01);
}

Test(cmos, nonsense_in_the_time_registers_does_no_harm)
{
    for (unsigned value = 0; value < 256; value++) {
        set_reg(B, 0x80 | (value & 6));
        for (uint8_t i = 0; i <= YEAR; i++)
            set_reg(i, (uint8_t)(value * 7 + i * 31));
        set_reg(CENTURY, (uint8_t)value);
        set_reg(B, value & 6);
        go_to(&at, ev_now(at.events) + SECOND);
        uint8_t seconds = reg(SECONDS);
        cr_assert(value & 4 ? seconds < 60 : (seconds & 15) < 10 && seconds < 0x60);
    }
}

Test(cmos, periodic_interrupt_at_each_rate)
{
    for (uint8_t rate = 1; rate < 16; rate++) {
        teardown();
        setup();
        /* Data sheet, table 5: 256 and 128 Hz, then 8192 Hz down to 2 Hz by halves. */
        unsigned ticks = rate == 1 ? 128u : rate == 2 ? 256u : 32768u / (8192u >> (rate - 3));
        cycle_t period = (cycle_t)TICK * ticks;
        set_reg(A, 0x20 | rate);
        set_reg(B, 0x42);
        for (unsigned n = 1; n <= 3; n++) {
            go_to(&at, period * n - 1);
            cr_assert_not(at.irq.level, "rate %u", rate);
            go_to(&at, period * n);
            cr_assert(at.irq.level, "rate %u", rate);
            cr_assert_eq(reg(C) & 0xc0, 0xc0);
            cr_assert_not(at.irq.level);
        }
    }
}

Test(cmos, line_stays_until_register_c_is_read)
{
    set_reg(B, 0x42);
    go_to(&at, SECOND / 2);
    cr_assert(at.irq.level);
    cr_assert_eq(at.irq.nr_rises, 1);
    cr_assert_eq(ev_next(at.events), EV_NEVER, "nothing more can happen before");
    cr_assert_eq(reg(C), 0xc0);
    cr_assert_eq(reg(C), 0x00);
}

Test(cmos, flags_are_set_without_their_interrupts)
{
    go_to(&at, SECOND);
    cr_assert_not(at.irq.level);
    cr_assert_eq(reg(C), 0x50, "periodic and update ended");
}

Test(cmos, update_ended_interrupt_every_second)
{
    set_reg(B, 0x12);
    for (unsigned n = 1; n < 5; n++) {
        go_to(&at, (cycle_t)n * SECOND - 1);
        cr_assert_not(at.irq.level);
        go_to(&at, (cycle_t)n * SECOND);
        cr_assert(at.irq.level);
        cr_assert_eq(reg(SECONDS), n);
        cr_assert_eq(reg(C) & 0x90, 0x90);
    }
    set_reg(B, 0x92);
    cr_assert_eq(reg(B), 0x82, "SET clears the update-ended enable");
}

Test(cmos, alarm_at_a_time_of_day)
{
    set_reg(HOURS_ALARM, 0x01);
    set_reg(MINUTES_ALARM, 0x02);
    set_reg(SECONDS_ALARM, 0x03);
    set_reg(B, 0x22);
    const cycle_t when = (cycle_t)SECOND * (3600 + 2 * 60 + 3);
    while (!at.irq.level && ev_next(at.events) <= when)
        go_to(&at, ev_next(at.events));
    cr_assert(at.irq.level);
    cr_assert_eq(at.irq.last_rise, when);
    cr_assert_eq(reg(C) & 0xa0, 0xa0);
}

Test(cmos, alarm_bytes_of_c0_and_above_match_anything)
{
    set_reg(HOURS_ALARM, 0xff);
    set_reg(MINUTES_ALARM, 0xc0);
    set_reg(SECONDS_ALARM, 0x30);
    set_reg(B, 0x22);
    for (unsigned minute = 0; minute < 3; minute++) {
        go_to(&at, (cycle_t)SECOND * (minute * 60 + 29));
        cr_assert_not(at.irq.level);
        go_to(&at, (cycle_t)SECOND * (minute * 60 + 30));
        cr_assert(at.irq.level);
        reg(C);
    }
}

Test(cmos, port_70_masks_nmi_and_cannot_be_read)
{
    out(&at, 0x70, 0x8f);
    cr_assert(cmos_masks_nmi(cmos));
    out(&at, 0x71, 0x0a);
    cr_assert_eq(cmos_peek(cmos, 0x0f), 0x0a, "the shutdown byte");
    out(&at, 0x70, 0x0f);
    cr_assert_not(cmos_masks_nmi(cmos));
    cr_assert_eq(in(&at, 0x71), 0x0a);
    cr_assert_eq(in(&at, 0x70), 0xff);
}

static unsigned word(uint8_t index)
{
    return reg(index) | (unsigned)reg((uint8_t)(index + 1)) << 8;
}

Test(cmos, memory_sizes)
{
    const struct {
        uint64_t ram;
        unsigned extended_kib, above_16m_64k;
    } sizes[] = {
        {UINT64_C(4) << 20, 3 * 1024, 0},
        {UINT64_C(32) << 20, 31 * 1024, 16 * 16},
        {UINT64_C(1) << 30, 65535, 1008 * 16},
        {UINT64_C(3) << 30, 65535, 3056 * 16},
    };
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        teardown();
        start(CMOS_DEFAULT_DATE, sizes[i].ram);
        cr_assert_eq(word(0x15), 640);
        cr_assert_eq(word(0x17), sizes[i].extended_kib);
        cr_assert_eq(word(0x30), sizes[i].extended_kib);
        cr_assert_eq(word(0x34), sizes[i].above_16m_64k);
        unsigned sum = 0;
        for (uint8_t index = 0x10; index < 0x2e; index++)
            sum += reg(index);
        cr_assert_eq(reg(0x2e) * 256u + reg(0x2f), sum);
    }
}

Test(cmos, disks)
{
    teardown();
    fixture_init(&at);
    const uint64_t gib = UINT64_C(2) << 20; /* in sectors */
    cmos = cmos_create(&(struct cmos_params){.events = at.events,
                                             .cpu_hz = CPU_HZ,
                                             .start_seconds = CMOS_DEFAULT_DATE,
                                             .ram_bytes = 4 << 20,
                                             .disk_sectors = {1024 * 1008, 1025 * 1008, 0, 100 * gib}},
                       at.ports, &at.diag);
    cr_assert(cmos);
    cr_assert_eq(reg(0x12), 0xff);
    cr_assert_eq(word(0x19), 47 << 8 | 47);
    cr_assert_eq(word(0x1b), 1024);
    cr_assert_eq(word(0x21), 1024);
    cr_assert(reg(0x1d) == 16 && reg(0x23) == 63);
    cr_assert_eq(word(0x24), 1025);
    cr_assert(reg(0x26) == 16 && reg(0x2c) == 63);
    cr_assert_eq(reg(0x39), 0x44, "the second and the fourth by LBA");
}
