#include "cache/content.h"

#include "cache/cache_internal.h"
#include "sim/base/snap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEVICES = 16, DEVICE_NAME_BYTES = 32 };
enum { NO_RECORD = -1, MASK_WORDS = CACHE_CONTENT_LINE_BYTES / 64, MAX_LEFT = 64, MAX_VALUE_BYTES = 8 };

struct record {
    int32_t next; /* of its bucket, or of the free ones */
    uint64_t number;
    uint64_t store_ip;
    const char *device;                      /* which wrote to it last */
    uint64_t by_device[MASK_WORDS];          /* bytes that a device wrote, and the CPU not since */
    uint8_t bytes[CACHE_CONTENT_LINE_BYTES]; /* what the DRAM holds */
};

struct cache_content {
    struct cache_content_params params;
    struct cache *levels[3]; /* L1D, L2, L3 */
    unsigned nr_levels, line_shift;
    struct cache_content_stats stats;
    struct paddr access_at; /* the access under way */
    unsigned access_bytes;
    /* A write that went down to memory, whose bytes are in guest RAM when the next access begins. */
    struct paddr through_at;
    unsigned through_bytes;
    /* Lines that have left a cache; more than there is room for: any. */
    uint64_t left[MAX_LEFT];
    unsigned nr_left;
    int32_t *buckets;
    uint64_t bucket_mask;
    struct record *records;
    int32_t first_free;
    struct cache_stale stale[CACHE_STALE_KEPT];
    size_t nr_stale;
    char devices[MAX_DEVICES][DEVICE_NAME_BYTES]; /* names that came out of a checkpoint; "": none */
};

/* ---- Records ---- */

static int32_t *bucket_of(const struct cache_content *content, uint64_t number)
{
    return &content->buckets[(number ^ number >> 16) & content->bucket_mask];
}

static struct record *find(const struct cache_content *content, uint64_t number)
{
    int32_t index = *bucket_of(content, number);
    while (index != NO_RECORD && content->records[index].number != number)
        index = content->records[index].next;
    return index == NO_RECORD ? NULL : &content->records[index];
}

static uint8_t *host_of(const struct cache_content *content, uint64_t number)
{
    return content->params.ram->host + (number << content->line_shift);
}

static bool is_ram_line(const struct cache_content *content, uint64_t number)
{
    return ram_has(content->params.ram, paddr(number << content->line_shift), content->params.line_bytes);
}

/* A record of what both the CPU sees and the DRAM holds. */
static struct record *make(struct cache_content *content, uint64_t number)
{
    int32_t index = content->first_free, *bucket = bucket_of(content, number);
    assert(index != NO_RECORD); /* there is one for each line that can be cached, and more */
    struct record *record = &content->records[index];
    content->first_free = record->next;
    *record = (struct record){.next = *bucket, .number = number};
    *bucket = index;
    memcpy(record->bytes, host_of(content, number), content->params.line_bytes);
    return record;
}

static void drop(struct cache_content *content, struct record *record)
{
    int32_t index = (int32_t)(record - content->records), *link = bucket_of(content, record->number);
    while (*link != index)
        link = &content->records[*link].next;
    *link = record->next;
    record->next = content->first_free;
    content->first_free = index;
}

static bool is_by_device(const struct record *record, uint64_t i)
{
    return record->by_device[i / 64] >> i % 64 & 1;
}

static bool has_device_bytes(const struct record *record)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < MASK_WORDS; i++)
        any |= record->by_device[i];
    return any;
}

static void mark(struct record *record, uint64_t from, uint64_t nr_bytes, bool is_by_device)
{
    for (uint64_t i = from; i < from + nr_bytes; i++) {
        uint64_t bit = 1ull << i % 64;
        record->by_device[i / 64] =
            is_by_device ? record->by_device[i / 64] | bit : record->by_device[i / 64] & ~bit;
    }
}

static bool is_in(const struct cache_content *content, uint64_t number, bool wants_dirty)
{
    struct paddr at = paddr(number << content->line_shift);
    for (unsigned i = 0; i < content->nr_levels; i++) {
        enum cache_state state = cache_state(content->levels[i], at);
        if (wants_dirty ? state == CACHE_STATE_M : state != CACHE_STATE_I)
            return true;
    }
    return false;
}

/* ---- What differs ---- */

/*
 * Bytes [from, to) of the line in which memory and CPU differ, and which the device wrote last, or not. The
 * first ones are kept for who looks.
 */
static uint64_t note_stale(struct cache_content *content, const struct record *record,
                           enum cache_stale_kind kind, uint64_t from, uint64_t to, struct cache_stale stale)
{
    const uint8_t *seen = host_of(content, record->number);
    bool wants_device = kind != CACHE_STALE_DEVICE_READ;
    uint64_t nr_bytes = 0, first = 0;
    for (uint64_t i = from; i < to; i++) {
        if (seen[i] == record->bytes[i] || is_by_device(record, i) != wants_device)
            continue;
        first = nr_bytes ? first : i;
        nr_bytes++;
    }
    if (nr_bytes == 0 || content->nr_stale == CACHE_STALE_KEPT)
        return nr_bytes;
    stale.kind = kind;
    stale.at = paddr((record->number << content->line_shift) + first);
    stale.nr_bytes = nr_bytes;
    stale.size_bytes = to - first < MAX_VALUE_BYTES ? (unsigned)(to - first) : MAX_VALUE_BYTES;
    memcpy(&stale.memory_value, record->bytes + first, stale.size_bytes);
    memcpy(&stale.cpu_value, seen + first, stale.size_bytes);
    content->stale[content->nr_stale++] = stale;
    return nr_bytes;
}

/* ---- What caches do ---- */

static void complete_write(struct cache_content *content)
{
    if (!content->through_bytes)
        return;
    uint64_t number = content->through_at.v >> content->line_shift;
    uint64_t offset = content->through_at.v & (content->params.line_bytes - 1);
    struct record *record = find(content, number);
    if (record)
        memcpy(record->bytes + offset, host_of(content, number) + offset, content->through_bytes);
    content->through_bytes = 0;
}

/* No cache has the line any more: what memory holds is what the CPU sees. */
static void reveal(struct cache_content *content, struct record *record)
{
    uint8_t *seen = host_of(content, record->number);
    if (memcmp(seen, record->bytes, content->params.line_bytes) != 0) {
        memcpy(seen, record->bytes, content->params.line_bytes);
        content->params.changed(content->params.opaque, paddr(record->number << content->line_shift),
                                content->params.line_bytes);
    }
    drop(content, record);
}

static void look_at_left(struct cache_content *content, uint64_t number)
{
    struct record *record = find(content, number);
    if (record && !is_in(content, number, false))
        reveal(content, record);
}

static void settle(struct cache_content *content)
{
    if (content->nr_left > MAX_LEFT) {
        for (uint64_t bucket = 0; bucket <= content->bucket_mask; bucket++) {
            for (int32_t index = content->buckets[bucket], next; index != NO_RECORD; index = next) {
                next = content->records[index].next;
                look_at_left(content, content->records[index].number);
            }
        }
    }
    for (unsigned i = 0; i < content->nr_left && content->nr_left <= MAX_LEFT; i++)
        look_at_left(content, content->left[i]);
    content->nr_left = 0;
}

void cache_content_left(struct cache_content *content, uint64_t number)
{
    if (content->nr_left < MAX_LEFT)
        content->left[content->nr_left] = number;
    content->nr_left += content->nr_left <= MAX_LEFT;
}

void cache_content_line_written(struct cache_content *content, uint64_t number, cycle_t now)
{
    struct record *record = find(content, number);
    if (!record)
        return;
    content->stats.updates_lost +=
        note_stale(content, record, CACHE_STALE_UPDATE_LOST, 0, content->params.line_bytes,
                   (struct cache_stale){.device = record->device, .ip = record->store_ip, .cycle = now});
    memcpy(record->bytes, host_of(content, number), content->params.line_bytes);
    memset(record->by_device, 0, sizeof record->by_device);
    if (!is_in(content, number, true))
        drop(content, record);
}

void cache_content_part_written(struct cache_content *content)
{
    content->through_at = content->access_at;
    content->through_bytes = content->access_bytes;
}

void cache_content_asked(struct cache_content *content, struct paddr at, bool is_write, cycle_t now,
                         uint64_t ip)
{
    uint64_t number = at.v >> content->line_shift, offset = at.v & (content->params.line_bytes - 1);
    unsigned size_bytes = content->access_bytes;
    settle(content);
    struct record *record = find(content, number);
    if (is_write && size_bytes) {
        if (!record && is_in(content, number, false) && is_ram_line(content, number)) {
            record = make(content, number);
            record->store_ip = ip;
        }
        if (record)
            mark(record, offset, size_bytes, false);
    } else if (record && size_bytes) {
        content->stats.cpu_stale_bytes_read +=
            note_stale(content, record, CACHE_STALE_CPU_READ, offset, offset + size_bytes,
                       (struct cache_stale){.device = record->device, .ip = ip, .cycle = now});
    }
    if (record && has_device_bytes(record))
        cache_unpublish(content->levels[0], number);
}

void cache_content_flushed(struct cache_content *content)
{
    settle(content);
}

/* ---- What the CPU and devices do ---- */

void cache_content_begin(struct cache_content *content, struct paddr at, unsigned size_bytes)
{
    complete_write(content);
    content->access_at = at;
    content->access_bytes = size_bytes;
}

void cache_content_write_through(struct cache_content *content, struct paddr at, unsigned size_bytes)
{
    cache_content_begin(content, at, size_bytes);
    cache_content_part_written(content);
    struct record *record = find(content, at.v >> content->line_shift);
    if (record)
        mark(record, at.v & (content->params.line_bytes - 1), size_bytes, false);
}

void cache_content_device_read(struct cache_content *content, struct paddr at, void *to, uint64_t size_bytes,
                               const char *device, cycle_t now)
{
    uint64_t number = at.v >> content->line_shift, offset = at.v & (content->params.line_bytes - 1);
    cache_content_begin(content, at, 0);
    const struct record *record = find(content, number);
    memcpy(to, (record ? record->bytes : host_of(content, number)) + offset, size_bytes);
    if (record)
        content->stats.stale_bytes_read +=
            note_stale(content, record, CACHE_STALE_DEVICE_READ, offset, offset + size_bytes,
                       (struct cache_stale){.device = device, .ip = record->store_ip, .cycle = now});
}

void cache_content_device_write(struct cache_content *content, struct paddr at, const void *from,
                                uint64_t size_bytes, const char *device)
{
    uint64_t number = at.v >> content->line_shift, offset = at.v & (content->params.line_bytes - 1);
    cache_content_begin(content, at, 0);
    struct record *record = find(content, number);
    if (!record && !is_in(content, number, false)) {
        memcpy(host_of(content, number) + offset, from, size_bytes);
        content->params.changed(content->params.opaque, at, size_bytes);
        return;
    }
    record = record ? record : make(content, number);
    memcpy(record->bytes + offset, from, size_bytes);
    mark(record, offset, size_bytes, true);
    record->device = device;
    cache_unpublish(content->levels[0], number);
}

const struct cache_stale *cache_content_stale(const struct cache_content *content, size_t *nr)
{
    *nr = content->nr_stale;
    return content->stale;
}

const struct cache_content_stats *cache_content_stats(const struct cache_content *content)
{
    return &content->stats;
}

bool cache_content_register_stats(struct cache_content *content, struct stat_registry *registry,
                                  const char *path)
{
    static const struct stat_row rows[] = {
#define STAT(name, unit, sentence) STAT_ROW(struct cache_content_stats, name, unit, sentence),
#include "cache/content_stats.def"
#undef STAT
    };
    return stat_register(registry, path, rows, sizeof rows / sizeof *rows, &content->stats);
}

/* ---- Making it ---- */

struct cache_content *cache_content_create(const struct cache_content_params *params)
{
    struct cache_content *content = calloc(1, sizeof *content);
    const struct cache_hierarchy *caches = params->caches;
    struct cache *const levels[] = {caches->l1d, caches->l2, caches->l3};
    uint64_t nr_records = 2 * MAX_LEFT;
    assert(params->line_bytes <= CACHE_CONTENT_LINE_BYTES);
    if (!content)
        return NULL;
    content->params = *params;
    content->line_shift = (unsigned)__builtin_ctzll(params->line_bytes);
    for (unsigned i = 0; i < 3 && levels[i]; i++) {
        content->levels[content->nr_levels++] = levels[i];
        nr_records += cache_nr_sets(levels[i]) * cache_nr_ways(levels[i]);
    }
    uint64_t nr_buckets = 1;
    while (nr_buckets < nr_records)
        nr_buckets *= 2;
    content->bucket_mask = nr_buckets - 1;
    content->buckets = malloc(nr_buckets * sizeof *content->buckets);
    content->records = malloc(nr_records * sizeof *content->records);
    if (!content->buckets || !content->records) {
        cache_content_destroy(content);
        return NULL;
    }
    for (uint64_t i = 0; i < nr_buckets; i++)
        content->buckets[i] = NO_RECORD;
    for (uint64_t i = 0; i < nr_records; i++)
        content->records[i].next = i + 1 < nr_records ? (int32_t)(i + 1) : NO_RECORD;
    for (unsigned i = 0; i < content->nr_levels; i++)
        cache_keep_content(content->levels[i], content);
    if (caches->l1i != caches->l1d)
        cache_keep_content(caches->l1i, content);
    return content;
}

void cache_content_destroy(struct cache_content *content)
{
    if (!content)
        return;
    free(content->buckets);
    free(content->records);
    free(content);
}

/* ---- Checkpoints ---- */

/* What stays, of a name that came from elsewhere; there are not more devices than that. */
static const char *keep_name(struct cache_content *content, const char *name)
{
    unsigned i = 0;
    while (i + 1 < MAX_DEVICES && content->devices[i][0] && strcmp(content->devices[i], name) != 0)
        i++;
    memcpy(content->devices[i], name, DEVICE_NAME_BYTES);
    return content->devices[i];
}

static void device_snap(struct cache_content *content, const char **device, struct snap *snap)
{
    char name[DEVICE_NAME_BYTES] = {0};
    if (!snap->is_load && *device)
        strncpy(name, *device, sizeof name - 1);
    snap_string(snap, name, sizeof name);
    SNAP_SKIP(snap, *device);
    if (snap->is_load)
        *device = name[0] ? keep_name(content, name) : NULL;
}

static void record_snap(struct cache_content *content, struct record *record, struct snap *snap)
{
    SNAP_OPEN(snap, record);
    SNAP_SKIP(snap, record->next); /* the order of the records says it */
    SNAP(snap, record->number);
    SNAP(snap, record->store_ip);
    device_snap(content, &record->device, snap);
    SNAP_ARRAY(snap, record->by_device);
    SNAP_ARRAY(snap, record->bytes);
    SNAP_CLOSE(snap, record);
}

static void stale_snap(struct cache_content *content, struct cache_stale *stale, struct snap *snap)
{
    SNAP_OPEN(snap, stale);
    SNAP_BELOW(snap, stale->kind, CACHE_STALE_UPDATE_LOST + 1);
    SNAP(snap, stale->at.v);
    SNAP_BELOW(snap, stale->size_bytes, MAX_VALUE_BYTES + 1);
    SNAP(snap, stale->memory_value);
    SNAP(snap, stale->cpu_value);
    SNAP(snap, stale->nr_bytes);
    device_snap(content, &stale->device, snap);
    SNAP(snap, stale->ip);
    SNAP(snap, stale->cycle);
    SNAP_CLOSE(snap, stale);
}

static void save_records(struct cache_content *content, struct snap *snap)
{
    uint32_t nr = 0;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1)
            SNAP(snap, nr);
        for (uint64_t bucket = 0; bucket <= content->bucket_mask; bucket++)
            for (int32_t i = content->buckets[bucket]; i != NO_RECORD; i = content->records[i].next) {
                nr += pass == 0;
                if (pass == 1)
                    record_snap(content, &content->records[i], snap);
            }
    }
}

static void drop_records(struct cache_content *content)
{
    for (uint64_t bucket = 0; bucket <= content->bucket_mask; bucket++)
        while (content->buckets[bucket] != NO_RECORD)
            drop(content, &content->records[content->buckets[bucket]]);
}

static void load_records(struct cache_content *content, struct snap *snap)
{
    uint32_t nr = 0;
    drop_records(content);
    SNAP(snap, nr);
    for (uint32_t i = 0; i < nr && snap_is_good(snap); i++) {
        int32_t index = content->first_free;
        if (index == NO_RECORD) {
            snap_fail(snap, "%u records of lines; this machine's caches have not so many", nr);
            return;
        }
        struct record *record = &content->records[index];
        int32_t next_free = record->next;
        record_snap(content, record, snap);
        record->next = next_free;
        if (!snap_is_good(snap))
            return;
        if (!is_ram_line(content, record->number) || find(content, record->number)) {
            snap_fail(snap, "a record of line %#llx, which is not in RAM or has one",
                      (unsigned long long)record->number);
            return;
        }
        int32_t *link = bucket_of(content, record->number);
        while (*link != NO_RECORD)
            link = &content->records[*link].next;
        *link = index;
        record->next = NO_RECORD;
        content->first_free = next_free;
    }
}

void cache_content_snap(struct cache_content *content, struct snap *snap)
{
    SNAP_OPEN(snap, content);
    SNAP_SKIP(snap, content->params);
    SNAP_SKIP(snap, content->levels);
    SNAP_SKIP(snap, content->nr_levels);
    SNAP_SKIP(snap, content->line_shift);
    SNAP_COUNTERS(snap, content->stats);
    SNAP(snap, content->access_at.v);
    SNAP_BELOW(snap, content->access_bytes, content->params.line_bytes + 1);
    SNAP(snap, content->through_at.v);
    SNAP_BELOW(snap, content->through_bytes, content->params.line_bytes + 1);
    for (unsigned i = 0; snap->is_load && i < 2; i++) {
        struct paddr at = i ? content->through_at : content->access_at;
        uint64_t nr_bytes = i ? content->through_bytes : content->access_bytes;
        SNAP_REQUIRE(snap,
                     (at.v & (content->params.line_bytes - 1)) + nr_bytes <= content->params.line_bytes);
    }
    SNAP_ARRAY(snap, content->left);
    SNAP_BELOW(snap, content->nr_left, MAX_LEFT + 2);
    SNAP_SKIP(snap, content->buckets); /* the records, below */
    SNAP_SKIP(snap, content->bucket_mask);
    SNAP_SKIP(snap, content->records);
    SNAP_SKIP(snap, content->first_free);
    SNAP_SKIP(snap, content->devices);
    SNAP_BELOW(snap, content->nr_stale, CACHE_STALE_KEPT + 1);
    for (unsigned i = 0; i < CACHE_STALE_KEPT; i++)
        stale_snap(content, &content->stale[i], snap);
    SNAP_CLOSE(snap, content);
    if (snap->is_load)
        load_records(content, snap);
    else
        save_records(content, snap);
}
