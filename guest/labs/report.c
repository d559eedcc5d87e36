/* What a lab says and counts; linked into the kernel and into programs. */
#include "asm/cpuid.h"
#include "lab.h"
#include "lookaside.h"
#include "math64.h"
#include "printk.h"
#include "string.h"

#define LINE_BYTES 256
/* Regions' ids begin here: the kernel's boot uses the ones below for its steps. */
#define FIRST_REGION 256

/* RDPMC's numbers (SDM 2B RDPMC); run.c starts the counters in this order. */
enum { PMC_LOAD_WALKS, PMC_STORE_WALKS, PMC_L1D_MISSES, PMC_LLC_MISSES, PMC_INSTRUCTIONS = 1 << 30 };

static u32 nr_failed, nr_skipped, nr_regions;

static void put_line(const char *tag, const char *fmt, va_list args)
{
    char line[LINE_BYTES];
    size_t length = strlcpy(line, tag, sizeof(line));
    int more = vsnprintf(line + length, sizeof(line) - length - 1, fmt, args);
    length = min(length + (size_t)more, sizeof(line) - 2);
    line[length++] = '\n';
    lab_print(line, length);
}

void lab_say(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    put_line("", fmt, args);
    va_end(args);
}

bool lab_check(bool holds, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    put_line(holds ? "ok: " : "FAILED: ", fmt, args);
    va_end(args);
    if (!holds)
        nr_failed++;
    return holds;
}

void lab_skip(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    put_line("skipped: ", fmt, args);
    va_end(args);
    nr_skipped++;
}

void lab_figure(const char *what, u64 value, u32 count, const char *unit)
{
    if (count <= 1) {
        lab_say("figure: %s = %llu %s", what, value, unit);
        return;
    }
    u32 hundredths;
    u64 whole = div_u64_rem(div_u64(value * 100 + count / 2, count), 100, &hundredths);
    lab_say("figure: %s = %llu.%02u %s", what, whole, hundredths, unit);
}

enum lab_status lab_status(void)
{
    return nr_failed ? LAB_FAILED : nr_skipped ? LAB_SKIPPED : LAB_PASSED;
}

static bool has_tsc(void)
{
    struct cpuid_regs regs;
    return cpuid(1, &regs) && (regs.dx & X86_FEATURE_TSC);
}

bool lab_counts_cycles(void)
{
    return lk_probe() && has_tsc();
}

bool lab_has_counters(void)
{
    struct cpuid_regs regs;
    return lk_probe() && cpuid(0xA, &regs) && (regs.ax & 0xFF) >= 2 && (regs.ax >> 8 & 0xFF) >= 4;
}

static u64 rdtsc(void)
{
    u32 low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (u64)high << 32 | low;
}

static u64 rdpmc(u32 number)
{
    u32 low, high;
    __asm__ volatile("rdpmc" : "=a"(low), "=d"(high) : "c"(number) : "memory");
    return (u64)high << 32 | low;
}

static struct lab_counts read_counts(void)
{
    struct lab_counts counts = {0};
    if (lab_has_counters()) {
        counts.instructions = rdpmc(PMC_INSTRUCTIONS);
        counts.walks = rdpmc(PMC_LOAD_WALKS) + rdpmc(PMC_STORE_WALKS);
        counts.l1d_misses = rdpmc(PMC_L1D_MISSES);
        counts.llc_misses = rdpmc(PMC_LLC_MISSES);
    }
    if (has_tsc())
        counts.cycles = rdtsc();
    return counts;
}

void lab_region_begin(struct lab_region *region, const char *what)
{
    /* A program's constant may not be in memory yet, and a marker brings nothing in. */
    for (const volatile char *c = what; *c; c++)
        ;
    region->id = FIRST_REGION + nr_regions++;
    lk_mark(region->id, what);
    lk_roi_begin(region->id);
    region->counts = read_counts();
}

void lab_region_end(struct lab_region *region)
{
    struct lab_counts *begin = &region->counts, end = read_counts();
    lk_roi_end(region->id);
    *begin = (struct lab_counts){.cycles = end.cycles - begin->cycles,
                                 .instructions = end.instructions - begin->instructions,
                                 .walks = end.walks - begin->walks,
                                 .l1d_misses = end.l1d_misses - begin->l1d_misses,
                                 .llc_misses = end.llc_misses - begin->llc_misses};
}
