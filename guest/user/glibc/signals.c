/*
 * Signals: handlers and what they are told, masks, queues, the alternate stack, faults, and system calls that
 * a signal interrupts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "trial.h"

#define ALT_STACK_BYTES 65536
#define MOST_SEEN 16

static volatile sig_atomic_t nr_seen;
static volatile int seen[MOST_SEEN], seen_values[MOST_SEEN];
static siginfo_t last_info;
static sigset_t mask_in_handler;
static volatile uintptr_t stack_in_handler;
static sigjmp_buf after_fault;

static void note(int sig, siginfo_t *info, void *context)
{
    char local;
    (void)context;
    if (nr_seen < MOST_SEEN) {
        seen[nr_seen] = sig;
        seen_values[nr_seen] = info->si_value.sival_int;
    }
    nr_seen++;
    last_info = *info;
    sigprocmask(SIG_BLOCK, NULL, &mask_in_handler);
    stack_in_handler = (uintptr_t)&local;
}

static void handle(int sig, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    sigemptyset(&action.sa_mask);
    sigaction(sig, &action, NULL);
}

static void handle_plainly(int sig, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    sigaction(sig, &action, NULL);
}

static sigset_t set_of(int sig)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, sig);
    return set;
}

static void block(int how, int sig)
{
    sigset_t set = set_of(sig);
    sigprocmask(how, &set, NULL);
}

static void test_handlers(void)
{
    struct sigaction old;
    handle(SIGUSR1, note, 0);
    nr_seen = 0;
    check_equal(kill(getpid(), SIGUSR1), 0, "kill() of oneself");
    check_equal(nr_seen, 1, "the handler has run when kill() returns");
    check(last_info.si_code == SI_USER && last_info.si_pid == getpid(), "it was told who sent the signal");
    check(sigismember(&mask_in_handler, SIGUSR1) == 1, "its own signal was blocked meanwhile");
    sigprocmask(SIG_BLOCK, NULL, &mask_in_handler);
    check(sigismember(&mask_in_handler, SIGUSR1) == 0, "and is not any more");
    handle(SIGUSR1, note, SA_NODEFER);
    raise(SIGUSR1);
    check(sigismember(&mask_in_handler, SIGUSR1) == 0, "SA_NODEFER: it is not blocked");
    check(last_info.si_code == SI_TKILL, "raise() sends to the thread");
    handle(SIGUSR1, note, SA_RESETHAND);
    raise(SIGUSR1);
    sigaction(SIGUSR1, NULL, &old);
    check(old.sa_handler == SIG_DFL, "SA_RESETHAND: the handler is gone after one signal");
    errno = 0;
    check(sigaction(SIGKILL, &old, NULL) == -1 && errno == EINVAL, "SIGKILL cannot be caught");
    check(sigaction(SIGSTOP, &old, NULL) == -1 && errno == EINVAL, "nor can SIGSTOP");
    check(kill(getpid(), 0) == 0, "signal 0 only asks");
    check(kill(999999, 0) == -1 && errno == ESRCH, "who is not there cannot be reached");
    check(kill(getpid(), 65) == -1 && errno == EINVAL, "there is no signal 65");
}

static void send_value(int sig, int value)
{
    sigqueue(getpid(), sig, (union sigval){.sival_int = value});
}

static void test_queues(void)
{
    sigset_t pending;
    int first = SIGRTMIN, second = SIGRTMIN + 1;
    handle(SIGUSR1, note, 0);
    handle(first, note, 0);
    handle(second, note, 0);
    nr_seen = 0;
    block(SIG_BLOCK, SIGUSR1);
    block(SIG_BLOCK, first);
    block(SIG_BLOCK, second);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
    send_value(second, 1);
    send_value(first, 2);
    send_value(first, 3);
    send_value(first, 4);
    sigpending(&pending);
    check(nr_seen == 0 && sigismember(&pending, SIGUSR1) == 1 && sigismember(&pending, first) == 1,
          "signals that are blocked wait");
    block(SIG_UNBLOCK, SIGUSR1);
    check_equal(nr_seen, 1, "of two standard signals, one is left");
    block(SIG_UNBLOCK, first);
    check_equal(nr_seen, 4, "of three real-time signals, all");
    check(seen_values[1] == 2 && seen_values[2] == 3 && seen_values[3] == 4, "with their values, in order");
    check(last_info.si_code == SI_QUEUE && last_info.si_pid == getpid(), "they say that they were queued");
    block(SIG_UNBLOCK, second);
    check(nr_seen == 5 && seen_values[4] == 1, "then the other one");
    signal(SIGUSR1, SIG_IGN);
    block(SIG_BLOCK, SIGUSR1);
    kill(getpid(), SIGUSR1);
    sigpending(&pending);
    bool waits = sigismember(&pending, SIGUSR1) == 1;
    signal(SIGUSR1, SIG_IGN);
    sigpending(&pending);
    check(waits && sigismember(&pending, SIGUSR1) == 0, "ignoring a signal forgets one that waits");
    block(SIG_UNBLOCK, SIGUSR1);
}

static void test_waiting(void)
{
    siginfo_t info;
    sigset_t set = set_of(SIGUSR2), none;
    struct timespec short_time = {.tv_nsec = 20000000}, long_time = {.tv_sec = 30}, left = {0};
    block(SIG_BLOCK, SIGUSR2);
    kill(getpid(), SIGUSR2);
    check(sigwaitinfo(&set, &info) == SIGUSR2 && info.si_pid == getpid(), "sigwaitinfo() takes it");
    check(sigtimedwait(&set, &info, &short_time) == -1 && errno == EAGAIN, "sigtimedwait() gives up");
    handle(SIGUSR2, note, 0);
    sigemptyset(&none);
    nr_seen = 0;
    kill(getpid(), SIGUSR2);
    check(sigsuspend(&none) == -1 && errno == EINTR && nr_seen == 1, "sigsuspend() lets it in");
    sigprocmask(SIG_BLOCK, NULL, &mask_in_handler);
    check(sigismember(&mask_in_handler, SIGUSR2) == 1, "and blocks it again");
    block(SIG_UNBLOCK, SIGUSR2);

    struct itimerval timer = {.it_value.tv_usec = 50000};
    handle(SIGALRM, note, SA_RESTART);
    nr_seen = 0;
    setitimer(ITIMER_REAL, &timer, NULL);
    check(nanosleep(&long_time, &left) == -1 && errno == EINTR && nr_seen == 1, "an alarm ends a sleep");
    check(left.tv_sec == 29 && left.tv_nsec > 0, "which tells how much of it was left");
    setitimer(ITIMER_REAL, &timer, NULL);
    check(pause() == -1 && errno == EINTR, "and a pause");
}

/* A child that lives for longer than the alarm takes. */
static pid_t start_sleeper(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        usleep(200000);
        _exit(7);
    }
    return pid;
}

static void test_restart(void)
{
    struct itimerval timer = {.it_value.tv_usec = 50000};
    int status = 0;
    pid_t pid = start_sleeper();
    handle(SIGALRM, note, 0);
    nr_seen = 0;
    setitimer(ITIMER_REAL, &timer, NULL);
    check(waitpid(pid, &status, 0) == -1 && errno == EINTR && nr_seen == 1, "a handler ends a wait");
    handle(SIGALRM, note, SA_RESTART);
    setitimer(ITIMER_REAL, &timer, NULL);
    check(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7 && nr_seen == 2,
          "with SA_RESTART it goes on");
}

static void leave_fault(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)context;
    last_info = *info;
    siglongjmp(after_fault, 1);
}

/* ud2 and the division have two bytes each. */
static void skip_instruction(int sig, siginfo_t *info, void *context)
{
    ucontext_t *at = context;
    (void)sig;
    last_info = *info;
    at->uc_mcontext.gregs[REG_EIP] += 2;
}

static void test_faults(void)
{
    char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    handle(SIGSEGV, leave_fault, 0);
    if (sigsetjmp(after_fault, 1) == 0)
        *(volatile char *)page = 1;
    check(last_info.si_code == SEGV_ACCERR && last_info.si_addr == page, "a write where one may only read");
    munmap(page, 4096);
    if (sigsetjmp(after_fault, 1) == 0)
        *(volatile char *)page = 1;
    check(last_info.si_code == SEGV_MAPERR && last_info.si_addr == page, "a write to nowhere");
    if (sigsetjmp(after_fault, 1) == 0)
        __asm__ volatile("hlt");
    check(last_info.si_code == SI_KERNEL, "an instruction of the kernel's");
    handle(SIGILL, skip_instruction, 0);
    int reached = 0;
    __asm__ volatile("ud2\n\tincl %0" : "+r"(reached));
    check(reached == 1 && last_info.si_signo == SIGILL && last_info.si_code == ILL_ILLOPN,
          "a handler may change where the program goes on");
    handle(SIGFPE, skip_instruction, 0);
    unsigned int quotient = 5, rest = 0, divisor = 0;
    __asm__ volatile("divl %2" : "+a"(quotient), "+d"(rest) : "r"(divisor));
    check(quotient == 5 && last_info.si_signo == SIGFPE && last_info.si_code == FPE_INTDIV,
          "a division by zero");
}

static char alt_stack[ALT_STACK_BYTES];

static void test_alt_stack(void)
{
    stack_t stack = {.ss_sp = alt_stack, .ss_size = sizeof(alt_stack)}, old,
            tiny = {.ss_sp = alt_stack, .ss_size = 100};
    check(sigaltstack(&tiny, NULL) == -1 && errno == ENOMEM, "an alternate stack must not be tiny");
    sigaltstack(&stack, NULL);
    sigaltstack(NULL, &old);
    check(old.ss_sp == alt_stack && old.ss_flags == 0, "there is one now");
    handle(SIGUSR1, note, SA_ONSTACK);
    raise(SIGUSR1);
    check(stack_in_handler >= (uintptr_t)alt_stack &&
              stack_in_handler < (uintptr_t)(alt_stack + ALT_STACK_BYTES),
          "the handler ran on it");
    handle(SIGUSR1, note, 0);
    raise(SIGUSR1);
    check(stack_in_handler < (uintptr_t)alt_stack ||
              stack_in_handler >= (uintptr_t)(alt_stack + ALT_STACK_BYTES),
          "without SA_ONSTACK it did not");
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
}

static volatile int plain_sig;

static void note_plainly(int sig)
{
    plain_sig = sig;
}

static void test_children(void)
{
    int status;
    handle_plainly(SIGUSR1, note_plainly);
    block(SIG_BLOCK, SIGUSR2);
    kill(getpid(), SIGUSR2);
    pid_t pid = fork();
    if (pid == 0) {
        sigset_t pending;
        sigpending(&pending);
        bool none = sigismember(&pending, SIGUSR2) == 0;
        raise(SIGUSR1);
        _exit(none && plain_sig == SIGUSR1 ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    check_equal(status, 0, "a child has the handlers, and no signals of the parent's");
    sigset_t set = set_of(SIGUSR2);
    sigwaitinfo(&set, NULL);
    block(SIG_UNBLOCK, SIGUSR2);

    handle(SIGCHLD, note, 0);
    pid = fork();
    if (pid == 0)
        _exit(3);
    waitpid(pid, &status, 0);
    check(last_info.si_signo == SIGCHLD && last_info.si_code == CLD_EXITED && last_info.si_pid == pid &&
              last_info.si_status == 3,
          "SIGCHLD says who has exited, and how");
    pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    kill(pid, SIGTERM);
    check(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM,
          "a signal without a handler ends a process");
    check(last_info.si_code == CLD_KILLED && last_info.si_status == SIGTERM, "SIGCHLD says so");
    handle(SIGCHLD, note, SA_NOCLDWAIT);
    pid = fork();
    if (pid == 0)
        _exit(0);
    check(waitpid(pid, &status, 0) == -1 && errno == ECHILD, "SA_NOCLDWAIT: nothing is left of a child");
    handle_plainly(SIGCHLD, SIG_DFL);
}

int main(void)
{
    trial_begin("signals");
    test_handlers();
    test_queues();
    test_waiting();
    test_restart();
    test_faults();
    test_alt_stack();
    test_children();
    return nr_failed;
}
