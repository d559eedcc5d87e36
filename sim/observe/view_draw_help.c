/* The keys, over the picture. */
#include "sim/observe/view_draw_internal.h"

#include <math.h>

void draw_help(struct drawing *drawing)
{
    static const struct {
        const char *key, *does;
    } keys[] = {
        {"space", "pause, and go on"},
        {"s", "one instruction"},
        {".", "one cycle"},
        {"n", "some thousand cycles"},
        {"f", "to the next exception, such as a page fault"},
        {"r", "out of an exception, back to where it came from"},
        {"w", "to the next page walk: a miss in all TLBs"},
        {"i", "to the next interrupt"},
        {"d", "to the next transfer of a device"},
        {"m", "to where a zone's free pages cross a watermark"},
        {"+  -", "faster, slower"},
        {"l  L", "the walk for what is pointed at, a level further, back"},
        {"/", "find an address or a symbol; Enter: its walk, and its frame"},
        {"o", "colours: owner, process, heat"},
        {"h", "heat: what caches hold and took in, what was used last"},
        {"c  C", "choose the next process, the one before; in the end the one that runs"},
        {"Tab", "counters, address space, DMA"},
        {"v", "COM1, VGA"},
        {"1 .. 6", "one panel alone; 0: all"},
        {"z  Z", "larger text, smaller"},
        {"t", "dark, light"},
        {"p", "this picture into a file"},
        {"Esc", "back; from the picture: end the run"},
        {"q", "end the run"},
    };
    enum { NR_KEYS = sizeof keys / sizeof *keys, MOST_ROW = 20, LEAST_ROW = 12, HEAD = 44, BELOW = 12 };
    struct box picture = canvas_box(drawing->canvas);
    double row = fmax(LEAST_ROW, fmin(MOST_ROW, floor((picture.h - HEAD - BELOW - 16) / NR_KEYS)));
    enum canvas_font font = row >= canvas_line_height(FONT_TEXT) ? FONT_TEXT : FONT_SMALL;
    double width = fmin(picture.w - 16, font == FONT_TEXT ? 600 : 520), height = HEAD + BELOW + NR_KEYS * row;
    struct box box = {floor((picture.w - width) / 2), floor(fmax(0, (picture.h - height) / 2)), width,
                      height};
    canvas_fill(drawing->canvas, box, drawing->theme->panel);
    canvas_outline(drawing->canvas, box, drawing->theme->dim);
    canvas_text(drawing->canvas, box.x + 20, box.y + 14, FONT_TITLE, drawing->theme->text, "Keys");
    for (unsigned i = 0; i < NR_KEYS; i++) {
        double y = box.y + HEAD + row * i;
        canvas_text(drawing->canvas, box.x + 20, y, font, drawing->theme->mark, keys[i].key);
        canvas_text_fit(drawing->canvas, box.x + 84, y, box.x + width - 8, font, drawing->theme->text,
                        keys[i].does);
    }
}
