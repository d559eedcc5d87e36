/* A file of the user's, read through a mapping, so that a large one costs only what is used of it. */
#ifndef LK_SIM_LOAD_FILE_MAP_H
#define LK_SIM_LOAD_FILE_MAP_H

#include "sim/base/diag.h"

#include <stdint.h>

struct file_map {
    const char *name;     /* the caller's */
    const uint8_t *bytes; /* NULL when the file is empty */
    uint64_t size;
};

/* Adds a line (EXIT_STATUS_NO_INPUT) when `name` is missing, unreadable or no regular file. */
bool file_map_open(struct file_map *file, const char *name, struct diag *diag);
void file_map_close(struct file_map *file);

#endif
