/* The state of a paging unit, for checkpoints (sim/base/snap.h). */
#include "mmu/mmu.h"
#include "sim/base/snap.h"

enum { MAX_PHYSICAL_BITS = 52 };

#define A20_OPEN UINT64_MAX
#define A20_CLOSED (~(UINT64_C(1) << 20))

void paging_mode_snap(struct paging_mode *mode, struct snap *snap)
{
    SNAP_OPEN(snap, mode);
    SNAP(snap, mode->cr0);
    SNAP(snap, mode->cr3);
    SNAP(snap, mode->cr4);
    SNAP(snap, mode->efer);
    SNAP_ARRAY(snap, mode->pdpte);
    SNAP_BELOW(snap, mode->physical_bits, MAX_PHYSICAL_BITS + 1);
    SNAP_FLAG(snap, mode->has_1gib_pages);
    SNAP_CLOSE(snap, mode);
}

static void step_snap(struct walk_step *step, struct snap *snap)
{
    SNAP_OPEN(snap, step);
    SNAP(snap, step->at.v);
    SNAP(snap, step->value);
    SNAP(snap, step->size_bytes);
    SNAP(snap, step->index);
    SNAP(snap, step->pat_index);
    SNAP_BELOW(snap, step->served_by, SERVED_BY_DRAM + 1);
    SNAP(snap, step->ready);
    SNAP_CLOSE(snap, step);
}

static void walk_snap(struct walk *walk, struct snap *snap)
{
    SNAP_OPEN(snap, walk);
    SNAP(snap, walk->linear.v);
    SNAP_BELOW(snap, walk->access, MMU_FETCH + 1);
    SNAP_BELOW(snap, walk->asker, MMU_SUPERVISOR_AC + 1);
    SNAP_BELOW(snap, walk->kind, NR_PAGING_KINDS);
    SNAP_BELOW(snap, walk->first_level, WALK_MAX_STEPS);
    SNAP_BELOW(snap, walk->nr_steps, WALK_MAX_STEPS + 1);
    SNAP_REQUIRE(snap, walk->first_level + walk->nr_steps <= paging_nr_levels(walk->kind));
    for (unsigned i = 0; i < WALK_MAX_STEPS; i++)
        step_snap(&walk->step[i], snap);
    SNAP_FLAG(snap, walk->is_fault);
    SNAP(snap, walk->error_code);
    SNAP_CLOSE(snap, walk);
}

void mmu_snap(struct mmu *mmu, struct snap *snap)
{
    SNAP_OPEN(snap, mmu);
    SNAP_SKIP(snap, mmu->params);
    paging_mode_snap(&mmu->mode, snap);
    memory_types_snap(&mmu->types, snap);
    SNAP_COUNTERS(snap, mmu->stats);
    SNAP_SKIP(snap, mmu->caches); /* TLBs of the machine */
    SNAP_ARRAY(snap, mmu->walker_free);
    walk_snap(&mmu->last_walk, snap);
    walk_snap(&mmu->refuted, snap);
    SNAP(snap, mmu->nr_walks_seen);
    tlb_entry_snap(&mmu->untimed, snap);
    SNAP(snap, mmu->address_mask);
    SNAP_REQUIRE(snap, mmu->address_mask == A20_OPEN || mmu->address_mask == A20_CLOSED);
    SNAP_CLOSE(snap, mmu);
}
