/* The time between ticks, and the time of day. */
#include "timekeeping.h"
#include "asm/cpuid.h"
#include "asm/irqflags.h"
#include "asm/processor.h"
#include "i8254.h"
#include "jiffies.h"
#include "math64.h"
#include "printk.h"
#include "rtc.h"

/* 1 << SHIFT times the nanoseconds of a TSC cycle fit in 32 bits down to a TSC of 1 MHz. */
#define SHIFT 21
#define CALIBRATION_TICKS 2
#define NS_A_SECOND ((u32)NSEC_PER_SEC)

static u32 tsc_mult; /* 0: no TSC */
static u64 last_tsc, last_ns;
static bool has_real_time;
static u64 real_offset_ns;

static u64 rdtsc(void)
{
    u32 low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (u64)high << 32 | low;
}

static u64 pit_ns(void)
{
    u32 rest;
    u64 seconds = div_u64_rem(i8254_read_clocks(), PIT_TICK_RATE_HZ, &rest);
    return seconds * NS_A_SECOND + div_u64((u64)rest * NS_A_SECOND, PIT_TICK_RATE_HZ);
}

static void read_both(u64 *tsc, u64 *ns)
{
    unsigned long flags = local_irq_save();
    *ns = pit_ns();
    *tsc = rdtsc();
    local_irq_restore(flags);
}

void __init timekeeping_init(void)
{
    unsigned long until = jiffies + CALIBRATION_TICKS;
    bool has_tsc = cpu_features() & X86_FEATURE_TSC;
    u64 tsc = 0, ns = 0;
    if (has_tsc)
        read_both(&tsc, &ns);
    while (!time_after_eq(jiffies, until))
        safe_halt();
    if (!has_tsc)
        return;
    u64 tsc_before = tsc, ns_before = ns;
    read_both(&tsc, &ns);
    u64 cycles = tsc - tsc_before, mult = cycles >> 32 ? 0 : (ns - ns_before) << SHIFT;
    mult = cycles ? div_u64(mult, (u32)cycles) : 0;
    last_tsc = tsc;
    last_ns = ns;
    tsc_mult = mult >> 32 ? 0 : (u32)mult;
}

static u64 read_tsc_ns(u64 *tsc)
{
    *tsc = rdtsc();
    return last_ns + (((*tsc - last_tsc) * tsc_mult) >> SHIFT);
}

/* So that the difference to the last reading stays small enough to be multiplied. */
void timekeeping_tick(void)
{
    if (tsc_mult == 0)
        return;
    u64 tsc;
    last_ns = read_tsc_ns(&tsc);
    last_tsc = tsc;
}

u64 ktime_get_ns(void)
{
    if (tsc_mult == 0)
        return pit_ns();
    u64 tsc;
    unsigned long flags = local_irq_save();
    u64 ns = read_tsc_ns(&tsc);
    local_irq_restore(flags);
    return ns;
}

u64 ktime_get_real_ns(void)
{
    u64 ns = ktime_get_ns();
    if (!has_real_time)
        ktime_set_real_ns(rtc_read_seconds() * NS_A_SECOND);
    return ns + real_offset_ns;
}

void ktime_set_real_ns(u64 ns)
{
    has_real_time = true;
    real_offset_ns = ns - ktime_get_ns();
}
