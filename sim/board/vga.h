/*
 * An ISA VGA (IBM PS/2 Hardware Interface Technical Reference, "Video Subsystem"): all its registers at
 * 3B0h-3DFh and 256 KiB in four planes behind A0000h-BFFFFh, with the read and write modes, odd/even and
 * chained addressing. Retrace and display-enable bits follow the CRT controller's timing by the dot clock.
 *
 * What is shown is worked out when somebody asks; text modes only. Writing and reading its memory are device
 * accesses, as to a card on a bus.
 */
#ifndef LK_SIM_BOARD_VGA_H
#define LK_SIM_BOARD_VGA_H

#include "sim/base/diag.h"
#include "sim/base/event.h"
#include "sim/base/iomap.h"

#include <stdbool.h>
#include <stdint.h>

struct vga_params {
    struct ev_queue *events; /* outlives the device */
    uint64_t cpu_hz;
};

struct vga;

/* Registers its ports and memory; as after power-on. On failure adds a line and returns NULL. */
struct vga *vga_create(const struct vga_params *params, struct iomap *ports, struct iomap *memory,
                       struct diag *diag);
void vga_destroy(struct vga *vga);

/* As firmware leaves it: mode 3 (80 x 25 colours), an empty screen. */
void vga_set_text_mode(struct vga *vga);

enum { VGA_MAX_COLUMNS = 256, VGA_MAX_ROWS = 128 };

struct vga_cell {
    uint8_t character; /* code page 437 */
    uint8_t attribute; /* background, 4 bits, and foreground */
};

/* The screen as text. */
struct vga_screen {
    bool is_text; /* else a graphics mode, or the display is off: the rest is zero */
    unsigned nr_columns, nr_rows;
    bool has_cursor;
    unsigned cursor_column, cursor_row;
    struct vga_cell cells[VGA_MAX_ROWS][VGA_MAX_COLUMNS];
};
void vga_read_screen(const struct vga *vga, struct vga_screen *screen);

/* A character of code page 437 as a Unicode code point. */
unsigned vga_code_point(uint8_t character);

/* 0xRRGGBB of colour 0-15 of an attribute, through the palette and the DAC. */
uint32_t vga_colour(const struct vga *vga, unsigned colour);

/* Accesses to its memory. */
uint64_t vga_nr_accesses(const struct vga *vga);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void vga_snap(struct vga *vga, struct snap *snap);

#endif
