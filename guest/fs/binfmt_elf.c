/*
 * ELF32 programs: each PT_LOAD segment becomes an area of the file; pages come in when they are touched. A
 * program that names a dynamic linker (PT_INTERP) gets that one loaded too, and begins in it.
 */
#include "binfmts.h"
#include "elf.h"
#include "err.h"
#include "fs.h"
#include "mm_types.h"
#include "mman.h"
#include "slab.h"
#include "string.h"

#define MAX_PHDRS 128u
/* Where programs go that can lie anywhere: far from both the heap of others and the libraries. */
#define ELF_ET_DYN_BASE (TASK_SIZE / 3 * 2)

/* An ELF file. */
struct elf_image {
    struct file *file;
    struct elf32_hdr hdr;
    struct elf32_phdr *segments;
    unsigned long bias; /* of its addresses */
};

/* Exactly these bytes, or -ENOEXEC, or -EIO. */
static int read_exactly(struct file *file, void *buf, u32 bytes, u32 offset)
{
    loff_t pos = offset;
    ssize_t got = kernel_read(file, buf, bytes, &pos);
    if (got < 0)
        return (int)got;
    return (u32)got == bytes ? 0 : -ENOEXEC;
}

static bool is_i386_program(const struct elf32_hdr *elf)
{
    return memcmp(elf->e_ident, ELFMAG, 4) == 0 && elf->e_ident[4] == ELFCLASS32 &&
           elf->e_ident[5] == ELFDATA2LSB && (elf->e_type == ET_EXEC || elf->e_type == ET_DYN) &&
           elf->e_machine == EM_386 && elf->e_phentsize == sizeof(struct elf32_phdr) && elf->e_phnum > 0 &&
           elf->e_phnum <= MAX_PHDRS;
}

/* Reads the table of segments, which the caller frees. */
static int read_segments(struct elf_image *image)
{
    const u32 bytes = image->hdr.e_phnum * (u32)sizeof(struct elf32_phdr);
    if (!is_i386_program(&image->hdr) || image->file->f_op->mmap == NULL)
        return -ENOEXEC;
    image->segments = kmalloc(bytes, GFP_KERNEL);
    if (image->segments == NULL)
        return -ENOMEM;
    return read_exactly(image->file, image->segments, bytes, image->hdr.e_phoff);
}

static u32 segment_vm_flags(u32 p_flags)
{
    return ((p_flags & PF_R) ? VM_READ : 0) | ((p_flags & PF_W) ? VM_WRITE : 0) |
           ((p_flags & PF_X) ? VM_EXEC : 0);
}

static bool is_load(const struct elf32_phdr *segment)
{
    return segment->p_type == PT_LOAD && segment->p_memsz;
}

static bool segment_is_sane(const struct elf32_phdr *segment)
{
    return segment->p_filesz <= segment->p_memsz &&
           segment->p_offset + segment->p_filesz >= segment->p_offset && segment->p_vaddr < TASK_SIZE &&
           segment->p_memsz < TASK_SIZE - segment->p_vaddr &&
           (segment->p_offset & ~PAGE_MASK) == (segment->p_vaddr & ~PAGE_MASK);
}

static int map_file_part(struct mm_struct *mm, const struct elf_image *image,
                         const struct elf32_phdr *segment, unsigned long start, unsigned long end)
{
    u32 flags = segment_vm_flags(segment->p_flags);
    struct vm_area_struct area = {.vm_start = start,
                                  .vm_end = end,
                                  .vm_flags = flags,
                                  .vm_file = image->file,
                                  .vm_pgoff = segment->p_offset >> PAGE_SHIFT,
                                  .fault_kind = (flags & VM_EXEC) ? FAULT_TEXT : FAULT_DATA};
    int error = image->file->f_op->mmap(image->file, &area);
    return error ? error : insert_vma(mm, &area);
}

/* The part of a segment that is in the file, and behind it, up to its end, zeroes. */
static int map_segment(struct mm_struct *mm, const struct elf_image *image, const struct elf32_phdr *segment)
{
    const unsigned long address = image->bias + segment->p_vaddr, start = address & PAGE_MASK;
    const unsigned long content_end = address + segment->p_filesz;
    const unsigned long file_end = segment->p_filesz ? PAGE_ALIGN(content_end) : start;
    const unsigned long end = PAGE_ALIGN(address + segment->p_memsz);
    int error = segment->p_filesz ? map_file_part(mm, image, segment, start, file_end) : 0;
    if (error == 0 && segment->p_memsz > segment->p_filesz && (segment->p_flags & PF_W) &&
        content_end < file_end)
        error = write_remote_memory(mm, content_end, NULL, file_end - content_end);
    if (error || end <= file_end)
        return error;
    const struct vm_area_struct bss = {.vm_start = file_end,
                                       .vm_end = end,
                                       .vm_flags = segment_vm_flags(segment->p_flags),
                                       .fault_kind = FAULT_BSS};
    return insert_vma(mm, &bss);
}

/* What can lie anywhere gets a place for all of its segments together. */
static int find_place(struct mm_struct *mm, struct elf_image *image, unsigned long hint)
{
    unsigned long low = TASK_SIZE, high = 0;
    for (u32 i = 0; i < image->hdr.e_phnum; i++) {
        const struct elf32_phdr *segment = &image->segments[i];
        if (!is_load(segment))
            continue;
        if (!segment_is_sane(segment))
            return -ENOEXEC;
        low = min(low, segment->p_vaddr & PAGE_MASK);
        high = max(high, PAGE_ALIGN(segment->p_vaddr + segment->p_memsz));
    }
    if (low >= high)
        return -ENOEXEC;
    image->bias = 0;
    if (image->hdr.e_type == ET_EXEC)
        return 0;
    unsigned long place = get_unmapped_area(mm, hint, high - low);
    if (place == 0)
        return -ENOMEM;
    image->bias = place - low;
    return 0;
}

static int map_image(struct mm_struct *mm, const struct elf_image *image)
{
    for (u32 i = 0; i < image->hdr.e_phnum; i++) {
        if (!is_load(&image->segments[i]))
            continue;
        int error = map_segment(mm, image, &image->segments[i]);
        if (error)
            return error == -EINVAL ? -ENOEXEC : error;
    }
    return 0;
}

/* ---- The dynamic linker ---- */

/* Opens what the program names; NULL: it names none. */
static struct file *open_interp(const struct elf_image *program)
{
    char name[BINPRM_BUF_SIZE];
    const struct elf32_phdr *segment = program->segments;
    const struct elf32_phdr *end = segment + program->hdr.e_phnum;
    while (segment < end && segment->p_type != PT_INTERP)
        segment++;
    if (segment == end)
        return NULL;
    if (segment->p_filesz < 2 || segment->p_filesz > sizeof(name))
        return ERR_PTR(-ENOEXEC);
    int error = read_exactly(program->file, name, segment->p_filesz, segment->p_offset);
    if (error)
        return ERR_PTR(error);
    if (name[segment->p_filesz - 1] != '\0')
        return ERR_PTR(-ENOEXEC);
    return open_exec(name);
}

static int load_interp(struct mm_struct *mm, struct file *file, struct elf_start *start)
{
    struct elf_image image = {.file = file};
    int error = read_exactly(file, &image.hdr, sizeof(image.hdr), 0);
    error = error ? error : read_segments(&image);
    error = error ? error : find_place(mm, &image, 0);
    error = error ? error : map_image(mm, &image);
    kfree(image.segments);
    if (error)
        return error == -ENOEXEC ? -ELIBBAD : error;
    start->entry = image.bias + image.hdr.e_entry;
    start->interp_base = image.bias;
    return 0;
}

/* ---- The program ---- */

static void note_bounds(struct mm_struct *mm, const struct elf_image *image)
{
    for (u32 i = 0; i < image->hdr.e_phnum; i++) {
        const struct elf32_phdr *segment = &image->segments[i];
        if (!is_load(segment))
            continue;
        unsigned long start = image->bias + segment->p_vaddr, end = start + segment->p_memsz;
        if (segment->p_flags & PF_X) {
            mm->start_code = start;
            mm->end_code = end;
        } else if (segment->p_flags & PF_W) {
            mm->start_data = start;
            mm->end_data = start + segment->p_filesz;
        }
        if (end > mm->brk)
            mm->start_brk = mm->brk = end;
    }
}

static void note_start(const struct elf_image *image, struct elf_start *start)
{
    const struct elf32_hdr *elf = &image->hdr;
    *start = (struct elf_start){.nr_phdrs = elf->e_phnum};
    start->entry = start->program_entry = image->bias + elf->e_entry;
    for (u32 i = 0; i < elf->e_phnum; i++) {
        const struct elf32_phdr *segment = &image->segments[i];
        if (is_load(segment) && elf->e_phoff >= segment->p_offset &&
            elf->e_phoff < segment->p_offset + segment->p_filesz)
            start->phdr = image->bias + segment->p_vaddr + elf->e_phoff - segment->p_offset;
    }
}

/* A program that does not say that its stack holds no code may have code there. */
static void set_stack_flags(struct mm_struct *mm, const struct elf_image *image)
{
    struct vm_area_struct *stack = find_vma(mm, STACK_TOP - 1);
    for (u32 i = 0; i < image->hdr.e_phnum; i++)
        if (image->segments[i].p_type == PT_GNU_STACK && !(image->segments[i].p_flags & PF_X))
            return;
    stack->vm_flags |= VM_EXEC;
    change_protection(stack, stack->vm_start, stack->vm_end);
}

static int load_program(struct mm_struct *mm, struct elf_image *image, struct elf_start *start)
{
    int error = read_segments(image);
    struct file *interp = error ? NULL : open_interp(image);
    if (IS_ERR(interp))
        return (int)PTR_ERR(interp);
    /* A dynamic linker that is run as a program goes where it would go otherwise. */
    error = error ? error : find_place(mm, image, interp ? ELF_ET_DYN_BASE : 0);
    error = error ? error : map_image(mm, image);
    if (error == 0) {
        note_bounds(mm, image);
        note_start(image, start);
        set_stack_flags(mm, image);
    }
    if (interp) {
        error = error ? error : load_interp(mm, interp, start);
        fput(interp);
    }
    return error;
}

int load_elf_binary(struct linux_binprm *bprm, struct elf_start *start)
{
    struct elf_image image = {.file = bprm->file};
    memcpy(&image.hdr, bprm->buf, sizeof(image.hdr));
    int error = load_program(bprm->mm, &image, start);
    kfree(image.segments);
    return error;
}
