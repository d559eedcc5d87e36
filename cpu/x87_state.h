/*
 * The x87 unit's state as it lies in memory: environment (FNSTENV, FLDENV), state (FNSAVE, FRSTOR), and the
 * image of FXSAVE and FXRSTOR, which has the XMM registers too (SDM 1 8.1.10, 10.5).
 */
#ifndef LK_CPU_X87_STATE_H
#define LK_CPU_X87_STATE_H

#include "cpu/fpu.h"

enum { X87_STATE_MAX_BYTES = 512 };

/* 14 or 28 bytes; the layout follows from the mode. 94 or 108 with the registers. Returns how many. */
unsigned cpu_x87_put_environment(const struct cpu *cpu, uint8_t *image, bool is_32bit);
void cpu_x87_get_environment(struct cpu *cpu, const uint8_t *image, bool is_32bit);
void cpu_x87_put_registers(const struct cpu *cpu, uint8_t *image);
void cpu_x87_get_registers(struct cpu *cpu, const uint8_t *image);

/*
 * is_wide: REX.W, whose pointers are 64-bit offsets without selectors. Returns how many bytes are written:
 * those of registers that there are.
 */
unsigned cpu_put_fx_image(const struct cpu *cpu, uint8_t image[X87_STATE_MAX_BYTES], bool is_wide);
/* False: reserved bits of MXCSR are set; nothing has changed. */
bool cpu_get_fx_image(struct cpu *cpu, const uint8_t image[X87_STATE_MAX_BYTES], bool is_wide);

/*
 * To and from memory, in pieces of 16 bytes, from cpu->clock on, which moves. False: a fault is in
 * cpu->fault, and nothing was written.
 */
bool cpu_read_bytes(struct cpu *cpu, uint64_t linear, uint8_t *bytes, unsigned nr_bytes)
    __attribute__((warn_unused_result));
bool cpu_may_write_bytes(struct cpu *cpu, uint64_t linear, unsigned nr_bytes)
    __attribute__((warn_unused_result));
/* After cpu_may_write_bytes. */
void cpu_write_bytes(struct cpu *cpu, uint64_t linear, const uint8_t *bytes, unsigned nr_bytes);

#endif
