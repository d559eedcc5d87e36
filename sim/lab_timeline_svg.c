/*
 * The picture of a time line: a panel of free pages for each zone, and rows of bars that say when kswapd was
 * awake and which task was stopped for what. A column of pixels shows all that happened in its cycles: of the
 * free pages the fewest and the most, and of bars how much of its cycles they lasted.
 */
#include "sim/lab_timeline.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIDTH = 1200,
    LEFT = 110,
    COLUMNS = 940,
    TOP = 66,
    PANEL_HEIGHT = 170,
    PANEL_GAP = 26,
    ROW_HEIGHT = 22,
    NR_TICKS = 8,
};

/* What stops a task, the tallest bars first: what lies within another shows in front of it. */
static const struct {
    enum mm_event_kind begin, end;
    int height;
    const char *colour, *meaning;
} stalls[] = {
    {MM_EVENT_WRITEBACK_BEGIN, MM_EVENT_WRITEBACK_END, 18, "#8fbc8f", "writes pages back"},
    {MM_EVENT_BLOCK_IO_BEGIN, MM_EVENT_BLOCK_IO_END, 15, "#b0b0b0", "waits for a disk"},
    {MM_EVENT_THROTTLE_BEGIN, MM_EVENT_THROTTLE_END, 13, "#e69f00", "stopped: too many dirty pages"},
    {MM_EVENT_SWAP_IN_BEGIN, MM_EVENT_SWAP_IN_END, 10, "#56b4e9", "waits for swap-in"},
    {MM_EVENT_DIRECT_RECLAIM_BEGIN, MM_EVENT_DIRECT_RECLAIM_END, 7, "#c0143c", "direct reclaim"},
};
enum { NR_STALLS = sizeof stalls / sizeof *stalls };
static const char *const kswapd_colour = "#6a51a3", *const swap_out_colour = "#555555";

struct picture {
    const struct lab_timeline *timeline;
    FILE *to;
    cycle_t begin, end;
    int y; /* where the next part goes */
};

static void put_text(FILE *to, const char *text)
{
    for (; *text; text++) {
        if (*text == '&' || *text == '<' || *text == '>' || *text == '"')
            fprintf(to, "&#%d;", *text);
        else
            fputc(*text, to);
    }
}

/* The column of a cycle, cut to the picture. */
static int column(const struct picture *picture, cycle_t cycle)
{
    if (cycle <= picture->begin)
        return 0;
    if (cycle >= picture->end)
        return COLUMNS - 1;
    return (int)((double)(cycle - picture->begin) / (double)(picture->end - picture->begin) * COLUMNS);
}

/* One of a few numbers of one digit times a power of ten, not below `value`. */
static uint64_t round_up(uint64_t value)
{
    static const unsigned digits[] = {1, 2, 4, 5, 6, 8, 10};
    uint64_t power = 1;
    while (power * 10 < value)
        power *= 10;
    for (size_t i = 0; i < sizeof digits / sizeof *digits; i++)
        if (digits[i] * power >= value)
            return digits[i] * power;
    return value;
}

/* ---- Free pages ---- */

struct zone_columns {
    uint32_t least[COLUMNS], most[COLUMNS];
    uint32_t mark[TIMELINE_NR_MARKS][COLUMNS];
    uint32_t most_of_all, highest_mark;
    bool is_there;
};

/* A count stands until the next one is told, so each column begins with what the one before ended with. */
static void fill_zone(const struct picture *picture, unsigned zone, struct zone_columns *columns)
{
    const struct lab_timeline *timeline = picture->timeline;
    uint32_t free = 0;
    int at = 0;
    *columns = (struct zone_columns){.least = {0}};
    for (size_t i = 0; i <= timeline->nr; i++) {
        const struct mm_event *event = i < timeline->nr ? &timeline->event[i] : NULL;
        int until = event ? column(picture, event->cycle) : COLUMNS - 1;
        bool is_inside = !event || event->cycle >= picture->begin;
        for (; is_inside && at < until; at++) {
            for (unsigned j = 0; j < TIMELINE_NR_MARKS; j++)
                columns->mark[j][at + 1] = columns->mark[j][at];
            columns->least[at + 1] = columns->most[at + 1] = free;
        }
        if (!event || mm_event_zone(event) != zone || event->cycle > picture->end)
            continue;
        if (event->kind == MM_EVENT_WATERMARK && mm_event_low(event) < TIMELINE_NR_MARKS) {
            columns->mark[mm_event_low(event)][at] = event->edx;
        } else if (event->kind == MM_EVENT_FREE_PAGES || event->kind == MM_EVENT_BELOW_WATERMARK ||
                   event->kind == MM_EVENT_ABOVE_WATERMARK) {
            free = event->edx;
            columns->is_there = true;
            if (!is_inside)
                columns->least[0] = columns->most[0] = free;
            columns->least[at] = free < columns->least[at] ? free : columns->least[at];
            columns->most[at] = free > columns->most[at] ? free : columns->most[at];
        }
    }
    for (int i = 0; i < COLUMNS; i++) {
        columns->most_of_all =
            columns->most[i] > columns->most_of_all ? columns->most[i] : columns->most_of_all;
        uint32_t high = columns->mark[TIMELINE_NR_MARKS - 1][i];
        columns->highest_mark = high > columns->highest_mark ? high : columns->highest_mark;
    }
}

static double height_of(uint32_t pages, uint64_t top_pages)
{
    return pages >= top_pages ? PANEL_HEIGHT : (double)pages / (double)top_pages * PANEL_HEIGHT;
}

static void put_axis(const struct picture *picture, const char *name, uint64_t top_pages, uint32_t most)
{
    int bottom = picture->y + PANEL_HEIGHT;
    fprintf(picture->to,
            "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"none\" stroke=\"#999\"/>\n"
            "<text x=\"%d\" y=\"%d\" font-weight=\"bold\">zone %s: free pages</text>\n",
            LEFT, picture->y, COLUMNS, PANEL_HEIGHT, LEFT, picture->y - 6, name);
    for (unsigned i = 0; i <= 4; i++)
        fprintf(picture->to, "<text x=\"%d\" y=\"%g\" text-anchor=\"end\" class=\"s\">%" PRIu64 "</text>\n",
                LEFT - 6, bottom - PANEL_HEIGHT / 4.0 * i + 4, top_pages * i / 4);
    if (most > top_pages)
        fprintf(picture->to,
                "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" class=\"s\">cut off at the top; the most were "
                "%" PRIu32 "</text>\n",
                LEFT + COLUMNS, picture->y - 6, most);
}

static void put_marks(const struct picture *picture, const struct zone_columns *columns, uint64_t top_pages)
{
    static const char *const names[] = {"min", "low", "high"}, *const colours[] = {"#c0143c", "#d98200",
                                                                                   "#2e8b57"};
    double bottom = picture->y + PANEL_HEIGHT, last_text = bottom + 40;
    for (unsigned j = 0; j < TIMELINE_NR_MARKS; j++) {
        fprintf(picture->to, "<path fill=\"none\" stroke=\"%s\" stroke-dasharray=\"6 3\" d=\"", colours[j]);
        for (int i = 0; i < COLUMNS; i++) {
            bool is_end = i == 0 || i == COLUMNS - 1;
            if (is_end || columns->mark[j][i] != columns->mark[j][i - 1])
                fprintf(picture->to, "%c%d %.1f", i ? 'L' : 'M', LEFT + i,
                        bottom - height_of(columns->mark[j][is_end ? i : i - 1], top_pages));
            if (!is_end && columns->mark[j][i] != columns->mark[j][i - 1])
                fprintf(picture->to, "L%d %.1f", LEFT + i,
                        bottom - height_of(columns->mark[j][i], top_pages));
        }
        /* Marks that lie close have their names above each other. */
        double text = bottom - height_of(columns->mark[j][COLUMNS - 1], top_pages) + 4;
        text = text > last_text - 13 ? last_text - 13 : text;
        last_text = text;
        fprintf(picture->to,
                "\"/>\n<text x=\"%d\" y=\"%.1f\" fill=\"%s\" class=\"s\">%s %" PRIu32 "</text>\n",
                LEFT + COLUMNS + 6, text, colours[j], names[j], columns->mark[j][COLUMNS - 1]);
    }
}

static void put_zone(struct picture *picture, unsigned zone, struct zone_columns *columns)
{
    static const char *const names[TIMELINE_MAX_ZONES] = {"DMA", "Normal", "HighMem"};
    fill_zone(picture, zone, columns);
    if (!columns->is_there)
        return;
    /* The marks lie far below what a zone has in all: they are what is to be seen. */
    uint64_t wanted = columns->most_of_all, enough = 5 * (uint64_t)columns->highest_mark / 2;
    uint64_t top_pages = round_up(enough && wanted > enough ? enough : wanted ? wanted : 1);
    double bottom = picture->y + PANEL_HEIGHT;
    put_axis(picture, names[zone], top_pages, columns->most_of_all);
    fprintf(picture->to, "<path fill=\"#4477aa\" fill-opacity=\"0.35\" stroke=\"#4477aa\" d=\"");
    for (int i = 0; i < COLUMNS; i++)
        fprintf(picture->to, "%c%d %.1f", i ? 'L' : 'M', LEFT + i,
                bottom - height_of(columns->most[i], top_pages));
    for (int i = COLUMNS; i-- > 0;)
        fprintf(picture->to, "L%d %.1f", LEFT + i, bottom - height_of(columns->least[i], top_pages));
    fprintf(picture->to, "Z\"/>\n");
    put_marks(picture, columns, top_pages);
    picture->y += PANEL_HEIGHT + PANEL_GAP;
}

/* ---- Rows of bars ---- */

static void put_row_name(const struct picture *picture, const char *name, uint32_t pid)
{
    fprintf(picture->to, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" class=\"s\">", LEFT - 6,
            picture->y + ROW_HEIGHT / 2 + 4);
    put_text(picture->to, name);
    if (pid)
        fprintf(picture->to, " %" PRIu32, pid);
    fprintf(picture->to, "</text>\n<path stroke=\"#ddd\" d=\"M%d %dh%d\"/>\n", LEFT, picture->y + ROW_HEIGHT,
            COLUMNS);
}

struct bars {
    double share[COLUMNS]; /* of the column's cycles */
    uint64_t nr, cycles;   /* how often, and how long in all */
};

static void add_bar(const struct picture *picture, struct bars *bars, cycle_t from, cycle_t to)
{
    if (to < picture->begin || from > picture->end)
        return;
    from = from < picture->begin ? picture->begin : from;
    to = to > picture->end ? picture->end : to;
    double a_column = (double)(picture->end - picture->begin) / COLUMNS;
    double first = (double)(from - picture->begin) / a_column,
           last = (double)(to - picture->begin) / a_column;
    for (int at = column(picture, from); at <= column(picture, to); at++) {
        double left = first > at ? first : at, right = last < at + 1 ? last : at + 1;
        bars->share[at] += right - left > 1e-6 ? right - left : 1e-6;
    }
    bars->nr++;
    bars->cycles += to - from;
}

/* Between each begin and its end; without an end, to that of the picture. */
static void find_bars(const struct picture *picture, enum mm_event_kind begin, enum mm_event_kind end,
                      const uint32_t *pid, struct bars *bars)
{
    const struct lab_timeline *timeline = picture->timeline;
    cycle_t since = 0;
    bool is_open = false;
    *bars = (struct bars){.nr = 0};
    for (size_t i = 0; i < timeline->nr; i++) {
        const struct mm_event *event = &timeline->event[i];
        if (pid && event->edx != *pid)
            continue;
        if (event->kind == begin && !is_open) {
            is_open = true;
            since = event->cycle;
        } else if (event->kind == end && is_open) {
            is_open = false;
            add_bar(picture, bars, since, event->cycle);
        }
    }
    if (is_open)
        add_bar(picture, bars, since, picture->end);
}

/* The paler a column, the less of its cycles it was; but never so pale that it is not seen. */
static unsigned shade_of(double share)
{
    enum { PALEST = 3, FULL = 10 };
    if (share <= 0)
        return 0;
    return share >= 1 ? FULL : PALEST + (unsigned)(share * (FULL - PALEST));
}

static void put_bars(const struct picture *picture, const struct bars *bars, int height, const char *colour)
{
    for (int from = 0, at = 1; at <= COLUMNS; at++) {
        unsigned shade = shade_of(bars->share[from]);
        if (at < COLUMNS && shade_of(bars->share[at]) == shade)
            continue;
        if (shade)
            fprintf(picture->to,
                    "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\" fill-opacity=\"%g\"/>\n",
                    LEFT + from, picture->y + (ROW_HEIGHT - height) / 2, at - from, height, colour,
                    shade / 10.0);
        from = at;
    }
}

static void put_sum(const struct picture *picture, uint64_t nr, uint64_t cycles)
{
    fprintf(picture->to, "<text x=\"%d\" y=\"%d\" class=\"s\">%" PRIu64 " times, %.3g M</text>\n",
            LEFT + COLUMNS + 6, picture->y + ROW_HEIGHT - 6, nr, (double)cycles / 1e6);
}

/* How many pages went to swap: the highest stands for the most in a column. */
static void put_swap_outs(struct picture *picture)
{
    const struct lab_timeline *timeline = picture->timeline;
    uint32_t nr[COLUMNS] = {0}, most = 0;
    for (size_t i = 0; i < timeline->nr; i++) {
        const struct mm_event *event = &timeline->event[i];
        if (event->kind != MM_EVENT_SWAP_OUT || event->cycle < picture->begin || event->cycle > picture->end)
            continue;
        uint32_t here = ++nr[column(picture, event->cycle)];
        most = here > most ? here : most;
    }
    if (!most)
        return;
    put_row_name(picture, "swap-out", 0);
    for (int i = 0; i < COLUMNS; i++) {
        double height = (ROW_HEIGHT - 2) * (double)nr[i] / most;
        if (nr[i])
            fprintf(picture->to, "<rect x=\"%d\" y=\"%.1f\" width=\"1\" height=\"%.1f\" fill=\"%s\"/>\n",
                    LEFT + i, picture->y + ROW_HEIGHT - height, height, swap_out_colour);
    }
    fprintf(picture->to, "<text x=\"%d\" y=\"%d\" class=\"s\">at most %" PRIu32 " a column</text>\n",
            LEFT + COLUMNS + 6, picture->y + ROW_HEIGHT - 6, most);
    picture->y += ROW_HEIGHT;
}

static void put_task(struct picture *picture, const struct timeline_task *task)
{
    uint64_t nr = 0, cycles = 0;
    put_row_name(picture, task->name, task->pid);
    for (unsigned i = 0; i < NR_STALLS; i++) {
        struct bars bars;
        find_bars(picture, stalls[i].begin, stalls[i].end, &task->pid, &bars);
        put_bars(picture, &bars, stalls[i].height, stalls[i].colour);
        nr += bars.nr;
        cycles += bars.cycles;
    }
    put_sum(picture, nr, cycles);
    picture->y += ROW_HEIGHT;
}

static void put_rows(struct picture *picture)
{
    struct bars bars;
    put_row_name(picture, "kswapd awake", 0);
    find_bars(picture, MM_EVENT_KSWAPD_WAKE, MM_EVENT_KSWAPD_SLEEP, NULL, &bars);
    put_bars(picture, &bars, 12, kswapd_colour);
    put_sum(picture, bars.nr, bars.cycles);
    picture->y += ROW_HEIGHT;
    for (unsigned i = 0; i < picture->timeline->nr_tasks; i++)
        put_task(picture, &picture->timeline->task[i]);
    put_swap_outs(picture);
}

/* ---- Around them ---- */

static void put_phases(const struct picture *picture, int bottom)
{
    for (unsigned i = 0; i < picture->timeline->nr_phases; i++) {
        const struct timeline_phase *phase = &picture->timeline->phase[i];
        int from = column(picture, phase->begin), to = column(picture, phase->end);
        fprintf(
            picture->to,
            "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>\n<g class=\"s\"><text x=\"%d\" "
            "y=\"%d\">",
            LEFT + from, TOP - 20, to - from + 1, bottom - TOP + 20, i % 2 ? "#f2f2f2" : "#fafaf0",
            LEFT + from + 3, TOP - 24);
        put_text(picture->to, phase->name);
        fprintf(picture->to, "</text></g>\n");
    }
}

static void put_kills(const struct picture *picture, int bottom)
{
    for (size_t i = 0; i < picture->timeline->nr; i++) {
        const struct mm_event *event = &picture->timeline->event[i];
        if (event->kind != MM_EVENT_OOM_KILL || event->cycle < picture->begin || event->cycle > picture->end)
            continue;
        int x = LEFT + column(picture, event->cycle);
        fprintf(picture->to,
                "<path stroke=\"#000\" stroke-width=\"1.5\" d=\"M%d %dV%d\"/>\n<text x=\"%d\" y=\"%d\" "
                "class=\"s\" font-weight=\"bold\">out of memory: kills %" PRIu32 "</text>\n",
                x, TOP - 16, bottom, x + 4, bottom - 4, event->edx);
    }
}

static void put_time_axis(struct picture *picture)
{
    uint64_t step = round_up((picture->end - picture->begin) / NR_TICKS + 1);
    for (cycle_t at = (picture->begin / step + 1) * step; at <= picture->end; at += step)
        fprintf(picture->to,
                "<path stroke=\"#999\" d=\"M%d %dv5\"/>\n<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" "
                "class=\"s\">%g</text>\n",
                LEFT + column(picture, at), picture->y, LEFT + column(picture, at), picture->y + 18,
                (double)at / 1e6);
    fprintf(picture->to, "<text x=\"%d\" y=\"%d\" class=\"s\">million cycles</text>\n", LEFT + COLUMNS + 6,
            picture->y + 18);
    picture->y += 40;
}

static void put_legend(struct picture *picture)
{
    int x = LEFT;
    for (unsigned i = 0; i < NR_STALLS; i++) {
        fprintf(picture->to,
                "<rect x=\"%d\" y=\"%d\" width=\"14\" height=\"%d\" fill=\"%s\"/>\n<text x=\"%d\" y=\"%d\" "
                "class=\"s\">%s</text>\n",
                x, picture->y - stalls[i].height / 2 - 4, stalls[i].height, stalls[i].colour, x + 20,
                picture->y, stalls[i].meaning);
        x += 40 + 7 * (int)strlen(stalls[i].meaning);
    }
    picture->y += 20;
    fprintf(picture->to,
            "<text x=\"%d\" y=\"%d\" class=\"s\">A column of pixels stands for %" PRIu64
            " cycles; a bar is the paler the less of them it lasted. Beside each row: how often, and million "
            "cycles in all.</text>\n",
            LEFT, picture->y, (picture->end - picture->begin) / COLUMNS + 1);
    picture->y += 16;
}

static void find_span(struct picture *picture)
{
    const struct lab_timeline *timeline = picture->timeline;
    picture->begin = timeline->nr ? timeline->event[0].cycle : 0;
    picture->end = timeline->nr ? timeline->event[timeline->nr - 1].cycle : 0;
    for (unsigned i = 0; i < timeline->nr_phases; i++) {
        picture->begin = i ? picture->begin : timeline->phase[i].begin;
        picture->end = timeline->phase[i].end;
    }
    if (picture->end <= picture->begin)
        picture->end = picture->begin + 1;
}

bool timeline_draw(const struct lab_timeline *timeline, const char *title, FILE *to)
{
    struct picture picture = {.timeline = timeline, .to = to, .y = TOP};
    struct zone_columns *columns = malloc(TIMELINE_MAX_ZONES * sizeof *columns);
    if (!columns)
        return false;
    find_span(&picture);
    unsigned nr_zones = 0;
    for (unsigned i = 0; i < TIMELINE_MAX_ZONES; i++) {
        fill_zone(&picture, i, &columns[i]);
        nr_zones += columns[i].is_there;
    }
    int bottom =
        TOP + (int)nr_zones * (PANEL_HEIGHT + PANEL_GAP) + (int)(timeline->nr_tasks + 2) * ROW_HEIGHT;
    fprintf(
        to,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"DejaVu Sans, "
        "sans-serif\" font-size=\"13\">\n<style>.s{font-size:11px}</style>\n<rect width=\"100%%\" "
        "height=\"100%%\" fill=\"#fff\"/>\n<text x=\"%d\" y=\"18\" font-size=\"15\" font-weight=\"bold\">",
        WIDTH, bottom + 90, LEFT);
    put_text(to, title);
    fprintf(to, "</text>\n");
    put_phases(&picture, bottom);
    for (unsigned i = 0; i < TIMELINE_MAX_ZONES; i++)
        put_zone(&picture, i, &columns[i]);
    put_rows(&picture);
    picture.y = bottom;
    put_kills(&picture, bottom);
    put_time_axis(&picture);
    put_legend(&picture);
    fprintf(to, "</svg>\n");
    free(columns);
    return true;
}
