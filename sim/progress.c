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

/* How long the rest takes at the pace so far; 0 where that is not known. */
static double seconds_left(double first, double now, double limit, double seconds)
{
    return now > first && limit > now ? seconds / (now - first) * (limit - now) : 0;
}

void progress_describe(const struct progress *progress, double seconds, cycle_t now, uint64_t nr_instructions,
                       char text[PROGRESS_CHARS])
{
    double instructions = (double)(nr_instructions - progress->first_instructions), part = 0, left = 0;
    int length =
        snprintf(text, PROGRESS_CHARS, "cycle %.1f M, %.1f M instructions, %.1f M/s", (double)now * 1e-6,
                 (double)nr_instructions * 1e-6, seconds > 0 ? instructions * 1e-6 / seconds : 0);
    if (progress->max_cycles != EV_NEVER) {
        part = (double)now / (double)progress->max_cycles;
        left =
            seconds_left((double)progress->first_cycle, (double)now, (double)progress->max_cycles, seconds);
    }
    if (progress->max_instructions != UINT64_MAX) {
        double by_instructions = (double)nr_instructions / (double)progress->max_instructions;
        double rest = seconds_left((double)progress->first_instructions, (double)nr_instructions,
                                   (double)progress->max_instructions, seconds);
        part = by_instructions > part ? by_instructions : part;
        left = left > 0 && left < rest ? left : rest;
    }
    if (left > 0)
        snprintf(text + length, PROGRESS_CHARS - (size_t)length, ", %.0f %%, %.0f s left", part * 100, left);
}

void progress_update(struct progress *progress, cycle_t now, uint64_t nr_instructions)
{
    char text[PROGRESS_CHARS];
    double host;
    if (!progress->has_first) {
        progress->has_first = true;
        progress->begun = host_seconds();
        progress->first_cycle = now;
        progress->first_instructions = nr_instructions;
    }
    if (!progress->is_shown || (host = host_seconds()) < progress->next)
        return;
    progress_describe(progress, host - progress->begun, now, nr_instructions, text);
    fprintf(stderr, "%slookaside: %s%s", progress->is_terminal ? "\r" : "", text,
            progress->is_terminal ? "\033[K" : "\n");
    progress->is_line_open = progress->is_terminal;
    progress->next = host + (progress->is_terminal ? TERMINAL_SECONDS : PIPE_SECONDS);
}

void progress_end(struct progress *progress)
{
    if (progress->is_line_open)
        fputs("\r\033[K", stderr);
    progress->is_line_open = false;
}
