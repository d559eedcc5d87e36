/*
 * What tasks have waited for, as Linux's tool of this name shows it: the counts and sums are those of
 * /proc/PID/delays (guest/fs/proc/delays.c), in nanoseconds.
 *
 *     getdelays [-d] -p PID        of a process, all its threads
 *     getdelays [-d] -t TID        of one thread
 *     getdelays [-d] -c COMMAND... of a program that is started for it, when it has ended
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct delays {
    uint64_t cpu_count, cpu_waited, cpu_ran;
    uint64_t real; /* by ticks, as time(1) has it */
};

/* Titles and rows stand in columns of 15. */
static void show_cpu(const struct delays *delays)
{
    double average = delays->cpu_count ? (double)delays->cpu_waited / (double)delays->cpu_count : 0;
    printf("CPU   %15s%15s%15s%15s%15s\n", "count", "real total", "virtual total", "delay total",
           "delay average");
    printf("      %15llu%15llu%15llu%15llu%13.3fms\n", (unsigned long long)delays->cpu_count,
           (unsigned long long)delays->real, (unsigned long long)delays->cpu_ran,
           (unsigned long long)delays->cpu_waited, average / 1e6);
}

static void show_kind(const char *title, uint64_t count, uint64_t ns)
{
    double average = count ? (double)ns / (double)count : 0;
    printf("%-9s%12s%15s%15s\n", title, "count", "delay total", "delay average");
    printf("      %15llu%15llu%13.3fms\n", (unsigned long long)count, (unsigned long long)ns, average / 1e6);
}

static const char *title_of(const char *kind)
{
    static const char *const titles[][2] = {{"blkio", "IO"},
                                            {"swapin", "SWAP"},
                                            {"freepages", "RECLAIM"},
                                            {"compact", "COMPACT"},
                                            {"throttle", "THROTTLE"}};
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (strcmp(titles[i][0], kind) == 0)
            return titles[i][1];
    return kind;
}

/* utime and stime, the 14th and 15th field of stat: ticks. 0: there is no such task. */
static int read_real(const char *folder, struct delays *delays)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "%s/stat", folder);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    unsigned long utime = 0, stime = 0;
    const char *end = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    int found =
        end ? sscanf(end, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &utime, &stime) : 0;
    fclose(file);
    delays->real = (uint64_t)(utime + stime) * (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK));
    return found == 2;
}

static int show(const char *folder)
{
    struct delays delays = {0};
    char path[64], kind[32];
    unsigned long long count, waited, ran;
    snprintf(path, sizeof path, "%s/delays", folder);
    FILE *file = fopen(path, "r");
    if (file == NULL || !read_real(folder, &delays)) {
        fprintf(stderr, "getdelays: %s: %s\n", path, strerror(errno));
        if (file)
            fclose(file);
        return 1;
    }
    if (fscanf(file, "cpu %llu %llu %llu", &count, &waited, &ran) == 3) {
        delays.cpu_count = count;
        delays.cpu_waited = waited;
        delays.cpu_ran = ran;
        printf("\n\n");
        show_cpu(&delays);
    }
    while (fscanf(file, "%31s %llu %llu", kind, &count, &waited) == 3)
        show_kind(title_of(kind), count, waited);
    fclose(file);
    return 0;
}

static int show_task(const char *option, const char *number)
{
    char folder[48];
    long id = strtol(number, NULL, 10);
    if (id <= 0) {
        fprintf(stderr, "getdelays: %s: no number of a task: %s\n", option, number);
        return 1;
    }
    if (option[1] == 't')
        snprintf(folder, sizeof folder, "/proc/%ld/task/%ld", id, id);
    else
        snprintf(folder, sizeof folder, "/proc/%ld", id);
    printf("%s\t%ld\n", option[1] == 't' ? "TID" : "PID", id);
    return show(folder);
}

/* A process that has ended is still there as long as nobody has waited for it. */
static int show_command(char **command)
{
    char folder[32];
    siginfo_t info;
    pid_t pid = fork();
    if (pid == 0) {
        execvp(command[0], command);
        fprintf(stderr, "getdelays: %s: %s\n", command[0], strerror(errno));
        _exit(127);
    }
    if (pid < 0 || waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT)) {
        fprintf(stderr, "getdelays: %s\n", strerror(errno));
        return 1;
    }
    snprintf(folder, sizeof folder, "/proc/%ld", (long)pid);
    printf("PID\t%ld\n", (long)pid);
    int status = show(folder);
    waitpid(pid, NULL, 0);
    return status;
}

int main(int argc, char **argv)
{
    int at = argc > 1 && strcmp(argv[1], "-d") == 0 ? 2 : 1;
    if (argc - at >= 2) {
        printf("print delayacct stats ON\n");
        fflush(stdout);
        if (strcmp(argv[at], "-c") == 0)
            return show_command(argv + at + 1);
        if (strcmp(argv[at], "-p") == 0 || strcmp(argv[at], "-t") == 0)
            return show_task(argv[at], argv[at + 1]);
    }
    fprintf(stderr, "usage: getdelays [-d] -p PID | -t TID | -c COMMAND [ARGUMENT...]\n");
    return 1;
}
