/*
 * TLBs and caches: a column a set, the way used last on top. Where there are more ways than sets: a row a
 * set.
 */
#include "sim/observe/view_draw_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { TITLE_HEIGHT = 13, GAP = 5 };

/* How the cells of a structure lie: in bands of so many sets, one under the other. */
struct layout {
    struct grid grid;
    bool is_sideways;       /* ways go to the right */
    uint64_t sets_per_band; /* or ways, when sideways */
};

/* Whole pixels where there are gaps between the cells; else a cell more or less wide is not seen. */
static double pitch_of(double room, uint64_t nr_cells, double most)
{
    double pitch = fmin(most, room / (double)nr_cells);
    return pitch < 3 ? pitch : floor(pitch);
}

static struct layout layout_of(struct box area, const struct view_shape *shape, uint64_t nr_bands)
{
    struct layout layout = {.is_sideways = shape->shown_ways > shape->shown_sets && shape->shown_ways > 8};
    uint64_t across = layout.is_sideways ? shape->shown_ways : shape->shown_sets;
    uint64_t down = layout.is_sideways ? shape->shown_sets : shape->shown_ways;
    layout.sets_per_band = (across + nr_bands - 1) / nr_bands;
    layout.grid.pitch_x = pitch_of(area.w, layout.sets_per_band, 24);
    layout.grid.pitch_y = pitch_of(area.h, down * nr_bands + nr_bands - 1, 11);
    return layout;
}

/* As many bands as make the cells largest. */
static struct layout fit(struct box area, const struct view_shape *shape)
{
    struct layout best = layout_of(area, shape, 1);
    for (uint64_t nr_bands = 2; nr_bands <= VIEW_MAX_CELLS; nr_bands *= 2) {
        struct layout other = layout_of(area, shape, nr_bands);
        if (fmin(other.grid.pitch_x, other.grid.pitch_y) > fmin(best.grid.pitch_x, best.grid.pitch_y))
            best = other;
    }
    return best;
}

static struct box cell_box(const struct layout *layout, struct box area, const struct view_shape *shape,
                           uint64_t set, uint64_t way)
{
    uint64_t across = layout->is_sideways ? way : set, down = layout->is_sideways ? set : way;
    uint64_t rows_per_band = (layout->is_sideways ? shape->shown_sets : shape->shown_ways) + 1;
    uint64_t band = across / layout->sets_per_band;
    return grid_cell(&layout->grid, area, across % layout->sets_per_band, band * rows_per_band + down);
}

/* The colour of the frame at a physical address; what is not in RAM belongs to devices. */
static colour_t colour_at(const struct drawing *drawing, uint64_t physical)
{
    pfn_t pfn = physical >> PAGE_SHIFT;
    bool is_ram = pfn < drawing->model->memory.nr_frames;
    enum view_owner owner = is_ram ? drawing->model->memory.owner[pfn] : VIEW_OWNER_RESERVED;
    return is_ram && !is_idle_owner(owner) ? frame_colour(drawing, pfn)
                                           : owner_colour(drawing, VIEW_OWNER_RESERVED);
}

static bool is_of_shown_process(const struct drawing *drawing, uint64_t physical)
{
    pfn_t pfn = physical >> PAGE_SHIFT;
    const struct view_model *model = drawing->model;
    return pfn < model->memory.nr_frames && (model->frame_process[pfn] & VIEW_FRAME_OF_THE_SHOWN_ONE);
}

/*
 * What holds a translation of, or a line in, a physical address: the colour of its frame, stronger when it is
 * dirty; or how lately it was used, by its place in the set. Of a chosen process only what is its own has its
 * full colour.
 */
static colour_t cell_colour(const struct drawing *drawing, uint64_t physical, bool is_dirty, uint64_t way,
                            uint64_t nr_ways)
{
    const struct theme *theme = drawing->theme;
    if (drawing->ui->colouring == VIEW_BY_HEAT)
        return heat_colour(drawing,
                           nr_ways > 1 ? (unsigned)(20 + 80 * (nr_ways - 1 - way) / (nr_ways - 1)) : 100);
    colour_t colour = colour_at(drawing, physical);
    if (drawing->model->processes.is_chosen && !is_of_shown_process(drawing, physical))
        return colour_mix(colour, theme->panel, 25);
    return is_dirty ? colour_mix(colour, theme->strong, 68) : colour_mix(colour, theme->panel, 75);
}

const char *page_name(enum tlb_page page)
{
    return page == TLB_PAGE_4K   ? "4 KiB"
           : page == TLB_PAGE_2M ? "2 MiB"
           : page == TLB_PAGE_4M ? "4 MiB"
                                 : "1 GiB";
}

static const char *owner_at(const struct drawing *drawing, uint64_t physical)
{
    pfn_t pfn = physical >> PAGE_SHIFT;
    const struct view_memory *memory = &drawing->model->memory;
    return pfn < memory->nr_frames ? view_owner_name(memory->owner[pfn]) : "no RAM";
}

static void hover_tlb(struct drawing *drawing, const char *name, const struct view_tlb_cell *cell,
                      uint64_t set, uint64_t way)
{
    if (!cell->is_valid) {
        snprintf(drawing->hover, sizeof drawing->hover, "%s set %" PRIu64 " way %" PRIu64 ": empty", name,
                 set, way);
        return;
    }
    snprintf(drawing->hover, sizeof drawing->hover,
             "%s set %" PRIu64 " way %" PRIu64 ": linear 0x%08" PRIx64 " \u2192 0x%08" PRIx64
             " (%s), %s, %s, %s%s%s",
             name, set, way, cell->page_number << tlb_page_shift(cell->page), cell->frame,
             owner_at(drawing, cell->frame), page_name(cell->page),
             cell->flags & TLB_USER ? "user" : "kernel",
             cell->flags & TLB_WRITABLE ? "read-write" : "read-only",
             cell->flags & TLB_DIRTY ? ", dirty" : "", cell->flags & TLB_GLOBAL ? ", global" : "");
}

/* A dot in the middle of what survives a change of the address space, where a cell has room for it. */
static void draw_global_mark(struct drawing *drawing, struct box cell)
{
    static const double least = 5;
    double size = floor(fmin(cell.w, cell.h) / 3);
    if (fmin(cell.w, cell.h) >= least)
        canvas_fill(drawing->canvas,
                    (struct box){cell.x + floor((cell.w - size) / 2), cell.y + floor((cell.h - size) / 2),
                                 size, size},
                    drawing->theme->ground);
}

static void draw_tlb_array(struct drawing *drawing, struct box area, const char *name,
                           const struct view_tlb_array *array)
{
    if (!array->is_shown) {
        canvas_text(drawing->canvas, area.x, area.y, FONT_SMALL, drawing->theme->dim,
                    "too many ways to show");
        return;
    }
    struct layout layout = fit(area, &array->shape);
    for (uint64_t set = 0; set < array->shape.shown_sets; set++) {
        for (uint64_t way = 0; way < array->shape.shown_ways; way++) {
            const struct view_tlb_cell *cell = &array->cell[set * array->shape.shown_ways + way];
            struct box box = cell_box(&layout, area, &array->shape, set, way);
            canvas_fill(drawing->canvas, box,
                        cell->is_valid ? cell_colour(drawing, cell->frame, cell->flags & TLB_DIRTY, way,
                                                     array->shape.nr_ways)
                                       : drawing->theme->empty);
            if (cell->is_valid && (cell->flags & TLB_GLOBAL))
                draw_global_mark(drawing, box);
            if (is_pointed_at(drawing, box))
                hover_tlb(drawing, name, cell, set * array->shape.set_step, way);
            if (is_pointed_at(drawing, box) && cell->is_valid)
                pick_linear(drawing, cell->page_number << tlb_page_shift(cell->page));
        }
    }
}

/* Lines of the name on the left, the hit rate on the right. */
static void draw_heading(struct drawing *drawing, struct box area, const char *text, uint64_t hits,
                         uint64_t accesses)
{
    char rate[COUNT_CHARS] = "not used";
    /* Rounded down: only what never misses hits 100 %. */
    if (accesses)
        snprintf(rate, sizeof rate, "hits %.2f %%", floor(100 * percent_of(hits, accesses)) / 100);
    canvas_text(drawing->canvas, area.x, area.y, FONT_SMALL, drawing->theme->text, text);
    canvas_text_right(drawing->canvas, area.x + area.w, area.y, FONT_SMALL, drawing->theme->text, rate);
    hover(drawing, (struct box){area.x, area.y, area.w, TITLE_HEIGHT},
          "%s: %" PRIu64 " of %" PRIu64 " accesses hit, %" PRIu64 " missed", text, hits, accesses,
          accesses - hits);
}

static uint64_t nr_entries(const struct view_shape *shape)
{
    return shape->nr_sets * shape->nr_ways;
}

/* The large-page array, where there is one, stands to the right of the other. */
static void draw_tlb(struct drawing *drawing, struct box area, const char *name, const struct view_tlb *tlb)
{
    const struct view_tlb_array *first = &tlb->array[0], *second = &tlb->array[1];
    char text[80];
    int at = snprintf(text, sizeof text, "%s %" PRIu64 "/%" PRIu64 " in use, %" PRIu64 " ways", name,
                      first->nr_valid, nr_entries(&first->shape), first->shape.nr_ways);
    if (tlb->nr_arrays > 1)
        snprintf(text + at, sizeof text - (size_t)at, ", 4 MiB %" PRIu64 "/%" PRIu64, second->nr_valid,
                 nr_entries(&second->shape));
    draw_heading(drawing, area, text, tlb->stats.hits, tlb->stats.accesses);
    struct box cells = {area.x, area.y + TITLE_HEIGHT, area.w, area.h - TITLE_HEIGHT};
    if (tlb->nr_arrays > 1) {
        struct box right = {cells.x + cells.w - 40, cells.y, 40, cells.h};
        draw_tlb_array(drawing, right, name, second);
        cells.w -= 48;
    }
    draw_tlb_array(drawing, cells, name, first);
}

static void draw_cache(struct drawing *drawing, struct box area, const char *name,
                       const struct view_cache *cache)
{
    const struct view_shape *shape = &cache->shape;
    char text[80], size[COUNT_CHARS];
    snprintf(text, sizeof text, "%s %s %" PRIu64 "-way %.0f %% full %.0f %% dirty", name,
             format_size(size, nr_entries(shape) * cache->line_bytes), shape->nr_ways,
             percent_of(cache->nr_valid, nr_entries(shape)), percent_of(cache->nr_dirty, nr_entries(shape)));
    draw_heading(drawing, area, text, cache->stats.hits, cache->stats.accesses);
    struct box cells = {area.x, area.y + TITLE_HEIGHT, area.w, area.h - TITLE_HEIGHT};
    struct layout layout = fit(cells, shape);
    for (uint64_t set = 0; set < shape->shown_sets; set++) {
        for (uint64_t way = 0; way < shape->shown_ways; way++) {
            const struct view_cache_cell *cell = &cache->cell[set * shape->shown_ways + way];
            struct box box = cell_box(&layout, cells, shape, set, way);
            canvas_fill(drawing->canvas, box,
                        cell->is_valid ? cell_colour(drawing, cell->line * cache->line_bytes, cell->is_dirty,
                                                     way, shape->nr_ways)
                                       : drawing->theme->empty);
            if (!is_pointed_at(drawing, box))
                continue;
            if (cell->is_valid)
                snprintf(drawing->hover, sizeof drawing->hover,
                         "%s set %" PRIu64 " way %" PRIu64 ": physical 0x%08" PRIx64 ", %s, %s", name,
                         set * shape->set_step, way, cell->line * cache->line_bytes,
                         cell->is_dirty ? "dirty" : "clean", view_owner_name(cell->owner));
            else
                snprintf(drawing->hover, sizeof drawing->hover, "%s set %" PRIu64 " way %" PRIu64 ": empty",
                         name, set * shape->set_step, way);
        }
    }
}

/* What the colours mean, above the caches. */
static void draw_arrays_legend(struct drawing *drawing, double x, double y, double end)
{
    const char *text = drawing->ui->colouring == VIEW_BY_HEAT ? "yellow: used last; dark: next to be replaced"
                       : drawing->ui->colouring == VIEW_BY_PROCESS
                           ? "colour: process \u00b7 strong: dirty \u00b7 dot: global"
                           : "colour: owner \u00b7 strong: dirty \u00b7 dot: global";
    canvas_text_fit(drawing->canvas, x, y, end, FONT_SMALL, drawing->theme->dim, text);
}

void draw_arrays_panel(struct drawing *drawing, struct box panel)
{
    static const struct {
        const char *name;
        double height;
    } tlb_rows[NR_VIEW_TLBS] = {{"ITLB", 37}, {"DTLB", 37}, {"L2 TLB", 58}},
      cache_rows[NR_VIEW_CACHES] = {{"L1I", 50}, {"L1D", 50}, {"L2", 96}, {"L3", 96}};
    static const double made_for = 378;
    const struct view_model *model = drawing->model;
    struct box inside = draw_panel(drawing, panel, "TLBs and caches", "a column a set, last used on top");
    double y = inside.y, stretch = fmax(1, inside.h / made_for);
    if (!model->tlb[VIEW_DTLB].is_there && !model->cache[VIEW_L1D].is_there) {
        canvas_text(drawing->canvas, inside.x, y, FONT_TEXT, drawing->theme->dim,
                    "a functional model has none");
        return;
    }
    for (unsigned i = 0; i < NR_VIEW_TLBS; i++) {
        double height = floor(tlb_rows[i].height * stretch);
        if (model->tlb[i].is_there)
            draw_tlb(drawing, (struct box){inside.x, y, inside.w, height}, tlb_rows[i].name, &model->tlb[i]);
        y += height + GAP;
    }
    draw_arrays_legend(drawing, inside.x, y, inside.x + inside.w);
    y += 12 + GAP;
    /* The L2's room is for what lies below the L1s: two caches share it. */
    for (unsigned i = 0; i < NR_VIEW_CACHES; i++) {
        bool is_shared = i >= VIEW_L2 && model->cache[VIEW_L3].is_there;
        double height = floor(cache_rows[i].height * stretch);
        if (is_shared)
            height = floor((height - GAP) / 2);
        if (model->cache[i].is_there)
            draw_cache(drawing, (struct box){inside.x, y, inside.w, height}, cache_rows[i].name,
                       &model->cache[i]);
        if (i != VIEW_L3 || is_shared)
            y += height + GAP;
    }
}
