/*
 * A profile is lines of text, so that what is left of a file that was cut off can be read, and read by
 * anybody: a word that says what the line is, then its fields. The last line has a hash of all before it.
 */
#include "sim/base/fnv.h"
#include "sim/observe/profile.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char first_line[] = "lookaside-profile 1\n";

const char *const profile_event_names[NR_PROFILE_EVENTS] = {
#define EVENT(id, name, statistic, sentence) #name,
#include "sim/observe/profile_events.def"
#undef EVENT
};

static const char *const kinds[NR_PROFILE_NODE_KINDS] = {"thread", "call", "exception", "interrupt",
                                                         "syscall"};

enum { MAX_LINE_BYTES = 8192 };

void profile_add(struct profile_counts *to, const struct profile_counts *from)
{
    for (unsigned i = 0; i < NR_PROFILE_EVENTS; i++)
        to->of[i] += from->of[i];
}

/* ---- Writing ---- */

struct writer {
    FILE *to;
    uint64_t hash;
};

__attribute__((format(printf, 2, 3))) static void put(struct writer *writer, const char *format, ...)
{
    char text[MAX_LINE_BYTES];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t nr_bytes = length < 0 ? 0 : (size_t)length < sizeof text ? (size_t)length : sizeof text - 1;
    writer->hash = fnv_add(writer->hash, text, nr_bytes);
    fwrite(text, 1, nr_bytes, writer->to);
}

static void put_counts(struct writer *writer, const struct profile_counts *counts)
{
    for (unsigned i = 0; i < NR_PROFILE_EVENTS; i++)
        put(writer, " %" PRIu64, counts->of[i]);
    put(writer, "\n");
}

/* To the end of the line, so that spaces are no matter; what would end it is replaced. */
static void put_text(struct writer *writer, const char *key, const char *value)
{
    char text[4096];
    size_t length = 0;
    for (; value[length] && length < sizeof text - 1; length++)
        text[length] = value[length] == '\n' ? '?' : value[length];
    text[length] = 0;
    put(writer, "%s %s\n", key, text);
}

void profile_write(const struct profile *profile, FILE *to)
{
    struct writer writer = {.to = to, .hash = FNV_BEGIN};
    put(&writer, "%s", first_line);
    put_text(&writer, "lookaside", profile->version);
    put_text(&writer, "config", profile->config_digest);
    put_text(&writer, "image", profile->image);
    put(&writer, "events");
    for (unsigned i = 0; i < NR_PROFILE_EVENTS; i++)
        put(&writer, " %s", profile_event_names[i]);
    put(&writer, "\n");
    for (size_t i = 0; i < profile->nr_processes; i++) {
        const struct profile_process *process = &profile->processes[i];
        put(&writer, "process %zu %" PRIx64 " %" PRIu32 " ", i, process->cr3, process->pid);
        put(&writer, "%s\n", process->name);
    }
    for (size_t i = 0; i < profile->nr_functions; i++) {
        const struct profile_function *function = &profile->functions[i];
        put(&writer, "function %" PRIx64 " %" PRIu64 " %s\n", function->begin, function->size_bytes,
            function->name);
    }
    for (size_t i = 0; i < profile->nr_code; i++) {
        const struct profile_code *code = &profile->code[i];
        put(&writer, "code %" PRIu32 " %u %" PRIx64, code->process, code->cpl, code->linear);
        put_counts(&writer, &code->counts);
    }
    for (size_t i = 0; i < profile->nr_nodes; i++) {
        const struct profile_node *node = &profile->nodes[i];
        put(&writer, "stack %zu %" PRIu32 " %" PRIu32 " %s %u %u %" PRIx64 " %" PRIx64 " %" PRIu64, i,
            node->parent, node->process, kinds[node->kind], node->vector, node->cpl, node->from, node->to,
            node->nr_calls);
        put_counts(&writer, &node->counts);
    }
    put(&writer, "total");
    put_counts(&writer, &profile->total);
    fprintf(to, "end %016" PRIx64 "\n", writer.hash);
}

/* ---- Reading ---- */

/* Numbers of a line, one after the other; once something is wrong, all that follow are 0. */
struct fields {
    const char *at;
    bool is_bad;
};

/* Of a character; what is no digit has none below 16. */
static unsigned digit_of(char character)
{
    if (character >= '0' && character <= '9')
        return (unsigned)(character - '0');
    return character >= 'a' && character <= 'f' ? (unsigned)(character - 'a') + 10 : UINT_MAX;
}

static uint64_t number(struct fields *fields, unsigned base, uint64_t limit)
{
    const char *at = fields->at;
    uint64_t value = 0;
    while (*at == ' ')
        at++;
    const char *begin = at;
    bool is_good = !fields->is_bad;
    for (unsigned digit; (digit = digit_of(*at)) < base; at++) {
        is_good &= value <= (UINT64_MAX - digit) / base;
        value = value * base + digit;
    }
    if (!is_good || at == begin || (*at && *at != ' ') || value > limit) {
        fields->is_bad = true;
        return 0;
    }
    fields->at = at;
    return value;
}

static void counts(struct fields *fields, struct profile_counts *counts)
{
    for (unsigned i = 0; i < NR_PROFILE_EVENTS; i++)
        counts->of[i] = number(fields, 10, UINT64_MAX / 2);
    if (*fields->at)
        fields->is_bad = true;
}

/* A word out of a list; its number. */
static unsigned word(struct fields *fields, const char *const *words, unsigned nr_words)
{
    while (*fields->at == ' ')
        fields->at++;
    size_t length = strcspn(fields->at, " ");
    for (unsigned i = 0; i < nr_words; i++) {
        if (strncmp(fields->at, words[i], length) == 0 && !words[i][length]) {
            fields->at += length;
            return i;
        }
    }
    fields->is_bad = true;
    return 0;
}

/* Room for one element more, of a list that grows by doubling. */
static void *room_for(void *list, size_t nr, size_t element_bytes)
{
    bool is_full = nr == 0 || (nr & (nr - 1)) == 0;
    return is_full ? realloc(list, (nr ? nr * 2 : 1) * element_bytes) : list;
}

enum outcome { GOOD, BAD, NO_MEMORY };

static enum outcome take_process(struct profile *profile, struct fields *fields)
{
    struct profile_process process = {.cr3 = 0};
    uint64_t index = number(fields, 10, UINT32_MAX);
    process.cr3 = number(fields, 16, UINT64_MAX);
    process.pid = (uint32_t)number(fields, 10, UINT32_MAX);
    if (fields->is_bad || index != profile->nr_processes || *fields->at++ != ' ' ||
        strlen(fields->at) >= sizeof process.name)
        return BAD;
    snprintf(process.name, sizeof process.name, "%s", fields->at);
    struct profile_process *list =
        room_for(profile->processes, profile->nr_processes, sizeof *profile->processes);
    if (!list)
        return NO_MEMORY;
    profile->processes = list;
    list[profile->nr_processes++] = process;
    return GOOD;
}

/* In their order, none within another. A name is printed, and in flame graphs stands between semicolons. */
static enum outcome take_function(struct profile *profile, struct fields *fields)
{
    enum { MAX_NAME_CHARS = 512 };
    const struct profile_function *last =
        profile->nr_functions ? &profile->functions[profile->nr_functions - 1] : NULL;
    struct profile_function function = {.begin = number(fields, 16, UINT64_MAX)};
    function.size_bytes = number(fields, 10, UINT64_MAX - function.begin);
    if (fields->is_bad || *fields->at++ != ' ' || !*fields->at || strlen(fields->at) > MAX_NAME_CHARS ||
        function.size_bytes == 0 || (last && function.begin - last->begin < last->size_bytes) ||
        (last && function.begin < last->begin))
        return BAD;
    for (const char *at = fields->at; *at; at++)
        if (*at <= ' ' || *at > '~' || *at == ';')
            return BAD;
    struct profile_function *list =
        room_for(profile->functions, profile->nr_functions, sizeof *profile->functions);
    if (!list)
        return NO_MEMORY;
    profile->functions = list;
    function.name = strdup(fields->at);
    if (!function.name)
        return NO_MEMORY;
    list[profile->nr_functions++] = function;
    return GOOD;
}

static enum outcome take_code(struct profile *profile, struct fields *fields)
{
    struct profile_code code = {.process = 0};
    if (profile->nr_processes == 0)
        return BAD;
    code.process = (uint32_t)number(fields, 10, profile->nr_processes - 1);
    code.cpl = (unsigned)number(fields, 10, 3);
    code.linear = number(fields, 16, UINT64_MAX);
    counts(fields, &code.counts);
    if (fields->is_bad)
        return BAD;
    struct profile_code *list = room_for(profile->code, profile->nr_code, sizeof *profile->code);
    if (!list)
        return NO_MEMORY;
    profile->code = list;
    list[profile->nr_code++] = code;
    profile_add(&profile->total, &code.counts);
    return GOOD;
}

static enum outcome take_node(struct profile *profile, struct fields *fields)
{
    struct profile_node node = {.parent = 0};
    uint64_t index = number(fields, 10, UINT32_MAX);
    if (profile->nr_processes == 0 || index != profile->nr_nodes)
        return BAD;
    node.parent = (uint32_t)number(fields, 10, index);
    node.process = (uint32_t)number(fields, 10, profile->nr_processes - 1);
    node.kind = (enum profile_node_kind)word(fields, kinds, NR_PROFILE_NODE_KINDS);
    node.vector = (unsigned)number(fields, 10, 255);
    node.cpl = (unsigned)number(fields, 10, 3);
    node.from = number(fields, 16, UINT64_MAX);
    node.to = number(fields, 16, UINT64_MAX);
    node.nr_calls = number(fields, 10, UINT64_MAX / 2);
    counts(fields, &node.counts);
    if (fields->is_bad || (node.parent == index) != (node.kind == PROFILE_THREAD))
        return BAD;
    struct profile_node *list = room_for(profile->nodes, profile->nr_nodes, sizeof *profile->nodes);
    if (!list)
        return NO_MEMORY;
    profile->nodes = list;
    list[profile->nr_nodes++] = node;
    return GOOD;
}

static enum outcome take_string(char **into, const char *value)
{
    free(*into);
    *into = strdup(value);
    return *into ? GOOD : NO_MEMORY;
}

/* This version's events, in this order. */
static bool are_events(const char *text)
{
    for (unsigned i = 0; i < NR_PROFILE_EVENTS; i++) {
        size_t length = strlen(profile_event_names[i]);
        if (strncmp(text, profile_event_names[i], length) != 0 ||
            text[length] != (i + 1 < NR_PROFILE_EVENTS ? ' ' : 0))
            return false;
        text += length + 1;
    }
    return true;
}

struct reader {
    struct profile *profile;
    uint64_t hash; /* of the lines before */
    bool has_events, has_end;
    struct profile_counts stated;
    bool has_total;
};

static enum outcome take_line(struct reader *reader, const char *line)
{
    static const char *const words[] = {"lookaside", "config", "image", "events",   "process",
                                        "code",      "stack",  "total", "function", "end"};
    struct profile *profile = reader->profile;
    struct fields fields = {.at = line};
    unsigned which = word(&fields, words, sizeof words / sizeof *words);
    if (fields.is_bad || *fields.at != ' ' || reader->has_end)
        return BAD;
    if (which < 3) {
        char **const into[] = {&profile->version, &profile->config_digest, &profile->image};
        return take_string(into[which], fields.at + 1);
    }
    if (which == 3) {
        reader->has_events = are_events(fields.at + 1);
        return reader->has_events ? GOOD : BAD;
    }
    if (!reader->has_events)
        return BAD;
    switch (which) {
    case 4:
        return take_process(profile, &fields);
    case 5:
        return take_code(profile, &fields);
    case 6:
        return take_node(profile, &fields);
    case 7:
        counts(&fields, &reader->stated);
        reader->has_total = true;
        return fields.is_bad || memcmp(&reader->stated, &profile->total, sizeof profile->total) != 0 ? BAD
                                                                                                     : GOOD;
    case 8:
        return take_function(profile, &fields);
    default:
        reader->has_end = number(&fields, 16, UINT64_MAX) == reader->hash && !fields.is_bad && !*fields.at;
        return reader->has_end ? GOOD : BAD;
    }
}

static bool read_lines(struct reader *reader, FILE *from, const char *file, struct diag *diag)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    bool is_good = true;
    for (uint64_t nr = 1; is_good && (length = getline(&line, &room, from)) > 0; nr++) {
        if (line[length - 1] != '\n')
            break; /* half a line: the file was cut off */
        uint64_t hash = fnv_add(reader->hash, line, (size_t)length);
        bool has_zero = strlen(line) != (size_t)length;
        enum outcome outcome = BAD;
        if (nr == 1 && (has_zero || strcmp(line, first_line) != 0)) {
            is_good = diag_add(diag, EXIT_STATUS_BAD_DATA,
                               "%s: no profile of this version (its first line is "
                               "not 'lookaside-profile 1')",
                               file);
            break;
        }
        line[length - 1] = 0;
        if (!has_zero)
            outcome = nr == 1 ? GOOD : take_line(reader, line);
        if (outcome == BAD)
            is_good = diag_add(diag, EXIT_STATUS_BAD_DATA, "%s:%" PRIu64 ": this line is damaged", file, nr);
        else if (outcome == NO_MEMORY)
            is_good = diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", file);
        reader->hash = hash;
    }
    free(line);
    return is_good;
}

bool profile_read(struct profile *profile, const char *file, struct diag *diag)
{
    *profile = (struct profile){.version = NULL};
    struct reader reader = {.profile = profile, .hash = FNV_BEGIN};
    FILE *from = fopen(file, "r");
    if (!from)
        return diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: cannot be read: %s", file, strerror(errno));
    errno = 0;
    bool is_good = read_lines(&reader, from, file, diag);
    if (is_good && ferror(from))
        is_good = diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: cannot be read: %s", file, strerror(errno));
    fclose(from);
    if (is_good && !reader.has_events)
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: no profile: it ends before the line of events",
                        file);
    profile->is_cut = !reader.has_end;
    char **const strings[] = {&profile->version, &profile->config_digest, &profile->image};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        if (!*strings[i] && take_string(strings[i], "") != GOOD)
            return diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", file);
    return is_good;
}

void profile_free_functions(struct profile *profile)
{
    for (size_t i = 0; i < profile->nr_functions; i++)
        free(profile->functions[i].name);
    free(profile->functions);
    profile->functions = NULL;
    profile->nr_functions = 0;
}

void profile_fini(struct profile *profile)
{
    free(profile->version);
    free(profile->config_digest);
    free(profile->image);
    free(profile->processes);
    profile_free_functions(profile);
    free(profile->code);
    free(profile->nodes);
    *profile = (struct profile){.version = NULL};
}
