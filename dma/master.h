/*
 * Bus masters: devices that read and write guest memory themselves. A `struct dma_memory` is the memory as
 * all devices of a machine see it, a `struct dma_master` one device's port into it, with the device's limits.
 *
 * A transfer is cut into bursts and these into lines. Each line is an access of the DRAM that the CPU's
 * misses use, in the cycle in which its burst begins, and is looked for in the CPU's caches if the device
 * snoops.
 * Bytes move when the function is called: a device calls when its event comes, so between two instructions,
 * or when its register is written. The cycles come out as a stamp, by which a device schedules what is next.
 * What is asked for at once is stamped at once and keeps the memory from the CPU as a whole, so a
 * device that wants to leave room moves a piece (dma_piece_bytes) and comes back at its `done`.
 *
 * A device that does not snoop reads what the DRAM holds and writes that, whatever the caches hold
 * (cache/content.h). In the functional model, which has no caches, it sees what the CPU sees, and memory
 * takes no time; what is left is the time on the device's own path.
 */
#ifndef LK_DMA_MASTER_H
#define LK_DMA_MASTER_H

#include "cache/content.h"
#include "sim/base/ram.h"

enum { DMA_MAX_IN_FLIGHT = 16 };

/* One line of a burst, as caches and DRAM see it: in the order of all their requests, the core's included. */
struct dma_seen_line {
    bool is_write, is_snooped;
    bool was_here, was_dirty; /* in a cache, if it was snooped */
    uint16_t source_id;       /* the device's; 0 of the IOMMU's own */
    struct paddr at;
    cycle_t asked, ready;
};
struct dma_observer {
    void *opaque;
    void (*line)(void *opaque, const struct dma_seen_line *line);
};

struct dma_memory_params {
    struct ram *ram;
    /* Whether there is RAM for devices at this page, for pages that `ram` has. */
    bool (*is_ram)(void *opaque, struct paddr page);
    /* A device has changed what the CPU sees of these bytes: decoded code is out of date. */
    void (*written)(void *opaque, struct paddr at, uint64_t size_bytes);
    void *opaque;
    const struct cache_hierarchy *caches; /* NULL with dram: the functional model */
    struct dram *dram;
    struct cache_content *content; /* NULL where all devices snoop, and in the functional model */
    uint64_t line_bytes;
    const struct dma_observer *observer; /* NULL: nobody watches */
};

struct dma_memory;

/* NULL when the host's memory is short. What the parameters point to outlives it. */
struct dma_memory *dma_memory_create(const struct dma_memory_params *params);
void dma_memory_destroy(struct dma_memory *memory);
bool dma_memory_register_stats(struct dma_memory *memory, struct stat_registry *registry, const char *path);

/* Of all devices since the memory was made; a checkpoint does not hold it. */
uint64_t dma_memory_nr_bursts(const struct dma_memory *memory);

/* What an IOMMU makes of one burst of a device, which lies in one page. */
enum dma_translation_kind { DMA_UNTRANSLATED, DMA_TRANSLATED, DMA_REFUSED };
struct dma_translation {
    enum dma_translation_kind kind;
    struct paddr at; /* where, if it is translated; untranslated ones go by the device's bus_offset */
    cycle_t ready;   /* when that is known */
};
typedef struct dma_translation dma_translate_fn(void *opaque, uint16_t source_id, struct baddr at,
                                                bool is_write, cycle_t now);

/* From now on all masters but the untranslated ones ask it first. NULL: none. */
void dma_memory_set_iommu(struct dma_memory *memory, dma_translate_fn *translate, void *opaque);

/* In the order of the names in `dma.coherence`. */
enum dma_coherence { DMA_SNOOP, DMA_NONE };

struct dma_master_params {
    const char *name;
    unsigned address_bits;     /* of a bus address; 64: all */
    uint64_t bus_offset;       /* bus address = physical address + offset, modulo 2^64; whole pages */
    uint64_t bytes_per_cycle;  /* of its path to memory; 0: no limit, no time */
    uint64_t burst_bytes;      /* a power of two, at most a page; bursts end at multiples of it */
    uint64_t bursts_in_flight; /* 1 to DMA_MAX_IN_FLIGHT */
    enum dma_coherence coherence;
    uint16_t source_id;   /* bus, device and function on PCI: who it is to the IOMMU */
    bool is_untranslated; /* no IOMMU is asked: it is the IOMMU */
};

struct dma_master;

/* NULL when the host's memory is short. Destroyed before `memory`; `name` outlives it. */
struct dma_master *dma_master_create(const struct dma_master_params *params, struct dma_memory *memory);
void dma_master_destroy(struct dma_master *master);

enum dma_status {
    DMA_OK,
    DMA_NO_MEMORY,   /* no RAM at a byte of it */
    DMA_TOO_HIGH,    /* a byte's bus address has more than address_bits; nothing was moved */
    DMA_IOMMU_FAULT, /* the IOMMU does not let this device there, and has recorded it */
};

/*
 * Reads or writes `length_bytes` (any number, from any address on) in cycle `now`. *done is the cycle in
 * which the last byte is there, or taken by memory; not before `now`. If a part is refused, the bursts before
 * it have been moved, and nothing behind; *done is when that is known.
 */
enum dma_status dma_read(struct dma_master *master, struct baddr at, void *to, size_t length_bytes,
                         cycle_t now, cycle_t *done) __attribute__((warn_unused_result));
enum dma_status dma_write(struct dma_master *master, struct baddr at, const void *from, size_t length_bytes,
                          cycle_t now, cycle_t *done) __attribute__((warn_unused_result));

/* The first byte that the last refused access could not reach; of one that is too high, its first byte. */
struct baddr dma_master_refused(const struct dma_master *master);

/* As much as can be in flight at once: what a long transfer is best cut into. */
uint64_t dma_piece_bytes(const struct dma_master *master);

struct dma_master_stats {
#define STAT(name, unit, sentence) uint64_t name;
#include "dma/master_stats.def"
#undef STAT
};
const struct dma_master_stats *dma_master_stats(const struct dma_master *master);
bool dma_master_register_stats(struct dma_master *master, struct stat_registry *registry, const char *path);

/*
 * Bytes that a device whose statistics are registered there ("dma.ide") has read and written; NULL: those of
 * all devices of a machine. What a machine does not have has moved nothing.
 */
uint64_t dma_bytes_moved(const struct stat_registry *registry, const char *path);

/* Their state, for checkpoints (sim/base/snap.h). */
struct snap;
void dma_master_snap(struct dma_master *master, struct snap *snap);
void dma_memory_snap(struct dma_memory *memory, struct snap *snap);

#endif
