#include "sim/observe/elf_core.h"

#include "cpu/debugger.h"
#include "sim/base/outfile.h"
#include "sim/observe/page_ranges.h"
#include "sim/observe/vmcoreinfo.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * So many runs may begin with a page of RAM, and further ones are left out: Linux maps one page of each
 * processor at every 64 KiB of 512 GiB, for returns to 16-bit stacks.
 */
enum { MAX_SEGMENTS = 60000, MAX_ALIASES = 1024, NOTE_BYTES = 512 };

/* A run of linear addresses and the RAM behind it. */
struct piece {
    uint64_t linear, physical, size_bytes;
    unsigned flags; /* PF_* */
};

enum page_bit { PAGE_IS_RAM = 1, PAGE_IS_REACHED = 2, PAGE_IS_TAKEN = 4 };

struct core {
    const struct cpu *cpu;
    const struct ram *ram;
    uint8_t
        *page; /* by number, enum page_bit; of RAM, and (TAKEN) of linear addresses as low as RAM is large */
    uint16_t *nr_aliases; /* by page number: runs that begin with it */
    uint64_t nr_pages;
    struct piece piece[MAX_SEGMENTS];
    size_t nr_pieces;
    bool is_full, is_64bit;
};

/* ---- Which segments there are ---- */

static void add_page(struct core *core, uint64_t linear, uint64_t physical, unsigned flags)
{
    struct piece *last = core->nr_pieces ? &core->piece[core->nr_pieces - 1] : NULL;
    if (last && last->linear + last->size_bytes == linear && last->physical + last->size_bytes == physical &&
        last->flags == flags) {
        last->size_bytes += PAGE_BYTES;
    } else if (core->nr_aliases[physical >> PAGE_SHIFT] == MAX_ALIASES) {
        return;
    } else if (core->nr_pieces == MAX_SEGMENTS) {
        core->is_full = true;
        return;
    } else {
        core->nr_aliases[physical >> PAGE_SHIFT]++;
        core->piece[core->nr_pieces++] = (struct piece){linear, physical, PAGE_BYTES, flags};
    }
    core->page[physical >> PAGE_SHIFT] |= PAGE_IS_REACHED;
    if (linear >> PAGE_SHIFT < core->nr_pages)
        core->page[linear >> PAGE_SHIFT] |= PAGE_IS_TAKEN;
}

static bool add_range(void *opaque, const struct page_range *range)
{
    struct core *core = opaque;
    unsigned flags =
        PF_R | (range->flags & TLB_WRITABLE ? PF_W : 0u) | (range->flags & TLB_NO_EXECUTE ? 0u : PF_X);
    for (uint64_t done = 0; done < range->size_bytes; done += PAGE_BYTES) {
        uint64_t physical = range->physical.v + done;
        if (physical >> PAGE_SHIFT >= core->nr_pages)
            break;
        if (core->page[physical >> PAGE_SHIFT] & PAGE_IS_RAM)
            add_page(core, range->first.v + done, physical, flags);
    }
    return !core->is_full;
}

static void find_pieces(struct core *core)
{
    uint8_t byte;
    for (uint64_t i = 0; i < core->nr_pages; i++)
        core->page[i] = cpu_read_physical(core->cpu, paddr(i << PAGE_SHIFT), &byte, 1) ? PAGE_IS_RAM : 0;
    core->is_full = !page_ranges(core->cpu, true, add_range, core) || core->is_full;
    for (uint64_t i = 0; i < core->nr_pages; i++)
        if (core->page[i] == PAGE_IS_RAM)
            add_page(core, i << PAGE_SHIFT, i << PAGE_SHIFT, PF_R | PF_W | PF_X);
}

/* ---- The note ---- */

static void put(uint8_t *note, size_t at, uint64_t value, size_t nr_bytes)
{
    memcpy(note + at, &value, nr_bytes);
}

static void put_words(uint8_t *note, size_t at, const uint64_t *values, size_t nr_values, size_t word_bytes)
{
    for (size_t i = 0; i < nr_values; i++)
        put(note, at + i * word_bytes, values[i], word_bytes);
}

enum { ES, CS, SS, DS, FS, GS };

/* struct elf_prstatus of <linux/elfcore.h>, with struct user_regs_struct of either width in it. */
static size_t make_status(const struct core *core, uint8_t status[NOTE_BYTES])
{
    struct cpu_state s = cpu_state(core->cpu);
    enum {
        SIGNAL = 12,
        PID_32 = 24,
        REGISTERS_32 = 72,
        SIZE_32 = 144,
        PID_64 = 32,
        REGISTERS_64 = 112,
        SIZE_64 = 336
    };
    const struct segment *seg = s.segment;
    /* A code pointer is an address to gdb: where CS has a base, that of the instruction. */
    uint64_t pc = cpu_state_code_linear(&s);
    const uint64_t narrow[] = {s.gpr[CPU_BX],
                               s.gpr[CPU_CX],
                               s.gpr[CPU_DX],
                               s.gpr[CPU_SI],
                               s.gpr[CPU_DI],
                               s.gpr[CPU_BP],
                               s.gpr[CPU_AX],
                               seg[DS].selector,
                               seg[ES].selector,
                               seg[FS].selector,
                               seg[GS].selector,
                               UINT32_MAX,
                               pc,
                               seg[CS].selector,
                               s.rflags,
                               s.gpr[CPU_SP],
                               seg[SS].selector};
    const uint64_t wide[] = {s.gpr[15],
                             s.gpr[14],
                             s.gpr[13],
                             s.gpr[12],
                             s.gpr[CPU_BP],
                             s.gpr[CPU_BX],
                             s.gpr[11],
                             s.gpr[10],
                             s.gpr[9],
                             s.gpr[8],
                             s.gpr[CPU_AX],
                             s.gpr[CPU_CX],
                             s.gpr[CPU_DX],
                             s.gpr[CPU_SI],
                             s.gpr[CPU_DI],
                             UINT64_MAX,
                             pc,
                             seg[CS].selector,
                             s.rflags,
                             s.gpr[CPU_SP],
                             seg[SS].selector,
                             seg[FS].hidden.base,
                             seg[GS].hidden.base,
                             seg[DS].selector,
                             seg[ES].selector,
                             seg[FS].selector,
                             seg[GS].selector};
    memset(status, 0, NOTE_BYTES);
    put(status, 0, 5, 4); /* SIGTRAP, as a debugger's stop */
    put(status, SIGNAL, 5, 2);
    put(status, core->is_64bit ? PID_64 : PID_32, 1, 4);
    if (core->is_64bit)
        put_words(status, REGISTERS_64, wide, sizeof wide / sizeof *wide, 8);
    else
        put_words(status, REGISTERS_32, narrow, sizeof narrow / sizeof *narrow, 4);
    return core->is_64bit ? SIZE_64 : SIZE_32;
}

static size_t make_note(const struct core *core, uint8_t note[NOTE_BYTES + 32])
{
    uint8_t status[NOTE_BYTES];
    Elf32_Nhdr header = {
        .n_namesz = 5, .n_descsz = (Elf32_Word)make_status(core, status), .n_type = NT_PRSTATUS};
    char name[8] = "CORE";
    memcpy(note, &header, sizeof header);
    memcpy(note + sizeof header, name, sizeof name);
    memcpy(note + sizeof header + sizeof name, status, header.n_descsz);
    return sizeof header + sizeof name + header.n_descsz;
}

/* ---- The file ---- */

static void write_header(const struct core *core, size_t nr_segments, FILE *to)
{
    const unsigned char ident[EI_NIDENT] = {
        ELFMAG0,     ELFMAG1,   ELFMAG2, ELFMAG3, core->is_64bit ? ELFCLASS64 : ELFCLASS32,
        ELFDATA2LSB, EV_CURRENT};
    Elf64_Ehdr wide = {.e_type = ET_CORE,
                       .e_machine = EM_X86_64,
                       .e_version = EV_CURRENT,
                       .e_phoff = sizeof wide,
                       .e_ehsize = sizeof wide,
                       .e_phentsize = sizeof(Elf64_Phdr),
                       .e_phnum = (Elf64_Half)nr_segments};
    Elf32_Ehdr narrow = {.e_type = ET_CORE,
                         .e_machine = EM_386,
                         .e_version = EV_CURRENT,
                         .e_phoff = sizeof narrow,
                         .e_ehsize = sizeof narrow,
                         .e_phentsize = sizeof(Elf32_Phdr),
                         .e_phnum = (Elf32_Half)nr_segments};
    memcpy(wide.e_ident, ident, sizeof ident);
    memcpy(narrow.e_ident, ident, sizeof ident);
    fwrite(core->is_64bit ? (const void *)&wide : &narrow, core->is_64bit ? sizeof wide : sizeof narrow, 1,
           to);
}

static void write_segment(const struct core *core, unsigned type, const struct piece *piece, uint64_t offset,
                          FILE *to)
{
    Elf64_Phdr wide = {.p_type = type,
                       .p_flags = piece->flags,
                       .p_offset = offset,
                       .p_vaddr = piece->linear,
                       .p_paddr = piece->physical,
                       .p_filesz = piece->size_bytes,
                       .p_memsz = type == PT_NOTE ? 0 : piece->size_bytes,
                       .p_align =
                           type == PT_NOTE ? 4 : 0}; /* none, as in Linux's cores: crash looks for it */
    Elf32_Phdr narrow = {.p_type = type,
                         .p_flags = piece->flags,
                         .p_offset = (Elf32_Off)offset,
                         .p_vaddr = (Elf32_Addr)piece->linear,
                         .p_paddr = (Elf32_Addr)piece->physical,
                         .p_filesz = (Elf32_Word)piece->size_bytes,
                         .p_memsz = (Elf32_Word)wide.p_memsz,
                         .p_align = (Elf32_Word)wide.p_align};
    fwrite(core->is_64bit ? (const void *)&wide : &narrow, core->is_64bit ? sizeof wide : sizeof narrow, 1,
           to);
}

static bool is_zero(const uint8_t *bytes)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, PAGE_BYTES - 1) == 0;
}

/* Pages that are empty become holes. */
static bool write_ram(const struct core *core, uint64_t offset, FILE *to)
{
    uint8_t *touched = calloc(core->nr_pages, 1);
    if (!touched || !ram_touched(core->ram, touched, core->nr_pages)) {
        if (touched)
            memset(touched, 1, core->nr_pages);
    }
    bool is_good = touched != NULL;
    for (uint64_t i = 0; is_good && i < core->nr_pages; i++) {
        const uint8_t *bytes = core->ram->host + (i << PAGE_SHIFT);
        if (!touched[i] || !(core->page[i] & PAGE_IS_RAM) || is_zero(bytes))
            continue;
        is_good = fseeko(to, (off_t)(offset + (i << PAGE_SHIFT)), SEEK_SET) == 0 &&
                  fwrite(bytes, PAGE_BYTES, 1, to) == 1;
    }
    free(touched);
    return is_good && fflush(to) == 0 && ftruncate(fileno(to), (off_t)(offset + core->ram->size_bytes)) == 0;
}

static bool write_core(const struct core *core, const char *file, struct diag *diag)
{
    uint8_t note[NOTE_BYTES + 32];
    struct outfile out;
    size_t nr_segments = core->nr_pieces + 1;
    uint64_t header_bytes = core->is_64bit ? sizeof(Elf64_Ehdr) + nr_segments * sizeof(Elf64_Phdr)
                                           : sizeof(Elf32_Ehdr) + nr_segments * sizeof(Elf32_Phdr);
    size_t status_bytes = make_note(core, note), kernel_bytes;
    const uint8_t *kernel_note = vmcoreinfo_find(core->ram, &kernel_bytes);
    const struct piece of_note = {.size_bytes = status_bytes + kernel_bytes};
    uint64_t offset = (header_bytes + of_note.size_bytes + PAGE_MASK) & ~(uint64_t)PAGE_MASK;
    if (!core->is_64bit && offset + core->ram->size_bytes > UINT32_MAX)
        return diag_add(diag, EXIT_STATUS_NO_OUTPUT,
                        "%s: an ELF core of a 32-bit guest has no room for so much RAM; "
                        "allowed: machine.ram below 4 GiB",
                        file);
    if (!outfile_open(&out, file, diag))
        return false;
    write_header(core, nr_segments, out.to);
    write_segment(core, PT_NOTE, &of_note, header_bytes, out.to);
    for (size_t i = 0; i < core->nr_pieces; i++)
        write_segment(core, PT_LOAD, &core->piece[i], offset + core->piece[i].physical, out.to);
    fwrite(note, status_bytes, 1, out.to);
    if (kernel_note)
        fwrite(kernel_note, kernel_bytes, 1, out.to);
    if (write_ram(core, offset, out.to))
        return outfile_commit(&out, diag);
    diag_add(diag, EXIT_STATUS_NO_OUTPUT, "%s: cannot be written: %s", file, strerror(errno));
    outfile_abandon(&out);
    return false;
}

bool elf_core_write(const struct cpu *cpu, const struct ram *ram, const char *file, struct diag *diag)
{
    struct core *core = calloc(1, sizeof *core);
    uint8_t *page = calloc(ram->size_bytes >> PAGE_SHIFT, 1);
    uint16_t *nr_aliases = calloc(ram->size_bytes >> PAGE_SHIFT, sizeof *nr_aliases);
    bool is_good = core && page && nr_aliases;
    if (is_good) {
        core->cpu = cpu;
        core->ram = ram;
        core->page = page;
        core->nr_aliases = nr_aliases;
        core->nr_pages = ram->size_bytes >> PAGE_SHIFT;
        core->is_64bit = cpu_state(cpu).efer & EFER_LMA;
        find_pieces(core);
        is_good =
            core->is_full
                ? diag_add(
                      diag, EXIT_STATUS_NO_OUTPUT,
                      "%s: the page tables map more runs of pages than an ELF core can name; allowed: %d",
                      file, MAX_SEGMENTS)
                : write_core(core, file, diag);
    } else {
        diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    }
    free(page);
    free(nr_aliases);
    free(core);
    return is_good;
}
