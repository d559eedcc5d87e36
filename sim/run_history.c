#include "sim/run_history.h"

#include <stdio.h>

/* Between two snapshots, as long as they have room: half a second or so to run again. */
enum { INTERVAL_CYCLES = 5000000 };

/* NULL: nothing. */
static const char *what_goes_forward_only(const struct run_options *o)
{
    for (unsigned i = 0; i < MACHINE_NR_DISKS; i++)
        if (o->disks[i].file && o->disks[i].mode == DISK_READ_WRITE)
            return "a disk that is written (,snapshot keeps what is written)";
    if (o->trace)
        return "--trace";
    if (o->profile)
        return "--profile";
    if (o->nic_sent)
        return "--nic with send=FILE";
    return o->has_view || o->screenshot || o->record ? "--view, --screenshot or --record" : NULL;
}

struct history *run_history_create(const struct run_options *options, const struct history_params *params,
                                   struct machine *machine, struct diag *diag)
{
    const char *obstacle = what_goes_forward_only(options);
    struct history_params all = *params;
    if (!options->has_gdb || options->gdb_history_mib == 0)
        return NULL;
    if (obstacle && options->has_gdb_history) {
        diag_add(diag, EXIT_STATUS_USAGE, "--gdb-history-mib: not with %s; allowed: 0", obstacle);
        return NULL;
    }
    if (obstacle) {
        fprintf(stderr, "lookaside: gdb: no going back with %s\n", obstacle);
        return NULL;
    }
    all.budget_bytes = options->gdb_history_mib << 20;
    all.interval_cycles = INTERVAL_CYCLES;
    struct history *history = history_create(&all, machine);
    if (!history)
        diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    return history;
}

size_t run_output_new(struct run_output *output, size_t nr_bytes)
{
    uint64_t before = output->most_bytes;
    output->nr_bytes += nr_bytes;
    if (output->nr_bytes <= before)
        return 0;
    output->most_bytes = output->nr_bytes;
    return (size_t)(output->nr_bytes - before);
}

void run_output_cut(struct run_output *output)
{
    output->most_bytes = output->nr_bytes;
}
