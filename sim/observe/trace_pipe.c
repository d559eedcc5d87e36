#include "sim/observe/trace_pipe.h"

#include <pthread.h>
#include <stdlib.h>

/*
 * Enough for some milliseconds of both threads, so that neither waits for each block of the other's. Where
 * the host is a virtual machine it takes some 10 us to wake a thread: blocks must be worth that.
 */
enum { NR_BLOCKS = 16 };

struct trace_pipe_block {
    size_t nr_bytes, room;
    uint8_t *bytes;
};

struct trace_pipe_ends {
    trace_pipe_taker *take;
    void *opaque;
    bool has_thread, is_closed;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t filled, emptied;
    uint64_t nr_filled, nr_emptied; /* blocks since the beginning; block n is block[n % NR_BLOCKS] */
    struct trace_pipe_block block[NR_BLOCKS];
};

static void take_all(const struct trace_pipe_ends *ends, const struct trace_pipe_block *block)
{
    ends->take(ends->opaque, block->bytes, block->bytes + block->nr_bytes);
}

/* The oldest block that is full; NULL: there will be no more. */
static const struct trace_pipe_block *wait_for_block(struct trace_pipe_ends *ends)
{
    pthread_mutex_lock(&ends->lock);
    while (ends->nr_filled == ends->nr_emptied && !ends->is_closed)
        pthread_cond_wait(&ends->filled, &ends->lock);
    bool is_there = ends->nr_filled != ends->nr_emptied;
    pthread_mutex_unlock(&ends->lock);
    return is_there ? &ends->block[ends->nr_emptied % NR_BLOCKS] : NULL;
}

static void *run(void *opaque)
{
    struct trace_pipe_ends *ends = opaque;
    const struct trace_pipe_block *block;
    while ((block = wait_for_block(ends))) {
        take_all(ends, block);
        pthread_mutex_lock(&ends->lock);
        ends->nr_emptied++;
        pthread_cond_signal(&ends->emptied);
        pthread_mutex_unlock(&ends->lock);
    }
    return NULL;
}

static void begin_block(struct trace_pipe *pipe, struct trace_pipe_block *block)
{
    pipe->block = block;
    pipe->room.at = block->bytes;
    pipe->room.end = block->bytes + block->room;
}

static void free_ends(struct trace_pipe_ends *ends)
{
    for (unsigned i = 0; ends && i < NR_BLOCKS; i++)
        free(ends->block[i].bytes);
    free(ends);
}

static struct trace_pipe_ends *make_ends(size_t block_bytes)
{
    struct trace_pipe_ends *ends = calloc(1, sizeof *ends);
    bool is_whole = ends != NULL;
    for (unsigned i = 0; is_whole && i < NR_BLOCKS; i++) {
        ends->block[i].room = block_bytes;
        ends->block[i].bytes = malloc(block_bytes + 1);
        is_whole = ends->block[i].bytes != NULL;
    }
    if (is_whole)
        return ends;
    free_ends(ends);
    return NULL;
}

static void turn(void *opaque)
{
    trace_pipe_turn(opaque);
}

struct trace_pipe *trace_pipe_create(size_t block_bytes, trace_pipe_taker *take, void *opaque)
{
    struct trace_pipe *pipe = calloc(1, sizeof *pipe);
    struct trace_pipe_ends *ends = make_ends(block_bytes);
    if (!pipe || !ends) {
        free(pipe);
        free_ends(ends);
        return NULL;
    }
    ends->take = take;
    ends->opaque = opaque;
    pthread_mutex_init(&ends->lock, NULL);
    pthread_cond_init(&ends->filled, NULL);
    pthread_cond_init(&ends->emptied, NULL);
    ends->has_thread = pthread_create(&ends->thread, NULL, run, ends) == 0;
    pipe->ends = ends;
    pipe->room.turn = turn;
    pipe->room.opaque = pipe;
    begin_block(pipe, &ends->block[0]);
    return pipe;
}

void trace_pipe_turn(struct trace_pipe *pipe)
{
    struct trace_pipe_ends *ends = pipe->ends;
    pipe->block->nr_bytes = (size_t)(pipe->room.at - pipe->block->bytes);
    *pipe->room.at = TRACE_PIPE_END;
    if (!ends->has_thread) {
        take_all(ends, pipe->block);
        begin_block(pipe, pipe->block);
        return;
    }
    pthread_mutex_lock(&ends->lock);
    ends->nr_filled++;
    pthread_cond_signal(&ends->filled);
    while (ends->nr_filled - ends->nr_emptied == NR_BLOCKS)
        pthread_cond_wait(&ends->emptied, &ends->lock);
    pthread_mutex_unlock(&ends->lock);
    begin_block(pipe, &ends->block[ends->nr_filled % NR_BLOCKS]);
}

void trace_pipe_destroy(struct trace_pipe *pipe)
{
    if (!pipe)
        return;
    struct trace_pipe_ends *ends = pipe->ends;
    trace_pipe_turn(pipe);
    if (ends->has_thread) {
        pthread_mutex_lock(&ends->lock);
        ends->is_closed = true;
        pthread_cond_signal(&ends->filled);
        pthread_mutex_unlock(&ends->lock);
        pthread_join(ends->thread, NULL);
    }
    pthread_cond_destroy(&ends->emptied);
    pthread_cond_destroy(&ends->filled);
    pthread_mutex_destroy(&ends->lock);
    free_ends(ends);
    free(pipe);
}
