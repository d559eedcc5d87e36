#include "dma/master.h"

#include "sim/base/snap.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dma_memory {
    struct dma_memory_params params;
    dma_translate_fn *translate; /* NULL: there is no IOMMU */
    void *translate_opaque;
    uint64_t nr_bursts;
    struct dma_memory_stats {
#define STAT(name, unit, sentence) uint64_t name;
#include "dma/memory_stats.def"
#undef STAT
    } stats;
};

struct dma_master {
    struct dma_master_params params;
    struct dma_memory *memory;
    struct dma_master_stats stats;
    cycle_t path_free; /* when the last byte so far has crossed the device's path */
    /* The last bursts in turn: when each was done. The oldest must be, before another begins. */
    cycle_t in_flight[DMA_MAX_IN_FLIGHT];
    uint64_t next;
    struct baddr refused;
};

static cycle_t later(cycle_t a, cycle_t b)
{
    return a > b ? a : b;
}

/* ---- Memory as devices see it ---- */

struct dma_memory *dma_memory_create(const struct dma_memory_params *params)
{
    struct dma_memory *memory = calloc(1, sizeof *memory);
    if (memory)
        memory->params = *params;
    return memory;
}

void dma_memory_destroy(struct dma_memory *memory)
{
    free(memory);
}

uint64_t dma_memory_nr_bursts(const struct dma_memory *memory)
{
    return memory->nr_bursts;
}

void dma_memory_set_iommu(struct dma_memory *memory, dma_translate_fn *translate, void *opaque)
{
    memory->translate = translate;
    memory->translate_opaque = opaque;
}

bool dma_memory_register_stats(struct dma_memory *memory, struct stat_registry *registry, const char *path)
{
    static const struct stat_row rows[] = {
#define STAT(name, unit, sentence) STAT_ROW(struct dma_memory_stats, name, unit, sentence),
#include "dma/memory_stats.def"
#undef STAT
    };
    return stat_register(registry, path, rows, sizeof rows / sizeof *rows, &memory->stats);
}

/* A line is asked for; says when it is there, or taken, and how that went. */
static void ask_line(struct dma_memory *memory, struct dma_seen_line *line)
{
    cycle_t now = line->asked;
    if (memory->params.content)
        cache_content_begin(memory->params.content, line->at, 0);
    if (line->is_snooped) {
        enum cache_snoop kind = line->is_write ? CACHE_SNOOP_ALONE : CACHE_SNOOP_READ;
        struct cache_snoop_answer answer = cache_hierarchy_snoop(memory->params.caches, line->at, kind, now);
        memory->stats.snoops++;
        memory->stats.interventions += answer.was_dirty;
        memory->stats.lines_invalidated += line->is_write && answer.was_here;
        line->was_here = answer.was_here;
        line->was_dirty = answer.was_dirty;
        line->ready = answer.ready;
    }
    if (line->was_dirty && !line->is_write)
        return;
    memory->stats.lines_read += !line->is_write;
    memory->stats.lines_written += line->is_write;
    line->ready = dram_access(memory->params.dram, line->at, line->is_write, now);
}

/* The lines of a burst, all in the cycle in which it begins. Returns when the last is there, or taken. */
static cycle_t ask_lines(const struct dma_master *master, struct paddr at, uint64_t size_bytes, bool is_write,
                         cycle_t now)
{
    struct dma_memory *memory = master->memory;
    const struct dma_memory_params *params = &memory->params;
    cycle_t ready = now;
    if (!params->dram)
        return now;
    for (uint64_t v = at.v & ~(params->line_bytes - 1); v < at.v + size_bytes; v += params->line_bytes) {
        struct dma_seen_line line = {.is_write = is_write,
                                     .is_snooped = master->params.coherence == DMA_SNOOP && params->caches,
                                     .source_id = master->params.source_id,
                                     .at = paddr(v),
                                     .asked = now};
        ask_line(memory, &line);
        if (params->observer)
            params->observer->line(params->observer->opaque, &line);
        ready = later(ready, line.ready);
    }
    return ready;
}

/* The bytes of a burst, line by line where memory holds other ones than the CPU sees. */
static void read_bytes(const struct dma_memory *memory, struct paddr at, uint8_t *to, uint64_t size_bytes,
                       const char *device, cycle_t now)
{
    const struct dma_memory_params *params = &memory->params;
    if (!params->content)
        memcpy(to, params->ram->host + at.v, size_bytes);
    while (params->content && size_bytes) {
        uint64_t to_end = params->line_bytes - (at.v & (params->line_bytes - 1));
        uint64_t part_bytes = size_bytes < to_end ? size_bytes : to_end;
        cache_content_device_read(params->content, at, to, part_bytes, device, now);
        at.v += part_bytes;
        to += part_bytes;
        size_bytes -= part_bytes;
    }
}

static void write_bytes(const struct dma_memory *memory, struct paddr at, const uint8_t *from,
                        uint64_t size_bytes, const char *device)
{
    const struct dma_memory_params *params = &memory->params;
    if (!params->content) {
        memcpy(params->ram->host + at.v, from, size_bytes);
        params->written(params->opaque, at, size_bytes);
    }
    while (params->content && size_bytes) {
        uint64_t to_end = params->line_bytes - (at.v & (params->line_bytes - 1));
        uint64_t part_bytes = size_bytes < to_end ? size_bytes : to_end;
        cache_content_device_write(params->content, at, from, part_bytes, device);
        at.v += part_bytes;
        from += part_bytes;
        size_bytes -= part_bytes;
    }
}

/* ---- A device's port ---- */

struct dma_master *dma_master_create(const struct dma_master_params *params, struct dma_memory *memory)
{
    assert(params->burst_bytes && params->burst_bytes <= PAGE_BYTES &&
           (params->burst_bytes & (params->burst_bytes - 1)) == 0);
    assert(params->bursts_in_flight && params->bursts_in_flight <= DMA_MAX_IN_FLIGHT);
    assert((params->bus_offset & PAGE_MASK) == 0 && params->address_bits && params->address_bits <= 64);
    struct dma_master *master = calloc(1, sizeof *master);
    if (!master)
        return NULL;
    master->params = *params;
    master->memory = memory;
    return master;
}

void dma_master_destroy(struct dma_master *master)
{
    free(master);
}

uint64_t dma_piece_bytes(const struct dma_master *master)
{
    return master->params.burst_bytes * master->params.bursts_in_flight;
}

struct baddr dma_master_refused(const struct dma_master *master)
{
    return master->refused;
}

const struct dma_master_stats *dma_master_stats(const struct dma_master *master)
{
    return &master->stats;
}

bool dma_master_register_stats(struct dma_master *master, struct stat_registry *registry, const char *path)
{
    static const struct stat_row rows[] = {
#define STAT(name, unit, sentence) STAT_ROW(struct dma_master_stats, name, unit, sentence),
#include "dma/master_stats.def"
#undef STAT
    };
    return stat_register(registry, path, rows, sizeof rows / sizeof *rows, &master->stats);
}

static bool is_too_high(const struct dma_master *master, struct baddr at, size_t length_bytes)
{
    uint64_t last = at.v + length_bytes - 1;
    return last < at.v || (master->params.address_bits < 64 && last >> master->params.address_bits);
}

/* Where the burst at `at` is in memory; *start comes later where that takes time. */
static enum dma_status find_memory(const struct dma_master *master, struct baddr at, bool is_write,
                                   struct paddr *found, cycle_t *start)
{
    const struct dma_memory_params *memory = &master->memory->params;
    struct dma_translation translation = {.kind = DMA_UNTRANSLATED, .ready = *start};
    if (master->memory->translate && !master->params.is_untranslated)
        translation = master->memory->translate(master->memory->translate_opaque, master->params.source_id,
                                                at, is_write, *start);
    *start = translation.ready;
    if (translation.kind == DMA_REFUSED)
        return DMA_IOMMU_FAULT;
    *found = translation.kind == DMA_TRANSLATED ? translation.at : paddr(at.v - master->params.bus_offset);
    struct paddr page = paddr(found->v & ~(uint64_t)PAGE_MASK);
    return ram_has(memory->ram, page, PAGE_BYTES) && memory->is_ram(memory->opaque, page) ? DMA_OK
                                                                                          : DMA_NO_MEMORY;
}

/* What moves, one burst after another. */
struct transfer {
    struct baddr at;
    uint8_t *to;         /* of a read */
    const uint8_t *from; /* of a write */
    cycle_t now, done;
};

static cycle_t path_cycles(const struct dma_master *master, uint64_t size_bytes)
{
    uint64_t per_cycle = master->params.bytes_per_cycle;
    return per_cycle ? (size_bytes + per_cycle - 1) / per_cycle : 0;
}

/* What is read crosses the device's path once memory has it. */
static cycle_t read_burst(struct dma_master *master, struct paddr at, uint8_t *to, uint64_t size_bytes,
                          cycle_t start)
{
    struct dma_memory *memory = master->memory;
    cycle_t ready = ask_lines(master, at, size_bytes, false, start);
    read_bytes(memory, at, to, size_bytes, master->params.name, start);
    master->stats.bytes_read += size_bytes;
    master->path_free = later(ready, master->path_free) + path_cycles(master, size_bytes);
    return master->path_free;
}

/* What is written crosses it first. */
static cycle_t write_burst(struct dma_master *master, struct paddr at, const uint8_t *from,
                           uint64_t size_bytes, cycle_t start)
{
    struct dma_memory *memory = master->memory;
    master->path_free = later(start, master->path_free) + path_cycles(master, size_bytes);
    cycle_t taken = ask_lines(master, at, size_bytes, true, master->path_free);
    write_bytes(memory, at, from, size_bytes, master->params.name);
    master->stats.bytes_written += size_bytes;
    return taken;
}

static enum dma_status move_burst(struct dma_master *master, struct transfer *transfer, uint64_t size_bytes)
{
    cycle_t *oldest = &master->in_flight[master->next];
    cycle_t start = later(transfer->now, *oldest), done;
    struct paddr at;
    assert(!transfer->to != !transfer->from);
    enum dma_status status = find_memory(master, transfer->at, !transfer->to, &at, &start);
    if (status != DMA_OK) {
        transfer->done = later(transfer->done, start);
        return status;
    }
    if (transfer->to) {
        done = read_burst(master, at, transfer->to, size_bytes, start);
        transfer->to += size_bytes;
    } else {
        done = write_burst(master, at, transfer->from, size_bytes, start);
        transfer->from += size_bytes;
    }
    *oldest = done;
    master->next = master->next + 1 == master->params.bursts_in_flight ? 0 : master->next + 1;
    master->stats.bursts++;
    master->memory->nr_bursts++;
    transfer->at.v += size_bytes;
    transfer->done = later(transfer->done, done);
    return DMA_OK;
}

static enum dma_status move(struct dma_master *master, struct transfer *transfer, size_t length_bytes)
{
    enum dma_status status = DMA_OK;
    if (length_bytes && is_too_high(master, transfer->at, length_bytes))
        status = DMA_TOO_HIGH;
    while (length_bytes && status == DMA_OK) {
        uint64_t to_end = master->params.burst_bytes - (transfer->at.v & (master->params.burst_bytes - 1));
        uint64_t size_bytes = length_bytes < to_end ? length_bytes : to_end;
        status = move_burst(master, transfer, size_bytes);
        length_bytes -= size_bytes;
    }
    if (status != DMA_OK) {
        master->refused = transfer->at;
        master->stats.faults++;
    }
    return status;
}

enum dma_status dma_read(struct dma_master *master, struct baddr at, void *to, size_t length_bytes,
                         cycle_t now, cycle_t *done)
{
    struct transfer transfer = {.at = at, .to = to, .now = now, .done = now};
    enum dma_status status = move(master, &transfer, length_bytes);
    *done = transfer.done;
    return status;
}

enum dma_status dma_write(struct dma_master *master, struct baddr at, const void *from, size_t length_bytes,
                          cycle_t now, cycle_t *done)
{
    struct transfer transfer = {.at = at, .from = from, .now = now, .done = now};
    enum dma_status status = move(master, &transfer, length_bytes);
    *done = transfer.done;
    return status;
}

void dma_master_snap(struct dma_master *master, struct snap *snap)
{
    SNAP_OPEN(snap, master);
    SNAP_SKIP(snap, master->params);
    SNAP_SKIP(snap, master->memory);
    SNAP_COUNTERS(snap, master->stats);
    SNAP(snap, master->path_free);
    SNAP_ARRAY(snap, master->in_flight);
    SNAP_BELOW(snap, master->next, master->params.bursts_in_flight);
    SNAP(snap, master->refused.v);
    SNAP_CLOSE(snap, master);
}

void dma_memory_snap(struct dma_memory *memory, struct snap *snap)
{
    SNAP_OPEN(snap, memory);
    SNAP_SKIP(snap, memory->params);
    SNAP_SKIP(snap, memory->translate);
    SNAP_SKIP(snap, memory->translate_opaque);
    SNAP_SKIP(snap, memory->nr_bursts);
    SNAP_COUNTERS(snap, memory->stats);
    SNAP_CLOSE(snap, memory);
}

uint64_t dma_bytes_moved(const struct stat_registry *registry, const char *path)
{
    static const char *const paths[] = {"dma.engine", "dma.ide", "dma.isa", "dma.nic"};
    uint64_t sum = 0;
    for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
        char read[32], written[32];
        if (path && strcmp(path, paths[i]) != 0)
            continue;
        snprintf(read, sizeof read, "%s.bytes_read", paths[i]);
        snprintf(written, sizeof written, "%s.bytes_written", paths[i]);
        sum += stat_count(registry, read) + stat_count(registry, written);
    }
    return sum;
}
