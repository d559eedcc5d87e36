/* /proc/PID/maps (mm/maps.c). */
#pragma once

struct mm_struct;
struct seq_file;

/* program: what the areas that came from its file are called. */
void maps_show(struct seq_file *m, const struct mm_struct *mm, const char *program);
