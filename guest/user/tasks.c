/*
 * T1, the programs' part: zombies, orphans, threads. guest/labs/tasks.c is the kernel's.
 */
#include "lab.h"
#include "syscalls.h"
#include "thread.h"

#define ESRCH 3
#define SIGUSR1 10
#define SIG_IGN 1u
#define P_PID 1u
#define WEXITED 0x4u
#define WNOWAIT 0x01000000u
#define MOST_TURNS 100000u

static int gettid(void)
{
    return (int)syscall(__NR_gettid, 0, 0, 0);
}

/* A signal's handler, as the kernel has it for this process: sigaction(2)'s first word. */
static u32 handler_of(int sig)
{
    u32 action[4] = {0};
    return syscall(__NR_sigaction, (u32)sig, 0, (uintptr_t)action) ? ~0u : action[0];
}

static void ignore(int sig)
{
    const u32 action[4] = {SIG_IGN};
    (void)syscall(__NR_sigaction, (u32)sig, (uintptr_t)action, 0);
}

/* Returns when the child has ended, and leaves it as it is. */
static void waitid_ended(int pid)
{
    u32 info[32];
    (void)syscall5(__NR_waitid, P_PID, (u32)pid, (uintptr_t)info, WEXITED | WNOWAIT, 0);
}

static void check_zombie(void)
{
    int status, pid = fork();
    if (pid == 0)
        exit(42);
    waitid_ended(pid);
    lab_check(kill(pid, 0) == 0, "a child that has ended is there as long as nobody has waited for it");
    int waited_for = waitpid(pid, &status, 0);
    lab_check(waited_for == pid && status == 42 << 8, "wait gives its status, %d", status >> 8);
    lab_check(kill(pid, 0) == -1 && errno == ESRCH, "then it is gone");
}

/* The child's child outlives it. Its status says whose child it became. */
static void check_orphan(void)
{
    int status, pid = fork();
    if (pid == 0) {
        if (fork() == 0) {
            for (u32 i = 0; getppid() != 1 && i < MOST_TURNS; i++)
                sched_yield();
            exit(getppid());
        }
        exit(0);
    }
    waitpid(pid, &status, 0);
    int orphan = waitpid(-1, &status, 0);
    lab_check(getpid() == 1 && orphan > 0 && orphan != pid && status == 1 << 8,
              "an orphan becomes a child of process %d, which waits for it", status >> 8);
}

static struct thread thread;
static volatile int pid_there, tid_there, file_there, word = 1;

static void other_thread(void *unused)
{
    (void)unused;
    pid_there = getpid();
    tid_there = gettid();
    word = 2;
    file_there = (int)syscall(__NR_dup, 1, 0, 0);
    ignore(SIGUSR1);
}

static void check_thread(void)
{
    u32 handler_before = handler_of(SIGUSR1);
    lab_check(thread_start(&thread, other_thread, NULL) == 0, "a second thread");
    thread_join(&thread);
    lab_check(pid_there == getpid() && tid_there != gettid() && tid_there != pid_there,
              "getpid is %d in both, the thread group's number; gettid is %d and %d", pid_there, gettid(),
              tid_there);
    lab_check(word == 2, "they share memory: what the one has written the other reads");
    int file = file_there;
    bool is_open = file > 2 && write(file, "", 0) == 0;
    lab_check(is_open && syscall(__NR_close, (u32)file, 0, 0) == 0,
              "they share files: what the one has opened, file %d, the other writes to and closes", file);
    lab_check(handler_before == 0 && handler_of(SIGUSR1) == SIG_IGN,
              "they share signal handlers: what the one ignores the other ignores");

    word = 1;
    int status, pid = fork();
    if (pid == 0) {
        other_thread(NULL);
        exit(0);
    }
    waitpid(pid, &status, 0);
    lab_check(word == 1, "a process has its own memory: what it writes nobody else reads");
    lab_check(write(file, "", 0) == -1, "and its own files: what it opens is not open here");
}

int main(void);

int main(void)
{
    check_zombie();
    check_orphan();
    check_thread();
    return (int)lab_status();
}
