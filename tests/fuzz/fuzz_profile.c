/*
 * Profiles that a stranger wrote: the input is the text, or (its first byte is odd) what makes lines that are
 * like a profile's, with the right hash at the end. One that is refused is refused in one line of
 * status 65; one that is read can be reported, and what is written of it is read again as the same.
 */
#include "sim/observe/profile_report.h"
#include "sim/observe/profile_symbols.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FILE_CHARS = 64, MAX_LINE_CHARS = 8192 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes);

struct input {
    const uint8_t *bytes;
    size_t nr_bytes;
};

static unsigned take(struct input *input)
{
    if (input->nr_bytes == 0)
        return 0;
    input->nr_bytes--;
    return *input->bytes++;
}

/* Mostly small, now and then at a limit or beyond. */
static uint64_t take_number(struct input *input)
{
    static const uint64_t odd[] = {UINT64_MAX, UINT64_MAX / 2, UINT64_MAX / 2 + 1, UINT32_MAX, 1ull << 32};
    unsigned byte = take(input);
    return byte < 200 ? byte % 16 : odd[byte % (sizeof odd / sizeof *odd)];
}

struct text {
    FILE *to;
    uint64_t hash; /* FNV-1a of all so far: docs/profile.md */
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *format, ...)
{
    char line[MAX_LINE_CHARS];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    for (const char *c = line; *c; c++)
        text->hash = (text->hash ^ (unsigned char)*c) * 0x100000001b3;
    fputs(line, text->to);
}

static void put_counts(struct text *text, struct input *input, struct profile_counts *total)
{
    for (unsigned i = 0; i < NR_PROFILE_EVENTS; i++) {
        uint64_t count = take_number(input) % (UINT64_MAX / 2 + (take(input) > 250));
        total->of[i] += count;
        put(text, " %" PRIu64, count);
    }
    put(text, "\n");
}

static void put_lines(struct text *text, struct input *input)
{
    static const char *const kinds[] = {"thread", "call", "exception", "interrupt", "syscall", "other"};
    struct profile_counts total = {{0}};
    uint64_t nr_processes = 0, nr_nodes = 0, nr_functions = 0;
    put(text, "lookaside-profile 1\nlookaside fuzz\nimage \nevents");
    for (unsigned i = 0; i < NR_PROFILE_EVENTS; i++)
        put(text, " %s", profile_event_names[i]);
    put(text, "\n");
    while (input->nr_bytes > 0) {
        unsigned what = take(input) % 16;
        if (what < 3) {
            put(text, "process %" PRIu64 " %" PRIx64 " %u %.*s\n", nr_processes, take_number(input),
                take(input), (int)(take(input) % 18), "a name of a process");
            nr_processes++;
        } else if (what < 8) {
            put(text, "code %" PRIu64 " %u %" PRIx64, take_number(input), take(input) % 5,
                take_number(input));
            put_counts(text, input, &total);
        } else if (what < 14) {
            unsigned kind = nr_nodes == 0 ? 0 : take(input) % 6;
            uint64_t parent = kind == 0 ? nr_nodes : take_number(input);
            put(text, "stack %" PRIu64 " %" PRIu64 " %" PRIu64 " %s %u %u %" PRIx64 " %" PRIx64 " %" PRIu64,
                nr_nodes, parent, take_number(input), kinds[kind], take(input), take(input) % 5,
                take_number(input), take_number(input), take_number(input));
            struct profile_counts own = {{0}};
            put_counts(text, input, &own);
            nr_nodes++;
        } else if (what < 15) {
            put(text, "function %" PRIx64 " %u %.*s\n", nr_functions * 4 + take(input) % 4, take(input) % 5,
                (int)(take(input) % 4) + 1, "name");
            nr_functions++;
        } else {
            put(text, "%.*s\n", (int)(take(input) % 32), "image config end total stack code 0 0 0 0");
        }
    }
    put(text, "total");
    for (unsigned i = 0; i < NR_PROFILE_EVENTS; i++)
        put(text, " %" PRIu64, total.of[i]);
    put(text, "\n");
    fprintf(text->to, "end %016" PRIx64 "\n", text->hash);
}

/* Reads what lies in the file; false: it was refused. */
static bool read_back(struct profile *profile, int fd)
{
    char name[FILE_CHARS];
    struct diag diag;
    diag_init(&diag);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    bool is_good = profile_read(profile, name, &diag);
    if (is_good ? diag.nr_lines != 0 : diag.nr_lines != 1 || diag.status != EXIT_STATUS_BAD_DATA)
        abort();
    diag_fini(&diag);
    return is_good;
}

static int open_file(void)
{
    int fd = memfd_create("profile", 0);
    if (fd < 0)
        abort();
    return fd;
}

static char *text_of(const struct profile *profile, size_t *nr_bytes)
{
    char *text = NULL;
    FILE *to = open_memstream(&text, nr_bytes);
    if (!to)
        abort();
    profile_write(profile, to);
    fclose(to);
    return text;
}

static void write_and_compare(const struct profile *profile)
{
    struct profile again;
    size_t nr_bytes, nr_bytes_again;
    char *text = text_of(profile, &nr_bytes);
    int fd = open_file();
    if (write(fd, text, nr_bytes) != (ssize_t)nr_bytes || !read_back(&again, fd) || again.is_cut)
        abort();
    char *text_again = text_of(&again, &nr_bytes_again);
    if (nr_bytes != nr_bytes_again || memcmp(text, text_again, nr_bytes) != 0)
        abort();
    profile_fini(&again);
    free(text_again);
    free(text);
    close(fd);
}

static void report(const struct profile *profile)
{
    struct diag diag;
    diag_init(&diag);
    char *text = NULL;
    size_t nr_bytes;
    struct profile without_image = *profile; /* whatever file it names is not looked at */
    char none[] = "";
    without_image.image = none;
    struct profile_symbols *symbols = profile_symbols_create(&without_image, NULL, 0, &diag);
    FILE *out = open_memstream(&text, &nr_bytes);
    if (!symbols || !out)
        abort();
    for (unsigned grouping = PROFILE_BY_FUNCTION; grouping <= PROFILE_BY_PROCESS; grouping++) {
        struct profile_report wanted = {.profile = profile,
                                        .symbols = symbols,
                                        .grouping = (enum profile_grouping)grouping,
                                        .limit = 5,
                                        .is_json = grouping & 1,
                                        .out = out};
        if (!profile_report_top(&wanted, &diag) || !profile_report_diff(&wanted, &wanted, &diag) ||
            !profile_report_flame(&wanted, &diag) || !profile_report_callgrind(&wanted, &diag))
            abort();
    }
    fclose(out);
    free(text);
    profile_symbols_destroy(symbols);
    diag_fini(&diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes)
{
    struct input input = {data, nr_bytes};
    struct profile profile;
    int fd = open_file();
    if (nr_bytes > 0 && data[0] & 1) {
        FILE *to = fdopen(dup(fd), "w");
        if (!to)
            abort();
        struct text text = {.to = to, .hash = 0xcbf29ce484222325};
        take(&input);
        put_lines(&text, &input);
        fclose(to);
    } else if (write(fd, data, nr_bytes) != (ssize_t)nr_bytes) {
        abort();
    }
    if (read_back(&profile, fd)) {
        report(&profile);
        if (!profile.is_cut) /* sums of what is left may be more than a profile may say */
            write_and_compare(&profile);
    }
    profile_fini(&profile);
    close(fd);
    return 0;
}
