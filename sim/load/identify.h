/* What a file that is no guest seems to be, in words, for an error line. */
#ifndef LK_SIM_LOAD_IDENTIFY_H
#define LK_SIM_LOAD_IDENTIFY_H

#include "sim/load/file_map.h"

#include <stddef.h>

enum { IDENTIFY_MAX = 128 };

/* Writes words such as "ELF64 executable for AArch64" or "a text file" into `text`, always terminated. */
void identify_file(const struct file_map *file, char text[IDENTIFY_MAX]);

#endif
