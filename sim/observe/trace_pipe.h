/*
 * Records on their way from the thread that simulates to one that encodes them, and chunks from there to one
 * that packs them. They come out in the order in which they went in, so that what is made of them does not
 * depend on the host's clocks.
 */
#ifndef LK_SIM_OBSERVE_TRACE_PIPE_H
#define LK_SIM_OBSERVE_TRACE_PIPE_H

#include "sim/observe/trace_record.h"

struct trace_pipe_block;

/* What lies behind what is in a block: neither a record's first byte nor that of what is told in short. */
enum { TRACE_PIPE_END = 255 };

/*
 * Takes what is in a block: records that lie one behind the other, each trace_pipe_bytes long, between what
 * the core told in short, or a chunk.
 * Called by the other thread, or where the host gives none, by the one that fills blocks. The bytes are gone
 * when it returns.
 */
typedef void trace_pipe_taker(void *opaque, const uint8_t *at, const uint8_t *end);

struct trace_pipe {
    struct cpu_brief_room room; /* in the block that is being filled */
    struct trace_pipe_block *block;
    struct trace_pipe_ends *ends;
};

/* Blocks of so many bytes. NULL when memory is short. */
struct trace_pipe *trace_pipe_create(size_t block_bytes, trace_pipe_taker *take, void *opaque);

/* All that was put in has been taken when this returns. NULL is fine. */
void trace_pipe_destroy(struct trace_pipe *pipe);

/* Hands over what is in the block, up to room.at, and waits for an empty one. */
void trace_pipe_turn(struct trace_pipe *pipe);

/* What a record of this kind takes in the pipe: what lies behind the fields of its kind is not there. */
static inline size_t trace_pipe_bytes(enum trace_kind kind, bool has_walk)
{
    static const uint16_t bytes[NR_TRACE_KINDS] = {
        [TRACE_INSN] = sizeof(struct cpu_seen_insn),
        [TRACE_TRANSLATION] = sizeof(struct cpu_seen_translation),
        [TRACE_ACCESS] = sizeof(struct cpu_seen_access),
        [TRACE_EXCEPTION] = sizeof(struct cpu_seen_exception),
        [TRACE_CONTROL] = sizeof(struct trace_control),
        [TRACE_REQUEST] = sizeof(struct cpu_seen_request),
        [TRACE_DEVICE] = sizeof(struct dma_seen_line),
        [TRACE_MARK] = sizeof(struct trace_mark),
    };
    size_t size = has_walk ? sizeof(struct trace_record) : offsetof(struct trace_record, insn) + bytes[kind];
    return (size + _Alignof(struct trace_record) - 1) & ~(_Alignof(struct trace_record) - 1);
}

/* Room for a record, to be filled in before the next one is asked for. Its kind is set already. */
static inline struct trace_record *trace_pipe_put(struct trace_pipe *pipe, enum trace_kind kind,
                                                  bool has_walk)
{
    struct trace_record *record = cpu_brief_take(&pipe->room, trace_pipe_bytes(kind, has_walk));
    record->kind = kind;
    record->has_walk = has_walk;
    return record;
}

#endif
