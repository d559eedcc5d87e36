/*
 * What a debugger reads and changes of a stopped core and of what it sees. Reading has no effect on anything;
 * changing takes no time and asks no TLB and no cache.
 */
#ifndef LK_CPU_DEBUGGER_H
#define LK_CPU_DEBUGGER_H

#include "cpu/cpu.h"

/*
 * General registers, rip, flags (but not VM), x87 and SSE registers; CR0, CR2, CR3 and CR4 as MOV would set
 * them; selectors where they need no descriptor: in real-address and virtual-8086 mode. What else `state`
 * says is not looked at. False: a value that cannot be, or a selector that cannot be loaded; nothing was
 * changed, unless a control register was refused behind another.
 */
bool cpu_change_state(struct cpu *cpu, const struct cpu_state *state);

/* What cpu_state leaves out of the system registers. */
struct cpu_more_state {
    uint64_t kernel_gs_base, cr8;
};
struct cpu_more_state cpu_more_state(const struct cpu *cpu);

/* It has run HLT, and waits for an interrupt. */
bool cpu_is_halted(const struct cpu *cpu);

/* Where a linear address leads by the page tables as they are in memory. False: nowhere. */
bool cpu_peek_address(const struct cpu *cpu, struct laddr at, struct paddr *physical);

/*
 * RAM as the core sees it, also behind lines that are dirty in its caches. False, and nothing done, if a part
 * is no RAM: what a device answers could be an effect. Of ROM and write-protected RAM only what the core
 * could fetch from RAM is read.
 */
bool cpu_read_physical(const struct cpu *cpu, struct paddr at, void *into, size_t size_bytes);
bool cpu_is_writable(const struct cpu *cpu, struct paddr at, size_t size_bytes);
bool cpu_write_physical(struct cpu *cpu, struct paddr at, const void *from, size_t size_bytes);

#endif
