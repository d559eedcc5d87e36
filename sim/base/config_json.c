#include "sim/base/config_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Sets doc->text. Reads at most one byte more than allowed, so that /dev/zero ends. */
static bool read_text(struct json_doc *doc, FILE *from, struct diag *diag)
{
    struct stat about;
    if (fstat(fileno(from), &about) == 0 && S_ISDIR(about.st_mode))
        return diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: cannot be read: this is a directory", doc->name);
    doc->text = malloc(JSON_MAX_BYTES + 2);
    if (!doc->text)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", doc->name);
    doc->length = fread(doc->text, 1, JSON_MAX_BYTES + 1, from);
    doc->text[doc->length] = '\0';
    if (ferror(from))
        return diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: cannot be read: %s", doc->name, strerror(errno));
    if (doc->length > JSON_MAX_BYTES)
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: too large: allowed is 1 MiB", doc->name);
    return true;
}

/* Pairs each node with its position: both are in document order. False when there is not one for each. */
static bool pair(struct json_doc *doc, const cJSON *node, size_t *next)
{
    if (*next == doc->nr_values)
        return false;
    doc->values[(*next)++].node = node;
    for (const cJSON *child = node->child; child; child = child->next) {
        if (!pair(doc, child, next))
            return false;
    }
    return true;
}

/* What a person sees at an offset, for a message. */
static void name_token(const struct json_doc *doc, size_t offset, char text[48])
{
    const char *at = doc->text + offset;
    size_t length = strcspn(at, " \t\r\n,:{}[]");
    if (*at == '\0')
        snprintf(text, 48, "the file ends here");
    else
        snprintf(text, 48, "unexpected %.*s", length == 0 ? 1 : length > 24 ? 24 : (int)length, at);
}

static bool parse(struct json_doc *doc, struct diag *diag)
{
    if (strspn(doc->text, " \t\r\n") == doc->length)
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: empty: a JSON object is wanted, {} at least",
                        doc->name);
    const char *end = doc->text;
    size_t next = 0;
    doc->root = cJSON_ParseWithOpts(doc->text, &end, true);
    bool is_good = doc->root && pair(doc, doc->root, &next) && next == doc->nr_values;
    if (is_good)
        return true;
    size_t offset = doc->root ? 0 : (size_t)(end - doc->text);
    offset = offset < doc->length ? offset : doc->length;
    offset += strspn(doc->text + offset, " \t\r\n");
    char found[48];
    name_token(doc, offset, found);
    char *place = json_doc_place(doc, offset);
    diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: not JSON: %s", place ? place : doc->name, found);
    free(place);
    return false;
}

bool json_doc_load(struct json_doc *doc, const char *file, struct diag *diag)
{
    *doc = (struct json_doc){.name = file};
    FILE *from = fopen(file, "re");
    if (!from)
        return diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: cannot be read: %s", file, strerror(errno));
    bool is_good = read_text(doc, from, diag);
    fclose(from);
    return is_good && json_scan(doc, diag) && parse(doc, diag);
}

void json_doc_fini(struct json_doc *doc)
{
    cJSON_Delete(doc->root);
    free(doc->values);
    free(doc->text);
    *doc = (struct json_doc){0};
}

char *json_doc_place(const struct json_doc *doc, size_t offset)
{
    size_t line = 1, column = 1;
    for (size_t i = 0; i < offset; i++) {
        unsigned char c = (unsigned char)doc->text[i];
        if (c == '\n') {
            line++;
            column = 1;
        } else if ((c & 0xc0) != 0x80) {
            column++;
        }
    }
    char *place = NULL;
    return asprintf(&place, "%s:%zu:%zu", doc->name, line, column) < 0 ? NULL : place;
}
