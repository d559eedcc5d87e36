/*
 * The screen of a VGA in text mode 3, as the firmware leaves it (IBM VGA Technical Reference: 80 columns,
 * 25 lines, a character and its attribute each, at B8000h). The window holds eight screens: scrolling moves
 * where the picture starts, and copies only when it has come to the window's end.
 */
#include "vgacon.h"
#include "asm/io.h"
#include "asm/irqflags.h"
#include "asm/page.h"
#include "compiler.h"
#include "printk.h"

#define VGA_WINDOW 0xB8000u
#define WINDOW_CELLS 0x4000u
#define COLUMNS 80u
#define LINES 25u
#define SCREEN_CELLS (COLUMNS * LINES)
#define TAB_COLUMNS 8u

#define CRTC_INDEX 0x3D4
#define CRTC_DATA 0x3D5
#define CRTC_START_HIGH 0x0C
#define CRTC_CURSOR_HIGH 0x0E

#define ATTRIBUTE_GREY 0x0700u

/* Cells of the window: where the picture starts, and where the next character goes. */
static u32 origin, cursor;

static volatile u16 *cell(u32 number)
{
    return (volatile u16 *)__va(VGA_WINDOW) + number;
}

/* A pair of registers, the high byte's number given. */
static void write_crtc(u8 index, u32 value)
{
    outb(index, CRTC_INDEX);
    outb((u8)(value >> 8), CRTC_DATA);
    outb((u8)(index + 1), CRTC_INDEX);
    outb((u8)value, CRTC_DATA);
}

static void clear(u32 first, u32 nr_cells)
{
    for (u32 i = 0; i < nr_cells; i++)
        *cell(first + i) = ATTRIBUTE_GREY | ' ';
}

static void scroll(void)
{
    if (origin + COLUMNS + SCREEN_CELLS > WINDOW_CELLS) {
        for (u32 i = 0; i < SCREEN_CELLS - COLUMNS; i++)
            *cell(i) = *cell(origin + COLUMNS + i);
        cursor -= origin + COLUMNS;
        origin = 0;
    } else {
        origin += COLUMNS;
    }
    clear(origin + SCREEN_CELLS - COLUMNS, COLUMNS);
    write_crtc(CRTC_START_HIGH, origin);
}

static void put_char(char c)
{
    u32 column = (cursor - origin) % COLUMNS;
    switch (c) {
    case '\n':
        cursor += COLUMNS - column;
        break;
    case '\r':
        cursor -= column;
        break;
    case '\b':
        cursor -= column ? 1 : 0;
        break;
    case '\t':
        cursor += TAB_COLUMNS - column % TAB_COLUMNS;
        break;
    default:
        *cell(cursor++) = (u16)(ATTRIBUTE_GREY | (u8)c);
    }
    if (cursor >= origin + SCREEN_CELLS)
        scroll();
}

static void vgacon_write(const char *text, size_t bytes)
{
    unsigned long flags = local_irq_save();
    for (size_t i = 0; i < bytes; i++)
        put_char(text[i]);
    write_crtc(CRTC_CURSOR_HIGH, cursor);
    local_irq_restore(flags);
}

void __init vgacon_init(void)
{
    static struct console vga_console = {.name = "tty0", .write = vgacon_write, .write_raw = vgacon_write};
    clear(0, SCREEN_CELLS);
    write_crtc(CRTC_START_HIGH, 0);
    write_crtc(CRTC_CURSOR_HIGH, 0);
    register_console(&vga_console);
}
