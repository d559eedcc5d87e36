#include "sim/lab_plot.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool lab_plot_is_possible(void)
{
    const char *path = getenv("PATH");
    while (path && *path) {
        size_t length = strcspn(path, ":");
        char file[4096];
        snprintf(file, sizeof file, "%.*s/gnuplot", (int)(length < 4000 ? length : 4000), path);
        if (access(file, X_OK) == 0)
            return true;
        path += length + (path[length] == ':');
    }
    return false;
}

/* The folder's name may hold anything; within single quotes gnuplot wants those doubled. */
static void put_quoted(FILE *to, const char *text)
{
    fputc('\'', to);
    for (; *text; text++) {
        if (*text == '\'')
            fputc('\'', to);
        fputc(*text, to);
    }
    fputc('\'', to);
}

bool lab_plot_begin(struct lab_plot *plot, const char *folder, const char *name, unsigned width,
                    unsigned height, struct diag *diag)
{
    *plot = (struct lab_plot){0};
    if (asprintf(&plot->file, "%s/%s", folder, name) < 0 ||
        asprintf(&plot->temporary, "%s.%ld.tmp", plot->file, (long)getpid()) < 0)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    FILE *there = fopen(plot->temporary, "we");
    if (!there || fclose(there) != 0)
        return diag_add(diag, EXIT_STATUS_NO_OUTPUT, "%s: %s", plot->temporary, strerror(errno));
    signal(SIGPIPE, SIG_IGN); /* a gnuplot that dies is seen by its status */
    plot->script = popen("gnuplot", "we");
    if (!plot->script)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "gnuplot: %s", strerror(errno));
    fprintf(plot->script, "set terminal svg size %u,%u font 'DejaVu Sans,12' background 'white'\nset output ",
            width, height);
    put_quoted(plot->script, plot->temporary);
    fputc('\n', plot->script);
    return true;
}

bool lab_plot_finish(struct lab_plot *plot, struct diag *diag)
{
    bool is_good = plot->script;
    if (plot->script && pclose(plot->script) != 0)
        is_good = diag_add(diag, EXIT_STATUS_NO_OUTPUT, "%s: gnuplot could not draw it", plot->file);
    if (is_good && rename(plot->temporary, plot->file) != 0)
        is_good = diag_add(diag, EXIT_STATUS_NO_OUTPUT, "%s: %s", plot->file, strerror(errno));
    if (!is_good && plot->temporary)
        unlink(plot->temporary);
    free(plot->file);
    free(plot->temporary);
    *plot = (struct lab_plot){0};
    return is_good;
}
