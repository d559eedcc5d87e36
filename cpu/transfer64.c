/*
 * Far jumps, calls and returns, and IRET, in IA-32e mode: between 64-bit and compatibility mode, and between
 * rings (SDM 3A 5.8; SDM 2A CALL, IRET, JMP; SDM 2B RET). There are no tasks to switch to, and call gates
 * lead to 64-bit code.
 */
#include "cpu/long_mode.h"

static bool general(struct cpu *cpu, uint32_t selector)
{
    return cpu_set_fault_code(cpu, EXCP_GP, selector & 0xfffc);
}

static bool is_null(uint16_t selector)
{
    return (selector & ~SELECTOR_RPL) == 0;
}

static bool is_code(const struct descriptor *d)
{
    return d->is_code_or_data && (d->type & SEGMENT_CODE);
}

static bool is_conforming(const struct descriptor *code)
{
    return code->type & SEGMENT_CONFORMING;
}

static bool read_target(struct cpu *cpu, uint16_t selector, struct descriptor *d, uint64_t *raw)
{
    if (is_null(selector))
        return general(cpu, 0);
    if (!cpu_read_descriptor(cpu, selector, EXCP_GP, raw))
        return false;
    *d = segment_decode(*raw);
    return true;
}

/* A direct far jump or call to a code segment stays at its privilege level. */
static bool may_go_to(struct cpu *cpu, uint16_t selector, const struct descriptor *d, uint64_t offset)
{
    unsigned rpl = selector & SELECTOR_RPL;
    if (!is_code(d) || !cpu_is_code_width_good(d))
        return general(cpu, selector);
    if (is_conforming(d) ? d->dpl > cpu->cpl : rpl > cpu->cpl || d->dpl != cpu->cpl)
        return general(cpu, selector);
    if (!d->is_present)
        return cpu_set_fault_code(cpu, EXCP_NP, selector & 0xfffc);
    return cpu_is_offset_good(cpu, d, offset) || general(cpu, 0);
}

static void go_to(struct cpu *cpu, uint16_t selector, const struct descriptor *code, unsigned cpl,
                  uint64_t offset)
{
    cpu_set_segment(cpu, DEC_SEG_CS, (uint16_t)((selector & 0xfffcu) | cpl), code);
    cpu->rip = offset;
}

static void set_rsp(struct cpu *cpu, uint64_t rsp)
{
    cpu->reg[CPU_SP] = rsp;
    cpu->ready[CPU_SP] = 0;
}

struct call_gate {
    uint16_t selector;
    uint64_t offset;
};

/* A 64-bit call gate, open to CPL and to the selector's RPL (SDM 3A 5.8.3.1). */
static bool read_call_gate(struct cpu *cpu, uint16_t selector, uint64_t low, struct call_gate *gate)
{
    uint64_t high;
    struct gate decoded = gate_decode(low);
    if (decoded.type != SYSTEM_CALL_GATE || decoded.dpl < cpu->cpl || decoded.dpl < (selector & SELECTOR_RPL))
        return general(cpu, selector);
    if (!decoded.is_present)
        return cpu_set_fault_code(cpu, EXCP_NP, selector & 0xfffc);
    if (!cpu_read_upper_descriptor(cpu, selector, &high))
        return false;
    *gate = (struct call_gate){.selector = decoded.selector, .offset = high << 32 | decoded.offset};
    return true;
}

/* The code segment behind a call gate: 64-bit code, for calls of CPL or more privileged. */
static bool read_gate_target(struct cpu *cpu, const struct call_gate *gate, bool is_call,
                             struct descriptor *code)
{
    uint64_t raw;
    if (!read_target(cpu, gate->selector, code, &raw))
        return false;
    bool may_be_inner = is_call || is_conforming(code);
    if (!is_code(code) || !code->is_long || code->is_big ||
        (may_be_inner ? code->dpl > cpu->cpl : code->dpl != cpu->cpl))
        return general(cpu, gate->selector);
    if (!code->is_present)
        return cpu_set_fault_code(cpu, EXCP_NP, gate->selector & 0xfffc);
    return cpu_is_canonical(cpu, gate->offset) || general(cpu, 0);
}

/* Through a system descriptor. An inner stack has no parameters on it, and is not aligned. */
static bool go_through_gate(struct cpu *cpu, uint16_t selector, uint64_t raw, bool is_call)
{
    struct call_gate gate;
    struct descriptor code;
    if (!read_call_gate(cpu, selector, raw, &gate) || !read_gate_target(cpu, &gate, is_call, &code))
        return false;
    bool is_inner = !is_conforming(&code) && code.dpl < cpu->cpl;
    struct long_stack stack = {.rsp = cpu->reg[CPU_SP], .cpl = is_inner ? code.dpl : cpu->cpl};
    if (is_inner && (!cpu_long_stack_from_tss(cpu, code.dpl, 0, 0, &stack) ||
                     !cpu_long_push(cpu, &stack, cpu->segment[DEC_SEG_SS].selector, 0) ||
                     !cpu_long_push(cpu, &stack, cpu->reg[CPU_SP], 0)))
        return false;
    if (is_call && (!cpu_long_push(cpu, &stack, cpu->segment[DEC_SEG_CS].selector, 0) ||
                    !cpu_long_push(cpu, &stack, cpu->rip, 0)))
        return false;
    if (!cpu_mark_accessed(cpu, gate.selector, &code))
        return false;
    if (is_inner)
        cpu_set_null_stack(cpu, stack.cpl);
    if (is_call)
        set_rsp(cpu, stack.rsp);
    go_to(cpu, gate.selector, &code, stack.cpl, gate.offset);
    return true;
}

bool cpu_long_far_jump(struct cpu *cpu, uint16_t selector, uint64_t offset)
{
    struct descriptor d;
    uint64_t raw;
    if (!read_target(cpu, selector, &d, &raw))
        return false;
    if (!d.is_code_or_data)
        return go_through_gate(cpu, selector, raw, false);
    if (!may_go_to(cpu, selector, &d, offset) || !cpu_mark_accessed(cpu, selector, &d))
        return false;
    go_to(cpu, selector, &d, cpu->cpl, offset);
    return true;
}

bool cpu_long_far_call(struct cpu *cpu, uint16_t selector, uint64_t offset, unsigned size_bytes)
{
    struct descriptor d;
    uint64_t raw, sp = cpu->reg[CPU_SP];
    if (!read_target(cpu, selector, &d, &raw))
        return false;
    if (!d.is_code_or_data)
        return go_through_gate(cpu, selector, raw, true);
    if (!may_go_to(cpu, selector, &d, offset) ||
        !cpu_push_at(cpu, &sp, size_bytes, cpu->segment[DEC_SEG_CS].selector) ||
        !cpu_push_at(cpu, &sp, size_bytes, cpu->rip) || !cpu_mark_accessed(cpu, selector, &d))
        return false;
    set_rsp(cpu, sp);
    go_to(cpu, selector, &d, cpu->cpl, offset);
    return true;
}

/* The code segment that a return goes to, checked (SDM 2B RET, SDM 2A IRET). */
static bool read_return_code(struct cpu *cpu, uint16_t selector, struct descriptor *d)
{
    uint64_t raw;
    unsigned rpl = selector & SELECTOR_RPL;
    if (!read_target(cpu, selector, d, &raw))
        return false;
    if (!is_code(d) || rpl < cpu->cpl || (is_conforming(d) ? d->dpl > rpl : d->dpl != rpl) ||
        !cpu_is_code_width_good(d))
        return general(cpu, selector);
    if (!d->is_present)
        return cpu_set_fault_code(cpu, EXCP_NP, selector & 0xfffc);
    return true;
}

/* The stack segment of a return that pops one. 64-bit code that is not ring 3's may have none. */
static bool read_return_stack(struct cpu *cpu, uint16_t selector, unsigned rpl, const struct descriptor *code,
                              struct segment *stack)
{
    uint64_t raw;
    *stack = (struct segment){.selector = selector, .hidden.dpl = (uint8_t)rpl};
    if (is_null(selector))
        return (code->is_long && rpl != 3 && (selector & SELECTOR_RPL) == rpl) || general(cpu, 0);
    if (!cpu_read_descriptor(cpu, selector, EXCP_GP, &raw))
        return false;
    struct descriptor d = segment_decode(raw);
    if ((selector & SELECTOR_RPL) != rpl || d.dpl != rpl || !d.is_code_or_data || (d.type & SEGMENT_CODE) ||
        !(d.type & SEGMENT_WRITABLE))
        return general(cpu, selector);
    if (!d.is_present)
        return cpu_set_fault_code(cpu, EXCP_SS, selector & 0xfffc);
    if (!cpu_mark_accessed(cpu, selector, &d))
        return false;
    d.type |= SEGMENT_ACCESSED;
    *stack = (struct segment){.selector = selector, .is_usable = true, .hidden = d};
    return true;
}

/*
 * After a return outwards: data segments that the new ring could not have loaded become null (SDM 3A 5.8.6).
 * The bases of FS and GS stay: 64-bit code goes on using them.
 */
static void drop_privileged_segments(struct cpu *cpu)
{
    static const uint8_t segs[] = {DEC_SEG_ES, DEC_SEG_DS, DEC_SEG_FS, DEC_SEG_GS};
    for (unsigned i = 0; i < sizeof segs; i++) {
        struct segment *segment = &cpu->segment[segs[i]];
        bool is_conforming_code = is_code(&segment->hidden) && is_conforming(&segment->hidden);
        if (segment->is_usable && !is_conforming_code && segment->hidden.dpl < cpu->cpl)
            *segment = (struct segment){.hidden.base = segment->hidden.base};
    }
    cpu_mode_changed(cpu);
}

/* Where a return goes; rSP is `sp` if it pops no stack. */
struct destination {
    uint16_t selector;
    uint64_t offset, sp;
    unsigned size_bytes, nr_extra_bytes;
    bool pops_stack; /* even within its ring */
};

static bool check_offset(struct cpu *cpu, const struct descriptor *code, uint64_t offset)
{
    return cpu_is_offset_good(cpu, code, offset) || general(cpu, 0);
}

static bool return_to(struct cpu *cpu, const struct destination *to)
{
    struct descriptor code;
    struct segment stack;
    uint64_t sp = to->sp, new_sp, ss, mask = cpu_stack_mask(cpu);
    unsigned rpl = to->selector & SELECTOR_RPL;
    if (!read_return_code(cpu, to->selector, &code))
        return false;
    bool is_outer = rpl != cpu->cpl;
    sp = (sp & ~mask) | ((sp + to->nr_extra_bytes) & mask);
    if (!is_outer && !to->pops_stack) {
        if (!check_offset(cpu, &code, to->offset) || !cpu_mark_accessed(cpu, to->selector, &code))
            return false;
        set_rsp(cpu, sp);
        go_to(cpu, to->selector, &code, rpl, to->offset);
        return true;
    }
    if (!cpu_pop_at(cpu, &sp, to->size_bytes, &new_sp) || !cpu_pop_at(cpu, &sp, to->size_bytes, &ss) ||
        !read_return_stack(cpu, (uint16_t)ss, rpl, &code, &stack) || !check_offset(cpu, &code, to->offset) ||
        !cpu_mark_accessed(cpu, to->selector, &code))
        return false;
    cpu->segment[DEC_SEG_SS] = stack;
    go_to(cpu, to->selector, &code, rpl, to->offset);
    mask = cpu_stack_mask(cpu); /* of the new mode; a 32-bit stack leaves nothing of the old RSP */
    uint64_t kept = mask == UINT16_MAX ? cpu->reg[CPU_SP] & UINT32_MAX & ~mask : 0;
    set_rsp(cpu, kept | ((new_sp + to->nr_extra_bytes) & mask));
    if (is_outer)
        drop_privileged_segments(cpu);
    return true;
}

bool cpu_long_far_return(struct cpu *cpu, unsigned size_bytes, unsigned nr_extra_bytes)
{
    uint64_t sp = cpu->reg[CPU_SP], offset, selector;
    if (!cpu_pop_at(cpu, &sp, size_bytes, &offset) || !cpu_pop_at(cpu, &sp, size_bytes, &selector))
        return false;
    struct destination to = {.selector = (uint16_t)selector,
                             .offset = offset,
                             .sp = sp,
                             .size_bytes = size_bytes,
                             .nr_extra_bytes = nr_extra_bytes};
    return return_to(cpu, &to);
}

/* The flags that IRET may change (SDM 2A IRET); VM is not among them. */
static uint64_t returnable_flags(const struct cpu *cpu, unsigned size_bytes)
{
    uint64_t mask = EFLAGS_STATUS | EFLAGS_TF | EFLAGS_DF | EFLAGS_NT | EFLAGS_RF | EFLAGS_AC | EFLAGS_ID;
    if (cpu->cpl == 0)
        mask |= EFLAGS_IOPL | EFLAGS_VIF | EFLAGS_VIP;
    if (cpu->cpl <= (unsigned)(cpu->eflags & EFLAGS_IOPL) >> 12)
        mask |= EFLAGS_IF;
    return size_bytes == 2 ? mask & UINT16_MAX : mask;
}

/* 64-bit code pops RSP and SS always (SDM 3A 6.14.3). */
bool cpu_long_interrupt_return(struct cpu *cpu, unsigned size_bytes)
{
    uint64_t sp = cpu->reg[CPU_SP], offset, selector, flags;
    if (cpu->eflags & EFLAGS_NT)
        return general(cpu, 0);
    if (!cpu_pop_at(cpu, &sp, size_bytes, &offset) || !cpu_pop_at(cpu, &sp, size_bytes, &selector) ||
        !cpu_pop_at(cpu, &sp, size_bytes, &flags))
        return false;
    uint64_t mask = returnable_flags(cpu, size_bytes);
    struct destination to = {.selector = (uint16_t)selector,
                             .offset = offset,
                             .sp = sp,
                             .size_bytes = size_bytes,
                             .pops_stack = cpu_is_64bit(cpu)};
    if (!return_to(cpu, &to))
        return false;
    cpu_set_flags(cpu, flags, mask);
    return true;
}
