/* The shortcuts of data accesses: see struct front. */
#include "cpu/cpu_internal.h"

#include <string.h>

/*
 * While CR4.SMAP is set and EFLAGS.AC allows the supervisor to reach a page of the user, its front allows it
 * too: until AC is cleared.
 */
static void note_ac_front(struct cpu *cpu, unsigned index)
{
    if (cpu->nr_ac_fronts < MAX_AC_FRONTS)
        cpu->ac_front[cpu->nr_ac_fronts] = (uint16_t)index;
    cpu->nr_ac_fronts += cpu->nr_ac_fronts <= MAX_AC_FRONTS; /* one more than there is room for: too many */
}

static void forbid_supervisor(struct front *front)
{
    front->tag[FRONT_SUPERVISOR | FRONT_READ] = front->tag[FRONT_SUPERVISOR | FRONT_WRITE] = FRONT_NO_PAGE;
}

void cpu_drop_ac_fronts(struct cpu *cpu)
{
    bool are_all = cpu->nr_ac_fronts > MAX_AC_FRONTS;
    for (unsigned i = 0; i < (are_all ? cpu->nr_used_fronts : cpu->nr_ac_fronts); i++)
        forbid_supervisor(&cpu->data_front[are_all ? cpu->used_front[i] : cpu->ac_front[i]]);
    cpu->nr_ac_fronts = 0;
}

static inline void note_used_front(struct cpu *cpu, unsigned index)
{
    uint64_t *word = &cpu->is_front_used[index / 64], bit = 1ull << index % 64;
    if (*word & bit)
        return;
    *word |= bit;
    cpu->used_front[cpu->nr_used_fronts++] = (uint16_t)index;
}

/* Of the supervisor's or the user's tags. */
static inline void set_tags(const struct cpu *cpu, struct front *front, enum front_kind kind, bool can_read,
                            bool can_write, uint64_t page)
{
    enum mmu_asker asker = kind == FRONT_USER ? MMU_USER : cpu_supervisor(cpu);
    unsigned flags = front->entry->flags;
    can_read = can_read && paging_allows(&cpu->control, flags, MMU_READ, asker);
    can_write = can_write && paging_allows(&cpu->control, flags, MMU_WRITE, asker);
    front->tag[kind | FRONT_READ] = can_read ? page : FRONT_NO_PAGE;
    front->tag[kind | FRONT_WRITE] = can_write ? page : FRONT_NO_PAGE;
}

void cpu_fill_data_front(struct cpu *cpu, uint64_t linear, struct tlb_entry *entry, enum memory_type type)
{
    uint64_t page = linear >> PAGE_SHIFT;
    unsigned index = front_index(page, DATA_FRONT_ENTRIES);
    struct front *front = &cpu->data_front[index];
    note_used_front(cpu, index);
    struct paddr frame = paddr(mmu_physical(&cpu->mmu, entry, laddr(linear)).v & ~(uint64_t)PAGE_MASK);
    front->frame = frame;
    front->host = cpu->params.ram->host + frame.v;
    front->entry = entry;
    front->id = entry->id;
    /* The fast path knows only of lines that it may hit. */
    bool can_read = !cpu->is_timed || mmu_cache_use(&cpu->mmu, type, false) == CACHE_USE_ALL;
    bool can_write = (!cpu->is_timed || mmu_cache_use(&cpu->mmu, type, true) == CACHE_USE_ALL) &&
                     (entry->flags & TLB_DIRTY) && !cpu_has_code(cpu, frame);
    if (UNLIKELY(cpu_has_breakpoints(cpu)) && debug_watches_page(cpu, linear))
        can_read = can_write = false;
    if (UNLIKELY(cpu->stops.has_data_points) && stop_watches_page(cpu, page))
        page |= FRONT_WATCHED;
    if ((cpu->control.cr4 & CR4_SMAP) && (cpu->eflags & EFLAGS_AC) && (entry->flags & TLB_USER))
        note_ac_front(cpu, index);
    set_tags(cpu, front, FRONT_SUPERVISOR, can_read, can_write, page);
    bool is_aligned = !cpu->checks_alignment; /* else the long way looks */
    set_tags(cpu, front, FRONT_USER, can_read && is_aligned, can_write && is_aligned, page);
}

void cpu_init_fronts(struct cpu *cpu)
{
    for (unsigned i = 0; i < DATA_FRONT_ENTRIES; i++)
        memset(cpu->data_front[i].tag, 0xff, sizeof cpu->data_front[i].tag);
    cpu_drop_fronts(cpu);
}

void cpu_drop_fronts(struct cpu *cpu)
{
    for (unsigned i = 0; i < cpu->nr_used_fronts; i++) {
        unsigned index = cpu->used_front[i];
        memset(cpu->data_front[index].tag, 0xff, sizeof cpu->data_front[index].tag);
        cpu->is_front_used[index / 64] = 0;
    }
    cpu->nr_used_fronts = cpu->nr_ac_fronts = 0;
    for (unsigned i = 0; i < FETCH_FRONT_ENTRIES; i++)
        memset(cpu->fetch_fronts[i].tag, 0xff, sizeof cpu->fetch_fronts[i].tag);
}

/* The page that runs is looked up again, too. */
static void drop_all_fronts(struct cpu *cpu)
{
    cpu_drop_fronts(cpu);
    for (unsigned i = 0; i < FETCH_FRONT_ENTRIES; i++)
        cpu->fetch_fronts[i].id = UINT64_MAX;
}

void cpu_set_a20(struct cpu *cpu, bool is_open)
{
    mmu_set_a20(&cpu->mmu, is_open);
    drop_all_fronts(cpu);
}

void cpu_memory_changed(struct cpu *cpu, struct paddr at, uint64_t size_bytes)
{
    drop_all_fronts(cpu);
    cpu_code_written(cpu, at, size_bytes);
    cpu_request_stop(cpu);
}

void cpu_update_alignment(struct cpu *cpu)
{
    bool checks = cpu->cpl == 3 && (cpu->control.cr0 & CR0_AM) && (cpu->eflags & EFLAGS_AC);
    for (unsigned i = 0; checks && !cpu->checks_alignment && i < cpu->nr_used_fronts; i++) {
        struct front *front = &cpu->data_front[cpu->used_front[i]];
        front->tag[FRONT_USER | FRONT_READ] = front->tag[FRONT_USER | FRONT_WRITE] = FRONT_NO_PAGE;
    }
    cpu->checks_alignment = checks;
}

void cpu_drop_write_fronts(struct cpu *cpu, struct paddr frame)
{
    for (unsigned i = 0; i < cpu->nr_used_fronts; i++) {
        struct front *front = &cpu->data_front[cpu->used_front[i]];
        if (front->frame.v == frame.v)
            front->tag[FRONT_SUPERVISOR | FRONT_WRITE] = front->tag[FRONT_USER | FRONT_WRITE] = FRONT_NO_PAGE;
    }
}
