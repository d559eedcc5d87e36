/* Bit counts, checksums and byte-swapped moves (SDM 1 5.1.16, 12.12; SDM 2 POPCNT, LZCNT, CRC32, MOVBE). */
#include "cpu/exec.h"
#include "sim/base/crc32c.h"

/* The result is zero (ZF), or something was (CF); the other flags are clear. */
ALWAYS_INLINE void set_zero_carry(struct cpu *cpu, bool zf, bool cf)
{
    cpu->flag_result = (zf ? 0 : 0x100) | 1ull << 40; /* see cpu_set_status_flags */
    cpu->flag_carry = exec_carry_overflow(cf, false);
}

EXEC_TWIN(popcnt)
{
    t = exec_wait_merge(cpu, t, insn->dst, insn->size_bytes);
    struct loaded source = exec_read_src(cpu, insn, insn->size_bytes, &t, slow);
    if (UNLIKELY(!source.ready))
        return exec_miss(cpu, insn, t, slow);
    stamp_t done = exec_src_done(insn, &source, t, insn->latency_cycles);
    exec_write_register(cpu, insn->dst, insn->size_bytes, (uint64_t)__builtin_popcountll(source.value));
    set_zero_carry(cpu, source.value == 0, false);
    exec_set_ready(cpu, insn->dst, done);
    exec_set_ready(cpu, READY_FLAGS, done);
    return exec_next(cpu, insn, t, done);
}

/* Leading zeros; all of them where there is no bit, which CF says. */
EXEC_TWIN(lzcnt)
{
    t = exec_wait_merge(cpu, t, insn->dst, insn->size_bytes);
    struct loaded source = exec_read_src(cpu, insn, insn->size_bytes, &t, slow);
    if (UNLIKELY(!source.ready))
        return exec_miss(cpu, insn, t, slow);
    unsigned nr_bits = insn->size_bytes * 8;
    unsigned count = source.value ? (unsigned)__builtin_clzll(source.value) - (64 - nr_bits) : nr_bits;
    stamp_t done = exec_src_done(insn, &source, t, insn->latency_cycles);
    exec_write_register(cpu, insn->dst, insn->size_bytes, count);
    set_zero_carry(cpu, count == 0, source.value == 0);
    exec_set_ready(cpu, insn->dst, done);
    exec_set_ready(cpu, READY_FLAGS, done);
    return exec_next(cpu, insn, t, done);
}

/* The source's size is in cond. */
EXEC_TWIN(crc32)
{
    t = exec_wait1(cpu, t, insn->dst);
    struct loaded source = insn->cond == 1   ? exec_read_src(cpu, insn, 1, &t, slow)
                           : insn->cond == 2 ? exec_read_src(cpu, insn, 2, &t, slow)
                           : insn->cond == 4 ? exec_read_src(cpu, insn, 4, &t, slow)
                                             : exec_read_src(cpu, insn, 8, &t, slow);
    if (UNLIKELY(!source.ready))
        return exec_miss(cpu, insn, t, slow);
    stamp_t done = exec_src_done(insn, &source, t, insn->latency_cycles);
    cpu->reg[insn->dst] = crc32c_update((uint32_t)cpu->reg[insn->dst], &source.value, insn->cond);
    exec_set_ready(cpu, insn->dst, done);
    return exec_next(cpu, insn, t, done);
}

ALWAYS_INLINE uint64_t swapped(uint64_t value, unsigned size_bytes)
{
    return __builtin_bswap64(value) >> (64 - size_bytes * 8);
}

EXEC_TWIN(movbe_load)
{
    t = exec_wait_merge(cpu, t, insn->dst, insn->size_bytes);
    struct loaded source = exec_read_src(cpu, insn, insn->size_bytes, &t, slow);
    if (UNLIKELY(!source.ready))
        return exec_miss(cpu, insn, t, slow);
    stamp_t done = exec_after(source.ready);
    exec_write_register(cpu, insn->dst, insn->size_bytes, swapped(source.value, insn->size_bytes));
    exec_set_ready(cpu, insn->dst, done);
    return exec_next(cpu, insn, t, done);
}

EXEC_TWIN(movbe_store)
{
    t = exec_wait3(cpu, t, insn->base, insn->index, insn->src);
    struct linear linear = exec_linear(cpu, insn, insn->size_bytes, true, slow);
    uint64_t value = swapped(exec_src(cpu, insn, insn->size_bytes), insn->size_bytes);
    if (UNLIKELY(!linear.is_good) || UNLIKELY(!exec_store(cpu, linear.v, insn->size_bytes, value, &t, slow)))
        return exec_miss(cpu, insn, t, slow);
    return exec_next(cpu, insn, t, exec_done(t, 1));
}
