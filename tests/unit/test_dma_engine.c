/*
 * The DMA engine by its registers and its descriptors, against docs/dma.md: its bytes against plain copies,
 * its checksum against RFC 3720 and the host's CRC32 instruction, each error, interrupts, and cycles in
 * closed form.
 */
#include "tests/unit/engine_fixture.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

static const char *const small_caches[] = {"cache.l1i.size=1KiB",
                                           "cache.l1i.ways=2",
                                           "cache.l1d.size=1KiB",
                                           "cache.l1d.ways=2",
                                           "cache.l2.size=4KiB",
                                           "cache.l2.ways=4",
                                           NULL};

/* ---- Bytes ---- */

/* CRC32C bit by bit, as the polynomial says it. */
static uint32_t plain_crc32c(uint32_t seed, const uint8_t *bytes, size_t nr_bytes)
{
    uint32_t crc = ~seed;
    for (size_t i = 0; i < nr_bytes * 8; i++) {
        uint32_t bit = (crc ^ (uint32_t)bytes[i / 8] >> i % 8) & 1;
        crc = crc >> 1 ^ bit * 0x82f63b78;
    }
    return ~crc;
}

__attribute__((target("sse4.2"))) static uint32_t host_crc32c(const uint8_t *bytes, size_t nr_bytes)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < nr_bytes; i++)
        crc = __builtin_ia32_crc32qi(crc, bytes[i]);
    return ~crc;
}

Test(dma_engine, checks_as_rfc_3720_and_the_host_do)
{
    enum { AT = 0x10003, MAX_BYTES = 5000 };
    struct engine_world world;
    const struct dma_engine_params params = plain_engine();
    make_engine(&world, small_caches, &params);
    /* RFC 3720 B.4: 32 bytes of zeros, of ones, rising, falling; and the customary nine characters. */
    static const struct {
        int first, step;
        unsigned nr_bytes;
        uint32_t crc;
    } vectors[] = {{0, 0, 32, 0x8a9136aa},
                   {0xff, 0, 32, 0x62a8ab43},
                   {0, 1, 32, 0x46dd794e},
                   {31, -1, 32, 0x113fdb5c},
                   {'1', 1, 9, 0xe3069283}};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        for (unsigned j = 0; j < vectors[i].nr_bytes; j++)
            *ram_at(&world, AT + j) = (uint8_t)(vectors[i].first + vectors[i].step * (int)j);
        struct descriptor left = do_one(
            &world,
            (struct descriptor){.command = ENGINE_CRC32C, .length = vectors[i].nr_bytes, .source = AT});
        cr_expect_eq(left.status, ENGINE_FINISHED);
        cr_expect_eq(left.crc, vectors[i].crc, "vector %zu: %08x", i, left.crc);
        cr_expect_eq(plain_crc32c(0, ram_at(&world, AT), vectors[i].nr_bytes), vectors[i].crc);
    }
    uint64_t random = 5;
    for (unsigned i = 0; i < 100; i++) {
        uint32_t length = 1 + (uint32_t)(next_random(&random) % MAX_BYTES);
        for (uint32_t j = 0; j < length; j++)
            *ram_at(&world, AT + j) = (uint8_t)next_random(&random);
        uint32_t first = (uint32_t)(next_random(&random) % length);
        struct descriptor whole =
            do_one(&world, (struct descriptor){.command = ENGINE_CRC32C, .length = length, .source = AT});
        cr_assert_eq(whole.crc, plain_crc32c(0, ram_at(&world, AT), length));
        if (__builtin_cpu_supports("sse4.2"))
            cr_assert_eq(whole.crc, host_crc32c(ram_at(&world, AT), length));
        if (first == 0)
            continue;
        struct descriptor part =
            do_one(&world, (struct descriptor){.command = ENGINE_CRC32C, .length = first, .source = AT});
        part = do_one(&world, (struct descriptor){.command = ENGINE_CRC32C,
                                                  .length = length - first,
                                                  .source = AT + first,
                                                  .seed = part.crc});
        cr_assert_eq(part.crc, whole.crc, "goes on from a seed");
    }
    destroy_engine(&world);
}

/* Random work of all channels at once, and what memory has to hold afterwards. */
enum {
    NR_CHANNELS = 3,
    RING_SIZE = 16,
    RING_BYTES = RING_SIZE * ENGINE_DESC_BYTES,
    MAX_LENGTH = 3000,
    MAX_SEGMENTS = 40,
    LIST_BYTES = 2 * MAX_SEGMENTS * ENGINE_ENTRY_BYTES,
    LISTS_OF_CHANNEL = 2 * RING_SIZE * LIST_BYTES,
    SOURCES = 0x40000,
    TARGETS = 0x60000, /* a piece of memory of each channel */
    TARGET_BYTES = 0x10000,
    USED_BYTES = TARGETS + NR_CHANNELS * TARGET_BYTES,
};
static_assert(LISTS + NR_CHANNELS * LISTS_OF_CHANNEL <= SOURCES, "lists end where sources begin");
static_assert(USED_BYTES <= HOLE_PAGE * PAGE_BYTES, "all is in RAM");

struct model {
    struct engine_world world;
    uint64_t random;
    uint64_t offset;
    uint8_t expected[USED_BYTES];
    uint32_t given[NR_CHANNELS];
    struct descriptor descriptors[NR_CHANNELS][RING_SIZE];
};

static uint64_t below(struct model *model, uint64_t n)
{
    return next_random(&model->random) % n;
}

/* Where each byte of one side lies. */
struct bytes {
    uint64_t at[MAX_LENGTH];
};

static void put_entry(struct model *model, uint64_t at, struct entry entry)
{
    entry.address += model->offset;
    memcpy(ram_at(&model->world, at), &entry, sizeof entry);
    memcpy(model->expected + at, &entry, sizeof entry);
}

/* A list of segments anywhere in [base, base + size), with links; its last entry may have bytes left. */
static void make_list(struct model *model, uint64_t list, uint32_t length, uint64_t base, uint64_t size,
                      struct bytes *bytes)
{
    uint32_t nr = 0, done = 0;
    for (uint64_t entry = list; done < length; entry += ENGINE_ENTRY_BYTES, nr++) {
        if (nr % 7 == 6) {
            put_entry(model, entry, (struct entry){entry + 2 * ENGINE_ENTRY_BYTES, 0, ENGINE_LINK});
            entry += ENGINE_ENTRY_BYTES;
            continue;
        }
        bool is_last = nr >= MAX_SEGMENTS || below(model, 8) == 0;
        uint32_t part =
            is_last ? length - done + (uint32_t)below(model, 20) : 1 + (uint32_t)below(model, 200);
        uint64_t at = base + below(model, size - part);
        for (uint32_t i = 0; i < part && done < length; i++)
            bytes->at[done++] = at + i;
        put_entry(model, entry, (struct entry){at, part, done == length ? ENGINE_END : 0});
    }
}

static uint64_t make_side(struct model *model, bool is_list, uint64_t list, uint32_t length, uint64_t base,
                          uint64_t size, struct bytes *bytes)
{
    if (is_list) {
        make_list(model, list, length, base, size, bytes);
        return list + model->offset;
    }
    uint64_t at = base + below(model, size - length);
    for (uint32_t i = 0; i < length; i++)
        bytes->at[i] = at + i;
    return at + model->offset;
}

/* What the descriptor makes of memory, byte by byte; fills in what the engine has to write back. */
static void predict(struct model *model, struct descriptor *descriptor, const struct bytes *from,
                    const struct bytes *to)
{
    unsigned operation = descriptor->command & ENGINE_OPERATION_MASK;
    uint8_t checked[MAX_LENGTH];
    for (uint32_t i = 0; i < descriptor->length; i++) {
        if (operation == ENGINE_COPY)
            model->expected[to->at[i]] = model->expected[from->at[i]];
        else if (operation == ENGINE_FILL)
            model->expected[to->at[i]] = (uint8_t)(descriptor->source >> i % 8 * 8);
        else if (operation == ENGINE_CRC32C)
            checked[i] = model->expected[from->at[i]];
    }
    descriptor->status = ENGINE_FINISHED;
    descriptor->done = operation == ENGINE_NOP ? 0 : descriptor->length;
    if (operation == ENGINE_CRC32C)
        descriptor->crc = plain_crc32c(descriptor->seed, checked, descriptor->length);
}

static void give_one(struct model *model, unsigned channel)
{
    static const uint32_t lists[ENGINE_NR_OPERATIONS] = {[ENGINE_COPY] = ENGINE_SRC_LIST | ENGINE_DST_LIST,
                                                         [ENGINE_FILL] = ENGINE_DST_LIST,
                                                         [ENGINE_CRC32C] = ENGINE_SRC_LIST};
    uint32_t number = model->given[channel]++, place = number % RING_SIZE;
    unsigned operation = (unsigned)below(model, ENGINE_NR_OPERATIONS);
    struct descriptor descriptor = {
        .command = operation | ((uint32_t)below(model, 8) << 8 & (ENGINE_INT | lists[operation])),
        .length = 1 + (uint32_t)below(model, MAX_LENGTH),
        .seed = operation == ENGINE_CRC32C ? (uint32_t)next_random(&model->random) : 0,
        .number = number};
    struct bytes from, to;
    uint64_t list = LISTS + channel * LISTS_OF_CHANNEL + place * 2 * LIST_BYTES;
    descriptor.source = make_side(model, descriptor.command & ENGINE_SRC_LIST, list, descriptor.length,
                                  SOURCES, TARGETS - SOURCES, &from);
    descriptor.destination =
        make_side(model, descriptor.command & ENGINE_DST_LIST, list + LIST_BYTES, descriptor.length,
                  TARGETS + channel * TARGET_BYTES, TARGET_BYTES, &to);
    if (operation == ENGINE_FILL)
        descriptor.source = next_random(&model->random) << 32 | next_random(&model->random);
    put_descriptor(&model->world, RING + channel * RING_BYTES, place, descriptor);
    predict(model, &descriptor, &from, &to);
    model->descriptors[channel][place] = descriptor;
    memcpy(model->expected + RING + channel * RING_BYTES + place * sizeof descriptor, &descriptor,
           sizeof descriptor);
    channel_set(&model->world, channel, ENGINE_CH_TAIL, model->given[channel]);
}

static struct model *make_model(const char *const *caches, const struct dma_engine_params *params)
{
    struct model *model = calloc(1, sizeof *model);
    cr_assert_not_null(model);
    model->random = params->path.burst_bytes + params->path.bursts_in_flight;
    model->offset = params->path.bus_offset;
    make_engine(&model->world, caches, params);
    for (uint64_t at = SOURCES; at < TARGETS; at++)
        model->expected[at] = *ram_at(&model->world, at) = (uint8_t)next_random(&model->random);
    for (unsigned channel = 0; channel < NR_CHANNELS; channel++)
        start_channel(&model->world, channel, RING + channel * RING_BYTES + model->offset, RING_SIZE);
    return model;
}

static void expect_model(const struct model *model)
{
    const struct engine_world *world = &model->world;
    cr_assert_arr_eq(ram_at(world, 0), model->expected, USED_BYTES);
    for (unsigned channel = 0; channel < NR_CHANNELS; channel++) {
        uint32_t given = model->given[channel];
        cr_assert(channel_get(world, channel, ENGINE_CH_HEAD) == given &&
                  dma_engine_channel_stats(world->engine, channel)->descriptors == given);
        cr_assert_eq(channel_get(world, channel, ENGINE_CH_STATUS) & ~(uint32_t)ENGINE_DONE, 0);
    }
}

static void work_at_random(const char *const *caches, enum dma_coherence coherence, uint64_t offset,
                           uint64_t burst_bytes, uint64_t nr_in_flight)
{
    enum { ROUNDS = 60 };
    struct dma_engine_params params = plain_engine();
    params.path.coherence = coherence;
    params.path.bus_offset = offset;
    params.path.burst_bytes = burst_bytes;
    params.path.bursts_in_flight = nr_in_flight;
    struct model *model = make_model(caches, &params);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned channel = 0; channel < NR_CHANNELS; channel++) {
            for (uint64_t nr = below(model, RING_SIZE + 1); nr > 0; nr--)
                give_one(model, channel);
        }
        run_to_rest(&model->world);
        expect_model(model);
    }
    destroy_engine(&model->world);
    free(model);
}

Test(dma_engine, does_what_plain_copies_do)
{
    work_at_random(NULL, DMA_SNOOP, 0, 64, 2);
    work_at_random(small_caches, DMA_SNOOP, 0x80000000, 64, 4);
    work_at_random(small_caches, DMA_NONE, 0, 16, 1);
    work_at_random(small_caches, DMA_SNOOP, UINT64_C(0x300000000), 4096, 3);
}

/* ---- Errors ---- */

/* What a failed descriptor has in memory. */
static void expect_report(const struct engine_world *world, const char *what, uint32_t told, uint64_t fault,
                          uint32_t done)
{
    struct descriptor left = descriptor_in(world, RING, 0);
    cr_expect_eq(left.status, told | ENGINE_FINISHED | ENGINE_FAILED, "%s: status %x in memory", what,
                 left.status);
    cr_expect_eq(left.done, done, "%s: %u bytes done", what, left.done);
    cr_expect(left.fault == fault && left.crc == 0, "%s: fault %" PRIx64, what, left.fault);
}

static uint64_t get_fault(const struct engine_world *world)
{
    return channel_get(world, 0, ENGINE_CH_FAULT_LO) | (uint64_t)channel_get(world, 0, ENGINE_CH_FAULT_HI)
                                                           << 32;
}

/* The channel stopped with this, and says so in both places, where `is_reported`. */
static void expect_failure(const struct engine_world *world, const char *what, enum engine_code code,
                           enum engine_part part, uint64_t fault, uint32_t done, bool is_reported)
{
    uint32_t told = (uint32_t)code << ENGINE_CODE_SHIFT | (uint32_t)part << ENGINE_PART_SHIFT;
    cr_expect_eq(channel_get(world, 0, ENGINE_CH_STATUS), told | ENGINE_ERROR, "%s: status %x", what,
                 channel_get(world, 0, ENGINE_CH_STATUS));
    cr_expect(channel_get(world, 0, ENGINE_CH_CONTROL) == ENGINE_INT_ENABLE &&
                  channel_get(world, 0, ENGINE_CH_HEAD) == is_reported && world->irq.level &&
                  dma_engine_read(world->engine, ENGINE_REG_INT_STATUS) == 1,
              "%s: it has stopped, and asks", what);
    cr_expect_eq(get_fault(world), fault, "%s: fault %" PRIx64, what, get_fault(world));
    if (is_reported)
        expect_report(world, what, told, fault, done);
}

enum { BEHIND = DMA_RAM_BYTES, HOLE = HOLE_PAGE * PAGE_BYTES, PLACE = 0x20000, OTHER = 0x30000 };

Test(dma_engine, refuses_bad_descriptors)
{
    static const struct {
        const char *what;
        struct descriptor descriptor;
        enum engine_code code;
        enum engine_part part;
        uint64_t fault;
        uint32_t done;
    } rows[] = {
        {"operation", {.command = 4, .length = 1}, ENGINE_BAD_COMMAND, ENGINE_PART_COMMAND, RING, 0},
        {"operation 255", {.command = 0xff, .length = 1}, ENGINE_BAD_COMMAND, ENGINE_PART_COMMAND, RING, 0},
        {"reserved bit", {.command = 1 << 11}, ENGINE_BAD_COMMAND, ENGINE_PART_COMMAND, RING, 0},
        {"reserved bit", {.command = UINT32_C(1) << 31}, ENGINE_BAD_COMMAND, ENGINE_PART_COMMAND, RING, 0},
        {"reserved field", {.reserved = 1}, ENGINE_BAD_COMMAND, ENGINE_PART_COMMAND, RING, 0},
        {"no length", {.command = ENGINE_COPY}, ENGINE_BAD_COMMAND, ENGINE_PART_COMMAND, RING, 0},
        {"list of a NOP", {.command = ENGINE_DST_LIST}, ENGINE_BAD_COMMAND, ENGINE_PART_COMMAND, RING, 0},
        {"source list of a fill",
         {.command = ENGINE_FILL | ENGINE_SRC_LIST, .length = 8},
         ENGINE_BAD_COMMAND,
         ENGINE_PART_COMMAND,
         RING,
         0},
        {"destination list of a checksum",
         {.command = ENGINE_CRC32C | ENGINE_DST_LIST, .length = 8},
         ENGINE_BAD_COMMAND,
         ENGINE_PART_COMMAND,
         RING,
         0},
        {"source behind RAM",
         {.command = ENGINE_COPY, .length = 1, .source = BEHIND, .destination = PLACE},
         ENGINE_NO_MEMORY,
         ENGINE_PART_SOURCE,
         BEHIND,
         0},
        {"source that ends in the hole",
         {.command = ENGINE_CRC32C, .length = 0x1000, .source = HOLE - 0x300},
         ENGINE_NO_MEMORY,
         ENGINE_PART_SOURCE,
         HOLE,
         0x300},
        {"destination that ends in the hole",
         {.command = ENGINE_COPY, .length = 0x1000, .source = PLACE, .destination = HOLE - 0x280},
         ENGINE_NO_MEMORY,
         ENGINE_PART_DESTINATION,
         HOLE,
         0x280},
        {"fill that ends behind RAM",
         {.command = ENGINE_FILL, .length = 0x1000, .destination = BEHIND - 0x80},
         ENGINE_NO_MEMORY,
         ENGINE_PART_DESTINATION,
         BEHIND,
         0x80},
        {"source too high",
         {.command = ENGINE_COPY, .length = 1, .source = UINT64_C(1) << 32, .destination = PLACE},
         ENGINE_TOO_HIGH,
         ENGINE_PART_SOURCE,
         UINT64_C(1) << 32,
         0},
        {"destination that wraps",
         {.command = ENGINE_FILL, .length = 0x100, .destination = UINT64_MAX},
         ENGINE_TOO_HIGH,
         ENGINE_PART_DESTINATION,
         UINT64_MAX,
         0},
        {"source list behind RAM",
         {.command = ENGINE_CRC32C | ENGINE_SRC_LIST, .length = 8, .source = BEHIND + 16},
         ENGINE_NO_MEMORY,
         ENGINE_PART_SOURCE_LIST,
         BEHIND + 16,
         0},
        {"destination list that lies askew",
         {.command = ENGINE_FILL | ENGINE_DST_LIST, .length = 8, .destination = LISTS + 8},
         ENGINE_BAD_LIST,
         ENGINE_PART_DESTINATION_LIST,
         LISTS + 8,
         0},
    };
    struct dma_engine_params params = plain_engine();
    params.path.address_bits = 32;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct engine_world world;
        make_engine(&world, NULL, &params);
        /* Another channel is at work all the time. */
        start_channel(&world, 1, RING + 0x1000, 1);
        put_descriptor(&world, RING + 0x1000, 0,
                       (struct descriptor){.command = ENGINE_FILL,
                                           .length = 0x8000,
                                           .source = UINT64_C(0x1122334455667788),
                                           .destination = OTHER});
        channel_set(&world, 1, ENGINE_CH_TAIL, 1);
        do_one(&world, rows[i].descriptor);
        expect_failure(&world, rows[i].what, rows[i].code, rows[i].part, rows[i].fault, rows[i].done, true);
        cr_expect_eq(world.nr_aborts, rows[i].code == ENGINE_NO_MEMORY, "%s", rows[i].what);
        cr_expect_eq(dma_engine_channel_stats(world.engine, 0)->errors, 1);
        cr_expect_eq(channel_get(&world, 1, ENGINE_CH_HEAD), 1, "the other one finished");
        for (uint64_t at = OTHER; at < OTHER + 0x8000; at++)
            cr_assert_eq(*ram_at(&world, at), 0x88 - at % 8 * 0x11);
        /* It goes on with the next descriptor. */
        put_descriptor(&world, RING, 1, (struct descriptor){0});
        channel_set(&world, 0, ENGINE_CH_STATUS, ENGINE_ERROR);
        cr_expect_not(world.irq.level);
        channel_set(&world, 0, ENGINE_CH_TAIL, 2);
        channel_set(&world, 0, ENGINE_CH_CONTROL, RUN_AND_ASK);
        run_to_rest(&world);
        cr_expect_eq(channel_get(&world, 0, ENGINE_CH_HEAD), 2, "%s", rows[i].what);
        cr_expect_eq(descriptor_in(&world, RING, 1).status, ENGINE_FINISHED, "%s", rows[i].what);
        destroy_engine(&world);
    }
}

Test(dma_engine, refuses_bad_lists)
{
    enum { SECOND = LISTS + ENGINE_ENTRY_BYTES };
    static const struct {
        const char *what;
        struct entry entries[2];
        uint64_t fault;
        uint32_t done;
    } rows[] = {
        {"ends too early", {{PLACE, 16, 0}, {PLACE, 15, ENGINE_END}}, SECOND, 31},
        {"segment of no bytes", {{PLACE, 16, 0}, {PLACE, 0, ENGINE_END}}, SECOND, 16},
        {"reserved flag", {{PLACE, 16, 0}, {PLACE, 16, 4}}, SECOND, 16},
        {"link that is the end", {{PLACE, 16, ENGINE_LINK | ENGINE_END}}, LISTS, 0},
        {"link with a length", {{PLACE, 16, ENGINE_LINK}}, LISTS, 0},
        {"link askew", {{PLACE, 16, 0}, {LISTS + 4, 0, ENGINE_LINK}}, LISTS + 4, 16},
        {"link to itself", {{LISTS, 0, ENGINE_LINK}}, LISTS, 0},
        {"circle of two", {{SECOND, 0, ENGINE_LINK}, {LISTS, 0, ENGINE_LINK}}, LISTS, 0},
        {"circle with a byte", {{PLACE, 1, 0}, {LISTS, 0, ENGINE_LINK}}, LISTS, ENGINE_MAX_ENTRIES / 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct engine_world world;
        const struct dma_engine_params params = plain_engine();
        make_engine(&world, small_caches, &params);
        memcpy(ram_at(&world, LISTS), rows[i].entries, sizeof rows[i].entries);
        uint32_t length = rows[i].done < 32 ? 32 : ENGINE_MAX_ENTRIES;
        do_one(&world, (struct descriptor){
                           .command = ENGINE_FILL | ENGINE_DST_LIST, .length = length, .destination = LISTS});
        expect_failure(&world, rows[i].what, ENGINE_BAD_LIST, ENGINE_PART_DESTINATION_LIST, rows[i].fault,
                       rows[i].done, true);
        destroy_engine(&world);
    }
}

Test(dma_engine, refuses_bad_rings)
{
    static const struct {
        const char *what;
        uint64_t ring;
        uint32_t size, tail;
        enum engine_code code;
        uint64_t fault;
    } rows[] = {
        {"askew", RING + 32, 8, 0, ENGINE_BAD_RING, RING + 32},
        {"no size", RING, 0, 0, ENGINE_BAD_RING, RING},
        {"no power of two", RING, 12, 0, ENGINE_BAD_RING, RING},
        {"too large", RING, 8192, 0, ENGINE_BAD_RING, RING},
        {"overrun", RING, 8, 9, ENGINE_OVERRUN, RING},
        {"overrun by far", RING, 8, UINT32_MAX, ENGINE_OVERRUN, RING},
        {"behind RAM", BEHIND, 8, 1, ENGINE_NO_MEMORY, BEHIND},
        {"in the engine's own registers", 0xfeb00000, 8, 8, ENGINE_NO_MEMORY, 0xfeb00000},
        {"too high", UINT64_C(1) << 40, 8, 1, ENGINE_TOO_HIGH, UINT64_C(1) << 40},
        {"at the end of all addresses", UINT64_MAX - 63, 8, 1, ENGINE_TOO_HIGH, UINT64_MAX - 63},
    };
    struct dma_engine_params params = plain_engine();
    params.path.address_bits = 40;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct engine_world world;
        make_engine(&world, NULL, &params);
        start_channel(&world, 0, rows[i].ring, rows[i].size);
        channel_set(&world, 0, ENGINE_CH_TAIL, rows[i].tail);
        run_to_rest(&world);
        expect_failure(&world, rows[i].what, rows[i].code, ENGINE_PART_RING, rows[i].fault, 0, false);
        destroy_engine(&world);
    }
}

/* What cannot be written back: the bus is taken away between the data and the report. */
Test(dma_engine, says_when_it_cannot_report)
{
    struct engine_world world;
    const struct dma_engine_params params = plain_engine();
    make_engine(&world, NULL, &params);
    put_descriptor(
        &world, RING, 0,
        (struct descriptor){.command = ENGINE_FILL, .length = 64, .destination = PLACE, .source = 1});
    start_channel(&world, 0, RING, 8);
    channel_set(&world, 0, ENGINE_CH_TAIL, 1);
    while (*ram_at(&world, PLACE) == 0)
        ev_run(world.events, ev_next(world.events));
    world.is_master = false;
    run_to_rest(&world);
    expect_failure(&world, "report", ENGINE_NOT_MASTER, ENGINE_PART_REPORT, RING + 32, 0, false);
    do_one(&world, (struct descriptor){.status = 0x77});
    expect_failure(&world, "no master", ENGINE_NOT_MASTER, ENGINE_PART_RING, RING, 0, false);
    cr_expect_eq(descriptor_in(&world, RING, 0).status, 0x77, "nothing was written");
    destroy_engine(&world);
}

/* ---- Registers and interrupts ---- */

Test(dma_engine, shows_what_it_is)
{
    struct engine_world world;
    struct dma_engine_params params = plain_engine();
    params.path.address_bits = 24;
    params.path.bus_offset = UINT64_C(0x180000000);
    make_engine(&world, NULL, &params);
    cr_expect_eq(dma_engine_read(world.engine, ENGINE_REG_ID), 0x4c4b0001);
    cr_expect_eq(dma_engine_read(world.engine, ENGINE_REG_CAPS), 3 | 1 << 4 | 24 << 8);
    cr_expect_eq(dma_engine_read(world.engine, ENGINE_REG_BUS_OFFSET_LO), 0x80000000);
    cr_expect_eq(dma_engine_read(world.engine, ENGINE_REG_BUS_OFFSET_HI), 1);
    for (uint64_t offset = 0; offset < ENGINE_REGISTERS_BYTES; offset += 4) {
        if (offset < channel_offset(0, 0) || offset >= channel_offset(3, 0))
            dma_engine_write(world.engine, offset, UINT32_MAX);
        if (offset >= 0x14 && offset < ENGINE_REGISTERS_BYTES)
            cr_expect_eq(dma_engine_read(world.engine, offset), 0, "%" PRIx64, offset);
    }
    cr_expect_eq(dma_engine_read(world.engine, ENGINE_REG_ID), 0x4c4b0001);
    destroy_engine(&world);
    params.path.coherence = DMA_NONE;
    params.path.address_bits = 64;
    params.nr_channels = 8;
    make_engine(&world, NULL, &params);
    cr_expect_eq(dma_engine_read(world.engine, ENGINE_REG_CAPS), 8 | 64 << 8);
    destroy_engine(&world);
}

Test(dma_engine, keeps_its_ring_while_it_works_and_pauses_behind_a_descriptor)
{
    struct engine_world world;
    const struct dma_engine_params params = plain_engine();
    make_engine(&world, small_caches, &params);
    for (uint32_t i = 0; i < 3; i++)
        put_descriptor(
            &world, RING, i,
            (struct descriptor){.command = ENGINE_FILL, .length = 0x1000, .source = 7, .destination = PLACE});
    start_channel(&world, 0, RING, 8);
    channel_set(&world, 0, ENGINE_CH_TAIL, 3);
    cr_expect_eq(channel_get(&world, 0, ENGINE_CH_STATUS), ENGINE_BUSY);
    while (channel_get(&world, 0, ENGINE_CH_PROGRESS) < 0x800)
        ev_run(world.events, ev_next(world.events));
    channel_set(&world, 0, ENGINE_CH_CONTROL, 0);
    channel_set(&world, 0, ENGINE_CH_RING_LO, 0x5000);
    channel_set(&world, 0, ENGINE_CH_RING_HI, 1);
    channel_set(&world, 0, ENGINE_CH_RING_SIZE, 1);
    cr_expect_eq(channel_get(&world, 0, ENGINE_CH_RING_LO), RING);
    cr_expect_eq(channel_get(&world, 0, ENGINE_CH_RING_HI), 0);
    cr_expect_eq(channel_get(&world, 0, ENGINE_CH_RING_SIZE), 8);
    run_to_rest(&world);
    cr_expect_eq(channel_get(&world, 0, ENGINE_CH_HEAD), 1, "the one it was at is finished");
    cr_expect_eq(channel_get(&world, 0, ENGINE_CH_PROGRESS), 0x1000);
    cr_expect_eq(channel_get(&world, 0, ENGINE_CH_STATUS), 0);
    channel_set(&world, 0, ENGINE_CH_CONTROL, ENGINE_RUN);
    run_to_rest(&world);
    cr_expect_eq(channel_get(&world, 0, ENGINE_CH_HEAD), 3);
    cr_expect_eq(descriptor_in(&world, RING, 2).number, 2);
    destroy_engine(&world);
}

Test(dma_engine, is_reset_at_once)
{
    struct engine_world world;
    const struct dma_engine_params params = plain_engine();
    make_engine(&world, small_caches, &params);
    put_descriptor(
        &world, RING, 0,
        (struct descriptor){.command = ENGINE_FILL, .length = 0x1000, .source = 7, .destination = PLACE});
    start_channel(&world, 0, RING, 8);
    channel_set(&world, 0, ENGINE_CH_TAIL, 1);
    while (channel_get(&world, 0, ENGINE_CH_PROGRESS) < 0x800)
        ev_run(world.events, ev_next(world.events));
    ev_set_now(world.events, ev_now(world.events) + 1);
    cycle_t stopped = ev_now(world.events);
    channel_set(&world, 0, ENGINE_CH_CONTROL, ENGINE_RESET | RUN_AND_ASK);
    for (unsigned offset = 0; offset < ENGINE_CHANNEL_STRIDE; offset += 4)
        cr_expect_eq(channel_get(&world, 0, offset), 0, "%x", offset);
    run_to_rest(&world);
    cr_expect_eq(descriptor_in(&world, RING, 0).status, 0, "nothing is written back");
    cr_expect_eq(*ram_at(&world, PLACE + 0xfff - 7), 0, "nor the rest of the data");
    cr_expect_eq(dma_engine_channel_stats(world.engine, 0)->busy_cycles, stopped);
    struct descriptor left = do_one(
        &world, (struct descriptor){.command = ENGINE_FILL, .length = 8, .source = 9, .destination = PLACE});
    cr_expect_eq(left.status, ENGINE_FINISHED, "it works again");
    destroy_engine(&world);
}

Test(dma_engine, asks_for_interrupts_where_it_is_told_to)
{
    struct engine_world world;
    const struct dma_engine_params params = plain_engine();
    make_engine(&world, small_caches, &params);
    for (unsigned channel = 0; channel < 2; channel++) {
        uint64_t ring = RING + channel * 0x1000;
        for (uint32_t i = 0; i < 4; i++)
            put_descriptor(&world, ring, i, (struct descriptor){.command = i == 2 ? ENGINE_INT : 0});
        start_channel(&world, channel, ring, 4);
    }
    channel_set(&world, 0, ENGINE_CH_TAIL, 2);
    run_to_rest(&world);
    cr_expect_not(world.irq.level, "no descriptor asked for it");
    channel_set(&world, 0, ENGINE_CH_TAIL, 4);
    channel_set(&world, 1, ENGINE_CH_TAIL, 3);
    while (!world.irq.level)
        ev_run(world.events, ev_next(world.events));
    cr_expect_eq(channel_get(&world, 0, ENGINE_CH_HEAD), 3, "the interrupt comes with its descriptor");
    cr_expect_eq(descriptor_in(&world, RING, 2).status, ENGINE_FINISHED);
    run_to_rest(&world);
    cr_expect_eq(dma_engine_read(world.engine, ENGINE_REG_INT_STATUS), 3);
    channel_set(&world, 0, ENGINE_CH_STATUS, ENGINE_ERROR);
    cr_expect_eq(dma_engine_read(world.engine, ENGINE_REG_INT_STATUS), 3, "only ones clear");
    channel_set(&world, 0, ENGINE_CH_STATUS, ENGINE_DONE);
    cr_expect_eq(dma_engine_read(world.engine, ENGINE_REG_INT_STATUS), 2);
    cr_expect(world.irq.level, "the other one asks");
    channel_set(&world, 1, ENGINE_CH_CONTROL, ENGINE_RUN);
    cr_expect_not(world.irq.level, "it may not");
    cr_expect_eq(channel_get(&world, 1, ENGINE_CH_STATUS), ENGINE_DONE);
    channel_set(&world, 1, ENGINE_CH_CONTROL, RUN_AND_ASK);
    cr_expect(world.irq.level);
    cr_expect_eq(world.irq.nr_rises, 2);
    cr_expect_eq(dma_engine_channel_stats(world.engine, 1)->interrupts, 2);
    destroy_engine(&world);
}

/* ---- Cycles ---- */

/* From TAIL to the interrupt, with memory that answers after DRAM_CYCLES and is never busy. */
static cycle_t cycles_of(struct descriptor descriptor)
{
    struct engine_world world;
    struct dma_engine_params params = plain_engine();
    params.path.bursts_in_flight = 4;
    make_engine(&world, small_caches, &params);
    const struct entry entries[] = {{PLACE, 128, 0}, {PLACE + 0x1000, 128, ENGINE_END}};
    memcpy(ram_at(&world, LISTS), entries, sizeof entries);
    descriptor.command |= ENGINE_INT;
    struct descriptor left = do_one(&world, descriptor);
    cr_assert_eq(left.status, ENGINE_FINISHED);
    cr_assert_eq(dma_engine_channel_stats(world.engine, 0)->busy_cycles, world.irq.last_rise);
    destroy_engine(&world);
    return world.irq.last_rise;
}

Test(dma_engine, takes_the_cycles_that_the_page_says)
{
    enum { HALF = 32 / 4, BURST = LINE / 4, PIECE = 4 * BURST };
    const cycle_t around = 2 * (DRAM_CYCLES + HALF); /* fetch and report */
    const cycle_t piece = DRAM_CYCLES + PIECE;
    cr_expect_eq(cycles_of((struct descriptor){.command = ENGINE_NOP}), around);
    cr_expect_eq(cycles_of((struct descriptor){.command = ENGINE_CRC32C, .length = 256, .source = PLACE}),
                 around + piece);
    cr_expect_eq(cycles_of((struct descriptor){.command = ENGINE_FILL, .length = 2560, .destination = PLACE}),
                 around + 10 * piece);
    cr_expect_eq(cycles_of((struct descriptor){
                     .command = ENGINE_COPY, .length = 512, .source = PLACE, .destination = OTHER}),
                 around + 2 * (piece + piece));
    /* A source that begins in the middle of a burst: 224 bytes, then 32. */
    cr_expect_eq(
        cycles_of((struct descriptor){.command = ENGINE_CRC32C, .length = 256, .source = PLACE + 32}),
        around + DRAM_CYCLES + 224 / 4 + DRAM_CYCLES + 32 / 4);
    /* Two entries of 16 bytes, and two pieces of 128. */
    cr_expect_eq(cycles_of((struct descriptor){
                     .command = ENGINE_CRC32C | ENGINE_SRC_LIST, .length = 256, .source = LISTS}),
                 around + 2 * (DRAM_CYCLES + 16 / 4) + 2 * (DRAM_CYCLES + 128 / 4));
}

Test(dma_engine, shares_its_path_between_channels)
{
    enum { LENGTH = 0x4000, WIDTH = 4 };
    struct engine_world world;
    struct dma_engine_params params = plain_engine();
    params.path.bursts_in_flight = DMA_MAX_IN_FLIGHT;
    cycle_t alone = 0;
    for (unsigned nr_channels = 1; nr_channels <= 2; nr_channels++) {
        make_engine(&world, small_caches, &params);
        for (unsigned channel = 0; channel < nr_channels; channel++) {
            uint64_t ring = RING + channel * 0x1000;
            put_descriptor(&world, ring, 0,
                           (struct descriptor){.command = ENGINE_CRC32C, .length = LENGTH, .source = PLACE});
            start_channel(&world, channel, ring, 1);
            channel_set(&world, channel, ENGINE_CH_TAIL, 1);
        }
        cycle_t end = run_to_rest(&world);
        cr_expect_geq(end, nr_channels * LENGTH / WIDTH, "no more bytes than its path has room for");
        if (nr_channels == 1)
            alone = end;
        else
            cr_expect_lt(end, nr_channels * alone, "one uses what the other leaves");
        destroy_engine(&world);
    }
}
