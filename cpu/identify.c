/* What a guest can ask about the processor: CPUID (SDM 2A CPUID), from the configuration and features.def. */
#include "cpu/cpu_internal.h"

#include <string.h>

enum leaf {
    LEAF_VENDOR = 0,
    LEAF_FEATURES = 1,
    LEAF_DESCRIPTORS = 2,
    LEAF_CACHES = 4,
    LEAF_EXTENDED_FEATURES = 7,
    LEAF_PERFORMANCE = 10,
};
#define EXTENDED_LEAVES 0x80000000u
#define EXTENDED_FEATURES 0x80000001u
#define BRAND_FIRST 0x80000002u
#define BRAND_LAST 0x80000004u
#define ADDRESS_WIDTHS 0x80000008u

enum { LINEAR_BITS = 48, LINEAR_BITS_LA57 = 57, APIC_BIT = 1 << 9, SYSCALL_BIT = 1 << 11 };
enum answer_register { EAX, EBX, ECX, EDX, NR_ANSWER_REGISTERS };

struct answer {
    uint32_t reg[NR_ANSWER_REGISTERS];
};

/*
 * Family, model and stepping of a processor of that kind, and the highest leaves. The last is model 54h,
 * none of Intel's (SDM 4 table 2-1): a guest that knows a model looks for that one's registers.
 */
static const struct {
    uint32_t signature, highest, highest_extended;
} kinds[] = {
    [CFG_ISA_I486] = {0x480, LEAF_FEATURES, 0},
    [CFG_ISA_P5] = {0x52c, LEAF_FEATURES, 0},
    [CFG_ISA_P6] = {0x686, LEAF_DESCRIPTORS, 0},
    [CFG_ISA_P4] = {0xf29, LEAF_DESCRIPTORS, BRAND_LAST},
    [CFG_ISA_X86_64] = {0xf43, LEAF_CACHES, ADDRESS_WIDTHS},
    [CFG_ISA_X86_64_V2] = {0x106a5, LEAF_CACHES, ADDRESS_WIDTHS},
    [CFG_ISA_MAX] = {0x50640, LEAF_PERFORMANCE, ADDRESS_WIDTHS},
};

static void add_features(const struct cpu *cpu, uint32_t leaf, uint32_t subleaf, struct answer *answer)
{
    static const struct {
        enum cpu_feature feature;
        uint32_t leaf, subleaf;
        enum answer_register reg;
        unsigned bit;
    } rows[] = {
#define FEATURE(id, isa, leaf, subleaf, reg, bit) {FEATURE_##id, leaf, subleaf, reg, bit},
#include "cpu/features.def"
#undef FEATURE
    };
    /* Of these leaves only 7 looks at ECX. */
    bool is_subleaf_0 = leaf != LEAF_EXTENDED_FEATURES || subleaf == 0;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].leaf == leaf && rows[i].subleaf == (is_subleaf_0 ? 0 : subleaf) &&
            cpu_has(cpu, rows[i].feature))
            answer->reg[rows[i].reg] |= 1u << rows[i].bit;
}

/* Leaf 4, a subleaf a cache; type 0 ends the list. */
static struct answer describe_cache(const struct config *config, uint32_t subleaf)
{
    enum {
        TYPE_NONE,
        TYPE_DATA,
        TYPE_INSTRUCTIONS,
        TYPE_UNIFIED,
        LEVEL_SHIFT = 5,
        SELF_INITIALISING = 1 << 8
    };
    const uint32_t l1_type = config->cache_unified_l1 ? TYPE_UNIFIED : TYPE_DATA;
    const struct {
        uint32_t type, level;
        uint64_t size_bytes, ways, line_bytes;
    } caches[] = {
        {l1_type, 1, config->cache_l1d_size_bytes, config->cache_l1d_ways, config->cache_l1d_line_bytes},
        {TYPE_INSTRUCTIONS, 1, config->cache_l1i_size_bytes, config->cache_l1i_ways,
         config->cache_l1i_line_bytes},
        {TYPE_UNIFIED, 2, config->cache_l2_size_bytes, config->cache_l2_ways, config->cache_l2_line_bytes},
        {TYPE_UNIFIED, 3, config->cache_l3_size_bytes, config->cache_l3_ways, config->cache_l3_line_bytes},
    };
    subleaf += config->cache_unified_l1 && subleaf >= 1; /* no L1I then */
    if (subleaf >= sizeof caches / sizeof *caches || caches[subleaf].level > config->cache_levels)
        return (struct answer){{TYPE_NONE}};
    uint64_t sets = caches[subleaf].size_bytes / caches[subleaf].ways / caches[subleaf].line_bytes;
    return (struct answer){{
        [EAX] = caches[subleaf].type | caches[subleaf].level << LEVEL_SHIFT | SELF_INITIALISING,
        [EBX] = (uint32_t)((caches[subleaf].ways - 1) << 22 | (caches[subleaf].line_bytes - 1)),
        [ECX] = (uint32_t)(sets - 1),
    }};
}

static struct answer brand(uint32_t leaf)
{
    static const char text[(BRAND_LAST - BRAND_FIRST + 1) * sizeof(struct answer)] =
        "lookaside, a simulated processor";
    struct answer answer;
    memcpy(&answer, text + (leaf - BRAND_FIRST) * sizeof answer, sizeof answer);
    return answer;
}

static struct answer identify(const struct cpu *cpu, uint32_t leaf, uint32_t subleaf)
{
    const struct config *config = cpu->params.config;
    unsigned linear_bits = cpu_has(cpu, FEATURE_LA57) ? LINEAR_BITS_LA57 : LINEAR_BITS;
    struct answer answer = {{0}};
    uint32_t highest = kinds[config->cpu_isa].highest,
             highest_extended = kinds[config->cpu_isa].highest_extended;
    if (leaf > highest && (leaf < EXTENDED_LEAVES || leaf > highest_extended))
        leaf = highest; /* what is beyond answers as the highest basic leaf does */
    switch (leaf) {
    case LEAF_VENDOR: /* "GenuineIntel", in EBX, EDX, ECX */
        return (struct answer){{highest, 0x756e6547, 0x6c65746e, 0x49656e69}};
    case LEAF_FEATURES: /* EBX: what CLFLUSH flushes, in units of eight bytes */
        answer.reg[EAX] = kinds[config->cpu_isa].signature;
        if (cpu_has(cpu, FEATURE_CLFSH))
            answer.reg[EBX] = (uint32_t)(config->cache_l1d_line_bytes / 8) << 8;
        break;
    case LEAF_DESCRIPTORS: /* one call is enough; the caches are in leaf 4, where there is one */
        return (struct answer){{highest >= LEAF_CACHES ? 0x0000ff01 : 1, 0, 0, 0}};
    case LEAF_CACHES:
        return describe_cache(config, subleaf);
    case LEAF_PERFORMANCE:
        pmu_identify(answer.reg);
        return answer;
    case EXTENDED_LEAVES:
        return (struct answer){{highest_extended, 0, 0, 0}};
    case BRAND_FIRST:
    case BRAND_FIRST + 1:
    case BRAND_LAST:
        return brand(leaf);
    case ADDRESS_WIDTHS:
        answer.reg[EAX] = cpu_physical_bits(cpu) | linear_bits << 8;
        return answer;
    default:
        break;
    }
    add_features(cpu, leaf, subleaf, &answer);
    if (leaf == LEAF_FEATURES && !(cpu->apic_base & APIC_BASE_ENABLE))
        answer.reg[EDX] &= ~(uint32_t)APIC_BIT; /* SDM 3A 10.4.3 */
    if (leaf == EXTENDED_FEATURES && !cpu_is_64bit(cpu))
        answer.reg[EDX] &= ~(uint32_t)SYSCALL_BIT; /* Intel claims it where it works: in 64-bit code */
    return answer;
}

void cpu_answer_cpuid(const struct cpu *cpu, uint32_t leaf, uint32_t registers[4])
{
    struct answer answer = identify(cpu, leaf, 0);
    memcpy(registers, answer.reg, sizeof answer.reg);
}

void cpu_identify(struct cpu *cpu)
{
    struct answer answer = identify(cpu, (uint32_t)cpu->reg[CPU_AX], (uint32_t)cpu->reg[CPU_CX]);
    cpu->reg[CPU_AX] = answer.reg[EAX];
    cpu->reg[CPU_BX] = answer.reg[EBX];
    cpu->reg[CPU_CX] = answer.reg[ECX];
    cpu->reg[CPU_DX] = answer.reg[EDX];
}
