/* Threads and futexes: what a thread shares and what it does not, whom signals reach, locks that die. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "trial.h"

static uint32_t word, word2;
static __thread int own = 1;

static long futex(uint32_t *address, int op, uint32_t value, const void *timeout_or_value2,
                  uint32_t *address2, uint32_t value3)
{
    return syscall(SYS_futex, address, op, value, timeout_or_value2, address2, value3);
}

static void nap(long ms)
{
    struct timespec time = {.tv_nsec = ms * 1000000};
    nanosleep(&time, NULL);
}

struct waiter {
    pthread_t thread;
    uint32_t bits;
    long result;
    int error;
    volatile bool is_back;
};

static void *wait_for_word(void *arg)
{
    struct waiter *waiter = arg;
    waiter->result = futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 1, NULL, NULL, waiter->bits);
    waiter->error = errno;
    waiter->is_back = true;
    return NULL;
}

static void start_waiters(struct waiter *waiters, int nr)
{
    word = 1;
    for (int i = 0; i < nr; i++) {
        waiters[i].is_back = false;
        pthread_create(&waiters[i].thread, NULL, wait_for_word, &waiters[i]);
    }
    /* Until they all wait. */
    nap(100);
}

static int count_back(const struct waiter *waiters, int nr)
{
    int nr_back = 0;
    nap(50);
    for (int i = 0; i < nr; i++)
        nr_back += waiters[i].is_back;
    return nr_back;
}

static void test_futex(void)
{
    struct timespec short_time = {.tv_nsec = 30000000};
    struct waiter waiters[4] = {{.bits = 1}, {.bits = 1}, {.bits = 2}, {.bits = 4}};
    word = 5;
    check(futex(&word, FUTEX_WAIT_PRIVATE, 4, NULL, NULL, 0) == -1 && errno == EAGAIN,
          "another value: no wait");
    check(futex(&word, FUTEX_WAIT_PRIVATE, 5, &short_time, NULL, 0) == -1 && errno == ETIMEDOUT, "a timeout");
    check_equal(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0, "nobody to wake");
    start_waiters(waiters, 4);
    check_equal(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 2), 1,
                "FUTEX_WAKE_BITSET: one has bit 1");
    check(count_back(waiters, 4) == 1 && waiters[2].is_back, "and is back");
    check_equal(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)1, &word2, 1), 2,
                "FUTEX_CMP_REQUEUE wakes one and moves one");
    check_equal(count_back(waiters, 4), 2, "two are back");
    check(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)1, &word2, 9) == -1 && errno == EAGAIN,
          "not if the value is another one");
    check_equal(futex(&word2, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 1, "the one that was moved waits there");
    check_equal(futex(&word, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0), 1, "the last one here");
    for (int i = 0; i < 4; i++)
        pthread_join(waiters[i].thread, NULL);
    start_waiters(waiters, 2);
    /* word2 becomes 7; it was 3, so the second address is woken too, where nobody waits. */
    word2 = 3;
    check_equal(futex(&word, FUTEX_WAKE_OP_PRIVATE, 9, (void *)9, &word2,
                      FUTEX_OP(FUTEX_OP_ADD, 4, FUTEX_OP_CMP_EQ, 3)),
                2, "FUTEX_WAKE_OP wakes two");
    check_equal((long)word2, 7, "and adds");
    for (int i = 0; i < 2; i++)
        pthread_join(waiters[i].thread, NULL);
}

static volatile pid_t thread_pid, thread_tid, caught_by;
static volatile int caught_sig;
static volatile uintptr_t own_address;

static void note(int sig)
{
    caught_sig = sig;
    caught_by = (pid_t)syscall(SYS_gettid);
}

static void *live(void *arg)
{
    thread_pid = getpid();
    own = 2;
    own_address = (uintptr_t)&own;
    thread_tid = (pid_t)syscall(SYS_gettid);
    while (*(volatile bool *)arg)
        nap(10);
    return &own;
}

static void test_threads(void)
{
    volatile bool goes_on = true;
    sigset_t set;
    struct sigaction action = {.sa_handler = note};
    pthread_t thread;
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    pthread_create(&thread, NULL, live, (void *)&goes_on);
    while (thread_tid == 0)
        nap(10);
    check(thread_pid == getpid() && thread_tid != getpid(),
          "a thread has a number of its own in its process");
    check(own == 1 && own_address != (uintptr_t)&own, "and variables of its own");
    pthread_kill(thread, SIGUSR1);
    nap(50);
    check(caught_sig == SIGUSR1 && caught_by == thread_tid, "a signal to it reaches it");
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGUSR2);
    nap(50);
    check(caught_sig == SIGUSR2 && caught_by == thread_tid,
          "one to the process reaches who does not block it");
    goes_on = false;
    check_equal(pthread_join(thread, NULL), 0, "it is joined");
    check(syscall(SYS_tgkill, getpid(), thread_tid, 0) == -1 && errno == ESRCH, "and is no more");
}

static pthread_mutex_t robust;

static void *die_with_lock(void *arg)
{
    pthread_mutex_lock(&robust);
    return arg;
}

static void test_robust(void)
{
    pthread_t thread;
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attributes);
    pthread_create(&thread, NULL, die_with_lock, NULL);
    pthread_join(thread, NULL);
    check_equal(pthread_mutex_lock(&robust), EOWNERDEAD, "a lock tells that its owner has died");
    pthread_mutex_consistent(&robust);
    pthread_mutex_unlock(&robust);
    check_equal(pthread_mutex_lock(&robust), 0, "and can be used again");
    pthread_mutex_unlock(&robust);
}

static void *sleep_for_ever(void *arg)
{
    for (;;)
        pause();
    return arg;
}

static void *exit_process(void *arg)
{
    nap(20);
    exit(arg ? 9 : 8);
}

static void *fault(void *arg)
{
    *(volatile int *)arg = 1;
    return NULL;
}

/* A child with some threads; what becomes of it when one of them does this. */
static int status_after(void *(*what)(void *), void *arg)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t thread;
        for (int i = 0; i < 3; i++)
            pthread_create(&thread, NULL, sleep_for_ever, NULL);
        pthread_create(&thread, NULL, what, arg);
        pthread_exit(NULL);
    }
    waitpid(pid, &status, 0);
    return status;
}

static void *stop_and_go(void *arg)
{
    nap(20);
    kill(getpid(), SIGSTOP);
    nap(20);
    _exit(arg ? 5 : 6);
}

static void test_process(void)
{
    int status = status_after(exit_process, NULL);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 8,
          "exit() by a thread ends them all, the first one gone");
    status = status_after(fault, NULL);
    check(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "so does its fault");
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, sleep_for_ever, NULL);
        pthread_create(&thread, NULL, stop_and_go, NULL);
        sleep_for_ever(NULL);
    }
    check(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status),
          "a process stops with all its threads");
    kill(pid, SIGCONT);
    check(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 6,
          "and goes on with them");
}

int main(void)
{
    trial_begin("futexes");
    test_futex();
    test_threads();
    test_robust();
    test_process();
    return nr_failed;
}
