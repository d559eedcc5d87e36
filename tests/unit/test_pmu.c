/*
 * Performance counters (SDM 3B 18.2): what a guest reads by RDPMC and RDMSR is what the simulator has
 * counted, to the instruction, in all three models.
 */
#include "tests/unit/world_fixture.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    PMC0 = 0xc1,
    PERFEVTSEL0 = 0x186,
    FIXED_CTR0 = 0x309,
    FIXED_CTR_CTRL = 0x38d,
    GLOBAL_STATUS = 0x38e,
    GLOBAL_CTRL = 0x38f,
    GLOBAL_OVF_CTRL = 0x390,
    USR = 0x10000,
    OS = 0x20000,
    EDGE = 0x40000,
    INT = 0x100000,
    EN = 0x400000,
    INV = 0x800000,
    INSTRUCTIONS = 0xc0,
    CYCLES = 0x3c,
    BRANCHES = 0xc4,
    FIXED = 0x40000000, /* in RDPMC's ECX */
    RESULTS = DATA + 0x800,
    MAX_CODE = 1024,
};

/* ---- A small assembler ---- */

struct code {
    uint8_t bytes[MAX_CODE];
    unsigned length;
};

static void emit(struct code *code, unsigned nr, ...)
{
    va_list bytes;
    va_start(bytes, nr);
    for (unsigned i = 0; i < nr; i++)
        code->bytes[code->length++] = (uint8_t)va_arg(bytes, int);
    va_end(bytes);
    cr_assert_lt(code->length, MAX_CODE);
}

static void emit32(struct code *code, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        emit(code, 1, (int)(value >> i * 8 & 0xff));
}

static void mov(struct code *code, enum cpu_gpr reg, uint32_t value)
{
    emit(code, 1, 0xb8 + (int)reg);
    emit32(code, value);
}

static void wrmsr(struct code *code, uint32_t msr, uint64_t value)
{
    mov(code, CPU_CX, msr);
    mov(code, CPU_AX, (uint32_t)value);
    mov(code, CPU_DX, (uint32_t)(value >> 32));
    emit(code, 2, 0x0f, 0x30);
}

/* EDX:EAX to RESULTS[index], 64 bits. */
static void keep(struct code *code, unsigned index)
{
    emit(code, 1, 0xa3);
    emit32(code, RESULTS + index * 8);
    emit(code, 2, 0x89, 0x15);
    emit32(code, RESULTS + index * 8 + 4);
}

static void rdmsr(struct code *code, uint32_t msr, unsigned index)
{
    mov(code, CPU_CX, msr);
    emit(code, 2, 0x0f, 0x32);
    keep(code, index);
}

static void rdpmc(struct code *code, uint32_t counter, unsigned index)
{
    mov(code, CPU_CX, counter);
    emit(code, 2, 0x0f, 0x33);
    keep(code, index);
}

static void end(struct code *code)
{
    emit(code, 2, 0xcd, END3);
}

static uint64_t result(const struct world *w, unsigned kind, unsigned index)
{
    uint64_t value;
    memcpy(&value, w->core[kind].ram.host + RESULTS + index * 8, sizeof value);
    return value;
}

/* As run(), but that memory, which holds times, may differ. */
static void run_each(struct world *w, const struct code *code)
{
    struct cpu_state begin = w->state;
    put(w, CODE, code->bytes, code->length);
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++) {
        struct core *core = &w->core[kind];
        cpu_set_state(core->cpu, &begin);
        do
            w->stop = cpu_run(core->cpu, cpu_now(core->cpu) + 100000);
        while (w->stop == CPU_STOP_DEADLINE && cpu_now(core->cpu) < 1000000);
        cpu_settle(core->cpu);
        cr_assert_eq(w->stop, CPU_STOP_HALTED);
        struct cpu_state state = cpu_state(core->cpu);
        w->vector = (unsigned)(state.rip - 1 - HANDLERS) / 16;
        if (kind == CORE_FUNCTIONAL)
            w->state = state;
    }
    cr_assert_arr_eq(w->core[CORE_INORDER].ram.host, w->core[CORE_WATCHED].ram.host, CORE_RAM_BYTES);
    cr_assert_eq(cpu_now(w->core[CORE_INORDER].cpu), cpu_now(w->core[CORE_WATCHED].cpu));
}

/* ---- Counting ---- */

Test(pmu, instructions_between_two_rdpmcs_are_counted_exactly)
{
    struct world w;
    struct code code = {.length = 0};
    set_up(&w);
    wrmsr(&code, FIXED_CTR_CTRL, 3);
    wrmsr(&code, GLOBAL_CTRL, 1ull << 32 | 1);
    wrmsr(&code, PERFEVTSEL0, INSTRUCTIONS | USR | OS | EN);
    rdpmc(&code, FIXED, 0); /* 2 more instructions behind it */
    rdpmc(&code, 0, 1);
    mov(&code, CPU_DI, 100);
    emit(&code, 3, 0x4f, 0x75, 0xfd); /* dec edi; jnz */
    rdpmc(&code, FIXED, 2);
    rdpmc(&code, 0, 3);
    end(&code);
    run_each(&w, &code);
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++) {
        cr_assert_eq(result(&w, kind, 2) - result(&w, kind, 0), 4 + 4 + 1 + 200, "kind %u: %lu", kind,
                     result(&w, kind, 2) - result(&w, kind, 0));
        cr_assert_eq(result(&w, kind, 3) - result(&w, kind, 1), 4 + 1 + 200 + 4);
        /*
         * The counter started behind its WRMSR's predecessors: that WRMSR counts, what was before does not.
         */
        cr_assert_eq(result(&w, kind, 1), 1 + 4 + 1, "kind %u: %lu", kind, result(&w, kind, 1));
    }
    tear_down(&w);
}

/*
 * Programs with known misses. 24 pages that no TLB has: each second one is read, the others are written. And
 * six pages of one set of the L1 DTLB (16 sets of 4 ways), which the L2 TLB keeps all.
 */
enum { NR_PAGES = 24, PAGES = 0x40000, NR_SAME_SET = 6, SAME_SET = 0x25000 };

static void touch_pages(struct code *code)
{
    mov(code, CPU_SI, PAGES);
    mov(code, CPU_DI, NR_PAGES / 2);
    unsigned loop = code->length;
    emit(code, 2, 0x8b, 0x06);                /* mov eax,[esi] */
    emit(code, 6, 0x89, 0x86, 0, 0x10, 0, 0); /* mov [esi+4096],eax */
    emit(code, 6, 0x81, 0xc6, 0, 0x20, 0, 0); /* add esi,8192 */
    emit(code, 3, 0x4f, 0x75, (int)(loop - code->length - 3));
}

static void touch_one_set(struct code *code)
{
    mov(code, CPU_SI, SAME_SET);
    mov(code, CPU_DI, NR_SAME_SET);
    unsigned loop = code->length;
    emit(code, 2, 0x8b, 0x06);             /* mov eax,[esi] */
    emit(code, 6, 0x81, 0xc6, 0, 0, 1, 0); /* add esi,65536 */
    emit(code, 3, 0x4f, 0x75, (int)(loop - code->length - 3));
}

enum { READS_TWICE = 2 }; /* the results' page and lines are there at the second reading */

static unsigned measure(struct code *code, uint64_t select, bool is_one_set)
{
    if (is_one_set)
        touch_one_set(code);
    wrmsr(code, PERFEVTSEL0 + 2, select);
    for (unsigned i = 0; i < READS_TWICE; i++)
        rdpmc(code, 2, 0);
    unsigned begin = code->length;
    (is_one_set ? touch_one_set : touch_pages)(code);
    rdpmc(code, 2, 1);
    end(code);
    return begin;
}

static uint64_t count(unsigned kind, uint64_t select, bool is_one_set)
{
    struct world w;
    struct code code = {.length = 0};
    set_up(&w);
    measure(&code, select, is_one_set);
    run_each(&w, &code);
    uint64_t counted = result(&w, kind, 1) - result(&w, kind, 0);
    tear_down(&w);
    return counted;
}

Test(pmu, events_of_programs_with_known_misses)
{
    static const struct {
        unsigned event, umask;
        uint64_t pages, one_set; /* what each program makes of it */
    } cases[] = {
        {0xc0, 0x00, 4 + 2 + 5 * 12, 4 + 2 + 4 * 6}, /* instructions */
        {0x08, 0x01, 12, 0},                         /* walks for loads */
        {0x49, 0x01, 12, 0},                         /* for stores */
        {0x85, 0x01, 0, 0},                          /* for fetches */
        {0x08, 0x10, 0, 6},                          /* loads that the L2 TLB served */
        {0x49, 0x10, 0, 0},
        {0xd0, 0x81, 12, 6},     /* loads */
        {0xd0, 0x82, 12 + 2, 2}, /* stores, with those of the result */
        {0xc4, 0x00, 12, 6},     /* branches */
        {0xc4, 0x01, 12, 6},
        {0xc4, 0x20, 11, 5}, /* taken */
        {0xbd, 0x01, 0, 0},
        {0xcb, 0x01, 0, 0},
        {0x51, 0x00, 0, 0}, /* no event */
        {0xff, 0xff, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t select = cases[i].event | cases[i].umask << 8 | USR | OS | EN;
        for (unsigned kind = CORE_INORDER; kind < NR_CORE_KINDS; kind++) {
            uint64_t pages = count(kind, select, false), one_set = count(kind, select, true);
            cr_assert_eq(pages, cases[i].pages, "event %x/%x: %lu", cases[i].event, cases[i].umask, pages);
            cr_assert_eq(one_set, cases[i].one_set, "event %x/%x: %lu", cases[i].event, cases[i].umask,
                         one_set);
        }
    }
}

Test(pmu, the_functional_model_counts_instructions_and_cycles_and_has_no_misses)
{
    uint64_t flags = USR | OS | EN;
    cr_assert_eq(count(CORE_FUNCTIONAL, INSTRUCTIONS | flags, false), 4 + 2 + 5 * 12);
    cr_assert_eq(count(CORE_FUNCTIONAL, CYCLES | flags, false), 4 + 2 + 5 * 12);
    cr_assert_eq(count(CORE_FUNCTIONAL, 0x108 | flags, false), 0);
    cr_assert_eq(count(CORE_FUNCTIONAL, 0x412e | flags, false), 0);
}

Test(pmu, what_is_not_there_counts_nothing)
{
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++) {
        cr_assert_eq(count(kind, INSTRUCTIONS | USR | OS, false), 0, "not enabled");
        cr_assert_eq(count(kind, INSTRUCTIONS | EN, false), 0, "at no level");
        cr_assert_eq(count(kind, INSTRUCTIONS | USR | EN, false), 0, "at another level");
        cr_assert_eq(count(kind, INSTRUCTIONS | USR | OS | EN | EDGE, false), 0);
        cr_assert_eq(count(kind, INSTRUCTIONS | USR | OS | EN | 1u << 24, false), 0, "with a threshold");
        cr_assert_neq(count(kind, INSTRUCTIONS | USR | OS | EN | INV, false), 0, "INV without threshold");
    }
}

/* Every row of the table, against the statistics when the two readings are made. */
struct row {
    const char *name;
    unsigned event, umask;
};

static const struct row rows[] = {
#define PMU_EVENT(name, event, umask, source, field, sentence) {#name, event, umask},
#include "cpu/pmu_events.def"
#undef PMU_EVENT
};

static uint64_t statistic(const struct core *core, size_t row)
{
    const struct {
        uint64_t unhalted;
    } clock = {cpu_now(core->cpu)};
#define SOURCE_CLOCK (&clock)
#define SOURCE_CORE cpu_stats(core->cpu)
#define SOURCE_MMU (&cpu_mmu(core->cpu)->stats)
#define SOURCE_ITLB tlb_stats(core->itlb)
#define SOURCE_DTLB tlb_stats(core->dtlb)
#define SOURCE_L2_TLB tlb_stats(core->l2_tlb)
#define SOURCE_L1I cache_stats(core->caches.l1i)
#define SOURCE_L1D cache_stats(core->caches.l1d)
#define SOURCE_L2 cache_stats(core->caches.l2)
#define SOURCE_LAST_LEVEL cache_stats(core->caches.l2)
    const uint64_t values[] = {
#define PMU_EVENT(name, event, umask, source, field, sentence) SOURCE_##source->field,
#include "cpu/pmu_events.def"
#undef PMU_EVENT
    };
    return values[row];
}

/* Steps to where the RDPMC at CODE + offset is about to run, in a fetch block that was fetched before. */
static uint64_t statistic_at(struct core *core, unsigned offset, size_t row)
{
    for (unsigned i = 0; cpu_state(core->cpu).rip != CODE + offset; i++) {
        cr_assert_lt(i, 1000);
        cpu_step(core->cpu);
    }
    cpu_settle(core->cpu);
    return statistic(core, row);
}

Test(pmu, every_event_is_a_statistic)
{
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        for (unsigned kind = CORE_INORDER; kind < NR_CORE_KINDS; kind++) {
            struct world w;
            struct code code = {.length = 0};
            set_up(&w);
            wrmsr(&code, PERFEVTSEL0, rows[row].event | rows[row].umask << 8 | USR | OS | EN);
            unsigned at[2];
            rdpmc(&code, 0, 0);
            for (unsigned i = 0; i < 2; i++) {
                emit(&code, 5, 0xb9, 0, 0, 0, 0); /* mov ecx,0, and until it is there */
                emit(&code, 8, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90);
                while (code.length % 16 == 0 || code.length % 16 > 14)
                    emit(&code, 1, 0x90);
                at[i] = code.length;
                emit(&code, 2, 0x0f, 0x33);
                keep(&code, i);
                if (i == 0) {
                    touch_pages(&code);
                    touch_one_set(&code);
                }
            }
            end(&code);
            put(&w, CODE, code.bytes, code.length);
            struct core *core = &w.core[kind];
            cpu_set_state(core->cpu, &w.state);
            uint64_t begin = statistic_at(core, at[0], row), until = statistic_at(core, at[1], row);
            for (unsigned i = 0; i < 10; i++)
                cpu_step(core->cpu);
            uint64_t counted = result(&w, kind, 1) - result(&w, kind, 0);
            cr_assert_eq(counted, until - begin, "%s: %lu, not %lu", rows[row].name, counted, until - begin);
            tear_down(&w);
        }
    }
}

Test(pmu, the_page_on_counters_has_every_row)
{
    static char page[1 << 16];
    FILE *file = fopen(LK_SOURCE_DIR "/docs/pmu.md", "r");
    cr_assert_not_null(file);
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    fclose(file);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char line[128];
        snprintf(line, sizeof line, "| %02XH | %02XH | `%s` |", rows[i].event, rows[i].umask, rows[i].name);
        cr_assert_not_null(strstr(page, line), "docs/pmu.md lacks %s", line);
    }
}

/* ---- Privilege levels ---- */

Test(pmu, rings_are_told_apart_to_the_instruction)
{
    enum { READ = 0x32, READER = 0xd000, HANDLER = 0xe000 };
    struct world w;
    struct code code = {.length = 0}, reader = {.length = 0};
    set_up(&w);
    w.state.segment[DEC_SEG_DS] = core_segment(DATA3, 0x00cff3000000ffff); /* stays, in ring 3 */
    wrmsr(&code, GLOBAL_CTRL, 0);
    wrmsr(&code, FIXED_CTR_CTRL, 3);
    wrmsr(&code, PERFEVTSEL0, INSTRUCTIONS | USR | EN);
    wrmsr(&code, PERFEVTSEL0 + 1, INSTRUCTIONS | OS | EN);
    wrmsr(&code, PERFEVTSEL0 + 2, CYCLES | USR | EN);
    wrmsr(&code, PERFEVTSEL0 + 3, CYCLES | OS | EN);
    wrmsr(&code, GLOBAL_CTRL, 1ull << 32 | 15);
    /* Ring 0: five pushes, IRET. */
    const uint32_t frame_words[] = {DATA3, STACK3, 2, CODE3};
    for (unsigned i = 0; i < 4; i++) {
        emit(&code, 1, 0x68);
        emit32(&code, frame_words[i]);
    }
    emit(&code, 1, 0x68);
    emit32(&code, CODE + code.length + 4 + 1);
    emit(&code, 1, 0xcf);
    /* Ring 3: five; two of these enter ring 0. */
    emit(&code, 7, 0x90, 0x90, 0xcd, TRAP3, 0x90, 0xcd, READ);
    for (unsigned i = 0; i < 4; i++)
        rdpmc(&reader, i, i);
    rdpmc(&reader, FIXED, 4);
    emit(&reader, 1, 0xf4);
    put(&w, READER, reader.bytes, reader.length);
    put(&w, HANDLER, "\x90\x90\xcf", 3); /* three of ring 0 */
    put64(&w, IDT + READ * 8, core_gate(CODE0, READER, 0xee));
    put64(&w, IDT + TRAP3 * 8, core_gate(CODE0, HANDLER, 0xef));
    run_each(&w, &code);
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++) {
        cr_assert_eq(result(&w, kind, 0), 5, "kind %u: user %lu", kind, result(&w, kind, 0));
        /*
         * Ring 0: the WRMSR that started all, 6, 3, and the reader's first MOV, RDPMC and two stores, and a
         * MOV.
         */
        cr_assert_eq(result(&w, kind, 1), 1 + 6 + 3 + 5, "kind %u: system %lu", kind, result(&w, kind, 1));
        cr_assert_eq(result(&w, kind, 4), 5 + 1 + 6 + 3 + 4 * 4 + 1);
        if (kind == CORE_FUNCTIONAL)
            continue;
        uint64_t user = result(&w, kind, 2), system = result(&w, kind, 3);
        cr_assert_gt(user, 5);
        cr_assert_gt(system, 20);
        cr_assert_lt(user + system, cpu_now(w.core[kind].cpu));
    }
    tear_down(&w);
}

/* ---- The registers ---- */

Test(pmu, counters_are_48_bits_wide_and_the_general_ones_take_32)
{
    struct world w;
    struct code code = {.length = 0};
    set_up(&w);
    wrmsr(&code, PMC0, 0x123480000001);
    rdmsr(&code, PMC0, 0);
    wrmsr(&code, PMC0 + 3, 0x123470000001);
    rdpmc(&code, 3, 1);
    wrmsr(&code, FIXED_CTR0 + 1, 0xfedcba987654);
    rdpmc(&code, FIXED | 1, 2);
    end(&code);
    run_each(&w, &code);
    cr_assert_eq(result(&w, 0, 0), 0xffff80000001);
    cr_assert_eq(result(&w, 0, 1), 0x70000001);
    cr_assert_eq(result(&w, 0, 2), 0xfedcba987654);
    tear_down(&w);
}

static unsigned vector_of(bool is_ring3, uint64_t cr4, const struct code *code)
{
    struct world w;
    set_up(&w);
    if (is_ring3)
        enter_ring3(&w);
    w.state.cr4 |= cr4;
    put(&w, CODE, code->bytes, code->length);
    run(&w);
    unsigned vector = w.vector;
    tear_down(&w);
    return vector;
}

Test(pmu, reserved_bits_fault)
{
    static const struct {
        uint32_t msr;
        uint64_t value;
        bool is_good;
    } cases[] = {
        {PERFEVTSEL0, 0xffdfffff, true},
        {PERFEVTSEL0, 0x00200000, false}, /* AnyThread is of version 3 */
        {PERFEVTSEL0, 1ull << 32, false},
        {PERFEVTSEL0 + 3, 0, true},
        {PERFEVTSEL0 + 4, 0, false},
        {PMC0 + 3, UINT64_MAX, true},
        {PMC0 + 4, 0, false},
        {FIXED_CTR0, 0xffffffffffff, true},
        {FIXED_CTR0, 1ull << 48, false},
        {FIXED_CTR0 + 3, 0, false},
        {FIXED_CTR_CTRL, 0xbbb, true},
        {FIXED_CTR_CTRL, 4, false},
        {FIXED_CTR_CTRL, 0x1000, false},
        {GLOBAL_CTRL, 0x70000000f, true},
        {GLOBAL_CTRL, 0x10, false},
        {GLOBAL_CTRL, 1ull << 35, false},
        {GLOBAL_STATUS, 0, false},
        {GLOBAL_OVF_CTRL, 0xc00000070000000f, true},
        {GLOBAL_OVF_CTRL, 0x10, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct code code = {.length = 0};
        wrmsr(&code, cases[i].msr, cases[i].value);
        end(&code);
        unsigned vector = vector_of(false, 0, &code);
        cr_assert_eq(vector, cases[i].is_good ? END3 : GP, "%x = %lx: %u", cases[i].msr, cases[i].value,
                     vector);
    }
}

Test(pmu, rdpmc_asks_for_a_counter_that_is_there_and_in_ring_3_for_pce)
{
    static const struct {
        uint32_t counter;
        bool is_good;
    } cases[] = {{0, true},         {3, true},          {4, false},        {FIXED, true},
                 {FIXED | 2, true}, {FIXED | 3, false}, {1u << 31, false}, {UINT32_MAX, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct code code = {.length = 0};
        mov(&code, CPU_CX, cases[i].counter);
        emit(&code, 2, 0x0f, 0x33);
        end(&code);
        cr_assert_eq(vector_of(false, 0, &code), cases[i].is_good ? END3 : GP);
        cr_assert_eq(vector_of(true, CR4_PCE, &code), cases[i].is_good ? END3 : GP);
        cr_assert_eq(vector_of(true, 0, &code), GP);
    }
}

Test(pmu, rdtsc_in_ring_3_asks_for_tsd)
{
    struct code code = {.length = 0};
    emit(&code, 6, 0x0f, 0x31, 0x31, 0xc0, 0x31, 0xd2); /* rdtsc; xor eax,eax; xor edx,edx */
    end(&code);
    cr_assert_eq(vector_of(true, 0, &code), END3);
    cr_assert_eq(vector_of(true, CR4_TSD, &code), GP);
    cr_assert_eq(vector_of(false, CR4_TSD, &code), END3);
}

Test(pmu, cpuid_tells_of_version_2)
{
    struct world w;
    set_up(&w);
    PROGRAM(&w, 0xb8, 10, 0, 0, 0, 0x31, 0xc9, 0x0f, 0xa2, 0xcd, END3); /* mov eax,10; xor ecx,ecx; cpuid */
    run(&w);
    cr_assert_eq(w.state.gpr[CPU_AX], 0x07300402);
    cr_assert_eq(w.state.gpr[CPU_BX], 0);
    cr_assert_eq(w.state.gpr[CPU_DX], 3 | 48 << 5);
    tear_down(&w);
}

/* ---- Overflow ---- */

Test(pmu, an_overflow_shows_in_the_status_until_it_is_cleared)
{
    struct world w;
    struct code code = {.length = 0};
    set_up(&w);
    wrmsr(&code, FIXED_CTR0, 0xffffffffffff);
    rdmsr(&code, GLOBAL_STATUS, 0);
    wrmsr(&code, FIXED_CTR_CTRL, 3);
    wrmsr(&code, PMC0 + 1, UINT64_MAX - 1);
    wrmsr(&code, PERFEVTSEL0 + 1, INSTRUCTIONS | USR | OS | EN);
    wrmsr(&code, GLOBAL_CTRL, 1ull << 32 | 2);
    emit(&code, 3, 0x90, 0x90, 0x90);
    rdmsr(&code, GLOBAL_STATUS, 1);
    wrmsr(&code, GLOBAL_OVF_CTRL, 2);
    rdmsr(&code, GLOBAL_STATUS, 2);
    end(&code);
    run_each(&w, &code);
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++) {
        cr_assert_eq(result(&w, kind, 0), 0);
        cr_assert_eq(result(&w, kind, 1), 1ull << 32 | 2);
        cr_assert_eq(result(&w, kind, 2), 1ull << 32);
    }
    tear_down(&w);
}

Test(pmu, an_overflow_interrupts_where_it_is_asked_to)
{
    struct world w;
    struct code code = {.length = 0};
    set_up(&w);
    wrmsr(&code, PMC0, UINT64_MAX - 999);
    wrmsr(&code, PERFEVTSEL0, INSTRUCTIONS | USR | OS | EN | INT);
    emit(&code, 1, 0xfb);             /* sti */
    emit(&code, 4, 0x40, 0xeb, 0xfd); /* inc eax; jmp: for ever */
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++) {
        w.core[kind].interrupts_on_overflow = true;
        w.core[kind].vector = 0x21;
    }
    struct code handler = {.length = 0};
    rdpmc(&handler, 0, 0);
    emit(&handler, 1, 0xf4);
    put(&w, 0xd000, handler.bytes, handler.length);
    put64(&w, IDT + 0x21 * 8, core_gate(CODE0, 0xd000, 0x8e));
    run_each(&w, &code);
    for (unsigned kind = 0; kind < NR_CORE_KINDS; kind++)
        cr_assert_lt(result(&w, kind, 0), 32, "kind %u: %lu instructions late", kind, result(&w, kind, 0));
    tear_down(&w);
}
