/*
 * The IOMMU: random tables against a plain walk written from the specification (Intel VT-d rev. 3.3, chapters
 * 3, 7 and 9), stale entries, faults and their records, events, and cycles in closed form.
 * test_iommu_queue.c has the invalidation queue.
 */
#include "tests/unit/iommu_fixture.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *const small_caches[] = {"cache.l1i.size=1KiB",
                                           "cache.l1i.ways=2",
                                           "cache.l1d.size=1KiB",
                                           "cache.l1d.ways=2",
                                           "cache.l2.size=4KiB",
                                           "cache.l2.ways=4",
                                           NULL};

enum { RW = VTD_ENTRY_READ | VTD_ENTRY_WRITE, PAGE_A = 0x90000, PAGE_B = 0x91000 };

Test(iommu, says_what_it_can_do)
{
    struct iommu_world world;
    make_iommu(&world, NULL, 64, 4);
    cr_expect_eq(iommu_read(world.iommu, VTD_VER), 0x10);
    /* ND 6, SAGAW 39 and 48 bits, MGAW 48, ZLR, FRO 200h; 2 MiB and 1 GiB, PSI, NFR 8, MAMV 18, drains. */
    cr_expect_eq(get64(&world, VTD_CAP), UINT64_C(0x00d2078c206f0606), "%" PRIx64, get64(&world, VTD_CAP));
    /* C, QI, PT, IRO 100h. */
    cr_expect_eq(get64(&world, VTD_ECAP), 0x1043, "%" PRIx64, get64(&world, VTD_ECAP));
    cr_expect_eq(iommu_read(world.iommu, VTD_GSTS), 0);
    cr_expect_eq(iommu_read(world.iommu, VTD_FECTL), VTD_EVENT_MASKED);
    cr_expect_eq(iommu_read(world.iommu, VTD_IECTL), VTD_EVENT_MASKED);
    for (uint64_t offset = 0; offset < IOMMU_REGISTERS_BYTES; offset += 4)
        iommu_write(world.iommu, offset, UINT32_MAX);
    cr_expect_eq(iommu_read(world.iommu, VTD_GSTS), VTD_TRANSLATION | VTD_ROOT_TABLE | VTD_QUEUE);
    cr_expect_eq(iommu_read(world.iommu, 0xffc), 0);
    destroy_iommu(&world);
}

/* ---- Tables at random ---- */

struct answer {
    unsigned reason; /* 0: translated */
    uint64_t at;
    uint16_t domain;
    unsigned page_shift;
    bool is_quiet; /* no fault of it is recorded */
};

static bool is_backed(uint64_t at)
{
    return at < DMA_RAM_BYTES && at >> PAGE_SHIFT != HOLE_PAGE;
}

static uint64_t bits(uint64_t value, unsigned high, unsigned low)
{
    return value >> low & (UINT64_MAX >> (63 - (high - low)));
}

/* 3.7: the entry of this level, and what it leads to. */
static struct answer plain_entry(const struct iommu_world *world, unsigned level, uint64_t table, uint64_t at,
                                 bool is_write)
{
    unsigned shift = 12 + 9 * (level - 1);
    uint64_t place = table + 8 * bits(at, shift + 8, shift);
    if (!is_backed(place))
        return (struct answer){.reason = 7};
    uint64_t entry = word_at(world, place);
    if (is_write && bits(entry, 1, 1) == 0)
        return (struct answer){.reason = 5};
    if (!is_write && bits(entry, 0, 0) == 0)
        return (struct answer){.reason = 6};
    bool is_page = level == 1 || (level < 4 && bits(entry, 7, 7));
    if (bits(entry, 51, HOST_BITS) || (level == 4 && bits(entry, 7, 7)))
        return (struct answer){.reason = 0xc};
    if (is_page && (bits(entry, 11, 11) || bits(entry, 62, 62) || (level > 1 && bits(entry, shift - 1, 12))))
        return (struct answer){.reason = 0xc};
    if (is_page)
        return (struct answer){.at = bits(entry, HOST_BITS - 1, shift) << shift | bits(at, shift - 1, 0),
                               .page_shift = shift};
    return plain_entry(world, level - 1, bits(entry, 51, 12) << 12, at, is_write);
}

/* 9.3: the context entry, and the tables. */
static struct answer plain_context(const struct iommu_world *world, uint64_t low, uint64_t high, uint64_t at,
                                   bool is_write)
{
    if (bits(low, 0, 0) == 0)
        return (struct answer){.reason = 2};
    if (bits(low, 11, 4) || bits(low, 63, HOST_BITS) || bits(high, 63, 24) || bits(high, 7, 7))
        return (struct answer){.reason = 0xb};
    if (bits(low, 3, 2) == 1 || bits(low, 3, 2) == 3 || bits(high, 2, 0) < 1 || bits(high, 2, 0) > 2)
        return (struct answer){.reason = 3};
    if (bits(low, 3, 2) == 2)
        return (struct answer){.at = at};
    if (at >> (bits(high, 2, 0) == 1 ? 39 : 48))
        return (struct answer){.reason = 4};
    return plain_entry(world, (unsigned)bits(high, 2, 0) + 2, bits(low, 63, 12) << 12, at, is_write);
}

/* 3.4: root entry, context entry, tables. */
static struct answer plain_walk(const struct iommu_world *world, uint16_t source_id, uint64_t at,
                                bool is_write)
{
    uint64_t root = ROOT + 16u * (source_id >> 8), root_low = word_at(world, root);
    if (bits(root_low, 0, 0) == 0)
        return (struct answer){.reason = 1};
    if (bits(root_low, 11, 1) || bits(root_low, 63, HOST_BITS) || word_at(world, root + 8))
        return (struct answer){.reason = 0xa};
    uint64_t place = (bits(root_low, 63, 12) << 12) + 16 * bits(source_id, 7, 0);
    if (!is_backed(place))
        return (struct answer){.reason = 9};
    uint64_t low = word_at(world, place), high = word_at(world, place + 8);
    struct answer answer = plain_context(world, low, high, at, is_write);
    answer.domain = (uint16_t)bits(high, 23, 8);
    answer.is_quiet = bits(low, 1, 1);
    return answer;
}

enum { NR_TABLES = 8, ENTRIES_USED = 3 };

static uint64_t damaged(uint64_t *random, uint64_t word, unsigned one_in)
{
    return next_random(random) % one_in ? word : word ^ UINT64_C(1) << next_random(random) % 64;
}

/*
 * Tables that lead to each other at random, whatever their level, with a bit wrong here and there. Only the
 * first entries of each are used, so that they are met again. Entries of two levels seldom make a large page.
 */
static void make_tables(struct iommu_world *world, uint64_t *random)
{
    memset(world->memory.ram.host + ROOT, 0, TABLES + NR_TABLES * PAGE_BYTES - ROOT);
    for (unsigned bus = 0; bus < 4; bus++) {
        uint64_t table = bus == 3 ? DMA_RAM_BYTES : CONTEXTS;
        put64(world, ROOT + bus * 16, damaged(random, table | VTD_PRESENT, 6));
        put64(world, ROOT + bus * 16 + 8, next_random(random) % 20 == 0);
    }
    for (unsigned device = 0; device < 256; device += 37) {
        uint64_t type = next_random(random) % 8 == 0 ? next_random(random) & 3 : 0;
        uint64_t table = TABLES + next_random(random) % NR_TABLES * PAGE_BYTES;
        uint64_t width =
            next_random(random) % 8 == 0 ? next_random(random) & 7 : 1 + (next_random(random) & 1);
        put_context(world, (uint8_t)device, damaged(random, table | type << 2 | VTD_PRESENT, 8),
                    damaged(random, (device & 3) << VTD_CONTEXT_DOMAIN_SHIFT | width, 8));
    }
    for (uint64_t table = TABLES; table < TABLES + NR_TABLES * PAGE_BYTES; table += PAGE_BYTES) {
        for (unsigned i = 0; i < ENTRIES_USED; i++) {
            uint64_t entry = TABLES + next_random(random) % (NR_TABLES + 4) * PAGE_BYTES;
            entry |= next_random(random) % 6 ? RW : next_random(random) & RW;
            if (next_random(random) % 4 == 0)
                entry = (next_random(random) & 1) << 30 | VTD_ENTRY_LARGE | RW;
            if (next_random(random) % 20 == 0)
                entry = DMA_RAM_BYTES | RW;
            put64(world, table + i * 8, damaged(random, entry, 10));
        }
    }
}

static uint64_t address_at_random(uint64_t *random)
{
    uint64_t at = next_random(random) & PAGE_MASK;
    for (unsigned shift = 12; shift < 48; shift += 9)
        at |= next_random(random) % ENTRIES_USED << shift;
    unsigned kind = next_random(random) % 16;
    return kind == 0 ? at | UINT64_C(1) << 48 : kind < 6 ? at : at & 0x7fffffffff;
}

/* The record of the only fault there is, which is cleared then. */
static void expect_record(const struct iommu_world *world, unsigned *next, unsigned reason,
                          uint16_t source_id, uint64_t at, bool is_write)
{
    uint64_t record = VTD_RECORDS_AT + *next * 16;
    uint64_t rest =
        (uint64_t)(VTD_RECORD_VALID | (is_write ? 0 : VTD_RECORD_READ) | reason) << 32 | source_id;
    cr_assert_eq(get64(world, record), at & ~UINT64_C(0xfff));
    cr_assert_eq(get64(world, record + 8), rest, "%" PRIx64 ", not %" PRIx64, get64(world, record + 8), rest);
    cr_assert_eq(iommu_read(world->iommu, VTD_FSTS), VTD_FSTS_PENDING | *next << VTD_FSTS_INDEX_SHIFT);
    iommu_write(world->iommu, record + 12, VTD_RECORD_VALID);
    *next = (*next + 1) % VTD_NR_FAULT_RECORDS;
}

/* An IOTLB as a list, the last used first. */
struct plain_iotlb {
    struct answer pages[4];
    unsigned nr;
};

static bool plain_iotlb_hit(struct plain_iotlb *iotlb, const struct answer *answer, unsigned capacity)
{
    unsigned i = 0;
    while (i < iotlb->nr && (iotlb->pages[i].page_shift != answer->page_shift ||
                             iotlb->pages[i].domain != answer->domain || iotlb->pages[i].at != answer->at))
        i++;
    bool is_hit = i < iotlb->nr;
    if (!is_hit && iotlb->nr < capacity)
        iotlb->nr++;
    if (i == capacity)
        i--;
    memmove(iotlb->pages + 1, iotlb->pages, i * sizeof *iotlb->pages);
    iotlb->pages[0] = *answer;
    return is_hit;
}

static void request_at_random(struct iommu_world *world, uint64_t *random, unsigned *next, unsigned *seen)
{
    uint16_t source_id = (uint16_t)((next_random(random) & 3) << 8 | next_random(random) % 7 * 37);
    uint64_t at = address_at_random(random);
    bool is_write = next_random(random) & 1;
    struct answer want = plain_walk(world, source_id, at, is_write);
    struct dma_master *master = make_device(world, source_id);
    uint8_t byte = (uint8_t)next_random(random), got = 0;
    enum dma_status status = is_write ? write_byte(master, at, byte) : read_byte(master, at, &got);
    dma_master_destroy(master);
    seen[want.reason]++;
    if (want.reason) {
        cr_assert_eq(status, DMA_IOMMU_FAULT, "%x", want.reason);
        if (!want.is_quiet)
            expect_record(world, next, want.reason, source_id, at, is_write);
        return;
    }
    cr_assert_eq(status, is_backed(want.at) ? DMA_OK : DMA_NO_MEMORY);
    if (status == DMA_OK)
        cr_assert_eq(world->memory.ram.host[want.at], is_write ? byte : got);
}

Test(iommu, walks_as_the_specification_says)
{
    enum { WORLDS = 150, REQUESTS = 200 };
    struct iommu_world world;
    uint64_t random = 11;
    unsigned seen[16] = {0}, next = 0;
    make_iommu(&world, small_caches, 16, 2);
    for (unsigned i = 0; i < WORLDS; i++) {
        make_tables(&world, &random);
        set64(&world, VTD_RTADDR, ROOT);
        iommu_write(world.iommu, VTD_GCMD, VTD_ROOT_TABLE | VTD_TRANSLATION);
        for (unsigned j = 0; j < REQUESTS; j++) {
            /* A write may change the tables themselves: nothing is kept. */
            iommu_write(world.iommu, VTD_CCMD + 4, VTD_GO | VTD_GLOBAL << VTD_CCMD_GRANULARITY_SHIFT);
            iommu_write(world.iommu, VTD_IOTLB + 4, VTD_GO | VTD_GLOBAL << VTD_IOTLB_GRANULARITY_SHIFT);
            request_at_random(&world, &random, &next, seen);
        }
    }
    for (unsigned reason = 0; reason <= 0xc; reason++)
        cr_expect(seen[reason] > 0 || reason == 8, "reason %x", reason);
    destroy_iommu(&world);
}

Test(iommu, keeps_what_was_used_last)
{
    enum { CAPACITY = 4, PAGES = 6, REQUESTS = 5000 };
    struct iommu_world world;
    struct plain_iotlb plain = {.nr = 0};
    uint64_t random = 3, hits = 0;
    make_iommu(&world, NULL, CAPACITY, CAPACITY);
    uint64_t table = new_table(&world);
    for (uint64_t i = 0; i < PAGES; i++)
        put_page(&world, table, 3, i << 12, 1, (PAGE_A + i * PAGE_BYTES) | RW);
    put_page(&world, table, 3, 1 << 21, 2, VTD_ENTRY_LARGE | RW);
    put_page(&world, table, 3, 1 << 30, 3, VTD_ENTRY_LARGE | RW);
    put_context(&world, DEVICE, table | VTD_PRESENT, 1 << VTD_CONTEXT_DOMAIN_SHIFT | VTD_WIDTH_3_LEVELS);
    put_context(&world, OTHER_DEVICE, table | VTD_PRESENT,
                2 << VTD_CONTEXT_DOMAIN_SHIFT | VTD_WIDTH_3_LEVELS);
    turn_on(&world);
    for (unsigned i = 0; i < REQUESTS; i++) {
        static const uint64_t large[] = {1 << 21, 1 << 30};
        uint64_t page = next_random(&random) % (PAGES + 2);
        uint64_t at = page < PAGES ? page << 12 : large[page - PAGES] | (next_random(&random) & 0xff000);
        uint16_t device = next_random(&random) % 4 ? DEVICE : OTHER_DEVICE;
        struct answer answer = plain_walk(&world, device, at, false);
        uint8_t byte;
        answer.at = page; /* its name */
        hits += plain_iotlb_hit(&plain, &answer, CAPACITY);
        read_byte(device == DEVICE ? world.device : world.other, at, &byte);
        cr_assert_eq(iommu_stats(world.iommu)->iotlb_hits, hits, "request %u", i);
    }
    cr_expect_eq(iommu_stats(world.iommu)->iotlb_misses, REQUESTS - hits);
    cr_expect_eq(iommu_stats(world.iommu)->requests, REQUESTS);
    cr_expect_eq(iommu_stats(world.iommu)->context_misses, 2);
    cr_expect_gt(hits, 1000);
    destroy_iommu(&world);
}

/* ---- Stale entries, and what drops them ---- */

/* Two pages of two devices, in two domains, are at PAGE_A; their entries say PAGE_B then. */
static void make_stale(struct iommu_world *world)
{
    uint8_t byte;
    make_iommu(world, NULL, 64, 4);
    uint64_t table = new_table(world);
    for (unsigned i = 0; i < 2; i++)
        put_page(world, table, 3, i << 12, 1, PAGE_A | RW);
    put_context(world, DEVICE, table | VTD_PRESENT, 1 << VTD_CONTEXT_DOMAIN_SHIFT | VTD_WIDTH_3_LEVELS);
    put_context(world, OTHER_DEVICE, table | VTD_PRESENT, 2 << VTD_CONTEXT_DOMAIN_SHIFT | VTD_WIDTH_3_LEVELS);
    turn_on(world);
    world->memory.ram.host[PAGE_A] = 'A';
    world->memory.ram.host[PAGE_B] = 'B';
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(read_byte(world->device, i << 12, &byte), DMA_OK);
        cr_assert_eq(read_byte(world->other, i << 12, &byte), DMA_OK);
        put_page(world, table, 3, i << 12, 1, PAGE_B | RW);
    }
}

/* Which of them are still at PAGE_A: device 0, 1, other 0, 1 from the left. */
static const char *what_is_seen(const struct iommu_world *world, char seen[5])
{
    for (unsigned i = 0; i < 4; i++) {
        uint8_t byte = '?';
        (void)!read_byte(i < 2 ? world->device : world->other, (i & 1) << 12, &byte);
        seen[i] = (char)byte;
    }
    seen[4] = 0;
    return seen;
}

Test(iommu, uses_stale_entries_until_they_are_dropped)
{
    static const struct {
        unsigned granularity, domain;
        uint64_t address;
        unsigned done;
        const char *seen;
    } rows[] = {
        {VTD_NO_GRANULARITY, 0, 0, 0, "AAAA"},
        {VTD_GLOBAL, 0, 0, VTD_GLOBAL, "BBBB"},
        {VTD_DOMAIN, 1, 0, VTD_DOMAIN, "BBAA"},
        {VTD_DOMAIN, 2, 0, VTD_DOMAIN, "AABB"},
        {VTD_DOMAIN, 3, 0, VTD_DOMAIN, "AAAA"},
        {VTD_SELECTIVE, 1, 0x1000, VTD_SELECTIVE, "ABAA"},
        {VTD_SELECTIVE, 2, 0x0000, VTD_SELECTIVE, "AABA"},
        {VTD_SELECTIVE, 1, 0x0001, VTD_SELECTIVE, "BBAA"},
        {VTD_SELECTIVE, 1, 0x2001, VTD_SELECTIVE, "AAAA"},
        {VTD_SELECTIVE, 1, 18, VTD_SELECTIVE, "BBAA"},
        {VTD_SELECTIVE, 1, 19, 0, "AAAA"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct iommu_world world;
        char seen[5];
        make_stale(&world);
        cr_expect_str_eq(what_is_seen(&world, seen), "AAAA");
        set64(&world, VTD_IVA, rows[i].address);
        uint32_t command = VTD_GO | rows[i].granularity << VTD_IOTLB_GRANULARITY_SHIFT | rows[i].domain;
        iommu_write(world.iommu, VTD_IOTLB + 4, command);
        cr_expect_eq(iommu_read(world.iommu, VTD_IOTLB + 4),
                     (command & ~VTD_GO) | rows[i].done << VTD_IOTLB_DONE_SHIFT, "%zu", i);
        cr_expect_str_eq(what_is_seen(&world, seen), rows[i].seen, "%zu: %s", i, seen);
        destroy_iommu(&world);
    }
}

Test(iommu, uses_stale_contexts_until_they_are_dropped)
{
    static const struct {
        unsigned granularity;
        uint32_t low; /* source and domain */
        unsigned function_mask;
        const char *seen;
    } rows[] = {
        {VTD_NO_GRANULARITY, 0, 0, "AAAA"},
        {VTD_GLOBAL, 0, 0, "BBBB"},
        {VTD_DOMAIN, 1, 0, "BBAA"},
        {VTD_SELECTIVE, DEVICE << 16 | 1, 0, "BBAA"},
        {VTD_SELECTIVE, (DEVICE + 1) << 16, 0, "AAAA"},
        {VTD_SELECTIVE, DEVICE << 16, 3, "BBBB"}, /* all functions of the device: the other is one */
        {VTD_SELECTIVE, (DEVICE | 4) << 16, 1, "BBAA"},
        {VTD_SELECTIVE, (DEVICE | 6) << 16, 1, "AAAA"},
        {VTD_SELECTIVE, (DEVICE | 6) << 16, 2, "BBAA"},
        {VTD_SELECTIVE, (DEVICE | 1) << 16, 2, "AABB"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct iommu_world world;
        char seen[5];
        make_stale(&world);
        /* They are in other domains now, where the tables' new entries are found. */
        for (unsigned device = 0; device < 256; device++)
            put64(&world, CONTEXTS + device * 16 + 8, 9 << VTD_CONTEXT_DOMAIN_SHIFT | VTD_WIDTH_3_LEVELS);
        cr_expect_str_eq(what_is_seen(&world, seen), "AAAA");
        iommu_write(world.iommu, VTD_CCMD, rows[i].low);
        uint32_t command = VTD_GO | rows[i].granularity << VTD_CCMD_GRANULARITY_SHIFT | rows[i].function_mask;
        iommu_write(world.iommu, VTD_CCMD + 4, command);
        cr_expect_eq(iommu_read(world.iommu, VTD_CCMD + 4),
                     (command & ~VTD_GO) | rows[i].granularity << VTD_CCMD_DONE_SHIFT, "%zu", i);
        cr_expect_str_eq(what_is_seen(&world, seen), rows[i].seen, "%zu: %s", i, seen);
        destroy_iommu(&world);
    }
}

/* ---- Faults ---- */

Test(iommu, records_faults_until_there_is_no_room)
{
    struct iommu_world world;
    uint8_t byte;
    make_iommu(&world, NULL, 64, 4);
    turn_on(&world);
    iommu_write(world.iommu, VTD_FEDATA, 0x4031);
    iommu_write(world.iommu, VTD_FEADDR, 0xfee01000);
    for (uint64_t i = 0; i < VTD_NR_FAULT_RECORDS + 2; i++)
        cr_expect_eq(read_byte(world.device, i << 12, &byte), DMA_IOMMU_FAULT);
    cr_expect_eq(world.nr_messages, 0, "masked");
    cr_expect_eq(iommu_read(world.iommu, VTD_FECTL), VTD_EVENT_MASKED | VTD_EVENT_WAITS);
    cr_expect_eq(iommu_read(world.iommu, VTD_FSTS), VTD_FSTS_PENDING | VTD_FSTS_OVERFLOW);
    cr_expect_eq(iommu_stats(world.iommu)->faults_lost, 2);
    cr_expect_eq(get64(&world, VTD_RECORDS_AT + 7 * 16), 7 << 12);
    iommu_write(world.iommu, VTD_FECTL, 0);
    cr_expect_eq(world.nr_messages, 1, "what waited comes when it is let");
    cr_expect_eq(world.message_address, 0xfee01000);
    cr_expect_eq(world.message_data, 0x4031);
    cr_expect_eq(iommu_read(world.iommu, VTD_FECTL), 0);
    for (unsigned i = 0; i < VTD_NR_FAULT_RECORDS; i++)
        iommu_write(world.iommu, VTD_RECORDS_AT + i * 16 + 12, VTD_RECORD_VALID);
    cr_expect_eq(read_byte(world.device, 0, &byte), DMA_IOMMU_FAULT);
    cr_expect_eq(iommu_read(world.iommu, VTD_FSTS), VTD_FSTS_OVERFLOW, "nothing is recorded while it is set");
    cr_expect_eq(world.nr_messages, 1);
    iommu_write(world.iommu, VTD_FSTS, VTD_FSTS_OVERFLOW);
    cr_expect_eq(write_byte(world.other, 0x5000, 1), DMA_IOMMU_FAULT);
    cr_expect_eq(world.nr_messages, 2);
    cr_expect_eq(iommu_read(world.iommu, VTD_FSTS), VTD_FSTS_PENDING, "the first one again");
    cr_expect_eq(get64(&world, VTD_RECORDS_AT + 8),
                 (uint64_t)(VTD_RECORD_VALID | VTD_FAULT_CONTEXT_ABSENT) << 32 | OTHER_DEVICE);
    cr_expect_eq(read_byte(world.device, 0, &byte), DMA_IOMMU_FAULT);
    cr_expect_eq(world.nr_messages, 2, "one event until software has seen to it");
    destroy_iommu(&world);
}

Test(iommu, forgets_an_event_whose_reason_has_gone)
{
    struct iommu_world world;
    uint8_t byte;
    make_iommu(&world, NULL, 64, 4);
    turn_on(&world);
    cr_expect_eq(read_byte(world.device, 0, &byte), DMA_IOMMU_FAULT);
    cr_expect_eq(iommu_read(world.iommu, VTD_FECTL), VTD_EVENT_MASKED | VTD_EVENT_WAITS);
    iommu_write(world.iommu, VTD_RECORDS_AT + 12, VTD_RECORD_VALID);
    cr_expect_eq(iommu_read(world.iommu, VTD_FECTL), VTD_EVENT_MASKED);
    iommu_write(world.iommu, VTD_FECTL, 0);
    cr_expect_eq(world.nr_messages, 0);
    destroy_iommu(&world);
}

Test(iommu, refuses_a_root_table_outside_ram)
{
    struct iommu_world world;
    uint8_t byte;
    unsigned next = 0;
    make_iommu(&world, NULL, 64, 4);
    set64(&world, VTD_RTADDR, DMA_RAM_BYTES);
    iommu_write(world.iommu, VTD_GCMD, VTD_ROOT_TABLE | VTD_TRANSLATION);
    cr_expect_eq(read_byte(world.device, 0x1234, &byte), DMA_IOMMU_FAULT);
    expect_record(&world, &next, VTD_FAULT_ROOT_ACCESS, DEVICE, 0x1234, false);
    cr_expect_eq(dma_master_refused(world.device).v, 0x1234);
    destroy_iommu(&world);
}

/* ---- What passes ---- */

Test(iommu, leaves_alone_what_it_does_not_translate)
{
    struct iommu_world world;
    uint8_t byte;
    make_iommu(&world, NULL, 64, 4);
    struct dma_master_params params = plain_master();
    params.source_id = DEVICE;
    params.bus_offset = 0x80000000;
    struct dma_master *offset = dma_master_create(&params, world.memory.memory);
    world.memory.ram.host[PAGE_A] = 'A';
    cr_expect_eq(read_byte(offset, 0x80000000 + PAGE_A, &byte), DMA_OK);
    cr_expect_eq(byte, 'A', "off: by its bus offset");
    turn_on(&world);
    put_context(&world, DEVICE, VTD_TYPE_PASSES << VTD_CONTEXT_TYPE_SHIFT | VTD_PRESENT, VTD_WIDTH_4_LEVELS);
    byte = 0;
    cr_expect_eq(read_byte(offset, PAGE_A, &byte), DMA_OK);
    cr_expect_eq(byte, 'A', "passed through: the physical address");
    cr_expect_eq(iommu_stats(world.iommu)->iotlb_misses, 0);
    cr_expect_eq(write_byte(world.other, 0xfee00000, 1), DMA_NO_MEMORY, "interrupts are no DMA");
    cr_expect_eq(iommu_stats(world.iommu)->faults, 0);
    iommu_write(world.iommu, VTD_GCMD, 0);
    cr_expect_eq(iommu_read(world.iommu, VTD_GSTS), VTD_ROOT_TABLE);
    byte = 0;
    cr_expect_eq(read_byte(world.other, PAGE_A, &byte), DMA_OK);
    cr_expect_eq(byte, 'A');
    dma_master_destroy(offset);
    destroy_iommu(&world);
}

/* ---- Cycles ---- */

Test(iommu, waits_for_the_tables_it_reads)
{
    struct iommu_world world;
    uint8_t bytes[2 * LINE];
    cycle_t done;
    make_iommu(&world, small_caches, 64, 4);
    uint64_t table = new_table(&world);
    put_page(&world, table, 4, UINT64_C(0x123456789000), 1, PAGE_A | RW);
    put_context(&world, DEVICE, table | VTD_PRESENT, VTD_WIDTH_4_LEVELS);
    turn_on(&world);
    const struct baddr at = baddr(UINT64_C(0x123456789000));
    cr_expect_eq(dma_read(world.device, at, bytes, LINE, 1000, &done), DMA_OK);
    cr_expect_eq(done, 1000 + (2 + 4) * DRAM_CYCLES + DRAM_CYCLES, "root, context, four levels, the data");
    cr_expect_eq(dma_read(world.device, at, bytes, LINE, 5000, &done), DMA_OK);
    cr_expect_eq(done, 5000 + DRAM_CYCLES, "all is known");
    iommu_write(world.iommu, VTD_IOTLB + 4, VTD_GO | VTD_GLOBAL << VTD_IOTLB_GRANULARITY_SHIFT);
    cr_expect_eq(dma_read(world.device, at, bytes, 2 * LINE, 9000, &done), DMA_OK);
    cr_expect_eq(done, 9000 + (4 + 2) * DRAM_CYCLES, "the second burst finds it in the IOTLB");
    cr_expect_eq(dma_read(world.device, baddr(0), bytes, LINE, 20000, &done), DMA_IOMMU_FAULT);
    cr_expect_eq(done, 20000 + DRAM_CYCLES, "refused when the highest level has been read");
    const struct iommu_stats *stats = iommu_stats(world.iommu);
    cr_expect_eq(stats->table_reads, 2);
    cr_expect_eq(stats->walk_reads, 9);
    cr_expect_eq(stats->walk_cycles, (2 + 9) * DRAM_CYCLES);
    cr_expect_eq(stats->iotlb_hits, 2);
    destroy_iommu(&world);
}
