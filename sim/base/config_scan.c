/* The scanner of config_json.h: one pass over the text, before cJSON sees it. */
#include "sim/base/config_json.h"
#include "sim/base/jsonout.h"

#include <stdlib.h>
#include <string.h>

struct scan {
    struct json_doc *doc;
    struct diag *diag;
    size_t at;
    unsigned depth;
    bool is_object[JSON_MAX_DEPTH];
    bool is_key_next; /* in an object, before the colon */
    size_t key_at;    /* of the key whose value comes next; SIZE_MAX when none */
    char previous;    /* first character of the last token; 0 before the first */
    size_t comma_at;  /* of the last comma */
};

static bool refuse(const struct scan *scan, size_t offset, const char *what)
{
    char *place = json_doc_place(scan->doc, offset);
    diag_add(scan->diag, EXIT_STATUS_BAD_DATA, "%s: %s", place ? place : scan->doc->name, what);
    free(place);
    return false;
}

static bool check_bytes(const struct scan *scan)
{
    const unsigned char *text = (const unsigned char *)scan->doc->text;
    size_t length = scan->doc->length;
    for (size_t i = 0; i < length;) {
        size_t bytes = utf8_length(text + i, length - i);
        bool is_control = text[i] < 0x20 && text[i] != '\t' && text[i] != '\n' && text[i] != '\r';
        if (text[i] == 0)
            return refuse(scan, i, "not JSON: a NUL byte");
        if (is_control || text[i] == 0x7f)
            return refuse(scan, i, "not JSON: a control character");
        if (bytes == 0)
            return refuse(scan, i, "not JSON: this is not UTF-8");
        i += bytes;
    }
    return true;
}

static struct json_value *note_value(struct scan *scan)
{
    struct json_doc *doc = scan->doc;
    if (doc->nr_values == doc->capacity) {
        size_t capacity = doc->capacity ? doc->capacity * 2 : 128;
        struct json_value *values = realloc(doc->values, capacity * sizeof(*values));
        if (!values) {
            diag_add(scan->diag, EXIT_STATUS_INTERNAL, "%s: out of memory", doc->name);
            return NULL;
        }
        doc->values = values;
        doc->capacity = capacity;
    }
    struct json_value *value = &doc->values[doc->nr_values++];
    *value = (struct json_value){
        .key_at = scan->key_at == SIZE_MAX ? scan->at : scan->key_at, .at = scan->at, .end = scan->at + 1};
    scan->key_at = SIZE_MAX;
    return value;
}

/* Moves past a comment and leaves blanks, but keeps the newlines. */
static bool skip_comment(struct scan *scan)
{
    char *text = scan->doc->text;
    size_t start = scan->at;
    bool is_block = text[start + 1] == '*';
    const char *end = is_block ? strstr(text + start + 2, "*/") : strchr(text + start, '\n');
    if (is_block && !end)
        return refuse(scan, start, "not JSON: this comment is not closed");
    size_t stop = end ? (size_t)(end - text) + (is_block ? 2 : 0) : scan->doc->length;
    for (; scan->at < stop; scan->at++) {
        if (text[scan->at] != '\n')
            text[scan->at] = ' ';
    }
    return true;
}

static bool skip_string(struct scan *scan)
{
    const char *text = scan->doc->text;
    size_t start = scan->at;
    for (scan->at++; text[scan->at] != '"'; scan->at++) {
        if (text[scan->at] == '\0' || text[scan->at] == '\n')
            return refuse(scan, start, "not JSON: this string is not closed on its line");
        if (text[scan->at] == '\\') {
            if (strncmp(text + scan->at, "\\u0000", 6) == 0)
                return refuse(scan, scan->at, "a NUL character in a string");
            scan->at += text[scan->at + 1] != '\0' && text[scan->at + 1] != '\n';
        }
    }
    scan->at++;
    return true;
}

static bool open_bracket(struct scan *scan, bool is_object)
{
    if (scan->depth == JSON_MAX_DEPTH)
        return refuse(scan, scan->at, "nested too deeply: allowed are 32 levels");
    if (!note_value(scan))
        return false;
    scan->is_object[scan->depth++] = is_object;
    scan->is_key_next = is_object;
    scan->at++;
    return true;
}

static bool close_bracket(struct scan *scan)
{
    if (scan->previous == ',' && scan->depth > 0)
        scan->doc->text[scan->comma_at] = ' ';
    scan->depth -= scan->depth > 0;
    scan->is_key_next = false;
    scan->at++;
    return true;
}

static bool scan_string(struct scan *scan)
{
    if (scan->is_key_next) {
        scan->key_at = scan->at;
        return skip_string(scan);
    }
    struct json_value *value = note_value(scan);
    if (!value || !skip_string(scan))
        return false;
    value->end = scan->at;
    return true;
}

/* A number or a word. What it is, and whether it may stand here, is for cJSON to say. */
static bool scan_bare(struct scan *scan)
{
    struct json_value *value = note_value(scan);
    if (!value)
        return false;
    const char *text = scan->doc->text + scan->at;
    size_t length = strcspn(text, " \t\r\n,:{}[]\"/");
    scan->at += length ? length : 1;
    value->end = scan->at;
    return true;
}

static bool scan_comma(struct scan *scan)
{
    if (scan->depth > 0 && strchr(",{[:", scan->previous))
        return refuse(scan, scan->at, "not JSON: unexpected ,");
    scan->comma_at = scan->at;
    scan->is_key_next = scan->depth > 0 && scan->is_object[scan->depth - 1];
    scan->at++;
    return true;
}

static bool scan_token(struct scan *scan)
{
    switch (scan->doc->text[scan->at]) {
    case '"':
        return scan_string(scan);
    case '{':
        return open_bracket(scan, true);
    case '[':
        return open_bracket(scan, false);
    case '}':
    case ']':
        return close_bracket(scan);
    case ':':
        scan->is_key_next = false;
        scan->at++;
        return true;
    case ',':
        return scan_comma(scan);
    default:
        return scan_bare(scan);
    }
}

bool json_scan(struct json_doc *doc, struct diag *diag)
{
    struct scan scan = {.doc = doc, .diag = diag, .key_at = SIZE_MAX};
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    if (!check_bytes(&scan))
        return false;
    if (strncmp(doc->text, byte_order_mark, 3) == 0)
        memset(doc->text, ' ', 3);
    while (scan.at < doc->length) {
        char first = doc->text[scan.at], second = doc->text[scan.at + 1];
        bool is_comment = first == '/' && (second == '/' || second == '*');
        if (first == ' ' || first == '\t' || first == '\r' || first == '\n') {
            scan.at++;
            continue;
        }
        if (!(is_comment ? skip_comment(&scan) : scan_token(&scan)))
            return false;
        if (!is_comment)
            scan.previous = first;
    }
    return true;
}
