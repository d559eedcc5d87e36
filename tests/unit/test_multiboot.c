/*
 * Loading: images are made here byte by byte, one that is good and one for each thing that can be wrong with
 * it. A bad one must give one line with the right status and the word that tells what is wrong, and leave RAM
 * untouched.
 */
#include "sim/load/image.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RAM_BYTES = 32 << 20, IMAGE_MAX = 64 * 1024 };
enum {
    KERNEL_AT = 0x100000,
    PAGE_OFFSET = 0,
    CODE_OFFSET = 0x1000,
    CODE_BYTES = 0x100,
    HEADER_AT = CODE_OFFSET
};

static struct ram ram;
static struct memory_map map;
static struct diag diag;
static struct load_result result;
static char folder[] = "/tmp/test_multiboot.XXXXXX";
static char image_name[64], module_name[64];

/* The image in the making: an ELF header, up to 8 program headers behind it, code from CODE_OFFSET on. */
static union {
    uint8_t bytes[IMAGE_MAX];
    struct {
        Elf32_Ehdr header;
        Elf32_Phdr programs[8];
    } elf;
} image;
static size_t image_size;

static void put_32(size_t offset, uint32_t value)
{
    memcpy(image.bytes + offset, &value, sizeof(value));
}

static uint32_t ram_32(uint64_t at)
{
    uint32_t value = 0;
    cr_assert(ram_read(&ram, paddr(at), &value, sizeof(value)));
    return value;
}

static void put_multiboot_header(size_t offset, uint32_t flags)
{
    put_32(offset, 0x1badb002);
    put_32(offset + 4, flags);
    put_32(offset + 8, 0u - 0x1badb002u - flags);
}

static Elf32_Phdr *add_program(uint32_t type, uint32_t offset, uint32_t file_bytes, uint32_t at,
                               uint32_t memory_bytes)
{
    Elf32_Phdr *program = &image.elf.programs[image.elf.header.e_phnum++];
    *program = (Elf32_Phdr){
        .p_type = type,
        .p_offset = offset,
        .p_filesz = file_bytes,
        .p_vaddr = at + PAGE_OFFSET,
        .p_paddr = at,
        .p_memsz = memory_bytes,
        .p_flags = PF_R | PF_X,
        .p_align = 4,
    };
    return program;
}

/* One segment of code with the multiboot header in front and as much bss behind. */
static void make_good_image(void)
{
    memset(&image, 0, sizeof(image));
    image.elf.header = (Elf32_Ehdr){
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_386,
        .e_version = EV_CURRENT,
        .e_entry = KERNEL_AT + 0x20,
        .e_phoff = sizeof(Elf32_Ehdr),
        .e_ehsize = sizeof(Elf32_Ehdr),
        .e_phentsize = sizeof(Elf32_Phdr),
    };
    for (unsigned i = 0; i < CODE_BYTES; i++)
        image.bytes[CODE_OFFSET + i] = (uint8_t)(i ^ 0x5a);
    put_multiboot_header(HEADER_AT, 3);
    add_program(PT_LOAD, CODE_OFFSET, CODE_BYTES, KERNEL_AT, 2 * CODE_BYTES);
    image_size = CODE_OFFSET + CODE_BYTES;
}

static void write_file(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(name, "wb");
    cr_assert(file);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void setup(void)
{
    cr_assert(ram_init(&ram, RAM_BYTES));
    map = memory_map(RAM_BYTES);
    diag_init(&diag);
    cr_assert(mkdtemp(folder));
    snprintf(image_name, sizeof(image_name), "%s/kernel.elf", folder);
    snprintf(module_name, sizeof(module_name), "%s/module", folder);
    make_good_image();
}

static void teardown(void)
{
    load_result_fini(&result);
    diag_fini(&diag);
    ram_fini(&ram);
    unlink(image_name);
    unlink(module_name);
    rmdir(folder);
}

TestSuite(multiboot, .init = setup, .fini = teardown);

static bool load_with(const struct load_params *params)
{
    load_result_fini(&result);
    diag_fini(&diag);
    diag_init(&diag);
    write_file(image_name, image.bytes, image_size);
    return load_image(params, &ram, &result, &diag);
}

static bool load(void)
{
    return load_with(&(struct load_params){.file = image_name, .map = &map});
}

static size_t nr_touched_pages(void)
{
    static uint8_t touched[RAM_BYTES / PAGE_BYTES];
    size_t nr_pages = 0;
    cr_assert(ram_touched(&ram, touched, RAM_BYTES / PAGE_BYTES));
    for (size_t i = 0; i < RAM_BYTES / PAGE_BYTES; i++)
        nr_pages += touched[i];
    return nr_pages;
}

#define must_load() cr_assert(load(), "%s", diag.nr_lines ? diag.lines[0] : "no line")

/* The image as it stands is refused with one line that has `word` and the file's name in it. */
#define must_refuse(word)                                                                                    \
    do {                                                                                                     \
        cr_assert_not(load(), "%s: was loaded", word);                                                       \
        cr_assert_eq(diag.nr_lines, 1);                                                                      \
        cr_assert_eq(diag.status, EXIT_STATUS_BAD_DATA, "%s: %s", word, diag.lines[0]);                      \
        cr_assert(strstr(diag.lines[0], word), "%s: %s", word, diag.lines[0]);                               \
        cr_assert(strstr(diag.lines[0], image_name));                                                        \
        cr_assert_null(result.note);                                                                         \
        cr_assert_eq(nr_touched_pages(), 0, "%s: RAM was touched", word);                                    \
    } while (0)

Test(multiboot, good_image_is_where_it_belongs)
{
    must_load();
    cr_assert_eq(result.start.entry, KERNEL_AT + 0x20);
    cr_assert_eq(result.start.eax, 0x2badb002);
    cr_assert_arr_eq(ram.host + KERNEL_AT, image.bytes + CODE_OFFSET, CODE_BYTES);
    for (unsigned i = 0; i < CODE_BYTES; i++)
        cr_assert_eq(ram.host[KERNEL_AT + CODE_BYTES + i], 0);
    cr_assert_eq(result.image_base.v, KERNEL_AT);
    cr_assert_eq(result.image_end.v, KERNEL_AT + 2 * CODE_BYTES);
    cr_assert_null(result.note);
}

Test(multiboot, bss_costs_the_host_nothing)
{
    image.elf.programs[0].p_memsz = 16 << 20;
    must_load();
    enum { HUGE_PAGE = 512 }; /* the host may back so many pages at once */
    cr_assert_leq(nr_touched_pages(), 3 * HUGE_PAGE, "code, information, strings");
}

Test(multiboot, information_is_as_the_specification_has_it)
{
    cr_assert(load_with(&(struct load_params){.file = image_name, .arguments = "mem=4M quiet", .map = &map}));
    uint64_t info = result.start.ebx;
    cr_assert_eq(ram_32(info), 0x24f, "memory, boot device, command line, modules, map, loader's name");
    cr_assert_eq(ram_32(info + 4), 639);
    cr_assert_eq(ram_32(info + 8), (RAM_BYTES - 0x20000 - 0x100000) / 1024);
    cr_assert_str_eq((char *)ram.host + ram_32(info + 16), "kernel.elf mem=4M quiet");
    cr_assert_str_eq((char *)ram.host + ram_32(info + 64), "lookaside");
    cr_assert_eq(ram_32(info + 20), 0, "no modules");
    uint64_t entry = ram_32(info + 48), end = entry + ram_32(info + 44);
    for (size_t i = 0; i < map.nr_ranges; i++) {
        cr_assert_lt(entry, end);
        cr_assert_eq(ram_32(entry) + 4, 24);
        cr_assert_eq(ram_32(entry + 4), map.ranges[i].base.v);
        cr_assert_eq(ram_32(entry + 8), 0);
        cr_assert_eq(ram_32(entry + 12), map.ranges[i].size_bytes);
        cr_assert_eq(ram_32(entry + 20), (uint32_t)map.ranges[i].kind);
        entry += ram_32(entry) + 4;
    }
    cr_assert_eq(entry, end);
}

Test(multiboot, command_line_without_arguments_ends_in_a_blank_as_qemu_has_it)
{
    must_load();
    cr_assert_str_eq((char *)ram.host + ram_32(result.start.ebx + 16), "kernel.elf ");
}

Test(multiboot, modules_lie_on_pages_above_the_image)
{
    static uint8_t contents[5000];
    memset(contents, 0xab, sizeof(contents));
    write_file(module_name, contents, sizeof(contents));
    const struct load_module modules[] = {{module_name, "root=ram"}, {module_name, NULL}};
    cr_assert(load_with(
        &(struct load_params){.file = image_name, .modules = modules, .nr_modules = 2, .map = &map}));
    cr_assert_eq(ram_32(result.start.ebx + 20), 2);
    uint64_t entry = ram_32(result.start.ebx + 24), above = result.image_end.v;
    for (unsigned i = 0; i < 2; i++, entry += 16) {
        uint64_t start = ram_32(entry), end = ram_32(entry + 4);
        cr_assert_eq(start % PAGE_BYTES, 0);
        cr_assert_geq(start, above);
        cr_assert_eq(end - start, sizeof(contents));
        cr_assert_arr_eq(ram.host + start, contents, sizeof(contents));
        above = end;
    }
    cr_assert_str_eq((char *)ram.host + ram_32(ram_32(result.start.ebx + 24) + 8), "module root=ram");
    cr_assert_str_eq((char *)ram.host + ram_32(ram_32(result.start.ebx + 24) + 16 + 8), "module");
    cr_assert_geq(result.data_end.v, above);
}

Test(multiboot, information_makes_way_for_an_image_in_low_memory)
{
    add_program(PT_LOAD, CODE_OFFSET, CODE_BYTES, 0x9000, CODE_BYTES);
    must_load();
    cr_assert_geq(result.start.ebx, KERNEL_AT + 2 * CODE_BYTES);
    cr_assert_arr_eq(ram.host + 0x9000, image.bytes + CODE_OFFSET, CODE_BYTES);
    cr_assert_eq(ram_32(result.start.ebx + 4), 639);
}

Test(multiboot, entry_in_linked_addresses_becomes_physical)
{
    image.elf.programs[0].p_vaddr = 0xc0000000 + KERNEL_AT;
    image.elf.header.e_entry = 0xc0000000 + KERNEL_AT + 0x40;
    must_load();
    cr_assert_eq(result.start.entry, KERNEL_AT + 0x40);
    image.elf.header.e_entry = KERNEL_AT + 0x40;
    must_load();
    cr_assert_eq(result.start.entry, KERNEL_AT + 0x40, "an entry that is physical already stays");
}

/* "lookaside", type 4C41h, eight bytes, behind a note of somebody else's. */
static uint32_t put_notes(size_t offset)
{
    static const uint32_t other[] = {4, 4, 1, 0x00554e47, 0};
    static const uint32_t head[] = {10, 8, 0x4c41};
    memcpy(image.bytes + offset, other, sizeof(other));
    memcpy(image.bytes + offset + 20, head, sizeof(head));
    memcpy(image.bytes + offset + 32, "lookaside\0\0\0", 12);
    memcpy(image.bytes + offset + 44, "\1\2\3\4\5\6\7\10", 8);
    return 52;
}

Test(multiboot, note_is_handed_back)
{
    uint32_t nr_bytes = put_notes(CODE_OFFSET + 0x40);
    Elf32_Phdr *note = add_program(PT_NOTE, CODE_OFFSET + 0x40, nr_bytes, KERNEL_AT + 0x40, nr_bytes);
    must_load();
    cr_assert_eq(result.note_bytes, 8);
    cr_assert_arr_eq(result.note, "\1\2\3\4\5\6\7\10", 8);
    note->p_filesz = 50;
    must_load();
    cr_assert_null(result.note, "a note that is cut off is none");
    note->p_offset = 0xfffffff0;
    must_load();
    cr_assert_null(result.note, "nor is one beyond the file");
}

Test(multiboot, note_is_found_in_a_section_too)
{
    uint32_t nr_bytes = put_notes(CODE_OFFSET + 0x40);
    Elf32_Shdr sections[2] = {
        {0}, {.sh_type = SHT_NOTE, .sh_offset = CODE_OFFSET + 0x40, .sh_size = nr_bytes, .sh_addralign = 4}};
    memcpy(image.bytes + CODE_OFFSET + CODE_BYTES, sections, sizeof(sections));
    image_size += sizeof(sections);
    image.elf.header.e_shoff = CODE_OFFSET + CODE_BYTES;
    image.elf.header.e_shnum = 2;
    image.elf.header.e_shentsize = sizeof(Elf32_Shdr);
    must_load();
    cr_assert_eq(result.note_bytes, 8);
}

/* An image that is no ELF: its header has the addresses. */
static void make_flat_image(uint32_t load_at, uint32_t load_end, uint32_t bss_end, uint32_t entry)
{
    make_good_image();
    memset(image.bytes, 0, CODE_OFFSET);
    put_multiboot_header(0x100, 0x10003);
    put_32(0x100 + 12, KERNEL_AT + 0x100);
    put_32(0x100 + 16, load_at);
    put_32(0x100 + 20, load_end);
    put_32(0x100 + 24, bss_end);
    put_32(0x100 + 28, entry);
    image_size = 0x2000;
}

Test(multiboot, addresses_in_the_header)
{
    make_flat_image(KERNEL_AT + 0x80, KERNEL_AT + 0x1080, KERNEL_AT + 0x5000, KERNEL_AT + 0x200);
    must_load();
    cr_assert_eq(result.start.entry, KERNEL_AT + 0x200);
    cr_assert_arr_eq(ram.host + KERNEL_AT + 0x80, image.bytes + 0x80, 0x1000);
    cr_assert_eq(ram.host[KERNEL_AT + 0x1080], 0);
    cr_assert_eq(result.image_end.v, KERNEL_AT + 0x5000);
    make_flat_image(KERNEL_AT, 0, 0, KERNEL_AT + 0x200);
    must_load();
    cr_assert_eq(result.image_end.v, KERNEL_AT + 0x2000, "zero: to the end of the file, no bss");
}

Test(multiboot, bad_addresses_in_the_header)
{
    make_flat_image(KERNEL_AT + 0x101, 0, 0, KERNEL_AT + 0x200);
    must_refuse("load_addr");
    make_flat_image(KERNEL_AT - 0x1000, 0, 0, KERNEL_AT + 0x200);
    must_refuse("load_addr");
    make_flat_image(KERNEL_AT, KERNEL_AT - 1, 0, KERNEL_AT + 0x200);
    must_refuse("load_end_addr");
    make_flat_image(KERNEL_AT, 0xffffffff, 0, KERNEL_AT + 0x200);
    must_refuse("beyond the end of the file");
    make_flat_image(KERNEL_AT, 0, KERNEL_AT + 1, KERNEL_AT + 0x200);
    must_refuse("bss_end_addr");
    make_flat_image(KERNEL_AT, 0, 0xfffffff0, KERNEL_AT + 0x200);
    must_refuse("not usable RAM");
    make_flat_image(KERNEL_AT, 0, 0, KERNEL_AT + 0x2000);
    must_refuse("entry point");
    make_flat_image(KERNEL_AT, 0, 0, KERNEL_AT + 0x200);
    image_size = 0x110;
    must_refuse("its addresses");
}

Test(multiboot, files_that_cannot_be_read)
{
    const char *names[] = {"/nonexistent/kernel", folder, "/dev/null"};
    const char *words[] = {"No such file", "directory", "regular file"};
    for (unsigned i = 0; i < 3; i++) {
        diag_fini(&diag);
        diag_init(&diag);
        cr_assert_not(load_image(&(struct load_params){.file = names[i], .map = &map}, &ram, &result, &diag));
        cr_assert_eq(diag.nr_lines, 1);
        cr_assert_eq(diag.status, EXIT_STATUS_NO_INPUT);
        cr_assert(strstr(diag.lines[0], words[i]) && strstr(diag.lines[0], names[i]), "%s", diag.lines[0]);
    }
}

Test(multiboot, module_that_cannot_be_read)
{
    const struct load_module modules[] = {{"/nonexistent/initrd", NULL}};
    cr_assert_not(load_with(
        &(struct load_params){.file = image_name, .modules = modules, .nr_modules = 1, .map = &map}));
    cr_assert_eq(diag.status, EXIT_STATUS_NO_INPUT);
    cr_assert(strstr(diag.lines[0], "/nonexistent/initrd"));
    cr_assert_eq(nr_touched_pages(), 0);
}

Test(multiboot, files_that_are_no_guest)
{
    image_size = 0;
    must_refuse("empty");
    image_size = (size_t)snprintf((char *)image.bytes, IMAGE_MAX, "#include <stdio.h>\nint main(void);\n");
    must_refuse("a text file");
    memset(&image, 0x01, sizeof(image));
    image_size = 10000;
    must_refuse("nothing known");
    memcpy(image.bytes, "\x1f\x8b", 2);
    must_refuse("gzip");
    memset(&image, 0, sizeof(image));
    memcpy(image.bytes + 0x202, "HdrS", 4);
    must_refuse("bzImage");
    memset(&image, 0, sizeof(image));
    memcpy(image.bytes, ELFMAG, 4);
    image_size = 5;
    must_refuse("beginning of an ELF");
    put_multiboot_header(8, 3);
    image_size = 40;
    must_refuse("ELF header cut off");
    memset(&image, 0, sizeof(image));
    put_multiboot_header(8, 3);
    image_size = 10000;
    must_refuse("without load addresses");
}

Test(multiboot, elf_files_of_other_kinds)
{
    image.elf.header.e_machine = EM_ARM;
    must_refuse("ELF32 executable for ARM");
    make_good_image();
    image.elf.header.e_ident[EI_CLASS] = ELFCLASS64;
    image.elf.header.e_machine = EM_AARCH64;
    must_refuse("ELF64 executable for AArch64");
    make_good_image();
    image.elf.header.e_type = ET_REL;
    must_refuse("object file");
    make_good_image();
    image.elf.header.e_type = ET_DYN;
    must_refuse("position-independent");
    make_good_image();
    image.elf.header.e_ident[EI_DATA] = ELFDATA2MSB;
    must_refuse("big-endian");
    make_good_image();
    image.elf.header.e_machine = 0x1234;
    must_refuse("machine number 4660");
    make_good_image();
    image.elf.header.e_type = 0xff00;
    must_refuse("unknown type");
}

Test(multiboot, headers_that_are_nearly_right)
{
    put_32(HEADER_AT, 0);
    must_refuse("no multiboot header");
    put_multiboot_header(HEADER_AT, 3);
    put_32(HEADER_AT + 8, 0xe4524ffa);
    must_refuse("checksum 0xe4524ffa is wrong; allowed: 0xe4524ffb");
    put_multiboot_header(HEADER_AT, 0x8 | 3);
    must_refuse("require features 0x8");
    make_good_image();
    put_32(HEADER_AT, 0);
    put_multiboot_header(HEADER_AT + 2, 3);
    must_refuse("a multiple of 4");
    make_good_image();
    put_32(HEADER_AT, 0);
    put_multiboot_header(8192 - 8, 3);
    image_size = 16384;
    must_refuse("within the first 8192 bytes");
    put_32(8192 - 8, 0);
    put_multiboot_header(8192 - 12, 3);
    must_load();
}

Test(multiboot, video_mode_is_ignored_and_unknown_optional_flags_too)
{
    put_multiboot_header(HEADER_AT, 0xfffe0007);
    must_load();
    cr_assert_not(ram_32(result.start.ebx) & 0x1800, "no VBE, no framebuffer");
}

Test(multiboot, program_headers_that_are_wrong)
{
    image.elf.header.e_phnum = 0;
    must_refuse("no program headers");
    make_good_image();
    image.elf.header.e_phentsize = 56;
    must_refuse("56 bytes each");
    make_good_image();
    image.elf.header.e_phoff = 0xfffffff0;
    must_refuse("program headers 0xfffffff0");
    make_good_image();
    image.elf.header.e_phnum = 0xfffe;
    must_refuse("65534 of them");
    make_good_image();
    image.elf.programs[0].p_type = PT_NULL;
    must_refuse("nothing to load");
    make_good_image();
    image.elf.programs[0].p_filesz = image.elf.programs[0].p_memsz = 0;
    must_refuse("nothing to load");
}

Test(multiboot, number_of_program_headers_beyond_16_bits)
{
    image.elf.header.e_phnum = PN_XNUM;
    cr_assert_not(load(), "there is no section to hold the number");
    Elf32_Shdr section = {.sh_info = 0x7fffffff};
    memcpy(image.bytes + image_size, &section, sizeof(section));
    image.elf.header.e_shoff = (Elf32_Off)image_size;
    image.elf.header.e_shnum = 1;
    image.elf.header.e_shentsize = sizeof(section);
    image_size += sizeof(section);
    cr_assert_not(load());
    cr_assert_eq(diag.nr_lines, 1);
    cr_assert_eq(diag.status, EXIT_STATUS_BAD_DATA);
    cr_assert_eq(nr_touched_pages(), 0);
}

Test(multiboot, segments_that_are_wrong)
{
    Elf32_Phdr *program = &image.elf.programs[0];
    program->p_filesz = 3 * CODE_BYTES;
    must_refuse("at most as many as in memory");
    program->p_memsz = 4 * CODE_BYTES;
    must_refuse("beyond the end of the file");
    make_good_image();
    program->p_offset = 0xffffff00;
    must_refuse("beyond the end of the file");
    make_good_image();
    image_size -= 1;
    must_refuse("truncated?");
    make_good_image();
    image.elf.header.e_entry = KERNEL_AT + 2 * CODE_BYTES;
    must_refuse("entry point 0x100200");
    image.elf.header.e_entry = 0;
    must_refuse("entry point 0");
}

Test(multiboot, segments_outside_usable_ram)
{
    const struct {
        uint32_t at, bytes;
    } places[] = {
        {RAM_BYTES, 0x200},  {RAM_BYTES - 0x20100, 0x200}, {0x9fb00, 0x200},        {0xa0000, 0x200},
        {0xffe00, 0x400},    {0xffffff00, 0x200},          {KERNEL_AT, 0xfff00000}, {0xfffffff0, 0xfffffff0},
        {0x90000, 0x100000}, {RAM_BYTES - 0x20000, 0x200},
    };
    for (unsigned i = 0; i < sizeof(places) / sizeof(*places); i++) {
        make_good_image();
        image.elf.programs[0].p_paddr = places[i].at;
        image.elf.programs[0].p_memsz = places[i].bytes;
        must_refuse("not usable RAM; allowed: 0-0x9fbff, 0x100000-0x1fdffff");
    }
    make_good_image();
    image.elf.programs[0].p_paddr = RAM_BYTES - 0x20000 - 2 * CODE_BYTES;
    image.elf.header.e_entry = image.elf.programs[0].p_paddr;
    must_refuse("no room");
}

Test(multiboot, segments_that_overlap)
{
    add_program(PT_LOAD, CODE_OFFSET, 0x10, KERNEL_AT + 2 * CODE_BYTES - 1, 0x10);
    must_refuse("overlaps");
    image.elf.programs[1].p_paddr = KERNEL_AT - 0xf;
    image.elf.programs[1].p_paddr = KERNEL_AT;
    must_refuse("overlaps");
    image.elf.programs[1].p_paddr = KERNEL_AT + 2 * CODE_BYTES;
    must_load();
}

Test(multiboot, modules_that_do_not_fit)
{
    write_file(module_name, "x", 1);
    cr_assert_eq(truncate(module_name, RAM_BYTES), 0);
    const struct load_module modules[] = {{module_name, NULL}};
    cr_assert_not(load_with(
        &(struct load_params){.file = image_name, .modules = modules, .nr_modules = 1, .map = &map}));
    cr_assert_eq(diag.status, EXIT_STATUS_BAD_DATA);
    cr_assert(strstr(diag.lines[0], "no room"), "%s", diag.lines[0]);
    cr_assert_eq(nr_touched_pages(), 0);
}

/* Nothing that a file can hold may do harm: with sanitizers on, this is the test that finds it. */
Test(multiboot, damaged_images_are_loaded_or_refused)
{
    uint32_t state = 1;
    unsigned nr_refused = 0;
    for (unsigned round = 0; round < 3000; round++) {
        make_good_image();
        uint32_t nr_bytes = put_notes(CODE_OFFSET + 0x40);
        add_program(PT_NOTE, CODE_OFFSET + 0x40, nr_bytes, KERNEL_AT + 0x40, nr_bytes);
        for (unsigned i = 0; i < 1 + round % 4; i++) {
            state = state * 1664525 + 1013904223;
            size_t at = (state >> 8) % 180;
            if (at >= 148)
                at += CODE_OFFSET - 148;
            static const uint8_t values[] = {0x00, 0xff, 0x7f, 0x80, 0x01, 0x10};
            image.bytes[at] = values[(state >> 4) % sizeof(values)];
        }
        if (round % 3 == 0)
            image_size = (state >> 8) % image_size;
        bool is_loaded = load();
        nr_refused += !is_loaded;
        cr_assert_eq(diag.nr_lines, !is_loaded);
        ram_fini(&ram);
        cr_assert(ram_init(&ram, RAM_BYTES));
    }
    cr_assert(nr_refused > 1000 && nr_refused < 3000, "%u", nr_refused);
}
