/* /proc/PID/maps (mm/maps.c). */
#pragma once

struct mm_struct;
struct seq_file;
struct vm_area_struct;

/* program: what the areas that came from its file are called. */
void area_show(struct seq_file *m, const struct vm_area_struct *vma, const char *program); /* one line */
void maps_show(struct seq_file *m, const struct mm_struct *mm, const char *program);
