/*
 * The way to where a run is counted: functional, which is fast, then timed until TLBs, caches, predictors and
 * DRAM are as they would be, both with nobody watching.
 */
#include "sim/run.h"

#include <inttypes.h>
#include <stdio.h>

/* Between two looks at the terminal. */
enum { FORWARD_CYCLES = 20000000, WARM_UP_CYCLES = 2000000 };

/* A part of the way. */
struct part {
    const char *option;
    cycle_t end, slice_cycles;
    bool stops_at_region;
};

/* False: the guest, somebody or a limit ended it before it was over. */
static bool go_on(struct run *run, const struct part *part)
{
    const struct run_options *o = &run->options;
    const struct cpu *cpu = machine_parts(run->machine).cpu;
    enum machine_end why = MACHINE_RUNNING;
    cycle_t end = part->end < o->max_cycles ? part->end : o->max_cycles, now = cpu_now(cpu);
    double begun = run_processor_seconds();
    run->stops_at_region = part->stops_at_region;
    while (why == MACHINE_RUNNING && run->request == TERMINAL_NONE && now < end &&
           !(run->stops_at_region && run->has_region) && cpu_stats(cpu)->instructions < o->max_instructions) {
        cycle_t stop = end - now < part->slice_cycles ? end : now + part->slice_cycles;
        why = machine_run_instructions(run->machine, o->max_instructions, stop);
        now = cpu_now(cpu);
        run->request = run_answer_terminal(run, terminal_poll(run->terminal));
        progress_update(&run->progress, now, cpu_stats(cpu)->instructions);
    }
    bool is_over = part->stops_at_region ? run->has_region : now >= part->end;
    run->stops_at_region = false;
    run->seconds += run_processor_seconds() - begun;
    if (why != MACHINE_RUNNING && !is_over)
        fprintf(stderr, "lookaside: %s: the guest ended before it was over, in cycle %" PRIu64 "\n",
                part->option, now);
    return is_over;
}

/* To a machine of the configuration, with those who watch it if the way is over. */
static bool hand_over(struct run *run)
{
    struct machine *before = run->machine;
    run->machine = run_create_machine(run, cfg_values(run->cfg), &run->diag);
    bool is_good = run->machine && run_hand_over(before, run->machine, run->stats, &run->diag);
    machine_destroy(before);
    return is_good;
}

static bool warm_up(struct run *run)
{
    const struct run_options *o = &run->options;
    cycle_t now = cpu_now(machine_parts(run->machine).cpu);
    const struct part part = {
        .option = "--warm-up",
        .end = o->warms_to_marker ? o->warm_up_cycles : now + o->warm_up_cycles,
        .slice_cycles = WARM_UP_CYCLES,
        .stops_at_region = o->warms_to_marker,
    };
    bool is_over = go_on(run, &part);
    run->is_ahead = false;
    if ((run->trace || run->profiler) && !hand_over(run))
        return false;
    if (is_over)
        run_take_note(run, MACHINE_NOTE_RESET_STATS, 0, "");
    return true;
}

bool run_forward(struct run *run)
{
    const struct run_options *o = &run->options;
    const struct part functional = {
        .option = "--fast-forward",
        .end = o->forward_cycles,
        .slice_cycles = FORWARD_CYCLES,
        .stops_at_region = o->forwards_to_marker,
    };
    if (o->forward_cycles) {
        go_on(run, &functional);
        run->is_ahead = o->warm_up_cycles;
        if (!hand_over(run))
            return false;
    }
    if (o->warm_up_cycles && !warm_up(run))
        return false;
    if (run->has_region)
        run_take_note(run, MACHINE_NOTE_ROI_BEGIN, run->region, "");
    return true;
}
