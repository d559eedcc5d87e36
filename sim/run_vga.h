/* What the guest's VGA shows, as text and as a picture: --vga-text, --vga-screenshot, Ctrl-A v. */
#ifndef LK_SIM_RUN_VGA_H
#define LK_SIM_RUN_VGA_H

#include "sim/base/diag.h"
#include "sim/board/vga.h"

#include <stdio.h>

/* A line a row in UTF-8, without blanks at its end; in a graphics mode one line that says so. */
void run_vga_print(const struct vga *vga, FILE *to);

/* A PNG with the screen's colours and cursor. Needs no display. On failure adds a line and returns false. */
bool run_vga_write_png(const struct vga *vga, const char *file, struct diag *diag);

#endif
