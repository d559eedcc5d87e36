/* /proc/cpuinfo (proc(5)), by CPUID. */
#include "asm/cpuid.h"
#include "asm/processor.h"
#include "compiler.h"
#include "seq_file.h"
#include "string.h"

#define LEAF_BRAND 0x80000002u /* this and the two behind it: 48 characters (SDM 2A, CPUID) */
#define LEAF_ADDRESS_SIZES 0x80000008u

/* Leaf 1 EDX, leaf 1 ECX, leaf 80000001h EDX (without what repeats leaf 1): Linux's names, bit 0 first. */
static const char *const features_1_edx[32] = {
    "fpu",  "vme",  "de",   "pse", "tsc",  "msr", "pae",   "mce", "cx8",     "apic", NULL,
    "sep",  "mtrr", "pge",  "mca", "cmov", "pat", "pse36", "pn",  "clflush", NULL,   "dts",
    "acpi", "mmx",  "fxsr", "sse", "sse2", "ss",  "ht",    "tm",  "ia64",    "pbe",
};
static const char *const features_1_ecx[32] = {
    "pni",    "pclmulqdq",  "dtes64", "monitor", "ds_cpl",
    "vmx",    "smx",        "est",    "tm2",     "ssse3",
    "cid",    "sdbg",       "fma",    "cx16",    "xtpr",
    "pdcm",   NULL,         "pcid",   "dca",     "sse4_1",
    "sse4_2", "x2apic",     "movbe",  "popcnt",  "tsc_deadline_timer",
    "aes",    "xsave",      NULL,     "avx",     "f16c",
    "rdrand", "hypervisor",
};
static const char *const features_ext_edx[32] = {
    [11] = "syscall", [19] = "mp",     [20] = "nx", [22] = "mmxext",   [25] = "fxsr_opt",
    [26] = "pdpe1gb", [27] = "rdtscp", [29] = "lm", [30] = "3dnowext", [31] = "3dnow",
};

static void show_features(struct seq_file *m, u32 bits, const char *const names[32])
{
    for (unsigned int bit = 0; bit < 32; bit++)
        if ((bits & (1u << bit)) && names[bit])
            seq_printf(m, " %s", names[bit]);
}

static void show_brand(struct seq_file *m)
{
    u32 words[13] = {0};
    struct cpuid_regs regs;
    for (u32 i = 0; i < 3; i++) {
        if (!cpuid(LEAF_BRAND + i, &regs))
            return;
        words[4 * i] = regs.ax;
        words[4 * i + 1] = regs.bx;
        words[4 * i + 2] = regs.cx;
        words[4 * i + 3] = regs.dx;
    }
    const char *brand = (const char *)words;
    while (*brand == ' ')
        brand++;
    seq_printf(m, "model name\t: %s\n", brand);
}

/* Family and model have a second part where the first one was too small (SDM 2A, CPUID, leaf 1 EAX). */
static void show_signature(struct seq_file *m, u32 signature)
{
    u32 family = (signature >> 8) & 0xF, model = (signature >> 4) & 0xF;
    if (family == 6 || family == 15)
        model |= ((signature >> 16) & 0xF) << 4;
    if (family == 15)
        family += (signature >> 20) & 0xFF;
    seq_printf(m, "cpu family\t: %u\nmodel\t\t: %u\n", family, model);
    show_brand(m);
    seq_printf(m, "stepping\t: %u\n", signature & 0xF);
}

static void show_yes_no(struct seq_file *m, const char *name, bool holds)
{
    seq_printf(m, "%s: %s\n", name, holds ? "yes" : "no");
}

void cpuinfo_show(struct seq_file *m)
{
    struct cpuid_regs vendor, leaf1, extended, sizes;
    seq_printf(m, "processor\t: 0\n");
    bool has_cpuid = cpuid(0, &vendor);
    if (has_cpuid) {
        const u32 words[4] = {vendor.bx, vendor.dx, vendor.cx, 0};
        seq_printf(m, "vendor_id\t: %s\n", (const char *)words);
    }
    cpuid(1, &leaf1);
    cpuid(0x80000001, &extended);
    if (has_cpuid)
        show_signature(m, leaf1.ax);
    show_yes_no(m, "fpu\t\t", leaf1.dx & 1);
    seq_printf(m, "cpuid level\t: %d\n", has_cpuid ? (int)vendor.ax : -1);
    show_yes_no(m, "wp\t\t", read_cr0() & X86_CR0_WP);
    seq_printf(m, "flags\t\t:");
    show_features(m, leaf1.dx, features_1_edx);
    show_features(m, extended.dx, features_ext_edx);
    show_features(m, leaf1.cx, features_1_ecx);
    seq_printf(m, "\n");
    if (leaf1.dx & X86_FEATURE_CLFLUSH)
        seq_printf(m, "clflush size\t: %u\n", ((leaf1.bx >> 8) & 0xFF) * 8);
    if (cpuid(LEAF_ADDRESS_SIZES, &sizes))
        seq_printf(m, "address sizes\t: %u bits physical, %u bits virtual\n", sizes.ax & 0xFF,
                   (sizes.ax >> 8) & 0xFF);
    seq_printf(m, "\n");
}
