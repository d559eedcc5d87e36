#include "tests/oracle/ticked/stream.h"

#include "cpu/cpu.h"
#include "mmu/memory_type.h"

#include <stdlib.h>
#include <string.h>

void stream_init(struct stream *stream)
{
    *stream = (struct stream){0};
}

void stream_fini(struct stream *stream)
{
    free(stream->items);
    free(stream->requests);
    free(stream->translations);
}

static void *grown(void *array, uint64_t *max, uint64_t nr, size_t size)
{
    if (nr < *max)
        return array;
    *max = *max ? *max * 2 : 1024;
    array = reallocarray(array, *max, size);
    if (!array)
        abort();
    return array;
}

static struct request *add_request(struct stream *stream, enum request_kind kind)
{
    uint64_t nr = stream->nr_requests - stream->first_request;
    stream->requests = grown(stream->requests, &stream->max_requests, nr, sizeof *stream->requests);
    stream->nr_requests++;
    stream->nr_pending++;
    stream->requests[nr] = (struct request){.kind = kind};
    return &stream->requests[nr];
}

static struct item *add_item(struct stream *stream, enum item_kind kind)
{
    uint64_t nr = stream->nr_items - stream->first_item;
    stream->items = grown(stream->items, &stream->max_items, nr, sizeof *stream->items);
    stream->nr_items++;
    stream->items[nr] = (struct item){.kind = kind};
    return &stream->items[nr];
}

/* The pending requests become the item's. */
static void give_requests(struct stream *stream, struct item *item)
{
    item->first_request = stream->nr_requests - stream->nr_pending;
    item->nr_requests = (uint32_t)stream->nr_pending;
    stream->nr_pending = 0;
}

static void add_probe(struct stream *stream, const struct cpu_seen_translation *seen)
{
    struct request *request = add_request(stream, REQUEST_PROBE);
    request->linear = seen->linear.v;
    request->is_write = seen->access == MMU_WRITE;
    request->is_fault = seen->is_fault;
    request->translation_cycles = seen->ready - seen->asked;
    request->asked = seen->asked;
}

/* Translations that no access followed. */
static void flush_probes(struct stream *stream, size_t nr)
{
    for (size_t i = 0; i < nr; i++)
        add_probe(stream, &stream->translations[i]);
    stream->nr_translations -= nr;
    memmove(stream->translations, stream->translations + nr,
            stream->nr_translations * sizeof *stream->translations);
}

/* What was still to come of an exception's delivery has come. */
static void end_delivery(struct stream *stream)
{
    if (!stream->is_delivering)
        return;
    flush_probes(stream, stream->nr_translations);
    give_requests(stream, &stream->items[stream->nr_items - stream->first_item - 1]);
    stream->is_delivering = false;
}

static void see_translation(void *opaque, const struct cpu_seen_translation *seen, const struct walk *walk)
{
    struct stream *stream = opaque;
    (void)walk;
    if (seen->is_refuted) /* its time is in that of the answer */
        return;
    if (seen->access == MMU_FETCH) {
        end_delivery(stream);
        stream->fetch = *seen;
        stream->has_fetch = true;
        return;
    }
    uint64_t max = stream->max_translations;
    stream->translations =
        grown(stream->translations, &max, stream->nr_translations, sizeof *stream->translations);
    stream->max_translations = max;
    stream->translations[stream->nr_translations++] = *seen;
}

static void see_fetch(struct stream *stream, const struct cpu_seen_access *seen)
{
    end_delivery(stream);
    struct request *request = add_request(stream, REQUEST_FETCH);
    request->linear = seen->linear.v;
    request->translation_cycles = seen->is_paged ? seen->translated - seen->asked : 0;
    request->data_cycles = seen->ready - (seen->asked + request->translation_cycles);
    request->asked = seen->asked;
    request->ready = seen->ready;
    stream->has_fetch = false;
    struct item *item = add_item(stream, ITEM_BLOCK);
    item->number = seen->instruction;
    item->linear = seen->linear.v;
    item->fetched = seen->ready;
    give_requests(stream, item);
}

/* Two reads of 16 bits: the word at 66h of the TSS, and what that leads to (SDM 1 19.5.2). */
static bool is_of_io_map(const struct stream *stream, const struct cpu_seen_access *seen)
{
    enum { IO_MAP_BASE = 0x66 };
    if (seen->kind == CPU_ACCESS_STORE || seen->size_bytes != 2)
        return false;
    uint64_t base = cpu_state(stream->cpu).tr.hidden.base + IO_MAP_BASE;
    const struct request *last = stream->requests + (stream->nr_requests - stream->first_request) - 1;
    return seen->linear.v == base || (stream->nr_pending > 0 && last->is_io_map && last->linear == base);
}

static void see_access(void *opaque, const struct cpu_seen_access *seen, const struct walk *walk)
{
    struct stream *stream = opaque;
    (void)walk;
    if (seen->kind == CPU_ACCESS_FETCH) {
        see_fetch(stream, seen);
        return;
    }
    bool is_write = seen->kind == CPU_ACCESS_STORE;
    cycle_t translation_cycles = 0;
    bool is_read = false;
    if (seen->is_paged && seen->is_new_page) {
        size_t i = stream->nr_translations;
        while (i > 0 && stream->translations[i - 1].linear.v != seen->linear.v)
            i--;
        if (i == 0)
            abort(); /* an access that was never translated */
        const struct cpu_seen_translation *found = &stream->translations[i - 1];
        translation_cycles = found->ready - found->asked;
        is_read = found->access == MMU_READ;
        memmove(stream->translations + i - 1, stream->translations + i,
                (stream->nr_translations - i) * sizeof *stream->translations);
        stream->nr_translations--;
        flush_probes(stream, i - 1);
    }
    bool is_io_map = is_of_io_map(stream, seen);
    struct request *request = add_request(stream, is_write ? REQUEST_STORE : REQUEST_LOAD);
    request->is_io_map = is_io_map;
    request->linear = seen->linear.v;
    request->physical = seen->physical.v;
    request->size_bytes = seen->size_bytes;
    request->is_rest = seen->is_rest;
    request->is_write = is_write;
    request->is_device = !seen->is_ram;
    request->is_uncached = seen->is_ram && seen->type == MEMORY_UC;
    request->is_translated = seen->is_paged && seen->is_new_page;
    request->may_wait_aside = is_read && seen->is_ram && !request->is_uncached;
    request->is_l1 = seen->served_by == SERVED_BY_L1;
    request->translation_cycles = translation_cycles;
    request->data_cycles = seen->is_ram ? seen->ready - seen->sent : 0;
    request->asked = seen->asked;
    request->sent = seen->sent;
    request->ready = seen->ready;
}

/*
 * INT1 delivers its exception while it executes, as INT n delivers its interrupt: what was seen of that
 * exception becomes the instruction's.
 */
static void take_back_int1(struct stream *stream, const struct cpu_seen_insn *seen)
{
    enum { OPCODE_INT1 = 0xf1, VECTOR_DB = 1 };
    struct item *end = &stream->items[stream->nr_items - stream->first_item];
    if (stream->nr_items - stream->first_item < 2 || seen->bytes[seen->length_bytes - 1] != OPCODE_INT1 ||
        end[-1].kind != ITEM_EXCEPTION || end[-1].vector != VECTOR_DB || end[-1].number != seen->number ||
        end[-2].kind != ITEM_PART || end[-2].nr_requests > 0)
        return;
    stream->nr_pending += end[-1].nr_requests;
    stream->nr_items -= 2;
}

static void see_insn(void *opaque, const struct cpu_seen_insn *seen)
{
    struct stream *stream = opaque;
    end_delivery(stream);
    flush_probes(stream, stream->nr_translations);
    take_back_int1(stream, seen);
    struct item *item = add_item(stream, ITEM_INSN);
    item->number = seen->number;
    item->linear = seen->linear.v;
    memcpy(item->bytes, seen->bytes, sizeof item->bytes);
    item->nr_bytes = seen->length_bytes;
    item->code_bits = seen->code_bits;
    item->is_taken = seen->is_taken;
    item->x87_top = seen->x87_top;
    item->fetched = seen->fetched;
    item->issued = seen->issued;
    item->done = seen->done;
    item->drained = seen->drained;
    give_requests(stream, item);
}

static void see_exception(void *opaque, const struct cpu_seen_exception *seen)
{
    struct stream *stream = opaque;
    bool is_second = stream->is_delivering;
    end_delivery(stream);
    flush_probes(stream, stream->nr_translations);
    if (stream->has_fetch) { /* the fetch itself has faulted */
        struct request *request = add_request(stream, REQUEST_FETCH);
        request->linear = stream->fetch.linear.v;
        request->is_fault = true;
        request->translation_cycles = stream->fetch.ready - stream->fetch.asked;
        request->asked = stream->fetch.asked;
        request->ready = stream->fetch.ready;
        struct item *item = add_item(stream, ITEM_BLOCK);
        item->number = seen->instruction;
        item->linear = request->linear;
        item->fetched = request->ready;
        give_requests(stream, item);
        stream->has_fetch = false;
    } else if (!is_second && (!seen->is_interrupt || stream->nr_pending > 0)) {
        struct item *item = add_item(stream, ITEM_PART);
        item->number = seen->instruction;
        item->linear = seen->linear.v;
        memcpy(item->bytes, seen->bytes, sizeof item->bytes);
        item->nr_bytes = seen->nr_bytes;
        item->code_bits = seen->code_bits;
        item->vector = seen->vector;
        item->is_interrupt = seen->is_interrupt;
        give_requests(stream, item);
    }
    struct item *item = add_item(stream, ITEM_EXCEPTION);
    item->number = seen->instruction;
    item->linear = seen->linear.v;
    item->vector = seen->vector;
    item->is_interrupt = seen->is_interrupt;
    item->begin = seen->cycle;
    item->code_bits = seen->code_bits;
    stream->is_delivering = true;
}

struct cpu_observer stream_observer(struct stream *stream)
{
    return (struct cpu_observer){.opaque = stream,
                                 .insn = see_insn,
                                 .translation = see_translation,
                                 .access = see_access,
                                 .exception = see_exception};
}

void stream_end(struct stream *stream)
{
    end_delivery(stream);
    stream->nr_requests -= stream->nr_pending;
    stream->nr_pending = 0;
}

void stream_forget(struct stream *stream, uint64_t item)
{
    enum { ENOUGH = 1 << 16 };
    uint64_t nr = item - stream->first_item;
    if (nr < ENOUGH)
        return;
    uint64_t left = stream->nr_items - item;
    uint64_t request = left ? stream->items[nr].first_request : stream->nr_requests - stream->nr_pending;
    uint64_t nr_requests = request - stream->first_request;
    memmove(stream->items, stream->items + nr, left * sizeof *stream->items);
    memmove(stream->requests, stream->requests + nr_requests,
            (stream->nr_requests - request) * sizeof *stream->requests);
    stream->first_item = item;
    stream->first_request = request;
}
