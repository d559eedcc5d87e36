/*
 * The registers as gdb is told of them: a fixed list for a whole session, in the order of the `g` packet,
 * whatever mode the processor is in. The standard features come first (gdb manual, "i386 Features"), then
 * lookaside.sys: what QEMU's stub shows besides, in its order, and segments, tables, debug registers and
 * counts.
 */
#ifndef LK_SIM_OBSERVE_GDB_REGISTERS_H
#define LK_SIM_OBSERVE_GDB_REGISTERS_H

#include "cpu/cpu.h"

#include <stdio.h>

enum { GDB_MAX_REGISTERS = 128, GDB_MAX_REGISTER_BYTES = 16 };

enum gdb_source {
    GDB_GPR,
    GDB_RIP,
    GDB_FLAGS,
    GDB_SELECTOR,
    GDB_ST,
    GDB_X87, /* index: enum gdb_x87 */
    GDB_XMM,
    GDB_MXCSR,
    GDB_SYSTEM, /* index: enum gdb_system */
    GDB_BASE,
    GDB_LIMIT,
    GDB_DR,
};
enum gdb_x87 {
    GDB_FCTRL,
    GDB_FSTAT,
    GDB_FTAG,
    GDB_FISEG,
    GDB_FIOFF,
    GDB_FOSEG,
    GDB_FOOFF,
    GDB_FOP,
    NR_GDB_X87
};
enum gdb_system {
    GDB_FS_BASE,
    GDB_GS_BASE,
    GDB_K_GS_BASE,
    GDB_CR0,
    GDB_CR2,
    GDB_CR3,
    GDB_CR4,
    GDB_CR8,
    GDB_EFER,
    GDB_GDT_BASE,
    GDB_GDT_LIMIT,
    GDB_IDT_BASE,
    GDB_IDT_LIMIT,
    GDB_LDTR,
    GDB_LDT_BASE,
    GDB_LDT_LIMIT,
    GDB_TR,
    GDB_TSS_BASE,
    GDB_TSS_LIMIT,
    GDB_CPL,
    GDB_CYCLES,
    GDB_INSTRUCTIONS,
    NR_GDB_SYSTEM
};

struct gdb_register {
    char name[12];
    const char *type; /* in the target description */
    unsigned bits;
    enum gdb_source source;
    unsigned index;
};

struct gdb_registers {
    bool is_64bit, has_sse;
    bool is_pc_linear; /* rip is shown with CS's base added */
    unsigned nr, first_sse, first_system;
    struct gdb_register reg[GDB_MAX_REGISTERS];
};

void gdb_registers_init(struct gdb_registers *registers, bool is_64bit, bool has_sse);

/* The target description, an XML document. */
void gdb_registers_describe(const struct gdb_registers *registers, FILE *to);

/* All that registers are read from, at a moment. */
struct gdb_values {
    struct cpu_state state;
    uint64_t kernel_gs_base, cr8, cycles, instructions;
};

/* The value, little-endian, into bits / 8 bytes. */
void gdb_register_get(const struct gdb_registers *registers, unsigned number, const struct gdb_values *values,
                      uint8_t bytes[GDB_MAX_REGISTER_BYTES]);

/* False: this register cannot be written with another value than it has. */
bool gdb_register_set(const struct gdb_registers *registers, unsigned number, struct gdb_values *values,
                      const uint8_t bytes[GDB_MAX_REGISTER_BYTES]);

#endif
