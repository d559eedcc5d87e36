/* The panels of the picture, one function each, and what they share. */
#ifndef LK_SIM_OBSERVE_VIEW_DRAW_INTERNAL_H
#define LK_SIM_OBSERVE_VIEW_DRAW_INTERNAL_H

#include "sim/observe/view_draw.h"

#define INK_GROUND 0x0b0f14u
#define INK_PANEL 0x141a21u
#define INK_LINE 0x2c343eu
#define INK_EMPTY 0x1f2b37u
#define INK_TEXT 0xdde4ebu
#define INK_DIM 0x93a0adu
#define INK_FAULT 0xf2793au
#define INK_GOOD 0x2fd0a3u
#define INK_MARK 0xf0e442u

enum { HOVER_CHARS = 160, COUNT_CHARS = 32 };

/* A picture that is being drawn. */
struct drawing {
    struct canvas *canvas;
    const struct view_model *model;
    const struct view_ui *ui;
    struct view_picked picked;
    char hover[HOVER_CHARS]; /* what lies under the pointer; empty while nothing does */
};

void draw_memory_panel(struct drawing *drawing, struct box panel);
void draw_walk_panel(struct drawing *drawing, struct box panel);
void draw_counters_panel(struct drawing *drawing, struct box panel);
void draw_space_panel(struct drawing *drawing, struct box panel);
void draw_dma_panel(struct drawing *drawing, struct box panel);
void draw_arrays_panel(struct drawing *drawing, struct box panel);
void draw_history_panel(struct drawing *drawing, struct box panel);
void draw_console_panel(struct drawing *drawing, struct box panel);
void draw_help(struct drawing *drawing);

/*
 * Ground, frame and title of a panel. Returns the box inside. `note` stands dim beside the title; may be
 * NULL.
 */
struct box draw_panel(struct drawing *drawing, struct box panel, const char *title, const char *note);

/* A square of `colour` and a text in small letters. Returns where the text ends. */
double draw_legend(struct drawing *drawing, double x, double y, colour_t colour, const char *text);

/* True when the pointer is in `box`. */
bool is_pointed_at(const struct drawing *drawing, struct box box);

/* What is pointed at lies at this linear address. */
void pick_linear(struct drawing *drawing, uint64_t linear);

/* How cells lie in an area: as large as fits. */
struct grid {
    double pitch_x, pitch_y;
    unsigned nr_columns;
};
struct box grid_cell(const struct grid *grid, struct box area, uint64_t column, uint64_t row);

colour_t owner_colour(enum view_owner owner);
colour_t reason_colour(unsigned reason);
const char *reason_name(unsigned reason);

/* "1 204 331". */
const char *format_count(char text[COUNT_CHARS], uint64_t value);
/* "32 KiB", "127.9 MiB". */
const char *format_size(char text[COUNT_CHARS], uint64_t bytes);
/* 100 * part / all; 0 when there is nothing. */
double percent_of(uint64_t part, uint64_t all);

#endif
