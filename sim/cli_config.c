#include "sim/cli_config.h"

#include "sim/base/config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: lookaside config check [-s path=value ...] FILE...\n"
    "       lookaside config show [-c FILE ...] [-s path=value ...] [--json]\n"
    "       lookaside config schema\n"
    "\n"
    "check   reads each file by itself and says all that is wrong with it, one line a mistake\n"
    "show    prints the configuration that a run with these options has: every key, where it comes from, "
    "what it means\n"
    "schema  prints a JSON Schema (draft 2020-12) for editors\n"
    "\n"
    "  -c, --config FILE      a configuration; later ones win over earlier ones\n"
    "  -s, --set path=value   one key, such as tlb.l1d.ways=4; wins over files\n"
    "  -j, --json             show: strict JSON, each key with its value and where that comes from\n"
    "  -h, --help             this text\n"
    "\n"
    "exit status: 0 all well; 64 a mistake in the command line; 65 in a file; 66 a file that cannot be "
    "read\n";

struct options {
    const char **files, **settings; /* both have room for argc */
    int nr_files, nr_settings;
    bool wants_help, wants_json;
};

static void print_mistakes(const struct diag *diag)
{
    for (size_t i = 0; i < diag->nr_lines; i++)
        fprintf(stderr, "lookaside: %s\n", diag->lines[i]);
}

/* `argv` begins with the subcommand. For `show` files come by -c; for the others words are files. */
static bool parse_options(int argc, char **argv, struct options *options, struct diag *diag)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'},
        {"set", required_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    bool is_show = strcmp(argv[0], "show") == 0;
    optind = 0; /* begins anew, as GNU getopt wants it */
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":c:s:jh", known, NULL)) != -1;) {
        switch (option) {
        case 'c':
            options->files[options->nr_files++] = optarg;
            break;
        case 's':
            options->settings[options->nr_settings++] = optarg;
            break;
        case 'j':
            options->wants_json = true;
            break;
        case 'h':
            options->wants_help = true;
            break;
        default:
            return diag_add(diag, EXIT_STATUS_USAGE,
                            "config %s: %s: %s; allowed: -c FILE, -s path=value, --json, --help", argv[0],
                            argv[optind - 1], option == ':' ? "its value is missing" : "no such option");
        }
    }
    if (is_show && optind < argc)
        return diag_add(diag, EXIT_STATUS_USAGE, "config show: %s: a word too many; files come with -c",
                        argv[optind]);
    while (optind < argc)
        options->files[options->nr_files++] = argv[optind++];
    return true;
}

/*
 * Reads files [from, from + nr) and then the settings into a fresh configuration; NULL when anything is
 * wrong.
 */
static struct cfg *read_config(const struct options *options, int from, int nr_files, struct diag *diag)
{
    struct cfg *cfg = cfg_create();
    if (!cfg) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
        return NULL;
    }
    bool is_good = true;
    for (int i = from; i < from + nr_files; i++)
        is_good &= cfg_load_file(cfg, options->files[i], diag);
    for (int i = 0; i < options->nr_settings; i++)
        is_good &= cfg_set(cfg, options->settings[i], diag);
    is_good &= cfg_check(cfg, diag);
    if (is_good)
        return cfg;
    cfg_destroy(cfg);
    return NULL;
}

static void check(const struct options *options, struct diag *diag)
{
    if (options->nr_files == 0)
        diag_add(diag, EXIT_STATUS_USAGE, "config check: no file named");
    for (int i = 0; i < options->nr_files; i++) {
        struct cfg *cfg = read_config(options, i, 1, diag);
        if (cfg)
            fprintf(stderr, "%s: no mistakes\n", options->files[i]);
        cfg_destroy(cfg);
    }
}

static void show(const struct options *options, struct diag *diag)
{
    struct cfg *cfg = read_config(options, 0, options->nr_files, diag);
    if (cfg && options->wants_json)
        cfg_show_json(cfg, stdout);
    else if (cfg)
        cfg_show(cfg, stdout);
    cfg_destroy(cfg);
}

static void run(int argc, char **argv, struct options *options, struct diag *diag)
{
    if (!parse_options(argc, argv, options, diag))
        return;
    if (options->wants_help)
        fputs(usage, stdout);
    else if (strcmp(argv[0], "check") == 0)
        check(options, diag);
    else if (strcmp(argv[0], "show") == 0)
        show(options, diag);
    else if (options->nr_files || options->nr_settings)
        diag_add(diag, EXIT_STATUS_USAGE, "config schema: takes no arguments");
    else
        cfg_schema(stdout);
    if (fflush(stdout) != 0 || ferror(stdout))
        diag_add(diag, EXIT_STATUS_NO_OUTPUT, "standard output: cannot be written");
}

int cli_config(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0) {
        fputs(usage, stdout);
        return EXIT_STATUS_OK;
    }
    struct diag diag;
    diag_init(&diag);
    struct options options = {
        .files = calloc((size_t)argc + 1, sizeof(char *)),
        .settings = calloc((size_t)argc + 1, sizeof(char *)),
    };
    bool is_command =
        strcmp(command, "check") == 0 || strcmp(command, "show") == 0 || strcmp(command, "schema") == 0;
    if (!options.files || !options.settings)
        diag_add(&diag, EXIT_STATUS_INTERNAL, "out of memory");
    else if (!is_command)
        diag_add(&diag, EXIT_STATUS_USAGE,
                 "config: %s; allowed: check, show, schema (config --help says more)",
                 *command ? command : "no subcommand");
    else
        run(argc - 1, argv + 1, &options, &diag);
    print_mistakes(&diag);
    int status = (int)diag.status;
    diag_fini(&diag);
    free(options.files);
    free(options.settings);
    return status;
}
