/* A firmware image, as it would be in a PC's flash memory. */
#ifndef LK_SIM_LOAD_FIRMWARE_ROM_H
#define LK_SIM_LOAD_FIRMWARE_ROM_H

#include "sim/base/diag.h"

#include <stdint.h>

enum {
    FIRMWARE_UNIT_BYTES = 64 << 10,
    FIRMWARE_MAX_BYTES = 4 << 20,
};

struct firmware_rom {
    uint8_t *bytes; /* owned */
    uint64_t size;
};

/*
 * Reads the file. A size that is no multiple of 64 KiB, or not 64 KiB to 4 MiB, is a line of status 65. NULL
 * bytes on failure.
 */
bool firmware_rom_open(struct firmware_rom *rom, const char *file, struct diag *diag);
void firmware_rom_close(struct firmware_rom *rom);

#endif
