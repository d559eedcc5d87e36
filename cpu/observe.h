/*
 * What a core tells whoever watches it. A watched core runs the same executors with the same time and the
 * same counts; it only takes the slow path everywhere.
 */
#ifndef LK_CPU_OBSERVE_H
#define LK_CPU_OBSERVE_H

#include "cache/cache.h"
#include "mmu/paging.h"
#include "sim/base/stamp.h"

#include <stddef.h>

/* One retired instruction, with the cycles at which it passed the stages. */
struct cpu_seen_insn {
    uint64_t number; /* from 0, in program order */
    uint64_t rip;
    struct laddr linear;
    uint8_t bytes[15]; /* those behind the length are 0 */
    uint8_t length_bytes;
    cycle_t fetched, issued, done; /* its fetch block was there; it left decode; its result was there */
    cycle_t drained;               /* for `insn`: the youngest store so far leaves the store buffer */
    uint8_t code_bits;             /* 16, 32 or 64: how to disassemble it */
    uint8_t cpl;
    uint8_t slot;    /* of its cycle, in quarters, in which it issued */
    bool is_taken;   /* for `insn`: a branch that went elsewhere than to the next instruction, or there */
    uint8_t x87_top; /* for `insn`: TOP of the x87 stack, behind the instruction */
    uint8_t
        waited_for; /* enum reason: where most of the time went that was lost before it issued; 0: nowhere */
};

/*
 * One question to the paging unit, from a fetch, a load, a store or a probe. None is asked while paging is
 * off.
 */
struct cpu_seen_translation {
    uint64_t instruction; /* number of the instruction that is being executed, or about to be fetched */
    enum mmu_access access;
    bool is_user;
    struct laddr linear;
    bool is_l1_hit, is_l2_hit; /* found in a TLB, even if a walk had to confirm or change what it says */
    bool is_fault;             /* then its walk (there is always one) has the error code */
    bool
        is_refuted; /* this walk's fault is no answer: the same is told of again, with a walk from the root */
    cycle_t asked, ready;
};

enum cpu_access_kind { CPU_ACCESS_FETCH, CPU_ACCESS_LOAD, CPU_ACCESS_STORE };

/*
 * One access to a translated page by the core: a fetch block, or the part of a load or store that lies in one
 * line.
 */
struct cpu_seen_access {
    uint64_t instruction; /* number of the instruction that is being executed, or about to be fetched */
    enum cpu_access_kind kind;
    struct laddr linear;
    struct paddr physical;
    uint8_t size_bytes;
    bool is_ram;
    bool is_new_page; /* the paging unit was asked; false: the second line of a split in the same page */
    bool is_paged;
    bool is_rest;       /* it belongs to the access before it: the second line of a split */
    uint8_t type;       /* enum memory_type of a data access */
    uint64_t nr_walks;  /* walks this access made; the last one is mmu.last_walk */
    unsigned served_by; /* enum served_by */
    bool is_in_flight;  /* no miss: its line was on the way already, from there */
    cycle_t asked, translated;
    cycle_t sent; /* a data access: the caches were asked */
    cycle_t ready;
};

/*
 * One request to the memory system, by whoever makes it: the front end, loads and stores, the walker (each
 * read, and each write of an accessed or dirty bit), a flush. In program order they are all that caches and
 * DRAM see: what they answer follows from these alone.
 */
enum cpu_request_kind {
    CPU_REQUEST_READ,
    CPU_REQUEST_WRITE,
    CPU_REQUEST_FLUSH,       /* the whole cache is written back and emptied */
    CPU_REQUEST_FORGET,      /* and is not written back */
    CPU_REQUEST_FLUSH_LINE,  /* the same of one line */
    CPU_REQUEST_FORGET_LINE, /* likewise */
    NR_CPU_REQUEST_KINDS,
};
enum cpu_request_cache {
    CPU_REQUEST_L1I,
    CPU_REQUEST_L1D,
    CPU_REQUEST_L2,
    CPU_REQUEST_L3,
    NR_CPU_REQUEST_CACHES
};
struct cpu_seen_request {
    enum cpu_request_kind kind;
    enum cpu_request_cache cache; /* that is asked */
    enum cache_use use;           /* of reads and writes */
    struct paddr at;
    uint64_t ip;          /* linear address of the instruction that asks; of a fetch: where it goes on */
    cycle_t asked, ready; /* flushes: the same */
    unsigned served_by;   /* enum served_by; flushes: 0 */
};

/* The first byte of what is told in short. */
enum cpu_brief { CPU_BRIEF_HIT = 64, CPU_BRIEF_INSN };

/*
 * An access that found its translation in the L1 TLB and its line in the L1 cache, both at once: what
 * translation (where paging is on), request and access would have told of it follows from this.
 */
struct cpu_seen_hit {
    struct cpu_hit_form {
        uint8_t brief;            /* CPU_BRIEF_HIT */
        uint8_t kind;             /* enum cpu_access_kind */
        uint8_t cache;            /* enum cpu_request_cache */
        uint8_t size_bytes;       /* of a fetch: 1 */
        uint16_t hit_cycles;      /* of the cache */
        uint8_t is_for_write : 1; /* a load; the TLB was asked for a write */
        uint8_t is_user : 1;      /* else the supervisor's */
        uint8_t is_paged : 1;     /* the TLB was asked */
        uint8_t zero : 5, zeros;  /* so that forms can be compared as a number */
    } form;
    struct laddr linear; /* of a fetch: of its line in the L1I */
    struct paddr physical;
    uint64_t ip;   /* linear address of the instruction that asks; of a fetch: where it begins */
    cycle_t asked; /* TLB and cache; of data, the bytes are there hit_cycles later */
};

/*
 * A retired instruction that is what was last told of in full at its place, but for its number, which is one
 * more than that of the instruction before it, and these.
 */
struct cpu_seen_again {
    uint8_t brief;           /* CPU_BRIEF_INSN */
    uint8_t waited_for;      /* as in struct cpu_seen_insn */
    uint16_t place;          /* cpu_seen_place of its linear address */
    uint32_t done_cycles;    /* from issue to result */
    uint64_t issued_quarter; /* cycle and slot: in quarters of a cycle */
    cycle_t fetched;
};

/* Instructions whose places are the same are told of in full when they take turns. */
enum { CPU_SEEN_PLACES = 2048 };
static inline unsigned cpu_seen_place(uint64_t linear)
{
    return (unsigned)((linear ^ linear >> 11) % CPU_SEEN_PLACES);
}

/* Where hits and instructions are told of, one behind the other. `turn` makes room for more. */
struct cpu_brief_room {
    uint8_t *at, *end;
    void (*turn)(void *opaque);
    void *opaque;
};

/* At least `size_bytes`, a multiple of 8, to be filled in before anything else is told of. */
static inline __attribute__((always_inline)) void *cpu_brief_take(struct cpu_brief_room *room,
                                                                  size_t size_bytes)
{
    if (__builtin_expect((size_t)(room->end - room->at) < size_bytes, 0))
        room->turn(room->opaque);
    void *taken = room->at;
    room->at += size_bytes;
    return taken;
}

/* Where an instruction goes on, but to the next one or where a branch goes. */
enum cpu_flow {
    CPU_FLOW_NONE,
    CPU_FLOW_CALL,   /* near or far */
    CPU_FLOW_RETURN, /* likewise */
    CPU_FLOW_ENTRY,  /* INT n and the like, SYSENTER, SYSCALL */
    CPU_FLOW_LEAVE,  /* IRET, SYSEXIT, SYSRET */
};

/* The same instruction in few words, for who counts. */
struct cpu_seen_step {
    struct laddr linear;
    stamp_t next;   /* the slot from which on the next one can issue */
    uint64_t stack; /* rSP behind it */
    uint8_t flow;   /* enum cpu_flow */
    uint8_t vector; /* CPU_FLOW_ENTRY: of INT; 0 for the others */
    uint8_t cpl;    /* behind it */
};

struct cpu_seen_exception {
    uint64_t instruction;
    uint8_t vector;
    bool is_interrupt, has_error_code;
    uint32_t error_code;
    uint64_t rip, cr2;
    cycle_t cycle;
    stamp_t clock;       /* the same moment */
    struct laddr linear; /* of rip, and what stands there, as far as it can be read */
    uint8_t bytes[15];
    uint8_t nr_bytes;
    uint8_t code_bits;
};

struct cpu_observer {
    void *opaque;
    /*
     * Nobody needs to be told of hits: what `access`, `request` and, of translations, hits of the TLB tell is
     * only what takes the long way anyhow, and the core keeps its short ways.
     */
    bool wants_no_hits;
    /*
     * NULL; or hits and instructions are told of in short, and the core keeps its short ways: what is told
     * of so is not told of by `translation`, `request`, `access` and `insn`. An instruction that was not
     * told of yet is filled into what `insn_room` gives (but for what above is for `insn`) by the time that
     * anything else is told of. Both or neither.
     */
    struct cpu_brief_room *room;
    struct cpu_seen_insn *(*insn_room)(void *opaque);
    void (*step)(void *opaque, const struct cpu_seen_step *step);
    void (*insn)(void *opaque, const struct cpu_seen_insn *insn);
    /* In the order in which TLBs and caches saw them. `walk` is NULL where the translation took none. */
    void (*translation)(void *opaque, const struct cpu_seen_translation *translation,
                        const struct walk *walk);
    void (*access)(void *opaque, const struct cpu_seen_access *access, const struct walk *walk);
    void (*request)(void *opaque, const struct cpu_seen_request *request);
    void (*exception)(void *opaque, const struct cpu_seen_exception *exception);
    void (*control)(void *opaque, const char *what,
                    uint64_t value); /* "cr0" "cr3" "cr4" "invlpg" "wbinvd": TLB-relevant writes */
};

#endif
