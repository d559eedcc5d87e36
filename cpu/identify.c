/*
 * What a guest can ask about the processor: CPUID leaves and model-specific registers (SDM 2A CPUID; SDM 4).
 */
#include "cpu/cpu_internal.h"

enum { MSR_TSC = 0x10 };

/* Leaf 1: a P6-class part that claims only what works. Family 6, model 8, stepping 6. */
enum { SIGNATURE = 0x686, HIGHEST_LEAF = 1 };
enum feature_edx {
    FEATURE_DE = 1 << 2,
    FEATURE_PSE = 1 << 3,
    FEATURE_TSC = 1 << 4,
    FEATURE_MSR = 1 << 5,
    FEATURE_CX8 = 1 << 8,
    FEATURE_PGE = 1 << 13,
    FEATURE_CMOV = 1 << 15
};

static void set_registers(struct cpu *cpu, uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t edx)
{
    cpu->reg[CPU_AX] = eax;
    cpu->reg[CPU_BX] = ebx;
    cpu->reg[CPU_CX] = ecx;
    cpu->reg[CPU_DX] = edx;
}

void cpu_identify(struct cpu *cpu)
{
    switch ((uint32_t)cpu->reg[CPU_AX]) {
    case 0: /* "GenuineIntel", in EBX, EDX, ECX */
        set_registers(cpu, HIGHEST_LEAF, 0x756e6547, 0x6c65746e, 0x49656e69);
        break;
    case 0x80000000:
        set_registers(cpu, 0x80000000, 0, 0, 0);
        break;
    default: /* a leaf beyond the highest answers as the highest one does (SDM 2A CPUID) */
        set_registers(cpu, SIGNATURE, 0, 0,
                      FEATURE_PSE | FEATURE_TSC | FEATURE_MSR | FEATURE_CX8 | FEATURE_PGE | FEATURE_CMOV);
        break;
    }
}

bool cpu_read_msr(struct cpu *cpu, uint32_t number)
{
    if (number != MSR_TSC)
        return cpu_set_fault_code(cpu, EXCP_GP, 0);
    uint64_t value = stamp_cycle(cpu->clock) + (uint64_t)cpu->tsc_offset_cycles;
    cpu->reg[CPU_AX] = (uint32_t)value;
    cpu->reg[CPU_DX] = value >> 32;
    return true;
}

bool cpu_write_msr(struct cpu *cpu, uint32_t number, uint64_t value)
{
    if (number != MSR_TSC)
        return cpu_set_fault_code(cpu, EXCP_GP, 0);
    cpu->tsc_offset_cycles = (int64_t)(value - stamp_cycle(cpu->clock));
    return true;
}
