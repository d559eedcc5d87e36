#include "sim/observe/view_model.h"

#include "cpu/decode.h"
#include "dma/master.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct view_model *view_model_create(void)
{
    return calloc(1, sizeof(struct view_model));
}

void view_model_destroy(struct view_model *model)
{
    if (!model)
        return;
    free(model->memory.owner);
    free(model->memory.free_order);
    free(model->frame_process);
    free(model->is_changed);
    free(model->heat);
    free(model);
}

const struct guest_kernel *view_kernel(struct guest_kernel *storage, const struct view_source *source)
{
    if (source->kernel)
        return source->kernel;
    guest_kernel_init(storage, source->ram, source->note, source->note_bytes);
    return storage->has_note ? storage : NULL;
}

static void collect_cpu(struct view_cpu *into, struct cpu *cpu)
{
    *into = (struct view_cpu){.is_there = cpu != NULL};
    if (!cpu)
        return;
    cpu_settle(cpu);
    const struct mmu *mmu = cpu_mmu(cpu);
    struct cpu_state state = cpu_state(cpu);
    struct cpu_fault_record fault[CPU_FAULT_HISTORY];
    into->is_timed = mmu->params.is_timed;
    into->now = cpu_now(cpu);
    into->rip = state.rip;
    into->cr2 = state.cr2;
    into->cs = state.segment[DEC_SEG_CS].selector;
    into->cpl = cpu_state_cpl(&state);
    into->mode = mmu->mode;
    into->stats = *cpu_stats(cpu);
    into->mmu_stats = mmu->stats;
    into->walk = mmu->last_walk;
    into->nr_walks_seen = mmu->nr_walks_seen;
    cpu_cpi_stack(cpu, into->cpi_stack);
    into->has_fault = cpu_fault_history(cpu, fault) > 0;
    if (into->has_fault)
        into->fault = fault[0];
}

void view_collect_console(struct view_console *into, const struct console *console)
{
    *into = (struct view_console){.is_there = console != NULL};
    if (!console)
        return;
    uint64_t begin = console_begin(console), end = console_end(console);
    if (end - begin > VIEW_CONSOLE_LINES)
        begin = end - VIEW_CONSOLE_LINES;
    into->nr_lines = (unsigned)(end - begin);
    for (unsigned i = 0; i < into->nr_lines; i++)
        snprintf(into->line[i], sizeof into->line[i], "%s", console_line(console, begin + i));
    struct console_cursor cursor = console_cursor(console);
    into->cursor_line =
        cursor.line >= begin && cursor.line < end ? (unsigned)(cursor.line - begin) : into->nr_lines;
    into->cursor_column = cursor.column;
}

/* The file's name without its folders. */
static void take_name(char into[VIEW_NAME_CHARS], const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    snprintf(into, VIEW_NAME_CHARS, "%s", slash ? slash + 1 : path ? path : "");
}

const char *view_mover_name(enum view_mover mover)
{
    static const char *const names[NR_VIEW_MOVERS] = {[VIEW_MOVER_CHANNEL_0] = "engine ch0",
                                                      [VIEW_MOVER_CHANNEL_1] = "engine ch1",
                                                      [VIEW_MOVER_CHANNEL_2] = "engine ch2",
                                                      [VIEW_MOVER_CHANNEL_3] = "engine ch3",
                                                      [VIEW_MOVER_IDE] = "IDE",
                                                      [VIEW_MOVER_ISA] = "8237"};
    return names[mover];
}

static void collect_dma(struct view_dma *into, const struct view_source *source)
{
    const struct stat_registry *stats = source->stats;
    *into = (struct view_dma){.is_there = stats != NULL};
    if (!stats)
        return;
    for (unsigned i = 0; i <= VIEW_MOVER_CHANNEL_3 - VIEW_MOVER_CHANNEL_0; i++) {
        char name[] = "dma.ch0.bytes";
        name[6] = (char)('0' + i);
        into->mover_bytes[VIEW_MOVER_CHANNEL_0 + i] = stat_count(stats, name);
    }
    into->mover_bytes[VIEW_MOVER_IDE] = dma_bytes_moved(stats, "dma.ide");
    into->mover_bytes[VIEW_MOVER_ISA] = dma_bytes_moved(stats, "dma.isa");
    into->snoops = stat_count(stats, "dma.snoops");
    into->interventions = stat_count(stats, "dma.interventions");
    into->lines_invalidated = stat_count(stats, "dma.lines_invalidated");
    into->nr_stale = source->nr_stale;
}

/* How full the table is in which a step read its entry. */
static void collect_table(struct view_table *into, const struct ram *ram, const struct walk_step *step)
{
    uint8_t table[PAGE_BYTES];
    unsigned nr_entries = step->size_bytes ? PAGE_BYTES / step->size_bytes : 0;
    *into = (struct view_table){.nr_entries = (uint16_t)nr_entries};
    if (!nr_entries || !ram_read(ram, paddr(step->at.v & ~(uint64_t)PAGE_MASK), table, sizeof table))
        return;
    for (unsigned i = 0; i < nr_entries; i++) {
        bool is_present = table[i * step->size_bytes] & PTE_P;
        into->nr_present = (uint16_t)(into->nr_present + is_present);
        into->present[i * VIEW_TABLE_PARTS / nr_entries] += is_present;
    }
    unsigned last = nr_entries - VIEW_NR_NEIGHBOURS, first = step->index ? step->index - 1 : 0;
    into->first_neighbour = first < last ? first : last;
    for (unsigned i = 0; i < VIEW_NR_NEIGHBOURS; i++)
        memcpy(&into->neighbour[i], table + (into->first_neighbour + i) * step->size_bytes, step->size_bytes);
}

bool view_peek(const struct view_source *source, uint64_t process_root, uint64_t linear, struct walk *walk,
               struct paddr *physical)
{
    struct mmu mmu = *cpu_mmu(source->cpu);
    if (process_root)
        mmu.mode = view_mode_of(source, process_root);
    return mmu_peek(&mmu, laddr(linear), walk, physical);
}

void view_collect_focus(struct view_model *model, const struct view_source *source, uint64_t linear)
{
    const struct view_processes *processes = &model->processes;
    struct view_focus *focus = &model->focus;
    *focus = (struct view_focus){.is_there = source->cpu != NULL};
    if (!source->cpu)
        return;
    focus->is_mapped = view_peek(source, processes->is_chosen ? processes->process[processes->shown].root : 0,
                                 linear, &focus->walk, &focus->physical);
    for (unsigned i = 0; i < focus->walk.nr_steps; i++)
        collect_table(&focus->table[i], source->ram, &focus->walk.step[i]);
}

/* The address space that is shown: of a process that the user chose, or the one in use. */
static bool collect_shown_space(struct view_model *model, const struct view_source *source,
                                const struct guest_kernel *kernel)
{
    const struct view_processes *processes = &model->processes;
    if (processes->nr == 0)
        return view_collect_space(&model->space, source->ram, NULL, &model->memory, NULL, NULL);
    const struct view_process *process = &processes->process[processes->shown];
    struct paging_mode mode = cpu_mmu(source->cpu)->mode;
    if (processes->is_chosen)
        mode = view_mode_of(source, process->root);
    return view_collect_space(&model->space, source->ram, &mode, &model->memory, kernel,
                              process->has_task ? &process->task : NULL);
}

bool view_collect(struct view_model *model, const struct view_source *source, uint64_t process_root)
{
    const struct tlb *const tlbs[NR_VIEW_TLBS] = {source->itlb, source->dtlb, source->l2_tlb};
    const struct cache *const caches[NR_VIEW_CACHES] = {source->l1i, source->l1d, source->l2, source->l3};
    struct guest_kernel storage;
    const struct guest_kernel *kernel = view_kernel(&storage, source);
    take_name(model->image_name, source->image_name);
    take_name(model->config_name, source->config_name);
    model->clock_hz = source->clock_hz;
    model->is_paused = source->is_paused;
    model->end = source->end;
    collect_cpu(&model->cpu, source->cpu);
    if (!view_collect_memory(&model->memory, source->ram, source->cpu ? cpu_mmu(source->cpu) : NULL, kernel))
        return false;
    model->has_task = kernel && guest_kernel_current_task(kernel, &model->task);
    view_collect_processes(&model->processes, source, kernel, process_root);
    if (!view_collect_frame_processes(model, source) || !view_collect_changes(model, source) ||
        !collect_shown_space(model, source, kernel))
        return false;
    model->place[0] = 0;
    if (source->place && source->cpu)
        source->place(source->opaque, model->cpu.rip, model->place, sizeof model->place);
    for (unsigned i = 0; i < NR_VIEW_TLBS; i++)
        view_collect_tlb(&model->tlb[i], tlbs[i]);
    for (unsigned i = 0; i < NR_VIEW_CACHES; i++)
        view_collect_cache(&model->cache[i], caches[i], &model->memory);
    model->has_dram = source->dram != NULL;
    if (source->dram)
        model->dram = *dram_stats(source->dram);
    view_collect_console(&model->console, source->console);
    struct view_source now = *source;
    if (now.refresh)
        now.refresh(now.opaque, &now);
    collect_dma(&model->dma, &now);
    model->focus.is_there = false;
    if (!view_collect_heat(model, source))
        return false;
    if (now.vga)
        model->vga = *now.vga;
    else
        model->vga.is_there = false;
    if (source->history)
        model->history = *source->history;
    else
        view_history_init(&model->history);
    return true;
}
