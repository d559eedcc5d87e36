/* The panels of the picture, one function each, and what they share. */
#ifndef LK_SIM_OBSERVE_VIEW_DRAW_INTERNAL_H
#define LK_SIM_OBSERVE_VIEW_DRAW_INTERNAL_H

#include "sim/observe/view_draw.h"

/*
 * The colours of what is no data. Owners, processes and reasons have the same colours in all themes: they are
 * of middling lightness, so that they stand out from a dark ground and from a light one.
 */
struct theme {
    colour_t ground, panel, line, empty, unused, text, dim, fault, good, mark;
    colour_t strong; /* mixed into the colour of what is dirty: away from the ground */
};

enum { HOVER_CHARS = 224, COUNT_CHARS = 32, PROCESS_CHARS = 40 };

/* A picture that is being drawn. */
struct drawing {
    struct canvas *canvas;
    const struct view_model *model;
    const struct view_ui *ui;
    const struct theme *theme;
    struct view_picked picked;
    char hover[HOVER_CHARS]; /* what lies under the pointer; empty while nothing does */
};

void draw_memory_panel(struct drawing *drawing, struct box panel);
void draw_walk_panel(struct drawing *drawing, struct box panel);
/* The walk for what the user looked at, so many levels of it as he has come to. */
void draw_walk_levels_panel(struct drawing *drawing, struct box panel);
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

/* Says what is in `box`, when it is pointed at. */
void hover(struct drawing *drawing, struct box box, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The cell of the memory map for some frames. */
void draw_frames_cell(struct drawing *drawing, struct box cell, pfn_t first, pfn_t nr_frames);
/* What the map's colours mean, at the bottom of the box. Both return the height that it takes. */
double draw_memory_keys(struct drawing *drawing, struct box inside);
double draw_heat_scale(struct drawing *drawing, struct box inside);

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

colour_t owner_colour(const struct drawing *drawing, enum view_owner owner);
/* A colour for text that is said in the colour of something: darker where the ground is light. */
colour_t text_colour(const struct drawing *drawing, colour_t colour);
/* `frame_process` is VIEW_FRAME_*. */
colour_t process_colour(const struct drawing *drawing, unsigned frame_process);
/* "pid 12 memhog", or the root of an address space of which no more is known. */
void format_process(char text[PROCESS_CHARS], const struct view_process *process);
/* The same of a frame: "several processes", "no process". */
void format_whose(char text[PROCESS_CHARS], const struct view_model *model, unsigned frame_process);
/* What an entry's bits say (SDM 3A 4.3 to 4.5): "present, writable, user, accessed". */
enum { WORDS_CHARS = 128 };
void format_entry(char text[WORDS_CHARS], uint64_t entry, bool is_leaf, bool is_large);
/* "4 MiB". */
const char *page_name(enum tlb_page page);
/* Nobody has it: free, or nothing but zeroes. */
bool is_idle_owner(enum view_owner owner);
/* What a cell of a frame is coloured by while nothing else is chosen: its owner, or its process. */
colour_t frame_colour(const struct drawing *drawing, pfn_t pfn);
/* Of free frames: 0 in the smallest blocks, 100 in the largest. */
colour_t free_colour(const struct drawing *drawing, unsigned percent);
/* From cold to hot. */
colour_t heat_colour(const struct drawing *drawing, unsigned percent);
/* Of step `index` of a walk. */
colour_t level_colour(unsigned index);
colour_t reason_colour(unsigned reason);
const char *reason_name(unsigned reason);
const char *reason_sentence(unsigned reason);

/* "1 204 331". */
const char *format_count(char text[COUNT_CHARS], uint64_t value);
/* "32 KiB", "127.9 MiB". */
const char *format_size(char text[COUNT_CHARS], uint64_t bytes);
/* 100 * part / all; 0 when there is nothing. */
double percent_of(uint64_t part, uint64_t all);

#endif
