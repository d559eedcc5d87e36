/*
 * The page walk itself: what the tables in memory say about one linear address (SDM 3A 4.3 to 4.5). It asks
 * its caller for each entry and hands back each entry that must change; time, caches and TLBs are the
 * caller's business.
 */
#ifndef LK_MMU_PAGING_H
#define LK_MMU_PAGING_H

#include "mmu/control_registers.h"
#include "sim/base/addr.h"
#include "tlb/tlb.h"

#include <stdbool.h>
#include <stdint.h>

/* Bits of a paging-structure entry (SDM 3A 4.3, tables 4-4 to 4-6). */
enum pte_bit {
    PTE_P = 1 << 0,
    PTE_RW = 1 << 1,
    PTE_US = 1 << 2,
    PTE_PWT = 1 << 3,
    PTE_PCD = 1 << 4,
    PTE_A = 1 << 5,
    PTE_D = 1 << 6,
    PTE_PS = 1 << 7,
    PTE_PAT = 1 << 7, /* where PS means nothing: in an entry that maps 4 KiB */
    PTE_G = 1 << 8,
    PTE_PAT_LARGE = 1 << 12,
};
#define PTE_XD (1ull << 63) /* of 8-byte entries */

/* Bits of the page-fault error code (SDM 3A 4.7). */
enum pf_error_bit { PF_P = 1, PF_W = 2, PF_U = 4, PF_RSVD = 8, PF_I = 16 };

enum mmu_access { MMU_READ, MMU_WRITE, MMU_FETCH };

/*
 * On whose behalf an access is made (SDM 3A 4.6): the first of these is also that of the supervisor's
 * implicit accesses (to descriptor tables and task-state segments), whatever EFLAGS.AC and CPL are.
 */
enum mmu_asker { MMU_SUPERVISOR, MMU_USER, MMU_SUPERVISOR_AC };

enum { NR_PDPTES = 4 };

struct paging_mode {
    uint64_t cr0, cr3, cr4, efer;
    uint64_t pdpte[NR_PDPTES]; /* PAE paging: registers, loaded with CR3 (SDM 3A 4.4.1) */
    unsigned physical_bits;    /* MAXPHYADDR; above 32, two-level paging has PSE-36 */
    bool has_1gib_pages;
};

/* How linear addresses are translated (SDM 3A 4.1.1). */
enum paging_kind { PAGING_OFF, PAGING_TWO_LEVEL, PAGING_PAE, PAGING_FOUR_LEVEL, PAGING_FIVE_LEVEL };
enum { NR_PAGING_KINDS = PAGING_FIVE_LEVEL + 1 };

static inline enum paging_kind paging_kind(const struct paging_mode *mode)
{
    if (!(mode->cr0 & CR0_PG))
        return PAGING_OFF;
    if (!(mode->cr4 & CR4_PAE))
        return PAGING_TWO_LEVEL;
    if (!(mode->efer & EFER_LMA))
        return PAGING_PAE;
    return mode->cr4 & CR4_LA57 ? PAGING_FIVE_LEVEL : PAGING_FOUR_LEVEL;
}

enum { WALK_MAX_STEPS = 5 };

struct walk_step {
    struct paddr at;     /* of the entry */
    uint64_t value;      /* as read */
    unsigned size_bytes; /* of the entry: 4 or 8 */
    unsigned index;      /* of the entry in its table */
    unsigned pat_index;  /* what selects the memory type of this access (SDM 3A 4.9.2) */
    unsigned served_by;  /* enum served_by; filled in by the caller of the walk */
    cycle_t ready;       /* likewise */
};

/*
 * A walk as it went, kept for statistics, traces and windows. What PAE paging takes from a PDPTE register is
 * no step, so that a walk may have none.
 */
struct walk {
    struct laddr linear;
    enum mmu_access access;
    enum mmu_asker asker;
    enum paging_kind kind;
    unsigned first_level; /* of step[0]; 0: the table that CR3 or a PDPTE register names */
    unsigned nr_steps;
    struct walk_step step[WALK_MAX_STEPS];
    bool is_fault;
    uint32_t error_code;
};

/* How a walk reaches memory: an entry of step->size_bytes. */
struct walk_memory {
    void *opaque;
    uint64_t (*read)(void *opaque, struct walk_step *step);
    void (*update)(void *opaque, const struct walk_step *step, uint64_t value);
};

/* The table in which a walk reads its first entry, and what the levels above it have said. */
struct walk_start {
    unsigned level;      /* of that table */
    uint64_t table;      /* its physical address */
    uint64_t rights;     /* PTE_RW and PTE_US that all entries above have */
    uint64_t no_execute; /* PTE_XD if one of them has it */
    unsigned pat_index;  /* of the first access */
};

/* Of the access to the table that a value (an entry, or CR3) leads to (SDM 3A 4.9.2). */
static inline unsigned paging_table_pat_index(uint64_t value)
{
    return (value & PTE_PWT ? 1u : 0u) | (value & PTE_PCD ? 2u : 0u);
}

/* From CR3, or from its PDPTE register with PAE. False: that is not present. */
bool paging_start(const struct paging_mode *mode, struct laddr linear, struct walk_start *start);

/*
 * Walks the tables for an access; sets accessed and dirty bits in the entries that it reads (SDM 3A 4.8).
 * Paging is on. `start` is NULL, or where a paging-structure cache lets the walk begin. On success fills
 * `entry` (but for id, pcid and last_use) and returns true; else `walk->error_code` holds the page-fault
 * error code.
 */
bool paging_walk(const struct paging_mode *mode, const struct walk_memory *memory, struct walk *walk,
                 const struct walk_start *start, struct tlb_entry *entry);

/* Whether an entry's flags allow an access (SDM 3A 4.6.1). Says nothing of the dirty bit. */
static inline bool paging_allows(const struct paging_mode *mode, unsigned tlb_flags, enum mmu_access access,
                                 enum mmu_asker asker)
{
    if (!(mode->cr0 & CR0_PG))
        return true;
    bool is_users = tlb_flags & TLB_USER;
    if (asker == MMU_USER && !is_users)
        return false;
    if (asker != MMU_USER && is_users) {
        if (access == MMU_FETCH && (mode->cr4 & CR4_SMEP))
            return false;
        if (access != MMU_FETCH && (mode->cr4 & CR4_SMAP) && asker != MMU_SUPERVISOR_AC)
            return false;
    }
    if (access == MMU_FETCH)
        return !(tlb_flags & TLB_NO_EXECUTE);
    if (access == MMU_WRITE && !(tlb_flags & TLB_WRITABLE))
        return asker != MMU_USER && !(mode->cr0 & CR0_WP);
    return true;
}

/* Of a page-fault error code: what follows from the access alone (SDM 3A 4.7). */
uint32_t paging_error_code(const struct paging_mode *mode, enum mmu_access access, enum mmu_asker asker);

/* Whether a PDPTE may be loaded into its register (SDM 3A table 4-8). */
bool paging_is_good_pdpte(const struct paging_mode *mode, uint64_t value);

/* For those who draw or list tables: the levels of a kind of paging, from the one that CR3 names down. */
struct paging_level {
    const char *name;    /* of an entry: "PML4E" */
    unsigned shift;      /* of the index in the linear address */
    unsigned index_bits; /* how many bits the index has */
    enum tlb_page large; /* what an entry with PS set maps; 0: nothing */
};
unsigned paging_nr_levels(enum paging_kind kind);
const struct paging_level *paging_level(enum paging_kind kind, unsigned index);
static inline unsigned paging_entry_bytes(enum paging_kind kind)
{
    return kind == PAGING_TWO_LEVEL ? 4 : 8;
}
/* Where an entry of this kind points: a table or a 4 KiB page, or the large page that it maps. */
uint64_t paging_frame(enum paging_kind kind, uint64_t value, enum tlb_page page);
/* Whether an entry at a level maps a page itself. */
bool paging_is_leaf(const struct paging_mode *mode, unsigned level, uint64_t value);
static inline unsigned paging_pdpte_index(struct laddr linear)
{
    return (unsigned)(linear.v >> 30) & (NR_PDPTES - 1);
}
#endif
