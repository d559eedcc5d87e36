/*
 * What IA-32e mode does otherwise than the modes before it: delivery, gates, far transfers and returns with
 * 64-bit stacks, system descriptors of 16 bytes. exception.c, transfer.c and segload.c hand over here when
 * EFER.LMA is set.
 */
#ifndef LK_CPU_LONG_MODE_H
#define LK_CPU_LONG_MODE_H

#include "cpu/cpu_internal.h"

/* An exception or interrupt to deliver through a 64-bit gate. */
struct long_delivery {
    unsigned vector;
    bool is_software; /* INT n, INT3: the gate's DPL counts */
    bool has_error_code;
    uint32_t error_code;
    uint32_t ext;   /* what the EXT bit of a fault during this delivery is */
    uint64_t flags; /* RFLAGS as they are to be pushed */
};
/* exception64.c. False: another fault; the state is as before but for memory written. */
bool cpu_deliver_long(struct cpu *cpu, const struct long_delivery *delivery)
    __attribute__((warn_unused_result));

/* A stack in the making, addressed as 64-bit code does. */
struct long_stack {
    uint64_t rsp;
    unsigned cpl;
};
/* RSP0-2, or with ist 1-7 one of the interrupt stacks, from the TSS. */
bool cpu_long_stack_from_tss(struct cpu *cpu, unsigned cpl, unsigned ist, uint32_t ext,
                             struct long_stack *stack) __attribute__((warn_unused_result));
bool cpu_long_push(struct cpu *cpu, struct long_stack *stack, uint64_t value, uint32_t ext)
    __attribute__((warn_unused_result));
/* SS as a transfer to an inner ring leaves it: a null selector with the new CPL. */
void cpu_set_null_stack(struct cpu *cpu, unsigned cpl);

/* transfer64.c: as the functions of cpu_internal.h without `long`. */
bool cpu_long_far_jump(struct cpu *cpu, uint16_t selector, uint64_t offset)
    __attribute__((warn_unused_result));
bool cpu_long_far_call(struct cpu *cpu, uint16_t selector, uint64_t offset, unsigned size_bytes)
    __attribute__((warn_unused_result));
bool cpu_long_far_return(struct cpu *cpu, unsigned size_bytes, unsigned nr_extra_bytes)
    __attribute__((warn_unused_result));
bool cpu_long_interrupt_return(struct cpu *cpu, unsigned size_bytes) __attribute__((warn_unused_result));

/*
 * syscall.c: cpu->rip is the next instruction, for SYSCALL; on success it is the destination. size_bytes is
 * the operand size: 8 returns to 64-bit code.
 */
bool cpu_syscall(struct cpu *cpu) __attribute__((warn_unused_result));
bool cpu_sysret(struct cpu *cpu, unsigned size_bytes) __attribute__((warn_unused_result));
bool cpu_sysenter(struct cpu *cpu) __attribute__((warn_unused_result));
bool cpu_sysexit(struct cpu *cpu, unsigned size_bytes) __attribute__((warn_unused_result));

/* control.c: WRMSR of IA32_EFER. False: not allowed. */
bool cpu_write_efer(struct cpu *cpu, uint64_t value) __attribute__((warn_unused_result));

/* The base of FS or GS, as MSRs and 64-bit code set it. */
static inline void cpu_set_base(struct cpu *cpu, unsigned seg, uint64_t base)
{
    cpu->segment[seg].hidden.base = base;
    cpu_mode_changed(cpu);
}

/*
 * segload.c: the upper eight bytes of a system descriptor or call gate of 16 (SDM 3A 3.5.2, 5.8.3.1), whose
 * type field must be clear. False: #GP(selector), or a page fault.
 */
bool cpu_read_upper_descriptor(struct cpu *cpu, uint16_t selector, uint64_t *raw)
    __attribute__((warn_unused_result));

/* A code segment with L and D both set is refused wherever it would be loaded (SDM 3A 3.4.5). */
static inline bool cpu_is_code_width_good(const struct descriptor *code)
{
    return !(code->is_long && code->is_big);
}

/* Whether rIP may be `offset` in a code segment about to be loaded. */
static inline bool cpu_is_offset_good(const struct cpu *cpu, const struct descriptor *code, uint64_t offset)
{
    return code->is_long ? cpu_is_canonical(cpu, offset) : offset <= code->limit_bytes;
}

#endif
