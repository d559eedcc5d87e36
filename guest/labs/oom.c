/* R9, the kernel's part: the points of a process, against its page tables. guest/user/oom.c is the rest. */
#include "oom.h"
#include "lab.h"
#include "memstat.h"
#include "process.h"

/* Tables of page-table entries, counted where there can be one. */
static unsigned long count_tables(struct mm_struct *mm)
{
    unsigned long nr = 0;
    for (unsigned long address = 0; address < TASK_SIZE; address += PAGE_SIZE * PTRS_PER_PTE)
        nr += find_pte(mm, address) != NULL;
    return nr;
}

static void oom(void)
{
    static const int adjs[] = {-999, -500, -1, 0, 1, 500, 1000};
    struct task_struct *task = start_process();
    struct mem_size_stats stats = {0};
    mm_gather_stats(task->mm, &stats);
    long pages = (long)(stats.resident >> PAGE_SHIFT), tables = (long)count_tables(task->mm);
    long total = (long)oom_totalpages();
    lab_say("a process with %ld pages and %ld page tables, of %ld pages", pages, tables, total);
    for (u32 i = 0; i < ARRAY_SIZE(adjs); i++) {
        long expected = pages + tables + adjs[i] * (total / 1000);
        task->signal->oom_score_adj = adjs[i];
        lab_check(oom_badness(task, (unsigned long)total) == expected, "oom_score_adj %d: %ld points",
                  adjs[i], expected);
    }
    task->signal->oom_score_adj = OOM_SCORE_ADJ_MIN;
    lab_check(oom_badness(task, (unsigned long)total) == OOM_NEVER, "oom_score_adj -1000: never");
    task->signal->oom_score_adj = 0;
    lab_check(oom_badness(current, (unsigned long)total) == OOM_NEVER &&
                  oom_badness(kthreadd_task, (unsigned long)total) == OOM_NEVER,
              "neither do the first process and the threads of the kernel's");
    end_process(task);
}
LAB("oom", oom);
