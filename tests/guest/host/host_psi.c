#include "host_psi.h"

#include "printk.h"
#include "psi.h"
#include "sched.h"
#include "seq_file.h"
#include "timekeeping.h"

#define TICK_NS 10000000ull

_Static_assert(HOST_RUNNING == TSK_RUNNING && HOST_IOWAIT == TSK_IOWAIT && HOST_MEMSTALL == TSK_MEMSTALL,
               "flags of tasks");

static struct task_struct tasks[HOST_PSI_TASKS];
static u64 now_ns;

u64 ktime_get_ns(void)
{
    return now_ns;
}

void printk(const char *fmt, ...)
{
    (void)fmt;
}

void host_psi_set(unsigned int task, unsigned int flags)
{
    psi_task_change(&tasks[task], ~flags, flags, now_ns);
}

void host_psi_pass_us(unsigned long long us)
{
    u64 end_ns = now_ns + us * 1000;
    for (u64 tick_ns = (now_ns / TICK_NS + 1) * TICK_NS; tick_ns <= end_ns; tick_ns += TICK_NS)
        psi_tick(tick_ns);
    now_ns = end_ns;
}

const char *host_psi_text(enum host_pressure pressure)
{
    static char text[512];
    static void (*const shows[NR_HOST_PRESSURES])(struct seq_file *) = {psi_cpu_show, psi_io_show,
                                                                        psi_memory_show};
    struct seq_file m = {.buf = text, .size = sizeof(text)};
    shows[pressure](&m);
    return text;
}
