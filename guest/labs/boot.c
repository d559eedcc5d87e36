/*
 * T8. What the boot has left: it is over when the first task runs, which here is this lab. The steps and
 * their cycles are the marks of boot/ and kernel/main.c.
 */
#include "asm/processor.h"
#include "asm/setup.h"
#include "jiffies.h"
#include "lab.h"
#include "lookaside.h"
#include "mm.h"
#include "params.h"
#include "sched.h"
#include "string.h"

enum { IDLE_TICKS = 5 };

/* Nobody can run while this task sleeps: the idle task halts the processor. */
static void check_idle(void)
{
    struct lab_region idle;
    unsigned long before = jiffies;
    lab_region_begin(&idle, "idle for 5 ticks");
    schedule_timeout_uninterruptible(IDLE_TICKS);
    lab_region_end(&idle);
    lab_check(jiffies - before >= IDLE_TICKS, "the timer ticks: %lu times while this task slept",
              jiffies - before);
    if (lab_has_counters())
        lab_check(idle.counts.instructions < idle.counts.cycles / 100,
                  "the idle task halts: %llu instructions in %llu cycles", idle.counts.instructions,
                  idle.counts.cycles);
}

static void boot(void)
{
    u32 cr0 = read_cr0();
    lab_check((cr0 & X86_CR0_PE) && (cr0 & X86_CR0_PG) && (cr0 & X86_CR0_WP),
              "CR0 is %08x: PE (protected mode), PG (paging), WP (read-only for the kernel, too)", cr0);
    lab_check(strcmp(boot_params.lab, "boot") == 0, "the command line has been read: \"%s\"",
              saved_command_line);
    const struct page *page = virt_to_page(__init_begin);
    lab_check(!(page->flags & PG_reserved), "what only the boot needed is free: %lu KiB of code and data",
              (unsigned long)(__init_end - __init_begin) >> 10);
    lab_check(init_task.pid == 0 && current->pid == 1, "the boot has become task 0, %s, and this is task %u",
              init_task.comm, current->pid);
    check_idle();
}
LAB("boot", boot);
