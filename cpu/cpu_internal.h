/*
 * The layout of a core, for the files of this room and their tests. Fields are grouped by how often the
 * executors touch them.
 */
#ifndef LK_CPU_CPU_INTERNAL_H
#define LK_CPU_CPU_INTERNAL_H

#include "cache/content.h"
#include "cpu/cpu.h"
#include "cpu/decode.h"
#include "cpu/features.h"
#include "cpu/insn.h"
#include "cpu/pmu.h"
#include "cpu/stop_points.h"

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

enum {
    /* Behind the general registers, always ready: what addresses are made of besides. */
    REG_ZERO = 16, /* an absent base or index */
    REG_CODE = 17, /* linear address of the page that the running instructions lie in */
    REG_BIAS = 18, /* CODE_BIAS */
    REG_FS = 19,   /* the bases of FS and GS */
    REG_GS = 20,
    NR_REGS = 21,
    READY_FLAGS = NR_REGS,
    READY_XMM = READY_FLAGS + 1,
    READY_MMX = READY_XMM + 16, /* and x87: by physical register */
    READY_X87_STATUS = READY_MMX + 8,
    NR_READY,
    APIC_BASE_BSP = 1 << 8,
    APIC_BASE_ENABLE = 1 << 11,
    MISC_ENABLE_FAST_STRINGS = 1, /* IA32_MISC_ENABLE; the only bit, and one that changes nothing */
    CODE_BIAS = 8192, /* taken off a RIP-relative displacement that bind.c could not complete otherwise */
    DATA_FRONT_ENTRIES = 4096,
    FETCH_FRONT_ENTRIES = 64,
    MAX_AC_FRONTS = 16,
    JUMP_CACHE_ENTRIES = 2048,
    MAX_PORTS = 4,
    MAX_STORE_BUFFER = 64,
    MAX_FETCH_QUEUE = 16,
    MAX_RETURN_STACK = 64,
    PHYSICAL_BITS = 40, /* MAXPHYADDR */
};

/* EFLAGS (SDM 1 3.4.3). */
enum eflags_bit {
    EFLAGS_CF = 1 << 0,
    EFLAGS_FIXED = 1 << 1,
    EFLAGS_PF = 1 << 2,
    EFLAGS_AF = 1 << 4,
    EFLAGS_ZF = 1 << 6,
    EFLAGS_SF = 1 << 7,
    EFLAGS_TF = 1 << 8,
    EFLAGS_IF = 1 << 9,
    EFLAGS_DF = 1 << 10,
    EFLAGS_OF = 1 << 11,
    EFLAGS_IOPL = 3 << 12,
    EFLAGS_NT = 1 << 14,
    EFLAGS_RF = 1 << 16,
    EFLAGS_VM = 1 << 17,
    EFLAGS_AC = 1 << 18,
    EFLAGS_VIF = 1 << 19,
    EFLAGS_VIP = 1 << 20,
    EFLAGS_ID = 1 << 21,
    EFLAGS_STATUS = EFLAGS_CF | EFLAGS_PF | EFLAGS_AF | EFLAGS_ZF | EFLAGS_SF | EFLAGS_OF,
    /* All there are: what an IRET to virtual-8086 mode and a task switch load. */
    EFLAGS_DEFINED = EFLAGS_STATUS | EFLAGS_TF | EFLAGS_IF | EFLAGS_DF | EFLAGS_IOPL | EFLAGS_NT | EFLAGS_RF |
                     EFLAGS_VM | EFLAGS_AC | EFLAGS_VIF | EFLAGS_VIP | EFLAGS_ID,
};

enum exception_vector {
    EXCP_DE = 0,
    EXCP_DB = 1,
    EXCP_NMI = 2,
    EXCP_BP = 3,
    EXCP_OF = 4,
    EXCP_BR = 5,
    EXCP_UD = 6,
    EXCP_NM = 7,
    EXCP_DF = 8,
    EXCP_TS = 10,
    EXCP_NP = 11,
    EXCP_SS = 12,
    EXCP_GP = 13,
    EXCP_PF = 14,
    EXCP_MF = 16,
    EXCP_AC = 17,
    EXCP_MC = 18,
    EXCP_XM = 19,
};

/* In cpu->code_key: CS ends somewhere, and code near its limit is not to be found but by asking where. */
#define CODE_KEY_FLAT_SHIFT 2 /* a bit for each segment: flat data, for reading and writing */
#define CODE_KEY_LIMITED (1u << 8)
#define CODE_KEY_64BIT (1u << 9)
#define CODE_KEY_BASED_SHIFT 6 /* a bit for FS and one for GS: as flat data, but for a base */

/* Which tag of a front entry an access needs: who asks, and what for. */
enum front_kind { FRONT_SUPERVISOR = 0, FRONT_USER = 2, FRONT_READ = 0, FRONT_WRITE = 1, NR_FRONT_KINDS = 4 };

#define FRONT_NO_PAGE UINT64_MAX
/* In a tag: a debugger watches the page, and only the long way may take it (stop_points.c). */
#define FRONT_WATCHED (1ull << 62)

/*
 * A shortcut to a TLB entry, for one 4 KiB page of RAM. It is good while the entry has the id that stands
 * here (see tlb/tlb.h). A tag that is not the page's number forbids the shortcut to that kind of access: not
 * allowed, dirty bit not set yet, or (writes) decoded code in the page.
 */
struct front {
    uint64_t tag[NR_FRONT_KINDS]; /* linear page number */
    uint8_t *host;                /* of the page's first byte */
    struct paddr frame;           /* of the page */
    struct tlb_entry *entry;
    uint64_t id;
};

/* Which front serves a page: pages that lie a power of two apart, as buddies do, should not meet. */
static inline unsigned front_index(uint64_t page, unsigned nr_entries)
{
    return (unsigned)((page ^ page >> 8) % nr_entries);
}

/*
 * Where a linear address was last found to have decoded code. Says nothing of whether it still translates
 * there.
 */
struct jump_cache_entry {
    uint64_t linear;
    const struct insn *insn;
    struct paddr frame;
    uint32_t code_key;
};

struct code_frame;

/* What the instruction that was decoded alone was decoded from. No padding: it is compared as bytes. */
struct single_key {
    uint64_t physical, rip;
    uint32_t code_key, nr_bytes;
    uint8_t bytes[DEC_MAX_LENGTH + 1];
};

/* An exception on its way (SDM 3A 6.13). */
struct fault {
    uint8_t vector;
    bool has_error_code;
    bool leaves_rf; /* the image that is pushed has RF as it is: a trap, or an instruction breakpoint */
    uint32_t error_code;
    uint64_t cr2;
};

struct btb_entry {
    uint64_t from, to; /* linear; from 0: empty */
};

/*
 * What a store in the buffer writes; the second part is empty but for one that crosses a line. Only of stores
 * that stay in the buffer beyond the cycle behind their issue.
 */
struct buffered_store {
    const uint8_t *host[2];
    unsigned size_bytes[2];
    stamp_t data; /* when its bytes are there */
};

enum { STORE_SEEN_ENTRIES = 64, STORE_SEEN_SHIFT = 3 };

/* Which cpu->store_seen says when the youngest store to such eight bytes has left the buffer. */
static inline unsigned store_seen_index(const uint8_t *host)
{
    return (unsigned)((uintptr_t)host >> STORE_SEEN_SHIFT) % STORE_SEEN_ENTRIES;
}

struct tage;

struct predictor {
    uint8_t *counters; /* two bits each */
    uint64_t counter_mask;
    uint64_t history_mask; /* zero: bimodal */
    uint64_t history;
    bool is_counted; /* by these; else tage has its own, or all branches go one way */
    bool static_taken;
    struct tage *tage;
    struct btb_entry *btb; /* of each set the entry that was used last */
    uint64_t btb_mask;
    struct btb_entry *btb_rest; /* the others, a set after the other, in the order of their last uses */
    unsigned btb_rest_ways;     /* 0: direct-mapped */
    uint64_t return_stack[MAX_RETURN_STACK];
    unsigned return_top, return_entries, return_depth;
};

struct cpu {
    /* Hot: touched by nearly every instruction. */
    uint64_t reg[NR_REGS];
    stamp_t ready[NR_READY]; /* when a register's value can be used */
    /*
     * The status flags, computed when somebody asks: ZF = low half of flag_result is zero; SF = its bit 63;
     * PF = even parity of its bytes 0 and 5 together; CF = bit 32 of flag_carry; OF = bits 32 and 31 differ;
     * AF = bit 4.
     */
    uint64_t flag_result, flag_carry;
    stamp_t step;                              /* from one issue slot to the next */
    stamp_t deadline;                          /* blocks that would begin later than this do not begin */
    stamp_t load_hit;                          /* added to a load's issue when the L1D serves it */
    stamp_t store_forward, store_forward_fail; /* when the store buffer does, or cannot */
    unsigned front_kind;                       /* FRONT_SUPERVISOR or FRONT_USER */
    const uint64_t *l1d_read_line, *l1d_write_line;
    uint64_t l1d_set_mask;
    unsigned l1d_line_shift;
    uint64_t line_mask; /* bytes of a line - 1 */
    /* What follows from the code's and the stack's width and from CS: see cpu_mode_changed. */
    uint64_t linear_mask;               /* of a linear address as this code makes it: all ones, or 32 */
    uint64_t stack_mask;                /* of rSP as a stack address */
    uint64_t code_base;                 /* of CS; 0 in 64-bit code */
    uint64_t code_bias, code_limit;     /* rIP + code_bias must not exceed code_limit */
    uint64_t *data_clock, *fetch_clock; /* of the TLBs: a use of an entry counts one up */
    uint64_t fast_stores;               /* not settled yet; loads and fetches follow from the clocks */
    stamp_t port_free[MAX_PORTS];
    unsigned port_index, port_mask;
    unsigned store_index, store_entries;
    stamp_t store_drained;           /* when the youngest store leaves the buffer */
    stamp_t store_met;               /* loads from then on meet no store in the buffer */
    stamp_t iterative_free;          /* when the next division can begin */
    const struct front *fetch_front; /* of the code page */
    stamp_t fetch_at;                /* when the next block can be fetched */
    stamp_t frontend;                /* from fetch to issue */
    stamp_t mispredict, btb_bubble;
    unsigned fetch_index, fetch_entries;
    uint32_t code_key;
    struct cpu_stats stats;
    uint64_t lost[NR_REASONS + 1]; /* clock ticks waited, by reason; not base */
    stamp_t store_buffer[MAX_STORE_BUFFER];
    stamp_t store_seen[STORE_SEEN_ENTRIES];
    struct buffered_store buffered[MAX_STORE_BUFFER];
    stamp_t fetch_left[MAX_FETCH_QUEUE]; /* when the block that had this place left it */
    struct front data_front[DATA_FRONT_ENTRIES] __attribute__((aligned(64)));
    struct front fetch_fronts[FETCH_FRONT_ENTRIES];
    struct jump_cache_entry jump_cache[JUMP_CACHE_ENTRIES];
    struct predictor predictor;

    /* Warm: slow paths, exceptions, system instructions. */
    stamp_t clock;      /* while no executor runs: the next issue slot */
    stamp_t slow_issue; /* out of a slow access: the slot at which its instruction issued after all */
    uint64_t memory_ip; /* linear address of the instruction whose accesses memory.c makes; 0: of none */
    uint64_t rip; /* while no executor runs, and where a fault says so: the next (or faulting) instruction */
    uint64_t eflags; /* without the status flags; DF, IF, IOPL, ... live here */
    uint64_t cr2;
    uint16_t ac_front[MAX_AC_FRONTS]; /* data fronts that allow what EFLAGS.AC allows in spite of SMAP */
    uint64_t combined_line;           /* whose write-combining writes are still here, or CACHE_NO_LINE */
    unsigned nr_ac_fronts;            /* MAX_AC_FRONTS + 1: more than that */
    /* The data fronts that may have a tag, each once: whoever drops or searches them need not look at all. */
    uint16_t used_front[DATA_FRONT_ENTRIES];
    uint64_t is_front_used[DATA_FRONT_ENTRIES / 64];
    unsigned nr_used_fronts;
    struct segment segment[DEC_NR_SEGS], ldtr, tr;
    uint64_t gdt_base, idt_base;
    uint32_t gdt_limit, idt_limit;
    unsigned cpl;
    struct fault fault; /* set by whoever returns failure */
    bool interrupt_line;
    bool nmi_pending, is_nmi_blocked; /* from one NMI's delivery to the next IRET */
    bool checks_alignment;            /* #AC is possible: CPL 3, CR0.AM, EFLAGS.AC */
    bool interrupt_shadow; /* the next instruction runs before any interrupt (STI, MOV SS, POP SS) */
    /*
     * The instruction at rip lies in a fetch block that has been fetched: it was interrupted by nothing but
     * the core's being stopped, and goes on without asking the ITLB and the L1I again.
     */
    bool is_mid_block;
    bool is_mid_insn; /* of that instruction all blocks have been fetched: a string instruction goes on */
    struct paddr next_page; /* where the rest of the latest instruction lies that straddles two pages */
    bool is_stepping;       /* instructions run alone, and so many more may begin */
    /* Behind the latest one that ran alone a block is fetched anew: a shadow, or code out of RAM. */
    bool fetches_anew;
    unsigned steps_left;
    struct debug_state debug;
    struct pmu pmu;
    bool is_halted, is_shut_down, must_stop, stop_for_marker;
    bool is_timed;
    bool is_hit_under_walk; /* loads may wait aside for their translation */
    stamp_t io_wait;
    uint64_t untimed_clocks[2]; /* what counts uses where there are no TLBs */
    struct mmu mmu;
    struct paging_mode control; /* CR0, CR3, CR4, EFER */
    uint64_t features;          /* a bit a feature: cpu_has */
    /*
     * The exception that an x87, MMX or SSE instruction raises because of CR0.EM, CR0.TS, CR4.OSFXSR:
     * EXCP_UD, EXCP_NM, or 0 for none. See fpu.h.
     */
    uint8_t x87_blocked, mmx_blocked, sse_blocked;
    struct fpu fpu;
    struct xmm xmm[CPU_NR_XMM];
    uint32_t mxcsr;
    struct xmm wide;        /* an operand of up to 16 bytes on its way to or from memory */
    bool is_simd_fault;     /* the operation just done set cpu->fault: no result */
    bool ignores_x87_error; /* IGNNE#, while an exception is pending */
    uint16_t x87_raised;    /* by the store that is under way */
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t star, lstar, cstar, sfmask, kernel_gs_base, tsc_aux, cr8;
    uint64_t apic_base; /* IA32_APIC_BASE */
    uint64_t platform_id, microcode_revision, misc_enable;
    int64_t tsc_offset_cycles;

    /* Decoded code. */
    struct code_frame **code_frames; /* by pfn */
    uint64_t nr_code_frames;
    struct code_frame *dead_frames; /* dropped, freed once no executor can be in them */
    unsigned nr_dead_frames;
    struct insn *single; /* room for one instruction decoded where it cannot be kept */
    struct single_key single_key;
    struct insn stop_record; /* makes the executors return */
    unsigned fetch_bytes, fetch_line_shift;
    exec_fn *const *handlers; /* by enum handler, of the model that runs */

    /* Cold. */
    struct cpu_params params;
    struct cpu_fault_record history[CPU_FAULT_HISTORY];
    uint64_t nr_faults;
    struct stop_points stops;
    uint32_t unimplemented[DEC_NR_OPS];
    bool sees_all;             /* the observer wants to know of hits as of all else */
    uint16_t fetch_hit_cycles; /* of the L1I; for observers */
    unsigned lost_reasons;     /* a bit each: `lost` may be other than `seen_lost` there; for observers */
    uint64_t seen_lost[NR_REASONS]; /* cpu->lost at the last instruction that an observer saw */
    cycle_t seen_sent;              /* when an access that passes the caches by was sent; for observers */
    bool seen_in_flight;            /* the last request met a line that was on its way; for observers */
    uint64_t seen_taken_branches;   /* stats.taken_branches, like seen_lost */
    /* Of the instruction now executed, as they were when its block was fetched; for observers. */
    stamp_t seen_fetched;
    uint64_t seen_code_base;
    uint8_t seen_code_bits, seen_cpl;
    struct cpu_brief_room *room; /* where the observer is told in short, see brief.h; NULL: in full */
    uint64_t *told;     /* by cpu_seen_place: cpu_told_as of the last that was told of in full there */
    uint64_t seen_key;  /* of seen_page; 0 while all is told of in full */
    uint64_t seen_next; /* number of the instruction behind the last that was told of */
    uint64_t seen_gap;  /* from there to the one that is executed: 0 where they are told of in sequence */
    const struct cpu_seen_page *seen_page;
    struct cpu_seen_page *seen_pages; /* CPU_SEEN_PAGES, by their linear address; one more that is none */
    uint64_t nr_seen_keys;
    uint8_t seen_data_cache; /* enum cpu_request_cache that data accesses ask */
};

static inline uint64_t cpu_stack_mask(const struct cpu *cpu)
{
    return cpu->stack_mask;
}

static inline bool cpu_has(const struct cpu *cpu, enum cpu_feature feature)
{
    return cpu->features >> feature & 1;
}

/* MAXPHYADDR; before PSE-36 addresses ended at 4 GiB. */
static inline unsigned cpu_physical_bits(const struct cpu *cpu)
{
    return cpu_has(cpu, FEATURE_PSE36) ? PHYSICAL_BITS : 32;
}

/* Whether EFER.LMA is set (IA-32e mode), and whether the code that runs is 64-bit code (SDM 3A 2.2). */
static inline bool cpu_is_long_mode(const struct cpu *cpu)
{
    return cpu->control.efer & EFER_LMA;
}

static inline bool cpu_is_64bit(const struct cpu *cpu)
{
    return cpu_is_long_mode(cpu) && cpu->segment[DEC_SEG_CS].hidden.is_long;
}

/*
 * EIP does not wrap at 64 KiB in 16-bit code either: what follows FFFFh is beyond the limit, if that is one.
 */
static inline uint64_t cpu_rip_mask(const struct cpu *cpu)
{
    return cpu->linear_mask;
}

/* Whether an instruction may be fetched there: within CS's limit; in 64-bit code, canonical. */
static inline bool cpu_is_code_address(const struct cpu *cpu, uint64_t rip)
{
    return rip + cpu->code_bias <= cpu->code_limit;
}

static inline uint64_t cpu_code_linear(const struct cpu *cpu, uint64_t rip)
{
    return (rip + cpu->code_base) & cpu->linear_mask;
}

/* Whether CS ends within the page of cpu->rip: its instructions are to be looked at one by one. */
static inline bool cpu_is_near_limit(const struct cpu *cpu)
{
    uint64_t base = cpu->code_base;
    return ((((cpu->rip + base) | PAGE_MASK) - base) & UINT32_MAX) > cpu->code_limit;
}

/* rip of a record's instruction. */
static inline uint64_t cpu_insn_rip(const struct cpu *cpu, const struct insn *insn)
{
    return (cpu->reg[REG_CODE] + insn->offset - cpu->code_base) & cpu->linear_mask;
}

/* Whether the bits above the implemented ones repeat the highest of these (SDM 1 3.3.7.1). */
static inline bool cpu_is_canonical(const struct cpu *cpu, uint64_t linear)
{
    unsigned unused_bits = cpu->control.cr4 & CR4_LA57 ? 7 : 16;
    return (uint64_t)((int64_t)(linear << unused_bits) >> unused_bits) == linear;
}

/* Who makes an explicit access, if it is the supervisor. */
static inline enum mmu_asker cpu_supervisor(const struct cpu *cpu)
{
    return cpu->eflags & EFLAGS_AC ? MMU_SUPERVISOR_AC : MMU_SUPERVISOR;
}

static inline bool cpu_has_breakpoints(const struct cpu *cpu)
{
    return UNLIKELY((cpu->debug.registers.dr7 & DR7_ENABLES) || cpu->stops.has_data_points);
}

static inline bool cpu_is_nmi_due(const struct cpu *cpu)
{
    return cpu->nmi_pending && !cpu->is_nmi_blocked;
}

static inline bool cpu_is_protected(const struct cpu *cpu)
{
    return (cpu->control.cr0 & CR0_PE) && !(cpu->eflags & EFLAGS_VM);
}

/* Sets cpu->fault; always returns false, so that a check can `return cpu_fault_...`. */
static inline bool cpu_set_fault(struct cpu *cpu, enum exception_vector vector)
{
    cpu->fault = (struct fault){.vector = (uint8_t)vector};
    return false;
}

static inline bool cpu_set_fault_code(struct cpu *cpu, enum exception_vector vector, uint32_t error_code)
{
    cpu->fault = (struct fault){.vector = (uint8_t)vector, .has_error_code = true, .error_code = error_code};
    return false;
}

/* flags.c: the whole of EFLAGS, and back. */
uint64_t cpu_flags(const struct cpu *cpu);
void cpu_set_status_flags(struct cpu *cpu, uint64_t flags);
/* Sets what `mask` allows (and the status flags where the mask has them). */
void cpu_set_flags(struct cpu *cpu, uint64_t flags, uint64_t mask);

/*
 * memory.c: accesses the long way. All move cpu->clock to the slot at which they issued; a fault is in
 * cpu->fault. `linear` is any address; the access may cross lines and pages and may go to a device.
 */
struct loaded {
    uint64_t value;
    stamp_t ready; /* when the value can be used; 0: a fault, see cpu->fault */
};
/* As the current privilege level, from executors: t is the issue slot; cpu->slow_issue the one it became. */
struct loaded cpu_load_slow(struct cpu *cpu, uint64_t linear, unsigned size_bytes, stamp_t t);
bool cpu_store_slow(struct cpu *cpu, uint64_t linear, unsigned size_bytes, uint64_t value, stamp_t t)
    __attribute__((warn_unused_result));
/*
 * The load of a read-modify-write: the fault, if any, is that of a write. Then its store, which cannot fault.
 */
struct loaded cpu_load_for_write_slow(struct cpu *cpu, uint64_t linear, unsigned size_bytes, stamp_t t);
void cpu_store_after_load_slow(struct cpu *cpu, uint64_t linear, unsigned size_bytes, uint64_t value,
                               stamp_t t, stamp_t data_ready);
/* Up to 16 bytes at once, as one access; `ready` as above. A device is asked for 8 bytes at a time. */
stamp_t cpu_load_wide_slow(struct cpu *cpu, uint64_t linear, unsigned size_bytes, stamp_t t, void *into);
bool cpu_store_wide_slow(struct cpu *cpu, uint64_t linear, unsigned size_bytes, const void *from, stamp_t t)
    __attribute__((warn_unused_result));
/*
 * uncached.c: the same as an access to the L1D, for other types than WB and for CR0.CD; *t moves where the
 * access is in order with all others. Returns when the data are there, or the write is taken.
 */
stamp_t cpu_access_uncached(struct cpu *cpu, enum memory_type type, struct paddr at, unsigned size_bytes,
                            bool is_write, stamp_t *t);
/* What was gathered of write-combining writes goes to memory. */
void cpu_drain_combined(struct cpu *cpu, stamp_t t);
/* Outside executors: waits for the value; as supervisor whatever the CPL if is_system (GDT, IDT, TSS). */
bool cpu_read(struct cpu *cpu, uint64_t linear, unsigned size_bytes, bool is_system, uint64_t *value)
    __attribute__((warn_unused_result));
bool cpu_write(struct cpu *cpu, uint64_t linear, unsigned size_bytes, bool is_system, uint64_t value)
    __attribute__((warn_unused_result));
/* Whether a write of size_bytes would be allowed (for instructions that must not be half done). */
bool cpu_probe_write(struct cpu *cpu, uint64_t linear, unsigned size_bytes)
    __attribute__((warn_unused_result));
/* Whether the processor itself, as supervisor, could read or write all of these bytes. */
bool cpu_probe_system(struct cpu *cpu, uint64_t linear, unsigned nr_bytes, bool is_write)
    __attribute__((warn_unused_result));
/*
 * A translation for a data access or a fetch in slot *t, which moves to when it is known. False: #PF in
 * cpu->fault. The answer's entry is good until the next call.
 */
bool cpu_translate(struct cpu *cpu, uint64_t linear, enum mmu_access access, enum mmu_asker asker, stamp_t *t,
                   struct tlb_entry **entry) __attribute__((warn_unused_result));
/* front.c: what a translation found, of a page of RAM, becomes a shortcut for those whom it allows. */
void cpu_init_fronts(struct cpu *cpu);
void cpu_fill_data_front(struct cpu *cpu, uint64_t linear, struct tlb_entry *entry, enum memory_type type);
void cpu_drop_fronts(struct cpu *cpu);
/* CPL, CR0.AM or EFLAGS.AC changed: while all three ask for it, accesses of the user go the long way. */
void cpu_update_alignment(struct cpu *cpu);
/* EFLAGS.AC has been written: if it is clear now, SMAP forbids again what it allowed (SDM 3A 4.6). */
void cpu_drop_ac_fronts(struct cpu *cpu);
static inline void cpu_ac_written(struct cpu *cpu)
{
    if (cpu->nr_ac_fronts && !(cpu->eflags & EFLAGS_AC))
        cpu_drop_ac_fronts(cpu);
    cpu_update_alignment(cpu);
}
/* No store may go the fast way to this page any more: it holds decoded code now. */
void cpu_drop_write_fronts(struct cpu *cpu, struct paddr frame);

/* address.c: logical to linear, with all checks. Not good: #GP or #SS in cpu->fault. */
struct linear {
    uint64_t v;
    bool is_good;
};
struct linear cpu_linear(struct cpu *cpu, unsigned seg, uint64_t offset, unsigned size_bytes, bool is_write)
    __attribute__((warn_unused_result));
/*
 * What is left to check of a linear address that is through `seg`, but needs nothing from it: is it
 * canonical?
 */
struct linear cpu_linear_flat(struct cpu *cpu, unsigned seg, uint64_t linear, unsigned size_bytes)
    __attribute__((warn_unused_result));
uint64_t cpu_effective_address(const struct cpu *cpu, const struct insn *insn);

/* timing.c: waits until `ready`, for the reason it carries. */
stamp_t cpu_wait(struct cpu *cpu, stamp_t t, stamp_t ready);
/* An access of a data port: so many can begin in a cycle. */
stamp_t cpu_port(struct cpu *cpu, stamp_t t);
/* Every result is waited for and the stores have drained; then `cycles` pass. Reason: serialising. */
stamp_t cpu_serialise(struct cpu *cpu, stamp_t t, cycle_t cycles);
/* The front end starts afresh at `t`. */
void cpu_redirect(struct cpu *cpu, stamp_t t);

/* exception.c: delivers cpu->fault for the instruction at cpu->rip (faults) through the IDT. */
void cpu_deliver_fault(struct cpu *cpu);
/*
 * INT n, INT3, INTO: rip is the next instruction already. False: a fault is in cpu->fault, the state is
 * untouched.
 */
bool cpu_software_interrupt(struct cpu *cpu, unsigned vector) __attribute__((warn_unused_result));
void cpu_hardware_interrupt(struct cpu *cpu, unsigned vector);

/* A stack in the making: that of a handler or of an inner ring, which is not the current one yet. */
struct new_stack {
    struct segment segment;
    uint64_t sp;
    unsigned cpl;
};
/*
 * The stack that the TSS names for a privilege level, with its checks (SDM 3A 6.12.1, SDM 2A INT n), and
 * pushes on it. `ext` is the EXT bit of the faults' error codes.
 */
bool cpu_stack_from_tss(struct cpu *cpu, unsigned cpl, uint32_t ext, struct new_stack *stack)
    __attribute__((warn_unused_result));
bool cpu_push_on(struct cpu *cpu, struct new_stack *stack, unsigned size_bytes, uint64_t value, uint32_t ext)
    __attribute__((warn_unused_result));

/*
 * port.c: the board. cpu_port_allowed: IOPL and the I/O permission bitmap (SDM 1 19.5); false: #GP(0) in
 * cpu->fault. A marker's result goes to EAX; it may ask the run to stop.
 */
bool cpu_port_allowed(struct cpu *cpu, uint16_t port, unsigned size_bytes)
    __attribute__((warn_unused_result));
uint64_t cpu_port_read(struct cpu *cpu, uint16_t port, unsigned size_bytes, cycle_t now);
void cpu_port_write(struct cpu *cpu, uint16_t port, unsigned size_bytes, uint64_t value, cycle_t now);
void cpu_marker(struct cpu *cpu, unsigned number, cycle_t now);

/* segload.c */
bool cpu_load_segment(struct cpu *cpu, unsigned seg, uint16_t selector) __attribute__((warn_unused_result));
/* Reads a descriptor from GDT or LDT: raw bytes. False: the selector is beyond the table, or a page fault. */
bool cpu_read_descriptor(struct cpu *cpu, uint16_t selector, enum exception_vector vector, uint64_t *raw)
    __attribute__((warn_unused_result));
/*
 * LAR (access rights) and LSL (limit in bytes), VERR and VERW, for the current privilege level (SDM 3A
 * 5.10). False: not visible or not allowed, or a page fault, which cpu->fault then holds.
 */
bool cpu_inspect(struct cpu *cpu, uint16_t selector, bool wants_rights, uint32_t *value)
    __attribute__((warn_unused_result));
bool cpu_verify(struct cpu *cpu, uint16_t selector, bool is_write) __attribute__((warn_unused_result));
/* LLDT and LTR (SDM 2A). */
bool cpu_load_ldt(struct cpu *cpu, uint16_t selector) __attribute__((warn_unused_result));
bool cpu_load_task_register(struct cpu *cpu, uint16_t selector) __attribute__((warn_unused_result));
/* Sets the hidden part as real mode and V86 mode do. */
void cpu_load_segment_real(struct cpu *cpu, unsigned seg, uint16_t selector);
/* Sets the accessed bit of a descriptor in memory where it is not set yet (SDM 3A 3.4.5.1). */
bool cpu_mark_accessed(struct cpu *cpu, uint16_t selector, const struct descriptor *d)
    __attribute__((warn_unused_result));
void cpu_set_segment(struct cpu *cpu, unsigned seg, uint16_t selector, const struct descriptor *hidden);
/* CPL, stack size, code size or a segment changed: what decoded code and fast paths depend on. */
void cpu_mode_changed(struct cpu *cpu);

/* identify.c: CPUID by EAX and ECX. */
void cpu_identify(struct cpu *cpu);

/* msr.c: RDMSR into EDX:EAX; WRMSR. False: #GP(0). */
bool cpu_read_msr(struct cpu *cpu, uint32_t number) __attribute__((warn_unused_result));
bool cpu_write_msr(struct cpu *cpu, uint32_t number, uint64_t value) __attribute__((warn_unused_result));

/* control.c: WBINVD and INVD. */
void cpu_flush_caches(struct cpu *cpu, bool write_back, cycle_t now);
/* From a start state, with no check; PAE paging finds its PDPTEs in memory. */
void cpu_set_control(struct cpu *cpu, const struct cpu_state *state);
/*
 * CLFLUSH of a line that may be read, else there is a fault. The slot at which it was known is in slow_issue.
 */
bool cpu_flush_line(struct cpu *cpu, uint64_t linear, stamp_t t) __attribute__((warn_unused_result));
/* MOV to CR0, CR3, CR4. False: #GP. */
bool cpu_write_cr(struct cpu *cpu, unsigned number, uint64_t value) __attribute__((warn_unused_result));
/* CR8, the task priority: four bits (SDM 3A 10.8.6). */
unsigned cpu_read_cr8(const struct cpu *cpu);
void cpu_write_cr8(struct cpu *cpu, unsigned priority);

/* transfer.c: far transfers. cpu->rip is the next instruction; on success it is the destination. */
bool cpu_far_jump(struct cpu *cpu, uint16_t selector, uint64_t offset) __attribute__((warn_unused_result));
bool cpu_far_call(struct cpu *cpu, uint16_t selector, uint64_t offset, unsigned size_bytes)
    __attribute__((warn_unused_result));
bool cpu_far_return(struct cpu *cpu, unsigned size_bytes, unsigned nr_extra_bytes)
    __attribute__((warn_unused_result));
bool cpu_interrupt_return(struct cpu *cpu, unsigned size_bytes) __attribute__((warn_unused_result));

/*
 * task.c: switches to the task whose TSS `selector` names (SDM 3A 7.3). cpu->rip is where the old one goes
 * on.
 */
enum task_cause { TASK_BY_JUMP, TASK_BY_CALL, TASK_BY_EVENT, TASK_BY_RETURN };
struct task_switch {
    enum task_cause cause;
    uint16_t selector;
    bool has_error_code; /* an exception's, for the new task's stack */
    uint32_t error_code;
    uint64_t flags; /* EFLAGS as they are to be saved */
};
enum task_outcome {
    TASK_REFUSED, /* cpu->fault is the old task's, which is as it was */
    TASK_ENTERED,
    TASK_FAULTED, /* cpu->fault is the new task's, before its first instruction */
};
enum task_outcome cpu_switch_task(struct cpu *cpu, const struct task_switch *to)
    __attribute__((warn_unused_result));
/*
 * A switch by JMP or CALL, and by IRET to the task that the TSS links to. A fault of the new task has been
 * delivered; false: the old task goes on, cpu->fault is its.
 */
bool cpu_go_to_task(struct cpu *cpu, uint16_t selector, enum task_cause cause)
    __attribute__((warn_unused_result));
bool cpu_return_to_task(struct cpu *cpu) __attribute__((warn_unused_result));

/*
 * v86.c. IRET to virtual-8086 mode, with EIP, CS and EFLAGS popped; IRET and INT n within it. False:
 * cpu->fault.
 */
bool cpu_return_to_v86(struct cpu *cpu, uint64_t sp, uint64_t offset, uint16_t selector, uint64_t flags)
    __attribute__((warn_unused_result));
bool cpu_return_within_v86(struct cpu *cpu, unsigned size_bytes) __attribute__((warn_unused_result));
bool cpu_v86_interrupt(struct cpu *cpu, unsigned vector) __attribute__((warn_unused_result));
/* Whether PUSHF, POPF and IRET of that size may be used, and what they push and load (SDM 2B PUSHF, POPF). */
bool cpu_may_move_flags(const struct cpu *cpu, unsigned size_bytes);
uint64_t cpu_flags_to_push(const struct cpu *cpu);
bool cpu_pop_flags(struct cpu *cpu, uint64_t flags, unsigned size_bytes) __attribute__((warn_unused_result));
/* CLI and STI where IOPL forbids them: they change VIF if the mode has it. */
bool cpu_set_if(struct cpu *cpu, bool is_set) __attribute__((warn_unused_result));
/*
 * VIF and VIP are both set where they count: the next instruction is a #GP(0) (SDM 3B 20.3.2). To be asked
 * where flags and mode have been loaded.
 */
bool cpu_has_virtual_interrupt(const struct cpu *cpu);

/*
 * stack.c: pushes and pops outside executors, on the current stack. *sp is a working copy of the stack
 * pointer.
 */
bool cpu_push_at(struct cpu *cpu, uint64_t *sp, unsigned size_bytes, uint64_t value)
    __attribute__((warn_unused_result));
bool cpu_pop_at(struct cpu *cpu, uint64_t *sp, unsigned size_bytes, uint64_t *value)
    __attribute__((warn_unused_result));
void cpu_set_sp(struct cpu *cpu, uint64_t sp);

/*
 * fetch.c: begins a fetch block at cpu->rip in slot cpu->clock, which moves: asks the ITLB and the L1I, finds
 * the decoded code (or `block`, a record that is known to be for this place, if the page still is what it
 * was). Delivers what faults on the way. Returns the record to run, behind the block's own; never NULL.
 */
const struct insn *cpu_fetch(struct cpu *cpu, const struct insn *block);
/*
 * The same for the instruction at cpu->rip whose bytes lie in two pages, the first of which has been fetched.
 */
const struct insn *cpu_fetch_straddling(struct cpu *cpu);
/* The record to go on with at cpu->rip, in a fetch block that has been fetched. */
const struct insn *cpu_fetch_nothing(struct cpu *cpu);

/*
 * code.c: decoded code by page. Finds or decodes the run of records that begins at `offset` of the page at
 * `frame`.
 */
const struct insn *cpu_code_at(struct cpu *cpu, struct paddr frame, unsigned offset);
/* One instruction into cpu->single: the records of its blocks, its own, single_end. */
const struct insn *cpu_code_single(struct cpu *cpu, const uint8_t *bytes, size_t nr_bytes,
                                   struct paddr physical);
/* Whether a write to any of these bytes makes the code forgotten that they are decoded to. */
bool cpu_code_is_kept(const struct cpu *cpu, struct paddr at, unsigned size_bytes);
enum { SINGLE_RECORDS = 8 };
/* A direct branch within its page was taken to `rip`: it need not ask again. */
void cpu_link(struct cpu *cpu, const struct insn *branch, uint64_t rip);
/* A run came to its end within its page: the next time it goes straight on to the next one's records. */
void cpu_link_run(struct cpu *cpu, const struct insn *run_end);
void cpu_free_dead_code(struct cpu *cpu);
void cpu_drop_all_code(struct cpu *cpu);
/* For checkpoints: which bytes are decoded. What is read back is known to be, and is decoded when it runs. */
struct snap;
void cpu_code_snap(struct cpu *cpu, struct snap *snap);
static inline bool cpu_has_code(const struct cpu *cpu, struct paddr frame)
{
    uint64_t pfn = frame.v >> PAGE_SHIFT;
    return pfn < cpu->nr_code_frames && cpu->code_frames[pfn];
}

/*
 * request.c: what this core asks of its caches, here and by its walker; observers see each. `ip` is the
 * linear address of the instruction that asks, 0 for the processor's own accesses.
 */
struct cache_answer cpu_ask_cache_watched(struct cpu *cpu, struct cache *cache, enum cache_use use,
                                          struct paddr at, bool is_write, cycle_t now, uint64_t ip);
static inline struct cache_answer cpu_ask_cache(struct cpu *cpu, struct cache *cache, enum cache_use use,
                                                struct paddr at, bool is_write, cycle_t now, uint64_t ip)
{
    if (UNLIKELY(cpu->params.observer != NULL))
        return cpu_ask_cache_watched(cpu, cache, use, at, is_write, now, ip);
    return cache_ask(cache, use, at, is_write, now, ip);
}
/* To be called before the caches are asked for bytes of a line (cache/content.h). */
static inline void cpu_begin_access(const struct cpu *cpu, struct paddr at, unsigned size_bytes)
{
    if (UNLIKELY(cpu->params.content != NULL))
        cache_content_begin(cpu->params.content, at, size_bytes);
}
/* cache_flush and cache_flush_line. */
void cpu_ask_flush(struct cpu *cpu, struct cache *cache, bool write_back, cycle_t now);
void cpu_ask_flush_line(struct cpu *cpu, struct cache *cache, struct paddr at, bool write_back, cycle_t now);

/* bind.c: fills a record in from a decoded instruction: operands and handler. */
void cpu_bind(struct cpu *cpu, const struct dec_insn *dec, struct insn *insn);

/* observe.c: nothing where nobody watches. */
bool cpu_observe_in_short(struct cpu *cpu); /* at the beginning; false: out of memory */
void cpu_observe_anew(struct cpu *cpu);     /* the state is another: all is told of in full again */
void cpu_observe_block(struct cpu *cpu);    /* one is fetched in the mode that is */
void cpu_observe_insn(struct cpu *cpu, const struct insn *insn, stamp_t issued, stamp_t done, stamp_t next);
/* They put the instruction's number into what they are given. */
void cpu_observe_translation(struct cpu *cpu, struct cpu_seen_translation *seen, const struct walk *walk);
void cpu_observe_access(struct cpu *cpu, struct cpu_seen_access *seen);
void cpu_observe_request(struct cpu *cpu, const struct cache *cache, struct cpu_seen_request request);
/* For brief.h. */
enum cpu_hit_kind { CPU_HIT_LOAD, CPU_HIT_LOAD_FOR_WRITE, CPU_HIT_STORE };
void cpu_observe_page(struct cpu *cpu);                          /* code goes on in another */
void cpu_observe_code_gone(struct cpu *cpu, struct paddr frame); /* it has been written to */
void cpu_observe_exception(struct cpu *cpu, unsigned vector, bool is_interrupt);
void cpu_observe_control(struct cpu *cpu, const char *what, uint64_t value);

#endif
