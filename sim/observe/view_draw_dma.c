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
    canvas_text(drawing->canvas, row.x, row.y, FONT_SMALL, bytes ? INK_TEXT : INK_DIM, name);
    canvas_fill(drawing->canvas, bar, INK_EMPTY);
    bar.w *= most ? (double)bytes / (double)most : 0;
    canvas_fill(drawing->canvas, bar, owner_colour(VIEW_OWNER_DMA));
    canvas_text_right(drawing->canvas, row.x + row.w, row.y, FONT_SMALL, bytes ? INK_TEXT : INK_DIM,
                      bytes ? format_size(size, bytes) : "idle");
}

static void draw_count(struct drawing *drawing, double x, double y, double width, const char *name,
                       uint64_t value)
{
    char count[COUNT_CHARS];
    canvas_text(drawing->canvas, x, y, FONT_SMALL, INK_DIM, name);
    canvas_text_right(drawing->canvas, x + width, y, FONT_SMALL, INK_TEXT, format_count(count, value));
}

/* Row hits, misses and conflicts as parts of all accesses. */
static void draw_rows(struct drawing *drawing, struct box bar, const struct dram_stats *dram)
{
    const struct {
        const char *name;
        uint64_t value;
        colour_t colour;
    } parts[] = {{"row hits", dram->row_hits, INK_GOOD},
                 {"misses", dram->row_misses, owner_colour(VIEW_OWNER_SLAB)},
                 {"conflicts", dram->row_conflicts, INK_FAULT}};
    uint64_t all = dram->row_hits + dram->row_misses + dram->row_conflicts;
    double x = bar.x, legend = bar.x;
    canvas_fill(drawing->canvas, bar, INK_EMPTY);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char text[COUNT_CHARS];
        double width = bar.w * percent_of(parts[i].value, all) / 100;
        canvas_fill(drawing->canvas, (struct box){x, bar.y, width, bar.h}, parts[i].colour);
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
    draw_count(drawing, inside.x, y, half, "lines snooped", dma->snoops);
    draw_count(drawing, inside.x + half + 24, y, half, "of these dirty", dma->interventions);
    y += ROW_HEIGHT;
    draw_count(drawing, inside.x, y, half, "lines invalidated", dma->lines_invalidated);
    draw_count(drawing, inside.x + half + 24, y, half, "stale places", dma->nr_stale);
    y += ROW_HEIGHT + 6;
    if (!model->has_dram)
        return;
    draw_rows(drawing, (struct box){inside.x, y, inside.w, 12}, &model->dram);
}
