/* The state of a DMA engine, for checkpoints (sim/base/snap.h). */
#include "dma/engine_internal.h"
#include "sim/base/snap.h"

static void side_snap(struct side *side, struct snap *snap)
{
    SNAP_OPEN(snap, side);
    SNAP(snap, side->at.v);
    SNAP(snap, side->left_bytes);
    SNAP_FLAG(snap, side->is_list);
    SNAP_FLAG(snap, side->has_ended);
    SNAP(snap, side->entry.v);
    SNAP(snap, side->nr_entries);
    SNAP_BELOW(snap, side->part, ENGINE_PART_COMMAND + 1);
    SNAP_CLOSE(snap, side);
}

static void failure_snap(struct failure *failure, struct snap *snap)
{
    SNAP_OPEN(snap, failure);
    SNAP_BELOW(snap, failure->code, ENGINE_NOT_MASTER + 1);
    SNAP_BELOW(snap, failure->part, ENGINE_PART_COMMAND + 1);
    SNAP(snap, failure->at.v);
    SNAP_CLOSE(snap, failure);
}

static void channel_snap(struct channel *channel, uint64_t piece_bytes, struct snap *snap)
{
    SNAP_OPEN(snap, channel);
    SNAP_SKIP(snap, channel->engine);
    snap_event(snap, channel->engine->params.events, &channel->event);
    SNAP_BELOW(snap, channel->step, STEP_FAIL + 1);
    SNAP_FLAG(snap, channel->runs);
    SNAP_FLAG(snap, channel->has_interrupts);
    SNAP_FLAG(snap, channel->is_done);
    SNAP_FLAG(snap, channel->has_error);
    failure_snap(&channel->error, snap);
    SNAP(snap, channel->ring);
    SNAP(snap, channel->ring_size);
    SNAP(snap, channel->tail);
    SNAP(snap, channel->head);
    SNAP(snap, channel->progress);
    SNAP_FLAG(snap, channel->asks);
    SNAP_ARRAY(snap, channel->half);
    SNAP(snap, channel->command);
    SNAP(snap, channel->length);
    SNAP(snap, channel->crc);
    SNAP(snap, channel->pattern);
    side_snap(&channel->sides[SOURCE], snap);
    side_snap(&channel->sides[DESTINATION], snap);
    SNAP_BELOW(snap, channel->piece_bytes, piece_bytes + 1);
    failure_snap(&channel->failure, snap);
    SNAP_VALUES(snap, channel->piece, piece_bytes);
    SNAP_SKIP(snap, channel->piece);
    SNAP_COUNTERS(snap, channel->stats);
    SNAP_CLOSE(snap, channel);
}

void dma_engine_snap(struct dma_engine *engine, struct snap *snap)
{
    SNAP_OPEN(snap, engine);
    SNAP_SKIP(snap, engine->params);
    dma_master_snap(engine->path, snap);
    SNAP_SKIP(snap, engine->path);
    SNAP(snap, engine->nr_asking);
    for (unsigned i = 0; i < engine->params.nr_channels; i++)
        channel_snap(&engine->channels[i], dma_piece_bytes(engine->path), snap);
    SNAP_SKIP(snap, engine->channels);
    SNAP_SKIP(snap, engine->pieces);
    SNAP_CLOSE(snap, engine);
}
