#include "sim/run.h"

#include <inttypes.h>
#include <stdio.h>

/* Between two looks at the terminal. */
enum { FORWARD_CYCLES = 20000000 };

/* Functional up to where it was asked for, unless the guest or somebody ends it before. */
bool run_fast_forward(struct run *run)
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
        run->request = run_answer_terminal(run, terminal_poll(run->terminal));
    }
    run->is_forwarding = false;
    if (why != MACHINE_RUNNING)
        fprintf(stderr,
                "lookaside: --fast-forward: the guest ended before it was over, in cycle %" PRIu64 "\n", now);
    struct machine *functional = run->machine;
    run->machine = run_create_machine(run, cfg_values(run->cfg), &run->diag);
    bool is_good = run->machine && run_hand_over(functional, run->machine, run->stats, &run->diag);
    machine_destroy(functional);
    if (is_good && run->has_region)
        run_take_note(run, MACHINE_NOTE_ROI_BEGIN, run->region, "");
    return is_good;
}
