/* The MP floating pointer and configuration table (MP 1.4 chapter 4). */
#include "sim/board/interrupts.h"
#include "sim/board/lapic.h"
#include "sim/board/tables_internal.h"

#include <assert.h>
#include <string.h>

enum { FLOATING_BYTES = 16, HEADER_BYTES = 44, SPECIFICATION = 4 /* 1.4 */ };
enum { ENTRY_PROCESSOR, ENTRY_BUS, ENTRY_IOAPIC, ENTRY_INTERRUPT, ENTRY_LOCAL };
enum { TYPE_INT = 0, TYPE_NMI = 1, TYPE_EXTINT = 3 };
enum { CPU_ENABLED = 1, CPU_BOOT = 2, LAPIC_VERSION = 0x14, IOAPIC_VERSION = 0x11 };
enum { AS_THE_BUS = 0, HIGH_LEVEL = 0xd, LOW_LEVEL = 0xf };
enum { BUS_PCI, BUS_ISA, EVERY_LAPIC = 0xff };

struct writer {
    uint8_t *bytes;
    size_t nr_bytes, capacity;
    uint16_t nr_entries;
};

static void put(struct writer *to, uint64_t value, size_t nr_bytes)
{
    assert(to->nr_bytes + nr_bytes <= to->capacity);
    memcpy(to->bytes + to->nr_bytes, &value, nr_bytes);
    to->nr_bytes += nr_bytes;
}

static void put_text(struct writer *to, const char *text, size_t nr_bytes)
{
    for (size_t i = 0; i < nr_bytes; i++)
        put(to, (uint8_t)text[i], 1);
}

static void put_bus(struct writer *to, uint8_t id, const char *type)
{
    to->nr_entries++;
    put(to, ENTRY_BUS, 1);
    put(to, id, 1);
    put_text(to, type, 6);
}

static void put_interrupt(struct writer *to, uint8_t entry, uint8_t type, uint16_t flags, uint8_t bus,
                          uint8_t source, uint8_t apic, uint8_t pin)
{
    to->nr_entries++;
    put(to, entry, 1);
    put(to, type, 1);
    put(to, flags, 2);
    put(to, bus, 1);
    put(to, source, 1);
    put(to, apic, 1);
    put(to, pin, 1);
}

static void put_processor_and_ioapic(struct writer *to, const struct tables_params *params)
{
    to->nr_entries++;
    put(to, ENTRY_PROCESSOR, 1);
    put(to, 0, 1);
    put(to, LAPIC_VERSION, 1);
    put(to, CPU_ENABLED | CPU_BOOT, 1);
    put(to, params->cpu_signature, 4);
    put(to, params->cpu_features, 4);
    put(to, 0, 8);
    put_bus(to, BUS_PCI, "PCI   ");
    put_bus(to, BUS_ISA, "ISA   ");
    to->nr_entries++;
    put(to, ENTRY_IOAPIC, 1);
    put(to, IOAPIC_ID, 1);
    put(to, IOAPIC_VERSION, 1);
    put(to, 1, 1); /* enabled */
    put(to, IOAPIC_BASE, 4);
}

static void put_interrupts(struct writer *to)
{
    for (unsigned device = 1; device < PCI_NR_DEVICES; device++) {
        for (unsigned intx = 0; intx < PCI_NR_INTX; intx++)
            put_interrupt(to, ENTRY_INTERRUPT, TYPE_INT, LOW_LEVEL, BUS_PCI, (uint8_t)(device << 2 | intx),
                          IOAPIC_ID, (uint8_t)(PIN_PIRQ + tables_pirq_of(device, intx)));
    }
    put_interrupt(to, ENTRY_INTERRUPT, TYPE_EXTINT, AS_THE_BUS, BUS_ISA, 0, IOAPIC_ID, 0);
    for (unsigned irq = 0; irq < PIC_NR_IRQS; irq++) {
        if (irq != PIC_CASCADE_IRQ)
            put_interrupt(to, ENTRY_INTERRUPT, TYPE_INT, irq == IRQ_SCI ? HIGH_LEVEL : AS_THE_BUS, BUS_ISA,
                          (uint8_t)irq, IOAPIC_ID, (uint8_t)(irq == 0 ? PIN_PIT : irq));
    }
    put_interrupt(to, ENTRY_LOCAL, TYPE_EXTINT, AS_THE_BUS, BUS_ISA, 0, 0, 0);
    put_interrupt(to, ENTRY_LOCAL, TYPE_NMI, AS_THE_BUS, BUS_ISA, 0, EVERY_LAPIC, 1);
}

static void put_floating_pointer(uint8_t *bytes, uint32_t at)
{
    struct writer to = {.bytes = bytes, .capacity = FLOATING_BYTES};
    put_text(&to, "_MP_", 4);
    put(&to, at + FLOATING_BYTES, 4);
    put(&to, FLOATING_BYTES / 16, 1);
    put(&to, SPECIFICATION, 1);
    put(&to, 0, 6); /* checksum; a table follows; no IMCR: virtual wire */
    bytes[10] = tables_checksum(bytes, FLOATING_BYTES);
}

static void put_header(uint8_t *bytes, size_t nr_bytes, uint16_t nr_entries)
{
    struct writer to = {.bytes = bytes, .capacity = HEADER_BYTES};
    put_text(&to, "PCMP", 4);
    put(&to, nr_bytes, 2);
    put(&to, SPECIFICATION, 1);
    put(&to, 0, 1); /* checksum */
    put_text(&to, "LKASIDE LOOKASIDE   ", 20);
    put(&to, 0, 4 + 2);
    put(&to, nr_entries, 2);
    put(&to, LAPIC_DEFAULT_BASE, 4);
    put(&to, 0, 4);
    bytes[7] = tables_checksum(bytes, nr_bytes);
}

size_t mp_table_write(const struct tables_params *params, uint32_t at, uint8_t *bytes, size_t capacity)
{
    struct writer to = {.bytes = bytes + FLOATING_BYTES, .capacity = capacity - FLOATING_BYTES};
    to.nr_bytes = HEADER_BYTES;
    put_processor_and_ioapic(&to, params);
    put_interrupts(&to);
    put_header(to.bytes, to.nr_bytes, to.nr_entries);
    put_floating_pointer(bytes, at);
    return FLOATING_BYTES + to.nr_bytes;
}
