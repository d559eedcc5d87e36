/*
 * A PS/2 keyboard (IBM PS/2 Hardware Interface Technical Reference, "Keyboard"): scan code sets 1 and 2, its
 * commands and its buffer of 16 bytes. Keys are named by their code in set 1, with KEY_EXTENDED where an E0h
 * stands before it.
 */
#ifndef LK_SIM_BOARD_PS2_KEYBOARD_H
#define LK_SIM_BOARD_PS2_KEYBOARD_H

#include <stdbool.h>
#include <stdint.h>

enum { KEY_EXTENDED = 0x100, PS2_BUFFER_BYTES = 16 };

struct ps2_keyboard {
    uint8_t buffer[PS2_BUFFER_BYTES]; /* keys for the host, oldest first */
    unsigned nr_buffered;
    uint8_t answers[4]; /* to its commands; they go before keys */
    unsigned nr_answers;
    uint8_t set; /* 1 or 2 */
    uint8_t command;
    uint8_t lights, last_sent;
    bool is_scanning;
};

/* As after its power-on test, with the answer to that taken. */
void ps2_keyboard_init(struct ps2_keyboard *keyboard);

/* A byte from the host. */
void ps2_keyboard_receive(struct ps2_keyboard *keyboard, uint8_t byte);

/* A byte for the host, if there is one. */
bool ps2_keyboard_has_byte(const struct ps2_keyboard *keyboard);
uint8_t ps2_keyboard_take(struct ps2_keyboard *keyboard);

/*
 * A key goes down or up. False, and nothing is sent, when it does not fit into the buffer: a user of this
 * interface offers it again. While the host has switched scanning off a key has no effect.
 */
bool ps2_keyboard_key(struct ps2_keyboard *keyboard, unsigned key, bool is_down);

/*
 * All that types this character on a US keyboard, modifiers pressed and released. False when it does not fit.
 * A byte that no key has types nothing.
 */
bool ps2_keyboard_type(struct ps2_keyboard *keyboard, uint8_t character);

/* Set 2 to set 1, as the keyboard controller translates it (IBM PC AT Technical Reference). */
uint8_t ps2_translate(uint8_t code);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void ps2_keyboard_snap(struct ps2_keyboard *keyboard, struct snap *snap);

#endif
