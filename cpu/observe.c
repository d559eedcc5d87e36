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
    uint64_t *seen = cpu->seen_lost + REASON_BASE + 1;
    const uint64_t *lost = cpu->lost + REASON_BASE + 1;
    size_t size_bytes = (NR_REASONS - REASON_BASE - 1) * sizeof *lost;
    if (memcmp(lost, seen, size_bytes) == 0)
        return reason;
    for (unsigned i = REASON_BASE + 1; i < NR_REASONS; i++)
        if (cpu->lost[i] - cpu->seen_lost[i] > most) {
            most = cpu->lost[i] - cpu->seen_lost[i];
            reason = i;
        }
    memcpy(seen, lost, size_bytes);
    return reason;
}

/* Its bytes, from the page that they were fetched from, or from the two. */
static void read_insn(const struct cpu *cpu, const struct insn *insn, uint8_t *into)
{
    unsigned size_bytes = insn->length_bytes;
    if (insn->offset + size_bytes <= PAGE_BYTES)
        ram_read(cpu->params.ram, paddr(cpu->fetch_front->frame.v + insn->offset), into, size_bytes);
    else
        cpu_peek(cpu, laddr(cpu->reg[REG_CODE] + insn->offset), into, size_bytes);
}

void cpu_observe_insn(struct cpu *cpu, const struct insn *insn, stamp_t issued, stamp_t done, stamp_t next)
{
    const struct cpu_observer *observer = cpu->params.observer;
    if (!observer)
        return;
    if (observer->step)
        tell_step(cpu, insn, next);
    if (!observer->insn)
        return;
    uint64_t linear = cpu->reg[REG_CODE] + insn->offset;
    struct cpu_seen_insn seen = {
        .number = cpu->stats.instructions + insn->position,
        .rip = (linear - cpu->seen_code_base) & (cpu->seen_code_bits == 64 ? UINT64_MAX : UINT32_MAX),
        .linear = laddr(linear),
        .length_bytes = insn->length_bytes,
        .code_bits = cpu->seen_code_bits,
        .cpl = cpu->seen_cpl,
        .fetched = stamp_cycle(cpu->seen_fetched),
        .issued = stamp_cycle(issued),
        .done = stamp_cycle(done),
        .drained = stamp_cycle(cpu->store_drained),
        .is_taken = cpu->stats.taken_branches != cpu->seen_taken_branches,
        .x87_top = cpu->fpu.status >> X87_TOP_SHIFT & 7,
    };
    cpu->seen_taken_branches = cpu->stats.taken_branches;
    seen.waited_for = (uint8_t)waited_for(cpu);
    read_insn(cpu, insn, seen.bytes);
    observer->insn(observer->opaque, &seen);
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
