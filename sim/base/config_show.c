/* The configuration written out: for people (and back in), for programs, and as a schema for editors. */
#include "sim/base/config_internal.h"
#include "sim/base/jsonout.h"
#include "sim/base/outfile.h"

#include <inttypes.h>
#include <string.h>

/* The rows hold paths, JSON holds nested objects. Between two rows this closes and opens what changes. */
struct nest {
    FILE *to;
    const char *open, *close; /* what stands around the members of an object */
    unsigned depth;
};

static void indent(const struct nest *nest)
{
    for (unsigned i = 0; i < nest->depth; i++)
        fputs("    ", nest->to);
}

/* Length of the groups that both paths begin with, with the last dot. */
static size_t common_groups(const char *a, const char *b)
{
    size_t common = 0;
    for (size_t i = 0; a[i] && a[i] == b[i]; i++) {
        if (a[i] == '.')
            common = i + 1;
    }
    return common;
}

/* Moves from the object of `from` to that of `to`; "" is outside of all. Writes the comma between members. */
static void nest_move(struct nest *nest, const char *from, const char *to)
{
    size_t common = common_groups(from, to);
    for (const char *dot = strchr(from + common, '.'); dot; dot = strchr(dot + 1, '.')) {
        nest->depth--;
        fputc('\n', nest->to);
        indent(nest);
        fputs(nest->close, nest->to);
    }
    fputs(*from && *to ? ",\n" : "\n", nest->to);
    const char *name = to + common;
    for (const char *dot = strchr(name, '.'); dot; name = dot + 1, dot = strchr(name, '.')) {
        indent(nest);
        fprintf(nest->to, "\"%.*s\": %s\n", (int)(dot - name), name, nest->open);
        nest->depth++;
    }
}

static const char *last_name(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

void cfg_show(const struct cfg *cfg, FILE *to)
{
    size_t nr_rows;
    const struct cfg_row *rows = cfg_rows(&nr_rows);
    struct nest nest = {.to = to, .open = "{", .close = "}", .depth = 1};
    fputs("// A lookaside machine. Every key may be left out; above each stands what it takes and what it "
          "means.\n",
          to);
    fputs("{\n    \"schema\": \"" CFG_SCHEMA_NAME "\",", to);
    for (size_t i = 0; i < nr_rows; i++) {
        char value[CFG_TEXT_CHARS], allowed[CFG_TEXT_CHARS];
        nest_move(&nest, i ? rows[i - 1].path : "", rows[i].path);
        cfg_range(&rows[i], allowed);
        cfg_format(&rows[i], cfg_value(cfg, &rows[i]), value);
        indent(&nest);
        fprintf(to, "// %s: %s\n", allowed, rows[i].sentence);
        if (cfg->origins[i].place) {
            indent(&nest);
            fprintf(to, "// from %s\n", cfg->origins[i].place);
        }
        indent(&nest);
        fprintf(to, "\"%s\": %s", last_name(rows[i].path), value);
    }
    nest_move(&nest, rows[nr_rows - 1].path, "");
    fputs("}\n", to);
}

void cfg_show_json(const struct cfg *cfg, FILE *to)
{
    size_t nr_rows;
    const struct cfg_row *rows = cfg_rows(&nr_rows);
    fputs("{\n    \"schema\": \"" CFG_SCHEMA_NAME "\"", to);
    for (size_t i = 0; i < nr_rows; i++) {
        char value[CFG_TEXT_CHARS];
        cfg_format(&rows[i], cfg_value(cfg, &rows[i]), value);
        fprintf(to, ",\n    \"%s\": {\"value\": %s, \"from\": ", rows[i].path, value);
        json_put_string(to, cfg->origins[i].place ? cfg->origins[i].place : "default");
        fputc('}', to);
    }
    fputs("\n}\n", to);
}

bool cfg_write_effective(const struct cfg *cfg, const char *file, struct diag *diag)
{
    struct outfile out;
    if (!outfile_open(&out, file, diag))
        return false;
    cfg_show_json(cfg, out.to);
    return outfile_commit(&out, diag);
}

static void schema_type(FILE *to, const struct cfg_row *row)
{
    const char *name = NULL;
    size_t length = 0;
    switch (row->kind) {
    case CFG_SIZE:
        fprintf(to, "\"type\": [\"integer\", \"string\"], \"minimum\": %" PRIu64 ", \"maximum\": %" PRIu64,
                row->min, row->max);
        fputs(", \"pattern\": \"^[0-9]+([.][0-9]+)? *([Bb]|[KkMmGg]([Ii][Bb])?)?$\"", to);
        break;
    case CFG_HZ:
        fprintf(to, "\"type\": [\"integer\", \"string\"], \"minimum\": %" PRIu64 ", \"maximum\": %" PRIu64,
                row->min, row->max);
        fputs(", \"pattern\": \"^[0-9]+([.][0-9]+)? *([KkMmGg]?[Hh][Zz])?$\"", to);
        break;
    case CFG_COUNT:
        fprintf(to, "\"type\": \"integer\", \"minimum\": %" PRIu64 ", \"maximum\": %" PRIu64, row->min,
                row->max);
        break;
    case CFG_TIME:
        fprintf(to, "\"type\": [\"integer\", \"string\"], \"minimum\": 0, \"maximum\": %" PRIu64, row->max);
        fputs(", \"pattern\": \"^(preset|[0-9]+([.][0-9]+)? *([PpNnUu][Ss])?)$\"", to);
        break;
    case CFG_BOOL:
        fputs("\"type\": \"boolean\"", to);
        break;
    case CFG_ENUM:
        fputs("\"enum\": [", to);
        for (uint64_t i = 0; cfg_enum_name(row->names, i, &name, &length); i++)
            fprintf(to, "%s\"%.*s\"", i ? ", " : "", (int)length, name);
        fputc(']', to);
        break;
    }
}

void cfg_schema(FILE *to)
{
    size_t nr_rows;
    const struct cfg_row *rows = cfg_rows(&nr_rows);
    struct nest nest = {
        .to = to,
        .open = "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {",
        .close = "}}",
        .depth = 1,
    };
    struct cfg *defaults = cfg_create();
    fputs("{\n\"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
          "\"title\": \"lookaside configuration\",\n\"type\": \"object\",\n\"additionalProperties\": false,\n"
          "\"properties\": {\n"
          "    \"$schema\": {\"type\": \"string\"},\n"
          "    \"schema\": {\"const\": \"" CFG_SCHEMA_NAME "\"},\n"
          "    \"include\": {\"type\": [\"string\", \"array\"], \"items\": {\"type\": \"string\"},"
          " \"description\": \"files to be read first, relative to this one\"},",
          to);
    for (size_t i = 0; i < nr_rows; i++) {
        nest_move(&nest, i ? rows[i - 1].path : "", rows[i].path);
        indent(&nest);
        fprintf(to, "\"%s\": {", last_name(rows[i].path));
        schema_type(to, &rows[i]);
        fputs(", \"description\": ", to);
        json_put_string(to, rows[i].sentence);
        if (defaults) {
            char value[CFG_TEXT_CHARS];
            cfg_format(&rows[i], cfg_value(defaults, &rows[i]), value);
            fprintf(to, ", \"default\": %s", value);
        }
        fputc('}', to);
    }
    nest_move(&nest, rows[nr_rows - 1].path, "");
    fputs("}\n}\n", to);
    cfg_destroy(defaults);
}
