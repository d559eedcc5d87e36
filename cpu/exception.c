/*
 * Exceptions and interrupts (SDM 3A 6): delivery through the IDT, with stack switch, double and triple
 * faults.
 */
#include "cpu/cpu_internal.h"
#include "cpu/long_mode.h"

enum { EXCEPTION_CYCLES = 20, INTERRUPT_CYCLES = 20, ERROR_CODE_EXT = 1, ERROR_CODE_IDT = 2, GATE_IS_32 = 8 };

/*
 * Where a TSS keeps the stack of privilege level 0: ESP0, then SS0, 8 bytes a level (SDM 3A figure 7-2); half
 * of that in a 16-bit TSS (figure 7-10).
 */
enum { TSS_ESP0 = 4, TSS_LEVEL_BYTES = 8, TSS16_SP0 = 2, TSS16_LEVEL_BYTES = 4 };

enum source { SOURCE_EXCEPTION, SOURCE_SOFTWARE, SOURCE_HARDWARE };

struct delivery {
    unsigned vector;
    enum source source;
    bool has_error_code;
    uint32_t error_code;
    uint32_t ext; /* what the EXT bit of a fault during this delivery is */
    bool is_away; /* out: another task has been entered; a fault is that one's */
    bool leaves_rf;
    bool is_mid_string; /* it comes between two iterations of a string instruction */
};

static bool is_contributory(unsigned vector)
{
    return vector == EXCP_DE || vector == EXCP_TS || vector == EXCP_NP || vector == EXCP_SS ||
           vector == EXCP_GP;
}

/* Whether a second exception while the first is delivered makes a double fault (SDM 3A table 6-5). */
static bool is_double_fault(unsigned first, unsigned second)
{
    if (is_contributory(first))
        return is_contributory(second);
    if (first == EXCP_PF)
        return is_contributory(second) || second == EXCP_PF;
    return false;
}

static bool fault_at(struct cpu *cpu, enum exception_vector vector, uint32_t selector, uint32_t ext)
{
    return cpu_set_fault_code(cpu, vector, (selector & 0xfffc) | ext);
}

bool cpu_push_on(struct cpu *cpu, struct new_stack *stack, unsigned size_bytes, uint64_t value, uint32_t ext)
{
    uint64_t mask = stack->segment.hidden.is_big ? UINT32_MAX : UINT16_MAX;
    uint64_t sp = (stack->sp - size_bytes) & mask;
    if (!segment_allows(&stack->segment, sp, size_bytes,
                        true)) /* a new stack is named, the current one is not */
        return fault_at(cpu, EXCP_SS, stack->cpl == cpu->cpl ? 0 : stack->segment.selector, ext);
    if (!cpu_write(cpu, stack->segment.hidden.base + sp, size_bytes, stack->cpl < 3, value))
        return false;
    stack->sp = (stack->sp & ~mask) | sp;
    return true;
}

bool cpu_stack_from_tss(struct cpu *cpu, unsigned cpl, uint32_t ext, struct new_stack *stack)
{
    const struct descriptor *tss = &cpu->tr.hidden;
    bool is_32 = tss->type == SYSTEM_TSS_BUSY || tss->type == SYSTEM_TSS_AVAILABLE;
    unsigned sp_bytes = is_32 ? 4 : 2;
    uint32_t at = is_32 ? TSS_ESP0 + cpl * TSS_LEVEL_BYTES : TSS16_SP0 + cpl * TSS16_LEVEL_BYTES;
    uint64_t esp, selector, raw;
    if (!cpu->tr.is_usable || at + sp_bytes + 1 > tss->limit_bytes)
        return fault_at(cpu, EXCP_TS, cpu->tr.selector, ext);
    if (!cpu_read(cpu, tss->base + at, sp_bytes, true, &esp) ||
        !cpu_read(cpu, tss->base + at + sp_bytes, 2, true, &selector))
        return false;
    uint16_t ss = (uint16_t)selector;
    if ((ss & ~SELECTOR_RPL) == 0)
        return fault_at(cpu, EXCP_TS, 0, ext);
    if (!cpu_read_descriptor(cpu, ss, EXCP_TS, &raw)) {
        cpu->fault.error_code |= cpu->fault.vector == EXCP_TS ? ext : 0;
        return false;
    }
    struct descriptor d = segment_decode(raw);
    if ((ss & SELECTOR_RPL) != cpl || d.dpl != cpl || !d.is_code_or_data || (d.type & SEGMENT_CODE) ||
        !(d.type & SEGMENT_WRITABLE))
        return fault_at(cpu, EXCP_TS, ss, ext);
    if (!d.is_present)
        return fault_at(cpu, EXCP_SS, ss, ext);
    stack->segment = (struct segment){.selector = ss, .is_usable = true, .hidden = d};
    stack->sp = esp;
    stack->cpl = cpl;
    return true;
}

/* The gate of a vector, if it may be used. */
static bool find_gate(struct cpu *cpu, const struct delivery *delivery, struct gate *gate)
{
    uint32_t error_code = delivery->vector * 8 | ERROR_CODE_IDT | delivery->ext;
    uint64_t raw;
    if (delivery->vector * 8 + 7 > cpu->idt_limit)
        return cpu_set_fault_code(cpu, EXCP_GP, error_code);
    cpu->stats.descriptor_reads++;
    if (!cpu_read(cpu, cpu->idt_base + delivery->vector * 8, 8, true, &raw))
        return false;
    *gate = gate_decode(raw);
    if (!(gate->type & GATE_IS_32))
        gate->offset &= UINT16_MAX;
    bool is_interrupt_or_trap =
        gate->is_system && (gate->type == SYSTEM_INTERRUPT_GATE || gate->type == SYSTEM_TRAP_GATE ||
                            gate->type == SYSTEM_INTERRUPT_GATE16 || gate->type == SYSTEM_TRAP_GATE16);
    bool is_task = gate->is_system && gate->type == SYSTEM_TASK_GATE;
    if (!is_interrupt_or_trap && !is_task)
        return cpu_set_fault_code(cpu, EXCP_GP, error_code);
    if (delivery->source == SOURCE_SOFTWARE && gate->dpl < cpu->cpl)
        return cpu_set_fault_code(cpu, EXCP_GP, error_code);
    if (!gate->is_present)
        return cpu_set_fault_code(cpu, EXCP_NP, error_code);
    return true;
}

/* The handler's code segment, if the gate may lead there. */
static bool find_handler(struct cpu *cpu, const struct gate *gate, uint32_t ext, struct descriptor *code)
{
    uint64_t raw;
    if ((gate->selector & ~SELECTOR_RPL) == 0)
        return fault_at(cpu, EXCP_GP, 0, ext);
    if (!cpu_read_descriptor(cpu, gate->selector, EXCP_GP, &raw)) {
        cpu->fault.error_code |= cpu->fault.vector == EXCP_GP ? ext : 0;
        return false;
    }
    *code = segment_decode(raw);
    if (!code->is_code_or_data || !(code->type & SEGMENT_CODE) || code->dpl > cpu->cpl)
        return fault_at(cpu, EXCP_GP, gate->selector, ext);
    if (!code->is_present)
        return fault_at(cpu, EXCP_NP, gate->selector, ext);
    return true;
}

/*
 * An instruction that is restarted must not meet its breakpoint again: the image says so (SDM 3B 17.3.1.1).
 * #DF is no fault.
 */
static uint64_t flags_image(const struct cpu *cpu, const struct delivery *delivery)
{
    bool is_fault =
        delivery->source == SOURCE_EXCEPTION && delivery->vector != EXCP_DF && !delivery->leaves_rf;
    return cpu_flags(cpu) | (is_fault || delivery->is_mid_string ? EFLAGS_RF : 0);
}

/* Through a task gate (SDM 2A INT n, "TASK-GATE"). */
static bool deliver_to_task(struct cpu *cpu, struct delivery *delivery, uint16_t selector)
{
    struct task_switch to = {
        .cause = TASK_BY_EVENT,
        .selector = selector,
        .has_error_code = delivery->has_error_code,
        .error_code = delivery->error_code,
        .flags = flags_image(cpu, delivery),
    };
    enum task_outcome outcome = cpu_switch_task(cpu, &to);
    delivery->is_away = outcome != TASK_REFUSED;
    if (outcome == TASK_ENTERED)
        return true;
    unsigned vector = cpu->fault.vector;
    if (vector == EXCP_TS || vector == EXCP_NP || vector == EXCP_SS || vector == EXCP_GP)
        cpu->fault.error_code |= delivery->ext;
    return false;
}

/* The segment registers that a handler for virtual-8086 mode finds on its stack, null in the registers. */
static const uint8_t v86_segments[] = {DEC_SEG_GS, DEC_SEG_FS, DEC_SEG_DS, DEC_SEG_ES};

/* What a handler finds on its stack, first pushed first. False: a fault. */
static bool push_frame(struct cpu *cpu, const struct delivery *delivery, unsigned size_bytes, bool is_inner,
                       struct new_stack *stack)
{
    bool is_v86 = cpu->eflags & EFLAGS_VM;
    uint64_t frame[sizeof v86_segments + 6];
    unsigned nr = 0;
    for (unsigned i = 0; is_v86 && i < sizeof v86_segments; i++)
        frame[nr++] = cpu->segment[v86_segments[i]].selector;
    if (is_inner) {
        frame[nr++] = cpu->segment[DEC_SEG_SS].selector;
        frame[nr++] = cpu->reg[CPU_SP];
    }
    frame[nr++] = flags_image(cpu, delivery);
    frame[nr++] = cpu->segment[DEC_SEG_CS].selector;
    frame[nr++] = cpu->rip;
    if (delivery->has_error_code)
        frame[nr++] = delivery->error_code;
    for (unsigned i = 0; i < nr; i++)
        if (!cpu_push_on(cpu, stack, size_bytes, frame[i], delivery->ext))
            return false;
    return true;
}

static bool deliver_long(struct cpu *cpu, const struct delivery *delivery)
{
    struct long_delivery to = {
        .vector = delivery->vector,
        .is_software = delivery->source == SOURCE_SOFTWARE,
        .has_error_code = delivery->has_error_code,
        .error_code = delivery->error_code,
        .ext = delivery->ext,
        .flags = flags_image(cpu, delivery),
    };
    return cpu_deliver_long(cpu, &to);
}

/*
 * Delivery in protected mode (SDM 2A INT n). False: another fault, and the state is as before but for memory
 * written.
 */
static bool deliver_protected(struct cpu *cpu, struct delivery *delivery)
{
    struct gate gate;
    struct descriptor code;
    bool is_v86 = cpu->eflags & EFLAGS_VM;
    if (cpu_is_long_mode(cpu))
        return deliver_long(cpu, delivery);
    if (!find_gate(cpu, delivery, &gate))
        return false;
    if (gate.type == SYSTEM_TASK_GATE)
        return deliver_to_task(cpu, delivery, gate.selector);
    if (!find_handler(cpu, &gate, delivery->ext, &code))
        return false;
    bool is_conforming = code.type & SEGMENT_CONFORMING;
    bool is_inner = !is_conforming && code.dpl < cpu->cpl;
    if (is_v86 && (!is_inner || code.dpl != 0)) /* SDM 3A 20.3.1 */
        return fault_at(cpu, EXCP_GP, gate.selector, delivery->ext);
    unsigned size_bytes = gate.type & GATE_IS_32 ? 4 : 2;
    struct new_stack stack = {.segment = cpu->segment[DEC_SEG_SS], .sp = cpu->reg[CPU_SP], .cpl = cpu->cpl};
    if (is_inner && !cpu_stack_from_tss(cpu, code.dpl, delivery->ext, &stack))
        return false;
    if (!push_frame(cpu, delivery, size_bytes, is_inner, &stack))
        return false;
    if (gate.offset > code.limit_bytes)
        return cpu_set_fault_code(cpu, EXCP_GP, delivery->ext);
    if (!cpu_mark_accessed(cpu, gate.selector, &code) ||
        (is_inner && !cpu_mark_accessed(cpu, stack.segment.selector, &stack.segment.hidden)))
        return false;
    bool is_interrupt_gate = !(gate.type & 1);
    cpu->eflags &=
        ~(uint64_t)(EFLAGS_TF | EFLAGS_NT | EFLAGS_RF | EFLAGS_VM | (is_interrupt_gate ? EFLAGS_IF : 0));
    for (unsigned i = 0; is_v86 && i < sizeof v86_segments; i++)
        cpu->segment[v86_segments[i]] = (struct segment){.is_usable = false};
    cpu_set_segment(cpu, DEC_SEG_CS, (uint16_t)((gate.selector & 0xfffcu) | stack.cpl), &code);
    if (is_inner)
        cpu_set_segment(cpu, DEC_SEG_SS, stack.segment.selector, &stack.segment.hidden);
    cpu_set_sp(cpu, stack.sp);
    cpu->rip = gate.offset;
    return true;
}

/* Real mode: the vector's far pointer in the table at the IDT's base (SDM 3A 20.1.4). */
static bool deliver_real(struct cpu *cpu, const struct delivery *delivery)
{
    uint64_t pointer;
    if (delivery->vector * 4 + 3 > cpu->idt_limit)
        return cpu_set_fault_code(cpu, EXCP_GP, 0);
    uint64_t sp = cpu->reg[CPU_SP];
    if (!cpu_read(cpu, cpu->idt_base + delivery->vector * 4, 4, true, &pointer) ||
        !cpu_push_at(cpu, &sp, 2, cpu_flags(cpu)) ||
        !cpu_push_at(cpu, &sp, 2, cpu->segment[DEC_SEG_CS].selector) || !cpu_push_at(cpu, &sp, 2, cpu->rip))
        return false;
    cpu_set_sp(cpu, sp);
    cpu_load_segment_real(cpu, DEC_SEG_CS, (uint16_t)(pointer >> 16));
    cpu->rip = pointer & UINT16_MAX;
    cpu->eflags &= ~(uint64_t)(EFLAGS_TF | EFLAGS_IF | EFLAGS_RF | EFLAGS_AC);
    return true;
}

static bool deliver(struct cpu *cpu, struct delivery *delivery)
{
    cpu->debug.pending &= ~DR6_BS; /* INT n is not followed by a single-step trap (SDM 3B 17.3.1.4) */
    cpu->is_mid_block = cpu->is_mid_insn = false;
    cpu->clock = cpu_wait(cpu, cpu->clock, cpu->ready[CPU_SP]);
    bool is_good = cpu->control.cr0 & CR0_PE ? deliver_protected(cpu, delivery) : deliver_real(cpu, delivery);
    cycle_t cycles = delivery->source == SOURCE_HARDWARE ? INTERRUPT_CYCLES : EXCEPTION_CYCLES;
    cpu->clock = cpu_serialise(cpu, cpu->clock, cycles);
    cpu_redirect(cpu, cpu->clock);
    if (!cpu->is_timed) /* a handler that faults at its first instruction must not stop the clock */
        cpu->clock += STAMP_CYCLE;
    return is_good;
}

static void remember(struct cpu *cpu)
{
    cpu->history[cpu->nr_faults++ % CPU_FAULT_HISTORY] = (struct cpu_fault_record){
        .vector = cpu->fault.vector,
        .has_error_code = cpu->fault.has_error_code,
        .error_code = cpu->fault.error_code,
        .cr2 = cpu->fault.vector == EXCP_PF ? cpu->fault.cr2 : 0,
        .rip = cpu->rip,
        .cs = cpu->segment[DEC_SEG_CS].selector,
        .cycle = stamp_cycle(cpu->clock),
    };
}

void cpu_deliver_fault(struct cpu *cpu)
{
    unsigned first = EXCP_MC; /* benign: the first fault is never a second one */
    bool is_mid_string = cpu->is_mid_insn;
    cpu->interrupt_shadow = cpu->debug.shadow = false;
    cpu->debug.pending = 0; /* of an instruction that faults no trap is left */
    for (;;) {
        unsigned vector = cpu->fault.vector;
        if (vector == EXCP_PF) /* also where it becomes a double fault */
            cpu->cr2 = cpu->fault.cr2;
        if (first == EXCP_DF && (is_contributory(vector) || vector == EXCP_PF)) {
            remember(cpu);
            cpu->is_shut_down = true;
            return;
        }
        remember(cpu);
        if (is_double_fault(first, vector)) {
            cpu_set_fault_code(cpu, EXCP_DF, 0);
            remember(cpu);
            vector = EXCP_DF;
        }
        cpu->stats.page_faults += vector == EXCP_PF;
        cpu->stats.exceptions++;
        cpu_observe_exception(cpu, vector, false);
        struct delivery delivery = {
            .vector = vector,
            .source = SOURCE_EXCEPTION,
            .has_error_code = cpu->fault.has_error_code && (cpu->control.cr0 & CR0_PE),
            .error_code = cpu->fault.error_code,
            .ext = ERROR_CODE_EXT,
            .leaves_rf = cpu->fault.leaves_rf,
            .is_mid_string = is_mid_string,
        };
        if (deliver(cpu, &delivery))
            return;
        first = vector;
    }
}

bool cpu_software_interrupt(struct cpu *cpu, unsigned vector)
{
    struct delivery delivery = {.vector = vector, .source = SOURCE_SOFTWARE};
    cpu->stats.software_interrupts++;
    if (deliver(cpu, &delivery))
        return true;
    if (delivery.is_away)
        cpu_deliver_fault(cpu);
    return delivery.is_away;
}

void cpu_hardware_interrupt(struct cpu *cpu, unsigned vector)
{
    struct delivery delivery = {.vector = vector,
                                .source = SOURCE_HARDWARE,
                                .ext = ERROR_CODE_EXT,
                                .is_mid_string = cpu->is_mid_insn};
    cpu->stats.interrupts++;
    cpu->fault = (struct fault){.vector = (uint8_t)vector};
    cpu_observe_exception(cpu, vector, true);
    if (!deliver(cpu, &delivery))
        cpu_deliver_fault(cpu);
}
