/* A page walk level by level: each table, the entry in it, what the entry's bits say, and where it leads. */
#include "sim/observe/view_draw_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { INDENT = 12, NEIGHBOUR_HEIGHT = 12 };
/* Rows of levels; from WIDE or TALL on they have room for the neighbours of the entry. */
enum { MAX_ROW = 64, END_HEIGHT = 42, TALL = 94, MAX_TALL_ROW = 98, WIDE = 640, NEIGHBOURS_AT = 440 };

/* How the linear address is cut: the lengths of its parts from the top, the last for the offset. */
struct cuts {
    unsigned nr_parts;
    unsigned nr_bits[WALK_MAX_STEPS + 2];
    bool has_register; /* the first part chooses a PDPTE register, and no step does */
};

static struct cuts cuts_of(const struct walk *walk)
{
    struct cuts cuts = {.has_register = walk->kind == PAGING_PAE};
    unsigned low = walk->kind == PAGING_FIVE_LEVEL ? 57 : walk->kind == PAGING_FOUR_LEVEL ? 48 : 32;
    if (cuts.has_register)
        cuts.nr_bits[cuts.nr_parts++] = 2;
    for (unsigned i = 0; i < walk->nr_steps; i++)
        cuts.nr_bits[cuts.nr_parts++] = paging_level(walk->kind, i)->index_bits;
    for (unsigned i = 0; i < cuts.nr_parts; i++)
        low -= cuts.nr_bits[i];
    cuts.nr_bits[cuts.nr_parts++] = low;
    return cuts;
}

/* The address in binary; a part has the colour of the level that it is the index of. */
static void draw_binary(struct drawing *drawing, double x, double y, const struct walk *walk)
{
    struct cuts cuts = cuts_of(walk);
    unsigned low = 0, nr_levels = drawing->ui->nr_levels;
    for (unsigned i = 0; i < cuts.nr_parts; i++)
        low += cuts.nr_bits[i];
    enum canvas_font font = low > 40 ? FONT_SMALL : FONT_TEXT;
    double part_gap = low > 48 ? 4 : 10;
    for (unsigned part = 0; part < cuts.nr_parts; part++) {
        char bits[64 + 1];
        unsigned nr = cuts.nr_bits[part];
        for (unsigned i = 0; i < nr; i++)
            bits[i] = walk->linear.v >> (low - 1 - i) & 1 ? '1' : '0';
        bits[nr] = 0;
        low -= nr;
        bool is_offset = part + 1 == cuts.nr_parts, is_register = cuts.has_register && part == 0;
        unsigned level = part - cuts.has_register;
        bool is_reached = is_offset ? nr_levels > walk->nr_steps : is_register || level < nr_levels;
        colour_t colour =
            is_offset || is_register ? drawing->theme->text : text_colour(drawing, level_colour(level));
        double end = canvas_text(drawing->canvas, x, y, font,
                                 is_reached ? colour : colour_mix(colour, drawing->theme->panel, 45), bits);
        uint64_t value = walk->linear.v >> low & ((1ull << nr) - 1);
        char name[COUNT_CHARS];
        snprintf(name, sizeof name, is_offset ? "+0x%" PRIx64 : "%" PRIu64, value);
        canvas_text(drawing->canvas, x, y + 14, FONT_SMALL, is_reached ? colour : drawing->theme->dim, name);
        hover(drawing, (struct box){x, y, end - x, 26},
              is_offset ? "the last %u bits are the offset in the page: 0x%" PRIx64
                        : "these %u bits are the index in the table: %" PRIu64,
              nr, value);
        x = end + part_gap;
    }
}

/* The area of the address space that the address lies in, and whose that is. */
static void draw_area_of(struct drawing *drawing, double x, double y, double end, uint64_t linear)
{
    const struct view_model *model = drawing->model;
    char process[PROCESS_CHARS] = "", text[WORDS_CHARS];
    if (model->processes.nr)
        format_process(process, &model->processes.process[model->processes.shown]);
    snprintf(text, sizeof text, "%s: in no area", process);
    for (unsigned i = 0; i < model->space.nr_areas; i++) {
        const struct view_area *area = &model->space.area[i];
        if (linear >= area->start && linear < area->end)
            snprintf(text, sizeof text, "%s: area %08" PRIx64 "-%08" PRIx64 " %c%c%c %s", process,
                     area->start, area->end, area->rights & VIEW_AREA_READ ? 'r' : '-',
                     area->rights & VIEW_AREA_WRITE ? 'w' : '-', area->rights & VIEW_AREA_EXECUTE ? 'x' : '-',
                     area->rights & VIEW_AREA_USER ? area->name : "kernel");
    }
    canvas_text_fit(drawing->canvas, x, y, end, FONT_SMALL, drawing->theme->dim, text);
}

/* All of a table as a strip: where entries are present, and where the index points. */
static void draw_table(struct drawing *drawing, struct box strip, const struct view_table *table,
                       unsigned index, colour_t colour)
{
    double part = strip.w / VIEW_TABLE_PARTS;
    unsigned per_part = table->nr_entries / VIEW_TABLE_PARTS;
    canvas_fill(drawing->canvas, strip, drawing->theme->empty);
    if (!per_part)
        return;
    for (unsigned i = 0; i < VIEW_TABLE_PARTS; i++)
        if (table->present[i])
            canvas_fill(drawing->canvas, (struct box){strip.x + part * i, strip.y, part, strip.h},
                        colour_mix(colour, drawing->theme->empty, 35 + 40 * table->present[i] / per_part));
    double at = strip.x + strip.w * index / table->nr_entries;
    canvas_fill(drawing->canvas, (struct box){at - 1, strip.y - 2, 3, strip.h + 4}, drawing->theme->text);
    hover(drawing, strip, "the table: %u of %u entries present; the mark is entry %u", table->nr_present,
          table->nr_entries, index);
}

/* The entries before and behind the one that is read. */
static void draw_neighbours(struct drawing *drawing, double x, double y, const struct walk_step *step,
                            const struct view_table *table, colour_t colour)
{
    for (unsigned i = 0; table->nr_entries && i < VIEW_NR_NEIGHBOURS; i++) {
        unsigned index = table->first_neighbour + i;
        bool is_read = index == step->index;
        bool is_present = table->neighbour[i] & PTE_P;
        double end =
            canvas_printf(drawing->canvas, x, y + NEIGHBOUR_HEIGHT * i, FONT_SMALL,
                          is_read ? text_colour(drawing, colour) : drawing->theme->dim, "%s [%4u] %0*" PRIx64,
                          is_read ? "\u25b6" : " ", index, (int)(2 * step->size_bytes), table->neighbour[i]);
        canvas_text(drawing->canvas, end + 10, y + NEIGHBOUR_HEIGHT * i, FONT_SMALL, drawing->theme->dim,
                    is_present ? "present" : "-");
    }
}

static void draw_level(struct drawing *drawing, struct box row, unsigned index)
{
    const struct view_focus *focus = &drawing->model->focus;
    const struct walk *walk = &focus->walk;
    const struct walk_step *step = &walk->step[index];
    const struct theme *theme = drawing->theme;
    colour_t colour = level_colour(index);
    double x = row.x + INDENT, end = row.x + (row.w >= WIDE ? NEIGHBOURS_AT : row.w), y = row.y;
    bool is_present = step->value & PTE_P, is_last = index + 1 == walk->nr_steps;
    bool is_small = index + 1 == paging_nr_levels(walk->kind);
    char words[WORDS_CHARS];
    canvas_fill(drawing->canvas, (struct box){row.x, row.y, 4, row.h - 5}, colour);
    double after = canvas_printf(drawing->canvas, x, y, FONT_BOLD, text_colour(drawing, colour), "%s [%u]",
                                 paging_level(walk->kind, index)->name, step->index);
    canvas_printf(drawing->canvas, after + 10, y, FONT_TEXT, theme->text, "0x%0*" PRIx64,
                  (int)(2 * step->size_bytes), step->value);
    snprintf(words, sizeof words, "table at 0x%08" PRIx64 ", this entry at 0x%08" PRIx64,
             step->at.v & ~(uint64_t)PAGE_MASK, step->at.v);
    canvas_text_fit(drawing->canvas, x, y + 15, end, FONT_SMALL, theme->dim, words);
    draw_table(drawing, (struct box){x, y + 29, fmin(row.w - INDENT, 300), 5}, &focus->table[index],
               step->index, colour);
    format_entry(words, step->value, is_last && !walk->is_fault, is_last && !is_small && !walk->is_fault);
    canvas_text_fit(drawing->canvas, x, y + 36, end, FONT_SMALL, is_present ? theme->text : theme->fault,
                    words);
    if (row.w >= WIDE)
        draw_neighbours(drawing, row.x + NEIGHBOURS_AT, y + 2, step, &focus->table[index], colour);
    else if (row.h >= TALL)
        draw_neighbours(drawing, x, y + 51, step, &focus->table[index], colour);
}

/* What the walk came to: the frame, or the page fault. */
static void draw_end(struct drawing *drawing, struct box row)
{
    const struct view_model *model = drawing->model;
    const struct view_focus *focus = &model->focus;
    const struct walk *walk = &focus->walk;
    const struct theme *theme = drawing->theme;
    double x = row.x + INDENT, end = row.x + row.w;
    colour_t colour = focus->is_mapped ? theme->good : theme->fault;
    char text[WORDS_CHARS];
    canvas_fill(drawing->canvas, (struct box){row.x, row.y, 4, fmin(row.h - 5, END_HEIGHT)}, colour);
    if (!focus->is_mapped) {
        const struct walk *last = &model->cpu.walk;
        bool is_last = model->cpu.nr_walks_seen && last->is_fault && last->linear.v == walk->linear.v;
        canvas_text(drawing->canvas, x, row.y, FONT_BOLD, colour, "page fault");
        snprintf(text, sizeof text, "an access to it raises #PF, and CR2 is 0x%08" PRIx64, walk->linear.v);
        if (is_last)
            snprintf(text, sizeof text, "#PF error %" PRIu32 ": %s, %s by the %s", last->error_code,
                     last->error_code & PF_P ? "not allowed" : "not present",
                     last->access == MMU_WRITE   ? "write"
                     : last->access == MMU_FETCH ? "fetch"
                                                 : "read",
                     last->error_code & PF_U ? "user" : "kernel");
        canvas_text_fit(drawing->canvas, x, row.y + 16, end, FONT_SMALL, theme->text, text);
        return;
    }
    enum tlb_page page = walk->nr_steps == paging_nr_levels(walk->kind)
                             ? TLB_PAGE_4K
                             : paging_level(walk->kind, walk->nr_steps - 1)->large;
    uint64_t offset = walk->linear.v & ((1ull << tlb_page_shift(page)) - 1);
    pfn_t pfn = focus->physical.v >> PAGE_SHIFT;
    snprintf(text, sizeof text, "%s page at 0x%08" PRIx64, page_name(page), focus->physical.v - offset);
    canvas_text_fit(drawing->canvas, x, row.y, end, FONT_BOLD, colour, text);
    snprintf(text, sizeof text, "+ offset 0x%" PRIx64 " = physical 0x%08" PRIx64 ", frame %" PRIu64, offset,
             focus->physical.v, pfn);
    canvas_text_fit(drawing->canvas, x, row.y + 16, end, FONT_SMALL, theme->text, text);
    if (pfn >= model->memory.nr_frames) {
        canvas_text(drawing->canvas, x, row.y + 29, FONT_SMALL, theme->text, "no RAM: a device, or nothing");
        return;
    }
    format_whose(text, model, model->frame_process[pfn]);
    double at = draw_legend(drawing, x, row.y + 29, owner_colour(drawing, model->memory.owner[pfn]),
                            view_owner_name(model->memory.owner[pfn]));
    canvas_printf(drawing->canvas, at, row.y + 29, FONT_SMALL, theme->dim, ", of %s", text);
}

static void draw_start(struct drawing *drawing, double x, double y, const struct walk *walk)
{
    const struct view_model *model = drawing->model;
    uint64_t root = model->processes.nr ? model->processes.process[model->processes.shown].root : 0;
    if (walk->kind == PAGING_PAE && walk->nr_steps)
        canvas_printf(drawing->canvas, x, y, FONT_SMALL, drawing->theme->text,
                      "CR3 0x%08" PRIx64 ", PDPTE [%u] in a register \u2192 table at 0x%08" PRIx64, root,
                      paging_pdpte_index(walk->linear), walk->step[0].at.v & ~(uint64_t)PAGE_MASK);
    else if (walk->kind == PAGING_PAE)
        canvas_printf(drawing->canvas, x, y, FONT_SMALL, drawing->theme->fault,
                      "CR3 0x%08" PRIx64 ", PDPTE [%u] in a register: not present", root,
                      paging_pdpte_index(walk->linear));
    else
        canvas_printf(drawing->canvas, x, y, FONT_SMALL, drawing->theme->text,
                      "CR3 \u2192 table at 0x%08" PRIx64, root);
}

void draw_walk_levels_panel(struct drawing *drawing, struct box panel)
{
    const struct view_focus *focus = &drawing->model->focus;
    const struct walk *walk = &focus->walk;
    unsigned nr_levels = drawing->ui->nr_levels;
    char title[64];
    snprintf(title, sizeof title, "Page walk of 0x%08" PRIx64, walk->linear.v);
    struct box inside = draw_panel(drawing, panel, title, "as the tables are now");
    if (walk->kind == PAGING_OFF) {
        canvas_text(drawing->canvas, inside.x, inside.y, FONT_TEXT, drawing->theme->dim,
                    "paging is off: linear addresses are physical ones");
        return;
    }
    draw_binary(drawing, inside.x, inside.y, walk);
    draw_area_of(drawing, inside.x, inside.y + 29, inside.x + inside.w, walk->linear.v);
    draw_start(drawing, inside.x, inside.y + 43, walk);
    double top = inside.y + 60, room = inside.y + inside.h - 12 - top,
           height = floor(room / (walk->nr_steps + 1));
    height = fmin(height, inside.w < WIDE && height >= TALL ? MAX_TALL_ROW : MAX_ROW);
    struct box row = {inside.x, top, inside.w, height};
    for (unsigned i = 0; i < walk->nr_steps && i < nr_levels; i++, row.y += height)
        draw_level(drawing, row, i);
    if (nr_levels > walk->nr_steps)
        draw_end(drawing, row);
    canvas_text(drawing->canvas, inside.x, inside.y + inside.h - 10, FONT_SMALL, drawing->theme->dim,
                nr_levels > walk->nr_steps ? "[L] a level back  [l] in short"
                                           : "[l] a level further  [L] back");
}
