/*
 * An x86 ELF executable as a plan for loading, and the notes in which it tells loaders about itself.
 */
#ifndef LK_SIM_LOAD_ELF_IMAGE_H
#define LK_SIM_LOAD_ELF_IMAGE_H

#include "sim/load/plan.h"

/* The note's owner is "lookaside"; its contents belong to those who read it. */
enum { ELF_NOTE_LOOKASIDE = 0x4c41 };

bool is_elf(const struct file_map *file);

/*
 * Adds the segments (by physical address) and the entry of an ELF32 executable for i386, or, with takes_64,
 * of an ELF64 executable for x86-64. What is not allowed is a line, and false.
 */
bool elf_plan(struct load_plan *plan, bool takes_64, struct diag *diag);

/*
 * The 32-bit entry for PVH: the contents of the note of owner "Xen" and type 18, XEN_ELFNOTE_PHYS32_ENTRY,
 * a number of 4 or 8 bytes. False when the file has none, or is no ELF file that could be read.
 */
bool elf_pvh_entry(const struct file_map *file, uint64_t *entry);

/*
 * The bytes of the first note of owner "lookaside" and type ELF_NOTE_LOOKASIDE, from malloc(), in *note; NULL
 * when the file has none. False, with a line, only when memory is short.
 */
bool elf_read_note(const struct file_map *file, uint8_t **note, size_t *nr_bytes, struct diag *diag);

#endif
