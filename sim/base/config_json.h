/*
 * A JSON document with the place of every value. cJSON checks the syntax and builds the tree; it knows no
 * comments, no trailing commas and no positions. So the text is scanned first: comments and trailing commas
 * are overwritten with blanks, which keeps every offset, and the offset of each key and value is noted in
 * document order.
 */
#ifndef LK_SIM_BASE_CONFIG_JSON_H
#define LK_SIM_BASE_CONFIG_JSON_H

#include "sim/base/diag.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum { JSON_MAX_BYTES = 1 << 20, JSON_MAX_DEPTH = 32 };

struct json_value {
    const cJSON *node;
    size_t key_at; /* of the key's opening quote; where the value starts for elements of lists */
    size_t at, end;
};

struct json_doc {
    const char *name; /* for messages; not owned */
    char *text;       /* the cleaned text; newlines are where they were */
    size_t length;
    cJSON *root;
    struct json_value *values; /* in document order: a parent before its children */
    size_t nr_values, capacity;
};

/*
 * Reads and parses a file. On failure adds one line (EXIT_STATUS_NO_INPUT when the file cannot be read,
 * EXIT_STATUS_BAD_DATA when it is not JSON). json_doc_fini is due in either case.
 */
bool json_doc_load(struct json_doc *doc, const char *file, struct diag *diag);
void json_doc_fini(struct json_doc *doc);

/*
 * "file:line:col" of an offset; columns count characters, both from 1. To be freed; NULL when memory is
 * short.
 */
char *json_doc_place(const struct json_doc *doc, size_t offset);

/*
 * Overwrites comments and trailing commas, notes positions, refuses what is no text. Used by json_doc_load.
 */
bool json_scan(struct json_doc *doc, struct diag *diag);

#endif
