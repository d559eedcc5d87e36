/*
 * The tables that firmware leaves for kernels: ACPI's (ACPI 6.4 chapter 5; those of ACPI 2.0) and the MP
 * configuration (MP 1.4 chapter 4). They describe what this board has, and nothing else.
 *
 *   F0000h       RSDP, MP floating pointer and configuration
 *   top of RAM   from TABLES_TOP_BYTES below its end: FACS, DSDT, FADT, MADT, DMAR, RSDT, XSDT
 *
 * Both ranges are reserved in the machine's memory map. Without APICs there is no MADT and no MP table, and
 * the DSDT routes by the 8259s only; without an IOMMU there is no DMAR table.
 */
#ifndef LK_SIM_BOARD_TABLES_H
#define LK_SIM_BOARD_TABLES_H

#include "sim/base/ram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TABLES_LOW_BASE = 0xf0000, TABLES_LOW_BYTES = 0x2000, TABLES_TOP_BYTES = 0x20000 };

/* That firmware gives the I/O APIC: another than the processors have. */
enum { TABLES_IOAPIC_ID = 1 };

struct tables_params {
    uint64_t ram_bytes;
    bool has_apic, has_iommu;
    uint32_t cpu_signature, cpu_features; /* CPUID leaf 1, EAX and EDX */
    bool pm_timer_is_32_bit;
};

/* Puts them into RAM, which reaches to ram_bytes. */
void tables_write(const struct tables_params *params, struct ram *ram);

/*
 * The ACPI tables for a firmware that puts them where it has room, as QEMU's files for it
 * (hw/acpi/bios-linker-loader): "etc/acpi/tables", "etc/acpi/rsdp", and "etc/table-loader", the commands by
 * which it does so. A pointer in them is the offset in the file of what it points to.
 */
enum { TABLES_RSDP_BYTES = 36, TABLES_COMMAND_BYTES = 128, TABLES_MAX_COMMANDS = 64 };
struct tables_files {
    uint8_t tables[TABLES_TOP_BYTES], rsdp[TABLES_RSDP_BYTES];
    uint8_t commands[TABLES_MAX_COMMANDS * TABLES_COMMAND_BYTES];
    size_t tables_bytes, commands_bytes;
};
void tables_write_files(const struct tables_params *params, struct tables_files *files);

/* How firmware routes PIRQA#-D# to the 8259s (SeaBIOS has the same on this chip set). */
static inline unsigned tables_pirq_irq(unsigned pirq)
{
    return pirq < 2 ? 10 : 11;
}

#endif
