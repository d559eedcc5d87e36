/*
 * Reads a trace beside a second run of its guest whose observer wants to be told of each hit in full, so that
 * the core goes the long way everywhere: the records must be the same, whether the trace has them in short or
 * not.
 *
 * usage: trace_in_full TRACE IMAGE [CONFIG.JSON] [PATH=VALUE ...]
 */
#include "sim/machine.h"
#include "sim/observe/trace_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLICE_CYCLES = 20000 };

struct comparison {
    struct trace_reader *reader;
    struct diag *diag;
    uint64_t nr_same, nr_by_kind[NR_TRACE_KINDS];
    bool is_over, differs;
};

/* What the core is not asked for: lines of devices, marks. */
static bool is_of_core(const struct trace_record *record)
{
    return record->kind != TRACE_DEVICE && record->kind != TRACE_MARK;
}

static void compare(struct comparison *of, enum trace_kind kind, struct trace_record *told)
{
    struct trace_record read;
    if (of->is_over)
        return;
    bool is_there;
    do {
        is_there = trace_next(of->reader, &read, of->diag);
    } while (is_there && !is_of_core(&read));
    of->is_over = !is_there;
    if (of->is_over)
        return;
    told->kind = kind;
    /* Both as bytes, which are all that a trace says of them, behind the same that were before. */
    static struct trace_codec codecs[2];
    uint8_t bytes[2][TRACE_MAX_RECORD_BYTES];
    if (kind == TRACE_CONTROL)
        told->control.cycle = read.control.cycle;
    size_t nr_told = trace_encode(&codecs[0], told, bytes[0]), nr_read = 0;
    if (read.kind == kind)
        nr_read = trace_encode(&codecs[1], &read, bytes[1]);
    if (nr_told == nr_read && memcmp(bytes[0], bytes[1], nr_told) == 0) {
        of->nr_same++;
        of->nr_by_kind[kind]++;
        return;
    }
    printf("record %" PRIu64 ": kind %d in cycle %" PRIu64 " in the trace, kind %d in cycle %" PRIu64
           " in full\n",
           of->nr_same, read.kind, trace_record_span(&read).first, kind, trace_record_span(told).first);
    of->differs = of->is_over = true;
}

static void on_insn(void *opaque, const struct cpu_seen_insn *insn)
{
    compare(opaque, TRACE_INSN, &(struct trace_record){.insn = *insn});
}

static void on_translation(void *opaque, const struct cpu_seen_translation *translation,
                           const struct walk *walk)
{
    struct trace_record told = {.translation = *translation, .has_walk = walk != NULL};
    if (walk)
        told.walk = *walk;
    compare(opaque, TRACE_TRANSLATION, &told);
}

static void on_access(void *opaque, const struct cpu_seen_access *access, const struct walk *walk)
{
    (void)walk;
    compare(opaque, TRACE_ACCESS, &(struct trace_record){.access = *access});
}

static void on_request(void *opaque, const struct cpu_seen_request *request)
{
    compare(opaque, TRACE_REQUEST, &(struct trace_record){.request = *request});
}

static void on_exception(void *opaque, const struct cpu_seen_exception *exception)
{
    compare(opaque, TRACE_EXCEPTION, &(struct trace_record){.exception = *exception});
}

static void on_control(void *opaque, const char *what, uint64_t value)
{
    struct trace_record told = {.control = {.value = value}};
    snprintf(told.control.what, sizeof told.control.what, "%s", what);
    compare(opaque, TRACE_CONTROL, &told);
}

static int give_up(const struct diag *diag, const char *what)
{
    fprintf(stderr, "trace_in_full: %s: %s\n", what, diag->nr_lines > 0 ? diag->lines[0] : "failed");
    return 2;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: trace_in_full TRACE IMAGE [CONFIG.JSON] [PATH=VALUE ...]\n");
        return 2;
    }
    struct diag diag;
    diag_init(&diag);
    struct comparison comparison = {.reader = trace_open(argv[1], &diag), .diag = &diag};
    if (!comparison.reader)
        return give_up(&diag, argv[1]);
    struct cfg *cfg = cfg_create();
    bool is_set = cfg != NULL;
    for (int i = 3; is_set && i < argc; i++)
        is_set = strchr(argv[i], '=') ? cfg_set(cfg, argv[i], &diag) : cfg_load_file(cfg, argv[i], &diag);
    if (!is_set || !cfg_check(cfg, &diag))
        return give_up(&diag, "configuration");
    struct cpu_observer observer = {.opaque = &comparison,
                                    .insn = on_insn,
                                    .translation = on_translation,
                                    .access = on_access,
                                    .request = on_request,
                                    .exception = on_exception,
                                    .control = on_control};
    struct machine_params params = {.config = cfg_values(cfg), .observer = &observer};
    struct machine *machine = machine_create(&params, &diag);
    if (!machine || !machine_load(machine, argv[2], NULL, NULL, 0, &diag))
        return give_up(&diag, argv[2]);
    const struct cpu *cpu = machine_parts(machine).cpu;
    enum machine_end end = MACHINE_RUNNING;
    while (!comparison.is_over && end == MACHINE_RUNNING)
        end = machine_run(machine, cpu_now(cpu) + SLICE_CYCLES);
    uint64_t nr_most = trace_info(comparison.reader)->nr_by_kind[TRACE_INSN];
    bool is_good = !comparison.differs && diag.nr_lines == 0 && nr_most > 0 &&
                   comparison.nr_by_kind[TRACE_INSN] == nr_most && comparison.nr_by_kind[TRACE_ACCESS] > 0;
    printf("%" PRIu64 " records, %" PRIu64 " of %" PRIu64 " instructions among them: %s\n",
           comparison.nr_same, comparison.nr_by_kind[TRACE_INSN], nr_most,
           is_good ? "as in full" : "other than in full");
    machine_destroy(machine);
    cfg_destroy(cfg);
    trace_close(comparison.reader);
    diag_fini(&diag);
    return !is_good;
}
