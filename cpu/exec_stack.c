/* The stack (SDM 2: PUSH, POP, PUSHA, POPA, PUSHF, POPF, ENTER, LEAVE). */
#include "cpu/exec.h"

/* rSP after moving it by `delta`, in the stack's own width: the rest of the register stays. */
ALWAYS_INLINE void set_sp(struct cpu *cpu, uint64_t sp, stamp_t done)
{
    uint64_t mask = cpu_stack_mask(cpu);
    cpu->reg[CPU_SP] = (cpu->reg[CPU_SP] & ~mask) | (sp & mask);
    exec_set_ready(cpu, CPU_SP, done);
}

ALWAYS_INLINE const struct insn *push(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                      unsigned size_bytes, uint64_t value, exec_fn *slow)
{
    t = exec_wait1(cpu, t, CPU_SP);
    uint64_t sp = (cpu->reg[CPU_SP] - size_bytes) & cpu_stack_mask(cpu);
    struct linear linear = exec_linear_at(cpu, insn, DEC_SEG_SS, sp, size_bytes, true, slow);
    if (UNLIKELY(!linear.is_good) || UNLIKELY(!exec_store(cpu, linear.v, size_bytes, value, &t, slow)))
        return exec_miss(cpu, insn, t, slow);
    stamp_t done = exec_done(t, 1);
    set_sp(cpu, sp, done);
    return exec_next(cpu, insn, t, done);
}

/* The element at the top of the stack; rSP is not moved yet. */
ALWAYS_INLINE struct loaded top(struct cpu *cpu, const struct insn *insn, unsigned size_bytes, stamp_t *t,
                                exec_fn *slow)
{
    *t = exec_wait1(cpu, *t, CPU_SP);
    uint64_t sp = cpu->reg[CPU_SP] & cpu_stack_mask(cpu);
    struct linear linear = exec_linear_at(cpu, insn, DEC_SEG_SS, sp, size_bytes, false, slow);
    return linear.is_good ? exec_load(cpu, linear.v, size_bytes, t, slow) : (struct loaded){0, 0};
}

#define STACK_FORMS(bits)                                                                                    \
    EXEC_TWIN(push_r##bits)                                                                                  \
    {                                                                                                        \
        t = exec_wait1(cpu, t, insn->dst);                                                                   \
        return push(cpu, insn, t, (bits) / 8, exec_dst(cpu, insn, (bits) / 8), slow);                        \
    }                                                                                                        \
    EXEC_TWIN(push_i##bits)                                                                                  \
    {                                                                                                        \
        return push(cpu, insn, t, (bits) / 8, insn->imm, slow);                                              \
    }                                                                                                        \
    EXEC_TWIN(push_m##bits)                                                                                  \
    {                                                                                                        \
        return push_memory(cpu, insn, t, (bits) / 8, slow);                                                  \
    }                                                                                                        \
    EXEC_TWIN(pop_r##bits)                                                                                   \
    {                                                                                                        \
        t = exec_wait_merge(cpu, t, insn->dst, (bits) / 8);                                                  \
        struct loaded loaded = top(cpu, insn, (bits) / 8, &t, slow);                                         \
        if (UNLIKELY(!loaded.ready))                                                                         \
            return exec_miss(cpu, insn, t, slow);                                                            \
        set_sp(cpu, cpu->reg[CPU_SP] + (bits) / 8, exec_done(t, 1));                                         \
        exec_set_dst(cpu, insn, (bits) / 8, loaded.value);                                                   \
        exec_set_ready(cpu, insn->dst, loaded.ready);                                                        \
        return exec_next(cpu, insn, t, loaded.ready);                                                        \
    }                                                                                                        \
    EXEC(pop_m##bits)                                                                                        \
    {                                                                                                        \
        return pop_memory(cpu, insn, t, (bits) / 8);                                                         \
    }

static const struct insn *push_slow(struct cpu *cpu, const struct insn *insn, stamp_t t, unsigned size_bytes,
                                    uint64_t value)
{
    exec_note_ip(cpu, insn);
    uint64_t sp = (cpu->reg[CPU_SP] - size_bytes) & cpu_stack_mask(cpu);
    struct linear linear = cpu_linear(cpu, DEC_SEG_SS, sp, size_bytes, true);
    if (!linear.is_good || !exec_store(cpu, linear.v, size_bytes, value, &t, NULL))
        return exec_fault(cpu, insn, t);
    stamp_t done = exec_done(t, 1);
    set_sp(cpu, sp, done);
    return exec_next(cpu, insn, t, done);
}

/* A load, then a store: the fast way only if both are found, so that neither is made twice. */
ALWAYS_INLINE const struct insn *push_memory(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                             unsigned size_bytes, exec_fn *slow)
{
    t = exec_wait1(cpu, exec_wait_address(cpu, insn, t), CPU_SP);
    struct linear linear = exec_linear(cpu, insn, size_bytes, false, slow);
    if (UNLIKELY(!linear.is_good))
        return exec_miss(cpu, insn, t, slow);
    if (!slow) {
        struct loaded loaded = exec_load(cpu, linear.v, size_bytes, &t, NULL);
        if (!loaded.ready)
            return exec_fault(cpu, insn, t);
        return push_slow(cpu, insn, exec_wait(cpu, t, loaded.ready), size_bytes, loaded.value);
    }
    uint64_t sp = (cpu->reg[CPU_SP] - size_bytes) & cpu_stack_mask(cpu);
    struct exec_place from = exec_find(cpu, linear.v, size_bytes, FRONT_READ);
    struct exec_place to = exec_find(cpu, sp, size_bytes, FRONT_WRITE);
    if (UNLIKELY(!from.host || !to.host || exec_meets_store(cpu, from.host, size_bytes, t)))
        return exec_miss(cpu, insn, t, slow);
    struct loaded loaded = exec_load_found(cpu, &from, linear.v, size_bytes, &t);
    t = exec_wait(cpu, t, loaded.ready);
    exec_store_found(cpu, &to, sp, size_bytes, loaded.value, &t);
    stamp_t done = exec_done(t, 1);
    set_sp(cpu, sp, done);
    return exec_next(cpu, insn, t, done);
}

/* rSP moves before the address is computed, and stays where it was if the store faults (SDM 2B POP). */
static const struct insn *pop_memory(struct cpu *cpu, const struct insn *insn, stamp_t t, unsigned size_bytes)
{
    struct loaded loaded = top(cpu, insn, size_bytes, &t, NULL);
    if (!loaded.ready)
        return exec_fault(cpu, insn, t);
    uint64_t old_sp = cpu->reg[CPU_SP];
    set_sp(cpu, old_sp + size_bytes, exec_done(t, 1));
    t = exec_wait(cpu, exec_wait_address(cpu, insn, t), loaded.ready);
    struct linear linear = exec_linear(cpu, insn, size_bytes, true, NULL);
    if (!linear.is_good || !exec_store(cpu, linear.v, size_bytes, loaded.value, &t, NULL)) {
        cpu->reg[CPU_SP] = old_sp;
        return exec_fault(cpu, insn, t);
    }
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

STACK_FORMS(8)
STACK_FORMS(16)
STACK_FORMS(32)
STACK_FORMS(64)

/*
 * A 32-bit push of a segment register writes 16 bits and leaves the upper half of the slot; a 64-bit one
 * writes zeros above (SDM 2B PUSH).
 */
EXEC(push_s)
{
    unsigned written_bytes = insn->size_bytes == 8 ? 8 : 2;
    t = exec_wait1(cpu, t, CPU_SP);
    uint64_t sp = (cpu->reg[CPU_SP] - insn->size_bytes) & cpu_stack_mask(cpu);
    struct linear linear = cpu_linear(cpu, DEC_SEG_SS, sp, written_bytes, true);
    uint64_t selector = cpu->segment[insn->dst].selector;
    if (!linear.is_good || !exec_store(cpu, linear.v, written_bytes, selector, &t, NULL))
        return exec_fault(cpu, insn, t);
    stamp_t done = exec_done(t, 1);
    set_sp(cpu, sp, done);
    return exec_next(cpu, insn, t, done);
}

EXEC(pop_s)
{
    struct loaded loaded = top(cpu, insn, 2, &t, NULL);
    if (!loaded.ready)
        return exec_fault(cpu, insn, t);
    cpu->clock = exec_wait(cpu, t, loaded.ready);
    unsigned seg = insn->dst;
    if (!cpu_load_segment(cpu, seg, (uint16_t)loaded.value))
        return exec_fault(cpu, insn, cpu->clock);
    cpu->interrupt_shadow = cpu->debug.shadow = seg == DEC_SEG_SS;
    set_sp(cpu, cpu->reg[CPU_SP] + insn->size_bytes, exec_done(cpu->clock, 1));
    cpu->rip = exec_next_rip(cpu, insn);
    return exec_leave(cpu, insn, cpu->clock, exec_done(cpu->clock, 1));
}

/*
 * Executors whose locals others write to leave their work to a function of its own: with a local's address
 * abroad the compiler would keep the stack frame, and the jump to the next record would become a call.
 */
#define APART static __attribute__((noinline))

APART bool push_all(struct cpu *cpu, const struct insn *insn)
{
    uint64_t sp = cpu->reg[CPU_SP];
    for (unsigned reg = CPU_AX; reg <= CPU_DI; reg++)
        if (!cpu_push_at(cpu, &sp, insn->size_bytes, cpu->reg[reg]))
            return false;
    set_sp(cpu, sp, exec_done(cpu->clock, 1));
    return true;
}

EXEC(pusha)
{
    t = exec_wait3(cpu, exec_wait3(cpu, t, CPU_AX, CPU_CX, CPU_DX), CPU_BX, CPU_SP, CPU_BP);
    cpu->clock = exec_wait2(cpu, t, CPU_SI, CPU_DI);
    if (!push_all(cpu, insn))
        return exec_fault(cpu, insn, cpu->clock);
    return exec_next(cpu, insn, cpu->clock, exec_done(cpu->clock, 1));
}

/* What was pushed for rSP is skipped. */
APART bool pop_all(struct cpu *cpu, const struct insn *insn)
{
    uint64_t sp = cpu->reg[CPU_SP], value[CPU_DI + 1];
    for (unsigned reg = CPU_DI + 1; reg-- > CPU_AX;)
        if (!cpu_pop_at(cpu, &sp, insn->size_bytes, &value[reg]))
            return false;
    stamp_t done = exec_done(cpu->clock, 1);
    for (unsigned reg = CPU_AX; reg <= CPU_DI; reg++) {
        if (reg == CPU_SP)
            continue;
        exec_write_register(cpu, reg, insn->size_bytes, value[reg]);
        exec_set_ready(cpu, reg, done);
    }
    set_sp(cpu, sp, done);
    return true;
}

/* POPA of 16 bits leaves the upper halves. */
EXEC(popa)
{
    cpu->clock = exec_wait1(cpu, t, CPU_SP);
    for (unsigned reg = CPU_AX; insn->size_bytes < 4 && reg <= CPU_DI; reg++)
        cpu->clock = exec_wait1(cpu, cpu->clock, reg);
    if (!pop_all(cpu, insn))
        return exec_fault(cpu, insn, cpu->clock);
    return exec_next(cpu, insn, cpu->clock, exec_done(cpu->clock, 1));
}

EXEC(pushf)
{
    t = exec_wait1(cpu, t, READY_FLAGS);
    if (!cpu_may_move_flags(cpu, insn->size_bytes))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    return push_slow(cpu, insn, exec_wait1(cpu, t, CPU_SP), insn->size_bytes, cpu_flags_to_push(cpu));
}

/* What POPF may change depends on CPL and IOPL (SDM 2B table 4-15). */
EXEC(popf)
{
    if (!cpu_may_move_flags(cpu, insn->size_bytes))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    struct loaded loaded = top(cpu, insn, insn->size_bytes, &t, NULL);
    if (!loaded.ready)
        return exec_fault(cpu, insn, t);
    t = exec_wait(cpu, t, loaded.ready);
    if (!cpu_pop_flags(cpu, loaded.value, insn->size_bytes))
        return exec_fault(cpu, insn, t);
    stamp_t done = exec_done(t, 1);
    set_sp(cpu, cpu->reg[CPU_SP] + insn->size_bytes, done);
    exec_set_ready(cpu, READY_FLAGS, done);
    cpu->rip = exec_next_rip(cpu, insn);
    return exec_leave(cpu, insn, t, done);
}

/*
 * ENTER size, level (SDM 2A): frame pointers of the enclosing procedures are copied from the frame of the
 * caller.
 */
APART bool enter_frame(struct cpu *cpu, const struct insn *insn)
{
    unsigned size_bytes = insn->size_bytes, level = insn->cond & 31;
    uint64_t sp = cpu->reg[CPU_SP], mask = cpu_stack_mask(cpu), bp = cpu->reg[CPU_BP];
    if (!cpu_push_at(cpu, &sp, size_bytes, bp))
        return false;
    uint64_t frame = sp;
    for (unsigned i = 1; i < level; i++) {
        uint64_t at = (bp - (uint64_t)i * size_bytes) & mask, pointer;
        if (!cpu_pop_at(cpu, &at, size_bytes, &pointer) || !cpu_push_at(cpu, &sp, size_bytes, pointer))
            return false;
    }
    if (level > 0 && !cpu_push_at(cpu, &sp, size_bytes, frame))
        return false;
    sp = (sp - (insn->imm & UINT16_MAX)) & mask;
    /*
     * The manual has the processor touch the new top of the stack, so that a fault comes here and not later.
     */
    struct linear linear = cpu_linear(cpu, DEC_SEG_SS, sp, size_bytes, true);
    if (!linear.is_good || !cpu_probe_write(cpu, linear.v, size_bytes))
        return false;
    stamp_t done = exec_done(cpu->clock, 1);
    exec_write_register(cpu, CPU_BP, size_bytes, frame);
    exec_set_ready(cpu, CPU_BP, done);
    set_sp(cpu, sp, done);
    return true;
}

EXEC(enter)
{
    cpu->clock = exec_wait2(cpu, t, CPU_SP, CPU_BP);
    if (!enter_frame(cpu, insn))
        return exec_fault(cpu, insn, cpu->clock);
    return exec_next(cpu, insn, cpu->clock, exec_done(cpu->clock, 1));
}

EXEC_TWIN(leave)
{
    unsigned size_bytes = insn->size_bytes;
    t = exec_wait1(cpu, t, CPU_BP);
    uint64_t bp = cpu->reg[CPU_BP] & cpu_stack_mask(cpu);
    struct linear linear = exec_linear_at(cpu, insn, DEC_SEG_SS, bp, size_bytes, false, slow);
    if (UNLIKELY(!linear.is_good))
        return exec_miss(cpu, insn, t, slow);
    struct loaded loaded = exec_load_sized(cpu, linear.v, size_bytes, &t, slow);
    if (UNLIKELY(!loaded.ready))
        return exec_miss(cpu, insn, t, slow);
    set_sp(cpu, bp + size_bytes, exec_done(t, 1));
    exec_write_register(cpu, CPU_BP, size_bytes, loaded.value);
    exec_set_ready(cpu, CPU_BP, loaded.ready);
    return exec_next(cpu, insn, t, loaded.ready);
}
