/*
 * A 32-bit x86 ELF executable as a plan for loading, and the note in which it tells lookaside about itself.
 */
#ifndef LK_SIM_LOAD_ELF_IMAGE_H
#define LK_SIM_LOAD_ELF_IMAGE_H

#include "sim/load/plan.h"

/* The note's owner is "lookaside"; its contents belong to those who read it. */
enum { ELF_NOTE_LOOKASIDE = 0x4c41 };

bool is_elf(const struct file_map *file);

/* Adds the segments (by physical address) and the entry. What is not allowed is a line, and false. */
bool elf_plan(struct load_plan *plan, struct diag *diag);

/*
 * The bytes of the first note of owner "lookaside" and type ELF_NOTE_LOOKASIDE, from malloc(), in *note; NULL
 * when the file has none. False, with a line, only when memory is short.
 */
bool elf_read_note(const struct file_map *file, uint8_t **note, size_t *nr_bytes, struct diag *diag);

#endif
