/*
 * Records that stand for no instruction: where fetch blocks begin, where runs end, and the ways in and out.
 */
#include "cpu/exec.h"

EXEC(resume)
{
    (void)insn;
    cpu->clock = t;
    const struct insn *next = cpu_fetch(cpu, NULL);
    return exec_go(cpu, next, cpu->clock);
}

EXEC(fault)
{
    cpu->stats.instructions += insn->position;
    cpu->rip = cpu_insn_rip(cpu, insn);
    cpu->clock = t;
    cpu_deliver_fault(cpu);
    return EXEC_NAME(resume)(cpu, insn, cpu->clock);
}

static __attribute__((noinline)) const struct insn *next_in_full(struct cpu *cpu, const struct insn *insn,
                                                                 stamp_t t, stamp_t done)
{
    cpu_observe_insn(cpu, insn, t, done, t + exec_step(cpu));
    return exec_go(cpu, insn + 1, t + exec_step(cpu));
}

const struct insn *EXEC_NAME(next_watched)(struct cpu *cpu, const struct insn *insn, stamp_t t, stamp_t done)
{
    if (UNLIKELY(!cpu_tell_again(cpu, insn, t, done)))
        return next_in_full(cpu, insn, t, done);
    return exec_go(cpu, insn + 1, t + exec_step(cpu));
}

/* The block's page is not what it was, or its line is not the most recently used: the long way. */
static __attribute__((noinline, cold)) const struct insn *fetch_slow(struct cpu *cpu, const struct insn *insn,
                                                                     stamp_t t)
{
    cpu->rip = cpu_insn_rip(cpu, insn);
    cpu->clock = t;
    const struct insn *next = cpu_fetch(cpu, insn);
    return exec_go(cpu, next, cpu->clock);
}

/* Asks the ITLB and the L1I for a fetch block. */
ALWAYS_INLINE const struct insn *fetch_block(struct cpu *cpu, const struct insn *insn, stamp_t t)
{
    const struct front *front = cpu->fetch_front;
    if (!exec_has_short_ways(cpu) || UNLIKELY(!exec_is_good(cpu, front)))
        return fetch_slow(cpu, insn, t);
    if (!EXEC_IS_TIMED) {
        ++cpu->untimed_clocks[1];
        return exec_go(cpu, insn + 1, t);
    }
    const uint64_t *mru_line = (const uint64_t *)insn->target;
    if (UNLIKELY(*mru_line != insn->imm))
        return fetch_slow(cpu, insn, t);
    front->entry->last_use = ++*cpu->fetch_clock;
    unsigned index = cpu->fetch_index;
    cpu->fetch_left[index == 0 ? cpu->fetch_entries - 1 : index - 1] = stamp_ceiling(t);
    stamp_t fetched = stamp_later(cpu->fetch_at, cpu->fetch_left[index]);
    cpu->fetch_index = index + 1 == cpu->fetch_entries ? 0 : index + 1;
    cpu->fetch_at = fetched + STAMP_CYCLE;
    if (EXEC_IS_WATCHED && cpu->room)
        cpu_tell_fetch(cpu, insn, fetched);
    return exec_go(cpu, insn + 1, exec_wait(cpu, t, fetched + cpu->frontend));
}

/*
 * A fetch block begins, and with it an instruction: interrupts and deadlines are looked at here and nowhere
 * else.
 */
EXEC(block)
{
    cpu->stats.instructions += insn->position;
    if (UNLIKELY(t >= cpu->deadline)) {
        cpu->rip = cpu_insn_rip(cpu, insn);
        cpu->clock = t;
        return NULL;
    }
    return fetch_block(cpu, insn, t);
}

/* A fetch block that holds the rest of an instruction. */
EXEC(block_rest)
{
    cpu->stats.instructions += insn->position;
    return fetch_block(cpu, insn, t);
}

/* Goes on at cpu->rip, whose fetch block has been fetched already. */
ALWAYS_INLINE const struct insn *go_on(struct cpu *cpu, stamp_t t)
{
    const struct insn *next = cpu_fetch_nothing(cpu);
    return exec_go(cpu, next, t);
}

/* The run of records ends, the code does not: in a new fetch block, or in the midst of one. */
EXEC(run_end)
{
    cpu->stats.instructions += insn->position;
    if (LIKELY(insn->target != NULL))
        return exec_go(cpu, insn->target, t);
    cpu->rip = cpu_insn_rip(cpu, insn);
    cpu_link_run(cpu, insn);
    bool is_new_block = insn->offset % cpu->fetch_bytes == 0;
    return is_new_block ? EXEC_NAME(resume)(cpu, insn, t) : go_on(cpu, t);
}

/*
 * An instruction whose bytes lie in two pages is decoded each time: either page may have changed meanwhile.
 */
EXEC(straddle)
{
    cpu->stats.instructions += insn->position;
    cpu->rip = cpu_insn_rip(cpu, insn);
    cpu->clock = t;
    const struct insn *next = cpu_fetch_straddling(cpu);
    return exec_go(cpu, next, cpu->clock);
}

/*
 * Behind an instruction that was decoded alone. A step is over; the next one may go on in the same fetch
 * block, unless a core that does not step would fetch anew, too.
 */
EXEC(single_end)
{
    cpu->stats.instructions += insn->position;
    cpu->rip = cpu_insn_rip(cpu, insn);
    bool is_kept = (cpu->is_stepping && !cpu->fetches_anew) || cpu_is_near_limit(cpu);
    cpu->is_mid_block = is_kept && insn->offset % cpu->fetch_bytes != 0 && insn->offset < PAGE_BYTES;
    return EXEC_NAME(resume)(cpu, insn, t);
}

/*
 * What was decoded here has been written over. The bytes that the front end has are the new ones, with no new
 * fetch.
 */
EXEC(stale)
{
    cpu->stats.instructions += insn->position;
    cpu->rip = cpu_insn_rip(cpu, insn);
    return go_on(cpu, t);
}

EXEC(stale_block)
{
    cpu->stats.instructions += insn->position;
    cpu->rip = cpu_insn_rip(cpu, insn);
    return EXEC_NAME(resume)(cpu, insn, t);
}

EXEC(stop)
{
    (void)cpu, (void)insn, (void)t;
    return NULL;
}

EXEC(undefined)
{
    cpu->stats.undecoded++;
    return exec_raise(cpu, insn, t, EXCP_UD);
}

EXEC(unimplemented)
{
    cpu->stats.unimplemented++;
    cpu->unimplemented[insn->op]++;
    return exec_raise(cpu, insn, t, EXCP_UD);
}

EXEC(too_long)
{
    return exec_raise_code(cpu, insn, t, EXCP_GP, 0);
}
