/* The commands of QEMU's table loader (hw/acpi/bios-linker-loader.c there tells their layout). */
#include "sim/board/tables_internal.h"

#include <assert.h>
#include <string.h>

enum command { ALLOCATE = 1, ADD_POINTER = 2, ADD_CHECKSUM = 3 };
enum zone { ZONE_HIGH = 1, ZONE_FSEG = 2 };
enum { NAME_BYTES = 56, TABLES_ALIGN = 64, RSDP_ALIGN = 16 };
enum { RSDP_CHECKSUM = 8, RSDP_RSDT = 16, RSDP_1_BYTES = 20, RSDP_XSDT = 24, RSDP_CHECKSUM_2 = 32 };

static const char tables_file[] = "etc/acpi/tables", rsdp_file[] = "etc/acpi/rsdp";

/* A command in the making: numbers are little-endian, names are padded with zeros. */
struct maker {
    uint8_t *bytes;
    size_t nr_bytes;
};

static void put_number(struct maker *to, uint32_t value, size_t nr_bytes)
{
    memcpy(to->bytes + to->nr_bytes, &value, nr_bytes);
    to->nr_bytes += nr_bytes;
}

static void put_name(struct maker *to, const char *name)
{
    strncpy((char *)to->bytes + to->nr_bytes, name, NAME_BYTES - 1);
    to->nr_bytes += NAME_BYTES;
}

static struct maker begin(struct tables_files *files, enum command command)
{
    assert(files->commands_bytes + TABLES_COMMAND_BYTES <= sizeof files->commands);
    struct maker to = {.bytes = files->commands + files->commands_bytes};
    files->commands_bytes += TABLES_COMMAND_BYTES;
    put_number(&to, command, 4);
    return to;
}

static void allocate(struct tables_files *files, const char *name, uint32_t alignment, enum zone zone)
{
    struct maker to = begin(files, ALLOCATE);
    put_name(&to, name);
    put_number(&to, alignment, 4);
    put_number(&to, zone, 1);
}

/* A number in `name` becomes an address: that of the tables is added. */
static void add_pointer(struct tables_files *files, const char *name, uint32_t at, uint8_t nr_bytes)
{
    struct maker to = begin(files, ADD_POINTER);
    put_name(&to, name);
    put_name(&to, tables_file);
    put_number(&to, at, 4);
    put_number(&to, nr_bytes, 1);
}

static void add_checksum(struct tables_files *files, const char *name, struct tables_checked checked)
{
    struct maker to = begin(files, ADD_CHECKSUM);
    put_name(&to, name);
    put_number(&to, checked.checksum_at, 4);
    put_number(&to, checked.at, 4);
    put_number(&to, checked.nr_bytes, 4);
}

void tables_add_commands(struct tables_files *files, const struct tables_pointer *pointers,
                         size_t nr_pointers, const struct tables_checked *checked, size_t nr_checked)
{
    allocate(files, tables_file, TABLES_ALIGN, ZONE_HIGH);
    allocate(files, rsdp_file, RSDP_ALIGN, ZONE_FSEG);
    for (size_t i = 0; i < nr_pointers; i++)
        add_pointer(files, tables_file, pointers[i].at, pointers[i].nr_bytes);
    add_pointer(files, rsdp_file, RSDP_RSDT, 4);
    add_pointer(files, rsdp_file, RSDP_XSDT, 8);
    for (size_t i = 0; i < nr_checked; i++)
        add_checksum(files, tables_file, checked[i]);
    add_checksum(files, rsdp_file, (struct tables_checked){0, RSDP_1_BYTES, RSDP_CHECKSUM});
    add_checksum(files, rsdp_file, (struct tables_checked){0, TABLES_RSDP_BYTES, RSDP_CHECKSUM_2});
}
