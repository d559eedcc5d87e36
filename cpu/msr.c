/* Model-specific registers (SDM 4), from the rows of msrs.def. */
#include "cpu/cpu_internal.h"
#include "cpu/long_mode.h"

enum { MSR_APIC_BASE = 0x1b, MSR_ARCH_CAPABILITIES = 0x10a };

/*
 * IA32_ARCH_CAPABILITIES (SDM 4 table 2-2): what a core need not fear that runs nothing ahead of a branch, a
 * fault or a store whose address is open, and never passes on what it may not read.
 */
#define RDCL_NO (UINT64_C(1) << 0)
#define SKIP_L1DFL_VMENTRY (UINT64_C(1) << 3)
#define SSB_NO (UINT64_C(1) << 4)
#define MDS_NO (UINT64_C(1) << 5)
#define IF_PSCHANGE_MC_NO (UINT64_C(1) << 6)
#define TAA_NO (UINT64_C(1) << 8)
#define SBDR_SSDP_NO (UINT64_C(1) << 13)
#define FBSDP_NO (UINT64_C(1) << 14)
#define PSDP_NO (UINT64_C(1) << 15)
#define BHI_NO (UINT64_C(1) << 20)
#define PBRSB_NO (UINT64_C(1) << 24)
#define GDS_NO (UINT64_C(1) << 26)
#define RFDS_NO (UINT64_C(1) << 27)
#define ITS_NO (UINT64_C(1) << 62)

static uint64_t read_tsc(const struct cpu *cpu)
{
    return stamp_cycle(cpu->clock) + (uint64_t)cpu->tsc_offset_cycles;
}

static bool write_tsc(struct cpu *cpu, uint64_t value)
{
    cpu->tsc_offset_cycles = (int64_t)(value - stamp_cycle(cpu->clock));
    return true;
}

static bool read_memory_type(const struct cpu *cpu, uint32_t number, uint64_t *value)
{
    return memory_types_read(&cpu->mmu.types, number, value);
}

/* Shortcuts lead to memory that is WB: the next access looks again. */
static bool write_memory_type(struct cpu *cpu, uint32_t number, uint64_t value)
{
    if (!memory_types_write(&cpu->mmu.types, number, value))
        return false;
    cpu_drop_fronts(cpu);
    return true;
}

static uint64_t read_arch_capabilities(const struct cpu *cpu)
{
    (void)cpu;
    return RDCL_NO | SKIP_L1DFL_VMENTRY | SSB_NO | MDS_NO | IF_PSCHANGE_MC_NO | TAA_NO | SBDR_SSDP_NO |
           FBSDP_NO | PSDP_NO | BHI_NO | PBRSB_NO | GDS_NO | RFDS_NO | ITS_NO;
}

static bool write_arch_capabilities(struct cpu *cpu, uint64_t value)
{
    (void)cpu;
    (void)value;
    return false; /* read-only */
}

static uint64_t read_apic_base(const struct cpu *cpu)
{
    return cpu->apic_base;
}

/*
 * The page of the registers may have come over RAM, or left it: what leads there, or was decoded there, is
 * looked up again.
 */
static bool write_apic_base(struct cpu *cpu, uint64_t value)
{
    const struct cpu_board *board = &cpu->params.board;
    uint64_t page = value & ~(uint64_t)PAGE_MASK;
    if (page >> cpu_physical_bits(cpu) || (value & PAGE_MASK & ~(uint64_t)(APIC_BASE_BSP | APIC_BASE_ENABLE)))
        return false;
    cpu->apic_base = value;
    cpu_code_written(cpu, paddr(page), PAGE_BYTES);
    cpu_drop_fronts(cpu);
    if (board->apic_base)
        board->apic_base(board->opaque, value, stamp_cycle(cpu->clock));
    return true;
}

static uint64_t read_efer(const struct cpu *cpu)
{
    return cpu->control.efer;
}

static bool write_efer(struct cpu *cpu, uint64_t value)
{
    return cpu_write_efer(cpu, value);
}

static bool write_base(struct cpu *cpu, unsigned seg, uint64_t value)
{
    if (!cpu_is_canonical(cpu, value))
        return false;
    cpu_set_base(cpu, seg, value);
    return true;
}

static uint64_t read_fs_base(const struct cpu *cpu)
{
    return cpu->segment[DEC_SEG_FS].hidden.base;
}

static bool write_fs_base(struct cpu *cpu, uint64_t value)
{
    return write_base(cpu, DEC_SEG_FS, value);
}

static uint64_t read_gs_base(const struct cpu *cpu)
{
    return cpu->segment[DEC_SEG_GS].hidden.base;
}

static bool write_gs_base(struct cpu *cpu, uint64_t value)
{
    return write_base(cpu, DEC_SEG_GS, value);
}

/* What comes with a feature is not there without it. */
static bool is_absent(const struct cpu *cpu, uint32_t number)
{
    return (number == MSR_APIC_BASE && !cpu_has(cpu, FEATURE_APIC)) ||
           (number == MSR_ARCH_CAPABILITIES && !cpu_has(cpu, FEATURE_ARCH_CAPABILITIES));
}

static bool is_known(struct cpu *cpu, uint32_t number, uint64_t *value)
{
    if (is_absent(cpu, number))
        return false;
    switch (number) {
#define MSR_FIELD(number, field, writable)                                                                   \
    case number:                                                                                             \
        *value = cpu->field;                                                                                 \
        return true;
#define MSR_CANONICAL(number, field) MSR_FIELD(number, field, )
#define MSR_CODE(number, name)                                                                               \
    case number:                                                                                             \
        *value = read_##name(cpu);                                                                           \
        return true;
#define MSR_RANGE(first, last, name)                                                                         \
    case first ... last:                                                                                     \
        return read_##name(cpu, number, value);
#include "cpu/msrs.def"
#undef MSR_FIELD
#undef MSR_CANONICAL
#undef MSR_CODE
#undef MSR_RANGE
    default:
        return pmu_read_msr(cpu, number, value);
    }
}

static bool set_field(uint64_t *field, uint64_t value, bool is_allowed)
{
    if (is_allowed)
        *field = value;
    return is_allowed;
}

static bool set(struct cpu *cpu, uint32_t number, uint64_t value)
{
    if (is_absent(cpu, number))
        return false;
    switch (number) {
#define MSR_FIELD(number, field, writable)                                                                   \
    case number:                                                                                             \
        return set_field(&cpu->field, value, !(value & ~(uint64_t)(writable)));
#define MSR_CANONICAL(number, field)                                                                         \
    case number:                                                                                             \
        return set_field(&cpu->field, value, cpu_is_canonical(cpu, value));
#define MSR_CODE(number, name)                                                                               \
    case number:                                                                                             \
        return write_##name(cpu, value);
#define MSR_RANGE(first, last, name)                                                                         \
    case first ... last:                                                                                     \
        return write_##name(cpu, number, value);
#include "cpu/msrs.def"
#undef MSR_FIELD
#undef MSR_CANONICAL
#undef MSR_CODE
#undef MSR_RANGE
    default:
        return pmu_write_msr(cpu, number, value);
    }
}

bool cpu_read_msr(struct cpu *cpu, uint32_t number)
{
    uint64_t value;
    if (!is_known(cpu, number, &value))
        return cpu_set_fault_code(cpu, EXCP_GP, 0);
    cpu->reg[CPU_AX] = (uint32_t)value;
    cpu->reg[CPU_DX] = value >> 32;
    return true;
}

bool cpu_write_msr(struct cpu *cpu, uint32_t number, uint64_t value)
{
    return set(cpu, number, value) || cpu_set_fault_code(cpu, EXCP_GP, 0);
}
