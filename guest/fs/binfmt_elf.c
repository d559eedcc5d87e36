/* Static ELF32 programs: each PT_LOAD segment becomes an area; pages come in when they are touched. */
#include "binfmts.h"
#include "elf.h"
#include "errno.h"
#include "mm_types.h"
#include "string.h"

static bool is_static_i386_program(const struct elf32_hdr *elf, unsigned long bytes)
{
    return bytes >= sizeof(*elf) && memcmp(elf->e_ident, ELFMAG, 4) == 0 && elf->e_ident[4] == ELFCLASS32 &&
           elf->e_ident[5] == ELFDATA2LSB && elf->e_type == ET_EXEC && elf->e_machine == EM_386 &&
           elf->e_phentsize == sizeof(struct elf32_phdr) && elf->e_phoff <= bytes &&
           elf->e_phnum <= (bytes - elf->e_phoff) / sizeof(struct elf32_phdr);
}

static u32 segment_vm_flags(u32 p_flags)
{
    return ((p_flags & PF_R) ? VM_READ : 0) | ((p_flags & PF_W) ? VM_WRITE : 0) |
           ((p_flags & PF_X) ? VM_EXEC : 0);
}

/* The part of a segment that is in the file, and behind it, in whole pages, the part that is not. */
static int map_segment(struct mm_struct *mm, const struct elf32_phdr *segment, const u8 *image)
{
    unsigned long start = segment->p_vaddr & PAGE_MASK, lead = segment->p_vaddr - start;
    unsigned long file_end = segment->p_filesz ? PAGE_ALIGN(segment->p_vaddr + segment->p_filesz) : start;
    unsigned long end = PAGE_ALIGN(segment->p_vaddr + segment->p_memsz);
    u32 flags = segment_vm_flags(segment->p_flags);
    if (segment->p_filesz) {
        const struct vm_area_struct area = {.vm_start = start,
                                            .vm_end = file_end,
                                            .vm_flags = flags,
                                            .vm_image = image + segment->p_offset - lead,
                                            .vm_image_bytes = segment->p_filesz + lead,
                                            .fault_kind = (flags & VM_EXEC) ? FAULT_TEXT : FAULT_DATA};
        int error = insert_vma(mm, &area);
        if (error)
            return error;
    }
    if (end <= file_end)
        return 0;
    const struct vm_area_struct bss = {
        .vm_start = file_end, .vm_end = end, .vm_flags = flags, .fault_kind = FAULT_BSS};
    return insert_vma(mm, &bss);
}

static bool segment_is_sane(const struct elf32_phdr *segment, unsigned long image_bytes)
{
    return segment->p_filesz <= segment->p_memsz && segment->p_offset <= image_bytes &&
           segment->p_filesz <= image_bytes - segment->p_offset && segment->p_vaddr < TASK_SIZE &&
           segment->p_memsz < TASK_SIZE - segment->p_vaddr &&
           (segment->p_offset & ~PAGE_MASK) == (segment->p_vaddr & ~PAGE_MASK);
}

static void note_bounds(struct mm_struct *mm, const struct elf32_phdr *segment)
{
    unsigned long start = segment->p_vaddr, end = start + segment->p_memsz;
    if (segment->p_flags & PF_X) {
        mm->start_code = start;
        mm->end_code = end;
    } else if (segment->p_flags & PF_W) {
        mm->start_data = start;
        mm->end_data = end;
    }
    if (end > mm->brk)
        mm->start_brk = mm->brk = end;
}

int load_elf_binary(struct mm_struct *mm, const u8 *image, unsigned long bytes, struct elf_start *start)
{
    const struct elf32_hdr *elf = (const void *)image;
    if (!is_static_i386_program(elf, bytes))
        return -ENOEXEC;
    const struct elf32_phdr *segments = (const void *)(image + elf->e_phoff);
    *start = (struct elf_start){.entry = elf->e_entry, .nr_phdrs = elf->e_phnum};
    for (unsigned int i = 0; i < elf->e_phnum; i++) {
        const struct elf32_phdr *segment = &segments[i];
        if (segment->p_type != PT_LOAD || segment->p_memsz == 0)
            continue;
        if (!segment_is_sane(segment, bytes))
            return -ENOEXEC;
        int error = map_segment(mm, segment, image);
        if (error)
            return error;
        note_bounds(mm, segment);
        if (elf->e_phoff >= segment->p_offset && elf->e_phoff < segment->p_offset + segment->p_filesz)
            start->phdr = segment->p_vaddr + elf->e_phoff - segment->p_offset;
    }
    return 0;
}
