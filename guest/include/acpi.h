/* The firmware's tables (ACPI 6.4, 5.2). */
#pragma once

#include "types.h"

struct acpi_table_header {
    char signature[4];
    u32 length;
    u8 revision, checksum;
    char oem_id[6], oem_table_id[8];
    u32 oem_revision, creator_id, creator_revision;
};

/* Copies up to `bytes` of the first table of that signature. False: none whose checksum is right. */
bool acpi_get_table(const char *signature, void *to, u32 bytes);
