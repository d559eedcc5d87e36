/* The state of a whole machine, for checkpoints (sim/base/snap.h): its own, and its parts' in turn. */
#include "sim/base/snap.h"
#include "sim/board/memory_map.h"
#include "sim/machine_internal.h"
#include "sim/snapshot/ram_snap.h"

#include <stdlib.h>

enum { MAX_NOTE_BYTES = 1 << 20, MAX_ROM_BYTES = 16 << 20 };

/* The image's note, for windows and reports: the image itself is in RAM. */
static void image_snap(struct load_result *image, struct snap *snap)
{
    uint64_t nr_bytes = image->note_bytes;
    SNAP_OPEN(snap, image);
    SNAP_SKIP(snap, image->start); /* it has started */
    SNAP(snap, image->image_base.v);
    SNAP(snap, image->image_end.v);
    SNAP(snap, image->data_end.v);
    SNAP_SKIP(snap, image->note);
    SNAP_SKIP(snap, image->note_bytes);
    SNAP_CLOSE(snap, image);
    SNAP_BELOW(snap, nr_bytes, MAX_NOTE_BYTES + 1);
    if (snap->is_load) {
        free(image->note);
        image->note = nr_bytes ? malloc(nr_bytes) : NULL;
        image->note_bytes = image->note ? nr_bytes : 0;
        if (nr_bytes && !image->note)
            snap_out_of_memory(snap);
    }
    if (image->note)
        SNAP_VALUES(snap, image->note, image->note_bytes);
}

static void load_rom(struct machine *machine, uint64_t nr_bytes, struct snap *snap)
{
    uint8_t *rom = malloc(nr_bytes);
    if (!rom) {
        snap_out_of_memory(snap);
        return;
    }
    SNAP_VALUES(snap, rom, nr_bytes);
    uint64_t has_one;
    if (board_rom(machine->board, &has_one))
        snap_fail(snap, "a firmware, which this machine has already");
    else if (snap_is_good(snap) && !machine_set_firmware(machine, rom, nr_bytes, snap->diag))
        snap->has_failed = true;
    free(rom);
}

static void firmware_snap(struct machine *machine, struct snap *snap)
{
    uint64_t nr_bytes = 0;
    const uint8_t *rom = board_rom(machine->board, &nr_bytes);
    snap_section(snap, "firmware");
    SNAP_BELOW(snap, nr_bytes, MAX_ROM_BYTES + 1);
    if (nr_bytes == 0 || !snap_is_good(snap))
        return;
    if (snap->is_load)
        load_rom(machine, nr_bytes, snap);
    else
        snap_bytes(snap, (void *)(uintptr_t)rom, nr_bytes);
    if (machine->fwcfg)
        fwcfg_snap(machine->fwcfg, snap);
}

static void own_snap(struct machine *machine, struct snap *snap)
{
    SNAP_OPEN(snap, machine);
    SNAP_SKIP(snap, machine->config); /* it has made the machine */
    SNAP_SKIP(snap, machine->params);
    SNAP_SKIP(snap, machine->ram); /* the parts have their own functions */
    SNAP_SKIP(snap, machine->dram);
    SNAP_SKIP(snap, machine->caches);
    SNAP_SKIP(snap, machine->itlb);
    SNAP_SKIP(snap, machine->dtlb);
    SNAP_SKIP(snap, machine->l2_tlb);
    SNAP_SKIP(snap, machine->structure);
    SNAP_SKIP(snap, machine->cpu);
    SNAP_SKIP(snap, machine->events);
    SNAP_SKIP(snap, machine->content);
    SNAP_SKIP(snap, machine->dma);
    SNAP_SKIP(snap, machine->disks);
    SNAP_SKIP(snap, machine->wire); /* the network card has it */
    SNAP_SKIP(snap, machine->board);
    SNAP(snap, machine->lapic_page);
    SNAP_SKIP(snap, machine->map);   /* of the configuration */
    SNAP_SKIP(snap, machine->stats); /* names of the parts' counters */
    image_snap(&machine->image, snap);
    SNAP_SKIP(snap, machine->fwcfg);
    SNAP_BELOW(snap, machine->end, MACHINE_HALTED + 1);
    SNAP(snap, machine->guest_status);
    snap_string(snap, machine->panic_text, sizeof machine->panic_text);
    SNAP_SKIP(snap, machine->panic_text);
    SNAP_SKIP(snap, machine->must_return); /* a run begins with none */
    SNAP_CLOSE(snap, machine);
}

static void one_tlb_snap(struct tlb *tlb, const char *name, struct snap *snap)
{
    if (!tlb)
        return;
    snap_section(snap, name);
    tlb_snap(tlb, snap);
}

static void timed_snap(struct machine *machine, struct snap *snap)
{
    static const char *const structures[NR_TLB_STRUCTURES] = {[TLB_PDE] = "tlb pde",
                                                              [TLB_PDPTE] = "tlb pdpte",
                                                              [TLB_PML4E] = "tlb pml4e",
                                                              [TLB_PML5E] = "tlb pml5e"};
    one_tlb_snap(machine->itlb, "tlb l1i", snap);
    one_tlb_snap(machine->dtlb, "tlb l1d", snap);
    one_tlb_snap(machine->l2_tlb, "tlb l2", snap);
    for (unsigned i = 0; i < NR_TLB_STRUCTURES; i++)
        one_tlb_snap(machine->structure[i], structures[i], snap);
    cache_hierarchy_snap(&machine->caches, snap);
    snap_section(snap, "dram");
    dram_snap(machine->dram, snap);
    if (machine->content) {
        snap_section(snap, "dma content");
        cache_content_snap(machine->content, snap);
    }
}

void machine_snap(struct machine *machine, struct snap *snap)
{
    bool is_timed = machine->config.cpu_model != CFG_CPU_FUNCTIONAL, was_timed = is_timed;
    snap_section(snap, "machine");
    SNAP_FLAG(snap, was_timed);
    if (was_timed && !is_timed) {
        snap_fail(snap, "a timed machine's state; this one is functional");
        return;
    }
    own_snap(machine, snap);
    ev_queue_snap(machine->events, snap);
    firmware_snap(machine, snap);
    ram_snap(&machine->ram, snap);
    if (was_timed)
        timed_snap(machine, snap);
    cpu_snap(machine->cpu, is_timed && !was_timed, snap);
    snap_section(snap, "dma");
    dma_memory_snap(machine->dma, snap);
    for (unsigned i = 0; i < MACHINE_NR_DISKS; i++) {
        bool has_disk = machine->disks[i] != NULL, had_disk = has_disk;
        snap_section(snap, "disk");
        SNAP_FLAG(snap, had_disk);
        if (has_disk != had_disk)
            snap_fail(snap, "disk %u is there in one of the checkpoint and this machine only", i);
        if (has_disk && snap_is_good(snap))
            disk_snap(machine->disks[i], snap);
    }
    if (snap_is_good(snap))
        board_snap(machine->board, snap);
    snap_section(snap, "end");
}
