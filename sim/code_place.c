#include "sim/code_place.h"

struct code_place code_place_of(const struct cpu *cpu)
{
    const struct cpu_state state = cpu_state(cpu);
    return (struct code_place){.at = cpu_state_code_linear(&state),
                               .rsp = state.gpr[CPU_SP],
                               .directory = state.cr3 & ~(uint64_t)PAGE_MASK,
                               .cpl = cpu_state_cpl(&state)};
}

bool code_place_is_same(const struct code_place *a, const struct code_place *b)
{
    return a->at == b->at && a->rsp == b->rsp && a->cpl == b->cpl &&
           (a->cpl == 0 || a->directory == b->directory);
}
