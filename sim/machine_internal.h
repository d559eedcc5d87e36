/* The layout of a machine, for the files that put it together, run it and save it. */
#ifndef LK_SIM_MACHINE_INTERNAL_H
#define LK_SIM_MACHINE_INTERNAL_H

#include "cache/hierarchy.h"
#include "sim/base/event.h"
#include "sim/board/board.h"
#include "sim/board/fwcfg.h"
#include "sim/machine.h"

enum { PANIC_TEXT_BYTES = 256 };

struct machine {
    struct config config;
    struct machine_params params;
    struct ram ram;
    struct dram *dram;
    struct cache_hierarchy caches;
    struct tlb *itlb, *dtlb, *l2_tlb;
    struct tlb *structure[NR_TLB_STRUCTURES]; /* NULL where there is none */
    struct cpu *cpu;
    struct ev_queue *events;
    struct cache_content *content; /* NULL: devices snoop, or there are no caches */
    struct dma_memory *dma;
    struct disk *disks[MACHINE_NR_DISKS];
    struct ether_wire *wire; /* NULL: there is no network card */
    struct board *board;
    uint64_t lapic_page; /* where its registers are; NOWHERE: it has none, or it is disabled */
    struct memory_map map;
    struct stat_registry *stats;
    struct load_result image;
    struct fwcfg *fwcfg;
    enum machine_end end;
    unsigned guest_status;
    char panic_text[PANIC_TEXT_BYTES];
    bool must_return; /* machine_stop was called */
};

/* Starts the firmware's ROM and what it asks (fw_cfg), in a machine that has none yet. */
bool machine_set_firmware(struct machine *machine, const void *bytes, uint64_t size_bytes, struct diag *diag);

#endif
