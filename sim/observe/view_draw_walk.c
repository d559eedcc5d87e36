/* The last page walk: each entry that was read, who had it, and what came out. */
#include "sim/observe/view_draw_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    BOX_WIDTH = 84,
    BOX_HEIGHT = 36,
    BOX_PITCH = 96,
    INDEX_BITS = 10,
    LINEAR_BITS = 32,
    LIST_ROW = 14,
    LIST_WIDTH = 360
};

static const char *const access_names[] = {[MMU_READ] = "read", [MMU_WRITE] = "write", [MMU_FETCH] = "fetch"};
enum { TWO_LEVELS = 2 };
static const char *const step_names[TWO_LEVELS] = {"PDE", "PTE"};
static const char *const servers[NR_SERVED_BY] = {"L1", "L2", "L3", "DRAM"};

colour_t level_colour(unsigned index)
{
    static const colour_t colours[WALK_MAX_STEPS] = {0xd98cb8, 0x7cc8f5, 0x9fd98c, 0xe8c56a, 0xb79bf0};
    return colours[index % WALK_MAX_STEPS];
}

void format_entry(char text[WORDS_CHARS], uint64_t entry, bool is_leaf, bool is_large)
{
    const struct {
        bool is_said;
        const char *words;
    } said[] = {
        {true, entry & PTE_RW ? "writable" : "read-only"},
        {true, entry & PTE_US ? "user" : "kernel only"},
        {entry & PTE_XD, "no execute"},
        {is_large, "a large page"},
        {entry & PTE_A, "accessed"},
        {is_leaf, entry & PTE_D ? "dirty" : "clean"},
        {is_leaf && (entry & PTE_G), "global"},
        {entry & PTE_PWT, "write-through"},
        {entry & PTE_PCD, "uncached"},
    };
    strcpy(text, entry & PTE_P ? "present"
                 : entry       ? "not present: the other bits are the kernel's own"
                               : "not present");
    if (!(entry & PTE_P))
        return;
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (said[i].is_said)
            strcat(strcat(text, ", "), said[i].words);
}

/* "P W U A D G 4M": what is set of an entry's bits (SDM 3A 4.3). */
static void format_flags(char text[COUNT_CHARS], uint64_t entry, bool is_directory)
{
    static const struct {
        unsigned bit;
        const char *name;
    } bits[] = {{PTE_P, "P"}, {PTE_RW, "W"}, {PTE_US, "U"}, {PTE_A, "A"}, {PTE_D, "D"}, {PTE_G, "G"}};
    text[0] = 0;
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++)
        if (entry & bits[i].bit)
            strcat(strcat(text, text[0] ? " " : ""), bits[i].name);
    if (!(entry & PTE_P))
        strcpy(text, "not present");
    else if (is_directory && (entry & PTE_PS))
        strcat(text, " 4M");
}

static void draw_node(struct drawing *drawing, double x, double y, colour_t colour, const char *title,
                      uint64_t value)
{
    struct box box = {x, y, BOX_WIDTH, BOX_HEIGHT};
    canvas_fill(drawing->canvas, box, drawing->theme->ground);
    canvas_outline(drawing->canvas, box, colour);
    canvas_text(drawing->canvas, x + 8, y + 3, FONT_BOLD, drawing->theme->text, title);
    canvas_printf(drawing->canvas, x + 8, y + 18, FONT_TEXT, drawing->theme->dim, "0x%08" PRIx64, value);
}

static void draw_arrow(struct drawing *drawing, double x, double y)
{
    canvas_fill(drawing->canvas,
                (struct box){x - (BOX_PITCH - BOX_WIDTH), y + BOX_HEIGHT / 2.0, BOX_PITCH - BOX_WIDTH, 1},
                drawing->theme->dim);
}

/* The walk that was made last, or the one that the user looked up. */
static const struct walk *shown_walk(const struct drawing *drawing)
{
    return drawing->model->focus.is_there ? &drawing->model->focus.walk : &drawing->model->cpu.walk;
}

/* What a step read, in words. */
static void hover_step(struct drawing *drawing, struct box box, const struct walk *walk, unsigned index)
{
    const struct walk_step *step = &walk->step[index];
    bool is_last = index + 1 == walk->nr_steps && !walk->is_fault;
    bool is_small = walk->first_level + index + 1 == paging_nr_levels(walk->kind);
    char words[WORDS_CHARS];
    format_entry(words, step->value, is_last, is_last && !is_small);
    hover(drawing, box, "%s [%u] of the table at 0x%08" PRIx64 ": %s",
          paging_level(walk->kind, walk->first_level + index)->name, step->index,
          step->at.v & ~(uint64_t)PAGE_MASK, words);
}

static void draw_step(struct drawing *drawing, double x, double y, unsigned index)
{
    const struct view_cpu *cpu = &drawing->model->cpu;
    const struct walk_step *step = &shown_walk(drawing)->step[index];
    const struct walk *walk = shown_walk(drawing);
    bool is_last = index + 1 == walk->nr_steps;
    char title[COUNT_CHARS], flags[COUNT_CHARS];
    unsigned level = walk->first_level + index;
    snprintf(title, sizeof title, "%s [%u]", step_names[level], step->index);
    draw_arrow(drawing, x, y);
    draw_node(drawing, x, y, walk->is_fault && is_last ? drawing->theme->fault : level_colour(level), title,
              step->value);
    format_flags(flags, step->value, level == 0);
    hover_step(drawing, (struct box){x, y, BOX_WIDTH, BOX_HEIGHT + 26}, walk, index);
    canvas_text(drawing->canvas, x, y + BOX_HEIGHT + 2, FONT_SMALL, drawing->theme->text, flags);
    if (!cpu->is_timed || drawing->model->focus.is_there)
        return;
    double end = canvas_printf(drawing->canvas, x, y + BOX_HEIGHT + 14, FONT_SMALL, drawing->theme->dim,
                               "from %s", servers[step->served_by % NR_SERVED_BY]);
    if (index > 0)
        canvas_printf(drawing->canvas, end, y + BOX_HEIGHT + 14, FONT_SMALL, drawing->theme->dim,
                      " +%" PRIu64, step->ready - walk->step[index - 1].ready);
}

/* The linear address in binary, cut where the walk cuts it. */
static void draw_bits(struct drawing *drawing, double x, double y, const struct walk *walk)
{
    unsigned low = LINEAR_BITS;
    unsigned nr_indices = walk->first_level + walk->nr_steps;
    for (unsigned part = 0; part <= nr_indices; part++) {
        bool is_offset = part == nr_indices;
        unsigned nr_bits = is_offset ? low : INDEX_BITS;
        char bits[LINEAR_BITS + 1];
        for (unsigned i = 0; i < nr_bits; i++)
            bits[i] = walk->linear.v >> (low - 1 - i) & 1 ? '1' : '0';
        bits[nr_bits] = 0;
        low -= nr_bits;
        colour_t colour = is_offset ? drawing->theme->text : text_colour(drawing, level_colour(part));
        double end = canvas_text(drawing->canvas, x, y, FONT_TEXT, colour, bits);
        if (is_offset)
            canvas_printf(drawing->canvas, x, y + 14, FONT_SMALL, drawing->theme->dim, "offset 0x%" PRIx64,
                          walk->linear.v & (((uint64_t)1 << nr_bits) - 1));
        else
            canvas_printf(drawing->canvas, x, y + 14, FONT_SMALL, drawing->theme->dim, "%s %u",
                          step_names[part], (unsigned)(walk->linear.v >> low) & ((1u << INDEX_BITS) - 1));
        x = end + 14;
    }
}

static void draw_outcome(struct drawing *drawing, double x, double y, const struct walk *walk)
{
    uint32_t error = walk->error_code;
    if (drawing->model->focus.is_there)
        canvas_text(drawing->canvas, x, y, FONT_BOLD,
                    drawing->model->focus.is_mapped ? drawing->theme->good : drawing->theme->fault,
                    drawing->model->focus.is_mapped ? "mapped" : "not mapped");
    else if (walk->is_fault)
        canvas_printf(drawing->canvas, x, y, FONT_BOLD, drawing->theme->fault,
                      "#PF error %" PRIu32 ": %s, %s by the %s", error,
                      error & PF_RSVD ? "reserved bit set"
                      : error & PF_P  ? "not allowed"
                                      : "not present",
                      access_names[walk->access % 3], error & PF_U ? "user" : "kernel");
    else
        canvas_text(drawing->canvas, x, y, FONT_BOLD, drawing->theme->good,
                    drawing->model->cpu.is_timed ? "translated, and now in the TLBs" : "translated");
}

/* Where the page lies. */
static void draw_frame(struct drawing *drawing, double x, double y, const struct walk *walk)
{
    const struct view_memory *memory = &drawing->model->memory;
    uint64_t leaf = walk->step[walk->nr_steps - 1].value;
    bool is_large = walk->first_level + walk->nr_steps == 1;
    uint64_t frame = paging_frame(walk->kind, leaf, is_large ? TLB_PAGE_4M : TLB_PAGE_4K);
    draw_arrow(drawing, x, y);
    draw_node(drawing, x, y, drawing->theme->good, is_large ? "4 MiB page" : "4 KiB page", frame);
    const struct view_focus *focus = &drawing->model->focus;
    pfn_t pfn = (focus->is_there ? focus->physical.v : frame) >> PAGE_SHIFT;
    if (pfn < memory->nr_frames)
        canvas_text(drawing->canvas, x, y + BOX_HEIGHT + 2, FONT_SMALL, drawing->theme->text,
                    view_owner_name(memory->owner[pfn]));
}

/*
 * A row of the list that stands for a walk with 8-byte entries: which entry, its value, its bits, who had it.
 */
static void list_step(struct drawing *drawing, double x, double y, const struct walk *walk, unsigned index)
{
    const struct walk_step *step = &walk->step[index];
    const char *name = paging_level(walk->kind, walk->first_level + index)->name;
    bool is_last = index + 1 == walk->nr_steps;
    char flags[COUNT_CHARS];
    format_flags(flags, step->value, false);
    hover_step(drawing, (struct box){x, y, LIST_WIDTH, LIST_ROW}, walk, index);
    double end = canvas_printf(drawing->canvas, x, y, FONT_SMALL,
                               walk->is_fault && is_last
                                   ? drawing->theme->fault
                                   : text_colour(drawing, level_colour(walk->first_level + index)),
                               "%-5s [%3u] %016" PRIx64, name, step->index, step->value);
    end = canvas_printf(drawing->canvas, end, y, FONT_SMALL, drawing->theme->text, "  %s%s", flags,
                        (step->value & PTE_P) && (step->value & PTE_XD) ? " XD" : "");
    if (drawing->model->cpu.is_timed && !drawing->model->focus.is_there)
        canvas_printf(drawing->canvas, end, y, FONT_SMALL, drawing->theme->dim, "  from %s",
                      servers[step->served_by % NR_SERVED_BY]);
}

/* Where a walk with 8-byte entries ended. */
static void list_frame(struct drawing *drawing, double x, double y, const struct walk *walk)
{
    const struct view_memory *memory = &drawing->model->memory;
    unsigned last = walk->nr_steps - 1;
    const struct paging_level *level = paging_level(walk->kind, walk->first_level + last);
    bool is_small = walk->first_level + walk->nr_steps == paging_nr_levels(walk->kind);
    enum tlb_page page = is_small ? TLB_PAGE_4K : level->large;
    uint64_t frame = paging_frame(walk->kind, walk->step[last].value, page);
    pfn_t pfn = frame >> PAGE_SHIFT;
    canvas_printf(drawing->canvas, x, y, FONT_SMALL, drawing->theme->good, "%s page at 0x%" PRIx64 "%s%s",
                  page == TLB_PAGE_4K   ? "4 KiB"
                  : page == TLB_PAGE_2M ? "2 MiB"
                                        : "1 GiB",
                  frame, pfn < memory->nr_frames ? ": " : "",
                  pfn < memory->nr_frames ? view_owner_name(memory->owner[pfn]) : "");
}

static void list_walk(struct drawing *drawing, double x, double y, const struct walk *walk)
{
    if (walk->first_level)
        canvas_printf(drawing->canvas, x, y, FONT_SMALL, drawing->theme->dim, "%-5s held  %016" PRIx64,
                      paging_level(walk->kind, walk->first_level - 1)->name,
                      walk->step[0].at.v & ~(uint64_t)PAGE_MASK);
    else if (walk->kind == PAGING_PAE)
        canvas_printf(drawing->canvas, x, y, FONT_SMALL, drawing->theme->dim, "PDPTE [%3u] in a register%s",
                      paging_pdpte_index(walk->linear), walk->nr_steps ? "" : ": not present");
    else
        canvas_printf(drawing->canvas, x, y, FONT_SMALL, drawing->theme->dim, "CR3         %016" PRIx64,
                      walk->step[0].at.v & ~(uint64_t)PAGE_MASK);
    for (unsigned i = 0; i < walk->nr_steps; i++)
        list_step(drawing, x, y += LIST_ROW, walk, i);
    if (!walk->is_fault)
        list_frame(drawing, x, y += LIST_ROW, walk);
    draw_outcome(drawing, x, y + LIST_ROW, walk);
}

static void describe_walk(const struct drawing *drawing, const struct walk *walk, char note[128])
{
    const struct view_cpu *cpu = &drawing->model->cpu;
    char count[COUNT_CHARS];
    if (drawing->model->focus.is_there)
        snprintf(note, 128, "of 0x%08" PRIx64 ", as the tables are now", walk->linear.v);
    else if (walk->linear.v > UINT32_MAX) /* shorter words for a longer number */
        snprintf(note, 128, "no. %s: %s of %016" PRIx64 ", %s", format_count(count, cpu->nr_walks_seen),
                 access_names[walk->access % 3], walk->linear.v, walk->asker == MMU_USER ? "user" : "kernel");
    else
        snprintf(note, 128, "no. %s: %s of 0x%08" PRIx64 ", %s", format_count(count, cpu->nr_walks_seen),
                 access_names[walk->access % 3], walk->linear.v, walk->asker == MMU_USER ? "user" : "kernel");
}

void draw_walk_panel(struct drawing *drawing, struct box panel)
{
    const struct view_cpu *cpu = &drawing->model->cpu;
    bool is_focus = drawing->model->focus.is_there;
    const struct walk *walk = shown_walk(drawing);
    char note[128] = "";
    if (is_focus && drawing->ui->nr_levels) {
        draw_walk_levels_panel(drawing, panel);
        return;
    }
    bool has_walk = cpu->is_there && (is_focus || cpu->nr_walks_seen) && walk->kind != PAGING_OFF;
    if (has_walk)
        describe_walk(drawing, walk, note);
    struct box inside = draw_panel(drawing, panel, is_focus ? "Page walk" : "Last page walk", note);
    if (!has_walk) {
        bool is_paging = cpu->is_there && (cpu->mode.cr0 & CR0_PG);
        canvas_text(drawing->canvas, inside.x, inside.y, FONT_TEXT, drawing->theme->dim,
                    is_paging ? "none so far" : "paging is off: linear addresses are physical ones");
        return;
    }
    hover(drawing, panel, "the walk for 0x%08" PRIx64 "; [l] shows it level by level", walk->linear.v);
    if (is_pointed_at(drawing, panel))
        pick_linear(drawing, walk->linear.v);
    double x = inside.x, y = inside.y + 2;
    if (walk->kind != PAGING_TWO_LEVEL) {
        list_walk(drawing, x, y, walk);
        return;
    }
    /* As it was then: another address space may have come since. */
    draw_node(drawing, x, y, drawing->theme->dim, walk->first_level ? "PDE held" : "CR3",
              walk->step[0].at.v & ~(uint64_t)PAGE_MASK);
    for (unsigned i = 0; i < walk->nr_steps && walk->first_level + i < TWO_LEVELS; i++)
        draw_step(drawing, x += BOX_PITCH, y, i);
    if (!walk->is_fault)
        draw_frame(drawing, x + BOX_PITCH, y, walk);
    draw_outcome(drawing, inside.x, inside.y + 67, walk);
    draw_bits(drawing, inside.x, inside.y + 90, walk);
}
