/* How a run ended, and what it leaves. */
#include "sim/observe/backtrace.h"
#include "sim/report.h"
#include "sim/run.h"

#include <inttypes.h>
#include <stdio.h>

static void print_calls(const struct run *run)
{
    backtrace_print(machine_parts(run->machine).cpu, run_symbols_now(run->symbols, run->machine), stderr);
}

int run_explain(struct run *run, enum machine_end why)
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
        print_calls(run);
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
        print_calls(run);
        return EXIT_STATUS_GUEST_PANIC;
    case MACHINE_RUNNING:
        break;
    }
    if (run->is_stuck) {
        fprintf(stderr,
                "lookaside: the watchdog stopped the guest in cycle %" PRIu64
                ": nothing came out of it since cycle %" PRIu64 "\n",
                now, run->watchdog.since);
        print_calls(run);
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

bool run_write_results(struct run *run)
{
    char file[4096];
    const char *output = run->options.output;
    if ((size_t)snprintf(file, sizeof file, "%s/config.effective.json", output) >= sizeof file)
        return diag_add(&run->diag, EXIT_STATUS_NO_OUTPUT, "%s: this path is too long", output);
    bool is_good = cfg_write_effective(run->cfg, file, &run->diag);
    is_good &= machine_finish_files(run->machine, &run->diag);
    return run_stats_finish(run->stats, run->machine, &run->diag) && is_good;
}
