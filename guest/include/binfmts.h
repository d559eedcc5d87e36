/* Programs and their start: what execve(2) needs. */
#pragma once

#include "types.h"

struct mm_struct;

/* One row for each program in user/embed.S. */
struct user_program {
    const char *name;
    const u8 *image, *image_end;
};

extern const struct user_program __start_user_programs[], __stop_user_programs[];

const struct user_program *find_user_program(const char *name);

/* What a loaded program needs to start, as the auxiliary vector has it. */
struct elf_start {
    unsigned long entry, phdr, nr_phdrs;
};

/*
 * Replaces the current task's address space by the program's; the task must be about to return to user
 * mode. argv and envp have at most MAX_INIT_ENVS strings each, in kernel memory.
 */
int do_execve(const char *name, const char *const argv[], const char *const envp[]);
/* Gives mm the areas of an ELF image. Returns -ENOEXEC for what is not a static i386 program. */
int load_elf_binary(struct mm_struct *mm, const u8 *image, unsigned long bytes, struct elf_start *start);
