/*
 * Oracle: the caches and the DRAM against naive models (naive_memory.h), on random machines and random
 * requests.
 *
 *     naive_hierarchy [--machines N] [--requests N] [--seed N] [--only N]
 *
 * Each machine has a random configuration and gets random requests, in program order, whose asking cycles run
 * forwards, stand still, and go back. Every answer (cycle and server) and, in the end, every count must be
 * the models'. The first difference is shown with what makes it again: seed, machine, the configuration's
 * settings, number of the request. --only runs that one machine. The status is 1 when there was a difference.
 */
#include "cache/hierarchy.h"
#include "cache/prefetch.h"
#include "tests/oracle/naive_memory.h"
#include "tests/oracle/naive_prefetch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SETTINGS = 128, SETTING_CHARS = 64, NR_STREAMS = 6, HISTORY = 256 };

/* ---- Chance (splitmix64) ---- */

struct chance {
    uint64_t state;
};

static uint64_t draw(struct chance *chance)
{
    uint64_t z = chance->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint64_t below(struct chance *chance, uint64_t limit)
{
    return draw(chance) % limit;
}

static bool once_in(struct chance *chance, uint64_t n)
{
    return below(chance, n) == 0;
}

/* Small ones as likely as large ones: 1 << (0 ... bits). */
static uint64_t power(struct chance *chance, unsigned bits)
{
    return 1ull << below(chance, bits + 1);
}

/* ---- Machines ---- */

struct machine {
    struct cfg *cfg;
    char setting[MAX_SETTINGS][SETTING_CHARS];
    unsigned nr_settings;
    struct dram *dram;
    struct cache_hierarchy caches;
    struct stat_registry *stats;
    struct naive_memory naive;
};

static void set(struct machine *machine, const char *key, const char *suffix, uint64_t value)
{
    struct diag diag;
    char *text = machine->setting[machine->nr_settings++];
    diag_init(&diag);
    snprintf(text, SETTING_CHARS, "%s%s=%" PRIu64, key, suffix, value);
    if (!cfg_set(machine->cfg, text, &diag)) {
        fprintf(stderr, "naive_hierarchy: %s\n", diag.nr_lines ? diag.lines[0] : text);
        abort();
    }
    diag_fini(&diag);
}

static void set_word(struct machine *machine, const char *key, const char *suffix, const char *word)
{
    struct diag diag;
    char *text = machine->setting[machine->nr_settings++];
    diag_init(&diag);
    snprintf(text, SETTING_CHARS, "%s%s=%s", key, suffix, word);
    if (!cfg_set(machine->cfg, text, &diag)) {
        fprintf(stderr, "naive_hierarchy: %s\n", diag.nr_lines ? diag.lines[0] : text);
        abort();
    }
    diag_fini(&diag);
}

static void choose_cache(struct machine *machine, struct chance *chance, const char *key, uint64_t line_bytes,
                         unsigned size_bits)
{
    uint64_t ways = once_in(chance, 4) ? 1 + below(chance, 20) : power(chance, 4);
    set(machine, key, ".ways", ways);
    set(machine, key, ".line", line_bytes);
    set(machine, key, ".size", ways * line_bytes * power(chance, size_bits));
    set(machine, key, ".latency_cycles", 1 + below(chance, once_in(chance, 3) ? 60 : 8));
    bool can_be_plru = (ways & (ways - 1)) == 0;
    static const char *const policies[] = {"lru", "srrip", "random", "fifo", "plru"};
    set_word(machine, key, ".replacement", policies[below(chance, can_be_plru ? 5 : 4)]);
    set(machine, key, ".mshrs", below(chance, 10));
    set(machine, key, ".bytes_per_cycle", once_in(chance, 2) ? 0 : power(chance, 7));
    if (once_in(chance, 2))
        return;
    static const char *const prefetchers[] = {"none", "next-line", "stride", "stream"};
    set_word(machine, key, ".prefetcher", prefetchers[below(chance, 4)]);
    set(machine, key, ".prefetch_degree", power(chance, 4));
    set(machine, key, ".prefetch_distance", 1 + below(chance, 20));
    set(machine, key, ".prefetch_entries", 1 + below(chance, 20));
}

/* What only caches have that are written to. */
static void choose_writes(struct machine *machine, struct chance *chance, const char *key)
{
    set_word(machine, key, ".write", once_in(chance, 3) ? "through" : "back");
    set_word(machine, key, ".write_allocate", once_in(chance, 3) ? "false" : "true");
    set(machine, key, ".write_buffers", below(chance, 6));
}

static void choose_inclusion(struct machine *machine, struct chance *chance, const char *key)
{
    static const char *const inclusions[] = {"non-inclusive", "inclusive", "exclusive"};
    set_word(machine, key, ".inclusion", inclusions[below(chance, 3)]);
}

static void choose_config(struct machine *machine, struct chance *chance)
{
    uint64_t line_bytes = 16 * power(chance, 4);
    set(machine, "cache.levels", "", 1 + below(chance, 3));
    set_word(machine, "cache.unified_l1", "", once_in(chance, 4) ? "true" : "false");
    choose_cache(machine, chance, "cache.l1i", line_bytes, 5);
    choose_cache(machine, chance, "cache.l1d", line_bytes, 6);
    choose_cache(machine, chance, "cache.l2", line_bytes, 8);
    choose_cache(machine, chance, "cache.l3", line_bytes, 9);
    choose_writes(machine, chance, "cache.l1d");
    choose_writes(machine, chance, "cache.l2");
    choose_writes(machine, chance, "cache.l3");
    choose_inclusion(machine, chance, "cache.l2");
    choose_inclusion(machine, chance, "cache.l3");
    set(machine, "cache.random_seed", "", 1 + below(chance, 1000));
    set_word(machine, "mmu.walk_through", "", "l1d");
    set(machine, "dram.banks", "", power(chance, 5));
    set(machine, "dram.row", "", line_bytes * 16 * power(chance, 6));
    static const char *const presets[] = {"fixed", "fixed", "ddr2-800", "ddr4-2400"};
    set_word(machine, "dram.preset", "", presets[below(chance, 4)]);
    set(machine, "dram.channels", "", power(chance, 3));
    set(machine, "dram.row_hit_cycles", "", 1 + below(chance, 60));
    set(machine, "dram.row_miss_cycles", "", 61 + below(chance, 60));
    set(machine, "dram.row_conflict_cycles", "", 121 + below(chance, 60));
    set(machine, "dram.burst_cycles", "", below(chance, 20));
    set(machine, "cpu.fetch_bytes", "", 16);
}

static struct machine *create(struct chance *chance)
{
    struct machine *machine = calloc(1, sizeof *machine);
    struct diag diag;
    diag_init(&diag);
    if (!machine)
        abort();
    machine->cfg = cfg_create();
    choose_config(machine, chance);
    if (!cfg_check(machine->cfg, &diag)) {
        fprintf(stderr, "naive_hierarchy: %s\n", diag.lines[0]);
        abort();
    }
    diag_fini(&diag);
    const struct config *config = cfg_values(machine->cfg);
    struct dram_params dram = dram_params_of(config);
    machine->dram = dram_create(&dram);
    machine->stats = stat_registry_create();
    if (!machine->dram || !machine->stats ||
        !cache_hierarchy_create(&machine->caches, config, machine->dram) ||
        !cache_hierarchy_register_stats(&machine->caches, machine->stats) ||
        !dram_register_stats(machine->dram, machine->stats, "dram") ||
        !naive_memory_init(&machine->naive, config))
        abort();
    return machine;
}

static void destroy(struct machine *machine)
{
    naive_memory_free(&machine->naive);
    stat_registry_destroy(machine->stats);
    cache_hierarchy_destroy(&machine->caches);
    dram_destroy(machine->dram);
    cfg_destroy(machine->cfg);
    free(machine);
}

static void show_machine(const struct machine *machine)
{
    printf("    ");
    for (unsigned i = 0; i < machine->nr_settings; i++)
        printf(" -s %s", machine->setting[i]);
    printf("\n");
}

/* ---- Requests ---- */

/* Places that are gone through: each by an instruction of its own. */
struct stream {
    uint64_t at, step, ip;
};

struct guest {
    struct chance chance;
    struct stream stream[NR_STREAMS];
    uint64_t recent[HISTORY]; /* addresses */
    uint64_t nr_requests;
    uint64_t span_bytes; /* that most addresses lie in */
    cycle_t now, last_ready;
    unsigned style;   /* which kinds of address it prefers */
    bool is_flushing; /* the caches below are asked next, as CLFLUSH, WBINVD and INVD do */
    struct cpu_seen_request flush;
};

static uint64_t far_address(struct guest *guest)
{
    return below(&guest->chance, 3ull << 30) & ~(uint64_t)7;
}

static void init_guest(struct guest *guest, uint64_t seed)
{
    *guest = (struct guest){.chance = {seed}};
    struct chance *chance = &guest->chance;
    guest->span_bytes = 256ull << below(chance, 14);
    guest->style = (unsigned)below(chance, 5);
    for (unsigned i = 0; i < NR_STREAMS; i++)
        guest->stream[i] = (struct stream){.at = far_address(guest), .ip = 0x1000 + 3 * i};
}

static void restart(struct guest *guest, struct stream *stream)
{
    struct chance *chance = &guest->chance;
    stream->at = far_address(guest);
    stream->step = once_in(chance, 2) ? 8 : 8 * (1 + below(chance, 80));
    if (once_in(chance, 3))
        stream->step = (uint64_t)0 - stream->step;
    stream->ip = 0x1000 + 4 * below(chance, 64);
}

static void choose_address(struct guest *guest, struct cpu_seen_request *request)
{
    struct chance *chance = &guest->chance;
    struct stream *stream = &guest->stream[below(chance, NR_STREAMS)];
    uint64_t kind = once_in(chance, 4) ? below(chance, 5) : guest->style;
    request->ip = 0x8000 + 2 * below(chance, 100);
    switch (kind) {
    case 0: /* a stream */
        if (once_in(chance, 60) || stream->at >= 3ull << 30)
            restart(guest, stream);
        request->at = paddr(stream->at);
        request->ip = stream->ip;
        stream->at += stream->step;
        if (stream->at >= 3ull << 30)
            restart(guest, stream);
        break;
    case 1: /* anywhere in the span */
        request->at = paddr(below(chance, guest->span_bytes));
        break;
    case 2: /* lines that meet in few sets */
        request->at = paddr((below(chance, 40) << 16) + 256 * below(chance, 3));
        break;
    case 3: /* what was used not long ago */
        request->at = paddr(guest->recent[below(chance, HISTORY)]);
        break;
    default: /* page-table entries: near in their table */
        request->at = paddr((64ull << 20) + 4096 * below(chance, 6) + 8 * below(chance, 512));
        request->ip = 0;
        break;
    }
    guest->recent[guest->nr_requests % HISTORY] = request->at.v;
}

static void choose_time(struct guest *guest)
{
    struct chance *chance = &guest->chance;
    switch (below(chance, 16)) {
    case 0: /* waited for the answer before */
        if (guest->last_ready > guest->now)
            guest->now = guest->last_ready;
        break;
    case 1: /* the other side lags behind */
        guest->now -= below(chance, 60) % (guest->now + 1);
        break;
    case 2:
        guest->now += below(chance, once_in(chance, 10) ? 5000 : 200);
        break;
    case 3:
    case 4:
        break;
    default:
        guest->now += below(chance, 6);
        break;
    }
}

/* The next cache of a flush. */
static void go_on_flushing(struct guest *guest, const struct machine *machine,
                           struct cpu_seen_request *request)
{
    const struct cache *const below[NR_CPU_REQUEST_CACHES] = {machine->caches.l1d, machine->caches.l2,
                                                              machine->caches.l3, NULL};
    *request = guest->flush;
    if (request->cache == CPU_REQUEST_L1I) /* it is never written back */
        request->kind = request->kind == CPU_REQUEST_FLUSH        ? CPU_REQUEST_FORGET
                        : request->kind == CPU_REQUEST_FLUSH_LINE ? CPU_REQUEST_FORGET_LINE
                                                                  : request->kind;
    guest->is_flushing = below[request->cache] != NULL;
    guest->flush.cache = (enum cpu_request_cache)(request->cache + 1);
}

static void choose(struct guest *guest, const struct machine *machine, struct cpu_seen_request *request)
{
    struct chance *chance = &guest->chance;
    if (guest->is_flushing) {
        go_on_flushing(guest, machine, request);
        return;
    }
    *request = (struct cpu_seen_request){.cache = CPU_REQUEST_L1D};
    choose_address(guest, request);
    choose_time(guest);
    request->asked = guest->now;
    request->kind = once_in(chance, 3) ? CPU_REQUEST_WRITE : CPU_REQUEST_READ;
    if (once_in(chance, 4)) {
        request->cache = CPU_REQUEST_L1I;
        request->kind = CPU_REQUEST_READ;
    } else if (machine->caches.l2 && cfg_values(machine->cfg)->cache_l2_inclusion != CFG_EXCLUSIVE &&
               once_in(chance, 16)) {
        request->cache = CPU_REQUEST_L2; /* a walker that passes the L1D by */
    }
    uint64_t rare = below(chance, 400);
    if (rare < 12) {
        static const enum cache_use uses[] = {CACHE_USE_NO_FILL, CACHE_USE_WRITE_THROUGH, CACHE_USE_NONE};
        request->use = uses[rare % 3];
        if (request->use == CACHE_USE_WRITE_THROUGH)
            request->kind = CPU_REQUEST_WRITE;
    } else if (rare < 14 || (rare == 14 && once_in(chance, 30))) {
        guest->flush = *request;
        guest->flush.kind = rare < 14            ? CPU_REQUEST_FLUSH_LINE
                            : once_in(chance, 4) ? CPU_REQUEST_FORGET
                                                 : CPU_REQUEST_FLUSH;
        guest->flush.cache = cfg_values(machine->cfg)->cache_unified_l1 ? CPU_REQUEST_L1D : CPU_REQUEST_L1I;
        go_on_flushing(guest, machine, request);
    }
}

/* What the core may do without asking (docs/memory.md). */
static bool hits_front(const struct cache *cache, const struct cpu_seen_request *request)
{
    const struct cache_front *front = cache_front(cache);
    uint64_t line = request->at.v >> front->line_shift;
    const uint64_t *may_hit = request->kind == CPU_REQUEST_WRITE ? front->write_line : front->read_line;
    return request->use == CACHE_USE_ALL && request->kind <= CPU_REQUEST_WRITE &&
           request->cache <= CPU_REQUEST_L1D && may_hit[line & front->set_mask] == line;
}

static void make(struct machine *machine, struct cpu_seen_request *request)
{
    struct cache *const caches[NR_CPU_REQUEST_CACHES] = {machine->caches.l1i, machine->caches.l1d,
                                                         machine->caches.l2, machine->caches.l3};
    struct cache *cache = caches[request->cache];
    struct cache_answer answer = {.ready = request->asked};
    if (hits_front(cache, request)) {
        cache_add_front_hits(cache, 1);
        request->ready = request->asked + cache_hit_cycles(cache);
        return;
    }
    switch (request->kind) {
    case CPU_REQUEST_READ:
    case CPU_REQUEST_WRITE:
        answer = cache_ask(cache, request->use, request->at, request->kind == CPU_REQUEST_WRITE,
                           request->asked, request->ip);
        break;
    case CPU_REQUEST_FLUSH:
    case CPU_REQUEST_FORGET:
        cache_flush(cache, request->kind == CPU_REQUEST_FLUSH, request->asked);
        break;
    case CPU_REQUEST_FLUSH_LINE:
    case CPU_REQUEST_FORGET_LINE:
        cache_flush_line(cache, request->at, request->kind == CPU_REQUEST_FLUSH_LINE, request->asked);
        break;
    case NR_CPU_REQUEST_KINDS:
        break;
    }
    request->ready = answer.ready;
    request->served_by = answer.served_by;
}

/* Another core or a device asks. Whether the models answer the same; else why not. */
static bool snoop(struct machine *machine, struct guest *guest, char why[NAIVE_WHY_CHARS])
{
    struct naive_memory *naive = &machine->naive;
    struct naive_cache *caches[] = {&naive->l1i, &naive->l1d, &naive->l2, &naive->l3};
    unsigned first = naive->is_unified, nr_caches = naive->nr_levels + 1 - first;
    struct cpu_seen_request request;
    choose_address(guest, &request);
    bool alone = once_in(&guest->chance, 2);
    struct naive_snoop_answer wanted =
        naive_snoop(caches + first, nr_caches, request.at.v, alone, guest->now);
    struct cache_snoop_answer got = cache_hierarchy_snoop(
        &machine->caches, request.at, alone ? CACHE_SNOOP_ALONE : CACHE_SNOOP_READ, guest->now);
    if (got.was_here == wanted.is_here && got.was_dirty == wanted.was_modified && got.ready == wanted.ready)
        return true;
    snprintf(why, NAIVE_WHY_CHARS,
             "snoop at %" PRIx64 " in cycle %" PRIu64 ": here %d, dirty %d, cycle %" PRIu64
             "; in the model %d, %d, %" PRIu64,
             request.at.v, guest->now, got.was_here, got.was_dirty, got.ready, wanted.is_here,
             wanted.was_modified, wanted.ready);
    return false;
}

/* ---- Comparing ---- */

struct comparison {
    const struct stat_registry *stats;
    bool is_silent;
    unsigned nr_compared, nr_differences;
};

static void compare_count(void *opaque, const char *name, uint64_t counted)
{
    struct comparison *comparison = opaque;
    uint64_t value = 0;
    comparison->nr_compared++;
    if (stat_get_count(comparison->stats, name, &value) && value == counted)
        return;
    comparison->nr_differences++;
    if (!comparison->is_silent)
        printf("    %s: %" PRIu64 ", the model counts %" PRIu64 "\n", name, value, counted);
}

struct totals {
    uint64_t requests, counts, events, prefetches, differences;
};

/* What is compared when: of a machine that differs it is found out with which request that begins. */
enum care { COUNTS_IN_THE_END, COUNTS_EACH_TIME };

/* Whether it agrees. */
static bool run_machine(uint64_t seed, uint64_t number, uint64_t nr_requests, enum care care,
                        struct totals *totals)
{
    struct chance chance = {seed ^ (number + 1) * 0x2545f4914f6cdd1du};
    struct machine *machine = create(&chance);
    struct guest guest;
    init_guest(&guest, draw(&chance));
    char why[NAIVE_WHY_CHARS];
    struct cpu_seen_request request = {.at = paddr(0)};
    struct comparison comparison = {.stats = machine->stats, .is_silent = care == COUNTS_IN_THE_END};
    bool is_same = true;
    while (is_same && guest.nr_requests < nr_requests && comparison.nr_differences == 0) {
        if (!guest.is_flushing && once_in(&guest.chance, 100))
            is_same = snoop(machine, &guest, why);
        if (!is_same)
            break;
        choose(&guest, machine, &request);
        make(machine, &request);
        guest.last_ready = request.ready;
        guest.nr_requests++;
        is_same = naive_memory_request(&machine->naive, &request, why);
        if (care == COUNTS_EACH_TIME)
            naive_memory_counts(&machine->naive, compare_count, &comparison);
    }
    if (is_same && care == COUNTS_IN_THE_END)
        naive_memory_counts(&machine->naive, compare_count, &comparison);
    totals->requests += guest.nr_requests;
    totals->counts += comparison.nr_compared;
    is_same = is_same && comparison.nr_differences == 0;
    if (!is_same && care == COUNTS_EACH_TIME) {
        if (comparison.nr_differences)
            snprintf(why, sizeof why,
                     "other counts after it: kind %d, cache %d, use %d, at %" PRIx64 ", in cycle %" PRIu64,
                     request.kind, request.cache, request.use, request.at.v, request.asked);
        printf("machine %" PRIu64 " of seed %" PRIu64 ", request %" PRIu64 ": %s\n", number, seed,
               guest.nr_requests, why);
        show_machine(machine);
    }
    destroy(machine);
    return is_same;
}

static void check_machine(uint64_t seed, uint64_t number, uint64_t nr_requests, struct totals *totals)
{
    if (run_machine(seed, number, nr_requests, COUNTS_IN_THE_END, totals))
        return;
    totals->differences++;
    (void)run_machine(seed, number, nr_requests, COUNTS_EACH_TIME, totals);
}

/* ---- Prefetchers alone, on streams of their own ---- */

static void run_prefetcher(uint64_t seed, uint64_t number, uint64_t nr_events, struct totals *totals)
{
    struct chance chance = {seed ^ (number + 1) * 0x9fb21c651e98df25u};
    struct prefetch_params params = {.kind = (enum prefetch_kind)(1 + below(&chance, 3)),
                                     .line_bytes = 16 * power(&chance, 4),
                                     .degree = 1 + below(&chance, PREFETCH_MAX_LINES),
                                     .distance = 1 + below(&chance, 24),
                                     .nr_entries = 1 + below(&chance, 40)};
    struct naive_prefetch naive = {.kind = (enum naive_prefetcher)params.kind,
                                   .line_bytes = params.line_bytes,
                                   .degree = params.degree,
                                   .distance = params.distance,
                                   .nr_entries = params.nr_entries};
    struct prefetcher *prefetcher = prefetcher_create(&params);
    struct guest guest;
    if (!prefetcher)
        abort();
    naive_prefetch_init(&naive);
    init_guest(&guest, draw(&chance));
    for (uint64_t i = 0; i < nr_events; i++) {
        struct cpu_seen_request request;
        struct prefetch_list list;
        choose_address(&guest, &request);
        guest.nr_requests++;
        struct prefetch_event event = {.line = request.at.v / params.line_bytes, .ip = request.ip};
        prefetcher_train(prefetcher, &event, &list);
        naive_prefetch_event(&naive, event.line, event.ip);
        totals->events++;
        totals->prefetches += list.nr_lines;
        if (list.nr_lines == naive.nr_lines &&
            memcmp(list.line, naive.line, list.nr_lines * sizeof *list.line) == 0)
            continue;
        totals->differences++;
        printf("prefetcher %" PRIu64 " of seed %" PRIu64 " (kind %d, lines of %" PRIu64 ", degree %" PRIu64
               ", distance %" PRIu64 ", %" PRIu64 " entries), event %" PRIu64
               ": %u lines, the model has %u\n",
               number, seed, params.kind, params.line_bytes, params.degree, params.distance,
               params.nr_entries, i, list.nr_lines, naive.nr_lines);
        break;
    }
    naive_prefetch_free(&naive);
    prefetcher_destroy(prefetcher);
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
    enum { MAX_SHOWN = 10 };
    uint64_t nr_machines = 400 / LK_ORACLE_SHARE, nr_requests = 4000, seed = 1, only = 0;
    struct totals totals = {0};
    option(argc, argv, "--machines", &nr_machines);
    option(argc, argv, "--requests", &nr_requests);
    option(argc, argv, "--seed", &seed);
    if (option(argc, argv, "--only", &only)) {
        check_machine(seed, only, nr_requests, &totals);
    } else {
        for (uint64_t i = 0; i < nr_machines && totals.differences < MAX_SHOWN; i++) {
            check_machine(seed, i, nr_requests, &totals);
            run_prefetcher(seed, i, nr_requests, &totals);
        }
    }
    printf("naive_hierarchy: %" PRIu64 " requests and %" PRIu64 " counts compared, %" PRIu64
           " events of prefetchers with %" PRIu64 " prefetches: %" PRIu64 " machines with differences\n",
           totals.requests, totals.counts, totals.events, totals.prefetches, totals.differences);
    return totals.differences != 0;
}
