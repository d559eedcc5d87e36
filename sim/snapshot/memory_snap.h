/* A walk over some state (sim/base/snap.h) that is kept in memory, packed. */
#ifndef LK_SIM_SNAPSHOT_MEMORY_SNAP_H
#define LK_SIM_SNAPSHOT_MEMORY_SNAP_H

#include "sim/base/snap.h"

struct memory_snap {
    uint8_t *bytes;
    size_t nr_bytes, room;
};

/* What is walked. */
struct memory_snap_walk {
    void (*walk)(void *opaque, struct snap *snap);
    void *opaque;
    const char *name; /* what messages begin with */
};

/* False with a line, and `to` is empty then. */
bool memory_snap_save(struct memory_snap *to, const struct memory_snap_walk *what, struct diag *diag);
bool memory_snap_load(const struct memory_snap *from, const struct memory_snap_walk *what, struct diag *diag);

/* It is empty then. */
void memory_snap_free(struct memory_snap *memory);

#endif
