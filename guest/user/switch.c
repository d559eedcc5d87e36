/*
 * A12. Two processes take turns, and two threads of one process: each reads 16 pages when it is its turn.
 * A switch of processes loads CR3, which drops all translations that are not global; a switch of threads
 * does not.
 */
#include "lab.h"
#include "thread.h"

#define PAGE_BYTES 4096u
#define NR_PAGES 16u
#define NR_ROUNDS 64u
#define NR_ROUNDS_FIRST 4u
#define SIGKILL 9

static volatile u32 pages[NR_PAGES][PAGE_BYTES / sizeof(u32)] __aligned(4096);
static volatile bool is_over;
static struct thread partner_thread;

/* Each word in another set of the cache: what counts is the translation. */
static u32 read_pages(void)
{
    u32 sum = 0;
    for (u32 i = 0; i < NR_PAGES; i++)
        sum += pages[i][i * 16];
    return sum;
}

static void write_pages(u32 value)
{
    for (u32 i = 0; i < NR_PAGES; i++)
        pages[i][i * 16] = value;
}

static void take_turns(u32 nr_rounds)
{
    for (u32 i = 0; i < nr_rounds; i++) {
        read_pages();
        sched_yield();
    }
}

static void partner(void *unused)
{
    (void)unused;
    while (!is_over)
        take_turns(1);
}

static void measure(struct lab_region *region, const char *name)
{
    take_turns(NR_ROUNDS_FIRST);
    lab_region_begin(region, name);
    take_turns(NR_ROUNDS);
    lab_region_end(region);
}

int main(void);

int main(void)
{
    struct lab_region alone, threads, processes;
    write_pages(1);
    measure(&alone, "64 turns alone");

    if (thread_start(&partner_thread, partner, NULL)) {
        lab_skip("threads: clone says %d", errno);
        return (int)lab_status();
    }
    measure(&threads, "64 turns, two threads");
    is_over = true;
    thread_join(&partner_thread);
    is_over = false;

    int status, pid = fork();
    if (pid == 0) {
        write_pages(2);
        partner(NULL);
    }
    measure(&processes, "64 turns, two processes");
    lab_check(read_pages() == NR_PAGES, "the other process's pages are its own");
    kill(pid, SIGKILL);
    lab_check(waitpid(pid, &status, 0) == pid && status == SIGKILL, "it ran until it was ended");

    if (lab_counts_cycles()) {
        lab_figure("a turn alone", alone.counts.cycles, NR_ROUNDS, "cycles");
        lab_figure("two turns and two switches of threads", threads.counts.cycles, NR_ROUNDS, "cycles");
        lab_figure("two turns and two switches of processes", processes.counts.cycles, NR_ROUNDS, "cycles");
        lab_check(processes.counts.cycles > threads.counts.cycles, "a switch of processes costs more");
    }
    return (int)lab_status();
}
