#include "cpu/cpu_internal.h"

uint64_t cpu_effective_address(const struct cpu *cpu, const struct insn *insn)
{
    uint64_t offset =
        cpu->reg[insn->base] + (cpu->reg[insn->index] << insn->scale) + (uint64_t)(int64_t)insn->disp;
    return insn->address_bytes == 2 ? (uint16_t)offset : (uint32_t)offset;
}

struct linear cpu_linear(struct cpu *cpu, unsigned seg, uint64_t offset, unsigned size_bytes, bool is_write)
{
    const struct segment *segment = &cpu->segment[seg];
    if (!segment_allows(segment, offset, size_bytes, is_write)) {
        cpu_set_fault_code(cpu, seg == DEC_SEG_SS ? EXCP_SS : EXCP_GP, 0);
        return (struct linear){0, false};
    }
    return (struct linear){(segment->hidden.base + offset) & UINT32_MAX, true};
}
