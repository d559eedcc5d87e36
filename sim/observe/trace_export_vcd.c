/*
 * Rules of the format: declarations, then `#time` lines that only go forward, and below each the signals that
 * changed then.
 */
#include "sim/observe/trace_export.h"
#include "sim/observe/trace_queue.h"
#include "sim/observe/trace_text.h"

#include <inttypes.h>
#include <stdlib.h>

enum signal {
    SIGNAL_FETCHING,
    SIGNAL_FETCH_AT,
    SIGNAL_DECODED,
    SIGNAL_ISSUED,
    SIGNAL_ISSUE_NUMBER,
    SIGNAL_ISSUE_AT,
    SIGNAL_MEMORY,
    SIGNAL_RESULTS,
    SIGNAL_CPL,
    SIGNAL_WAIT,
    SIGNAL_ITLB_WALKS,
    SIGNAL_DTLB_WALKS,
    SIGNAL_WALK_ENTRY,
    SIGNAL_L1I_MISSES,
    SIGNAL_L1D_MISSES,
    SIGNAL_DMA_LINES,
    SIGNAL_DMA_AT,
    SIGNAL_EXCEPTION,
    SIGNAL_INTERRUPT,
    SIGNAL_VECTOR,
    NR_SIGNALS,
};

static const struct {
    const char *scope, *name;
    unsigned bits;
} signals[NR_SIGNALS] = {
    [SIGNAL_FETCHING] = {"cpu0", "fetching", 8},
    [SIGNAL_FETCH_AT] = {"cpu0", "fetch_at", 64},
    [SIGNAL_DECODED] = {"cpu0", "decoded", 16},
    [SIGNAL_ISSUED] = {"cpu0", "issued", 8},
    [SIGNAL_ISSUE_NUMBER] = {"cpu0", "issue_number", 64},
    [SIGNAL_ISSUE_AT] = {"cpu0", "issue_at", 64},
    [SIGNAL_MEMORY] = {"cpu0", "memory", 16},
    [SIGNAL_RESULTS] = {"cpu0", "results", 16},
    [SIGNAL_CPL] = {"cpu0", "cpl", 2},
    [SIGNAL_WAIT] = {"cpu0", "wait", 4},
    [SIGNAL_ITLB_WALKS] = {"mmu", "itlb_walks", 8},
    [SIGNAL_DTLB_WALKS] = {"mmu", "dtlb_walks", 8},
    [SIGNAL_WALK_ENTRY] = {"mmu", "walk_entry", 64},
    [SIGNAL_L1I_MISSES] = {"cache", "l1i_misses", 8},
    [SIGNAL_L1D_MISSES] = {"cache", "l1d_misses", 8},
    [SIGNAL_DMA_LINES] = {"dma", "lines", 8},
    [SIGNAL_DMA_AT] = {"dma", "at", 64},
    [SIGNAL_EXCEPTION] = {"irq", "exception", 1},
    [SIGNAL_INTERRUPT] = {"irq", "interrupt", 1},
    [SIGNAL_VECTOR] = {"irq", "vector", 8},
};

enum what { WHAT_ADD, WHAT_SET };

struct vcd {
    const struct trace_show *show;
    FILE *out;
    struct trace_queue queue;
    uint64_t value[NR_SIGNALS], written[NR_SIGNALS];
    bool is_good;      /* memory has not been short */
    cycle_t now, told; /* told: what the latest `#` line says */
    cycle_t last_issue;
};

static void set(struct vcd *vcd, cycle_t cycle, enum signal signal, uint64_t value)
{
    vcd->is_good &= trace_queue_add(
        &vcd->queue, (struct trace_event){.cycle = cycle, .what = WHAT_SET, .id = signal, .value = value});
}

/* The signal counts one more from the first cycle to the one before `end`. */
static void count(struct vcd *vcd, enum signal signal, cycle_t first, cycle_t end)
{
    if (end <= first)
        return;
    vcd->is_good &= trace_queue_add(
        &vcd->queue, (struct trace_event){.cycle = first, .what = WHAT_ADD, .id = signal, .value = 1});
    vcd->is_good &= trace_queue_add(
        &vcd->queue, (struct trace_event){.cycle = end, .what = WHAT_ADD, .id = signal, .value = UINT64_MAX});
}

/* Signals are called by one printable character. */
static char name_of(enum signal signal)
{
    return (char)('A' + signal);
}

static void put_value(struct vcd *vcd, enum signal signal)
{
    uint64_t value = vcd->value[signal];
    unsigned bits = signals[signal].bits;
    if (bits < 64 && value >> bits)
        value = (UINT64_C(1) << bits) - 1; /* more than there is room for */
    vcd->written[signal] = vcd->value[signal];
    if (bits == 1) {
        fprintf(vcd->out, "%u%c\n", (unsigned)value, name_of(signal));
        return;
    }
    char digits[65];
    unsigned length = 64;
    digits[length] = 0;
    do
        digits[--length] = (char)('0' + (value & 1));
    while (value >>= 1);
    fprintf(vcd->out, "b%s %c\n", digits + length, name_of(signal));
}

static void put_header(struct vcd *vcd, const struct trace_info *info)
{
    FILE *out = vcd->out;
    fputs("$version\n    lookaside ", out);
    for (const char *at = info->version; *at; at++) /* of a stranger's file: `$` would end the text */
        fputc(*at > ' ' && *at < 0x7f && *at != '$' ? *at : '?', out);
    fputs("\n$end\n$comment\n    A nanosecond is a cycle. cpu0.wait is why nothing issues:", out);
    for (unsigned reason = 1; reason < NR_REASONS; reason++)
        fprintf(out, " %u %s%s", reason, trace_reason_name(reason), reason + 1 < NR_REASONS ? "," : "");
    fputs("\n$end\n$timescale 1 ns $end\n", out);
    for (enum signal signal = 0; signal < NR_SIGNALS; signal++) {
        bool is_first = signal == 0 || signals[signal].scope != signals[signal - 1].scope;
        if (is_first)
            fprintf(out, "%s$scope module %s $end\n", signal ? "$upscope $end\n" : "", signals[signal].scope);
        fprintf(out, "$var wire %u %c %s%s", signals[signal].bits, name_of(signal), signals[signal].name,
                signals[signal].bits == 1 ? "" : " ");
        if (signals[signal].bits > 1)
            fprintf(out, "[%u:0]", signals[signal].bits - 1);
        fputs(" $end\n", out);
    }
    fputs("$upscope $end\n$enddefinitions $end\n", out);
    fprintf(out, "#%" PRIu64 "\n$dumpvars\n", vcd->show->from);
    for (enum signal signal = 0; signal < NR_SIGNALS; signal++)
        put_value(vcd, signal);
    fputs("$end\n", out);
}

static void put_changes(struct vcd *vcd)
{
    for (enum signal signal = 0; signal < NR_SIGNALS; signal++) {
        if (vcd->value[signal] == vcd->written[signal])
            continue;
        if (vcd->now > vcd->told)
            fprintf(vcd->out, "#%" PRIu64 "\n", vcd->now);
        vcd->told = vcd->now;
        put_value(vcd, signal);
    }
}

/* Writes what happens before that cycle. What began before the first one is in its values. */
static void put_until(struct vcd *vcd, cycle_t before)
{
    struct trace_event event;
    while (trace_queue_take(&vcd->queue, before, &event)) {
        if (event.cycle > vcd->now) {
            put_changes(vcd);
            vcd->now = event.cycle;
        }
        vcd->value[event.id] = event.what == WHAT_SET ? event.value : vcd->value[event.id] + event.value;
    }
    put_changes(vcd);
}

static void add_walk(struct vcd *vcd, const struct trace_record *part)
{
    bool is_fetch = part->translation.access == MMU_FETCH;
    cycle_t asked = part->translation.asked;
    for (unsigned i = 0; i < part->walk.nr_steps; i++) {
        set(vcd, asked, SIGNAL_WALK_ENTRY, part->walk.step[i].at.v);
        asked = part->walk.step[i].ready;
    }
    count(vcd, is_fetch ? SIGNAL_ITLB_WALKS : SIGNAL_DTLB_WALKS, part->translation.asked, asked);
}

static void add_parts(struct vcd *vcd, const struct trace_row *row)
{
    for (unsigned i = 0; i < row->nr_parts; i++) {
        const struct trace_record *part = &row->parts[i];
        if (part->kind == TRACE_TRANSLATION && part->has_walk) {
            add_walk(vcd, part);
        } else if (part->kind == TRACE_ACCESS) {
            const struct cpu_seen_access *seen = &part->access;
            bool is_fetch = seen->kind == CPU_ACCESS_FETCH;
            if (is_fetch) {
                count(vcd, SIGNAL_FETCHING, seen->asked, seen->ready + 1);
                set(vcd, seen->asked, SIGNAL_FETCH_AT, seen->linear.v);
            }
            if (trace_access_missed(seen))
                count(vcd, is_fetch ? SIGNAL_L1I_MISSES : SIGNAL_L1D_MISSES, seen->translated, seen->ready);
        } else if (part->kind == TRACE_DEVICE) {
            count(vcd, SIGNAL_DMA_LINES, part->device.asked, part->device.ready);
            set(vcd, part->device.asked, SIGNAL_DMA_AT, part->device.at.v);
        }
    }
}

static void add_insn(struct vcd *vcd, const struct trace_row *row)
{
    const struct cpu_seen_insn *insn = &row->insn;
    cycle_t issued = insn->issued;
    cycle_t cycle;
    if (trace_row_enters(row, TRACE_STAGE_DECODE, &cycle))
        count(vcd, SIGNAL_DECODED, cycle, issued);
    count(vcd, SIGNAL_ISSUED, issued, issued + 1);
    set(vcd, issued, SIGNAL_ISSUE_NUMBER, insn->number);
    set(vcd, issued, SIGNAL_ISSUE_AT, insn->linear.v);
    set(vcd, issued, SIGNAL_CPL, insn->cpl);
    if (trace_row_enters(row, TRACE_STAGE_MEMORY, &cycle))
        count(vcd, SIGNAL_MEMORY, cycle, insn->done);
    count(vcd, SIGNAL_RESULTS, insn->done, insn->done + 1);
    if (insn->waited_for && vcd->last_issue + 1 < issued) {
        set(vcd, vcd->last_issue + 1, SIGNAL_WAIT, insn->waited_for);
        set(vcd, issued, SIGNAL_WAIT, 0);
    }
    vcd->last_issue = issued;
}

static void add_exception(struct vcd *vcd, const struct cpu_seen_exception *seen)
{
    count(vcd, seen->is_interrupt ? SIGNAL_INTERRUPT : SIGNAL_EXCEPTION, seen->cycle, seen->cycle + 1);
    set(vcd, seen->cycle, SIGNAL_VECTOR, seen->vector);
}

bool trace_export_vcd(const struct trace_show *show, struct diag *diag)
{
    struct trace_rows *rows = trace_rows_create(show->reader, show->from, show->to);
    struct vcd vcd = {.show = show,
                      .out = show->out,
                      .is_good = rows,
                      .now = show->from,
                      .told = show->from,
                      .last_issue = show->from};
    put_header(&vcd, trace_info(show->reader));
    const struct trace_row *row;
    while (vcd.is_good && !ferror(show->out) && (row = trace_rows_next(rows, diag))) {
        /* A wait begins behind the latest issue, and that may be before the bytes were asked for. */
        cycle_t begin = row->is_exception ? row->exception.cycle : row->asked;
        put_until(&vcd, begin < vcd.last_issue + 1 ? begin : vcd.last_issue + 1);
        add_parts(&vcd, row);
        if (row->is_exception)
            add_exception(&vcd, &row->exception);
        else
            add_insn(&vcd, row);
    }
    if (!vcd.is_good)
        diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    put_until(&vcd, UINT64_MAX);
    trace_queue_fini(&vcd.queue);
    trace_rows_destroy(rows);
    return diag->status == EXIT_STATUS_OK;
}
