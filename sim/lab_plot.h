/*
 * Pictures by gnuplot, which is a program of its own: a script goes to its input, an SVG comes into a file,
 * which bears its name only when gnuplot was content.
 */
#ifndef LK_SIM_LAB_PLOT_H
#define LK_SIM_LAB_PLOT_H

#include "sim/base/diag.h"

#include <stdio.h>

struct lab_plot {
    FILE *script; /* for the lab to write to: data and plot commands; terminal and output are set */
    char *file, *temporary;
};

/* Whether there is a gnuplot in $PATH. */
bool lab_plot_is_possible(void);

/* False with a line. Then lab_plot_finish, which is false with a line when gnuplot or the file failed. */
bool lab_plot_begin(struct lab_plot *plot, const char *folder, const char *name, unsigned width,
                    unsigned height, struct diag *diag);
bool lab_plot_finish(struct lab_plot *plot, struct diag *diag);

#endif
