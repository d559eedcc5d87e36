/* The picture as a whole: where the panels lie, the bars above and below them, and what all panels use. */
#include "sim/observe/view_draw_internal.h"
#include "sim/observe/view_layout.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void draw_middle_panel(struct drawing *drawing, struct box panel)
{
    static void (*const middles[NR_VIEW_MIDDLES])(struct drawing *, struct box) = {
        [VIEW_MIDDLE_COUNTERS] = draw_counters_panel,
        [VIEW_MIDDLE_SPACE] = draw_space_panel,
        [VIEW_MIDDLE_DMA] = draw_dma_panel,
    };
    middles[drawing->ui->middle % NR_VIEW_MIDDLES](drawing, panel);
}

static void (*const panel_drawers[NR_VIEW_PANELS])(struct drawing *drawing, struct box panel) = {
    [VIEW_PANEL_MEMORY] = draw_memory_panel, [VIEW_PANEL_WALK] = draw_walk_panel,
    [VIEW_PANEL_MIDDLE] = draw_middle_panel, [VIEW_PANEL_ARRAYS] = draw_arrays_panel,
    [VIEW_PANEL_TIME] = draw_history_panel,  [VIEW_PANEL_CONSOLE] = draw_console_panel,
};

static const struct theme themes[NR_VIEW_THEMES] = {
    [VIEW_DARK] = {.ground = 0x0b0f14,
                   .panel = 0x141a21,
                   .line = 0x2c343e,
                   .empty = 0x1f2b37,
                   .unused = 0x18212b,
                   .text = 0xdde4eb,
                   .dim = 0x93a0ad,
                   .fault = 0xf2793a,
                   .good = 0x2fd0a3,
                   .mark = 0xf0e442,
                   .strong = 0xffffff},
    [VIEW_LIGHT] = {.ground = 0xeef1f4,
                    .panel = 0xffffff,
                    .line = 0xc3ccd5,
                    .empty = 0xdfe5eb,
                    .unused = 0xebeff3,
                    .text = 0x17202a,
                    .dim = 0x566370,
                    .fault = 0xb43c06,
                    .good = 0x00745a,
                    .mark = 0x8f3fa0,
                    .strong = 0x000000},
};

colour_t owner_colour(const struct drawing *drawing, enum view_owner owner)
{
    static const colour_t colours[NR_VIEW_OWNERS] = {
#define OWNER(id, name, colour) [VIEW_OWNER_##id] = colour,
#include "sim/observe/view_owners.def"
#undef OWNER
    };
    return owner == VIEW_OWNER_FREE     ? drawing->theme->empty
           : owner == VIEW_OWNER_UNUSED ? drawing->theme->unused
                                        : colours[owner];
}

colour_t process_colour(const struct drawing *drawing, unsigned frame_process)
{
    static const colour_t colours[] = {
#define PROCESS(colour) colour,
#include "sim/observe/view_processes.def"
#undef PROCESS
    };
    unsigned whose = frame_process & VIEW_FRAME_PROCESS;
    return whose == VIEW_FRAME_NOBODYS ? colour_mix(drawing->theme->dim, drawing->theme->panel, 45)
           : whose == VIEW_FRAME_SHARED
               ? drawing->theme->text
               : colours[(whose - VIEW_FRAME_FIRST) % (sizeof colours / sizeof *colours)];
}

colour_t text_colour(const struct drawing *drawing, colour_t colour)
{
    return drawing->ui->theme == VIEW_LIGHT ? colour_mix(colour, 0x000000, 60) : colour;
}

void format_process(char text[PROCESS_CHARS], const struct view_process *process)
{
    if (process->has_task)
        snprintf(text, PROCESS_CHARS, "pid %" PRIu32 " %s", process->task.pid, process->task.name);
    else
        snprintf(text, PROCESS_CHARS, "CR3 %08" PRIx64, process->root);
}

void hover(struct drawing *drawing, struct box box, const char *format, ...)
{
    va_list arguments;
    if (!is_pointed_at(drawing, box))
        return;
    va_start(arguments, format);
    vsnprintf(drawing->hover, sizeof drawing->hover, format, arguments);
    va_end(arguments);
}

/*
 * Instruction side warm, data side from light to dark with distance, so that lightness alone keeps them
 * apart.
 */
colour_t reason_colour(unsigned reason)
{
    static const colour_t colours[NR_REASONS] = {
        [REASON_BASE] = 0x00b184,   [REASON_BRANCH] = 0xf0e442, [REASON_L1I] = 0xe69f00,
        [REASON_ITLB] = 0x8f4a86,   [REASON_L1D] = 0xc3e8fb,    [REASON_DTLB] = 0xd98cb8,
        [REASON_L2] = 0x56b4e9,     [REASON_L3] = 0x2f86c8,     [REASON_DRAM] = 0x17558f,
        [REASON_SERIAL] = 0xd5521a, [REASON_IDLE] = 0x59636e,
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

const char *reason_sentence(unsigned reason)
{
    static const char *const sentences[NR_REASONS] = {
        [REASON_BASE] = "issuing instructions, and waiting for none of the others",
#define REASON(id, name, sentence) [REASON_##id] = sentence,
#include "sim/base/reasons.def"
#undef REASON
    };
    return sentences[reason];
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
    /* Gaps in one direction only would look like stripes. */
    double gap = fmin(grid->pitch_x, grid->pitch_y) >= 3 ? 1 : 0;
    return (struct box){area.x + (double)column * grid->pitch_x, area.y + (double)row * grid->pitch_y,
                        grid->pitch_x - gap, grid->pitch_y - gap};
}

struct box draw_panel(struct drawing *drawing, struct box panel, const char *title, const char *note)
{
    double end = panel.x + panel.w - 8;
    canvas_fill(drawing->canvas, panel, drawing->theme->panel);
    canvas_outline(drawing->canvas, panel, drawing->theme->line);
    double x = canvas_text_fit(drawing->canvas, panel.x + 8, panel.y + 5, end, FONT_BOLD,
                               drawing->theme->text, title);
    if (note)
        canvas_text_fit(drawing->canvas, x + 12, panel.y + 7, end, FONT_SMALL, drawing->theme->dim, note);
    return (struct box){panel.x + 8, panel.y + 24, panel.w - 16, panel.h - 30};
}

double draw_legend(struct drawing *drawing, double x, double y, colour_t colour, const char *text)
{
    canvas_fill(drawing->canvas, (struct box){x, y + 2, 8, 8}, colour);
    canvas_outline(drawing->canvas, (struct box){x, y + 2, 8, 8},
                   colour_mix(colour, drawing->theme->text, 70));
    return canvas_text(drawing->canvas, x + 12, y, FONT_SMALL, drawing->theme->dim, text);
}

/* What the title bar says; where there is no room for all, what matters less is left out. */
enum { MAX_TITLE_ITEMS = 10, TITLE_CHARS = 80 };
struct title_item {
    char text[TITLE_CHARS];
    colour_t colour;
    unsigned rank; /* the largest goes first */
    const char *meaning;
};

static unsigned collect_title(const struct drawing *drawing, struct title_item item[MAX_TITLE_ITEMS])
{
    const struct view_model *model = drawing->model;
    const struct view_cpu *cpu = &model->cpu;
    const struct theme *theme = drawing->theme;
    char count[COUNT_CHARS];
    unsigned nr = 0;
#define ITEM(ink, importance, sentence, ...)                                                                 \
    (snprintf(item[nr].text, TITLE_CHARS, __VA_ARGS__), item[nr].colour = (ink),                             \
     item[nr].rank = (importance), item[nr].meaning = (sentence), nr++)
    ITEM(theme->dim, 4, "the image that runs, and the configuration of the machine", "%.32s \u00b7 %.32s",
         model->image_name, model->config_name);
    if (!cpu->is_there)
        return nr;
    ITEM(theme->text, 0, "the core's clock", "cycle %s", format_count(count, cpu->now));
    if (model->clock_hz)
        ITEM(theme->dim, 6, "the guest's time: cycles by the clock's frequency", "%.3f ms",
             1e3 * (double)cpu->now / (double)model->clock_hz);
    ITEM(theme->text, 3, "instructions per cycle since the start", "IPC %.2f",
         cpu->now ? (double)cpu->stats.instructions / (double)cpu->now : 0);
    ITEM(cpu->cpl == 3 ? theme->good : text_colour(drawing, owner_colour(drawing, VIEW_OWNER_PAGE_CACHE)), 2,
         "the privilege level that the core runs at: 0 the kernel, 3 a program", "ring %u", cpu->cpl);
    if (model->has_task)
        ITEM(theme->text, 1, "the task that the kernel runs", "pid %" PRIu32 " %s", model->task.pid,
             model->task.name);
    ITEM(theme->dim, 5, "the next instruction", "at %08" PRIx64 "%s%s", cpu->rip, model->place[0] ? " " : "",
         model->place);
#undef ITEM
    return nr;
}

static double title_width(const struct title_item *item, unsigned nr)
{
    enum { SPACE = 18 };
    double width = 0;
    for (unsigned i = 0; i < nr; i++)
        width += item[i].text[0] ? SPACE + canvas_text_width(FONT_TEXT, item[i].text) : 0;
    return width;
}

static void draw_title_bar(struct drawing *drawing)
{
    const struct view_model *model = drawing->model;
    struct canvas *canvas = drawing->canvas;
    const char *state = model->end             ? model->end
                        : model->is_paused     ? "paused"
                        : !model->cpu.is_there ? ""
                        : !model->cpu.is_timed ? "functional"
                                               : "";
    double right = canvas_box(canvas).w - 12 - canvas_text_width(FONT_BOLD, state);
    struct title_item item[MAX_TITLE_ITEMS];
    unsigned nr = collect_title(drawing, item);
    double x = canvas_text(canvas, 12, 6, FONT_TITLE, drawing->theme->text, "lookaside");
    for (unsigned rank = MAX_TITLE_ITEMS; rank-- > 0 && x + title_width(item, nr) + 12 > right;)
        for (unsigned i = 0; i < nr; i++)
            if (item[i].rank == rank)
                item[i].text[0] = 0;
    for (unsigned i = 0; i < nr; i++) {
        if (!item[i].text[0])
            continue;
        double end = canvas_text(canvas, x + 18, 8, FONT_TEXT, item[i].colour, item[i].text);
        hover(drawing, (struct box){x + 18, 4, end - x - 18, 24}, "%s", item[i].meaning);
        x = end;
    }
    canvas_text(canvas, right, 8, FONT_BOLD, drawing->theme->mark, state);
}

/* The longest of some sentences that there is room for. */
static void draw_keys_hint(struct drawing *drawing, double left, double right, double y)
{
    static const char *const hints[] = {
        "[space] pause  [s] step  [f] next fault  [l] walk  [o] colours  [Tab] panel  [/] find  [?] help",
        "[space] pause  [s] step  [f] next fault  [l] walk  [?] help",
        "[space] pause  [?] help",
        "[?] help",
    };
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (left + canvas_text_width(FONT_TEXT, hints[i]) <= right) {
            canvas_text_right(drawing->canvas, right, y, FONT_TEXT, drawing->theme->dim, hints[i]);
            return;
        }
}

/* What a step did to memory, behind what is said of it: the first frames, as many as there is room for. */
static void append_changes(const struct view_model *model, char text[HOVER_CHARS])
{
    enum { CHANGE_CHARS = 64, MAX_SAID = 4 };
    const struct view_changes *changes = &model->changes;
    size_t at = strlen(text);
    char count[COUNT_CHARS], change[CHANGE_CHARS];
    at += (size_t)snprintf(text + at, HOVER_CHARS - at, "%s%s frame%s changed owner: ", at ? " \u00b7 " : "",
                           format_count(count, changes->nr), changes->nr == 1 ? "" : "s");
    for (unsigned i = 0; i < changes->nr && i < VIEW_MAX_CHANGES; i++) {
        int length = snprintf(change, sizeof change, "%s%" PRIu64 " %s \u2192 %s", i ? ", " : "",
                              changes->first[i].pfn, view_owner_name(changes->first[i].before),
                              view_owner_name(changes->first[i].after));
        if (i == MAX_SAID || at + (size_t)length + 4 > HOVER_CHARS) {
            snprintf(text + at, HOVER_CHARS - at, "...");
            return;
        }
        at += (size_t)snprintf(text + at, HOVER_CHARS - at, "%s", change);
    }
}

static void draw_status_bar(struct drawing *drawing)
{
    struct box picture = canvas_box(drawing->canvas);
    double y = picture.h - 18, right = picture.w - 12;
    const struct view_ui *ui = drawing->ui;
    if (ui->has_prompt) {
        double end = canvas_printf(drawing->canvas, 12, y, FONT_TEXT, drawing->theme->mark,
                                   "find address or symbol: %s", ui->prompt);
        canvas_fill(drawing->canvas, (struct box){end + 1, y + 1, canvas_char_width(FONT_TEXT), 12},
                    drawing->theme->dim);
        return;
    }
    char text[HOVER_CHARS];
    snprintf(text, sizeof text, "%s", drawing->hover[0] ? drawing->hover : ui->message);
    if (!drawing->hover[0] && drawing->model->changes.nr)
        append_changes(drawing->model, text);
    bool has_news = text[0];
    if (!has_news)
        snprintf(text, sizeof text, "point at something to learn what it is");
    bool is_long = 12 + canvas_text_width(FONT_TEXT, text) > right;
    double end =
        canvas_text_fit(drawing->canvas, 12, is_long ? y + 2 : y, right, is_long ? FONT_SMALL : FONT_TEXT,
                        has_news ? drawing->theme->mark : drawing->theme->dim, text);
    draw_keys_hint(drawing, end + 24, right, y);
}

static struct drawing begin(struct canvas *canvas, const struct view_model *model, const struct view_ui *ui)
{
    return (struct drawing){
        .canvas = canvas, .model = model, .ui = ui, .theme = &themes[ui->theme % NR_VIEW_THEMES]};
}

static void draw_panels(struct drawing *drawing, bool only_pointed_at)
{
    struct box box[NR_VIEW_PANELS];
    view_layout(canvas_box(drawing->canvas), drawing->ui, box);
    for (unsigned i = 0; i < NR_VIEW_PANELS; i++) {
        if (box[i].w <= 0 || box[i].h <= 0 || (only_pointed_at && !is_pointed_at(drawing, box[i])))
            continue;
        canvas_clip(drawing->canvas, box[i]);
        panel_drawers[i](drawing, box[i]);
    }
    canvas_clip(drawing->canvas, canvas_box(drawing->canvas));
}

struct view_picked view_draw(struct canvas *canvas, const struct view_model *model, const struct view_ui *ui)
{
    struct drawing drawing = begin(canvas, model, ui);
    canvas_fill(canvas, canvas_box(canvas), drawing.theme->ground);
    draw_panels(&drawing, false);
    draw_title_bar(&drawing);
    draw_status_bar(&drawing);
    if (ui->shows_help)
        draw_help(&drawing);
    return drawing.picked;
}

struct view_picked view_pick(struct canvas *canvas, const struct view_model *model, const struct view_ui *ui)
{
    struct drawing drawing = begin(canvas, model, ui);
    draw_panels(&drawing, true);
    return drawing.picked;
}
