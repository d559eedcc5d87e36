/* The run so far, and the guest's console: the bottom of the picture. */
#include "sim/observe/view_draw_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* What went into the cycles of one stretch, as shares of it. */
static void draw_stretch(struct drawing *drawing, struct box column, const struct view_sample *from,
                         const struct view_sample *to)
{
    double all = (double)(to->cycle - from->cycle), y = column.y + column.h;
    for (unsigned reason = 0; reason < NR_REASONS; reason++) {
        double height = column.h * (double)(to->cpi_stack[reason] - from->cpi_stack[reason]) / all;
        y -= height;
        canvas_fill(drawing->canvas, (struct box){column.x, y, column.w, height}, reason_colour(reason));
    }
    if (is_pointed_at(drawing, column))
        snprintf(drawing->hover, sizeof drawing->hover,
                 "cycles %" PRIu64 "-%" PRIu64 ": %" PRIu64 " instructions, CPI %.2f", from->cycle, to->cycle,
                 to->instructions - from->instructions,
                 to->instructions > from->instructions ? all / (double)(to->instructions - from->instructions)
                                                       : 0);
}

static void draw_cpi_history(struct drawing *drawing, struct box area, cycle_t end)
{
    const struct view_history *history = &drawing->model->history;
    struct view_sample start = {0};
    for (unsigned i = 0; i < history->nr_samples; i++) {
        const struct view_sample *from = i ? &history->sample[i - 1] : &start, *to = &history->sample[i];
        if (to->cycle <= from->cycle)
            continue;
        double left = area.w * (double)from->cycle / (double)end,
               right = area.w * (double)to->cycle / (double)end;
        draw_stretch(drawing, (struct box){area.x + left, area.y, right - left, area.h}, from, to);
    }
}

/* The watermarks of all zones together, where the free pages have come near enough to be in the graph. */
static void draw_watermarks(struct drawing *drawing, struct box area, uint64_t least, uint64_t most)
{
    enum { DASH = 6 };
    static const char *const names[GUEST_NR_WATERMARKS] = {"min", "low", "high"};
    const struct view_memory *memory = &drawing->model->memory;
    for (unsigned mark = 0; mark < GUEST_NR_WATERMARKS; mark++) {
        uint64_t sum = 0;
        for (unsigned i = 0; i < memory->nr_zones; i++)
            sum += memory->zone[i].guest.watermark_pages[mark];
        if (sum <= least || sum >= most)
            continue;
        double y = area.y + area.h * (1 - (double)(sum - least) / (double)(most - least));
        colour_t colour = mark ? drawing->theme->mark : drawing->theme->fault;
        unsigned nr_dashes = (unsigned)(area.w / (2 * DASH));
        for (unsigned i = 0; i < nr_dashes; i++)
            canvas_fill(drawing->canvas, (struct box){area.x + 2.0 * DASH * i, y, DASH, 1}, colour);
        hover(drawing, (struct box){area.x, y - 2, area.w, 5},
              "the %s watermarks of all zones: %" PRIu64 " pages", names[mark], sum);
    }
}

/* A line between what was least and what was most. */
static void draw_free_history(struct drawing *drawing, struct box area, cycle_t end)
{
    const struct view_history *history = &drawing->model->history;
    uint64_t least = UINT64_MAX, most = 0;
    for (unsigned i = 0; i < history->nr_samples; i++) {
        if (!history->sample[i].has_free_pages || !history->sample[i].free_pages)
            continue;
        least = history->sample[i].free_pages < least ? history->sample[i].free_pages : least;
        most = history->sample[i].free_pages > most ? history->sample[i].free_pages : most;
    }
    if (least > most) {
        canvas_text(drawing->canvas, area.x, area.y, FONT_SMALL, drawing->theme->dim,
                    "free pages: the guest has not told");
        return;
    }
    double height = area.h - 3, range = most > least ? (double)(most - least) : 1;
    double last_y = -1;
    for (unsigned i = 0; i < history->nr_samples; i++) {
        const struct view_sample *sample = &history->sample[i];
        if (!sample->has_free_pages || !sample->free_pages)
            continue;
        cycle_t next = i + 1 < history->nr_samples ? history->sample[i + 1].cycle : end;
        double x = area.x + area.w * (double)sample->cycle / (double)end;
        double width = area.w * (double)(next - sample->cycle) / (double)end;
        double y = area.y + height * (1 - (double)(sample->free_pages - least) / range);
        if (last_y >= 0)
            canvas_fill(drawing->canvas,
                        (struct box){fmin(x, area.x + area.w - 2), fmin(y, last_y), 2, fabs(y - last_y) + 2},
                        drawing->theme->good);
        canvas_fill(drawing->canvas, (struct box){x, y, width, 2}, drawing->theme->good);
        hover(drawing, (struct box){x, area.y, width, area.h}, "cycle %" PRIu64 ": %" PRIu64 " free pages",
              sample->cycle, sample->free_pages);
        last_y = y;
    }
    draw_watermarks(drawing, (struct box){area.x, area.y, area.w, height}, least, most);
    char a[COUNT_CHARS], b[COUNT_CHARS];
    canvas_printf(drawing->canvas, area.x, area.y + area.h + 2, FONT_SMALL, drawing->theme->dim,
                  "free pages, from %s to %s", format_count(a, least), format_count(b, most));
}

/* Where the guest's marks lie, and what they say as far as there is room up to the next. */
static void draw_marks(struct drawing *drawing, struct box area, cycle_t end)
{
    enum { TICK_WIDTH = 3, GAP = 4 };
    const struct view_history *history = &drawing->model->history;
    char count[COUNT_CHARS];
    double right = area.x + area.w;
    for (unsigned i = 0; i < history->nr_marks && history->mark[i].cycle <= end; i++) {
        const struct view_mark *mark = &history->mark[i];
        bool has_next = i + 1 < history->nr_marks && history->mark[i + 1].cycle <= end;
        double x = area.x + area.w * (double)mark->cycle / (double)end;
        double next = has_next ? area.x + area.w * (double)history->mark[i + 1].cycle / (double)end : right;
        struct box tick = {fmin(x, right - TICK_WIDTH), area.y, TICK_WIDTH, area.h};
        canvas_fill(drawing->canvas, (struct box){tick.x + 1, tick.y, 1, tick.h}, drawing->theme->mark);
        if (x + GAP + canvas_text_width(FONT_SMALL, mark->text) < next)
            canvas_text(drawing->canvas, x + GAP, area.y, FONT_SMALL, drawing->theme->dim, mark->text);
        hover(drawing, tick, "the guest said in cycle %s: %s", format_count(count, mark->cycle), mark->text);
    }
}

void draw_history_panel(struct drawing *drawing, struct box panel)
{
    const struct view_history *history = &drawing->model->history;
    cycle_t end = history->nr_samples ? history->sample[history->nr_samples - 1].cycle : 0;
    char count[COUNT_CHARS], note[96] = "no samples yet";
    if (end)
        snprintf(note, sizeof note, "shares of the cycles, up to cycle %s; %u stretches",
                 format_count(count, end), history->nr_samples);
    struct box inside = draw_panel(drawing, panel, "Time", note);
    enum { LEGEND = 16, MARKS = 14, LEAST_FREE = 40, TEXT = 14 };
    double graphs = inside.h - LEGEND - MARKS - TEXT, free_height = fmax(LEAST_FREE, floor(graphs * 0.26));
    struct box cpi = {inside.x, inside.y, inside.w, graphs - free_height};
    double x = inside.x;
    for (unsigned reason = 0; reason < NR_REASONS; reason++) {
        double next = draw_legend(drawing, x, cpi.y + cpi.h + 3, reason_colour(reason), reason_name(reason));
        hover(drawing, (struct box){x, cpi.y + cpi.h + 3, next - x, 12}, "%s: %s", reason_name(reason),
              reason_sentence(reason));
        x = next + 12;
    }
    canvas_fill(drawing->canvas, cpi, drawing->theme->ground);
    if (!end)
        return;
    draw_cpi_history(drawing, cpi, end);
    draw_marks(drawing, (struct box){inside.x, cpi.y + cpi.h + LEGEND, inside.w, MARKS - 1}, end);
    draw_free_history(drawing, (struct box){inside.x, cpi.y + cpi.h + LEGEND + MARKS, inside.w, free_height},
                      end);
}

static void draw_vga_cells(struct drawing *drawing, struct box inside, const struct view_vga *vga)
{
    double width = canvas_char_width(FONT_SMALL), height = canvas_line_height(FONT_SMALL);
    /* There is no room for all rows: those around the cursor, or the first. */
    unsigned nr_fit = inside.h >= height ? (unsigned)(inside.h / height) : 1;
    unsigned nr_shown = vga->nr_rows < nr_fit ? vga->nr_rows : nr_fit;
    bool has_cursor =
        vga->has_cursor && vga->cursor_row < vga->nr_rows && vga->cursor_column < vga->nr_columns;
    unsigned first = has_cursor && vga->cursor_row >= nr_shown ? vga->cursor_row + 1 - nr_shown : 0;
    for (unsigned row = first; row < first + nr_shown; row++) {
        for (unsigned column = 0; column < vga->nr_columns; column++) {
            const struct view_vga_cell *cell = &vga->cell[row][column];
            double x = inside.x + width * column, y = inside.y + height * (row - first);
            char text[CANVAS_UTF8_CHARS];
            canvas_fill(drawing->canvas, (struct box){x, y, width + 1, height + 1}, cell->ground);
            canvas_utf8(cell->code_point, text);
            if (cell->code_point > ' ')
                canvas_text(drawing->canvas, x, y - 1, FONT_SMALL, cell->ink, text);
        }
    }
    if (has_cursor)
        canvas_fill(drawing->canvas,
                    (struct box){inside.x + width * vga->cursor_column,
                                 inside.y + height * (vga->cursor_row - first + 1) - 2, width, 2},
                    drawing->theme->text);
}

static void draw_vga_panel(struct drawing *drawing, struct box panel)
{
    const struct view_vga *vga = &drawing->model->vga;
    struct box inside =
        draw_panel(drawing, panel, "Guest screen", vga->is_there ? "VGA" : "VGA, in no text mode");
    if (vga->is_there)
        draw_vga_cells(drawing, inside, vga);
    hover(drawing, inside, "what the guest's VGA shows; [v] what it wrote to its serial port");
}

void draw_console_panel(struct drawing *drawing, struct box panel)
{
    if (drawing->ui->shows_vga) {
        draw_vga_panel(drawing, panel);
        return;
    }
    const struct view_console *console = &drawing->model->console;
    struct box inside = draw_panel(drawing, panel, "Guest console", console->is_there ? "COM1" : "none");
    double width = canvas_char_width(FONT_SMALL), height = canvas_line_height(FONT_SMALL);
    unsigned nr_columns = (unsigned)(inside.w / width), nr_fit = (unsigned)(inside.h / height);
    unsigned first = console->nr_lines > nr_fit ? console->nr_lines - nr_fit : 0;
    for (unsigned i = first; i < console->nr_lines; i++)
        canvas_printf(drawing->canvas, inside.x, inside.y + height * (i - first), FONT_SMALL,
                      drawing->theme->text, "%.*s", (int)nr_columns, console->line[i]);
    if (console->cursor_line >= first && console->cursor_line < console->nr_lines &&
        console->cursor_column < nr_columns)
        canvas_fill(drawing->canvas,
                    (struct box){inside.x + width * console->cursor_column,
                                 inside.y + height * (console->cursor_line - first) + 1, width, height - 1},
                    drawing->theme->dim);
    hover(drawing, inside, "what the guest wrote to its first serial port; [v] its VGA screen");
}
