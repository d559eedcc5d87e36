#include "sim/observe/view_canvas.h"

#include "sim/base/jsonout.h"

#include <SDL2/SDL_ttf.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MAX_TEXT = 512,
    FIRST_GLYPH = 0x20,
    NR_LATIN = 0x160,
    NR_OTHER = 109,
    NR_GLYPHS = NR_LATIN + NR_OTHER
};

static const struct {
    int size;     /* pixels, at scale 1 */
    double width; /* from one character to the next */
    double line_height;
    bool is_bold;
} font_rows[NR_CANVAS_FONTS] = {
    [FONT_SMALL] = {.size = 10, .width = 6, .line_height = 12},
    [FONT_TEXT] = {.size = 12, .width = 7, .line_height = 15},
    [FONT_BOLD] = {.size = 12, .width = 7, .line_height = 15, .is_bold = true},
    [FONT_TITLE] = {.size = 15, .width = 9, .line_height = 19, .is_bold = true},
};

/* Beyond Latin Extended-A: the window's, the rest of code page 437, the mark for any other. */
static const uint32_t other_glyphs[NR_OTHER] = {
    0x2013, 0x2190, 0x2192, 0x2193, 0x25b6, 0x25a0, 0x2026, 0x0192, 0x0393, 0x0398, 0x03a3, 0x03a6, 0x03a9,
    0x03b1, 0x03b4, 0x03b5, 0x03c0, 0x03c3, 0x03c4, 0x03c6, 0x2022, 0x203c, 0x207f, 0x20a7, 0x2191, 0x2194,
    0x2195, 0x21a8, 0x2219, 0x221a, 0x221e, 0x221f, 0x2229, 0x2248, 0x2261, 0x2264, 0x2265, 0x2302, 0x2310,
    0x2320, 0x2321, 0x2500, 0x2502, 0x250c, 0x2510, 0x2514, 0x2518, 0x251c, 0x2524, 0x252c, 0x2534, 0x253c,
    0x2550, 0x2551, 0x2552, 0x2553, 0x2554, 0x2555, 0x2556, 0x2557, 0x2558, 0x2559, 0x255a, 0x255b, 0x255c,
    0x255d, 0x255e, 0x255f, 0x2560, 0x2561, 0x2562, 0x2563, 0x2564, 0x2565, 0x2566, 0x2567, 0x2568, 0x2569,
    0x256a, 0x256b, 0x256c, 0x2580, 0x2584, 0x2588, 0x258c, 0x2590, 0x2591, 0x2592, 0x2593, 0x25ac, 0x25b2,
    0x25ba, 0x25bc, 0x25c4, 0x25cb, 0x25d8, 0x25d9, 0x263a, 0x263b, 0x263c, 0x2640, 0x2642, 0x2660, 0x2663,
    0x2665, 0x2666, 0x266a, 0x266b, 0xfffd};

struct canvas {
    SDL_Surface *surface;
    double scale;
    TTF_Font *font[NR_CANVAS_FONTS];
    SDL_Surface *glyph[NR_CANVAS_FONTS][NR_GLYPHS]; /* white on nothing; made when first used */
};

double canvas_char_width(enum canvas_font font)
{
    return font_rows[font].width;
}

double canvas_line_height(enum canvas_font font)
{
    return font_rows[font].line_height;
}

/* Where Debian, Fedora, Arch and FreeBSD keep DejaVu Sans Mono. */
static const struct {
    const char *regular, *bold;
} font_files[] = {
    {"/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf",
     "/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf"},
    {"/usr/share/fonts/dejavu-sans-mono-fonts/DejaVuSansMono.ttf",
     "/usr/share/fonts/dejavu-sans-mono-fonts/DejaVuSansMono-Bold.ttf"},
    {"/usr/share/fonts/TTF/DejaVuSansMono.ttf", "/usr/share/fonts/TTF/DejaVuSansMono-Bold.ttf"},
    {"/usr/local/share/fonts/dejavu/DejaVuSansMono.ttf",
     "/usr/local/share/fonts/dejavu/DejaVuSansMono-Bold.ttf"},
};

static bool open_fonts(struct canvas *canvas, struct diag *diag)
{
    size_t nr_files = sizeof font_files / sizeof *font_files, found = 0;
    while (found < nr_files &&
           (access(font_files[found].regular, R_OK) || access(font_files[found].bold, R_OK)))
        found++;
    if (found == nr_files)
        return diag_add(
            diag, EXIT_STATUS_NO_INPUT,
            "%s: no such font, which the window's text is set in (Debian package fonts-dejavu-core)",
            font_files[0].regular);
    for (unsigned i = 0; i < NR_CANVAS_FONTS; i++) {
        const char *file = font_rows[i].is_bold ? font_files[found].bold : font_files[found].regular;
        int size = (int)(font_rows[i].size * canvas->scale);
        canvas->font[i] = TTF_OpenFont(file, size < 4 ? 4 : size);
        if (!canvas->font[i])
            return diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: not usable as a font: %s", file, TTF_GetError());
    }
    return true;
}

struct canvas *canvas_create(int width_pixels, int height_pixels, double scale, struct diag *diag)
{
    struct canvas *canvas = calloc(1, sizeof *canvas);
    if (!canvas || TTF_Init() != 0) {
        free(canvas);
        diag_add(diag, EXIT_STATUS_INTERNAL, "window: the font library does not start: %s", TTF_GetError());
        return NULL;
    }
    canvas->scale = scale;
    canvas->surface =
        SDL_CreateRGBSurfaceWithFormat(0, width_pixels, height_pixels, 32, SDL_PIXELFORMAT_RGB888);
    if (!canvas->surface)
        diag_add(diag, EXIT_STATUS_INTERNAL, "window: no memory for a picture: %s", SDL_GetError());
    if (!canvas->surface || !open_fonts(canvas, diag)) {
        canvas_destroy(canvas);
        return NULL;
    }
    return canvas;
}

void canvas_destroy(struct canvas *canvas)
{
    if (!canvas)
        return;
    for (unsigned font = 0; font < NR_CANVAS_FONTS; font++) {
        for (unsigned i = 0; i < NR_GLYPHS; i++)
            SDL_FreeSurface(canvas->glyph[font][i]);
        if (canvas->font[font])
            TTF_CloseFont(canvas->font[font]);
    }
    SDL_FreeSurface(canvas->surface);
    free(canvas);
    TTF_Quit();
}

SDL_Surface *canvas_surface(const struct canvas *canvas)
{
    return canvas->surface;
}

struct box canvas_box(const struct canvas *canvas)
{
    return (struct box){0, 0, canvas->surface->w / canvas->scale, canvas->surface->h / canvas->scale};
}

colour_t colour_mix(colour_t a, colour_t b, unsigned percent)
{
    colour_t mixed = 0;
    for (unsigned shift = 0; shift < 24; shift += 8)
        mixed |= ((a >> shift & 0xff) * percent + (b >> shift & 0xff) * (100 - percent)) / 100 << shift;
    return mixed;
}

/* Edges are rounded, not sizes: neighbours neither overlap nor leave a gap. */
static SDL_Rect pixels(const struct canvas *canvas, struct box box)
{
    int left = (int)lround(box.x * canvas->scale), top = (int)lround(box.y * canvas->scale);
    int right = (int)lround((box.x + box.w) * canvas->scale),
        bottom = (int)lround((box.y + box.h) * canvas->scale);
    return (SDL_Rect){.x = left, .y = top, .w = right - left, .h = bottom - top};
}

void canvas_clip(struct canvas *canvas, struct box box)
{
    SDL_Rect rect = pixels(canvas, box);
    SDL_SetClipRect(canvas->surface, &rect);
}

static Uint32 pixel_of(const struct canvas *canvas, colour_t colour)
{
    return SDL_MapRGB(canvas->surface->format, (Uint8)(colour >> 16), (Uint8)(colour >> 8), (Uint8)colour);
}

void canvas_fill(struct canvas *canvas, struct box box, colour_t colour)
{
    SDL_Rect rect = pixels(canvas, box);
    SDL_FillRect(canvas->surface, &rect, pixel_of(canvas, colour));
}

void canvas_outline(struct canvas *canvas, struct box box, colour_t colour)
{
    SDL_Rect all = pixels(canvas, box);
    const SDL_Rect sides[] = {
        {all.x, all.y, all.w, 1},
        {all.x, all.y + all.h - 1, all.w, 1},
        {all.x, all.y, 1, all.h},
        {all.x + all.w - 1, all.y, 1, all.h},
    };
    SDL_FillRects(canvas->surface, sides, 4, pixel_of(canvas, colour));
}

static unsigned glyph_index(uint32_t codepoint)
{
    if (codepoint >= FIRST_GLYPH && codepoint < FIRST_GLYPH + NR_LATIN)
        return codepoint - FIRST_GLYPH;
    for (unsigned i = NR_LATIN; i < NR_GLYPHS; i++)
        if (other_glyphs[i - NR_LATIN] == codepoint)
            return i;
    return NR_GLYPHS - 1;
}

static SDL_Surface *glyph_of(struct canvas *canvas, enum canvas_font font, uint32_t codepoint)
{
    unsigned index = glyph_index(codepoint);
    SDL_Surface **glyph = &canvas->glyph[font][index];
    if (!*glyph) {
        uint32_t shown = index < NR_LATIN ? index + FIRST_GLYPH : other_glyphs[index - NR_LATIN];
        *glyph = TTF_RenderGlyph32_Blended(canvas->font[font], shown, (SDL_Color){255, 255, 255, 255});
    }
    return *glyph;
}

/* Takes one character off the text. What is no UTF-8 counts as U+FFFD, a byte at a time. */
static uint32_t next_codepoint(const char **text)
{
    const unsigned char *bytes = (const unsigned char *)*text;
    size_t length = utf8_length(bytes, strlen(*text));
    *text += length ? length : 1;
    if (length < 2)
        return length ? bytes[0] : 0xfffd;
    uint32_t codepoint = bytes[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++)
        codepoint = codepoint << 6 | (bytes[i] & 0x3fu);
    return codepoint;
}

double canvas_text(struct canvas *canvas, double x, double y, enum canvas_font font, colour_t colour,
                   const char *text)
{
    while (*text) {
        uint32_t codepoint = next_codepoint(&text);
        SDL_Surface *glyph = codepoint == ' ' ? NULL : glyph_of(canvas, font, codepoint);
        if (glyph) {
            SDL_Rect at = {.x = (int)lround(x * canvas->scale), .y = (int)lround(y * canvas->scale)};
            SDL_SetSurfaceColorMod(glyph, (Uint8)(colour >> 16), (Uint8)(colour >> 8), (Uint8)colour);
            SDL_BlitSurface(glyph, NULL, canvas->surface, &at);
        }
        x += font_rows[font].width;
    }
    return x;
}

double canvas_printf(struct canvas *canvas, double x, double y, enum canvas_font font, colour_t colour,
                     const char *format, ...)
{
    char text[MAX_TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return canvas_text(canvas, x, y, font, colour, text);
}

double canvas_text_width(enum canvas_font font, const char *text)
{
    double width = 0;
    for (const char *rest = text; *rest; next_codepoint(&rest))
        width += font_rows[font].width;
    return width;
}

double canvas_text_fit(struct canvas *canvas, double x, double y, double end, enum canvas_font font,
                       colour_t colour, const char *text)
{
    enum { NR_DOTS = 3 };
    char cut[MAX_TEXT];
    const char *rest = text;
    if (x + canvas_text_width(font, text) <= end)
        return canvas_text(canvas, x, y, font, colour, text);
    int nr_fit = (int)((end - x) / font_rows[font].width) - NR_DOTS;
    for (int i = 0; i < nr_fit; i++)
        next_codepoint(&rest);
    snprintf(cut, sizeof cut, "%.*s...", (int)(rest - text), text);
    return nr_fit > 0 ? canvas_text(canvas, x, y, font, colour, cut) : x;
}

void canvas_text_right(struct canvas *canvas, double x, double y, enum canvas_font font, colour_t colour,
                       const char *text)
{
    canvas_text(canvas, x - canvas_text_width(font, text), y, font, colour, text);
}

void canvas_utf8(uint32_t code_point, char text[CANVAS_UTF8_CHARS])
{
    unsigned at = 0;
    if (code_point < 0x80) {
        text[at++] = (char)code_point;
    } else if (code_point < 0x800) {
        text[at++] = (char)(0xc0 | code_point >> 6);
        text[at++] = (char)(0x80 | (code_point & 0x3f));
    } else {
        text[at++] = (char)(0xe0 | (code_point >> 12 & 0xf));
        text[at++] = (char)(0x80 | (code_point >> 6 & 0x3f));
        text[at++] = (char)(0x80 | (code_point & 0x3f));
    }
    text[at] = 0;
}
