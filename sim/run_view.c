#include "sim/run_view.h"

#include "sim/base/event.h"
#include "sim/base/outfile.h"
#include "sim/observe/view.h"
#include "sim/observe/view_heat.h"
#include "sim/observe/view_keys.h"
#include "sim/observe/view_model.h"
#include "sim/run_view_steps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { SLICE_CYCLES = 100000, STEP_CYCLES = 10000, FRAMES_A_SECOND = 30 };

/* How fast a run goes when it is slowed down; the first is as fast as it can. */
static const cycle_t cycles_a_second[] = {0, 100000000, 10000000, 1000000, 100000, 10000, 1000};
enum { NR_SPEEDS = sizeof cycles_a_second / sizeof *cycles_a_second };

struct run_view {
    const struct run_options *options;
    struct machine *machine;
    struct console *console;
    struct view *window; /* NULL: only the picture is wanted */
    struct view_history history;
    struct view_heat heat;
    struct run_symbols *symbols;
    struct view_vga vga;
    struct view_ui ui; /* of a picture without a window */
    /* Owners of frames when the user last let the machine go on by a step; NULL: it runs. */
    struct view_memory before;
    bool has_before;
    bool is_paused, is_ended, is_photographed, has_typed;
    unsigned nr_pictures, nr_recorded, speed;
    cycle_t due; /* beyond which no step goes */
};

/* The window has room for 80 x 25; of a larger screen its upper left part is shown. */
static void read_vga(struct run_view *view)
{
    const struct vga *vga = machine_parts(view->machine).vga;
    struct vga_screen *screen = malloc(sizeof *screen);
    view->vga = (struct view_vga){.is_there = false};
    if (!screen)
        return;
    vga_read_screen(vga, screen);
    struct view_vga *into = &view->vga;
    into->is_there = screen->is_text;
    into->nr_columns = screen->nr_columns < VIEW_VGA_COLUMNS ? screen->nr_columns : VIEW_VGA_COLUMNS;
    into->nr_rows = screen->nr_rows < VIEW_VGA_ROWS ? screen->nr_rows : VIEW_VGA_ROWS;
    into->has_cursor = screen->has_cursor;
    into->cursor_column = screen->cursor_column;
    into->cursor_row = screen->cursor_row;
    for (unsigned row = 0; row < into->nr_rows; row++)
        for (unsigned column = 0; column < into->nr_columns; column++) {
            struct vga_cell cell = screen->cells[row][column];
            into->cell[row][column] = (struct view_vga_cell){.code_point = vga_code_point(cell.character),
                                                             .ink = vga_colour(vga, cell.attribute & 0xf),
                                                             .ground = vga_colour(vga, cell.attribute >> 4)};
        }
    free(screen);
}

static bool find_symbol(void *opaque, const char *text, uint64_t *linear)
{
    const struct run_view *view = opaque;
    return elf_symbols_address(run_symbols_now(view->symbols, view->machine), text, linear);
}

static void place_symbol(void *opaque, uint64_t linear, char *text, size_t size)
{
    uint64_t offset;
    const struct run_view *view = opaque;
    const char *name = elf_symbols_find(run_symbols_now(view->symbols, view->machine), linear, &offset);
    text[0] = 0;
    if (name)
        snprintf(text, size, "%s+0x%" PRIx64, name, offset);
}

static void refresh(void *opaque, struct view_source *source)
{
    struct run_view *view = opaque;
    read_vga(view);
    source->vga = &view->vga;
    source->stats = machine_stats(view->machine);
    machine_stale(view->machine, &source->nr_stale);
}

/* "ended": it went on, and something else ended the run. */
static const char *how_it_ended(const struct machine *machine)
{
    static const char *const words[] = {
        [MACHINE_RUNNING] = "ended",
        [MACHINE_POWER_OFF] = "powered off",
        [MACHINE_GUEST_EXIT] = "guest exit",
        [MACHINE_TRIPLE_FAULT] = "triple fault",
        [MACHINE_RESET] = "reset",
        [MACHINE_PANIC] = "panic",
        [MACHINE_HALTED] = "halted for good",
    };
    return words[machine_how_ended(machine)];
}

static struct view_source source_of(struct run_view *view)
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
        .kernel = run_symbols_kernel(view->symbols, view->machine, true),
        .console = view->console,
        .history = &view->history,
        .heat = &view->heat,
        .find = find_symbol,
        .place = place_symbol,
        .before = view->has_before ? &view->before : NULL,
        .refresh = refresh,
        .opaque = view,
        .clock_hz = parts.config->cpu_frequency_hz,
        .is_paused = view->is_paused,
        .end = view->is_ended ? how_it_ended(view->machine) : NULL,
    };
}

static bool make_folder(const char *folder, struct diag *diag)
{
    if (mkdir(folder, 0777) == 0 || errno == EEXIST)
        return true;
    return diag_add(diag, EXIT_STATUS_NO_OUTPUT, "%s: cannot make this directory: %s", folder,
                    strerror(errno));
}

struct run_view *run_view_create(const struct run_options *options, struct machine *machine,
                                 struct run_symbols *symbols, struct diag *diag)
{
    if (!options->has_view && !options->screenshot && !options->record)
        return NULL;
    if (options->record && !make_folder(options->record, diag))
        return NULL;
    if (options->screenshot && !outfile_can_open(options->screenshot, diag))
        return NULL;
    struct run_view *view = calloc(1, sizeof *view);
    struct console_params console = {
        .nr_columns = VIEW_CONSOLE_COLUMNS, .nr_rows = VIEW_CONSOLE_ROWS, .nr_scrollback = 1000};
    struct machine_parts parts = machine_parts(machine);
    if (view) {
        view->machine = machine;
        view->console = console_create(&console);
    }
    if (!view || !view->console ||
        !view_heat_init(&view->heat, parts.ram->size_bytes >> PAGE_SHIFT, cpu_now(parts.cpu))) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
        run_view_destroy(view);
        return NULL;
    }
    machine_count_fills(machine, view->heat.nr_lines, view->heat.nr_frames);
    view->options = options;
    view->symbols = symbols;
    view->ui = VIEW_UI_START;
    view_history_init(&view->history);
    view->ui.theme = options->view_theme;
    struct view_params params = {.title = "lookaside",
                                 .size = options->view_size,
                                 .has_size = options->has_view_size,
                                 .choices = view->ui};
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
    machine_count_fills(view->machine, NULL, 0);
    view_heat_fini(&view->heat);
    free(view->before.owner);
    free(view->before.free_order);
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
    const struct run_options *o = view->options;
    cycle_t slice = view->speed ? cycles_a_second[view->speed] / FRAMES_A_SECOND + 1 : SLICE_CYCLES;
    cycle_t stop = (now / slice + 1) * slice, picture = o->screenshot_cycle;
    if (o->record && stop > (now / o->record_cycles + 1) * o->record_cycles)
        stop = (now / o->record_cycles + 1) * o->record_cycles;
    return !view->is_photographed && picture > now && picture < stop ? picture : stop;
}

static void take_picture(struct run_view *view, const char *file, struct diag *diag)
{
    struct view_source source = source_of(view);
    struct view_size size = view->window ? view_size(view->window) : view->options->view_size;
    view_screenshot(&source, view->window ? view_choices(view->window) : &view->ui, &size, file, diag);
}

/* The user's own pictures are numbered, beside the run's other files. */
static void take_numbered_picture(struct run_view *view, struct diag *diag)
{
    char file[4096];
    snprintf(file, sizeof file, "%s/window-%u.png", view->options->output, ++view->nr_pictures);
    take_picture(view, file, diag);
}

/* A step shows which frames have other owners behind it. */
static void remember_owners(struct run_view *view)
{
    struct machine_parts parts = machine_parts(view->machine);
    struct view_source source = source_of(view);
    struct guest_kernel storage;
    view->has_before =
        view_collect_memory(&view->before, parts.ram, cpu_mmu(parts.cpu), view_kernel(&storage, &source));
}

static void go_to_next(struct run_view *view, enum view_command command)
{
    char message[VIEW_MESSAGE_CHARS];
    view->is_paused = true;
    remember_owners(view);
    struct view_source source = source_of(view);
    struct guest_kernel storage;
    run_to_next(view->machine, view_kernel(&storage, &source), command, view->due, message);
    if (view->window)
        view_say(view->window, message);
    else
        memcpy(view->ui.message, message, sizeof message);
}

static void change_speed(struct run_view *view, unsigned speed)
{
    char message[VIEW_MESSAGE_CHARS] = "as fast as it can";
    view->speed = speed;
    if (speed)
        snprintf(message, sizeof message, "at most %" PRIu64 " cycles a second", cycles_a_second[speed]);
    if (view->window)
        view_say(view->window, message);
}

static bool is_due(const struct run_view *view)
{
    return cpu_now(machine_parts(view->machine).cpu) >= view->due;
}

static void run_instruction(struct run_view *view)
{
    if (!is_due(view))
        machine_step(view->machine, view->due);
}

static void run_cycles(struct run_view *view, cycle_t nr_cycles)
{
    cycle_t until = cpu_now(machine_parts(view->machine).cpu) + nr_cycles;
    if (!is_due(view))
        machine_run(view->machine, until < view->due ? until : view->due);
}

static bool obey(struct run_view *view, enum view_command command, struct diag *diag)
{
    switch (command) {
    case VIEW_NOTHING:
        break;
    case VIEW_PAUSE:
        view->is_paused = !view->is_paused;
        view->has_before = false;
        break;
    case VIEW_STEP:
        view->is_paused = true;
        remember_owners(view);
        run_instruction(view);
        break;
    case VIEW_STEP_CYCLE:
        view->is_paused = true;
        remember_owners(view);
        run_cycles(view, 1);
        break;
    case VIEW_STEP_CYCLES:
        view->is_paused = true;
        remember_owners(view);
        run_cycles(view, STEP_CYCLES);
        break;
    case VIEW_NEXT_EXCEPTION:
    case VIEW_RETURN:
    case VIEW_NEXT_WALK:
    case VIEW_NEXT_INTERRUPT:
    case VIEW_NEXT_DMA:
    case VIEW_NEXT_WATERMARK:
        go_to_next(view, command);
        break;
    case VIEW_FASTER:
        change_speed(view, view->speed ? view->speed - 1 : 0);
        break;
    case VIEW_SLOWER:
        change_speed(view, view->speed + 1 < NR_SPEEDS ? view->speed + 1 : view->speed);
        break;
    case VIEW_SCREENSHOT:
        take_numbered_picture(view, diag);
        break;
    case VIEW_QUIT:
        return false;
    }
    return true;
}

static void wait_for_frame(void)
{
    const struct timespec frame = {.tv_nsec = 1000000000 / FRAMES_A_SECOND};
    nanosleep(&frame, NULL);
}

static void sample(struct run_view *view)
{
    struct view_source source = source_of(view);
    view_history_update(&view->history, &source);
    view_heat_cool(&view->heat, cpu_now(source.cpu));
}

/* One look at the window. False: the user quits. */
static bool look(struct run_view *view, struct diag *diag)
{
    sample(view);
    struct view_source source = source_of(view);
    if (view->speed && !view->is_paused)
        wait_for_frame();
    return !view->window || obey(view, view_frame(view->window, &source), diag);
}

/* What the command line typed, once. False: it quits. */
static bool type_keys(struct run_view *view, struct diag *diag)
{
    if (view->has_typed)
        return true;
    view->has_typed = true;
    for (const char *key = view->options->view_keys; key && *key; key++) {
        struct view_source source = source_of(view);
        enum view_command command =
            view->window ? view_type(view->window, &source, *key) : view_key(&view->ui, &source, *key);
        if (!obey(view, command, diag))
            return false;
        sample(view);
    }
    return true;
}

/* The frames of a film, numbered by themselves; those that are due. */
static void record(struct run_view *view, struct diag *diag)
{
    char file[4096];
    const struct run_options *o = view->options;
    if (!o->record || cpu_now(machine_parts(view->machine).cpu) / o->record_cycles < view->nr_recorded)
        return;
    snprintf(file, sizeof file, "%s/%06u.png", o->record, view->nr_recorded);
    view->nr_recorded = (unsigned)(cpu_now(machine_parts(view->machine).cpu) / o->record_cycles) + 1;
    take_picture(view, file, diag);
}

bool run_view_is_paused(const struct run_view *view)
{
    return view && view->is_paused;
}

bool run_view_update(struct run_view *view, cycle_t due, struct diag *diag)
{
    if (!view)
        return true;
    view->due = due;
    const struct run_options *o = view->options;
    if (o->screenshot && !view->is_photographed &&
        cpu_now(machine_parts(view->machine).cpu) >= o->screenshot_cycle) {
        view->is_photographed = true;
        sample(view);
        if (!type_keys(view, diag))
            return false;
        take_picture(view, o->screenshot, diag);
        view->is_paused = view->window && view->is_paused;
    }
    record(view, diag);
    if (view->window && !o->screenshot && !type_keys(view, diag))
        return false;
    do {
        if (!look(view, diag))
            return false;
    } while (view->is_paused && !is_due(view));
    return true;
}

void run_view_finish(struct run_view *view, struct diag *diag)
{
    if (!view)
        return;
    const struct run_options *o = view->options;
    view->is_ended = true;
    if (o->screenshot && !view->is_photographed && o->screenshot_cycle != EV_NEVER)
        fprintf(stderr, "lookaside: --screenshot: no picture, for the run ended before cycle %" PRIu64 "\n",
                o->screenshot_cycle);
    else if (o->screenshot && !view->is_photographed) {
        type_keys(view, diag);
        take_picture(view, o->screenshot, diag);
    }
    view->is_paused = true;
    while (view->window && look(view, diag))
        continue;
}

void run_view_mark(struct run_view *view, const char *text)
{
    if (view)
        view_history_mark(&view->history, cpu_now(machine_parts(view->machine).cpu), text);
}
