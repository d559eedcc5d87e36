#include "sim/board/apic_bus.h"

#include "sim/board/ioapic.h"
#include "sim/board/lapic.h"

#include <assert.h>

void apic_bus_add_lapic(struct apic_bus *bus, struct lapic *lapic)
{
    assert(bus->nr_lapics < APIC_MAX_CPUS);
    bus->lapics[bus->nr_lapics++] = lapic;
}

void apic_bus_add_ioapic(struct apic_bus *bus, struct ioapic *ioapic)
{
    assert(bus->nr_ioapics < APIC_MAX_IOAPICS);
    bus->ioapics[bus->nr_ioapics++] = ioapic;
}

static bool is_addressed(const struct lapic *lapic, const struct apic_message *message,
                         const struct lapic *sender)
{
    switch (message->shorthand) {
    case APIC_SELF:
        return lapic == sender;
    case APIC_ALL:
        return true;
    case APIC_ALL_BUT_SELF:
        return lapic != sender;
    default:
        return lapic_is_addressed(lapic, message->destination, message->is_logical);
    }
}

/* To the one of those addressed that works at the lowest priority; the first of equals. */
static bool send_to_lowest(struct apic_bus *bus, const struct apic_message *message, struct lapic *sender)
{
    struct lapic *lowest = NULL;
    for (size_t i = 0; i < bus->nr_lapics; i++) {
        struct lapic *lapic = bus->lapics[i];
        bool is_candidate = is_addressed(lapic, message, sender) && lapic_is_enabled(lapic);
        if (is_candidate && (!lowest || lapic_priority(lapic) < lapic_priority(lowest)))
            lowest = lapic;
    }
    return lowest && lapic_receive(lowest, message);
}

bool apic_bus_send(struct apic_bus *bus, const struct apic_message *message, struct lapic *sender)
{
    if (message->delivery == APIC_LOWEST_PRIORITY)
        return send_to_lowest(bus, message, sender);
    bool is_taken = false;
    for (size_t i = 0; i < bus->nr_lapics; i++) {
        if (is_addressed(bus->lapics[i], message, sender))
            is_taken |= lapic_receive(bus->lapics[i], message);
    }
    return is_taken;
}

void apic_bus_end(struct apic_bus *bus, uint8_t vector)
{
    for (size_t i = 0; i < bus->nr_ioapics; i++)
        ioapic_end(bus->ioapics[i], vector);
}

void apic_bus_changed(struct apic_bus *bus)
{
    for (size_t i = 0; i < bus->nr_ioapics; i++)
        ioapic_retry(bus->ioapics[i]);
}
