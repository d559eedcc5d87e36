/*
 * A bzImage whose kernel the host unpacks: an ELF executable is made here, packed by each library's own
 * compressor, and put into an image; RAM then holds its segment where it was linked for.
 */
#include "tests/unit/load_fixture.h"

#include <elf.h>
#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

enum { PAYLOAD_AT = 0x100, PACKED_MAX = 0x4000, KERNEL_AT = 0x900000, CODE_BYTES = 0x1800 };
enum {
    CODE_OFFSET = 0x200,
    KERNEL_BYTES = CODE_OFFSET + CODE_BYTES,
    BSS_BYTES = 0x3000,
    ENTRY = KERNEL_AT + 0x40
};

static uint8_t kernel[KERNEL_BYTES];

/* A static ELF32 executable, linked at C0000000h above where it is loaded. */
static void make_elf(void)
{
    const Elf32_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_386,
        .e_version = EV_CURRENT,
        .e_entry = ENTRY,
        .e_phoff = sizeof(Elf32_Ehdr),
        .e_ehsize = sizeof(Elf32_Ehdr),
        .e_phentsize = sizeof(Elf32_Phdr),
        .e_phnum = 1,
    };
    const Elf32_Phdr segment = {
        .p_type = PT_LOAD,
        .p_offset = CODE_OFFSET,
        .p_vaddr = 0xc0000000 + KERNEL_AT,
        .p_paddr = KERNEL_AT,
        .p_filesz = CODE_BYTES,
        .p_memsz = CODE_BYTES + BSS_BYTES,
        .p_flags = PF_R | PF_W | PF_X,
    };
    memset(kernel, 0, sizeof kernel);
    memcpy(kernel, &header, sizeof header);
    memcpy(kernel + sizeof header, &segment, sizeof segment);
    for (unsigned i = 0; i < CODE_BYTES; i++)
        kernel[CODE_OFFSET + i] = (uint8_t)(i * 11 + i / 256);
}

/* The compressors: the bytes made of `kernel` in `packed`. */
static size_t pack_gzip(uint8_t *packed)
{
    z_stream stream = {.next_in = kernel, .avail_in = sizeof kernel, .avail_out = PACKED_MAX};
    stream.next_out = packed;
    cr_assert_eq(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return stream.total_out;
}

static size_t pack_xz(uint8_t *packed)
{
    size_t used = 0;
    cr_assert_eq(
        lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, kernel, sizeof kernel, packed, &used, PACKED_MAX),
        LZMA_OK);
    return used;
}

static size_t pack_lzma(uint8_t *packed)
{
    lzma_options_lzma options;
    lzma_stream stream = LZMA_STREAM_INIT;
    cr_assert_not(lzma_lzma_preset(&options, 6));
    cr_assert_eq(lzma_alone_encoder(&stream, &options), LZMA_OK);
    stream.next_in = kernel;
    stream.avail_in = sizeof kernel;
    stream.next_out = packed;
    stream.avail_out = PACKED_MAX;
    cr_assert_eq(lzma_code(&stream, LZMA_FINISH), LZMA_STREAM_END);
    size_t used = stream.total_out;
    lzma_end(&stream);
    return used;
}

static size_t pack_lz4(uint8_t *packed)
{
    enum { FRAME_BYTES = 8 };
    int used = LZ4_compress_default((const char *)kernel, (char *)packed + FRAME_BYTES, sizeof kernel,
                                    PACKED_MAX - FRAME_BYTES);
    cr_assert_gt(used, 0);
    memcpy(packed, &(uint32_t){0x184c2102}, 4);
    memcpy(packed + 4, &(uint32_t){(uint32_t)used}, 4);
    return (size_t)used + FRAME_BYTES;
}

static size_t pack_zstd(uint8_t *packed)
{
    size_t used = ZSTD_compress(packed, PACKED_MAX, kernel, sizeof kernel, 19);
    cr_assert_not(ZSTD_isError(used));
    return used;
}

static const struct {
    const char *name;
    size_t (*pack)(uint8_t *packed);
    bool has_size; /* the format itself ends with it */
} packers[] = {
    {"gzip", pack_gzip, true}, {"XZ", pack_xz, false},          {"LZMA", pack_lzma, false},
    {"LZ4", pack_lz4, false},  {"Zstandard", pack_zstd, false},
};
enum { NR_PACKERS = sizeof packers / sizeof *packers };

static void make_image(size_t packer)
{
    make_elf();
    memset(image, 0, sizeof image);
    uint8_t *packed = image + SETUP_BYTES + PAYLOAD_AT;
    size_t used = packers[packer].pack(packed);
    if (!packers[packer].has_size) {
        memcpy(packed + used, &(uint32_t){KERNEL_BYTES}, 4);
        used += 4;
    }
    size_t code_bytes = (PAYLOAD_AT + used + 15) / 16 * 16;
    image_size = SETUP_BYTES + code_bytes;
    put_linux_header(code_bytes);
    put(0x248, 4, PAYLOAD_AT);
    put(0x24c, 4, used);
}

static void set_up(void)
{
    set_up_load();
    params.is_unpacked = true;
}

TestSuite(load_unpack, .init = set_up, .fini = tear_down_load);

Test(load_unpack, every_format_gives_the_same_kernel)
{
    for (size_t i = 0; i < NR_PACKERS; i++) {
        make_image(i);
        ram_fini(&ram);
        cr_assert(ram_init(&ram, RAM_BYTES));
        must_load();
        cr_assert_arr_eq(ram.host + KERNEL_AT, kernel + CODE_OFFSET, CODE_BYTES, "%s", packers[i].name);
        cr_assert_eq(result.start.mode, LOAD_PROTECTED);
        cr_assert_eq(result.start.entry, ENTRY);
        cr_assert_eq(result.image_end.v, KERNEL_AT + CODE_BYTES + BSS_BYTES);
        cr_assert_eq(ram_number(result.start.esi + 0x202, 4), 0x53726448,
                     "struct boot_params has the header");
    }
}

Test(load_unpack, damage_is_said)
{
    for (size_t i = 0; i < NR_PACKERS; i++) {
        make_image(i);
        uint32_t nr_packed;
        memcpy(&nr_packed, image + 0x24c, 4);
        put(SETUP_BYTES + PAYLOAD_AT + nr_packed - 4, 4, KERNEL_BYTES + 1);
        must_refuse("damaged?", EXIT_STATUS_BAD_DATA);
        put(SETUP_BYTES + PAYLOAD_AT + nr_packed - 4, 4, 0x7fffffff);
        must_refuse("is said to unpack to", EXIT_STATUS_BAD_DATA);
        make_image(i);
        put(0x24c, 4, nr_packed / 2);
        cr_assert_not(load(), "%s cut in two", packers[i].name);
        cr_assert_eq(diag.nr_lines, 1);
        make_image(i);
        put(SETUP_BYTES + PAYLOAD_AT, 4, 0x12345678);
        must_refuse("begins with 78 56 34 12", EXIT_STATUS_BAD_DATA);
        put(0x248, 4, 0xfffffff0);
        must_refuse("allowed: within", EXIT_STATUS_BAD_DATA);
        put(0x24c, 4, 0);
        must_refuse("no payload", EXIT_STATUS_BAD_DATA);
    }
}

Test(load_unpack, any_byte_of_a_payload_may_be_anything)
{
    unsigned nr_refused = 0;
    for (size_t i = 0; i < NR_PACKERS; i++) {
        make_image(i);
        size_t end = image_size;
        for (size_t at = SETUP_BYTES + PAYLOAD_AT; at < end; at += 1 + (end - at) / 64) {
            uint8_t was = image[at];
            image[at] = (uint8_t)~was;
            ram_fini(&ram);
            cr_assert(ram_init(&ram, RAM_BYTES));
            bool is_good = load();
            cr_assert_eq(diag.nr_lines, is_good ? 0 : 1, "%s at %zx", packers[i].name, at);
            nr_refused += !is_good;
            image[at] = was;
        }
    }
    cr_assert_gt(nr_refused, 100);
}

Test(load_unpack, protocol_and_class_belong_together)
{
    make_image(0);
    params.has_long_mode = true;
    put(0x236, 2, 1); /* it claims a 64-bit entry, and is ELF32 */
    must_refuse("an ELF32 executable; allowed by the 64-bit boot protocol", EXIT_STATUS_BAD_DATA);
    params.protocol = LOAD_PVH;
    must_refuse("no PVH entry", EXIT_STATUS_BAD_DATA);
    params.protocol = LOAD_AUTO;
    image[0x202] = 0;
    must_refuse("--unpack", EXIT_STATUS_USAGE);
}
