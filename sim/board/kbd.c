#include "sim/board/kbd.h"

#include "sim/base/snap.h"
#include "sim/board/ps2_keyboard.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* IBM PC AT Technical Reference, "Keyboard Controller". */
enum {
    STATUS_OUTPUT_FULL = 1 << 0,
    STATUS_SYSTEM = 1 << 2,
    STATUS_COMMAND = 1 << 3,
    STATUS_UNLOCKED = 1 << 4
};
enum {
    MODE_IRQ = 1 << 0,
    MODE_SYSTEM = 1 << 2,
    MODE_KEYBOARD_OFF = 1 << 4,
    MODE_AUX_OFF = 1 << 5,
    MODE_TRANSLATE = 1 << 6
};
enum { OUTPUT_NOT_RESET = 1 << 0, OUTPUT_A20 = 1 << 1, OUTPUT_UNUSED = 0xcc };
enum { INPUT_UNLOCKED = 1 << 7 };

enum command {
    COMMAND_READ_RAM = 0x20,
    COMMAND_WRITE_RAM = 0x60,
    COMMAND_AUX_OFF = 0xa7,
    COMMAND_AUX_ON = 0xa8,
    COMMAND_AUX_TEST = 0xa9,
    COMMAND_SELF_TEST = 0xaa,
    COMMAND_KEYBOARD_TEST = 0xab,
    COMMAND_KEYBOARD_OFF = 0xad,
    COMMAND_KEYBOARD_ON = 0xae,
    COMMAND_READ_INPUT = 0xc0,
    COMMAND_READ_OUTPUT = 0xd0,
    COMMAND_WRITE_OUTPUT = 0xd1,
    COMMAND_SEND_TO_HOST = 0xd2,
    COMMAND_SEND_TO_HOST_AS_AUX = 0xd3,
    COMMAND_SEND_TO_AUX = 0xd4,
    COMMAND_PULSE = 0xf0,
};

enum { NO_COMMAND = 0, RAM_BYTES = 32, QUEUE_BYTES = 16 };
enum { SELF_TEST_PASSED = 0x55, PORT_TEST_PASSED = 0, PORT_TEST_NO_CLOCK = 1 };

enum { BREAK_CODE = 0xf0, TRANSLATED_BREAK = 0x80 };

struct kbd {
    struct kbd_params params;
    uint8_t ram[RAM_BYTES]; /* byte 0 is the command byte: MODE_* */
    uint8_t output_port;
    uint8_t command; /* waits for its parameter at port 60h */
    bool wrote_command;
    struct ps2_keyboard keyboard;
    bool is_break;              /* the code that comes is of a key that goes up */
    uint8_t queue[QUEUE_BYTES]; /* for the output buffer */
    unsigned nr_queued;
};

static void answer(struct kbd *kbd, uint8_t byte)
{
    if (kbd->nr_queued < QUEUE_BYTES)
        kbd->queue[kbd->nr_queued++] = byte;
}

/* A byte from the keyboard, which waits while the output buffer is full or its clock is held. */
static void hear_keyboard(struct kbd *kbd)
{
    while (!kbd->nr_queued && !(kbd->ram[0] & MODE_KEYBOARD_OFF) && ps2_keyboard_has_byte(&kbd->keyboard)) {
        uint8_t byte = ps2_keyboard_take(&kbd->keyboard);
        if (!(kbd->ram[0] & MODE_TRANSLATE)) {
            answer(kbd, byte);
        } else if (byte == BREAK_CODE) {
            kbd->is_break = true;
        } else {
            answer(kbd, ps2_translate(byte) | (kbd->is_break ? TRANSLATED_BREAK : 0));
            kbd->is_break = false;
        }
    }
}

static void update_irq(struct kbd *kbd)
{
    hear_keyboard(kbd);
    irq_set(&kbd->params.irq, kbd->nr_queued && (kbd->ram[0] & MODE_IRQ));
}

static void reset(struct kbd *kbd)
{
    if (kbd->params.reset)
        kbd->params.reset(kbd->params.opaque);
}

static void write_output_port(struct kbd *kbd, uint8_t value)
{
    uint8_t changed = kbd->output_port ^ value;
    kbd->output_port = value;
    if ((changed & OUTPUT_A20) && kbd->params.a20)
        kbd->params.a20(kbd->params.opaque, value & OUTPUT_A20);
    if (!(value & OUTPUT_NOT_RESET))
        reset(kbd);
}

static void set_mode(struct kbd *kbd, uint8_t bit, bool is_set)
{
    kbd->ram[0] = (uint8_t)(is_set ? kbd->ram[0] | bit : kbd->ram[0] & ~bit);
}

static void take_command(struct kbd *kbd, uint8_t command)
{
    kbd->command = NO_COMMAND;
    if (command >= COMMAND_PULSE) {
        /* The low bits say which lines of the output port are not pulsed low. */
        if (!(command & OUTPUT_NOT_RESET))
            reset(kbd);
        return;
    }
    if (command >= COMMAND_READ_RAM && command < COMMAND_READ_RAM + RAM_BYTES) {
        answer(kbd, kbd->ram[command - COMMAND_READ_RAM]);
        return;
    }
    if (command >= COMMAND_WRITE_RAM && command < COMMAND_WRITE_RAM + RAM_BYTES) {
        kbd->command = command;
        return;
    }
    switch (command) {
    case COMMAND_AUX_OFF:
    case COMMAND_AUX_ON:
        set_mode(kbd, MODE_AUX_OFF, command == COMMAND_AUX_OFF);
        break;
    case COMMAND_AUX_TEST:
        answer(kbd, PORT_TEST_NO_CLOCK);
        break;
    case COMMAND_SELF_TEST:
        kbd->ram[0] |= MODE_SYSTEM;
        answer(kbd, SELF_TEST_PASSED);
        break;
    case COMMAND_KEYBOARD_TEST:
        answer(kbd, PORT_TEST_PASSED);
        break;
    case COMMAND_KEYBOARD_OFF:
    case COMMAND_KEYBOARD_ON:
        set_mode(kbd, MODE_KEYBOARD_OFF, command == COMMAND_KEYBOARD_OFF);
        break;
    case COMMAND_READ_INPUT:
        answer(kbd, INPUT_UNLOCKED);
        break;
    case COMMAND_READ_OUTPUT:
        answer(kbd, kbd->output_port);
        break;
    case COMMAND_WRITE_OUTPUT:
    case COMMAND_SEND_TO_HOST:
    case COMMAND_SEND_TO_HOST_AS_AUX:
    case COMMAND_SEND_TO_AUX:
        kbd->command = command;
        break;
    default:
        break;
    }
}

static void take_parameter(struct kbd *kbd, uint8_t value)
{
    uint8_t command = kbd->command;
    kbd->command = NO_COMMAND;
    if (command >= COMMAND_WRITE_RAM && command < COMMAND_WRITE_RAM + RAM_BYTES)
        kbd->ram[command - COMMAND_WRITE_RAM] = value;
    else if (command == COMMAND_WRITE_OUTPUT)
        write_output_port(kbd, value);
    else if (command == COMMAND_SEND_TO_HOST || command == COMMAND_SEND_TO_HOST_AS_AUX)
        answer(kbd, value);
}

static void write_data(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct kbd *kbd = opaque;
    (void)offset;
    (void)size;
    kbd->wrote_command = false;
    if (kbd->command != NO_COMMAND) {
        take_parameter(kbd, (uint8_t)value);
    } else {
        /* A byte for the keyboard turns it on (AT Technical Reference, "Sending Data to the Keyboard"). */
        set_mode(kbd, MODE_KEYBOARD_OFF, false);
        kbd->is_break = false;
        ps2_keyboard_receive(&kbd->keyboard, (uint8_t)value);
    }
    update_irq(kbd);
}

static uint64_t read_data(void *opaque, uint64_t offset, unsigned size)
{
    struct kbd *kbd = opaque;
    (void)offset;
    (void)size;
    uint8_t byte = kbd->queue[0];
    if (kbd->nr_queued) {
        kbd->nr_queued--;
        memmove(kbd->queue, kbd->queue + 1, kbd->nr_queued);
        /* The line falls with each byte taken, so that the next one is a new edge. */
        irq_set(&kbd->params.irq, false);
        update_irq(kbd);
    }
    return byte;
}

static void write_command(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct kbd *kbd = opaque;
    (void)offset;
    (void)size;
    kbd->wrote_command = true;
    take_command(kbd, (uint8_t)value);
    update_irq(kbd);
}

static uint64_t read_status(void *opaque, uint64_t offset, unsigned size)
{
    const struct kbd *kbd = opaque;
    (void)offset;
    (void)size;
    return STATUS_UNLOCKED | (kbd->wrote_command ? STATUS_COMMAND : 0u) |
           (kbd->ram[0] & MODE_SYSTEM ? STATUS_SYSTEM : 0u) | (kbd->nr_queued ? STATUS_OUTPUT_FULL : 0u);
}

struct kbd *kbd_create(const struct kbd_params *params, struct iomap *ports, struct diag *diag)
{
    struct kbd *kbd = calloc(1, sizeof(*kbd));
    if (!kbd) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "keyboard controller: out of memory");
        return NULL;
    }
    kbd->params = *params;
    ps2_keyboard_init(&kbd->keyboard);
    /* As the firmware leaves it. */
    kbd->ram[0] = MODE_IRQ | MODE_SYSTEM | MODE_AUX_OFF | MODE_TRANSLATE;
    kbd->output_port = OUTPUT_UNUSED | OUTPUT_NOT_RESET | OUTPUT_A20;
    const struct io_range data = {"keyboard data", 0x60, 1, IO_WIDTH_1, read_data, write_data, kbd};
    const struct io_range status = {"keyboard status", 0x64, 1, IO_WIDTH_1, read_status, write_command, kbd};
    if (!iomap_add(ports, &data, diag) || !iomap_add(ports, &status, diag)) {
        kbd_destroy(kbd);
        return NULL;
    }
    return kbd;
}

void kbd_destroy(struct kbd *kbd)
{
    free(kbd);
}

bool kbd_key(struct kbd *kbd, unsigned key, bool is_down)
{
    bool is_sent = ps2_keyboard_key(&kbd->keyboard, key, is_down);
    update_irq(kbd);
    return is_sent;
}

bool kbd_type(struct kbd *kbd, uint8_t character)
{
    bool is_sent = ps2_keyboard_type(&kbd->keyboard, character);
    update_irq(kbd);
    return is_sent;
}

void kbd_snap(struct kbd *kbd, struct snap *snap)
{
    SNAP_OPEN(snap, kbd);
    SNAP_SKIP(snap, kbd->params);
    SNAP_ARRAY(snap, kbd->ram);
    SNAP(snap, kbd->output_port);
    SNAP(snap, kbd->command);
    SNAP_FLAG(snap, kbd->wrote_command);
    ps2_keyboard_snap(&kbd->keyboard, snap);
    SNAP_FLAG(snap, kbd->is_break);
    SNAP_ARRAY(snap, kbd->queue);
    SNAP_BELOW(snap, kbd->nr_queued, QUEUE_BYTES + 1);
    SNAP_CLOSE(snap, kbd);
}
