/*
 * R9. Who is ended when there is no memory: points are the pages that a process has, and its oom_score_adj
 * in thousandths of all memory; the highest goes; who has -1000 never does. oom_adj is an older scale of the
 * same. guest/labs/oom.c looks at the points themselves.
 */
#include "lab.h"
#include "mman.h"
#include "uproc.h"

#define PAGE_BYTES 4096u
#define SIGKILL 9
#define WNOHANG 1
#define SOME_USER 1000
#define UNITS 64u /* sizes are in such parts of the memory there is */

/* ---- Processes that have memory ---- */

struct eater {
    const char *name;
    u32 units;
    int adj;
    int pid;
    bool has_ended;
};

static struct eater eaters[] = {
    {.name = "protected", .units = 16, .adj = -1000}, {.name = "large", .units = 12, .adj = 0},
    {.name = "small", .units = 1, .adj = 500},        {.name = "favoured", .units = 14, .adj = -200},
    {.name = "middle", .units = 8, .adj = 0},
};

static u32 total_pages;
static int ready_pipe[2], end_pipe[2];

static u32 *map_pages(u32 pages)
{
    return mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
}

static u32 pattern(u32 page)
{
    return page * 2654435761u + (u32)getpid();
}

/* Has its memory until it is told to end; its status says whether it still holds what was written. */
static __noreturn void eat(const struct eater *eater)
{
    u32 pages = total_pages / UNITS * eater->units, nr_wrong = 0;
    char byte = 0;
    close(end_pipe[1]);
    write_number("/proc/self/oom_score_adj", eater->adj);
    u32 *memory = map_pages(pages);
    for (u32 i = 0; i < pages; i++)
        memory[i * PAGE_BYTES / 4] = pattern(i);
    write(ready_pipe[1], &byte, 1);
    read(end_pipe[0], &byte, 1);
    for (u32 i = 0; i < pages; i++)
        nr_wrong += memory[i * PAGE_BYTES / 4] != pattern(i);
    exit(nr_wrong != 0);
}

static void start_eaters(void)
{
    char byte;
    for (u32 i = 0; i < ARRAY_SIZE(eaters); i++) {
        eaters[i].pid = fork();
        if (eaters[i].pid == 0)
            eat(&eaters[i]);
        read(ready_pipe[0], &byte, 1);
    }
}

static struct eater *eater_of(int pid)
{
    for (u32 i = 0; i < ARRAY_SIZE(eaters); i++)
        if (eaters[i].pid == pid)
            return &eaters[i];
    return NULL;
}

/* ---- Points ---- */

/* What /proc/PID/oom_score must be, by the formula. */
static long expected_score(const struct eater *eater)
{
    char text[128];
    const char *resident = read_text(task_file(eater->pid, "statm"), text, sizeof(text));
    while (*resident && *resident++ != ' ')
        ;
    long pages = number_of(resident) + number_after(task_file(eater->pid, "status"), "VmPTE:") / 4;
    long points = pages + eater->adj * (long)(total_pages / 1000);
    long score = (1000 + points * 1000 / (long)total_pages) * 2 / 3;
    return eater->adj == -1000 ? 0 : score;
}

static void check_scores(void)
{
    for (u32 i = 0; i < ARRAY_SIZE(eaters); i++) {
        long score = read_number(task_file(eaters[i].pid, "oom_score")),
             expected = expected_score(&eaters[i]);
        lab_check(score == expected, "%s, %u/%u of memory, oom_score_adj %d: oom_score %ld, by the formula",
                  eaters[i].name, eaters[i].units, UNITS, eaters[i].adj, score);
    }
}

/* Of those that live. */
static const struct eater *with_highest_score(void)
{
    const struct eater *highest = NULL;
    long most = 0;
    for (u32 i = 0; i < ARRAY_SIZE(eaters); i++) {
        long score = eaters[i].has_ended ? 0 : read_number(task_file(eaters[i].pid, "oom_score"));
        if (score > most) {
            most = score;
            highest = &eaters[i];
        }
    }
    return highest;
}

/* ---- Who goes ---- */

/* This process may not be ended itself; it takes memory page by page until somebody is. */
static void take_memory_until_death(volatile u32 *memory, u32 *next_page, const struct eater *expected)
{
    int status = 0, pid = 0;
    while (pid == 0 && *next_page < total_pages) {
        memory[(*next_page)++ * PAGE_BYTES / 4] = 1;
        pid = waitpid(-1, &status, WNOHANG);
    }
    struct eater *eater = eater_of(pid);
    lab_check(eater == expected && status == SIGKILL,
              "the one with the highest oom_score has been killed: %s", eater ? eater->name : "nobody");
    if (eater)
        eater->has_ended = true;
}

static void check_order(void)
{
    static const char *const order[] = {"small", "large", "middle"};
    volatile u32 *memory = map_pages(total_pages);
    u32 next_page = 0;
    for (u32 i = 0; i < ARRAY_SIZE(order); i++) {
        const struct eater *expected = with_highest_score();
        lab_check(expected && strcmp(expected->name, order[i]) == 0, "next is %s", order[i]);
        take_memory_until_death(memory, &next_page, expected);
    }
    munmap((void *)memory, total_pages * PAGE_BYTES);
}

static void check_allocating_task(void)
{
    int status = 0;
    const struct eater *favoured = with_highest_score();
    write_number(task_file(favoured->pid, "oom_score_adj"), 1000);
    write_text("/proc/sys/vm/oom_kill_allocating_task", "1");
    int pid = fork();
    if (pid == 0) {
        write_text("/proc/self/oom_score_adj", "0");
        volatile u32 *memory = map_pages(total_pages);
        for (u32 i = 0; i < total_pages; i++)
            memory[i * PAGE_BYTES / 4] = 1;
        exit(0);
    }
    int ended = waitpid(-1, &status, 0);
    write_text("/proc/sys/vm/oom_kill_allocating_task", "0");
    lab_check(ended == pid && status == SIGKILL,
              "oom_kill_allocating_task: who asked has been killed, not the one with 1000");
}

static void end_eaters(void)
{
    int pid, status;
    close(end_pipe[1]);
    while ((pid = waitpid(-1, &status, 0)) > 0) {
        const struct eater *eater = eater_of(pid);
        if (eater)
            lab_check(status == 0, "%s has lived, and has what it wrote", eater->name);
    }
}

/* ---- oom_adj ---- */

/* What Linux makes of it, and shows then. */
static void check_oom_adj(void)
{
    static const struct {
        int adj, score_adj, shown;
    } rows[] = {{-17, -1000, -17}, {-16, -941, -15}, {-1, -58, 0},  {0, 0, 0},     {1, 58, 0},
                {8, 470, 7},       {13, 764, 12},    {14, 823, 13}, {15, 1000, 15}},
      back[] = {{0, 999, 15}, {0, 500, 8}, {0, 59, 1}, {0, -59, -1}, {0, -999, -16}};
    for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
        lab_check(write_number("/proc/self/oom_adj", rows[i].adj) == 0 &&
                      read_number("/proc/self/oom_score_adj") == rows[i].score_adj &&
                      read_number("/proc/self/oom_adj") == rows[i].shown,
                  "oom_adj %d is oom_score_adj %d, which is shown as %d", rows[i].adj, rows[i].score_adj,
                  rows[i].shown);
    for (u32 i = 0; i < ARRAY_SIZE(back); i++)
        lab_check(write_number("/proc/self/oom_score_adj", back[i].score_adj) == 0 &&
                      read_number("/proc/self/oom_adj") == back[i].shown,
                  "oom_score_adj %d is shown as oom_adj %d", back[i].score_adj, back[i].shown);
    check_error(write_number("/proc/self/oom_adj", 16), EINVAL, "oom_adj 16");
    check_error(write_number("/proc/self/oom_adj", -18), EINVAL, "oom_adj -18");
    check_error(write_number("/proc/self/oom_score_adj", 1001), EINVAL, "oom_score_adj 1001");
    check_error(write_number("/proc/self/oom_score_adj", -1001), EINVAL, "oom_score_adj -1001");
}

/* Who is not root may go sooner, but no later than root has said. */
static void check_user(void)
{
    int status, pid = fork();
    if (pid == 0) {
        write_number("/proc/self/oom_score_adj", 100);
        syscall(__NR_setuid, SOME_USER, 0, 0);
        bool is_right = write_number("/proc/self/oom_score_adj", 300) == 0 &&
                        write_number("/proc/self/oom_score_adj", 100) == 0 &&
                        write_number("/proc/self/oom_score_adj", 99) == -1 && errno == EACCES &&
                        write_number("/proc/self/oom_adj", 1) == -1 && errno == EACCES;
        exit(!is_right);
    }
    lab_check(waitpid(pid, &status, 0) == pid && status == 0,
              "a user other than root: 100 (root's), 300, 100 again; 99: EACCES");
}

int main(void);

int main(void)
{
    mount_on("proc", "/proc", "");
    total_pages = (u32)number_after("/proc/meminfo", "MemTotal:") / 4;
    pipe(ready_pipe);
    pipe(end_pipe);
    check_oom_adj();
    check_user();
    write_number("/proc/self/oom_score_adj", -1000);
    start_eaters();
    check_scores();
    check_order();
    check_allocating_task();
    end_eaters();
    return (int)lab_status();
}
