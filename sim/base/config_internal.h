/*
 * What the files of the configuration share: the rows as data, values as text, and documents with positions.
 */
#ifndef LK_SIM_BASE_CONFIG_INTERNAL_H
#define LK_SIM_BASE_CONFIG_INTERNAL_H

#include "sim/base/config.h"

#include <stddef.h>

#define CFG_SCHEMA_NAME "lookaside/1"

enum cfg_kind { CFG_SIZE, CFG_COUNT, CFG_HZ, CFG_BOOL, CFG_ENUM, CFG_TIME };

struct cfg_row {
    const char *path;
    size_t offset; /* of the field in struct config */
    enum cfg_kind kind;
    uint64_t initial, min, max;
    const char *initial_name; /* CFG_ENUM: the default */
    const char *names;        /* CFG_ENUM: "a|b|c" */
    const char *unit;         /* CFG_COUNT */
    const char *sentence;
};

const struct cfg_row *cfg_rows(size_t *nr_rows);

/* Where a value came from. */
struct cfg_origin {
    char *place;             /* "file:line:col" or "-s"; NULL: the default */
    enum exit_status status; /* with which a mistake at that place ends the program */
    uint64_t order; /* of assignment: of two keys that do not fit together the later one is called wrong */
    bool is_bad;    /* the last assignment was refused, so that what depends on it need not be checked */
};

struct cfg {
    struct config values;
    struct cfg_origin *origins; /* one a row */
    uint64_t next_order;
};

uint64_t cfg_value(const struct cfg *cfg, const struct cfg_row *row);

/* One value as it was found in a file or on the command line. */
struct cfg_found {
    enum { CFG_FOUND_NUMBER, CFG_FOUND_STRING, CFG_FOUND_BOOL, CFG_FOUND_BARE, CFG_FOUND_OTHER } type;
    const char
        *text; /* without quotes; CFG_FOUND_BARE is a word of the command line: any type that reads so */
    const char *place;
    enum exit_status status;
};

/* Assigns, or adds a line that names place, key, what was found and what is allowed. */
bool cfg_assign(struct cfg *cfg, size_t row_index, const struct cfg_found *found, struct diag *diag);

/* Adds a line for a path that is no key, with the nearest key there is. */
bool cfg_refuse_path(const char *path, const char *place, enum exit_status status, struct diag *diag);

/* Index of the row of that path; the number of rows when there is none. */
size_t cfg_find_row(const char *path);
/* Whether `path` is a proper prefix of keys, as "tlb" and "tlb.l1d" are. */
bool cfg_is_group(const char *path);

enum { CFG_TEXT_CHARS = 256 };

/* Reads `text` as the row wants it. On failure `problem` holds a clause for people, possibly empty. */
bool cfg_parse(const struct cfg_row *row, const char *text, uint64_t *value, char problem[CFG_TEXT_CHARS]);
/* A value as it is written in a file, with quotes where JSON wants them. */
void cfg_format(const struct cfg_row *row, uint64_t value, char text[CFG_TEXT_CHARS]);
/* What a row allows: "1 to 4096 ways" for a reference, "a whole number, 1 to 4096 ways" for a message. */
void cfg_range(const struct cfg_row *row, char text[CFG_TEXT_CHARS]);
void cfg_describe(const struct cfg_row *row, char text[CFG_TEXT_CHARS]);
/* Name number `index` of "a|b|c" as a pointer and a length; false past the end. */
bool cfg_enum_name(const char *names, uint64_t index, const char **name, size_t *length);

/* The number of single-character edits that make `b` of `a`; both are cut at 96 characters. */
size_t cfg_edit_distance(const char *a, const char *b);

#endif
