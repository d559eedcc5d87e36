/*
 * Where a debugger wants a core to stop: before an instruction, or behind one that reads or writes some
 * bytes. They are linear addresses, as in the debug registers, but the guest sees nothing of them: no memory
 * is patched, and cycles and counts are those of a run without. Without any they cost nothing.
 */
#ifndef LK_CPU_STOP_POINTS_H
#define LK_CPU_STOP_POINTS_H

#include "sim/base/addr.h"

#include <stdbool.h>

struct cpu;

enum cpu_point_kind { CPU_POINT_EXECUTE, CPU_POINT_WRITE, CPU_POINT_READ, CPU_POINT_ACCESS };

struct cpu_point {
    enum cpu_point_kind kind;
    struct laddr at;
    uint64_t size_bytes; /* at least 1; CPU_POINT_EXECUTE: no matter */
};

/* One more than a debugger gets: for who looks for a moment that the debugger knows. */
enum { CPU_MAX_POINTS = 257, CPU_MAX_DEBUGGER_POINTS = CPU_MAX_POINTS - 1 };

/* What a core keeps of them. */
struct stop_points {
    struct cpu_point point[CPU_MAX_POINTS];
    unsigned nr_points;
    bool has_data_points;
    bool is_met;          /* the instruction just run has met `met` */
    struct cpu_point met; /* `at`: the first byte of the point that was accessed */
    bool is_passed;       /* the instruction that comes next has been stopped at */
    uint64_t passed_at, passed_number;
};

/* Replaces all; at most CPU_MAX_POINTS. */
void cpu_set_points(struct cpu *cpu, const struct cpu_point *points, unsigned nr_points);
const struct cpu_point *cpu_points(const struct cpu *cpu, unsigned *nr_points);

/* The core is about to run the instruction at its rip, and does not stop at a point there once more. */
void cpu_pass_point(struct cpu *cpu);

/* The data point that the latest instruction met; it is forgotten then. */
bool cpu_take_met_point(struct cpu *cpu, struct cpu_point *met);

/* ---- For the core itself ---- */

/* Whether the core is about to run an instruction that has a point and was not passed. */
bool stop_is_at_point(const struct cpu *cpu);
/* Whether a point lies in the `size_bytes` at `linear`, which may wrap around. */
bool stop_is_near_point(const struct cpu *cpu, uint64_t linear, uint64_t size_bytes);
bool stop_watches_page(const struct cpu *cpu, uint64_t page);
void stop_note_access(struct cpu *cpu, uint64_t linear, unsigned size_bytes, bool is_write);

#endif
