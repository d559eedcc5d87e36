/*
 * A surface to draw the window's picture on: filled rectangles and monospaced text. A unit of its coordinates
 * is `scale` pixels; text is set in a larger or smaller font by that, not stretched. Needs no display, no
 * window and no SDL video.
 */
#ifndef LK_SIM_OBSERVE_VIEW_CANVAS_H
#define LK_SIM_OBSERVE_VIEW_CANVAS_H

#include "sim/base/diag.h"

#include <SDL2/SDL_surface.h>
#include <stdbool.h>
#include <stdint.h>

/* 0xRRGGBB */
typedef uint32_t colour_t;

enum canvas_font { FONT_SMALL, FONT_TEXT, FONT_BOLD, FONT_TITLE, NR_CANVAS_FONTS };

/* In picture coordinates. */
struct box {
    double x, y, w, h;
};

struct canvas;

/* A canvas of so many pixels. On failure (no font) adds a line and returns NULL. */
struct canvas *canvas_create(int width_pixels, int height_pixels, double scale, struct diag *diag);
void canvas_destroy(struct canvas *canvas);

SDL_Surface *canvas_surface(const struct canvas *canvas);

/* In picture coordinates. */
struct box canvas_box(const struct canvas *canvas);

/* What is drawn from now on is drawn inside of `box` only. */
void canvas_clip(struct canvas *canvas, struct box box);

void canvas_fill(struct canvas *canvas, struct box box, colour_t colour);
/* One pixel wide, inside the box. */
void canvas_outline(struct canvas *canvas, struct box box, colour_t colour);

/* UTF-8, from the top left corner on. Returns the x at which the text ends. */
double canvas_text(struct canvas *canvas, double x, double y, enum canvas_font font, colour_t colour,
                   const char *text);
double canvas_printf(struct canvas *canvas, double x, double y, enum canvas_font font, colour_t colour,
                     const char *format, ...) __attribute__((format(printf, 6, 7)));
/* What fits between x and `end`: cut and three dots where it does not. */
double canvas_text_fit(struct canvas *canvas, double x, double y, double end, enum canvas_font font,
                       colour_t colour, const char *text);
/* The same as canvas_text, ending at x. */
void canvas_text_right(struct canvas *canvas, double x, double y, enum canvas_font font, colour_t colour,
                       const char *text);

/* A code point below 10000h as a string in UTF-8 (RFC 3629, 3). */
enum { CANVAS_UTF8_CHARS = 4 };
void canvas_utf8(uint32_t code_point, char text[CANVAS_UTF8_CHARS]);

/* The width of a text. */
double canvas_text_width(enum canvas_font font, const char *text);

/* The width of one character and the height of a line. */
double canvas_char_width(enum canvas_font font);
double canvas_line_height(enum canvas_font font);

/* `percent` of `a` and the rest of `b`. */
colour_t colour_mix(colour_t a, colour_t b, unsigned percent);

#endif
