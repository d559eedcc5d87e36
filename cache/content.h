/*
 * What memory holds where that is not what the CPU sees: for machines whose devices do not snoop. Guest RAM
 * (struct ram) is what the CPU sees. A line's record holds what the DRAM has instead: its old bytes from when
 * a store makes it dirty until it is written back, and what a device writes under a cached line until that
 * leaves the caches, or is written back over it. A line that no cache holds has no record.
 *
 * The caches of a core count as one: a line is cached if the L1D, L2 or L3 has it, dirty if one of them has
 * it dirty, and all copies are equal. Instructions are those that the CPU's loads would see; that an L1I
 * alone has a line does not keep a device's bytes from the CPU.
 *
 * The CPU's hit path knows nothing of this: a line whose record matters to loads is not published in
 * struct cache_front. Whoever asks a cache calls cache_content_begin first, and reads or writes guest RAM
 * after the answer.
 */
#ifndef LK_CACHE_CONTENT_H
#define LK_CACHE_CONTENT_H

#include "cache/hierarchy.h"
#include "sim/base/ram.h"

struct cache_content;

struct cache_content_params {
    struct ram *ram;
    const struct cache_hierarchy *caches; /* their lines all of one size */
    uint64_t line_bytes;                  /* at most CACHE_CONTENT_LINE_BYTES */
    /* The CPU now sees other bytes there than before, and did not write them. */
    void (*changed)(void *opaque, struct paddr at, uint64_t size_bytes);
    void *opaque;
};

enum { CACHE_CONTENT_LINE_BYTES = 256 };

/* From now on the caches tell it what they do. NULL when memory is short. It outlives their use. */
struct cache_content *cache_content_create(const struct cache_content_params *params);
void cache_content_destroy(struct cache_content *content);

/*
 * An access of the CPU to `size_bytes` at `at`, in one line, is about to ask the caches; or a flush is. 0
 * where no bytes are read or written (fetches, flushes). The one before has read or written its bytes.
 */
void cache_content_begin(struct cache_content *content, struct paddr at, unsigned size_bytes);
/* Bytes that are about to be written to guest RAM go to memory at once, without the caches being asked. */
void cache_content_write_through(struct cache_content *content, struct paddr at, unsigned size_bytes);

/* A device reads or writes memory, in cycle `now`, within one line. `device` is its name, which stays. */
void cache_content_device_read(struct cache_content *content, struct paddr at, void *to, uint64_t size_bytes,
                               const char *device, cycle_t now);
void cache_content_device_write(struct cache_content *content, struct paddr at, const void *from,
                                uint64_t size_bytes, const char *device);

/* Reads and write-backs that were not what somebody hoped for, for a person who looks for the reason. */
enum cache_stale_kind { CACHE_STALE_DEVICE_READ, CACHE_STALE_CPU_READ, CACHE_STALE_UPDATE_LOST };
struct cache_stale {
    enum cache_stale_kind kind;
    struct paddr at;                  /* the first byte that differs */
    unsigned size_bytes;              /* of the values: 1 to 8, within the line */
    uint64_t memory_value, cpu_value; /* little-endian, from `at` on */
    uint64_t nr_bytes;                /* that differ, in all */
    const char *device;               /* which reads, or wrote last */
    /* The instruction that reads; else the one whose store made the line dirty. Linear; 0: not known. */
    uint64_t ip;
    cycle_t cycle; /* of the read or the write-back */
};
/* The first ones, in order, up to CACHE_STALE_KEPT. */
enum { CACHE_STALE_KEPT = 64 };
const struct cache_stale *cache_content_stale(const struct cache_content *content, size_t *nr);

struct cache_content_stats {
#define STAT(name, unit, sentence) uint64_t name;
#include "cache/content_stats.def"
#undef STAT
};
const struct cache_content_stats *cache_content_stats(const struct cache_content *content);
bool cache_content_register_stats(struct cache_content *content, struct stat_registry *registry,
                                  const char *path);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void cache_content_snap(struct cache_content *content, struct snap *snap);

#endif
