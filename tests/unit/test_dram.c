/* Closed forms of docs/dram.md: what an access takes, by the figures of the data sheets. */
#include "cache/dram.h"
#include "cache/dram_clock.h"

#include <criterion/criterion.h>

/* The presets' figures once more, in clocks, as the data sheets' examples have them. */
struct sheet {
    const char *preset;
    uint64_t clock_hz;
    uint64_t cl, cwl, rcd, rp, ras, burst, wr, wtr_l, rtp, ccd_l, rfc, refi;
};
static const struct sheet sheets[] = {
    {"ddr2-800", 400000000, 5, 4, 5, 5, 18, 4, 6, 3, 3, 2, 51, 3120},
    {"ddr3-1600", 800000000, 11, 8, 11, 11, 28, 4, 12, 6, 6, 4, 208, 6240},
    {"ddr4-2400", 1200000000, 17, 12, 17, 17, 39, 4, 18, 9, 9, 6, 420, 9360},
};
enum { NR_SHEETS = sizeof sheets / sizeof *sheets };

static const uint64_t cpu_frequencies_hz[] = {1000000000, 33333333, 400000000, 2666666666, 4000000000};
enum { NR_FREQUENCIES = sizeof cpu_frequencies_hz / sizeof *cpu_frequencies_hz };

enum { ROW_BYTES = 8192 };

static struct dram *make(const struct sheet *sheet, uint64_t cpu_hz, const char *const *more)
{
    char text[80];
    struct diag diag;
    struct cfg *cfg = cfg_create();
    diag_init(&diag);
    snprintf(text, sizeof text, "dram.preset=%s", sheet->preset);
    cr_assert(cfg_set(cfg, text, &diag));
    snprintf(text, sizeof text, "cpu.frequency=%llu", (unsigned long long)cpu_hz);
    cr_assert(cfg_set(cfg, text, &diag));
    cr_assert(cfg_set(cfg, "dram.permute=false", &diag));
    for (; more && *more; more++)
        cr_assert(cfg_set(cfg, *more, &diag), "%s", *more);
    cr_assert(cfg_check(cfg, &diag), "%s", diag.nr_lines ? diag.lines[0] : "");
    struct dram_params params = dram_params_of(cfg_values(cfg));
    struct dram *dram = dram_create(&params);
    cr_assert_not_null(dram);
    cfg_destroy(cfg);
    diag_fini(&diag);
    return dram;
}

/* ceil(a x to / from), by division. */
static uint64_t convert(uint64_t a, uint64_t to, uint64_t from)
{
    return (uint64_t)(((unsigned __int128)a * to + from - 1) / from);
}

/* A cycle that begins with an edge of the memory's clock: a whole number of seconds. */
static cycle_t aligned(uint64_t cpu_hz)
{
    return cpu_hz;
}

static const char *const no_refresh[] = {"dram.tREFI=0", NULL};

Test(dram, hit_miss_and_conflict_take_what_the_data_sheet_says)
{
    for (unsigned s = 0; s < NR_SHEETS; s++) {
        for (unsigned f = 0; f < NR_FREQUENCIES; f++) {
            const struct sheet *p = &sheets[s];
            uint64_t hz = cpu_frequencies_hz[f];
            struct dram *dram = make(p, hz, no_refresh);
            cycle_t now = aligned(hz);
            cr_expect_eq(dram_access(dram, paddr(0), false, now),
                         now + convert(p->rcd + p->cl + p->burst, hz, p->clock_hz), "%s miss", p->preset);
            now *= 2;
            cr_expect_eq(dram_access(dram, paddr(64), false, now),
                         now + convert(p->cl + p->burst, hz, p->clock_hz), "%s hit", p->preset);
            now *= 2;
            cr_expect_eq(dram_access(dram, paddr(8 * ROW_BYTES), false, now),
                         now + convert(p->rp + p->rcd + p->cl + p->burst, hz, p->clock_hz), "%s conflict",
                         p->preset);
            now *= 2;
            cr_expect_eq(dram_access(dram, paddr(8 * ROW_BYTES), true, now),
                         now + convert(p->cwl + p->burst, hz, p->clock_hz), "%s write hit", p->preset);
            const struct dram_stats *stats = dram_stats(dram);
            cr_assert(stats->row_hits == 2 && stats->row_misses == 1 && stats->row_conflicts == 1);
            cr_assert(stats->activates == 2 && stats->precharges == 1 && stats->queue_cycles == 0);
            dram_destroy(dram);
        }
    }
}

Test(dram, a_request_waits_for_the_next_edge)
{
    struct dram *dram = make(&sheets[0], 1000000000, no_refresh); /* an edge each 2.5 cycles */
    dram_access(dram, paddr(0), false, 0);
    const cycle_t ready[] = {1023, 1025, 1025, 1028, 1028, 1028}; /* 22.5 after 1000, 1002.5 and 1005 */
    for (unsigned i = 0; i < 6; i++) {
        struct dram *again = make(&sheets[0], 1000000000, no_refresh);
        dram_access(again, paddr(0), false, 0);
        cr_expect_eq(dram_access(again, paddr(0), false, 1000 + i), ready[i], "%u", i);
        dram_destroy(again);
    }
    dram_destroy(dram);
}

Test(dram, the_controllers_time_comes_on_top)
{
    static const char *const keys[] = {"dram.tREFI=0", "dram.controller=20ns", NULL};
    struct dram *dram = make(&sheets[0], 1000000000, keys);
    cr_assert_eq(dram_access(dram, paddr(0), false, 1000), 1000 + 35 + 20);
    dram_destroy(dram);
}

/* Rows of one bank in turn, all asked for at once: each takes tRC from the last one. */
Test(dram, conflicts_in_a_bank_follow_each_other_by_trc)
{
    for (unsigned s = 0; s < NR_SHEETS; s++) {
        const struct sheet *p = &sheets[s];
        struct dram *dram = make(p, p->clock_hz, no_refresh);
        uint64_t first = p->rcd + p->cl + p->burst;
        for (uint64_t i = 0; i < 100; i++)
            cr_assert_eq(dram_access(dram, paddr(i * 8 * ROW_BYTES), false, 0), first + i * (p->ras + p->rp),
                         "%s %llu", p->preset, (unsigned long long)i);
        dram_destroy(dram);
    }
}

/* With writes it is the write recovery that keeps the bank. */
Test(dram, a_written_row_closes_after_its_write_recovery)
{
    for (unsigned s = 0; s < NR_SHEETS; s++) {
        const struct sheet *p = &sheets[s];
        struct dram *dram = make(p, p->clock_hz, no_refresh);
        uint64_t first = dram_access(dram, paddr(0), true, 0), recovery = p->wr + p->rp;
        cr_assert_eq(first, p->rcd + p->cwl + p->burst);
        uint64_t by_ras = p->ras + p->rp, by_write = first + recovery;
        uint64_t activate = by_ras > by_write ? by_ras : by_write;
        cr_assert_eq(dram_access(dram, paddr(8 * ROW_BYTES), false, 0), activate + p->rcd + p->cl + p->burst);
        dram_destroy(dram);
    }
}

/* A stream through a row: where bursts may follow at once, the bus is never idle. */
Test(dram, a_stream_is_as_fast_as_the_bus)
{
    for (unsigned s = 0; s < NR_SHEETS; s++) {
        const struct sheet *p = &sheets[s];
        uint64_t hz = 3000000000, nr_lines = ROW_BYTES / 64;
        bool has_groups = p->ccd_l > p->burst;
        /* DDR4's groups take turns when lines go round the banks. */
        static const char *const round[] = {"dram.tREFI=0", "dram.mapping=row:column:rank:bank:channel",
                                            NULL};
        struct dram *dram = make(p, hz, has_groups ? round : no_refresh);
        for (uint64_t bank = 0; bank < 8; bank++)
            dram_access(dram, paddr(has_groups ? bank * 64 : bank * ROW_BYTES), false, 0);
        cycle_t start = hz, end = 0;
        for (uint64_t i = 0; i < nr_lines; i++)
            end = dram_access(dram, paddr(i * 64), false, start);
        cr_assert_eq(end, start + convert(p->cl + nr_lines * p->burst, hz, p->clock_hz), "%s", p->preset);
        dram_destroy(dram);
    }
}

Test(dram, lines_of_one_bank_group_are_tccd_l_apart)
{
    const struct sheet *p = &sheets[2];
    struct dram *dram = make(p, p->clock_hz, no_refresh);
    uint64_t first = dram_access(dram, paddr(0), false, 0);
    for (uint64_t i = 1; i < 100; i++)
        cr_assert_eq(dram_access(dram, paddr(i * 64), false, 0), first + i * p->ccd_l);
    dram_destroy(dram);
}

Test(dram, channels_do_not_wait_for_each_other)
{
    static const char *const keys[] = {"dram.tREFI=0", "dram.channels=4", NULL};
    for (unsigned s = 0; s < NR_SHEETS; s++) {
        const struct sheet *p = &sheets[s];
        struct dram *dram = make(p, p->clock_hz, keys);
        for (uint64_t i = 0; i < 4; i++)
            cr_assert_eq(dram_access(dram, paddr(i * 64), false, 0), p->rcd + p->cl + p->burst);
        cr_assert_gt(dram_access(dram, paddr((uint64_t)4 * 64), false, 0), p->rcd + p->cl + p->burst);
        dram_destroy(dram);
    }
}

Test(dram, a_read_after_a_write_waits_for_twtr_and_a_write_after_a_read_for_the_bus)
{
    for (unsigned s = 0; s < NR_SHEETS; s++) {
        const struct sheet *p = &sheets[s];
        struct dram *dram = make(p, p->clock_hz, no_refresh);
        dram_access(dram, paddr(0), false, 0);
        uint64_t t = 10000, written = dram_access(dram, paddr(0), true, t);
        cr_assert_eq(written, t + p->cwl + p->burst);
        cr_assert_eq(dram_access(dram, paddr(64), false, t), written + p->wtr_l + p->cl + p->burst);
        t = 20000;
        uint64_t read = dram_access(dram, paddr(0), false, t);
        /* RL + BL/2 + 2 - WL after the read (JESD79-3F 4.13.2) */
        cr_assert_eq(dram_access(dram, paddr(64), true, t),
                     t + (p->cl + p->burst + 2 - p->cwl) + p->cwl + p->burst);
        cr_assert_eq(read, t + p->cl + p->burst);
        cr_assert_eq(dram_stats(dram)->turnaround_waits, 2);
        dram_destroy(dram);
    }
}

Test(dram, another_rank_costs_two_clocks_of_the_bus)
{
    static const char *const keys[] = {"dram.tREFI=0", "dram.ranks=2",
                                       "dram.mapping=row:column:rank:bank:channel", NULL};
    const struct sheet *p = &sheets[1];
    struct dram *dram = make(p, p->clock_hz, keys);
    uint64_t other = (uint64_t)8 * 64;
    dram_access(dram, paddr(0), false, 0), dram_access(dram, paddr(other), false, 0);
    uint64_t t = 10000, first = dram_access(dram, paddr(0), false, t);
    cr_assert_eq(dram_access(dram, paddr(other), false, t), first + 2 + p->burst);
    dram_destroy(dram);
}

/* Asked for in each clock of two intervals, on a fresh machine: nothing is answered within a refresh. */
Test(dram, a_refresh_takes_trfc_each_trefi)
{
    for (unsigned s = 0; s < NR_SHEETS; s++) {
        const struct sheet *p = &sheets[s];
        uint64_t alone = p->rcd + p->cl + p->burst, nr_delayed = 0;
        /* An access whose bank cannot be closed in time waits as well. */
        uint64_t closed = p->ras > p->rcd + p->rtp ? p->ras + p->rp : p->rcd + p->rtp + p->rp;
        for (uint64_t t = p->refi; t < 3 * p->refi; t++) {
            struct dram *dram = make(p, p->clock_hz, NULL);
            uint64_t phase = t % p->refi, refresh = t - phase;
            uint64_t begin = phase < p->rfc             ? refresh + p->rfc
                             : phase + closed > p->refi ? refresh + p->refi + p->rfc
                                                        : t;
            cr_assert_eq(dram_access(dram, paddr(0), false, t), begin + alone, "%s %llu", p->preset,
                         (unsigned long long)t);
            cr_assert_eq(dram_stats(dram)->refresh_waits, begin != t);
            cr_assert_eq(dram_stats(dram)->refreshes, begin / p->refi);
            nr_delayed += begin != t;
            dram_destroy(dram);
        }
        cr_assert_eq(nr_delayed, 2 * (p->rfc + closed - 1), "%s", p->preset);
    }
}

/*
 * Back to back hits for a thousand intervals: the share of time that refresh takes is missing from the bus.
 */
Test(dram, a_stream_loses_what_refresh_takes)
{
    const struct sheet *p = &sheets[0];
    struct dram *dram = make(p, p->clock_hz, NULL);
    uint64_t nr_lines = 0;
    for (; dram_stats(dram)->refreshes < 1000; nr_lines++)
        dram_access(dram, paddr(0), false, 0);
    uint64_t usable = 1000 * (p->refi - p->rfc) / p->burst;
    cr_assert_geq(nr_lines, usable - usable / 100);
    cr_assert_leq(nr_lines, usable);
    cr_assert_eq(dram_stats(dram)->precharges, 1000);
    dram_destroy(dram);
}

Test(dram, the_closed_policy_makes_a_miss_of_each_access)
{
    static const char *const keys[] = {"dram.tREFI=0", "dram.policy=closed", NULL};
    for (unsigned s = 0; s < NR_SHEETS; s++) {
        const struct sheet *p = &sheets[s];
        struct dram *dram = make(p, p->clock_hz, keys);
        uint64_t miss = p->rcd + p->cl + p->burst;
        for (uint64_t i = 1; i < 50; i++)
            cr_assert_eq(dram_access(dram, paddr(i % 2 * 64), false, i * 1000), i * 1000 + miss);
        cr_assert_eq(dram_access(dram, paddr(0), false, 100000), 100000 + miss);
        cr_assert_eq(dram_access(dram, paddr(0), false, 100000), 100000 + p->ras + p->rp + miss,
                     "the same row at once: tRC");
        cr_assert_eq(dram_stats(dram)->row_misses, 51);
        cr_assert_eq(dram_stats(dram)->precharges, 51);
        dram_destroy(dram);
    }
}

Test(dram, a_line_longer_than_a_burst_takes_several)
{
    static const char *const keys[] = {"dram.tREFI=0", "cache.l1i.line=256", "cache.l1d.line=256",
                                       "cache.l2.line=256", NULL};
    const struct sheet *p = &sheets[2];
    struct dram *dram = make(p, p->clock_hz, keys);
    cr_assert_eq(dram_access(dram, paddr(0), false, 0), p->rcd + 3 * p->ccd_l + p->cl + p->burst);
    dram_destroy(dram);
}

Test(dram, timings_can_be_set_in_clocks_and_in_time)
{
    static const char *const keys[] = {"dram.tREFI=0", "dram.tCL=9", "dram.tRCD=11.26ns", "dram.tBURST=2",
                                       NULL};
    struct dram *dram = make(&sheets[1], 800000000, keys);
    cr_assert_eq(dram_access(dram, paddr(0), false, 0), 10 + 9 + 2, "11.26 ns are 9.008 clocks");
    dram_destroy(dram);
}

Test(dram, each_mapping_puts_its_fields_where_its_name_says)
{
    static const struct {
        const char *name;
        unsigned channel, rank,
            bank; /* lowest bit of each, with 64-byte lines, 8 KiB rows, 2, 2 and 8 of them */
    } cases[] = {
        {"row:rank:bank:column:channel", 6, 17, 14},  {"row:rank:bank:channel:column", 13, 17, 14},
        {"row:bank:rank:column:channel", 6, 14, 15},  {"row:column:rank:bank:channel", 6, 10, 7},
        {"row:channel:rank:bank:column", 17, 16, 13},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        char mapping[64];
        snprintf(mapping, sizeof mapping, "dram.mapping=%s", cases[i].name);
        const char *const keys[] = {"dram.channels=2", "dram.ranks=2", mapping, NULL};
        struct dram *dram = make(&sheets[0], 1000000000, keys);
        for (unsigned bit = 0; bit < 18; bit++) {
            struct dram_place place = dram_place(dram, paddr(UINT64_C(1) << bit));
            unsigned in_bank = bit - cases[i].bank;
            cr_expect_eq(place.channel, bit == cases[i].channel, "%s bit %u", cases[i].name, bit);
            cr_expect_eq(place.rank, bit == cases[i].rank, "%s bit %u", cases[i].name, bit);
            cr_expect_eq(place.bank, in_bank < 3 ? 1U << in_bank : 0, "%s bit %u", cases[i].name, bit);
            cr_expect_eq(place.row, 0);
        }
        cr_expect_eq(dram_place(dram, paddr(UINT64_C(5) << 18)).row, 5);
        dram_destroy(dram);
    }
}

Test(dram, clocks_convert_exactly)
{
    const uint64_t hz[] = {400000000, 800000000, 1200000000, 1000000,
                           33333333,  999999937, 1000000000, 10000000000};
    uint64_t state = 1;
    for (unsigned a = 0; a < 8; a++) {
        for (unsigned b = 0; b < 8; b++) {
            struct clock_ratio ratio = clock_ratio(hz[a], hz[b]);
            for (unsigned i = 0; i < 2000; i++) {
                state = state * UINT64_C(6364136223846793005) + 1;
                uint64_t time = state >> (20 + i % 44);
                cr_assert_eq(clock_convert(&ratio, time), convert(time, hz[a], hz[b]), "%llu of %llu in %llu",
                             (unsigned long long)time, (unsigned long long)hz[b], (unsigned long long)hz[a]);
            }
        }
    }
}

/* docs/dram.md's example. */
Test(dram, the_example_of_the_page)
{
    struct dram *dram = make(&sheets[1], 1000000000, NULL);
    uint64_t bank_1 = ROW_BYTES;
    cr_assert_eq(dram_access(dram, paddr(0), false, 1000), 1033);
    cr_assert_eq(dram_access(dram, paddr(64), false, 1033), 1053);
    cr_assert_eq(dram_access(dram, paddr(8 * ROW_BYTES), false, 1053), 1100);
    cr_assert_eq(dram_access(dram, paddr(bank_1), false, 1040), 1107);
    dram_destroy(dram);
}

Test(dram, fixed_with_the_closed_policy_is_always_a_row_miss)
{
    struct dram *dram = dram_create(&(struct dram_params){8, 8192, 40, 60, 80, 8, .is_closed = true});
    cr_assert_eq(dram_access(dram, paddr(0), false, 1000), 1060);
    cr_assert_eq(dram_access(dram, paddr(0), false, 1000), 1000 + 20 + 8 + 20 + 60);
    cr_assert_eq(dram_stats(dram)->row_misses, 2);
    cr_assert_eq(dram_stats(dram)->precharges, 2);
    dram_destroy(dram);
}
