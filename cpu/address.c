#include "cpu/cpu_internal.h"

uint64_t cpu_effective_address(const struct cpu *cpu, const struct insn *insn)
{
    if (insn->flags & INSN_WIDE_ADDRESS)
        return insn->imm;
    uint64_t offset =
        cpu->reg[insn->base] + (cpu->reg[insn->index] << insn->scale) + (uint64_t)(int64_t)insn->disp;
    if (insn->flags & INSN_SEGMENT_BASE)
        offset -= cpu->segment[insn->seg].hidden.base;
    switch (insn->address_bytes) {
    case 2:
        return (uint16_t)offset;
    case 4:
        return (uint32_t)offset;
    default:
        return offset;
    }
}

static bool is_canonical_access(const struct cpu *cpu, uint64_t linear, unsigned size_bytes)
{
    return cpu_is_canonical(cpu, linear) && cpu_is_canonical(cpu, linear + size_bytes - 1);
}

enum { MAX_ACCESS_BYTES = 16 };

static struct linear refuse(struct cpu *cpu, unsigned seg)
{
    cpu_set_fault_code(cpu, seg == DEC_SEG_SS ? EXCP_SS : EXCP_GP, 0);
    return (struct linear){0, false};
}

struct linear cpu_linear_flat(struct cpu *cpu, unsigned seg, uint64_t linear, unsigned size_bytes)
{
    if (cpu->linear_mask == UINT64_MAX && !is_canonical_access(cpu, linear, size_bytes))
        return refuse(cpu, seg);
    return (struct linear){linear, true};
}

struct linear cpu_linear(struct cpu *cpu, unsigned seg, uint64_t offset, unsigned size_bytes, bool is_write)
{
    const struct segment *segment = &cpu->segment[seg];
    bool is_flat = cpu->code_key >> (CODE_KEY_FLAT_SHIFT + seg) & 1;
    if (is_flat && offset <= UINT32_MAX - MAX_ACCESS_BYTES && size_bytes <= MAX_ACCESS_BYTES)
        return (struct linear){offset, true};
    if (cpu_is_64bit(cpu))
        return cpu_linear_flat(cpu, seg, offset + (seg >= DEC_SEG_FS ? segment->hidden.base : 0), size_bytes);
    if (!segment_allows(segment, offset, size_bytes, is_write))
        return refuse(cpu, seg);
    return (struct linear){(segment->hidden.base + offset) & UINT32_MAX, true};
}
