#include "sim/load/elf_image.h"

#include "sim/load/identify.h"

#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char note_owner[] = "lookaside";

bool is_elf(const struct file_map *file)
{
    return file->size >= SELFMAG && memcmp(file->bytes, ELFMAG, SELFMAG) == 0;
}

/* NULL, and a line, when libelf refuses. elf_memory() implies ELF_C_READ: the bytes are only read. */
static Elf *open_elf(const struct file_map *file, struct diag *diag)
{
    elf_version(EV_CURRENT);
    Elf *elf = elf_memory((char *)(uintptr_t)file->bytes, (size_t)file->size);
    if (!elf)
        diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: libelf: %s", file->name, elf_errmsg(-1));
    return elf;
}

/* The identification alone: what may be loaded at all. */
static bool check_kind(const struct file_map *file, struct diag *diag)
{
    if (file->size < sizeof(Elf32_Ehdr))
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: ELF header cut off: the file ends at %#" PRIx64 ", the header at %#zx",
                        file->name, file->size, sizeof(Elf32_Ehdr));
    const uint8_t *ident = file->bytes;
    const Elf32_Ehdr *header = (const void *)file->bytes;
    if (ident[EI_CLASS] == ELFCLASS32 && ident[EI_DATA] == ELFDATA2LSB && header->e_machine == EM_386 &&
        header->e_type == ET_EXEC)
        return true;
    char found[IDENTIFY_MAX];
    identify_file(file, found);
    return diag_add(
        diag, EXIT_STATUS_BAD_DATA,
        "%s: %s; allowed: an ELF32 executable for i386, or load addresses in the multiboot header "
        "(flag bit 16)",
        file->name, found);
}

/* The table of program headers, whose number is in the section table when it does not fit (PN_XNUM). */
static bool check_table(const struct file_map *file, Elf *elf, size_t *nr_headers, struct diag *diag)
{
    const Elf32_Ehdr *header = elf32_getehdr(elf);
    if (!header)
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: libelf: %s", file->name, elf_errmsg(-1));
    if (header->e_phnum == 0)
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: no program headers; allowed: at least one PT_LOAD",
                        file->name);
    if (header->e_phentsize != sizeof(Elf32_Phdr))
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: program headers of %u bytes each; allowed: %zu",
                        file->name, header->e_phentsize, sizeof(Elf32_Phdr));
    size_t count = header->e_phnum;
    if (count == PN_XNUM && elf_getphdrnum(elf, &count) != 0)
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: libelf: %s", file->name, elf_errmsg(-1));
    uint64_t end = header->e_phoff + (uint64_t)count * sizeof(Elf32_Phdr);
    if (end > file->size)
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: program headers %#x-%#" PRIx64
                        " (%zu of them) lie beyond the end of the file, %#" PRIx64 " (truncated?)",
                        file->name, header->e_phoff, end - 1, count, file->size);
    *nr_headers = count;
    return true;
}

static bool plan_headers(struct load_plan *plan, Elf *elf, struct diag *diag)
{
    const struct file_map *file = plan->file;
    size_t nr_headers = 0;
    if (!check_table(file, elf, &nr_headers, diag))
        return false;
    const Elf32_Ehdr *header = elf32_getehdr(elf);
    plan->entry = header->e_entry;
    for (size_t i = 0; i < nr_headers; i++) {
        GElf_Phdr program;
        if (!gelf_getphdr(elf, (int)i, &program))
            return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: program header %zu: libelf: %s", file->name, i,
                            elf_errmsg(-1));
        if (program.p_type != PT_LOAD)
            continue;
        struct load_segment segment = {
            .file_offset = program.p_offset,
            .file_bytes = program.p_filesz,
            .base = paddr(program.p_paddr),
            .memory_bytes = program.p_memsz,
            .linked_at = program.p_vaddr,
        };
        snprintf(segment.name, sizeof(segment.name), "program header %zu at %#zx", i,
                 header->e_phoff + i * sizeof(Elf32_Phdr));
        if (!plan_add(plan, &segment, diag))
            return false;
    }
    return true;
}

bool elf_plan(struct load_plan *plan, struct diag *diag)
{
    if (!check_kind(plan->file, diag))
        return false;
    Elf *elf = open_elf(plan->file, diag);
    if (!elf)
        return false;
    bool is_good = plan_headers(plan, elf, diag);
    elf_end(elf);
    return is_good;
}

/* The note among `bytes` of notes at `offset` of the file, or NULL. libelf checks the bounds. */
static const uint8_t *find_note(Elf *elf, uint64_t offset, uint64_t bytes, uint64_t align, size_t *nr_bytes)
{
    if (offset > INT64_MAX || bytes > SIZE_MAX)
        return NULL;
    Elf_Data *data =
        elf_getdata_rawchunk(elf, (int64_t)offset, (size_t)bytes, align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
    if (!data || !data->d_buf)
        return NULL;
    GElf_Nhdr note;
    size_t at = 0, next, name_at, contents_at;
    while ((next = gelf_getnote(data, at, &note, &name_at, &contents_at)) > 0) {
        const uint8_t *buffer = data->d_buf;
        if (note.n_type == ELF_NOTE_LOOKASIDE && note.n_namesz == sizeof(note_owner) && note.n_descsz > 0 &&
            memcmp(buffer + name_at, note_owner, sizeof(note_owner)) == 0) {
            *nr_bytes = note.n_descsz;
            return buffer + contents_at;
        }
        at = next;
    }
    return NULL;
}

static const uint8_t *find_note_in_headers(Elf *elf, size_t *nr_bytes)
{
    size_t nr_headers = 0;
    const uint8_t *note = NULL;
    if (elf_getphdrnum(elf, &nr_headers) != 0)
        return NULL;
    for (size_t i = 0; i < nr_headers && !note; i++) {
        GElf_Phdr program;
        if (gelf_getphdr(elf, (int)i, &program) && program.p_type == PT_NOTE)
            note = find_note(elf, program.p_offset, program.p_filesz, program.p_align, nr_bytes);
    }
    return note;
}

/* A linker script that names its program headers may have left out PT_NOTE. */
static const uint8_t *find_note_in_sections(Elf *elf, size_t *nr_bytes)
{
    const uint8_t *note = NULL;
    for (Elf_Scn *section = elf_nextscn(elf, NULL); section && !note; section = elf_nextscn(elf, section)) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) && header.sh_type == SHT_NOTE)
            note = find_note(elf, header.sh_offset, header.sh_size, header.sh_addralign, nr_bytes);
    }
    return note;
}

bool elf_read_note(const struct file_map *file, uint8_t **note, size_t *nr_bytes, struct diag *diag)
{
    *note = NULL;
    *nr_bytes = 0;
    Elf *elf = open_elf(file, diag);
    if (!elf)
        return false;
    size_t found_bytes = 0;
    const uint8_t *found = find_note_in_headers(elf, &found_bytes);
    if (!found)
        found = find_note_in_sections(elf, &found_bytes);
    bool is_good = true;
    if (found) {
        *note = malloc(found_bytes);
        if (*note) {
            memcpy(*note, found, found_bytes);
            *nr_bytes = found_bytes;
        } else {
            is_good = diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", file->name);
        }
    }
    elf_end(elf);
    return is_good;
}
