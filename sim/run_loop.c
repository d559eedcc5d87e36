/* A guest that runs: slice by slice, with what is due between two of them. */
#include "sim/base/event.h"
#include "sim/run.h"

#include <stdio.h>
#include <time.h>

/* Between two looks at the terminal. */
enum { SLICE_CYCLES = 2000000 };

/* The next cycle that the user asked for something in; the user's steps in the window end there too. */
static cycle_t next_due(const struct run *run, cycle_t now)
{
    const struct run_options *o = &run->options;
    cycle_t due = o->max_cycles;
    if (o->elf_core_cycle > now && o->elf_core_cycle < due)
        due = o->elf_core_cycle;
    if (run->nr_checkpoints < o->nr_checkpoint_at && o->checkpoint_at[run->nr_checkpoints] < due)
        due = o->checkpoint_at[run->nr_checkpoints];
    return due;
}

/* Where the next slice ends: never beyond what was asked for. */
static cycle_t next_stop(const struct run *run, cycle_t now)
{
    cycle_t stop = now + SLICE_CYCLES, view_stop = run_view_next_stop(run->view, now),
            due = next_due(run, now);
    stop = stop < view_stop ? stop : view_stop;
    stop = stop < run->watchdog.next_look ? stop : run->watchdog.next_look;
    return stop < due ? stop : due;
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

void run_write_core(struct run *run, bool is_due)
{
    if (!run->options.elf_core || run->has_core || !is_due)
        return;
    run->has_core = true;
    const struct run_monitor monitor = run_monitor_of(run);
    run_monitor_dump(&monitor, run->options.elf_core, &run->diag);
}

double run_processor_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

enum machine_end run_to_end(struct run *run)
{
    double begun = run_processor_seconds();
    const struct cpu *cpu = machine_parts(run->machine).cpu;
    enum machine_end why = MACHINE_RUNNING;
    pass_checkpoints(run, cpu_now(cpu));
    while (why == MACHINE_RUNNING && !run->is_at_limit && !run->is_stuck && run->request == TERMINAL_NONE) {
        if (!run_view_is_paused(run->view))
            why = run_gdb_run(run->gdb, run->machine, run->options.max_instructions,
                              next_stop(run, cpu_now(cpu)), &run->request);
        cpu = machine_parts(run->machine).cpu; /* gdb may have gone back, to another */
        if (run->request == TERMINAL_NONE)
            run->request = run_answer_terminal(run, terminal_poll(run->terminal));
        progress_update(&run->progress, cpu_now(cpu), cpu_stats(cpu)->instructions);
        run_write_core(run, cpu_now(cpu) >= run->options.elf_core_cycle);
        if (!run_view_update(run->view, next_due(run, cpu_now(cpu)), &run->diag))
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
    run->seconds += run_processor_seconds() - begun;
    return why;
}
