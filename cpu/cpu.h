/*
 * A core: registers, segmentation, paging, exceptions, and the executors that run decoded code, with or
 * without time.
 *
 * The machine creates it, gives it a start state, and calls cpu_run again and again; between two calls it
 * serves devices. The core never calls a device but through the hooks of cpu_params.
 */
#ifndef LK_CPU_CPU_H
#define LK_CPU_CPU_H

#include "cache/cache.h"
#include "cpu/debug.h"
#include "cpu/observe.h"
#include "mmu/mmu.h"
#include "mmu/segment.h"
#include "sim/base/config.h"
#include "sim/base/ram.h"
#include "sim/base/stamp.h"
#include "sim/base/stats.h"

/* What a core asks of the board. `now` is the core's cycle. Sizes are 1, 2, 4 (memory: also 8) bytes. */
struct cpu_board {
    void *opaque;
    uint64_t (*port_read)(void *opaque, uint16_t port, unsigned size, cycle_t now);
    void (*port_write)(void *opaque, uint16_t port, unsigned size, uint64_t value, cycle_t now);
    uint64_t (*memory_read)(void *opaque, struct paddr at, unsigned size, cycle_t now);
    void (*memory_write)(void *opaque, struct paddr at, unsigned size, uint64_t value, cycle_t now);
    unsigned (*acknowledge)(void *opaque, cycle_t now); /* INTA: the vector */
    /*
     * A marker (docs/markers.md). The result, if any, goes to *eax. Returns true when the run must stop after
     * it.
     */
    bool (*marker)(void *opaque, unsigned number, uint32_t *eax, uint32_t edx, uint32_t ecx, cycle_t now);
    /*
     * FERR#: with CR0.NE clear an x87 exception is the board's to report, as an interrupt for which the core
     * waits (SDM 3A 6.15, interrupt 16; SDM 1 D.2). NULL: nobody does.
     */
    void (*coprocessor_error)(void *opaque, cycle_t now);
    void (*performance_interrupt)(void *opaque, cycle_t now); /* a counter has overflowed; NULL: no matter */
    /*
     * The local APIC, which is the board's: IA32_APIC_BASE was written, and its task priority register as CR8
     * shows it. NULL: nobody is told, and CR8 is a plain register.
     */
    void (*apic_base)(void *opaque, uint64_t value, cycle_t now);
    unsigned (*task_priority)(void *opaque);
    void (*set_task_priority)(void *opaque, unsigned priority, cycle_t now);
};

struct cpu_params {
    const struct config *config;
    struct ram *ram;
    struct cpu_board board;
    struct tlb *itlb, *dtlb, *l2_tlb;                /* NULL in functional mode; owned by the caller */
    struct tlb *structure[NR_TLB_STRUCTURES];        /* likewise, and where there is none */
    struct cache *l1i, *l1d, *walk_cache;            /* likewise */
    struct cache_content *content;                   /* NULL: there are no devices that do not snoop */
    const struct cpu_observer *observer;             /* NULL: nobody watches, and the fast executors run */
    bool (*is_ram)(void *opaque, struct paddr page); /* page-granular; false: the access goes to the board */
    /*
     * Fetches of the page come from RAM, though stores may not go there: write-protected RAM. It gets the
     * same opaque. NULL: where is_ram says so.
     */
    bool (*is_code_ram)(void *opaque, struct paddr page);
    void *is_ram_opaque;
};

enum cpu_gpr { CPU_AX, CPU_CX, CPU_DX, CPU_BX, CPU_SP, CPU_BP, CPU_SI, CPU_DI };

struct cpu_stats {
#define STAT(name, unit, sentence) uint64_t name;
#include "cpu/cpu_stats.def"
#undef STAT
};

/* An x87 register: integer bit and fraction; sign and exponent (SDM 1 4.2.2). */
struct x87_register {
    uint64_t mantissa;
    uint16_t sign_exponent;
};

/*
 * The x87 and MMX registers (SDM 1 8.1, 9.2), by physical register: ST(i) is the one numbered (TOP + i) mod
 * 8, MMi is reg[i].mantissa.
 */
struct fpu {
    struct x87_register reg[8];
    uint16_t control, status;
    uint8_t in_use;     /* a bit a physical register: not empty */
    uint16_t opcode;    /* of the last instruction that was not a control instruction: 11 bits */
    uint16_t cs, ds;    /* its selectors */
    uint64_t rip, data; /* its offset, and its operand's */
};

enum { CPU_NR_XMM = 16, CPU_MXCSR_INITIAL = 0x1f80 };

struct xmm {
    _Alignas(16) uint64_t half[2];
};

/* As FNINIT leaves it (SDM 2A FINIT), registers zero. */
struct fpu cpu_fpu_initial(void);

/* What software sees of a core; for start states, reports, debuggers and tests. */
struct cpu_state {
    uint64_t gpr[16], rip, rflags;
    uint64_t cr0, cr2, cr3, cr4, efer;
    struct segment segment[6]; /* enum dec_seg: ES CS SS DS FS GS */
    struct segment ldtr, tr;
    uint64_t gdt_base, idt_base;
    uint32_t gdt_limit, idt_limit;
    struct debug_registers debug;
    struct fpu fpu;
    struct xmm xmm[CPU_NR_XMM];
    uint32_t mxcsr;
};

/* Why cpu_run came back. */
enum cpu_stop {
    CPU_STOP_DEADLINE, /* the deadline has come, or an interrupt line moved */
    CPU_STOP_HALTED,   /* HLT: nothing happens until an interrupt */
    CPU_STOP_SHUTDOWN, /* a triple fault */
    CPU_STOP_MARKER,   /* a marker asked for it */
    CPU_STOP_POINT,    /* a debugger's (cpu/stop_points.h) */
};

struct cpu;

/* NULL when memory is short. */
struct cpu *cpu_create(const struct cpu_params *params);
void cpu_destroy(struct cpu *cpu);

struct cpu_state cpu_state(const struct cpu *cpu);
/* Whether CS is one of 64-bit code in long mode, and where the next instruction lies. */
bool cpu_state_is_64bit_code(const struct cpu_state *state);
uint64_t cpu_state_code_linear(const struct cpu_state *state);
/* The privilege level: 0 in real-address mode, 3 in virtual-8086 mode (SDM 3A 21.2). */
unsigned cpu_state_cpl(const struct cpu_state *state);
void cpu_set_state(struct cpu *cpu, const struct cpu_state *state);

/*
 * Runs until the core's clock reaches `deadline` (fetch blocks are not split: it stops where the next one
 * begins), or something else stops it. The clock is cpu_now afterwards.
 */
enum cpu_stop cpu_run(struct cpu *cpu, cycle_t deadline);
/* One instruction, or one iteration of a repeated one; before it, an interrupt that is due is taken. */
enum cpu_stop cpu_step(struct cpu *cpu);
/*
 * For debuggers: as cpu_run, with the same cycles and counts, but one fetch block at most, or with is_alone
 * one instruction; and it stops at stop points. Between two calls nothing may happen that cpu_run would see
 * only later: events are served while cpu_is_between_blocks. deadline is looked at then only.
 */
enum cpu_stop cpu_run_piece(struct cpu *cpu, cycle_t deadline, bool is_alone);
bool cpu_is_between_blocks(const struct cpu *cpu);
cycle_t cpu_now(const struct cpu *cpu);

/* A halted core's time passes until `cycle`. */
void cpu_idle_until(struct cpu *cpu, cycle_t cycle);

/* The level of the interrupt line; may be called from within a hook. */
void cpu_set_interrupt_line(struct cpu *cpu, bool level);

/* A non-maskable interrupt has come (an edge); may be called from within a hook. */
void cpu_raise_nmi(struct cpu *cpu);

/* The board's A20 gate; open at the start. May be called from within a hook. */
void cpu_set_a20(struct cpu *cpu, bool is_open);

/*
 * What is_ram says of these pages has changed, or what lies behind them. May be called from within a hook.
 */
void cpu_memory_changed(struct cpu *cpu, struct paddr at, uint64_t size_bytes);

/* IGNNE#: the pending x87 exception no longer stops instructions, until it is cleared. */
void cpu_ignore_coprocessor_error(struct cpu *cpu);

/* Asks a running core to come back at the next fetch block; may be called from within a hook. */
void cpu_request_stop(struct cpu *cpu);

/* A device has made an event due at `cycle`: a running core comes back by then. */
void cpu_shorten_run(struct cpu *cpu, cycle_t cycle);

/* Whether an interrupt could end a halt: EFLAGS.IF, or an NMI that waits. */
bool cpu_can_interrupt(const struct cpu *cpu);

/*
 * Decoded code that lies in these bytes is dropped; for whoever writes guest memory behind the core's back.
 */
void cpu_code_written(struct cpu *cpu, struct paddr at, uint64_t size_bytes);

/*
 * Adds what the fast paths counted to the statistics of core, TLBs and caches; call before reading any of
 * them.
 */
void cpu_settle(struct cpu *cpu);
const struct cpu_stats *cpu_stats(const struct cpu *cpu);
bool cpu_register_stats(struct cpu *cpu, struct stat_registry *registry, const char *path);

/* The CPI stack: cycles that went into each reason; the parts add up to cpu_now. NR_REASONS entries. */
void cpu_cpi_stack(const struct cpu *cpu, cycle_t *cycles_by_reason);

const struct mmu *cpu_mmu(const struct cpu *cpu);

/* A triple fault, or the last exceptions before one. */
struct cpu_fault_record {
    uint8_t vector;
    bool has_error_code;
    uint32_t error_code;
    uint64_t cr2, rip;
    uint16_t cs;
    cycle_t cycle;
};
/* Enough for a benign fault, two in its delivery, #DF, one in its delivery, and what led there. */
enum { CPU_FAULT_HISTORY = 8 };
/* The latest exceptions, newest first. Returns how many. */
unsigned cpu_fault_history(const struct cpu *cpu, struct cpu_fault_record record[CPU_FAULT_HISTORY]);

/* What CPUID answers for a leaf, subleaf 0: EAX, EBX, ECX, EDX. */
void cpu_answer_cpuid(const struct cpu *cpu, uint32_t leaf, uint32_t registers[4]);

/*
 * How often #UD was raised for a defined instruction without executor; index is enum dec_op, DEC_NR_OPS
 * entries.
 */
const uint32_t *cpu_unimplemented(const struct cpu *cpu);

/*
 * Reads guest memory by linear address as the core would see it, with no effect. False where nothing is
 * mapped.
 */
bool cpu_peek(const struct cpu *cpu, struct laddr at, void *into, size_t size_bytes);

/*
 * Its state, for checkpoints (sim/base/snap.h), without that of the TLBs and caches, which are read before
 * it. begins_time: what is read is of a functional core, and this one is not: its time goes on in its own
 * model, with nothing under way and nothing learnt.
 */
struct snap;
void cpu_snap(struct cpu *cpu, bool begins_time, struct snap *snap);

#endif
