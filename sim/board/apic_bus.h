/*
 * What local APICs and I/O APICs tell each other: interrupt messages to one, several or all local APICs, and
 * the end of a level-triggered interrupt to all I/O APICs (SDM 3A 10.3, 10.6; 82093AA data sheet 3.4). A
 * message arrives in the cycle in which it is sent.
 */
#ifndef LK_SIM_BOARD_APIC_BUS_H
#define LK_SIM_BOARD_APIC_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lapic;
struct ioapic;

/* As the ICR, the LVT and redirection entries encode it. 3 is reserved. */
enum apic_delivery {
    APIC_FIXED = 0,
    APIC_LOWEST_PRIORITY = 1,
    APIC_SMI = 2,
    APIC_NMI = 4,
    APIC_INIT = 5,
    APIC_STARTUP = 6,
    APIC_EXTINT = 7,
};

/* To whom: what the ICR calls the destination shorthand. */
enum apic_shorthand { APIC_NO_SHORTHAND, APIC_SELF, APIC_ALL, APIC_ALL_BUT_SELF };

struct apic_message {
    uint8_t destination; /* FFh in physical mode: all */
    bool is_logical;
    enum apic_shorthand shorthand;
    enum apic_delivery delivery;
    bool is_level; /* the I/O APIC waits for its end */
    uint8_t vector;
};

enum { APIC_MAX_CPUS = 8, APIC_MAX_IOAPICS = 2 };

/* Zero it, then add who is there; all outlive its use. */
struct apic_bus {
    struct lapic *lapics[APIC_MAX_CPUS];
    size_t nr_lapics;
    struct ioapic *ioapics[APIC_MAX_IOAPICS];
    size_t nr_ioapics;
};

void apic_bus_add_lapic(struct apic_bus *bus, struct lapic *lapic);
void apic_bus_add_ioapic(struct apic_bus *bus, struct ioapic *ioapic);

/* `sender`: whose ICR it comes from; NULL for an I/O APIC. False when no local APIC took it. */
bool apic_bus_send(struct apic_bus *bus, const struct apic_message *message, struct lapic *sender);

/* A local APIC has ended the level-triggered interrupt `vector`. */
void apic_bus_end(struct apic_bus *bus, uint8_t vector);

/* A local APIC takes other messages than before: those that nobody took are offered again. */
void apic_bus_changed(struct apic_bus *bus);

#endif
