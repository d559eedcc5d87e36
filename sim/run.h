/*
 * A run of `lookaside run`, for the files that make one up: cli_run.c (from the command line to the exit
 * status), run_machine.c, run_attach.c, run_forward.c, run_loop.c, run_end.c.
 */
#ifndef LK_SIM_RUN_H
#define LK_SIM_RUN_H

#include "sim/base/config.h"
#include "sim/base/stats.h"
#include "sim/board/terminal.h"
#include "sim/machine.h"
#include "sim/observe/profiler.h"
#include "sim/observe/trace_writer.h"
#include "sim/progress.h"
#include "sim/run_checkpoint.h"
#include "sim/run_gdb.h"
#include "sim/run_history.h"
#include "sim/run_monitor.h"
#include "sim/run_options.h"
#include "sim/run_stats.h"
#include "sim/run_symbols.h"
#include "sim/run_view.h"
#include "sim/watchdog.h"

/* What stands at the head of each file of statistics. */
enum { RUN_NR_HEADER = 4 };

/* A run and all that belongs to it. */
struct run {
    struct run_options options;
    struct cfg *cfg;
    struct run_origin origin;
    struct checkpoint_file *checkpoint; /* to go on from, until it is read */
    bool leaves_checkpoint;             /* it was ended by SIGTERM */
    bool wants_checkpoint;              /* the guest has asked for one */
    size_t nr_checkpoints;              /* of options.checkpoint_at that are made, or passed by */
    bool is_ahead;                      /* within --fast-forward or --warm-up: nobody watches */
    bool stops_at_region, has_region;   /* ... which is over as a region begins; it is this one */
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
    struct stat_header header[RUN_NR_HEADER];
    char digest[20]; /* of the configuration */
    char demo[4096]; /* where the bundled guest lies, if it is that */
    const char *image;
    struct machine *machine;
    enum terminal_request request;
    bool is_at_limit, is_stuck;
    struct watchdog watchdog;
    struct run_symbols *symbols;
    bool has_made_output; /* the output directory was not there before */
    double seconds;       /* that the guest's running took of the host's processor */
    struct diag diag;
};

/* ---- run_machine.c ---- */

/* The machine that the options and the configuration describe, with its guest in it. False with lines. */
bool run_make_machine(struct run *run);

/* One that observers watch unless the run is still ahead. On failure adds a line to `diag`, returns NULL. */
struct machine *run_create_machine(struct run *run, const struct config *config, struct diag *diag);

/* A marker of the guest's; `opaque` is the run. */
void run_take_note(void *opaque, enum machine_note note, uint32_t id, const char *text);

/* ---- run_attach.c: nothing where the options do not ask for it; false with a line where it fails ---- */

bool run_make_trace(struct run *run);
/* The image is known. */
bool run_make_profiler(struct run *run);
/* The machine is the one that will run. */
void run_attach_profiler(struct run *run);
bool run_make_symbols(struct run *run);
bool run_make_terminal(struct run *run);
bool run_make_view(struct run *run);
bool run_make_gdb(struct run *run);

/* The image without its folders: the same one gives the same statistics, wherever it lies. */
const char *run_image_name(const struct run_options *options);

/* What the terminal wants, but for the monitor, which is answered here. */
enum terminal_request run_answer_terminal(struct run *run, enum terminal_request request);
struct run_monitor run_monitor_of(struct run *run);

/* ---- run_forward.c ---- */

/*
 * --fast-forward and --warm-up, as far as they are asked for: run->machine is the one to be counted then.
 * False with lines.
 */
bool run_forward(struct run *run);

/* ---- run_loop.c ---- */

/* Until the guest or somebody ends it, or a limit does. */
enum machine_end run_to_end(struct run *run);

/* What this process has used of the host's processor: other programs do not count. */
double run_processor_seconds(void);

/* --elf-core, when it is time. */
void run_write_core(struct run *run, bool is_due);

/* ---- run_end.c ---- */

/* Says how it ended, and returns the exit status for it. */
int run_explain(struct run *run, enum machine_end why);

/* Statistics and configuration into the output directory. */
bool run_write_results(struct run *run);

#endif
