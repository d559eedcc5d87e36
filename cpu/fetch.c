#include "cpu/brief.h"
#include "cpu/handlers.h"

#include <string.h>

static void fill_fetch_front(struct cpu *cpu, uint64_t linear, struct tlb_entry *entry)
{
    uint64_t page = linear >> PAGE_SHIFT;
    struct front *front = &cpu->fetch_fronts[front_index(page, FETCH_FRONT_ENTRIES)];
    front->frame = paddr(mmu_physical(&cpu->mmu, entry, laddr(linear)).v & ~(uint64_t)PAGE_MASK);
    front->host = NULL;
    front->entry = entry;
    bool can_hit = !cpu->is_timed || mmu_cache_use(&cpu->mmu, mmu_memory_type(&cpu->mmu, entry, front->frame),
                                                   false) == CACHE_USE_ALL;
    front->id = can_hit ? entry->id : UINT64_MAX; /* no entry's: every block goes the long way */
    front->tag[FRONT_SUPERVISOR] =
        paging_allows(&cpu->control, entry->flags, MMU_FETCH, MMU_SUPERVISOR) ? page : FRONT_NO_PAGE;
    front->tag[FRONT_USER] =
        paging_allows(&cpu->control, entry->flags, MMU_FETCH, MMU_USER) ? page : FRONT_NO_PAGE;
    cpu->fetch_front = front;
}

/*
 * By a shortcut that is still good: what an ITLB hit finds and does, without the search. In functional mode,
 * which has no ITLB, what a front still holds is not walked for again, so that the number of walks does not
 * depend on where the core was stopped.
 */
static bool translate_by_front(struct cpu *cpu, uint64_t linear, stamp_t t)
{
    uint64_t page = linear >> PAGE_SHIFT;
    const struct front *front = &cpu->fetch_fronts[front_index(page, FETCH_FRONT_ENTRIES)];
    if (front->tag[cpu->front_kind] != page || front->entry->id != front->id)
        return false;
    if (cpu->is_timed && (cpu->params.observer || front->entry->ready > stamp_cycle(t)))
        return false;
    if (cpu->is_timed && (cpu->control.cr0 & CR0_PG))
        tlb_hit(cpu->params.itlb, front->entry);
    cpu->fetch_front = front;
    return true;
}

/* The page at `linear`, asked of the ITLB in slot *t, which moves. False: #PF in cpu->fault. */
static bool translate(struct cpu *cpu, uint64_t linear, stamp_t *t, struct cpu_seen_access *seen)
{
    struct tlb_entry *entry;
    uint64_t walks = cpu->mmu.stats.walks;
    *seen = (struct cpu_seen_access){.kind = CPU_ACCESS_FETCH, .linear = laddr(linear), .is_new_page = true};
    seen->asked = stamp_cycle(*t);
    if (!translate_by_front(cpu, linear, *t)) {
        enum mmu_asker asker = cpu->front_kind == FRONT_USER ? MMU_USER : MMU_SUPERVISOR;
        bool is_good = cpu_translate(cpu, linear, MMU_FETCH, asker, t, &entry);
        seen->nr_walks = cpu->mmu.stats.walks - walks;
        if (is_good)
            fill_fetch_front(cpu, linear, entry);
        seen->translated = stamp_cycle(*t);
        seen->is_paged = cpu->control.cr0 & CR0_PG;
        if (!is_good)
            return false;
    }
    seen->physical = paddr(cpu->fetch_front->frame.v | (linear & PAGE_MASK));
    seen->is_ram = cpu->params.is_code_ram(cpu->params.is_ram_opaque, seen->physical);
    return true;
}

/* How a fetch from the page that was just translated uses the caches. */
static enum cache_use cache_use(const struct cpu *cpu, struct paddr at)
{
    enum memory_type type = mmu_memory_type(&cpu->mmu, cpu->fetch_front->entry, at);
    return mmu_cache_use(&cpu->mmu, type, false);
}

/* Asks the L1I in slot *t, which moves to when the line's bytes are there but for a plain hit. */
static inline struct cache_answer ask_l1i(struct cpu *cpu, enum cache_use use, struct paddr physical,
                                          uint64_t linear, stamp_t *t)
{
    cpu_begin_access(cpu, physical, 0);
    struct cache_answer answer =
        cpu_ask_cache(cpu, cpu->params.l1i, use, physical, false, stamp_cycle(*t), linear);
    cycle_t hit_cycles = cache_hit_cycles(cpu->params.l1i);
    if (answer.ready > stamp_cycle(*t) + hit_cycles)
        *t = stamp_of_cycle(answer.ready - hit_cycles) | REASON_L1I;
    return answer;
}

/*
 * The line at `physical`, asked of the L1I in slot *t, which moves to when its bytes are there but for a
 * plain hit.
 */
static void fetch_line(struct cpu *cpu, struct paddr physical, stamp_t *t, struct cpu_seen_access *seen)
{
    cpu->stats.fetches++;
    seen->linear = laddr((seen->linear.v & ~(uint64_t)PAGE_MASK) | (physical.v & PAGE_MASK));
    seen->physical = physical;
    seen->served_by = SERVED_BY_L1;
    if (cpu->is_timed && seen->is_ram) {
        struct cache_answer answer = ask_l1i(cpu, cache_use(cpu, physical), physical, seen->linear.v, t);
        seen->served_by = answer.served_by;
        seen->is_in_flight = cpu->seen_in_flight;
    }
    seen->ready = stamp_cycle(*t);
    seen->size_bytes =
        1; /* the address names the line; how many bytes of it are taken is no matter of the caches */
    cpu_observe_access(cpu, seen);
}

/* When the front end can ask for the next block; takes a place in the queue. */
static stamp_t next_place(struct cpu *cpu)
{
    unsigned index = cpu->fetch_index;
    cpu->fetch_left[index == 0 ? cpu->fetch_entries - 1 : index - 1] = stamp_ceiling(cpu->clock);
    stamp_t fetched = stamp_later(cpu->fetch_at, cpu->fetch_left[index]);
    cpu->fetch_index = index + 1 == cpu->fetch_entries ? 0 : index + 1;
    return fetched;
}

/* The block was (or would have been) there at `fetched`: the first of its instructions issues accordingly. */
static void issue_after(struct cpu *cpu, stamp_t fetched)
{
    cpu->fetch_at = fetched + STAMP_CYCLE;
    cpu->seen_fetched = fetched;
    cpu->clock = cpu_wait(cpu, cpu->clock, fetched + cpu->frontend);
}

static uint64_t fetch_linear(const struct cpu *cpu)
{
    return cpu_code_linear(cpu, cpu->rip);
}

/* Up to DEC_MAX_LENGTH bytes at `physical`, not beyond its page; from the board where there is no RAM. */
static size_t read_code(struct cpu *cpu, struct paddr physical, uint8_t bytes[DEC_MAX_LENGTH])
{
    size_t nr_bytes = PAGE_BYTES - (physical.v & PAGE_MASK);
    if (nr_bytes > DEC_MAX_LENGTH)
        nr_bytes = DEC_MAX_LENGTH;
    if (cpu->params.is_code_ram(cpu->params.is_ram_opaque, physical)) {
        memcpy(bytes, cpu->params.ram->host + physical.v, nr_bytes);
        return nr_bytes;
    }
    const struct cpu_board *board = &cpu->params.board;
    for (size_t i = 0; i < nr_bytes; i++)
        bytes[i] =
            (uint8_t)board->memory_read(board->opaque, paddr(physical.v + i), 1, stamp_cycle(cpu->clock));
    return nr_bytes;
}

/* The next instruction is not to be followed by another without a look at what happened meanwhile. */
static bool runs_alone(const struct cpu *cpu)
{
    return cpu->interrupt_shadow || cpu->is_stepping || cpu_is_near_limit(cpu);
}

/*
 * The record of the block at `physical`. Where code cannot be kept (no RAM, or one instruction only), it is
 * decoded anew.
 */
static const struct insn *find_code(struct cpu *cpu, struct paddr physical)
{
    struct paddr frame = paddr(physical.v & ~(uint64_t)PAGE_MASK);
    bool can_be_kept = cpu->params.is_code_ram(cpu->params.is_ram_opaque, physical);
    if (!runs_alone(cpu) && can_be_kept) {
        const struct insn *block = cpu_code_at(cpu, frame, (unsigned)(physical.v & PAGE_MASK));
        uint64_t linear = cpu->reg[REG_CODE] | (physical.v & PAGE_MASK);
        if (cpu->code_key & CODE_KEY_LIMITED)
            return block;
        cpu->jump_cache[(linear ^ linear >> 12) % JUMP_CACHE_ENTRIES] = (struct jump_cache_entry){
            .linear = linear, .insn = block, .frame = frame, .code_key = cpu->code_key};
        return block;
    }
    cpu->fetches_anew = cpu->interrupt_shadow || !can_be_kept;
    cpu->interrupt_shadow = cpu->debug.shadow = false;
    cpu->steps_left -= cpu->is_stepping;
    /* In functional mode stores to pages with decoded code walk anew, however the core is stepped. */
    if (can_be_kept && !cpu->is_timed)
        cpu_code_at(cpu, frame, (unsigned)(physical.v & PAGE_MASK));
    uint8_t bytes[DEC_MAX_LENGTH];
    size_t nr_bytes = read_code(cpu, physical, bytes);
    return cpu_code_single(cpu, bytes, nr_bytes, physical);
}

/* Whether the core has to return to its caller before another instruction. */
static bool must_return(const struct cpu *cpu)
{
    if (cpu->is_shut_down || cpu->is_halted)
        return true;
    if (cpu->is_stepping)
        return cpu->steps_left == 0;
    return (cpu->clock >= cpu->deadline && !cpu->interrupt_shadow) || debug_is_careful(cpu);
}

/* The fault that stands for an instruction: a step is over with it. */
static void deliver_fault(struct cpu *cpu)
{
    cpu_deliver_fault(cpu);
    cpu->steps_left = 0;
}

static const struct insn *behind_rests(const struct cpu *cpu, const struct insn *insn)
{
    while (insn->run == cpu->handlers[HANDLER_block_rest])
        insn++;
    return insn;
}

/* The instruction at `linear`, whose block has been fetched. */
static const struct insn *go_on_mid_block(struct cpu *cpu, uint64_t linear)
{
    const struct insn *insn = find_code(cpu, paddr(cpu->fetch_front->frame.v | (linear & PAGE_MASK))) + 1;
    cpu->is_mid_block = false;
    if (cpu->is_mid_insn)
        insn = behind_rests(cpu, insn);
    cpu->is_mid_insn = cpu->is_mid_insn && insn->run == cpu->handlers[HANDLER_straddle];
    return insn;
}

const struct insn *cpu_fetch_nothing(struct cpu *cpu)
{
    return go_on_mid_block(cpu, fetch_linear(cpu));
}

/*
 * Fetches a block of the page that runs once more, where its translation still stands and nobody watches:
 * the L1I alone is asked. False: it takes more than that, and nothing has changed.
 */
static bool fetch_again(struct cpu *cpu, const struct insn *block)
{
    const struct front *front = cpu->fetch_front;
    struct paddr at = paddr(block->imm << cpu->fetch_line_shift);
    uint64_t linear = cpu->reg[REG_CODE] | (at.v & PAGE_MASK);
    if (cpu->params.observer || !cpu->is_timed || cpu->is_mid_block || front->entry->id != front->id ||
        front->tag[cpu->front_kind] != linear >> PAGE_SHIFT ||
        front->frame.v != (at.v & ~(uint64_t)PAGE_MASK) ||
        stamp_of_cycle(front->entry->ready) > cpu->fetch_at ||
        !cpu->params.is_code_ram(cpu->params.is_ram_opaque, at))
        return false;
    stamp_t fetched = next_place(cpu);
    if (cpu->control.cr0 & CR0_PG)
        tlb_hit(cpu->params.itlb, front->entry);
    ask_l1i(cpu, CACHE_USE_ALL, at, linear, &fetched);
    cpu->stats.fetches++;
    issue_after(cpu, fetched);
    return true;
}

const struct insn *cpu_fetch(struct cpu *cpu, const struct insn *block)
{
    if (block && fetch_again(cpu, block))
        return block + 1;
    for (;; block = NULL) {
        if (!block && must_return(cpu))
            return &cpu->stop_record;
        if (cpu->pmu.is_split && cpu->pmu.is_user != (cpu->cpl != 0))
            pmu_change_level(cpu);
        uint64_t linear = fetch_linear(cpu);
        if (cpu->is_mid_block)
            return go_on_mid_block(cpu, linear);
        if (!cpu_is_code_address(cpu, cpu->rip)) {
            cpu_set_fault_code(cpu, EXCP_GP, 0);
            deliver_fault(cpu);
            continue;
        }
        struct cpu_seen_access seen;
        cpu_observe_block(cpu);
        cpu->reg[REG_CODE] = linear & ~(uint64_t)PAGE_MASK;
        stamp_t fetched = next_place(cpu);
        if (!translate(cpu, linear, &fetched, &seen)) {
            issue_after(cpu, fetched);
            deliver_fault(cpu);
            continue;
        }
        struct paddr physical = seen.physical;
        bool is_same = block && block->imm << cpu->fetch_line_shift >> PAGE_SHIFT == physical.v >> PAGE_SHIFT;
        if (!is_same)
            block = find_code(cpu, physical);
        fetch_line(cpu, paddr(block->imm << cpu->fetch_line_shift), &fetched, &seen);
        issue_after(cpu, fetched);
        if (cpu->room)
            cpu_tell_page(cpu);
        return block + 1;
    }
}

/* Fetches what lies in the page behind the current one. False: #PF in cpu->fault. */
static bool fetch_next_page(struct cpu *cpu)
{
    size_t current = (size_t)(cpu->fetch_front - cpu->fetch_fronts);
    struct front kept = cpu->fetch_fronts[current];
    struct cpu_seen_access seen;
    stamp_t fetched = next_place(cpu);
    bool is_good = translate(cpu, (cpu->reg[REG_CODE] + PAGE_BYTES) & cpu->linear_mask, &fetched, &seen);
    if (is_good) {
        fetch_line(cpu, seen.physical, &fetched, &seen);
        cpu->next_page = seen.physical;
    }
    issue_after(cpu, fetched);
    if (is_good && cpu->fetch_front == &cpu->fetch_fronts[current])
        cpu->fetch_fronts[current] = kept; /* two pages, one place: the current one keeps it */
    cpu->fetch_front = &cpu->fetch_fronts[current];
    return is_good;
}

const struct insn *cpu_fetch_straddling(struct cpu *cpu)
{
    bool is_fetched = cpu->is_mid_insn;
    cpu->is_mid_insn = false;
    uint64_t next = (cpu->reg[REG_CODE] + PAGE_BYTES - cpu->code_base) & cpu->linear_mask;
    bool is_allowed = cpu_is_code_address(cpu, next);
    if (!is_allowed)
        cpu_set_fault_code(cpu, EXCP_GP, 0);
    if (!is_allowed || (!is_fetched && !fetch_next_page(cpu))) {
        cpu_deliver_fault(cpu);
        return cpu_fetch(cpu, NULL);
    }
    uint8_t bytes[2 * DEC_MAX_LENGTH];
    struct paddr head = paddr(cpu->fetch_front->frame.v | (fetch_linear(cpu) & PAGE_MASK));
    size_t nr_bytes = read_code(cpu, head, bytes);
    read_code(cpu, cpu->next_page, bytes + nr_bytes);
    /* The blocks in which it begins have been fetched already. */
    return behind_rests(cpu, cpu_code_single(cpu, bytes, DEC_MAX_LENGTH, head) + 1);
}
