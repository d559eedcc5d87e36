/* The address space in use: a row an area, its pages that are there coloured by the owner of their frames. */
#include "sim/observe/view_draw_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { ROW_HEIGHT = 15, GAP = 12, LABEL_WIDTH = 128 };

static void format_rights(char text[COUNT_CHARS], const struct view_area *area)
{
    snprintf(text, COUNT_CHARS, "%c%c%c%s", area->rights & VIEW_AREA_READ ? 'r' : '-',
             area->rights & VIEW_AREA_WRITE ? 'w' : '-', area->rights & VIEW_AREA_EXECUTE ? 'x' : '-',
             area->rights & VIEW_AREA_USER ? "" : " kernel");
}

static void draw_area_cells(struct drawing *drawing, struct box bar, const struct view_area *area)
{
    uint64_t at = 0, nr_pages = (area->end - area->start) / PAGE_BYTES;
    canvas_fill(drawing->canvas, bar, drawing->theme->empty);
    for (unsigned i = 0; i < area->nr_cells; i++) {
        const struct view_area_cell *cell = &area->cell[i];
        double left = bar.x + bar.w * (double)at / (double)nr_pages;
        at += cell->nr_pages;
        double right = bar.x + bar.w * (double)at / (double)nr_pages;
        struct box box = {left, bar.y, right - left - (area->nr_cells <= VIEW_AREA_CELLS / 2 ? 1 : 0), bar.h};
        if (cell->nr_present) {
            double filled = fmax(1, round(bar.h * (double)cell->nr_present / (double)cell->nr_pages));
            canvas_fill(drawing->canvas, (struct box){box.x, box.y + bar.h - filled, box.w, filled},
                        owner_colour(drawing, cell->owner));
        }
        if (is_pointed_at(drawing, box)) {
            uint64_t start = area->start + (at - cell->nr_pages) * PAGE_BYTES;
            snprintf(drawing->hover, sizeof drawing->hover,
                     "linear 0x%08" PRIx64 "-0x%08" PRIx64 ": %" PRIu32 " of %" PRIu32 " pages there%s%s",
                     start, area->start + at * PAGE_BYTES - 1, cell->nr_present, cell->nr_pages,
                     cell->nr_present ? ", most: " : "",
                     cell->nr_present ? view_owner_name(cell->owner) : "");
            pick_linear(drawing, start);
        }
    }
}

static void draw_area(struct drawing *drawing, struct box row, double address_width,
                      const struct view_area *area)
{
    char rights[COUNT_CHARS], size[COUNT_CHARS], label[3 * COUNT_CHARS];
    canvas_printf(drawing->canvas, row.x, row.y, FONT_SMALL, drawing->theme->dim, "%08" PRIx64, area->start);
    draw_area_cells(
        drawing,
        (struct box){row.x + address_width, row.y + 1, row.w - address_width - LABEL_WIDTH, row.h - 4}, area);
    format_rights(rights, area);
    format_size(size, area->end - area->start);
    snprintf(label, sizeof label, "%s %s %s", rights, size, area->name);
    canvas_text_fit(drawing->canvas, row.x + row.w - LABEL_WIDTH + 6, row.y, row.x + row.w + 6, FONT_SMALL,
                    drawing->theme->text, label);
    hover(drawing, (struct box){row.x + row.w - LABEL_WIDTH, row.y, LABEL_WIDTH, row.h},
          "area %08" PRIx64 "-%08" PRIx64 ": %s, %s %s, %" PRIu64 " of %" PRIu64 " pages there", area->start,
          area->end, rights, size, area->name, area->nr_present, (area->end - area->start) / PAGE_BYTES);
}

/* Room for the longest address. */
static double address_width(const struct view_space *space)
{
    bool is_long = space->nr_areas && space->area[space->nr_areas - 1].start > UINT32_MAX;
    return (is_long ? 16 : 8) * canvas_char_width(FONT_SMALL) + GAP;
}

/* "1.1M": short, for there are several in a row. */
static void format_short_size(char text[COUNT_CHARS], uint64_t nr_pages)
{
    uint64_t kib = nr_pages * (PAGE_BYTES / 1024);
    if (kib < 1024)
        snprintf(text, COUNT_CHARS, "%" PRIu64 "K", kib);
    else
        snprintf(text, COUNT_CHARS, kib < 1024 * 1024 ? "%.1fM" : "%.1fG",
                 (double)kib / (kib < 1024 * 1024 ? 1024 : 1024 * 1024));
}

/* How large the process is: its areas, what is there of them, what of that is its own alone; its tables. */
static struct box draw_space_head(struct drawing *drawing, struct box panel)
{
    const struct view_model *model = drawing->model;
    const struct view_space *space = &model->space;
    const struct view_processes *processes = &model->processes;
    if (!space->is_paging || !processes->nr)
        return draw_panel(drawing, panel, "Address space", NULL);
    const struct view_process *process = &processes->process[processes->shown];
    uint64_t nr_in_areas = 0, nr_own = 0;
    for (unsigned i = 0; i < space->nr_areas; i++)
        if (space->area[i].rights & VIEW_AREA_USER)
            nr_in_areas += (space->area[i].end - space->area[i].start) / PAGE_BYTES;
    for (pfn_t pfn = 0; pfn < model->memory.nr_frames; pfn++)
        nr_own += (model->frame_process[pfn] & VIEW_FRAME_PROCESS) == VIEW_FRAME_FIRST + processes->shown;
    nr_own -= nr_own < process->nr_tables ? nr_own : process->nr_tables;
    char name[PROCESS_CHARS], title[64], note[192], vss[COUNT_CHARS], rss[COUNT_CHARS], uss[COUNT_CHARS],
        tables[COUNT_CHARS];
    format_process(name, process);
    snprintf(title, sizeof title, "%s%s", name, processes->is_chosen ? " (chosen)" : "");
    format_short_size(vss, nr_in_areas);
    format_short_size(rss, process->nr_frames);
    format_short_size(uss, nr_own);
    format_short_size(tables, process->nr_tables);
    if (space->has_areas)
        snprintf(note, sizeof note, "VSS %s RSS %s USS %s tables %s", vss, rss, uss, tables);
    else
        snprintf(note, sizeof note, "user %s, tables %s, by the tables", rss, tables);
    struct box inside = draw_panel(drawing, panel, title, note);
    hover(drawing, (struct box){panel.x, panel.y, panel.w, inside.y - panel.y},
          "its areas have %s, of which %s are in memory, %s of these its own alone; its page tables take %s",
          vss, rss, uss, tables);
    return inside;
}

void draw_space_panel(struct drawing *drawing, struct box panel)
{
    const struct view_space *space = &drawing->model->space;
    struct box inside = draw_space_head(drawing, panel);
    if (!space->is_paging) {
        canvas_text(drawing->canvas, inside.x, inside.y, FONT_TEXT, drawing->theme->dim,
                    "paging is off: linear addresses are physical ones");
        return;
    }
    unsigned nr_rows = inside.h >= ROW_HEIGHT ? (unsigned)(inside.h / ROW_HEIGHT) : 1;
    bool is_cut = space->is_cut || space->nr_areas > nr_rows;
    unsigned nr_shown = is_cut ? nr_rows - 1 : space->nr_areas;
    for (unsigned i = 0; i < nr_shown && i < space->nr_areas; i++)
        draw_area(drawing, (struct box){inside.x, inside.y + ROW_HEIGHT * i, inside.w, ROW_HEIGHT},
                  address_width(space), &space->area[i]);
    if (is_cut)
        canvas_printf(drawing->canvas, inside.x, inside.y + ROW_HEIGHT * (nr_rows - 1), FONT_SMALL,
                      drawing->theme->dim, "and %u more", space->nr_areas - nr_shown);
}
