/* What the cycles went into, and the counters behind it. */
#include "sim/observe/view_draw_internal.h"

#include <inttypes.h>
#include <stdio.h>

enum { BAR_HEIGHT = 18, LEGEND_COLUMNS = 2, COUNT_ROWS = 8, PERCENT_WIDTH = 46 };

static void draw_cpi_bar(struct drawing *drawing, struct box bar)
{
    const struct view_cpu *cpu = &drawing->model->cpu;
    double x = bar.x;
    canvas_fill(drawing->canvas, bar, drawing->theme->empty);
    for (unsigned reason = 0; reason < NR_REASONS; reason++) {
        double share = percent_of(cpu->cpi_stack[reason], cpu->now);
        struct box part = {x, bar.y, bar.w * share / 100, bar.h};
        canvas_fill(drawing->canvas, part, reason_colour(reason));
        if (is_pointed_at(drawing, part))
            snprintf(drawing->hover, sizeof drawing->hover, "%s: %" PRIu64 " cycles, %.1f %%",
                     reason_name(reason), cpu->cpi_stack[reason], share);
        x += part.w;
    }
}

static void draw_cpi_legend(struct drawing *drawing, struct box area)
{
    const struct view_cpu *cpu = &drawing->model->cpu;
    double instructions = (double)cpu->stats.instructions, column = area.w / LEGEND_COLUMNS;
    unsigned nr_rows = (NR_REASONS + LEGEND_COLUMNS - 1) / LEGEND_COLUMNS;
    for (unsigned reason = 0; reason < NR_REASONS; reason++) {
        unsigned in_column = reason / nr_rows, in_row = reason % nr_rows;
        double x = area.x + column * in_column, y = area.y + canvas_line_height(FONT_SMALL) * in_row;
        char text[COUNT_CHARS];
        draw_legend(drawing, x, y, reason_colour(reason), reason_name(reason));
        snprintf(text, sizeof text, "%.3f %5.1f %%",
                 instructions > 0 ? (double)cpu->cpi_stack[reason] / instructions : 0,
                 percent_of(cpu->cpi_stack[reason], cpu->now));
        canvas_text_right(drawing->canvas, x + column - 20, y, FONT_SMALL, drawing->theme->text, text);
        hover(drawing, (struct box){x, y, column, canvas_line_height(FONT_SMALL)},
              "%s: %s; cycles per instruction, and the share of all cycles", reason_name(reason),
              reason_sentence(reason));
    }
}

/* A name, a count, and what part of another count it is (when `all` is not 0). */
struct count_row {
    const char *name;
    uint64_t value, all;
    const char *meaning;
};

/* Millions where all digits would not fit. */
static const char *format_short(char text[COUNT_CHARS], uint64_t value)
{
    if (value < 100000000)
        return format_count(text, value);
    snprintf(text, COUNT_CHARS, "%.1f M", (double)value / 1e6);
    return text;
}

static void draw_counts(struct drawing *drawing, struct box area, const struct count_row *rows,
                        unsigned nr_rows)
{
    for (unsigned i = 0; i < nr_rows; i++) {
        double y = area.y + 12 * i;
        char text[COUNT_CHARS];
        canvas_text(drawing->canvas, area.x, y, FONT_SMALL, drawing->theme->dim, rows[i].name);
        double value_end = area.x + area.w - (rows[i].all ? PERCENT_WIDTH : 0);
        canvas_text_right(drawing->canvas, value_end, y, FONT_SMALL, drawing->theme->text,
                          rows[i].all ? format_short(text, rows[i].value)
                                      : format_count(text, rows[i].value));
        hover(drawing, (struct box){area.x, y, area.w, 12}, "%s, %" PRIu64 ": %s", rows[i].name,
              rows[i].value, rows[i].meaning);
        if (!rows[i].all)
            continue;
        snprintf(text, sizeof text, "%.1f %%", percent_of(rows[i].value, rows[i].all));
        canvas_text_right(drawing->canvas, area.x + area.w, y, FONT_SMALL, drawing->theme->dim, text);
    }
}

static void draw_core_counts(struct drawing *drawing, struct box area)
{
    const struct cpu_stats *stats = &drawing->model->cpu.stats;
    const struct count_row rows[COUNT_ROWS] = {
        {"instructions", stats->instructions, 0, "retired since the start"},
        {"loads", stats->loads, stats->instructions, "reads of memory, for a hundred instructions"},
        {"stores", stats->stores, stats->instructions, "writes of memory, for a hundred instructions"},
        {"branches", stats->branches, stats->instructions, "of all instructions"},
        {"mispredicts", stats->mispredicts, stats->branches,
         "that went another way than predicted, of all branches"},
        {"exceptions", stats->exceptions, 0, "faults, traps and software interrupts"},
        {"page faults", stats->page_faults, 0, "exception 14"},
        {"interrupts", stats->interrupts, 0, "from devices"},
    };
    draw_counts(drawing, area, rows, COUNT_ROWS);
}

static void draw_memory_counts(struct drawing *drawing, struct box area)
{
    const struct view_model *model = drawing->model;
    const struct mmu_stats *mmu = &model->cpu.mmu_stats;
    uint64_t dram = model->dram.reads + model->dram.writes;
    bool has_l3 = model->cache[VIEW_L3].is_there;
    const struct count_row rows[COUNT_ROWS] = {
        {"page walks", mmu->walks, 0, "translations that no TLB had"},
        {"PTEs from L1", mmu->walk_reads_l1d, mmu->walk_reads,
         "entries that walks found in the first cache, of all they read"},
        {has_l3 ? "PTEs from L2, L3" : "PTEs from L2", mmu->walk_reads_l2 + mmu->walk_reads_l3,
         mmu->walk_reads, "entries that lay farther away"},
        {"PTEs from DRAM", mmu->walk_reads_dram, mmu->walk_reads, "entries that came from memory"},
        {"DRAM accesses", dram, 0, "reads and writes of the memory controller"},
        {"row hits", model->dram.row_hits, dram, "the row was open"},
        {"row misses", model->dram.row_misses, dram, "no row was open"},
        {"row conflicts", model->dram.row_conflicts, dram, "another row was open"},
    };
    draw_counts(drawing, area, rows, model->has_dram ? COUNT_ROWS : 1);
}

static void draw_last_exception(struct drawing *drawing, double x, double y)
{
    const struct cpu_fault_record *fault = &drawing->model->cpu.fault;
    char count[COUNT_CHARS], code[COUNT_CHARS] = "";
    if (!drawing->model->cpu.has_fault)
        return;
    if (fault->has_error_code)
        snprintf(code, sizeof code, ", error %" PRIu32, fault->error_code);
    /* With 16 digits there is no room for more. */
    canvas_printf(drawing->canvas, x, y, FONT_SMALL, drawing->theme->dim,
                  "%s#%u%s at %08" PRIx64 ", cycle %s",
                  fault->rip >> 32 ? "last: " : "last exception: ", fault->vector, code, fault->rip,
                  format_count(count, fault->cycle));
}

void draw_counters_panel(struct drawing *drawing, struct box panel)
{
    const struct view_cpu *cpu = &drawing->model->cpu;
    char note[COUNT_CHARS] = "no CPU";
    if (cpu->is_there)
        snprintf(note, sizeof note, "CPI %.3f",
                 cpu->stats.instructions ? (double)cpu->now / (double)cpu->stats.instructions : 0);
    struct box inside = draw_panel(drawing, panel, "Where the cycles went", note);
    if (!cpu->is_there)
        return;
    draw_cpi_bar(drawing, (struct box){inside.x, inside.y, inside.w, BAR_HEIGHT});
    draw_cpi_legend(drawing, (struct box){inside.x, inside.y + BAR_HEIGHT + 6, inside.w, 0});
    double top = inside.y + BAR_HEIGHT + 84, half = inside.w / 2;
    draw_core_counts(drawing, (struct box){inside.x, top, half - 12, 0});
    draw_memory_counts(drawing, (struct box){inside.x + half, top, half, 0});
    draw_last_exception(drawing, inside.x, inside.y + inside.h - 12);
}
