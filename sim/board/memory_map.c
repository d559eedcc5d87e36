#include "sim/board/memory_map.h"

enum {
    EBDA_BASE = 0x9fc00, /* the firmware's 1 KiB below the hole */
    BIOS_BASE = 0xf0000,
    FIRMWARE_TOP_BYTES = 0x20000, /* where SeaBIOS keeps its tables, at the top of RAM */
};
#define FLASH_BASE UINT64_C(0xfffc0000)
#define FLASH_END UINT64_C(0x100000000)

struct memory_map memory_map(uint64_t ram_bytes)
{
    const uint64_t firmware_base = ram_bytes - FIRMWARE_TOP_BYTES;
    return (struct memory_map){
        .ranges =
            {
                {{0}, EBDA_BASE, MEMORY_USABLE},
                {{EBDA_BASE}, MEMORY_HOLE_BASE - EBDA_BASE, MEMORY_RESERVED},
                {{BIOS_BASE}, MEMORY_HOLE_END - BIOS_BASE, MEMORY_RESERVED},
                {{MEMORY_HOLE_END}, firmware_base - MEMORY_HOLE_END, MEMORY_USABLE},
                {{firmware_base}, FIRMWARE_TOP_BYTES, MEMORY_RESERVED},
                {{FLASH_BASE}, FLASH_END - FLASH_BASE, MEMORY_RESERVED},
            },
        .nr_ranges = 6,
    };
}
