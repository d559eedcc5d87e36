/*
 * A lab's disk: a file of the host's that is filled before the guest runs, and read when it has ended. Its
 * 32-bit words, little-endian, are lab_disk_word(0), lab_disk_word(1) ..., which guest/labs/disk.c knows.
 */
#ifndef LK_SIM_LAB_DISK_H
#define LK_SIM_LAB_DISK_H

#include "sim/base/diag.h"

#include <stdint.h>

enum { LAB_DISK_BYTES = 4 << 20, LAB_DISK_WORDS = LAB_DISK_BYTES / 4, LAB_DISK_FILE_CHARS = 4096 };

uint32_t lab_disk_word(uint32_t number);

/* Makes the file, in $TMPDIR or /tmp; its name goes to `file`. False with a line. */
bool lab_disk_make(char file[LAB_DISK_FILE_CHARS], struct diag *diag);
/* Reads the words, from malloc(), and removes the file. NULL with a line. */
uint32_t *lab_disk_take(const char *file, struct diag *diag);

#endif
