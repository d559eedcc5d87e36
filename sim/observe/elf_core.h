/*
 * A stopped machine as an ELF core: RAM once, the linear addresses that the page tables map as segments over
 * it, and the processor's registers as those of a process (System V ABI, "Program Header"; NT_PRSTATUS as
 * Linux writes it). gdb opens it with the guest's symbols. If a Linux guest has the note VMCOREINFO, that is
 * in it, too.
 */
#ifndef LK_SIM_OBSERVE_ELF_CORE_H
#define LK_SIM_OBSERVE_ELF_CORE_H

#include "cpu/cpu.h"
#include "sim/base/diag.h"

/*
 * RAM that no linear address reaches lies at its physical address, unless something else is mapped there. In
 * IA-32e mode the file is one of 64 bits. On failure adds a line and leaves no file.
 */
bool elf_core_write(const struct cpu *cpu, const struct ram *ram, const char *file, struct diag *diag);

#endif
