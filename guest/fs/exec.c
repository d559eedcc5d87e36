/* Starting a program: a new address space, and on its stack what the C library's start code expects there. */
#include "asm/cpuid.h"
#include "asm/page.h"
#include "asm/ptrace.h"
#include "asm/switch_to.h"
#include "binfmts.h"
#include "cred.h"
#include "elf.h"
#include "err.h"
#include "fdtable.h"
#include "fs.h"
#include "fs_calls.h"
#include "jiffies.h"
#include "lookaside.h"
#include "namei.h"
#include "printk.h"
#include "random.h"
#include "sched.h"
#include "slab.h"
#include "string.h"
#include "sys_task.h"
#include "uaccess.h"

/* Of one string, and of all of them when the stack may not become large. */
#define MAX_ARG_STRLEN (32 * PAGE_SIZE)
#define MIN_ARG_BYTES (32 * PAGE_SIZE)
#define MAX_SCRIPTS 4
#define USER_POINTER_BYTES 4ul
#define RANDOM_BYTES 16
/* What times(2) counts in (Linux's USER_HZ). */
#define CLOCK_TICKS_PER_SECOND 100

/* ---- The new stack ---- */

static int setup_stack_area(struct mm_struct *mm)
{
    const struct vm_area_struct stack = {.vm_start = STACK_TOP - PAGE_SIZE,
                                         .vm_end = STACK_TOP,
                                         .vm_flags = VM_READ | VM_WRITE | VM_GROWSDOWN,
                                         .fault_kind = FAULT_STACK};
    return insert_vma(mm, &stack);
}

/* Puts bytes in front of what is there. */
static int push_bytes(struct linux_binprm *bprm, const void *from, unsigned long bytes)
{
    unsigned long most = max(bprm->mm->stack_limit_bytes / 4, MIN_ARG_BYTES);
    if (bytes > most || STACK_TOP - bprm->p > most - bytes)
        return -E2BIG;
    bprm->p -= bytes;
    int error = write_remote_memory(bprm->mm, bprm->p, from, bytes);
    return error == -EFAULT ? -E2BIG : error;
}

int copy_string_kernel(const char *text, struct linux_binprm *bprm)
{
    int error = push_bytes(bprm, text, strlen(text) + 1);
    bprm->argc += error == 0;
    return error;
}

/* The length of a string on the new stack, with its NUL. */
static unsigned long length_at(const struct linux_binprm *bprm, unsigned long address)
{
    unsigned long length = 0;
    char c;
    while (read_remote_memory(bprm->mm, address + length, &c, 1) && c)
        length++;
    return length + 1;
}

int remove_arg_zero(struct linux_binprm *bprm)
{
    bprm->p += length_at(bprm, bprm->p);
    bprm->argc--;
    return 0;
}

/* ---- Strings of the caller ---- */

/* The address of string i of a list that ends with a 0; 0: that was the end. No list is an empty one. */
static int get_string_address(u32 list, u32 i, u32 *address)
{
    *address = 0;
    return list ? get_user_u32(address, user_ptr(list + i * USER_POINTER_BYTES)) : 0;
}

static int count_strings(u32 list, u32 *count)
{
    for (*count = 0;; ++*count) {
        u32 address;
        if (get_string_address(list, *count, &address))
            return -EFAULT;
        if (address == 0)
            return 0;
        if (*count == MAX_ARG_STRLEN)
            return -E2BIG;
    }
}

/* Copies the string in pieces, the last one first, so that it grows downwards as the stack does. */
static int push_user_string(struct linux_binprm *bprm, u32 address, char *page)
{
    unsigned long bytes = 0;
    long length;
    do {
        length = strncpy_from_user(page, user_ptr(address + bytes), (long)PAGE_SIZE);
        if (length < 0)
            return -EFAULT;
        bytes += (unsigned long)length;
        if (bytes >= MAX_ARG_STRLEN)
            return -E2BIG;
    } while (length == (long)PAGE_SIZE);
    int error = push_bytes(bprm, "", 1);
    while (bytes > 0 && error == 0) {
        unsigned long part = (bytes - 1) % PAGE_SIZE + 1;
        bytes -= part;
        error =
            copy_from_user(page, user_ptr(address + bytes), part) ? -EFAULT : push_bytes(bprm, page, part);
    }
    return error;
}

static int push_user_strings(struct linux_binprm *bprm, u32 list, u32 count)
{
    char *page = (char *)__get_free_pages(GFP_KERNEL, 0);
    int error = page ? 0 : -ENOMEM;
    for (u32 i = count; i-- > 0 && error == 0;) {
        u32 address;
        error = get_string_address(list, i, &address);
        error = error ? error : push_user_string(bprm, address, page);
    }
    if (page)
        free_pages((unsigned long)page, 0);
    return error;
}

/* ---- The words below the strings ---- */

struct aux {
    u32 type, value;
};

/*
 * The words at the first stack pointer, upwards: argc, argv[], NULL, envp[], NULL, auxiliary vector (System
 * V ABI, i386).
 */
static int push_words(struct linux_binprm *bprm, const struct aux *aux, u32 nr_aux, unsigned long strings)
{
    const unsigned long nr_words = 1 + bprm->argc + 1 + bprm->envc + 1;
    const u32 argc = bprm->argc, zero = 0;
    struct mm_struct *mm = bprm->mm;
    unsigned long sp = ALIGN_DOWN(bprm->p - nr_words * sizeof(u32) - nr_aux * sizeof(*aux), 16ul), at = sp;
    bprm->p = sp;
    mm->arg_start = strings;
    int error = write_remote_memory(mm, at, &argc, sizeof(argc));
    for (u32 i = 0; i < bprm->argc + bprm->envc && error == 0; i++) {
        if (i == bprm->argc) {
            error = write_remote_memory(mm, at += sizeof(u32), &zero, sizeof(zero));
            mm->arg_end = mm->env_start = strings;
        }
        const u32 address = (u32)strings;
        error = error ? error : write_remote_memory(mm, at += sizeof(u32), &address, sizeof(address));
        strings += length_at(bprm, strings);
    }
    if (bprm->envc == 0) {
        error = error ? error : write_remote_memory(mm, at += sizeof(u32), &zero, sizeof(zero));
        mm->arg_end = mm->env_start = strings;
    }
    mm->env_end = strings;
    error = error ? error : write_remote_memory(mm, at += sizeof(u32), &zero, sizeof(zero));
    return error ? error : write_remote_memory(mm, at + sizeof(u32), aux, nr_aux * sizeof(*aux));
}

static int create_elf_tables(struct linux_binprm *bprm, const struct elf_start *start)
{
    static const char platform[] = "i686";
    const unsigned long strings = bprm->p;
    u8 random[RANDOM_BYTES];
    get_random_bytes(random, sizeof(random));
    int error = push_bytes(bprm, platform, sizeof(platform));
    const unsigned long platform_address = bprm->p;
    bprm->p = ALIGN_DOWN(bprm->p, 16ul);
    error = error ? error : push_bytes(bprm, random, sizeof(random));
    if (error)
        return error;
    const struct aux aux[] = {
        {AT_HWCAP, cpu_features()},
        {AT_PAGESZ, PAGE_SIZE},
        {AT_CLKTCK, CLOCK_TICKS_PER_SECOND},
        {AT_PHDR, start->phdr},
        {AT_PHENT, sizeof(struct elf32_phdr)},
        {AT_PHNUM, start->nr_phdrs},
        {AT_BASE, start->interp_base},
        {AT_FLAGS, 0},
        {AT_ENTRY, start->program_entry},
        {AT_UID, current_uid()},
        {AT_EUID, current_euid()},
        {AT_GID, current_gid()},
        {AT_EGID, current_egid()},
        {AT_SECURE, 0}, /* set-user-ID bits mean nothing here */
        {AT_RANDOM, bprm->p},
        {AT_HWCAP2, 0},
        {AT_EXECFN, bprm->exec},
        {AT_PLATFORM, platform_address},
        {AT_NULL, 0},
    };
    return push_words(bprm, aux, ARRAY_SIZE(aux), strings);
}

/* ---- The whole ---- */

int open_binary(struct linux_binprm *bprm, const char *name)
{
    struct file *file = open_exec(name);
    if (IS_ERR(file))
        return (int)PTR_ERR(file);
    if (bprm->file)
        fput(bprm->file);
    bprm->file = file;
    memset(bprm->buf, 0, sizeof(bprm->buf));
    loff_t pos = 0;
    ssize_t got = kernel_read(file, bprm->buf, sizeof(bprm->buf), &pos);
    return got < 0 ? (int)got : 0;
}

/* The strings of the caller, on the new stack: the name, the environment, the arguments. */
static int push_strings(struct linux_binprm *bprm, const char *name, u32 argv, u32 envp)
{
    int error = count_strings(argv, &bprm->argc);
    error = error ? error : count_strings(envp, &bprm->envc);
    /* The last word of the stack stays 0. */
    bprm->p = STACK_TOP - sizeof(u32);
    error = error ? error : push_bytes(bprm, name, strlen(name) + 1);
    bprm->exec = bprm->p;
    error = error ? error : push_user_strings(bprm, envp, bprm->envc);
    error = error ? error : push_user_strings(bprm, argv, bprm->argc);
    /* There always is a first argument. */
    if (error == 0 && bprm->argc == 0)
        error = copy_string_kernel("", bprm);
    return error;
}

static int load_binary(struct linux_binprm *bprm, const char *name, struct elf_start *start)
{
    char program[BINPRM_BUF_SIZE], script[BINPRM_BUF_SIZE];
    int error = load_elf_binary(bprm, start);
    /* Who runs a script may be one, too. */
    for (u32 i = 0; error == -ENOEXEC; i++) {
        if (i == MAX_SCRIPTS)
            return -ELOOP;
        error = load_script(bprm, name, program);
        if (error)
            return error;
        strlcpy(script, program, sizeof(script));
        name = script;
        error = load_elf_binary(bprm, start);
    }
    return error;
}

static const char *base_name(const char *path)
{
    const char *name = path;
    for (; *path; path++)
        if (*path == '/')
            name = path + 1;
    return name;
}

static int exec_program(struct linux_binprm *bprm, const char *name, u32 argv, u32 envp)
{
    struct mm_struct *mm = bprm->mm;
    struct elf_start start;
    mm->stack_limit_bytes = rlimit(RLIMIT_STACK);
    int error = setup_stack_area(mm);
    error = error ? error : open_binary(bprm, name);
    error = error ? error : push_strings(bprm, name, argv, envp);
    error = error ? error : load_binary(bprm, name, &start);
    error = error ? error : create_elf_tables(bprm, &start);
    error = error ? error : deny_write_access(bprm->file);
    if (error)
        return error;
    mm->exe_file = get_file(bprm->file);
    mm->start_stack = bprm->p;
    error = unshare_files();
    error = error ? error : begin_new_exec(mm, base_name(name));
    if (error)
        return error;
    do_close_on_exec();
    lk_name_task((u32)__pa(mm->pgd), current->comm);
    start_thread(task_pt_regs(current), start.entry, bprm->p);
    return 0;
}

static int do_execve_common(const char *name, u32 argv, u32 envp)
{
    struct linux_binprm *bprm = kzalloc(sizeof(*bprm), GFP_KERNEL);
    if (bprm == NULL)
        return -ENOMEM;
    bprm->mm = mm_alloc();
    int error = bprm->mm ? exec_program(bprm, name, argv, envp) : -ENOMEM;
    if (error && bprm->mm)
        mmput(bprm->mm);
    if (bprm->file)
        fput(bprm->file);
    kfree(bprm);
    return error;
}

int do_execve(const char *name, const char *const argv[], const char *const envp[])
{
    char path[64];
    if (strchr(name, '/') == NULL) {
        snprintf(path, sizeof(path), "/bin/%s", name);
        name = path;
    }
    bool before = set_fs_kernel(true);
    int error = do_execve_common(name, (u32)argv, (u32)envp);
    set_fs_kernel(before);
    return error;
}

long sys_execve(const struct pt_regs *regs)
{
    char *name = getname(user_ptr(regs->bx));
    if (IS_ERR(name))
        return PTR_ERR(name);
    long error = do_execve_common(name, regs->cx, regs->dx);
    putname(name);
    /* The new program begins with the registers that start_thread() made. */
    return error ? error : (long)task_pt_regs(current)->ax;
}
