/* Guest RAM in a checkpoint: runs of pages that hold something else than zeros. */
#ifndef LK_SIM_SNAPSHOT_RAM_SNAP_H
#define LK_SIM_SNAPSHOT_RAM_SNAP_H

#include "sim/base/ram.h"
#include "sim/base/snap.h"

/* Reading, all other pages become zeros. */
void ram_snap(struct ram *ram, struct snap *snap);

#endif
