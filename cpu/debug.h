/*
 * Debug registers, breakpoints and single-stepping (SDM 3B 17.2, 17.3).
 *
 * While a breakpoint is enabled, TF or RF is set, or a trap waits, instructions run one at a time
 * (debug_is_careful); else nothing here costs anything. An access that meets a breakpoint leaves its bits in
 * `pending`; the trap is delivered when its instruction is over, and is lost if that faults.
 */
#ifndef LK_CPU_DEBUG_H
#define LK_CPU_DEBUG_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;

enum { NR_BREAKPOINTS = 4 };

#define DR6_BREAKPOINTS 0xfu /* B0 to B3 */
#define DR6_BD 0x2000u
#define DR6_BS 0x4000u
#define DR6_BT 0x8000u
#define DR6_FIXED 0xffff0ff0u
#define DR6_WRITABLE (DR6_BREAKPOINTS | DR6_BD | DR6_BS | DR6_BT)
#define DR7_ENABLES 0xffu /* L0, G0 to L3, G3 */
#define DR7_LOCAL 0x155u  /* L0 to L3 and LE: a task switch clears them (SDM 3B 17.2.4) */
#define DR7_GD 0x2000u
#define DR7_FIXED 0x400u
#define DR7_WRITABLE 0xffff23ffu

/* As software sees them. */
struct debug_registers {
    uint64_t address[NR_BREAKPOINTS];
    uint32_t dr6, dr7;
};

/* What a core keeps besides. */
struct debug_state {
    struct debug_registers registers;
    uint32_t pending; /* bits of DR6: traps of the latest instruction that were not delivered yet */
    bool shadow;      /* that was MOV SS or POP SS: no trap and no instruction breakpoint comes behind it */
    bool is_rf_new;   /* it has loaded RF, which then holds for the next one */
};

/* Bits that can be neither set nor cleared are put right. */
void debug_set_registers(struct cpu *cpu, const struct debug_registers *registers);

/* MOV from and to DR0-DR7, privilege checked. False: #UD, #DB (GD) or #GP in cpu->fault. */
bool debug_read(struct cpu *cpu, unsigned number, uint64_t *value) __attribute__((warn_unused_result));
bool debug_write(struct cpu *cpu, unsigned number, uint64_t value) __attribute__((warn_unused_result));

/* Whether the next instruction must run alone. */
bool debug_is_careful(const struct cpu *cpu);

/* Delivers the trap that waits, between two instructions. Returns whether there was one. */
bool debug_deliver_trap(struct cpu *cpu);

/* Delivers the fault of a breakpoint on the instruction at rip. Returns whether there is one. */
bool debug_deliver_breakpoint(struct cpu *cpu);

/* Around an instruction that runs alone: the state of TF before it counts, and RF ends with it. */
void debug_begin_instruction(struct cpu *cpu);
void debug_end_instruction(struct cpu *cpu);

/* ICEBP (opcode F1): #DB as a trap, whatever the gate's DPL (SDM 2A INT1). rip is the next instruction. */
void debug_icebp(struct cpu *cpu);

/* A task switch is done: local enables end, and the T flag of the new task's TSS asks for a trap. */
void debug_task_switched(struct cpu *cpu, bool has_t_flag);

/* SYSCALL and SYSRET: TF counts as they leave it, not as they found it (APM2 13.1.4). */
void debug_retest_trap_flag(struct cpu *cpu);

/* A data access or port access was made (or will be, unless its instruction faults). */
void debug_note_access(struct cpu *cpu, uint64_t linear, unsigned size_bytes, bool is_write);
void debug_note_port(struct cpu *cpu, uint16_t port, unsigned size_bytes);

/* Whether an enabled data breakpoint lies in the page: its accesses must be noted. */
bool debug_watches_page(const struct cpu *cpu, uint64_t linear);

#endif
