#include "sim/load/firmware_rom.h"

#include "sim/load/file_map.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool firmware_rom_open(struct firmware_rom *rom, const char *file, struct diag *diag)
{
    struct file_map map;
    *rom = (struct firmware_rom){0};
    if (!file_map_open(&map, file, diag))
        return false;
    bool is_good = map.size > 0 && map.size <= FIRMWARE_MAX_BYTES && map.size % FIRMWARE_UNIT_BYTES == 0;
    if (!is_good)
        diag_add(diag, EXIT_STATUS_BAD_DATA,
                 "%s: a firmware image of %" PRIu64 " bytes; allowed: a multiple of %d, up to %d", file,
                 map.size, FIRMWARE_UNIT_BYTES, FIRMWARE_MAX_BYTES);
    else if (!(rom->bytes = malloc((size_t)map.size)))
        diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", file);
    if (rom->bytes) {
        rom->size = map.size;
        memcpy(rom->bytes, map.bytes, (size_t)map.size);
    }
    file_map_close(&map);
    return rom->bytes;
}

void firmware_rom_close(struct firmware_rom *rom)
{
    free(rom->bytes);
    *rom = (struct firmware_rom){0};
}
