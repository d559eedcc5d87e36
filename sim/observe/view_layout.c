#include "sim/observe/view_layout.h"

#include <math.h>

/* What all panels together are made for, and the least that one alone is. */
static const double full_width = 1280, full_height = 720, least_width = 560, least_height = 420;
/* What the panels of a column need for their text. */
static const double walk_width = 388, walk_height = 148, middle_height = 252, arrays_width = 340,
                    memory_width = 320;
static const double gap = 8, title_height = 36, status_height = 22;

static double clamp(double value, double least, double most)
{
    return fmax(least, fmin(most, value));
}

double view_scale(const struct view_size *size, const struct view_ui *ui)
{
    static const double least_scale = 0.5, most_scale = 6, zoom_step = 1.15, still_full = 0.9;
    double fit = fmin(size->width / full_width, size->height / full_height), scale = size->scale;
    /* Where there is no room for all panels, some of them in a legible size are better. */
    if (scale <= 0)
        scale =
            fit >= still_full ? fit : fmin(1, fmin(size->width / least_width, size->height / least_height));
    /* A panel that has the window to itself is larger by as much as it has room for. */
    if (ui->panel != VIEW_ALL_PANELS)
        scale *= clamp(fmin(size->width / scale / 853, size->height / scale / 480), 1, 1.5);
    return clamp(scale * pow(zoom_step, ui->zoom), least_scale, most_scale);
}

/* All panels; what is more than they need goes to each. */
static void lay_out_all(struct box area, struct box panel[NR_VIEW_PANELS])
{
    double more_x = fmax(0, area.w - (full_width - 2 * gap)),
           more_y = fmax(0, area.h - (full_height - title_height - status_height));
    double arrays = arrays_width + floor(more_x * 0.3), walk = walk_width + floor(more_x * 0.3);
    double memory = area.w - arrays - walk - 2 * gap, top = 408 + floor(more_y * 0.6);
    double walk_h = walk_height + floor(more_y * 0.25), bottom_y = area.y + top + gap;
    double time = floor((area.w - gap) * 0.446);
    panel[VIEW_PANEL_MEMORY] = (struct box){area.x, area.y, memory, top};
    panel[VIEW_PANEL_WALK] = (struct box){area.x + memory + gap, area.y, walk, walk_h};
    panel[VIEW_PANEL_MIDDLE] =
        (struct box){area.x + memory + gap, area.y + walk_h + gap, walk, top - walk_h - gap};
    panel[VIEW_PANEL_ARRAYS] = (struct box){area.x + memory + walk + 2 * gap, area.y, arrays, top};
    panel[VIEW_PANEL_TIME] = (struct box){area.x, bottom_y, time, area.h - top - gap};
    panel[VIEW_PANEL_CONSOLE] =
        (struct box){area.x + time + gap, bottom_y, area.w - time - gap, area.h - top - gap};
}

/* Memory, walk and what the middle shows; TLBs and caches, and the console, where there is room. */
static void lay_out_some(struct box area, struct box panel[NR_VIEW_PANELS])
{
    static const double least_console = 60;
    double needed = walk_height + gap + middle_height, top = area.h, rest = area.h - needed - gap;
    bool has_arrays = area.w >= memory_width + walk_width + arrays_width + 2 * gap;
    double arrays = has_arrays ? arrays_width : 0;
    double memory = area.w - walk_width - gap - (has_arrays ? arrays + gap : 0);
    if (rest >= least_console) {
        top = needed + floor(fmax(0, rest - 200));
        panel[VIEW_PANEL_CONSOLE] = (struct box){area.x, area.y + top + gap, area.w, area.h - top - gap};
    }
    panel[VIEW_PANEL_MEMORY] = (struct box){area.x, area.y, memory, top};
    panel[VIEW_PANEL_WALK] = (struct box){area.x + memory + gap, area.y, walk_width, walk_height};
    panel[VIEW_PANEL_MIDDLE] =
        (struct box){area.x + memory + gap, area.y + walk_height + gap, walk_width, top - walk_height - gap};
    if (has_arrays)
        panel[VIEW_PANEL_ARRAYS] = (struct box){area.x + memory + walk_width + 2 * gap, area.y, arrays, top};
}

/* The walk level by level takes the room of the panel below it. */
static void join_walk_and_middle(struct box panel[NR_VIEW_PANELS])
{
    struct box *walk = &panel[VIEW_PANEL_WALK], *middle = &panel[VIEW_PANEL_MIDDLE];
    walk->h = middle->y + middle->h - walk->y;
    middle->w = 0;
}

void view_layout(struct box picture, const struct view_ui *ui, struct box panel[NR_VIEW_PANELS])
{
    static const double rounding = 2;
    struct box area = {gap, title_height, picture.w - 2 * gap, picture.h - title_height - status_height};
    for (unsigned i = 0; i < NR_VIEW_PANELS; i++)
        panel[i] = (struct box){0};
    if (ui->panel != VIEW_ALL_PANELS) {
        panel[ui->panel] = area;
    } else if (picture.w >= full_width - rounding && picture.h >= full_height - rounding) {
        lay_out_all(area, panel);
        if (ui->nr_levels)
            join_walk_and_middle(panel);
    } else if (area.w >= memory_width + gap + walk_width && area.h >= walk_height + gap + middle_height) {
        lay_out_some(area, panel);
        if (ui->nr_levels)
            join_walk_and_middle(panel);
    } else {
        panel[ui->nr_levels ? VIEW_PANEL_WALK : VIEW_PANEL_MEMORY] = area;
    }
}
