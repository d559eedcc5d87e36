/*
 * Control transfers (SDM 2: Jcc, JMP, CALL, RET, LOOPcc, JCXZ, far transfers, INT n, INT3, INTO, INT1, IRET).
 */
#include "cpu/exec.h"
#include "cpu/predict.h"

/* Destination of a relative branch, cut to the operand size (SDM 2A Jcc, CALL). */
ALWAYS_INLINE uint64_t relative_target(const struct cpu *cpu, const struct insn *insn)
{
    return (cpu_insn_rip(cpu, insn) + insn->length_bytes + insn->imm) & exec_mask(insn->size_bytes);
}

ALWAYS_INLINE uint64_t linear_of(const struct cpu *cpu, uint64_t rip)
{
    return cpu_code_linear(cpu, rip);
}

/* A target beyond CS's limit, or not canonical, faults at the branch. */
ALWAYS_INLINE bool is_target_good(const struct cpu *cpu, uint64_t rip)
{
    return cpu_is_code_address(cpu, rip);
}

/*
 * Goes to `rip`: where the jump cache knows decoded code and the page still translates there, without a
 * look-up.
 */
ALWAYS_INLINE const struct insn *go_to(struct cpu *cpu, const struct insn *insn, stamp_t t, uint64_t rip)
{
    uint64_t linear = linear_of(cpu, rip);
    const struct jump_cache_entry *entry = &cpu->jump_cache[(linear ^ linear >> 12) % JUMP_CACHE_ENTRIES];
    const struct front *front = &cpu->fetch_fronts[front_index(linear >> PAGE_SHIFT, FETCH_FRONT_ENTRIES)];
    if (LIKELY(entry->linear == linear && entry->code_key == cpu->code_key &&
               front->tag[cpu->front_kind] == linear >> PAGE_SHIFT && front->frame.v == entry->frame.v)) {
        cpu->reg[REG_CODE] = linear & ~(uint64_t)PAGE_MASK;
        cpu->fetch_front = front;
        return exec_go(cpu, entry->insn, t);
    }
    cpu->rip = rip;
    return EXEC_NAME(resume)(cpu, insn, t);
}

/* Retires a branch that was taken, to `rip`. Direct branches within their page remember where that is. */
ALWAYS_INLINE const struct insn *take(struct cpu *cpu, const struct insn *insn, stamp_t t, uint64_t rip)
{
    exec_watch(cpu, insn, t, exec_done(t, 1), t + exec_step(cpu));
    cpu->stats.instructions += insn->position + 1u;
    return go_to(cpu, insn, t + exec_step(cpu), rip);
}

/*
 * Whether the record knows where its branch goes, and needs no look at CS's limit: there is none to fear in
 * code that is not limited, as the destination lies in the page that the branch runs in.
 */
ALWAYS_INLINE bool is_linked(const struct cpu *cpu, const struct insn *insn)
{
    return insn->target && !(cpu->code_key & CODE_KEY_LIMITED);
}

ALWAYS_INLINE const struct insn *take_linked(struct cpu *cpu, const struct insn *insn, stamp_t t)
{
    exec_watch(cpu, insn, t, exec_done(t, 1), t + exec_step(cpu));
    cpu->stats.instructions += insn->position + 1u;
    return exec_go(cpu, insn->target, t + exec_step(cpu));
}

/* A branch within its page that is taken for the first time; apart, as take_unlinked is. */
static __attribute__((noinline, cold)) const struct insn *
link_and_take(struct cpu *cpu, const struct insn *insn, stamp_t t, uint64_t rip)
{
    cpu_link(cpu, insn, rip);
    return take(cpu, insn, t, rip);
}

ALWAYS_INLINE const struct insn *take_direct(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                             uint64_t rip)
{
    if (LIKELY(insn->target != NULL))
        return take_linked(cpu, insn, t);
    if ((linear_of(cpu, rip) & ~(uint64_t)PAGE_MASK) == cpu->reg[REG_CODE])
        return link_and_take(cpu, insn, t, rip);
    return take(cpu, insn, t, rip);
}

/* A branch that is known to be taken; apart, so that those that are linked need no stack frame. */
static __attribute__((noinline)) const struct insn *take_unlinked(struct cpu *cpu, const struct insn *insn,
                                                                  stamp_t t)
{
    uint64_t rip = relative_target(cpu, insn);
    if (UNLIKELY(!is_target_good(cpu, rip)))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    cpu->stats.taken_branches++;
    return take_direct(cpu, insn, t, rip);
}

ALWAYS_INLINE uint64_t linear_at(const struct cpu *cpu, const struct insn *insn)
{
    return cpu->reg[REG_CODE] + insn->offset;
}

ALWAYS_INLINE void count_conditional(struct cpu *cpu)
{
    cpu->stats.branches++;
    cpu->stats.conditional_branches++;
}

/* Any conditional branch; apart, so that those that are quick need no stack frame. */
static __attribute__((noinline)) const struct insn *conditional_slow(struct cpu *cpu, const struct insn *insn,
                                                                     stamp_t t, bool is_taken)
{
    count_conditional(cpu);
    if (EXEC_IS_TIMED)
        predict_conditional(cpu, linear_at(cpu, insn), is_taken, t);
    return is_taken ? take_unlinked(cpu, insn, t) : exec_next(cpu, insn, t, exec_done(t, 1));
}

ALWAYS_INLINE const struct insn *conditional(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                             bool is_taken)
{
    if (EXEC_IS_TIMED && UNLIKELY(!predict_is_quick(cpu, linear_at(cpu, insn), is_taken)))
        return conditional_slow(cpu, insn, t, is_taken);
    if (is_taken && UNLIKELY(!is_linked(cpu, insn)))
        return conditional_slow(cpu, insn, t, is_taken);
    count_conditional(cpu);
    if (EXEC_IS_TIMED)
        predict_quick(cpu, linear_at(cpu, insn), is_taken, t);
    if (!is_taken)
        return exec_next(cpu, insn, t, exec_done(t, 1));
    cpu->stats.taken_branches++;
    return take_linked(cpu, insn, t);
}

#define JCC(cond)                                                                                            \
    EXEC(jcc##cond)                                                                                          \
    {                                                                                                        \
        return conditional(cpu, insn, exec_wait1(cpu, t, READY_FLAGS), exec_condition(cpu, cond));           \
    }
JCC(0)
JCC(1)
JCC(2)
JCC(3)
JCC(4)
JCC(5)
JCC(6)
JCC(7)
JCC(8)
JCC(9)
JCC(10)
JCC(11)
JCC(12)
JCC(13)
JCC(14)
JCC(15)

/* LOOP, LOOPE, LOOPNE: the counter is CX or ECX by address size. */
EXEC(loop)
{
    t = exec_wait2(cpu, t, CPU_CX, insn->op == DEC_LOOP ? CPU_CX : READY_FLAGS);
    uint64_t count = (cpu->reg[CPU_CX] - 1) & exec_mask(insn->address_bytes);
    bool flag_says_go = insn->op == DEC_LOOP || exec_zf(cpu) == (insn->op == DEC_LOOPE);
    bool is_taken = count != 0 && flag_says_go;
    if (is_taken && UNLIKELY(!is_target_good(cpu, relative_target(cpu, insn))))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    exec_write_register(cpu, CPU_CX, insn->address_bytes, count);
    exec_set_ready(cpu, CPU_CX, exec_done(t, 1));
    return conditional(cpu, insn, t, is_taken);
}

EXEC(jcxz)
{
    t = exec_wait1(cpu, t, CPU_CX);
    return conditional(cpu, insn, t, (cpu->reg[CPU_CX] & exec_mask(insn->address_bytes)) == 0);
}

EXEC(jmp)
{
    uint64_t rip = relative_target(cpu, insn);
    if (UNLIKELY(!is_target_good(cpu, rip)))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    cpu->stats.branches++;
    cpu->stats.taken_branches++;
    if (EXEC_IS_TIMED)
        predict_direct(cpu, linear_at(cpu, insn));
    return take_direct(cpu, insn, t, rip);
}

/* Counts and predicts an indirect branch whose target is known at `known`. */
ALWAYS_INLINE void indirect(struct cpu *cpu, const struct insn *insn, uint64_t rip, stamp_t known)
{
    cpu->stats.branches++;
    cpu->stats.taken_branches++;
    if (EXEC_IS_TIMED)
        predict_indirect(cpu, linear_at(cpu, insn), linear_of(cpu, rip), known);
}

EXEC_TWIN(jmp_indirect)
{
    struct exec_operand target = insn->size_bytes == 4   ? exec_read_dst(cpu, insn, 4, false, &t, slow)
                                 : insn->size_bytes == 8 ? exec_read_dst(cpu, insn, 8, false, &t, slow)
                                                         : exec_read_dst(cpu, insn, 2, false, &t, slow);
    if (UNLIKELY(!target.ready))
        return exec_miss(cpu, insn, t, slow);
    if (UNLIKELY(!is_target_good(cpu, target.value)))
        return exec_raise_code(cpu, insn, exec_wait(cpu, t, target.ready), EXCP_GP, 0);
    indirect(cpu, insn, target.value, target.ready);
    return take(cpu, insn, t, target.value);
}

ALWAYS_INLINE bool store_return(struct cpu *cpu, const struct insn *insn, uint64_t linear, uint64_t rip,
                                stamp_t *t, exec_fn *slow)
{
    if (LIKELY(insn->size_bytes == 4))
        return exec_store(cpu, linear, 4, rip, t, slow);
    if (LIKELY(insn->size_bytes == 8))
        return exec_store(cpu, linear, 8, rip, t, slow);
    return exec_store(cpu, linear, 2, rip, t, slow);
}

/* Pushes the return address. False: it missed or faulted, and nothing has changed. */
ALWAYS_INLINE bool push_return(struct cpu *cpu, const struct insn *insn, uint64_t rip, stamp_t *t,
                               exec_fn *slow)
{
    *t = exec_wait1(cpu, *t, CPU_SP);
    uint64_t mask = cpu_stack_mask(cpu), sp = (cpu->reg[CPU_SP] - insn->size_bytes) & mask;
    struct linear linear = exec_linear_at(cpu, insn, DEC_SEG_SS, sp, insn->size_bytes, true, slow);
    if (UNLIKELY(!linear.is_good))
        return false;
    if (UNLIKELY(!store_return(cpu, insn, linear.v, rip, t, slow)))
        return false;
    cpu->reg[CPU_SP] = (cpu->reg[CPU_SP] & ~mask) | sp;
    exec_set_ready(cpu, CPU_SP, exec_done(*t, 1));
    if (EXEC_IS_TIMED)
        predict_call(cpu, linear_of(cpu, rip));
    return true;
}

EXEC_TWIN(call)
{
    uint64_t rip = relative_target(cpu, insn);
    if (UNLIKELY(!is_target_good(cpu, rip)))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    if (UNLIKELY(!push_return(cpu, insn, exec_next_rip(cpu, insn), &t, slow)))
        return exec_miss(cpu, insn, t, slow);
    cpu->stats.branches++;
    cpu->stats.taken_branches++;
    if (EXEC_IS_TIMED)
        predict_direct(cpu, linear_at(cpu, insn));
    return take_direct(cpu, insn, t, rip);
}

/* Two accesses: always by the slow path if the target is in memory, so that none is made twice. */
static const struct insn *call_through_memory(struct cpu *cpu, const struct insn *insn, stamp_t t)
{
    struct exec_operand target = exec_read_dst(cpu, insn, insn->size_bytes, false, &t, NULL);
    if (!target.ready)
        return exec_fault(cpu, insn, t);
    if (!is_target_good(cpu, target.value))
        return exec_raise_code(cpu, insn, exec_wait(cpu, t, target.ready), EXCP_GP, 0);
    if (!push_return(cpu, insn, exec_next_rip(cpu, insn), &t, NULL))
        return exec_fault(cpu, insn, t);
    indirect(cpu, insn, target.value, target.ready);
    return take(cpu, insn, t, target.value);
}

EXEC_TWIN(call_indirect)
{
    if (insn->flags & INSN_MEMORY)
        return call_through_memory(cpu, insn, t);
    t = exec_wait1(cpu, t, insn->dst);
    uint64_t rip = exec_dst(cpu, insn, insn->size_bytes);
    if (UNLIKELY(!is_target_good(cpu, rip)))
        return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
    stamp_t known = t;
    /* The twin would take the wait for the stack pointer for one for the target. */
    if (EXEC_IS_TIMED && slow && UNLIKELY(cpu->ready[CPU_SP] > t))
        return exec_miss(cpu, insn, t, slow);
    if (UNLIKELY(!push_return(cpu, insn, exec_next_rip(cpu, insn), &t, slow)))
        return exec_miss(cpu, insn, t, slow);
    indirect(cpu, insn, rip, known);
    return take(cpu, insn, t, rip);
}

EXEC_TWIN(ret)
{
    t = exec_wait1(cpu, t, CPU_SP);
    uint64_t mask = cpu_stack_mask(cpu), sp = cpu->reg[CPU_SP] & mask;
    struct linear linear = exec_linear_at(cpu, insn, DEC_SEG_SS, sp, insn->size_bytes, false, slow);
    if (UNLIKELY(!linear.is_good))
        return exec_miss(cpu, insn, t, slow);
    struct loaded loaded = exec_load_sized(cpu, linear.v, insn->size_bytes, &t, slow);
    if (UNLIKELY(!loaded.ready))
        return exec_miss(cpu, insn, t, slow);
    if (UNLIKELY(!is_target_good(cpu, loaded.value)))
        return exec_raise_code(cpu, insn, exec_wait(cpu, t, loaded.ready), EXCP_GP, 0);
    cpu->reg[CPU_SP] = (cpu->reg[CPU_SP] & ~mask) | ((sp + insn->size_bytes + insn->imm) & mask);
    exec_set_ready(cpu, CPU_SP, exec_done(t, 1));
    cpu->stats.branches++;
    cpu->stats.taken_branches++;
    if (EXEC_IS_TIMED)
        predict_return(cpu, linear_of(cpu, loaded.value), loaded.ready);
    return take(cpu, insn, t, loaded.value);
}

/* ---- Far transfers: microcode, as it were; all serialise ---- */

ALWAYS_INLINE const struct insn *finish_far(struct cpu *cpu, const struct insn *insn, stamp_t t)
{
    stamp_t done =
        EXEC_IS_TIMED ? cpu_serialise(cpu, cpu->clock, insn->latency_cycles) : cpu->clock + exec_step(cpu);
    exec_watch(cpu, insn, t, done, done);
    cpu->stats.instructions += insn->position + 1u;
    cpu_redirect(cpu, done);
    return EXEC_NAME(resume)(cpu, insn, done);
}

/* The pointer of a far jump or call: in the instruction, or in memory. False: a fault. */
static __attribute__((noinline)) bool far_pointer(struct cpu *cpu, const struct insn *insn,
                                                  uint16_t *selector, uint64_t *offset)
{
    if (!(insn->flags & INSN_MEMORY)) {
        *selector = (uint16_t)(insn->imm >> 32);
        *offset = (uint32_t)insn->imm;
        return true;
    }
    uint64_t value;
    struct linear linear = exec_linear(cpu, insn, insn->size_bytes + 2u, false, NULL);
    if (!linear.is_good || !cpu_read(cpu, linear.v, insn->size_bytes, false, offset) ||
        !cpu_read(cpu, linear.v + insn->size_bytes, 2, false, &value))
        return false;
    *selector = (uint16_t)value;
    return true;
}

static __attribute__((noinline)) bool far_jump_or_call(struct cpu *cpu, const struct insn *insn, bool is_call)
{
    uint16_t selector;
    uint64_t offset;
    if (!far_pointer(cpu, insn, &selector, &offset))
        return false;
    cpu->rip = exec_next_rip(cpu, insn);
    return is_call ? cpu_far_call(cpu, selector, offset, insn->size_bytes)
                   : cpu_far_jump(cpu, selector, offset);
}

EXEC(jmp_far)
{
    cpu->clock = t = exec_wait_address(cpu, insn, t);
    return far_jump_or_call(cpu, insn, false) ? finish_far(cpu, insn, t) : exec_fault(cpu, insn, cpu->clock);
}

EXEC(call_far)
{
    cpu->clock = t = exec_wait1(cpu, exec_wait_address(cpu, insn, t), CPU_SP);
    return far_jump_or_call(cpu, insn, true) ? finish_far(cpu, insn, t) : exec_fault(cpu, insn, cpu->clock);
}

EXEC(ret_far)
{
    cpu->clock = t = exec_wait1(cpu, t, CPU_SP);
    bool is_good = cpu_far_return(cpu, insn->size_bytes, (unsigned)insn->imm & UINT16_MAX);
    return is_good ? finish_far(cpu, insn, t) : exec_fault(cpu, insn, cpu->clock);
}

EXEC(iret)
{
    cpu->clock = t = exec_wait1(cpu, t, CPU_SP);
    cpu->rip = exec_next_rip(cpu, insn); /* where this task goes on if it is left for another */
    return cpu_interrupt_return(cpu, insn->size_bytes) ? finish_far(cpu, insn, t)
                                                       : exec_fault(cpu, insn, cpu->clock);
}

ALWAYS_INLINE const struct insn *software_interrupt(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                                    unsigned vector)
{
    cpu->clock = t;
    cpu->rip = exec_next_rip(cpu, insn);
    return cpu_software_interrupt(cpu, vector) ? finish_far(cpu, insn, t) : exec_fault(cpu, insn, cpu->clock);
}

EXEC(int)
{
    if (UNLIKELY(cpu->eflags & EFLAGS_VM)) {
        cpu->clock = t;
        cpu->rip = exec_next_rip(cpu, insn);
        bool is_good = cpu_v86_interrupt(cpu, (unsigned)insn->imm & 0xff);
        return is_good ? finish_far(cpu, insn, t) : exec_fault(cpu, insn, cpu->clock);
    }
    return software_interrupt(cpu, insn, t, (unsigned)insn->imm & 0xff);
}

EXEC(int3)
{
    return software_interrupt(cpu, insn, t, EXCP_BP);
}

EXEC(into)
{
    t = exec_wait1(cpu, t, READY_FLAGS);
    if (!exec_condition(cpu, 0))
        return exec_next(cpu, insn, t, exec_done(t, 1));
    return software_interrupt(cpu, insn, t, EXCP_OF);
}

EXEC(int1)
{
    cpu->clock = t;
    cpu->rip = exec_next_rip(cpu, insn);
    cpu->stats.instructions += insn->position; /* the exception bears this instruction's number */
    debug_icebp(cpu);
    cpu->stats.instructions -= insn->position;
    return finish_far(cpu, insn, t);
}
