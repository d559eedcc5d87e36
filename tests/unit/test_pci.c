/*
 * The bus, its bridges and the memory below 1 MiB: what PCI 2.1 and the data sheets of the 82441FX and the
 * 82371SB say, seen through the ports.
 */
#include "sim/board/i440fx.h"
#include "sim/board/pci.h"
#include "sim/board/piix3.h"
#include "sim/board/shadow.h"

#include "tests/unit/board_fixture.h"

#include <string.h>

static struct board_fixture at;
static struct iomap *memory;
static struct ram ram;
static struct shadow *shadow;
static struct pci *pci;
static struct i440fx *host;
static struct piix3 *isa;
static struct line_record lines[PIIX_NR_IRQS];
static unsigned nr_changes, nr_resets;
static uint8_t cf9;

static void changed(void *opaque, struct paddr where, uint64_t size_bytes)
{
    (void)opaque;
    cr_assert(where.v >= SHADOW_BASE && where.v + size_bytes <= SHADOW_END);
    nr_changes++;
}

static void reset(void *opaque)
{
    (void)opaque;
    nr_resets++;
}

static uint8_t read_cf9(void *opaque)
{
    (void)opaque;
    return cf9;
}

static void write_cf9(void *opaque, uint8_t value)
{
    (void)opaque;
    cf9 = value;
}

static void setup(void)
{
    fixture_init(&at);
    memory = iomap_create("memory");
    cr_assert(ram_init(&ram, 1 << 20));
    shadow =
        shadow_create(&(struct shadow_params){.memory = memory, .ram = &ram, .changed = changed}, &at.diag);
    pci = pci_create(
        &(struct pci_params){
            .ports = at.ports, .memory = memory, .read_cf9 = read_cf9, .write_cf9 = write_cf9},
        &at.diag);
    host = i440fx_create(&(struct i440fx_params){.shadow = shadow, .reset = reset}, pci, &at.diag);
    struct irq_line irqs[PIIX_NR_IRQS];
    for (unsigned i = 0; i < PIIX_NR_IRQS; i++)
        irqs[i] = recording_line(&lines[i]);
    isa = piix3_create(irqs, pci, &at.diag);
    cr_assert(shadow && pci && host && isa);
}

static void teardown(void)
{
    piix3_destroy(isa);
    i440fx_destroy(host);
    pci_destroy(pci);
    shadow_destroy(shadow);
    ram_fini(&ram);
    iomap_destroy(memory);
    fixture_fini(&at);
}

TestSuite(pci, .init = setup, .fini = teardown);

static void select_register(unsigned device, unsigned function, unsigned offset)
{
    iomap_write(at.ports, 0xcf8, 4, 0x80000000 | device << 11 | function << 8 | (offset & 0xfc));
}

static uint32_t config_read(unsigned device, unsigned function, unsigned offset, unsigned size)
{
    select_register(device, function, offset);
    return (uint32_t)iomap_read(at.ports, 0xcfc + (offset & 3), size);
}

static void config_write(unsigned device, unsigned function, unsigned offset, unsigned size, uint32_t value)
{
    select_register(device, function, offset);
    iomap_write(at.ports, 0xcfc + (offset & 3), size, value);
}

/* ---- A device of the test's own ---- */

static uint64_t last_offset, last_value;

static uint64_t read_bar(void *opaque, uint64_t offset, unsigned size)
{
    (void)size;
    return (uintptr_t)opaque + offset;
}

static void write_bar(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    (void)opaque, (void)size;
    last_offset = offset;
    last_value = value;
}

static struct pci_function *add_device(unsigned device, unsigned pin)
{
    enum { ANY = IO_WIDTH_1 | IO_WIDTH_2 | IO_WIDTH_4 };
    const struct pci_function_params params = {
        .name = "test device",
        .device = (uint8_t)device,
        .vendor_id = 0x1234,
        .device_id = 0x5678,
        .class_code = 0xff0102,
        .revision = 9,
        .subsystem_vendor_id = 0xaaaa,
        .subsystem_id = 0xbbbb,
        .interrupt_pin = (uint8_t)pin,
        .command_writable = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
        .status_clears = PCI_STATUS_MASTER_ABORT,
        .bars = {{.size = 0x20, .widths = ANY, .read = read_bar, .write = write_bar, .opaque = (void *)0x100},
                 {.size = 0x1000,
                  .is_memory = true,
                  .widths = ANY,
                  .read = read_bar,
                  .write = write_bar,
                  .opaque = (void *)0x5000}},
    };
    struct pci_function *function = pci_add(pci, &params, &at.diag);
    cr_assert(function);
    return function;
}

Test(pci, address_register_takes_whole_dwords_alone)
{
    iomap_write(at.ports, 0xcf8, 4, 0xffffffff);
    cr_assert_eq(iomap_read(at.ports, 0xcf8, 4), 0x80fffffc, "bits 30:24 and 1:0 are zero");
    iomap_write(at.ports, 0xcf8, 2, 0);
    out(&at, 0xcfb, 0);
    cr_assert_eq(iomap_read(at.ports, 0xcf8, 4), 0x80fffffc);
    cr_assert_eq(in(&at, 0xcf8), 0xff);
    cr_assert_eq(iomap_read(at.ports, 0xcfa, 2), 0xffff);
    out(&at, 0xcf9, 0x42);
    cr_assert_eq(cf9, 0x42, "a byte at CF9h is the reset control register");
    cr_assert_eq(in(&at, 0xcf9), 0x42);
    cr_assert_eq(iomap_stats(at.ports)->unclaimed_reads, 2);
    cr_assert_eq(iomap_stats(at.ports)->unclaimed_writes, 2);
}

Test(pci, window_is_shut_without_the_enable_bit)
{
    iomap_write(at.ports, 0xcf8, 4, 0);
    cr_assert_eq(iomap_read(at.ports, 0xcfc, 4), 0xffffffff);
    iomap_write(at.ports, 0xcfc, 4, 0);
    cr_assert_eq(iomap_stats(at.ports)->unclaimed_reads, 1);
    cr_assert_eq(iomap_stats(at.ports)->unclaimed_writes, 1);
    cr_assert_eq(pci_stats(pci)->config_reads, 0);
}

Test(pci, what_is_absent_reads_ones)
{
    cr_assert_eq(config_read(5, 0, 0, 4), 0xffffffff);
    cr_assert_eq(config_read(0, 1, 0, 2), 0xffff);
    iomap_write(at.ports, 0xcf8, 4, 0x80010000);
    cr_assert_eq(iomap_read(at.ports, 0xcfc, 4), 0xffffffff, "bus 1");
    config_write(5, 0, 4, 2, 0xffff);
    cr_assert_eq(pci_stats(pci)->absent, 4);
}

Test(pci, header_reads_in_every_width)
{
    add_device(4, 1);
    cr_assert_eq(config_read(4, 0, 0x00, 4), 0x56781234);
    cr_assert_eq(config_read(4, 0, 0x02, 2), 0x5678);
    cr_assert_eq(config_read(4, 0, 0x01, 1), 0x12);
    cr_assert_eq(config_read(4, 0, 0x08, 4), 0xff010209);
    cr_assert_eq(config_read(4, 0, 0x0e, 1), 0x00);
    cr_assert_eq(config_read(4, 0, 0x2c, 4), 0xbbbbaaaa);
    cr_assert_eq(config_read(4, 0, 0x3c, 2), 0x0100);
    config_write(4, 0, 0x3c, 1, 11);
    cr_assert_eq(config_read(4, 0, 0x3c, 4), 0x0000010b);
    config_write(4, 0, 0x00, 4, 0);
    config_write(4, 0, 0x08, 4, 0);
    cr_assert_eq(config_read(4, 0, 0x00, 4), 0x56781234);
    cr_assert_eq(config_read(4, 0, 0x08, 4), 0xff010209);
}

Test(pci, status_bits_clear_by_ones)
{
    struct pci_function *function = add_device(4, 1);
    pci_set_status(function, PCI_STATUS_MASTER_ABORT | PCI_STATUS_SERR);
    cr_assert_eq(config_read(4, 0, 6, 2), PCI_STATUS_MASTER_ABORT, "only what the device has");
    config_write(4, 0, 6, 2, 0);
    cr_assert_eq(config_read(4, 0, 6, 2), PCI_STATUS_MASTER_ABORT);
    config_write(4, 0, 6, 2, 0xffff);
    cr_assert_eq(config_read(4, 0, 6, 2), 0);
}

Test(pci, base_addresses_tell_their_size)
{
    add_device(4, 1);
    cr_assert_eq(config_read(4, 0, 0x10, 4), 1);
    config_write(4, 0, 0x10, 4, 0xffffffff);
    config_write(4, 0, 0x14, 4, 0xffffffff);
    config_write(4, 0, 0x18, 4, 0xffffffff);
    cr_assert_eq(config_read(4, 0, 0x10, 4), 0xffffffe1);
    cr_assert_eq(config_read(4, 0, 0x14, 4), 0xfffff000);
    cr_assert_eq(config_read(4, 0, 0x18, 4), 0, "there is none");
    config_write(4, 0, 4, 2, 0xffff);
    cr_assert_eq(config_read(4, 0, 4, 2), 7);
    cr_assert_eq(iomap_read(at.ports, 0xffe0, 1), 0xff, "FFFFFFE0h is no port");
}

Test(pci, base_addresses_are_mapped_while_the_command_register_lets_them)
{
    struct pci_function *function = add_device(4, 1);
    config_write(4, 0, 0x10, 4, 0xc000);
    config_write(4, 0, 0x14, 4, 0xe0000000);
    cr_assert_eq(in(&at, 0xc000), 0xff);
    cr_assert_eq(iomap_read(memory, 0xe0000000, 4), 0xffffffff);
    config_write(4, 0, 4, 2, PCI_COMMAND_IO);
    cr_assert_eq(iomap_read(at.ports, 0xc01c, 4), 0x11c);
    cr_assert_eq(iomap_read(memory, 0xe0000000, 4), 0xffffffff);
    config_write(4, 0, 4, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    cr_assert_eq(iomap_read(memory, 0xe0000008, 4), 0x5008);
    iomap_write(memory, 0xe0000ffc, 4, 77);
    cr_assert(last_offset == 0xffc && last_value == 77);
    config_write(4, 0, 0x16, 2, 0xd000);
    cr_assert_eq(iomap_read(memory, 0xe0000008, 4), 0xffffffff, "it has moved");
    cr_assert_eq(iomap_read(memory, 0xd0000008, 4), 0x5008);
    cr_assert_not(pci_is_bus_master(function));
    config_write(4, 0, 4, 2, PCI_COMMAND_MASTER);
    cr_assert(pci_is_bus_master(function));
    cr_assert_eq(in(&at, 0xc000), 0xff);
}

Test(pci, of_two_at_one_place_the_lower_device_gets_it)
{
    add_device(4, 1);
    add_device(5, 1);
    config_write(5, 0, 0x10, 4, 0xc000);
    config_write(5, 0, 4, 2, PCI_COMMAND_IO);
    cr_assert_eq(pci_stats(pci)->bar_conflicts, 0);
    config_write(4, 0, 0x10, 4, 0xc000);
    config_write(4, 0, 4, 2, PCI_COMMAND_IO);
    cr_assert_eq(pci_stats(pci)->bar_conflicts, 1);
    cr_assert_eq(in(&at, 0xc001), 0x01);
    config_write(4, 0, 4, 2, 0);
    cr_assert_eq(in(&at, 0xc001), 0x01, "the other one has it back");
    config_write(5, 0, 0x10, 4, 0x20);
    config_write(5, 0, 0x10, 4, 0xcf8 & ~0x1f);
    cr_assert_eq(pci_stats(pci)->bar_conflicts, 2, "not over the bus's own ports");
    cr_assert_eq(config_read(5, 0, 0, 4), 0x56781234);
}

Test(pci, places_of_devices_are_refused_twice)
{
    add_device(4, 1);
    const struct pci_function_params params = {.name = "second", .device = 4};
    cr_assert_null(pci_add(pci, &params, &at.diag));
    cr_assert_eq(at.diag.nr_lines, 1);
}

/* INTx# of device d is PIRQ (x + d - 1) mod 4: device 1's INTA# is PIRQA#, device 2's PIRQB#. */
Test(pci, interrupts_go_where_they_are_routed)
{
    struct irq_line a = pci_interrupt(add_device(4, 1)), b = pci_interrupt(add_device(8, 1));
    irq_set(&a, true);
    for (unsigned irq = 0; irq < PIIX_NR_IRQS; irq++)
        cr_assert_not(lines[irq].level, "routing is off after a reset");
    cr_assert_eq(config_read(1, 0, 0x60, 4), 0x80808080);
    config_write(1, 0, 0x63, 1, 11);
    cr_assert(lines[11].level, "device 4 INTA# is PIRQD#");
    irq_set(&b, true);
    irq_set(&a, false);
    cr_assert(lines[11].level, "it is shared");
    config_write(1, 0, 0x63, 1, 0x70 | 5);
    cr_assert(lines[5].level && !lines[11].level);
    cr_assert_eq(config_read(1, 0, 0x63, 1), 5, "reserved bits are zero");
    irq_set(&b, false);
    cr_assert_not(lines[5].level);
    irq_set(&b, true);
    config_write(1, 0, 0x63, 1, 13);
    cr_assert(!lines[13].level && !lines[5].level, "IRQ 13 is no PIRQ's");
}

Test(pci, two_pirqs_can_share_an_input)
{
    struct irq_line c = pci_interrupt(add_device(3, 1)), d = pci_interrupt(add_device(3 + 1, 1));
    config_write(1, 0, 0x62, 2, 10 | 10 << 8);
    irq_set(&c, true);
    irq_set(&d, true);
    irq_set(&c, false);
    cr_assert(lines[10].level);
    irq_set(&d, false);
    cr_assert_not(lines[10].level);
    cr_assert_eq(lines[10].nr_rises, 1);
}

Test(pci, bridges_answer_as_their_data_sheets_say)
{
    cr_assert_eq(config_read(0, 0, 0x00, 4), 0x12378086);
    cr_assert_eq(config_read(0, 0, 0x04, 4), 0x02800006);
    cr_assert_eq(config_read(0, 0, 0x08, 4) >> 8, 0x060000);
    cr_assert_eq(config_read(0, 0, 0x59, 1), 0);
    cr_assert_eq(config_read(0, 0, 0x72, 1), 0x02);
    config_write(0, 0, 4, 2, 0);
    cr_assert_eq(config_read(0, 0, 4, 2), 0x0006, "memory and mastering are always on");
    cr_assert_eq(config_read(1, 0, 0x00, 4), 0x70008086);
    cr_assert_eq(config_read(1, 0, 0x04, 2), 0x0007);
    cr_assert_eq(config_read(1, 0, 0x08, 4) >> 8, 0x060100);
    cr_assert_eq(config_read(1, 0, 0x0e, 1), 0x80, "several functions");
    cr_assert_eq(config_read(1, 0, 0x4c, 1), 0x4d);
    cr_assert_eq(config_read(1, 0, 0x4e, 2), 0x0003);
}

Test(pci, trc_resets_on_the_rise_of_its_bit)
{
    config_write(0, 0, 0x93, 1, 0x02);
    cr_assert_eq(nr_resets, 0);
    config_write(0, 0, 0x93, 1, 0x06);
    config_write(0, 0, 0x93, 1, 0x06);
    cr_assert_eq(nr_resets, 1);
}

/* ---- Memory below 1 MiB ---- */

static void set_firmware(void)
{
    static uint8_t rom[0x40000];
    for (unsigned i = 0; i < sizeof rom; i++)
        rom[i] = (uint8_t)(i >> 12 | 0x40);
    cr_assert(shadow_set_rom(shadow, rom, sizeof rom, &at.diag));
}

Test(pci, rom_ends_at_4_gib_and_at_1_mib)
{
    set_firmware();
    cr_assert_eq(iomap_read(memory, 0xfffffff0, 1), 0x7f);
    cr_assert_eq(iomap_read(memory, 0xfffc0000, 2), 0x4040);
    cr_assert_eq(iomap_read(memory, 0xffff0, 8), 0x7f7f7f7f7f7f7f7f);
    cr_assert_eq(iomap_read(memory, 0xe0000, 1), 0x60);
    cr_assert_eq(iomap_read(memory, 0xdffff, 1), 0xff, "only 128 KiB of it");
    iomap_write(memory, 0xffff0, 4, 0);
    iomap_write(memory, 0xfffffff0, 4, 0);
    cr_assert_eq(iomap_read(memory, 0xffff0, 1), 0x7f);
    cr_assert_eq(iomap_stats(memory)->unclaimed_reads, 1);
    cr_assert_eq(iomap_stats(memory)->unclaimed_writes, 0);
}

Test(pci, odd_firmware_is_refused)
{
    uint8_t rom[100] = {0};
    cr_assert_not(shadow_set_rom(shadow, rom, sizeof rom, &at.diag));
    cr_assert_eq(at.diag.nr_lines, 1);
}

/* Each half of each register, each of its four values, against where the data sheet has its 16 KiB. */
Test(pci, pam_routes_reads_and_writes)
{
    set_firmware();
    for (unsigned half = 1; half < 14; half++) {
        uint32_t base = half == 1 ? 0xf0000 : 0xc0000 + (half - 2) * 0x4000,
                 bytes = half == 1 ? 0x10000 : 0x4000;
        for (unsigned value = 0; value < 4; value++) {
            const uint32_t places[] = {base, base + bytes - 4};
            config_write(0, 0, 0x59 + half / 2, 1, (value | 0xc) << (half % 2 ? 4 : 0));
            cr_assert_eq(config_read(0, 0, 0x59 + half / 2, 1), value << (half % 2 ? 4 : 0));
            for (unsigned i = 0; i < 2; i++) {
                uint32_t held = 0x11223344, rom = (uint32_t)iomap_read(memory, 0xfff00000 + places[i], 4);
                bool has_rom = places[i] >= 0xe0000;
                cr_assert(ram_write(&ram, paddr(places[i]), &held, 4));
                uint32_t seen = (uint32_t)iomap_read(memory, places[i], 4);
                cr_assert_eq(seen, value & 1 ? held : has_rom ? rom : 0xffffffff, "%x %u", places[i], value);
                iomap_write(memory, places[i], 4, 0xabcdef01);
                cr_assert(ram_read(&ram, paddr(places[i]), &held, 4));
                cr_assert_eq(held, value & 2 ? 0xabcdef01 : 0x11223344, "%x %u", places[i], value);
                cr_assert_eq(shadow_is_ram(shadow, paddr(places[i] & ~0xfffu)), value == 3);
            }
        }
        config_write(0, 0, 0x59 + half / 2, 1, 0);
    }
    cr_assert_eq(nr_changes, 12 * 4 + 4 * 4, "each 16 KiB for each new value");
}

Test(pci, smram_opens_and_locks)
{
    cr_assert_not(shadow_is_ram(shadow, paddr(0xa0000)));
    config_write(0, 0, 0x72, 1, 0x4a);
    cr_assert(shadow_is_ram(shadow, paddr(0xa0000)) && shadow_is_ram(shadow, paddr(0xbf000)));
    cr_assert_not(shadow_is_ram(shadow, paddr(0xc0000)));
    config_write(0, 0, 0x72, 1, 0x0a);
    cr_assert_not(shadow_is_ram(shadow, paddr(0xa0000)));
    config_write(0, 0, 0x72, 1, 0x5a);
    cr_assert_eq(config_read(0, 0, 0x72, 1), 0x1a, "locking closes");
    config_write(0, 0, 0x72, 1, 0x42);
    cr_assert_eq(config_read(0, 0, 0x72, 1), 0x1a);
    cr_assert_not(shadow_is_ram(shadow, paddr(0xa0000)));
}
