/*
 * F5, the part of threads. What it takes to make a process and a thread, of a small program and of the
 * same one with much memory: fork copies page tables, pthread_create shares them. Its lines are those of
 * guest/include/lab.h.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab_program.h"

#define NR_TRIES 8
#define LARGE_KBYTES (16l << 10)

static uint64_t now(void)
{
    uint64_t time;
    __asm__ volatile("rdtsc" : "=A"(time)::"memory");
    return time;
}

/* The fewest cycles of some tries: the others were interrupted. */
static uint64_t fork_cycles(void)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < NR_TRIES; i++) {
        uint64_t begin = now();
        int pid = fork();
        if (pid == 0)
            _exit(0);
        uint64_t took = now() - begin;
        least = took < least ? took : least;
        waitpid(pid, NULL, 0);
    }
    return least;
}

static void *do_nothing(void *argument)
{
    return argument;
}

static uint64_t thread_cycles(void)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < NR_TRIES; i++) {
        pthread_t thread;
        uint64_t begin = now();
        if (pthread_create(&thread, NULL, do_nothing, NULL))
            return 0;
        uint64_t took = now() - begin;
        least = took < least ? took : least;
        pthread_join(thread, NULL);
    }
    return least;
}

int main(void)
{
    static char buffer[1024];
    uint64_t forks[2], threads[2];
    setvbuf(stdout, buffer, _IOLBF, sizeof buffer);
    thread_cycles(); /* the first one takes a stack, which the next ones find */
    for (int is_large = 0; is_large < 2; is_large++) {
        if (is_large) {
            char *memory = malloc((size_t)LARGE_KBYTES << 10);
            for (long i = 0; i < LARGE_KBYTES << 10; i += 4096)
                *(volatile char *)(memory + i) = 1;
        }
        forks[is_large] = fork_cycles();
        threads[is_large] = thread_cycles();
        printf("  %s: fork %llu cycles, pthread_create %llu\n",
               is_large ? "with 16 MiB more" : "a small program", (unsigned long long)forks[is_large],
               (unsigned long long)threads[is_large]);
    }
    check(threads[0] > 0 && threads[1] > 0, "threads begin and end");
    check(forks[1] > 2 * forks[0], "fork of the large program takes more than twice as long");
    check(threads[1] < threads[0] + threads[0] / 2, "pthread_create does not mind how large it is");
    check(threads[0] < forks[0], "and takes less than fork");
    return nr_failed ? 1 : 0;
}
