#include "sim/progress.h"

#include "sim/base/event.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define TERMINAL_SECONDS 0.5
#define PIPE_SECONDS 10.0

static double host_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void progress_init(struct progress *progress, enum progress_when when, cycle_t max_cycles,
                   uint64_t max_instructions)
{
    *progress = (struct progress){.is_terminal = isatty(STDERR_FILENO),
                                  .max_cycles = max_cycles,
                                  .max_instructions = max_instructions,
                                  .begun = host_seconds()};
    progress->is_shown =
        when == PROGRESS_ALWAYS || (when == PROGRESS_AUTO && progress->is_terminal && !isatty(STDOUT_FILENO));
    progress->next = progress->begun + (progress->is_terminal ? TERMINAL_SECONDS : PIPE_SECONDS);
}

/* What part of the run is over, 0 to 1; 0 where there is no limit. */
static double part_done(const struct progress *progress, cycle_t now, uint64_t nr_instructions)
{
    double by_cycles = progress->max_cycles == EV_NEVER ? 0 : (double)now / (double)progress->max_cycles;
    double by_instructions = progress->max_instructions == UINT64_MAX
                                 ? 0
                                 : (double)nr_instructions / (double)progress->max_instructions;
    return by_cycles > by_instructions ? by_cycles : by_instructions;
}

void progress_update(struct progress *progress, cycle_t now, uint64_t nr_instructions)
{
    double host;
    if (!progress->is_shown || (host = host_seconds()) < progress->next)
        return;
    double seconds = host - progress->begun, part = part_done(progress, now, nr_instructions);
    fprintf(stderr, "%slookaside: cycle %.1f M, %.1f M instructions, %.1f M/s",
            progress->is_terminal ? "\r" : "", (double)now * 1e-6, (double)nr_instructions * 1e-6,
            (double)nr_instructions * 1e-6 / seconds);
    if (part > 0 && part < 1)
        fprintf(stderr, ", %.0f %%, %.0f s left", part * 100, seconds / part * (1 - part));
    fputs(progress->is_terminal ? "\033[K" : "\n", stderr);
    progress->is_line_open = progress->is_terminal;
    progress->next = host + (progress->is_terminal ? TERMINAL_SECONDS : PIPE_SECONDS);
}

void progress_end(struct progress *progress)
{
    if (progress->is_line_open)
        fputs("\r\033[K", stderr);
    progress->is_line_open = false;
}
