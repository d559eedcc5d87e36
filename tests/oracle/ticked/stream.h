/*
 * What the ticked model is told of a run: the instructions in program order, what stood between them, and
 * what the memory system was asked and took for each answer. Made from what a watched core says; what that
 * says besides, the cycles, is what the model must arrive at by itself.
 */
#ifndef LK_TESTS_TICKED_STREAM_H
#define LK_TESTS_TICKED_STREAM_H

#include "cpu/observe.h"

#include <stddef.h>

enum request_kind {
    REQUEST_FETCH,
    REQUEST_LOAD,
    REQUEST_STORE,
    REQUEST_PROBE, /* only translated, nothing was accessed behind it (or could be) */
};

/* One request to the paging unit and, if that found the page, to the caches. */
struct request {
    enum request_kind kind;
    uint64_t linear;
    uint64_t physical; /* of a load or store */
    unsigned size_bytes;
    bool is_rest;  /* the second line of the access before it */
    bool is_write; /* what the paging unit was asked */
    bool is_fault;
    bool is_device, is_uncached, is_l1;
    bool is_translated;  /* it, or what it is the rest of, is in another page than what was before it */
    bool may_wait_aside; /* a read of RAM that is no UC memory, translated for this request */
    bool is_io_map;      /* the processor's read of where the I/O permission map lies, or of its bits */
    cycle_t translation_cycles, data_cycles; /* how long the answers took */
    /* To be compared: */
    cycle_t asked, sent, ready;
};

enum item_kind {
    ITEM_BLOCK,     /* a fetch block; its request is the item's only one */
    ITEM_INSN,      /* an instruction that retired */
    ITEM_PART,      /* one that did not: it faulted, or it is a string instruction that was interrupted */
    ITEM_EXCEPTION, /* the delivery of an exception or interrupt */
};

struct item {
    enum item_kind kind;
    uint64_t number; /* of the instruction */
    uint64_t linear;
    uint8_t bytes[15];
    uint8_t nr_bytes; /* of an ITEM_PART: as many as could be read */
    uint8_t code_bits;
    uint64_t first_request;
    uint32_t nr_requests;
    bool is_taken;
    uint8_t x87_top; /* behind it */
    uint8_t vector;  /* ITEM_EXCEPTION, and what ends an ITEM_PART */
    bool is_interrupt;
    cycle_t begin;
    /* To be compared: */
    cycle_t fetched, issued, done, drained;
};

/* Items and requests are numbered from 0; the oldest are forgotten when they are no longer needed. */
struct stream {
    struct item *items;
    uint64_t first_item, nr_items, max_items;
    struct request *requests;
    uint64_t first_request, nr_requests, max_requests;
    /* Under way: */
    uint64_t nr_pending; /* requests at the end that belong to the next item */
    struct cpu_seen_translation *translations;
    size_t nr_translations, max_translations;
    struct cpu_seen_translation fetch;
    bool has_fetch;
    bool is_delivering; /* pending requests belong to the exception that is the last item */
    uint8_t code_bits;
    const struct cpu *cpu; /* which is watched: its task register is asked for */
};

void stream_init(struct stream *stream);
void stream_fini(struct stream *stream);
/* What to hand to a core, so that it tells this stream; `cpu` is to be filled in before that runs. */
struct cpu_observer stream_observer(struct stream *stream);
/* The run is over. */
void stream_end(struct stream *stream);
/* Items before this one are no longer needed. */
void stream_forget(struct stream *stream, uint64_t item);

static inline struct item *stream_item(const struct stream *stream, uint64_t index)
{
    return &stream->items[index - stream->first_item];
}

static inline struct request *stream_request(const struct stream *stream, uint64_t index)
{
    return &stream->requests[index - stream->first_request];
}

#endif
