/* The firmware configuration interface, read as a firmware reads it (QEMU, docs/specs/fw_cfg). */
#include "sim/board/fwcfg.h"

#include <criterion/criterion.h>
#include <string.h>

enum { SELECTOR = 0x510, DATA = 0x511, RAM_BYTES = 64 << 20 };

static struct diag diag;
static struct iomap *ports;
static struct fwcfg *fwcfg;

static void make(uint16_t console_port)
{
    diag_init(&diag);
    ports = iomap_create("port");
    fwcfg = fwcfg_create(&(struct fwcfg_params){.ram_bytes = RAM_BYTES, .console_port = console_port}, ports,
                         &diag);
    cr_assert(fwcfg);
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
