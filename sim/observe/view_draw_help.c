/* The keys, over the picture. */
#include "sim/observe/view_draw_internal.h"

void draw_help(struct drawing *drawing)
{
    static const struct {
        const char *key, *does;
    } keys[] = {
        {"space", "pause, and go on"},
        {"s", "one instruction"},
        {"n", "some thousand cycles"},
        {"f", "to the next exception, such as a page fault"},
        {"w", "to the next page walk: a miss in all TLBs"},
        {"i", "to the next interrupt"},
        {"d", "to the next transfer of a device"},
        {"m", "to where a zone's free pages cross a watermark"},
        {"+  -", "faster, slower"},
        {"Tab", "counters, address space, DMA"},
        {"v", "COM1, VGA"},
        {"h", "frames by owner, by how much of them caches hold"},
        {"/", "find an address or a symbol; Enter: its walk, and its frame"},
        {"p", "this picture into a file"},
        {"?", "this list"},
        {"Esc", "back; from the picture: end the run"},
        {"q", "end the run"},
    };
    enum { NR_KEYS = sizeof keys / sizeof *keys, ROW_HEIGHT = 20 };
    struct box box = {370, 150, 540, 56 + NR_KEYS * ROW_HEIGHT};
    canvas_fill(drawing->canvas, box, INK_PANEL);
    canvas_outline(drawing->canvas, box, INK_DIM);
    canvas_text(drawing->canvas, box.x + 20, box.y + 14, FONT_TITLE, INK_TEXT, "Keys");
    for (unsigned i = 0; i < NR_KEYS; i++) {
        double y = box.y + 44 + ROW_HEIGHT * i;
        canvas_text(drawing->canvas, box.x + 20, y, FONT_BOLD, INK_MARK, keys[i].key);
        canvas_text(drawing->canvas, box.x + 90, y, FONT_TEXT, INK_TEXT, keys[i].does);
    }
}
