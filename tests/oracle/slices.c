/*
 * Runs a guest in slices and writes its statistics, which must not depend on the slices.
 *
 *     slices IMAGE STATS.JSON LENGTH END ARGUMENTS [PATH=VALUE ...]
 *
 * Each slice is 1 to LENGTH cycles long; LENGTH 0 makes one of everything. END is the cycle where
 * the run ends at the latest; ARGUMENTS are the guest's. Run by tests/whole/determinism.sh.
 */
#include "sim/machine.h"

#include <stdio.h>
#include <stdlib.h>

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

static void run(struct machine *machine, uint64_t length, cycle_t end)
{
    uint64_t seed = length;
    const struct cpu *cpu = machine_parts(machine).cpu;
    while (cpu_now(cpu) < end) {
        cycle_t until = length > 0 ? cpu_now(cpu) + 1 + random_below(&seed, length) : end;
        if (machine_run(machine, until < end ? until : end) != MACHINE_RUNNING)
            break;
    }
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
    if (!machine || !machine_load(machine, argv[1], argv[5], NULL, 0, &diag))
        return give_up(&diag, argv[1]);
    run(machine, strtoull(argv[3], NULL, 0), strtoull(argv[4], NULL, 0));
    if (!stat_write_json(machine_stats(machine), argv[2], NULL, 0, &diag))
        return give_up(&diag, argv[2]);
    machine_destroy(machine);
    cfg_destroy(cfg);
    diag_fini(&diag);
    return 0;
}
