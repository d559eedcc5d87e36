#include "sim/observe/profiler.h"

#include "sim/base/outfile.h"
#include "sim/observe/profile_stack.h"
#include "tlb/tlb.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_TABLE_ROOM = 1 << 10, MAX_PROCESSES = 1 << 16 };

/* The instructions of a page that have run in one process and at one level. */
struct code_page {
    uint64_t page;
    uint32_t process;
    unsigned cpl;
    uint32_t nr_counts, room;
    struct profile_counts *counts;
    uint16_t place[PAGE_BYTES]; /* by offset: place in `counts`, + 1; 0: none yet */
};

struct profiler {
    struct cpu_observer observer;
    struct profiler_sources sources;
    char *file, *version, *config_digest, *image;
    struct guest_kernel kernel;

    struct code_page **table; /* a hash table */
    size_t table_room, nr_pages;
    struct code_page *page; /* the one that runs */
    struct profile_stacks *stacks;
    struct profile_process *processes;
    size_t nr_processes, processes_room;
    uint32_t process;
    bool wants_name; /* another page directory was loaded, and it has not been in user mode since */
    unsigned cpl;

    stamp_t counted_to;
    uint64_t latest; /* linear address of the instruction before */
    bool has_missed; /* the counters may have moved */
    struct profile_counts seen;
    bool is_short_of_memory;
};

/* ---- Where to count ---- */

static size_t page_hash(uint64_t page, uint32_t process, unsigned cpl)
{
    uint64_t hash = (page * 4 + cpl) * 0x9e3779b97f4a7c15 + process * 0xc2b2ae3d27d4eb4f;
    return (size_t)(hash ^ hash >> 32);
}

static bool grow_table(struct profiler *profiler)
{
    size_t room = profiler->table_room * 2;
    struct code_page **table = calloc(room, sizeof(struct code_page *));
    if (!table)
        return false;
    for (size_t i = 0; i < profiler->table_room; i++) {
        struct code_page *page = profiler->table[i];
        if (!page)
            continue;
        size_t at = page_hash(page->page, page->process, page->cpl) & (room - 1);
        while (table[at])
            at = (at + 1) & (room - 1);
        table[at] = page;
    }
    free(profiler->table);
    profiler->table = table;
    profiler->table_room = room;
    return true;
}

static struct code_page *find_page(struct profiler *profiler, uint64_t number)
{
    size_t mask = profiler->table_room - 1;
    size_t at = page_hash(number, profiler->process, profiler->cpl) & mask;
    for (; profiler->table[at]; at = (at + 1) & mask) {
        struct code_page *page = profiler->table[at];
        if (page->page == number && page->process == profiler->process && page->cpl == profiler->cpl)
            return page;
    }
    struct code_page *page = calloc(1, sizeof *page);
    if (!page)
        return NULL;
    page->page = number;
    page->process = profiler->process;
    page->cpl = profiler->cpl;
    profiler->table[at] = page;
    if (++profiler->nr_pages * 2 > profiler->table_room && !grow_table(profiler))
        profiler->is_short_of_memory = true;
    return page;
}

/* The counts of the instruction at `linear` in what runs now. NULL when memory is short. */
static struct profile_counts *counts_at(struct profiler *profiler, uint64_t linear)
{
    struct code_page *page = profiler->page;
    if (!page || page->page != linear >> PAGE_SHIFT || page->process != profiler->process ||
        page->cpl != profiler->cpl) {
        page = profiler->page = find_page(profiler, linear >> PAGE_SHIFT);
        if (!page)
            return NULL;
    }
    uint16_t *place = &page->place[linear & PAGE_MASK];
    if (*place == 0) {
        if (page->nr_counts == page->room) {
            uint32_t room = page->room ? page->room * 2 : 32;
            struct profile_counts *counts = realloc(page->counts, room * sizeof *counts);
            if (!counts)
                return NULL;
            page->counts = counts;
            page->room = room;
        }
        page->counts[page->nr_counts++] = (struct profile_counts){{0}};
        *place = (uint16_t)page->nr_counts;
    }
    return &page->counts[*place - 1];
}

/* ---- What the counters say ---- */

static struct profile_counts read_counters(const struct profiler_sources *sources)
{
    struct profile_counts now = {{0}};
    const struct cpu_stats *cpu = cpu_stats(sources->cpu);
    const struct mmu_stats *mmu = &cpu_mmu(sources->cpu)->stats;
    now.of[PROFILE_ITLB_MISSES] = sources->itlb ? tlb_stats(sources->itlb)->misses : 0;
    now.of[PROFILE_DTLB_MISSES] = sources->dtlb ? tlb_stats(sources->dtlb)->misses : 0;
    now.of[PROFILE_WALKS] = mmu->walks;
    now.of[PROFILE_WALK_CYCLES] = mmu->walk_cycles;
    if (sources->l1i && sources->l1i != sources->l1d)
        now.of[PROFILE_L1I_MISSES] = cache_stats(sources->l1i)->misses;
    now.of[PROFILE_L1D_MISSES] = sources->l1d ? cache_stats(sources->l1d)->misses : 0;
    now.of[PROFILE_L2_MISSES] = sources->l2 ? cache_stats(sources->l2)->misses : 0;
    now.of[PROFILE_PAGE_FAULTS] = cpu->page_faults;
    now.of[PROFILE_MISPREDICTS] = cpu->mispredicts;
    return now;
}

/* Counts for the instruction at `linear` and for the stack that runs. */
static void count(struct profiler *profiler, uint64_t linear, uint64_t ticks, unsigned nr_instructions)
{
    struct profile_counts *code = counts_at(profiler, linear);
    size_t nr_nodes;
    struct profile_node *nodes = profile_stacks_nodes(profiler->stacks, &nr_nodes);
    if (!code || nr_nodes == 0) {
        profiler->is_short_of_memory = true;
        return;
    }
    struct profile_counts *stack = &nodes[profile_stacks_node(profiler->stacks)].counts;
    code->of[PROFILE_CYCLES] += ticks;
    code->of[PROFILE_INSTRUCTIONS] += nr_instructions;
    stack->of[PROFILE_CYCLES] += ticks;
    stack->of[PROFILE_INSTRUCTIONS] += nr_instructions;
    if (!profiler->has_missed)
        return;
    profiler->has_missed = false;
    struct profile_counts now = read_counters(&profiler->sources);
    for (unsigned i = PROFILE_INSTRUCTIONS + 1; i < NR_PROFILE_EVENTS; i++) {
        code->of[i] += now.of[i] - profiler->seen.of[i];
        stack->of[i] += now.of[i] - profiler->seen.of[i];
    }
    profiler->seen = now;
}

static uint64_t ticks_to(struct profiler *profiler, stamp_t to)
{
    to = stamp_because(to, REASON_BASE);
    if (to <= profiler->counted_to)
        return 0;
    uint64_t ticks = to - profiler->counted_to;
    profiler->counted_to = to;
    return ticks;
}

/* ---- Processes ---- */

static uint32_t process_like(struct profiler *profiler, uint64_t cr3, const struct guest_task *task)
{
    struct profile_process *processes = profiler->processes;
    for (size_t i = profiler->nr_processes; i-- > 0;) {
        struct profile_process *process = &processes[i];
        if (process->cr3 != cr3)
            continue;
        if (task && process->name[0] && (process->pid != task->pid || strcmp(process->name, task->name) != 0))
            continue;
        if (task && !process->name[0]) {
            process->pid = task->pid;
            memcpy(process->name, task->name, sizeof process->name);
        }
        return (uint32_t)i;
    }
    if (profiler->nr_processes == profiler->processes_room) {
        size_t room = profiler->processes_room ? profiler->processes_room * 2 : 16;
        processes =
            profiler->nr_processes < MAX_PROCESSES ? realloc(processes, room * sizeof *processes) : NULL;
        if (!processes) {
            profiler->is_short_of_memory = true;
            return profiler->process;
        }
        profiler->processes = processes;
        profiler->processes_room = room;
    }
    struct profile_process *process = &processes[profiler->nr_processes];
    *process = (struct profile_process){.cr3 = cr3};
    if (task) {
        process->pid = task->pid;
        memcpy(process->name, task->name, sizeof process->name);
    }
    return (uint32_t)profiler->nr_processes++;
}

/* A kernel makes a task the current one some time after it has loaded CR3, but before its user code runs. */
static void name_process(struct profiler *profiler)
{
    struct guest_task task;
    profiler->wants_name = false;
    guest_kernel_look(&profiler->kernel, true);
    if (guest_kernel_current_task(&profiler->kernel, &task) && task.name[0])
        profiler->process = process_like(profiler, profiler->processes[profiler->process].cr3, &task);
}

/* ---- What the core tells ---- */

/* What of SYSENTER and its like belongs to the level that it leaves. */
static bool changes_level(const struct cpu_seen_step *step)
{
    return step->flow == CPU_FLOW_ENTRY || step->flow == CPU_FLOW_LEAVE;
}

static void on_step(void *opaque, const struct cpu_seen_step *step)
{
    struct profiler *profiler = opaque;
    if (!changes_level(step))
        profiler->cpl = step->cpl;
    if (profiler->wants_name && profiler->cpl == 3)
        name_process(profiler);
    profile_stacks_begin(profiler->stacks, step, profiler->process);
    count(profiler, step->linear.v, ticks_to(profiler, step->next), 1);
    profile_stacks_end(profiler->stacks, step, profiler->process);
    profiler->cpl = step->cpl;
    profiler->latest = step->linear.v;
}

static void on_exception(void *opaque, const struct cpu_seen_exception *exception)
{
    struct profiler *profiler = opaque;
    /* What an interrupt waited for, a halt above all, is of the instruction before it. */
    uint64_t at = exception->is_interrupt ? profiler->latest : exception->linear.v;
    profiler->has_missed = true;
    if (profiler->wants_name && profiler->cpl == 3)
        name_process(profiler);
    profile_stacks_settle(profiler->stacks, exception, profiler->process);
    size_t nr_nodes;
    profile_stacks_nodes(profiler->stacks, &nr_nodes);
    if (nr_nodes)
        count(profiler, at, ticks_to(profiler, exception->clock), 0);
    profile_stacks_enter(profiler->stacks, exception, at);
}

static void on_translation(void *opaque, const struct cpu_seen_translation *translation,
                           const struct walk *walk)
{
    (void)translation, (void)walk;
    ((struct profiler *)opaque)->has_missed = true;
}

static void on_request(void *opaque, const struct cpu_seen_request *request)
{
    (void)request;
    ((struct profiler *)opaque)->has_missed = true;
}

static void on_control(void *opaque, const char *what, uint64_t value)
{
    struct profiler *profiler = opaque;
    if (strcmp(what, "cr3") != 0)
        return;
    profiler->process = process_like(profiler, value & ~(uint64_t)0xfff, NULL);
    profiler->wants_name = true;
}

/* ---- Beginning and end ---- */

struct profiler *profiler_create(const char *file, const struct profiler_params *params, struct diag *diag)
{
    if (!outfile_can_open(file, diag))
        return NULL;
    struct profiler *profiler = calloc(1, sizeof *profiler);
    if (profiler) {
        profiler->file = strdup(file);
        profiler->version = strdup(params->version);
        profiler->config_digest = strdup(params->config_digest);
        profiler->image = strdup(params->image);
        profiler->table_room = PAGE_TABLE_ROOM;
        profiler->table = calloc(PAGE_TABLE_ROOM, sizeof(struct code_page *));
        profiler->stacks = profile_stacks_create();
        profiler->process = process_like(profiler, 0, NULL);
    }
    if (!profiler || !profiler->file || !profiler->version || !profiler->config_digest || !profiler->image ||
        !profiler->table || !profiler->stacks || profiler->is_short_of_memory) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", file);
        profiler_abandon(profiler);
        return NULL;
    }
    profiler->observer = (struct cpu_observer){
        .opaque = profiler,
        .wants_no_hits = true,
        .step = on_step,
        .translation = on_translation,
        .request = on_request,
        .exception = on_exception,
        .control = on_control,
    };
    return profiler;
}

const struct cpu_observer *profiler_observer(struct profiler *profiler)
{
    return &profiler->observer;
}

void profiler_attach(struct profiler *profiler, const struct profiler_sources *sources)
{
    profiler->sources = *sources;
    guest_kernel_init(&profiler->kernel, sources->ram, sources->note, sources->note_bytes);
    profiler->seen = read_counters(sources);
    /* A run that goes on from somewhere is counted from there; one that begins, from cycle 0. */
    cycle_t now = cpu_now(sources->cpu);
    profiler->counted_to = now > 1 ? stamp_of_cycle(now) : 0;
    profiler->processes[0].cr3 = cpu_state(sources->cpu).cr3 & ~(uint64_t)0xfff;
    profiler->wants_name = true;
}

void profiler_abandon(struct profiler *profiler)
{
    if (!profiler)
        return;
    for (size_t i = 0; profiler->table && i < profiler->table_room; i++) {
        if (profiler->table[i])
            free(profiler->table[i]->counts);
        free(profiler->table[i]);
    }
    free(profiler->table);
    free(profiler->processes);
    profile_stacks_destroy(profiler->stacks);
    guest_kernel_fini(&profiler->kernel);
    free(profiler->file);
    free(profiler->version);
    free(profiler->config_digest);
    free(profiler->image);
    free(profiler);
}

static int compare_code(const void *left, const void *right)
{
    const struct profile_code *a = left, *b = right;
    if (a->process != b->process)
        return a->process < b->process ? -1 : 1;
    if (a->cpl != b->cpl)
        return a->cpl < b->cpl ? -1 : 1;
    return a->linear < b->linear ? -1 : a->linear > b->linear;
}

static bool collect_code(struct profiler *profiler, struct profile *profile)
{
    size_t nr_code = 0;
    for (size_t i = 0; i < profiler->table_room; i++)
        nr_code += profiler->table[i] ? profiler->table[i]->nr_counts : 0;
    profile->code = malloc((nr_code + 1) * sizeof *profile->code);
    if (!profile->code)
        return false;
    for (size_t i = 0; i < profiler->table_room; i++) {
        const struct code_page *page = profiler->table[i];
        for (unsigned offset = 0; page && offset < PAGE_BYTES; offset++) {
            if (!page->place[offset])
                continue;
            profile->code[profile->nr_code++] =
                (struct profile_code){.process = page->process,
                                      .cpl = page->cpl,
                                      .linear = page->page << PAGE_SHIFT | offset,
                                      .counts = page->counts[page->place[offset] - 1]};
        }
    }
    qsort(profile->code, profile->nr_code, sizeof *profile->code, compare_code);
    return true;
}

static int compare_functions(const void *left, const void *right)
{
    const struct profile_function *a = left, *b = right;
    return a->begin < b->begin ? -1 : a->begin > b->begin;
}

/*
 * The kernel's names of its functions that ran. One that is missing, because memory is short, is only not
 * known.
 */
static void collect_functions(struct profiler *profiler, struct profile *profile)
{
    guest_kernel_look(&profiler->kernel, false);
    const struct elf_symbols *symbols =
        profiler->kernel.linux_guest ? linux_guest_symbols(profiler->kernel.linux_guest) : NULL;
    struct profile_function *functions = symbols ? malloc((profile->nr_code + 1) * sizeof *functions) : NULL;
    size_t nr = 0;
    for (size_t i = 0; functions && i < profile->nr_code; i++) {
        struct profile_function *function = &functions[nr];
        uint64_t linear = profile->code[i].linear;
        bool is_last = nr && linear - functions[nr - 1].begin < functions[nr - 1].size_bytes;
        const char *name = profile->code[i].cpl == 3 || is_last
                               ? NULL
                               : elf_symbols_bounds(symbols, linear, &function->begin, &function->size_bytes);
        function->name = (char *)(uintptr_t)name; /* a copy replaces it below */
        nr += name && function->size_bytes;
    }
    if (nr)
        qsort(functions, nr, sizeof *functions, compare_functions);
    profile->functions = functions;
    for (size_t i = 0; i < nr; i++) {
        if (i && functions[i].begin == functions[i - 1].begin)
            continue;
        struct profile_function *next = &functions[profile->nr_functions];
        *next = functions[i];
        next->name = strdup(functions[i].name);
        profile->nr_functions += next->name != NULL;
    }
}

bool profiler_finish(struct profiler *profiler, struct diag *diag)
{
    struct profile profile = {.version = profiler->version,
                              .config_digest = profiler->config_digest,
                              .image = profiler->image,
                              .processes = profiler->processes,
                              .nr_processes = profiler->nr_processes};
    size_t nr_nodes;
    profile_stacks_nodes(profiler->stacks, &nr_nodes);
    profiler->has_missed = true;
    if (nr_nodes) /* what the run ended in */
        count(profiler, profiler->latest, ticks_to(profiler, stamp_of_cycle(cpu_now(profiler->sources.cpu))),
              0);
    struct outfile out;
    bool is_good = !profiler->is_short_of_memory && collect_code(profiler, &profile);
    if (!is_good)
        diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", profiler->file);
    if (is_good)
        collect_functions(profiler, &profile);
    profile.nodes = profile_stacks_take_nodes(profiler->stacks, &profile.nr_nodes);
    for (size_t i = 0; is_good && i < profile.nr_code; i++)
        profile_add(&profile.total, &profile.code[i].counts);
    is_good = is_good && outfile_open(&out, profiler->file, diag);
    if (is_good) {
        profile_write(&profile, out.to);
        is_good = outfile_commit(&out, diag);
    }
    free(profile.code);
    free(profile.nodes);
    profile_free_functions(&profile);
    profiler_abandon(profiler);
    return is_good;
}
