#include "sim/cli_run.h"

#include "sim/base/config.h"
#include "sim/base/event.h"
#include "sim/base/outfile.h"
#include "sim/base/snap.h"
#include "sim/board/terminal.h"
#include "sim/bundled.h"
#include "sim/machine.h"
#include "sim/observe/profiler.h"
#include "sim/observe/trace_writer.h"
#include "sim/report.h"
#include "sim/report_stale.h"
#include "sim/report_where.h"
#include "sim/run_checkpoint.h"
#include "sim/run_gdb.h"
#include "sim/run_history.h"
#include "sim/run_monitor.h"
#include "sim/run_options.h"
#include "sim/run_stats.h"
#include "sim/run_vga.h"
#include "sim/run_view.h"
#include "sim/watchdog.h"
#include "version.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Between two looks at the terminal. */
enum { SLICE_CYCLES = 2000000, FORWARD_CYCLES = 20000000 };

/* What stands at the head of each file of statistics. */
enum { NR_HEADER = 4 };

/* A run and all that belongs to it. */
struct run {
    struct run_options options;
    struct cfg *cfg;
    struct run_origin origin;
    struct checkpoint_file *checkpoint; /* to go on from, until it is read */
    bool leaves_checkpoint;             /* it was ended by SIGTERM */
    bool wants_checkpoint;              /* the guest has asked for one */
    size_t nr_checkpoints;              /* of options.checkpoint_at that are made, or passed by */
    bool is_forwarding, has_region;     /* --fast-forward; which is over as this region begins */
    uint32_t region;
    struct trace_writer *trace;
    struct profiler *profiler;
    struct terminal *terminal;
    struct run_view *view;
    struct run_gdb *gdb;
    struct history *history; /* NULL: gdb cannot go back */
    struct run_output console, log;
    bool is_still; /* the machine stands still for gdb */
    struct progress progress;
    bool has_core; /* --elf-core is done */
    struct run_stats *stats;
    struct stat_header header[NR_HEADER];
    char digest[20]; /* of the configuration */
    char demo[4096]; /* where the bundled guest lies, if it is that */
    const char *image;
    struct machine *machine;
    enum terminal_request request;
    bool is_at_limit, is_stuck;
    struct watchdog watchdog;
    struct elf_symbols *symbols;
    bool has_made_output; /* the output directory was not there before */
    double seconds;
    struct diag diag;
};

static void put_console(void *opaque, uint8_t byte)
{
    struct run *run = opaque;
    if (run_output_new(&run->console, 1) == 0)
        return;
    terminal_put(run->terminal, byte);
    run_view_put(run->view, byte);
}

static void put_log(void *opaque, const char *text, size_t nr_bytes)
{
    size_t nr_new = run_output_new(&((struct run *)opaque)->log, nr_bytes);
    fwrite(text + nr_bytes - nr_new, 1, nr_new, stderr);
}

static void take_note(void *opaque, enum machine_note note, uint32_t id, const char *text)
{
    struct run *run = opaque;
    static const enum trace_mark_kind marks[] = {
        [MACHINE_NOTE_ROI_BEGIN] = TRACE_MARK_ROI_BEGIN,
        [MACHINE_NOTE_ROI_END] = TRACE_MARK_ROI_END,
        [MACHINE_NOTE_MARK] = TRACE_MARK_TEXT,
        [MACHINE_NOTE_RESET_STATS] = TRACE_MARK_RESET_STATS,
        [MACHINE_NOTE_DUMP_STATS] = TRACE_MARK_DUMP_STATS,
    };
    if (note == MACHINE_NOTE_CHECKPOINT) {
        run->wants_checkpoint = run->options.checkpoints && !run->is_forwarding &&
                                !history_is_going_back(run->history) && !history_is_behind(run->history);
        if (run->wants_checkpoint)
            machine_stop(run->machine);
        return;
    }
    if (note == MACHINE_NOTE_ROI_BEGIN && run->is_forwarding && run->options.forwards_to_marker) {
        run->has_region = true;
        run->region = id;
        machine_stop(run->machine);
        return;
    }
    if (note == MACHINE_NOTE_MARK)
        run_view_mark(run->view, text);
    if (run->trace && !run->is_forwarding)
        trace_writer_mark(run->trace, marks[note], id, text);
    run_stats_note(run->stats, run->machine, note, id, &run->diag);
}

static void take_mm_event(void *opaque, const struct mm_event *event)
{
    const struct run *run = opaque;
    char text[MM_EVENT_TEXT_CHARS];
    if (!run->trace || run->is_forwarding)
        return;
    mm_event_describe(event, text);
    trace_writer_mark(run->trace, TRACE_MARK_MM_EVENT, event->kind, text);
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

static bool make_config(struct run *run)
{
    const struct run_options *o = &run->options;
    run->cfg = cfg_create();
    if (!run->cfg)
        return diag_add(&run->diag, EXIT_STATUS_INTERNAL, "out of memory");
    if (o->restore) {
        run->checkpoint = run_checkpoint_open(o->restore, &run->origin, run->cfg, &run->diag);
        if (!run->checkpoint)
            return false;
    }
    const struct config before = *cfg_values(run->cfg);
    bool is_good = true;
    for (size_t i = 0; i < o->nr_configs; i++)
        is_good &= cfg_load_file(run->cfg, o->configs[i], &run->diag);
    for (size_t i = 0; i < o->nr_settings; i++)
        is_good &= cfg_set(run->cfg, o->settings[i], &run->diag);
    is_good = is_good && cfg_check(run->cfg, &run->diag);
    if (!is_good || !o->restore)
        return is_good;
    return cfg_continues(run->cfg, &before, o->restore, &run->diag) &&
           run_origin_continue(&run->origin, &run->options, o->restore, &run->diag);
}

/* Without its folders: the same image gives the same statistics, wherever it lies. */
static const char *image_name(const struct run_options *options)
{
    const char *slash = strrchr(options->image, '/');
    return slash ? slash + 1 : options->image;
}

static bool make_trace(struct run *run)
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
        .image = image_name(o),
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

/* run->image is known. */
static bool make_profiler(struct run *run)
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

/* The machine is the one that will run. */
static void attach_profiler(struct run *run)
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

/* Where the image's file is. */
static bool find_image(struct run *run)
{
    const struct run_options *o = &run->options;
    run->image = o->image;
    if (o->restore) {
        struct digest digest; /* it is wanted for its symbols only */
        bool is_there = digest_file(run->origin.file, &digest) && digest.hash == run->origin.digest.hash;
        run->image = is_there ? run->origin.file : NULL;
        return true;
    }
    if (!o->has_firmware && strcmp(o->image, "demo") == 0) {
        run->image = run->demo;
        if (!bundled_image("demo", "kernel-i386.elf", run->demo, sizeof run->demo, &run->diag))
            return false;
    }
    return !o->checkpoints || run_origin_make(&run->origin, o, run->image, &run->diag);
}

static struct machine *create_machine(struct run *run, const struct config *config, struct diag *diag)
{
    bool is_observed = run->trace && !run->is_forwarding, is_profiled = run->profiler && !run->is_forwarding;
    struct machine_params params = {
        .config = config,
        .observer = is_observed   ? trace_observer(run->trace)
                    : is_profiled ? profiler_observer(run->profiler)
                                  : NULL,
        .dma_observer = is_observed ? trace_dma_observer(run->trace) : NULL,
        .console = put_console,
        .log = put_log,
        .note = take_note,
        .mm_event = take_mm_event,
        .opaque = run,
    };
    memcpy(params.disks, run->options.disks, sizeof params.disks);
    params.nic_sent = run->options.nic_sent;
    params.nic_received = run->options.nic_received;
    params.nic_first = run->options.nic_first;
    return machine_create(&params, diag);
}

static bool load_guest(struct run *run)
{
    const struct run_options *o = &run->options;
    const struct load_params guest = {
        .file = run->image,
        .arguments = o->arguments,
        .modules = o->modules,
        .nr_modules = o->nr_modules,
        .protocol = o->protocol,
        .is_unpacked = o->is_unpacked,
        .load_at = o->load_at,
        .entry = o->entry,
    };
    return o->has_firmware ? machine_load_firmware(run->machine, o->image, &run->diag)
                           : machine_load_guest(run->machine, &guest, &run->diag);
}

static bool make_machine(struct run *run)
{
    struct config config = *cfg_values(run->cfg);
    if (!find_image(run) || !make_profiler(run))
        return false;
    run->is_forwarding = run->options.forward_cycles != 0;
    if (run->is_forwarding && config.cpu_model == CFG_CPU_FUNCTIONAL)
        return diag_add(
            &run->diag, EXIT_STATUS_USAGE,
            "--fast-forward: cpu.model is functional, which is fast all the time; allowed: inorder");
    if (run->is_forwarding)
        config.cpu_model = CFG_CPU_FUNCTIONAL;
    run->machine = create_machine(run, &config, &run->diag);
    if (!run->machine)
        return false;
    if (!run->checkpoint)
        return load_guest(run);
    struct checkpoint_file *checkpoint = run->checkpoint;
    run->checkpoint = NULL;
    return run_checkpoint_read(checkpoint, run->machine, run->stats);
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
    if (run->is_forwarding)
        fputs("no checkpoint within --fast-forward\n", to);
    else if (!cpu_is_between_blocks(machine_parts(run->machine).cpu))
        fputs("the processor is within a fetch block: no checkpoint here, but some steps further on\n", to);
    else if (has_origin && run_checkpoint_write(&parts, directory, file, &diag))
        fprintf(to, "checkpoint %s\n", file);
    for (size_t i = 0; i < diag.nr_lines; i++)
        fprintf(to, "%s\n", diag.lines[i]);
    diag_fini(&diag);
}

static struct run_monitor monitor_of(struct run *run)
{
    return (struct run_monitor){.machine = run->machine,
                                .symbols = run->symbols,
                                .checkpoint = checkpoint_for_monitor,
                                .opaque = run};
}

/* What the terminal wants, but for the monitor, which is answered here. */
static enum terminal_request answer_terminal(struct run *run, enum terminal_request request)
{
    const struct run_monitor monitor = monitor_of(run);
    if (request == TERMINAL_MONITOR)
        return history_is_going_back(run->history) ? TERMINAL_NONE
                                                   : run_monitor_talk(&monitor, run->terminal);
    return request;
}

/* Functional up to where it was asked for, unless the guest or somebody ends it before. */
static bool fast_forward(struct run *run)
{
    const struct run_options *o = &run->options;
    enum machine_end why = MACHINE_RUNNING;
    cycle_t end = o->forward_cycles < o->max_cycles ? o->forward_cycles : o->max_cycles, now = 0;
    if (!run->is_forwarding)
        return true;
    while (why == MACHINE_RUNNING && run->request == TERMINAL_NONE && !run->has_region && now < end &&
           cpu_stats(machine_parts(run->machine).cpu)->instructions < o->max_instructions) {
        cycle_t stop = end - now < FORWARD_CYCLES ? end : now + FORWARD_CYCLES;
        why = machine_run_instructions(run->machine, o->max_instructions, stop);
        now = cpu_now(machine_parts(run->machine).cpu);
        run->request = answer_terminal(run, terminal_poll(run->terminal));
    }
    run->is_forwarding = false;
    if (why != MACHINE_RUNNING)
        fprintf(stderr,
                "lookaside: --fast-forward: the guest ended before it was over, in cycle %" PRIu64 "\n", now);
    struct machine *functional = run->machine;
    run->machine = create_machine(run, cfg_values(run->cfg), &run->diag);
    bool is_good = run->machine && run_hand_over(functional, run->machine, run->stats, &run->diag);
    machine_destroy(functional);
    if (is_good && run->has_region)
        take_note(run, MACHINE_NOTE_ROI_BEGIN, run->region, "");
    return is_good;
}

/* Of the image, if nothing else was named; an image need not have any. */
static bool make_symbols(struct run *run)
{
    const struct run_options *o = &run->options;
    const char *file = o->symbols ? o->symbols : o->has_firmware ? NULL : run->image;
    run->symbols = file ? elf_symbols_load(file) : NULL;
    return run->symbols || !o->symbols ||
           diag_add(
               &run->diag, EXIT_STATUS_NO_INPUT,
               "--symbols: %s: no functions found; allowed: an ELF file with a symbol table, or a System.map",
               o->symbols);
}

static bool make_terminal(struct run *run)
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
    return answer_terminal(run, request);
}

static void answer_gdb(void *opaque, const char *line, FILE *to)
{
    const struct run_monitor monitor = monitor_of(opaque);
    run_monitor_answer(&monitor, line, to);
}

/* ---- Going back ---- */

static struct machine *create_another(void *opaque, struct diag *diag)
{
    struct run *run = opaque;
    return create_machine(run, cfg_values(run->cfg), diag);
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

static bool make_gdb(struct run *run)
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

static bool make_view(struct run *run)
{
    const char *screen = run->options.vga_screenshot;
    if (screen && !outfile_can_open(screen, &run->diag))
        return false;
    run->view = run_view_create(&run->options, run->machine, run->symbols, &run->diag);
    return run->diag.nr_lines == 0;
}

static bool make_output_directory(struct run *run)
{
    const char *output = run->options.output;
    struct stat there;
    run->has_made_output = mkdir(output, 0777) == 0;
    if (!run->has_made_output && errno != EEXIST)
        return diag_add(&run->diag, EXIT_STATUS_NO_OUTPUT, "%s: cannot make this directory: %s", output,
                        strerror(errno));
    if (stat(output, &there) == 0 && !S_ISDIR(there.st_mode))
        return diag_add(&run->diag, EXIT_STATUS_NO_OUTPUT, "%s: not a directory, which -o wants", output);
    if (access(output, W_OK | X_OK) != 0)
        return diag_add(&run->diag, EXIT_STATUS_NO_OUTPUT, "%s: nothing can be written there: %s", output,
                        strerror(errno));
    return true;
}

/* Where the next slice ends: never beyond what was asked for. */
static cycle_t next_stop(const struct run *run, cycle_t now)
{
    cycle_t stop = now + SLICE_CYCLES, view_stop = run_view_next_stop(run->view, now);
    stop = stop < view_stop ? stop : view_stop;
    cycle_t core = run->options.elf_core_cycle;
    stop = core > now && core < stop ? core : stop;
    stop = stop < run->watchdog.next_look ? stop : run->watchdog.next_look;
    if (run->nr_checkpoints < run->options.nr_checkpoint_at &&
        run->options.checkpoint_at[run->nr_checkpoints] < stop)
        stop = run->options.checkpoint_at[run->nr_checkpoints];
    return stop < run->options.max_cycles ? stop : run->options.max_cycles;
}

static void write_checkpoint(struct run *run)
{
    char file[RUN_PATH_CHARS];
    const struct run_parts parts = {
        .cfg = run->cfg, .origin = &run->origin, .machine = run->machine, .stats = run->stats};
    run->wants_checkpoint = false;
    if (run_checkpoint_write(&parts, run->options.checkpoints, file, &run->diag) && !run->options.is_quiet)
        fprintf(stderr, "lookaside: checkpoint %s\n", file);
}

/* Those whose cycle has come; of several that are due, one is enough. */
static void write_due_checkpoints(struct run *run, cycle_t now)
{
    const struct run_options *o = &run->options;
    bool is_due = run->wants_checkpoint;
    for (; run->nr_checkpoints < o->nr_checkpoint_at && o->checkpoint_at[run->nr_checkpoints] <= now;
         run->nr_checkpoints++)
        is_due = true;
    if (is_due)
        write_checkpoint(run);
}

/* A restored run is behind the first of them: these were made, or will not be. */
static void pass_checkpoints(struct run *run, cycle_t now)
{
    const struct run_options *o = &run->options;
    while (run->nr_checkpoints < o->nr_checkpoint_at && o->checkpoint_at[run->nr_checkpoints] <= now)
        run->nr_checkpoints++;
}

/* --elf-core, when it is time. */
static void write_core(struct run *run, bool is_due)
{
    if (!run->options.elf_core || run->has_core || !is_due)
        return;
    run->has_core = true;
    const struct run_monitor monitor = monitor_of(run);
    run_monitor_dump(&monitor, run->options.elf_core, &run->diag);
}

static enum machine_end run_guest(struct run *run)
{
    struct timespec begin, end; /* of the processor's time: other programs do not count */
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    const struct cpu *cpu = machine_parts(run->machine).cpu;
    enum machine_end why = MACHINE_RUNNING;
    pass_checkpoints(run, cpu_now(cpu));
    while (why == MACHINE_RUNNING && !run->is_at_limit && !run->is_stuck && run->request == TERMINAL_NONE) {
        why = run_gdb_run(run->gdb, run->machine, run->options.max_instructions, next_stop(run, cpu_now(cpu)),
                          &run->request);
        cpu = machine_parts(run->machine).cpu; /* gdb may have gone back, to another */
        if (run->request == TERMINAL_NONE)
            run->request = answer_terminal(run, terminal_poll(run->terminal));
        progress_update(&run->progress, cpu_now(cpu), cpu_stats(cpu)->instructions);
        write_core(run, cpu_now(cpu) >= run->options.elf_core_cycle);
        if (!run_view_update(run->view, &run->diag))
            run->request = TERMINAL_QUIT;
        run->is_at_limit = cpu_now(cpu) >= run->options.max_cycles ||
                           cpu_stats(cpu)->instructions >= run->options.max_instructions;
        run->is_stuck = watchdog_is_over(&run->watchdog, run->machine, run->log.most_bytes, cpu_now(cpu));
        if (why == MACHINE_RUNNING)
            write_due_checkpoints(run, cpu_now(cpu));
    }
    run->leaves_checkpoint =
        why == MACHINE_RUNNING && run->request == TERMINAL_TERMINATED && run->options.checkpoints;
    if (run->leaves_checkpoint)
        write_checkpoint(run);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    run->seconds = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) * 1e-9;
    return why;
}

static bool make_statistics(struct run *run)
{
    const struct stat_header header[] = {
        {"version", LK_VERSION},
        {"config_digest", run->digest},
        {"model", cfg_values(run->cfg)->cpu_model == CFG_CPU_FUNCTIONAL ? "functional" : "inorder"},
        {"image", image_name(&run->options)},
    };
    memcpy(run->header, header, sizeof header);
    struct run_stats_params params = {
        .output = run->options.output, .header = run->header, .nr_header = NR_HEADER};
    run->stats = run_stats_create(&params, &run->diag);
    return run->stats != NULL;
}

static bool write_results(struct run *run)
{
    char file[4096];
    const char *output = run->options.output;
    if ((size_t)snprintf(file, sizeof file, "%s/config.effective.json", output) >= sizeof file)
        return diag_add(&run->diag, EXIT_STATUS_NO_OUTPUT, "%s: this path is too long", output);
    bool is_good = cfg_write_effective(run->cfg, file, &run->diag);
    is_good &= machine_finish_files(run->machine, &run->diag);
    return run_stats_finish(run->stats, run->machine, &run->diag) && is_good;
}

/* Says how it ended, and returns the exit status for it. */
static int explain(struct run *run, enum machine_end why)
{
    struct machine *machine = run->machine;
    cycle_t now = cpu_now(machine_parts(machine).cpu);
    switch (why) {
    case MACHINE_POWER_OFF:
        return EXIT_STATUS_OK;
    case MACHINE_GUEST_EXIT:
        return (int)machine_guest_status(machine);
    case MACHINE_TRIPLE_FAULT:
        report_triple_fault(machine, stderr);
        report_calls(machine, run->symbols, stderr);
        return EXIT_STATUS_TRIPLE_FAULT;
    case MACHINE_RESET:
        fprintf(stderr, "lookaside: the guest reset the machine in cycle %" PRIu64 "\n", now);
        return EXIT_STATUS_OK;
    case MACHINE_PANIC:
        fprintf(stderr, "lookaside: the guest panicked in cycle %" PRIu64 ": %s\n", now,
                machine_panic_text(machine));
        return EXIT_STATUS_GUEST_PANIC;
    case MACHINE_HALTED:
        fprintf(stderr,
                "lookaside: the guest halted for good in cycle %" PRIu64 ": HLT, and no interrupt can come\n",
                now);
        report_calls(machine, run->symbols, stderr);
        return EXIT_STATUS_GUEST_PANIC;
    case MACHINE_RUNNING:
        break;
    }
    if (run->is_stuck) {
        fprintf(stderr,
                "lookaside: the watchdog stopped the guest in cycle %" PRIu64
                ": nothing came out of it since cycle %" PRIu64 "\n",
                now, run->watchdog.since);
        report_calls(machine, run->symbols, stderr);
        return EXIT_STATUS_WATCHDOG;
    }
    if (run->request == TERMINAL_NONE) {
        fprintf(stderr, "lookaside: stopped in cycle %" PRIu64 ": the limit\n", now);
        return EXIT_STATUS_LIMIT;
    }
    fprintf(stderr, "lookaside: stopped in cycle %" PRIu64 "\n", now);
    if (run->request == TERMINAL_TERMINATED)
        return run->leaves_checkpoint ? EXIT_STATUS_REQUEUE : 128 + 15;
    if (run->request == TERMINAL_CANNOT_WRITE)
        return EXIT_STATUS_NO_OUTPUT;
    return run->request == TERMINAL_QUIT ? EXIT_STATUS_OK : EXIT_STATUS_INTERRUPTED;
}

static void print_mistakes(const struct diag *diag)
{
    for (size_t i = 0; i < diag->nr_lines; i++)
        fprintf(stderr, "lookaside: %s\n", diag->lines[i]);
}

/* All is checked; runs, and returns the exit status. */
static int run_all(struct run *run)
{
    const struct run_options *o = &run->options;
    progress_init(&run->progress, o->progress, o->max_cycles, o->max_instructions);
    attach_profiler(run);
    enum machine_end why = run_guest(run);
    progress_end(&run->progress);
    if (o->elf_core && !run->has_core && o->elf_core_cycle != EV_NEVER)
        fprintf(stderr, "lookaside: --elf-core: the run ended before cycle %" PRIu64 "; it is of the end\n",
                o->elf_core_cycle);
    write_core(run, true);
    terminal_destroy(run->terminal);
    run->terminal = NULL;
    int status = explain(run, why);
    run_gdb_finish(run->gdb, status);
    report_disks(run->machine, stderr);
    bool is_written = write_results(run);
    if (run->profiler) {
        is_written &= profiler_finish(run->profiler, &run->diag);
        run->profiler = NULL;
    }
    if (run->trace) {
        is_written &= trace_writer_finish(run->trace, &run->diag);
        run->trace = NULL;
    }
    if (!run->options.is_quiet) {
        fprintf(stderr, "lookaside: what the run counted (all of it in %s/stats.txt):\n",
                run->options.output);
        report_summary(run->machine, run->seconds, stderr);
        report_stale(run->machine, run->options.has_firmware ? NULL : run->image, stderr);
    }
    if (run->options.has_vga_text)
        run_vga_print(machine_parts(run->machine).vga, stdout);
    if (run->options.vga_screenshot)
        run_vga_write_png(machine_parts(run->machine).vga, run->options.vga_screenshot, &run->diag);
    if (run->request == TERMINAL_NONE)
        run_view_finish(run->view, &run->diag);
    if (run->is_stuck) /* last, because the guest goes on for it */
        report_branches(run->machine, run->symbols, stderr);
    print_mistakes(&run->diag);
    return is_written && run->diag.nr_lines == 0 ? status : (int)run->diag.status;
}

int cli_run(int argc, char **argv)
{
    struct run run = {.request = TERMINAL_NONE};
    int status;
    diag_init(&run.diag);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of the write that would make it */
    if (!run_options_parse(&run.options, argc, argv, &run.diag)) {
        print_mistakes(&run.diag);
        status = (int)run.diag.status;
    } else if (run.options.wants_help) {
        fputs(run_usage, stdout);
        status = EXIT_STATUS_OK;
    } else {
        bool is_good = make_config(&run);
        if (is_good)
            snprintf(run.digest, sizeof run.digest, "%016" PRIx64, cfg_digest(cfg_values(run.cfg)));
        is_good = is_good && make_output_directory(&run) && make_statistics(&run) && make_trace(&run) &&
                  make_machine(&run) && make_symbols(&run) && make_terminal(&run) && fast_forward(&run) &&
                  make_view(&run) && make_gdb(&run);
        watchdog_init(&run.watchdog, run.options.watchdog_cycles);
        if (is_good) {
            status = run_all(&run);
        } else {
            print_mistakes(&run.diag);
            status = (int)run.diag.status;
            if (run.has_made_output)
                rmdir(run.options.output);
        }
    }
    if (run.terminal)
        terminal_destroy(run.terminal);
    run_view_destroy(run.view);
    run_gdb_destroy(run.gdb);
    history_destroy(run.history);
    run_stats_destroy(run.stats);
    checkpoint_file_abandon(run.checkpoint);
    elf_symbols_free(run.symbols);
    machine_destroy(run.machine);
    trace_writer_abandon(run.trace);
    profiler_abandon(run.profiler);
    if (run.cfg)
        cfg_destroy(run.cfg);
    run_options_fini(&run.options);
    diag_fini(&run.diag);
    return status;
}
