#include "sim/cli_trace.h"

#include "sim/base/outfile.h"
#include "sim/observe/trace_export.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_WINDOW_CYCLES = 200 };

static const char usage[] =
    "usage: lookaside trace info FILE [--json]\n"
    "       lookaside trace cycles FILE [--from N] [--to M] [--stages|--instructions] [--json]\n"
    "       lookaside trace konata|perfetto|vcd|csv FILE [-o OUTPUT] [--from N] [--to M]\n"
    "\n"
    "info      what the trace is of, how many records and cycles it holds, and its size\n"
    "cycles    for each of these cycles what is in each stage of the pipeline, one line a cycle; then the\n"
    "          instructions, one line each, with their misses and page walks\n"
    "konata    the same for Konata, a viewer of pipelines\n"
    "perfetto  ... for ui.perfetto.dev and chrome://tracing (JSON)\n"
    "vcd       ... for GTKWave and other viewers of waveforms\n"
    "csv       ... a line an instruction, for spreadsheets and programs\n"
    "\n"
    "      --from N         the first cycle; without it the first of the trace\n"
    "      --to M           the last cycle, which belongs to it; without it cycles shows 200, others all\n"
    "  -o, --output OUTPUT  where to write; without it to standard output\n"
    "      --kinds LIST     only records of these kinds: instructions, translations, accesses, exceptions,\n"
    "                       controls, requests, devices, marks\n"
    "      --address A-B    only what lies at or goes to these linear addresses\n"
    "      --stages         only the lines of cycles\n"
    "      --instructions   only the lines of instructions\n"
    "      --json           both as one JSON object\n"
    "  -h, --help           this text\n"
    "\n"
    "exit status: 0 all well; 64 a mistake in the command line; 65 a damaged trace; 66 a file that cannot be "
    "read;\n"
    "73 the output cannot be written\n";

enum command {
    COMMAND_INFO,
    COMMAND_CYCLES,
    COMMAND_KONATA,
    COMMAND_PERFETTO,
    COMMAND_VCD,
    COMMAND_CSV,
    NR_COMMANDS
};
static const char *const commands[NR_COMMANDS] = {"info", "cycles", "konata", "perfetto", "vcd", "csv"};

enum option_id {
    OPTION_FROM,
    OPTION_TO,
    OPTION_STAGES,
    OPTION_INSTRUCTIONS,
    OPTION_JSON,
    OPTION_OUTPUT,
    OPTION_KINDS,
    OPTION_ADDRESS,
    OPTION_HELP,
    NR_OPTIONS
};

/* A bit a command. */
enum {
    FOR_INFO = 1 << COMMAND_INFO,
    FOR_CYCLES = 1 << COMMAND_CYCLES,
    FOR_EXPORT = 1 << COMMAND_KONATA | 1 << COMMAND_PERFETTO | 1 << COMMAND_VCD | 1 << COMMAND_CSV,
};

static const struct {
    const char *name;
    bool takes_value;
    unsigned commands;
    const char *only_for;
} known_options[NR_OPTIONS] = {
    [OPTION_FROM] = {"--from", true, FOR_CYCLES | FOR_EXPORT, "cycles and what converts"},
    [OPTION_TO] = {"--to", true, FOR_CYCLES | FOR_EXPORT, "cycles and what converts"},
    [OPTION_STAGES] = {"--stages", false, FOR_CYCLES, "cycles"},
    [OPTION_INSTRUCTIONS] = {"--instructions", false, FOR_CYCLES, "cycles"},
    [OPTION_JSON] = {"--json", false, FOR_INFO | FOR_CYCLES, "info and cycles"},
    [OPTION_OUTPUT] = {"--output", true, FOR_EXPORT, "what converts"},
    [OPTION_KINDS] = {"--kinds", true, FOR_CYCLES | FOR_EXPORT, "cycles and what converts"},
    [OPTION_ADDRESS] = {"--address", true, FOR_CYCLES | FOR_EXPORT, "cycles and what converts"},
    [OPTION_HELP] = {"--help", false, FOR_INFO | FOR_CYCLES | FOR_EXPORT, ""},
};

struct options {
    enum command command;
    const char *file, *output;
    bool is_set[NR_OPTIONS];
    cycle_t from, to;
    struct trace_filter filter;
};

/* How many letters must be changed, added or left out (Levenshtein), up to what fits. */
static unsigned distance(const char *a, const char *b)
{
    enum { MAX_CHARS = 31 };
    unsigned row[MAX_CHARS + 1];
    size_t length = strlen(b);
    if (length > MAX_CHARS || strlen(a) > MAX_CHARS)
        return MAX_CHARS;
    for (unsigned j = 0; j <= length; j++)
        row[j] = j;
    for (unsigned i = 0; a[i]; i++) {
        unsigned diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            unsigned best = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            best = best < diagonal + 1 ? best : diagonal + 1;
            row[j + 1] = best < row[j] + 1 ? best : row[j] + 1;
        }
    }
    return row[length];
}

static bool unknown_option(const char *command, const char *word, struct diag *diag)
{
    const char *nearest = known_options[0].name;
    for (unsigned i = 1; i < NR_OPTIONS; i++) {
        if (distance(word, known_options[i].name) < distance(word, nearest))
            nearest = known_options[i].name;
    }
    return diag_add(diag, EXIT_STATUS_USAGE, "trace %s: %s: no such option; the nearest is %s", command, word,
                    nearest);
}

/* Decimal, with K, M or G for thousands; or hexadecimal with 0x; underscores may part the digits. */
static bool parse_cycle(const char *command, const char *option, const char *text, cycle_t *cycle,
                        struct diag *diag)
{
    char digits[32], *end = digits;
    for (const char *from = text; *from && end < digits + sizeof digits - 1; from++) {
        if (*from != '_')
            *end++ = *from;
    }
    *end = 0;
    errno = 0;
    *cycle = strtoull(digits, &end, 0);
    static const struct {
        char suffix;
        cycle_t factor;
    } factors[] = {{'K', 1000}, {'M', 1000000}, {'G', 1000000000}};
    for (size_t i = 0; i < sizeof factors / sizeof *factors && digits[0] != 0; i++) {
        if (end == digits || *end != factors[i].suffix || end[1] || *cycle > UINT64_MAX / factors[i].factor)
            continue;
        *cycle *= factors[i].factor;
        end++;
    }
    if (errno || *end || end == digits || digits[0] == '-' || digits[0] == '+' || digits[0] == ' ')
        return diag_add(diag, EXIT_STATUS_USAGE, "trace %s: %s: %s: a cycle is a number from 0 to 2^64-1",
                        command, option, text);
    return true;
}

static bool take_value(struct options *options, enum option_id option, const char *value, struct diag *diag)
{
    const char *command = commands[options->command], *name = known_options[option].name;
    char where[64];
    snprintf(where, sizeof where, "trace %s: %s", command, name);
    switch (option) {
    case OPTION_OUTPUT:
        options->output = value;
        return true;
    case OPTION_KINDS:
        return trace_filter_parse_kinds(&options->filter, where, value, diag);
    case OPTION_ADDRESS:
        return trace_filter_parse_address(&options->filter, where, value, diag);
    default:
        return parse_cycle(command, name, value, option == OPTION_FROM ? &options->from : &options->to, diag);
    }
}

/* An option in argv[*at]; `--name value` and `--name=value` are the same. */
static bool parse_option(int argc, char **argv, int *at, struct options *options, struct diag *diag)
{
    const char *command = argv[0], *word = argv[*at];
    const char *equals = word[1] == '-' ? strchr(word, '=') : NULL;
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    enum option_id option = OPTION_FROM;
    if (strcmp(word, "-h") == 0)
        option = OPTION_HELP;
    else if (strcmp(word, "-o") == 0)
        option = OPTION_OUTPUT;
    else
        while (option < NR_OPTIONS && (strlen(known_options[option].name) != length ||
                                       strncmp(word, known_options[option].name, length) != 0))
            option++;
    if (option == NR_OPTIONS)
        return unknown_option(command, word, diag);
    const char *name = known_options[option].name;
    if (!(known_options[option].commands >> options->command & 1))
        return diag_add(diag, EXIT_STATUS_USAGE, "trace %s: %s: only for %s", command, name,
                        known_options[option].only_for);
    options->is_set[option] = true;
    if (!known_options[option].takes_value)
        return !equals || diag_add(diag, EXIT_STATUS_USAGE, "trace %s: %s takes no value", command, name);
    const char *value = equals ? equals + 1 : *at + 1 < argc ? argv[++*at] : NULL;
    if (!value)
        return diag_add(diag, EXIT_STATUS_USAGE, "trace %s: %s: its value is missing", command, name);
    return take_value(options, option, value, diag);
}

/* argv[0] is the subcommand. */
static bool parse(int argc, char **argv, struct options *options, struct diag *diag)
{
    bool only_files = false;
    for (int i = 1; i < argc; i++) {
        if (!only_files && strcmp(argv[i], "--") == 0) {
            only_files = true;
        } else if (!only_files && argv[i][0] == '-' && argv[i][1]) {
            if (!parse_option(argc, argv, &i, options, diag))
                return false;
        } else if (options->file) {
            return diag_add(diag, EXIT_STATUS_USAGE, "trace %s: %s: a word too many; one file is read",
                            argv[0], argv[i]);
        } else {
            options->file = argv[i];
        }
    }
    if (options->is_set[OPTION_HELP])
        return true;
    if (!options->file)
        return diag_add(diag, EXIT_STATUS_USAGE, "trace %s: no file named", argv[0]);
    if (options->is_set[OPTION_FROM] && options->is_set[OPTION_TO] && options->from > options->to)
        return diag_add(diag, EXIT_STATUS_USAGE, "trace %s: --from %" PRIu64 " lies behind --to %" PRIu64,
                        argv[0], options->from, options->to);
    return true;
}

/* Which cycles to show: what was asked for, or a stretch that a person can read. */
static bool choose_window(const struct options *options, const struct trace_info *info,
                          struct trace_show *show, struct diag *diag)
{
    bool has_from = options->is_set[OPTION_FROM], has_to = options->is_set[OPTION_TO];
    cycle_t first = info->cycles.first, last = info->cycles.last;
    if (first > last)
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: there is no cycle in this trace", options->file);
    show->from = has_from ? options->from : first;
    if (show->from > last || (has_to && options->to < first))
        return diag_add(diag, EXIT_STATUS_USAGE, "trace %s: %s holds the cycles %" PRIu64 " to %" PRIu64,
                        commands[options->command], options->file, first, last);
    show->to = has_to ? options->to : last;
    if (options->command == COMMAND_CYCLES && !has_to && last - show->from >= DEFAULT_WINDOW_CYCLES) {
        show->to = show->from + DEFAULT_WINDOW_CYCLES - 1;
        fprintf(stderr,
                "lookaside: cycles %" PRIu64 " to %" PRIu64 " of %" PRIu64 " to %" PRIu64
                "; --to shows more\n",
                show->from, show->to, first, last);
    }
    if (show->from < first)
        show->from = first;
    if (show->to > last)
        show->to = last;
    return true;
}

static void show_cycles(const struct options *options, struct trace_reader *reader, struct diag *diag)
{
    struct trace_show show = {.reader = reader, .out = stdout};
    bool wants_stages = !options->is_set[OPTION_INSTRUCTIONS] || options->is_set[OPTION_STAGES];
    bool wants_instructions = !options->is_set[OPTION_STAGES] || options->is_set[OPTION_INSTRUCTIONS];
    if (!choose_window(options, trace_info(reader), &show, diag))
        return;
    if (options->is_set[OPTION_JSON]) {
        trace_show_json(&show, diag);
        return;
    }
    if (wants_stages && !trace_show_cycles(&show, diag))
        return;
    if (wants_stages && wants_instructions)
        putchar('\n');
    if (wants_instructions && !trace_show_instructions(&show, diag))
        return;
    trace_show_legend(stdout);
}

static void export(const struct options *options, const struct trace_show *show, struct diag *diag)
{
    cycle_t stopped_at = 0;
    switch (options->command) {
    case COMMAND_KONATA:
        trace_export_konata(show, diag);
        break;
    case COMMAND_PERFETTO:
        trace_export_perfetto(show, &stopped_at, diag);
        break;
    case COMMAND_VCD:
        trace_export_vcd(show, diag);
        break;
    default:
        trace_export_csv(show, diag);
        break;
    }
    if (stopped_at)
        fprintf(stderr,
                "lookaside: more than %u MB are too much for a browser: it ends in cycle %" PRIu64
                "; --from and --to choose\n",
                TRACE_PERFETTO_MAX_BYTES / 1000000, stopped_at);
}

/* To a file that bears its name only when it is whole, or to standard output. */
static void convert(const struct options *options, struct trace_reader *reader, struct diag *diag)
{
    struct trace_show show = {.reader = reader, .out = stdout};
    struct outfile file;
    if (!choose_window(options, trace_info(reader), &show, diag) ||
        (options->output && !outfile_open(&file, options->output, diag)))
        return;
    if (options->output)
        show.out = file.to;
    export(options, &show, diag);
    if (options->output && diag->status == EXIT_STATUS_OK)
        outfile_commit(&file, diag);
    else if (options->output)
        outfile_abandon(&file);
}

static void run(const struct options *options, struct diag *diag)
{
    struct trace_reader *reader = trace_open(options->file, diag);
    if (!reader)
        return;
    const struct trace_info *info = trace_info(reader);
    trace_set_filter(reader, &options->filter);
    if (info->is_cut)
        fprintf(stderr,
                "lookaside: %s: no index at its end (the run or the file was cut off); readable are the "
                "first %" PRIu64 " of %" PRIu64 " bytes\n",
                options->file, info->good_bytes, info->file_bytes);
    if (options->command == COMMAND_CYCLES)
        show_cycles(options, reader, diag);
    else if (options->command != COMMAND_INFO)
        convert(options, reader, diag);
    else if (options->is_set[OPTION_JSON])
        trace_show_info_json(info, options->file, stdout);
    else
        trace_show_info(info, options->file, stdout);
    trace_close(reader);
    if (fflush(stdout) != 0 || ferror(stdout))
        diag_add(diag, EXIT_STATUS_NO_OUTPUT, "standard output: cannot be written");
}

int cli_trace(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    struct diag diag;
    diag_init(&diag);
    struct options options = {.filter = trace_filter_of_all()};
    while (options.command < NR_COMMANDS && strcmp(command, commands[options.command]) != 0)
        options.command++;
    if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0)
        fputs(usage, stdout);
    else if (options.command == NR_COMMANDS)
        diag_add(&diag, EXIT_STATUS_USAGE,
                 "trace: %s; allowed: info, cycles, konata, perfetto, vcd, csv (trace --help says more)",
                 *command ? command : "no subcommand");
    else if (parse(argc - 1, argv + 1, &options, &diag)) {
        if (options.is_set[OPTION_HELP])
            fputs(usage, stdout);
        else
            run(&options, &diag);
    }
    for (size_t i = 0; i < diag.nr_lines; i++)
        fprintf(stderr, "lookaside: %s\n", diag.lines[i]);
    int status = (int)diag.status;
    diag_fini(&diag);
    return status;
}
