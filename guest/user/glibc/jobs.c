/* Processes: how they stop, go on and end; groups and sessions; priorities, limits, and who they act for. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "trial.h"

#define NOBODY 65534u

static volatile sig_atomic_t last_sig, nr_sigs;

static void note(int sig)
{
    last_sig = sig;
    nr_sigs++;
}

static void handle(int sig)
{
    struct sigaction action = {.sa_handler = note};
    sigaction(sig, &action, NULL);
}

static pid_t start_idler(void)
{
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    return pid;
}

static void end_child(pid_t pid)
{
    int status;
    kill(pid, SIGKILL);
    check(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
          "SIGKILL ends it");
}

static void test_stop(void)
{
    int status;
    siginfo_t info;
    pid_t pid = start_idler();
    /* In a group with a parent outside of it, who could let it go on: otherwise SIGTSTP would do nothing. */
    setpgid(pid, pid);
    check_equal(waitpid(pid, &status, WNOHANG), 0, "a child that runs has no news");
    kill(pid, SIGSTOP);
    check(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP,
          "SIGSTOP stops it");
    check_equal(waitpid(pid, &status, WUNTRACED | WNOHANG), 0, "that is told once");
    kill(pid, SIGCONT);
    check(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status), "SIGCONT lets it go on");
    kill(pid, SIGTSTP);
    check(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT) == 0 && info.si_code == CLD_STOPPED &&
              info.si_status == SIGTSTP && info.si_pid == pid,
          "waitid() with WNOWAIT looks at a stop by SIGTSTP");
    check(waitid(P_ALL, 0, &info, WSTOPPED) == 0 && info.si_pid == pid, "and it is still there");
    end_child(pid);
    check(waitpid(-1, &status, 0) == -1 && errno == ECHILD, "no children are left");
}

static void test_groups(void)
{
    int status;
    pid_t one = start_idler(), two = start_idler();
    check(getpgid(one) == getpgrp(), "a child is in the parent's group");
    check(setpgid(one, one) == 0 && getpgid(one) == one, "it founds a group");
    check(setpgid(two, one) == 0 && getpgid(two) == one, "another one joins it");
    check(setpgid(two, 999999) == -1 && errno == EPERM, "there is no such group");
    check(getsid(one) == getsid(0), "they are all in one session");
    kill(-one, SIGTERM);
    check(waitpid(-one, &status, 0) > 0 && waitpid(-one, &status, 0) > 0, "a signal to the group ends both");
    pid_t pid = fork();
    if (pid == 0) {
        bool ok = setsid() == getpid() && getpgrp() == getpid() && getsid(0) == getpid();
        ok = ok && setsid() == -1 && errno == EPERM && setpgid(0, 0) == -1 && errno == EPERM;
        _exit(ok ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    check_equal(status, 0, "setsid() makes a session and a group, once");
}

static void test_orphans(void)
{
    int status;
    siginfo_t info;
    /* The child's child outlives it, and says by its signal who its parent is then. */
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    pid_t self = getpid(), pid = fork();
    if (pid == 0) {
        pid_t middle = getpid();
        if (fork() == 0) {
            while (getppid() == middle)
                usleep(10000);
            sigqueue(self, SIGRTMIN, (union sigval){.sival_int = getppid() != middle});
            _exit(0);
        }
        _exit(0);
    }
    waitpid(pid, &status, 0);
    check(sigwaitinfo(&set, &info) == SIGRTMIN && info.si_value.sival_int == 1,
          "an orphan has another parent");
}

static void test_ids(void)
{
    int status;
    char name[16] = "";
    prctl(PR_SET_NAME, "a name of fifteen and more");
    prctl(PR_GET_NAME, name);
    check(strcmp(name, "a name of fifte") == 0, "prctl() names the thread, in 15 characters");
    check(getpid() == syscall(SYS_gettid), "the first thread has the process's number");
    pid_t other = start_idler(), pid = fork();
    if (pid == 0) {
        uid_t real, effective, saved;
        if (setgid(NOBODY) || setuid(NOBODY))
            _exit(1);
        getresuid(&real, &effective, &saved);
        bool ok = real == NOBODY && effective == NOBODY && saved == NOBODY && getgid() == NOBODY;
        ok = ok && setuid(0) == -1 && errno == EPERM && kill(other, SIGTERM) == -1 && errno == EPERM;
        errno = 0;
        ok = ok && setpriority(PRIO_PROCESS, 0, -5) == -1 && (errno == EACCES || errno == EPERM);
        struct rlimit limit;
        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_max++;
        ok = ok && setrlimit(RLIMIT_NOFILE, &limit) == -1 && errno == EPERM;
        _exit(ok ? 0 : 2);
    }
    waitpid(pid, &status, 0);
    check_equal(status, 0, "who gave up root's rights has them no more");
    end_child(other);
}

static void test_limits(void)
{
    int status;
    struct rlimit limit = {.rlim_cur = 5, .rlim_max = 3};
    check(setrlimit(RLIMIT_CORE, &limit) == -1 && errno == EINVAL, "a soft limit above the hard one is none");
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit few = {.rlim_cur = 3, .rlim_max = 3};
        if (setrlimit(RLIMIT_NPROC, &few) || setgid(NOBODY) || setuid(NOBODY))
            _exit(1);
        int nr_made = 0, last = 0;
        for (int i = 0; i < 10; i++) {
            pid_t child = fork();
            if (child == 0)
                for (;;)
                    pause();
            nr_made += child > 0;
            last = child;
        }
        bool ok = nr_made < 10 && last == -1 && errno == EAGAIN;
        kill(0, SIGKILL);
        _exit(ok ? 0 : 2);
    }
    setpgid(pid, pid);
    waitpid(pid, &status, 0);
    check(status == 0 || WTERMSIG(status) == SIGKILL, "RLIMIT_NPROC ends a row of forks");
}

static void test_time(void)
{
    struct timespec before, after, sleep = {.tv_nsec = 30000000};
    struct timeval now;
    struct tms times_used;
    clock_gettime(CLOCK_MONOTONIC, &before);
    nanosleep(&sleep, NULL);
    clock_gettime(CLOCK_MONOTONIC, &after);
    long slept_us = (after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
    check(slept_us >= 30000, "a sleep is not shorter than it was to be");
    gettimeofday(&now, NULL);
    clock_gettime(CLOCK_REALTIME, &after);
    check(after.tv_sec - now.tv_sec <= 1 && time(NULL) - now.tv_sec <= 1,
          "clocks agree about the time of day");
    check(now.tv_sec > 1600000000, "which is later than 2020");
    handle(SIGALRM);
    handle(SIGVTALRM);
    struct itimerval timer = {.it_value.tv_usec = 20000, .it_interval.tv_usec = 20000}, off = {0}, left;
    setitimer(ITIMER_REAL, &timer, NULL);
    nr_sigs = 0;
    while (nr_sigs < 3)
        pause();
    check(getitimer(ITIMER_REAL, &left) == 0 && left.it_interval.tv_usec == 20000,
          "a timer goes off again and again");
    setitimer(ITIMER_REAL, &off, NULL);
    check_equal(alarm(100), 0, "no alarm was set");
    check_equal(alarm(0), 100, "then one of 100 seconds was");
    nr_sigs = 0;
    setitimer(ITIMER_VIRTUAL, &timer, NULL);
    /* Long enough for clocks that count in ticks. */
    while (nr_sigs < 6)
        ;
    check(last_sig == SIGVTALRM, "ITIMER_VIRTUAL counts what a process uses");
    setitimer(ITIMER_VIRTUAL, &off, NULL);
    check(times(&times_used) != (clock_t)-1 && times_used.tms_utime > 0, "so does times()");
    struct rusage usage;
    check(getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_utime.tv_usec + usage.ru_utime.tv_sec > 0 &&
              usage.ru_maxrss > 0 && usage.ru_minflt > 0,
          "and getrusage()");
}

static void test_scheduling(void)
{
    struct sched_param param = {.sched_priority = 10}, now;
    check(getpriority(PRIO_PROCESS, 0) == 0 && nice(5) == 5 && getpriority(PRIO_PROCESS, 0) == 5, "nice()");
    check(sched_setscheduler(0, SCHED_FIFO, &param) == 0 && sched_getscheduler(0) == SCHED_FIFO,
          "SCHED_FIFO");
    check(sched_getparam(0, &now) == 0 && now.sched_priority == 10, "its priority");
    param.sched_priority = 0;
    check(sched_setscheduler(0, SCHED_FIFO, &param) == -1 && errno == EINVAL, "which must not be 0");
    check(sched_setscheduler(0, SCHED_OTHER, &param) == 0, "SCHED_OTHER");
    check(sched_get_priority_max(SCHED_RR) == 99 && sched_get_priority_min(SCHED_RR) == 1, "1 to 99");
    check(sched_yield() == 0, "sched_yield()");
    check_equal(getpriority(PRIO_PROCESS, 0), 5, "it is as nice as before");
}

/* The first process of a system counts for no parent; this may be it. */
int main(void)
{
    int status = -1;
    pid_t pid = fork();
    if (pid) {
        waitpid(pid, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    }
    trial_begin("jobs");
    test_stop();
    test_groups();
    test_orphans();
    test_ids();
    test_limits();
    test_time();
    test_scheduling();
    return nr_failed;
}
