#include "sim/run_vga.h"

#include "sim/observe/view_canvas.h"
#include "sim/observe/view_png.h"

#include <stdlib.h>

enum { NR_COLOURS = 16, CURSOR_HEIGHT = 2, SCALE = 2 };

static bool is_blank(uint8_t character)
{
    return character == ' ' || character == 0 || character == 0xff;
}

static void print_rows(const struct vga_screen *screen, FILE *to)
{
    for (unsigned row = 0; row < screen->nr_rows; row++) {
        unsigned end = screen->nr_columns;
        while (end > 0 && is_blank(screen->cells[row][end - 1].character))
            end--;
        for (unsigned column = 0; column < end; column++) {
            char text[CANVAS_UTF8_CHARS];
            canvas_utf8(vga_code_point(screen->cells[row][column].character), text);
            fputs(text, to);
        }
        fputc('\n', to);
    }
}

void run_vga_print(const struct vga *vga, FILE *to)
{
    struct vga_screen *screen = malloc(sizeof *screen);
    if (!screen)
        return;
    vga_read_screen(vga, screen);
    if (screen->is_text)
        print_rows(screen, to);
    else
        fputs("(the VGA is in a graphics mode, or its display is off)\n", to);
    free(screen);
}

static void draw(struct canvas *canvas, const struct vga *vga, const struct vga_screen *screen)
{
    const double width = canvas_char_width(FONT_TEXT), height = canvas_line_height(FONT_TEXT);
    colour_t colours[NR_COLOURS];
    for (unsigned i = 0; i < NR_COLOURS; i++)
        colours[i] = vga_colour(vga, i);
    canvas_fill(canvas, canvas_box(canvas), 0);
    for (unsigned row = 0; row < screen->nr_rows; row++) {
        for (unsigned column = 0; column < screen->nr_columns; column++) {
            const struct vga_cell *cell = &screen->cells[row][column];
            struct box box = {column * width, row * height, width, height};
            char text[CANVAS_UTF8_CHARS];
            canvas_fill(canvas, box, colours[cell->attribute >> 4 & 7]);
            canvas_utf8(vga_code_point(cell->character), text);
            if (!is_blank(cell->character))
                canvas_text(canvas, box.x, box.y, FONT_TEXT, colours[cell->attribute & 15], text);
        }
    }
    if (!screen->has_cursor)
        return;
    const struct vga_cell *under = &screen->cells[screen->cursor_row][screen->cursor_column];
    canvas_fill(canvas,
                (struct box){screen->cursor_column * width, (screen->cursor_row + 1) * height - CURSOR_HEIGHT,
                             width, CURSOR_HEIGHT},
                colours[under->attribute & 15]);
}

bool run_vga_write_png(const struct vga *vga, const char *file, struct diag *diag)
{
    struct vga_screen *screen = malloc(sizeof *screen);
    if (!screen)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "%s: no memory for the picture", file);
    vga_read_screen(vga, screen);
    /* Of a graphics mode, 80 x 25 characters of black. */
    unsigned nr_columns = screen->is_text ? screen->nr_columns : 80,
             nr_rows = screen->is_text ? screen->nr_rows : 25;
    struct canvas *canvas =
        canvas_create((int)(nr_columns * canvas_char_width(FONT_TEXT) * SCALE),
                      (int)(nr_rows * canvas_line_height(FONT_TEXT) * SCALE), SCALE, diag);
    bool is_written = false;
    if (canvas) {
        draw(canvas, vga, screen);
        is_written = view_write_surface(canvas_surface(canvas), file, diag);
        canvas_destroy(canvas);
    }
    free(screen);
    return is_written;
}
