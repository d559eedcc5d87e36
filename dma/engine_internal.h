/* What the engine's files share: registers are in engine.c, the work of a channel in engine_channel.c. */
#ifndef LK_DMA_ENGINE_INTERNAL_H
#define LK_DMA_ENGINE_INTERNAL_H

#include "dma/engine.h"

/* What a channel does when its event comes. */
enum step {
    STEP_REST,   /* nothing: no event is scheduled */
    STEP_FETCH,  /* reads the driver's half of descriptor `head` */
    STEP_BEGIN,  /* which is there: looks at it */
    STEP_MOVE,   /* reads the next piece, or the next entry of a list */
    STEP_STORE,  /* which is there: writes the piece */
    STEP_REPORT, /* writes the engine's half */
    STEP_FINISH, /* which is done */
    STEP_FAIL,   /* or cannot be done; nor can the descriptor be read */
};

/* The source or the destination of the descriptor that is worked on. */
struct side {
    struct baddr at;     /* its next byte */
    uint64_t left_bytes; /* in its segment */
    bool is_list;
    bool has_ended;        /* the segment is the list's last */
    struct baddr entry;    /* of the list, that is read next */
    unsigned nr_entries;   /* that were read */
    enum engine_part part; /* what an access to it is in an error */
};

enum { SOURCE, DESTINATION };

struct failure {
    enum engine_code code;
    enum engine_part part;
    struct baddr at;
};

struct channel {
    struct dma_engine *engine;
    struct event event;
    enum step step;
    /* Registers. */
    bool runs, has_interrupts, is_done, has_error;
    struct failure error; /* of the registers: the last one */
    uint64_t ring;
    uint32_t ring_size, tail, head, progress;
    bool asks; /* for an interrupt */
    /* The descriptor that is worked on. */
    uint8_t half[ENGINE_DESC_HALF_BYTES];
    uint32_t command, length, crc;
    uint64_t pattern;
    struct side sides[2];
    uint32_t piece_bytes; /* that are on the way, and not yet in `progress` */
    struct failure failure;
    uint8_t *piece;
    struct dma_channel_stats stats;
};

struct dma_engine {
    struct dma_engine_params params;
    struct dma_master *path;
    unsigned nr_asking;
    struct channel channels[ENGINE_MAX_CHANNELS];
    uint8_t *pieces;
};

/* The event's handler; `opaque` is the channel. */
void engine_channel_step(void *opaque, cycle_t now);

/* If it runs, rests and has been given a descriptor, it begins. */
void engine_channel_wake(struct channel *channel, cycle_t now);

/* An error outside a descriptor, or the one that it ended with: the channel stops. */
void engine_channel_fail(struct channel *channel, struct failure failure);

/* To be called when what its interrupt depends on has changed. */
void engine_channel_update(struct channel *channel);

#endif
