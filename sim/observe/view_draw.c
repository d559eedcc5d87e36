/* The picture as a whole: where the panels lie, the bars above and below them, and what all panels use. */
#include "sim/observe/view_draw_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static void draw_middle_panel(struct drawing *drawing, struct box panel)
{
    static void (*const middles[NR_VIEW_MIDDLES])(struct drawing *, struct box) = {
        [VIEW_MIDDLE_COUNTERS] = draw_counters_panel,
        [VIEW_MIDDLE_SPACE] = draw_space_panel,
        [VIEW_MIDDLE_DMA] = draw_dma_panel,
    };
    middles[drawing->ui->middle % NR_VIEW_MIDDLES](drawing, panel);
}

static const struct {
    void (*draw)(struct drawing *drawing, struct box panel);
    struct box box;
} panels[] = {
    {draw_memory_panel, {8, 36, 520, 408}},    {draw_walk_panel, {536, 36, 388, 148}},
    {draw_middle_panel, {536, 192, 388, 252}}, {draw_arrays_panel, {932, 36, 340, 408}},
    {draw_history_panel, {8, 452, 560, 246}},  {draw_console_panel, {576, 452, 696, 246}},
};

colour_t owner_colour(enum view_owner owner)
{
    static const colour_t colours[NR_VIEW_OWNERS] = {
#define OWNER(id, name, colour) [VIEW_OWNER_##id] = colour,
#include "sim/observe/view_owners.def"
#undef OWNER
    };
    return colours[owner];
}

/*
 * Instruction side warm, data side from light to dark with distance, so that lightness alone keeps them
 * apart.
 */
colour_t reason_colour(unsigned reason)
{
    static const colour_t colours[NR_REASONS] = {
        [REASON_BASE] = 0x00b184,   [REASON_BRANCH] = 0xf0e442, [REASON_L1I] = 0xe69f00,
        [REASON_ITLB] = 0xf2d3e4,   [REASON_L1D] = 0xc3e8fb,    [REASON_DTLB] = 0xd98cb8,
        [REASON_L2] = 0x56b4e9,     [REASON_L3] = 0x3990d1,     [REASON_DRAM] = 0x1f6fb5,
        [REASON_SERIAL] = 0xe8641b, [REASON_IDLE] = 0x46505c,
    };
    return colours[reason];
}

const char *reason_name(unsigned reason)
{
    static const char *const names[NR_REASONS] = {
        [REASON_BASE] = "base",
#define REASON(id, name, sentence) [REASON_##id] = #name,
#include "sim/base/reasons.def"
#undef REASON
    };
    return names[reason];
}

const char *format_count(char text[COUNT_CHARS], uint64_t value)
{
    char digits[COUNT_CHARS];
    int nr_digits = snprintf(digits, sizeof digits, "%" PRIu64, value), at = 0;
    for (int i = 0; i < nr_digits; i++) {
        if (i && (nr_digits - i) % 3 == 0)
            text[at++] = ' ';
        text[at++] = digits[i];
    }
    text[at] = 0;
    return text;
}

const char *format_size(char text[COUNT_CHARS], uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    unsigned unit = 0;
    double value = (double)bytes;
    while (unit < 4 && value >= 1024) {
        value /= 1024;
        unit++;
    }
    snprintf(text, COUNT_CHARS, value == floor(value) ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return text;
}

double percent_of(uint64_t part, uint64_t all)
{
    return all ? 100.0 * (double)part / (double)all : 0;
}

bool is_pointed_at(const struct drawing *drawing, struct box box)
{
    double x = drawing->ui->pointer.x - box.x, y = drawing->ui->pointer.y - box.y;
    return x >= 0 && x < box.w && y >= 0 && y < box.h;
}

void pick_linear(struct drawing *drawing, uint64_t linear)
{
    drawing->picked.has_linear = true;
    drawing->picked.linear = linear;
}

struct box grid_cell(const struct grid *grid, struct box area, uint64_t column, uint64_t row)
{
    double gap_x = grid->pitch_x >= 3 ? 1 : 0, gap_y = grid->pitch_y >= 3 ? 1 : 0;
    return (struct box){area.x + (double)column * grid->pitch_x, area.y + (double)row * grid->pitch_y,
                        grid->pitch_x - gap_x, grid->pitch_y - gap_y};
}

struct box draw_panel(struct drawing *drawing, struct box panel, const char *title, const char *note)
{
    canvas_fill(drawing->canvas, panel, INK_PANEL);
    canvas_outline(drawing->canvas, panel, INK_LINE);
    double x = canvas_text(drawing->canvas, panel.x + 8, panel.y + 5, FONT_BOLD, INK_TEXT, title);
    if (note)
        canvas_text(drawing->canvas, x + 12, panel.y + 7, FONT_SMALL, INK_DIM, note);
    return (struct box){panel.x + 8, panel.y + 24, panel.w - 16, panel.h - 30};
}

double draw_legend(struct drawing *drawing, double x, double y, colour_t colour, const char *text)
{
    canvas_fill(drawing->canvas, (struct box){x, y + 2, 8, 8}, colour);
    canvas_outline(drawing->canvas, (struct box){x, y + 2, 8, 8}, colour_mix(colour, INK_TEXT, 70));
    return canvas_text(drawing->canvas, x + 12, y, FONT_SMALL, INK_DIM, text);
}

static void draw_title_bar(struct drawing *drawing)
{
    const struct view_model *model = drawing->model;
    const struct view_cpu *cpu = &model->cpu;
    struct canvas *canvas = drawing->canvas;
    char count[COUNT_CHARS];
    double x = canvas_text(canvas, 12, 6, FONT_TITLE, INK_TEXT, "lookaside");
    x = canvas_printf(canvas, x + 18, 8, FONT_TEXT, INK_DIM, "%.32s · %.32s", model->image_name,
                      model->config_name);
    if (!cpu->is_there)
        return;
    x = canvas_printf(canvas, x + 24, 8, FONT_TEXT, INK_TEXT, "cycle %s", format_count(count, cpu->now));
    if (model->clock_hz)
        x = canvas_printf(canvas, x + 14, 8, FONT_TEXT, INK_DIM, "%.3f ms",
                          1e3 * (double)cpu->now / (double)model->clock_hz);
    x = canvas_printf(canvas, x + 24, 8, FONT_TEXT, INK_TEXT, "IPC %.2f",
                      cpu->now ? (double)cpu->stats.instructions / (double)cpu->now : 0);
    x = canvas_printf(canvas, x + 24, 8, FONT_TEXT,
                      cpu->cpl == 3 ? INK_GOOD : owner_colour(VIEW_OWNER_PAGE_CACHE), "ring %u", cpu->cpl);
    if (model->has_task)
        x = canvas_printf(canvas, x + 14, 8, FONT_TEXT, INK_TEXT, "pid %" PRIu32 " %s", model->task.pid,
                          model->task.name);
    canvas_printf(canvas, x + 14, 8, FONT_TEXT, INK_DIM, "at %08" PRIx64, cpu->rip);
    const char *state = model->is_ended    ? "ended"
                        : model->is_paused ? "paused"
                        : !cpu->is_timed   ? "functional"
                                           : "";
    canvas_text_right(canvas, CANVAS_WIDTH - 12, 8, FONT_BOLD, INK_MARK, state);
}

static void draw_status_bar(struct drawing *drawing)
{
    double y = CANVAS_HEIGHT - 18;
    const struct view_ui *ui = drawing->ui;
    if (ui->has_prompt) {
        double end = canvas_printf(drawing->canvas, 12, y, FONT_TEXT, INK_MARK, "find address or symbol: %s",
                                   ui->prompt);
        canvas_fill(drawing->canvas, (struct box){end + 1, y + 1, canvas_char_width(FONT_TEXT), 12}, INK_DIM);
        return;
    }
    bool has_news = drawing->hover[0] || ui->message[0];
    const char *text = drawing->hover[0] ? drawing->hover
                       : ui->message[0]  ? ui->message
                                         : "point at a cell to learn what it is";
    canvas_text(drawing->canvas, 12, y, FONT_TEXT, has_news ? INK_MARK : INK_DIM, text);
    canvas_text_right(drawing->canvas, CANVAS_WIDTH - 12, y, FONT_TEXT, INK_DIM,
                      "[space] pause  [s] step  [f] next fault  [Tab] panel  [/] find  [?] help");
}

struct view_picked view_draw(struct canvas *canvas, const struct view_model *model, const struct view_ui *ui)
{
    struct drawing drawing = {.canvas = canvas, .model = model, .ui = ui};
    canvas_fill(canvas, (struct box){0, 0, CANVAS_WIDTH, CANVAS_HEIGHT}, INK_GROUND);
    for (size_t i = 0; i < sizeof panels / sizeof *panels; i++)
        panels[i].draw(&drawing, panels[i].box);
    draw_title_bar(&drawing);
    draw_status_bar(&drawing);
    if (ui->shows_help)
        draw_help(&drawing);
    return drawing.picked;
}

struct view_picked view_pick(struct canvas *canvas, const struct view_model *model, const struct view_ui *ui)
{
    struct drawing drawing = {.canvas = canvas, .model = model, .ui = ui};
    for (size_t i = 0; i < sizeof panels / sizeof *panels; i++)
        if (is_pointed_at(&drawing, panels[i].box))
            panels[i].draw(&drawing, panels[i].box);
    return drawing.picked;
}
