/*
 * Data movement (SDM 2: MOV, MOVZX, MOVSX, LEA, XCHG, CMOVcc, SETcc, BSWAP, XLAT, conversions, LAHF, SAHF,
 * NOP, far pointers).
 */
#include "cpu/exec.h"

#define MOV_FORMS(bits)                                                                                      \
    EXEC(mov_rr##bits)                                                                                       \
    {                                                                                                        \
        t = exec_wait_merge(cpu, exec_wait1(cpu, t, insn->src), insn->dst, (bits) / 8);                      \
        stamp_t done = exec_done(t, 1);                                                                      \
        exec_set_dst(cpu, insn, (bits) / 8, exec_src(cpu, insn, (bits) / 8));                                \
        exec_set_ready(cpu, insn->dst, done);                                                                \
        return exec_next(cpu, insn, t, done);                                                                \
    }                                                                                                        \
    EXEC(mov_ri##bits)                                                                                       \
    {                                                                                                        \
        t = exec_wait_merge(cpu, t, insn->dst, (bits) / 8);                                                  \
        stamp_t done = exec_done(t, 1);                                                                      \
        exec_set_dst(cpu, insn, (bits) / 8, insn->imm);                                                      \
        exec_set_ready(cpu, insn->dst, done);                                                                \
        return exec_next(cpu, insn, t, done);                                                                \
    }                                                                                                        \
    EXEC_TWIN(mov_rm##bits)                                                                                  \
    {                                                                                                        \
        t = exec_wait_merge(cpu, exec_wait_address(cpu, insn, t), insn->dst, (bits) / 8);                    \
        struct linear linear = exec_linear(cpu, insn, (bits) / 8, false, slow);                              \
        if (UNLIKELY(!linear.is_good))                                                                       \
            return exec_miss(cpu, insn, t, slow);                                                            \
        struct loaded loaded = exec_load(cpu, linear.v, (bits) / 8, &t, slow);                               \
        if (UNLIKELY(!loaded.ready))                                                                         \
            return exec_miss(cpu, insn, t, slow);                                                            \
        exec_set_dst(cpu, insn, (bits) / 8, loaded.value);                                                   \
        exec_set_ready(cpu, insn->dst, loaded.ready);                                                        \
        return exec_next(cpu, insn, t, loaded.ready);                                                        \
    }                                                                                                        \
    EXEC_TWIN(mov_mr##bits)                                                                                  \
    {                                                                                                        \
        t = exec_wait3(cpu, t, insn->base, insn->index, insn->src);                                          \
        return store(cpu, insn, t, (bits) / 8, exec_src(cpu, insn, (bits) / 8), slow);                       \
    }                                                                                                        \
    EXEC_TWIN(mov_mi##bits)                                                                                  \
    {                                                                                                        \
        t = exec_wait_address(cpu, insn, t);                                                                 \
        return store(cpu, insn, t, (bits) / 8, insn->imm, slow);                                             \
    }

ALWAYS_INLINE const struct insn *store(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                       unsigned size_bytes, uint64_t value, exec_fn *slow)
{
    struct linear linear = exec_linear(cpu, insn, size_bytes, true, slow);
    if (UNLIKELY(!linear.is_good) || UNLIKELY(!exec_store(cpu, linear.v, size_bytes, value, &t, slow)))
        return exec_miss(cpu, insn, t, slow);
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

MOV_FORMS(8)
MOV_FORMS(16)
MOV_FORMS(32)
MOV_FORMS(64)

/* The source is a byte or a word (bind.c puts its size in `cond`), the destination of size_bytes. */
ALWAYS_INLINE const struct insn *extend(struct cpu *cpu, const struct insn *insn, stamp_t t, bool is_signed,
                                        uint64_t value, stamp_t done)
{
    if (is_signed)
        value = (uint64_t)(insn->cond == 1 ? (int64_t)(int8_t)value : (int64_t)(int16_t)value);
    exec_write_register(cpu, insn->dst, insn->size_bytes, value);
    exec_set_ready(cpu, insn->dst, done);
    return exec_next(cpu, insn, t, done);
}

ALWAYS_INLINE const struct insn *extend_register(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                                 bool is_signed)
{
    t = exec_wait1(cpu, exec_wait_merge(cpu, t, insn->dst, insn->size_bytes), insn->src);
    uint64_t value = insn->cond == 1 ? exec_src(cpu, insn, 1) : exec_src(cpu, insn, 2);
    return extend(cpu, insn, t, is_signed, value, exec_done(t, 1));
}

ALWAYS_INLINE const struct insn *extend_memory(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                               bool is_signed, exec_fn *slow)
{
    t = exec_wait_address(cpu, insn, exec_wait_merge(cpu, t, insn->dst, insn->size_bytes));
    struct linear linear = exec_linear(cpu, insn, insn->cond, false, slow);
    if (UNLIKELY(!linear.is_good))
        return exec_miss(cpu, insn, t, slow);
    struct loaded source =
        insn->cond == 1 ? exec_load(cpu, linear.v, 1, &t, slow) : exec_load(cpu, linear.v, 2, &t, slow);
    if (UNLIKELY(!source.ready))
        return exec_miss(cpu, insn, t, slow);
    return extend(cpu, insn, t, is_signed, source.value, source.ready);
}

EXEC(movzx_r)
{
    return extend_register(cpu, insn, t, false);
}

EXEC_TWIN(movzx_m)
{
    return extend_memory(cpu, insn, t, false, slow);
}

EXEC(movsx_r)
{
    return extend_register(cpu, insn, t, true);
}

EXEC_TWIN(movsx_m)
{
    return extend_memory(cpu, insn, t, true, slow);
}

/* From 32 bits, or, with a 16-bit destination, from 16 (SDM 2B MOVSXD). */
EXEC_TWIN(movsxd)
{
    t = exec_wait_merge(cpu, t, insn->dst, insn->size_bytes);
    struct loaded source =
        insn->size_bytes == 2 ? exec_read_src(cpu, insn, 2, &t, slow) : exec_read_src(cpu, insn, 4, &t, slow);
    if (UNLIKELY(!source.ready))
        return exec_miss(cpu, insn, t, slow);
    stamp_t done = insn->flags & INSN_MEMORY ? source.ready : exec_done(t, 1);
    exec_write_register(cpu, insn->dst, insn->size_bytes, (uint64_t)(int64_t)(int32_t)source.value);
    exec_set_ready(cpu, insn->dst, done);
    return exec_next(cpu, insn, t, done);
}

ALWAYS_INLINE const struct insn *load_address(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                              unsigned size_bytes)
{
    t = exec_wait_merge(cpu, exec_wait_address(cpu, insn, t), insn->dst, size_bytes);
    stamp_t done = exec_done(t, 1);
    uint64_t offset = exec_address(cpu, insn) & exec_mask(insn->address_bytes);
    exec_write_register(cpu, insn->dst, size_bytes, offset);
    exec_set_ready(cpu, insn->dst, done);
    return exec_next(cpu, insn, t, done);
}

#define LEA_FORM(bits)                                                                                       \
    EXEC(lea##bits)                                                                                          \
    {                                                                                                        \
        return load_address(cpu, insn, t, (bits) / 8);                                                       \
    }
LEA_FORM(8)
LEA_FORM(16)
LEA_FORM(32)
LEA_FORM(64)

/* The other operand is src; with memory it locks the bus, which here costs what uops.def says. */
ALWAYS_INLINE const struct insn *exchange(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                          unsigned size_bytes, exec_fn *slow)
{
    t = exec_wait1(cpu, t, insn->src);
    struct exec_operand operand = exec_read_dst(cpu, insn, size_bytes, true, &t, slow);
    if (UNLIKELY(!operand.ready))
        return exec_miss(cpu, insn, t, slow);
    stamp_t done = exec_operand_done(insn, &operand, t, insn->latency_cycles);
    uint64_t other = exec_src(cpu, insn, size_bytes);
    exec_write_dst(cpu, insn, &operand, size_bytes, other, t, done, slow);
    exec_set_src(cpu, insn, size_bytes, operand.value);
    exec_set_ready(cpu, insn->src, done);
    return exec_next(cpu, insn, t, done);
}

#define XCHG_FORM(bits)                                                                                      \
    EXEC_TWIN(xchg##bits)                                                                                    \
    {                                                                                                        \
        return exchange(cpu, insn, t, (bits) / 8, slow);                                                     \
    }
XCHG_FORM(8)
XCHG_FORM(16)
XCHG_FORM(32)
XCHG_FORM(64)

/* The source is read whether or not the condition holds, and may fault (SDM 2A CMOVcc). */
ALWAYS_INLINE const struct insn *conditional_move(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                                  unsigned cond, exec_fn *slow)
{
    t = exec_wait2(cpu, t, insn->dst, READY_FLAGS);
    struct loaded source = exec_read_src(cpu, insn, insn->size_bytes, &t, slow);
    if (UNLIKELY(!source.ready))
        return exec_miss(cpu, insn, t, slow);
    stamp_t done = exec_src_done(insn, &source, t, 1);
    uint64_t value = exec_condition(cpu, cond) ? source.value : exec_dst(cpu, insn, insn->size_bytes);
    exec_write_register(cpu, insn->dst, insn->size_bytes, value);
    exec_set_ready(cpu, insn->dst, done);
    return exec_next(cpu, insn, t, done);
}

ALWAYS_INLINE const struct insn *set_byte(struct cpu *cpu, const struct insn *insn, stamp_t t, unsigned cond,
                                          exec_fn *slow)
{
    t = exec_wait1(cpu, t, READY_FLAGS);
    uint64_t value = exec_condition(cpu, cond);
    if (insn->flags & INSN_MEMORY) {
        t = exec_wait_address(cpu, insn, t);
        return store(cpu, insn, t, 1, value, slow);
    }
    t = exec_wait1(cpu, t, insn->dst);
    stamp_t done = exec_done(t, 1);
    exec_set_dst(cpu, insn, 1, value);
    exec_set_ready(cpu, insn->dst, done);
    return exec_next(cpu, insn, t, done);
}

#define CONDITIONAL(cond)                                                                                    \
    EXEC_TWIN(cmov##cond)                                                                                    \
    {                                                                                                        \
        return conditional_move(cpu, insn, t, cond, slow);                                                   \
    }                                                                                                        \
    EXEC_TWIN(setcc##cond)                                                                                   \
    {                                                                                                        \
        return set_byte(cpu, insn, t, cond, slow);                                                           \
    }
CONDITIONAL(0)
CONDITIONAL(1)
CONDITIONAL(2)
CONDITIONAL(3)
CONDITIONAL(4)
CONDITIONAL(5)
CONDITIONAL(6)
CONDITIONAL(7)
CONDITIONAL(8)
CONDITIONAL(9)
CONDITIONAL(10)
CONDITIONAL(11)
CONDITIONAL(12)
CONDITIONAL(13)
CONDITIONAL(14)
CONDITIONAL(15)

EXEC(nop_plain)
{
    return exec_next(cpu, insn, t, exec_done(t, 1));
}

/* A marker is a NOP whose address carries a number (docs/markers.md): 0F 1F 84 00 imm32 with 4C41h above. */
EXEC(nop)
{
    bool is_marker = (insn->flags & INSN_MEMORY) && (uint32_t)insn->disp >> 16 == 0x4c41 &&
                     insn->base == CPU_AX && insn->index == CPU_AX && insn->scale == 0;
    if (LIKELY(!is_marker))
        return exec_next(cpu, insn, t, exec_done(t, 1));
    /* It is retired before it acts, so that what it counts is counted up to here. */
    exec_watch(cpu, insn, t, exec_done(t, 1), t + exec_step(cpu));
    cpu->rip = exec_next_rip(cpu, insn);
    cpu->stats.instructions += insn->position + 1u;
    cpu->clock = t + exec_step(cpu);
    cpu_marker(cpu, (uint32_t)insn->disp & 0xffff, stamp_cycle(t));
    return EXEC_NAME(resume)(cpu, insn, cpu->clock);
}

/*
 * MOV from a segment register: a 16-bit store, or a register of the operand's size with zeros above (SDM 2B
 * MOV).
 */
EXEC_TWIN(mov_from_segment)
{
    uint64_t selector = cpu->segment[insn->src].selector;
    if (insn->flags & INSN_MEMORY) {
        t = exec_wait_address(cpu, insn, t);
        return store(cpu, insn, t, 2, selector, slow);
    }
    t = exec_wait_merge(cpu, t, insn->dst, insn->size_bytes);
    exec_write_register(cpu, insn->dst, insn->size_bytes, selector);
    stamp_t done = exec_done(t, 1);
    exec_set_ready(cpu, insn->dst, done);
    return exec_next(cpu, insn, t, done);
}

/* Loads a segment register and leaves the run of records: what they were decoded for may have changed. */
static const struct insn *load_segment(struct cpu *cpu, const struct insn *insn, stamp_t t, unsigned seg,
                                       uint16_t selector)
{
    cpu->clock = t;
    if (!cpu_load_segment(cpu, seg, selector))
        return exec_fault(cpu, insn, cpu->clock);
    cpu->interrupt_shadow = cpu->debug.shadow = seg == DEC_SEG_SS;
    cpu->rip = exec_next_rip(cpu, insn);
    return exec_leave(cpu, insn, cpu->clock, exec_done(cpu->clock, 1));
}

/* The destination is segment register `dst`. CS cannot be loaded so (SDM 2B MOV). */
EXEC(mov_to_segment)
{
    if (insn->dst == DEC_SEG_CS)
        return exec_raise(cpu, insn, t, EXCP_UD);
    struct loaded source = exec_read_src(cpu, insn, 2, &t, NULL);
    if (!source.ready)
        return exec_fault(cpu, insn, t);
    t = exec_wait(cpu, t, source.ready);
    return load_segment(cpu, insn, t, insn->dst, (uint16_t)source.value);
}

/* LDS, LES, LFS, LGS, LSS: a pointer in memory, offset first. */
EXEC(load_far_pointer)
{
    static const uint8_t segment_of[DEC_NR_OPS] = {
        [DEC_LDS] = DEC_SEG_DS, [DEC_LES] = DEC_SEG_ES, [DEC_LFS] = DEC_SEG_FS,
        [DEC_LGS] = DEC_SEG_GS, [DEC_LSS] = DEC_SEG_SS,
    };
    unsigned seg = segment_of[insn->op], size_bytes = insn->size_bytes;
    t = exec_wait_merge(cpu, exec_wait_address(cpu, insn, t), insn->dst, size_bytes);
    struct linear linear = exec_linear(cpu, insn, size_bytes + 2, false, NULL);
    if (!linear.is_good)
        return exec_fault(cpu, insn, t);
    struct loaded offset = exec_load(cpu, linear.v, size_bytes, &t, NULL);
    if (!offset.ready)
        return exec_fault(cpu, insn, t);
    struct loaded selector = exec_load(cpu, (linear.v + size_bytes) & cpu->linear_mask, 2, &t, NULL);
    if (!selector.ready)
        return exec_fault(cpu, insn, t);
    cpu->clock = exec_wait(cpu, t, stamp_later(offset.ready, selector.ready));
    if (!cpu_load_segment(cpu, seg, (uint16_t)selector.value))
        return exec_fault(cpu, insn, cpu->clock);
    exec_write_register(cpu, insn->dst, size_bytes, offset.value);
    exec_set_ready(cpu, insn->dst, exec_done(cpu->clock, 1));
    cpu->rip = exec_next_rip(cpu, insn);
    return exec_leave(cpu, insn, cpu->clock, exec_done(cpu->clock, 1));
}

EXEC(bswap)
{
    t = exec_wait1(cpu, t, insn->dst);
    uint64_t value = exec_dst(cpu, insn, insn->size_bytes);
    /* Of a 16-bit register the manual says undefined; processors give zero. */
    value = insn->size_bytes == 8   ? __builtin_bswap64(value)
            : insn->size_bytes == 4 ? __builtin_bswap32((uint32_t)value)
                                    : 0;
    stamp_t done = exec_done(t, 1);
    exec_write_register(cpu, insn->dst, insn->size_bytes, value);
    exec_set_ready(cpu, insn->dst, done);
    return exec_next(cpu, insn, t, done);
}

EXEC(xlat)
{
    t = exec_wait2(cpu, t, CPU_BX, CPU_AX);
    uint64_t offset = (cpu->reg[CPU_BX] + (cpu->reg[CPU_AX] & 0xff)) & exec_mask(insn->address_bytes);
    struct linear linear = exec_linear_at(cpu, insn, insn->seg, offset, 1, false, NULL);
    if (!linear.is_good)
        return exec_fault(cpu, insn, t);
    struct loaded loaded = exec_load(cpu, linear.v, 1, &t, NULL);
    if (!loaded.ready)
        return exec_fault(cpu, insn, t);
    exec_write_register(cpu, CPU_AX, 1, loaded.value);
    exec_set_ready(cpu, CPU_AX, loaded.ready);
    return exec_next(cpu, insn, t, loaded.ready);
}

/* AX, EAX or RAX from its sign-extended lower half; or rDX from rAX's sign. */
ALWAYS_INLINE const struct insn *convert(struct cpu *cpu, const struct insn *insn, stamp_t t,
                                         unsigned from_bytes, bool to_dx)
{
    t = exec_wait2(cpu, t, CPU_AX, to_dx && from_bytes < 4 ? CPU_DX : CPU_AX);
    int64_t value = exec_sign_extend(cpu->reg[CPU_AX] & exec_mask(from_bytes), from_bytes);
    stamp_t done = exec_done(t, 1);
    unsigned to = to_dx ? CPU_DX : CPU_AX;
    exec_write_register(cpu, to, to_dx ? from_bytes : from_bytes * 2,
                        (uint64_t)(to_dx ? value >> 63 : value));
    exec_set_ready(cpu, to, done);
    return exec_next(cpu, insn, t, done);
}

EXEC(cbw)
{
    return convert(cpu, insn, t, 1, false);
}

EXEC(cwde)
{
    return convert(cpu, insn, t, 2, false);
}

EXEC(cdqe)
{
    return convert(cpu, insn, t, 4, false);
}

EXEC(cwd)
{
    return convert(cpu, insn, t, 2, true);
}

EXEC(cdq)
{
    return convert(cpu, insn, t, 4, true);
}

EXEC(cqo)
{
    return convert(cpu, insn, t, 8, true);
}

EXEC(lahf)
{
    t = exec_wait2(cpu, t, CPU_AX, READY_FLAGS);
    stamp_t done = exec_done(t, 1);
    ((uint8_t *)&cpu->reg[CPU_AX])[1] = (uint8_t)cpu_flags(cpu);
    exec_set_ready(cpu, CPU_AX, done);
    return exec_next(cpu, insn, t, done);
}

EXEC(sahf)
{
    t = exec_wait2(cpu, t, CPU_AX, READY_FLAGS);
    stamp_t done = exec_done(t, 1);
    uint64_t flags = (cpu->reg[CPU_AX] >> 8 & 0xff) | (cpu_flags(cpu) & EFLAGS_OF);
    cpu_set_status_flags(cpu, flags);
    exec_set_ready(cpu, READY_FLAGS, done);
    return exec_next(cpu, insn, t, done);
}
