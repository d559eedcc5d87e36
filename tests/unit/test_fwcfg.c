/* The firmware configuration interface, read as a firmware reads it (QEMU, docs/specs/fw_cfg). */
#include "sim/board/fwcfg.h"

#include "sim/board/tables.h"

#include <criterion/criterion.h>
#include <string.h>

enum { SELECTOR = 0x510, DATA = 0x511, RAM_BYTES = 64 << 20 };

static struct diag diag;
static struct iomap *ports;
static struct fwcfg *fwcfg;

static void make_with(uint16_t console_port, const struct tables_files *tables)
{
    diag_init(&diag);
    ports = iomap_create("port");
    fwcfg = fwcfg_create(
        &(struct fwcfg_params){.ram_bytes = RAM_BYTES, .console_port = console_port, .tables = tables}, ports,
        &diag);
    cr_assert(fwcfg);
}

static void make(uint16_t console_port)
{
    make_with(console_port, NULL);
}

static void tear_down(void)
{
    fwcfg_destroy(fwcfg);
    iomap_destroy(ports);
    diag_fini(&diag);
}

TestSuite(fwcfg, .fini = tear_down);

static void take(void *into, size_t nr_bytes)
{
    for (size_t i = 0; i < nr_bytes; i++)
        ((uint8_t *)into)[i] = (uint8_t)iomap_read(ports, DATA, 1);
}

static uint64_t take_number(size_t nr_bytes, bool is_big_endian)
{
    uint64_t value = 0;
    for (size_t i = 0; i < nr_bytes; i++) {
        uint64_t byte = iomap_read(ports, DATA, 1);
        value = is_big_endian ? value << 8 | byte : value | byte << (8 * i);
    }
    return value;
}

/* The key of the file of that name, and its size; 0 when the directory has none. */
static uint16_t find(const char *wanted, uint32_t *size)
{
    uint16_t found = 0;
    iomap_write(ports, SELECTOR, 2, 0x19);
    uint64_t nr_files = take_number(4, true);
    for (uint64_t i = 0; i < nr_files; i++) {
        char name[56];
        uint32_t bytes = (uint32_t)take_number(4, true);
        uint16_t key = (uint16_t)take_number(2, true);
        take_number(2, true);
        take(name, sizeof(name));
        if (strcmp(name, wanted) == 0) {
            found = key;
            *size = bytes;
        }
    }
    return found;
}

Test(fwcfg, signature_and_version)
{
    make(0x3f8);
    char signature[5] = "";
    iomap_write(ports, SELECTOR, 2, 0);
    take(signature, 4);
    cr_assert_str_eq(signature, "QEMU");
    cr_assert_eq(iomap_read(ports, DATA, 1), 0, "zeros behind the end");
    iomap_write(ports, SELECTOR, 2, 0);
    cr_assert_eq(iomap_read(ports, DATA, 1), 'Q', "a selection begins anew");
    iomap_write(ports, SELECTOR, 2, 1);
    cr_assert_eq(take_number(4, false), 1, "no DMA");
    iomap_write(ports, SELECTOR, 2, 0x8001);
    cr_assert_eq(take_number(4, false), 0, "what is not there is empty");
}

Test(fwcfg, files_are_found_by_name)
{
    make(0x3f8);
    uint32_t size = 0;
    iomap_write(ports, SELECTOR, 2, find("etc/e820", &size));
    cr_assert_eq(size, 20);
    cr_assert_eq(take_number(8, false), 0);
    cr_assert_eq(take_number(8, false), RAM_BYTES);
    cr_assert_eq(take_number(4, false), 1);
    uint16_t key = find("etc/sercon-port", &size);
    cr_assert_eq(size, 8);
    iomap_write(ports, SELECTOR, 2, key);
    cr_assert_eq(take_number(8, false), 0x3f8);
    cr_assert_eq(find("etc/table-loader", &size), 0);
}

Test(fwcfg, without_a_console_there_is_no_such_file)
{
    make(0);
    uint32_t size;
    cr_assert_eq(find("etc/sercon-port", &size), 0);
    cr_assert_neq(find("etc/e820", &size), 0);
}

Test(fwcfg, other_accesses_do_nothing)
{
    make(0x3f8);
    iomap_write(ports, SELECTOR, 2, 0);
    cr_assert_eq(iomap_read(ports, DATA, 1), 'Q');
    iomap_write(ports, DATA, 1, 0x55);
    iomap_write(ports, SELECTOR, 1, 0x55);
    cr_assert_eq(iomap_read(ports, SELECTOR, 1), 0xff);
    cr_assert_eq(iomap_read(ports, DATA, 1), 'E');
}

/* A plain loader: memory that begins at LOADER_BASE, and the files that were placed in it. */
enum { LOADER_BASE = 0x3fe0000, LOADER_BYTES = 0x20000, MAX_PLACED = 4 };
static uint8_t memory[LOADER_BYTES];
static struct {
    char name[56];
    uint32_t at, size; /* in memory */
} placed[MAX_PLACED];
static unsigned nr_placed;

static uint32_t placed_at(const char *name)
{
    unsigned i = 0;
    while (i < nr_placed && strcmp(placed[i].name, name) != 0)
        i++;
    cr_assert_lt(i, nr_placed, "%s is not placed", name);
    return placed[i].at;
}

static uint8_t sum(uint32_t at, uint32_t nr_bytes)
{
    unsigned all = 0;
    for (uint32_t i = 0; i < nr_bytes; i++)
        all += memory[at + i];
    return (uint8_t)all;
}

static uint64_t number(const uint8_t *bytes, unsigned nr_bytes)
{
    uint64_t value = 0;
    memcpy(&value, bytes, nr_bytes);
    return value;
}

static void place(const char *name, uint32_t alignment)
{
    static uint32_t used;
    uint32_t size, at = (used + alignment - 1) / alignment * alignment;
    uint16_t key = find(name, &size);
    cr_assert(key && nr_placed < MAX_PLACED);
    iomap_write(ports, SELECTOR, 2, key);
    take(memory + at, size);
    strcpy(placed[nr_placed].name, name);
    placed[nr_placed].size = size;
    placed[nr_placed++].at = at;
    used = at + size;
}

static void obey(const uint8_t command[TABLES_COMMAND_BYTES])
{
    const char *name = (const char *)command + 4;
    const uint8_t *rest = command + 4 + 56;
    uint64_t value;
    switch (number(command, 4)) {
    case 1:
        place(name, (uint32_t)number(rest, 4));
        break;
    case 2: /* the other file's name, where, how many bytes */
        value = number(memory + placed_at(name) + number(rest + 56, 4), rest[60]);
        value += LOADER_BASE + placed_at((const char *)rest);
        memcpy(memory + placed_at(name) + number(rest + 56, 4), &value, rest[60]);
        break;
    case 3: /* where, first, how many bytes */
        memory[placed_at(name) + number(rest, 4)] -=
            sum(placed_at(name) + (uint32_t)number(rest + 4, 4), (uint32_t)number(rest + 8, 4));
        break;
    default:
        cr_assert_fail("command %lu", (unsigned long)number(command, 4));
    }
}

/* The table at that address: in memory, with that signature and a sum of zero. */
static const uint8_t *table(uint64_t address, const char *signature)
{
    cr_assert(address >= LOADER_BASE && address < LOADER_BASE + LOADER_BYTES - 36, "%s at %lx", signature,
              (unsigned long)address);
    const uint8_t *bytes = memory + (address - LOADER_BASE);
    cr_assert_arr_eq(bytes, signature, 4, "%.4s for %s", (const char *)bytes, signature);
    if (strcmp(signature, "FACS") != 0)
        cr_assert_eq(sum((uint32_t)(address - LOADER_BASE), (uint32_t)number(bytes + 4, 4)), 0, "%s",
                     signature);
    return bytes;
}

Test(fwcfg, a_loader_can_place_the_acpi_tables)
{
    static struct tables_files files;
    tables_write_files(&(struct tables_params){.ram_bytes = RAM_BYTES, .has_apic = true}, &files);
    make_with(0x3f8, &files);
    uint32_t size;
    uint8_t command[TABLES_COMMAND_BYTES];
    uint16_t loader = find("etc/table-loader", &size);
    cr_assert(loader && size % sizeof command == 0);
    for (uint32_t at = 0; at < size; at += (uint32_t)sizeof command) {
        iomap_write(ports, SELECTOR, 2, loader);
        for (uint32_t skipped = 0; skipped < at; skipped++)
            iomap_read(ports, DATA, 1);
        take(command, sizeof command);
        obey(command);
    }
    uint32_t rsdp = placed_at("etc/acpi/rsdp");
    cr_assert_arr_eq(memory + rsdp, "RSD PTR ", 8);
    cr_assert_eq(sum(rsdp, 20), 0);
    cr_assert_eq(sum(rsdp, 36), 0);
    const uint8_t *rsdt = table(number(memory + rsdp + 16, 4), "RSDT"),
                  *xsdt = table(number(memory + rsdp + 24, 8), "XSDT");
    const uint8_t *fadt = table(number(xsdt + 36, 8), "FACP");
    cr_assert_eq(number(rsdt + 36, 4), number(xsdt + 36, 8));
    table(number(xsdt + 44, 8), "APIC");
    table(number(fadt + 36, 4), "FACS");
    table(number(fadt + 40, 4), "DSDT");
    cr_assert_eq(number(fadt + 132, 8), number(fadt + 36, 4));
    cr_assert_eq(number(fadt + 140, 8), number(fadt + 40, 4));
}
