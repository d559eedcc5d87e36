/*
 * More processes than there is memory for, each of which writes to a MiB of its own: some are ended, the
 * others and the first one keep what they have, and all of it comes back in the end.
 */
#include "ulib.h"

#define PAGE_BYTES 4096u
#define HEAP_BYTES (1u << 20)
#define NR_CHILDREN 60
#define WNOHANG 1
#define SIGKILL 9

static void write_all(volatile u8 *heap, u8 value)
{
    for (u32 i = 0; i < HEAP_BYTES; i += PAGE_BYTES)
        heap[i] = value;
}

static __noreturn void child(u8 *heap)
{
    write_all(heap, 2);
    for (;;)
        nanosleep(1, 0);
}

int main(void);

int main(void)
{
    int nr_children = 0, nr_killed = 0, status;
    u8 *heap = sbrk(HEAP_BYTES);
    write_all(heap, 1);
    while (nr_children < NR_CHILDREN) {
        int pid = fork();
        if (pid < 0)
            break;
        if (pid == 0)
            child(heap);
        nr_children++;
    }
    nanosleep(0, 500000000);
    while (waitpid(-1, &status, WNOHANG) > 0)
        nr_killed += status == SIGKILL;
    printf("storm: some were ended for want of memory: %s\n", nr_killed > 0 ? "ok" : "FAILED");
    printf("storm: some were not: %s\n", nr_killed < nr_children ? "ok" : "FAILED");
    printf("storm: the first one's memory: %s\n",
           heap[0] == 1 && heap[HEAP_BYTES - PAGE_BYTES] == 1 ? "ok" : "FAILED");
    return nr_killed == 0 || nr_killed == nr_children;
}
