/*
 * The vocabulary in which executors are written. Every executor file is compiled once for each model
 * (functional, in-order, watched); what a model does not need is an `if` on a constant here, and vanishes.
 *
 * An executor: waits for its operands (exec_wait), does its work once, says when its result can be used
 * (exec_done), and ends in `return exec_next(...)` or a transfer. Where an access fails it ends in `return
 * exec_fault(...)`, with no register or flag changed before.
 */
#ifndef LK_CPU_EXEC_H
#define LK_CPU_EXEC_H

#include "cpu/brief.h"

/*
 * The build sets EXEC_MODEL to one of these names' numbers, EXEC_SUFFIX to the name, and EXEC_TAIL_CALLS to 0
 * or 1.
 */
enum exec_model { EXEC_MODEL_FUNCTIONAL, EXEC_MODEL_INORDER, EXEC_MODEL_WATCHED };

enum {
    EXEC_IS_TIMED = EXEC_MODEL != EXEC_MODEL_FUNCTIONAL,
    EXEC_IS_WATCHED = EXEC_MODEL == EXEC_MODEL_WATCHED,
};

#define EXEC_PASTE2(name, suffix) exec_##name##_##suffix
#define EXEC_PASTE(name, suffix) EXEC_PASTE2(name, suffix)
#define EXEC_NAME(name) EXEC_PASTE(name, EXEC_SUFFIX)
#define EXEC(name) const struct insn *EXEC_NAME(name)(struct cpu * cpu, const struct insn *insn, stamp_t t)

/* Where every jump counts; elsewhere the compiler may choose, and compiles the executors in half the time. */
#if EXEC_TAIL_CALLS
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#else
#define ALWAYS_INLINE static inline
#endif

/* Whether accesses may go the short way: there, an observer is told of hits in short, or of none. */
ALWAYS_INLINE bool exec_has_short_ways(const struct cpu *cpu)
{
    return !EXEC_IS_WATCHED || !cpu->sees_all;
}

/* Defined in exec_block.c. */
EXEC(fault);  /* delivers cpu->fault for `insn` and goes on in the handler */
EXEC(resume); /* goes on at cpu->rip */
/* The instruction issued at t and is told of; then what exec_next does without. */
const struct insn *EXEC_NAME(next_watched)(struct cpu *cpu, const struct insn *insn, stamp_t t, stamp_t done);

ALWAYS_INLINE const struct insn *exec_go(struct cpu *cpu, const struct insn *next, stamp_t t)
{
    if (EXEC_TAIL_CALLS)
        return next->run(cpu, next, t);
    cpu->clock = t;
    return next;
}

ALWAYS_INLINE const struct insn *exec_fault(struct cpu *cpu, const struct insn *insn, stamp_t t)
{
    return EXEC_NAME(fault)(cpu, insn, t);
}

ALWAYS_INLINE const struct insn *exec_raise(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                            enum exception_vector vector)
{
    cpu_set_fault(cpu, vector);
    return exec_fault(cpu, insn, t);
}

ALWAYS_INLINE const struct insn *exec_raise_code(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                                 enum exception_vector vector, uint32_t error_code)
{
    cpu_set_fault_code(cpu, vector, error_code);
    return exec_fault(cpu, insn, t);
}

/* ---- Time ---- */

/* From one issue slot to the next; without time each instruction takes a cycle. */
ALWAYS_INLINE stamp_t exec_step(const struct cpu *cpu)
{
    return EXEC_IS_TIMED ? cpu->step : STAMP_CYCLE;
}

/* Waits until `ready`, and books what was lost to the reason that `ready` carries. */
ALWAYS_INLINE stamp_t exec_wait(struct cpu *cpu, stamp_t t, stamp_t ready)
{
    if (!EXEC_IS_TIMED)
        return t;
    stamp_t later = stamp_later(t, ready);
    if (stamp_reason(later) != REASON_BASE) {
        enum reason reason = stamp_reason(later);
        later = stamp_because(later, REASON_BASE);
        cpu->lost[reason] += later - t;
        if (EXEC_IS_WATCHED && later > t)
            cpu->lost_reasons |= 1u << reason;
    }
    return later;
}

/* Waits for one, two or three registers (or READY_FLAGS). */
ALWAYS_INLINE stamp_t exec_wait1(struct cpu *cpu, stamp_t t, unsigned a)
{
    return exec_wait(cpu, t, cpu->ready[a]);
}

ALWAYS_INLINE stamp_t exec_wait2(struct cpu *cpu, stamp_t t, unsigned a, unsigned b)
{
    return exec_wait(cpu, t, stamp_later(cpu->ready[a], cpu->ready[b]));
}

ALWAYS_INLINE stamp_t exec_wait3(struct cpu *cpu, stamp_t t, unsigned a, unsigned b, unsigned c)
{
    return exec_wait(cpu, t, stamp_later(stamp_later(cpu->ready[a], cpu->ready[b]), cpu->ready[c]));
}

/* For the registers of a memory operand. */
ALWAYS_INLINE stamp_t exec_wait_address(struct cpu *cpu, const struct insn *insn, stamp_t t)
{
    return exec_wait2(cpu, t, insn->base, insn->index);
}

/* For a register of which 8 or 16 bits are written: the result has what else was in it (docs/timing.md). */
ALWAYS_INLINE stamp_t exec_wait_merge(struct cpu *cpu, stamp_t t, unsigned reg, unsigned size_bytes)
{
    return size_bytes < 4 ? exec_wait1(cpu, t, reg) : t;
}

/* When a result that takes `cycles` from an issue at t can be used. */
ALWAYS_INLINE stamp_t exec_done(stamp_t t, cycle_t cycles)
{
    return EXEC_IS_TIMED ? stamp_floor(t) + (cycles << STAMP_CYCLE_SHIFT) : t;
}

ALWAYS_INLINE void exec_set_ready(struct cpu *cpu, unsigned which, stamp_t done)
{
    if (EXEC_IS_TIMED)
        cpu->ready[which] = done;
}

/* For a division: there is one divider, and it does one after the other. */
ALWAYS_INLINE stamp_t exec_wait_iterative(struct cpu *cpu, const struct insn *insn, stamp_t t)
{
    return UNLIKELY(insn->flags & INSN_ITERATES) ? exec_wait(cpu, t, cpu->iterative_free) : t;
}

ALWAYS_INLINE void exec_take_iterative(struct cpu *cpu, const struct insn *insn, stamp_t done)
{
    if (EXEC_IS_TIMED && UNLIKELY(insn->flags & INSN_ITERATES))
        cpu->iterative_free = done;
}

/* A result computed from something that is there at `ready` (a load), one cycle later. Keeps the reason. */
ALWAYS_INLINE stamp_t exec_after(stamp_t ready)
{
    return EXEC_IS_TIMED ? ready + STAMP_CYCLE : ready;
}

/* To whoever watches: the instruction is retired; `next` is from when on the next one can issue. */
ALWAYS_INLINE void exec_watch(struct cpu *cpu, const struct insn *insn, stamp_t issued, stamp_t done,
                              stamp_t next)
{
    if (!EXEC_IS_WATCHED)
        return;
    if (!cpu_tell_again(cpu, insn, issued, done))
        cpu_observe_insn(cpu, insn, issued, done, next);
}

/* The instruction issued at t and its result is there at `done`: on to the next record. */
ALWAYS_INLINE const struct insn *exec_next(struct cpu *cpu, const struct insn *insn, stamp_t t, stamp_t done)
{
    if (EXEC_IS_WATCHED)
        return EXEC_NAME(next_watched)(cpu, insn, t, done);
    return exec_go(cpu, insn + 1, t + exec_step(cpu));
}

/* The end of an instruction after which execution goes on at cpu->rip, which the executor has set. */
ALWAYS_INLINE const struct insn *exec_leave(struct cpu *cpu, const struct insn *insn, stamp_t t, stamp_t done)
{
    exec_watch(cpu, insn, t, done, t + exec_step(cpu));
    cpu->stats.instructions += insn->position + 1u;
    return EXEC_NAME(resume)(cpu, insn, t + exec_step(cpu));
}

/* rip of the instruction behind this one. */
ALWAYS_INLINE uint64_t exec_next_rip(const struct cpu *cpu, const struct insn *insn)
{
    return (cpu_insn_rip(cpu, insn) + insn->length_bytes) & cpu_rip_mask(cpu);
}

/* ---- Registers ---- */

ALWAYS_INLINE uint64_t exec_mask(unsigned size_bytes)
{
    return size_bytes == 8 ? UINT64_MAX : (1ull << size_bytes * 8) - 1;
}

ALWAYS_INLINE uint8_t *exec_byte_register(struct cpu *cpu, unsigned where)
{
    return (uint8_t *)cpu->reg + where;
}

/*
 * The zero-extended value of the destination or source register operand, of a size that is constant where it
 * matters.
 */
ALWAYS_INLINE uint64_t exec_dst(struct cpu *cpu, const struct insn *insn, unsigned size_bytes)
{
    return size_bytes == 1 ? *exec_byte_register(cpu, insn->dst_byte)
                           : cpu->reg[insn->dst] & exec_mask(size_bytes);
}

ALWAYS_INLINE uint64_t exec_src(struct cpu *cpu, const struct insn *insn, unsigned size_bytes)
{
    return size_bytes == 1 ? *exec_byte_register(cpu, insn->src_byte)
                           : cpu->reg[insn->src] & exec_mask(size_bytes);
}

/* Writes a general register: 32 bits zero the upper half, smaller sizes leave the rest (SDM 1 3.4.1.1). */
ALWAYS_INLINE void exec_write_register(struct cpu *cpu, unsigned reg, unsigned size_bytes, uint64_t value)
{
    if (size_bytes >= 4)
        cpu->reg[reg] = value & exec_mask(size_bytes);
    else
        cpu->reg[reg] = (cpu->reg[reg] & ~exec_mask(size_bytes)) | (value & exec_mask(size_bytes));
}

ALWAYS_INLINE void exec_set_dst(struct cpu *cpu, const struct insn *insn, unsigned size_bytes, uint64_t value)
{
    if (size_bytes == 1)
        *exec_byte_register(cpu, insn->dst_byte) = (uint8_t)value;
    else
        exec_write_register(cpu, insn->dst, size_bytes, value);
}

ALWAYS_INLINE void exec_set_src(struct cpu *cpu, const struct insn *insn, unsigned size_bytes, uint64_t value)
{
    if (size_bytes == 1)
        *exec_byte_register(cpu, insn->src_byte) = (uint8_t)value;
    else
        exec_write_register(cpu, insn->src, size_bytes, value);
}

ALWAYS_INLINE int64_t exec_sign_extend(uint64_t value, unsigned size_bytes)
{
    unsigned shift = 64 - size_bytes * 8;
    return (int64_t)(value << shift) >> shift;
}

/* ---- Flags: see cpu->flag_result ---- */

/* `result` of size_bytes, and the carries out of each bit of an addition (or borrows of a subtraction). */
ALWAYS_INLINE void exec_set_flags(struct cpu *cpu, uint64_t result, unsigned size_bytes, uint64_t carries)
{
    if (size_bytes == 8) /* the upper half counts for ZF and SF, and must not touch PF */
        cpu->flag_result = (result & 1ull << 63) | (uint32_t)result | (result >> 32 ? 0x100 : 0);
    else
        cpu->flag_result = (uint64_t)exec_sign_extend(result, size_bytes);
    cpu->flag_carry = carries;
}

/*
 * From the exclusive or of both operands and the result, taken 64 bits wide: bit i is the carry into bit i.
 */
ALWAYS_INLINE uint64_t exec_carries(uint64_t a, uint64_t b, uint64_t result, unsigned size_bytes)
{
    uint64_t in = a ^ b ^ result;
    unsigned shift = 32 - size_bytes * 8;
    return size_bytes == 4 ? in : (in << shift) | (in & 0x10);
}

/* The same for 64 bits, where the carry out of bit 63 must be said. */
ALWAYS_INLINE uint64_t exec_carries64(uint64_t a, uint64_t b, uint64_t result, bool carry_out)
{
    uint64_t in = a ^ b ^ result;
    return (uint64_t)carry_out << 32 | (in >> 63) << 31 | (in & 0x10);
}

/* Carries that say just this much. */
ALWAYS_INLINE uint64_t exec_carry_overflow(bool carry, bool overflow)
{
    return (uint64_t)carry << 32 | (uint64_t)(carry ^ overflow) << 31;
}

ALWAYS_INLINE bool exec_cf(const struct cpu *cpu)
{
    return cpu->flag_carry >> 32 & 1;
}

ALWAYS_INLINE bool exec_zf(const struct cpu *cpu)
{
    return (uint32_t)cpu->flag_result == 0;
}

/* Whether condition `cond` (the manual's tttn, SDM 1 B.1) holds. */
ALWAYS_INLINE bool exec_condition(const struct cpu *cpu, unsigned cond)
{
    uint64_t result = cpu->flag_result, carry = cpu->flag_carry;
    bool holds = false;
    switch (cond >> 1) {
    case 0:
        holds = ((carry >> 32) ^ (carry >> 31)) & 1;
        break;
    case 1:
        holds = carry >> 32 & 1;
        break;
    case 2:
        holds = (uint32_t)result == 0;
        break;
    case 3:
        holds = (carry >> 32 & 1) | ((uint32_t)result == 0);
        break;
    case 4:
        holds = result >> 63;
        break;
    case 5:
        holds = !__builtin_parity((unsigned)(result ^ result >> 40) & 0xff);
        break;
    case 6:
        holds = ((result >> 63) ^ (carry >> 32) ^ (carry >> 31)) & 1;
        break;
    case 7:
        holds = (((result >> 63) ^ (carry >> 32) ^ (carry >> 31)) & 1) | ((uint32_t)result == 0);
        break;
    }
    return holds ^ (cond & 1);
}

/* ---- Memory ---- */

/*
 * An executor that touches memory is compiled twice from one body. The fast one holds compares and host loads
 * and stores, but no call, so that it needs no stack frame; where anything is out of the ordinary it jumps to
 * its slow twin, which does the same by way of memory.c. `slow` is the twin in the fast one, and NULL in the
 * twin; what can miss or fail says so, and the body then ends in `return exec_miss(cpu, insn, t, slow)`.
 * Until then the body must not have changed any state but by exec_wait.
 */
/* Whose accesses memory.c is about to make. */
ALWAYS_INLINE void exec_note_ip(struct cpu *cpu, const struct insn *insn)
{
    if (EXEC_IS_TIMED)
        cpu->memory_ip = cpu->reg[REG_CODE] + insn->offset;
}

#define EXEC_TWIN(name)                                                                                      \
    ALWAYS_INLINE const struct insn *name##_body(struct cpu *cpu, const struct insn *insn, stamp_t t,        \
                                                 exec_fn *slow);                                             \
    static __attribute__((noinline, cold))                                                                   \
    const struct insn *name##_slow(struct cpu *cpu, const struct insn *insn, stamp_t t)                      \
    {                                                                                                        \
        exec_note_ip(cpu, insn);                                                                             \
        return name##_body(cpu, insn, t, NULL);                                                              \
    }                                                                                                        \
    EXEC(name)                                                                                               \
    {                                                                                                        \
        if (!exec_has_short_ways(cpu))                                                                       \
            return name##_slow(cpu, insn, t);                                                                \
        if (EXEC_IS_WATCHED)                                                                                 \
            exec_note_ip(cpu, insn);                                                                         \
        return name##_body(cpu, insn, t, name##_slow);                                                       \
    }                                                                                                        \
    ALWAYS_INLINE const struct insn *name##_body(struct cpu *cpu, const struct insn *insn, stamp_t t,        \
                                                 exec_fn *slow)

/*
 * An address or access was not good: in the fast executor, try the slow one; there, cpu->fault says what is
 * wrong.
 */
ALWAYS_INLINE const struct insn *exec_miss(struct cpu *cpu, const struct insn *insn, stamp_t t, exec_fn *slow)
{
    return slow ? slow(cpu, insn, t) : exec_fault(cpu, insn, t);
}

/* Base, index and displacement, not cut to any size. */
ALWAYS_INLINE uint64_t exec_address(const struct cpu *cpu, const struct insn *insn)
{
    return cpu->reg[insn->base] + (cpu->reg[insn->index] << insn->scale) + (uint64_t)(int64_t)insn->disp;
}

/*
 * An address that needs nothing from its segment. What is not canonical is never found by the fast way, and
 * the slow one looks.
 */
ALWAYS_INLINE struct linear exec_linear_flat(struct cpu *cpu, unsigned seg, uint64_t address,
                                             unsigned size_bytes, exec_fn *slow)
{
    if (!slow)
        return cpu_linear_flat(cpu, seg, address & cpu->linear_mask, size_bytes);
    return (struct linear){address & cpu->linear_mask, true};
}

/* The linear address of the memory operand. */
ALWAYS_INLINE struct linear exec_linear(struct cpu *cpu, const struct insn *insn, unsigned size_bytes,
                                        bool is_write, exec_fn *slow)
{
    if (!slow)
        exec_note_ip(cpu, insn);
    if (UNLIKELY(insn->flags & INSN_SLOW_ADDRESS)) {
        if (slow)
            return (struct linear){0, false};
        return cpu_linear(cpu, insn->seg, cpu_effective_address(cpu, insn), size_bytes, is_write);
    }
    return exec_linear_flat(cpu, insn->seg, exec_address(cpu, insn), size_bytes, slow);
}

/*
 * The linear address of a push, pop or string element: `offset` in a segment that is flat unless the record
 * says not.
 */
ALWAYS_INLINE struct linear exec_linear_at(struct cpu *cpu, const struct insn *insn, unsigned seg,
                                           uint64_t offset, unsigned size_bytes, bool is_write, exec_fn *slow)
{
    if (!slow)
        exec_note_ip(cpu, insn);
    if (UNLIKELY(insn->flags & INSN_SLOW_ADDRESS)) {
        if (slow)
            return (struct linear){0, false};
        return cpu_linear(cpu, seg, offset, size_bytes, is_write);
    }
    return exec_linear_flat(cpu, seg, offset, size_bytes, slow);
}

/* An access of a data port: so many can begin in a cycle. */
ALWAYS_INLINE stamp_t exec_port(struct cpu *cpu, stamp_t t)
{
    if (!EXEC_IS_TIMED)
        return t;
    t = stamp_later(t, cpu->port_free[cpu->port_index]);
    cpu->port_free[cpu->port_index] = stamp_floor(t) + STAMP_CYCLE;
    cpu->port_index = (cpu->port_index + 1) & cpu->port_mask;
    return t;
}

ALWAYS_INLINE uint64_t exec_host_read(const uint8_t *host, unsigned size_bytes)
{
    uint64_t value = 0;
    switch (size_bytes) { /* a copy of constant size is one load */
    case 1:
        __builtin_memcpy(&value, host, 1);
        break;
    case 2:
        __builtin_memcpy(&value, host, 2);
        break;
    case 4:
        __builtin_memcpy(&value, host, 4);
        break;
    default:
        __builtin_memcpy(&value, host, 8);
        break;
    }
    return value;
}

ALWAYS_INLINE void exec_host_write(uint8_t *host, unsigned size_bytes, uint64_t value)
{
    switch (size_bytes) {
    case 1:
        __builtin_memcpy(host, &value, 1);
        break;
    case 2:
        __builtin_memcpy(host, &value, 2);
        break;
    case 4:
        __builtin_memcpy(host, &value, 4);
        break;
    default:
        __builtin_memcpy(host, &value, 8);
        break;
    }
}

enum { EXEC_READ_WRITE = 4 };

/* Where an access that needs no slow path goes. */
struct exec_place {
    uint8_t *host; /* NULL: it needs one */
    struct tlb_entry *entry;
};

/* Whether the entry that a shortcut leads to is what it was; without TLBs all lead to the same one. */
ALWAYS_INLINE bool exec_is_good(const struct cpu *cpu, const struct front *front)
{
    return front->id == (EXEC_IS_TIMED ? front->entry->id : cpu->mmu.untimed.id);
}

/* Finds it; all this does is compare. `kind` is FRONT_READ, FRONT_WRITE or EXEC_READ_WRITE. */
ALWAYS_INLINE struct exec_place exec_find(struct cpu *cpu, uint64_t linear, unsigned size_bytes,
                                          unsigned kind)
{
    const struct exec_place nowhere = {NULL, NULL};
    uint64_t page = linear >> PAGE_SHIFT;
    const struct front *front = &cpu->data_front[front_index(page, DATA_FRONT_ENTRIES)];
    if (UNLIKELY(front->tag[cpu->front_kind + (kind == FRONT_READ ? FRONT_READ : FRONT_WRITE)] != page ||
                 !exec_is_good(cpu, front)))
        return nowhere;
    if (!EXEC_IS_TIMED && UNLIKELY((linear & PAGE_MASK) > PAGE_BYTES - size_bytes))
        return nowhere;
    if (EXEC_IS_TIMED) {
        uint64_t line = (front->frame.v + (linear & PAGE_MASK)) >> cpu->l1d_line_shift;
        uint64_t set = line & cpu->l1d_set_mask;
        if (UNLIKELY(kind != FRONT_WRITE && cpu->l1d_read_line[set] != line))
            return nowhere;
        if (UNLIKELY(kind != FRONT_READ && cpu->l1d_write_line[set] != line))
            return nowhere;
        if (size_bytes > 1 && UNLIKELY((linear & cpu->line_mask) + size_bytes - 1 > cpu->line_mask))
            return nowhere;
    }
    uint8_t *host = front->host + (linear & PAGE_MASK);
    if (!host) /* the compiler cannot know, and would look again */
        __builtin_unreachable();
    return (struct exec_place){host, front->entry};
}

/* The access is made: its TLB entry is used, and the access counted. */
ALWAYS_INLINE void exec_use(struct cpu *cpu, const struct exec_place *place)
{
    if (EXEC_IS_TIMED)
        place->entry->last_use = ++*cpu->data_clock;
    else
        ++cpu->untimed_clocks[0];
}

/* The access was made in slot t: to whoever wants to hear of hits in short. */
ALWAYS_INLINE void exec_tell(struct cpu *cpu, const struct exec_place *place, uint64_t linear,
                             unsigned size_bytes, enum cpu_hit_kind kind, stamp_t t)
{
    if (EXEC_IS_WATCHED && cpu->room)
        cpu_tell_hit(cpu, linear, place->host, size_bytes, kind, t);
}

/*
 * Whether a load at t may meet bytes that a store in the buffer writes, and then must go the long way. A
 * store that leaves the buffer by the cycle behind the load's issue is never met (docs/timing.md, 6).
 */
ALWAYS_INLINE bool exec_meets_store(const struct cpu *cpu, const uint8_t *host, unsigned size_bytes,
                                    stamp_t t)
{
    if (!EXEC_IS_TIMED)
        return false;
    if (LIKELY(t >= cpu->store_met))
        return false;
    stamp_t in_time = stamp_floor(stamp_later(t, cpu->port_free[cpu->port_index])) + STAMP_CYCLE;
    stamp_t seen = stamp_later(cpu->store_seen[store_seen_index(host)],
                               cpu->store_seen[store_seen_index(host + size_bytes - 1)]);
    if (size_bytes > 8)
        seen = stamp_later(seen, cpu->store_seen[store_seen_index(host + 8)]);
    return seen > in_time;
}

/* A load from there at *t, which may move. */
ALWAYS_INLINE struct loaded exec_load_found(struct cpu *cpu, const struct exec_place *place, uint64_t linear,
                                            unsigned size_bytes, stamp_t *t)
{
    *t = exec_port(cpu, *t);
    exec_use(cpu, place);
    exec_tell(cpu, place, linear, size_bytes, CPU_HIT_LOAD, *t);
    stamp_t ready = EXEC_IS_TIMED ? stamp_floor(*t) + cpu->load_hit : *t;
    if (!ready) /* no run begins at stamp 0 (cpu_create), and a hit takes a cycle at least */
        __builtin_unreachable();
    return (struct loaded){exec_host_read(place->host, size_bytes), ready};
}

/*
 * A load at *t, which may move. `ready` is 0 when it missed or faulted. The caller has waited for the
 * address.
 */
ALWAYS_INLINE struct loaded exec_load(struct cpu *cpu, uint64_t linear, unsigned size_bytes, stamp_t *t,
                                      exec_fn *slow)
{
    if (!slow) {
        struct loaded loaded = cpu_load_slow(cpu, linear, size_bytes, exec_port(cpu, *t));
        *t = cpu->slow_issue;
        return loaded;
    }
    struct exec_place place = exec_find(cpu, linear, size_bytes, FRONT_READ);
    if (UNLIKELY(!place.host || exec_meets_store(cpu, place.host, size_bytes, *t)))
        return (struct loaded){0, 0};
    return exec_load_found(cpu, &place, linear, size_bytes, t);
}

/* The same, of a size that is not known when this is compiled. */
ALWAYS_INLINE struct loaded exec_load_sized(struct cpu *cpu, uint64_t linear, unsigned size_bytes, stamp_t *t,
                                            exec_fn *slow)
{
    if (LIKELY(size_bytes == 4))
        return exec_load(cpu, linear, 4, t, slow);
    if (LIKELY(size_bytes == 8))
        return exec_load(cpu, linear, 8, t, slow);
    return exec_load(cpu, linear, 2, t, slow);
}

/* Waits for a place in the store buffer. */
ALWAYS_INLINE stamp_t exec_store_slot(struct cpu *cpu, stamp_t t)
{
    return EXEC_IS_TIMED ? exec_wait(cpu, t, cpu->store_buffer[cpu->store_index]) : t;
}

/* What a store that will be in the buffer for a while writes, for loads that come meanwhile. */
ALWAYS_INLINE void exec_note_store(struct cpu *cpu, const uint8_t *host, unsigned size_bytes, stamp_t data)
{
    struct buffered_store *buffered = &cpu->buffered[cpu->store_index];
    buffered->host[0] = host;
    buffered->size_bytes[0] = size_bytes;
    buffered->size_bytes[1] = 0;
    buffered->data = data;
    cpu->store_met = stamp_floor(cpu->store_drained) - STAMP_CYCLE;
    cpu->store_seen[store_seen_index(host)] = cpu->store_drained;
    cpu->store_seen[store_seen_index(host + size_bytes - 1)] = cpu->store_drained;
    if (size_bytes > 8)
        cpu->store_seen[store_seen_index(host + 8)] = cpu->store_drained;
}

/*
 * A store that hits and issued at t, whose data are there at `data`, drains one cycle after that, and one
 * cycle after the store before it.
 */
ALWAYS_INLINE void exec_store_hit(struct cpu *cpu, const uint8_t *host, unsigned size_bytes, stamp_t t,
                                  stamp_t data)
{
    cpu->fast_stores++;
    if (!EXEC_IS_TIMED)
        return;
    stamp_t start = stamp_floor(data);
    if (LIKELY(cpu->store_drained <= start && start == stamp_floor(t))) {
        cpu->store_drained = start + STAMP_CYCLE;
    } else {
        cpu->store_drained = stamp_later(start, cpu->store_drained) + STAMP_CYCLE;
        exec_note_store(cpu, host, size_bytes, data);
    }
    cpu->store_buffer[cpu->store_index] = cpu->store_drained;
    cpu->store_index = cpu->store_index + 1 == cpu->store_entries ? 0 : cpu->store_index + 1;
}

/* A store there at *t, which may move. */
ALWAYS_INLINE void exec_store_found(struct cpu *cpu, const struct exec_place *place, uint64_t linear,
                                    unsigned size_bytes, uint64_t value, stamp_t *t)
{
    *t = exec_store_slot(cpu, exec_port(cpu, *t));
    exec_use(cpu, place);
    exec_tell(cpu, place, linear, size_bytes, CPU_HIT_STORE, *t);
    exec_host_write(place->host, size_bytes, value);
    exec_store_hit(cpu, place->host, size_bytes, *t, *t);
}

/* A store at *t, which may move. False: it missed or faulted. The caller has waited for address and data. */
ALWAYS_INLINE bool exec_store(struct cpu *cpu, uint64_t linear, unsigned size_bytes, uint64_t value,
                              stamp_t *t, exec_fn *slow)
{
    if (!slow) {
        bool is_good =
            cpu_store_slow(cpu, linear, size_bytes, value, exec_store_slot(cpu, exec_port(cpu, *t)));
        *t = cpu->slow_issue;
        return is_good;
    }
    struct exec_place place = exec_find(cpu, linear, size_bytes, FRONT_WRITE);
    if (UNLIKELY(!place.host))
        return false;
    exec_store_found(cpu, &place, linear, size_bytes, value, t);
    return true;
}

/* A read-modify-write: the load, and what its store needs to know. */
struct exec_rmw {
    uint64_t value;
    stamp_t ready; /* 0: it missed or faulted */
    struct exec_place place;
};

ALWAYS_INLINE struct exec_rmw exec_rmw_load(struct cpu *cpu, uint64_t linear, unsigned size_bytes, stamp_t *t,
                                            exec_fn *slow)
{
    if (!slow) {
        *t = exec_store_slot(cpu, exec_port(cpu, *t));
        struct loaded loaded = cpu_load_for_write_slow(cpu, linear, size_bytes, *t);
        *t = cpu->slow_issue;
        return (struct exec_rmw){loaded.value, loaded.ready, {NULL, NULL}};
    }
    struct exec_place place = exec_find(cpu, linear, size_bytes, EXEC_READ_WRITE);
    if (UNLIKELY(!place.host || exec_meets_store(cpu, place.host, size_bytes, *t)))
        return (struct exec_rmw){0, 0, {NULL, NULL}};
    *t = exec_store_slot(cpu, exec_port(cpu, *t));
    exec_use(cpu, &place);
    exec_tell(cpu, &place, linear, size_bytes, CPU_HIT_LOAD_FOR_WRITE, *t);
    stamp_t ready = EXEC_IS_TIMED ? stamp_floor(*t) + cpu->load_hit : *t;
    return (struct exec_rmw){exec_host_read(place.host, size_bytes), ready, place};
}

/*
 * The store of a read-modify-write that issued at t and has its data at `done`; it cannot fault where the
 * load did not.
 */
ALWAYS_INLINE void exec_rmw_store(struct cpu *cpu, const struct exec_rmw *rmw, uint64_t linear,
                                  unsigned size_bytes, uint64_t value, stamp_t t, stamp_t done, exec_fn *slow)
{
    if (slow) {
        exec_host_write(rmw->place.host, size_bytes, value);
        exec_use(cpu, &rmw->place);
        exec_tell(cpu, &rmw->place, linear, size_bytes, CPU_HIT_STORE, t);
        exec_store_hit(cpu, rmw->place.host, size_bytes, t, done);
    } else {
        cpu_store_after_load_slow(cpu, linear, size_bytes, value, t, done);
    }
}

/* ---- Operands that are a register or memory, told apart when they run ---- */

struct exec_operand {
    uint64_t value;
    stamp_t ready; /* when the value is there; 0: it missed or faulted */
    uint64_t linear;
    struct exec_rmw rmw;
};

/* Reads the operand that may be memory (else: dst). Waits for its registers; *t may move. */
ALWAYS_INLINE struct exec_operand exec_read_dst(struct cpu *cpu, const struct insn *insn, unsigned size_bytes,
                                                bool will_write, stamp_t *t, exec_fn *slow)
{
    struct exec_operand operand = {0};
    if (!(insn->flags & INSN_MEMORY)) {
        *t = exec_wait1(cpu, *t, insn->dst);
        operand.value = exec_dst(cpu, insn, size_bytes);
        operand.ready = *t;
        return operand;
    }
    *t = exec_wait_address(cpu, insn, *t);
    struct linear linear = exec_linear(cpu, insn, size_bytes, will_write, slow);
    if (!linear.is_good)
        return operand;
    operand.linear = linear.v;
    if (will_write) {
        operand.rmw = exec_rmw_load(cpu, linear.v, size_bytes, t, slow);
        operand.value = operand.rmw.value;
        operand.ready = operand.rmw.ready;
    } else {
        struct loaded loaded = exec_load(cpu, linear.v, size_bytes, t, slow);
        operand.value = loaded.value;
        operand.ready = loaded.ready;
    }
    return operand;
}

/* When a result computed in `cycles` from that operand is there. */
ALWAYS_INLINE stamp_t exec_operand_done(const struct insn *insn, const struct exec_operand *operand,
                                        stamp_t t, cycle_t cycles)
{
    if (!EXEC_IS_TIMED)
        return t;
    return insn->flags & INSN_MEMORY ? operand->ready + (cycles << STAMP_CYCLE_SHIFT) : exec_done(t, cycles);
}

/* Writes it back. `done` is when the value is there. */
ALWAYS_INLINE void exec_write_dst(struct cpu *cpu, const struct insn *insn,
                                  const struct exec_operand *operand, unsigned size_bytes, uint64_t value,
                                  stamp_t t, stamp_t done, exec_fn *slow)
{
    if (insn->flags & INSN_MEMORY) {
        exec_rmw_store(cpu, &operand->rmw, operand->linear, size_bytes, value, t, done, slow);
    } else {
        exec_set_dst(cpu, insn, size_bytes, value);
        exec_set_ready(cpu, insn->dst, done);
    }
}

/* Reads the source operand that may be memory (else: src). `ready` is 0 when it missed or faulted. */
ALWAYS_INLINE struct loaded exec_read_src(struct cpu *cpu, const struct insn *insn, unsigned size_bytes,
                                          stamp_t *t, exec_fn *slow)
{
    if (!(insn->flags & INSN_MEMORY)) {
        *t = exec_wait1(cpu, *t, insn->src);
        return (struct loaded){exec_src(cpu, insn, size_bytes), *t};
    }
    *t = exec_wait_address(cpu, insn, *t);
    struct linear linear = exec_linear(cpu, insn, size_bytes, false, slow);
    if (!linear.is_good)
        return (struct loaded){0, 0};
    return exec_load(cpu, linear.v, size_bytes, t, slow);
}

/* The same for what comes of such a load: when a result computed in `cycles` is there. */
ALWAYS_INLINE stamp_t exec_src_done(const struct insn *insn, const struct loaded *loaded, stamp_t t,
                                    cycle_t cycles)
{
    if (!EXEC_IS_TIMED)
        return t;
    return insn->flags & INSN_MEMORY ? loaded->ready + (cycles << STAMP_CYCLE_SHIFT) : exec_done(t, cycles);
}

#endif
