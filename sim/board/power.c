#include "sim/board/power.h"

#include "sim/base/snap.h"
#include "sim/board/clock.h"

#include <stdlib.h>

enum { PM_TIMER_HZ = 3579545 };

/* As in the 82371AB's power management function with its base at 600h; ACPI 4.8.3. Offsets from there. */
enum {
    PM1_STATUS = 0,
    PM1_ENABLE = 2,
    PM1_CONTROL = POWER_PM1_CONTROL - POWER_PM1_EVENT,
    PM_TIMER = POWER_PM_TIMER - POWER_PM1_EVENT,
    PM_BYTES = PM_TIMER + 4,
};
enum { PM1_TIMER = 1 << 0, PM1_GLOBAL_LOCK = 1 << 5, PM1_RTC = 1 << 10 };
/* There is no firmware that could release the global lock: its event does not come. */
enum { PM1_ENABLES = PM1_TIMER | PM1_GLOBAL_LOCK | PM1_RTC };
enum { PM1_SCI_ENABLED = 1 << 0, PM1_SLEEP_TYPE = 7 << 10, PM1_SLEEP = 1 << 13 };

enum { PORT92_RESET = 1 << 0, PORT92_A20 = 1 << 1 };
enum { CF9_SYSTEM = 1 << 1, CF9_RESET = 1 << 2, CF9_FULL = 1 << 3 };

enum { DEBUG_CONSOLE_ID = 0xe9 };

struct power {
    struct power_params params;
    struct dev_clock timer_clock;
    uint16_t pm_enable, pm_control;
    bool rtc_has_come;   /* RTC_STS */
    struct event carry;  /* of the PM timer's top bit, where it is to interrupt */
    uint64_t timer_half; /* half-periods of the PM timer when its status bit was last cleared */
    uint8_t port92, reset_control;
    uint8_t post_code;
    uint64_t nr_post_codes;
};

static void reset(struct power *power)
{
    if (power->params.hooks.reset)
        power->params.hooks.reset(power->params.hooks.opaque);
}

static uint64_t timer_ticks(const struct power *power)
{
    return dev_clock_ticks(&power->timer_clock, ev_now(power->params.events));
}

/* Changes each time the timer's top bit does, which is what sets TMR_STS. */
static unsigned top_bit(const struct power *power)
{
    return power->params.pm_timer_is_32_bit ? 31 : 23;
}

static uint64_t timer_half(const struct power *power)
{
    return timer_ticks(power) >> top_bit(power);
}

static uint16_t pm1_status(const struct power *power)
{
    return (uint16_t)((timer_half(power) != power->timer_half ? PM1_TIMER : 0) |
                      (power->rtc_has_come ? PM1_RTC : 0));
}

/* The SCI is high while an event has come that is enabled; without SCI_EN it would be an SMI, and is none. */
static void update_sci(struct power *power)
{
    bool has_sci = power->pm_control & PM1_SCI_ENABLED, waits = has_sci && (power->pm_enable & PM1_TIMER);
    uint16_t status = pm1_status(power);
    irq_set(&power->params.sci, has_sci && (status & power->pm_enable));
    cycle_t next = dev_clock_cycle(&power->timer_clock, (timer_half(power) + 1) << top_bit(power));
    dev_schedule(power->params.events, &power->carry, waits && !(status & PM1_TIMER) ? next : EV_NEVER);
}

static void timer_carries(void *opaque, cycle_t now)
{
    (void)now;
    update_sci(opaque);
}

static uint32_t read_pm_register(const struct power *power, uint64_t offset)
{
    switch (offset) {
    case PM1_STATUS:
        return pm1_status(power);
    case PM1_ENABLE:
        return power->pm_enable;
    case PM1_CONTROL:
        return power->pm_control;
    case PM_TIMER:
        return (uint32_t)timer_ticks(power) & (power->params.pm_timer_is_32_bit ? UINT32_MAX : 0xffffff);
    default:
        return 0;
    }
}

static void write_pm_register(struct power *power, uint64_t offset, uint16_t value)
{
    switch (offset) {
    case PM1_STATUS:
        if (value & PM1_TIMER)
            power->timer_half = timer_half(power);
        if (value & PM1_RTC)
            power->rtc_has_come = false;
        break;
    case PM1_ENABLE:
        power->pm_enable = value & PM1_ENABLES;
        break;
    case PM1_CONTROL:
        power->pm_control = value & (PM1_SCI_ENABLED | PM1_SLEEP_TYPE);
        if ((value & PM1_SLEEP) && power->params.hooks.power_off)
            power->params.hooks.power_off(power->params.hooks.opaque);
        break;
    default:
        break;
    }
    update_sci(power);
}

/* The registers are 2 bytes wide, the timer 4; a part of one can be read and written. */
static uint64_t read_pm(void *opaque, uint64_t offset, unsigned size)
{
    const struct power *power = opaque;
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++) {
        uint64_t byte = offset + i, first = byte >= PM_TIMER ? PM_TIMER : byte & ~UINT64_C(1);
        value |= (uint64_t)(read_pm_register(power, first) >> (8 * (byte - first)) & 0xff) << (8 * i);
    }
    return value;
}

static void write_pm(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct power *power = opaque;
    for (unsigned done = 0; done < size;) {
        uint64_t at = offset + done, first = at & ~UINT64_C(1);
        uint16_t word = (uint16_t)(value >> (8 * done));
        if (at != first || size - done == 1) {
            /* One byte: the register's other one keeps its value, but a status bit is not written. */
            unsigned shift = at != first ? 8 : 0;
            uint16_t rest = first == PM1_STATUS ? 0 : (uint16_t)read_pm_register(power, first);
            word = (uint16_t)((rest & ~(0xffu << shift)) | (word & 0xffu) << shift);
            done += 1;
        } else {
            done += 2;
        }
        write_pm_register(power, first, word);
    }
}

static void write_debug_exit(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    const struct power_hooks *hooks = &((struct power *)opaque)->params.hooks;
    (void)offset;
    (void)size;
    if (hooks->debug_exit)
        hooks->debug_exit(hooks->opaque, (uint32_t)(value << 1 | 1));
}

static uint64_t read_debug_exit(void *opaque, uint64_t offset, unsigned size)
{
    (void)opaque;
    (void)offset;
    (void)size;
    return 0;
}

static uint64_t read_debug_console(void *opaque, uint64_t offset, unsigned size)
{
    (void)opaque;
    (void)offset;
    (void)size;
    return DEBUG_CONSOLE_ID;
}

static void write_debug_console(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    const struct power_hooks *hooks = &((struct power *)opaque)->params.hooks;
    (void)offset;
    (void)size;
    if (hooks->debug_put)
        hooks->debug_put(hooks->opaque, (uint8_t)value);
}

/* Port 80h is also a page register of the DMA controller that no channel uses; it reads back. */
static uint64_t read_post(void *opaque, uint64_t offset, unsigned size)
{
    const struct power *power = opaque;
    (void)offset;
    (void)size;
    return power->post_code;
}

static void write_post(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct power *power = opaque;
    (void)offset;
    (void)size;
    power->post_code = (uint8_t)value;
    power->nr_post_codes++;
}

static uint64_t read_port92(void *opaque, uint64_t offset, unsigned size)
{
    const struct power *power = opaque;
    (void)offset;
    (void)size;
    return power->port92;
}

static void write_port92(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct power *power = opaque;
    uint8_t before = power->port92;
    (void)offset;
    (void)size;
    power->port92 = (uint8_t)value & (PORT92_RESET | PORT92_A20);
    if (((before ^ power->port92) & PORT92_A20) && power->params.a20)
        power->params.a20(power->params.a20_opaque, power->port92 & PORT92_A20);
    if (!(before & PORT92_RESET) && (power->port92 & PORT92_RESET))
        reset(power);
}

void power_rtc_interrupts(struct power *power)
{
    power->rtc_has_come = true;
    update_sci(power);
}

uint8_t power_read_cf9(const struct power *power)
{
    return power->reset_control;
}

void power_write_cf9(struct power *power, uint8_t value)
{
    bool was_set = power->reset_control & CF9_RESET;
    power->reset_control = value & (CF9_SYSTEM | CF9_RESET | CF9_FULL);
    if (!was_set && (value & CF9_RESET))
        reset(power);
}

struct power *power_create(const struct power_params *params, struct iomap *ports, struct diag *diag)
{
    enum { ANY_WIDTH = IO_WIDTH_1 | IO_WIDTH_2 | IO_WIDTH_4 };
    struct power *power = calloc(1, sizeof(*power));
    if (!power) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "power management: out of memory");
        return NULL;
    }
    power->params = *params;
    power->timer_clock = (struct dev_clock){.cpu_hz = params->cpu_hz, .hz = PM_TIMER_HZ};
    power->port92 = PORT92_A20;
    power->pm_control = PM1_SCI_ENABLED; /* firmware has done that; there is no other mode to change from */
    power->carry = (struct event){.handler = timer_carries, .opaque = power, .name = "PM timer"};
    if (!dev_reserve_event(params->events, &power->carry, diag)) {
        power_destroy(power);
        return NULL;
    }
    const struct io_range ranges[] = {
        {"power management", POWER_PM1_EVENT, PM_BYTES, ANY_WIDTH, read_pm, write_pm, power},
        {"debug exit", 0xf4, 4, ANY_WIDTH, read_debug_exit, write_debug_exit, power},
        {"debug console", 0xe9, 1, IO_WIDTH_1, read_debug_console, write_debug_console, power},
        {"POST codes", 0x80, 1, IO_WIDTH_1, read_post, write_post, power},
        {"port 92h", 0x92, 1, IO_WIDTH_1, read_port92, write_port92, power},
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
        if (!iomap_add(ports, &ranges[i], diag)) {
            power_destroy(power);
            return NULL;
        }
    }
    return power;
}

void power_destroy(struct power *power)
{
    if (!power)
        return;
    ev_cancel(power->params.events, &power->carry);
    free(power);
}

uint8_t power_post_code(const struct power *power)
{
    return power->post_code;
}

uint64_t power_nr_post_codes(const struct power *power)
{
    return power->nr_post_codes;
}

void power_snap(struct power *power, struct snap *snap)
{
    SNAP_OPEN(snap, power);
    SNAP_SKIP(snap, power->params);
    SNAP_SKIP(snap, power->timer_clock);
    SNAP(snap, power->pm_enable);
    SNAP(snap, power->pm_control);
    SNAP_FLAG(snap, power->rtc_has_come);
    snap_event(snap, power->params.events, &power->carry);
    SNAP(snap, power->timer_half);
    SNAP(snap, power->port92);
    SNAP(snap, power->reset_control);
    SNAP(snap, power->post_code);
    SNAP(snap, power->nr_post_codes);
    SNAP_CLOSE(snap, power);
}
