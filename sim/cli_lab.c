#include "sim/cli_lab.h"

#include "sim/lab.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name;
    bool (*run)(const struct lab_run *run, struct diag *diag);
    const char *sentence;
} table[] = {
    {"latency", lab_latency, "what a load takes, against the size of what it works on: each level's plateau"},
};
enum { NR_LABS = sizeof table / sizeof *table };

static const char usage[] =
    "usage: lookaside lab list\n"
    "       lookaside lab NAME [OPTION ...]\n"
    "\n"
    "Runs an experiment on the configured machine and reports what it showed.\n"
    "\n"
    "  -c, --config FILE      the machine, as JSON; later ones win over earlier ones\n"
    "  -s, --set path=value   one key of it, such as cache.l2.size=1MiB; wins over files\n"
    "  -o, --output DIR       where pictures go (lookaside.out)\n"
    "  -j, --json             the report as JSON\n"
    "  -h, --help             this text\n"
    "\n"
    "exit status: 0 done; 64 a mistake in the command line; 65 in a configuration; 66 a file that cannot be\n"
    "read; 70 a mistake of lookaside's own; 73 a file that cannot be written\n";

enum { TITLE_BYTES = 64 };

struct options {
    struct cfg *cfg;
    const char *output;
    char title[TITLE_BYTES];
    bool wants_help, wants_json;
};

/* "configs/modern.json" is "modern". Others than plain characters would have a meaning to plotting tools. */
static void make_title(char title[TITLE_BYTES], const char *file)
{
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    size_t length = strlen(name),
           cut = length > 5 && strcmp(name + length - 5, ".json") == 0 ? length - 5 : length;
    snprintf(title, TITLE_BYTES, "%.*s", (int)(cut < TITLE_BYTES ? cut : TITLE_BYTES - 1), name);
    for (char *c = title; *c; c++) {
        if (!strchr(plain, *c))
            *c = '.';
    }
}

/* Files before settings, wherever they stand. */
static bool parse_options(int argc, char **argv, struct options *options, struct diag *diag)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'}, {"set", required_argument, NULL, 's'},
        {"output", required_argument, NULL, 'o'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},         {0},
    };
    bool is_good = true;
    for (unsigned pass = 0; pass < 2; pass++) {
        optind = 0; /* begins anew, as GNU getopt wants it */
        opterr = 0;
        for (int option; (option = getopt_long(argc, argv, ":c:s:o:jh", known, NULL)) != -1;) {
            if (option == 'c' && pass == 0) {
                make_title(options->title, optarg);
                is_good &= cfg_load_file(options->cfg, optarg, diag);
            } else if (option == 's' && pass == 1) {
                is_good &= cfg_set(options->cfg, optarg, diag);
            } else if (option == 'o') {
                options->output = optarg;
            } else if (option == 'j') {
                options->wants_json = true;
            } else if (option == 'h') {
                options->wants_help = true;
            } else if ((option == ':' || option == '?') && pass == 0) {
                is_good = diag_add(diag, EXIT_STATUS_USAGE,
                                   option == ':' ? "lab: %s wants an argument"
                                                 : "lab: %s: no such option; `lookaside lab --help` has them",
                                   argv[optind - 1]);
            }
        }
    }
    if (optind < argc)
        is_good = diag_add(diag, EXIT_STATUS_USAGE, "lab: %s: one word too many; there is one lab at a time",
                           argv[optind]);
    return is_good;
}

static int find_lab(const char *name)
{
    int i = 0;
    while (i < NR_LABS && strcmp(table[i].name, name) != 0)
        i++;
    return i;
}

static bool run_lab(int lab, struct options *options, struct diag *diag)
{
    if (!cfg_check(options->cfg, diag))
        return false;
    struct lab_run run = {.config = cfg_values(options->cfg),
                          .title = options->title,
                          .output = options->output,
                          .wants_json = options->wants_json};
    if (run.config->cpu_model == CFG_CPU_FUNCTIONAL)
        return diag_add(diag, EXIT_STATUS_USAGE,
                        "cpu.model: functional, which counts no cycles; allowed for a lab: inorder");
    return table[lab].run(&run, diag);
}

bool lab_make_output(const struct lab_run *run, struct diag *diag)
{
    struct stat there;
    if (mkdir(run->output, 0777) != 0 && errno != EEXIST)
        return diag_add(diag, EXIT_STATUS_NO_OUTPUT, "%s: cannot make this directory: %s", run->output,
                        strerror(errno));
    if (stat(run->output, &there) == 0 && !S_ISDIR(there.st_mode))
        return diag_add(diag, EXIT_STATUS_NO_OUTPUT, "%s: not a directory, which -o wants", run->output);
    if (access(run->output, W_OK | X_OK) != 0)
        return diag_add(diag, EXIT_STATUS_NO_OUTPUT, "%s: nothing can be written there: %s", run->output,
                        strerror(errno));
    return true;
}

static void list_labs(void)
{
    for (int i = 0; i < NR_LABS; i++)
        printf("%-10s %s\n", table[i].name, table[i].sentence);
}

int cli_lab(int argc, char **argv)
{
    if (argc < 2) {
        fputs(usage, stderr);
        return EXIT_STATUS_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        fputs(usage, stdout);
        return EXIT_STATUS_OK;
    }
    struct options options = {.output = "lookaside.out", .title = "default", .cfg = cfg_create()};
    struct diag diag;
    diag_init(&diag);
    int lab = find_lab(argv[1]);
    if (!options.cfg)
        diag_add(&diag, EXIT_STATUS_INTERNAL, "out of memory");
    else if (strcmp(argv[1], "list") == 0 && argc == 2)
        list_labs();
    else if (strcmp(argv[1], "list") == 0)
        diag_add(&diag, EXIT_STATUS_USAGE, "lab list: %s: one word too many", argv[2]);
    else if (lab == NR_LABS)
        diag_add(&diag, EXIT_STATUS_USAGE, "lab: %.60s: no such lab; `lookaside lab list` has them", argv[1]);
    else if (!parse_options(argc - 1, argv + 1, &options, &diag))
        ;
    else if (options.wants_help)
        fputs(usage, stdout);
    else
        run_lab(lab, &options, &diag);
    for (size_t i = 0; i < diag.nr_lines; i++)
        fprintf(stderr, "lookaside: %s\n", diag.lines[i]);
    int status = (int)diag.status;
    cfg_destroy(options.cfg);
    diag_fini(&diag);
    return status;
}
