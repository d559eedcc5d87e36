/*
 * Physical memory, zone by zone: whose the frames are, how many are free, and what is left above the
 * watermarks.
 */
#include "sim/observe/view_draw_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LABEL_WIDTH = 92, GAUGE_WIDTH = 92, ZONE_GAP = 6, BUDDY_LINE = 14, MIN_ZONE_HEIGHT = 76 };
static const double min_pitch = 5, max_pitch = 14;

/* So many columns, and cells that fill the area as far as they stay about square. */
static struct grid grid_of(struct box area, uint64_t nr_cells, unsigned nr_columns)
{
    uint64_t nr_rows = (nr_cells + nr_columns - 1) / nr_columns;
    double pitch_x = floor(fmin(max_pitch, area.w / nr_columns));
    return (struct grid){pitch_x, floor(fmin(2 * pitch_x, area.h / (double)nr_rows)), nr_columns};
}

/*
 * The smallest group of frames that a cell can stand for, and then the largest cells. Groups and columns are
 * powers of two, so that a row begins at a round address.
 */
static struct grid fit(struct box area, pfn_t nr_frames, pfn_t *frames_per_cell)
{
    unsigned nr_columns = 1;
    pfn_t group = 1;
    while (area.w / (nr_columns * 2) >= min_pitch)
        nr_columns *= 2;
    uint64_t room = nr_columns * (uint64_t)fmax(1, area.h / min_pitch);
    while ((nr_frames + group - 1) / group > room)
        group *= 2;
    *frames_per_cell = group;
    uint64_t nr_cells = (nr_frames + group - 1) / group;
    struct grid best = grid_of(area, nr_cells, nr_columns);
    while (nr_columns > 1) {
        nr_columns /= 2;
        struct grid other = grid_of(area, nr_cells, nr_columns);
        if (fmin(other.pitch_x, other.pitch_y) > fmin(best.pitch_x, best.pitch_y))
            best = other;
    }
    return best;
}

static void draw_frames(struct drawing *drawing, struct box area, const struct view_zone *zone,
                        pfn_t *per_cell)
{
    struct grid grid = fit(area, zone->nr_frames, per_cell);
    for (pfn_t at = 0, cell = 0; at < zone->nr_frames; at += *per_cell, cell++) {
        pfn_t rest = zone->nr_frames - at;
        draw_frames_cell(drawing, grid_cell(&grid, area, cell % grid.nr_columns, cell / grid.nr_columns),
                         zone->start + at, rest < *per_cell ? rest : *per_cell);
    }
}

static void draw_zone_label(struct drawing *drawing, double x, double y, const struct view_zone *zone,
                            pfn_t per_cell)
{
    char size[COUNT_CHARS];
    canvas_text(drawing->canvas, x, y - 2, FONT_BOLD, drawing->theme->text, zone->guest.name);
    canvas_printf(drawing->canvas, x, y + 13, FONT_SMALL, drawing->theme->dim, "%s",
                  format_size(size, zone->nr_frames * PAGE_BYTES));
    canvas_printf(drawing->canvas, x, y + 25, FONT_SMALL, drawing->theme->dim, "cell = %s",
                  format_size(size, per_cell * PAGE_BYTES));
}

/* How full the zone is, with the watermarks as lines; the numbers beside it. */
static void draw_gauge(struct drawing *drawing, struct box area, const struct guest_zone *zone)
{
    static const char *const names[GUEST_NR_WATERMARKS] = {"min", "low", "high"};
    struct canvas *canvas = drawing->canvas;
    struct box bar = {area.x, area.y, 12, area.h};
    char count[COUNT_CHARS];
    uint64_t managed = zone->managed_pages ? zone->managed_pages : 1;
    uint64_t free_pages = zone->free_pages < managed ? zone->free_pages : managed;
    double level = bar.h * (double)free_pages / (double)managed;
    canvas_fill(canvas, bar, drawing->theme->empty);
    canvas_fill(canvas, (struct box){bar.x, bar.y + bar.h - level, bar.w, level},
                owner_colour(drawing, VIEW_OWNER_ANON));
    for (unsigned i = 0; i < GUEST_NR_WATERMARKS; i++) {
        uint64_t mark = zone->watermark_pages[i] < managed ? zone->watermark_pages[i] : managed;
        double y = bar.y + bar.h - 1 - (bar.h - 1) * (double)mark / (double)managed;
        canvas_fill(canvas, (struct box){bar.x - 2, y, bar.w + 4, 1},
                    i ? drawing->theme->mark : drawing->theme->fault);
    }
    hover(drawing, area,
          "%s: %" PRIu64 " of %" PRIu64
          " managed pages free; below low kswapd reclaims up to high, below min "
          "allocations do it themselves",
          zone->name, zone->free_pages, zone->managed_pages);
    double x = bar.x + 18, y = area.y - 2;
    canvas_printf(canvas, x, y, FONT_SMALL, drawing->theme->text, "free %.0f %%",
                  percent_of(free_pages, managed));
    canvas_text(canvas, x, y + 12, FONT_SMALL, drawing->theme->text, format_count(count, zone->free_pages));
    for (unsigned i = 0; i < GUEST_NR_WATERMARKS && area.h >= 12 * (4 - (double)i); i++)
        canvas_printf(canvas, x, area.y + area.h - 12 * (i + 1), FONT_SMALL,
                      i ? drawing->theme->mark : drawing->theme->fault, "%-4s %s", names[i],
                      format_count(count, zone->watermark_pages[i]));
}

/* The kernel's free lists, as in /proc/buddyinfo. */
static void draw_buddy(struct drawing *drawing, double x, double y, const struct guest_zone *zone)
{
    char count[COUNT_CHARS];
    x = canvas_text(drawing->canvas, x, y, FONT_SMALL, drawing->theme->dim, "free blocks ");
    for (unsigned order = 0; order < zone->nr_orders; order++) {
        colour_t ink = zone->nr_free_blocks[order] ? drawing->theme->text : drawing->theme->dim;
        snprintf(count, sizeof count, "%" PRIu32, zone->nr_free_blocks[order]);
        double end = canvas_text(drawing->canvas, x, y, FONT_SMALL, ink, count) + 6;
        hover(drawing, (struct box){x, y, end - x, BUDDY_LINE},
              "%s: %" PRIu32 " free blocks of order %u, of %" PRIu64 " KiB each", zone->name,
              zone->nr_free_blocks[order], order, ((uint64_t)PAGE_BYTES << order) / 1024);
        x = end;
    }
}

static void draw_zone(struct drawing *drawing, struct box area, const struct view_zone *zone)
{
    pfn_t per_cell;
    double text_height = zone->has_counts ? BUDDY_LINE : 0;
    double gauge_width = zone->has_counts ? GAUGE_WIDTH : 0;
    struct box frames = {area.x + LABEL_WIDTH, area.y, area.w - LABEL_WIDTH - gauge_width,
                         area.h - text_height};
    draw_frames(drawing, frames, zone, &per_cell);
    draw_zone_label(drawing, area.x, area.y, zone, per_cell);
    if (!zone->has_counts)
        return;
    draw_gauge(drawing, (struct box){area.x + area.w - gauge_width + 8, area.y, gauge_width - 8, frames.h},
               &zone->guest);
    draw_buddy(drawing, frames.x, area.y + frames.h, &zone->guest);
}

void draw_memory_panel(struct drawing *drawing, struct box panel)
{
    const struct view_memory *memory = &drawing->model->memory;
    char size[COUNT_CHARS], title[64];
    snprintf(title, sizeof title, "Physical memory %s", format_size(size, memory->nr_frames * PAGE_BYTES));
    bool is_heat = drawing->ui->colouring == VIEW_BY_HEAT && drawing->model->heat;
    const char *by = is_heat ? "frames by lines that caches hold and took in"
                     : drawing->ui->colouring == VIEW_BY_PROCESS ? "frames by process, from page tables"
                     : memory->is_from_note ? "frames by owner, from the kernel's page descriptors"
                                            : "frames by use, from page tables and contents";
    struct box inside = draw_panel(drawing, panel, title, by);
    inside.h -= (is_heat ? draw_heat_scale(drawing, inside) : draw_memory_keys(drawing, inside)) + 6;

    /* Beyond what its numbers need, a zone gets room by its size. */
    double room = inside.h - (memory->nr_zones - 1) * ZONE_GAP, y = inside.y, all = 0;
    double least = fmin(MIN_ZONE_HEIGHT, floor(room / memory->nr_zones));
    for (unsigned i = 0; i < memory->nr_zones; i++)
        all += (double)memory->zone[i].nr_frames;
    for (unsigned i = 0; i < memory->nr_zones; i++) {
        const struct view_zone *zone = &memory->zone[i];
        double height = least + floor((room - least * memory->nr_zones) * (double)zone->nr_frames / all);
        draw_zone(drawing, (struct box){inside.x, y, inside.w, height}, zone);
        y += height + ZONE_GAP;
    }
}
