/* How tasks begin. */
#include "asm/switch_to.h"
#include "sched.h"
#include "slab.h"
#include "string.h"

static struct kmem_cache *task_struct_cachep;
static u32 last_pid;

void fork_init(void)
{
    task_struct_cachep = KMEM_CACHE(task_struct, SLAB_PANIC);
}

struct task_struct *kernel_thread(int (*fn)(void *), void *arg, const char *name)
{
    struct task_struct *task = kmem_cache_zalloc(task_struct_cachep, GFP_KERNEL);
    if (task == NULL)
        return NULL;
    task->stack = (void *)__get_free_pages(GFP_KERNEL, THREAD_ORDER);
    if (task->stack == NULL) {
        kmem_cache_free(task_struct_cachep, task);
        return NULL;
    }
    task->pid = ++last_pid;
    strlcpy(task->comm, name, TASK_COMM_LEN);
    copy_thread(task, fn, arg);
    list_add_tail(&task->tasks, &task_list);
    need_resched = true;
    return task;
}

void release_task(struct task_struct *task)
{
    list_del_init(&task->tasks);
    free_pages((unsigned long)task->stack, THREAD_ORDER);
    kmem_cache_free(task_struct_cachep, task);
}
