/*
 * Slices (`X`) of one thread must nest: so the core has a thread a subject, and walks that overlap go to
 * several. What overlaps freely (misses, lines of devices, what tasks of the guest are at) are asynchronous
 * events (`b`, `e`).
 */
#include "sim/base/jsonout.h"
#include "sim/base/mm_event.h"
#include "sim/observe/trace_export.h"
#include "sim/observe/trace_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

enum {
    PROCESS_CPU = 1,
    PROCESS_MMU,
    PROCESS_CACHES,
    PROCESS_DEVICES,
    PROCESS_GUEST,
    THREAD_PRIVILEGE = 1,
    THREAD_HANDLERS,
    THREAD_WAITS,
    MAX_NESTED = 64,
    MAX_LANES = 16,
    MAX_GUEST_WORKS = 64, /* under way at once */
    MIN_WINDOW_CYCLES = 1000,
    MAX_WINDOWS = 20000,
    NAME_CHARS = 16,
};

struct handler {
    char name[NAME_CHARS];
    cycle_t begin;
};

/* What the guest's memory management is at. */
struct guest_work {
    struct mm_event begin;
    char text[MM_EVENT_TEXT_CHARS];
};

struct perfetto {
    FILE *out;
    uint64_t written_bytes;
    bool has_events;
    cycle_t last_issue;
    unsigned cpl;
    bool has_cpl;
    cycle_t cpl_since;
    struct handler handler[MAX_NESTED];
    unsigned nr_handlers;
    cycle_t lane_end[2][MAX_LANES]; /* data and fetch walks: when a thread is free */
    struct guest_work work[MAX_GUEST_WORKS];
    unsigned nr_works;
    cycle_t last_mark;
    uint64_t nr_async;
    cycle_t window_cycles, window_end;
    uint64_t window_insns, window_tlb_misses, window_cache_misses;
};

__attribute__((format(printf, 2, 3))) static void put(struct perfetto *to, const char *format, ...)
{
    va_list args;
    fputs(to->has_events ? ",\n" : "\n", to->out);
    to->has_events = true;
    va_start(args, format);
    int length = vfprintf(to->out, format, args);
    va_end(args);
    to->written_bytes += length > 0 ? (unsigned)length + 2 : 0;
}

static void put_names(struct perfetto *to)
{
    static const char *const processes[] = {[PROCESS_CPU] = "cpu0",
                                            [PROCESS_MMU] = "mmu",
                                            [PROCESS_CACHES] = "caches",
                                            [PROCESS_DEVICES] = "dma",
                                            [PROCESS_GUEST] = "guest memory"};
    static const char *const threads[] = {
        [THREAD_PRIVILEGE] = "privilege", [THREAD_HANDLERS] = "handlers", [THREAD_WAITS] = "waits"};
    for (unsigned i = PROCESS_CPU; i <= PROCESS_GUEST; i++)
        put(to, "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%u,\"args\":{\"name\":\"%s\"}}", i,
            processes[i]);
    for (unsigned i = THREAD_PRIVILEGE; i <= THREAD_WAITS; i++)
        put(to, "{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":%u,\"tid\":%u,\"args\":{\"name\":\"%s\"}}",
            PROCESS_CPU, i, threads[i]);
    for (unsigned i = 0; i < 2; i++)
        for (unsigned lane = 0; lane < MAX_LANES; lane++)
            if (to->lane_end[i][lane])
                put(to,
                    "{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":%u,\"tid\":%u,"
                    "\"args\":{\"name\":\"%s walks\"}}",
                    PROCESS_MMU, i * MAX_LANES + lane + 1, i ? "fetch" : "data");
}

static void put_slice(struct perfetto *to, unsigned process, unsigned thread, const char *name, cycle_t begin,
                      cycle_t end)
{
    put(to, "{\"ph\":\"X\",\"name\":\"%s\",\"pid\":%u,\"tid\":%u,\"ts\":%" PRIu64 ",\"dur\":%" PRIu64 "}",
        name, process, thread, begin, end > begin ? end - begin : 0);
}

/* From asked to ready; several may be on their way. `arguments` is the inside of an object. */
static void put_async(struct perfetto *to, unsigned process, const char *category, const char *name,
                      cycle_t begin, cycle_t end, const char *arguments)
{
    uint64_t id = to->nr_async++;
    put(to,
        "{\"ph\":\"b\",\"cat\":\"%s\",\"name\":\"%s\",\"id\":%" PRIu64 ",\"pid\":%u,\"tid\":1,\"ts\":%" PRIu64
        ",\"args\":{%s}}",
        category, name, id, process, begin, arguments);
    put(to,
        "{\"ph\":\"e\",\"cat\":\"%s\",\"name\":\"%s\",\"id\":%" PRIu64 ",\"pid\":%u,\"tid\":1,\"ts\":%" PRIu64
        "}",
        category, name, id, process, end > begin ? end : begin);
}

/* ---- The core ---- */

static void end_handlers(struct perfetto *to, unsigned nr_kept, cycle_t cycle)
{
    while (to->nr_handlers > nr_kept) {
        const struct handler *handler = &to->handler[--to->nr_handlers];
        put_slice(to, PROCESS_CPU, THREAD_HANDLERS, handler->name, handler->begin, cycle);
    }
}

static void end_privilege(struct perfetto *to, cycle_t cycle)
{
    static const char *const names[] = {"kernel", "ring 1", "ring 2", "user"};
    if (to->has_cpl && cycle > to->cpl_since)
        put_slice(to, PROCESS_CPU, THREAD_PRIVILEGE, names[to->cpl], to->cpl_since, cycle);
    to->cpl_since = cycle;
}

/* Which byte of an instruction is its opcode, behind an operand size and a REX prefix (SDM 2A 2.1). */
static unsigned opcode_at(const struct cpu_seen_insn *insn)
{
    unsigned i = 0;
    while (i + 1 < insn->length_bytes &&
           (insn->bytes[i] == 0x66 || (insn->code_bits == 64 && insn->bytes[i] >> 4 == 4)))
        i++;
    return i;
}

/* IRET, SYSEXIT, SYSRET (SDM 2A, 2B). */
static bool leaves_handler(const struct cpu_seen_insn *insn)
{
    const uint8_t *opcode = insn->bytes + opcode_at(insn);
    return opcode[0] == 0xcf || (opcode[0] == 0x0f && (opcode[1] == 0x35 || opcode[1] == 0x07));
}

/* INT n, SYSENTER, SYSCALL: the word for it, or "". */
static void name_call(const struct cpu_seen_insn *insn, struct trace_text *name)
{
    const uint8_t *opcode = insn->bytes + opcode_at(insn);
    if (opcode[0] == 0xcd)
        trace_text_add(name, "int %02xh", opcode[1]);
    else if (opcode[0] == 0x0f && (opcode[1] == 0x34 || opcode[1] == 0x05))
        trace_text_add(name, "%s", opcode[1] == 0x34 ? "sysenter" : "syscall");
}

static void put_windows(struct perfetto *to, cycle_t until)
{
    if (until < to->window_end)
        return;
    const struct {
        const char *name;
        uint64_t *count;
    } counters[] = {{"instructions", &to->window_insns},
                    {"TLB misses", &to->window_tlb_misses},
                    {"cache misses", &to->window_cache_misses}};
    for (unsigned i = 0; i < sizeof counters / sizeof *counters; i++) {
        put(to,
            "{\"ph\":\"C\",\"name\":\"%s per %" PRIu64 " cycles\",\"pid\":%u,\"ts\":%" PRIu64
            ",\"args\":{\"n\":%" PRIu64 "}}",
            counters[i].name, to->window_cycles, PROCESS_CPU, to->window_end - to->window_cycles,
            *counters[i].count);
        *counters[i].count = 0;
    }
    to->window_end += (until - to->window_end) / to->window_cycles * to->window_cycles + to->window_cycles;
}

static void take_insn(struct perfetto *to, const struct cpu_seen_insn *insn)
{
    put_windows(to, insn->issued);
    to->window_insns++;
    if (!to->has_cpl || insn->cpl != to->cpl) {
        end_privilege(to, insn->issued);
        to->has_cpl = true;
        to->cpl = insn->cpl;
    }
    struct handler handler = {.begin = insn->issued};
    struct trace_text name;
    trace_text_init(&name, handler.name, sizeof handler.name);
    name_call(insn, &name);
    if (handler.name[0] && to->nr_handlers < MAX_NESTED)
        to->handler[to->nr_handlers++] = handler;
    else if (leaves_handler(insn) && to->nr_handlers) /* all of them, in whichever task they were begun */
        end_handlers(to, insn->cpl == 3 ? 0 : to->nr_handlers - 1, insn->issued);
    if (insn->waited_for && insn->issued > to->last_issue + 1)
        put_slice(to, PROCESS_CPU, THREAD_WAITS, trace_reason_name(insn->waited_for), to->last_issue + 1,
                  insn->issued);
    to->last_issue = insn->issued;
}

static void take_exception(struct perfetto *to, const struct cpu_seen_exception *seen)
{
    struct handler handler = {.begin = seen->cycle};
    struct trace_text text;
    trace_text_init(&text, handler.name, sizeof handler.name);
    trace_vector_name(&text, seen);
    put(to,
        "{\"ph\":\"i\",\"s\":\"t\",\"name\":\"%s\",\"pid\":%u,\"tid\":%u,\"ts\":%" PRIu64
        ",\"args\":{\"at\":\"%08" PRIx64 "\",\"error_code\":%" PRIu32 ",\"cr2\":\"%08" PRIx64 "\"}}",
        handler.name, PROCESS_CPU, THREAD_HANDLERS, seen->cycle, seen->rip, seen->error_code, seen->cr2);
    if (to->nr_handlers < MAX_NESTED)
        to->handler[to->nr_handlers++] = handler;
}

/* ---- Memory ---- */

/* A thread of that kind of walk which is free again at `begin`; 0 when none is. */
static unsigned choose_lane(struct perfetto *to, bool is_fetch, cycle_t begin, cycle_t end)
{
    for (unsigned lane = 0; lane < MAX_LANES; lane++) {
        if (to->lane_end[is_fetch][lane] > begin)
            continue;
        to->lane_end[is_fetch][lane] = end > begin ? end : begin;
        return is_fetch * MAX_LANES + lane + 1;
    }
    return 0;
}

static void put_walk(struct perfetto *to, const struct trace_record *record)
{
    static const char *const levels[] = {"PML5E", "PML4E", "PDPTE", "PDE", "PTE"};
    const struct cpu_seen_translation *seen = &record->translation;
    const struct walk *walk = &record->walk;
    bool is_fetch = seen->access == MMU_FETCH;
    cycle_t at = seen->asked, end = walk->nr_steps ? walk->step[walk->nr_steps - 1].ready : at;
    char arguments[96];
    snprintf(arguments, sizeof arguments, "\"linear\":\"%08" PRIx64 "\",\"instruction\":%" PRIu64,
             seen->linear.v, seen->instruction);
    unsigned lane = choose_lane(to, is_fetch, at, end);
    if (!lane) {
        put_async(to, PROCESS_MMU, "walk", "walk", at, end, arguments);
        return;
    }
    put(to,
        "{\"ph\":\"X\",\"name\":\"walk%s\",\"cat\":\"walk\",\"pid\":%u,\"tid\":%u,\"ts\":%" PRIu64
        ",\"dur\":%" PRIu64 ",\"args\":{%s}}",
        walk->is_fault ? " (fault)" : "", PROCESS_MMU, lane, at, end > at ? end - at : 0, arguments);
    unsigned nr_levels = paging_nr_levels(walk->kind), nr_names = sizeof levels / sizeof *levels;
    for (unsigned i = 0; i < walk->nr_steps; i++) {
        const struct walk_step *step = &walk->step[i];
        unsigned level = nr_names - nr_levels + walk->first_level + i;
        cycle_t ready = step->ready < at ? at : step->ready > end ? end : step->ready;
        put(to,
            "{\"ph\":\"X\",\"name\":\"%s\",\"cat\":\"walk\",\"pid\":%u,\"tid\":%u,\"ts\":%" PRIu64
            ",\"dur\":%" PRIu64 ",\"args\":{\"at\":\"%08" PRIx64 "\",\"value\":\"%08" PRIx64
            "\",\"from\":\"%s\"}}",
            level < nr_names ? levels[level] : "entry", PROCESS_MMU, lane, at, ready - at, step->at.v,
            step->value, trace_served_name(step->served_by));
        at = ready;
    }
}

static void take_translation(struct perfetto *to, const struct trace_record *record)
{
    const struct cpu_seen_translation *seen = &record->translation;
    to->window_tlb_misses += !seen->is_l1_hit && !seen->is_refuted;
    if (record->has_walk)
        put_walk(to, record);
}

static void take_access(struct perfetto *to, const struct cpu_seen_access *seen)
{
    if (!trace_access_missed(seen))
        return;
    char arguments[128];
    snprintf(arguments, sizeof arguments,
             "\"linear\":\"%08" PRIx64 "\",\"physical\":\"%08" PRIx64 "\",\"instruction\":%" PRIu64,
             seen->linear.v, seen->physical.v, seen->instruction);
    to->window_cache_misses++;
    put_async(to, PROCESS_CACHES, seen->kind == CPU_ACCESS_FETCH ? "l1i miss" : "l1d miss",
              trace_served_name(seen->served_by), seen->translated, seen->ready, arguments);
}

static void take_device(struct perfetto *to, const struct dma_seen_line *seen)
{
    char arguments[64];
    snprintf(arguments, sizeof arguments, "\"device\":\"%04x\",\"at\":\"%08" PRIx64 "\"", seen->source_id,
             seen->at.v);
    put_async(to, PROCESS_DEVICES, "line", seen->is_write ? "write" : "read", seen->asked, seen->ready,
              arguments);
}

/* ---- What the guest says ---- */

static void end_work(struct perfetto *to, unsigned index, cycle_t cycle, const char *text)
{
    const struct guest_work *work = &to->work[index];
    char arguments[2 * MM_EVENT_TEXT_CHARS + 32];
    snprintf(arguments, sizeof arguments, "\"begin\":\"%s\",\"end\":\"%s\"", work->text, text);
    put_async(to, PROCESS_GUEST, "guest", mm_event_sort_of(work->begin.kind).name, work->begin.cycle, cycle,
              arguments);
    memmove(&to->work[index], &to->work[index + 1], (--to->nr_works - index) * sizeof *work);
}

/* Begins and ends are told as one when they have met. False: it has none, and stands alone. */
static bool take_work(struct perfetto *to, const struct mm_event *event, const char *text)
{
    const struct mm_event_sort sort = mm_event_sort_of(event->kind);
    if (sort.role == MM_EVENT_BEGINS && to->nr_works < MAX_GUEST_WORKS) {
        struct guest_work *work = &to->work[to->nr_works++];
        work->begin = *event;
        snprintf(work->text, sizeof work->text, "%s", text);
        return true;
    }
    for (unsigned i = to->nr_works; sort.role == MM_EVENT_ENDS && i > 0; i--) {
        const struct mm_event *begin = &to->work[i - 1].begin;
        if (begin->kind + 1 != event->kind || (sort.has_owner && begin->edx != event->edx))
            continue;
        end_work(to, i - 1, event->cycle, text);
        return true;
    }
    return false;
}

/* True: it is a slice or a counter. */
static bool take_mm_event(struct perfetto *to, const struct trace_mark *mark)
{
    struct mm_event event;
    if (mark->kind != TRACE_MARK_MM_EVENT || !mm_event_parse(&event, mark->id, mark->text))
        return false;
    event.cycle = mark->cycle;
    if (mm_event_sort_of(event.kind).role != MM_EVENT_COUNTS)
        return take_work(to, &event, mark->text);
    put(to,
        "{\"ph\":\"C\",\"name\":\"free pages of zone %u\",\"pid\":%u,\"ts\":%" PRIu64
        ",\"args\":{\"n\":%" PRIu32 "}}",
        mm_event_zone(&event), PROCESS_GUEST, event.cycle, event.edx);
    return event.kind == MM_EVENT_FREE_PAGES;
}

static void take_mark(struct perfetto *to, const struct trace_record *record)
{
    char words[128];
    to->last_mark = record->mark.cycle;
    if (take_mm_event(to, &record->mark))
        return;
    struct trace_text text;
    trace_text_init(&text, words, sizeof words);
    trace_part_sentence(&text, record);
    put(to, "{\"ph\":\"i\",\"s\":\"g\",\"pid\":%u,\"tid\":%u,\"ts\":%" PRIu64 ",\"name\":", PROCESS_CPU,
        THREAD_PRIVILEGE, record->mark.cycle);
    json_put_string(to->out, words);
    fputc('}', to->out);
}

static void take(struct perfetto *to, const struct trace_record *record)
{
    switch (record->kind) {
    case TRACE_INSN:
        take_insn(to, &record->insn);
        break;
    case TRACE_EXCEPTION:
        take_exception(to, &record->exception);
        break;
    case TRACE_TRANSLATION:
        take_translation(to, record);
        break;
    case TRACE_ACCESS:
        take_access(to, &record->access);
        break;
    case TRACE_DEVICE:
        take_device(to, &record->device);
        break;
    case TRACE_MARK:
        take_mark(to, record);
        break;
    case TRACE_CONTROL:
    case TRACE_REQUEST:
    case NR_TRACE_KINDS:
        break;
    }
}

static void put_header(FILE *out, const struct trace_info *info)
{
    fputs("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"time\":\"1 us here is 1 cycle\",\"lookaside\":", out);
    json_put_string(out, info->version);
    fputs(",\"config\":", out);
    json_put_string(out, info->config_digest);
    fputs(",\"image\":", out);
    json_put_string(out, info->image);
    fprintf(out, ",\"clock_hz\":%" PRIu64 "},\"traceEvents\":[", info->clock_hz);
}

bool trace_export_perfetto(const struct trace_show *show, cycle_t *stopped_at, struct diag *diag)
{
    struct perfetto to = {.out = show->out, .last_issue = show->from, .cpl_since = show->from};
    struct trace_record record;
    *stopped_at = 0;
    to.window_cycles = (show->to - show->from) / MAX_WINDOWS;
    if (to.window_cycles < MIN_WINDOW_CYCLES)
        to.window_cycles = MIN_WINDOW_CYCLES;
    to.window_end = show->from - show->from % to.window_cycles + to.window_cycles;
    trace_select(show->reader, show->from, show->to);
    put_header(show->out, trace_info(show->reader));
    while (!ferror(show->out) && trace_next(show->reader, &record, diag)) {
        struct trace_span span = trace_record_span(&record);
        if (span.last < show->from || span.first > show->to)
            continue;
        if (to.written_bytes > TRACE_PERFETTO_MAX_BYTES) {
            *stopped_at = to.last_issue;
            break;
        }
        take(&to, &record);
    }
    while (to.nr_works)
        end_work(&to, to.nr_works - 1, to.last_issue > to.last_mark ? to.last_issue : to.last_mark,
                 "not within this trace");
    end_handlers(&to, 0, to.last_issue);
    end_privilege(&to, to.last_issue);
    put_names(&to);
    fputs("\n]}\n", show->out);
    return diag->status == EXIT_STATUS_OK;
}
