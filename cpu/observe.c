#include "cpu/brief.h"
#include "cpu/x87_number.h"

#include <stdlib.h>
#include <string.h>

void cpu_observe_block(struct cpu *cpu)
{
    if (!cpu->params.observer)
        return;
    bool is_big = cpu->segment[DEC_SEG_CS].hidden.is_big;
    cpu->seen_code_base = cpu->code_base;
    cpu->seen_code_bits = cpu_is_64bit(cpu) ? 64 : is_big ? 32 : 16;
    cpu->seen_cpl = (uint8_t)cpu->cpl;
    cpu->seen_gap = cpu->stats.instructions - cpu->seen_next;
}

/* The number of the instruction that is executed: the core's own count moves at blocks only. */
static uint64_t number_now(const struct cpu *cpu)
{
    return cpu->seen_next + cpu->seen_gap;
}

static void note_told(struct cpu *cpu, uint64_t number)
{
    cpu->seen_next = number + 1;
    cpu->seen_gap = 0;
}

static enum cpu_flow flow_of(enum dec_op op)
{
    switch (op) {
    case DEC_CALL:
    case DEC_CALL_FAR:
        return CPU_FLOW_CALL;
    case DEC_RET:
    case DEC_RET_FAR:
        return CPU_FLOW_RETURN;
    case DEC_INT:
    case DEC_INT3:
    case DEC_INTO:
    case DEC_SYSCALL:
    case DEC_SYSENTER:
        return CPU_FLOW_ENTRY;
    case DEC_IRET:
    case DEC_SYSEXIT:
    case DEC_SYSRET:
        return CPU_FLOW_LEAVE;
    default:
        return CPU_FLOW_NONE;
    }
}

static void tell_step(struct cpu *cpu, const struct insn *insn, stamp_t next)
{
    const struct cpu_observer *observer = cpu->params.observer;
    struct cpu_seen_step seen = {
        .linear = laddr(cpu->reg[REG_CODE] + insn->offset),
        .next = stamp_because(next, REASON_BASE),
        .stack = cpu->reg[CPU_SP],
        .flow = (uint8_t)flow_of((enum dec_op)insn->op),
        .vector = (uint8_t)(insn->op == DEC_INT    ? insn->imm
                            : insn->op == DEC_INT3 ? EXCP_BP
                                                   : 0),
        .cpl = (uint8_t)cpu->cpl,
    };
    observer->step(observer->opaque, &seen);
}

/* Since the last instruction: mostly nothing was. */
static enum reason waited_for(struct cpu *cpu)
{
    enum reason reason = REASON_BASE;
    uint64_t most = 0;
    for (unsigned left = cpu->lost_reasons & ~(1u << REASON_BASE); left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctz(left);
        if (cpu->lost[i] - cpu->seen_lost[i] > most) {
            most = cpu->lost[i] - cpu->seen_lost[i];
            reason = i;
        }
        cpu->seen_lost[i] = cpu->lost[i];
    }
    cpu->lost_reasons = 0;
    return reason;
}

/* Its bytes and zeros behind them, from the page that they were fetched from, or from the two. */
static void read_insn(const struct cpu *cpu, const struct insn *insn, uint8_t into[DEC_MAX_LENGTH])
{
    unsigned size_bytes = insn->length_bytes;
    memset(into, 0, DEC_MAX_LENGTH);
    if (insn->offset + size_bytes <= PAGE_BYTES)
        ram_read(cpu->params.ram, paddr(cpu->fetch_front->frame.v + insn->offset), into, size_bytes);
    else
        cpu_peek(cpu, laddr(cpu->reg[REG_CODE] + insn->offset), into, size_bytes);
}

/* What everybody asks for. */
static void fill_insn(struct cpu *cpu, const struct insn *insn, stamp_t issued, stamp_t done,
                      struct cpu_seen_insn *seen)
{
    uint64_t linear = cpu->reg[REG_CODE] + insn->offset;
    seen->number = cpu->stats.instructions + insn->position;
    seen->rip = (linear - cpu->seen_code_base) & (cpu->seen_code_bits == 64 ? UINT64_MAX : UINT32_MAX);
    seen->linear = laddr(linear);
    read_insn(cpu, insn, seen->bytes);
    seen->length_bytes = insn->length_bytes;
    seen->fetched = stamp_cycle(cpu->seen_fetched);
    seen->issued = stamp_cycle(issued);
    seen->done = stamp_cycle(done);
    seen->code_bits = cpu->seen_code_bits;
    seen->cpl = cpu->seen_cpl;
    seen->slot = issued >> STAMP_SLOT_SHIFT & 3;
    seen->waited_for = (uint8_t)waited_for(cpu);
}

static __attribute__((noinline)) void tell_insn(struct cpu *cpu, const struct insn *insn, stamp_t issued,
                                                stamp_t done)
{
    const struct cpu_observer *observer = cpu->params.observer;
    struct cpu_seen_insn seen;
    fill_insn(cpu, insn, issued, done, &seen);
    seen.drained = stamp_cycle(cpu->store_drained);
    seen.is_taken = cpu->stats.taken_branches != cpu->seen_taken_branches;
    seen.x87_top = cpu->fpu.status >> X87_TOP_SHIFT & 7;
    cpu->seen_taken_branches = cpu->stats.taken_branches;
    observer->insn(observer->opaque, &seen);
}

bool cpu_observe_in_short(struct cpu *cpu)
{
    cpu->told = malloc(CPU_SEEN_PLACES * sizeof *cpu->told);
    cpu->seen_pages = calloc(CPU_SEEN_PAGES + 1, sizeof *cpu->seen_pages);
    if (!cpu->told || !cpu->seen_pages)
        return false;
    for (unsigned i = 0; i < CPU_SEEN_PLACES; i++)
        cpu->told[i] = CPU_TOLD_NONE;
    for (unsigned i = 0; i <= CPU_SEEN_PAGES; i++)
        cpu->seen_pages[i].linear = UINT64_MAX; /* no page's */
    cpu_observe_anew(cpu);
    return true;
}

void cpu_observe_anew(struct cpu *cpu)
{
    if (cpu->told)
        cpu->seen_page = &cpu->seen_pages[CPU_SEEN_PAGES];
    cpu->seen_key = 0;
}

void cpu_observe_page(struct cpu *cpu)
{
    uint64_t linear = cpu->reg[REG_CODE], frame = cpu->fetch_front->frame.v;
    struct cpu_seen_page *page =
        &cpu->seen_pages[(linear >> PAGE_SHIFT ^ linear >> (PAGE_SHIFT + 8)) % CPU_SEEN_PAGES];
    if (page->linear != linear || page->frame != frame || page->code_base != cpu->seen_code_base ||
        page->code_bits != cpu->seen_code_bits || page->cpl != cpu->seen_cpl)
        *page = (struct cpu_seen_page){.linear = linear,
                                       .frame = frame,
                                       .code_base = cpu->seen_code_base,
                                       .code_bits = cpu->seen_code_bits,
                                       .cpl = cpu->seen_cpl,
                                       .key = ++cpu->nr_seen_keys << PAGE_SHIFT};
    /* Where numbers are not in sequence, the first instruction must be told of in full. */
    bool is_next = cpu->seen_next == cpu->stats.instructions;
    cpu->seen_page = is_next ? page : &cpu->seen_pages[CPU_SEEN_PAGES];
    cpu->seen_key = cpu->seen_page->key;
}

void cpu_observe_code_gone(struct cpu *cpu, struct paddr frame)
{
    for (unsigned i = 0; cpu->told && i < CPU_SEEN_PAGES; i++)
        if (cpu->seen_pages[i].frame == frame.v) {
            cpu->seen_pages[i].linear = UINT64_MAX;
            cpu->seen_pages[i].key = 0;
        }
    if (cpu->told)
        cpu->seen_key = cpu->seen_page->key;
}

static void tell_in_short(struct cpu *cpu, const struct insn *insn, stamp_t issued, stamp_t done)
{
    const struct cpu_observer *observer = cpu->params.observer;
    unsigned place = cpu_seen_place(cpu->reg[REG_CODE] + insn->offset);
    uint64_t done_cycles = stamp_cycle(done) - stamp_cycle(issued);
    if (cpu->told[place] == cpu_told_as(cpu, insn) && done_cycles <= UINT32_MAX) {
        cpu_fill_again(cpu_brief_take(cpu->room, sizeof(struct cpu_seen_again)), waited_for(cpu), place,
                       done_cycles, issued, cpu->seen_fetched);
        cpu->seen_next++;
        return;
    }
    struct cpu_seen_insn *seen = observer->insn_room(observer->opaque);
    fill_insn(cpu, insn, issued, done, seen);
    struct paddr physical = paddr(cpu->fetch_front->frame.v + insn->offset);
    bool is_kept = cpu->seen_key && cpu_code_is_kept(cpu, physical, insn->length_bytes);
    cpu->told[place] = is_kept ? cpu_told_as(cpu, insn) : CPU_TOLD_NONE;
    note_told(cpu, seen->number);
}

void cpu_observe_insn(struct cpu *cpu, const struct insn *insn, stamp_t issued, stamp_t done, stamp_t next)
{
    const struct cpu_observer *observer = cpu->params.observer;
    if (cpu->room) {
        tell_in_short(cpu, insn, issued, done);
        return;
    }
    if (observer && observer->step)
        tell_step(cpu, insn, next);
    if (observer && observer->insn)
        tell_insn(cpu, insn, issued, done);
    note_told(cpu, cpu->stats.instructions + insn->position);
}

void cpu_observe_translation(struct cpu *cpu, struct cpu_seen_translation *seen, const struct walk *walk)
{
    const struct cpu_observer *observer = cpu->params.observer;
    if (!observer || !observer->translation)
        return;
    seen->instruction = number_now(cpu);
    observer->translation(observer->opaque, seen, walk);
}

void cpu_observe_access(struct cpu *cpu, struct cpu_seen_access *seen)
{
    const struct cpu_observer *observer = cpu->params.observer;
    if (!observer || !observer->access)
        return;
    seen->instruction = number_now(cpu);
    observer->access(observer->opaque, seen, &cpu->mmu.last_walk);
}

void cpu_observe_exception(struct cpu *cpu, unsigned vector, bool is_interrupt)
{
    const struct cpu_observer *observer = cpu->params.observer;
    if (!observer || !observer->exception)
        return;
    struct cpu_seen_exception seen = {
        .instruction = cpu->stats.instructions,
        .vector = (uint8_t)vector,
        .is_interrupt = is_interrupt,
        .has_error_code = cpu->fault.has_error_code,
        .error_code = cpu->fault.error_code,
        .rip = cpu->rip,
        .cr2 = vector == EXCP_PF ? cpu->cr2 : 0,
        .cycle = stamp_cycle(cpu->clock),
        .clock = cpu->clock,
        .linear = laddr(cpu_code_linear(cpu, cpu->rip)),
        .code_bits = cpu_is_64bit(cpu)                        ? 64
                     : cpu->segment[DEC_SEG_CS].hidden.is_big ? 32
                                                              : 16,
    };
    while (seen.nr_bytes < sizeof seen.bytes &&
           cpu_peek(cpu, laddr((seen.linear.v + seen.nr_bytes) & cpu->linear_mask),
                    &seen.bytes[seen.nr_bytes], 1))
        seen.nr_bytes++;
    observer->exception(observer->opaque, &seen);
}

void cpu_observe_control(struct cpu *cpu, const char *what, uint64_t value)
{
    const struct cpu_observer *observer = cpu->params.observer;
    if (observer && observer->control)
        observer->control(observer->opaque, what, value);
}
