#include "sim/load/elf_image.h"

#include "sim/load/identify.h"

#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Which note is looked for. */
struct note_kind {
    const char *owner;
    uint32_t type;
};
static const struct note_kind lookaside_note = {"lookaside", ELF_NOTE_LOOKASIDE};
static const struct note_kind pvh_note = {"Xen", 18}; /* XEN_ELFNOTE_PHYS32_ENTRY */

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
static bool check_kind(const struct file_map *file, bool takes_64, struct diag *diag)
{
    bool is_64 = file->size > EI_CLASS && file->bytes[EI_CLASS] == ELFCLASS64;
    size_t header_bytes = is_64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
    if (file->size < header_bytes)
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: ELF header cut off: the file ends at %#" PRIx64 ", the header at %#zx",
                        file->name, file->size, header_bytes);
    const uint8_t *ident = file->bytes;
    const Elf32_Ehdr *header = (const void *)file->bytes; /* up to e_machine both classes are the same */
    bool is_i386 = ident[EI_CLASS] == ELFCLASS32 && header->e_machine == EM_386;
    bool is_x86_64 = is_64 && header->e_machine == EM_X86_64;
    if (ident[EI_DATA] == ELFDATA2LSB && header->e_type == ET_EXEC && (is_i386 || (takes_64 && is_x86_64)))
        return true;
    char found[IDENTIFY_MAX];
    identify_file(file, found);
    return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: %s; allowed: an ELF32 executable for i386%s", file->name,
                    found,
                    takes_64 ? " or an ELF64 executable for x86-64"
                             : ", or load addresses in the multiboot header (flag bit 16)");
}

/* The table of program headers, whose number is in the section table when it does not fit (PN_XNUM). */
static bool check_table(const struct file_map *file, Elf *elf, size_t *nr_headers, struct diag *diag)
{
    GElf_Ehdr header;
    if (!gelf_getehdr(elf, &header))
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: libelf: %s", file->name, elf_errmsg(-1));
    const size_t entry_bytes = gelf_getclass(elf) == ELFCLASS64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    if (header.e_phnum == 0)
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: no program headers; allowed: at least one PT_LOAD",
                        file->name);
    if (header.e_phentsize != entry_bytes)
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: program headers of %u bytes each; allowed: %zu",
                        file->name, header.e_phentsize, entry_bytes);
    size_t count = header.e_phnum;
    if (count == PN_XNUM && elf_getphdrnum(elf, &count) != 0)
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: libelf: %s", file->name, elf_errmsg(-1));
    uint64_t bytes = (uint64_t)count * entry_bytes;
    if (header.e_phoff > file->size || bytes > file->size - header.e_phoff)
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "%s: program headers %#" PRIx64 "-%#" PRIx64
                        " (%zu of them) lie beyond the end of the file, %#" PRIx64 " (truncated?)",
                        file->name, (uint64_t)header.e_phoff, header.e_phoff + bytes - 1, count, file->size);
    *nr_headers = count;
    return true;
}

static bool plan_headers(struct load_plan *plan, Elf *elf, struct diag *diag)
{
    const struct file_map *file = plan->file;
    size_t nr_headers = 0;
    GElf_Ehdr header;
    if (!check_table(file, elf, &nr_headers, diag) || !gelf_getehdr(elf, &header))
        return false;
    plan->entry = header.e_entry;
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
                 (size_t)header.e_phoff + i * header.e_phentsize);
        if (!plan_add(plan, &segment, diag))
            return false;
    }
    return true;
}

bool elf_plan(struct load_plan *plan, bool takes_64, struct diag *diag)
{
    if (!check_kind(plan->file, takes_64, diag))
        return false;
    Elf *elf = open_elf(plan->file, diag);
    if (!elf)
        return false;
    bool is_good = plan_headers(plan, elf, diag);
    elf_end(elf);
    return is_good;
}

/* The note among `bytes` of notes at `offset` of the file, or NULL. libelf checks the bounds. */
static const uint8_t *find_note(Elf *elf, const struct note_kind *kind, uint64_t offset, uint64_t bytes,
                                uint64_t align, size_t *nr_bytes)
{
    if (offset > INT64_MAX || bytes > SIZE_MAX)
        return NULL;
    const size_t owner_bytes = strlen(kind->owner) + 1;
    Elf_Data *data =
        elf_getdata_rawchunk(elf, (int64_t)offset, (size_t)bytes, align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
    if (!data || !data->d_buf)
        return NULL;
    GElf_Nhdr note;
    size_t at = 0, next, name_at, contents_at;
    while ((next = gelf_getnote(data, at, &note, &name_at, &contents_at)) > 0) {
        const uint8_t *buffer = data->d_buf;
        if (note.n_type == kind->type && note.n_namesz == owner_bytes && note.n_descsz > 0 &&
            memcmp(buffer + name_at, kind->owner, owner_bytes) == 0) {
            *nr_bytes = note.n_descsz;
            return buffer + contents_at;
        }
        at = next;
    }
    return NULL;
}

static const uint8_t *find_note_in_headers(Elf *elf, const struct note_kind *kind, size_t *nr_bytes)
{
    size_t nr_headers = 0;
    const uint8_t *note = NULL;
    if (elf_getphdrnum(elf, &nr_headers) != 0)
        return NULL;
    for (size_t i = 0; i < nr_headers && !note; i++) {
        GElf_Phdr program;
        if (gelf_getphdr(elf, (int)i, &program) && program.p_type == PT_NOTE)
            note = find_note(elf, kind, program.p_offset, program.p_filesz, program.p_align, nr_bytes);
    }
    return note;
}

/* A linker script that names its program headers may have left out PT_NOTE. */
static const uint8_t *find_note_in_sections(Elf *elf, const struct note_kind *kind, size_t *nr_bytes)
{
    const uint8_t *note = NULL;
    for (Elf_Scn *section = elf_nextscn(elf, NULL); section && !note; section = elf_nextscn(elf, section)) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) && header.sh_type == SHT_NOTE)
            note = find_note(elf, kind, header.sh_offset, header.sh_size, header.sh_addralign, nr_bytes);
    }
    return note;
}

static const uint8_t *find_note_anywhere(Elf *elf, const struct note_kind *kind, size_t *nr_bytes)
{
    const uint8_t *note = find_note_in_headers(elf, kind, nr_bytes);
    return note ? note : find_note_in_sections(elf, kind, nr_bytes);
}

bool elf_pvh_entry(const struct file_map *file, uint64_t *entry)
{
    *entry = 0;
    if (!is_elf(file))
        return false;
    struct diag unheard;
    diag_init(&unheard);
    Elf *elf = open_elf(file, &unheard);
    diag_fini(&unheard);
    if (!elf)
        return false;
    size_t nr_bytes = 0;
    const uint8_t *note = find_note_anywhere(elf, &pvh_note, &nr_bytes);
    bool is_good = note && (nr_bytes == 4 || nr_bytes == 8);
    if (is_good)
        memcpy(entry, note, nr_bytes);
    elf_end(elf);
    return is_good;
}

bool elf_read_note(const struct file_map *file, uint8_t **note, size_t *nr_bytes, struct diag *diag)
{
    *note = NULL;
    *nr_bytes = 0;
    Elf *elf = open_elf(file, diag);
    if (!elf)
        return false;
    size_t found_bytes = 0;
    const uint8_t *found = find_note_anywhere(elf, &lookaside_note, &found_bytes);
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
