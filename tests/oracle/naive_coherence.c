/*
 * Oracle: what a CPU and a device that does or does not snoop read, against caches that hold data.
 *
 *     naive_coherence [--machines N] [--operations N] [--seed N] [--only N]
 *
 * Each machine has one to three levels of caches of random shapes, and gets random loads, stores, fetches,
 * CLFLUSH, WBINVD, INVD, uncached and written-through accesses, reads and writes of a device. The model has
 * no time and no records: each of its caches keeps the bytes of its lines, memory keeps its own, and bytes go
 * from one to the other as docs/memory.md says lines go. The caches of a core are coherent among
 * themselves: a store changes all copies, and a line comes from a data cache that has it before memory. An
 * instruction cache's copy is not asked for data. Every byte that is read must be the same in both. (Where
 * devices snoop, lookaside keeps no old bytes that INVD could bring back; there it is left out.)
 */
#include "cache/content.h"
#include "dma/master.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CACHES = 4, MAX_WAYS = 8, MAX_SETS = 16, MAX_LINE = 128, MEMORY_BYTES = 16384, MAX_ACCESS = 16 };

static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint64_t below(uint64_t *state, uint64_t limit)
{
    return draw(state) % limit;
}

/* ---- The model ---- */

struct line {
    bool is_here, is_dirty;
    uint64_t number, used;
    uint8_t bytes[MAX_LINE];
};

enum inclusion { NON_INCLUSIVE, INCLUSIVE, EXCLUSIVE };

struct naive {
    uint64_t nr_sets, nr_ways;
    enum inclusion inclusion;
    bool writes_through, allocates_writes, is_for_code;
    struct naive *below, *above[2];
    unsigned nr_above;
    struct line line[MAX_SETS][MAX_WAYS];
    struct model *model;
};

struct model {
    uint64_t line_bytes, time;
    struct naive cache[MAX_CACHES]; /* L1I, L1D, L2, L3 */
    struct naive *l1i, *l1d;
    unsigned nr_levels;
    uint8_t memory[MEMORY_BYTES];
};

static uint8_t *memory_of(struct model *model, uint64_t number)
{
    return model->memory + number * model->line_bytes;
}

static struct line *find(struct naive *cache, uint64_t number)
{
    for (uint64_t way = 0; way < cache->nr_ways; way++) {
        struct line *line = &cache->line[number % cache->nr_sets][way];
        if (line->is_here && line->number == number)
            return line;
    }
    return NULL;
}

/* The first data cache that has it. */
static struct line *find_data(struct model *model, uint64_t number)
{
    for (struct naive *cache = model->l1d; cache; cache = cache->below) {
        struct line *line = find(cache, number);
        if (line)
            return line;
    }
    return NULL;
}

static const uint8_t *bytes_of(struct model *model, uint64_t number)
{
    const struct line *line = find_data(model, number);
    return line ? line->bytes : memory_of(model, number);
}

static void touch(struct naive *cache, struct line *line)
{
    line->used = ++cache->model->time;
}

/* A line on its way from one place to another. */
struct parcel {
    uint64_t number;
    bool is_dirty;
    uint8_t bytes[MAX_LINE];
};

static struct parcel pack(const struct line *line)
{
    struct parcel parcel = {line->number, line->is_dirty, {0}};
    memcpy(parcel.bytes, line->bytes, MAX_LINE);
    return parcel;
}

static void put(struct naive *cache, struct naive *from, const struct parcel *parcel);

static void put_below(struct naive *cache, const struct parcel *parcel)
{
    if (cache->below)
        put(cache->below, cache, parcel);
    else
        memcpy(memory_of(cache->model, parcel->number), parcel->bytes, cache->model->line_bytes);
}

/* A copy stays above: exclusive caches do not take one. */
static void put_past_exclusive(struct naive *cache, const struct parcel *parcel)
{
    while (cache->below && cache->below->inclusion == EXCLUSIVE)
        cache = cache->below;
    put_below(cache, parcel);
}

/* Whether a copy above was dirty. */
static bool drop_above(struct naive *cache, uint64_t number)
{
    bool was_dirty = false;
    for (unsigned i = 0; i < cache->nr_above; i++) {
        was_dirty |= drop_above(cache->above[i], number);
        struct line *line = find(cache->above[i], number);
        if (line) {
            was_dirty |= line->is_dirty;
            line->is_here = false;
        }
    }
    return was_dirty;
}

static void place(struct naive *cache, const struct parcel *parcel)
{
    struct line *set = cache->line[parcel->number % cache->nr_sets], *way = set;
    struct parcel victim = {0};
    bool has_victim = true;
    for (uint64_t i = 0; i < cache->nr_ways && has_victim; i++) {
        if (!set[i].is_here)
            has_victim = false;
        if (!set[i].is_here || set[i].used < way->used)
            way = &set[i];
    }
    if (has_victim) {
        victim = pack(way);
        if (cache->is_for_code) /* its copy is what the CPU sees, or memory has */
            memcpy(victim.bytes, bytes_of(cache->model, victim.number), cache->model->line_bytes);
        if (cache->inclusion == INCLUSIVE)
            victim.is_dirty |= drop_above(cache, victim.number);
    }
    *way = (struct line){.is_here = true, .is_dirty = parcel->is_dirty, .number = parcel->number};
    memcpy(way->bytes, parcel->bytes, MAX_LINE);
    touch(cache, way);
    bool below_is_exclusive = cache->below && cache->below->inclusion == EXCLUSIVE;
    if (has_victim && (victim.is_dirty || below_is_exclusive))
        put_below(cache, &victim);
}

static void put(struct naive *cache, struct naive *from, const struct parcel *parcel)
{
    struct line *line = find(cache, parcel->number);
    bool goes_on = parcel->is_dirty && cache->writes_through;
    if (line) {
        touch(cache, line);
        line->is_dirty |= parcel->is_dirty && !goes_on;
    } else {
        struct parcel kept = *parcel;
        kept.is_dirty = parcel->is_dirty && !goes_on;
        if (cache->inclusion == EXCLUSIVE) {
            for (unsigned i = 0; i < cache->nr_above; i++) {
                struct line *other = cache->above[i] == from ? NULL : find(cache->above[i], parcel->number);
                if (other && !parcel->is_dirty)
                    return;
                if (other)
                    other->is_here = false;
            }
        } else if (!cache->allocates_writes) {
            put_below(cache, parcel);
            return;
        }
        if (cache->below && cache->below->inclusion == EXCLUSIVE) {
            struct line *other = find(cache->below, parcel->number);
            if (other) {
                other->is_here = false;
                kept.is_dirty |= other->is_dirty && !cache->writes_through;
            }
        }
        place(cache, &kept);
    }
    if (goes_on)
        put_past_exclusive(cache, parcel);
}

/* What an access is, on its way down. */
struct access {
    uint64_t number, offset, size_bytes;
    const uint8_t *bytes; /* of a store */
    struct naive *from;   /* the cache above, NULL: the core */
    bool is_write, takes_dirty;
};

static struct parcel serve(struct naive *cache, const struct access *access);

static void send_on(struct naive *cache, const struct access *access)
{
    if (cache->below) {
        struct access down = *access;
        down.from = cache;
        (void)serve(cache->below, &down);
    } else {
        memcpy(memory_of(cache->model, access->number) + access->offset, access->bytes, access->size_bytes);
    }
}

static struct parcel fetch(struct naive *cache, const struct access *access)
{
    struct model *model = cache->model;
    struct parcel parcel = {.number = access->number};
    bool passes = access->from && cache->inclusion == EXCLUSIVE;
    if (cache->below) {
        struct access down = {.number = access->number, .from = cache};
        down.takes_dirty = passes ? access->takes_dirty : !cache->writes_through && !cache->is_for_code;
        parcel = serve(cache->below, &down);
    } else {
        memcpy(parcel.bytes, bytes_of(model, access->number), model->line_bytes);
    }
    if (!passes) {
        struct parcel placed = parcel;
        placed.is_dirty |= access->is_write && !cache->writes_through;
        place(cache, &placed);
        parcel.is_dirty = false; /* what is newer than memory is this one's business */
    }
    return parcel;
}

/* Returns the line as it comes up. */
static struct parcel serve(struct naive *cache, const struct access *access)
{
    struct line *line = find(cache, access->number);
    struct parcel parcel = {.number = access->number};
    if (!line) {
        bool is_kept_out = !cache->allocates_writes || (cache->inclusion == EXCLUSIVE && access->from);
        if (access->is_write && is_kept_out) {
            send_on(cache, access);
            return parcel;
        }
        parcel = fetch(cache, access);
        if (access->is_write && cache->writes_through)
            send_on(cache, access);
        return parcel;
    }
    touch(cache, line);
    if (access->is_write && cache->writes_through)
        send_on(cache, access);
    else if (access->is_write)
        line->is_dirty = true;
    parcel = pack(line);
    if (cache->inclusion == EXCLUSIVE && access->from && !access->is_write) {
        line->is_here = false;
        if (parcel.is_dirty && !access->takes_dirty) {
            /* Written out past exclusive caches. */
            put_past_exclusive(cache, &parcel);
            parcel.is_dirty = false;
        }
    } else {
        parcel.is_dirty = false;
    }
    return parcel;
}

/* All data copies get the bytes of a store. */
static void store_in_copies(struct model *model, const struct access *access)
{
    for (struct naive *cache = model->l1d; cache; cache = cache->below) {
        struct line *line = find(cache, access->number);
        if (line)
            memcpy(line->bytes + access->offset, access->bytes, access->size_bytes);
    }
}

static void go_down(struct naive *cache, const struct parcel *parcel)
{
    for (struct naive *at = cache->below; at; at = at->below) {
        struct line *line = find(at, parcel->number);
        if (at->inclusion == INCLUSIVE)
            (void)drop_above(at, parcel->number);
        if (line)
            line->is_here = false;
    }
    memcpy(memory_of(cache->model, parcel->number), parcel->bytes, cache->model->line_bytes);
}

static void flush_line(struct naive *cache, uint64_t number, bool write_back)
{
    struct line *line = find(cache, number);
    if (!line)
        return;
    struct parcel parcel = pack(line);
    if (cache->inclusion == INCLUSIVE)
        parcel.is_dirty |= drop_above(cache, number);
    line->is_here = false;
    if (parcel.is_dirty && write_back)
        go_down(cache, &parcel);
}

static void flush_all(struct naive *cache, bool write_back)
{
    for (uint64_t set = 0; set < cache->nr_sets && write_back; set++) {
        for (uint64_t way = 0; way < cache->nr_ways; way++) {
            struct line *line = &cache->line[set][way];
            if (!line->is_here || !line->is_dirty)
                continue;
            struct parcel parcel = pack(line);
            put_below(cache, &parcel);
        }
    }
    for (uint64_t set = 0; set < cache->nr_sets; set++)
        for (uint64_t way = 0; way < cache->nr_ways; way++)
            cache->line[set][way].is_here = false;
}

enum how { PLAIN, NO_FILL, WRITE_THROUGH, PAST_THE_CACHES };

static void model_access(struct model *model, struct naive *cache, enum how how, const struct access *access)
{
    bool is_in_memory = false;
    for (; cache && !(how == PLAIN || (how == NO_FILL && find(cache, access->number)));
         cache = cache->below) {
        struct line *line = find(cache, access->number);
        if (how == PAST_THE_CACHES)
            flush_line(cache, access->number, true);
        else if (line)
            touch(cache, line);
        is_in_memory = !cache->below;
    }
    if (is_in_memory) {
        if (access->is_write)
            memcpy(memory_of(model, access->number) + access->offset, access->bytes, access->size_bytes);
    } else if (how == NO_FILL && cache->inclusion == EXCLUSIVE) {
        struct access as_core = *access;
        as_core.from = NULL;
        (void)serve(cache, &as_core);
    } else {
        (void)serve(cache, access);
    }
    if (access->is_write)
        store_in_copies(model, access);
}

/* ---- A machine of both ---- */

struct pair {
    struct cfg *cfg;
    struct dram *dram;
    struct cache_hierarchy caches;
    struct ram ram;
    struct cache_content *content; /* NULL: the device snoops */
    struct dma_memory *dma;
    struct dma_master *device;
    struct model *model;
    uint64_t line_bytes, chance;
    cycle_t now;
    char settings[64][64];
    unsigned nr_settings;
};

static void set(struct pair *pair, const char *key, const char *suffix, const char *value)
{
    struct diag diag;
    char *text = pair->settings[pair->nr_settings++];
    diag_init(&diag);
    snprintf(text, sizeof pair->settings[0], "%s%s=%s", key, suffix, value);
    if (!cfg_set(pair->cfg, text, &diag))
        abort();
    diag_fini(&diag);
}

static void set_number(struct pair *pair, const char *key, const char *suffix, uint64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, value);
    set(pair, key, suffix, text);
}

static const char *const keys[MAX_CACHES] = {"cache.l1i", "cache.l1d", "cache.l2", "cache.l3"};

static void choose_cache(struct pair *pair, unsigned which, struct naive *naive)
{
    static const char *const inclusions[] = {"non-inclusive", "inclusive", "exclusive"};
    naive->nr_sets = 1ull << below(&pair->chance, which < 2 ? 3 : 5);
    naive->nr_ways = 1 + below(&pair->chance, MAX_WAYS);
    naive->writes_through = which > 0 && below(&pair->chance, 3) == 0;
    naive->allocates_writes = which == 0 || below(&pair->chance, 3) > 0;
    naive->inclusion = which < 2 ? NON_INCLUSIVE : (enum inclusion)below(&pair->chance, 3);
    naive->is_for_code = which == 0;
    set_number(pair, keys[which], ".ways", naive->nr_ways);
    set_number(pair, keys[which], ".line", pair->line_bytes);
    set_number(pair, keys[which], ".size", naive->nr_ways * naive->nr_sets * pair->line_bytes);
    if (which == 0)
        return;
    set(pair, keys[which], ".write", naive->writes_through ? "through" : "back");
    set(pair, keys[which], ".write_allocate", naive->allocates_writes ? "true" : "false");
    if (which > 1)
        set(pair, keys[which], ".inclusion", inclusions[naive->inclusion]);
}

static void link_caches(struct model *model, bool is_unified)
{
    struct naive *cache = model->cache;
    model->l1d = &cache[1];
    model->l1i = is_unified ? &cache[1] : &cache[0];
    for (unsigned i = 0; i < MAX_CACHES; i++)
        cache[i].model = model;
    for (unsigned i = is_unified; i <= model->nr_levels; i++) {
        unsigned below = i < 2 ? 2 : i + 1;
        if (below > model->nr_levels)
            continue;
        cache[i].below = &cache[below];
        cache[below].above[cache[below].nr_above++] = &cache[i];
    }
}

static bool is_ram(void *opaque, struct paddr page)
{
    (void)opaque, (void)page;
    return true;
}

static void changed(void *opaque, struct paddr at, uint64_t size_bytes)
{
    (void)opaque, (void)at, (void)size_bytes;
}

static struct pair *create(uint64_t seed)
{
    struct pair *pair = calloc(1, sizeof *pair);
    struct diag diag;
    diag_init(&diag);
    if (!pair || !(pair->model = calloc(1, sizeof *pair->model)) || !(pair->cfg = cfg_create()))
        abort();
    pair->chance = seed;
    pair->line_bytes = 16ull << below(&pair->chance, 4);
    struct model *model = pair->model;
    model->line_bytes = pair->line_bytes;
    model->nr_levels = 1 + (unsigned)below(&pair->chance, 3);
    bool is_unified = below(&pair->chance, 4) == 0, snoops = below(&pair->chance, 4) == 0;
    set_number(pair, "cache.levels", "", model->nr_levels);
    set(pair, "cache.unified_l1", "", is_unified ? "true" : "false");
    set(pair, "cpu.fetch_bytes", "", "16");
    for (unsigned i = 0; i < MAX_CACHES; i++)
        choose_cache(pair, i, &model->cache[i]);
    link_caches(model, is_unified);
    if (!cfg_check(pair->cfg, &diag)) {
        fprintf(stderr, "naive_coherence: %s\n", diag.lines[0]);
        abort();
    }
    const struct config *config = cfg_values(pair->cfg);
    struct dram_params dram = dram_params_of(config);
    pair->dram = dram_create(&dram);
    if (!pair->dram || !ram_init(&pair->ram, MEMORY_BYTES) ||
        !cache_hierarchy_create(&pair->caches, config, pair->dram))
        abort();
    if (!snoops)
        pair->content = cache_content_create(&(struct cache_content_params){
            .ram = &pair->ram, .caches = &pair->caches, .line_bytes = pair->line_bytes, .changed = changed});
    pair->dma = dma_memory_create(&(struct dma_memory_params){.ram = &pair->ram,
                                                              .is_ram = is_ram,
                                                              .written = changed,
                                                              .caches = &pair->caches,
                                                              .dram = pair->dram,
                                                              .content = pair->content,
                                                              .line_bytes = pair->line_bytes});
    pair->device = dma_master_create(&(struct dma_master_params){.name = "device",
                                                                 .address_bits = 64,
                                                                 .burst_bytes = 64,
                                                                 .bursts_in_flight = 4,
                                                                 .coherence = snoops ? DMA_SNOOP : DMA_NONE},
                                     pair->dma);
    if ((!snoops && !pair->content) || !pair->dma || !pair->device)
        abort();
    diag_fini(&diag);
    return pair;
}

static void destroy(struct pair *pair)
{
    dma_master_destroy(pair->device);
    dma_memory_destroy(pair->dma);
    cache_hierarchy_destroy(&pair->caches);
    cache_content_destroy(pair->content);
    dram_destroy(pair->dram);
    ram_fini(&pair->ram);
    cfg_destroy(pair->cfg);
    free(pair->model);
    free(pair);
}

/* As the core does it: what is published is hit without asking. */
static void ask(struct pair *pair, struct cache *cache, enum how how, const struct access *access)
{
    static const enum cache_use uses[] = {CACHE_USE_ALL, CACHE_USE_NO_FILL, CACHE_USE_WRITE_THROUGH,
                                          CACHE_USE_NONE};
    const struct cache_front *front = cache_front(cache);
    const uint64_t *published = access->is_write ? front->write_line : front->read_line;
    struct paddr at = paddr(access->number * pair->line_bytes + access->offset);
    bool is_l1 = cache == pair->caches.l1d || cache == pair->caches.l1i;
    if (is_l1 && how == PLAIN && published[access->number & front->set_mask] == access->number) {
        cache_add_front_hits(cache, 1);
        return;
    }
    if (pair->content)
        cache_content_begin(pair->content, at, (unsigned)access->size_bytes);
    struct cache_answer answer = cache_ask(cache, uses[how], at, access->is_write, pair->now, 0x1000);
    if (access->is_write && how == PLAIN && cache == pair->caches.l1d)
        cache_let_stores_hit(cache, at);
    if (below(&pair->chance, 2))
        pair->now = answer.ready;
}

static enum how choose_how(struct pair *pair, bool is_write)
{
    if (below(&pair->chance, 20))
        return PLAIN;
    enum how how = (enum how)(1 + below(&pair->chance, 3));
    return how == WRITE_THROUGH && !is_write ? PAST_THE_CACHES : how;
}

/* Few lines, so that they meet. */
static uint64_t choose_line(struct pair *pair)
{
    uint64_t nr_lines = MEMORY_BYTES / pair->line_bytes;
    return below(&pair->chance, 2) ? below(&pair->chance, nr_lines < 24 ? nr_lines : 24)
                                   : below(&pair->chance, nr_lines);
}

static bool is_same(const struct pair *pair, const char *who, uint64_t at, const uint8_t *ours,
                    const uint8_t *naive, uint64_t size_bytes)
{
    if (memcmp(ours, naive, size_bytes) == 0)
        return true;
    printf("%s of %" PRIu64 " bytes at %" PRIx64 " (line %" PRIu64 "), device %s:", who, size_bytes, at,
           at / pair->line_bytes, pair->content ? "blind" : "snooping");
    for (uint64_t i = 0; i < size_bytes; i++)
        printf(" %02x/%02x", ours[i], naive[i]);
    printf(" (ours/the model's)\n    ");
    for (unsigned i = 0; i < pair->nr_settings; i++)
        printf(" %s", pair->settings[i]);
    printf("\n");
    return false;
}

static bool by_core(struct pair *pair, bool is_write)
{
    struct model *model = pair->model;
    uint8_t bytes[MAX_ACCESS];
    struct access access = {.number = choose_line(pair), .is_write = is_write, .bytes = bytes};
    access.size_bytes = 1 + below(&pair->chance, MAX_ACCESS);
    access.offset = below(&pair->chance, pair->line_bytes - access.size_bytes + 1);
    for (unsigned i = 0; i < MAX_ACCESS; i++)
        bytes[i] = (uint8_t)draw(&pair->chance);
    struct cache *cache = pair->caches.l1d;
    struct naive *naive = model->l1d;
    enum how how = choose_how(pair, is_write);
    bool can_pass = model->nr_levels > 1 && model->cache[2].inclusion != EXCLUSIVE;
    if (can_pass && below(&pair->chance, 16) == 0) { /* a walker that passes the L1D by */
        cache = pair->caches.l2;
        naive = &model->cache[2];
    }
    ask(pair, cache, how, &access);
    model_access(model, naive, how, &access);
    uint64_t at = access.number * pair->line_bytes + access.offset;
    if (is_write) {
        memcpy(pair->ram.host + at, bytes, access.size_bytes);
        return true;
    }
    return is_same(pair, "load", at, pair->ram.host + at, bytes_of(model, access.number) + access.offset,
                   access.size_bytes);
}

static void fetch_code(struct pair *pair)
{
    struct access access = {.number = choose_line(pair)};
    ask(pair, pair->caches.l1i, PLAIN, &access);
    model_access(pair->model, pair->model->l1i, PLAIN, &access);
}

static void flush(struct pair *pair, bool is_all, bool write_back)
{
    struct cache *const order[] = {pair->caches.l1i, pair->caches.l1d, pair->caches.l2, pair->caches.l3};
    uint64_t number = choose_line(pair);
    struct paddr at = paddr(number * pair->line_bytes);
    if (pair->content)
        cache_content_begin(pair->content, at, 0);
    for (unsigned i = order[0] == order[1]; i < MAX_CACHES && order[i]; i++) {
        bool goes_back = write_back && i > 0;
        if (is_all) {
            cache_flush(order[i], goes_back, pair->now);
            flush_all(&pair->model->cache[i], goes_back);
        } else {
            cache_flush_line(order[i], at, goes_back, pair->now);
            flush_line(&pair->model->cache[i], number, goes_back);
        }
    }
}

/* A snooping device: the caches are asked first, each line as a whole. */
static void snoop(struct model *model, uint64_t number, bool wants_alone)
{
    const struct line *newest = find_data(model, number);
    bool is_dirty = false;
    for (struct naive *cache = model->l1d; cache; cache = cache->below)
        is_dirty |= find(cache, number) && find(cache, number)->is_dirty;
    if (is_dirty)
        memcpy(memory_of(model, number), newest->bytes, model->line_bytes);
    for (unsigned i = 0; i < MAX_CACHES; i++) {
        struct line *line = find(&model->cache[i], number);
        if (!line)
            continue;
        line->is_dirty = false;
        line->is_here = !wants_alone;
    }
}

static bool by_device(struct pair *pair, bool is_write)
{
    enum { MAX_DEVICE = 200 };
    uint8_t bytes[MAX_DEVICE], naive[MAX_DEVICE];
    struct model *model = pair->model;
    uint64_t size_bytes = 1 + below(&pair->chance, MAX_DEVICE);
    uint64_t at = choose_line(pair) * pair->line_bytes + below(&pair->chance, pair->line_bytes);
    size_bytes = at + size_bytes > MEMORY_BYTES ? MEMORY_BYTES - at : size_bytes;
    cycle_t done;
    for (unsigned i = 0; i < size_bytes; i++)
        bytes[i] = (uint8_t)draw(&pair->chance);
    for (uint64_t line = at / pair->line_bytes; line <= (at + size_bytes - 1) / pair->line_bytes; line++)
        if (!pair->content)
            snoop(model, line, is_write);
    if (is_write) {
        memcpy(model->memory + at, bytes, size_bytes);
        return dma_write(pair->device, baddr(at), bytes, size_bytes, pair->now, &done) == DMA_OK;
    }
    memcpy(naive, model->memory + at, size_bytes);
    return dma_read(pair->device, baddr(at), bytes, size_bytes, pair->now, &done) == DMA_OK &&
           is_same(pair, "device's read", at, bytes, naive, size_bytes);
}

static bool step(struct pair *pair)
{
    uint64_t what = below(&pair->chance, 1000);
    pair->now += below(&pair->chance, 100);
    if (what < 300)
        return by_core(pair, false);
    if (what < 600)
        return by_core(pair, true);
    if (what < 650)
        fetch_code(pair);
    else if (what < 700)
        flush(pair, false, true);
    else if (what < 704)
        flush(pair, true, what < 702 || !pair->content);
    else
        return by_device(pair, what < 850);
    return true;
}

/* ---- The whole ---- */

struct totals {
    uint64_t operations, stale_to_devices, stale_to_cpus, lost, differences;
};

static void run_machine(uint64_t seed, uint64_t number, uint64_t nr_operations, struct totals *totals)
{
    struct pair *pair = create(seed ^ (number + 1) * 0x2545f4914f6cdd1du);
    bool is_good = true;
    uint64_t i;
    for (i = 0; i < nr_operations && is_good; i++)
        is_good = step(pair);
    totals->operations += i;
    if (!is_good) {
        totals->differences++;
        printf("machine %" PRIu64 " of seed %" PRIu64 ", operation %" PRIu64 "\n", number, seed, i);
    }
    if (pair->content) {
        const struct cache_content_stats *stats = cache_content_stats(pair->content);
        totals->stale_to_devices += stats->stale_bytes_read;
        totals->stale_to_cpus += stats->cpu_stale_bytes_read;
        totals->lost += stats->updates_lost;
    }
    destroy(pair);
}

static bool option(int argc, char **argv, const char *name, uint64_t *value)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], name) == 0) {
            *value = strtoull(argv[i + 1], NULL, 0);
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    enum { MAX_SHOWN = 5 };
    uint64_t nr_machines = 200 / LK_ORACLE_SHARE, nr_operations = 1000, seed = 1, only = 0;
    struct totals totals = {0};
    option(argc, argv, "--machines", &nr_machines);
    option(argc, argv, "--operations", &nr_operations);
    option(argc, argv, "--seed", &seed);
    if (option(argc, argv, "--only", &only))
        run_machine(seed, only, nr_operations, &totals);
    else
        for (uint64_t i = 0; i < nr_machines && totals.differences < MAX_SHOWN; i++)
            run_machine(seed, i, nr_operations, &totals);
    printf("naive_coherence: %" PRIu64 " operations compared (stale bytes: %" PRIu64 " to devices, %" PRIu64
           " to CPUs; %" PRIu64 " of devices lost): %" PRIu64 " machines with differences\n",
           totals.operations, totals.stale_to_devices, totals.stale_to_cpus, totals.lost, totals.differences);
    bool is_idle = !only && (!totals.stale_to_devices || !totals.stale_to_cpus || !totals.lost);
    return totals.differences != 0 || is_idle;
}
