/*
 * String instructions (SDM 2: MOVS, STOS, LODS, CMPS, SCAS, INS, OUTS, REP).
 *
 * A repeated one is a loop here, but may be left between any two of its iterations: registers are up to date
 * whenever it faults, pauses because the deadline has come, or goes from the fast executor to its slow twin,
 * and each of these starts again from the registers. The fast one runs through a line (without time: a page)
 * once its first element has hit; the slow one does a single iteration and then goes back.
 */
#include <string.h>

#include "cpu/exec_arith.h"

enum string_op { STRING_MOVS, STRING_STOS, STRING_LODS, STRING_CMPS, STRING_SCAS };

ALWAYS_INLINE bool reads_source(enum string_op op)
{
    return op == STRING_MOVS || op == STRING_LODS || op == STRING_CMPS;
}

ALWAYS_INLINE bool has_destination(enum string_op op)
{
    return op != STRING_LODS;
}

ALWAYS_INLINE bool compares(enum string_op op)
{
    return op == STRING_CMPS || op == STRING_SCAS;
}

ALWAYS_INLINE stamp_t wait_string(struct cpu *cpu, const struct insn *insn, stamp_t t, enum string_op op,
                                  unsigned size_bytes)
{
    if (insn->rep != DEC_REP_NONE)
        t = exec_wait1(cpu, t, CPU_CX);
    if (reads_source(op))
        t = exec_wait1(cpu, t, CPU_SI);
    if (has_destination(op))
        t = exec_wait1(cpu, t, CPU_DI);
    if (op == STRING_STOS || op == STRING_SCAS)
        t = exec_wait1(cpu, t, CPU_AX);
    return op == STRING_LODS ? exec_wait_merge(cpu, t, CPU_AX, size_bytes) : t;
}

ALWAYS_INLINE uint64_t string_register(const struct cpu *cpu, const struct insn *insn, unsigned reg)
{
    return cpu->reg[reg] & exec_mask(insn->address_bytes);
}

/* nr elements are done. */
ALWAYS_INLINE void string_advance(struct cpu *cpu, const struct insn *insn, enum string_op op,
                                  unsigned size_bytes, uint64_t nr)
{
    uint64_t distance = cpu->eflags & EFLAGS_DF ? 0 - nr * size_bytes : nr * size_bytes;
    if (reads_source(op))
        exec_write_register(cpu, CPU_SI, insn->address_bytes, cpu->reg[CPU_SI] + distance);
    if (has_destination(op))
        exec_write_register(cpu, CPU_DI, insn->address_bytes, cpu->reg[CPU_DI] + distance);
    if (insn->rep != DEC_REP_NONE)
        exec_write_register(cpu, CPU_CX, insn->address_bytes, cpu->reg[CPU_CX] - nr);
}

/* Whether these two end a REPE or REPNE. */
ALWAYS_INLINE bool string_ends(const struct insn *insn, uint64_t a, uint64_t b)
{
    return (insn->rep == DEC_REP_F3) != (a == b);
}

ALWAYS_INLINE const struct insn *string_done(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                             enum string_op op, stamp_t done)
{
    stamp_t counted = exec_done(t, 1);
    if (insn->rep != DEC_REP_NONE)
        exec_set_ready(cpu, CPU_CX, counted);
    if (reads_source(op))
        exec_set_ready(cpu, CPU_SI, counted);
    if (has_destination(op))
        exec_set_ready(cpu, CPU_DI, counted);
    return exec_next(cpu, insn, t, done);
}

/*
 * Between two iterations; t is the next one's slot. The instruction has not retired, and is found again at
 * its rip.
 */
ALWAYS_INLINE const struct insn *string_pause(struct cpu *cpu, const struct insn *insn, stamp_t t)
{
    cpu->rip = cpu_insn_rip(cpu, insn);
    cpu->is_mid_block = cpu->is_mid_insn = true;
    cpu->stats.instructions += insn->position;
    return EXEC_NAME(resume)(cpu, insn, t);
}

/* A store whose data a load brings follows as closely behind it as if it had hit, once the data is there. */
ALWAYS_INLINE stamp_t wait_data(struct cpu *cpu, stamp_t t, stamp_t ready)
{
    stamp_t hit = stamp_floor(cpu->load_hit);
    return EXEC_IS_TIMED && ready > hit ? exec_wait(cpu, t, ready - hit) : t;
}

/* One iteration with all checks. */
ALWAYS_INLINE const struct insn *string_slow(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                             enum string_op op, unsigned size_bytes)
{
    bool is_repeated = insn->rep != DEC_REP_NONE;
    uint64_t a = cpu->reg[CPU_AX] & exec_mask(size_bytes), b = 0;
    stamp_t ready = 0;
    if (reads_source(op)) {
        uint64_t offset = string_register(cpu, insn, CPU_SI);
        struct linear linear = exec_linear_at(cpu, insn, insn->seg, offset, size_bytes, false, NULL);
        if (!linear.is_good)
            return exec_fault(cpu, insn, t);
        struct loaded loaded = exec_load(cpu, linear.v, size_bytes, &t, NULL);
        if (!loaded.ready)
            return exec_fault(cpu, insn, t);
        a = loaded.value;
        ready = loaded.ready;
    }
    if (has_destination(op)) {
        if (op == STRING_MOVS) /* the address is checked in its turn, too */
            t = wait_data(cpu, t, ready);
        uint64_t offset = string_register(cpu, insn, CPU_DI);
        struct linear linear = exec_linear_at(cpu, insn, DEC_SEG_ES, offset, size_bytes, !compares(op), NULL);
        if (!linear.is_good)
            return exec_fault(cpu, insn, t);
        if (compares(op)) {
            struct loaded loaded = exec_load(cpu, linear.v, size_bytes, &t, NULL);
            if (!loaded.ready)
                return exec_fault(cpu, insn, t);
            b = loaded.value;
            ready = stamp_later(ready, loaded.ready);
        } else {
            if (!exec_store(cpu, linear.v, size_bytes, a, &t, NULL))
                return exec_fault(cpu, insn, t);
        }
    }

    stamp_t done = exec_done(t, 1);
    bool is_over = !is_repeated;
    string_advance(cpu, insn, op, size_bytes, 1);
    if (is_repeated)
        is_over = string_register(cpu, insn, CPU_CX) == 0;
    if (op == STRING_LODS) {
        exec_write_register(cpu, CPU_AX, size_bytes, a);
        done = ready;
        exec_set_ready(cpu, CPU_AX, done);
    }
    if (compares(op)) {
        if (is_repeated)
            t = exec_wait(cpu, t, ready);
        done = is_repeated ? exec_done(t, 1) : exec_after(ready);
        exec_compare(cpu, size_bytes, a, b);
        exec_set_ready(cpu, READY_FLAGS, done);
        is_over |= is_repeated && string_ends(insn, a, b);
    }
    if (is_over)
        return string_done(cpu, insn, t, op, done);
    t += exec_step(cpu);
    if (t >= cpu->deadline)
        return string_pause(cpu, insn, t);
    return exec_go(cpu, insn, t);
}

/* How many elements from here on are in one line (without time: in one page), in the direction of DF. */
ALWAYS_INLINE uint64_t string_room(const struct cpu *cpu, uint64_t linear, unsigned size_bytes)
{
    uint64_t mask = EXEC_IS_TIMED ? cpu->line_mask : PAGE_MASK, at = linear & mask;
    return cpu->eflags & EFLAGS_DF ? at / size_bytes + 1 : (mask + 1 - at) / size_bytes;
}

ALWAYS_INLINE uint64_t lower_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* How many iterations begin before the deadline; at least one. */
ALWAYS_INLINE uint64_t iterations_left(const struct cpu *cpu, stamp_t t)
{
    return t >= cpu->deadline ? 1 : (cpu->deadline - t - 1) / exec_step(cpu) + 1;
}

/*
 * Upwards, element by element as far as one can tell: a destination not far above its source is a repeated
 * pattern.
 */
static __attribute__((noinline)) void copy_up(uint8_t *to, const uint8_t *from, uint64_t nr,
                                              unsigned size_bytes)
{
    if (to <= from || to >= from + nr * size_bytes) {
        memmove(to, from, nr * size_bytes);
        return;
    }
    for (; nr; nr--, to += size_bytes, from += size_bytes)
        exec_host_write(to, size_bytes, exec_host_read(from, size_bytes));
}

static __attribute__((noinline)) void fill_up(uint8_t *to, uint64_t value, uint64_t nr, unsigned size_bytes)
{
    uint64_t pattern = value & exec_mask(size_bytes), left = nr * size_bytes;
    for (unsigned bytes = size_bytes; bytes < 8; bytes *= 2)
        pattern |= pattern << bytes * 8;
    for (; left >= 8; left -= 8, to += 8)
        memcpy(to, &pattern, 8);
    memcpy(to, &pattern, left);
}

/* Whether an iteration at t loads what a store in the buffer writes. */
ALWAYS_INLINE bool string_meets_store(const struct cpu *cpu, enum string_op op, unsigned size_bytes,
                                      const struct exec_place *from, const struct exec_place *to, stamp_t t)
{
    return (reads_source(op) && exec_meets_store(cpu, from->host, size_bytes, t)) ||
           (compares(op) && exec_meets_store(cpu, to->host, size_bytes, t));
}

/*
 * Elements that hit, with no call. The first has been found to; the rest of its line or page then does as
 * well.
 */
ALWAYS_INLINE const struct insn *string_fast(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                             enum string_op op, unsigned size_bytes, exec_fn *slow)
{
    bool is_repeated = insn->rep != DEC_REP_NONE, is_down = cpu->eflags & EFLAGS_DF;
    uint64_t mask = cpu->linear_mask;
    if (UNLIKELY(insn->flags & INSN_SLOW_ADDRESS))
        return exec_miss(cpu, insn, t, slow);
    for (;;) {
        uint64_t source = cpu->reg[CPU_SI] & mask, destination = cpu->reg[CPU_DI] & mask;
        uint64_t room = is_repeated ? cpu->reg[CPU_CX] & mask : 1, left = room;
        struct exec_place from = {NULL, NULL}, to = {NULL, NULL};
        if (reads_source(op)) {
            from = exec_find(cpu, source, size_bytes, FRONT_READ);
            if (UNLIKELY(!from.host))
                return exec_miss(cpu, insn, t, slow);
            room = is_repeated ? lower_of(room, string_room(cpu, source, size_bytes)) : 1;
        }
        if (has_destination(op)) {
            to = exec_find(cpu, destination, size_bytes, compares(op) ? FRONT_READ : FRONT_WRITE);
            if (UNLIKELY(!to.host))
                return exec_miss(cpu, insn, t, slow);
            room = is_repeated ? lower_of(room, string_room(cpu, destination, size_bytes)) : 1;
        }
        if (UNLIKELY(string_meets_store(cpu, op, size_bytes, &from, &to, t)))
            return exec_miss(cpu, insn, t, slow);

        uint64_t a = cpu->reg[CPU_AX] & exec_mask(size_bytes), b = 0, nr = 0, distance = 0;
        stamp_t done = exec_done(t, 1);
        bool is_over = false;
        if (!EXEC_IS_TIMED && is_repeated && !is_down && (op == STRING_MOVS || op == STRING_STOS)) {
            nr = lower_of(room, iterations_left(cpu, t));
            if (op == STRING_MOVS)
                copy_up(to.host, from.host, nr, size_bytes);
            else
                fill_up(to.host, a, nr, size_bytes);
            *cpu->data_clock += op == STRING_MOVS ? 2 * nr : nr;
            cpu->fast_stores += nr;
            t += (nr - 1) * exec_step(cpu);
        } else {
            for (;;) {
                stamp_t ready = t;
                if (reads_source(op)) {
                    t = exec_port(cpu, t);
                    ready = EXEC_IS_TIMED ? stamp_floor(t) + cpu->load_hit : t;
                    exec_use(cpu, &from);
                    exec_tell(cpu, &from, (source + distance) & mask, size_bytes, CPU_HIT_LOAD, t);
                    a = exec_host_read(from.host, size_bytes);
                }
                if (has_destination(op) && compares(op)) {
                    t = exec_port(cpu, t);
                    ready = EXEC_IS_TIMED ? stamp_floor(t) + cpu->load_hit : t;
                    exec_use(cpu, &to);
                    exec_tell(cpu, &to, (destination + distance) & mask, size_bytes, CPU_HIT_LOAD, t);
                    b = exec_host_read(to.host, size_bytes);
                } else if (has_destination(op)) {
                    t = exec_store_slot(cpu, exec_port(cpu, t));
                    exec_use(cpu, &to);
                    exec_tell(cpu, &to, (destination + distance) & mask, size_bytes, CPU_HIT_STORE, t);
                    exec_host_write(to.host, size_bytes, a);
                    exec_store_hit(cpu, to.host, size_bytes, t, t);
                }
                done = op == STRING_LODS ? ready : exec_done(t, 1);
                if (compares(op)) {
                    if (is_repeated)
                        t = exec_wait(cpu, t, ready);
                    done = is_repeated ? exec_done(t, 1) : exec_after(ready);
                    is_over = string_ends(insn, a, b);
                }
                nr++;
                distance += is_down ? 0 - (uint64_t)size_bytes : size_bytes;
                if (nr == room || is_over || t + exec_step(cpu) >= cpu->deadline)
                    break;
                if (reads_source(op))
                    from.host += is_down ? -(int)size_bytes : (int)size_bytes;
                if (has_destination(op))
                    to.host += is_down ? -(int)size_bytes : (int)size_bytes;
                if (UNLIKELY(string_meets_store(cpu, op, size_bytes, &from, &to, t + exec_step(cpu))))
                    break;
                t += exec_step(cpu);
                if (op == STRING_LODS && size_bytes < 4) /* rAX keeps the rest */
                    t = exec_wait(cpu, t, done);
            }
        }

        string_advance(cpu, insn, op, size_bytes, nr);
        if (op == STRING_LODS) {
            exec_write_register(cpu, CPU_AX, size_bytes, a);
            exec_set_ready(cpu, CPU_AX, done);
        }
        if (compares(op)) {
            exec_compare(cpu, size_bytes, a, b);
            exec_set_ready(cpu, READY_FLAGS, done);
        }
        if (nr == left || is_over || !is_repeated)
            return string_done(cpu, insn, t, op, done);
        t += exec_step(cpu);
        if (t >= cpu->deadline)
            return string_pause(cpu, insn, t);
        if (op == STRING_LODS)
            t = exec_wait_merge(cpu, t, CPU_AX, size_bytes);
    }
}

ALWAYS_INLINE const struct insn *string(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                        enum string_op op, unsigned size_bytes, exec_fn *slow)
{
    t = wait_string(cpu, insn, t, op, size_bytes);
    if (insn->rep != DEC_REP_NONE && string_register(cpu, insn, CPU_CX) == 0)
        return exec_next(cpu, insn, t, exec_done(t, 1));
    return slow ? string_fast(cpu, insn, t, op, size_bytes, slow) : string_slow(cpu, insn, t, op, size_bytes);
}

#define STRING_FORM(name, op, bits)                                                                          \
    EXEC_TWIN(name##bits)                                                                                    \
    {                                                                                                        \
        return string(cpu, insn, t, op, (bits) / 8, slow);                                                   \
    }
#define STRING(name, op)                                                                                     \
    STRING_FORM(name, op, 8)                                                                                 \
    STRING_FORM(name, op, 16)                                                                                \
    STRING_FORM(name, op, 32)                                                                                \
    STRING_FORM(name, op, 64)

STRING(movs, STRING_MOVS)
STRING(stos, STRING_STOS)
STRING(lods, STRING_LODS)
STRING(cmps, STRING_CMPS)
STRING(scas, STRING_SCAS)

/* After an iteration of INS or OUTS, which has moved `reg`. */
ALWAYS_INLINE const struct insn *io_step(struct cpu *cpu, const struct insn *insn, stamp_t t, unsigned reg)
{
    uint64_t size_bytes = insn->size_bytes, distance = cpu->eflags & EFLAGS_DF ? 0 - size_bytes : size_bytes;
    bool is_over = true;
    exec_write_register(cpu, reg, insn->address_bytes, cpu->reg[reg] + distance);
    exec_set_ready(cpu, reg, exec_done(t, 1));
    if (insn->rep != DEC_REP_NONE) {
        exec_write_register(cpu, CPU_CX, insn->address_bytes, cpu->reg[CPU_CX] - 1);
        exec_set_ready(cpu, CPU_CX, exec_done(t, 1));
        is_over = string_register(cpu, insn, CPU_CX) == 0;
    }
    if (is_over)
        return exec_next(cpu, insn, t, exec_done(t, 1));
    t += exec_step(cpu);
    if (t >= cpu->deadline)
        return string_pause(cpu, insn, t);
    return exec_go(cpu, insn, t);
}

ALWAYS_INLINE bool io_has_work(const struct cpu *cpu, const struct insn *insn)
{
    return insn->rep == DEC_REP_NONE || string_register(cpu, insn, CPU_CX) != 0;
}

/* The port is read only when the store cannot fault any more: reading may change the device. */
EXEC(ins)
{
    unsigned size_bytes = insn->size_bytes;
    cpu->clock = cpu_serialise(cpu, t, 0);
    uint16_t port = (uint16_t)cpu->reg[CPU_DX];
    uint64_t offset = string_register(cpu, insn, CPU_DI);
    if (!cpu_port_allowed(cpu, port, size_bytes)) /* before the count, which may be zero, is looked at */
        return exec_fault(cpu, insn, cpu->clock);
    if (!io_has_work(cpu, insn))
        return exec_next(cpu, insn, cpu->clock, exec_done(cpu->clock, 1));
    struct linear linear = exec_linear_at(cpu, insn, DEC_SEG_ES, offset, size_bytes, true, NULL);
    if (!linear.is_good || !cpu_probe_write(cpu, linear.v, size_bytes))
        return exec_fault(cpu, insn, cpu->clock);
    t = cpu_serialise(cpu, cpu->clock, cpu->params.config->cpu_io_cycles);
    uint64_t value = cpu_port_read(cpu, port, size_bytes, stamp_cycle(t));
    if (!exec_store(cpu, linear.v, size_bytes, value, &t, NULL))
        return exec_fault(cpu, insn, t);
    return io_step(cpu, insn, t, CPU_DI);
}

EXEC(outs)
{
    unsigned size_bytes = insn->size_bytes;
    cpu->clock = cpu_serialise(cpu, t, 0);
    uint16_t port = (uint16_t)cpu->reg[CPU_DX];
    uint64_t offset = string_register(cpu, insn, CPU_SI);
    if (!cpu_port_allowed(cpu, port, size_bytes)) /* before the count, which may be zero, is looked at */
        return exec_fault(cpu, insn, cpu->clock);
    if (!io_has_work(cpu, insn))
        return exec_next(cpu, insn, cpu->clock, exec_done(cpu->clock, 1));
    t = cpu->clock;
    struct linear linear = exec_linear_at(cpu, insn, insn->seg, offset, size_bytes, false, NULL);
    if (!linear.is_good)
        return exec_fault(cpu, insn, t);
    struct loaded loaded = exec_load(cpu, linear.v, size_bytes, &t, NULL);
    if (!loaded.ready)
        return exec_fault(cpu, insn, t);
    t = cpu_serialise(cpu, exec_wait(cpu, t, loaded.ready), cpu->params.config->cpu_io_cycles);
    cpu_port_write(cpu, port, size_bytes, loaded.value, stamp_cycle(t));
    return io_step(cpu, insn, t, CPU_SI);
}
