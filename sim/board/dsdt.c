/*
 * The DSDT: the processor, soft off, and the PCI root with what it decodes, where its interrupts go, and what
 * is on ISA.
 */
#include "sim/board/aml.h"
#include "sim/board/interrupts.h"
#include "sim/board/power.h"
#include "sim/board/tables_internal.h"

#include <assert.h>
#include <string.h>

enum { OP_EXTENDED = 0x5b, OP_PROCESSOR = 0x83, FIRST_DEVICE = 1 };
#define PCI_MEMORY_END 0xfec00000u /* where the I/O APIC is */

/* Resource descriptors (ACPI 6.4, 6.4). */
enum { IRQ_MASK = 0x22, IO_PORTS = 0x47, WORD_RANGE = 0x88, DWORD_RANGE = 0x87, END_TAG = 0x79 };
enum { RANGE_MEMORY, RANGE_IO, RANGE_BUS };
enum { FIXED_POSITIVE = 0x0c, IO_ENTIRE = 3, MEMORY_WRITABLE = 1, MEMORY_CACHEABLE = 2 };

static void put(struct aml *aml, uint64_t value, size_t nr_bytes)
{
    aml_bytes(aml, &value, nr_bytes);
}

/* An address space descriptor of words or dwords, produced by the bridge: granularity 0, no translation. */
static void put_range(struct aml *aml, uint8_t type, uint8_t flags, uint32_t first, uint32_t last)
{
    bool is_dword = type == RANGE_MEMORY;
    size_t width = is_dword ? 4 : 2;
    aml_byte(aml, is_dword ? DWORD_RANGE : WORD_RANGE);
    put(aml, 3 + 5 * width, 2);
    aml_byte(aml, type);
    aml_byte(aml, FIXED_POSITIVE);
    aml_byte(aml, flags);
    put(aml, 0, width);
    put(aml, first, width);
    put(aml, last, width);
    put(aml, 0, width);
    put(aml, (uint64_t)last - first + 1, width);
}

static void put_resources(struct aml *aml, const struct tables_params *params)
{
    uint8_t bytes[256];
    struct aml list = {.bytes = bytes, .capacity = sizeof bytes};
    const uint8_t config_ports[] = {IO_PORTS, 1,    0xf8, 0x0c,
                                    0xf8,     0x0c, 1,    8}; /* CF8h-CFFh, 16 bits decoded */
    put_range(&list, RANGE_BUS, 0, 0, 0xff);
    aml_bytes(&list, config_ports, sizeof config_ports);
    put_range(&list, RANGE_IO, IO_ENTIRE, 0, 0xcf7);
    put_range(&list, RANGE_IO, IO_ENTIRE, 0xd00, 0xffff);
    put_range(&list, RANGE_MEMORY, MEMORY_CACHEABLE | MEMORY_WRITABLE, 0xa0000, 0xbffff);
    put_range(&list, RANGE_MEMORY, MEMORY_WRITABLE, (uint32_t)params->ram_bytes, PCI_MEMORY_END - 1);
    aml_byte(&list, END_TAG);
    aml_byte(&list, 0); /* a checksum of zero is right by definition */
    aml_name(aml, "_CRS");
    aml_buffer(aml, bytes, list.nr_bytes);
}

/* A row a device and pin: {address, pin, source 0, interrupt number}. */
static void put_routes(struct aml *aml, bool is_by_apic)
{
    struct aml_block all = aml_begin_package(aml, (PCI_NR_DEVICES - FIRST_DEVICE) * PCI_NR_INTX);
    for (unsigned device = FIRST_DEVICE; device < PCI_NR_DEVICES; device++) {
        for (unsigned intx = 0; intx < PCI_NR_INTX; intx++) {
            unsigned pirq = tables_pirq_of(device, intx);
            struct aml_block row = aml_begin_package(aml, 4);
            aml_integer(aml, (uint64_t)device << 16 | 0xffff);
            aml_integer(aml, intx);
            aml_integer(aml, 0);
            aml_integer(aml, is_by_apic ? PIN_PIRQ + pirq : tables_pirq_irq(pirq));
            aml_end(aml, row);
        }
    }
    aml_end(aml, all);
}

static void put_ports(struct aml *list, uint16_t first, uint8_t nr_ports)
{
    enum { DECODES_16_BITS = 1, ALIGNMENT = 1 };
    aml_byte(list, IO_PORTS);
    aml_byte(list, DECODES_16_BITS);
    put(list, first, 2);
    put(list, first, 2);
    aml_byte(list, ALIGNMENT);
    aml_byte(list, nr_ports);
}

/* What is behind the ISA bridge; a kernel finds their drivers by these names (Microsoft's PNP device ids). */
static void put_isa_bridge(struct aml *aml)
{
    enum { NO_IRQ = 0xff, MAX_RANGES = 3 };
    static const struct {
        const char *name, *id;
        struct {
            uint16_t first;
            uint8_t nr_ports;
        } ports[MAX_RANGES];
        uint8_t irq, number;
    } devices[] = {
        {"PIC_", "PNP0000", {{0x20, 2}, {0xa0, 2}, {0x4d0, 2}}, 2, 0},
        {"TMR_", "PNP0100", {{0x40, 4}}, 0, 0},
        {"RTC_", "PNP0B00", {{0x70, 2}}, 8, 0},
        {"KBD_", "PNP0303", {{0x60, 1}, {0x64, 1}}, 1, 0},
        {"COM1", "PNP0501", {{0x3f8, 8}}, 4, 1},
        {"COM2", "PNP0501", {{0x2f8, 8}}, 3, 2},
        {"FPU_", "PNP0C04", {{0xf0, 1}}, 13, 0},
        {"SPKR", "PNP0800", {{0x61, 1}}, NO_IRQ, 0},
        {"SYSR", "PNP0C02", {{0x80, 1}, {0x92, 1}, {POWER_PM1_EVENT, 0x0c}}, NO_IRQ, 0},
    };
    enum { ISA_BRIDGE_ADDRESS = 1 << 16 };
    struct aml_block bridge = aml_begin_device(aml, "ISA_");
    aml_name(aml, "_ADR");
    aml_integer(aml, ISA_BRIDGE_ADDRESS);
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        uint8_t bytes[64];
        struct aml list = {.bytes = bytes, .capacity = sizeof bytes};
        struct aml_block device = aml_begin_device(aml, devices[i].name);
        aml_name(aml, "_HID");
        aml_eisa_id(aml, devices[i].id);
        aml_name(aml, "_UID");
        aml_integer(aml, devices[i].number);
        for (size_t range = 0; range < MAX_RANGES && devices[i].ports[range].nr_ports; range++)
            put_ports(&list, devices[i].ports[range].first, devices[i].ports[range].nr_ports);
        if (devices[i].irq != NO_IRQ) {
            aml_byte(&list, IRQ_MASK);
            put(&list, UINT64_C(1) << devices[i].irq, 2);
        }
        aml_byte(&list, END_TAG);
        aml_byte(&list, 0);
        aml_name(aml, "_CRS");
        aml_buffer(aml, bytes, list.nr_bytes);
        aml_end(aml, device);
    }
    aml_end(aml, bridge);
}

static void put_pci_root(struct aml *aml, const struct tables_params *params)
{
    struct aml_block root = aml_begin_device(aml, "PCI0");
    aml_name(aml, "_HID");
    aml_eisa_id(aml, "PNP0A03");
    static const char *const zeros[] = {"_UID", "_BBN"};
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++) {
        aml_name(aml, zeros[i]);
        aml_integer(aml, 0);
    }
    put_resources(aml, params);
    aml_name(aml, "PRTP");
    put_routes(aml, false);
    if (params->has_apic) {
        aml_name(aml, "PRTA");
        put_routes(aml, true);
    }
    struct aml_block method = aml_begin_method(aml, "_PRT", 0);
    if (params->has_apic) {
        struct aml_block chosen = aml_begin_if(aml);
        aml_name_segment(aml, "PICF");
        aml_byte(aml, AML_RETURN);
        aml_name_segment(aml, "PRTA");
        aml_end(aml, chosen);
    }
    aml_byte(aml, AML_RETURN);
    aml_name_segment(aml, "PRTP");
    aml_end(aml, method);
    put_isa_bridge(aml);
    aml_end(aml, root);
}

/* Processor(CPU0, 0, 0, 0) {}: its number is that of the MADT; it has no block of power states. */
static void put_processor(struct aml *aml)
{
    struct aml_block scope = aml_begin_scope(aml, "_PR");
    enum { REST_BYTES = 1 + 4 + 1 + 4 + 1 };
    aml_byte(aml, OP_EXTENDED);
    aml_byte(aml, OP_PROCESSOR);
    aml_byte(aml, REST_BYTES);
    aml_name_segment(aml, "CPU0");
    put(aml, 0, 1 + 4 + 1);
    aml_end(aml, scope);
}

/* Soft off: sleep type 0 for both control registers (power.h powers off at any). */
static void put_soft_off(struct aml *aml)
{
    aml_name(aml, "_S5");
    struct aml_block values = aml_begin_package(aml, 4);
    for (unsigned i = 0; i < 4; i++)
        aml_integer(aml, 0);
    aml_end(aml, values);
}

/* \_PIC: the kernel says whether it uses the 8259s (0) or the APICs (1). */
static void put_model(struct aml *aml)
{
    aml_name(aml, "PICF");
    aml_integer(aml, 0);
    struct aml_block method = aml_begin_method(aml, "_PIC", 1);
    aml_byte(aml, AML_STORE);
    aml_byte(aml, AML_ARGUMENT_0);
    aml_name_segment(aml, "PICF");
    aml_end(aml, method);
}

size_t dsdt_write(const struct tables_params *params, uint8_t *bytes, size_t capacity)
{
    struct aml aml = {.capacity = capacity};
    aml.bytes = bytes;
    put_model(&aml);
    put_soft_off(&aml);
    put_processor(&aml);
    struct aml_block bus = aml_begin_scope(&aml, "_SB");
    put_pci_root(&aml, params);
    aml_end(&aml, bus);
    return aml.nr_bytes;
}
