/* Descriptor tables. */
#pragma once

#include "types.h"

/* Fills the GDT, loads it and every segment register, and loads the TSS. */
void gdt_init(void);
/* Prints the GDT as memory holds it now. */
void show_gdt(void);
struct seq_file;
void gdt_show(struct seq_file *m);
/* The kernel stack that the CPU takes when it leaves user mode. */
void load_sp0(unsigned long sp0);

/* Fills the IDT with all exceptions, IRQs and the system call, and loads it. */
void trap_init(void);
