/* /proc/PID/maps (mm/maps.c). */
#pragma once

struct mm_struct;
struct seq_file;
struct vm_area_struct;

void area_show(struct seq_file *m, const struct vm_area_struct *vma); /* one line */
void maps_show(struct seq_file *m, const struct mm_struct *mm);
