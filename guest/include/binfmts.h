/* Programs and their start: what execve(2) needs. */
#pragma once

#include "types.h"

struct file;
struct mm_struct;

/* One row for each program in user/embed.S: what the rootfs has in /bin. */
struct user_program {
    const char *name;
    const u8 *image, *image_end;
};

extern const struct user_program __start_user_programs[], __stop_user_programs[];

#define BINPRM_BUF_SIZE 256

/* A program on its way. */
struct linux_binprm {
    char buf[BINPRM_BUF_SIZE]; /* how the file begins, with zeroes behind its end */
    struct file *file;         /* what is loaded: the program, or in the end the one that runs the script */
    struct mm_struct *mm;      /* the new address space, with nothing but a stack at first */
    unsigned long p;           /* the lowest byte of the stack that is in use */
    unsigned long exec;        /* where on it the name stands */
    u32 argc, envc;
};

/* Where a loaded program begins, and what the auxiliary vector says about it. */
struct elf_start {
    unsigned long entry;         /* of the dynamic linker, if there is one */
    unsigned long program_entry; /* of the program */
    unsigned long phdr, nr_phdrs;
    unsigned long interp_base; /* where the dynamic linker lies, or 0 */
};

/*
 * exec.c: replaces the current task's address space by the program's; the task must be about to return to
 * user mode. For the kernel's own callers: strings are in kernel memory, and a name without a slash means
 * /bin/NAME.
 */
int do_execve(const char *name, const char *const argv[], const char *const envp[]);
/* Puts strings in front of those that the new stack has. argc counts them. 0, -E2BIG, -ENOMEM. */
int copy_string_kernel(const char *text, struct linux_binprm *bprm);
/* Takes away the first argument. */
int remove_arg_zero(struct linux_binprm *bprm);
/* Opens another program in place of the one in bprm, and reads how it begins. */
int open_binary(struct linux_binprm *bprm, const char *name);

/* binfmt_elf.c: gives bprm->mm the areas of a program, and of its dynamic linker. -ENOEXEC: it is none. */
int load_elf_binary(struct linux_binprm *bprm, struct elf_start *start);
/*
 * binfmt_script.c: the program of "#! program argument", whose name goes to runner, takes the place of the
 * script. -ENOEXEC: it is none.
 */
int load_script(struct linux_binprm *bprm, const char *name, char runner[BINPRM_BUF_SIZE]);
