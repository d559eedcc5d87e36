/*
 * Oracle: our executors against the CPU this runs on (x86-64), which is as far from our code as can be. Each
 * case is one instruction of 32-bit code with random registers, flags and memory; registers, flags that the
 * manual defines, memory, exceptions and page-fault addresses must agree, in all three models. The watched
 * in-order model must also take the same cycles as the unwatched one.
 *
 *     host_cpu [--cases N] [--seed S] [--case K]
 *
 * --case runs case K of the seed alone. Exit status 1 if something differs, 77 if this system does not allow
 * the test.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/oracle/host_cpu.h"

/* What ours retires besides the case: two ORs, POPA and IRET; OUT and JMP. */
enum { INSTRUCTIONS_AROUND = 6 };

enum { MAX_REPORTS = 20, DEFAULT_CASES = 200000, EXIT_SKIPPED = 77 };

/* How long a core may run beyond its deadline: a fetch block; with time, an iteration of misses. */
static const uint64_t latest_cycles[NR_OURS] = {20, 2000, 2000};
static const char *const kind_names[NR_OURS] = {"functional", "in-order", "watched"};

struct run {
    uint64_t seed, first, nr_cases;
    struct ours *ours[NR_OURS];
    uint64_t nr_compared, nr_differences, nr_reported, nr_exceptions;
    struct {
        uint64_t cases, differences;
    } * forms;
};

static void print_registers(const char *label, const uint32_t gpr[8], uint32_t flags)
{
    static const char *const names[8] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
    printf("    %s", label);
    for (unsigned i = 0; i < 8; i++)
        printf(" %s=%08x", names[i], gpr[i]);
    printf(" flags=%03x\n", flags & HOST_FLAGS);
}

static void print_result(const char *label, const struct host_result *result)
{
    print_registers(label, result->gpr, result->flags);
    if (result->vector != HOST_NO_VECTOR)
        printf("        vector %d, error code %x, cr2 %08x\n", result->vector, result->error_code,
               result->cr2);
    if (result->is_taken)
        printf("        jumped\n");
    if (result->nr_instructions)
        printf("        %llu instructions retired\n", (unsigned long long)result->nr_instructions);
}

static void report(struct run *run, const struct host_case *c, uint64_t number, enum ours_kind kind,
                   const char *what, const struct host_result *theirs, const struct host_result *ours)
{
    run->nr_differences++;
    run->forms[c->form - host_forms].differences++;
    if (run->nr_reported++ >= MAX_REPORTS)
        return;
    printf("%s: %s of %s differs; --seed %llu --case %llu; bytes", kind_names[kind], what, c->form->name,
           (unsigned long long)run->seed, (unsigned long long)number);
    for (unsigned i = 0; i < c->length; i++)
        printf(" %02x", c->bytes[i]);
    printf("\n");
    print_registers("before", c->gpr, c->flags);
    print_result("host  ", theirs);
    print_result("ours  ", ours);
}

/*
 * After a fault in a repeated comparison the manual has the flags as before it; processors do not all agree.
 */
static uint32_t compared_flags(const struct host_case *c, const struct host_result *theirs)
{
    bool is_open = c->form->undefined == HOST_UNDEFINED_COMPARE_STRING && theirs->vector != HOST_NO_VECTOR;
    return is_open ? 0 : HOST_FLAGS & ~c->undefined_flags;
}

/*
 * Which of its two operands CMPS reads first, and so faults on, is the processor's choice: here they differ.
 */
static bool is_fault_address_defined(const struct host_case *c)
{
    return c->form->encoding != HOST_STRING || (c->form->opcode & ~1) != 0xA6;
}

/* What differs, or NULL. */
static const char *difference(const struct host_case *c, const struct host_result *theirs,
                              const struct host_result *ours, uint64_t latest)
{
    enum { PAGE_FAULT = 14 };
    if (ours->is_lost)
        return "the end";
    if (ours->vector != theirs->vector)
        return "the exception";
    if (memcmp(ours->gpr, theirs->gpr, sizeof ours->gpr) != 0)
        return "a register";
    if ((ours->flags ^ theirs->flags) & compared_flags(c, theirs))
        return "a flag";
    if (ours->is_taken != theirs->is_taken)
        return "the jump";
    if (ours->nr_instructions != INSTRUCTIONS_AROUND + (ours->vector == HOST_NO_VECTOR))
        return "the number of instructions";
    if (ours->late_cycles > latest)
        return "the time to stop";
    if (ours->vector != PAGE_FAULT)
        return NULL;
    if (ours->error_code != theirs->error_code || (ours->cr2 != theirs->cr2 && is_fault_address_defined(c)))
        return "the page fault";
    return NULL;
}

static bool run_ours(struct run *run, const struct host_case *c, uint64_t number, enum ours_kind kind,
                     const struct host_result *theirs)
{
    struct host_result ours;
    ours_run(run->ours[kind], c, &ours);
    const char *what = c->is_undefined ? NULL : difference(c, theirs, &ours, latest_cycles[kind]);
    if (!c->is_undefined && !what && memcmp(ours_data(run->ours[kind]), native_data(), HOST_DATA_BYTES) != 0)
        what = "memory";
    if (what)
        report(run, c, number, kind, what, theirs, &ours);
    if (what || c->is_undefined)
        memcpy(ours_data(run->ours[kind]), native_data(), HOST_DATA_BYTES);
    if (ours.is_lost) {
        ours_destroy(run->ours[kind]);
        run->ours[kind] = ours_create(kind);
        memcpy(ours_data(run->ours[kind]), native_data(), HOST_DATA_BYTES);
    }
    return !ours.is_lost;
}

static void run_case(struct run *run, uint64_t number)
{
    struct host_case c;
    struct host_result theirs;
    host_make_case(&c, run->seed, number, native_data());
    native_run(&c, &theirs);
    run->nr_compared++;
    run->nr_exceptions += theirs.vector != HOST_NO_VECTOR;
    run->forms[c.form - host_forms].cases++;
    uint64_t before[NR_OURS];
    bool is_whole = true;
    for (enum ours_kind kind = 0; kind < NR_OURS; kind++) {
        before[kind] = ours_now(run->ours[kind]);
        is_whole &= run_ours(run, &c, number, kind, &theirs);
    }
    if (!is_whole)
        return;
    uint64_t plain = ours_now(run->ours[OURS_INORDER]) - before[OURS_INORDER];
    uint64_t watched = ours_now(run->ours[OURS_WATCHED]) - before[OURS_WATCHED];
    if (plain != watched) {
        report(run, &c, number, OURS_WATCHED, "time", &theirs, &theirs);
        if (run->nr_reported <= MAX_REPORTS)
            printf("        %llu cycles, %llu when watched\n", (unsigned long long)plain,
                   (unsigned long long)watched);
    }
}

static bool parse(struct run *run, int argc, char **argv)
{
    for (int i = 1; i < argc; i += 2) {
        char *end = NULL;
        uint64_t v = i + 1 < argc ? strtoull(argv[i + 1], &end, 0) : 0;
        if (!end || *end)
            return false;
        if (strcmp(argv[i], "--cases") == 0) {
            run->nr_cases = v;
        } else if (strcmp(argv[i], "--seed") == 0) {
            run->seed = v;
        } else if (strcmp(argv[i], "--case") == 0) {
            run->first = v;
            run->nr_cases = 1;
        } else {
            return false;
        }
    }
    return true;
}

static void summarise(const struct run *run)
{
    for (unsigned i = 0; i < host_nr_forms; i++)
        if (run->nr_cases > 1 || run->forms[i].cases)
            printf("%-16s %8llu cases %8llu differences\n", host_forms[i].name,
                   (unsigned long long)run->forms[i].cases, (unsigned long long)run->forms[i].differences);
    printf("%u forms, %llu cases in %d models, %llu with an exception: %llu differences\n", host_nr_forms,
           (unsigned long long)run->nr_compared, NR_OURS, (unsigned long long)run->nr_exceptions,
           (unsigned long long)run->nr_differences);
}

int main(int argc, char **argv)
{
    struct run run = {.seed = 1, .nr_cases = DEFAULT_CASES};
    if (!parse(&run, argc, argv)) {
        fprintf(stderr, "usage: host_cpu [--cases N] [--seed S] [--case K]\n");
        return 64;
    }
    if (!native_init()) {
        fprintf(stderr, "host_cpu: skipped: no writable code or no low addresses here\n");
        return EXIT_SKIPPED;
    }
    run.forms = calloc(host_nr_forms, sizeof *run.forms);
    bool is_ready = run.forms;
    for (enum ours_kind kind = 0; kind < NR_OURS; kind++) {
        run.ours[kind] = ours_create(kind);
        is_ready &= run.ours[kind] != NULL;
    }
    if (!is_ready) {
        fprintf(stderr, "host_cpu: out of memory\n");
        return 70;
    }
    for (uint64_t i = 0; i < run.nr_cases; i++)
        run_case(&run, run.first + i);
    summarise(&run);
    for (enum ours_kind kind = 0; kind < NR_OURS; kind++)
        ours_destroy(run.ours[kind]);
    free(run.forms);
    return run.nr_differences != 0;
}
