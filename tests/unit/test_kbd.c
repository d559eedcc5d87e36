/*
 * The keyboard controller with its PS/2 keyboard: scan codes, translation, commands (IBM PS/2 Hardware
 * Interface Technical Reference; IBM PC AT Technical Reference).
 */
#include "sim/board/kbd.h"
#include "sim/board/ps2_keyboard.h"

#include "tests/unit/board_fixture.h"

static struct board_fixture at;
static struct kbd *kbd;

static void setup(void)
{
    fixture_init(&at);
    kbd = kbd_create(&(struct kbd_params){.irq = recording_line(&at.irq)}, at.ports, &at.diag);
    cr_assert(kbd);
}

static void teardown(void)
{
    kbd_destroy(kbd);
    fixture_fini(&at);
}

TestSuite(kbd, .init = setup, .fini = teardown);

/* All bytes that wait are these, each with an interrupt. */
static void expect(const char *bytes, size_t nr_bytes)
{
    for (size_t i = 0; i < nr_bytes; i++) {
        cr_assert(at.irq.level, "byte %zu", i);
        cr_assert_eq(in(&at, 0x64) & 1, 1);
        cr_assert_eq(in(&at, 0x60), (uint8_t)bytes[i], "byte %zu", i);
    }
    cr_assert_eq(in(&at, 0x64) & 1, 0);
    cr_assert_not(at.irq.level);
}
#define EXPECT(bytes) expect(bytes, sizeof(bytes) - 1)

static void set_mode(uint8_t mode)
{
    out(&at, 0x64, 0x60);
    out(&at, 0x60, mode);
}

static void send(uint8_t byte)
{
    out(&at, 0x60, byte);
}

Test(kbd, translated_to_set_1)
{
    cr_assert(kbd_type(kbd, 'a'));
    EXPECT("\x1e\x9e");
    cr_assert(kbd_type(kbd, 'A'));
    EXPECT("\x2a\x1e\x9e\xaa");
    cr_assert(kbd_type(kbd, 3)); /* Ctrl-C */
    EXPECT("\x1d\x2e\xae\x9d");
    cr_assert(kbd_key(kbd, KEY_EXTENDED | 0x48, true)); /* cursor up */
    cr_assert(kbd_key(kbd, KEY_EXTENDED | 0x48, false));
    EXPECT("\xe0\x48\xe0\xc8");
    cr_assert(kbd_key(kbd, 0x41, true)); /* F7, whose code in set 2 is 83h */
    cr_assert(kbd_key(kbd, 0x41, false));
    EXPECT("\x41\xc1");
}

Test(kbd, set_2_as_it_is)
{
    set_mode(0x05);
    cr_assert(kbd_type(kbd, '\r'));
    EXPECT("\x5a\xf0\x5a");
    cr_assert(kbd_key(kbd, KEY_EXTENDED | 0x48, false));
    EXPECT("\xe0\xf0\x75");
    send(0xf0);
    EXPECT("\xfa");
    send(0x00);
    EXPECT("\xfa\x02");
    send(0xf0);
    EXPECT("\xfa");
    send(0x01);
    EXPECT("\xfa");
    cr_assert(kbd_type(kbd, 'a'));
    EXPECT("\x1e\x9e");
}

/* Each key of set 1 has its own code in set 2, and comes back from it. */
Test(kbd, the_translation_loses_no_key)
{
    for (unsigned key = 1; key <= 0x58; key++) {
        cr_assert(kbd_key(kbd, key, true));
        cr_assert_eq(in(&at, 0x60), key);
    }
}

Test(kbd, every_printable_character_has_keys)
{
    set_mode(0x45);
    for (unsigned c = ' '; c < 127; c++) {
        cr_assert(kbd_type(kbd, (uint8_t)c));
        cr_assert_eq(in(&at, 0x64) & 1, 1, "%c", c);
        while (in(&at, 0x64) & 1)
            in(&at, 0x60);
    }
    cr_assert(kbd_type(kbd, 0xe9)); /* none has this one */
    cr_assert_eq(in(&at, 0x64) & 1, 0);
}

Test(kbd, commands)
{
    send(0xee);
    EXPECT("\xee");
    send(0xf2);
    EXPECT("\xfa\xab\x41"); /* 83h, translated */
    set_mode(0x05);
    send(0xf2);
    EXPECT("\xfa\xab\x83");
    send(0xed);
    EXPECT("\xfa");
    send(0x02);
    EXPECT("\xfa");
    send(0xf3);
    EXPECT("\xfa");
    send(0xf4); /* in place of the parameter: a command */
    EXPECT("\xfa");
    send(0x55);
    EXPECT("\xfe");
    send(0xf5);
    EXPECT("\xfa");
    cr_assert(kbd_type(kbd, 'a')); /* not scanned */
    EXPECT("");
    send(0xf4);
    EXPECT("\xfa");
    cr_assert(kbd_key(kbd, 0x1e, true));
    EXPECT("\x1c");
    send(0xfe);
    EXPECT("\x1c");
    send(0xff);
    EXPECT("\xfa\xaa");
}

Test(kbd, a_full_buffer_takes_no_more)
{
    unsigned nr_typed = 0;
    while (nr_typed < 100 && kbd_type(kbd, 'a'))
        nr_typed++;
    cr_assert_eq(nr_typed, 5); /* 3 bytes each; one of them waits in the controller */
    for (unsigned i = 0; i < nr_typed; i++) {
        cr_assert_eq(in(&at, 0x60), 0x1e);
        cr_assert_eq(in(&at, 0x60), 0x9e);
    }
    cr_assert(kbd_type(kbd, 'a'));
}

Test(kbd, while_it_is_off_keys_wait)
{
    out(&at, 0x64, 0xad);
    cr_assert(kbd_key(kbd, 0x1e, true));
    EXPECT("");
    out(&at, 0x64, 0xae);
    EXPECT("\x1e");
    set_mode(0x44); /* no interrupt */
    cr_assert(kbd_key(kbd, 0x1e, false));
    cr_assert_not(at.irq.level);
    cr_assert_eq(in(&at, 0x60), 0x9e);
}
