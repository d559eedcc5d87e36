/* The command line: the first word says what to do. */
#include "sim/cli_config.h"
#include "sim/cli_dump.h"
#include "sim/cli_lab.h"
#include "sim/cli_profile.h"
#include "sim/cli_run.h"
#include "sim/cli_trace.h"
#include "version.h"

#include "sim/base/diag.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: lookaside COMMAND [ARGUMENT ...]\n"
    "\n"
    "  run      runs a guest image, or `demo`: the bundled guest\n"
    "  config   checks, shows and describes configurations\n"
    "  trace    reads the trace of a run: what was in each stage in each cycle\n"
    "  profile  where the cycles of a run went: by function, line, process, call stack\n"
    "  dump     memory and registers of a checkpoint as an ELF core\n"
    "  lab      experiments on the configured machine, such as what a load takes\n"
    "  version  which lookaside this is\n"
    "  help     this text; `lookaside COMMAND --help` says more\n";

static int cli_version(int argc, char **argv)
{
    (void)argc, (void)argv;
    printf("lookaside %s (%s)\n", LK_VERSION, LK_GIT_HASH);
    return EXIT_STATUS_OK;
}

static int cli_help(int argc, char **argv)
{
    (void)argc, (void)argv;
    fputs(usage, stdout);
    return EXIT_STATUS_OK;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {
        {"run", cli_run},     {"config", cli_config},     {"trace", cli_trace},     {"profile", cli_profile},
        {"dump", cli_dump},   {"lab", cli_lab},           {"version", cli_version}, {"help", cli_help},
        {"--help", cli_help}, {"--version", cli_version}, {"-h", cli_help},
    };
    if (argc < 2) {
        fputs(usage, stderr);
        return EXIT_STATUS_USAGE;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(
        stderr,
        "lookaside: %s: no such command; there are run, config, trace, profile, dump, lab, version, help\n",
        argv[1]);
    return EXIT_STATUS_USAGE;
}
