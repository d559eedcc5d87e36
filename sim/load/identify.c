#include "sim/load/identify.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

static const struct {
    unsigned number;
    const char *name;
} elf_machines[] = {
    {EM_386, "i386"},
    {EM_X86_64, "x86-64"},
    {EM_ARM, "ARM"},
    {EM_AARCH64, "AArch64"},
    {EM_RISCV, "RISC-V"},
    {EM_MIPS, "MIPS"},
    {EM_PPC, "PowerPC"},
    {EM_PPC64, "PowerPC64"},
    {EM_SPARC, "SPARC"},
    {EM_SPARCV9, "SPARC V9"},
    {EM_S390, "S/390"},
    {EM_68K, "68000"},
    {EM_LOONGARCH, "LoongArch"},
};

static const char *const elf_types[] = {
    [ET_NONE] = "file of no type", [ET_REL] = "object file (not linked)",
    [ET_EXEC] = "executable",      [ET_DYN] = "shared object or position-independent executable",
    [ET_CORE] = "core dump",
};

/* Other formats by the bytes they have at a fixed place. */
static const struct {
    uint64_t offset;
    const char *magic;
    size_t size;
    const char *name;
} formats[] = {
    {0x202, "HdrS", 4, "a Linux kernel (bzImage)"},
    {0, "\x1f\x8b", 2, "a gzip archive"},
    {0, "\x28\xb5\x2f\xfd", 4, "a Zstandard archive"},
    {0,
     "\xfd"
     "7zXZ",
     5, "an xz archive"},
    {0, "PK\x03\x04", 4, "a ZIP archive"},
    {0, "!<arch>\n", 8, "a static library"},
    {0, "#!", 2, "a script"},
    {0, "\xd6\x50\x52\xe8", 4, "a multiboot 2 header"},
    {0,
     "\x7f"
     "ELF",
     4, "the beginning of an ELF file"},
    {0, "QFI\xfb", 4, "a qcow2 disk image"},
    {0x8001, "CD001", 5, "an ISO 9660 image"},
    {0, "MZ", 2, "a DOS or Windows program"},
    {510, "\x55\xaa", 2, "a boot sector or disk image"},
};

static unsigned elf_half(const uint8_t *at, bool is_big_endian)
{
    return is_big_endian ? (unsigned)at[0] << 8 | at[1] : (unsigned)at[1] << 8 | at[0];
}

static bool identify_elf(const struct file_map *file, char text[IDENTIFY_MAX])
{
    const uint8_t *bytes = file->bytes;
    if (file->size < 20 || memcmp(bytes, ELFMAG, SELFMAG) != 0)
        return false;
    bool is_big_endian = bytes[EI_DATA] == ELFDATA2MSB;
    unsigned type = elf_half(bytes + 16, is_big_endian), machine = elf_half(bytes + 18, is_big_endian);
    char number[32];
    snprintf(number, sizeof(number), "machine number %u", machine);
    const char *machine_name = number;
    for (size_t i = 0; i < sizeof(elf_machines) / sizeof(*elf_machines); i++) {
        if (elf_machines[i].number == machine)
            machine_name = elf_machines[i].name;
    }
    const char *class_name = bytes[EI_CLASS] == ELFCLASS32   ? "ELF32"
                             : bytes[EI_CLASS] == ELFCLASS64 ? "ELF64"
                                                             : "ELF";
    const char *type_name =
        type < sizeof(elf_types) / sizeof(*elf_types) ? elf_types[type] : "file of unknown type";
    snprintf(text, IDENTIFY_MAX, "%s %s for %s%s", class_name, type_name, machine_name,
             is_big_endian ? ", big-endian" : "");
    return true;
}

static bool is_text(const struct file_map *file)
{
    uint64_t nr_bytes = file->size < 512 ? file->size : 512;
    for (uint64_t i = 0; i < nr_bytes; i++) {
        uint8_t byte = file->bytes[i];
        bool is_blank = byte == '\n' || byte == '\r' || byte == '\t' || byte == '\f';
        if ((byte < ' ' && !is_blank) || byte == 0x7f)
            return false;
    }
    return true;
}

void identify_file(const struct file_map *file, char text[IDENTIFY_MAX])
{
    if (file->size == 0) {
        snprintf(text, IDENTIFY_MAX, "an empty file");
        return;
    }
    if (identify_elf(file, text))
        return;
    const char *name = is_text(file) ? "a text file" : "nothing known";
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
        uint64_t end = formats[i].offset + formats[i].size;
        if (file->size >= end &&
            memcmp(file->bytes + formats[i].offset, formats[i].magic, formats[i].size) == 0) {
            name = formats[i].name;
            break;
        }
    }
    snprintf(text, IDENTIFY_MAX, "%s", name);
}
