/*
 * F4, F7. What a program must not touch: a child does it, and its parent is told which signal ended it.
 */
#include "mman.h"
#include "trial.h"

#define PAGE_BYTES 4096u
#define KERNEL_ADDRESS 0xC0100000u

int main(void);

static u8 *page;

static void null_pointer(void)
{
    read_from(0);
}

static void text(void)
{
    write_to((uintptr_t)main);
}

static void kernel_read(void)
{
    read_from(KERNEL_ADDRESS);
}

static void kernel_write(void)
{
    write_to(KERNEL_ADDRESS);
}

static void read_only(void)
{
    mprotect(page, PAGE_BYTES, PROT_READ);
    read_from((uintptr_t)page);
    write_to((uintptr_t)page);
}

static void no_access(void)
{
    mprotect(page, PAGE_BYTES, 0);
    read_from((uintptr_t)page);
}

static void unmapped(void)
{
    munmap(page, PAGE_BYTES);
    read_from((uintptr_t)page);
}

static __attribute__((noinline)) u32 recurse(u32 depth)
{
    volatile u32 frame[1024];
    frame[0] = depth;
    return depth == 0 ? 0 : recurse(depth - 1) + frame[0];
}

static void stack_too_deep(void)
{
    recurse(4096);
}

static void divide(void)
{
    __asm__ volatile("xorl %%ecx, %%ecx\n\tdivl %%ecx" ::: "eax", "ecx", "edx", "cc");
}

static const struct {
    const char *what;
    void (*act)(void);
    int sig;
} rows[] = {
    {"reads from address 0, where nothing is", null_pointer, SIGSEGV},
    {"reads a page that it has given back", unmapped, SIGSEGV},
    {"writes to its code", text, SIGSEGV},
    {"writes to a page that it made read-only", read_only, SIGSEGV},
    {"reads a page that it made inaccessible", no_access, SIGSEGV},
    {"reads the kernel's memory", kernel_read, SIGSEGV},
    {"writes to the kernel's memory", kernel_write, SIGSEGV},
    {"takes 16 MiB of stack, of which there are 8", stack_too_deep, SIGSEGV},
    {"divides by zero", divide, SIGFPE},
};

static void check_children(void)
{
    for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
        check_trial(rows[i].act, rows[i].sig, rows[i].what);
    lab_check(*(volatile u8 *)page == 7, "the parent's page is what it was, through all of that");
}

static void check_system_calls(void)
{
    static const struct {
        const char *what;
        uintptr_t address;
    } bad[] = {{"nothing", 0x1000}, {"the kernel's memory", KERNEL_ADDRESS}, {"past the end", 0xFFFFFFF0}};
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        errno = 0;
        long result = write(1, (const void *)bad[i].address, 32);
        lab_check(result == -1 && errno == EFAULT, "a system call that is given %s returns EFAULT",
                  bad[i].what);
    }
}

int main(void)
{
    page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    *page = 7;
    check_children();
    check_system_calls();
    return (int)lab_status();
}
