/* Ports, and registers that lie in memory. */
#pragma once

#include "types.h"

static inline void outb(u8 value, u16 port)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static inline void outw(u16 value, u16 port)
{
    __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port));
}

static inline u8 inb(u16 port)
{
    u8 value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void outl(u32 value, u16 port)
{
    __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port));
}

static inline u16 inw(u16 port)
{
    u16 value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline u32 inl(u16 port)
{
    u32 value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

/* Words between a port and memory, one after another. */
static inline void insw(u16 port, void *to, u32 nr_words)
{
    __asm__ volatile("rep insw" : "+D"(to), "+c"(nr_words) : "d"(port) : "memory");
}

static inline void outsw(u16 port, const void *from, u32 nr_words)
{
    __asm__ volatile("rep outsw" : "+S"(from), "+c"(nr_words) : "d"(port) : "memory");
}

/* A device's register, by an address of ioremap(). Not moved before or behind accesses to memory. */
static inline u32 readl(const void *address)
{
    u32 value = *(const volatile u32 *)address;
    __asm__ volatile("" ::: "memory");
    return value;
}

static inline void writel(u32 value, void *address)
{
    __asm__ volatile("" ::: "memory");
    *(volatile u32 *)address = value;
}
