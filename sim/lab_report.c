/* What came out of labs, for people and as JSON. */
#include "sim/base/jsonout.h"
#include "sim/lab.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { COUNTER_CHARS = 11 };

static const struct {
    const char *json, *heading;
} counters[] = {
#define LAB_COUNTER(id, json, heading, statistic) {json, heading},
#include "sim/lab_counters.def"
#undef LAB_COUNTER
};

const char *lab_verdict_name(enum lab_verdict verdict)
{
    static const char *const names[] = {"passed", "FAILED", "skipped"};
    return names[verdict];
}

static unsigned nr_of(const struct lab_lines *lines, enum lab_line_kind kind)
{
    unsigned nr = 0;
    for (size_t i = 0; i < lines->nr; i++)
        nr += lines->line[i].kind == kind;
    return nr;
}

unsigned lab_nr_claims(const struct lab_result *result, unsigned *nr_hold)
{
    unsigned nr_failed = nr_of(&result->claims, LAB_LINE_FAILED);
    *nr_hold = nr_of(&result->claims, LAB_LINE_HOLDS);
    for (unsigned i = 0; i < result->nr_outcomes; i++) {
        nr_failed += nr_of(&result->outcomes[i].lines, LAB_LINE_FAILED);
        *nr_hold += nr_of(&result->outcomes[i].lines, LAB_LINE_HOLDS);
    }
    return *nr_hold + nr_failed;
}

static const char *find_line(const struct lab_lines *lines, enum lab_line_kind kind, const char *begin)
{
    for (size_t i = 0; i < lines->nr; i++)
        if (lines->line[i].kind == kind && strncmp(lines->line[i].text, begin, strlen(begin)) == 0)
            return lines->line[i].text;
    return NULL;
}

static const char *find_anywhere(const struct lab_result *result, const char *begin)
{
    static const enum lab_line_kind kinds[] = {LAB_LINE_FIGURE, LAB_LINE_HOLDS};
    const char *text = NULL;
    for (unsigned kind = 0; kind < sizeof kinds / sizeof *kinds && !text; kind++) {
        for (unsigned i = 0; i < result->nr_outcomes && !text; i++)
            text = find_line(&result->outcomes[i].lines, kinds[kind], begin);
        if (!text)
            text = find_line(&result->claims, kinds[kind], begin);
    }
    return text;
}

/* A machine that counts no cycles has no figure of them. */
const char *lab_key_figure(const struct lab_result *result)
{
    const char *text = result->row->key ? find_anywhere(result, result->row->key) : NULL;
    if (!text)
        text = find_anywhere(result, "");
    return text ? text : "";
}

/* A lab without claims showed nothing. */
enum lab_verdict lab_verdict(const struct lab_result *result)
{
    enum lab_verdict verdict = LAB_PASSED;
    unsigned nr_hold, nr_claims = lab_nr_claims(result, &nr_hold);
    for (unsigned i = 0; i < result->nr_outcomes; i++) {
        if (result->outcomes[i].verdict == LAB_SKIPPED)
            verdict = LAB_SKIPPED;
    }
    if (nr_hold != nr_claims || (nr_claims == 0 && verdict != LAB_SKIPPED))
        verdict = LAB_FAILED;
    for (unsigned i = 0; i < result->nr_outcomes; i++) {
        if (result->outcomes[i].verdict == LAB_FAILED)
            verdict = LAB_FAILED;
    }
    return verdict;
}

/* "WHAT = VALUE UNIT": where the value begins, NULL if it is something else. */
static const char *value_of(const char *figure)
{
    const char *value = NULL;
    for (const char *at = strstr(figure, " = "); at; at = strstr(at + 1, " = "))
        value = at + 3;
    return value;
}

static void put_line(const struct lab_line *line, FILE *to)
{
    static const char *const words[] = {"", "", "ok      ", "FAILED  ", "skipped "};
    const char *value = line->kind == LAB_LINE_FIGURE ? value_of(line->text) : NULL;
    if (value)
        fprintf(to, "          %-52.*s %s\n", (int)(value - 3 - line->text), line->text, value);
    else
        fprintf(to, "  %s%s\n", words[line->kind], line->text);
}

static bool is_counted(const struct lab_outcome *outcome, unsigned counter)
{
    for (unsigned i = 0; i < outcome->nr_regions; i++) {
        if (outcome->regions[i].counts[counter])
            return true;
    }
    return false;
}

/* Without the columns that are 0 all the way down. */
static void put_regions(const struct lab_outcome *outcome, FILE *to)
{
    size_t width = 0;
    for (unsigned i = 0; i < outcome->nr_regions; i++) {
        size_t length = strlen(outcome->regions[i].name);
        width = length > width ? length : width;
    }
    fprintf(to, "  %-*s", (int)width, "counted");
    for (unsigned j = 0; j < NR_LAB_COUNTERS; j++) {
        if (is_counted(outcome, j))
            fprintf(to, " %*s", COUNTER_CHARS, counters[j].heading);
    }
    for (unsigned i = 0; i < outcome->nr_regions; i++) {
        fprintf(to, "\n  %-*s", (int)width, outcome->regions[i].name);
        for (unsigned j = 0; j < NR_LAB_COUNTERS; j++) {
            if (is_counted(outcome, j))
                fprintf(to, " %*" PRIu64, COUNTER_CHARS, outcome->regions[i].counts[j]);
        }
    }
    fprintf(to, "\n");
}

static void put_steps(const struct lab_outcome *outcome, FILE *to)
{
    fprintf(to, "  %11s %11s %11s  %s\n", "at cycle", "cycles", "instr.", "step");
    for (unsigned i = 0; i < outcome->nr_steps; i++) {
        const struct lab_step *step = &outcome->steps[i];
        fprintf(to, "  %11" PRIu64, step->cycle);
        if (i + 1 < outcome->nr_steps)
            fprintf(to, " %11" PRIu64 " %11" PRIu64, step[1].cycle - step->cycle,
                    step[1].instructions - step->instructions);
        else
            fprintf(to, " %11s %11s", "", "");
        fprintf(to, "  %s\n", step->name);
    }
}

void lab_put_text(const struct lab_result *result, FILE *to)
{
    fprintf(to, "Lab %s (%s): %s\n", result->row->name, result->row->fact, result->row->sentence);
    for (unsigned i = 0; i < result->nr_outcomes; i++) {
        const struct lab_outcome *outcome = &result->outcomes[i];
        fprintf(to, "\non %s, kernel-%s, %" PRIu64 " cycles:\n", outcome->machine, result->kernel,
                outcome->cycles);
        for (size_t j = 0; j < outcome->lines.nr; j++)
            put_line(&outcome->lines.line[j], to);
        if (outcome->nr_regions)
            put_regions(outcome, to);
        if (result->row->shows_steps)
            put_steps(outcome, to);
        for (unsigned j = 0; j < outcome->nr_stale; j++)
            fprintf(to, "  %s cycle %" PRIu64 ": %s\n", j ? "     " : "stale", outcome->stale[j].stale.cycle,
                    outcome->stale[j].sentence);
    }
    if (result->claims.nr)
        fprintf(to, "\nby lookaside's own statistics:\n");
    for (size_t i = 0; i < result->claims.nr; i++)
        put_line(&result->claims.line[i], to);
    unsigned nr_hold, nr_claims = lab_nr_claims(result, &nr_hold);
    fprintf(to, "\n%s: %u of %u claims hold\n", lab_verdict_name(lab_verdict(result)), nr_hold, nr_claims);
}

void lab_put_failed(const struct lab_result *result, FILE *to)
{
    for (unsigned i = 0; i < result->nr_outcomes; i++) {
        const struct lab_lines *lines = &result->outcomes[i].lines;
        for (size_t j = 0; j < lines->nr; j++) {
            if (lines->line[j].kind == LAB_LINE_FAILED)
                fprintf(to, "    on %s: %s\n", result->outcomes[i].machine, lines->line[j].text);
        }
    }
    for (size_t i = 0; i < result->claims.nr; i++) {
        if (result->claims.line[i].kind == LAB_LINE_FAILED)
            fprintf(to, "    %s\n", result->claims.line[i].text);
    }
}

/* ---- JSON ---- */

static void put_json_figure(const char *text, const char *value, FILE *to)
{
    char *what = strndup(text, (size_t)(value - 3 - text)), *unit, ratio[JSON_RATIO_CHARS];
    json_format_ratio(ratio, strtod(value, &unit));
    fprintf(to, "{\"what\": ");
    json_put_string(to, what ? what : "");
    fprintf(to, ", \"value\": %s, \"unit\": ", ratio);
    json_put_string(to, unit + strspn(unit, " "));
    fprintf(to, "}");
    free(what);
}

static void put_json_lines(const struct lab_lines *lines, FILE *to)
{
    static const char *const words[] = {"said", "figure", "holds", "failed", "skipped"};
    for (size_t i = 0; i < lines->nr; i++) {
        const struct lab_line *line = &lines->line[i];
        const char *value = line->kind == LAB_LINE_FIGURE ? value_of(line->text) : NULL;
        fprintf(to, "%s\n        {\"%s\": ", i ? "," : "", words[line->kind]);
        if (value)
            put_json_figure(line->text, value, to);
        else
            json_put_string(to, line->text);
        fprintf(to, "}");
    }
}

static void put_json_outcome(const struct lab_outcome *outcome, FILE *to)
{
    fprintf(to, "\n    {\"machine\": ");
    json_put_string(to, outcome->machine);
    fprintf(to, ", \"outcome\": \"%s\", \"cycles\": %" PRIu64 ",\n      \"lines\": [",
            lab_verdict_name(outcome->verdict), outcome->cycles);
    put_json_lines(&outcome->lines, to);
    fprintf(to, "\n      ],\n      \"regions\": [");
    for (unsigned i = 0; i < outcome->nr_regions; i++) {
        fprintf(to, "%s\n        {\"region\": ", i ? "," : "");
        json_put_string(to, outcome->regions[i].name);
        for (unsigned j = 0; j < NR_LAB_COUNTERS; j++)
            fprintf(to, ", \"%s\": %" PRIu64, counters[j].json, outcome->regions[i].counts[j]);
        fprintf(to, "}");
    }
    fprintf(to, "\n      ],\n      \"steps\": [");
    for (unsigned i = 0; i < outcome->nr_steps; i++) {
        const struct lab_step *step = &outcome->steps[i];
        fprintf(to, "%s\n        {\"step\": ", i ? "," : "");
        json_put_string(to, step->name);
        fprintf(to, ", \"cycle\": %" PRIu64 ", \"instructions\": %" PRIu64 "}", step->cycle,
                step->instructions);
    }
    fprintf(to, "\n      ],\n      \"stale\": [");
    for (unsigned i = 0; i < outcome->nr_stale; i++) {
        const struct lab_stale *stale = &outcome->stale[i];
        fprintf(to,
                "%s\n        {\"cycle\": %" PRIu64 ", \"at\": %" PRIu64 ", \"memory\": %" PRIu64
                ", \"cpu\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"function\": ",
                i ? "," : "", stale->stale.cycle, stale->stale.at.v, stale->stale.memory_value,
                stale->stale.cpu_value, stale->stale.nr_bytes);
        json_put_string(to, stale->function ? stale->function : "");
        fprintf(to, ", \"sentence\": ");
        json_put_string(to, stale->sentence);
        fprintf(to, "}");
    }
    fprintf(to, "\n      ]}");
}

void lab_put_json(const struct lab_result *result, FILE *to)
{
    fprintf(to, "{\n  \"lab\": \"%s\", \"fact\": \"%s\", \"outcome\": \"%s\",\n  \"sentence\": ",
            result->row->name, result->row->fact, lab_verdict_name(lab_verdict(result)));
    json_put_string(to, result->row->sentence);
    fprintf(to, ",\n  \"key_figure\": ");
    json_put_string(to, lab_key_figure(result));
    fprintf(to, ",\n  \"kernel\": \"%s\",\n  \"machines\": [", result->kernel);
    for (unsigned i = 0; i < result->nr_outcomes; i++) {
        fprintf(to, "%s", i ? "," : "");
        put_json_outcome(&result->outcomes[i], to);
    }
    fprintf(to, "\n  ],\n  \"claims\": [");
    put_json_lines(&result->claims, to);
    fprintf(to, "\n  ]\n}");
}
