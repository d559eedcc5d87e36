/*
 * A program whose every copy copies itself, with a limit for the number of a user's processes
 * (RLIMIT_NPROC, which holds for users other than root): fork fails, and the machine goes on.
 */
#include "lab.h"
#include "syscalls.h"
#include "ulib.h"

#define RLIMIT_NPROC 6
#define NR_PROCESSES 40u
#define SOME_USER 1000
#define SIGKILL 9

/* Does not come back. The one that finds that it cannot fork tells by its status. */
static __noreturn void explode(void)
{
    u32 nr_refused = 0;
    for (u32 i = 0; i < 8; i++) {
        int pid = fork();
        if (pid < 0 && errno == EAGAIN)
            nr_refused++;
    }
    nanosleep(1, 0);
    exit(nr_refused ? 7 : 0);
}

int main(void);

int main(void)
{
    int status, pid = fork();
    if (pid == 0) {
        const u32 limits[2] = {NR_PROCESSES, NR_PROCESSES};
        if (syscall(__NR_setrlimit, RLIMIT_NPROC, (uintptr_t)limits, 0) ||
            syscall(__NR_setuid, SOME_USER, 0, 0))
            exit(1);
        explode();
    }
    /* Those whose parents have ended are this process's children, as it is the first one. */
    u32 nr_ended = 0, nr_refused = 0, nr_other = 0;
    while (waitpid(-1, &status, 0) > 0) {
        nr_ended++;
        nr_refused += status == 7 << 8;
        nr_other += status != 7 << 8 && status != 0;
    }
    lab_check(getpid() != 1 || nr_ended >= NR_PROCESSES / 2,
              "%u processes of a user who may have %u ended with this one as their parent", nr_ended,
              NR_PROCESSES);
    lab_check(nr_refused > 0 && nr_other == 0, "%u of them were refused more by EAGAIN", nr_refused);
    pid = fork();
    if (pid == 0)
        exit(3);
    lab_check(waitpid(pid, &status, 0) == pid && status == 3 << 8, "fork works as before");
    return (int)lab_status();
}
