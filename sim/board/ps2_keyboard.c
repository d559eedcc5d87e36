#include "sim/board/ps2_keyboard.h"

#include "sim/base/snap.h"

#include <string.h>

enum command {
    SET_LIGHTS = 0xed,
    ECHO = 0xee,
    SET_SCAN_CODES = 0xf0,
    IDENTIFY = 0xf2,
    SET_RATE = 0xf3,
    ENABLE = 0xf4,
    DISABLE = 0xf5,
    DEFAULTS = 0xf6,
    RESEND = 0xfe,
    RESET = 0xff,
};
enum { NO_COMMAND = 0, ACKNOWLEDGE = 0xfa, SELF_TEST_PASSED = 0xaa, EXTENDED = 0xe0, RELEASE_2 = 0xf0 };
enum { RELEASE_1 = 0x80, KEY_CONTROL = 0x1d, KEY_SHIFT = 0x2a };

static void set_defaults(struct ps2_keyboard *keyboard)
{
    keyboard->set = 2;
    keyboard->nr_buffered = 0;
    keyboard->is_scanning = true;
}

void ps2_keyboard_init(struct ps2_keyboard *keyboard)
{
    *keyboard = (struct ps2_keyboard){.command = NO_COMMAND};
    set_defaults(keyboard);
}

static void answer(struct ps2_keyboard *keyboard, uint8_t byte)
{
    if (keyboard->nr_answers < sizeof keyboard->answers)
        keyboard->answers[keyboard->nr_answers++] = byte;
}

static void take_parameter(struct ps2_keyboard *keyboard, uint8_t command, uint8_t value)
{
    answer(keyboard, ACKNOWLEDGE);
    if (command == SET_LIGHTS)
        keyboard->lights = value & 7;
    if (command != SET_SCAN_CODES)
        return;
    if (value == 0)
        answer(keyboard, keyboard->set);
    else if (value <= 2)
        keyboard->set = value;
}

void ps2_keyboard_receive(struct ps2_keyboard *keyboard, uint8_t byte)
{
    uint8_t command = keyboard->command;
    keyboard->command = NO_COMMAND;
    keyboard->nr_answers = 0; /* a command ends what was being sent */
    /* A byte from EDh on in place of a parameter is a command of its own. */
    if (command != NO_COMMAND && byte < SET_LIGHTS) {
        take_parameter(keyboard, command, byte);
        return;
    }
    switch (byte) {
    case ECHO:
        answer(keyboard, ECHO);
        return;
    case RESEND:
        answer(keyboard, keyboard->last_sent);
        return;
    case SET_LIGHTS:
    case SET_SCAN_CODES:
    case SET_RATE:
        keyboard->command = byte;
        break;
    case IDENTIFY:
        answer(keyboard, ACKNOWLEDGE);
        answer(keyboard, 0xab);
        answer(keyboard, 0x83);
        return;
    case ENABLE:
        keyboard->nr_buffered = 0;
        keyboard->is_scanning = true;
        break;
    case DISABLE:
        set_defaults(keyboard);
        keyboard->is_scanning = false;
        break;
    case DEFAULTS:
        set_defaults(keyboard);
        break;
    case RESET:
        set_defaults(keyboard);
        keyboard->lights = 0;
        answer(keyboard, ACKNOWLEDGE);
        answer(keyboard, SELF_TEST_PASSED);
        return;
    default:
        answer(keyboard, RESEND);
        return;
    }
    answer(keyboard, ACKNOWLEDGE);
}

bool ps2_keyboard_has_byte(const struct ps2_keyboard *keyboard)
{
    return keyboard->nr_answers > 0 || keyboard->nr_buffered > 0;
}

static uint8_t take_first(uint8_t *bytes, unsigned *nr_bytes)
{
    uint8_t byte = bytes[0];
    (*nr_bytes)--;
    memmove(bytes, bytes + 1, *nr_bytes);
    return byte;
}

uint8_t ps2_keyboard_take(struct ps2_keyboard *keyboard)
{
    keyboard->last_sent = keyboard->nr_answers ? take_first(keyboard->answers, &keyboard->nr_answers)
                                               : take_first(keyboard->buffer, &keyboard->nr_buffered);
    return keyboard->last_sent;
}

uint8_t ps2_translate(uint8_t code)
{
    static const uint8_t codes[0x80] = {
        0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
        0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
        0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
        0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
        0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
        0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
        0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
        0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
    };
    if (code < sizeof codes)
        return codes[code];
    return code == 0x83 ? 0x41 : code == 0x84 ? 0x54 : code;
}

/* The code in set 2 of a key of set 1: F7 and Alt-SysRq are the two beyond the table's range. */
static uint8_t in_set_2(uint8_t code)
{
    if (code == 0x41)
        return 0x83;
    if (code == 0x54)
        return 0x84;
    for (unsigned i = 1; i < 0x80; i++)
        if (ps2_translate((uint8_t)i) == code)
            return (uint8_t)i;
    return 0;
}

/* What a key sends. Returns how many bytes. */
static unsigned scan_codes(const struct ps2_keyboard *keyboard, unsigned key, bool is_down, uint8_t bytes[3])
{
    unsigned nr = 0;
    uint8_t code = key & 0x7f;
    if (key & KEY_EXTENDED)
        bytes[nr++] = EXTENDED;
    if (keyboard->set == 1) {
        bytes[nr++] = is_down ? code : code | RELEASE_1;
        return nr;
    }
    if (!is_down)
        bytes[nr++] = RELEASE_2;
    bytes[nr++] = in_set_2(code);
    return nr;
}

static bool send(struct ps2_keyboard *keyboard, const uint8_t *bytes, unsigned nr_bytes)
{
    if (!keyboard->is_scanning)
        return true;
    if (keyboard->nr_buffered + nr_bytes > PS2_BUFFER_BYTES)
        return false;
    memcpy(keyboard->buffer + keyboard->nr_buffered, bytes, nr_bytes);
    keyboard->nr_buffered += nr_bytes;
    return true;
}

bool ps2_keyboard_key(struct ps2_keyboard *keyboard, unsigned key, bool is_down)
{
    uint8_t bytes[3];
    return send(keyboard, bytes, scan_codes(keyboard, key, is_down, bytes));
}

/* The keys of a US keyboard from code 02h on, without and with shift; 0 where a key has no character. */
static const char plain[] = "1234567890-=\b\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0\0\0 ";
static const char shifted[] = "!@#$%^&*()_+\b\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0\0\0 ";
enum { FIRST_KEY = 2, NR_KEYS = sizeof plain - 1, KEY_ESCAPE = 1 };

static bool find_key(uint8_t character, unsigned *key, unsigned *modifier)
{
    *modifier = 0;
    *key = KEY_ESCAPE;
    if (character == 0x1b)
        return true;
    if (character == 0x7f || character == '\n')
        character = character == '\n' ? '\r' : '\b';
    for (unsigned i = 0; character && i < NR_KEYS; i++) {
        bool is_plain = plain[i] == (char)character;
        if (!is_plain && shifted[i] != (char)character)
            continue;
        *key = FIRST_KEY + i;
        *modifier = is_plain ? 0 : KEY_SHIFT;
        return true;
    }
    if (character == 0 || character > 26)
        return false;
    *modifier = KEY_CONTROL;
    unsigned ignored;
    return find_key((uint8_t)(character + 'a' - 1), key, &ignored);
}

bool ps2_keyboard_type(struct ps2_keyboard *keyboard, uint8_t character)
{
    uint8_t bytes[12];
    unsigned key, modifier, nr = 0;
    if (!find_key(character, &key, &modifier))
        return true;
    if (modifier)
        nr += scan_codes(keyboard, modifier, true, bytes + nr);
    nr += scan_codes(keyboard, key, true, bytes + nr);
    nr += scan_codes(keyboard, key, false, bytes + nr);
    if (modifier)
        nr += scan_codes(keyboard, modifier, false, bytes + nr);
    return send(keyboard, bytes, nr);
}

void ps2_keyboard_snap(struct ps2_keyboard *keyboard, struct snap *snap)
{
    SNAP_OPEN(snap, keyboard);
    SNAP_ARRAY(snap, keyboard->buffer);
    SNAP_BELOW(snap, keyboard->nr_buffered, PS2_BUFFER_BYTES + 1);
    SNAP_ARRAY(snap, keyboard->answers);
    SNAP_BELOW(snap, keyboard->nr_answers, sizeof keyboard->answers + 1);
    SNAP(snap, keyboard->set);
    SNAP(snap, keyboard->command);
    SNAP(snap, keyboard->lights);
    SNAP(snap, keyboard->last_sent);
    SNAP_FLAG(snap, keyboard->is_scanning);
    SNAP_CLOSE(snap, keyboard);
}
