#include "sim/cli_profile.h"

#include "sim/base/outfile.h"
#include "sim/observe/profile_report.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_ROWS = 25 };

static const char usage[] =
    "usage: lookaside profile top FILE [--lines|--processes] [OPTION ...]\n"
    "       lookaside profile flame FILE [OPTION ...]\n"
    "       lookaside profile annotate FILE FUNCTION [OPTION ...]\n"
    "       lookaside profile diff BEFORE AFTER [--lines|--processes] [OPTION ...]\n"
    "       lookaside profile callgrind FILE [OPTION ...]\n"
    "\n"
    "top        the functions with the most cycles, or of another event\n"
    "flame      a line a call stack, `process;caller;function COUNT`, for flame graphs\n"
    "annotate   a function's instructions, with what each of them took\n"
    "diff       what took more or less in the second of two runs\n"
    "callgrind  for callgrind_annotate and KCachegrind\n"
    "\n"
    "      --event NAME     sort by, or show: cycles (else), instructions, itlb_misses, dtlb_misses, walks,\n"
    "                       walk_cycles, l1i_misses, l1d_misses, l2_misses, page_faults, mispredicts\n"
    "      --lines          by source line, not by function\n"
    "      --processes      by process, user and kernel\n"
    "      --process NAME   only what ran in this process\n"
    "      --symbols FILE[@ADDRESS]  an ELF file of the guest's besides its image; may be given more than "
    "once\n"
    "      --limit N        so many rows; 0 for all of them\n"
    "  -o, --output OUTPUT  where to write; without it to standard output\n"
    "      --json           top, flame and diff as JSON\n"
    "  -h, --help           this text\n"
    "\n"
    "exit status: 0 all well; 64 a mistake in the command line; 65 a damaged profile; 66 a file that cannot "
    "be\n"
    "read; 73 the output cannot be written\n";

enum command { COMMAND_TOP, COMMAND_FLAME, COMMAND_ANNOTATE, COMMAND_DIFF, COMMAND_CALLGRIND, NR_COMMANDS };
static const char *const commands[NR_COMMANDS] = {"top", "flame", "annotate", "diff", "callgrind"};

enum option_id {
    OPTION_EVENT = 256,
    OPTION_LINES,
    OPTION_PROCESSES,
    OPTION_PROCESS,
    OPTION_SYMBOLS,
    OPTION_LIMIT,
    OPTION_JSON,
};

static const struct option known[] = {
    {"event", required_argument, NULL, OPTION_EVENT},
    {"lines", no_argument, NULL, OPTION_LINES},
    {"processes", no_argument, NULL, OPTION_PROCESSES},
    {"process", required_argument, NULL, OPTION_PROCESS},
    {"symbols", required_argument, NULL, OPTION_SYMBOLS},
    {"limit", required_argument, NULL, OPTION_LIMIT},
    {"output", required_argument, NULL, 'o'},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, 'h'},
    {0},
};

struct options {
    enum command command;
    struct profile_report report; /* what was asked for, but for the files */
    const char *words[2];
    size_t nr_words;
    const char **symbols;
    size_t nr_symbols;
    const char *output;
    bool wants_help;
};

static bool take_event(struct options *options, const char *text, struct diag *diag)
{
    for (enum profile_event event = 0; event < NR_PROFILE_EVENTS; event++) {
        if (strcmp(text, profile_event_names[event]) == 0) {
            options->report.event = event;
            return true;
        }
    }
    char names[256] = "";
    for (enum profile_event event = 0; event < NR_PROFILE_EVENTS; event++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", event ? ", " : "",
                 profile_event_names[event]);
    return diag_add(diag, EXIT_STATUS_USAGE, "profile: --event: '%s'; allowed: %s", text, names);
}

static bool take_limit(struct options *options, const char *text, struct diag *diag)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno)
        return diag_add(diag, EXIT_STATUS_USAGE, "profile: --limit: '%s' is no number of rows", text);
    options->report.limit = value;
    return true;
}

static bool take(struct options *options, int option, char **argv, struct diag *diag)
{
    switch (option) {
    case OPTION_EVENT:
        return take_event(options, optarg, diag);
    case OPTION_LINES:
    case OPTION_PROCESSES:
        options->report.grouping = option == OPTION_LINES ? PROFILE_BY_LINE : PROFILE_BY_PROCESS;
        return options->command == COMMAND_TOP || options->command == COMMAND_DIFF ||
               diag_add(diag, EXIT_STATUS_USAGE, "profile %s: %s: only for top and diff", argv[0],
                        option == OPTION_LINES ? "--lines" : "--processes");
    case OPTION_PROCESS:
        options->report.process = optarg;
        return true;
    case OPTION_SYMBOLS:
        options->symbols[options->nr_symbols++] = optarg;
        return true;
    case OPTION_LIMIT:
        return take_limit(options, optarg, diag);
    case OPTION_JSON:
        options->report.is_json = true;
        return (options->command != COMMAND_ANNOTATE && options->command != COMMAND_CALLGRIND) ||
               diag_add(diag, EXIT_STATUS_USAGE, "profile %s: --json: only for top, flame and diff", argv[0]);
    case 'o':
        options->output = optarg;
        return true;
    case 'h':
        options->wants_help = true;
        return true;
    default:
        return diag_add(diag, EXIT_STATUS_USAGE, "profile %s: %s: %s; see lookaside profile --help", argv[0],
                        argv[optind - 1], option == ':' ? "its value is missing" : "no such option");
    }
}

/* argv[0] is the subcommand. */
static bool parse(struct options *options, int argc, char **argv, struct diag *diag)
{
    options->report.limit = DEFAULT_ROWS;
    options->symbols = calloc((size_t)argc, sizeof *options->symbols);
    if (!options->symbols)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    optind = 0; /* begins anew, as GNU getopt wants it */
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":o:h", known, NULL)) != -1;)
        if (!take(options, option, argv, diag))
            return false;
    if (options->wants_help)
        return true;
    size_t wanted = options->command == COMMAND_DIFF || options->command == COMMAND_ANNOTATE ? 2 : 1;
    for (; optind < argc && options->nr_words < wanted; optind++)
        options->words[options->nr_words++] = argv[optind];
    if (options->nr_words < wanted)
        return diag_add(diag, EXIT_STATUS_USAGE, "profile %s: wants %s; see lookaside profile --help",
                        argv[0],
                        options->command == COMMAND_DIFF       ? "two files"
                        : options->command == COMMAND_ANNOTATE ? "a file and the name of a function"
                                                               : "a file");
    return optind == argc ||
           diag_add(diag, EXIT_STATUS_USAGE, "profile %s: %s: a word too many", argv[0], argv[optind]);
}

struct input {
    struct profile profile;
    struct profile_symbols *symbols;
};

static bool open_input(struct input *input, const struct options *options, const char *file,
                       struct diag *diag)
{
    if (!profile_read(&input->profile, file, diag))
        return false;
    if (input->profile.is_cut)
        fprintf(
            stderr,
            "lookaside: %s: its end is missing (the file was cut off): sums are those of the lines that are "
            "there\n",
            file);
    input->symbols = profile_symbols_create(&input->profile, options->symbols, options->nr_symbols, diag);
    return input->symbols != NULL;
}

static void close_input(struct input *input)
{
    profile_symbols_destroy(input->symbols);
    profile_fini(&input->profile);
}

static bool print(const struct options *options, const struct input *first, const struct input *second,
                  FILE *out, struct diag *diag)
{
    struct profile_report report = options->report, other;
    report.profile = &first->profile;
    report.symbols = first->symbols;
    report.out = out;
    switch (options->command) {
    case COMMAND_TOP:
        return profile_report_top(&report, diag);
    case COMMAND_FLAME:
        return profile_report_flame(&report, diag);
    case COMMAND_ANNOTATE:
        return profile_report_annotate(&report, options->words[1], diag);
    case COMMAND_DIFF:
        other = report;
        other.profile = &second->profile;
        other.symbols = second->symbols;
        return profile_report_diff(&report, &other, diag);
    default:
        return profile_report_callgrind(&report, diag);
    }
}

static void run(const struct options *options, struct diag *diag)
{
    struct input first = {.symbols = NULL}, second = {.symbols = NULL};
    struct outfile file = {.to = NULL};
    bool is_good = open_input(&first, options, options->words[0], diag);
    if (is_good && options->command == COMMAND_DIFF)
        is_good = open_input(&second, options, options->words[1], diag);
    if (is_good && options->output)
        is_good = outfile_open(&file, options->output, diag);
    if (is_good)
        is_good = print(options, &first, &second, options->output ? file.to : stdout, diag);
    if (file.to && is_good)
        outfile_commit(&file, diag);
    else if (file.to)
        outfile_abandon(&file);
    close_input(&first);
    close_input(&second);
    if (fflush(stdout) != 0 || ferror(stdout))
        diag_add(diag, EXIT_STATUS_NO_OUTPUT, "standard output: cannot be written");
}

int cli_profile(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    struct options options = {.command = COMMAND_TOP};
    struct diag diag;
    diag_init(&diag);
    while (options.command < NR_COMMANDS && strcmp(command, commands[options.command]) != 0)
        options.command++;
    if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0)
        fputs(usage, stdout);
    else if (options.command == NR_COMMANDS)
        diag_add(&diag, EXIT_STATUS_USAGE,
                 "profile: %s; allowed: top, flame, annotate, diff, callgrind (profile --help says more)",
                 *command ? command : "no subcommand");
    else if (parse(&options, argc - 1, argv + 1, &diag)) {
        if (options.wants_help)
            fputs(usage, stdout);
        else
            run(&options, &diag);
    }
    for (size_t i = 0; i < diag.nr_lines; i++)
        fprintf(stderr, "lookaside: %s\n", diag.lines[i]);
    int status = (int)diag.status;
    free(options.symbols);
    diag_fini(&diag);
    return status;
}
