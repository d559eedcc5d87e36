/* How tasks end. */
#include "bug.h"
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
    case SIGKILL:
        return "SIGKILL";
    case SIGSEGV:
        return "SIGSEGV";
    default:
        return "?";
    }
}

static void show_exit(int exit_code, const struct mm_struct *mm)
{
    if (exit_code & 0x7F)
        pr_notice("%s[%u]: killed by signal %d (%s)\n", current->comm, current->pid, exit_code & 0x7F,
                  signal_name(exit_code & 0x7F));
    else
        pr_notice("%s[%u]: exited with status %d\n", current->comm, current->pid, exit_code >> 8);
    if (mm == NULL)
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

void do_exit(int exit_code)
{
    struct mm_struct *mm = current->mm;
    show_exit(exit_code, mm);
    if (mm) {
        current->mm = NULL;
        switch_mm(NULL);
        mmput(mm);
    }
    current->exit_code = exit_code;
    current->state = EXIT_ZOMBIE;
    schedule();
    BUG();
}

void force_fatal_sig(int sig)
{
    do_exit(sig);
}
