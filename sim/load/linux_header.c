#include "sim/load/linux_header.h"

#include <inttypes.h>
#include <string.h>

/* Offsets in the file (Linux/x86 boot protocol, "The Real-Mode Kernel Header"). */
enum {
    SETUP_SECTS = 0x1f1,
    SYSSIZE = 0x1f4,
    BOOT_FLAG = 0x1fe,
    JUMP_OFFSET = 0x201,
    MAGIC = 0x202,
    VERSION = 0x206,
    LOADFLAGS = 0x211,
    INITRD_ADDR_MAX = 0x22c,
    KERNEL_ALIGNMENT = 0x230,
    RELOCATABLE_KERNEL = 0x234,
    MIN_ALIGNMENT = 0x235,
    XLOADFLAGS = 0x236,
    CMDLINE_SIZE = 0x238,
    PAYLOAD_OFFSET = 0x248,
    PAYLOAD_LENGTH = 0x24c,
    PREF_ADDRESS = 0x258,
    INIT_SIZE = 0x260,
};
enum { LOADED_HIGH = 1, XLF_KERNEL_64 = 1, SECTOR_BYTES = 512, PARAGRAPH_BYTES = 16 };
enum { VERSION_MIN = 0x202, HEADER_END_MAX = 0x290 /* struct boot_params has something else there */ };
enum { HIGH_AT = 0x100000 };

static uint64_t number_at(const struct file_map *file, uint64_t offset, size_t nr_bytes)
{
    uint64_t value = 0;
    memcpy(&value, file->bytes + offset, nr_bytes);
    return value;
}

bool is_linux(const struct file_map *file)
{
    return file->size >= VERSION + 2 && number_at(file, BOOT_FLAG, 2) == 0xaa55 &&
           memcmp(file->bytes + MAGIC, "HdrS", 4) == 0;
}

/* Where the code lies in the file, and that it is all there. */
static bool find_code(const struct file_map *file, struct linux_header *header, struct diag *diag)
{
    uint64_t sectors = number_at(file, SETUP_SECTS, 1);
    header->code_offset = ((sectors ? sectors : 4) + 1) * SECTOR_BYTES;
    if (header->code_offset >= file->size)
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: setup_sects %" PRIu64 ": the kernel's code begins at %#" PRIx64
                        ", and the file ends at %#" PRIx64 " (truncated?)",
                        file->name, sectors, header->code_offset, file->size);
    uint64_t rest = file->size - header->code_offset;
    header->code_bytes = rest;
    if (header->version < 0x204) /* syssize has only 16 bits that count */
        return true;
    uint64_t bytes = number_at(file, SYSSIZE, 4) * PARAGRAPH_BYTES;
    if (bytes == 0)
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: syssize 0: no code; allowed: 1 or more", file->name);
    if (bytes >= rest + PARAGRAPH_BYTES)
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: syssize: %#" PRIx64 " bytes of code from %#" PRIx64
                        " on lie beyond the end of the file, %#" PRIx64 " (truncated?)",
                        file->name, bytes, header->code_offset, file->size);
    if (bytes < rest)
        header->code_bytes = bytes;
    return true;
}

static bool is_power_of_two(uint64_t value)
{
    return value && (value & (value - 1)) == 0;
}

static bool check_alignment(const struct file_map *file, struct linux_header *header, struct diag *diag)
{
    header->alignment = number_at(file, KERNEL_ALIGNMENT, 4);
    uint64_t min_alignment = number_at(file, MIN_ALIGNMENT, 1);
    bool has_min = header->version >= 0x20a && min_alignment && min_alignment < 32;
    header->least_alignment = has_min ? UINT64_C(1) << min_alignment : header->alignment;
    if (header->least_alignment > header->alignment)
        header->least_alignment = header->alignment;
    if (header->is_relocatable && !is_power_of_two(header->alignment))
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: kernel_alignment %#" PRIx64 "; allowed: a power of two", file->name,
                        header->alignment);
    return true;
}

bool linux_read_header(const struct file_map *file, struct linux_header *header, struct diag *diag)
{
    *header = (struct linux_header){.file = file, .version = (unsigned)number_at(file, VERSION, 2)};
    if (header->version < VERSION_MIN)
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: Linux boot protocol %u.%02u; allowed: 2.02 or later",
                        file->name, header->version >> 8, header->version & 0xff);
    header->header_end = MAGIC + number_at(file, JUMP_OFFSET, 1);
    if (header->header_end > HEADER_END_MAX)
        header->header_end = HEADER_END_MAX;
    if (file->size < HEADER_END_MAX)
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: a Linux kernel cut off in its header: the file ends at %#" PRIx64, file->name,
                        file->size);
    if (!(number_at(file, LOADFLAGS, 1) & LOADED_HIGH))
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: a zImage (LOADED_HIGH is not set in loadflags); allowed: a bzImage", file->name);
    if (!find_code(file, header, diag))
        return false;
    header->initrd_max = header->version >= 0x203 ? number_at(file, INITRD_ADDR_MAX, 4) : 0x37ffffff;
    header->text_max = header->version >= 0x206 ? number_at(file, CMDLINE_SIZE, 4) : 255;
    header->is_relocatable = header->version >= 0x205 && number_at(file, RELOCATABLE_KERNEL, 1);
    header->has_64_bit_entry = header->version >= 0x20c && (number_at(file, XLOADFLAGS, 2) & XLF_KERNEL_64);
    header->preferred_at = HIGH_AT;
    /* Older kernels do not say what they need to unpack themselves: GRUB's guess. */
    header->init_bytes = header->code_bytes * 3;
    if (header->version >= 0x20a) {
        header->preferred_at = number_at(file, PREF_ADDRESS, 8);
        header->init_bytes = number_at(file, INIT_SIZE, 4);
    }
    if (header->version >= 0x208) {
        header->payload_offset = number_at(file, PAYLOAD_OFFSET, 4);
        header->payload_bytes = number_at(file, PAYLOAD_LENGTH, 4);
    }
    if (header->init_bytes < header->code_bytes)
        header->init_bytes = header->code_bytes;
    return check_alignment(file, header, diag);
}
