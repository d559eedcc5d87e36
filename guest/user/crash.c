/*
 * Does what a program must not do, so that one sees what becomes of it. crash.by= null, text, rodata,
 * kernel, stack, priv, selector, divide, ud or data.
 */
#include "ulib.h"

#define KERNEL_ADDRESS 0xC0100000u
#define KERNEL_DATA_SELECTOR 0x68u

int main(int argc, char **argv, char **envp);

static const char constant[] = "in .rodata";

static void write_to(uintptr_t address)
{
    *(volatile u32 *)address = 1;
}

static __attribute__((noinline)) u32 recurse(u32 depth)
{
    volatile u32 frame[256];
    frame[0] = depth;
    /* Ends some 4 GiB of stack later than there is stack. */
    return depth == UINT32_MAX ? 0 : recurse(depth + 1) + frame[0];
}

/* RET: what a CPU without NX runs from wherever it lies. */
static u8 code_in_data[] = {0xC3};

static void crash_by(const char *what)
{
    if (strcmp(what, "null") == 0)
        write_to(0);
    else if (strcmp(what, "text") == 0)
        write_to((uintptr_t)main);
    else if (strcmp(what, "rodata") == 0)
        write_to((uintptr_t)constant);
    else if (strcmp(what, "kernel") == 0)
        write_to(KERNEL_ADDRESS);
    else if (strcmp(what, "stack") == 0)
        recurse(0);
    else if (strcmp(what, "priv") == 0)
        __asm__ volatile("cli");
    else if (strcmp(what, "selector") == 0)
        __asm__ volatile("movw %w0, %%ds" ::"r"(KERNEL_DATA_SELECTOR));
    else if (strcmp(what, "divide") == 0)
        __asm__ volatile("xorl %%ecx, %%ecx\n\tdivl %%ecx" ::: "eax", "ecx", "edx", "cc");
    else if (strcmp(what, "ud") == 0)
        __asm__ volatile("ud2");
    else if (strcmp(what, "data") == 0)
        __asm__ volatile("call *%0" ::"r"(code_in_data) : "memory");
}

int main(int argc, char **argv, char **envp)
{
    (void)argc;
    (void)argv;
    const char *what = getenv(envp, "crash.by");
    if (what == NULL)
        what = "null";
    printf("crash: by %s\n", what);
    crash_by(what);
    printf("crash: still alive\n");
    return 1;
}
