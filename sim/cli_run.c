#include "sim/cli_run.h"
#include "sim/base/event.h"
#include "sim/report.h"
#include "sim/report_stale.h"
#include "sim/report_where.h"
#include "sim/run.h"
#include "sim/run_vga.h"
#include "version.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NR_STUCK_STEPS = 20000 }; /* of a guest that the watchdog has stopped */

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

static bool make_statistics(struct run *run)
{
    const struct stat_header header[] = {
        {"version", LK_VERSION},
        {"config_digest", run->digest},
        {"model", cfg_values(run->cfg)->cpu_model == CFG_CPU_FUNCTIONAL ? "functional" : "inorder"},
        {"image", run_image_name(&run->options)},
    };
    memcpy(run->header, header, sizeof header);
    struct run_stats_params params = {
        .output = run->options.output, .header = run->header, .nr_header = RUN_NR_HEADER};
    run->stats = run_stats_create(&params, &run->diag);
    return run->stats != NULL;
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
    run_attach_profiler(run);
    enum machine_end why = run_to_end(run);
    progress_end(&run->progress);
    if (o->elf_core && !run->has_core && o->elf_core_cycle != EV_NEVER)
        fprintf(stderr, "lookaside: --elf-core: the run ended before cycle %" PRIu64 "; it is of the end\n",
                o->elf_core_cycle);
    run_write_core(run, true);
    terminal_destroy(run->terminal);
    run->terminal = NULL;
    int status = run_explain(run, why);
    run_gdb_finish(run->gdb, status);
    report_disks(run->machine, stderr);
    bool is_written = run_write_results(run);
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
        run_stats_count_since_reset(run->stats, run->machine, true);
        report_summary(run->machine, run->seconds, stderr);
        run_stats_count_since_reset(run->stats, run->machine, false);
        report_stale(run->machine, run->options.has_firmware ? NULL : run->image, stderr);
    }
    if (run->options.has_vga_text)
        run_vga_print(machine_parts(run->machine).vga, stdout);
    if (run->options.vga_screenshot)
        run_vga_write_png(machine_parts(run->machine).vga, run->options.vga_screenshot, &run->diag);
    if (run->request == TERMINAL_NONE)
        run_view_finish(run->view, &run->diag);
    if (run->is_stuck) /* last, because the guest goes on for it */
        report_branches(run->machine, run_symbols_now(run->symbols, run->machine), NR_STUCK_STEPS, stderr);
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
        const struct run_options *o = &run.options;
        bool is_good = make_config(&run);
        progress_init(&run.progress, o->progress, o->max_cycles, o->max_instructions);
        if (is_good)
            snprintf(run.digest, sizeof run.digest, "%016" PRIx64, cfg_digest(cfg_values(run.cfg)));
        is_good = is_good && make_output_directory(&run) && make_statistics(&run) && run_make_trace(&run) &&
                  run_make_machine(&run) && run_make_symbols(&run) && run_make_terminal(&run) &&
                  run_forward(&run) && run_make_view(&run) && run_make_gdb(&run);
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
    run_symbols_destroy(run.symbols);
    machine_destroy(run.machine);
    trace_writer_abandon(run.trace);
    profiler_abandon(run.profiler);
    if (run.cfg)
        cfg_destroy(run.cfg);
    run_options_fini(&run.options);
    diag_fini(&run.diag);
    return status;
}
