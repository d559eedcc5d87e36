/* Control registers (SDM 3A 2.5): what may be written, and what a write changes. */
#include "cpu/cpu_internal.h"
#include "cpu/fpu.h"

static const uint64_t cr0_known =
    CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG;
/* CR4 bits of features that CPUID claims; the others are reserved (SDM 3A 2.5). */
static const uint64_t cr4_known = CR4_TSD | CR4_DE | CR4_PSE | CR4_PGE | CR4_PCE;

static bool write_cr0(struct cpu *cpu, uint64_t value)
{
    value = (value & cr0_known) | CR0_ET;
    if ((value & CR0_PG) && !(value & CR0_PE))
        return cpu_set_fault_code(cpu, EXCP_GP, 0);
    if ((value & CR0_NW) && !(value & CR0_CD))
        return cpu_set_fault_code(cpu, EXCP_GP, 0);
    cpu_settle(cpu); /* accesses counted so far belong to the old mode */
    cpu->control.cr0 = value;
    mmu_set_mode(&cpu->mmu, &cpu->control);
    cpu_drop_fronts(cpu);
    cpu_mode_changed(cpu);
    cpu_update_blocked(cpu);
    cpu_observe_control(cpu, "cr0", value);
    return true;
}

bool cpu_write_cr(struct cpu *cpu, unsigned number, uint64_t value)
{
    switch (number) {
    case 0:
        return write_cr0(cpu, value);
    case 2:
        cpu->cr2 = value;
        return true;
    case 3:
        cpu->control.cr3 = value;
        mmu_load_cr3(&cpu->mmu, value);
        cpu_observe_control(cpu, "cr3", value);
        return true;
    case 4:
        if (value & ~cr4_known)
            return cpu_set_fault_code(cpu, EXCP_GP, 0);
        cpu->control.cr4 = value;
        mmu_set_mode(&cpu->mmu, &cpu->control);
        cpu_drop_fronts(cpu);
        cpu_update_blocked(cpu);
        cpu_observe_control(cpu, "cr4", value);
        return true;
    default:
        return cpu_set_fault(cpu, EXCP_UD);
    }
}

void cpu_flush_caches(struct cpu *cpu, bool write_back, cycle_t now)
{
    if (!cpu->is_timed)
        return;
    cache_flush(cpu->params.l1i, false, now);
    cache_flush(cpu->params.l1d, write_back, now);
    if (cache_below(cpu->params.l1d))
        cache_flush(cache_below(cpu->params.l1d), write_back, now);
}
