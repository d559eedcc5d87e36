/*
 * More processes than there is memory for, each of which writes to memory of its own: some are ended, the
 * others and the first one keep what they have, and all of it comes back in the end. storm.children=N,
 * storm.kib=N (each).
 */
#include "ulib.h"

#define PAGE_BYTES 4096u
#define DEFAULT_KIB 1024u
#define DEFAULT_CHILDREN 60u
#define WNOHANG 1
#define SIGKILL 9

static u32 heap_bytes;

static void write_all(volatile u8 *heap, u8 value)
{
    for (u32 i = 0; i < heap_bytes; i += PAGE_BYTES)
        heap[i] = value;
}

static __noreturn void child(u8 *heap)
{
    write_all(heap, 2);
    for (;;)
        nanosleep(1, 0);
}

int main(int argc, char **argv, char **envp);

int main(int argc, char **argv, char **envp)
{
    (void)argc;
    (void)argv;
    u32 nr_wanted = getenv_u32(envp, "storm.children", DEFAULT_CHILDREN), nr_children = 0, nr_killed = 0;
    int status;
    heap_bytes = getenv_u32(envp, "storm.kib", DEFAULT_KIB) << 10;
    u8 *heap = sbrk((long)heap_bytes);
    write_all(heap, 1);
    while (nr_children < nr_wanted) {
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
           heap[0] == 1 && heap[heap_bytes - PAGE_BYTES] == 1 ? "ok" : "FAILED");
    return nr_killed == 0 || nr_killed == nr_children;
}
