/* A cell of the memory map: the colour of some frames, and what is said of them. */
#include "sim/observe/view_draw_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

bool is_idle_owner(enum view_owner owner)
{
    return owner == VIEW_OWNER_FREE || owner == VIEW_OWNER_UNUSED;
}

colour_t heat_colour(const struct drawing *drawing, unsigned percent)
{
    static const colour_t warm = 0xd5521a, hot = 0xf0e442;
    return percent > 50 ? colour_mix(hot, warm, (percent - 50) * 2)
                        : colour_mix(warm, drawing->theme->empty, percent * 2);
}

/* By the lines that caches hold and took in lately, as a share of those of one page. */
static colour_t heat_of(const struct drawing *drawing, pfn_t first, pfn_t nr_frames)
{
    enum { HOT_LINES = 64 };
    unsigned nr_lines = 0;
    for (pfn_t pfn = first; pfn < first + nr_frames; pfn++)
        nr_lines += drawing->model->heat[pfn];
    return heat_colour(drawing, nr_lines >= HOT_LINES ? 100 : nr_lines * 100 / HOT_LINES);
}

/* What is said of a frame by its colour: its owner, or whose it is. */
static unsigned key_of(const struct drawing *drawing, pfn_t pfn)
{
    const struct view_model *model = drawing->model;
    return drawing->ui->colouring == VIEW_BY_PROCESS ? model->frame_process[pfn] & VIEW_FRAME_PROCESS
                                                     : model->memory.owner[pfn];
}

static colour_t key_colour(const struct drawing *drawing, unsigned key)
{
    return drawing->ui->colouring == VIEW_BY_PROCESS ? process_colour(drawing, key)
                                                     : owner_colour(drawing, key);
}

colour_t frame_colour(const struct drawing *drawing, pfn_t pfn)
{
    return key_colour(drawing, key_of(drawing, pfn));
}

/* Of some frames: those in use, those of the process that is shown, and what most of either are. */
struct group {
    pfn_t first, nr_frames, nr_used, nr_shown, nr_changed;
    pfn_t free_orders;              /* the sum, over the free ones */
    unsigned most_used, most_shown; /* keys */
};

colour_t free_colour(const struct drawing *drawing, unsigned percent)
{
    enum { MOST_PERCENT = 34 };
    return colour_mix(drawing->theme->dim, drawing->theme->empty, MOST_PERCENT * (100 - percent) / 100);
}

/* The ground of a cell: of free frames, by the order of the blocks that they lie in. */
static colour_t idle_colour(const struct drawing *drawing, const struct group *group)
{
    enum { LARGEST_ORDER = 10 };
    if (!drawing->model->memory.is_from_note)
        return owner_colour(drawing, VIEW_OWNER_UNUSED);
    pfn_t nr_free = group->nr_frames - group->nr_used;
    pfn_t percent = nr_free ? group->free_orders * 100 / (nr_free * LARGEST_ORDER) : 100;
    return free_colour(drawing, percent < 100 ? (unsigned)percent : 100);
}

static struct group count_group(const struct drawing *drawing, pfn_t first, pfn_t nr_frames)
{
    enum { NR_KEYS = VIEW_FRAME_PROCESS + 1 };
    const struct view_model *model = drawing->model;
    uint32_t used[NR_KEYS] = {0}, shown[NR_KEYS] = {0};
    struct group group = {.first = first, .nr_frames = nr_frames};
    for (pfn_t pfn = first; pfn < first + nr_frames; pfn++) {
        unsigned key = key_of(drawing, pfn);
        group.nr_changed += model->is_changed[pfn];
        if (is_idle_owner(model->memory.owner[pfn])) {
            group.free_orders += model->memory.free_order[pfn];
            continue;
        }
        used[key]++;
        group.nr_used++;
        if (model->frame_process[pfn] & VIEW_FRAME_OF_THE_SHOWN_ONE) {
            shown[key]++;
            group.nr_shown++;
        }
    }
    for (unsigned key = 0; key < NR_KEYS; key++) {
        if (used[key] > used[group.most_used])
            group.most_used = key;
        if (shown[key] > shown[group.most_shown])
            group.most_shown = key;
    }
    return group;
}

/* The lower part of a cell, by the share of its frames. */
static void fill_share(struct drawing *drawing, struct box cell, pfn_t nr, pfn_t all, colour_t colour)
{
    if (!nr)
        return;
    double filled = fmax(1, round(cell.h * (double)nr / (double)all));
    canvas_fill(drawing->canvas, (struct box){cell.x, cell.y + cell.h - filled, cell.w, filled}, colour);
}

static void frame_cell(struct drawing *drawing, struct box cell, colour_t colour)
{
    canvas_outline(drawing->canvas, (struct box){cell.x - 1, cell.y - 1, cell.w + 2, cell.h + 2}, colour);
}

/* What the walk that is shown level by level has come to: tables in the colours of their levels, the page. */
static void draw_walk_marks(struct drawing *drawing, struct box cell, pfn_t first, pfn_t nr_frames)
{
    const struct view_focus *focus = &drawing->model->focus;
    unsigned nr_levels = drawing->ui->nr_levels;
    if (!focus->is_there)
        return;
    for (unsigned i = 0; i < focus->walk.nr_steps && i < nr_levels; i++) {
        pfn_t table = focus->walk.step[i].at.v >> PAGE_SHIFT;
        if (table < first || table - first >= nr_frames)
            continue;
        canvas_fill(drawing->canvas, cell, level_colour(i));
        frame_cell(drawing, cell, drawing->theme->strong);
    }
    pfn_t page = focus->physical.v >> PAGE_SHIFT;
    bool has_arrived = !nr_levels || nr_levels > focus->walk.nr_steps;
    if (!focus->is_mapped || !has_arrived || page < first || page - first >= nr_frames)
        return;
    if (nr_levels)
        canvas_fill(drawing->canvas, cell, drawing->theme->mark);
    frame_cell(drawing, cell, drawing->theme->mark);
    frame_cell(drawing, (struct box){cell.x - 1, cell.y - 1, cell.w + 2, cell.h + 2}, drawing->theme->mark);
}

void format_whose(char text[PROCESS_CHARS], const struct view_model *model, unsigned frame_process)
{
    unsigned key = frame_process & VIEW_FRAME_PROCESS;
    if (key == VIEW_FRAME_NOBODYS)
        snprintf(text, PROCESS_CHARS, "no process");
    else if (key == VIEW_FRAME_SHARED)
        snprintf(text, PROCESS_CHARS, "several processes");
    else
        format_process(text, &model->processes.process[key - VIEW_FRAME_FIRST]);
}

static void hover_cell(struct drawing *drawing, struct box cell, const struct group *group)
{
    const struct view_model *model = drawing->model;
    char whose[PROCESS_CHARS] = "", changed[2 * COUNT_CHARS] = "";
    uint64_t at = group->first << PAGE_SHIFT;
    drawing->picked.first_frame = group->first;
    drawing->picked.nr_frames = group->nr_frames;
    drawing->picked.x = cell.x;
    drawing->picked.y = cell.y;
    drawing->picked.w = cell.w;
    drawing->picked.h = cell.h;
    if (group->nr_changed)
        snprintf(changed, sizeof changed, "; %" PRIu64 " changed owner", group->nr_changed);
    if (group->nr_frames == 1) {
        format_whose(whose, model, model->frame_process[group->first]);
        if (model->memory.is_from_note && is_idle_owner(model->memory.owner[group->first]))
            snprintf(whose, sizeof whose, "a block of order %u", model->memory.free_order[group->first]);
        hover(drawing, cell, "frame %" PRIu64 ", physical 0x%08" PRIx64 ": %s, of %s%s", group->first, at,
              view_owner_name(model->memory.owner[group->first]), whose, changed);
        return;
    }
    if (drawing->ui->colouring == VIEW_BY_PROCESS && group->nr_used)
        format_whose(whose, model, group->most_used);
    else
        snprintf(whose, sizeof whose, "%s", group->nr_used ? view_owner_name(group->most_used) : "nobody");
    hover(drawing, cell,
          "frames %" PRIu64 "-%" PRIu64 ", physical 0x%08" PRIx64 ": %" PRIu64 " of %" PRIu64
          " in use, most by %s%s",
          group->first, group->first + group->nr_frames - 1, at, group->nr_used, group->nr_frames, whose,
          changed);
}

/*
 * A cell is coloured by what most of its frames in use are, and filled as far as they go. While a process is
 * chosen only its frames have their full colour.
 */
void draw_frames_cell(struct drawing *drawing, struct box cell, pfn_t first, pfn_t nr_frames)
{
    const struct view_model *model = drawing->model;
    struct group group = count_group(drawing, first, nr_frames);
    colour_t colour = key_colour(drawing, group.most_used);
    canvas_fill(drawing->canvas, cell, idle_colour(drawing, &group));
    if (drawing->ui->colouring == VIEW_BY_HEAT && model->heat) {
        canvas_fill(drawing->canvas, cell, heat_of(drawing, first, nr_frames));
    } else if (!model->processes.is_chosen) {
        fill_share(drawing, cell, group.nr_used, nr_frames, colour);
    } else {
        fill_share(drawing, cell, group.nr_used, nr_frames, colour_mix(colour, drawing->theme->panel, 30));
        fill_share(drawing, cell, group.nr_shown, nr_frames, key_colour(drawing, group.most_shown));
    }
    if (group.nr_changed && model->changes.nr <= model->memory.nr_frames / 8)
        frame_cell(drawing, cell, drawing->theme->strong);
    draw_walk_marks(drawing, cell, first, nr_frames);
    if (is_pointed_at(drawing, cell))
        hover_cell(drawing, cell, &group);
}
