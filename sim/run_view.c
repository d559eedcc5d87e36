#include "sim/run_view.h"

#include "sim/base/event.h"
#include "sim/base/outfile.h"
#include "sim/observe/view.h"

#include <inttypes.h>
#include <stdlib.h>

enum { SLICE_CYCLES = 100000, STEP_CYCLES = 10000 };

struct run_view {
    const struct run_options *options;
    struct machine *machine;
    struct console *console;
    struct view *window; /* NULL: only the picture is wanted */
    struct view_history history;
    bool is_paused, is_ended, is_photographed;
    unsigned nr_pictures;
};

static struct view_source source_of(const struct run_view *view)
{
    struct machine_parts parts = machine_parts(view->machine);
    return (struct view_source){
        .image_name = view->options->image,
        .config_name =
            view->options->nr_configs ? view->options->configs[view->options->nr_configs - 1] : "default",
        .cpu = parts.cpu,
        .ram = parts.ram,
        .itlb = parts.itlb,
        .dtlb = parts.dtlb,
        .l2_tlb = parts.l2_tlb,
        .l1i = parts.l1i,
        .l1d = parts.l1d,
        .l2 = parts.l2,
        .l3 = parts.l3,
        .dram = parts.dram,
        .note = parts.note,
        .note_bytes = parts.note_bytes,
        .console = view->console,
        .history = &view->history,
        .clock_hz = parts.config->cpu_frequency_hz,
        .is_paused = view->is_paused,
        .is_ended = view->is_ended,
    };
}

struct run_view *run_view_create(const struct run_options *options, struct machine *machine,
                                 struct diag *diag)
{
    if (!options->has_view && !options->screenshot)
        return NULL;
    if (options->screenshot && !outfile_can_open(options->screenshot, diag))
        return NULL;
    struct run_view *view = calloc(1, sizeof *view);
    struct console_params console = {
        .nr_columns = VIEW_CONSOLE_COLUMNS, .nr_rows = VIEW_CONSOLE_ROWS, .nr_scrollback = 1000};
    if (view)
        view->console = console_create(&console);
    if (!view || !view->console) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
        run_view_destroy(view);
        return NULL;
    }
    view->options = options;
    view->machine = machine;
    view_history_init(&view->history);
    struct view_params params = {.title = "lookaside"};
    if (options->has_view) {
        view->window = view_create(&params, diag);
        if (!view->window) {
            run_view_destroy(view);
            return NULL;
        }
    }
    return view;
}

void run_view_destroy(struct run_view *view)
{
    if (!view)
        return;
    if (view->window)
        view_destroy(view->window);
    console_destroy(view->console);
    free(view);
}

void run_view_put(struct run_view *view, uint8_t byte)
{
    if (view)
        console_put(view->console, byte);
}

/*
 * Slices end at multiples of their length, whatever stopped the one before: the history is the same in each
 * run.
 */
cycle_t run_view_next_stop(const struct run_view *view, cycle_t now)
{
    if (!view)
        return EV_NEVER;
    cycle_t stop = (now / SLICE_CYCLES + 1) * SLICE_CYCLES, picture = view->options->screenshot_cycle;
    return !view->is_photographed && picture > now && picture < stop ? picture : stop;
}

static void take_picture(struct run_view *view, const char *file, struct diag *diag)
{
    struct view_source source = source_of(view);
    view_screenshot(&source, file, diag);
}

/* The user's own pictures are numbered, beside the run's other files. */
static void take_numbered_picture(struct run_view *view, struct diag *diag)
{
    char file[4096];
    snprintf(file, sizeof file, "%s/window-%u.png", view->options->output, ++view->nr_pictures);
    take_picture(view, file, diag);
}

static bool obey(struct run_view *view, enum view_command command, struct diag *diag)
{
    struct cpu *cpu = machine_parts(view->machine).cpu;
    switch (command) {
    case VIEW_NOTHING:
        break;
    case VIEW_PAUSE:
        view->is_paused = !view->is_paused;
        break;
    case VIEW_STEP:
        view->is_paused = true;
        machine_step(view->machine);
        break;
    case VIEW_STEP_CYCLES:
        view->is_paused = true;
        machine_run(view->machine, cpu_now(cpu) + STEP_CYCLES);
        break;
    case VIEW_SCREENSHOT:
        take_numbered_picture(view, diag);
        break;
    case VIEW_QUIT:
        return false;
    }
    return true;
}

/* One look at the window. False: the user quits. */
static bool look(struct run_view *view, struct diag *diag)
{
    struct view_source source = source_of(view);
    view_history_update(&view->history, &source);
    return !view->window || obey(view, view_frame(view->window, &source), diag);
}

bool run_view_update(struct run_view *view, struct diag *diag)
{
    if (!view)
        return true;
    const struct run_options *o = view->options;
    if (o->screenshot && !view->is_photographed &&
        cpu_now(machine_parts(view->machine).cpu) >= o->screenshot_cycle) {
        view->is_photographed = true;
        take_picture(view, o->screenshot, diag);
    }
    do {
        if (!look(view, diag))
            return false;
    } while (view->is_paused);
    return true;
}

void run_view_finish(struct run_view *view, struct diag *diag)
{
    if (!view)
        return;
    const struct run_options *o = view->options;
    if (o->screenshot && !view->is_photographed && o->screenshot_cycle != EV_NEVER)
        fprintf(stderr, "lookaside: --screenshot: no picture, for the run ended before cycle %" PRIu64 "\n",
                o->screenshot_cycle);
    else if (o->screenshot && !view->is_photographed)
        take_picture(view, o->screenshot, diag);
    view->is_paused = view->is_ended = true;
    while (view->window && look(view, diag))
        continue;
}
