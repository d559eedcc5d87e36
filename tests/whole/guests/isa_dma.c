/*
 * The two 8237As: registers as QEMU has them as well; and, with the word `copy`, from memory to memory
 * under a driver's caches, which QEMU's cannot.
 */
#include "guest.h"

enum {
    STATUS = 8,
    COMMAND = 8,
    REQUEST,
    MASK_ONE,
    MODE,
    CLEAR_FLIP_FLOP,
    MASTER_CLEAR,
    CLEAR_MASK,
    MASK_ALL
};
enum { NR_CHANNELS = 8, BYTES = 4096, SOURCE = 0x200000, TARGET = 0x310000 };

static uint16_t port_of(unsigned channel, unsigned at_register)
{
    return (uint16_t)(channel < 4 ? at_register : 0xc0 + 2 * at_register);
}

static void set_pair(unsigned channel, unsigned at_register, u32 value)
{
    outb(port_of(channel, CLEAR_FLIP_FLOP), 0);
    outb(port_of(channel, at_register), (u8)value);
    outb(port_of(channel, at_register), (u8)(value >> 8));
}

static u32 get_pair(unsigned channel, unsigned at_register)
{
    outb(port_of(channel, CLEAR_FLIP_FLOP), 0);
    u32 low = inb(port_of(channel, at_register));
    return low | (u32)inb(port_of(channel, at_register)) << 8;
}

static void registers(void)
{
    static const uint16_t pages[] = {0x81, 0x82, 0x83, 0x87, 0x89, 0x8a, 0x8b, 0x8f};
    for (unsigned channel = 0; channel < NR_CHANNELS; channel++) {
        set_pair(channel, 2 * (channel % 4), 0x1234 + 0x1111 * channel);
        set_pair(channel, 2 * (channel % 4) + 1, 0x4321 + 0x1111 * channel);
    }
    for (unsigned channel = 0; channel < NR_CHANNELS; channel++) {
        check("an address", get_pair(channel, 2 * (channel % 4)), 0x1234 + 0x1111 * channel);
        check("a count", get_pair(channel, 2 * (channel % 4) + 1), 0x4321 + 0x1111 * channel);
    }
    for (unsigned i = 0; i < sizeof pages / sizeof *pages; i++)
        outb(pages[i], (u8)(0x10 + i));
    for (unsigned i = 0; i < sizeof pages / sizeof *pages; i++)
        check("a page", inb(pages[i]), 0x10 + i);
    inb(port_of(0, 0));
    outb(port_of(0, MASTER_CLEAR), 0);
    check("master clear: no status", inb(port_of(0, STATUS)), 0);
    outb(port_of(0, 0), 0x55);
    outb(port_of(0, 0), 0xaa);
    check("master clear: the low byte is next", get_pair(0, 0), 0xaa55);
}

static void program(unsigned channel, u8 mode, uint16_t page_port, u32 where)
{
    outb(port_of(channel, MODE), mode);
    set_pair(channel, 2 * channel, where);
    set_pair(channel, 2 * channel + 1, BYTES - 1);
    outb(page_port, (u8)(where >> 16));
}

static void copy(void)
{
    enum { BLOCK = 0x80, TO_MEMORY = 4, FROM_MEMORY = 8, CASCADE = 0xc0 };
    outb(0xd6, CASCADE);
    outb(0xd4, 0);
    for (u32 i = 0; i < BYTES; i += 4)
        *at(SOURCE + i) = i * 0x10001 + 7;
    for (u32 i = 0; i < BYTES; i += 4)
        *at(TARGET + i) = 1;
    program(0, BLOCK | FROM_MEMORY, 0x87, SOURCE);
    program(1, BLOCK | TO_MEMORY | 1, 0x83, TARGET);
    outb(COMMAND, 1);
    outb(REQUEST, 4);
    while (!(inb(STATUS) & 2))
        ;
    u32 nr_wrong = 0;
    for (u32 i = 0; i < BYTES; i += 4)
        nr_wrong += *at(TARGET + i) != i * 0x10001 + 7;
    check("dwords that are not the source's", nr_wrong, 0);
}

void main(const char *word)
{
    registers();
    if (word[0] == 'c')
        copy();
}
