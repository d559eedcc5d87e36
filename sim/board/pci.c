#include "sim/board/pci.h"

#include "sim/base/snap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG_ADDRESS = 0xcf8, CONFIG_DATA = 0xcfc, CF9_OFFSET = 1 };
enum { NR_DEVICES = 32, NR_FUNCTIONS = 8, MAX_PIRQ_LINES = 4 };

/* The address register (PCI 2.1, 3.7.4.1); bits 30:24 and 1:0 read zero. */
#define ADDRESS_ENABLE UINT32_C(0x80000000)
#define ADDRESS_WRITABLE UINT32_C(0x80fffffc)

struct pci_function {
    struct pci *pci;
    struct pci_function_params params;
    uint8_t config[PCI_CONFIG_BYTES], writable[PCI_CONFIG_BYTES], clears[PCI_CONFIG_BYTES];
    uint64_t mapped[PCI_NR_BARS]; /* where each base address is mapped; NOWHERE */
    bool interrupts;
};

#define NOWHERE UINT64_MAX

struct pirq {
    unsigned nr_asking;
    struct irq_line lines[MAX_PIRQ_LINES];
    unsigned nr_lines;
};

struct pci {
    struct pci_params params;
    uint32_t address;
    struct pci_function *functions[NR_DEVICES * NR_FUNCTIONS];
    struct pirq pirqs[PCI_NR_PIRQS];
    struct pci_stats stats;
};

static void put(uint8_t *at, unsigned size_bytes, uint32_t value)
{
    for (unsigned i = 0; i < size_bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get(const uint8_t *at, unsigned size_bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < size_bytes; i++)
        value |= (uint32_t)at[i] << (8 * i);
    return value;
}

/* ---- Base addresses ---- */

static struct iomap *map_of(const struct pci *pci, const struct pci_bar *bar)
{
    return bar->is_memory ? pci->params.memory : pci->params.ports;
}

static void unmap_bars(struct pci_function *function)
{
    for (unsigned i = 0; i < PCI_NR_BARS; i++) {
        if (function->mapped[i] == NOWHERE)
            continue;
        iomap_remove(map_of(function->pci, &function->params.bars[i]), function->mapped[i]);
        function->mapped[i] = NOWHERE;
    }
}

/* Where the guest wants it; NOWHERE while the command register keeps it off the bus. */
static uint64_t wanted_base(const struct pci_function *function, unsigned i)
{
    const struct pci_bar *bar = &function->params.bars[i];
    uint16_t command = (uint16_t)get(&function->config[PCI_COMMAND], 2);
    if (bar->size == 0 || !(command & (bar->is_memory ? PCI_COMMAND_MEMORY : PCI_COMMAND_IO)))
        return NOWHERE;
    uint64_t base = get(&function->config[PCI_BAR0 + 4 * i], 4) & ~(bar->size - 1);
    /* A PC's ports end at FFFFh. */
    return !bar->is_memory && base > 0xffff ? NOWHERE : base;
}

static void map_bars(struct pci_function *function)
{
    for (unsigned i = 0; i < PCI_NR_BARS; i++) {
        const struct pci_bar *bar = &function->params.bars[i];
        uint64_t base = wanted_base(function, i);
        if (base == NOWHERE)
            continue;
        struct io_range range = {.name = function->params.name,
                                 .base = base,
                                 .size = bar->size,
                                 .widths = bar->widths,
                                 .read = bar->read,
                                 .write = bar->write,
                                 .opaque = bar->opaque};
        struct diag diag;
        diag_init(&diag);
        if (iomap_add(map_of(function->pci, bar), &range, &diag))
            function->mapped[i] = base;
        else
            function->pci->stats.bar_conflicts++;
        diag_fini(&diag);
    }
}

/* All of them, so that who gets a place that two want depends on their order and not on what was before. */
static void remap(struct pci *pci)
{
    enum { ALL = NR_DEVICES * NR_FUNCTIONS };
    for (unsigned i = 0; i < ALL; i++) {
        if (pci->functions[i])
            unmap_bars(pci->functions[i]);
    }
    for (unsigned i = 0; i < ALL; i++) {
        if (pci->functions[i])
            map_bars(pci->functions[i]);
    }
}

/* ---- Configuration space ---- */

static bool touches(unsigned offset, unsigned size, unsigned first, unsigned nr_bytes)
{
    return offset < first + nr_bytes && first < offset + size;
}

static void write_config(struct pci_function *function, unsigned offset, unsigned size, uint32_t value)
{
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(value >> (8 * i));
        uint8_t *held = &function->config[offset + i];
        uint8_t writable = function->writable[offset + i];
        *held = (uint8_t)((*held & ~writable) | (byte & writable));
        *held &= (uint8_t) ~(byte & function->clears[offset + i]);
    }
    if (touches(offset, size, PCI_COMMAND, 2) || touches(offset, size, PCI_BAR0, 4 * PCI_NR_BARS))
        remap(function->pci);
    if (function->params.written)
        function->params.written(function->params.opaque, offset, size);
}

/* The function that the address register names; NULL when it is not there. */
static struct pci_function *addressed(const struct pci *pci)
{
    unsigned bus = pci->address >> 16 & 0xff;
    return bus == 0 ? pci->functions[pci->address >> 8 & 0xff] : NULL;
}

static uint32_t ones(unsigned size)
{
    return size >= 4 ? UINT32_MAX : (UINT32_C(1) << (8 * size)) - 1;
}

static uint64_t read_address(void *opaque, uint64_t offset, unsigned size)
{
    const struct pci *pci = opaque;
    if (offset == 0 && size == 4)
        return pci->address;
    if (offset == CF9_OFFSET && size == 1 && pci->params.read_cf9)
        return pci->params.read_cf9(pci->params.opaque);
    iomap_count_unclaimed(pci->params.ports, false);
    return ones(size);
}

static void write_address(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct pci *pci = opaque;
    if (offset == 0 && size == 4)
        pci->address = (uint32_t)value & ADDRESS_WRITABLE;
    else if (offset == CF9_OFFSET && size == 1 && pci->params.write_cf9)
        pci->params.write_cf9(pci->params.opaque, (uint8_t)value);
    else
        iomap_count_unclaimed(pci->params.ports, true);
}

static uint64_t read_data(void *opaque, uint64_t offset, unsigned size)
{
    struct pci *pci = opaque;
    if (!(pci->address & ADDRESS_ENABLE)) {
        iomap_count_unclaimed(pci->params.ports, false);
        return ones(size);
    }
    const struct pci_function *function = addressed(pci);
    pci->stats.config_reads++;
    if (function)
        return get(&function->config[(pci->address & 0xfc) + offset], size);
    pci->stats.absent++;
    return ones(size);
}

static void write_data(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct pci *pci = opaque;
    if (!(pci->address & ADDRESS_ENABLE)) {
        iomap_count_unclaimed(pci->params.ports, true);
        return;
    }
    struct pci_function *function = addressed(pci);
    pci->stats.config_writes++;
    if (function)
        write_config(function, (pci->address & 0xfc) + (unsigned)offset, size, (uint32_t)value);
    else
        pci->stats.absent++;
}

/* ---- Interrupts ---- */

void pci_connect_pirq(struct pci *pci, unsigned pirq, struct irq_line line)
{
    assert(pirq < PCI_NR_PIRQS && pci->pirqs[pirq].nr_lines < MAX_PIRQ_LINES);
    pci->pirqs[pirq].lines[pci->pirqs[pirq].nr_lines++] = line;
    irq_set(&line, pci->pirqs[pirq].nr_asking > 0);
}

static void set_interrupt(void *opaque, unsigned number, bool level)
{
    struct pci_function *function = opaque;
    struct pirq *pirq = &function->pci->pirqs[number];
    if (function->interrupts == level)
        return;
    function->interrupts = level;
    bool was_asked = pirq->nr_asking > 0;
    pirq->nr_asking = level ? pirq->nr_asking + 1 : pirq->nr_asking - 1;
    for (unsigned i = 0; was_asked != (pirq->nr_asking > 0) && i < pirq->nr_lines; i++)
        irq_set(&pirq->lines[i], pirq->nr_asking > 0);
}

struct irq_line pci_interrupt(struct pci_function *function)
{
    unsigned pin = function->params.interrupt_pin;
    assert(pin >= 1 && pin <= PCI_NR_PIRQS);
    return (struct irq_line){.set = set_interrupt,
                             .opaque = function,
                             .number = (pin - 1 + function->params.device + PCI_NR_PIRQS - 1) % PCI_NR_PIRQS};
}

/* ---- Functions ---- */

static void define(struct pci_function *function, struct pci_field field)
{
    assert(field.size_bytes >= 1 && field.size_bytes <= 4);
    assert(field.offset + field.size_bytes <= PCI_CONFIG_BYTES);
    put(&function->config[field.offset], field.size_bytes, field.reset);
    put(&function->writable[field.offset], field.size_bytes, field.writable);
    put(&function->clears[field.offset], field.size_bytes, field.clears);
}

static void define_header(struct pci_function *function)
{
    const struct pci_function_params *params = &function->params;
    const struct pci_field fields[] = {
        {PCI_VENDOR, 2, params->vendor_id, 0, 0},
        {PCI_DEVICE, 2, params->device_id, 0, 0},
        {PCI_COMMAND, 2, params->command, params->command_writable, 0},
        {PCI_STATUS, 2, params->status, 0, params->status_clears},
        {PCI_REVISION, 1, params->revision, 0, 0},
        {PCI_CLASS, 3, params->class_code, 0, 0},
        {PCI_HEADER_TYPE, 1, params->is_multifunction ? 0x80 : 0, 0, 0},
        {PCI_SUBSYSTEM_VENDOR, 2, params->subsystem_vendor_id, 0, 0},
        {PCI_SUBSYSTEM, 2, params->subsystem_id, 0, 0},
        {PCI_INTERRUPT_LINE, 1, 0, params->interrupt_pin ? 0xff : 0, 0},
        {PCI_INTERRUPT_PIN, 1, params->interrupt_pin, 0, 0},
    };
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        define(function, fields[i]);
    for (unsigned i = 0; i < PCI_NR_BARS; i++) {
        const struct pci_bar *bar = &params->bars[i];
        if (bar->size == 0)
            continue;
        assert((bar->size & (bar->size - 1)) == 0 && bar->size >= (bar->is_memory ? 16 : 4));
        uint32_t kind = !bar->is_memory ? 1 : bar->is_prefetchable ? 8 : 0;
        define(function, (struct pci_field){.offset = (uint8_t)(PCI_BAR0 + 4 * i),
                                            .size_bytes = 4,
                                            .reset = kind,
                                            .writable = (uint32_t) ~(bar->size - 1)});
    }
}

struct pci_function *pci_add(struct pci *pci, const struct pci_function_params *params, struct diag *diag)
{
    assert(params->device < NR_DEVICES && params->function < NR_FUNCTIONS);
    struct pci_function **place = &pci->functions[params->device * NR_FUNCTIONS + params->function];
    if (*place) {
        diag_add(diag, EXIT_STATUS_BAD_DATA, "PCI device %u.%u: wanted by %s, but %s has it", params->device,
                 params->function, params->name, (*place)->params.name);
        return NULL;
    }
    struct pci_function *function = calloc(1, sizeof(*function));
    if (!function) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", params->name);
        return NULL;
    }
    function->pci = pci;
    function->params = *params;
    for (unsigned i = 0; i < PCI_NR_BARS; i++)
        function->mapped[i] = NOWHERE;
    define_header(function);
    for (size_t i = 0; i < params->nr_fields; i++)
        define(function, params->fields[i]);
    *place = function;
    remap(pci);
    return function;
}

bool pci_is_bus_master(const struct pci_function *function)
{
    return function->config[PCI_COMMAND] & PCI_COMMAND_MASTER;
}

bool pci_takes_ports(const struct pci_function *function)
{
    return function->config[PCI_COMMAND] & PCI_COMMAND_IO;
}

uint32_t pci_config_get(const struct pci_function *function, unsigned offset, unsigned size_bytes)
{
    assert(offset + size_bytes <= PCI_CONFIG_BYTES);
    return get(&function->config[offset], size_bytes);
}

void pci_config_set(struct pci_function *function, unsigned offset, unsigned size_bytes, uint32_t value)
{
    assert(offset + size_bytes <= PCI_CONFIG_BYTES);
    put(&function->config[offset], size_bytes, value);
}

void pci_set_status(struct pci_function *function, uint16_t bits)
{
    uint8_t *status = &function->config[PCI_STATUS];
    const uint8_t *clears = &function->clears[PCI_STATUS];
    put(status, 2, get(status, 2) | (bits & get(clears, 2)));
}

void pci_firmware_write(struct pci_function *function, unsigned offset, unsigned size_bytes, uint32_t value)
{
    assert(offset + size_bytes <= PCI_CONFIG_BYTES);
    write_config(function, offset, size_bytes, value);
}

struct pci *pci_create(const struct pci_params *params, struct diag *diag)
{
    struct pci *pci = calloc(1, sizeof(*pci));
    if (!pci) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "PCI: out of memory");
        return NULL;
    }
    pci->params = *params;
    enum { ANY_WIDTH = IO_WIDTH_1 | IO_WIDTH_2 | IO_WIDTH_4 };
    const struct io_range address = {
        "PCI configuration address", CONFIG_ADDRESS, 4, ANY_WIDTH, read_address, write_address, pci};
    const struct io_range data = {
        "PCI configuration data", CONFIG_DATA, 4, ANY_WIDTH, read_data, write_data, pci};
    if (!iomap_add(params->ports, &address, diag) || !iomap_add(params->ports, &data, diag)) {
        pci_destroy(pci);
        return NULL;
    }
    return pci;
}

void pci_destroy(struct pci *pci)
{
    if (!pci)
        return;
    for (unsigned i = 0; i < NR_DEVICES * NR_FUNCTIONS; i++)
        free(pci->functions[i]);
    free(pci);
}

const struct pci_stats *pci_stats(const struct pci *pci)
{
    return &pci->stats;
}

static void function_snap(struct pci_function *function, struct snap *snap)
{
    SNAP_OPEN(snap, function);
    SNAP_SKIP(snap, function->pci);
    SNAP_SKIP(snap, function->params);
    SNAP_ARRAY(snap, function->config);
    SNAP_SKIP(snap, function->writable);
    SNAP_SKIP(snap, function->clears);
    SNAP_SKIP(snap, function->mapped);
    SNAP_FLAG(snap, function->interrupts);
    SNAP_CLOSE(snap, function);
}

void pci_snap(struct pci *pci, struct snap *snap)
{
    SNAP_OPEN(snap, pci);
    SNAP_SKIP(snap, pci->params);
    SNAP(snap, pci->address);
    for (unsigned i = 0; i < NR_DEVICES * NR_FUNCTIONS; i++)
        if (pci->functions[i])
            function_snap(pci->functions[i], snap);
    SNAP_SKIP(snap, pci->functions);
    for (unsigned i = 0; i < PCI_NR_PIRQS; i++)
        SNAP(snap, pci->pirqs[i].nr_asking);
    SNAP_SKIP(snap, pci->pirqs);
    SNAP_SKIP(snap, pci->stats); /* below */
    SNAP_CLOSE(snap, pci);
    if (snap->is_load)
        remap(pci); /* counts what it cannot map, which is in the statistics already */
    SNAP_COUNTERS(snap, pci->stats);
}
