/* Running out of memory (mm/oom_kill.c). */
#pragma once

#include "types.h"

/* How much sooner or later than its size says a process is to go, in thousandths of the memory there is. */
#define OOM_SCORE_ADJ_MIN (-1000) /* never */
#define OOM_SCORE_ADJ_MAX 1000

struct task_struct;
/* Pages that the process has, and its adjustment in pages: who has most goes first. */
long oom_badness(const struct task_struct *task);
/* False: the first process, a kernel thread, or one that asked never to go. */
bool oom_is_killable(const struct task_struct *task);
/* All pages that the buddy system got. */
unsigned long total_pages(void);

/*
 * For the current process there is no page: ends it, or another one that has more. Then returns, when that
 * one has had its turn, and the access can be tried again.
 */
void out_of_memory(void);
