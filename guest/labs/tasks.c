/*
 * T1, the kernel's part: where a task is to be found (list, tree, hash), its states, and its number.
 * guest/user/tasks.c is what programs see.
 */
#include "completion.h"
#include "kthread.h"
#include "lab.h"
#include "process.h"
#include "sched.h"
#include "string.h"

/* ---- List, tree, hash ---- */

/* Whether it is among its parent's children, once. */
static bool is_child_of_parent(const struct task_struct *task)
{
    const struct task_struct *child;
    u32 nr = 0;
    list_for_each_entry(child, &task->parent->children, sibling) nr += child == task;
    return nr == 1;
}

static bool leads_to_idle(const struct task_struct *task)
{
    for (u32 depth = 0; depth < PID_MAX; depth++, task = task->parent)
        if (task == &init_task)
            return true;
    return false;
}

static void check_structures(void)
{
    struct task_struct *task;
    u32 nr_tasks = 0, nr_hashed = 0, nr_children = 0, nr_rooted = 0;
    for_each_process(task)
    {
        nr_tasks++;
        nr_hashed += find_task(task->pid) == task;
        nr_children += is_child_of_parent(task);
        nr_rooted += leads_to_idle(task);
        lab_say("  pid %u, %s, child of %u%s", task->pid, task->comm, task->parent->pid,
                task->mm ? "" : ", a thread of the kernel's");
    }
    lab_check(nr_tasks >= 2 && nr_hashed == nr_tasks,
              "%u processes in the list, %u of them found by number in the hash", nr_tasks, nr_hashed);
    lab_check(nr_children == nr_tasks && nr_rooted == nr_tasks,
              "each is among its parent's children, and the parents lead up to task 0");
    lab_check(init_task.pid == 0 && find_task(0) == NULL,
              "task 0, %s, is in none of them: it runs when nobody can", init_task.comm);
    lab_check(current->pid == 1 && kthreadd_task->pid == 2 && strcmp(kthreadd_task->comm, "kthreadd") == 0,
              "pid 1 is this, the first process; pid 2 is %s", kthreadd_task->comm);
}

/* ---- States ---- */

static struct completion is_done;

static int sleep_for_good(void *state_arg)
{
    const u32 *state = state_arg;
    while (!is_done.done) {
        set_current_state(*state);
        schedule();
    }
    set_current_state(TASK_RUNNING);
    do_exit(0);
}

static void check_sleeper(u32 state, const char *what)
{
    is_done.done = false;
    struct task_struct *task = kernel_thread(sleep_for_good, &state, "sleeper");
    BUG_ON(task == NULL);
    u32 pid = task->pid;
    int exit_code;
    lab_check(sleep_until(task->state == state), "%s", what);
    is_done.done = true;
    wake_up_process(task);
    lab_check(kernel_wait(pid, &exit_code) == (long)pid && exit_code == 0,
              "it has been woken, and has ended");
}

static void check_states(void)
{
    struct task_struct *task = start_process();
    u32 pid = task->pid;
    int exit_code;
    lab_check(task->state == TASK_RUNNING, "R: a program that computes is on the run queue");
    do_kill((s32)pid, SIGSTOP);
    lab_check(sleep_until(task->state == TASK_STOPPED), "T: SIGSTOP has stopped it");
    do_kill((s32)pid, SIGCONT);
    lab_check(sleep_until(task->state == TASK_RUNNING), "R: SIGCONT lets it go on");
    do_kill((s32)pid, SIGKILL);
    lab_check(sleep_until(task->state == EXIT_ZOMBIE) && find_task(pid) == task && task->mm == NULL,
              "Z: SIGKILL has ended it; its memory is gone, its number and its exit code are kept");
    lab_check(kernel_wait(pid, &exit_code) == (long)pid && exit_code == SIGKILL && find_task(pid) == NULL,
              "when its parent has waited for it, nothing is left");
    check_sleeper(TASK_INTERRUPTIBLE, "S: a task that sleeps, and may be woken by anybody");
    check_sleeper(TASK_UNINTERRUPTIBLE, "D: a task that waits for what must come");
}

/* ---- Numbers ---- */

static void check_numbers(void)
{
    u32 largest = 0, pid = alloc_pid();
    while (pid > largest) {
        largest = pid;
        pid = alloc_pid();
    }
    lab_check(largest == PID_MAX - 1 && pid < largest && find_task(pid) == NULL,
              "numbers go up to %u; the next one is %u, which nobody has", largest, pid);
}

static void tasks(void)
{
    check_structures();
    check_states();
    check_numbers();
}
LAB("tasks", tasks);
