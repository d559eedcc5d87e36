/*
 * x87 instructions: what time they take and how they reach memory. What they compute is in x87.c.
 *
 * The stack's registers are waited for one by one, by physical register; condition codes as one. Exceptions
 * are known at once: nothing waits for them.
 */
#include "cpu/exec.h"
#include "cpu/x87.h"

/* The instruction must not run: #UD, #NM, #MF; or, with CR0.NE clear, it waits for the board's interrupt. */
static __attribute__((noinline, cold)) const struct insn *refuse(struct cpu *cpu, const struct insn *insn,
                                                                 stamp_t t, unsigned vector)
{
    if (vector != EXCP_MF || (cpu->control.cr0 & CR0_NE))
        return exec_raise(cpu, insn, t, (enum exception_vector)vector);
    cpu->stats.instructions += insn->position;
    cpu->rip = cpu_insn_rip(cpu, insn);
    cpu->clock = t;
    cpu_x87_report_error(cpu);
    return EXEC_NAME(resume)(cpu, insn, t);
}

/* An operand's place in cpu->ready. */
ALWAYS_INLINE unsigned ready_of(const struct cpu *cpu, unsigned i)
{
    return i < 8 ? READY_MMX + x87_place(&cpu->fpu, i) : REG_ZERO;
}

ALWAYS_INLINE stamp_t wait_operands(struct cpu *cpu, const struct insn *insn, const struct x87_row *row,
                                    stamp_t t)
{
    if (!EXEC_IS_TIMED || row->flags & X87_FLAG_SWAPS)
        return t;
    t = exec_wait_iterative(cpu, insn, t);
    t = exec_wait2(cpu, t, ready_of(cpu, insn->dst), ready_of(cpu, insn->src));
    return row->flags & X87_FLAG_READS_FLAGS ? exec_wait1(cpu, t, READY_FLAGS) : t;
}

/* What the unit remembers of an instruction that is not a control instruction (SDM 1 8.1.8, 8.1.9). */
ALWAYS_INLINE void remember(struct cpu *cpu, const struct insn *insn)
{
    struct fpu *fpu = &cpu->fpu;
    fpu->opcode = (uint16_t)insn->imm;
    fpu->cs = cpu->segment[DEC_SEG_CS].selector;
    fpu->rip = cpu_insn_rip(cpu, insn);
    if (insn->flags & INSN_MEMORY) {
        fpu->ds = cpu->segment[insn->seg].selector;
        fpu->data = cpu_effective_address(cpu, insn);
    }
}

/* Runs it, with a memory operand in cpu->wide; its results are there at `done`. */
ALWAYS_INLINE void run(struct cpu *cpu, const struct insn *insn, const struct x87_row *row, stamp_t done)
{
    unsigned dst = ready_of(cpu, insn->dst), src = ready_of(cpu, insn->src);
    remember(cpu, insn);
    row->run(cpu, insn, row);
    if (!EXEC_IS_TIMED)
        return;
    if (row->flags & X87_FLAG_SWAPS) { /* registers are renamed, nothing moves */
        stamp_t ready = cpu->ready[dst];
        cpu->ready[dst] = cpu->ready[src];
        cpu->ready[src] = ready;
        return;
    }
    if (row->flags & X87_FLAG_STATUS)
        exec_set_ready(cpu, READY_X87_STATUS, done);
    if (row->flags & X87_FLAG_SETS_FLAGS)
        exec_set_ready(cpu, READY_FLAGS, done);
    if (row->operands == X87_OPERANDS_PUSH || row->flags & X87_FLAG_PUSHES)
        exec_set_ready(cpu, ready_of(cpu, 0), done);
    if (dst != REG_ZERO && !(row->flags & X87_FLAG_COMPARES))
        exec_set_ready(cpu, dst, done);
    exec_take_iterative(cpu, insn, done);
}

EXEC(x87_register)
{
    unsigned vector = cpu_x87_fault(cpu);
    if (UNLIKELY(vector))
        return refuse(cpu, insn, t, vector);
    const struct x87_row *row = &x87_rows[insn->op];
    t = wait_operands(cpu, insn, row, t);
    stamp_t done = exec_done(t, insn->latency_cycles);
    run(cpu, insn, row, done);
    return exec_next(cpu, insn, t, done);
}

/* The memory operand into cpu->wide. Returns when it is there, 0 if it missed or faulted. */
ALWAYS_INLINE stamp_t read_operand(struct cpu *cpu, const struct insn *insn, uint64_t linear, stamp_t *t,
                                   exec_fn *slow)
{
    unsigned size_bytes = insn->size_bytes;
    if (size_bytes <= 8) {
        struct loaded loaded = exec_load(cpu, linear, size_bytes, t, slow);
        cpu->wide.half[0] = loaded.value;
        return loaded.ready;
    }
    if (!slow) {
        stamp_t ready = cpu_load_wide_slow(cpu, linear, 10, exec_port(cpu, *t), &cpu->wide);
        *t = cpu->slow_issue;
        return ready;
    }
    struct exec_place place = exec_find(cpu, linear, 10, FRONT_READ);
    if (UNLIKELY(!place.host || exec_meets_store(cpu, place.host, 10, *t)))
        return 0;
    *t = exec_port(cpu, *t);
    exec_use(cpu, &place);
    exec_tell(cpu, &place, linear, 10, CPU_HIT_LOAD, *t);
    cpu->wide.half[0] = exec_host_read(place.host, 8);
    cpu->wide.half[1] = exec_host_read(place.host + 8, 2);
    return EXEC_IS_TIMED ? stamp_floor(*t) + cpu->load_hit : *t;
}

EXEC_TWIN(x87_load)
{
    unsigned vector = cpu_x87_fault(cpu);
    if (UNLIKELY(vector))
        return refuse(cpu, insn, t, vector);
    const struct x87_row *row = &x87_rows[insn->op];
    t = wait_operands(cpu, insn, row, exec_wait_address(cpu, insn, t));
    struct linear linear = exec_linear(cpu, insn, insn->size_bytes, false, slow);
    if (UNLIKELY(!linear.is_good))
        return exec_miss(cpu, insn, t, slow);
    stamp_t ready = read_operand(cpu, insn, linear.v, &t, slow);
    if (UNLIKELY(!ready))
        return exec_miss(cpu, insn, t, slow);
    /* A load is there with its data; an operation takes its time from then on. */
    stamp_t latency = (stamp_t)(insn->latency_cycles - (row->operands == X87_OPERANDS_PUSH))
                      << STAMP_CYCLE_SHIFT;
    stamp_t done = EXEC_IS_TIMED ? ready + latency : t;
    run(cpu, insn, row, done);
    return exec_next(cpu, insn, t, done);
}

/* Up to 10 bytes of cpu->wide. False: it missed or faulted. */
ALWAYS_INLINE bool write_operand(struct cpu *cpu, uint64_t linear, unsigned size_bytes, stamp_t *t,
                                 exec_fn *slow)
{
    if (size_bytes <= 8)
        return exec_store(cpu, linear, size_bytes, cpu->wide.half[0], t, slow);
    if (!slow) {
        *t = exec_store_slot(cpu, exec_port(cpu, *t));
        bool is_good = cpu_store_wide_slow(cpu, linear, size_bytes, &cpu->wide, *t);
        *t = cpu->slow_issue;
        return is_good;
    }
    struct exec_place place = exec_find(cpu, linear, 10, FRONT_WRITE);
    if (UNLIKELY(!place.host))
        return false;
    *t = exec_store_slot(cpu, exec_port(cpu, *t));
    exec_use(cpu, &place);
    exec_tell(cpu, &place, linear, 10, CPU_HIT_STORE, *t);
    exec_host_write(place.host, 8, cpu->wide.half[0]);
    exec_host_write(place.host + 8, 2, cpu->wide.half[1]);
    exec_store_hit(cpu, place.host, 10, *t, *t);
    return true;
}

/* Where an exception keeps the number from being stored, memory is not touched, but could have been. */
ALWAYS_INLINE bool may_write(struct cpu *cpu, uint64_t linear, unsigned size_bytes, stamp_t *t, exec_fn *slow)
{
    if (slow)
        return false;
    cpu->clock = *t;
    bool is_good = cpu_probe_write(cpu, linear, size_bytes);
    *t = cpu->clock;
    return is_good;
}

EXEC_TWIN(x87_store)
{
    unsigned vector = cpu_x87_fault(cpu);
    if (UNLIKELY(vector))
        return refuse(cpu, insn, t, vector);
    const struct x87_store_row *row = &x87_stores[insn->op];
    t = exec_wait1(cpu, exec_wait_address(cpu, insn, t), ready_of(cpu, 0));
    struct linear linear = exec_linear(cpu, insn, insn->size_bytes, true, slow);
    if (UNLIKELY(!linear.is_good))
        return exec_miss(cpu, insn, t, slow);
    bool is_made = cpu_x87_prepare_store(cpu, insn, row);
    if (UNLIKELY(!is_made) ? !may_write(cpu, linear.v, insn->size_bytes, &t, slow)
                           : UNLIKELY(!write_operand(cpu, linear.v, insn->size_bytes, &t, slow)))
        return exec_miss(cpu, insn, t, slow);
    remember(cpu, insn);
    cpu_x87_finish_store(cpu, row);
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

/* ---- Control: these do not look at pending exceptions, but for FWAIT and FLDCW (SDM 1 8.3.11) ---- */

EXEC(x87_nop)
{
    if (UNLIKELY(cpu->x87_blocked))
        return refuse(cpu, insn, t, cpu->x87_blocked);
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

/* It waits although CR0.EM is set, and raises #NM only with CR0.MP (SDM 3A 2.5, table 2-2). */
EXEC(fwait)
{
    if (UNLIKELY((cpu->control.cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS)))
        return refuse(cpu, insn, t, EXCP_NM);
    if (UNLIKELY(cpu->fpu.status & X87_ES) && !cpu->ignores_x87_error)
        return refuse(cpu, insn, t, EXCP_MF);
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

EXEC(emms)
{
    unsigned vector = cpu_mmx_fault(cpu);
    if (UNLIKELY(vector))
        return refuse(cpu, insn, t, vector);
    cpu_mmx_begin(cpu);
    cpu->fpu.in_use = 0;
    return exec_next(cpu, insn, t, exec_done(t, insn->latency_cycles));
}

EXEC(fninit)
{
    if (UNLIKELY(cpu->x87_blocked))
        return refuse(cpu, insn, t, cpu->x87_blocked);
    cpu_x87_init(cpu);
    return exec_next(cpu, insn, t, exec_done(t, insn->latency_cycles));
}

EXEC(fnclex)
{
    if (UNLIKELY(cpu->x87_blocked))
        return refuse(cpu, insn, t, cpu->x87_blocked);
    cpu_x87_clear_exceptions(cpu);
    return exec_next(cpu, insn, t, exec_done(t, insn->latency_cycles));
}

EXEC_TWIN(fldcw)
{
    unsigned vector = cpu_x87_fault(cpu);
    if (UNLIKELY(vector))
        return refuse(cpu, insn, t, vector);
    t = exec_wait_address(cpu, insn, t);
    struct linear linear = exec_linear(cpu, insn, 2, false, slow);
    if (UNLIKELY(!linear.is_good))
        return exec_miss(cpu, insn, t, slow);
    struct loaded loaded = exec_load(cpu, linear.v, 2, &t, slow);
    if (UNLIKELY(!loaded.ready))
        return exec_miss(cpu, insn, t, slow);
    cpu->fpu.control = (uint16_t)loaded.value;
    cpu_settle_x87_status(cpu);
    return exec_next(cpu, insn, t, exec_after(loaded.ready));
}

ALWAYS_INLINE const struct insn *store_word(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                            uint16_t value, exec_fn *slow)
{
    if (UNLIKELY(cpu->x87_blocked))
        return refuse(cpu, insn, t, cpu->x87_blocked);
    t = exec_wait_address(cpu, insn, t);
    struct linear linear = exec_linear(cpu, insn, 2, true, slow);
    if (UNLIKELY(!linear.is_good) || UNLIKELY(!exec_store(cpu, linear.v, 2, value, &t, slow)))
        return exec_miss(cpu, insn, t, slow);
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

EXEC_TWIN(fnstcw)
{
    return store_word(cpu, insn, t, cpu->fpu.control, slow);
}

EXEC_TWIN(fnstsw_m)
{
    return store_word(cpu, insn, exec_wait1(cpu, t, READY_X87_STATUS), cpu->fpu.status, slow);
}

EXEC(fnstsw_r)
{
    if (UNLIKELY(cpu->x87_blocked))
        return refuse(cpu, insn, t, cpu->x87_blocked);
    t = exec_wait2(cpu, t, READY_X87_STATUS, CPU_AX); /* EAX keeps its upper half */
    stamp_t done = exec_done(t, insn->latency_cycles);
    exec_write_register(cpu, CPU_AX, 2, cpu->fpu.status);
    exec_set_ready(cpu, CPU_AX, done);
    return exec_next(cpu, insn, t, done);
}
