#include "cpu/cpu_internal.h"
#include "cpu/x87_number.h"

#include <string.h>

void cpu_observe_block(struct cpu *cpu)
{
    if (!cpu->params.observer)
        return;
    bool is_big = cpu->segment[DEC_SEG_CS].hidden.is_big;
    cpu->seen_code_base = cpu->code_base;
    cpu->seen_code_bits = cpu_is_64bit(cpu) ? 64 : is_big ? 32 : 16;
    cpu->seen_cpl = (uint8_t)cpu->cpl;
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

/* The first n of 16 bytes. */
#define MASK(n)                                                                                              \
    {                                                                                                        \
        (n) < 8 ? (1ull << ((n)&7) * 8) - 1 : UINT64_MAX, (n) < 8 ? 0 : (1ull << ((n)&7) * 8) - 1            \
    }
static const uint64_t first_bytes[DEC_MAX_LENGTH + 1][2] = {
    MASK(0), MASK(1), MASK(2),  MASK(3),  MASK(4),  MASK(5),  MASK(6),  MASK(7),
    MASK(8), MASK(9), MASK(10), MASK(11), MASK(12), MASK(13), MASK(14), MASK(15),
};

/* Its bytes and zeros behind them, from the page that they were fetched from, or from the two. */
static void read_insn(const struct cpu *cpu, const struct insn *insn, uint8_t into[DEC_MAX_LENGTH])
{
    unsigned size_bytes = insn->length_bytes;
    const struct ram *ram = cpu->params.ram;
    uint64_t physical = cpu->fetch_front->frame.v + insn->offset;
    if (LIKELY(insn->offset + 16 <= PAGE_BYTES && physical + 16 <= ram->size_bytes)) {
        uint64_t half[2]; /* a mask takes less than a copy whose size is not known */
        memcpy(half, ram->host + physical, sizeof half);
        half[0] &= first_bytes[size_bytes][0];
        half[1] &= first_bytes[size_bytes][1];
        memcpy(into, half, DEC_MAX_LENGTH);
        return;
    }
    memset(into, 0, DEC_MAX_LENGTH);
    if (insn->offset + size_bytes <= PAGE_BYTES)
        ram_read(cpu->params.ram, paddr(physical), into, size_bytes);
    else
        cpu_peek(cpu, laddr(cpu->reg[REG_CODE] + insn->offset), into, size_bytes);
}

/* What everybody asks for. */
static inline __attribute__((always_inline)) void
fill_insn(struct cpu *cpu, const struct insn *insn, stamp_t issued, stamp_t done, struct cpu_seen_insn *seen)
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

void cpu_observe_insn(struct cpu *cpu, const struct insn *insn, stamp_t issued, stamp_t done, stamp_t next)
{
    const struct cpu_observer *observer = cpu->params.observer;
    if (LIKELY(cpu->sees_hits)) {
        fill_insn(cpu, insn, issued, done, observer->insn_room(observer->opaque));
        return;
    }
    if (observer && observer->step)
        tell_step(cpu, insn, next);
    if (observer && observer->insn)
        tell_insn(cpu, insn, issued, done);
}

void cpu_observe_translation(struct cpu *cpu, const struct cpu_seen_translation *translation,
                             const struct walk *walk)
{
    const struct cpu_observer *observer = cpu->params.observer;
    if (!observer || !observer->translation)
        return;
    struct cpu_seen_translation seen = *translation;
    seen.instruction = cpu->stats.instructions;
    observer->translation(observer->opaque, &seen, walk);
}

void cpu_observe_access(struct cpu *cpu, const struct cpu_seen_access *access)
{
    const struct cpu_observer *observer = cpu->params.observer;
    if (!observer || !observer->access)
        return;
    struct cpu_seen_access seen = *access;
    seen.instruction = cpu->stats.instructions;
    observer->access(observer->opaque, &seen, &cpu->mmu.last_walk);
}

void cpu_observe_hit(struct cpu *cpu, uint64_t linear, const uint8_t *host, unsigned size_bytes,
                     enum cpu_hit_kind kind, stamp_t t)
{
    const struct cpu_observer *observer = cpu->params.observer;
    struct cpu_seen_hit *seen = observer->hit_room(observer->opaque);
    seen->linear = laddr(linear);
    seen->physical = paddr((uint64_t)(host - cpu->params.ram->host));
    seen->ip = cpu->memory_ip;
    seen->asked = stamp_cycle(t);
    seen->form = (struct cpu_hit_form){
        .hit_cycles = (uint16_t)stamp_cycle(cpu->load_hit),
        .kind = kind == CPU_HIT_STORE ? CPU_ACCESS_STORE : CPU_ACCESS_LOAD,
        .cache = cpu->params.l1d == cpu->params.l1i ? CPU_REQUEST_L1I : CPU_REQUEST_L1D,
        .size_bytes = (uint8_t)size_bytes,
        .is_for_write = kind == CPU_HIT_LOAD_FOR_WRITE,
        .is_user = cpu->front_kind == FRONT_USER,
        .is_paged = cpu->control.cr0 & CR0_PG,
    };
}

void cpu_observe_fetch_hit(struct cpu *cpu, const struct insn *block, stamp_t fetched)
{
    const struct cpu_observer *observer = cpu->params.observer;
    struct cpu_seen_hit *seen = observer->hit_room(observer->opaque);
    struct paddr line = paddr(block->imm << cpu->fetch_line_shift);
    seen->linear = laddr(cpu->reg[REG_CODE] | (line.v & PAGE_MASK));
    seen->physical = line;
    seen->ip = cpu->reg[REG_CODE] + block->offset;
    seen->asked = stamp_cycle(fetched);
    seen->form = (struct cpu_hit_form){
        .hit_cycles = cpu->fetch_hit_cycles,
        .kind = CPU_ACCESS_FETCH,
        .cache = CPU_REQUEST_L1I,
        .size_bytes = 1,
        .is_user = cpu->front_kind == FRONT_USER,
        .is_paged = cpu->control.cr0 & CR0_PG,
    };
    cpu->seen_fetched = fetched;
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
