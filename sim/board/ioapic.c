#include "sim/board/ioapic.h"

#include "sim/base/snap.h"

#include <assert.h>
#include <stdlib.h>

enum { SELECT_OFFSET = 0x00, WINDOW_OFFSET = 0x10 };
enum { REG_ID = 0, REG_VERSION = 1, REG_ARBITRATION = 2, REG_ENTRIES = 0x10 };
enum { VERSION = 0x11 | (IOAPIC_NR_PINS - 1) << 16, ID_MASK = 0x0f000000 };

/* A redirection entry (82093AA data sheet 3.2.4); the destination is in bits 56 to 63. */
#define ENTRY_VECTOR 0xffu
#define ENTRY_DELIVERY(entry) ((enum apic_delivery)((entry) >> 8 & 7))
#define ENTRY_LOGICAL (1u << 11)
#define ENTRY_PENDING (1u << 12)
#define ENTRY_ACTIVE_LOW (1u << 13)
#define ENTRY_REMOTE_IRR (1u << 14)
#define ENTRY_LEVEL (1u << 15)
#define ENTRY_MASKED (1u << 16)
#define ENTRY_WRITABLE (UINT64_C(0xff) << 56 | 0x1afff)
#define ENTRY_READ_ONLY ((uint64_t)(ENTRY_PENDING | ENTRY_REMOTE_IRR))

struct ioapic {
    struct apic_bus *bus;
    uint64_t entries[IOAPIC_NR_PINS];
    bool levels[IOAPIC_NR_PINS]; /* the voltage at the inputs */
    uint8_t select;
    uint32_t id;
    uint64_t nr_sent;
};

static bool is_active(const struct ioapic *ioapic, unsigned pin)
{
    return ioapic->levels[pin] != !!(ioapic->entries[pin] & ENTRY_ACTIVE_LOW);
}

/* SMI, NMI, INIT and ExtINT are edges whatever the entry says (82093AA data sheet 3.2.4, "delivery mode"). */
static bool is_level(const struct ioapic *ioapic, unsigned pin)
{
    uint64_t entry = ioapic->entries[pin];
    enum apic_delivery delivery = ENTRY_DELIVERY(entry);
    return (entry & ENTRY_LEVEL) && (delivery == APIC_FIXED || delivery == APIC_LOWEST_PRIORITY);
}

static bool send(struct ioapic *ioapic, unsigned pin)
{
    uint64_t entry = ioapic->entries[pin];
    const struct apic_message message = {
        .destination = (uint8_t)(entry >> 56),
        .is_logical = entry & ENTRY_LOGICAL,
        .delivery = ENTRY_DELIVERY(entry),
        .is_level = is_level(ioapic, pin),
        .vector = entry & ENTRY_VECTOR,
    };
    bool is_taken = apic_bus_send(ioapic->bus, &message, NULL);
    ioapic->nr_sent += is_taken;
    return is_taken;
}

/* What a level-triggered input asks for now. */
static void look_at_level(struct ioapic *ioapic, unsigned pin)
{
    uint64_t *entry = &ioapic->entries[pin];
    *entry &= ~(uint64_t)ENTRY_PENDING;
    if (!is_level(ioapic, pin) || (*entry & (ENTRY_MASKED | ENTRY_REMOTE_IRR)) || !is_active(ioapic, pin))
        return;
    *entry |= ENTRY_REMOTE_IRR; /* before the message: its end may come at once */
    if (!send(ioapic, pin))
        *entry = (*entry & ~(uint64_t)ENTRY_REMOTE_IRR) | ENTRY_PENDING;
}

static void set_pin(struct ioapic *ioapic, unsigned pin, bool level)
{
    bool was_active = is_active(ioapic, pin);
    ioapic->levels[pin] = level;
    if (is_level(ioapic, pin))
        look_at_level(ioapic, pin);
    else if (!was_active && is_active(ioapic, pin) && !(ioapic->entries[pin] & ENTRY_MASKED))
        send(ioapic, pin);
}

static void set_high_line(void *opaque, unsigned pin, bool level)
{
    set_pin(opaque, pin, level);
}

static void set_low_line(void *opaque, unsigned pin, bool level)
{
    set_pin(opaque, pin, !level);
}

struct irq_line ioapic_line(struct ioapic *ioapic, unsigned pin)
{
    assert(pin < IOAPIC_NR_PINS);
    return (struct irq_line){.set = set_high_line, .opaque = ioapic, .number = pin};
}

struct irq_line ioapic_low_line(struct ioapic *ioapic, unsigned pin)
{
    assert(pin < IOAPIC_NR_PINS);
    ioapic->levels[pin] = true; /* nobody pulls it yet */
    return (struct irq_line){.set = set_low_line, .opaque = ioapic, .number = pin};
}

void ioapic_end(struct ioapic *ioapic, uint8_t vector)
{
    for (unsigned pin = 0; pin < IOAPIC_NR_PINS; pin++) {
        uint64_t *entry = &ioapic->entries[pin];
        if (!(*entry & ENTRY_REMOTE_IRR) || (*entry & ENTRY_VECTOR) != vector)
            continue;
        *entry &= ~(uint64_t)ENTRY_REMOTE_IRR;
        look_at_level(ioapic, pin);
    }
}

void ioapic_retry(struct ioapic *ioapic)
{
    for (unsigned pin = 0; pin < IOAPIC_NR_PINS; pin++)
        look_at_level(ioapic, pin);
}

static void write_entry(struct ioapic *ioapic, unsigned pin, bool is_high, uint32_t value)
{
    uint64_t *entry = &ioapic->entries[pin];
    unsigned shift = is_high ? 32 : 0;
    uint64_t half = (uint64_t)UINT32_MAX << shift, writable = half & ENTRY_WRITABLE;
    *entry = (*entry & ~writable) | ((uint64_t)value << shift & writable);
    if (!is_level(ioapic, pin))
        *entry &=
            ~ENTRY_READ_ONLY; /* an edge awaits no end: how software without an EOI register clears it */
    look_at_level(ioapic, pin);
}

static uint32_t read_register(const struct ioapic *ioapic)
{
    unsigned reg = ioapic->select;
    if (reg >= REG_ENTRIES && reg < REG_ENTRIES + 2 * IOAPIC_NR_PINS)
        return (uint32_t)(ioapic->entries[(reg - REG_ENTRIES) / 2] >> (reg % 2 ? 32 : 0));
    switch (reg) {
    case REG_ID:
    case REG_ARBITRATION: /* loaded with the ID, and never used: the bus arbitrates nothing */
        return ioapic->id;
    case REG_VERSION:
        return VERSION;
    default:
        return UINT32_MAX;
    }
}

static uint64_t read_window(void *opaque, uint64_t offset, unsigned size)
{
    const struct ioapic *ioapic = opaque;
    (void)size;
    if (offset == SELECT_OFFSET)
        return ioapic->select;
    return offset == WINDOW_OFFSET ? read_register(ioapic) : 0;
}

static void write_window(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct ioapic *ioapic = opaque;
    (void)size;
    if (offset == SELECT_OFFSET)
        ioapic->select = (uint8_t)value;
    if (offset != WINDOW_OFFSET)
        return;
    unsigned reg = ioapic->select;
    if (reg >= REG_ENTRIES && reg < REG_ENTRIES + 2 * IOAPIC_NR_PINS)
        write_entry(ioapic, (reg - REG_ENTRIES) / 2, reg % 2, (uint32_t)value);
    else if (reg == REG_ID)
        ioapic->id = (uint32_t)value & ID_MASK;
}

struct ioapic *ioapic_create(struct apic_bus *bus, struct iomap *memory, struct diag *diag)
{
    struct ioapic *ioapic = calloc(1, sizeof *ioapic);
    if (!ioapic) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "I/O APIC: out of memory");
        return NULL;
    }
    ioapic->bus = bus;
    for (unsigned pin = 0; pin < IOAPIC_NR_PINS; pin++)
        ioapic->entries[pin] = ENTRY_MASKED;
    const struct io_range range = {.name = "I/O APIC",
                                   .base = IOAPIC_BASE,
                                   .size = IOAPIC_BYTES,
                                   .widths = IO_WIDTH_4,
                                   .read = read_window,
                                   .write = write_window,
                                   .opaque = ioapic};
    if (!iomap_add(memory, &range, diag)) {
        ioapic_destroy(ioapic);
        return NULL;
    }
    apic_bus_add_ioapic(bus, ioapic);
    return ioapic;
}

void ioapic_destroy(struct ioapic *ioapic)
{
    free(ioapic);
}

uint64_t ioapic_nr_sent(const struct ioapic *ioapic)
{
    return ioapic->nr_sent;
}

void ioapic_snap(struct ioapic *ioapic, struct snap *snap)
{
    SNAP_OPEN(snap, ioapic);
    SNAP_SKIP(snap, ioapic->bus);
    SNAP_ARRAY(snap, ioapic->entries);
    snap_flags(snap, ioapic->levels, IOAPIC_NR_PINS);
    SNAP(snap, ioapic->select);
    SNAP(snap, ioapic->id);
    SNAP(snap, ioapic->nr_sent);
    SNAP_CLOSE(snap, ioapic);
}
