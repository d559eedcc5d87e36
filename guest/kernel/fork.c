/* How tasks begin. */
#include "asm/ptrace.h"
#include "asm/switch_to.h"
#include "errno.h"
#include "fork_mm.h"
#include "sched.h"
#include "slab.h"
#include "string.h"

static struct kmem_cache *task_struct_cachep;
static u32 last_pid, nr_tasks, max_tasks;

/* Stacks may take an eighth of memory at most, and there are always numbers left. */
void fork_init(void)
{
    task_struct_cachep = KMEM_CACHE(task_struct, SLAB_PANIC);
    max_tasks = min((u32)max_pfn / (8u << THREAD_ORDER), PID_MAX / 2);
}

struct task_struct *find_task(u32 pid)
{
    struct task_struct *task;
    list_for_each_entry(task, &task_list, tasks)
    {
        if (task->pid == pid)
            return task;
    }
    return NULL;
}

/* The next number that no task has; they begin anew behind PID_MAX. */
static u32 alloc_pid(void)
{
    do
        last_pid = last_pid + 1 < PID_MAX ? last_pid + 1 : 1;
    while (find_task(last_pid));
    return last_pid;
}

struct task_struct *alloc_task(const char *name)
{
    struct task_struct *task = kmem_cache_zalloc(task_struct_cachep, GFP_KERNEL);
    if (task == NULL)
        return NULL;
    task->stack = (void *)__get_free_pages(GFP_KERNEL, THREAD_ORDER);
    if (task->stack == NULL) {
        kmem_cache_free(task_struct_cachep, task);
        return NULL;
    }
    INIT_LIST_HEAD(&task->tasks);
    task->parent = current;
    strlcpy(task->comm, name, TASK_COMM_LEN);
    return task;
}

void start_task(struct task_struct *task)
{
    task->pid = alloc_pid();
    nr_tasks++;
    list_add_tail(&task->tasks, &task_list);
    need_resched = true;
}

struct task_struct *kernel_thread(int (*fn)(void *), void *arg, const char *name)
{
    struct task_struct *task = alloc_task(name);
    if (task == NULL)
        return NULL;
    copy_thread(task, fn, arg);
    start_task(task);
    return task;
}

static int return_to_user(void *unused)
{
    (void)unused;
    return 0;
}

long do_fork(void)
{
    if (nr_tasks >= max_tasks)
        return -EAGAIN;
    struct task_struct *task = alloc_task(current->comm);
    if (task == NULL)
        return -ENOMEM;
    task->mm = dup_mm(current->mm);
    if (task->mm == NULL) {
        release_task(task);
        return -ENOMEM;
    }
    copy_thread(task, return_to_user, NULL);
    *task_pt_regs(task) = *task_pt_regs(current);
    task_pt_regs(task)->ax = 0;
    start_task(task);
    return (long)task->pid;
}

void release_task(struct task_struct *task)
{
    /* One that never started has no number. */
    nr_tasks -= task->pid != 0;
    list_del_init(&task->tasks);
    free_pages((unsigned long)task->stack, THREAD_ORDER);
    kmem_cache_free(task_struct_cachep, task);
}
