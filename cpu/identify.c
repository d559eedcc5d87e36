/* What a guest can ask about the processor: CPUID (SDM 2A CPUID), from the rows of features.def. */
#include "cpu/cpu_internal.h"

/* Leaf 1: a P6-class part that claims only what works. Family 6, model 8, stepping 6. */
enum { SIGNATURE = 0x686, HIGHEST_LEAF = 7, LINEAR_BITS = 48 };
#define EXTENDED_LEAVES 0x80000000u
#define EXTENDED_FEATURES 0x80000001u
#define SYSCALL_BIT (1u << 11)
#define HIGHEST_EXTENDED_LEAF 0x80000008u

enum answer_register { EAX, EBX, ECX, EDX, NR_ANSWER_REGISTERS };

struct answer {
    uint32_t reg[NR_ANSWER_REGISTERS];
};

static void add_features(uint32_t leaf, uint32_t subleaf, struct answer *answer)
{
    static const struct {
        uint32_t leaf, subleaf;
        enum answer_register reg;
        unsigned bit;
    } features[] = {
#define FEATURE(id, leaf, subleaf, reg, bit) {leaf, subleaf, reg, bit},
#include "cpu/features.def"
#undef FEATURE
    };
    for (unsigned i = 0; i < sizeof features / sizeof *features; i++)
        if (features[i].leaf == leaf && features[i].subleaf == subleaf)
            answer->reg[features[i].reg] |= 1u << features[i].bit;
}

static struct answer identify(const struct cpu *cpu, uint32_t leaf, uint32_t subleaf)
{
    struct answer answer = {{0}};
    if (leaf == EXTENDED_LEAVES)
        return (struct answer){{HIGHEST_EXTENDED_LEAF, 0, 0, 0}};
    if (leaf == 0) /* "GenuineIntel", in EBX, EDX, ECX */
        return (struct answer){{HIGHEST_LEAF, 0x756e6547, 0x6c65746e, 0x49656e69}};
    if (leaf == HIGHEST_EXTENDED_LEAF)
        return (struct answer){{PHYSICAL_BITS | LINEAR_BITS << 8, 0, 0, 0}};
    if (leaf > HIGHEST_LEAF && !(leaf > EXTENDED_LEAVES &&
                                 leaf < HIGHEST_EXTENDED_LEAF)) /* answers as the highest basic leaf does */
        leaf = HIGHEST_LEAF;
    if (leaf == 1) { /* EBX: what CLFLUSH flushes, in units of eight bytes */
        answer.reg[EAX] = SIGNATURE;
        answer.reg[EBX] = (uint32_t)(cpu->params.config->cache_l1d_line_bytes / 8) << 8;
    }
    add_features(leaf, subleaf, &answer);
    return answer;
}

void cpu_identify(struct cpu *cpu)
{
    struct answer answer = identify(cpu, (uint32_t)cpu->reg[CPU_AX], (uint32_t)cpu->reg[CPU_CX]);
    if ((uint32_t)cpu->reg[CPU_AX] == EXTENDED_FEATURES && !cpu_is_64bit(cpu))
        answer.reg[EDX] &= ~SYSCALL_BIT; /* Intel claims it where it works: in 64-bit code */
    cpu->reg[CPU_AX] = answer.reg[EAX];
    cpu->reg[CPU_BX] = answer.reg[EBX];
    cpu->reg[CPU_CX] = answer.reg[ECX];
    cpu->reg[CPU_DX] = answer.reg[EDX];
}
