/*
 * The 8042 keyboard controller (ports 60h, 64h): self test, command byte, output port with A20 and reset, the
 * translation of scan codes, and a PS/2 keyboard behind it (ps2_keyboard.h). There is no mouse.
 */
#ifndef LK_SIM_BOARD_KBD_H
#define LK_SIM_BOARD_KBD_H

#include "sim/base/diag.h"
#include "sim/base/iomap.h"
#include "sim/base/irq.h"

struct kbd_params {
    struct irq_line irq;
    void (*a20)(void *opaque, bool is_open); /* bit 1 of the output port changed */
    void (*reset)(void *opaque);             /* the CPU's reset line was pulsed */
    void *opaque;
};

struct kbd;

/* Registers its ports. On failure adds a line and returns NULL. */
struct kbd *kbd_create(const struct kbd_params *params, struct iomap *ports, struct diag *diag);
void kbd_destroy(struct kbd *kbd);

/* A key goes down or up, or a character is typed: as ps2_keyboard_key and ps2_keyboard_type. */
bool kbd_key(struct kbd *kbd, unsigned key, bool is_down);
bool kbd_type(struct kbd *kbd, uint8_t character);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void kbd_snap(struct kbd *kbd, struct snap *snap);

#endif
