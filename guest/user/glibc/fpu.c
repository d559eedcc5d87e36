/* x87 and SSE registers: every task has its own, a child gets a copy, a handler does no harm to them. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trial.h"

#define NR_TASKS 4
#define NR_STEPS 200000
#define ZERO_DIVIDE_MASK 4 /* in the control word */

/* Registers that the compiler does not know of: 8 on the x87's stack, and two of SSE. */
struct registers {
    double x87[8];
    float sse[2][4];
};

static void load(const struct registers *from)
{
    __asm__ volatile("fninit");
    for (int i = 7; i >= 0; i--)
        __asm__ volatile("fldl %0" ::"m"(from->x87[i]));
    __asm__ volatile("movups %0, %%xmm6\n\tmovups %1, %%xmm7" ::"m"(from->sse[0]), "m"(from->sse[1]));
}

static void store(struct registers *to)
{
    for (int i = 0; i < 8; i++)
        __asm__ volatile("fstpl %0" : "=m"(to->x87[i]));
    __asm__ volatile("movups %%xmm6, %0\n\tmovups %%xmm7, %1" : "=m"(to->sse[0]), "=m"(to->sse[1]));
}

static struct registers numbered(double first)
{
    struct registers registers;
    for (int i = 0; i < 8; i++) {
        registers.x87[i] = first + i;
        registers.sse[i / 4][i % 4] = (float)(first * 2 + i);
    }
    return registers;
}

static bool are_same(const struct registers *a, const struct registers *b)
{
    bool same = true;
    for (int i = 0; i < 8; i++)
        same = same && a->x87[i] == b->x87[i] && a->sse[i / 4][i % 4] == b->sse[i / 4][i % 4];
    return same;
}

static void spoil(int sig)
{
    struct registers other = numbered(1000);
    (void)sig;
    load(&other);
}

static void test_handler(void)
{
    struct registers mine = numbered(1), after;
    struct sigaction action = {.sa_handler = spoil};
    sigaction(SIGUSR1, &action, NULL);
    int pid = getpid(), result;
    load(&mine);
    __asm__ volatile("int $0x80" : "=a"(result) : "0"(37), "b"(pid), "c"(SIGUSR1) : "memory");
    store(&after);
    check(are_same(&mine, &after), "a handler that uses the registers leaves them as they were");
}

static void test_fork(void)
{
    struct registers mine = numbered(17), after;
    int status = -1, pid;
    load(&mine);
    __asm__ volatile("int $0x80" : "=a"(pid) : "0"(2) : "memory");
    store(&after);
    if (pid == 0)
        _exit(are_same(&mine, &after) ? 0 : 1);
    check(are_same(&mine, &after), "fork() leaves them as they were");
    waitpid(pid, &status, 0);
    check_equal(status, 0, "and the child has the same");
}

/* A sum that depends on every step: an iteration of the logistic map. */
static __attribute__((noinline)) double iterate(double x)
{
    for (int i = 0; i < NR_STEPS; i++)
        x = 3.9 * x * (1 - x);
    return x;
}

static void *iterate_in_thread(void *arg)
{
    *(double *)arg = iterate(*(double *)arg);
    return NULL;
}

static void test_turns(void)
{
    double expected[NR_TASKS], results[NR_TASKS];
    pthread_t threads[NR_TASKS];
    for (int i = 0; i < NR_TASKS; i++) {
        results[i] = 0.1 * (i + 1);
        expected[i] = iterate(results[i]);
    }
    for (int i = 0; i < NR_TASKS; i++)
        pthread_create(&threads[i], NULL, iterate_in_thread, &results[i]);
    bool same = true;
    for (int i = 0; i < NR_TASKS; i++) {
        pthread_join(threads[i], NULL);
        same = same && results[i] == expected[i];
    }
    check(same, "threads that compute by turns do not disturb each other");
}

static volatile sig_atomic_t nr_fpe;
static volatile int fpe_code;

static void note_fpe(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)context;
    nr_fpe++;
    fpe_code = info->si_code;
    /* The frame's registers come back, with the exception still wanted: leave the process to tell. */
    _exit(fpe_code == FPE_FLTDIV ? 4 : 5);
}

static void test_exceptions(void)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        struct sigaction action = {.sa_sigaction = note_fpe, .sa_flags = SA_SIGINFO};
        sigaction(SIGFPE, &action, NULL);
        const volatile double zero = 0, one = 1;
        unsigned short control;
        __asm__ volatile("fnstcw %0" : "=m"(control));
        control = (unsigned short)(control & ~ZERO_DIVIDE_MASK);
        __asm__ volatile("fldcw %0" ::"m"(control));
        volatile double quotient = one / zero;
        (void)quotient;
        __asm__ volatile("fwait");
        _exit(6);
    }
    waitpid(pid, &status, 0);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 4,
          "an exception of the FPU's is a signal that says which");
}

int main(void)
{
    trial_begin("fpu");
    test_handler();
    test_fork();
    test_turns();
    test_exceptions();
    return nr_failed;
}
