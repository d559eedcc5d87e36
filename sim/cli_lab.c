#include "sim/cli_lab.h"

#include "sim/base/jsonout.h"
#include "sim/lab.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: lookaside lab list [--json]\n"
    "       lookaside lab NAME [OPTION ...]\n"
    "       lookaside lab all [OPTION ...]\n"
    "\n"
    "Runs an experiment on the configured machine and reports what it showed; all: those that check "
    "themselves.\n"
    "\n"
    "  -c, --config FILE      the machine, as JSON; later ones win over earlier ones\n"
    "  -s, --set path=value   one key of it, such as cache.l2.size=1MiB; wins over files\n"
    "  -k, --kernel NAME      of the bundled guest's kernels: i386 (the default), or i386-pae\n"
    "  -o, --output DIR       where pictures go (lookaside.out)\n"
    "  -j, --json             the report as JSON\n"
    "  -h, --help             this text\n"
    "\n"
    "exit status: 0 done, or passed; 1 a lab failed; 64 a mistake in the command line; 65 in a "
    "configuration; 66 a file that cannot be\n"
    "read; 70 a mistake of lookaside's own; 73 a file that cannot be written\n";

enum { TITLE_BYTES = 64, KEY_COLUMN = 55 };

struct options {
    struct cfg *cfg;
    const char *output;
    const char *kernel; /* NULL: the usual one */
    char title[TITLE_BYTES];
    bool wants_help, wants_json;
};

/* One command line, and what came of it. */
struct command {
    struct options options;
    int argc;
    char **argv; /* argv[0] is the lab */
    struct diag diag;
    bool has_failed; /* a lab */
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

static bool take_kernel(struct options *options, const char *name, struct diag *diag)
{
    options->kernel = name;
    if (strcmp(name, "i386") == 0 || strcmp(name, "i386-pae") == 0)
        return true;
    return diag_add(diag, EXIT_STATUS_USAGE, "lab: --kernel: %.60s: no such kernel; allowed: i386, i386-pae",
                    name);
}

/* Files before settings, wherever they stand. */
static bool parse_options(int argc, char **argv, struct options *options, struct diag *diag)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'},
        {"set", required_argument, NULL, 's'},
        {"output", required_argument, NULL, 'o'},
        {"json", no_argument, NULL, 'j'},
        {"kernel", required_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    bool is_good = true;
    for (unsigned pass = 0; pass < 2; pass++) {
        optind = 0; /* begins anew, as GNU getopt wants it */
        opterr = 0;
        for (int option; (option = getopt_long(argc, argv, ":c:s:k:o:jh", known, NULL)) != -1;) {
            if (option == 'c' && pass == 0) {
                make_title(options->title, optarg);
                is_good &= cfg_load_file(options->cfg, optarg, diag);
            } else if (option == 's' && pass == 1) {
                is_good &= cfg_set(options->cfg, optarg, diag);
            } else if (option == 'k' && pass == 0) {
                is_good &= take_kernel(options, optarg, diag);
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

static const struct lab_row *find_lab(const char *name)
{
    for (unsigned i = 0; i < nr_lab_rows; i++) {
        if (strcmp(lab_rows[i].name, name) == 0)
            return &lab_rows[i];
    }
    return NULL;
}

/* Reads the options into `options->cfg`, made anew, with the row's settings for that machine on top. */
static bool configure(struct command *command, const struct lab_row *row, unsigned machine)
{
    struct options *options = &command->options;
    struct diag *diag = &command->diag;
    cfg_destroy(options->cfg);
    options->cfg = cfg_create();
    if (!options->cfg)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    if (!parse_options(command->argc, command->argv, options, diag))
        return false;
    if (options->wants_help)
        return true;
    for (unsigned i = 0; row && i < LAB_MAX_SETTINGS && row->machines[machine].settings[i]; i++) {
        if (!cfg_set(options->cfg, row->machines[machine].settings[i], diag))
            return false;
    }
    if (!cfg_check(options->cfg, diag))
        return false;
    if (cfg_values(options->cfg)->cpu_model == CFG_CPU_FUNCTIONAL)
        return diag_add(diag, EXIT_STATUS_USAGE,
                        "cpu.model: functional, which counts no cycles; allowed for a lab: inorder");
    return true;
}

/* On each of its machines, then what is to be seen by comparing them. */
static bool run_guest_lab(struct command *command, struct lab_result *result)
{
    const struct lab_row *row = result->row;
    for (unsigned i = 0; i < LAB_MAX_MACHINES && (i == 0 || row->machines[i].name); i++) {
        if (!configure(command, row, i))
            return false;
        result->kernel = command->options.kernel ? command->options.kernel : "i386";
        const char *name = row->machines[i].name ? row->machines[i].name : command->options.title;
        if (!lab_run_guest(result, cfg_values(command->options.cfg), name, &command->diag))
            return false;
    }
    if (row->check && lab_verdict(result) != LAB_SKIPPED)
        row->check(result);
    return true;
}

/* LAB.svg, or LAB-MACHINE.svg where there are several. */
static bool draw_timelines(struct command *command, const struct lab_result *result)
{
    const struct options *options = &command->options;
    for (unsigned i = 0; i < result->nr_outcomes; i++) {
        const struct lab_outcome *outcome = &result->outcomes[i];
        char name[128], title[256];
        bool is_one = result->nr_outcomes == 1;
        snprintf(name, sizeof name, "%s%s%s.svg", result->row->name, is_one ? "" : "-",
                 is_one ? "" : outcome->machine);
        snprintf(title, sizeof title, "lab %s on %s, kernel-%s", result->row->name, outcome->machine,
                 result->kernel);
        if (!timeline_write(&outcome->timeline, title, options->output, name, &command->diag))
            return false;
        if (!options->wants_json)
            printf("picture: %s/%s\n", options->output, name);
    }
    return true;
}

static void run_one(struct command *command, const struct lab_row *row)
{
    if (!configure(command, NULL, 0))
        return;
    struct options *options = &command->options;
    if (options->wants_help) {
        fputs(usage, stdout);
        return;
    }
    if (row->run && options->kernel) {
        diag_add(&command->diag, EXIT_STATUS_USAGE, "lab %s: --kernel: its guest has no kernel", row->name);
        return;
    }
    if (row->run) {
        struct lab_run run = {.config = cfg_values(options->cfg),
                              .title = options->title,
                              .output = options->output,
                              .wants_json = options->wants_json};
        row->run(&run, &command->diag);
        return;
    }
    struct lab_result result = {.row = row};
    const struct lab_run files = {.output = options->output};
    if (row->has_timeline && !lab_make_output(&files, &command->diag))
        return;
    if (run_guest_lab(command, &result)) {
        if (options->wants_json) {
            lab_put_json(&result, stdout);
            printf("\n");
        } else {
            lab_put_text(&result, stdout);
        }
        command->has_failed |= lab_verdict(&result) == LAB_FAILED;
        if (row->has_timeline && lab_verdict(&result) != LAB_SKIPPED)
            (void)draw_timelines(command, &result);
    }
    lab_result_fini(&result);
}

static void put_table_row(const struct lab_result *result)
{
    uint64_t cycles = 0;
    unsigned nr_hold, nr_claims = lab_nr_claims(result, &nr_hold);
    for (unsigned i = 0; i < result->nr_outcomes; i++)
        cycles += result->outcomes[i].cycles;
    printf("%-14s %-5s %-8s %3u of %-3u %12" PRIu64 "  %s\n", result->row->name, result->row->fact,
           lab_verdict_name(lab_verdict(result)), nr_hold, nr_claims, cycles, result->row->sentence);
    if (*lab_key_figure(result))
        printf("%*s%s\n", KEY_COLUMN, "", lab_key_figure(result));
    lab_put_failed(result, stdout);
    fflush(stdout);
}

/* A table, and a line that counts. */
static void run_all(struct command *command)
{
    unsigned nr[3] = {0}, nr_run = 0;
    if (!configure(command, NULL, 0))
        return;
    bool wants_json = command->options.wants_json;
    if (command->options.wants_help) {
        fputs(usage, stdout);
        return;
    }
    if (wants_json)
        printf("{\"labs\": [");
    else
        printf("lab            fact  outcome     claims       cycles  what it shows\n");
    for (unsigned i = 0; i < nr_lab_rows; i++) {
        struct lab_result result = {.row = &lab_rows[i]};
        if (lab_rows[i].run)
            continue;
        bool has_run = run_guest_lab(command, &result);
        if (has_run) {
            if (wants_json) {
                printf("%s\n", nr_run ? "," : "");
                lab_put_json(&result, stdout);
            } else {
                put_table_row(&result);
            }
            nr[lab_verdict(&result)]++;
            nr_run++;
        }
        lab_result_fini(&result);
        if (!has_run)
            break;
    }
    if (wants_json)
        printf("\n], \"passed\": %u, \"failed\": %u, \"skipped\": %u}\n", nr[LAB_PASSED], nr[LAB_FAILED],
               nr[LAB_SKIPPED]);
    else
        printf("%u labs: %u passed, %u failed, %u skipped\n", nr_run, nr[LAB_PASSED], nr[LAB_FAILED],
               nr[LAB_SKIPPED]);
    command->has_failed |= nr[LAB_FAILED] != 0;
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

static void list_labs(bool as_json)
{
    for (unsigned i = 0; i < nr_lab_rows; i++) {
        const struct lab_row *row = &lab_rows[i];
        if (!as_json) {
            printf("%-14s %-5s %s\n", row->name, row->fact, row->sentence);
            continue;
        }
        printf("%s\n  {\"lab\": \"%s\", \"fact\": \"%s\", \"sentence\": ", i ? "," : "[", row->name,
               row->fact);
        json_put_string(stdout, row->sentence);
        printf(", \"options\": ");
        json_put_string(stdout, row->options ? row->options : "");
        printf("}");
    }
    if (as_json)
        printf("\n]\n");
}

static void run_command(struct command *command, const char *word)
{
    const struct lab_row *row = find_lab(word);
    if (strcmp(word, "list") == 0) {
        bool is_json = command->argc == 2 && strcmp(command->argv[1], "--json") == 0;
        if (command->argc > 1 && !is_json)
            diag_add(&command->diag, EXIT_STATUS_USAGE, "lab list: %s: one word too many", command->argv[1]);
        else
            list_labs(is_json);
    } else if (strcmp(word, "all") == 0) {
        run_all(command);
    } else if (row) {
        run_one(command, row);
    } else {
        diag_add(&command->diag, EXIT_STATUS_USAGE, "lab: %.60s: no such lab; `lookaside lab list` has them",
                 word);
    }
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
    struct command command = {
        .options = {.output = "lookaside.out", .title = "default"}, .argc = argc - 1, .argv = argv + 1};
    diag_init(&command.diag);
    run_command(&command, argv[1]);
    for (size_t i = 0; i < command.diag.nr_lines; i++)
        fprintf(stderr, "lookaside: %s\n", command.diag.lines[i]);
    int status = (int)command.diag.status;
    if (status == EXIT_STATUS_OK && command.has_failed)
        status = 1;
    cfg_destroy(command.options.cfg);
    diag_fini(&command.diag);
    return status;
}
