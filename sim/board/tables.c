#include "sim/board/tables.h"

#include "sim/board/interrupts.h"
#include "sim/board/iommu_unit.h"
#include "sim/board/lapic.h"
#include "sim/board/power.h"
#include "sim/board/tables_internal.h"

#include <assert.h>
#include <string.h>

enum { RSDP_BYTES = TABLES_RSDP_BYTES, RSDP_1_BYTES = 20, HEADER_BYTES = 36, LENGTH_AT = 4, CHECKSUM_AT = 9 };
enum {
    FACS_BYTES = 64,
    FADT_BYTES = 244,
    TABLE_ALIGN = 64,
    MAX_TABLES = 8,
    MAX_POINTERS = 4 + 2 * MAX_TABLES
};

/* FADT (ACPI 6.4, 5.2.9). */
enum { BOOT_LEGACY_DEVICES = 1 << 0, BOOT_8042 = 1 << 1 };
enum {
    FADT_WBINVD = 1 << 0,
    FADT_C1 = 1 << 2,
    FADT_NO_POWER_BUTTON = 1 << 4, /* no fixed one, and no sleep button */
    FADT_NO_SLEEP_BUTTON = 1 << 5,
    FADT_TIMER_IS_32_BIT = 1 << 8,
    FADT_RESET_REGISTER = 1 << 10,
};
enum { NO_C2 = 101, NO_C3 = 1001 }; /* latencies that say so */
enum { RESET_PORT = 0xcf9, RESET_VALUE = 6, CENTURY_BYTE = 0x32 };
enum { SPACE_IO = 1, ACCESS_BYTE = 1, ACCESS_WORD = 2, ACCESS_DWORD = 3 };

/* MADT entries (ACPI 6.4, 5.2.12), and MPS INTI flags: conforming, or active high and level. */
enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_LAPIC_NMI = 4, MADT_PCAT_COMPAT = 1 };
enum { CONFORMING = 0, ACTIVE_HIGH_LEVEL = 0xd, EVERY_PROCESSOR = 0xff };

/* The tables at the top of RAM, one behind the other. */
struct writer {
    uint8_t *bytes;
    uint64_t base; /* where bytes[0] will be */
    size_t nr_bytes;
    uint64_t listed[MAX_TABLES]; /* what RSDT and XSDT list */
    size_t nr_listed;
    struct tables_pointer pointers[MAX_POINTERS];
    size_t nr_pointers;
    struct tables_checked checked[MAX_TABLES];
    size_t nr_checked;
};

static bool is_full(const struct writer *to, size_t nr_bytes)
{
    return to->nr_bytes + nr_bytes > TABLES_TOP_BYTES;
}

static void put(struct writer *to, uint64_t value, size_t nr_bytes)
{
    assert(!is_full(to, nr_bytes));
    memcpy(to->bytes + to->nr_bytes, &value, nr_bytes);
    to->nr_bytes += nr_bytes;
}

/* The address of another table. */
static void put_pointer(struct writer *to, uint64_t table, uint8_t nr_bytes)
{
    assert(to->nr_pointers < MAX_POINTERS);
    to->pointers[to->nr_pointers++] = (struct tables_pointer){(uint32_t)to->nr_bytes, nr_bytes};
    put(to, table, nr_bytes);
}

static void put_text(struct writer *to, const char *text, size_t nr_bytes)
{
    assert(!is_full(to, nr_bytes));
    memcpy(to->bytes + to->nr_bytes, text, nr_bytes);
    to->nr_bytes += nr_bytes;
}

/* Begins a table with its header; returns its offset. */
static size_t begin(struct writer *to, const char *signature, uint8_t revision)
{
    to->nr_bytes = (to->nr_bytes + TABLE_ALIGN - 1) / TABLE_ALIGN * TABLE_ALIGN;
    size_t at = to->nr_bytes;
    put_text(to, signature, 4);
    put(to, 0, 4);
    put(to, revision, 1);
    put(to, 0, 1);
    put_text(to, "LKSIDELOOKSIDE", 14);
    put(to, 1, 4);
    put_text(to, "LKSD", 4);
    put(to, 1, 4);
    return at;
}

static uint64_t end(struct writer *to, size_t at)
{
    uint32_t length = (uint32_t)(to->nr_bytes - at);
    memcpy(to->bytes + at + LENGTH_AT, &length, sizeof length);
    to->bytes[at + CHECKSUM_AT] = tables_checksum(to->bytes + at, length);
    assert(to->nr_checked < MAX_TABLES);
    to->checked[to->nr_checked++] =
        (struct tables_checked){(uint32_t)at, length, (uint32_t)(at + CHECKSUM_AT)};
    return to->base + at;
}

static void list(struct writer *to, uint64_t table)
{
    assert(to->nr_listed < MAX_TABLES);
    to->listed[to->nr_listed++] = table;
}

static uint64_t put_facs(struct writer *to)
{
    size_t at = to->nr_bytes;
    put_text(to, "FACS", 4);
    put(to, FACS_BYTES, 4);
    while (to->nr_bytes < at + FACS_BYTES)
        put(to, 0, 1);
    to->bytes[at + 32] = 1; /* version */
    return to->base + at;
}

static uint64_t put_dsdt(struct writer *to, const struct tables_params *params)
{
    size_t at = begin(to, "DSDT", 2);
    to->nr_bytes += dsdt_write(params, to->bytes + to->nr_bytes, TABLES_TOP_BYTES - to->nr_bytes);
    return end(to, at);
}

/* A generic address: a block of ports (ACPI 6.4, 5.2.3.2). */
static void put_address(struct writer *to, uint16_t port, unsigned nr_bytes, unsigned access)
{
    put(to, port ? SPACE_IO : 0, 1);
    put(to, nr_bytes * 8, 1);
    put(to, 0, 1);
    put(to, access, 1);
    put(to, port, 8);
}

static void put_fadt(struct writer *to, const struct tables_params *params, uint64_t facs, uint64_t dsdt)
{
    size_t at = begin(to, "FACP", 3);
    put_pointer(to, facs, 4);
    put_pointer(to, dsdt, 4);
    put(to, 0, 1);
    put(to, 1, 1); /* a desktop */
    put(to, IRQ_SCI, 2);
    put(to, 0, 4 + 4); /* no SMI command port: always in ACPI mode */
    put(to, POWER_PM1_EVENT, 4);
    put(to, 0, 4);
    put(to, POWER_PM1_CONTROL, 4);
    put(to, 0, 4 + 4);
    put(to, POWER_PM_TIMER, 4);
    put(to, 0, 4 + 4); /* no general-purpose events */
    put(to, 4, 1);     /* PM1 event, PM1 control, PM2 control, timer: bytes */
    put(to, 2, 1);
    put(to, 0, 1);
    put(to, 4, 1);
    put(to, 0, 4); /* GPE0, GPE1, its base; no _CST */
    put(to, NO_C2, 2);
    put(to, NO_C3, 2);
    put(to, 0, 2 + 2 + 1 + 1); /* no flush by reading, no duty cycle */
    put(to, 0, 1 + 1);         /* no alarm of a day or a month */
    put(to, CENTURY_BYTE, 1);
    put(to, BOOT_LEGACY_DEVICES | BOOT_8042, 2);
    put(to, 0, 1);
    put(to,
        FADT_WBINVD | FADT_C1 | FADT_NO_POWER_BUTTON | FADT_NO_SLEEP_BUTTON | FADT_RESET_REGISTER |
            (params->pm_timer_is_32_bit ? FADT_TIMER_IS_32_BIT : 0),
        4);
    put_address(to, RESET_PORT, 1, ACCESS_BYTE);
    put(to, RESET_VALUE, 1);
    put(to, 0, 3);
    put_pointer(to, facs, 8);
    put_pointer(to, dsdt, 8);
    put_address(to, POWER_PM1_EVENT, 4, ACCESS_WORD);
    put_address(to, 0, 0, 0);
    put_address(to, POWER_PM1_CONTROL, 2, ACCESS_WORD);
    put_address(to, 0, 0, 0);
    put_address(to, 0, 0, 0);
    put_address(to, POWER_PM_TIMER, 4, ACCESS_DWORD);
    put_address(to, 0, 0, 0);
    put_address(to, 0, 0, 0);
    assert(to->nr_bytes - at == FADT_BYTES);
    list(to, end(to, at));
}

static void put_override(struct writer *to, unsigned irq, unsigned pin, uint16_t flags)
{
    put(to, MADT_OVERRIDE, 1);
    put(to, 10, 1);
    put(to, 0, 1); /* ISA */
    put(to, irq, 1);
    put(to, pin, 4);
    put(to, flags, 2);
}

static void put_madt(struct writer *to)
{
    size_t at = begin(to, "APIC", 1);
    put(to, LAPIC_DEFAULT_BASE, 4);
    put(to, MADT_PCAT_COMPAT, 4);
    put(to, MADT_LAPIC, 1);
    put(to, 8, 1);
    put(to, 0, 2); /* processor 0 of the DSDT, APIC ID 0 */
    put(to, 1, 4); /* enabled */
    put(to, MADT_IOAPIC, 1);
    put(to, 12, 1);
    put(to, IOAPIC_ID, 1);
    put(to, 0, 1);
    put(to, IOAPIC_BASE, 4);
    put(to, 0, 4); /* its first interrupt's number */
    put_override(to, 0, PIN_PIT, CONFORMING);
    put_override(to, IRQ_SCI, IRQ_SCI, ACTIVE_HIGH_LEVEL);
    put(to, MADT_LAPIC_NMI, 1);
    put(to, 6, 1);
    put(to, EVERY_PROCESSOR, 1);
    put(to, CONFORMING, 2);
    put(to, 1, 1); /* LINT1 */
    list(to, end(to, at));
}

/* One remapping unit, which all PCI devices go through (VT-d rev. 3.3, 8.1, 8.3). */
static void put_dmar(struct writer *to)
{
    enum { DRHD = 0, DRHD_BYTES = 16, INCLUDES_ALL = 1 };
    size_t at = begin(to, "DMAR", 1);
    put(to, IOMMU_UNIT_ADDRESS_BITS - 1, 1);
    put(to, 0, 1); /* no interrupt remapping */
    put(to, 0, 8); /* reserved, 10 bytes */
    put(to, 0, 2);
    put(to, DRHD, 2);
    put(to, DRHD_BYTES, 2);
    put(to, INCLUDES_ALL, 1);
    put(to, 0, 1); /* 4 KiB of registers */
    put(to, 0, 2); /* segment 0 */
    put(to, IOMMU_UNIT_BASE, 8);
    list(to, end(to, at));
}

/* RSDT (4 bytes an entry) or XSDT (8 bytes). */
static uint64_t put_root(struct writer *to, const char *signature, size_t entry_bytes)
{
    size_t at = begin(to, signature, 1);
    for (size_t i = 0; i < to->nr_listed; i++)
        put_pointer(to, to->listed[i], (uint8_t)entry_bytes);
    return end(to, at);
}

static void put_rsdp(uint8_t bytes[RSDP_BYTES], uint64_t rsdt, uint64_t xsdt)
{
    const uint32_t rsdt_at = (uint32_t)rsdt, length = RSDP_BYTES;
    static const uint8_t start[16] = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' ', 0, /* the checksum */
                                      'L', 'K', 'S', 'I', 'D', 'E', 2 /* the revision */};
    memcpy(bytes, start, sizeof start);
    memcpy(bytes + 16, &rsdt_at, sizeof rsdt_at);
    memcpy(bytes + 20, &length, sizeof length);
    memcpy(bytes + 24, &xsdt, sizeof xsdt);
    bytes[8] = tables_checksum(bytes, RSDP_1_BYTES);
    bytes[32] = tables_checksum(bytes, RSDP_BYTES);
}

struct roots {
    uint64_t rsdt, xsdt;
};

static struct roots put_all(struct writer *to, const struct tables_params *params)
{
    uint64_t facs = put_facs(to), dsdt = put_dsdt(to, params);
    put_fadt(to, params, facs, dsdt);
    if (params->has_apic)
        put_madt(to);
    if (params->has_iommu)
        put_dmar(to);
    uint64_t rsdt = put_root(to, "RSDT", 4);
    return (struct roots){rsdt, put_root(to, "XSDT", 8)};
}

void tables_write(const struct tables_params *params, struct ram *ram)
{
    uint8_t *low = ram->host + TABLES_LOW_BASE;
    struct writer to = {.base = params->ram_bytes - TABLES_TOP_BYTES};
    assert(params->ram_bytes <= ram->size_bytes);
    to.bytes = ram->host + to.base;
    struct roots roots = put_all(&to, params);
    put_rsdp(low, roots.rsdt, roots.xsdt);
    enum { MP_AT = (RSDP_BYTES + 15) / 16 * 16 };
    if (params->has_apic)
        mp_table_write(params, TABLES_LOW_BASE + MP_AT, low + MP_AT, TABLES_LOW_BYTES - MP_AT);
}

void tables_write_files(const struct tables_params *params, struct tables_files *files)
{
    *files = (struct tables_files){.tables_bytes = 0};
    struct writer to = {.bytes = files->tables};
    struct roots roots = put_all(&to, params);
    put_rsdp(files->rsdp, roots.rsdt, roots.xsdt);
    files->tables_bytes = to.nr_bytes;
    tables_add_commands(files, to.pointers, to.nr_pointers, to.checked, to.nr_checked);
}
