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

void draw_space_panel(struct drawing *drawing, struct box panel)
{
    const struct view_model *model = drawing->model;
    const struct view_space *space = &model->space;
    char note[96] = "", title[64] = "Address space", user[COUNT_CHARS], tables[COUNT_CHARS];
    const struct view_processes *processes = &model->processes;
    char process[PROCESS_CHARS];
    if (processes->nr) {
        format_process(process, &processes->process[processes->shown]);
        snprintf(title, sizeof title, "%s: %s", processes->is_chosen ? "Chosen" : "Address space", process);
    }
    if (space->is_paging)
        snprintf(note, sizeof note, "%s, tables %s%s", format_size(user, space->nr_user_pages * PAGE_BYTES),
                 format_size(tables, space->nr_tables * PAGE_BYTES),
                 space->has_areas ? "" : ", by the tables");
    struct box inside = draw_panel(drawing, panel, title, note);
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
