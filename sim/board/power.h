/*
 * Ways to end, to restart and to be heard before there is a driver: ACPI's soft off (PM1a event 600h, PM1a
 * control 604h, PM timer 608h), port F4h as QEMU's isa-debug-exit, port E9h as Bochs' debug console, POST
 * codes at port 80h, the reset control register CF9h, and port 92h (A20, fast reset).
 *
 * Of the PM1 events there are the timer's carry and the clock's interrupt, which ask by the SCI where they
 * are enabled.
 */
#ifndef LK_SIM_BOARD_POWER_H
#define LK_SIM_BOARD_POWER_H

#include "sim/base/diag.h"
#include "sim/base/event.h"
#include "sim/base/iomap.h"
#include "sim/base/irq.h"

#include <stdint.h>

enum { POWER_PM1_EVENT = 0x600, POWER_PM1_CONTROL = 0x604, POWER_PM_TIMER = 0x608 };

/* What the devices here and in kbd.h ask of the machine. Each may be NULL. */
struct power_hooks {
    void (*power_off)(void *opaque);
    void (*reset)(void *opaque);
    /* Port F4h was written: end with `status`, which is (value << 1) | 1 of the value written. */
    void (*debug_exit)(void *opaque, uint32_t status);
    void (*debug_put)(void *opaque, uint8_t byte);
    void *opaque;
};

struct power_params {
    struct ev_queue *events; /* outlives the device */
    uint64_t cpu_hz;
    bool pm_timer_is_32_bit; /* else 24 bits */
    struct irq_line sci;     /* a level */
    struct power_hooks hooks;
    /* Bit 1 of port 92h: this gate of A20 opened or closed. */
    void (*a20)(void *opaque, bool is_open);
    void *a20_opaque;
};

struct power;

/* Registers its ports. On failure adds a line and returns NULL. */
struct power *power_create(const struct power_params *params, struct iomap *ports, struct diag *diag);
void power_destroy(struct power *power);

/* The RTC raises its interrupt: RTC_STS is set (82371AB data sheet 11.2.1.1). */
void power_rtc_interrupts(struct power *power);

/*
 * The reset control register CF9h (82371AB data sheet 4.5.3), for the PCI bus, whose address register lies
 * around it.
 */
uint8_t power_read_cf9(const struct power *power);
void power_write_cf9(struct power *power, uint8_t value);

uint8_t power_post_code(const struct power *power);
uint64_t power_nr_post_codes(const struct power *power);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void power_snap(struct power *power, struct snap *snap);

#endif
