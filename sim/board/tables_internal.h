/* What the files that write tables share. */
#ifndef LK_SIM_BOARD_TABLES_INTERNAL_H
#define LK_SIM_BOARD_TABLES_INTERNAL_H

#include "sim/board/tables.h"

#include <stddef.h>

/*
 * What a loader has to mend when it puts the tables elsewhere: numbers that are addresses of other tables,
 * and the checksums over them.
 */
struct tables_pointer {
    uint32_t at;
    uint8_t nr_bytes;
};
struct tables_checked {
    uint32_t at, nr_bytes, checksum_at;
};

enum { IRQ_SCI = 9, IOAPIC_ID = TABLES_IOAPIC_ID, PCI_NR_DEVICES = 32, PCI_NR_INTX = 4 };

/* INTx# of device d is PIRQ (x + d - 1) mod 4, as on boards with a 440FX (pci.h). */
static inline unsigned tables_pirq_of(unsigned device, unsigned intx)
{
    return (intx + device + 3) % 4;
}

/* The byte that makes the sum of all zero. */
static inline uint8_t tables_checksum(const uint8_t *bytes, size_t nr_bytes)
{
    unsigned sum = 0;
    for (size_t i = 0; i < nr_bytes; i++)
        sum += bytes[i];
    return (uint8_t)-sum;
}

/* The DSDT's definition block, without a header. Returns its size. */
size_t dsdt_write(const struct tables_params *params, uint8_t *bytes, size_t capacity);

/* The commands that place the tables and the RSDP, mend these pointers and the RSDP's, and all checksums. */
void tables_add_commands(struct tables_files *files, const struct tables_pointer *pointers,
                         size_t nr_pointers, const struct tables_checked *checked, size_t nr_checked);

/* MP floating pointer and configuration, which will lie at `at`. Returns the size of both. */
size_t mp_table_write(const struct tables_params *params, uint32_t at, uint8_t *bytes, size_t capacity);

#endif
