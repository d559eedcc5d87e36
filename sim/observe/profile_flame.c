#include "sim/base/jsonout.h"
#include "sim/observe/profile_report.h"
#include "sim/observe/trace_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct line {
    char *text; /* owned */
    uint64_t count;
};

/* "[#PF]", "[irq 20h]", "[int 80h]". */
static void entry_name(const struct profile_node *node, char *name, size_t room)
{
    struct trace_text text;
    struct cpu_seen_exception exception = {.vector = (uint8_t)node->vector,
                                           .is_interrupt = node->kind == PROFILE_INTERRUPT};
    trace_text_init(&text, name, room);
    trace_text_add(&text, "[");
    if (node->kind == PROFILE_SYSTEM_CALL && node->vector)
        trace_text_add(&text, "int %02xh", node->vector);
    else if (node->kind == PROFILE_SYSTEM_CALL)
        trace_text_add(&text, "syscall");
    else
        trace_vector_name(&text, &exception);
    trace_text_add(&text, "]");
}

/* What a node adds to its caller's line. A semicolon in a name would be one frame more. */
static size_t add_frames(const struct profile_report *report, const struct profile_node *node, char *to)
{
    char entry[32] = "", label[PROFILE_LABEL_CHARS] = "";
    const char *function = profile_function_of(report, node->process, node->cpl, node->to);
    if (node->kind == PROFILE_THREAD)
        profile_process_label(report->profile, node->process, label);
    else if (node->kind != PROFILE_CALL)
        entry_name(node, entry, sizeof entry);
    const char *words[] = {label, entry, function};
    size_t length = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!*words[i])
            continue;
        if (to)
            to[length] = ';';
        length++;
        for (const char *at = words[i]; *at; at++, length++)
            if (to)
                to[length] = *at == ';' || *at == '\n' ? '?' : *at;
    }
    return length;
}

/* From the bottom of the stack up to this node. NULL when memory is short. */
static char *stack_line(const struct profile_report *report, uint32_t node, const size_t *length)
{
    const struct profile_node *nodes = report->profile->nodes;
    size_t end = length[node];
    char *text = malloc(end + 1);
    if (!text)
        return NULL;
    text[end] = 0;
    for (uint32_t at = node;; at = nodes[at].parent) {
        size_t begin = nodes[at].kind == PROFILE_THREAD ? 0 : length[nodes[at].parent];
        add_frames(report, &nodes[at], text + begin);
        if (nodes[at].kind == PROFILE_THREAD)
            return text;
    }
}

static int compare_lines(const void *left, const void *right)
{
    return strcmp(((const struct line *)left)->text, ((const struct line *)right)->text);
}

static bool is_wanted(const struct profile_report *report, const struct profile_node *node)
{
    char label[PROFILE_LABEL_CHARS];
    if (!report->process)
        return true;
    profile_process_label(report->profile, node->process, label);
    return strcmp(label, report->process) == 0 ||
           strcmp(report->profile->processes[node->process].name, report->process) == 0;
}

/* Sums of whole cycles are those of the run: what is cut off one line goes into the next. */
static void put_lines(const struct profile_report *report, const struct line *line, size_t nr_lines)
{
    uint64_t unit = report->event == PROFILE_CYCLES ? PROFILE_TICKS_PER_CYCLE : 1, sum = 0, written = 0;
    bool is_first = true;
    for (size_t i = 0; i < nr_lines; i++) {
        sum += line[i].count;
        bool is_same = i + 1 < nr_lines && strcmp(line[i].text, line[i + 1].text) == 0;
        if (is_same || sum / unit == written)
            continue;
        if (report->is_json) {
            fputs(is_first ? "\n  {\"stack\": " : ",\n  {\"stack\": ", report->out);
            json_put_string(report->out, line[i].text + 1);
            fprintf(report->out, ", \"%s\": %" PRIu64 "}", profile_event_names[report->event],
                    sum / unit - written);
        } else {
            fprintf(report->out, "%s %" PRIu64 "\n", line[i].text + 1, sum / unit - written);
        }
        is_first = false;
        written = sum / unit;
    }
}

bool profile_report_flame(const struct profile_report *report, struct diag *diag)
{
    const struct profile *profile = report->profile;
    size_t *length = calloc(profile->nr_nodes + 1, sizeof *length), nr_lines = 0;
    struct line *line = calloc(profile->nr_nodes + 1, sizeof *line);
    bool is_good = length && line;
    for (uint32_t i = 0; is_good && i < profile->nr_nodes; i++) {
        const struct profile_node *node = &profile->nodes[i];
        length[i] = add_frames(report, node, NULL);
        if (node->kind != PROFILE_THREAD)
            length[i] += length[node->parent];
        if (node->counts.of[report->event] == 0 || !is_wanted(report, node))
            continue;
        line[nr_lines] = (struct line){stack_line(report, i, length), node->counts.of[report->event]};
        is_good = line[nr_lines++].text != NULL;
    }
    if (report->is_json)
        fputc('[', report->out);
    if (is_good) {
        qsort(line, nr_lines, sizeof *line, compare_lines);
        put_lines(report, line, nr_lines);
    }
    if (report->is_json)
        fputs("\n]\n", report->out);
    for (size_t i = 0; line && i < nr_lines; i++)
        free(line[i].text);
    free(line);
    free(length);
    return is_good || diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
}
