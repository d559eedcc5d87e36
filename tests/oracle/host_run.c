/*
 * Runs a generator's cases on the real CPU and on all models of ours, compares, counts and reports. The
 * watched in-order model must also take the same cycles as the unwatched one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/oracle/host.h"

enum { MAX_REPORTS = 24, EXIT_SKIPPED = 77, PAGE_FAULT = 14, FIRST_TRAP = 1, LAST_TRAP = 4, SP = 4 };

/* How long a core may run beyond its deadline: a fetch block; with time, an iteration of misses. */
static const uint64_t latest_cycles[NR_OURS] = {20, 2000, 2000};
static const char *const kind_names[NR_OURS] = {"functional", "in-order", "watched"};

struct run {
    const struct host_generator *generator;
    uint64_t seed, first, nr_cases;
    bool lists_forms, lists_masks;
    struct ours *ours[NR_OURS];
    uint64_t nr_compared, nr_differences, nr_reported, nr_exceptions, nr_left_out;
    struct {
        uint64_t cases, differences, unimplemented;
        uint64_t masked, needed; /* flags not compared; those of them that did differ */
    } * forms;
};

static void print_registers(const struct host_case *c, const char *label, const uint64_t gpr[16],
                            uint64_t flags)
{
    static const char *const names[16] = {"ax", "cx", "dx",  "bx",  "sp",  "bp",  "si",  "di",
                                          "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"};
    printf("    %s", label);
    for (unsigned i = 0; i < (c->mode == DEC_64 ? 16 : 8); i++)
        printf("%s%s=%llx", i == 8 ? "\n           " : " ", names[i], (unsigned long long)gpr[i]);
    printf(" flags=%llx\n", (unsigned long long)flags & HOST_FLAGS);
}

static void print_fx(const union host_fx *fx)
{
    printf("        control %04x, status %04x, tags %02x, mxcsr %08x\n", fx->control, fx->status, fx->tags,
           fx->mxcsr);
    for (unsigned i = 0; i < 8; i++)
        printf("        st%u %04x %016llx%s", i, fx->st[i].sign_exponent,
               (unsigned long long)fx->st[i].mantissa, i % 2 ? "\n" : "");
    for (unsigned i = 0; i < 16; i++)
        printf("        xmm%u %016llx %016llx%s", i, (unsigned long long)fx->xmm[i][1],
               (unsigned long long)fx->xmm[i][0], i % 2 ? "\n" : "");
}

static void print_result(const struct host_case *c, const char *label, const struct host_result *result)
{
    print_registers(c, label, result->gpr, result->flags);
    if (result->vector != HOST_NO_VECTOR)
        printf("        vector %d, error code %x, rip %llx, cr2 %llx\n", result->vector, result->error_code,
               (unsigned long long)result->rip, (unsigned long long)result->cr2);
    printf("        es %04x ss %04x ds %04x fs %04x gs %04x; fs %llx gs %llx%s\n", result->selector[0],
           result->selector[2], result->selector[3], result->selector[4], result->selector[5],
           (unsigned long long)result->fs_base, (unsigned long long)result->gs_base,
           result->is_taken ? "; jumped" : "");
    if (c->has_fx)
        print_fx(&result->fx);
}

static void report(struct run *run, const struct host_case *c, uint64_t number, enum ours_kind kind,
                   const char *what, const struct host_result *theirs, const struct host_result *ours)
{
    run->nr_differences++;
    run->forms[c->form].differences++;
    if (run->forms[c->form].differences > 1 || run->nr_reported >= MAX_REPORTS)
        return; /* one of a form tells most */
    run->nr_reported++;
    printf("%s: %s of %s differs; --seed %llu --case %llu; %u-bit code at %x:", kind_names[kind], what,
           run->generator->form_name(c->form), (unsigned long long)run->seed, (unsigned long long)number,
           16u << c->mode, HOST_CODE + c->code_offset);
    for (unsigned i = 0; i < c->length; i++)
        printf(" %02x", c->bytes[i]);
    printf("\n");
    print_registers(c, "before", c->gpr, c->flags);
    if (c->has_fx)
        print_fx(&c->fx);
    print_result(c, "host  ", theirs);
    print_result(c, "ours  ", ours);
}

static bool registers_agree(const struct host_case *c, const struct host_result *theirs,
                            const struct host_result *ours)
{
    uint64_t mask = c->mode == DEC_64 ? UINT64_MAX : UINT32_MAX;
    uint32_t open = c->undefined_gpr | (theirs->vector != HOST_NO_VECTOR ? c->gpr_open_in_fault : 0);
    uint32_t high_open = theirs->vector != HOST_NO_VECTOR ? c->gpr_high_open_in_fault : 0;
    for (unsigned i = 0; i < (c->mode == DEC_64 ? 16 : 8); i++) {
        uint64_t compared = high_open >> i & 1 ? UINT32_MAX : mask;
        if (((theirs->gpr[i] ^ ours->gpr[i]) & compared) && !(open >> i & 1))
            return false;
    }
    return true;
}

static bool segments_agree(const struct host_case *c, const struct host_result *theirs,
                           const struct host_result *ours)
{
    for (unsigned seg = 0; seg < DEC_NR_SEGS; seg++) {
        uint16_t a = theirs->selector[seg], b = ours->selector[seg];
        bool are_null = a <= 3 && b <= 3; /* the host's kernel may have cleared the RPL on the way */
        if (seg != DEC_SEG_CS && a != b && !are_null)
            return false;
    }
    return c->mode != DEC_64 || c->is_base_undefined ||
           (theirs->fs_base == ours->fs_base && theirs->gs_base == ours->gs_base);
}

/*
 * Pointers to the last instruction and its operand are not compared: AMD's FXSAVE writes them only while an
 * exception is pending (APM2 11.4.4), and selectors differ with the mode that saves them.
 */
static void mask_fx(union host_fx *fx)
{
    fx->opcode = 0;
    fx->rip = fx->data = 0;
    fx->mxcsr_mask = 0;
    fx->reserved = 0;
    for (unsigned i = 0; i < 8; i++)
        memset(fx->st[i].reserved, 0, sizeof fx->st[i].reserved);
    memset(fx->bytes + HOST_FX_COMPARED, 0, HOST_FX_BYTES - HOST_FX_COMPARED);
}

static bool fx_agrees(const struct run *run, const struct host_case *c, const struct host_result *theirs,
                      const struct host_result *ours)
{
    union host_fx a = theirs->fx, b = ours->fx;
    mask_fx(&a);
    mask_fx(&b);
    if (c->mode != DEC_64) { /* XMM8 to XMM15 cannot be reached, but kept */
        memset(a.xmm + 8, 0, sizeof a.xmm / 2);
        memset(b.xmm + 8, 0, sizeof b.xmm / 2);
    }
    return memcmp(&a, &b, sizeof a) == 0 ||
           (run->generator->fx_agrees && run->generator->fx_agrees(c, &a, &b));
}

/* The address and the error code. Linux says "present" of all that lies in the kernel's half. */
static bool page_faults_agree(const struct host_case *c, const struct host_result *theirs,
                              const struct host_result *ours)
{
    uint32_t hidden = ours->hidden_error_bits | (theirs->cr2 >> 63 ? 1 : 0);
    if (c->is_cr2_undefined)
        return true;
    return (theirs->error_code | hidden) == (ours->error_code | hidden) && theirs->cr2 == ours->cr2;
}

/* The case's instruction pointer. */
static uint64_t code_at(const struct host_case *c)
{
    return (c->mode == DEC_16 ? 0 : HOST_CODE) + c->code_offset;
}

/* What differs, or NULL. */
static const char *difference(const struct run *run, const struct host_case *c,
                              const struct host_result *theirs, const struct host_result *ours,
                              uint64_t latest)
{
    bool has_faulted = theirs->vector != HOST_NO_VECTOR;
    uint64_t flags = c->is_fault_open && has_faulted ? 0 : HOST_FLAGS & ~c->undefined_flags;
    bool is_trap = theirs->vector >= FIRST_TRAP && theirs->vector <= LAST_TRAP;
    if (ours->is_lost)
        return "the end";
    if (c->is_vector_open && has_faulted && ours->vector != HOST_NO_VECTOR && ours->vector != theirs->vector)
        return NULL;
    if (ours->vector != theirs->vector)
        return "the exception";
    if (has_faulted && ours->rip != theirs->rip)
        return "the exception's address";
    if (!registers_agree(c, theirs, ours))
        return "a register";
    if ((ours->flags ^ theirs->flags) & flags)
        return "a flag";
    if (!segments_agree(c, theirs, ours))
        return "a segment";
    if (c->has_fx && !fx_agrees(run, c, theirs, ours))
        return "an x87 or XMM register";
    if (ours->is_taken != theirs->is_taken)
        return "the jump";
    bool has_retired = !has_faulted || theirs->rip != code_at(c); /* a fault may be that of the next fetch */
    if (ours->nr_instructions != has_retired && !is_trap)
        return "the number of instructions";
    if (ours->late_cycles > latest)
        return "the time to stop";
    if (theirs->vector == PAGE_FAULT)
        return page_faults_agree(c, theirs, ours) ? NULL : "the page fault";
    return has_faulted && ours->error_code != theirs->error_code ? "the error code" : NULL;
}

/* One saw the address fault, and the other the exception for which nothing is stored. */
static bool is_open_store(const struct host_case *c, const struct host_result *theirs,
                          const struct host_result *ours)
{
    enum { STATUS_ES = 0x80, STACK_FAULT = 12 };
    const struct host_result *faulted = theirs->vector != HOST_NO_VECTOR ? theirs : ours;
    const struct host_result *other = faulted == theirs ? ours : theirs;
    return c->is_store_open && faulted->vector >= STACK_FAULT && faulted->vector <= PAGE_FAULT &&
           other->vector == HOST_NO_VECTOR && (other->fx.status & STATUS_ES);
}

/* AddressSanitizer maps addresses for itself, to which an access of the host's then is no page fault. */
static bool is_sanitizers(const struct host_result *ours)
{
#ifdef __SANITIZE_ADDRESS__
    return ours->vector == PAGE_FAULT && ours->cr2 >= 0x7fff8000 && ours->cr2 < 0x10007fff8000;
#else
    (void)ours;
    return false;
#endif
}

static bool run_ours(struct run *run, const struct host_case *c, uint64_t number, enum ours_kind kind,
                     const struct host_result *theirs)
{
    struct host_result ours;
    ours_run(run->ours[kind], c, &ours);
    bool has_faulted = theirs->vector != HOST_NO_VECTOR || ours.vector != HOST_NO_VECTOR;
    bool is_skipped = c->is_undefined || ours.is_unimplemented || (c->is_fault_undefined && has_faulted) ||
                      (theirs->vector == HOST_NO_VECTOR && is_sanitizers(&ours)) ||
                      is_open_store(c, theirs, &ours);
    run->forms[c->form].unimplemented += ours.is_unimplemented;
    run->forms[c->form].masked |= c->undefined_flags;
    run->forms[c->form].needed |= c->undefined_flags & (ours.flags ^ theirs->flags);
    const char *what = is_skipped ? NULL : difference(run, c, theirs, &ours, latest_cycles[kind]);
    if (run->generator->reconcile)
        run->generator->reconcile(c, native_data(), ours_data(run->ours[kind]));
    bool is_memory_compared =
        !is_skipped && !c->is_memory_undefined && !(c->is_memory_open_in_fault && has_faulted);
    if (is_memory_compared && !what &&
        memcmp(ours_data(run->ours[kind]), native_data(), HOST_DATA_BYTES) != 0)
        what = "memory";
    if (what)
        report(run, c, number, kind, what, theirs, &ours);
    if (what || !is_memory_compared)
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
    run->generator->make(&c, run->seed, number, native_data());
    if (!ours_can_run(c.mode)) {
        run->nr_left_out++;
        return;
    }
    native_run(&c, &theirs);
    run->nr_compared++;
    run->nr_exceptions += theirs.vector != HOST_NO_VECTOR;
    run->forms[c.form].cases++;
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
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--forms") == 0 || strcmp(argv[i], "--masks") == 0) {
            *(argv[i][2] == 'f' ? &run->lists_forms : &run->lists_masks) = true;
            continue;
        }
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
        i++;
    }
    return true;
}

/* Which flags were not compared, by instruction, and whether they differed. */
static void print_masks(const struct run *run)
{
    static uint64_t masked[DEC_NR_OPS], needed[DEC_NR_OPS];
    for (unsigned i = 0; i < run->generator->nr_forms; i++) {
        masked[run->generator->form_op(i)] |= run->forms[i].masked;
        needed[run->generator->form_op(i)] |= run->forms[i].needed;
    }
    for (unsigned op = 0; op < DEC_NR_OPS; op++)
        if (masked[op])
            printf("%-12s flags not compared %03x, of which differed %03x\n", dec_mnemonic(op),
                   (unsigned)masked[op], (unsigned)needed[op]);
}

/* How many forms were left out for each reason; reasons are compared by their text. */
static void print_reasons(const struct run *run)
{
    const struct host_generator *g = run->generator;
    for (unsigned i = 0; i < g->nr_forms; i++) {
        const char *why = g->excluded(i);
        unsigned nr = 0;
        bool is_first = why;
        for (unsigned j = 0; j < g->nr_forms && is_first; j++) {
            const char *other = g->excluded(j);
            bool is_same = other && strcmp(other, why) == 0;
            is_first = !is_same || j >= i;
            nr += is_same;
        }
        if (is_first)
            printf("%s: not run: %4u forms: %s\n", g->program, nr, why);
    }
}

static void summarise(const struct run *run)
{
    const struct host_generator *g = run->generator;
    unsigned nr_run = 0, nr_unimplemented = 0;
    for (unsigned i = 0; i < g->nr_forms; i++) {
        nr_run += run->forms[i].cases != 0 && !run->forms[i].unimplemented;
        nr_unimplemented += run->forms[i].unimplemented != 0;
        const char *why = g->excluded ? g->excluded(i) : NULL;
        if (run->forms[i].unimplemented)
            why = "no executor";
        if (run->lists_forms || run->forms[i].differences)
            printf("%-40s %8llu cases %8llu differences%s%s\n", g->form_name(i),
                   (unsigned long long)run->forms[i].cases, (unsigned long long)run->forms[i].differences,
                   why ? "; not compared: " : "", why ? why : "");
    }
    if (run->lists_masks && g->form_op)
        print_masks(run);
    if (g->excluded && run->nr_cases > 1)
        print_reasons(run);
    if (nr_unimplemented)
        printf("%s: not run: %4u forms: our cores have no executor\n", g->program, nr_unimplemented);
    printf("%s: %u of %u forms, %llu cases in %d models, %llu with an exception: %llu differences\n",
           g->program, nr_run, g->nr_forms, (unsigned long long)run->nr_compared, NR_OURS,
           (unsigned long long)run->nr_exceptions, (unsigned long long)run->nr_differences);
    if (run->nr_left_out)
        printf("%s: %llu cases left out, in modes that our cores do not run\n", g->program,
               (unsigned long long)run->nr_left_out);
}

int host_main(int argc, char **argv, const struct host_generator *generator)
{
    struct run run = {.generator = generator, .seed = 1, .nr_cases = generator->default_cases};
    if (!parse(&run, argc, argv)) {
        fprintf(stderr, "usage: %s [--cases N] [--seed S] [--case K] [--forms] [--masks]\n",
                generator->program);
        return 64;
    }
    if (!native_init()) {
        fprintf(stderr, "%s: skipped: no writable code, LDT or low addresses here\n", generator->program);
        return EXIT_SKIPPED;
    }
    run.forms = calloc(generator->nr_forms, sizeof *run.forms);
    bool is_ready = run.forms;
    for (enum ours_kind kind = 0; kind < NR_OURS; kind++) {
        run.ours[kind] = ours_create(kind);
        is_ready &= run.ours[kind] != NULL;
    }
    if (!is_ready) {
        fprintf(stderr, "%s: out of memory\n", generator->program);
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
