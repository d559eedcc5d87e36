/*
 * Runs an image on lookaside and on QEMU, instruction by instruction, and says where they differ.
 *
 *     lockstep [OPTION ...] IMAGE [ARGUMENTS]
 *
 * README.md lists the options. Exit status: 0 agreed, 1 differed, 2 could not run.
 */
#include "lockstep.h"
#include "report.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 4096, MAX_SETTINGS = 32, RESYNC_STEPS = 1000000, REPORTED = 2000, IDLE_STEPS = 4 };
enum { HOLE_BEGIN = 0xa0000, HOLE_END = 0x100000 };
enum { FLAG_IF = 0x200, FLAG_VM = 0x20000 };

struct options {
    const char *program, *cpu, *folder, *image, *arguments, *ours_log, *qemu_log;
    const char *settings[MAX_SETTINGS];
    size_t nr_settings;
    uint64_t sync, sync2, finish; /* linear; UINT64_MAX: none */
    uint64_t count;               /* where the number of records stands */
    uint64_t log, log_bytes;
    uint64_t window, window_end;
    uint64_t max, interrupts;
    bool is_alone;
    bool gives_accessed;
};

struct run {
    struct options options;
    struct ours *ours;
    struct qemu *qemu;
    uint8_t *our_ram, *qemu_ram;
    uint64_t ram_bytes;
    struct past past;
    uint64_t nr_agreed, nr_differences, nr_interrupts, nr_inputs;
    bool has_ended; /* both machines, in the same way */
};

static uint64_t case_number(const struct run *run)
{
    uint32_t number = 0;
    if (run->options.count)
        ours_peek(run->ours, run->options.count, &number, sizeof number);
    return number;
}

static bool begin_difference(struct run *run, const char *what)
{
    bool is_shown = run->nr_differences++ < REPORTED;
    printf("difference: case %" PRIu64 ", after %" PRIu64 " instructions: %s\n", case_number(run),
           run->nr_agreed, what);
    return is_shown;
}

/*
 * Instructions whose results come from outside the processor, or tell which processor it is: QEMU's are
 * taken.
 */
static bool is_input(const struct look *look)
{
    if (!look->is_decoded)
        return false;
    switch (look->insn.mnemonic) {
    case ZYDIS_MNEMONIC_IN:
    case ZYDIS_MNEMONIC_RDTSC:
    case ZYDIS_MNEMONIC_RDTSCP:
    case ZYDIS_MNEMONIC_RDPMC:
    case ZYDIS_MNEMONIC_CPUID:
    case ZYDIS_MNEMONIC_RDMSR:
        return true;
    default:
        return false;
    }
}

static bool is_repeated(const struct look *look)
{
    return look->is_decoded &&
           (look->insn.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE));
}

/* The window of memory, and afterwards both have ours. */
static void compare_memory(struct run *run)
{
    uint64_t from = run->options.window, to = run->options.window_end;
    if (run->options.is_alone || to > run->ram_bytes ||
        memcmp(run->our_ram + from, run->qemu_ram + from, to - from) == 0)
        return;
    bool is_shown = begin_difference(run, "memory");
    unsigned nr = 0;
    for (uint64_t at = from & ~UINT64_C(3); at < to; at += 4) {
        uint32_t mine, theirs;
        if (at >= HOLE_BEGIN && at < HOLE_END)
            continue;
        memcpy(&mine, run->our_ram + at, 4);
        memcpy(&theirs, run->qemu_ram + at, 4);
        if (mine != theirs && is_shown && nr++ < 8)
            printf("    %08" PRIx64 "  lookaside %08x  QEMU %08x\n", at, mine, theirs);
    }
    memcpy(run->qemu_ram + from, run->our_ram + from, to - from);
}

/* After a difference: both go on by themselves until the next case begins. False: one does not get there. */
static bool resynchronise(struct run *run)
{
    const uint64_t places[] = {run->options.sync, run->options.finish, run->options.sync2};
    if (run->options.sync == UINT64_MAX)
        return false;
    /* A processor that stands at the place already goes on from it. */
    if (!qemu_step(run->qemu, false) || !qemu_run_to(run->qemu, places, 3)) {
        printf("  QEMU does not come to the next case\n");
        return false;
    }
    for (unsigned i = 0; i < RESYNC_STEPS; i++) {
        enum ours_stop why = ours_step(run->ours);
        uint64_t at = ours_linear_rip(run->ours);
        if (at == places[0] || at == places[1] || at == places[2])
            return true;
        if (why != OURS_STEPPED)
            break;
    }
    printf("  lookaside does not come to the next case\n");
    return false;
}

/* Whether QEMU took an interrupt in the step that it has made, from the state `before`. */
static bool took_interrupt(const struct run *run, const struct look *look, const struct state *before,
                           const struct state *after, unsigned *vector)
{
    if (look->is_decoded && look->insn.mnemonic == ZYDIS_MNEMONIC_INT)
        return false;
    if (!(before->v[FIELD_eflags] & FLAG_IF) || (after->v[FIELD_eflags] & FLAG_IF))
        return false;
    for (*vector = 32; *vector < 256; ++*vector)
        if (ours_handler(run->ours, *vector) == after->v[FIELD_rip])
            return true;
    return false;
}

/* In ring 0 and in real mode HLT halts; elsewhere it faults. */
static bool may_halt(const struct state *state)
{
    return !(state->v[FIELD_eflags] & FLAG_VM) &&
           (!(state->v[FIELD_cr0] & 1) || (state->v[FIELD_cs] & 3) == 0);
}

/*
 * QEMU does not set the accessed bit of a code segment that a jump, an interrupt or a return goes to (SDM 3A
 * 3.4.5.1), and what reads the descriptors afterwards would differ.
 */
static void give_accessed(const struct run *run, const struct state *before, const struct state *after)
{
    if (before->v[FIELD_cs] == after->v[FIELD_cs])
        return;
    uint64_t at = ours_descriptor_type(run->ours, (unsigned)after->v[FIELD_cs]);
    if (at < run->ram_bytes && (run->our_ram[at] & 1))
        run->qemu_ram[at] |= 1;
}

/* One instruction of both. False: the run is over. */
static bool step(struct run *run)
{
    struct look look;
    struct state before, mine, theirs;
    unsigned vector = 0;
    look_at(run->ours, &look);
    ours_state(run->ours, &before);
    past_add(&run->past, &look);
    bool halts = look.is_decoded && look.insn.mnemonic == ZYDIS_MNEMONIC_HLT && may_halt(&before);
    bool may_interrupt = run->options.interrupts && (before.v[FIELD_eflags] & FLAG_IF) &&
                         (halts || run->nr_agreed % run->options.interrupts == 0);
    if (halts && !may_interrupt) {
        run->has_ended = true;
        return false;
    }
    bool qemu_lives = qemu_step(run->qemu, may_interrupt) && qemu_state(run->qemu, &theirs);
    /* A timer of QEMU's may have ended its step before the HLT; only one with interrupts gets over it. */
    for (unsigned i = 0; i < IDLE_STEPS && halts && qemu_lives && !states_differ(&before, &theirs, 0); i++)
        qemu_lives = qemu_step(run->qemu, true) && qemu_state(run->qemu, &theirs);
    bool is_interrupt = qemu_lives && may_interrupt && took_interrupt(run, &look, &before, &theirs, &vector);
    enum ours_stop why = OURS_STEPPED;
    if (is_interrupt && halts)
        ours_step(run->ours);
    if (is_interrupt)
        ours_interrupt(run->ours, vector), run->nr_interrupts++;
    else
        why = ours_step(run->ours);
    if (!qemu_lives || why == OURS_ENDED || why == OURS_SHUTDOWN) {
        run->has_ended = !qemu_lives && why != OURS_STEPPED && why != OURS_HALTED;
        if (!run->has_ended) {
            begin_difference(run, qemu_lives ? "lookaside ended" : "QEMU ended or halted");
            ours_state(run->ours, &mine);
            report_difference(&run->past, &before, &mine, qemu_lives ? &theirs : &before, 0);
        }
        return false;
    }
    ours_state(run->ours, &mine);
    if (is_input(&look) && mine.v[FIELD_rip] == theirs.v[FIELD_rip] && !is_interrupt) {
        run->nr_inputs++;
        ours_take(run->ours, &theirs, 0);
    }
    /* A timer of QEMU's may have ended its step before the instruction. */
    ours_state(run->ours, &mine);
    for (unsigned i = 0; i < IDLE_STEPS && qemu_lives && !states_differ(&before, &theirs, 0) &&
                         states_differ(&before, &mine, 0);
         i++)
        qemu_lives = qemu_step(run->qemu, false) && qemu_state(run->qemu, &theirs);
    /* One of them may do the end of a repeated instruction with the last iteration. */
    for (unsigned i = 0; is_repeated(&look) && i < 2 && mine.v[FIELD_rip] != theirs.v[FIELD_rip]; i++) {
        if (theirs.v[FIELD_rip] == look.rip && theirs.v[FIELD_rcx] == mine.v[FIELD_rcx])
            (void)(qemu_step(run->qemu, false) && qemu_state(run->qemu, &theirs)); /* an end is found later */
        else if (mine.v[FIELD_rip] == look.rip && theirs.v[FIELD_rcx] == mine.v[FIELD_rcx])
            ours_step(run->ours);
        ours_state(run->ours, &mine);
    }
    ours_state(run->ours, &mine);
    uint64_t undefined = is_interrupt ? 0 : undefined_flags(&look, &before);
    if (states_differ(&mine, &theirs, undefined)) {
        if (begin_difference(run, "registers"))
            report_difference(&run->past, &before, &mine, &theirs, undefined);
        if (!resynchronise(run))
            return false;
        run->past.nr = 0;
        return true;
    }
    if ((mine.v[FIELD_eflags] ^ theirs.v[FIELD_eflags]) & undefined)
        ours_take(run->ours, &theirs, undefined);
    if (run->options.gives_accessed)
        give_accessed(run, &before, &mine);
    run->nr_agreed++;
    return true;
}

static void start_alike(struct run *run)
{
    struct state mine, theirs;
    bool is_good = qemu_state(run->qemu, &theirs);
    for (uint64_t at = 0; at < run->ram_bytes; at += PAGE)
        if ((at < HOLE_BEGIN || at >= HOLE_END) && memcmp(run->qemu_ram + at, run->our_ram + at, PAGE) != 0)
            memcpy(run->qemu_ram + at, run->our_ram + at, PAGE);
    if (is_good)
        ours_take_units(run->ours, &theirs);
    ours_state(run->ours, &mine);
    for (unsigned field = 0; is_good && field <= FIELD_eflags; field++)
        if (field != FIELD_rip)
            is_good = qemu_set(run->qemu, field, mine.v[field]);
    if (!is_good)
        fprintf(stderr, "lockstep: QEMU's registers cannot be set\n");
}

static bool write_log(const char *path, const uint8_t *ram, const struct options *options)
{
    FILE *file = fopen(path, "wb");
    bool is_good = file && fwrite(ram + options->log, options->log_bytes, 1, file) == 1;
    return file && fclose(file) == 0 && is_good;
}

static void write_logs(const struct run *run)
{
    const struct options *options = &run->options;
    if (options->ours_log && !write_log(options->ours_log, run->our_ram, options))
        fprintf(stderr, "lockstep: %s cannot be written\n", options->ours_log);
    if (options->qemu_log && run->qemu && !write_log(options->qemu_log, run->qemu_ram, options))
        fprintf(stderr, "lockstep: %s cannot be written\n", options->qemu_log);
}

static int run_alone(struct run *run)
{
    enum ours_stop why = OURS_STEPPED;
    uint64_t nr = 0;
    while (why == OURS_STEPPED && nr < run->options.max &&
           ours_linear_rip(run->ours) != run->options.finish) {
        why = ours_step(run->ours);
        nr++;
    }
    write_logs(run);
    bool is_good = why == OURS_STEPPED && nr < run->options.max;
    printf("alone: %" PRIu64 " instructions, %s\n", nr,
           is_good                ? "to the end"
           : why == OURS_SHUTDOWN ? "and a triple fault"
           : why == OURS_HALTED   ? "and halted"
                                  : "and not to the end");
    return is_good ? 0 : 1;
}

static int run_both(struct run *run)
{
    struct state initial;
    ours_state(run->ours, &initial);
    run->qemu =
        qemu_create(run->options.program, run->options.cpu, run->options.image, run->options.arguments,
                    run->options.folder, run->ram_bytes, initial.v[FIELD_rip]);
    if (!run->qemu)
        return 2;
    run->qemu_ram = qemu_ram(run->qemu);
    start_alike(run);
    bool is_finished = false;
    while (run->nr_agreed < run->options.max && step(run)) {
        uint64_t at = ours_linear_rip(run->ours);
        if (at == run->options.sync || at == run->options.sync2 || at == run->options.finish)
            compare_memory(run);
        if (at == run->options.finish) {
            is_finished = true;
            break;
        }
    }
    write_logs(run);
    if (run->options.finish != UINT64_MAX && !is_finished && run->nr_differences == 0)
        begin_difference(run, "the program did not come to its end");
    printf("lockstep: %" PRIu64 " instructions agreed, %" PRIu64 " differences, %" PRIu64
           " inputs taken, %" PRIu64 " interrupts\n",
           run->nr_agreed, run->nr_differences, run->nr_inputs, run->nr_interrupts);
    qemu_destroy(run->qemu);
    return run->nr_differences > 0;
}

enum option_number {
    OPTION_QEMU = 256,
    OPTION_CPU,
    OPTION_FOLDER,
    OPTION_SET,
    OPTION_SYNC,
    OPTION_FINISH,
    OPTION_COUNT,
    OPTION_LOG,
    OPTION_WINDOW,
    OPTION_OURS_LOG,
    OPTION_QEMU_LOG,
    OPTION_MAX,
    OPTION_INTERRUPTS,
    OPTION_ALONE,
    OPTION_ACCESSED,
};

static const struct option long_options[] = {
    {"qemu", required_argument, NULL, OPTION_QEMU},
    {"cpu", required_argument, NULL, OPTION_CPU},
    {"folder", required_argument, NULL, OPTION_FOLDER},
    {"set", required_argument, NULL, OPTION_SET},
    {"sync", required_argument, NULL, OPTION_SYNC},
    {"finish", required_argument, NULL, OPTION_FINISH},
    {"count", required_argument, NULL, OPTION_COUNT},
    {"log", required_argument, NULL, OPTION_LOG},
    {"window", required_argument, NULL, OPTION_WINDOW},
    {"ours-log", required_argument, NULL, OPTION_OURS_LOG},
    {"qemu-log", required_argument, NULL, OPTION_QEMU_LOG},
    {"max", required_argument, NULL, OPTION_MAX},
    {"interrupts", required_argument, NULL, OPTION_INTERRUPTS},
    {"alone", no_argument, NULL, OPTION_ALONE},
    {"accessed", no_argument, NULL, OPTION_ACCESSED},
    {NULL, 0, NULL, 0},
};

/* Two numbers with a comma between them. */
static void parse_pair(const char *text, uint64_t *first, uint64_t *second)
{
    char *rest;
    *first = strtoull(text, &rest, 0);
    *second = *rest == ',' ? strtoull(rest + 1, NULL, 0) : 0;
}

static bool set_option(struct options *options, int number, const char *text)
{
    switch (number) {
    case OPTION_QEMU:
        options->program = text;
        return true;
    case OPTION_CPU:
        options->cpu = text;
        return true;
    case OPTION_FOLDER:
        options->folder = text;
        return true;
    case OPTION_SET:
        if (options->nr_settings == MAX_SETTINGS)
            return false;
        options->settings[options->nr_settings++] = text;
        return true;
    case OPTION_SYNC:
        parse_pair(text, &options->sync, &options->sync2);
        options->sync2 = options->sync2 ? options->sync2 : options->sync;
        return true;
    case OPTION_FINISH:
        options->finish = strtoull(text, NULL, 0);
        return true;
    case OPTION_COUNT:
        options->count = strtoull(text, NULL, 0);
        return true;
    case OPTION_LOG:
        parse_pair(text, &options->log, &options->log_bytes);
        return true;
    case OPTION_WINDOW:
        parse_pair(text, &options->window, &options->window_end);
        return true;
    case OPTION_OURS_LOG:
        options->ours_log = text;
        return true;
    case OPTION_QEMU_LOG:
        options->qemu_log = text;
        return true;
    case OPTION_MAX:
        options->max = strtoull(text, NULL, 0);
        return true;
    case OPTION_INTERRUPTS:
        options->interrupts = strtoull(text, NULL, 0);
        return true;
    case OPTION_ALONE:
        options->is_alone = true;
        return true;
    case OPTION_ACCESSED:
        options->gives_accessed = true;
        return true;
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    static struct run run;
    struct options *options = &run.options;
    *options = (struct options){.program = "qemu-system-x86_64",
                                .cpu = "max",
                                .folder = ".",
                                .arguments = "",
                                .sync = UINT64_MAX,
                                .sync2 = UINT64_MAX,
                                .finish = UINT64_MAX,
                                .max = UINT64_MAX,
                                .settings = {"machine.ram=32MiB", "cpu.model=functional"},
                                .nr_settings = 2};
    int number;
    while ((number = getopt_long(argc, argv, "+", long_options, NULL)) != -1)
        if (!set_option(options, number, optarg))
            return 2;
    if (optind == argc) {
        fprintf(stderr, "usage: lockstep [OPTION ...] IMAGE [ARGUMENTS]\n");
        return 2;
    }
    options->image = argv[optind];
    if (optind + 1 < argc)
        options->arguments = argv[optind + 1];
    run.ours = ours_create(options->image, options->arguments, options->settings, options->nr_settings);
    if (!run.ours)
        return 2;
    run.our_ram = ours_ram(run.ours, &run.ram_bytes);
    if (options->log + options->log_bytes > run.ram_bytes)
        return 2;
    int status = options->is_alone ? run_alone(&run) : run_both(&run);
    ours_destroy(run.ours);
    return status;
}
