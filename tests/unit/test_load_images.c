/* PVH kernels, flat images and boot sectors, made here byte by byte; what they find is read back from RAM. */
#include "tests/unit/load_fixture.h"

#include <elf.h>

enum { NOTE_AT = 0x200, CODE_AT = 0x1000, CODE_BYTES = 0x300, KERNEL_AT = 0x200000 };

static void put_note(uint32_t type, const char *owner, uint64_t entry, uint32_t entry_bytes)
{
    put(NOTE_AT, 4, strlen(owner) + 1);
    put(NOTE_AT + 4, 4, entry_bytes);
    put(NOTE_AT + 8, 4, type);
    memcpy(image + NOTE_AT + 12, owner, strlen(owner) + 1);
    put(NOTE_AT + 12 + ((strlen(owner) + 4) & ~3u), entry_bytes, entry);
}

/* An x86-64 executable, linked high, that is loaded at KERNEL_AT, with the note. */
static void make_pvh_64(void)
{
    memset(image, 0, sizeof(image));
    image_size = CODE_AT + CODE_BYTES;
    Elf64_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_entry = 0xffffffff80200000,
        .e_phoff = sizeof(Elf64_Ehdr),
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = 2,
    };
    Elf64_Phdr programs[] = {
        {.p_type = PT_LOAD,
         .p_offset = CODE_AT,
         .p_filesz = CODE_BYTES,
         .p_memsz = 2 * CODE_BYTES,
         .p_paddr = KERNEL_AT,
         .p_vaddr = 0xffffffff80200000},
        {.p_type = PT_NOTE, .p_offset = NOTE_AT, .p_filesz = 24, .p_align = 4},
    };
    memcpy(image, &header, sizeof(header));
    memcpy(image + sizeof(header), programs, sizeof(programs));
    put_note(18, "Xen", KERNEL_AT + 0x100, 8);
    for (unsigned i = 0; i < CODE_BYTES; i++)
        image[CODE_AT + i] = (uint8_t)(i ^ 0xa5);
}

static void make_pvh_32(void)
{
    make_pvh_64();
    memset(image, 0, NOTE_AT);
    Elf32_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_386,
        .e_version = EV_CURRENT,
        .e_phoff = sizeof(Elf32_Ehdr),
        .e_ehsize = sizeof(Elf32_Ehdr),
        .e_phentsize = sizeof(Elf32_Phdr),
        .e_phnum = 2,
    };
    Elf32_Phdr programs[] = {
        {.p_type = PT_LOAD,
         .p_offset = CODE_AT,
         .p_filesz = CODE_BYTES,
         .p_memsz = CODE_BYTES,
         .p_paddr = KERNEL_AT},
        {.p_type = PT_NOTE, .p_offset = NOTE_AT, .p_filesz = 20, .p_align = 4},
    };
    memcpy(image, &header, sizeof(header));
    memcpy(image + sizeof(header), programs, sizeof(programs));
    put_note(18, "Xen", KERNEL_AT + 0x80, 4);
}

TestSuite(load_images, .init = set_up_load, .fini = tear_down_load);

Test(load_images, pvh_starts_at_the_entry_of_the_note)
{
    make_pvh_64();
    must_load();
    cr_assert_eq(result.start.entry, KERNEL_AT + 0x100);
    cr_assert_eq(result.start.mode, LOAD_PROTECTED);
    cr_assert(result.start.has_task);
    cr_assert_arr_eq(ram.host + KERNEL_AT, image + CODE_AT, CODE_BYTES);
    make_pvh_32();
    must_load();
    cr_assert_eq(result.start.entry, KERNEL_AT + 0x80);
}

Test(load_images, pvh_information_is_as_xen_has_it)
{
    make_pvh_64();
    write_file(module_name, "module", 6);
    params.modules =
        (const struct load_module[]){{.file = module_name, .arguments = "a b"}, {.file = module_name}};
    params.nr_modules = 2;
    params.arguments = "root=/dev/ram0";
    params.rsdp = 0xe0000;
    must_load();
    uint64_t info = result.start.ebx;
    cr_assert_eq(ram_number(info, 4), 0x336ec578);
    cr_assert_eq(ram_number(info + 4, 4), 1);
    cr_assert_eq(ram_number(info + 8, 4), 0);
    cr_assert_eq(ram_number(info + 12, 4), 2);
    uint64_t list = ram_number(info + 16, 8);
    cr_assert_str_eq((char *)ram.host + ram_number(info + 24, 8), "root=/dev/ram0");
    cr_assert_eq(ram_number(info + 32, 8), 0xe0000);
    uint64_t ranges = ram_number(info + 40, 8);
    cr_assert_eq(ram_number(info + 48, 4), map.nr_ranges);
    for (size_t i = 0; i < map.nr_ranges; i++) {
        cr_assert_eq(ram_number(ranges + i * 24, 8), map.ranges[i].base.v);
        cr_assert_eq(ram_number(ranges + i * 24 + 8, 8), map.ranges[i].size_bytes);
        cr_assert_eq(ram_number(ranges + i * 24 + 16, 4), map.ranges[i].kind);
    }
    for (unsigned i = 0; i < 2; i++) {
        uint64_t at = ram_number(list + i * 32, 8);
        cr_assert_eq(at % 4096, 0);
        cr_assert_geq(at, result.image_end.v);
        cr_assert_eq(ram_number(list + i * 32 + 8, 8), 6);
        cr_assert_arr_eq(ram.host + at, "module", 6);
    }
    cr_assert_str_eq((char *)ram.host + ram_number(list + 16, 8), "a b");
    cr_assert_eq(ram_number(list + 32 + 16, 8), 0);
}

Test(load_images, what_is_wrong_with_a_pvh_kernel_is_said)
{
    make_pvh_64();
    put_note(18, "Xen", 0x5000000, 8);
    must_refuse("entry point 0x5000000", EXIT_STATUS_BAD_DATA);
    put_note(17, "Xen", KERNEL_AT, 8);
    must_refuse("no multiboot header", EXIT_STATUS_BAD_DATA);
    params.protocol = LOAD_PVH;
    must_refuse("no PVH entry", EXIT_STATUS_BAD_DATA);
    make_pvh_64();
    put(sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_paddr), 8, 0x10000);
    put_note(18, "Xen", 0x10000, 8);
    must_refuse("where what it is told goes", EXIT_STATUS_BAD_DATA);
    make_pvh_64();
    put(offsetof(Elf64_Ehdr, e_phoff), 8, UINT64_MAX - 8);
    must_refuse("", EXIT_STATUS_BAD_DATA);
    make_pvh_64();
    image_size = CODE_AT + 1;
    must_refuse("truncated?", EXIT_STATUS_BAD_DATA);
}

Test(load_images, boot_sector_is_at_7c00_with_the_disk_in_dl)
{
    memset(image, 0x90, 1024);
    put(510, 2, 0xaa55);
    image_size = 1024;
    must_load();
    cr_assert_eq(result.start.mode, LOAD_REAL);
    cr_assert_eq(result.start.entry, 0x7c00);
    cr_assert_eq(result.start.edx, 0x80);
    cr_assert_eq(ram_number(0x7c00 + 510, 2), 0xaa55);
    cr_assert_eq(ram_number(0x7e00, 2), 0, "one sector only");
    for (unsigned vector = 0; vector < 256; vector++) {
        uint64_t handler = ram_number(vector * 4 + 2, 2) * 16 + ram_number(vector * 4, 2);
        unsigned slot = vector >> 3 == 1 ? 0 : vector >> 3 == 14 ? 0x10 : 0x20;
        cr_assert_eq(handler, 0x9fc00 + slot, "vector %x", vector);
    }
}

Test(load_images, flat_images_go_where_they_are_told)
{
    memset(image, 0xf4, 64);
    image_size = 64;
    must_refuse("no multiboot header", EXIT_STATUS_BAD_DATA);
    params.protocol = LOAD_FLAT_16;
    must_load();
    cr_assert_eq(result.start.entry, 0x7c00);
    params.load_at = 0x20000;
    params.entry = 0x20010;
    must_load();
    cr_assert_eq(result.start.entry, 0x20010);
    cr_assert_eq(ram_number(0x20000 + 63, 1), 0xf4);
    params.protocol = LOAD_FLAT_32;
    params.load_at = 0x300000;
    params.entry = 0;
    must_load();
    cr_assert_eq(result.start.mode, LOAD_PROTECTED);
    cr_assert_eq(result.start.entry, 0x300000);
    params.protocol = LOAD_FLAT_64;
    params.has_long_mode = true;
    must_load();
    cr_assert_eq(result.start.mode, LOAD_LONG);
    cr_assert_neq(result.start.page_tables.v, 0);
}

Test(load_images, what_does_not_go_with_a_flat_image_is_said)
{
    memset(image, 0xf4, 64);
    image_size = 64;
    params.load_at = 0x300000;
    must_refuse_as("--load-at", "only for flat images", EXIT_STATUS_USAGE);
    params.protocol = LOAD_FLAT_16;
    must_refuse("allowed in real mode", EXIT_STATUS_BAD_DATA);
    params.load_at = 0x400;
    must_refuse("allowed in real mode", EXIT_STATUS_BAD_DATA);
    params.load_at = 0;
    params.entry = 0x9000;
    must_refuse("entry point 0x9000", EXIT_STATUS_BAD_DATA);
    params.entry = 0;
    params.protocol = LOAD_FLAT_32;
    params.load_at = 0xa0000;
    must_refuse("not usable RAM", EXIT_STATUS_BAD_DATA);
    params.load_at = 0x10000;
    must_refuse("where what it is told goes", EXIT_STATUS_BAD_DATA);
    params.load_at = 0;
    params.arguments = "text";
    must_refuse("is told nothing", EXIT_STATUS_USAGE);
    params.arguments = NULL;
    params.protocol = LOAD_FLAT_64;
    must_refuse("no 64-bit mode", EXIT_STATUS_BAD_DATA);
    params.protocol = LOAD_SECTOR;
    must_refuse("no boot sector", EXIT_STATUS_BAD_DATA);
}

Test(load_images, protocols_have_names)
{
    enum load_protocol protocol;
    cr_assert(load_protocol_named("linux64", &protocol, &diag));
    cr_assert_eq(protocol, LOAD_LINUX_64);
    cr_assert_not(load_protocol_named("linux16", &protocol, &diag));
    cr_assert_eq(diag.status, EXIT_STATUS_USAGE);
    cr_assert(strstr(diag.lines[0], "flat64"));
}
