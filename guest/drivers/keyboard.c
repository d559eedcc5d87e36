/*
 * The PS/2 keyboard behind an 8042, as the firmware leaves it: scan codes of set 1 (the controller
 * translates), an interrupt for each byte. IBM PS/2 Hardware Interface Technical Reference, "Keyboard and
 * Auxiliary Device Controller"; US layout.
 */
#include "asm/io.h"
#include "asm/irq.h"
#include "compiler.h"
#include "string.h"
#include "tty.h"

#define KBD_DATA 0x60
#define KBD_STATUS 0x64 /* written: commands to the controller */
#define STATUS_OUTPUT_FULL 0x01u
#define STATUS_INPUT_FULL 0x02u
#define STATUS_AUX 0x20u
#define COMMAND_READ_BYTE 0x20
#define COMMAND_WRITE_BYTE 0x60
#define COMMAND_DISABLE_KEYBOARD 0xAD
#define BYTE_INTERRUPT 0x01u
#define BYTE_DISABLED 0x10u
#define BYTE_TRANSLATE 0x40u
#define KEYBOARD_IRQ 1

#define RELEASED 0x80u
#define PREFIX_EXTENDED 0xE0u
#define KEY_CTRL 0x1Du
#define KEY_SHIFT_LEFT 0x2Au
#define KEY_SHIFT_RIGHT 0x36u
#define KEY_CAPS_LOCK 0x3Au

#define NR_KEYS 0x3A
static const char plain[NR_KEYS] = "\0\0331234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[NR_KEYS] =
    "\0\033!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

static bool has_shift[2], has_ctrl, has_caps, is_extended;

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

/* Modifiers; false: the key is none. */
static bool note_modifier(u8 key, bool is_pressed)
{
    switch (key) {
    case KEY_SHIFT_LEFT:
    case KEY_SHIFT_RIGHT:
        has_shift[key == KEY_SHIFT_RIGHT] = is_pressed && !is_extended; /* E0 2A and E0 36 are no keys */
        return true;
    case KEY_CTRL:
        has_ctrl = is_pressed;
        return true;
    case KEY_CAPS_LOCK:
        has_caps ^= is_pressed;
        return true;
    default:
        return false;
    }
}

static char character_of(u8 key)
{
    if (key >= NR_KEYS || (is_extended && key != 0x1C && key != 0x35)) /* Enter and / of the keypad */
        return 0;
    char c = plain[key];
    bool is_shifted = has_shift[0] || has_shift[1];
    if (has_ctrl && (is_letter(c) || (c >= '[' && c <= ']')))
        return (char)(c & 0x1F);
    return (is_letter(c) ? is_shifted != has_caps : is_shifted) ? shifted[key] : c;
}

/* The keys between the letters and the numbers send what those of a VT220 do. */
static void send_function_key(u8 key)
{
    static const struct {
        u8 key;
        const char *text;
    } keys[] = {{0x47, "\033[1~"}, {0x48, "\033[A"}, {0x49, "\033[5~"}, {0x4B, "\033[D"},  {0x4D, "\033[C"},
                {0x4F, "\033[4~"}, {0x50, "\033[B"}, {0x51, "\033[6~"}, {0x52, "\033[2~"}, {0x53, "\033[3~"}};
    for (u32 i = 0; i < ARRAY_SIZE(keys); i++)
        if (keys[i].key == key)
            tty_receive(keys[i].text, (u32)strlen(keys[i].text));
}

static void take_scan_code(u8 code)
{
    u8 key = code & (u8)~RELEASED;
    bool is_pressed = !(code & RELEASED);
    if (code == PREFIX_EXTENDED) {
        is_extended = true;
        return;
    }
    bool was_extended = is_extended, is_key = !note_modifier(key, is_pressed) && is_pressed;
    char c = is_key ? character_of(key) : 0;
    is_extended = false;
    if (c)
        tty_receive(&c, 1);
    else if (is_key && was_extended)
        send_function_key(key);
}

static void keyboard_interrupt(void)
{
    u8 status = inb(KBD_STATUS);
    if (!(status & STATUS_OUTPUT_FULL))
        return;
    u8 code = inb(KBD_DATA);
    if (!(status & STATUS_AUX))
        take_scan_code(code);
}

/* A controller that is not there reads all ones, and would never be ready. */
static bool __init wait_status(u8 mask, u8 wanted)
{
    for (u32 i = 0; i < 100000; i++) {
        if ((inb(KBD_STATUS) & mask) == wanted)
            return true;
    }
    return false;
}

void __init keyboard_init(void)
{
    if (inb(KBD_STATUS) == 0xFF || !wait_status(STATUS_INPUT_FULL, 0))
        return;
    /*
     * What was typed before counts too; with the keyboard held, what comes then is the controller's answer.
     */
    outb(COMMAND_DISABLE_KEYBOARD, KBD_STATUS);
    while (inb(KBD_STATUS) & STATUS_OUTPUT_FULL)
        take_scan_code(inb(KBD_DATA));
    outb(COMMAND_READ_BYTE, KBD_STATUS);
    if (!wait_status(STATUS_OUTPUT_FULL, STATUS_OUTPUT_FULL))
        return;
    u8 byte = inb(KBD_DATA);
    byte = (u8)((byte & ~BYTE_DISABLED) | BYTE_INTERRUPT | BYTE_TRANSLATE);
    request_irq(KEYBOARD_IRQ, keyboard_interrupt, "i8042");
    outb(COMMAND_WRITE_BYTE, KBD_STATUS);
    if (wait_status(STATUS_INPUT_FULL, 0))
        outb(byte, KBD_DATA);
}
