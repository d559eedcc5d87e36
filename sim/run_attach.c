/* What is attached to a run: trace, profiler, symbols, terminal with its monitor, gdb, the window. */
#include "sim/base/outfile.h"
#include "sim/report.h"
#include "sim/run.h"
#include "sim/run_vga.h"
#include "version.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *run_image_name(const struct run_options *options)
{
    const char *slash = strrchr(options->image, '/');
    return slash ? slash + 1 : options->image;
}

bool run_make_trace(struct run *run)
{
    const struct run_options *o = &run->options;
    if (!o->trace)
        return true;
    if (cfg_values(run->cfg)->cpu_model == CFG_CPU_FUNCTIONAL)
        return diag_add(&run->diag, EXIT_STATUS_USAGE,
                        "--trace: cpu.model is functional, which has no stages; allowed: inorder");
    struct trace_params params = {
        .version = LK_VERSION,
        .config_digest = run->digest,
        .image = run_image_name(o),
        .clock_hz = cfg_values(run->cfg)->cpu_frequency_hz,
        .from = o->trace_from,
        .to = o->trace_to,
        .limit_bytes = o->trace_limit_bytes,
        .filter = o->trace_filter,
        .has_process = o->has_trace_process,
        .process_cr3 = o->trace_process_cr3,
        .has_region = o->has_trace_region,
        .region = (uint32_t)o->trace_region,
    };
    run->trace = trace_writer_create(o->trace, &params, &run->diag);
    return run->trace != NULL;
}

bool run_make_profiler(struct run *run)
{
    if (!run->options.profile)
        return true;
    if (cfg_values(run->cfg)->cpu_model == CFG_CPU_FUNCTIONAL)
        return diag_add(&run->diag, EXIT_STATUS_USAGE,
                        "--profile: cpu.model is functional, which has no cycles; allowed: inorder");
    struct profiler_params params = {
        .version = LK_VERSION, .config_digest = run->digest, .image = run->image};
    run->profiler = profiler_create(run->options.profile, &params, &run->diag);
    return run->profiler != NULL;
}

void run_attach_profiler(struct run *run)
{
    struct machine_parts parts = machine_parts(run->machine);
    struct profiler_sources sources = {
        .cpu = parts.cpu,
        .itlb = parts.itlb,
        .dtlb = parts.dtlb,
        .l1i = parts.l1i,
        .l1d = parts.l1d,
        .l2 = parts.l2,
        .ram = parts.ram,
        .note = parts.note,
        .note_bytes = parts.note_bytes,
    };
    if (run->profiler)
        profiler_attach(run->profiler, &sources);
}

bool run_make_symbols(struct run *run)
{
    const struct run_options *o = &run->options;
    run->symbols = run_symbols_create(o->symbols, o->has_firmware ? NULL : run->image, &run->diag);
    return run->symbols != NULL;
}

/* The monitor's `checkpoint`: what a run that goes on from here can be told of. */
static void checkpoint_for_monitor(void *opaque, const char *directory, FILE *to)
{
    struct run *run = opaque;
    char file[RUN_PATH_CHARS];
    struct diag diag;
    const struct run_parts parts = {
        .cfg = run->cfg, .origin = &run->origin, .machine = run->machine, .stats = run->stats};
    diag_init(&diag);
    /* Without --checkpoint-dir the files were not looked at when the run began. */
    bool has_origin = run->origin.file[0] || run_origin_make(&run->origin, &run->options, run->image, &diag);
    if (run->is_ahead)
        fputs("no checkpoint within --fast-forward or --warm-up\n", to);
    else if (!cpu_is_between_blocks(machine_parts(run->machine).cpu))
        fputs("the processor is within a fetch block: no checkpoint here, but some steps further on\n", to);
    else if (has_origin && run_checkpoint_write(&parts, directory, file, &diag))
        fprintf(to, "checkpoint %s\n", file);
    for (size_t i = 0; i < diag.nr_lines; i++)
        fprintf(to, "%s\n", diag.lines[i]);
    diag_fini(&diag);
}

struct run_monitor run_monitor_of(struct run *run)
{
    return (struct run_monitor){.machine = run->machine,
                                .symbols = run->symbols,
                                .checkpoint = checkpoint_for_monitor,
                                .opaque = run};
}

enum terminal_request run_answer_terminal(struct run *run, enum terminal_request request)
{
    const struct run_monitor monitor = run_monitor_of(run);
    if (request == TERMINAL_MONITOR)
        return history_is_going_back(run->history) ? TERMINAL_NONE
                                                   : run_monitor_talk(&monitor, run->terminal);
    return request;
}

static bool give_input(void *opaque, struct machine *machine, uint8_t byte)
{
    const struct run *run = opaque;
    return run->options.has_keyboard ? machine_type(machine, byte) : machine_input(machine, byte);
}

/* Where the run was before, it gets what it got then; what is new waits. */
static bool take_input(void *opaque, uint8_t byte)
{
    const struct run *run = opaque;
    if (!run->history)
        return give_input(opaque, run->machine, byte);
    return !history_is_going_back(run->history) && !history_is_behind(run->history) &&
           history_input(run->history, byte, run->is_still);
}

static void print_screen(void *opaque)
{
    run_vga_print(machine_parts(((struct run *)opaque)->machine).vga, stderr);
}

static void print_statistics(void *opaque)
{
    report_summary(((struct run *)opaque)->machine, 0, stderr);
}

bool run_make_terminal(struct run *run)
{
    struct terminal_params params = {
        .in_fd = STDIN_FILENO,
        .out_fd = STDOUT_FILENO,
        .message_fd = STDERR_FILENO,
        .input = take_input,
        .statistics = print_statistics,
        .screen = print_screen,
        .has_monitor = true,
        .opaque = run,
    };
    run->terminal = terminal_create(&params, &run->diag);
    return run->terminal != NULL;
}

static enum terminal_request look_at_terminal(void *opaque)
{
    struct run *run = opaque;
    run->is_still = true;
    enum terminal_request request = terminal_poll_still(run->terminal);
    run->is_still = false;
    return run_answer_terminal(run, request);
}

static void answer_gdb(void *opaque, const char *line, FILE *to)
{
    const struct run_monitor monitor = run_monitor_of(opaque);
    run_monitor_answer(&monitor, line, to);
}

/* ---- Going back ---- */

static struct machine *create_another(void *opaque, struct diag *diag)
{
    struct run *run = opaque;
    return run_create_machine(run, cfg_values(run->cfg), diag);
}

static void snap_rest(void *opaque, struct machine *machine, struct snap *snap)
{
    struct run *run = opaque;
    run_stats_snap(run->stats, machine, snap);
    SNAP(snap, run->console.nr_bytes);
    SNAP(snap, run->log.nr_bytes);
}

static void adopt(void *opaque, struct machine *machine)
{
    struct run *run = opaque;
    machine_destroy(run->machine);
    run->machine = machine;
    run_gdb_set_machine(run->gdb, machine);
}

static void cut_future(void *opaque)
{
    struct run *run = opaque;
    run_output_cut(&run->console);
    run_output_cut(&run->log);
}

static bool is_going_back_interrupted(void *opaque)
{
    return run_gdb_is_interrupted(((struct run *)opaque)->gdb);
}

static bool make_history(struct run *run)
{
    const struct history_params params = {
        .create = create_another,
        .snap_rest = snap_rest,
        .input = give_input,
        .adopt = adopt,
        .cut = cut_future,
        .is_interrupted = is_going_back_interrupted,
        .opaque = run,
    };
    run->history = run_history_create(&run->options, &params, run->machine, &run->diag);
    return run->diag.nr_lines == 0;
}

bool run_make_gdb(struct run *run)
{
    const char *core = run->options.elf_core;
    if ((core && !outfile_can_open(core, &run->diag)) || !make_history(run))
        return false;
    const struct run_gdb_params params = {.options = &run->options,
                                          .machine = run->machine,
                                          .history = run->history,
                                          .monitor = answer_gdb,
                                          .still = look_at_terminal,
                                          .opaque = run};
    run->gdb = run_gdb_create(&params, &run->diag);
    return run->diag.nr_lines == 0;
}

bool run_make_view(struct run *run)
{
    const char *screen = run->options.vga_screenshot;
    if (screen && !outfile_can_open(screen, &run->diag))
        return false;
    run->view = run_view_create(&run->options, run->machine, run->symbols, &run->diag);
    return run->diag.nr_lines == 0;
}
