/* Starting a program: a new address space, and on its stack what the C library's start code expects there. */
#include "asm/page.h"
#include "asm/ptrace.h"
#include "asm/switch_to.h"
#include "asm/uaccess.h"
#include "binfmts.h"
#include "elf.h"
#include "lookaside.h"
#include "params.h"
#include "sched.h"
#include "string.h"

const struct user_program *find_user_program(const char *name)
{
    const struct user_program *program = __start_user_programs;
    for (; program < __stop_user_programs; program++)
        if (strcmp(program->name, name) == 0)
            return program;
    return NULL;
}

static int setup_stack_area(struct mm_struct *mm)
{
    const struct vm_area_struct stack = {.vm_start = STACK_TOP - PAGE_SIZE,
                                         .vm_end = STACK_TOP,
                                         .vm_flags = VM_READ | VM_WRITE | VM_GROWSDOWN,
                                         .fault_kind = FAULT_STACK};
    return insert_vma(mm, &stack);
}

/* Copies a string to just below *sp and moves *sp there. */
static int push_string(unsigned long *sp, const char *text)
{
    size_t bytes = strlen(text) + 1;
    *sp -= bytes;
    return copy_to_user((void *)*sp, text, bytes) ? -E2BIG : 0;
}

/*
 * The words at the first stack pointer, upwards: argc, argv[], NULL, envp[], NULL, auxiliary vector (System
 * V ABI, i386).
 */
struct start_words {
    u32 word[3 + 2 * MAX_INIT_ENVS + 16];
    unsigned int nr;
};

static void add_word(struct start_words *words, unsigned long value)
{
    words->word[words->nr++] = (u32)value;
}

static void add_aux(struct start_words *words, unsigned long type, unsigned long value)
{
    add_word(words, type);
    add_word(words, value);
}

/* The strings go on the stack, their addresses into the words. */
static int add_strings(struct start_words *words, unsigned long *sp, const char *const strings[])
{
    for (unsigned int i = 0; strings[i]; i++) {
        if (push_string(sp, strings[i]))
            return -E2BIG;
        add_word(words, *sp);
    }
    return 0;
}

static u32 count_strings(const char *const strings[])
{
    u32 count = 0;
    while (strings[count])
        count++;
    return count;
}

static int create_elf_tables(unsigned long *sp, const char *const argv[], const char *const envp[],
                             const struct elf_start *start)
{
    struct start_words words = {.nr = 0};
    /* The last word of the stack stays 0. */
    *sp = STACK_TOP - sizeof(u32);
    add_word(&words, count_strings(argv));
    if (add_strings(&words, sp, argv))
        return -E2BIG;
    add_word(&words, 0);
    if (add_strings(&words, sp, envp))
        return -E2BIG;
    add_word(&words, 0);
    add_aux(&words, AT_PAGESZ, PAGE_SIZE);
    add_aux(&words, AT_PHDR, start->phdr);
    add_aux(&words, AT_PHENT, sizeof(struct elf32_phdr));
    add_aux(&words, AT_PHNUM, start->nr_phdrs);
    add_aux(&words, AT_ENTRY, start->entry);
    add_aux(&words, AT_NULL, 0);

    *sp = ALIGN_DOWN(*sp - words.nr * sizeof(u32), 16ul);
    return copy_to_user((void *)*sp, words.word, words.nr * sizeof(u32)) ? -E2BIG : 0;
}

int do_execve(const char *name, const char *const argv[], const char *const envp[])
{
    const struct user_program *program = find_user_program(name);
    if (program == NULL)
        return -ENOENT;
    struct mm_struct *mm = mm_alloc();
    if (mm == NULL)
        return -ENOMEM;
    struct elf_start start;
    int error =
        load_elf_binary(mm, program->image, (unsigned long)(program->image_end - program->image), &start);
    if (error == 0)
        error = setup_stack_area(mm);
    if (error == 0)
        error = begin_new_exec(mm, name);
    if (error) {
        mmput(mm);
        return error;
    }
    lk_name_task((u32)__pa(mm->pgd), current->comm);

    unsigned long sp;
    error = create_elf_tables(&sp, argv, envp, &start);
    /* The program that would have to be told is gone. */
    if (error)
        force_fatal_sig(SIGKILL);
    mm->start_stack = sp;
    start_thread(task_pt_regs(current), start.entry, sp);
    return 0;
}
