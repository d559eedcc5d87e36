/*
 * cache/dram.c against the naive model: random configurations and streams of requests; every answer and all
 * counts must be equal, and every command that the naive model sends must keep its distance from those
 * before. usage: naive_dram_compare [CONFIGURATIONS [SEED]]
 */
#include "cache/dram.h"
#include "tests/oracle/dram_legal.h"
#include "tests/oracle/naive_dram_config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NR_REQUESTS = 4000, DEFAULT_CONFIGURATIONS = 300 / LK_ORACLE_SHARE };

static uint64_t random_state = 1;

static uint64_t random_64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * UINT64_C(0x9e3779b97f4a7c15) >> 8;
}

static uint64_t below(uint64_t bound)
{
    return random_64() % bound;
}

static bool one_in(uint64_t n)
{
    return below(n) == 0;
}

/* The keys of a configuration, as they would stand after -s. */
struct keys {
    char text[48][64];
    unsigned nr;
};

__attribute__((format(printf, 2, 3))) static void key(struct keys *keys, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(keys->text[keys->nr], sizeof keys->text[0], format, args);
    va_end(args);
    keys->nr++;
}

static void random_timings(struct keys *keys)
{
    static const char *const names[] = {"tCL",   "tCWL",   "tRCD",   "tRP",    "tRAS",      "tRTP",
                                        "tWR",   "tWTR_S", "tWTR_L", "tRRD_S", "tRRD_L",    "tFAW",
                                        "tRTRS", "tCCD_L", "tCCD_S", "tBURST", "controller"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (one_in(3))
            key(keys, "dram.%s=%u", names[i], (unsigned)below(one_in(4) ? 60 : 12));
        else if (one_in(12))
            key(keys, "dram.%s=%u.%uns", names[i], (unsigned)below(40), (unsigned)below(1000));
    }
    if (one_in(2))
        key(keys, "dram.tREFI=%u", one_in(3) ? 0 : 500 + (unsigned)below(4000));
    if (one_in(2))
        key(keys, "dram.tRFC=%u", (unsigned)below(400));
}

static void random_keys(struct keys *keys)
{
    static const char *const presets[] = {"fixed", "ddr2-800", "ddr3-1600", "ddr4-2400"};
    static const char *const mappings[] = {"row:rank:bank:column:channel", "row:rank:bank:channel:column",
                                           "row:bank:rank:column:channel", "row:column:rank:bank:channel",
                                           "row:channel:rank:bank:column"};
    keys->nr = 0;
    unsigned line = 16U << below(5), banks = 1U << below(6);
    key(keys, "dram.preset=%s", presets[one_in(8) ? 0 : 1 + below(3)]);
    key(keys, "dram.mapping=%s", mappings[below(5)]);
    key(keys, "dram.channels=%u", 1U << below(3));
    key(keys, "dram.ranks=%u", 1U << below(3));
    key(keys, "dram.banks=%u", banks);
    if (one_in(2))
        key(keys, "dram.bank_groups=%u", banks >> below(2 + (unsigned)__builtin_ctz(banks)));
    key(keys, "dram.row=%u", 256U << below(6));
    key(keys, "dram.bus=%u", 1U << below(5));
    key(keys, "dram.policy=%s", one_in(3) ? "closed" : "open");
    key(keys, "dram.permute=%s", one_in(2) ? "true" : "false");
    key(keys, "cpu.frequency=%u", one_in(3) ? 1000000000U : 1000000U + (unsigned)below(4000000000U));
    key(keys, "cache.l1i.line=%u", line);
    key(keys, "cache.l1d.line=%u", line);
    key(keys, "cache.l2.line=%u", line);
    key(keys, "cpu.fetch_bytes=16");
    if (one_in(2)) {
        key(keys, "dram.row_hit_cycles=%u", 1 + (unsigned)below(100));
        key(keys, "dram.row_miss_cycles=%u", 1 + (unsigned)below(100));
        key(keys, "dram.burst_cycles=%u", (unsigned)below(50));
    }
    if (one_in(2))
        random_timings(keys);
}

/* False: these keys are no configuration. */
static bool make_config(const struct keys *keys, struct config *config)
{
    struct cfg *cfg = cfg_create();
    struct diag diag;
    diag_init(&diag);
    bool is_good = cfg;
    for (unsigned i = 0; is_good && i < keys->nr; i++)
        is_good = cfg_set(cfg, keys->text[i], &diag);
    is_good = is_good && cfg_check(cfg, &diag);
    if (is_good)
        *config = *cfg_values(cfg);
    diag_fini(&diag);
    cfg_destroy(cfg);
    return is_good;
}

/* A stream with a character: near or far, dense or sparse, forwards or not. */
struct stream {
    uint64_t at, now, region_bytes, stride, gap, writes_in, back;
};

static void next_request(struct stream *s)
{
    if (one_in(200)) {
        s->region_bytes = UINT64_C(1) << (8 + below(24));
        s->stride = one_in(2) ? 64 : below(1 << 16);
        s->gap = UINT64_C(1) << below(10);
        s->writes_in = 1 + below(8);
        s->back = one_in(2) ? 1 : 400;
    }
    s->at = one_in(4) ? below(s->region_bytes) : (s->at + s->stride) % s->region_bytes;
    s->now += below(s->gap);
    if (one_in(2000))
        s->now += below(UINT64_C(1) << (10 + below(16)));
}

static void show(const struct keys *keys, uint64_t seed)
{
    fprintf(stderr, "seed %" PRIu64 ":", seed);
    for (unsigned i = 0; i < keys->nr; i++)
        fprintf(stderr, " %s", keys->text[i]);
    fputc('\n', stderr);
}

static unsigned compare_counts(const struct dram *dram, const struct naive_dram *naive)
{
    const struct dram_stats *ours = dram_stats(dram);
    const struct naive_dram_counts *theirs = &naive->counts;
    unsigned nr_differences = 0;
#define STAT(name, unit, sentence)                                                                           \
    if (ours->name != theirs->name) {                                                                        \
        fprintf(stderr, "%s: %" PRIu64 ", naive %" PRIu64 "\n", #name, ours->name, theirs->name);            \
        nr_differences++;                                                                                    \
    }
#include "cache/dram_stats.def"
#undef STAT
    return nr_differences;
}

/* Pairs of commands mean something where bursts do not overlap by the configuration itself. */
static bool is_sane(const struct naive_dram_config *c)
{
    return !c->fixed && c->tCCD_L >= c->tBURST && c->tCCD_S > 0 && c->tBURST > 0;
}

static bool run(struct keys *keys, const struct config *config, uint64_t seed, uint64_t *nr_pairs)
{
    struct dram_params params = dram_params_of(config);
    struct naive_dram_config naive_config = naive_dram_config_of(config);
    struct naive_dram naive;
    struct dram_legal legal = {.config = &naive_config};
    struct dram *dram = dram_create(&params);
    struct stream stream = {.region_bytes = 1 << 16, .stride = 64, .gap = 20, .writes_in = 3, .back = 1};
    if (!dram || !naive_dram_init(&naive, &naive_config)) {
        dram_destroy(dram);
        fprintf(stderr, "out of memory\n");
        return false;
    }
    if (is_sane(&naive_config)) {
        naive.watch = dram_legal_watch;
        naive.opaque = &legal;
    }
    bool is_good = true;
    for (unsigned i = 0; is_good && i < NR_REQUESTS; i++) {
        next_request(&stream);
        bool is_write = one_in(stream.writes_in);
        uint64_t back = below(stream.back), now = stream.now > back ? stream.now - back : 0;
        uint64_t ours = dram_access(dram, paddr(stream.at), is_write, now);
        uint64_t theirs = naive_dram_access(&naive, stream.at, is_write, now);
        is_good = ours == theirs && !legal.broken;
        if (ours != theirs)
            fprintf(stderr,
                    "request %u, %s of %" PRIx64 " in cycle %" PRIu64 ": %" PRIu64 ", naive %" PRIu64 "\n", i,
                    is_write ? "write" : "read", stream.at, now, ours, theirs);
        if (legal.broken)
            fprintf(stderr, "request %u breaks %s: command %d at %" PRIu64 ", command %d at %" PRIu64 "\n", i,
                    legal.broken, (int)legal.first.command, legal.first.clock, (int)legal.second.command,
                    legal.second.clock);
    }
    is_good = is_good && compare_counts(dram, &naive) == 0;
    if (!is_good)
        show(keys, seed);
    *nr_pairs += legal.nr_pairs;
    naive_dram_free(&naive);
    dram_destroy(dram);
    return is_good;
}

int main(int argc, char **argv)
{
    uint64_t nr_wanted = argc > 1 ? strtoull(argv[1], NULL, 10) : DEFAULT_CONFIGURATIONS;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1, nr_made = 0, nr_pairs = 0, nr_bad = 0;
    for (; nr_made < nr_wanted && nr_bad < 5; seed++) {
        struct keys keys;
        struct config config;
        random_state = seed * UINT64_C(0x2545f4914f6cdd1d) | 1;
        random_keys(&keys);
        if (!make_config(&keys, &config))
            continue;
        nr_made++;
        nr_bad += !run(&keys, &config, seed, &nr_pairs);
    }
    printf("%" PRIu64 " configurations, %" PRIu64 " requests, %" PRIu64 " pairs of commands: %" PRIu64
           " differences\n",
           nr_made, nr_made * NR_REQUESTS, nr_pairs, nr_bad);
    return nr_bad != 0;
}
