/* What devices move, what caches have to do with it, and how the DRAM was met. */
#include "sim/observe/view_draw_internal.h"

#include <inttypes.h>
#include <stdio.h>

enum { ROW_HEIGHT = 15, NAME_WIDTH = 92, NUMBER_WIDTH = 90 };

/* A bar of its share of the largest. */
static void draw_traffic(struct drawing *drawing, struct box row, const char *name, uint64_t bytes,
                         uint64_t most)
{
    char size[COUNT_CHARS];
    struct box bar = {row.x + NAME_WIDTH, row.y + 1, row.w - NAME_WIDTH - NUMBER_WIDTH, ROW_HEIGHT - 4};
    canvas_text(drawing->canvas, row.x, row.y, FONT_SMALL, bytes ? drawing->theme->text : drawing->theme->dim,
                name);
    canvas_fill(drawing->canvas, bar, drawing->theme->empty);
    bar.w *= most ? (double)bytes / (double)most : 0;
    canvas_fill(drawing->canvas, bar, owner_colour(drawing, VIEW_OWNER_DMA));
    canvas_text_right(drawing->canvas, row.x + row.w, row.y, FONT_SMALL,
                      bytes ? drawing->theme->text : drawing->theme->dim,
                      bytes ? format_size(size, bytes) : "idle");
    hover(drawing, row, "%s: %" PRIu64 " bytes read and written in memory since the start", name, bytes);
}

static void draw_count(struct drawing *drawing, double x, double y, double width, const char *name,
                       uint64_t value, const char *meaning)
{
    char count[COUNT_CHARS];
    canvas_text(drawing->canvas, x, y, FONT_SMALL, drawing->theme->dim, name);
    canvas_text_right(drawing->canvas, x + width, y, FONT_SMALL, drawing->theme->text,
                      format_count(count, value));
    hover(drawing, (struct box){x, y, width, ROW_HEIGHT}, "%s, %" PRIu64 ": %s", name, value, meaning);
}

/* Row hits, misses and conflicts as parts of all accesses. */
static void draw_rows(struct drawing *drawing, struct box bar, const struct dram_stats *dram)
{
    const struct {
        const char *name;
        uint64_t value;
        colour_t colour;
    } parts[] = {{"row hits", dram->row_hits, drawing->theme->good},
                 {"misses", dram->row_misses, owner_colour(drawing, VIEW_OWNER_SLAB)},
                 {"conflicts", dram->row_conflicts, drawing->theme->fault}};
    uint64_t all = dram->row_hits + dram->row_misses + dram->row_conflicts;
    double x = bar.x, legend = bar.x;
    canvas_fill(drawing->canvas, bar, drawing->theme->empty);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char text[COUNT_CHARS];
        double width = bar.w * percent_of(parts[i].value, all) / 100;
        canvas_fill(drawing->canvas, (struct box){x, bar.y, width, bar.h}, parts[i].colour);
        hover(drawing, (struct box){x, bar.y, width, bar.h}, "DRAM %s: %" PRIu64 " of %" PRIu64 " accesses",
              parts[i].name, parts[i].value, all);
        x += width;
        snprintf(text, sizeof text, "%s %.1f %%", parts[i].name, percent_of(parts[i].value, all));
        legend = draw_legend(drawing, legend, bar.y + bar.h + 3, parts[i].colour, text) + 12;
    }
}

void draw_dma_panel(struct drawing *drawing, struct box panel)
{
    const struct view_model *model = drawing->model;
    const struct view_dma *dma = &model->dma;
    struct box inside =
        draw_panel(drawing, panel, "DMA and memory", dma->is_there ? "bytes since the start" : "no devices");
    if (!dma->is_there)
        return;
    uint64_t most = 0;
    for (unsigned i = 0; i < NR_VIEW_MOVERS; i++)
        most = dma->mover_bytes[i] > most ? dma->mover_bytes[i] : most;
    double y = inside.y;
    for (unsigned i = 0; i < NR_VIEW_MOVERS; i++, y += ROW_HEIGHT)
        draw_traffic(drawing, (struct box){inside.x, y, inside.w, ROW_HEIGHT}, view_mover_name(i),
                     dma->mover_bytes[i], most);
    y += 6;
    double half = inside.w / 2 - 12;
    draw_count(drawing, inside.x, y, half, "lines snooped", dma->snoops,
               "looked up in the caches for a device's access");
    draw_count(drawing, inside.x + half + 24, y, half, "of these dirty", dma->interventions,
               "a cache had newer content than memory, and gave it");
    y += ROW_HEIGHT;
    draw_count(drawing, inside.x, y, half, "lines invalidated", dma->lines_invalidated,
               "dropped, for a device wrote there");
    draw_count(drawing, inside.x + half + 24, y, half, "stale places", dma->nr_stale,
               "caches and memory differ, and no device snoops: what a driver forgot to flush");
    y += ROW_HEIGHT + 6;
    if (!model->has_dram)
        return;
    draw_rows(drawing, (struct box){inside.x, y, inside.w, 12}, &model->dram);
}
