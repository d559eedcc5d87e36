/* How tasks end. */
#include "bug.h"
#include "errno.h"
#include "printk.h"
#include "sched.h"

const char *signal_name(int sig)
{
    switch (sig) {
    case SIGILL:
        return "SIGILL";
    case SIGTRAP:
        return "SIGTRAP";
    case SIGBUS:
        return "SIGBUS";
    case SIGFPE:
        return "SIGFPE";
    case SIGHUP:
        return "SIGHUP";
    case SIGINT:
        return "SIGINT";
    case SIGKILL:
        return "SIGKILL";
    case SIGTERM:
        return "SIGTERM";
    case SIGSEGV:
        return "SIGSEGV";
    default:
        return "?";
    }
}

/* How the first process ended, and what memory it took; of others, when a signal ended them. */
static void show_exit(int exit_code, const struct mm_struct *mm)
{
    if (current->pid != 1 && !(exit_code & 0x7F))
        return;
    if (exit_code & 0x7F)
        pr_notice("%s[%u]: killed by signal %d (%s)\n", current->comm, current->pid, exit_code & 0x7F,
                  signal_name(exit_code & 0x7F));
    else
        pr_notice("%s[%u]: exited with status %d\n", current->comm, current->pid, exit_code >> 8);
    if (mm == NULL || current->pid != 1)
        return;
    const unsigned long *faults = mm->nr_faults;
    pr_notice("%s[%u]: %lu demand faults: %lu text, %lu data, %lu bss, %lu heap, %lu mmap, %lu stack (%lu of "
              "them reads of the zero page)\n",
              current->comm, current->pid, current->min_flt, faults[FAULT_TEXT], faults[FAULT_DATA],
              faults[FAULT_BSS], faults[FAULT_HEAP], faults[FAULT_MMAP], faults[FAULT_STACK],
              mm->nr_zero_page_faults);
    pr_notice("%s[%u]: %lu pages in areas, at most %lu present, %lu page tables and a page directory\n",
              current->comm, current->pid, mm->total_vm, mm->hiwater_rss, mm->nr_ptes);
}

/* Pid 1 becomes the parent of the children of one that ends, and waits for them. */
static void forget_original_parent(void)
{
    struct task_struct *task, *reaper = find_task(1);
    list_for_each_entry(task, &task_list, tasks)
    {
        if (task->parent != current)
            continue;
        task->parent = reaper;
        if (task->state == EXIT_ZOMBIE)
            wake_up_process(reaper);
    }
}

/* The first task's end is the end of all others, too. */
static void end_all_others(void)
{
    int exit_code;
    current->pending = 0;
    while (do_kill(-1, SIGKILL) == 0)
        if (do_wait(-1, 0, &exit_code) < 0)
            break;
    while (do_wait(-1, WNOHANG, &exit_code) > 0)
        ;
}

void do_exit(int exit_code)
{
    struct mm_struct *mm = current->mm;
    if (current->pid == 1)
        end_all_others();
    show_exit(exit_code, mm);
    if (mm) {
        current->mm = NULL;
        switch_mm(NULL);
        mmput(mm);
    }
    forget_original_parent();
    current->exit_code = exit_code;
    current->state = EXIT_ZOMBIE;
    /* A parent that sleeps for anything else looks again, and goes on sleeping. */
    if (current->parent->waits_for_child)
        wake_up_process(current->parent);
    schedule();
    BUG();
}

void force_fatal_sig(int sig)
{
    do_exit(sig);
}

/* A child that this is about: one that has ended if there is one, or else one that has not; NULL: none. */
static struct task_struct *find_child(s32 pid)
{
    struct task_struct *task, *found = NULL;
    list_for_each_entry(task, &task_list, tasks)
    {
        if (task->parent != current || (pid > 0 && task->pid != (u32)pid))
            continue;
        found = task;
        if (task->state == EXIT_ZOMBIE)
            break;
    }
    return found;
}

long do_wait(s32 pid, u32 options, int *exit_code)
{
    for (;;) {
        struct task_struct *child = find_child(pid);
        if (child == NULL)
            return -ECHILD;
        if (child->state == EXIT_ZOMBIE) {
            long number = (long)child->pid;
            *exit_code = child->exit_code;
            release_task(child);
            return number;
        }
        if (options & WNOHANG)
            return 0;
        if (signal_pending(current))
            return -EINTR;
        /* Children run only when this task does not: none can end before it sleeps. */
        current->waits_for_child = true;
        current->state = TASK_INTERRUPTIBLE;
        schedule();
        current->waits_for_child = false;
    }
}
