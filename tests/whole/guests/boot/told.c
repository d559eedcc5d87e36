/*
 * A kernel that says on port E9h what its boot loader told it, and ends the run by port F4h. LINUX: by the
 * zero page of the Linux/x86 boot protocol; else by Xen's struct hvm_start_info.
 */
#include <stdint.h>

char stack[4096] __attribute__((aligned(16)));
__asm__(".globl stack_end\n.set stack_end, stack + 4096");

void told(unsigned long info, unsigned long must_be_zero, unsigned long cr0, unsigned long flags);

static void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void say(const char *text)
{
    while (*text)
        out8(0xe9, (uint8_t)*text++);
}

static void say_hex(uint64_t value)
{
    for (int shift = 60; shift >= 0; shift -= 4)
        if (value >> shift || shift == 0)
            out8(0xe9, (uint8_t) "0123456789abcdef"[value >> shift & 15]);
}

static void say_number(const char *name, uint64_t value)
{
    say(name), say(" "), say_hex(value), say("\n");
}

static uint64_t at(unsigned long address, unsigned nr_bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < nr_bytes; i++)
        value |= (uint64_t)((const volatile uint8_t *)address)[i] << 8 * i;
    return value;
}

static void say_bytes(const char *name, unsigned long from, unsigned long nr_bytes)
{
    say(name), say(" ");
    for (unsigned long i = 0; i < nr_bytes; i++)
        out8(0xe9, (uint8_t)at(from + i, 1));
    say("\n");
}

static void say_range(unsigned long entry)
{
    say("range "), say_hex(at(entry, 8)), say(" "), say_hex(at(entry + 8, 8)), say(" "),
        say_hex(at(entry + 16, 4)), say("\n");
}

void told(unsigned long info, unsigned long must_be_zero, unsigned long cr0, unsigned long flags)
{
    say_number("registers", must_be_zero);
    say_number("cr0", cr0 & 0x80000001);
    say_number("interrupts", flags >> 9 & 1);
#ifdef LINUX
    say_number("loader", at(info + 0x210, 1));
    say_number("header", at(info + 0x202, 4));
    say("text "), say((const char *)(unsigned long)at(info + 0x228, 4)), say("\n");
    if (at(info + 0x21c, 4))
        say_bytes("initrd", at(info + 0x218, 4), at(info + 0x21c, 4));
    for (unsigned i = 0; i < at(info + 0x1e8, 1); i++)
        say_range(info + 0x2d0 + i * 20);
#else
    say_number("magic", at(info, 4));
    say("text "), say((const char *)(unsigned long)at(info + 24, 8)), say("\n");
    for (unsigned i = 0; i < at(info + 12, 4); i++) {
        unsigned long module = (unsigned long)at(info + 16, 8) + i * 32;
        say_bytes("initrd", (unsigned long)at(module, 8), (unsigned long)at(module + 8, 8));
    }
    for (unsigned i = 0; i < at(info + 48, 4); i++)
        say_range((unsigned long)at(info + 40, 8) + i * 24);
#endif
    out8(0xf4, 16);
    for (;;)
        ;
}
