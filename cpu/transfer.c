/* Far jumps, calls and returns, and IRET (SDM 3A 5.8; SDM 2A CALL, IRET, JMP; SDM 2B RET). */
#include "cpu/cpu_internal.h"
#include "cpu/long_mode.h"

static bool general(struct cpu *cpu, uint32_t selector)
{
    return cpu_set_fault_code(cpu, EXCP_GP, selector & 0xfffc);
}

static bool read_code_descriptor(struct cpu *cpu, uint16_t selector, struct descriptor *d, uint64_t *raw)
{
    if ((selector & ~SELECTOR_RPL) == 0)
        return general(cpu, 0);
    if (!cpu_read_descriptor(cpu, selector, EXCP_GP, raw))
        return false;
    *d = segment_decode(*raw);
    return true;
}

/* A direct far jump or call to a code segment stays at its privilege level. */
static bool may_jump_to(struct cpu *cpu, uint16_t selector, const struct descriptor *d)
{
    unsigned rpl = selector & SELECTOR_RPL;
    bool is_conforming = d->type & SEGMENT_CONFORMING;
    if (is_conforming ? d->dpl > cpu->cpl : rpl > cpu->cpl || d->dpl != cpu->cpl)
        return general(cpu, selector);
    if (!d->is_present)
        return cpu_set_fault_code(cpu, EXCP_NP, selector & 0xfffc);
    return true;
}

static bool enter_code(struct cpu *cpu, uint16_t selector, const struct descriptor *d, uint64_t offset)
{
    if (offset > d->limit_bytes)
        return general(cpu, 0);
    if (!cpu_mark_accessed(cpu, selector, d))
        return false;
    cpu_set_segment(cpu, DEC_SEG_CS, (uint16_t)((selector & 0xfffcu) | cpu->cpl), d);
    cpu->rip = offset;
    return true;
}

/* Whether a gate is open to CPL and to the selector's RPL, and there (SDM 2A CALL, JMP). */
static bool may_use_gate(struct cpu *cpu, uint16_t selector, const struct gate *gate)
{
    if (gate->dpl < cpu->cpl || gate->dpl < (selector & SELECTOR_RPL))
        return general(cpu, selector);
    if (!gate->is_present)
        return cpu_set_fault_code(cpu, EXCP_NP, selector & 0xfffc);
    return true;
}

/* The code segment that a call gate leads to, checked (SDM 3A 5.8.4, SDM 2A CALL, JMP). */
static bool read_gate_target(struct cpu *cpu, uint16_t selector, const struct gate *gate, bool is_call,
                             struct descriptor *code)
{
    uint64_t raw;
    if (!may_use_gate(cpu, selector, gate))
        return false;
    if (!read_code_descriptor(cpu, gate->selector, code, &raw))
        return false;
    if (!code->is_code_or_data || !(code->type & SEGMENT_CODE))
        return general(cpu, gate->selector);
    bool may_be_inner = is_call || (code->type & SEGMENT_CONFORMING);
    if (may_be_inner ? code->dpl > cpu->cpl : code->dpl != cpu->cpl)
        return general(cpu, gate->selector);
    if (!code->is_present)
        return cpu_set_fault_code(cpu, EXCP_NP, gate->selector & 0xfffc);
    return gate->offset <= code->limit_bytes || general(cpu, 0);
}

/* The inner stack gets the old one's address, then its topmost parameters (SDM 3A 5.8.5). */
static bool begin_inner_stack(struct cpu *cpu, const struct gate *gate, unsigned size_bytes, unsigned cpl,
                              struct new_stack *stack)
{
    if (!cpu_stack_from_tss(cpu, cpl, 0, stack) ||
        !cpu_push_on(cpu, stack, size_bytes, cpu->segment[DEC_SEG_SS].selector, 0) ||
        !cpu_push_on(cpu, stack, size_bytes, cpu->reg[CPU_SP], 0))
        return false;
    for (unsigned i = gate->nr_parameters; i-- > 0;) {
        uint64_t at = cpu->reg[CPU_SP] + (uint64_t)i * size_bytes, value;
        if (!cpu_pop_at(cpu, &at, size_bytes, &value) || !cpu_push_on(cpu, stack, size_bytes, value, 0))
            return false;
    }
    return true;
}

/* Through a call gate; cpu->rip is the return address. */
static bool go_through_call_gate(struct cpu *cpu, uint16_t selector, struct gate gate, bool is_call)
{
    struct descriptor code;
    unsigned size_bytes = gate.type == SYSTEM_CALL_GATE ? 4 : 2;
    if (size_bytes == 2)
        gate.offset &= UINT16_MAX;
    if (!read_gate_target(cpu, selector, &gate, is_call, &code))
        return false;
    struct new_stack stack = {.segment = cpu->segment[DEC_SEG_SS], .sp = cpu->reg[CPU_SP], .cpl = cpu->cpl};
    bool is_inner = !(code.type & SEGMENT_CONFORMING) && code.dpl < cpu->cpl;
    if (is_inner && !begin_inner_stack(cpu, &gate, size_bytes, code.dpl, &stack))
        return false;
    if (is_call && (!cpu_push_on(cpu, &stack, size_bytes, cpu->segment[DEC_SEG_CS].selector, 0) ||
                    !cpu_push_on(cpu, &stack, size_bytes, cpu->rip, 0)))
        return false;
    if (!cpu_mark_accessed(cpu, gate.selector, &code) ||
        (is_inner && !cpu_mark_accessed(cpu, stack.segment.selector, &stack.segment.hidden)))
        return false;
    cpu_set_segment(cpu, DEC_SEG_CS, (uint16_t)((gate.selector & 0xfffcu) | stack.cpl), &code);
    if (is_inner)
        cpu_set_segment(cpu, DEC_SEG_SS, stack.segment.selector, &stack.segment.hidden);
    if (is_call)
        cpu_set_sp(cpu, stack.sp);
    cpu->rip = gate.offset;
    return true;
}

/* Through a system descriptor: a call gate, a task gate or a TSS (SDM 2A CALL, JMP). */
static bool go_through_system(struct cpu *cpu, uint16_t selector, uint64_t raw, bool is_call)
{
    struct gate gate = gate_decode(raw);
    enum task_cause cause = is_call ? TASK_BY_CALL : TASK_BY_JUMP;
    switch (gate.type) {
    case SYSTEM_CALL_GATE:
    case SYSTEM_CALL_GATE16:
        return go_through_call_gate(cpu, selector, gate, is_call);
    case SYSTEM_TASK_GATE:
        return may_use_gate(cpu, selector, &gate) && cpu_go_to_task(cpu, gate.selector, cause);
    case SYSTEM_TSS_AVAILABLE:
    case SYSTEM_TSS16_AVAILABLE:
        if (gate.dpl < cpu->cpl || gate.dpl < (selector & SELECTOR_RPL))
            return general(cpu, selector);
        return cpu_go_to_task(cpu, selector, cause);
    default:
        return general(cpu, selector);
    }
}

/* In real and virtual-8086 mode the limit of CS stays, and with it where code may be (SDM 2A JMP). */
static bool enter_real(struct cpu *cpu, uint16_t selector, uint64_t offset)
{
    if (offset > cpu->segment[DEC_SEG_CS].hidden.limit_bytes)
        return general(cpu, 0);
    cpu_load_segment_real(cpu, DEC_SEG_CS, selector);
    cpu->rip = offset;
    return true;
}

bool cpu_far_jump(struct cpu *cpu, uint16_t selector, uint64_t offset)
{
    if (cpu_is_long_mode(cpu))
        return cpu_long_far_jump(cpu, selector, offset);
    if (!cpu_is_protected(cpu))
        return enter_real(cpu, selector, offset);
    struct descriptor d;
    uint64_t raw;
    if (!read_code_descriptor(cpu, selector, &d, &raw))
        return false;
    if (!d.is_code_or_data)
        return go_through_system(cpu, selector, raw, false);
    if (!(d.type & SEGMENT_CODE))
        return general(cpu, selector);
    return may_jump_to(cpu, selector, &d) && enter_code(cpu, selector, &d, offset);
}

bool cpu_far_call(struct cpu *cpu, uint16_t selector, uint64_t offset, unsigned size_bytes)
{
    if (cpu_is_long_mode(cpu))
        return cpu_long_far_call(cpu, selector, offset, size_bytes);
    struct descriptor d = {0};
    uint64_t raw, sp = cpu->reg[CPU_SP];
    bool is_protected = cpu_is_protected(cpu);
    if (is_protected) {
        if (!read_code_descriptor(cpu, selector, &d, &raw))
            return false;
        if (!d.is_code_or_data)
            return go_through_system(cpu, selector, raw, true);
        if (!(d.type & SEGMENT_CODE))
            return general(cpu, selector);
        if (!may_jump_to(cpu, selector, &d))
            return false;
    }
    if (offset > (is_protected ? d.limit_bytes : cpu->segment[DEC_SEG_CS].hidden.limit_bytes))
        return general(cpu, 0);
    if (!cpu_push_at(cpu, &sp, size_bytes, cpu->segment[DEC_SEG_CS].selector) ||
        !cpu_push_at(cpu, &sp, size_bytes, cpu->rip))
        return false;
    if (is_protected ? !enter_code(cpu, selector, &d, offset) : !enter_real(cpu, selector, offset))
        return false;
    cpu_set_sp(cpu, sp);
    return true;
}

/*
 * A stack segment for a return to an outer ring: its descriptor, checked (SDM 2B RET, "return to outer
 * privilege level").
 */
static bool read_outer_stack(struct cpu *cpu, uint16_t selector, unsigned rpl, struct descriptor *d)
{
    uint64_t raw;
    if ((selector & ~SELECTOR_RPL) == 0)
        return general(cpu, 0);
    if (!cpu_read_descriptor(cpu, selector, EXCP_GP, &raw))
        return false;
    *d = segment_decode(raw);
    if ((selector & SELECTOR_RPL) != rpl || d->dpl != rpl || !d->is_code_or_data ||
        (d->type & SEGMENT_CODE) || !(d->type & SEGMENT_WRITABLE))
        return general(cpu, selector);
    if (!d->is_present)
        return cpu_set_fault_code(cpu, EXCP_SS, selector & 0xfffc);
    return true;
}

/* The code segment that a return goes to, checked (SDM 2B RET, SDM 2A IRET). */
static bool read_return_code(struct cpu *cpu, uint16_t selector, struct descriptor *d)
{
    uint64_t raw;
    unsigned rpl = selector & SELECTOR_RPL;
    if (!read_code_descriptor(cpu, selector, d, &raw))
        return false;
    if (!d->is_code_or_data || !(d->type & SEGMENT_CODE) || rpl < cpu->cpl)
        return general(cpu, selector);
    if (d->type & SEGMENT_CONFORMING ? d->dpl > rpl : d->dpl != rpl)
        return general(cpu, selector);
    if (!d->is_present)
        return cpu_set_fault_code(cpu, EXCP_NP, selector & 0xfffc);
    return true;
}

/*
 * After a return outwards: data segments that the new ring could not have loaded become null (SDM 3A 5.8.6).
 */
static void drop_privileged_segments(struct cpu *cpu)
{
    static const uint8_t segs[] = {DEC_SEG_ES, DEC_SEG_DS, DEC_SEG_FS, DEC_SEG_GS};
    for (unsigned i = 0; i < sizeof segs; i++) {
        struct segment *segment = &cpu->segment[segs[i]];
        bool is_conforming_code = (segment->hidden.type & (SEGMENT_CODE | SEGMENT_CONFORMING)) ==
                                  (SEGMENT_CODE | SEGMENT_CONFORMING);
        if (segment->is_usable && !is_conforming_code && segment->hidden.dpl < cpu->cpl)
            *segment = (struct segment){.is_usable = false};
    }
    cpu_mode_changed(cpu);
}

/*
 * Goes back to selector:offset; to an outer ring with the stack popped from `sp`, which then skips
 * nr_extra_bytes.
 */
static bool return_to(struct cpu *cpu, uint16_t selector, uint64_t offset, uint64_t sp, unsigned size_bytes,
                      unsigned nr_extra_bytes)
{
    struct descriptor code, stack;
    uint64_t outer_sp, outer_ss;
    if (!read_return_code(cpu, selector, &code))
        return false;
    if (offset > code.limit_bytes)
        return general(cpu, 0);
    unsigned rpl = selector & SELECTOR_RPL;
    uint64_t mask = cpu_stack_mask(cpu);
    sp = (sp & ~mask) | ((sp + nr_extra_bytes) & mask);
    if (rpl == cpu->cpl) {
        if (!cpu_mark_accessed(cpu, selector, &code))
            return false;
        cpu_set_segment(cpu, DEC_SEG_CS, selector, &code);
        cpu_set_sp(cpu, sp);
        cpu->rip = offset;
        return true;
    }
    if (!cpu_pop_at(cpu, &sp, size_bytes, &outer_sp) || !cpu_pop_at(cpu, &sp, size_bytes, &outer_ss) ||
        !read_outer_stack(cpu, (uint16_t)outer_ss, rpl, &stack) || !cpu_mark_accessed(cpu, selector, &code) ||
        !cpu_mark_accessed(cpu, (uint16_t)outer_ss, &stack))
        return false;
    cpu_set_segment(cpu, DEC_SEG_CS, selector, &code);
    cpu_set_segment(cpu, DEC_SEG_SS, (uint16_t)outer_ss, &stack);
    cpu_set_sp(cpu, stack.is_big ? outer_sp + nr_extra_bytes
                                 : (cpu->reg[CPU_SP] & ~(uint64_t)UINT16_MAX) |
                                       ((outer_sp + nr_extra_bytes) & UINT16_MAX));
    cpu->rip = offset;
    drop_privileged_segments(cpu);
    return true;
}

bool cpu_far_return(struct cpu *cpu, unsigned size_bytes, unsigned nr_extra_bytes)
{
    if (cpu_is_long_mode(cpu))
        return cpu_long_far_return(cpu, size_bytes, nr_extra_bytes);
    uint64_t sp = cpu->reg[CPU_SP], offset, selector;
    if (!cpu_pop_at(cpu, &sp, size_bytes, &offset) || !cpu_pop_at(cpu, &sp, size_bytes, &selector))
        return false;
    if (cpu_is_protected(cpu))
        return return_to(cpu, (uint16_t)selector, offset, sp, size_bytes, nr_extra_bytes);
    uint64_t mask = cpu_stack_mask(cpu);
    if (!enter_real(cpu, (uint16_t)selector, offset))
        return false;
    cpu_set_sp(cpu, (sp & ~mask) | ((sp + nr_extra_bytes) & mask));
    return true;
}

/*
 * The flags that IRET may change at a privilege level (SDM 2A IRET). RF then holds for one instruction.
 */
static uint64_t returnable_flags(const struct cpu *cpu, unsigned size_bytes)
{
    uint64_t mask = EFLAGS_STATUS | EFLAGS_TF | EFLAGS_DF | EFLAGS_NT | EFLAGS_RF | EFLAGS_AC | EFLAGS_ID;
    unsigned iopl = (unsigned)(cpu->eflags & EFLAGS_IOPL) >> 12;
    if (cpu->cpl == 0)
        mask |= EFLAGS_IOPL;
    if (cpu->cpl == 0 && cpu_is_protected(cpu))
        mask |= EFLAGS_VIF | EFLAGS_VIP;
    if (cpu->cpl <= iopl)
        mask |= EFLAGS_IF;
    return size_bytes == 2 ? mask & UINT16_MAX : mask;
}

static bool return_from_interrupt(struct cpu *cpu, unsigned size_bytes)
{
    uint64_t sp = cpu->reg[CPU_SP], offset, selector, flags;
    bool is_protected = cpu_is_protected(cpu);
    if (cpu->eflags & EFLAGS_VM)
        return cpu_return_within_v86(cpu, size_bytes);
    if (is_protected && (cpu->eflags & EFLAGS_NT))
        return cpu_return_to_task(cpu);
    if (!cpu_pop_at(cpu, &sp, size_bytes, &offset) || !cpu_pop_at(cpu, &sp, size_bytes, &selector) ||
        !cpu_pop_at(cpu, &sp, size_bytes, &flags))
        return false;
    uint64_t mask = returnable_flags(cpu, size_bytes);
    if (is_protected && size_bytes == 4 && (flags & EFLAGS_VM) && cpu->cpl == 0)
        return cpu_return_to_v86(cpu, sp, offset, (uint16_t)selector, flags);
    if (is_protected) {
        if (!return_to(cpu, (uint16_t)selector, offset, sp, size_bytes, 0))
            return false;
    } else {
        if (!enter_real(cpu, (uint16_t)selector, offset))
            return false;
        cpu_set_sp(cpu, sp);
    }
    cpu_set_flags(cpu, flags, mask);
    return true;
}

bool cpu_interrupt_return(struct cpu *cpu, unsigned size_bytes)
{
    cpu->is_nmi_blocked = false; /* even if this faults (SDM 3C 25.3) */
    if (cpu->nmi_pending)
        cpu->deadline = 0;
    if (cpu_is_long_mode(cpu))
        return cpu_long_interrupt_return(cpu, size_bytes);
    if (!return_from_interrupt(cpu, size_bytes))
        return false;
    if (cpu_has_virtual_interrupt(cpu)) {
        cpu_set_fault_code(cpu, EXCP_GP, 0);
        cpu_deliver_fault(cpu);
    }
    return true;
}
