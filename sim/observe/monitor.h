/*
 * The monitor: questions to a machine that stands still, one a line, answered in text. It looks at everything
 * and changes nothing; to run, stop and save is left to whoever asks.
 */
#ifndef LK_SIM_OBSERVE_MONITOR_H
#define LK_SIM_OBSERVE_MONITOR_H

#include "cpu/cpu.h"
#include "sim/load/elf_symbols.h"
#include "sim/observe/guest_kernel.h"

#include <stdio.h>

struct monitor_params {
    struct cpu *cpu;
    const struct tlb *itlb, *dtlb, *l2_tlb; /* NULL in functional mode, and so are the caches */
    const struct cache *l1i, *l1d, *l2, *l3;
    /* Statistics whose names have `part` in them; "": all. */
    void (*statistics)(void *opaque, const char *part, FILE *to);
    void (*dump)(void *opaque, const char *file, FILE *to); /* an ELF core; it answers for itself */
    void (*checkpoint)(void *opaque, const char *directory, FILE *to); /* likewise, into a new file there */
    const struct elf_symbols *symbols; /* the guest's, as of now; may be NULL */
    const struct guest_kernel *kernel; /* as of now */
    void *opaque;
};

enum monitor_wish { MONITOR_STAY, MONITOR_CONTINUE, MONITOR_STEP, MONITOR_BRANCHES, MONITOR_QUIT };

/*
 * A line that says nothing is none. *nr_steps: how many instructions, with MONITOR_STEP and with
 * MONITOR_BRANCHES, which is a step whose branches are wanted.
 */
enum monitor_wish monitor_obey(const struct monitor_params *monitor, const char *line, uint64_t *nr_steps,
                               FILE *to);

/*
 * An address as a user writes it: a number, a register ($eip, $esp ...), a symbol; and a number added to it
 * or taken off. False, with a line to `to`: none.
 */
bool monitor_parse_address(const struct monitor_params *monitor, const char *text, uint64_t *address,
                           FILE *to);

/* One line an entry that is read, with where it lies, its rights, and where the address leads. */
void monitor_show_walk(const struct cpu *cpu, uint64_t linear, FILE *to);
void monitor_show_registers(const struct cpu *cpu, FILE *to);
void monitor_show_segments(const struct cpu *cpu, FILE *to);
/* What is mapped, in runs of equal rights, as QEMU's `info mem` shows it. */
void monitor_show_mappings(const struct cpu *cpu, FILE *to);
/* Entries by set and way; those with which the page tables in memory no longer agree are marked. */
void monitor_show_tlb(const struct cpu *cpu, const char *name, const struct tlb *tlb, FILE *to);
void monitor_show_cache(const char *name, const struct cache *cache, bool are_lines_shown, FILE *to);

/*
 * What the guest's kernel says: its processes; how many frames each kind of owner has, or whose the frame of
 * a physical address is; the zones; the areas of a process, of the running one with pid NULL.
 */
void monitor_show_processes(const struct guest_kernel *kernel, FILE *to);
void monitor_show_owners(const struct guest_kernel *kernel, const uint64_t *address, FILE *to);
void monitor_show_zones(const struct guest_kernel *kernel, FILE *to);
void monitor_show_areas(const struct guest_kernel *kernel, const struct cpu *cpu, const uint64_t *pid,
                        FILE *to);

/* /NFU: how many, in which format, of which size. */
struct monitor_format {
    uint64_t count;
    char format; /* x d u o c i */
    unsigned size_bytes;
};
void monitor_show_memory(const struct cpu *cpu, const struct monitor_format *format, uint64_t at,
                         bool is_physical, FILE *to);

#endif
