/*
 * A whole machine: RAM, caches, TLBs, a core, the board. Everything hangs off it, so that several can run in
 * one process.
 *
 * machine_create, machine_load, then machine_run as often as wanted, machine_destroy.
 */
#ifndef LK_SIM_MACHINE_H
#define LK_SIM_MACHINE_H

#include "cache/content.h"
#include "cpu/cpu.h"
#include "dma/disk.h"
#include "sim/base/config.h"
#include "sim/base/diag.h"
#include "sim/base/mm_event.h"
#include "sim/base/stats.h"
#include "sim/board/vga.h"
#include "sim/load/image.h"

/* Markers that say something about the run and change nothing in the machine (docs/markers.md). */
enum machine_note {
    MACHINE_NOTE_ROI_BEGIN, /* region of interest `id` */
    MACHINE_NOTE_ROI_END,
    MACHINE_NOTE_MARK, /* `id`, with a text */
    MACHINE_NOTE_RESET_STATS,
    MACHINE_NOTE_DUMP_STATS,
    MACHINE_NOTE_CHECKPOINT,
};

enum { MACHINE_NR_DISKS = 4 };

struct machine_params {
    const struct config *config;
    const struct cpu_observer *observer;     /* NULL: nobody watches; outlives the machine */
    const struct dma_observer *dma_observer; /* likewise, of devices */
    /* On the IDE channels, primary master first. The names outlive the machine. */
    struct disk_source disks[MACHINE_NR_DISKS];
    /* Of the network card's cable, where the configuration has a card: files, and when their frames come. */
    const char *nic_sent, *nic_received;
    cycle_t nic_first;
    void (*console)(void *opaque, uint8_t byte); /* what the guest writes to COM1; may be NULL */
    void (*log)(void *opaque, const char *text, size_t nr_bytes); /* port E9h and marker 9; may be NULL */
    void (*note)(void *opaque, enum machine_note note, uint32_t id, const char *text); /* may be NULL */
    void (*mm_event)(void *opaque, const struct mm_event *event); /* marker 12h; may be NULL */
    void *opaque;
};

enum machine_end {
    MACHINE_RUNNING, /* the given cycle came; nothing has ended */
    MACHINE_POWER_OFF,
    MACHINE_GUEST_EXIT, /* marker 7 or port F4h: machine_guest_status */
    MACHINE_TRIPLE_FAULT,
    MACHINE_RESET,  /* the guest asked for a reset, which this machine answers by ending */
    MACHINE_PANIC,  /* marker 8: machine_panic_text */
    MACHINE_HALTED, /* HLT with interrupts off, or with no event to come: nothing will ever happen */
};

struct machine;

/* On failure adds a line and returns NULL. The config is copied. */
struct machine *machine_create(const struct machine_params *params, struct diag *diag);
void machine_destroy(struct machine *machine);

/* Loads the guest and sets the core up as the boot protocol says. To be called once. */
bool machine_load(struct machine *machine, const char *file, const char *arguments,
                  const struct load_module *modules, size_t nr_modules, struct diag *diag);

/* The same with all that can be said about a guest; `map` and `has_long_mode` are filled in. */
bool machine_load_guest(struct machine *machine, const struct load_params *guest, struct diag *diag);

/* Starts the processor out of reset in a firmware image (a line of status 65 or 66 when it is none). */
bool machine_load_firmware(struct machine *machine, const char *file, struct diag *diag);

/* Runs until the core's clock reaches `until`, or the guest ends. An ended machine stays ended. */
enum machine_end machine_run(struct machine *machine, cycle_t until);

/*
 * Runs until `nr_instructions` have retired since reset, or the cycle `until` has come, or the guest ends.
 * Near the count the core goes instruction by instruction.
 */
enum machine_end machine_run_instructions(struct machine *machine, uint64_t nr_instructions, cycle_t until);

/*
 * machine_run or machine_run_instructions comes back, before the guest ends: from a note of the machine,
 * where that tells of a region's begin or asks for a checkpoint, right behind its marker.
 */
void machine_stop(struct machine *machine);

/*
 * One instruction, or the wait of a halted core for the next event or for cycle `until`; a fetch block of
 * them, or what is left of one. With the same cycles and counts as machine_run.
 */
enum machine_end machine_step(struct machine *machine, cycle_t until);
enum machine_end machine_run_block(struct machine *machine, cycle_t until);

/*
 * For debuggers: as machine_run_instructions, with the same cycles and counts, until a stop point of the core
 * (cpu/stop_points.h) comes; true then. In an end that the guest makes it ends as there.
 */
bool machine_run_to_point(struct machine *machine, uint64_t nr_instructions, cycle_t until);

/*
 * The same for one instruction, or one iteration of a repeated one, or an exception or interrupt and the
 * first instruction of its handler. *is_done: false when `until` came first, as the core is halted.
 */
bool machine_step_to_point(struct machine *machine, cycle_t until, bool *is_done);

/*
 * For debuggers, before they change something: what is due by now happens, as it would when the machine runs
 * on from here.
 */
void machine_settle(struct machine *machine);

enum machine_end machine_how_ended(const struct machine *machine);

/*
 * Writes the whole state between two runs, or reads it into a machine of the same configuration in which
 * nothing was loaded or run. What was functional may be read into a machine that is timed; its caches, TLBs
 * and predictors know nothing then. Disks are those of the machine: only a snapshot's writes are part of it.
 * After a failure the machine is only good to be destroyed.
 */
struct snap;
void machine_snap(struct machine *machine, struct snap *snap);

/* A byte for COM1. False when there is no room: offer it again later. */
bool machine_input(struct machine *machine, uint8_t byte);

/* A character typed at the PS/2 keyboard. False when there is no room: offer it again later. */
bool machine_type(struct machine *machine, uint8_t character);

unsigned machine_guest_status(const struct machine *machine);
const char *machine_panic_text(const struct machine *machine);

/*
 * The file of what the network card has sent is whole. False with a line of status 73: it cannot be
 * written.
 */
bool machine_finish_files(struct machine *machine, struct diag *diag);

/* All counters as of now. */
struct stat_registry *machine_stats(struct machine *machine);

/* The parts, to look at. Caches and TLBs are NULL in functional mode. */
struct machine_parts {
    struct cpu *cpu;
    const struct ram *ram;
    const struct tlb *itlb, *dtlb, *l2_tlb;
    const struct cache *l1i, *l1d, *l2, *l3;
    const struct dram *dram;
    const struct dma_memory *dma;
    const struct vga *vga;
    const struct disk *disks[MACHINE_NR_DISKS]; /* NULL: missing */
    const struct config *config;
    const void *note; /* of the image; NULL when it has none */
    size_t note_bytes;
};
/*
 * What caches and memory had different, the first 64; none where devices snoop. It stays until the machine
 * runs.
 */
const struct cache_stale *machine_stale(const struct machine *machine, size_t *nr);

struct machine_parts machine_parts(const struct machine *machine);

/* For windows: both first-level caches, if there are any, count so from now on (cache_count_fills). */
void machine_count_fills(struct machine *machine, uint16_t *nr_fills, uint64_t nr_frames);

#endif
