#include "acpi.h"
#include "asm/ioremap.h"
#include "asm/page.h"
#include "compiler.h"
#include "string.h"

/* Where a PC's firmware leaves the root pointer (ACPI 6.4, 5.2.5.1). */
#define RSDP_START 0xE0000u
#define RSDP_END 0x100000u
#define RSDP_ALIGN 16u
#define RSDP_BYTES 20u
#define MAX_TABLE_BYTES (64u << 10)

struct rsdp {
    char signature[8];
    u8 checksum;
    char oem_id[6];
    u8 revision;
    u32 rsdt;
} __packed;

static bool sums_to_zero(const void *from, u32 bytes)
{
    u8 sum = 0;
    for (u32 i = 0; i < bytes; i++)
        sum = (u8)(sum + ((const u8 *)from)[i]);
    return sum == 0;
}

static u32 find_rsdt(void)
{
    for (u32 at = RSDP_START; at < RSDP_END; at += RSDP_ALIGN) {
        const struct rsdp *rsdp = __va(at);
        if (strncmp(rsdp->signature, "RSD PTR ", 8) == 0 && sums_to_zero(rsdp, RSDP_BYTES))
            return rsdp->rsdt;
    }
    return 0;
}

/* The whole table, mapped; iounmap() it. NULL: no table there. */
static const struct acpi_table_header *map_table(u32 paddr)
{
    const struct acpi_table_header *header = ioremap_cache(paddr, sizeof(*header));
    u32 length = header ? header->length : 0;
    if (header)
        iounmap(header);
    if (length < sizeof(*header) || length > MAX_TABLE_BYTES)
        return NULL;
    header = ioremap_cache(paddr, length);
    if (header && !sums_to_zero(header, length)) {
        iounmap(header);
        return NULL;
    }
    return header;
}

static bool copy_if(const char *signature, u32 paddr, void *to, u32 bytes)
{
    const struct acpi_table_header *table = map_table(paddr);
    if (table == NULL)
        return false;
    bool is_it = strncmp(table->signature, signature, 4) == 0;
    if (is_it) {
        memset(to, 0, bytes);
        memcpy(to, table, min(bytes, table->length));
    }
    iounmap(table);
    return is_it;
}

bool acpi_get_table(const char *signature, void *to, u32 bytes)
{
    u32 paddr = find_rsdt();
    const struct acpi_table_header *rsdt = paddr ? map_table(paddr) : NULL;
    bool is_found = false;
    if (rsdt == NULL)
        return false;
    const u32 *entries = (const u32 *)(rsdt + 1);
    for (u32 i = 0; i < (rsdt->length - sizeof(*rsdt)) / 4 && !is_found; i++)
        is_found = copy_if(signature, entries[i], to, bytes);
    iounmap(rsdt);
    return is_found;
}
