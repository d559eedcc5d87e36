/* To which groups a task belongs (proc(5), cgroups(7)): there is one hierarchy, of memory. */
#include "internal.h"
#include "memcontrol.h"
#include "sched.h"

int proc_pid_cgroup(struct seq_file *m, struct task_struct *task)
{
    seq_printf(m, "1:memory:");
    mem_cgroup_show_path(m, task->signal->memcg);
    seq_printf(m, "\n");
    return 0;
}

void cgroups_show(struct seq_file *m)
{
    u32 nr = 1;
    for (u32 id = 1; id < NR_MEM_CGROUPS; id++)
        nr += mem_cgroups[id] != NULL;
    seq_printf(m, "#subsys_name\thierarchy\tnum_cgroups\tenabled\nmemory\t1\t%u\t1\n", nr);
}
