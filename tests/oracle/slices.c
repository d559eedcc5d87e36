/*
 * Runs a guest in slices and writes its statistics, which must not depend on the slices.
 *
 *     slices IMAGE STATS.JSON LENGTH END ARGUMENTS [PATH=VALUE ...]
 *
 * Each slice is 1 to LENGTH cycles long; LENGTH 0 makes one of everything; `steps` stops as a debugger does,
 * `singles` as the window does. END is the cycle where the run ends at the latest; ARGUMENTS are the guest's,
 * or `firmware`: the image is one. Run by tests/whole/determinism.sh.
 */
#include "cpu/stop_points.h"
#include "sim/base/event.h"
#include "sim/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int give_up(const struct diag *diag, const char *what)
{
    fprintf(stderr, "slices: %s: %s\n", what, diag->nr_lines > 0 ? diag->lines[0] : "failed");
    return 2;
}

/* The low bits of a linear congruential generator are poor. */
static uint64_t random_below(uint64_t *state, uint64_t limit)
{
    *state = *state * 6364136223846793005 + 1442695040888963407;
    return (*state >> 33) % limit;
}

static void run_in_slices(struct machine *machine, uint64_t length, cycle_t end)
{
    uint64_t seed = length;
    const struct cpu *cpu = machine_parts(machine).cpu;
    while (cpu_now(cpu) < end) {
        cycle_t until = length > 0 ? cpu_now(cpu) + 1 + random_below(&seed, length) : end;
        if (machine_run(machine, until < end ? until : end) != MACHINE_RUNNING)
            break;
    }
}

/*
 * As a debugger does: turns by turns cycles without any stop point, an instruction, up to a stop point, and
 * with all of memory watched. Whether there was a stop.
 */
static bool run_in_steps(struct machine *machine, cycle_t end)
{
    enum { NR_ROUNDS = 5, MAX_CYCLES = 3000 };
    struct cpu *cpu = machine_parts(machine).cpu;
    uint64_t seed = 1, nr_stops = 0;
    enum machine_end why = MACHINE_RUNNING;
    for (unsigned round = 0; why == MACHINE_RUNNING && cpu_now(cpu) < end; round++) {
        struct cpu_state state = cpu_state(cpu);
        struct cpu_point here = {.at = laddr(state.rip + state.segment[1].hidden.base), .size_bytes = 1};
        struct cpu_point everywhere = {.kind = CPU_POINT_ACCESS, .size_bytes = UINT64_MAX};
        cycle_t until = cpu_now(cpu) + 1 + random_below(&seed, MAX_CYCLES);
        uint64_t next = cpu_stats(cpu)->instructions + 1;
        cpu_set_points(cpu, round % NR_ROUNDS == 3 ? &everywhere : &here, round % NR_ROUNDS >= 2);
        cpu_pass_point(cpu);
        until = until < end ? until : end;
        if (round % NR_ROUNDS == 0)
            why = machine_run(machine, until);
        else
            nr_stops += machine_run_to_point(machine, round % NR_ROUNDS == 1 ? next : UINT64_MAX, until);
        if (round % NR_ROUNDS != 0)
            why = machine_run(machine, 0);
    }
    return nr_stops > 0;
}

/*
 * As the window does: turns by turns some cycles, single instructions and blocks. A halted core waits for its
 * event however far that is, so near the end there are only slices.
 */
static void run_in_singles(struct machine *machine, cycle_t end)
{
    enum { MAX_PIECES = 50, LONGEST_WAIT_CYCLES = 20000000 };
    const struct cpu *cpu = machine_parts(machine).cpu;
    uint64_t seed = 2;
    while (machine_how_ended(machine) == MACHINE_RUNNING && cpu_now(cpu) + LONGEST_WAIT_CYCLES < end) {
        machine_run(machine, cpu_now(cpu) + random_below(&seed, 1000));
        for (uint64_t i = random_below(&seed, MAX_PIECES); i > 0; i--)
            machine_step(machine, EV_NEVER);
        for (uint64_t i = random_below(&seed, MAX_PIECES); i > 0; i--)
            machine_run_block(machine, EV_NEVER);
        for (uint64_t i = random_below(&seed, MAX_PIECES); i > 0; i--)
            machine_step(machine, EV_NEVER);
    }
    machine_run(machine, end);
}

int main(int argc, char **argv)
{
    struct diag diag;
    diag_init(&diag);
    if (argc < 6) {
        fprintf(stderr, "usage: slices IMAGE STATS.JSON LENGTH END ARGUMENTS [PATH=VALUE ...]\n");
        return 2;
    }
    struct cfg *cfg = cfg_create();
    bool is_good = cfg != NULL;
    for (int i = 6; is_good && i < argc; i++)
        is_good = cfg_set(cfg, argv[i], &diag);
    if (!is_good || !cfg_check(cfg, &diag))
        return give_up(&diag, "configuration");

    struct machine_params params = {.config = cfg_values(cfg)};
    struct machine *machine = machine_create(&params, &diag);
    bool is_firmware = strcmp(argv[5], "firmware") == 0;
    if (!machine || !(is_firmware ? machine_load_firmware(machine, argv[1], &diag)
                                  : machine_load(machine, argv[1], argv[5], NULL, 0, &diag)))
        return give_up(&diag, argv[1]);
    cycle_t end = strtoull(argv[4], NULL, 0);
    if (strcmp(argv[3], "singles") == 0)
        run_in_singles(machine, end);
    else if (strcmp(argv[3], "steps") != 0)
        run_in_slices(machine, strtoull(argv[3], NULL, 0), end);
    else if (!run_in_steps(machine, end))
        return give_up(&diag, "no stop");
    if (!stat_write_json(machine_stats(machine), argv[2], NULL, 0, &diag))
        return give_up(&diag, argv[2]);
    machine_destroy(machine);
    cfg_destroy(cfg);
    diag_fini(&diag);
    return 0;
}
