/* What a channel does with a descriptor, step by step (docs/dma.md). */
#include "dma/engine_internal.h"
#include "sim/base/crc32c.h"

#include <assert.h>
#include <string.h>

/* ---- Steps ---- */

/* The next step comes in cycle `when`; until then the channel is busy. */
static void go(struct channel *channel, enum step step, cycle_t now, cycle_t when)
{
    channel->step = step;
    channel->stats.busy_cycles += when - now;
    bool is_scheduled = ev_schedule(channel->engine->params.events, &channel->event, when);
    assert(is_scheduled); /* the queue has had room for it since the engine was made */
    (void)is_scheduled;
}

void engine_channel_wake(struct channel *channel, cycle_t now)
{
    if (channel->runs && channel->step == STEP_REST && channel->tail != channel->head)
        go(channel, STEP_FETCH, now, now);
}

void engine_channel_fail(struct channel *channel, struct failure failure)
{
    channel->step = STEP_REST;
    channel->runs = false;
    channel->has_error = true;
    channel->error = failure;
    channel->stats.errors++;
    engine_channel_update(channel);
}

/* What is wrong with the descriptor, as is known in cycle `when`, goes into its second half first. */
static void report_failure(struct channel *channel, struct failure failure, cycle_t now, cycle_t when)
{
    channel->failure = failure;
    go(channel, STEP_REPORT, now, when);
}

/* The ring itself cannot be reached. */
static void give_up(struct channel *channel, struct failure failure, cycle_t now, cycle_t when)
{
    channel->failure = failure;
    go(channel, STEP_FAIL, now, when);
}

/* ---- Accesses ---- */

static struct baddr descriptor_at(const struct channel *channel)
{
    return baddr(channel->ring + (uint64_t)(channel->head % channel->ring_size) * ENGINE_DESC_BYTES);
}

static bool may_access(const struct channel *channel)
{
    const struct dma_engine_params *params = &channel->engine->params;
    return !params->is_master || params->is_master(params->opaque);
}

static struct failure failure_of(const struct channel *channel, enum dma_status status, enum engine_part part)
{
    static const enum engine_code codes[] = {[DMA_NO_MEMORY] = ENGINE_NO_MEMORY,
                                             [DMA_TOO_HIGH] = ENGINE_TOO_HIGH,
                                             [DMA_IOMMU_FAULT] = ENGINE_IOMMU_FAULT};
    const struct dma_engine_params *params = &channel->engine->params;
    if (status == DMA_NO_MEMORY && params->aborted)
        params->aborted(params->opaque);
    return (struct failure){codes[status], part, dma_master_refused(channel->engine->path)};
}

/* On failure says what it was; *done is when that is known. */
static bool read_memory(const struct channel *channel, enum engine_part part, struct baddr at, void *to,
                        size_t length_bytes, cycle_t now, cycle_t *done, struct failure *failure)
{
    if (!may_access(channel)) {
        *done = now;
        *failure = (struct failure){ENGINE_NOT_MASTER, part, at};
        return false;
    }
    enum dma_status status = dma_read(channel->engine->path, at, to, length_bytes, now, done);
    if (status != DMA_OK)
        *failure = failure_of(channel, status, part);
    return status == DMA_OK;
}

static bool write_memory(const struct channel *channel, enum engine_part part, struct baddr at,
                         const void *from, size_t length_bytes, cycle_t now, cycle_t *done,
                         struct failure *failure)
{
    if (!may_access(channel)) {
        *done = now;
        *failure = (struct failure){ENGINE_NOT_MASTER, part, at};
        return false;
    }
    enum dma_status status = dma_write(channel->engine->path, at, from, length_bytes, now, done);
    if (status != DMA_OK)
        *failure = failure_of(channel, status, part);
    return status == DMA_OK;
}

static uint32_t get32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static uint64_t get64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static void put32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

static void put64(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, sizeof value);
}

/* ---- The descriptor ---- */

static void fetch(struct channel *channel, cycle_t now)
{
    struct failure failure;
    cycle_t done;
    channel->progress = channel->piece_bytes = 0;
    channel->failure = (struct failure){0};
    if (channel->tail - channel->head > channel->ring_size) {
        engine_channel_fail(channel,
                            (struct failure){ENGINE_OVERRUN, ENGINE_PART_RING, baddr(channel->ring)});
        return;
    }
    if (read_memory(channel, ENGINE_PART_RING, descriptor_at(channel), channel->half, sizeof channel->half,
                    now, &done, &failure))
        go(channel, STEP_BEGIN, now, done);
    else
        give_up(channel, failure, now, done);
}

static unsigned operation_of(const struct channel *channel)
{
    return channel->command & ENGINE_OPERATION_MASK;
}

static bool has_good_command(const struct channel *channel)
{
    /* The flags that each operation may have beside INT. */
    static const uint32_t flags[ENGINE_NR_OPERATIONS] = {[ENGINE_COPY] = ENGINE_SRC_LIST | ENGINE_DST_LIST,
                                                         [ENGINE_FILL] = ENGINE_DST_LIST,
                                                         [ENGINE_CRC32C] = ENGINE_SRC_LIST};
    unsigned operation = operation_of(channel);
    return operation < ENGINE_NR_OPERATIONS &&
           !(channel->command & ~(ENGINE_OPERATION_MASK | ENGINE_INT | flags[operation])) &&
           (channel->length || operation == ENGINE_NOP) && get32(channel->half + ENGINE_DESC_RESERVED) == 0;
}

static struct side make_side(const struct channel *channel, uint64_t at, bool is_list, enum engine_part part)
{
    return (struct side){.at = baddr(at),
                         .left_bytes = is_list ? 0 : channel->length,
                         .is_list = is_list,
                         .entry = baddr(at),
                         .part = part};
}

static void begin(struct channel *channel, cycle_t now)
{
    const uint8_t *half = channel->half;
    channel->command = get32(half + ENGINE_DESC_COMMAND);
    channel->length = get32(half + ENGINE_DESC_LENGTH);
    channel->pattern = get64(half + ENGINE_DESC_SOURCE);
    channel->crc = ~get32(half + ENGINE_DESC_SEED);
    channel->sides[SOURCE] =
        make_side(channel, channel->pattern, channel->command & ENGINE_SRC_LIST, ENGINE_PART_SOURCE);
    channel->sides[DESTINATION] = make_side(channel, get64(half + ENGINE_DESC_DESTINATION),
                                            channel->command & ENGINE_DST_LIST, ENGINE_PART_DESTINATION);
    if (!has_good_command(channel))
        report_failure(channel,
                       (struct failure){ENGINE_BAD_COMMAND, ENGINE_PART_COMMAND, descriptor_at(channel)}, now,
                       now);
    else
        go(channel, operation_of(channel) == ENGINE_NOP ? STEP_REPORT : STEP_MOVE, now, now);
}

/* ---- Segment lists ---- */

static enum engine_part list_part(const struct side *side)
{
    return side->part == ENGINE_PART_SOURCE ? ENGINE_PART_SOURCE_LIST : ENGINE_PART_DESTINATION_LIST;
}

static bool take_entry(struct side *side, const uint8_t *entry)
{
    uint64_t address = get64(entry + ENGINE_ENTRY_ADDRESS);
    uint32_t length = get32(entry + ENGINE_ENTRY_LENGTH), flags = get32(entry + ENGINE_ENTRY_FLAGS);
    bool is_link = flags == ENGINE_LINK;
    if ((flags & ~(uint32_t)ENGINE_END && !is_link) || is_link != (length == 0))
        return false;
    if (is_link) {
        side->entry = baddr(address);
        return true;
    }
    side->at = baddr(address);
    side->left_bytes = length;
    side->has_ended = flags & ENGINE_END;
    side->entry.v += ENGINE_ENTRY_BYTES;
    return true;
}

/* A side of which a byte is wanted has none left: the list's next entry. */
static void read_entry(struct channel *channel, struct side *side, cycle_t now)
{
    uint8_t entry[ENGINE_ENTRY_BYTES];
    cycle_t done = now;
    struct failure failure = {ENGINE_BAD_LIST, list_part(side), side->entry};
    if (side->has_ended)
        failure.at.v -= ENGINE_ENTRY_BYTES; /* the one that said so */
    bool is_good =
        !side->has_ended && side->nr_entries < ENGINE_MAX_ENTRIES && side->entry.v % ENGINE_ENTRY_BYTES == 0;
    if (is_good &&
        read_memory(channel, failure.part, side->entry, entry, sizeof entry, now, &done, &failure)) {
        side->nr_entries++;
        channel->stats.list_entries++;
        if (take_entry(side, entry)) {
            go(channel, STEP_MOVE, now, done);
            return;
        }
    }
    report_failure(channel, failure, now, done);
}

/* ---- The bytes ---- */

static bool reads(const struct channel *channel)
{
    return operation_of(channel) != ENGINE_FILL;
}

static bool writes(const struct channel *channel)
{
    return operation_of(channel) != ENGINE_CRC32C;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* As far as both segments go, what may be in flight, and to a multiple of the burst. */
static uint32_t next_piece_bytes(const struct channel *channel)
{
    const struct side *source = &channel->sides[SOURCE], *destination = &channel->sides[DESTINATION];
    const struct dma_engine *engine = channel->engine;
    uint64_t first = (reads(channel) ? source : destination)->at.v;
    uint64_t size = dma_piece_bytes(engine->path) - (first & (engine->params.path.burst_bytes - 1));
    size = smaller(size, channel->length - channel->progress);
    if (reads(channel))
        size = smaller(size, source->left_bytes);
    return (uint32_t)(writes(channel) ? smaller(size, destination->left_bytes) : size);
}

static void advance(struct side *side, uint64_t size_bytes)
{
    side->at.v += size_bytes;
    side->left_bytes -= size_bytes;
}

static void fill_piece(struct channel *channel, uint32_t size_bytes)
{
    for (uint32_t i = 0; i < size_bytes; i++)
        channel->piece[i] = (uint8_t)(channel->pattern >> 8 * ((channel->progress + i) % 8));
}

static void count_piece(struct channel *channel)
{
    channel->progress += channel->piece_bytes;
    channel->stats.bytes += channel->piece_bytes;
    channel->piece_bytes = 0;
}

static void read_piece(struct channel *channel, cycle_t now)
{
    struct side *source = &channel->sides[SOURCE];
    uint32_t size_bytes = next_piece_bytes(channel);
    struct failure failure;
    cycle_t done = now;
    if (!reads(channel))
        fill_piece(channel, size_bytes);
    else if (!read_memory(channel, source->part, source->at, channel->piece, size_bytes, now, &done,
                          &failure)) {
        report_failure(channel, failure, now, done);
        return;
    }
    channel->piece_bytes = size_bytes;
    if (reads(channel))
        advance(source, size_bytes);
    if (operation_of(channel) == ENGINE_CRC32C)
        channel->crc = crc32c_update(channel->crc, channel->piece, size_bytes);
    go(channel, writes(channel) ? STEP_STORE : STEP_MOVE, now, done);
}

static void move(struct channel *channel, cycle_t now)
{
    count_piece(channel);
    struct side *source = &channel->sides[SOURCE], *destination = &channel->sides[DESTINATION];
    if (channel->progress == channel->length)
        go(channel, STEP_REPORT, now, now);
    else if (reads(channel) && source->left_bytes == 0)
        read_entry(channel, source, now);
    else if (writes(channel) && destination->left_bytes == 0)
        read_entry(channel, destination, now);
    else
        read_piece(channel, now);
}

static void store(struct channel *channel, cycle_t now)
{
    struct side *destination = &channel->sides[DESTINATION];
    struct failure failure;
    cycle_t done;
    if (write_memory(channel, destination->part, destination->at, channel->piece, channel->piece_bytes, now,
                     &done, &failure)) {
        advance(destination, channel->piece_bytes);
        go(channel, STEP_MOVE, now, done);
    } else {
        channel->piece_bytes = 0;
        report_failure(channel, failure, now, done);
    }
}

/* ---- The end of a descriptor ---- */

static void report(struct channel *channel, cycle_t now)
{
    uint8_t bytes[ENGINE_DESC_BYTES] = {0};
    const struct failure *failure = &channel->failure;
    bool is_good = failure->code == ENGINE_NO_ERROR;
    uint32_t status = ENGINE_FINISHED;
    if (!is_good)
        status |= ENGINE_FAILED | (uint32_t)failure->code << ENGINE_CODE_SHIFT |
                  (uint32_t)failure->part << ENGINE_PART_SHIFT;
    put32(bytes + ENGINE_DESC_STATUS, status);
    put32(bytes + ENGINE_DESC_DONE, channel->progress);
    put32(bytes + ENGINE_DESC_CRC, is_good && operation_of(channel) == ENGINE_CRC32C ? ~channel->crc : 0);
    put32(bytes + ENGINE_DESC_NUMBER, channel->head);
    put64(bytes + ENGINE_DESC_FAULT, failure->at.v);
    struct baddr at = baddr(descriptor_at(channel).v + ENGINE_DESC_HALF_BYTES);
    struct failure unreported;
    cycle_t done;
    if (write_memory(channel, ENGINE_PART_REPORT, at, bytes + ENGINE_DESC_HALF_BYTES, ENGINE_DESC_HALF_BYTES,
                     now, &done, &unreported))
        go(channel, STEP_FINISH, now, done);
    else
        give_up(channel, unreported, now, done);
}

static void finish(struct channel *channel, cycle_t now)
{
    channel->head++;
    channel->stats.descriptors++;
    channel->step = STEP_REST;
    channel->is_done = channel->is_done || channel->command & ENGINE_INT;
    if (channel->failure.code != ENGINE_NO_ERROR)
        engine_channel_fail(channel, channel->failure);
    engine_channel_update(channel);
    engine_channel_wake(channel, now);
}

void engine_channel_step(void *opaque, cycle_t now)
{
    struct channel *channel = opaque;
    switch (channel->step) {
    case STEP_FETCH:
        fetch(channel, now);
        break;
    case STEP_BEGIN:
        begin(channel, now);
        break;
    case STEP_MOVE:
        move(channel, now);
        break;
    case STEP_STORE:
        store(channel, now);
        break;
    case STEP_REPORT:
        report(channel, now);
        break;
    case STEP_FINISH:
        finish(channel, now);
        break;
    case STEP_FAIL:
        engine_channel_fail(channel, channel->failure);
        break;
    case STEP_REST: /* has no event */
        break;
    }
}
