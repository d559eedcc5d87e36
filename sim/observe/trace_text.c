#include "sim/observe/trace_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void trace_text_init(struct trace_text *text, char *buffer, size_t room)
{
    *text = (struct trace_text){.at = buffer, .room = room};
    buffer[0] = 0;
}

void trace_text_add(struct trace_text *text, const char *format, ...)
{
    size_t left = text->room - text->length;
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text->at + text->length, left, format, args);
    va_end(args);
    if (length < 0)
        return;
    if ((size_t)length < left) {
        text->length += (size_t)length;
        return;
    }
    text->length = text->room - 1;
    if (text->length > 0)
        text->at[text->length - 1] = '~';
}

const char *trace_served_name(unsigned served_by)
{
    static const char *const names[NR_SERVED_BY] = {"l1", "l2", "l3", "dram"};
    return served_by < NR_SERVED_BY ? names[served_by] : "?";
}

const char *trace_reason_name(unsigned reason)
{
    static const char *const names[NR_REASONS] = {
        "",
#define REASON(id, name, sentence) #name,
#include "sim/base/reasons.def"
#undef REASON
    };
    return reason < NR_REASONS ? names[reason] : "?";
}

void trace_vector_name(struct trace_text *text, const struct cpu_seen_exception *exception)
{
    static const char names[][4] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "",
                                    "#TS", "#NP", "#SS", "#GP", "#PF", "",    "#MF", "#AC", "#MC", "#XM"};
    if (exception->is_interrupt)
        trace_text_add(text, "irq %02xh", exception->vector);
    else if (exception->vector < sizeof names / sizeof *names && names[exception->vector][0])
        trace_text_add(text, "%s", names[exception->vector]);
    else
        trace_text_add(text, "int %02xh", exception->vector);
}

/* Non-letters in a name that came from a file would upset a terminal. */
static void add_word(struct trace_text *text, const char *word)
{
    for (; *word; word++)
        trace_text_add(text, "%c", *word > ' ' && *word < 0x7f ? *word : '?');
}

bool trace_part_is_notable(const struct trace_record *part)
{
    switch (part->kind) {
    case TRACE_TRANSLATION:
        return part->has_walk || !part->translation.is_l1_hit;
    case TRACE_ACCESS:
        return !part->access.is_ram || part->access.served_by != SERVED_BY_L1;
    case TRACE_CONTROL:
    case TRACE_DEVICE:
    case TRACE_MARK:
        return true;
    case TRACE_INSN:
    case TRACE_EXCEPTION:
    case TRACE_REQUEST:
    case NR_TRACE_KINDS:
        break;
    }
    return false;
}

/* What a snoop has found, where it has found something. */
static const char *snoop_word(const struct dma_seen_line *seen)
{
    return seen->was_dirty ? " dirty" : seen->was_here ? " cached" : "";
}

static void add_mark(struct trace_text *text, const struct trace_mark *mark)
{
    static const char *const names[NR_TRACE_MARKS] = {"region begins", "region ends", "mark",
                                                      "reset",         "dump",        "mm"};
    trace_text_add(text, "%s %" PRIu32 "%s%s", names[mark->kind], mark->id, *mark->text ? ": " : "",
                   mark->text);
}

void trace_part_mark(struct trace_text *text, const struct trace_record *part)
{
    if (part->kind == TRACE_TRANSLATION) {
        trace_text_add(text, "%ctlb %s", part->translation.access == MMU_FETCH ? 'i' : 'd',
                       part->translation.is_fault && !part->translation.is_refuted ? "walk!"
                       : part->has_walk                                            ? "walk"
                                                                                   : "l2tlb");
    } else if (part->kind == TRACE_ACCESS) {
        const char *cache = part->access.kind == CPU_ACCESS_FETCH ? "l1i" : "l1d";
        if (part->access.is_ram)
            trace_text_add(text, "%s>%s", cache, trace_served_name(part->access.served_by));
        else
            trace_text_add(text, "device");
    } else if (part->kind == TRACE_CONTROL) {
        add_word(text, part->control.what);
    } else if (part->kind == TRACE_MARK) {
        add_mark(text, &part->mark);
    } else if (part->kind == TRACE_DEVICE) {
        trace_text_add(text, "dma %c%s", part->device.is_write ? 'w' : 'r', snoop_word(&part->device));
    }
}

cycle_t trace_part_cycle(const struct trace_record *part)
{
    switch (part->kind) {
    case TRACE_TRANSLATION:
        return part->translation.asked;
    case TRACE_ACCESS:
        return part->access.translated;
    case TRACE_INSN:
    case TRACE_EXCEPTION:
    case TRACE_CONTROL:
    case TRACE_REQUEST:
    case TRACE_DEVICE:
    case TRACE_MARK:
    case NR_TRACE_KINDS:
        break;
    }
    return trace_record_span(part).first;
}

static void add_walk(struct trace_text *text, const struct cpu_seen_translation *of, const struct walk *walk)
{
    trace_text_add(text, "walk of %" PRIu64 " cycles", of->ready - of->asked);
    if (walk->first_level)
        trace_text_add(text, " from a %s held", paging_level(walk->kind, walk->first_level - 1)->name);
    trace_text_add(text, ": ");
    for (unsigned i = 0; i < walk->nr_steps; i++) {
        const struct walk_step *step = &walk->step[i];
        trace_text_add(text, "%s[%u] at %08" PRIx64 " = %08" PRIx64 " from %s", i ? ", " : "", step->index,
                       step->at.v, step->value, trace_served_name(step->served_by));
    }
    if (walk->is_fault)
        trace_text_add(text, ": fault, error code %" PRIx32, walk->error_code);
    if (of->is_refuted)
        trace_text_add(text, ", to be confirmed");
}

static void translation_sentence(struct trace_text *text, const struct trace_record *part)
{
    const struct cpu_seen_translation *seen = &part->translation;
    static const char *const names[] = {
        [MMU_READ] = "dtlb (read)", [MMU_WRITE] = "dtlb (write)", [MMU_FETCH] = "itlb"};
    trace_text_add(text, "%s %08" PRIx64 ": ", names[seen->access], seen->linear.v);
    if (seen->is_l1_hit)
        trace_text_add(text, "hit");
    else
        trace_text_add(text, "miss, l2 tlb %s", seen->is_l2_hit ? "hit" : "miss");
    if (part->has_walk) {
        trace_text_add(text, ", ");
        add_walk(text, seen, &part->walk);
    }
}

static void access_sentence(struct trace_text *text, const struct cpu_seen_access *seen)
{
    static const char *const verbs[NR_ACCESS_KINDS] = {"fetch", "load", "store"};
    trace_text_add(text, "%s ", verbs[seen->kind]);
    if (seen->kind != CPU_ACCESS_FETCH)
        trace_text_add(text, "%u ", seen->size_bytes);
    trace_text_add(text, "at %08" PRIx64, seen->linear.v);
    if (seen->physical.v != seen->linear.v)
        trace_text_add(text, " (physical %08" PRIx64 ")", seen->physical.v);
    if (!seen->is_ram)
        trace_text_add(text, ": a device, %" PRIu64 " cycles", seen->ready - seen->asked);
    else if (seen->served_by != SERVED_BY_L1)
        trace_text_add(text, ": %s %s, from %s, %" PRIu64 " cycles",
                       seen->kind == CPU_ACCESS_FETCH ? "l1i" : "l1d",
                       seen->is_in_flight ? "line on its way" : "miss", trace_served_name(seen->served_by),
                       seen->ready - seen->translated);
}

static void device_sentence(struct trace_text *text, const struct dma_seen_line *seen)
{
    trace_text_add(text, "device %04x %s a line at %08" PRIx64, seen->source_id,
                   seen->is_write ? "writes" : "reads", seen->at.v);
    if (!seen->is_snooped)
        trace_text_add(text, ", not snooped");
    else if (seen->was_here)
        trace_text_add(text, ", %s in a cache", seen->was_dirty ? "dirty" : "clean");
    trace_text_add(text, ", in cycle %" PRIu64 ", %" PRIu64 " cycles", seen->asked,
                   seen->ready - seen->asked);
}

void trace_part_sentence(struct trace_text *text, const struct trace_record *part)
{
    if (part->kind == TRACE_TRANSLATION) {
        translation_sentence(text, part);
    } else if (part->kind == TRACE_ACCESS) {
        access_sentence(text, &part->access);
    } else if (part->kind == TRACE_CONTROL) {
        add_word(text, part->control.what);
        trace_text_add(text, " %08" PRIx64, part->control.value);
    } else if (part->kind == TRACE_DEVICE) {
        device_sentence(text, &part->device);
    } else if (part->kind == TRACE_MARK) {
        add_mark(text, &part->mark);
    }
}
