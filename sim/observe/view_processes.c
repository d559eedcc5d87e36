/* Who is there, whose each frame is, and what has changed hands. */
#include "sim/observe/view_mappings.h"
#include "sim/observe/view_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(VIEW_FRAME_FIRST + (int)VIEW_MAX_PROCESSES <= (int)VIEW_FRAME_SHARED,
               "a frame's byte has room for each process");

struct paging_mode view_mode_of(const struct view_source *source, uint64_t root)
{
    struct paging_mode mode = cpu_mmu(source->cpu)->mode;
    mode.cr3 = root;
    if (paging_kind(&mode) != PAGING_PAE)
        return mode;
    /* What is no good entry would not be loaded: it leads nowhere. */
    if (!ram_read(source->ram, paddr(root), mode.pdpte, sizeof mode.pdpte))
        memset(mode.pdpte, 0, sizeof mode.pdpte);
    for (unsigned i = 0; i < NR_PDPTES; i++)
        if (!paging_is_good_pdpte(&mode, mode.pdpte[i]))
            mode.pdpte[i] = 0;
    return mode;
}

/* Where the topmost table lies, without the bits of CR3 that say something else (SDM 3A 2.5). */
static uint64_t root_in_use(const struct paging_mode *mode)
{
    enum { PDPT_BYTES = 32 };
    uint64_t align = paging_kind(mode) == PAGING_PAE ? PDPT_BYTES : PAGE_BYTES;
    return mode->cr3 & ((1ull << mode->physical_bits) - 1) & ~(align - 1);
}

/* Those that have an address space of their own; one is left for the address space in use. */
static bool add_process(void *opaque, const struct guest_task *task)
{
    struct view_processes *into = opaque;
    for (unsigned i = 0; i < into->nr; i++)
        if (task->root == into->process[i].root)
            return true; /* a thread more */
    if (task->root)
        into->process[into->nr++] =
            (struct view_process){.root = task->root, .has_task = true, .task = *task};
    return into->nr < VIEW_MAX_PROCESSES - 1;
}

void view_collect_processes(struct view_processes *into, const struct view_source *source,
                            const struct guest_kernel *kernel, uint64_t process_root)
{
    *into = (struct view_processes){0};
    if (!source->cpu || paging_kind(&cpu_mmu(source->cpu)->mode) == PAGING_OFF)
        return;
    if (kernel)
        guest_kernel_tasks(kernel, add_process, into);
    uint64_t in_use = root_in_use(&cpu_mmu(source->cpu)->mode);
    unsigned nr = into->nr, running = nr, chosen = nr;
    for (unsigned i = 0; i < nr; i++) {
        running = into->process[i].root == in_use ? i : running;
        chosen = into->process[i].root == process_root ? i : chosen;
    }
    /* Before the first process, and where nobody tells of any. */
    if (running == nr)
        into->process[into->nr++].root = in_use;
    into->is_chosen = process_root && chosen < nr;
    into->shown = into->is_chosen ? chosen : running;
}

/* A process at a time says which frames are its own. */
struct claim {
    struct view_model *model;
    struct view_process *process;
    uint8_t mine;
    bool is_shown;
    uint8_t *last; /* by frame: who claimed it last; a process may map a frame more than once */
};

static void claim_frame(struct claim *claim, pfn_t pfn, uint64_t *count)
{
    if (pfn >= claim->model->memory.nr_frames || claim->last[pfn] == claim->mine)
        return;
    uint8_t *frame = &claim->model->frame_process[pfn];
    bool is_first = claim->last[pfn] == VIEW_FRAME_NOBODYS;
    claim->last[pfn] = claim->mine;
    ++*count;
    *frame = (uint8_t)((*frame & VIEW_FRAME_OF_THE_SHOWN_ONE) | (is_first ? claim->mine : VIEW_FRAME_SHARED));
    if (claim->is_shown)
        *frame |= VIEW_FRAME_OF_THE_SHOWN_ONE;
}

static void claim_page(void *opaque, const struct view_mapping *mapping)
{
    struct claim *claim = opaque;
    if (!(mapping->rights & PTE_US))
        return;
    for (pfn_t n = 0; n < mapping->nr_frames; n++)
        claim_frame(claim, mapping->first + n, &claim->process->nr_frames);
}

static void claim_table(void *opaque, pfn_t frame)
{
    struct claim *claim = opaque;
    claim_frame(claim, frame, &claim->process->nr_tables);
}

bool view_collect_frame_processes(struct view_model *model, const struct view_source *source)
{
    pfn_t nr_frames = model->memory.nr_frames;
    uint8_t *by_frame = realloc(model->frame_process, nr_frames);
    if (!by_frame)
        return false;
    model->frame_process = by_frame;
    memset(by_frame, VIEW_FRAME_NOBODYS, nr_frames);
    uint8_t *last = calloc(nr_frames, 1);
    if (!last)
        return false;
    for (unsigned i = 0; i < model->processes.nr; i++) {
        struct view_process *process = &model->processes.process[i];
        struct claim claim = {.model = model,
                              .process = process,
                              .mine = (uint8_t)(VIEW_FRAME_FIRST + i),
                              .is_shown = i == model->processes.shown,
                              .last = last};
        const struct view_mapping_visitor visitor = {
            .opaque = &claim, .page = claim_page, .table = claim_table, .is_users_only = true};
        struct paging_mode mode = view_mode_of(source, process->root);
        view_visit_mappings(source->ram, &mode, &visitor);
    }
    free(last);
    return true;
}

bool view_collect_changes(struct view_model *model, const struct view_source *source)
{
    const struct view_memory *memory = &model->memory;
    struct view_changes *changes = &model->changes;
    uint8_t *is_changed = realloc(model->is_changed, memory->nr_frames);
    if (!is_changed)
        return false;
    model->is_changed = is_changed;
    memset(is_changed, 0, memory->nr_frames);
    *changes = (struct view_changes){0};
    /* Before the kernel tells of owners they are of another kind. */
    if (!source->before || source->before->nr_frames != memory->nr_frames ||
        source->before->is_from_note != memory->is_from_note)
        return true;
    for (pfn_t pfn = 0; pfn < memory->nr_frames; pfn++) {
        uint8_t before = source->before->owner[pfn], after = memory->owner[pfn];
        if (before == after)
            continue;
        is_changed[pfn] = 1;
        if (changes->nr < VIEW_MAX_CHANGES)
            changes->first[changes->nr] = (struct view_change){pfn, before, after};
        changes->nr++;
    }
    return true;
}
