/* Checkpoints in memory, for tests. */
#ifndef LK_TESTS_UNIT_SNAP_FIXTURE_H
#define LK_TESTS_UNIT_SNAP_FIXTURE_H

#include "sim/base/snap.h"
#include "sim/machine.h"

#include <stdlib.h>
#include <string.h>

struct snap_memory {
    uint8_t *bytes;
    size_t nr_bytes, room, at;
    bool has_ended; /* more was read than there is */
};

static inline bool snap_memory_write(void *opaque, const void *bytes, size_t nr_bytes)
{
    struct snap_memory *memory = opaque;
    if (memory->nr_bytes + nr_bytes > memory->room) {
        memory->room = 2 * (memory->nr_bytes + nr_bytes);
        memory->bytes = realloc(memory->bytes, memory->room);
        if (!memory->bytes)
            abort();
    }
    memcpy(memory->bytes + memory->nr_bytes, bytes, nr_bytes);
    memory->nr_bytes += nr_bytes;
    return true;
}

static inline bool snap_memory_read(void *opaque, void *bytes, size_t nr_bytes)
{
    struct snap_memory *memory = opaque;
    memory->has_ended |= nr_bytes > memory->nr_bytes - memory->at;
    if (memory->has_ended)
        return false;
    memcpy(bytes, memory->bytes + memory->at, nr_bytes);
    memory->at += nr_bytes;
    return true;
}

static inline bool snap_walk_memory(struct machine *machine, struct snap_memory *memory, bool is_load,
                                    struct diag *diag)
{
    const struct snap_stream stream = {
        .write = snap_memory_write, .read = snap_memory_read, .opaque = memory};
    struct snap *snap = malloc(sizeof *snap);
    if (!snap)
        abort();
    snap_begin(snap, &stream, is_load, "memory", diag);
    snap->is_audited = !is_load;
    machine_snap(machine, snap);
    bool is_good = snap_end(snap);
    free(snap);
    return is_good;
}

/* With the audit, where the compiler can. */
static inline bool snap_save(struct machine *machine, struct snap_memory *memory, struct diag *diag)
{
    memory->nr_bytes = 0;
    return snap_walk_memory(machine, memory, false, diag);
}

static inline bool snap_load(struct machine *machine, struct snap_memory *memory, struct diag *diag)
{
    memory->at = 0;
    return snap_walk_memory(machine, memory, true, diag);
}

/* The name of the section that a byte is in. */
static inline const char *snap_section_at(const struct snap_memory *memory, size_t offset)
{
    static const char mark[] = "SAPN"; /* as snap.c writes it */
    size_t i = offset < memory->nr_bytes - 4 ? offset : memory->nr_bytes - 4;
    while (i > 0 && memcmp(memory->bytes + i, mark, 4) != 0)
        i--;
    return (const char *)memory->bytes + i + 4;
}

#endif
