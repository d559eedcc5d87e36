/* Files about the system as a whole (proc(5)). */
#include "asm/irq.h"
#include "asm/trapnr.h"
#include "internal.h"
#include "jiffies.h"
#include "loadavg.h"
#include "math64.h"
#include "params.h"
#include "sched.h"
#include "timekeeping.h"
#include "utsname.h"

void version_show(struct seq_file *m)
{
    seq_printf(m, "%s version %s (gcc %s) %s\n", utsname.sysname, utsname.release, __VERSION__,
               utsname.version);
}

void cmdline_show(struct seq_file *m)
{
    seq_printf(m, "%s\n", saved_command_line);
}

/* Hundredths of a second as seconds. */
static void show_centiseconds(struct seq_file *m, u64 value, const char *end)
{
    u32 hundredths;
    u64 seconds = div_u64_rem(value, 100, &hundredths);
    seq_printf(m, "%llu.%02u%s", seconds, hundredths, end);
}

void uptime_show(struct seq_file *m)
{
    show_centiseconds(m, div_u64(ktime_get_ns(), 10000000), " ");
    show_centiseconds(m, div_u64(kernel_cpustat.idle * 100, HZ), "\n");
}

void loadavg_show(struct seq_file *m)
{
    for (unsigned int i = 0; i < 3; i++) {
        unsigned long load = avenrun[i] + (1ul << LOAD_SHIFT) / 200; /* rounds */
        unsigned long fraction = load & ((1ul << LOAD_SHIFT) - 1);
        seq_printf(m, "%lu.%02lu ", load >> LOAD_SHIFT, (fraction * 100) >> LOAD_SHIFT);
    }
    seq_printf(m, "%u/%u %u\n", nr_running(), nr_threads, last_pid);
}

static u32 nr_in_state(u32 state)
{
    u32 nr = 0;
    struct task_struct *process, *task;
    for_each_process(process)
    {
        task = process;
        do {
            nr += task->state == state;
        }
        while_each_thread(process, task);
    }
    return nr;
}

void stat_show(struct seq_file *m)
{
    const struct kernel_cpustat *cpu = &kernel_cpustat;
    static const char *const names[] = {"cpu ", "cpu0"};
    for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
        seq_printf(m, "%s %llu %llu %llu %llu %llu 0 0 0 0 0\n", names[i], cpu->user, cpu->nice, cpu->system,
                   cpu->idle, cpu->iowait);
    u64 total = 0;
    for (unsigned int irq = 0; irq < NR_IRQS; irq++)
        total += kstat_irqs(irq);
    seq_printf(m, "intr %llu", total);
    for (unsigned int irq = 0; irq < NR_IRQS; irq++)
        seq_printf(m, " %lu", kstat_irqs(irq));
    seq_printf(m, "\nctxt %llu\nbtime %llu\nprocesses %lu\n", nr_context_switches(),
               div_u64(ktime_get_real_ns() - ktime_get_ns(), 1000000000), total_forks);
    seq_printf(m, "procs_running %u\nprocs_blocked %u\n", nr_running(), nr_in_state(TASK_UNINTERRUPTIBLE));
}
