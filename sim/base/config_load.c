/* Files into a configuration: the tree walk, `include`, and what a file may say besides keys. */
#include "sim/base/config_internal.h"
#include "sim/base/config_json.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_INCLUDE_DEPTH = 16,
    MAX_FILES = 64,     /* each of 16 levels could include a hundred */
    MAX_MISTAKES = 100, /* then reading on helps nobody */
};

struct load {
    struct cfg *cfg;
    struct diag *diag;
    unsigned nr_files;
    bool is_good;
};

/* The files that are being read, innermost first. */
struct chain {
    const struct chain *outer;
    char *real_name;
    unsigned depth;
};

static void load_one(struct load *load, const char *file, const struct chain *outer);

static void complain(struct load *load, const struct json_doc *doc, size_t offset, const char *key,
                     const char *text)
{
    char *place = json_doc_place(doc, offset);
    diag_add(load->diag, EXIT_STATUS_BAD_DATA, "%s: %s: %s", place ? place : doc->name, key, text);
    free(place);
    load->is_good = false;
}

/* A value as its file wrote it, on one line and not too long. */
static void raw_text(const struct json_doc *doc, const struct json_value *value, char text[CFG_TEXT_CHARS])
{
    if (cJSON_IsObject(value->node))
        snprintf(text, CFG_TEXT_CHARS, "{...}");
    else if (cJSON_IsArray(value->node))
        snprintf(text, CFG_TEXT_CHARS, "[...]");
    else
        snprintf(text, CFG_TEXT_CHARS, "%.*s",
                 value->end - value->at > 80 ? 80 : (int)(value->end - value->at), doc->text + value->at);
}

static void assign(struct load *load, const struct json_doc *doc, const struct json_value *value,
                   size_t row_index)
{
    char raw[CFG_TEXT_CHARS];
    raw_text(doc, value, raw);
    char *place = json_doc_place(doc, value->at);
    struct cfg_found found = {.type = CFG_FOUND_OTHER,
                              .text = raw,
                              .place = place ? place : doc->name,
                              .status = EXIT_STATUS_BAD_DATA};
    if (cJSON_IsNumber(value->node)) {
        found.type = CFG_FOUND_NUMBER;
    } else if (cJSON_IsBool(value->node)) {
        found.type = CFG_FOUND_BOOL;
    } else if (cJSON_IsString(value->node)) {
        found.type = CFG_FOUND_STRING;
        found.text = value->node->valuestring;
    }
    load->is_good &= cfg_assign(load->cfg, row_index, &found, load->diag);
    free(place);
}

/* Index of the first value after `index` and all that is inside it. */
static size_t skip_subtree(const struct json_doc *doc, size_t index)
{
    size_t next = index + 1;
    const cJSON *node = doc->values[index].node;
    for (const cJSON *child = node->child; child; child = child->next)
        next = skip_subtree(doc, next);
    return next;
}

static void check_schema(struct load *load, const struct json_doc *doc, const struct json_value *value)
{
    char text[CFG_TEXT_CHARS], raw[CFG_TEXT_CHARS];
    if (cJSON_IsString(value->node) && strcmp(value->node->valuestring, CFG_SCHEMA_NAME) == 0)
        return;
    raw_text(doc, value, raw);
    snprintf(text, sizeof(text), "%.80s; allowed: \"" CFG_SCHEMA_NAME "\"", raw);
    complain(load, doc, value->at, "schema", text);
}

/* The key was given before in this object. */
static bool is_duplicate(struct load *load, const struct json_doc *doc, size_t parent, size_t index,
                         const char *path)
{
    const char *key = doc->values[index].node->string;
    size_t first = parent + 1;
    while (strcmp(doc->values[first].node->string, key) != 0)
        first = skip_subtree(doc, first);
    if (first == index)
        return false;
    char text[CFG_TEXT_CHARS];
    char *place = json_doc_place(doc, doc->values[first].key_at);
    snprintf(text, sizeof(text), "given twice; it stands at %.200s already", place ? place : "another place");
    free(place);
    complain(load, doc, doc->values[index].key_at, path, text);
    return true;
}

static void walk_object(struct load *load, const struct json_doc *doc, size_t parent, const char *prefix);

static void walk_member(struct load *load, const struct json_doc *doc, size_t parent, size_t index,
                        const char *prefix)
{
    const struct json_value *value = &doc->values[index];
    const char *key = value->node->string;
    char path[CFG_TEXT_CHARS], text[CFG_TEXT_CHARS], raw[CFG_TEXT_CHARS];
    size_t nr_rows;
    cfg_rows(&nr_rows);
    snprintf(path, sizeof(path), "%s%s%.100s", prefix, *prefix ? "." : "", key);
    bool is_header = !*prefix && (strcmp(key, "schema") == 0 || strcmp(key, "include") == 0);
    if (!*prefix && strcmp(key, "$schema") == 0)
        return; /* where an editor finds the schema */
    size_t row_index = strchr(key, '.') ? nr_rows : cfg_find_row(path);
    bool is_group = !strchr(key, '.') && cfg_is_group(path);
    if (!is_header && !is_group && row_index == nr_rows) {
        if (strchr(key, '.') && cfg_find_row(path) != nr_rows) {
            complain(load, doc, value->key_at, path,
                     "a path with dots; in a file each part is an object of its own");
            return;
        }
        char *place = json_doc_place(doc, value->key_at);
        load->is_good = cfg_refuse_path(path, place ? place : doc->name, EXIT_STATUS_BAD_DATA, load->diag);
        free(place);
    } else if (is_duplicate(load, doc, parent, index, path)) {
        return;
    } else if (is_header) {
        if (strcmp(key, "schema") == 0)
            check_schema(load, doc, value);
    } else if (!is_group) {
        assign(load, doc, value, row_index);
    } else if (cJSON_IsObject(value->node)) {
        walk_object(load, doc, index, path);
    } else {
        raw_text(doc, value, raw);
        snprintf(text, sizeof(text), "%.80s; allowed: an object, {\"key\": value, ...}", raw);
        complain(load, doc, value->at, path, text);
    }
}

static void walk_object(struct load *load, const struct json_doc *doc, size_t parent, const char *prefix)
{
    size_t index = parent + 1;
    for (const cJSON *child = doc->values[parent].node->child; child; child = child->next) {
        if (load->diag->nr_lines >= MAX_MISTAKES)
            return;
        walk_member(load, doc, parent, index, prefix);
        index = skip_subtree(doc, index);
    }
}

static bool is_in_chain(const struct chain *chain, const char *real_name)
{
    for (; chain; chain = chain->outer) {
        if (strcmp(chain->real_name, real_name) == 0)
            return true;
    }
    return false;
}

static void include_one(struct load *load, const struct json_doc *doc, const struct json_value *value,
                        const struct chain *chain)
{
    char text[CFG_TEXT_CHARS], raw[CFG_TEXT_CHARS];
    raw_text(doc, value, raw);
    if (!cJSON_IsString(value->node)) {
        snprintf(text, sizeof(text), "%.80s; allowed: the name of a file, or a list of them", raw);
        complain(load, doc, value->at, "include", text);
        return;
    }
    const char *name = value->node->valuestring;
    const char *slash = strrchr(doc->name, '/');
    char *file = NULL, *real_name = NULL;
    int length = *name == '/' || !slash
                     ? asprintf(&file, "%s", name)
                     : asprintf(&file, "%.*s/%s", (int)(slash - doc->name), doc->name, name);
    if (length < 0)
        file = NULL;
    real_name = file ? realpath(file, NULL) : NULL;
    const char *problem = NULL;
    if (real_name && is_in_chain(chain, real_name))
        problem = "; this file is being read already: it would include itself";
    else if (chain->depth == MAX_INCLUDE_DEPTH)
        problem = "; included too deeply: allowed are 16 levels";
    else if (load->nr_files == MAX_FILES)
        problem = "; too many files: allowed are 64 in all";
    if (problem) {
        snprintf(text, sizeof(text), "%.80s%s", raw, problem);
        complain(load, doc, value->at, "include", text);
    } else if (!real_name) {
        char *place = json_doc_place(doc, value->at);
        diag_add(load->diag, EXIT_STATUS_NO_INPUT, "%s: include: %s: %s cannot be read: %m",
                 place ? place : doc->name, raw, file ? file : name);
        free(place);
        load->is_good = false;
    } else {
        load_one(load, file, chain);
    }
    free(real_name);
    free(file);
}

static void walk_includes(struct load *load, const struct json_doc *doc, const struct chain *chain)
{
    size_t index = 1;
    for (const cJSON *child = doc->root->child; child; child = child->next) {
        if (strcmp(child->string, "include") == 0)
            break;
        index = skip_subtree(doc, index);
    }
    if (index == doc->nr_values)
        return;
    const struct json_value *value = &doc->values[index];
    if (!cJSON_IsArray(value->node)) {
        include_one(load, doc, value, chain);
        return;
    }
    size_t element = index + 1;
    for (const cJSON *child = value->node->child; child; child = child->next) {
        include_one(load, doc, &doc->values[element], chain);
        element = skip_subtree(doc, element);
    }
}

static void load_one(struct load *load, const char *file, const struct chain *outer)
{
    struct json_doc doc;
    load->nr_files++;
    if (!json_doc_load(&doc, file, load->diag)) {
        load->is_good = false;
    } else if (!cJSON_IsObject(doc.root)) {
        char *place = json_doc_place(&doc, doc.values[0].at);
        load->is_good = diag_add(load->diag, EXIT_STATUS_BAD_DATA,
                                 "%s: not a configuration; allowed: one object, {...}", place ? place : file);
        free(place);
    } else {
        struct chain chain = {
            .outer = outer, .real_name = realpath(file, NULL), .depth = outer ? outer->depth + 1 : 1};
        if (!chain.real_name)
            chain.real_name = strdup(file);
        if (chain.real_name) {
            walk_includes(load, &doc, &chain);
            walk_object(load, &doc, 0, "");
        } else {
            load->is_good = diag_add(load->diag, EXIT_STATUS_INTERNAL, "%s: out of memory", file);
        }
        free(chain.real_name);
    }
    json_doc_fini(&doc);
}

bool cfg_load_file(struct cfg *cfg, const char *file, struct diag *diag)
{
    struct load load = {.cfg = cfg, .diag = diag, .is_good = true};
    load_one(&load, file, NULL);
    return load.is_good;
}
