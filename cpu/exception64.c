/* Delivery of exceptions and interrupts in IA-32e mode (SDM 3A 6.14; SDM 2A INT n, "IA-32E-MODE"). */
#include "cpu/long_mode.h"

/* The 64-bit TSS (SDM 3A figure 7-11): RSP0 to RSP2, then a reserved field, IST1 to IST7. */
enum { TSS64_RSP0 = 4, TSS64_IST1 = 36, GATE64_BYTES = 16, ERROR_CODE_IDT = 2, STACK_ALIGNMENT = 16 };

struct gate64 {
    uint16_t selector;
    uint8_t type, dpl, ist;
    bool is_present, is_system;
    uint64_t offset;
};

static struct gate64 decode_gate(uint64_t low, uint64_t high)
{
    struct gate gate = gate_decode(low);
    return (struct gate64){
        .selector = gate.selector,
        .type = gate.type,
        .dpl = gate.dpl,
        .ist = low >> 32 & 7,
        .is_present = gate.is_present,
        .is_system = gate.is_system,
        .offset = high << 32 | gate.offset,
    };
}

static bool fault_at(struct cpu *cpu, enum exception_vector vector, uint32_t selector, uint32_t ext)
{
    return cpu_set_fault_code(cpu, vector, (selector & 0xfffc) | ext);
}

bool cpu_long_push(struct cpu *cpu, struct long_stack *stack, uint64_t value, uint32_t ext)
{
    uint64_t rsp = stack->rsp - sizeof value;
    if (!cpu_is_canonical(cpu, rsp) || !cpu_is_canonical(cpu, rsp + sizeof value - 1))
        return fault_at(cpu, EXCP_SS, 0, ext);
    if (!cpu_write(cpu, rsp, sizeof value, stack->cpl < 3, value))
        return false;
    stack->rsp = rsp;
    return true;
}

bool cpu_long_stack_from_tss(struct cpu *cpu, unsigned cpl, unsigned ist, uint32_t ext,
                             struct long_stack *stack)
{
    const struct descriptor *tss = &cpu->tr.hidden;
    uint32_t at = ist ? TSS64_IST1 + (ist - 1) * 8 : TSS64_RSP0 + cpl * 8;
    if (!cpu->tr.is_usable || at + 7 > tss->limit_bytes)
        return fault_at(cpu, EXCP_TS, cpu->tr.selector, ext);
    stack->cpl = cpl;
    if (!cpu_read(cpu, tss->base + at, 8, true, &stack->rsp))
        return false;
    return cpu_is_canonical(cpu, stack->rsp) || fault_at(cpu, EXCP_SS, 0, ext);
}

void cpu_set_null_stack(struct cpu *cpu, unsigned cpl)
{
    cpu->stats.segment_loads++;
    cpu->segment[DEC_SEG_SS] = (struct segment){.selector = (uint16_t)cpl, .hidden.dpl = (uint8_t)cpl};
}

/* The gate of a vector, if it may be used. */
static bool find_gate(struct cpu *cpu, const struct long_delivery *delivery, struct gate64 *gate)
{
    uint32_t error_code = delivery->vector * 8 | ERROR_CODE_IDT | delivery->ext;
    uint64_t low, high, at = delivery->vector * GATE64_BYTES;
    if (at + GATE64_BYTES - 1 > cpu->idt_limit)
        return cpu_set_fault_code(cpu, EXCP_GP, error_code);
    cpu->stats.descriptor_reads++;
    if (!cpu_read(cpu, cpu->idt_base + at, 8, true, &low) ||
        !cpu_read(cpu, cpu->idt_base + at + 8, 8, true, &high))
        return false;
    *gate = decode_gate(low, high);
    if (!gate->is_system || (gate->type != SYSTEM_INTERRUPT_GATE && gate->type != SYSTEM_TRAP_GATE))
        return cpu_set_fault_code(cpu, EXCP_GP, error_code);
    if (delivery->is_software && gate->dpl < cpu->cpl)
        return cpu_set_fault_code(cpu, EXCP_GP, error_code);
    if (!gate->is_present)
        return cpu_set_fault_code(cpu, EXCP_NP, error_code);
    return true;
}

/* The handler's code segment, which must be 64-bit code. */
static bool find_handler(struct cpu *cpu, uint16_t selector, uint32_t ext, struct descriptor *code)
{
    uint64_t raw;
    if ((selector & ~SELECTOR_RPL) == 0)
        return fault_at(cpu, EXCP_GP, 0, ext);
    if (!cpu_read_descriptor(cpu, selector, EXCP_GP, &raw)) {
        cpu->fault.error_code |= cpu->fault.vector == EXCP_GP ? ext : 0;
        return false;
    }
    *code = segment_decode(raw);
    if (!code->is_code_or_data || !(code->type & SEGMENT_CODE) || code->dpl > cpu->cpl || !code->is_long ||
        code->is_big)
        return fault_at(cpu, EXCP_GP, selector, ext);
    if (!code->is_present)
        return fault_at(cpu, EXCP_NP, selector, ext);
    return true;
}

bool cpu_deliver_long(struct cpu *cpu, const struct long_delivery *delivery)
{
    struct gate64 gate;
    struct descriptor code;
    if (!find_gate(cpu, delivery, &gate) || !find_handler(cpu, gate.selector, delivery->ext, &code))
        return false;
    bool is_inner = !(code.type & SEGMENT_CONFORMING) && code.dpl < cpu->cpl;
    unsigned cpl = is_inner ? code.dpl : cpu->cpl;
    struct long_stack stack = {.rsp = cpu->reg[CPU_SP], .cpl = cpl};
    if ((is_inner || gate.ist) && !cpu_long_stack_from_tss(cpu, cpl, gate.ist, delivery->ext, &stack))
        return false;
    if (!cpu_is_canonical(cpu, gate.offset))
        return cpu_set_fault_code(cpu, EXCP_GP, delivery->ext);
    stack.rsp &= ~(uint64_t)(STACK_ALIGNMENT - 1);
    const uint64_t frame[] = {cpu->segment[DEC_SEG_SS].selector, cpu->reg[CPU_SP], delivery->flags,
                              cpu->segment[DEC_SEG_CS].selector, cpu->rip,         delivery->error_code};
    unsigned nr = delivery->has_error_code ? 6 : 5;
    for (unsigned i = 0; i < nr; i++)
        if (!cpu_long_push(cpu, &stack, frame[i], delivery->ext))
            return false;
    if (!cpu_mark_accessed(cpu, gate.selector, &code))
        return false;
    bool is_interrupt_gate = gate.type == SYSTEM_INTERRUPT_GATE;
    cpu->eflags &=
        ~(uint64_t)(EFLAGS_TF | EFLAGS_NT | EFLAGS_RF | EFLAGS_VM | (is_interrupt_gate ? EFLAGS_IF : 0));
    if (is_inner)
        cpu_set_null_stack(cpu, cpl);
    cpu_set_segment(cpu, DEC_SEG_CS, (uint16_t)((gate.selector & 0xfffcu) | cpl), &code);
    cpu->reg[CPU_SP] = stack.rsp;
    cpu->ready[CPU_SP] = 0;
    cpu->rip = gate.offset;
    return true;
}
