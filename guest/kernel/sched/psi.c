/* Pressure (include/psi.h). */
#include "psi.h"
#include "asm/irqflags.h"
#include "math64.h"
#include "sched.h"
#include "seq_file.h"
#include "timekeeping.h"

#define PSI_PERIOD_NS 2000000000ull
#define NR_AVERAGES 3u
#define FSHIFT 11u /* bits behind the point of an average, which is in percent */
#define FIXED_1 (1ul << FSHIFT)

/* e^(-2 s / 10 s, 60 s, 300 s) */
static const u32 decay[NR_AVERAGES] = {1677, 1981, 2034};

static struct psi_state {
    u64 total_ns, total_ns_then; /* up to the last change; when the averages were taken */
    unsigned long avg[NR_AVERAGES];
} states[NR_PSI_STATES];
static u64 last_change_ns, last_average_ns;
static u32 active; /* a bit for each state in which the system is since then */

/* Tasks, by what they are; and those that run for something else than memory. */
static struct {
    u32 running, iowait, memstall, productive;
} nr;

u32 nr_iowait(void)
{
    return nr.iowait;
}

static void count(u32 flags, u32 delta)
{
    if (flags & TSK_RUNNING)
        nr.running += delta;
    if (flags & TSK_IOWAIT)
        nr.iowait += delta;
    if (flags & TSK_MEMSTALL)
        nr.memstall += delta;
    if ((flags & (TSK_RUNNING | TSK_MEMSTALL)) == TSK_RUNNING)
        nr.productive += delta;
}

static u32 active_states(void)
{
    u32 now = nr.running > 1 ? 1u << PSI_CPU_SOME : 0;
    if (nr.iowait)
        now |= 1u << PSI_IO_SOME | (u32)(nr.running == 0) << PSI_IO_FULL;
    if (nr.memstall)
        now |= 1u << PSI_MEM_SOME | (u32)(nr.productive == 0) << PSI_MEM_FULL;
    return now;
}

/* What has been so up to now goes on its account. */
static void account(u64 now_ns)
{
    u64 ns = now_ns - last_change_ns;
    last_change_ns = now_ns;
    for (enum psi_states state = 0; active >> state; state++)
        if (active & 1u << state)
            states[state].total_ns += ns;
}

void psi_task_change(struct task_struct *task, u32 clear, u32 set, u64 now_ns)
{
    u32 flags = (task->psi_flags & ~clear) | set;
    if (flags == task->psi_flags)
        return;
    account(now_ns);
    count(task->psi_flags, -1u);
    count(flags, 1);
    task->psi_flags = flags;
    active = active_states();
}

/* So that a state that lasts brings the average to 100, and its end to 0. */
static unsigned long average(unsigned long old, u32 factor, unsigned long percent)
{
    unsigned long sum = old * factor + percent * (FIXED_1 - factor);
    if (percent >= old)
        sum += FIXED_1 - 1;
    return sum >> FSHIFT;
}

static void take_averages(u64 now_ns)
{
    u64 period_ns = now_ns - last_average_ns;
    for (enum psi_states i = 0; i < NR_PSI_STATES; i++) {
        struct psi_state *state = &states[i];
        u64 ns = min(state->total_ns - state->total_ns_then, period_ns);
        /* Both in units of a kibi-nanosecond, so that the divisor has 32 bits. */
        unsigned long percent = (unsigned long)div_u64((ns >> 10) * (100 * FIXED_1), (u32)(period_ns >> 10));
        state->total_ns_then = state->total_ns;
        for (u32 j = 0; j < NR_AVERAGES; j++)
            state->avg[j] = average(state->avg[j], decay[j], percent);
    }
    last_average_ns = now_ns;
}

void psi_tick(u64 now_ns)
{
    if (now_ns - last_average_ns < PSI_PERIOD_NS)
        return;
    account(now_ns);
    take_averages(now_ns);
}

u64 psi_total_ns(enum psi_states state, u64 now_ns)
{
    account(now_ns);
    return states[state].total_ns;
}

static void show_line(struct seq_file *m, const char *name, const struct psi_state *state)
{
    seq_printf(m, "%s", name);
    static const char *const names[NR_AVERAGES] = {"avg10", "avg60", "avg300"};
    for (u32 i = 0; i < NR_AVERAGES; i++)
        seq_printf(m, " %s=%lu.%02lu", names[i], state->avg[i] >> FSHIFT,
                   ((state->avg[i] & (FIXED_1 - 1)) * 100) >> FSHIFT);
    seq_printf(m, " total=%llu\n", div_u64(state->total_ns, 1000));
}

/* full: NULL: the state cannot be. */
static void show(struct seq_file *m, const struct psi_state *some, const struct psi_state *full)
{
    static const struct psi_state never;
    unsigned long flags = local_irq_save();
    account(sched_clock());
    local_irq_restore(flags);
    show_line(m, "some", some);
    show_line(m, "full", full ? full : &never);
}

void psi_io_show(struct seq_file *m)
{
    show(m, &states[PSI_IO_SOME], &states[PSI_IO_FULL]);
}

void psi_memory_show(struct seq_file *m)
{
    show(m, &states[PSI_MEM_SOME], &states[PSI_MEM_FULL]);
}

/* Of the whole system: while tasks wait for the CPU, one has it. */
void psi_cpu_show(struct seq_file *m)
{
    show(m, &states[PSI_CPU_SOME], NULL);
}
