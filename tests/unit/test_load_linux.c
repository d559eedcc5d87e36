/*
 * Linux kernels: images are made here byte by byte; what the kernel would find is read back from RAM at the
 * offsets of the boot protocol's own tables, and the start state is what the protocol promises.
 */
#include "tests/unit/load_fixture.h"

enum { CODE_BYTES = 0x2000 };

/* With a 64-bit entry, as today's kernels are. */
static void make_kernel(void)
{
    memset(image, 0, sizeof(image));
    image_size = SETUP_BYTES + CODE_BYTES;
    put_linux_header(CODE_BYTES);
    put(0x214, 4, 0x100000);
    put(0x236, 2, 1);
    for (unsigned i = 0; i < CODE_BYTES; i++)
        image[SETUP_BYTES + i] = (uint8_t)(i * 7 + 1);
}

static void set_up(void)
{
    set_up_load();
    make_kernel();
}

TestSuite(load_linux, .init = set_up, .fini = tear_down_load);

Test(load_linux, code_is_where_the_kernel_prefers)
{
    must_load();
    cr_assert_eq(result.image_base.v, 0x800000);
    cr_assert_eq(result.image_end.v, 0x800000 + INIT_BYTES);
    cr_assert_arr_eq(ram.host + 0x800000, image + SETUP_BYTES, CODE_BYTES);
    cr_assert_eq(result.start.mode, LOAD_PROTECTED, "a CPU without long mode");
    cr_assert_eq(result.start.entry, 0x800000);
    cr_assert_eq(result.start.code_selector, 0x10);
    cr_assert_eq(result.start.data_selector, 0x18);
    cr_assert_eq(result.start.ebx, 0);
}

Test(load_linux, parameters_are_as_the_protocol_has_them)
{
    params.arguments = "console=ttyS0 quiet";
    params.rsdp = 0xf5ad0;
    must_load();
    uint64_t zero_page = result.start.esi;
    cr_assert_arr_eq(ram.host + zero_page + 0x200, image + 0x200, 0x10, "the header is copied");
    cr_assert_eq(ram_number(zero_page + 0x1f1, 1), 2);
    cr_assert_eq(ram_number(zero_page + 0x260, 4), INIT_BYTES);
    cr_assert_eq(ram_number(zero_page + 0x26c, 4), 0, "what is behind the header is not");
    cr_assert_eq(ram_number(zero_page + 0x210, 1), 0xff);
    cr_assert_eq(ram_number(zero_page + 0x214, 4), 0x800000);
    cr_assert_eq(ram_number(zero_page + 0x218, 8), 0, "no initrd");
    cr_assert_str_eq((char *)ram.host + ram_number(zero_page + 0x228, 4), "console=ttyS0 quiet");
    cr_assert_eq(ram_number(zero_page + 0x70, 8), 0xf5ad0);
    cr_assert_eq(ram_number(zero_page + 0x1fa, 2), 0xffff);
    cr_assert_eq(ram_number(zero_page + 0x06, 1), 3);
    cr_assert_eq(ram_number(zero_page + 0x07, 1), 80);
    cr_assert_eq(ram_number(zero_page + 0x0e, 1), 25);
}

Test(load_linux, memory_map_is_the_machine_s)
{
    must_load();
    uint64_t zero_page = result.start.esi;
    cr_assert_eq(ram_number(zero_page + 0x1e8, 1), map.nr_ranges);
    for (size_t i = 0; i < map.nr_ranges; i++) {
        uint64_t entry = zero_page + 0x2d0 + i * 20;
        cr_assert_eq(ram_number(entry, 8), map.ranges[i].base.v);
        cr_assert_eq(ram_number(entry + 8, 8), map.ranges[i].size_bytes);
        cr_assert_eq(ram_number(entry + 16, 4), map.ranges[i].kind);
    }
}

Test(load_linux, long_mode_comes_with_identity_page_tables)
{
    params.has_long_mode = true;
    must_load();
    cr_assert_eq(result.start.mode, LOAD_LONG);
    cr_assert_eq(result.start.entry, 0x800000 + 0x200);
    uint64_t addresses[] = {0, 0x10000, 0x1ff000, 0x200000, 0x800200, 0x3fffffff, 0x40000000, 0xfee00000};
    for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
        uint64_t at = addresses[i], table = result.start.page_tables.v;
        uint64_t pml4e = ram_number(table + (at >> 39 & 511) * 8, 8);
        uint64_t pdpte = ram_number((pml4e & ~0xfffull) + (at >> 30 & 511) * 8, 8);
        uint64_t pde = ram_number((pdpte & ~0xfffull) + (at >> 21 & 511) * 8, 8);
        cr_assert_eq(pml4e & 0x83, 3);
        cr_assert_eq(pdpte & 0x83, 3);
        cr_assert_eq(pde & 0x83, 0x83, "a large page, present and writable");
        cr_assert_eq(pde & ~0x1fffffull, at & ~0x1fffffull);
    }
    uint64_t code = ram_number(result.start.gdt.v + 0x10, 8), data = ram_number(result.start.gdt.v + 0x18, 8);
    cr_assert_eq(code, 0x00af9b000000ffff);
    cr_assert_eq(data, 0x00cf93000000ffff);
    cr_assert_geq(result.start.gdt_limit, 0x1f);
}

Test(load_linux, protocol_can_be_chosen)
{
    params.has_long_mode = true;
    params.protocol = LOAD_LINUX_32;
    must_load();
    cr_assert_eq(result.start.mode, LOAD_PROTECTED);
    cr_assert_eq(ram_number(result.start.gdt.v + 0x10, 8), 0x00cf9b000000ffff);
}

Test(load_linux, sixty_four_bits_want_both_kernel_and_cpu)
{
    params.protocol = LOAD_LINUX_64;
    must_refuse("cpu.isa has no 64-bit mode", EXIT_STATUS_BAD_DATA);
    params.has_long_mode = true;
    put(0x236, 2, 0);
    must_refuse("no 64-bit entry", EXIT_STATUS_BAD_DATA);
}

Test(load_linux, relocatable_kernel_moves_where_there_is_room)
{
    put(0x258, 8, 0x40000000);
    must_load();
    cr_assert_eq(result.image_base.v, 0x200000, "the first address with the wanted alignment");
    put(0x260, 4, RAM_BYTES - 0x20000 - 0x180000);
    must_load();
    cr_assert_eq(result.image_base.v, 0x100000, "else with less, but no less than min_alignment");
}

Test(load_linux, fixed_kernel_has_one_place)
{
    put(0x234, 1, 0);
    must_load();
    put(0x258, 8, 0x40000000);
    must_refuse("no room for the kernel", EXIT_STATUS_BAD_DATA);
}

Test(load_linux, initrd_is_as_high_as_it_may_be)
{
    write_file(module_name, "initrd contents", 15);
    params.modules = (const struct load_module[]){{.file = module_name}, {.file = module_name}};
    params.nr_modules = 2;
    must_load();
    uint64_t zero_page = result.start.esi, at = ram_number(zero_page + 0x218, 4);
    cr_assert_eq(at % 4096, 0);
    cr_assert_eq(at, RAM_BYTES - 0x20000 - 4096, "the last page of usable RAM");
    cr_assert_eq(ram_number(zero_page + 0x21c, 4), 16 + 15, "one behind the other, each at a multiple of 4");
    cr_assert_arr_eq(ram.host + at, "initrd contents\0initrd contents", 31);
    put(0x22c, 4, 0xffffff);
    must_load();
    cr_assert_eq(ram_number(result.start.esi + 0x218, 4), 0x1000000 - 4096, "below initrd_addr_max");
    put(0x22c, 4, 0x7fffff);
    must_refuse_as(module_name, "no room for an initrd", EXIT_STATUS_BAD_DATA);
}

Test(load_linux, old_protocols_have_their_defaults)
{
    put(0x206, 2, 0x202);
    memset(image + 0x22c, 0xff, 0x40); /* nothing there yet */
    must_load();
    cr_assert_eq(result.image_base.v, 0x100000);
    cr_assert_eq(result.image_end.v - result.image_base.v, 3 * CODE_BYTES);
    char text[300];
    memset(text, 'x', sizeof(text));
    text[256] = '\0';
    params.arguments = text;
    must_refuse_as("-a", "256 bytes", EXIT_STATUS_USAGE);
    text[255] = '\0';
    must_load();
}

Test(load_linux, command_line_has_the_length_that_the_kernel_takes)
{
    char text[102];
    memset(text, 'x', sizeof(text));
    text[101] = '\0';
    params.arguments = text;
    must_refuse_as("-a", "at most 100", EXIT_STATUS_USAGE);
    text[100] = '\0';
    must_load();
}

Test(load_linux, what_is_wrong_is_said)
{
    put(0x206, 2, 0x201);
    must_refuse("boot protocol 2.01", EXIT_STATUS_BAD_DATA);
    make_kernel();
    put(0x211, 1, 0);
    must_refuse("a zImage", EXIT_STATUS_BAD_DATA);
    make_kernel();
    put(0x1f4, 4, CODE_BYTES / 16 + 1);
    must_refuse("truncated?", EXIT_STATUS_BAD_DATA);
    put(0x1f4, 4, 0);
    must_refuse("syssize 0", EXIT_STATUS_BAD_DATA);
    make_kernel();
    put(0x1f1, 1, 200);
    must_refuse("setup_sects 200", EXIT_STATUS_BAD_DATA);
    make_kernel();
    put(0x230, 4, 0x300000);
    must_refuse("kernel_alignment 0x300000", EXIT_STATUS_BAD_DATA);
    make_kernel();
    image_size = 0x280;
    must_refuse("cut off", EXIT_STATUS_BAD_DATA);
    make_kernel();
    params.protocol = LOAD_LINUX;
    put(0x202, 4, 0);
    must_refuse("HdrS", EXIT_STATUS_BAD_DATA);
}

Test(load_linux, every_byte_of_the_header_may_be_anything)
{
    unsigned nr_loaded = 0, nr_refused = 0;
    for (size_t at = 0x1f1; at < 0x290; at++) {
        for (unsigned value = 0; value < 256; value += 51) {
            make_kernel();
            image[at] = (uint8_t)value;
            bool is_good = load();
            cr_assert_eq(diag.nr_lines, is_good ? 0 : 1, "offset %zx, value %x", at, value);
            nr_loaded += is_good;
            nr_refused += !is_good;
        }
    }
    cr_assert_gt(nr_loaded, 500);
    cr_assert_gt(nr_refused, 20);
}
