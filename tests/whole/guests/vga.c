/* The VGA in its text mode, and the PS/2 keyboard's answers; leaves a screen for vga.sh to look at. */
#include "guest.h"

enum { SCREEN = 0xb8000, COLUMNS = 80 };

static u8 get(uint16_t port, u8 index)
{
    outb(port, index);
    return inb(port + 1);
}

static void set(uint16_t port, u8 index, u8 value)
{
    outb(port, index);
    outb(port + 1, value);
}

static void put(unsigned row, unsigned column, const char *text, u8 attribute)
{
    volatile u8 *cell = (volatile u8 *)(uintptr_t)(SCREEN + (row * COLUMNS + column) * 2);
    for (; *text; text++, cell += 2) {
        cell[0] = (u8)*text;
        cell[1] = attribute;
    }
}

static void registers(void)
{
    check("miscellaneous output", inb(0x3cc) & 0xef, 0x67);
    check("80 columns", get(0x3d4, 0x01), 79);
    check("400 lines", get(0x3d4, 0x12) | (get(0x3d4, 0x07) & 2) << 7, 399);
    check("characters of 16 lines", get(0x3d4, 0x09) & 0x1f, 15);
    check("the window is at B8000h", get(0x3ce, 6) & 0x0c, 0x0c);
    set(0x3d4, 0x0f, 0xa5);
    check("the cursor's place reads back", get(0x3d4, 0x0f), 0xa5);
    inb(0x3da);
    outb(0x3c0, 0x0b);
    outb(0x3c0, 0x2a);
    outb(0x3c0, 0x2b);
    check("a palette register reads back", inb(0x3c1), 0x2a);
    inb(0x3da);
    outb(0x3c0, 0x2b);
    outb(0x3c0, 0x3b);
    outb(0x3c8, 200);
    for (u8 i = 1; i < 4; i++)
        outb(0x3c9, i);
    outb(0x3c7, 200);
    u32 colour = inb(0x3c9);
    colour = colour << 8 | inb(0x3c9);
    colour = colour << 8 | inb(0x3c9);
    check("a colour reads back", colour, 0x010203);
}

static void beam(void)
{
    u32 nr_rises = 0, was = inb(0x3da) & 8;
    while (nr_rises < 3) {
        u32 is = inb(0x3da) & 8;
        nr_rises += is && !was;
        was = is;
    }
    check("the retrace comes and goes", nr_rises, 3);
}

static void memory(void)
{
    *at(SCREEN) = 0x1f421f41;
    check("a dword is two cells", *at(SCREEN), 0x1f421f41);
    for (u32 i = 0; i < COLUMNS * 25; i++)
        ((volatile uint16_t *)(uintptr_t)SCREEN)[i] = 0x0720;
    put(0, 0, "lookaside's VGA", 0x1f);
    put(2, 10, "\xc9\xcd\xbb \x01 \xe1 \xdb", 0x0e);
    put(24, 70, "the end", 0x4f);
    check("a cell", *at(SCREEN + (24 * COLUMNS + 70) * 2) & 0xffff, 0x4f74);
    set(0x3d4, 0x0e, 0);
    set(0x3d4, 0x0f, 20);
}

static u8 keyboard(void)
{
    while (!(inb(0x64) & 1)) {
    }
    return inb(0x60);
}

static void keys(void)
{
    while (inb(0x64) & 1)
        inb(0x60);
    outb(0x60, 0xee);
    check("the keyboard echoes", keyboard(), 0xee);
    outb(0x60, 0xf2);
    check("it acknowledges", keyboard(), 0xfa);
    check("it says what it is", keyboard(), 0xab);
    check("its second byte, translated", keyboard(), 0x41);
    outb(0x60, 0xed);
    check("lights", keyboard(), 0xfa);
    outb(0x60, 0x02);
    check("their value", keyboard(), 0xfa);
    outb(0x60, 0x55);
    check("what is no command", keyboard(), 0xfe);
}

void main(const char *word)
{
    (void)word;
    registers();
    beam();
    memory();
    keys();
}
