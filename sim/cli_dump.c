#include "sim/cli_dump.h"

#include "sim/run_checkpoint.h"
#include "sim/run_monitor.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: lookaside dump --elf-core FILE CHECKPOINT\n"
    "\n"
    "Memory and registers of a checkpoint (of a directory: the latest in it) as an ELF core,\n"
    "which gdb opens with the guest's symbols.\n"
    "\n"
    "  -e, --elf-core FILE   what is written\n"
    "  -h, --help            this text\n";

struct options {
    const char *core, *checkpoint;
    bool wants_help;
};

static bool parse(struct options *options, int argc, char **argv, struct diag *diag)
{
    static const struct option known[] = {
        {"elf-core", required_argument, NULL, 'e'}, {"help", no_argument, NULL, 'h'}, {0}};
    optind = 0; /* begins anew, as GNU getopt wants it */
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":e:h", known, NULL)) != -1;) {
        if (option == 'e')
            options->core = optarg;
        else if (option == 'h')
            options->wants_help = true;
        else
            return diag_add(diag, EXIT_STATUS_USAGE, "dump: %s: %s; see lookaside dump --help",
                            argv[optind - 1], option == ':' ? "wants a value" : "no such option");
    }
    if (options->wants_help)
        return true;
    if (!options->core || optind != argc - 1)
        return diag_add(diag, EXIT_STATUS_USAGE,
                        "dump: wants --elf-core FILE and one checkpoint; see lookaside dump --help");
    options->checkpoint = argv[optind];
    return true;
}

/* The machine of a checkpoint whose head has been read, which is freed. */
static bool dump_machine(const struct options *options, struct checkpoint_file *checkpoint,
                         const struct run_options *run, const struct cfg *cfg, struct diag *diag)
{
    struct machine_params params = {.config = cfg_values(cfg)};
    const struct run_stats_params no_files = {.output = "."};
    memcpy(params.disks, run->disks, sizeof params.disks);
    struct run_stats *stats = run_stats_create(&no_files, diag);
    struct machine *machine = stats ? machine_create(&params, diag) : NULL;
    bool is_good = machine != NULL;
    if (is_good)
        is_good = run_checkpoint_read(checkpoint, machine, stats);
    else
        checkpoint_file_abandon(checkpoint);
    const struct run_monitor monitor = {.machine = machine};
    is_good = is_good && run_monitor_dump(&monitor, options->core, diag);
    run_stats_destroy(stats);
    machine_destroy(machine);
    return is_good;
}

static void dump(const struct options *options, struct diag *diag)
{
    struct run_options run = {.nr_disks = 0};
    struct run_origin *origin = calloc(1, sizeof *origin);
    struct cfg *cfg = cfg_create();
    struct checkpoint_file *checkpoint = NULL;
    if (!origin || !cfg)
        diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    else
        checkpoint = run_checkpoint_open(options->checkpoint, origin, cfg, diag);
    if (checkpoint && cfg_check(cfg, diag) && run_origin_continue(origin, &run, options->checkpoint, diag))
        dump_machine(options, checkpoint, &run, cfg, diag);
    else if (checkpoint)
        checkpoint_file_abandon(checkpoint);
    run_options_fini(&run);
    if (cfg)
        cfg_destroy(cfg);
    free(origin);
}

int cli_dump(int argc, char **argv)
{
    struct options options = {.core = NULL};
    struct diag diag;
    diag_init(&diag);
    if (parse(&options, argc, argv, &diag)) {
        if (options.wants_help)
            fputs(usage, stdout);
        else
            dump(&options, &diag);
    }
    for (size_t i = 0; i < diag.nr_lines; i++)
        fprintf(stderr, "lookaside: %s\n", diag.lines[i]);
    int status = (int)diag.status;
    diag_fini(&diag);
    return status;
}
