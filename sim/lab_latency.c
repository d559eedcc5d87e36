/*
 * `lookaside lab latency`: what a load takes that waits for the one before it, against the size of what it
 * works on, and against the number of pages. The guest is guest/labs/latency.c; what it measured it says on
 * port E9h, and which level served it the statistics say.
 */
#include "cache/dram.h"
#include "cache/dram_clock.h"
#include "sim/base/jsonout.h"
#include "sim/bundled.h"
#include "sim/lab.h"
#include "sim/lab_plot.h"
#include "sim/machine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_POINTS = 64, MAX_LEVELS = 4, LINE_CHARS = 80, MODE_CHARS = 80 };
enum level_name { LEVEL_L1, LEVEL_L2, LEVEL_L3, LEVEL_DRAM };

struct point {
    uint64_t size; /* bytes, or pages */
    uint64_t loads, cycles;
    uint64_t served[MAX_LEVELS], walks, l2_tlb_hits;
};

struct series {
    struct point points[MAX_POINTS];
    unsigned nr;
    uint64_t overhead_cycles; /* of measuring */
};

/* A run of the guest. */
struct measuring {
    struct machine *machine;
    struct series *series;
    struct stat_snapshot *begin;
    cycle_t begun_at, took_cycles; /* by the markers, for processors without a time-stamp counter */
    struct point point;
    char line[LINE_CHARS];
    size_t line_length;
};

/* A level that the configuration has, and what a load that it serves should take. */
struct level {
    const char *name;
    enum level_name which;
    uint64_t size_bytes; /* UINT64_MAX: the last one */
    uint64_t low_cycles, high_cycles;
    unsigned measured_at; /* index of the working set that shows it best */
};

struct report {
    const struct lab_run *run;
    struct level levels[MAX_LEVELS];
    unsigned nr_levels;
    struct series flat, paged, pages;
};

/* ---- Running the guest ---- */

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static void end_region(struct measuring *m)
{
    struct point *point = &m->point;
    m->took_cycles = cpu_now(machine_parts(m->machine).cpu) - m->begun_at;
    stat_count_since(machine_stats(m->machine), m->begin);
    uint64_t l1_misses = stat_count(machine_stats(m->machine), "cache.l1d0.misses"),
             l2 = stat_count(machine_stats(m->machine), "cache.l2.hits"),
             l3 = stat_count(machine_stats(m->machine), "cache.l3.hits"),
             dram = stat_count(machine_stats(m->machine), "dram.reads");
    point->served[LEVEL_L1] = stat_count(machine_stats(m->machine), "cache.l1d0.hits");
    point->served[LEVEL_DRAM] = dram < l1_misses ? dram : l1_misses;
    point->served[LEVEL_L3] = l3 < l1_misses ? l3 : l1_misses;
    point->served[LEVEL_L2] = l2 < l1_misses ? l2 : l1_misses;
    point->walks = stat_count(machine_stats(m->machine), "cpu0.mmu.walks");
    point->l2_tlb_hits = stat_count(machine_stats(m->machine), "cpu0.tlb.l2.hits");
    stat_count_since(machine_stats(m->machine), NULL);
    stat_snapshot_free(m->begin);
    m->begin = NULL;
}

static void take_note(void *opaque, enum machine_note note, uint32_t id, const char *text)
{
    struct measuring *m = opaque;
    (void)id, (void)text;
    if (note == MACHINE_NOTE_ROI_BEGIN && !m->begin) {
        m->point = (struct point){0};
        m->begin = stat_snapshot_take(machine_stats(m->machine));
        m->begun_at = cpu_now(machine_parts(m->machine).cpu);
    } else if (note == MACHINE_NOTE_ROI_END && m->begin) {
        end_region(m);
    }
}

/* "size cells loads cycles" */
static void take_line(struct measuring *m)
{
    uint64_t size, cells, loads, cycles;
    struct series *series = m->series;
    if (sscanf(m->line, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64, &size, &cells, &loads, &cycles) != 4)
        return;
    if (!cycles)
        cycles = m->took_cycles;
    if (!loads) {
        series->overhead_cycles = cycles;
    } else if (series->nr < MAX_POINTS) {
        m->point.size = size;
        m->point.loads = loads;
        m->point.cycles = less(cycles, series->overhead_cycles);
        series->points[series->nr++] = m->point;
    }
}

static void take_log(void *opaque, const char *text, size_t nr_bytes)
{
    struct measuring *m = opaque;
    for (size_t i = 0; i < nr_bytes; i++) {
        if (text[i] == '\n') {
            m->line[m->line_length] = '\0';
            take_line(m);
            m->line_length = 0;
        } else if (m->line_length + 1 < sizeof m->line) {
            m->line[m->line_length++] = text[i];
        }
    }
}

static bool measure(const struct lab_run *run, struct series *series, const char *mode, struct diag *diag)
{
    const cycle_t slice_cycles = 100000000;
    char image[4096];
    struct measuring m = {.series = series};
    struct machine_params params = {.config = run->config, .log = take_log, .note = take_note, .opaque = &m};
    if (!bundled_image("lab latency", "lab-latency.elf", image, sizeof image, diag))
        return false;
    m.machine = machine_create(&params, diag);
    if (!m.machine)
        return false;
    bool is_good = machine_load(m.machine, image, mode, NULL, 0, diag);
    enum machine_end end = MACHINE_RUNNING;
    while (is_good && end == MACHINE_RUNNING)
        end = machine_run(m.machine, cpu_now(machine_parts(m.machine).cpu) + slice_cycles);
    if (is_good && (end != MACHINE_GUEST_EXIT || series->nr == 0))
        is_good = diag_add(diag, EXIT_STATUS_INTERNAL, "lab latency: its guest did not end as it should");
    stat_snapshot_free(m.begin);
    machine_destroy(m.machine);
    return is_good;
}

/* ---- What the configuration promises ---- */

/* By what the bank has; a request waits for an edge of the memory's clock, which is not in it. */
static uint64_t dram_cycles(const struct dram_params *p, bool activates, bool precharges)
{
    const struct dram_timing *t = &p->timing;
    if (!t->clock_hz)
        return precharges ? p->row_conflict_cycles : activates ? p->row_miss_cycles : p->row_hit_cycles;
    struct clock_ratio to_cycles = clock_ratio(p->cpu_hz, t->clock_hz);
    uint64_t clocks = (activates ? t->tRCD : 0) + (precharges ? t->tRP : 0) + t->tCL +
                      (p->nr_bursts - 1) * t->tCCD_L + t->tBURST + t->controller;
    return clock_convert(&to_cycles, clocks);
}

static void add_level(struct report *report, const char *name, enum level_name which, uint64_t size_bytes,
                      uint64_t low_cycles, uint64_t high_cycles)
{
    report->levels[report->nr_levels++] = (struct level){name, which, size_bytes, low_cycles, high_cycles, 0};
}

static void find_levels(struct report *report)
{
    const struct config *c = report->run->config;
    struct dram_params dram = dram_params_of(c);
    uint64_t cycles = c->cache_l1d_latency_cycles;
    add_level(report, "L1D", LEVEL_L1, c->cache_l1d_size_bytes, cycles, cycles);
    if (c->cache_levels >= 2) {
        cycles += c->cache_l2_latency_cycles;
        add_level(report, "L2", LEVEL_L2, c->cache_l2_size_bytes, cycles, cycles);
    }
    if (c->cache_levels >= 3) {
        cycles += c->cache_l3_latency_cycles;
        add_level(report, "L3", LEVEL_L3, c->cache_l3_size_bytes, cycles, cycles);
    }
    /* With the closed policy each is a miss. */
    uint64_t low = dram_cycles(&dram, dram.is_closed, false),
             high = dram_cycles(&dram, true, !dram.is_closed);
    add_level(report, "DRAM", LEVEL_DRAM, UINT64_MAX, cycles + low, cycles + high);
}

/* A level shows best with half of what fits it: by then the one above helps no more, and nothing collides. */
static void find_plateaus(struct report *report)
{
    for (unsigned i = 0; i < report->nr_levels; i++) {
        struct level *level = &report->levels[i];
        level->measured_at = report->flat.nr - 1;
        for (unsigned j = 0; j < report->flat.nr && level->size_bytes != UINT64_MAX; j++) {
            if (report->flat.points[j].size <= level->size_bytes / 2)
                level->measured_at = j;
        }
    }
}

/* Who served most of a working set's loads, by the statistics; an index of `levels`. */
static unsigned most_from(const struct report *report, const struct point *point)
{
    unsigned best = 0;
    for (unsigned i = 1; i < report->nr_levels; i++) {
        if (point->served[report->levels[i].which] > point->served[report->levels[best].which])
            best = i;
    }
    return best;
}

/* A level may be too large for what the lab goes through, or too small for the one above it. */
static bool is_reached(const struct report *report, unsigned level)
{
    return most_from(report, &report->flat.points[report->levels[level].measured_at]) == level;
}

static double per_load(const struct point *point)
{
    return (double)point->cycles / (double)point->loads;
}

static double in_ns(const struct report *report, double cycles)
{
    return cycles * 1e9 / (double)report->run->config->cpu_frequency_hz;
}

/* ---- The report ---- */

static void put_size(FILE *to, uint64_t bytes, int width)
{
    char text[32];
    if (bytes % (1 << 20) == 0)
        snprintf(text, sizeof text, "%" PRIu64 " MiB", bytes >> 20);
    else if (bytes >= 1024)
        snprintf(text, sizeof text, "%g KiB", (double)bytes / 1024);
    else
        snprintf(text, sizeof text, "%" PRIu64 " B", bytes);
    fprintf(to, "%*s", width, text);
}

static void put_expected(FILE *to, const struct level *level)
{
    if (level->low_cycles == level->high_cycles)
        fprintf(to, "%" PRIu64 " cycles", level->low_cycles);
    else
        fprintf(to, "%" PRIu64 " to %" PRIu64 " cycles", level->low_cycles, level->high_cycles);
}

static void put_text(const struct report *report)
{
    printf("Load latency of %s at %.6g MHz: each load waits for the one before it.\n\n", report->run->title,
           (double)report->run->config->cpu_frequency_hz / 1e6);
    printf("level  from the configuration   measured at   cycles      ns\n");
    for (unsigned i = 0; i < report->nr_levels; i++) {
        const struct level *level = &report->levels[i];
        const struct point *point = &report->flat.points[level->measured_at];
        char expected[64];
        FILE *to = fmemopen(expected, sizeof expected, "w");
        if (to) {
            put_expected(to, level);
            fclose(to);
        }
        printf("%-6s %-24s", level->name, to ? expected : "");
        if (!is_reached(report, i)) {
            printf("  not reached\n");
            continue;
        }
        put_size(stdout, point->size, 13);
        printf(" %8.2f %7.2f\n", per_load(point), in_ns(report, per_load(point)));
    }
    printf("\nWorking sets, a cell in each line, in random order; paging off, and with pages of 4 KiB:\n\n"
           "      size   cycles      ns  served by     with pages  walks a load\n");
    for (unsigned i = 0; i < report->flat.nr; i++) {
        const struct point *point = &report->flat.points[i], *paged = &report->paged.points[i];
        const struct level *from = &report->levels[most_from(report, point)];
        uint64_t percent = point->served[from->which] * 100 / point->loads;
        put_size(stdout, point->size, 10);
        printf(" %8.2f %7.2f  %-5s %3" PRIu64 "%%  %12.2f", per_load(point), in_ns(report, per_load(point)),
               from->name, percent > 100 ? 100 : percent, i < report->paged.nr ? per_load(paged) : 0);
        printf("  %12.3f\n", i < report->paged.nr ? (double)paged->walks / (double)paged->loads : 0);
    }
    printf("\nPages of 4 KiB, one line of each, in random order:\n\n"
           "     pages   cycles      ns  L2 TLB hits a load  walks a load\n");
    for (unsigned i = 0; i < report->pages.nr; i++) {
        const struct point *point = &report->pages.points[i];
        printf("%10" PRIu64 " %8.2f %7.2f  %18.3f  %12.3f\n", point->size, per_load(point),
               in_ns(report, per_load(point)), (double)point->l2_tlb_hits / (double)point->loads,
               (double)point->walks / (double)point->loads);
    }
}

static void put_json_number(const char *name, double value, const char *after)
{
    char text[JSON_RATIO_CHARS];
    json_format_ratio(text, value);
    printf("\"%s\": %s%s", name, text, after);
}

static void put_json_series(const struct report *report, const char *name, const char *unit,
                            const struct series *series)
{
    printf(",\n  \"%s\": [", name);
    for (unsigned i = 0; i < series->nr; i++) {
        const struct point *point = &series->points[i];
        printf("%s\n    {\"%s\": %" PRIu64 ", \"loads\": %" PRIu64 ", ", i ? "," : "", unit, point->size,
               point->loads);
        put_json_number("cycles_per_load", per_load(point), ", ");
        put_json_number("ns_per_load", in_ns(report, per_load(point)), ", \"served\": {");
        for (unsigned j = 0; j < report->nr_levels; j++)
            printf("%s\"%s\": %" PRIu64, j ? ", " : "", report->levels[j].name,
                   point->served[report->levels[j].which]);
        printf("}, \"l2_tlb_hits\": %" PRIu64 ", \"walks\": %" PRIu64 "}", point->l2_tlb_hits, point->walks);
    }
    printf("\n  ]");
}

static void put_json(const struct report *report)
{
    printf("{\n  \"lab\": \"latency\",\n  \"machine\": \"%s\",\n  \"frequency_hz\": %" PRIu64
           ",\n  \"plateaus\": [",
           report->run->title, report->run->config->cpu_frequency_hz);
    for (unsigned i = 0; i < report->nr_levels; i++) {
        const struct level *level = &report->levels[i];
        const struct point *point = &report->flat.points[level->measured_at];
        printf("%s\n    {\"level\": \"%s\", \"low_cycles\": %" PRIu64 ", \"high_cycles\": %" PRIu64
               ", \"is_reached\": %s, \"measured_at_bytes\": %" PRIu64 ", ",
               i ? "," : "", level->name, level->low_cycles, level->high_cycles,
               is_reached(report, i) ? "true" : "false", point->size);
        put_json_number("cycles_per_load", per_load(point), ", ");
        put_json_number("ns_per_load", in_ns(report, per_load(point)), "}");
    }
    printf("\n  ]");
    put_json_series(report, "working_sets", "bytes", &report->flat);
    put_json_series(report, "working_sets_in_pages", "bytes", &report->paged);
    put_json_series(report, "pages", "pages", &report->pages);
    printf("\n}\n");
}

/* ---- The picture ---- */

static void put_data(FILE *to, const char *name, const struct series *series, double unit)
{
    fprintf(to, "$%s << END\n", name);
    for (unsigned i = 0; i < series->nr; i++)
        fprintf(to, "%.6f %.4f\n", (double)series->points[i].size / unit, per_load(&series->points[i]));
    fprintf(to, "END\n");
}

/* What a plateau of the DRAM is made of. */
static void put_dram_label(FILE *to, const struct report *report)
{
    struct dram_params dram = dram_params_of(report->run->config);
    uint64_t low = report->levels[report->nr_levels - 1].low_cycles,
             on_the_way = low - dram_cycles(&dram, false, false);
    if (dram.is_closed)
        fprintf(to, "DRAM, rows closed: %" PRIu64 " cycles", low);
    else
        fprintf(to, "DRAM: row hit %" PRIu64 ", miss %" PRIu64 ", conflict %" PRIu64 " cycles", low,
                on_the_way + dram_cycles(&dram, true, false), on_the_way + dram_cycles(&dram, true, true));
}

/* A vertical line where something is full, with what it is. */
static void put_edge(FILE *to, const char *name, double at)
{
    fprintf(
        to,
        "set arrow from %.6f, graph 0 to %.6f, graph 1 nohead lc rgb '#bbbbbb' dt 2\n"
        "set label '%s' at %.6f, graph 0.02 left rotate by 90 offset -0.7,0 font ',10' tc rgb '#777777'\n",
        at, at, name, at);
}

static void put_working_sets(FILE *to, const struct report *report)
{
    const double kib = 1024;
    fprintf(to, "set xlabel 'working set (KiB)'\nset ylabel 'cycles a load'\n");
    double left = (double)report->flat.points[0].size / kib;
    for (unsigned i = 0; i < report->nr_levels; i++) {
        const struct level *level = &report->levels[i];
        if (!is_reached(report, i))
            continue;
        const struct point *point = &report->flat.points[level->measured_at];
        double right = (double)report->flat.points[report->flat.nr - 1].size / kib, cycles = per_load(point);
        if (level->size_bytes != UINT64_MAX) {
            right = (double)level->size_bytes / kib;
            char name[64];
            if (right >= kib)
                snprintf(name, sizeof name, "%s %g MiB", level->name, right / kib);
            else
                snprintf(name, sizeof name, "%s %g KiB", level->name, right);
            put_edge(to, name, right);
        }
        bool is_last = level->which == LEVEL_DRAM; /* its plateau may be short: text up to its end */
        fprintf(to, "set label '");
        if (is_last) {
            put_dram_label(to, report);
        } else {
            fprintf(to, "%s: ", level->name);
            put_expected(to, level);
        }
        fprintf(to, "' at %.6f, %.4f %s,%s font ',11' tc rgb '#202020' front\n", is_last ? right : left,
                cycles, is_last ? "right offset 0" : "left offset 0.3", is_last ? "1.2" : "0.7");
        left = right;
    }
    fprintf(to, "plot $paged with linespoints lw 2 pt 6 ps 0.4 lc rgb '#d95f02' title 'pages of 4 KiB', "
                "$flat with linespoints lw 2 pt 7 ps 0.4 lc rgb '#1b6ca8' title 'paging off'\n");
}

static void put_pages(FILE *to, const struct report *report)
{
    const struct config *c = report->run->config;
    char name[64];
    fprintf(to, "unset label\nunset arrow\nset xlabel 'pages of 4 KiB, one line in each'\n");
    snprintf(name, sizeof name, "L1 TLB %" PRIu64, c->tlb_l1d_entries);
    put_edge(to, name, (double)c->tlb_l1d_entries);
    snprintf(name, sizeof name, "L2 TLB %" PRIu64, c->tlb_l2_entries);
    put_edge(to, name, (double)c->tlb_l2_entries);
    const struct point *first = &report->pages.points[0];
    const struct {
        uint64_t from;
        const char *what;
    } plateaus[] = {
        {first->size, "L1 TLB hit"}, {c->tlb_l1d_entries, "L2 TLB hit"}, {c->tlb_l2_entries, "page walk"}};
    for (unsigned i = 0; i < sizeof plateaus / sizeof *plateaus; i++) {
        const struct point *point = first;
        for (unsigned j = 0; j < report->pages.nr && point->size <= plateaus[i].from; j++)
            point = &report->pages.points[j];
        fprintf(to, "set label '%s%s", plateaus[i].what, i == 1 ? "" : "'");
        if (i == 1)
            fprintf(to, ": %" PRIu64 " more'", c->tlb_l2_latency_cycles);
        fprintf(to, " at %.6f, %.4f left offset 0.3,0.7 font ',11' tc rgb '#202020' front\n",
                (double)plateaus[i].from, per_load(i ? point : first));
    }
    fprintf(to, "plot $pages with linespoints lw 2 pt 7 ps 0.4 lc rgb '#d95f02' title 'page stride'\n");
}

static bool draw(const struct report *report, struct diag *diag)
{
    enum { WIDTH = 960, HEIGHT = 900 };
    struct lab_plot plot;
    if (lab_plot_begin(&plot, report->run->output, "latency.svg", WIDTH, HEIGHT, diag)) {
        FILE *to = plot.script;
        put_data(to, "flat", &report->flat, 1024);
        put_data(to, "paged", &report->paged, 1024);
        put_data(to, "pages", &report->pages, 1);
        fprintf(to,
                "set multiplot layout 2,1 title 'What a load takes: %s, %.6g MHz' font ',14'\n"
                "set logscale x 2\nset logscale y\nset grid y lc rgb '#e8e8e8' lt 1\nset key top left\n"
                "set border 3\nset tics nomirror\nset format x '%%.0f'\nset yrange [1:]\n",
                report->run->title, (double)report->run->config->cpu_frequency_hz / 1e6);
        put_working_sets(to, report);
        put_pages(to, report);
    }
    return lab_plot_finish(&plot, diag);
}

/* ---- The lab ---- */

/*
 * Working sets up to four times the last cache, so that its plateau and the DRAM's are seen; RAM allowing.
 */
static uint64_t last_size(const struct report *report)
{
    const uint64_t kib = 1024, mib = 1024 * kib;
    uint64_t largest_cache = report->levels[report->nr_levels - 2].size_bytes, size = 256 * kib;
    while (size < 4 * largest_cache && size < 64 * mib)
        size *= 2;
    while (size > report->run->config->machine_ram / 4)
        size /= 2;
    return size;
}

/* The smallest working set: a kibibyte, or what a small cache still holds with room to spare. */
static uint64_t first_size(const struct report *report)
{
    const struct config *c = report->run->config;
    uint64_t size = 1024;
    while (size > c->cache_l1d_size_bytes / 4 && size > 2 * c->cache_l1d_line_bytes)
        size /= 2;
    return size;
}

static uint64_t last_nr_pages(const struct report *report)
{
    const struct config *c = report->run->config;
    uint64_t nr = 256;
    while (nr < 4 * c->tlb_l2_entries && nr < 16384)
        nr *= 2;
    while (nr * 4096 > c->machine_ram / 4)
        nr /= 2;
    return nr;
}

bool lab_latency(const struct lab_run *run, struct diag *diag)
{
    char mode[MODE_CHARS];
    struct report *report = calloc(1, sizeof *report);
    if (!report)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    report->run = run;
    find_levels(report);
    bool has_plot = lab_plot_is_possible();
    uint64_t line = run->config->cache_l1d_line_bytes, first = first_size(report), last = last_size(report);
    snprintf(mode, sizeof mode, "flat %" PRIu64 " %" PRIu64 " %" PRIu64, line, first, last);
    bool is_good = !has_plot || lab_make_output(run, diag);
    is_good = is_good && measure(run, &report->flat, mode, diag);
    snprintf(mode, sizeof mode, "paged %" PRIu64 " %" PRIu64 " %" PRIu64, line, first, last);
    is_good = is_good && measure(run, &report->paged, mode, diag);
    snprintf(mode, sizeof mode, "pages %" PRIu64 " 4 %" PRIu64, line, last_nr_pages(report));
    is_good = is_good && measure(run, &report->pages, mode, diag);
    if (is_good) {
        find_plateaus(report);
        if (run->wants_json)
            put_json(report);
        else
            put_text(report);
        if (has_plot)
            is_good = draw(report, diag);
        else
            fprintf(stderr, "lookaside: there is no gnuplot here, so no latency.svg\n");
    }
    free(report);
    return is_good;
}
