/*
 * The page walk itself: what the tables in memory say about one linear address (SDM 3A 4.3). It asks its
 * caller for each entry and hands back each entry that must change; time, caches and TLBs are the caller's
 * business.
 */
#ifndef LK_MMU_PAGING_H
#define LK_MMU_PAGING_H

#include "mmu/control_registers.h"
#include "sim/base/addr.h"
#include "tlb/tlb.h"

#include <stdbool.h>
#include <stdint.h>

/* Bits of a page-table entry (SDM 3A 4.3, tables 4-4 to 4-6). */
enum pte_bit {
    PTE_P = 1 << 0,
    PTE_RW = 1 << 1,
    PTE_US = 1 << 2,
    PTE_PWT = 1 << 3,
    PTE_PCD = 1 << 4,
    PTE_A = 1 << 5,
    PTE_D = 1 << 6,
    PTE_PS = 1 << 7,
    PTE_G = 1 << 8,
};

/* Bits of the page-fault error code (SDM 3A 4.7). */
enum pf_error_bit { PF_P = 1, PF_W = 2, PF_U = 4, PF_RSVD = 8, PF_I = 16 };

enum mmu_access { MMU_READ, MMU_WRITE, MMU_FETCH };

struct paging_mode {
    uint64_t cr0, cr3, cr4, efer;
};

enum { WALK_MAX_STEPS = 5 };

struct walk_step {
    struct paddr at;    /* of the entry */
    uint64_t value;     /* as read */
    unsigned index;     /* of the entry in its table */
    unsigned served_by; /* enum served_by; filled in by the caller of the walk */
    cycle_t ready;      /* likewise */
};

/* A walk as it went, kept for statistics, traces and windows. */
struct walk {
    struct laddr linear;
    enum mmu_access access;
    bool is_user;
    unsigned nr_steps;
    struct walk_step step[WALK_MAX_STEPS];
    bool is_fault;
    uint32_t error_code;
};

/* How a walk reaches memory. Entries are 4 bytes in two-level paging. */
struct walk_memory {
    void *opaque;
    uint64_t (*read)(void *opaque, struct walk_step *step);
    void (*update)(void *opaque, const struct walk_step *step, uint64_t value);
};

/*
 * Walks the tables for an access; sets accessed and dirty bits (SDM 3A 4.8). On success fills `entry` (but
 * for id and last_use) and returns true; else `walk->error_code` holds the page-fault error code.
 */
bool paging_walk(const struct paging_mode *mode, const struct walk_memory *memory, struct walk *walk,
                 struct tlb_entry *entry);

/* Whether an entry's flags allow an access (SDM 3A 4.6.1). Says nothing of the dirty bit. */
bool paging_allows(const struct paging_mode *mode, unsigned tlb_flags, enum mmu_access access, bool is_user);

/* The error code of a fault at a page that is present. */
uint32_t paging_error_code(enum mmu_access access, bool is_user);

#endif
