/*
 * P1. Four ways to say how large a process is: VSS, all its addresses; RSS, what of it is in memory; PSS,
 * that with shared pages divided among those who share them; USS, what would be free without it. Three
 * processes of one program share its code and the C library's. Its lines are those of guest/include/lab.h.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab_program.h"
#include "smaps.h"

#define NR 3
#define PIECE_KBYTES 256l /* of its own, that each has more than the one before */

/* A process of the program, when it has all its memory. */
static int start(int number)
{
    char pieces[16], c;
    int ends[2];
    snprintf(pieces, sizeof pieces, "%d", number);
    int pid = pipe(ends) ? -1 : fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        /* What it calls is looked up at once, so that its size does not change when it goes to sleep. */
        execle("/proc/self/exe", "sizes", pieces, NULL, (char *const[]){(char *)"LD_BIND_NOW=1", NULL});
        _exit(1);
    }
    close(ends[1]);
    check(pid > 0 && read(ends[0], &c, 1) == 1, "process %d has %ld KiB of its own", number,
          number * PIECE_KBYTES);
    close(ends[0]);
    return pid;
}

static int be_process(long kbytes)
{
    char *memory = malloc((size_t)kbytes << 10);
    for (long i = 0; i < kbytes << 10; i += 4096)
        *(volatile char *)(memory + i) = 1;
    return write(1, "w", 1) == 1 ? pause() : 1;
}

static void end(int pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
    static char buffer[1024];
    struct sizes sizes[NR], alone;
    int pids[NR];
    if (argc > 1)
        return be_process(atol(argv[1]) * PIECE_KBYTES);
    setvbuf(stdout, buffer, _IOLBF, sizeof buffer);
    check(mount("proc", "/proc", "proc", 0, NULL) == 0, "/proc is there");
    for (int i = 0; i < NR; i++)
        pids[i] = start(i + 1);
    printf("  process     VSS      RSS      PSS      USS   the C library's code: RSS      PSS\n");
    for (int i = 0; i < NR; i++) {
        struct sizes *s = &sizes[i];
        *s = sizes_of(pids[i]);
        printf("  %7d %7ld  %7ld  %7ld  %7ld                      %9ld  %7ld\n", i + 1, s->vss, s->rss,
               s->pss, s->uss, s->libc_rss, s->libc_pss);
    }
    for (int i = 0; i < NR; i++) {
        const struct sizes *s = &sizes[i];
        check(s->vss >= s->rss && s->rss >= s->pss && s->pss >= s->uss,
              "VSS >= RSS >= PSS >= USS of process %d", i + 1);
        check(s->libc_rss > 0 && s->libc_private == 0 && s->libc_pss <= s->libc_rss / NR + 1,
              "it has no page of the C library's code for itself, and a third of them or less counts");
    }
    for (int i = 1; i < NR; i++)
        check(sizes[i].uss - sizes[i - 1].uss >= PIECE_KBYTES &&
                  sizes[i].uss - sizes[i - 1].uss <= PIECE_KBYTES + 8,
              "the USS of process %d is larger by what it has of its own: %ld KiB", i + 1,
              sizes[i].uss - sizes[i - 1].uss);
    end(pids[1]);
    end(pids[2]);
    alone = sizes_of(pids[0]);
    check(alone.rss == sizes[0].rss, "the others end: the RSS of the first stays %ld KiB", alone.rss);
    check(alone.pss > sizes[0].pss && alone.uss > sizes[0].uss,
          "its PSS grows from %ld to %ld KiB, its USS from %ld to %ld: it shares with fewer", sizes[0].pss,
          alone.pss, sizes[0].uss, alone.uss);
    end(pids[0]);
    return nr_failed ? 1 : 0;
}
