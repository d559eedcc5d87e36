/*
 * P2. Two processes work in rounds, and a third looks at their USS, as one does who searches a leak: that of
 * the one that forgets what it took rises at every look, that of the other swings and comes back. Its lines
 * are those of guest/include/lab.h.
 */
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab_program.h"
#include "smaps.h"

#define NR_ROUNDS 8
#define PIECE_KBYTES 192l /* so large that malloc takes it by mmap, and free gives it back */
#define SLACK_KBYTES 8l

struct worker {
    int pid, orders, answers; /* the ends of its pipes */
    long uss[2 * NR_ROUNDS];  /* in the midst of each round, and after it; KiB */
};

/* One half of a round for each byte that comes. */
static int work(int orders, int answers, int does_leak)
{
    char c, *memory = NULL;
    int has_half = 0;
    /* Said once, it stays: else the first free would make malloc take such pieces from the heap. */
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
    while (read(orders, &c, 1) == 1) {
        if (!has_half) {
            memory = malloc((size_t)PIECE_KBYTES << 10);
            for (long i = 0; i < PIECE_KBYTES << 10; i += 4096)
                *(volatile char *)(memory + i) = 1;
        } else if (!does_leak) {
            free(memory);
        }
        has_half = !has_half;
        if (write(answers, &c, 1) != 1)
            return 1;
    }
    return 0;
}

static void start(struct worker *worker, int does_leak)
{
    int orders[2], answers[2];
    worker->pid = pipe(orders) || pipe(answers) ? -1 : fork();
    if (worker->pid == 0) {
        close(orders[1]);
        close(answers[0]);
        _exit(work(orders[0], answers[1], does_leak));
    }
    close(orders[0]);
    close(answers[1]);
    worker->orders = orders[1];
    worker->answers = answers[0];
}

static void go_on(struct worker *worker, int half)
{
    char c = 'g';
    if (write(worker->orders, &c, 1) == 1 && read(worker->answers, &c, 1) == 1)
        worker->uss[half] = sizes_of(worker->pid).uss;
}

static void end(struct worker *worker)
{
    kill(worker->pid, SIGKILL);
    waitpid(worker->pid, NULL, 0);
}

int main(void)
{
    static char buffer[1024];
    struct worker leaks = {0}, healthy = {0};
    int nr_rises = 0, nr_swings = 0, nr_returns = 0;
    setvbuf(stdout, buffer, _IOLBF, sizeof buffer);
    check(mount("proc", "/proc", "proc", 0, NULL) == 0, "/proc is there");
    start(&leaks, 1);
    start(&healthy, 0);
    check(leaks.pid > 0 && healthy.pid > 0, "two processes work");
    for (int half = 0; half < 2 * NR_ROUNDS; half++) {
        go_on(&leaks, half);
        go_on(&healthy, half);
    }
    printf("  round   USS of the one that leaks, after it   of the other in its midst   after it   (KiB)\n");
    for (int i = 0; i < NR_ROUNDS; i++) {
        const long *l = &leaks.uss[2 * i], *h = &healthy.uss[2 * i];
        printf("  %5d   %35ld   %25ld   %8ld\n", i + 1, l[1], h[0], h[1]);
        nr_rises += i > 0 && l[1] - l[-1] >= PIECE_KBYTES;
        nr_swings += h[0] - h[1] >= PIECE_KBYTES;
        nr_returns += labs(h[1] - healthy.uss[1]) <= SLACK_KBYTES;
    }
    check(nr_rises == NR_ROUNDS - 1, "what leaks has %ld KiB more at every look: %d of %d", PIECE_KBYTES,
          nr_rises, NR_ROUNDS - 1);
    check(nr_swings == NR_ROUNDS, "the other's USS swings by %ld KiB in each of %d rounds", PIECE_KBYTES,
          NR_ROUNDS);
    check(nr_returns == NR_ROUNDS, "and comes back to what it was: after each round within %ld KiB",
          SLACK_KBYTES);
    end(&leaks);
    end(&healthy);
    return nr_failed ? 1 : 0;
}
