/* A9. A constant lies in .rodata, in pages mapped read-only: the MMU keeps the compiler's promise. */
#include "mman.h"
#include "trial.h"

#define PAGE_BYTES 4096u
#define VALUE 0x5EC0DE5u

int main(void);

static const u32 constant[] = {VALUE};
static volatile u32 variable = VALUE;

static uintptr_t page_of(const volatile void *address)
{
    return (uintptr_t)address & ~(uintptr_t)(PAGE_BYTES - 1);
}

static void write_constant(void)
{
    write_to((uintptr_t)constant);
}

static void write_code(void)
{
    write_to((uintptr_t)main);
}

static void write_string(void)
{
    write_to((uintptr_t) "a literal");
}

static void write_variable(void)
{
    write_to((uintptr_t)&variable);
}

/* The same store to the same address: only the entry's R/W bit is another. */
static void write_after_mprotect(void)
{
    if (mprotect((void *)page_of(constant), PAGE_BYTES, PROT_READ | PROT_WRITE))
        exit(1);
    *(volatile u32 *)(uintptr_t)constant = 1;
    exit(*(volatile const u32 *)constant == 1 ? 0 : 2);
}

int main(void)
{
    lab_say("a constant at %08lx, a variable at %08lx, main at %08lx", (unsigned long)constant,
            (unsigned long)&variable, (unsigned long)main);
    lab_check(page_of(constant) != page_of(&variable), "constant and variable lie in different pages");
    check_trial(write_constant, SIGSEGV, "writes to a constant");
    check_trial(write_string, SIGSEGV, "writes to a string literal");
    check_trial(write_code, SIGSEGV, "writes to its code");
    check_trial(write_variable, 0, "writes to a variable");
    check_trial(write_after_mprotect, 0, "makes the constant's page writable and writes to it");
    lab_check(*(volatile const u32 *)constant == VALUE && variable == VALUE,
              "none of that reached this process, whose children they were");
    return (int)lab_status();
}
