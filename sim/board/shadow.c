#include "sim/board/shadow.h"

#include "sim/base/snap.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NR_UNITS = (SHADOW_END - SHADOW_BASE) / SHADOW_UNIT_BYTES };
enum { MAX_ROM_BYTES = 16 << 20, LOW_ROM_BYTES = 0x20000 };
#define ROM_END (UINT64_C(1) << 32)

struct shadow {
    struct shadow_params params;
    enum shadow_access access[NR_UNITS];
    uint8_t *rom;
    uint64_t rom_bytes;
};

static enum shadow_access access_at(const struct shadow *shadow, uint64_t at)
{
    return shadow->params.ram ? shadow->access[(at - SHADOW_BASE) / SHADOW_UNIT_BYTES] : SHADOW_NONE;
}

/* The byte of the ROM that lies at `at` below 1 MiB; NULL: none does. */
static const uint8_t *low_rom(const struct shadow *shadow, uint64_t at, unsigned size)
{
    uint64_t below = SHADOW_END - at;
    if (below > shadow->rom_bytes || below > LOW_ROM_BYTES || size > below)
        return NULL;
    return shadow->rom + (shadow->rom_bytes - below);
}

static uint64_t read_low(void *opaque, uint64_t offset, unsigned size)
{
    const struct shadow *shadow = opaque;
    uint64_t at = SHADOW_ROM_BASE + offset, value = 0;
    if (access_at(shadow, at) & SHADOW_READ) {
        ram_read(shadow->params.ram, paddr(at), &value, size);
        return value;
    }
    const uint8_t *rom = low_rom(shadow, at, size);
    if (!rom) {
        iomap_count_unclaimed(shadow->params.memory, false);
        return UINT64_MAX;
    }
    memcpy(&value, rom, size);
    return value;
}

static void write_low(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    const struct shadow *shadow = opaque;
    uint64_t at = SHADOW_ROM_BASE + offset;
    if (access_at(shadow, at) & SHADOW_WRITE)
        ram_write(shadow->params.ram, paddr(at), &value, size);
    else if (!low_rom(shadow, at, size))
        iomap_count_unclaimed(shadow->params.memory, true);
}

static uint64_t read_high(void *opaque, uint64_t offset, unsigned size)
{
    const struct shadow *shadow = opaque;
    uint64_t value = 0;
    memcpy(&value, shadow->rom + offset, size);
    return value;
}

/* A ROM takes no notice of writes. */
static void write_high(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    (void)opaque, (void)offset, (void)size, (void)value;
}

enum { ANY_WIDTH = IO_WIDTH_1 | IO_WIDTH_2 | IO_WIDTH_4 | IO_WIDTH_8 };

struct shadow *shadow_create(const struct shadow_params *params, struct diag *diag)
{
    struct shadow *shadow = calloc(1, sizeof(*shadow));
    if (!shadow) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "shadow RAM: out of memory");
        return NULL;
    }
    shadow->params = *params;
    const struct io_range low = {.name = "shadow RAM and ROM",
                                 .base = SHADOW_ROM_BASE,
                                 .size = SHADOW_END - SHADOW_ROM_BASE,
                                 .widths = ANY_WIDTH,
                                 .read = read_low,
                                 .write = write_low,
                                 .opaque = shadow};
    if (!iomap_add(params->memory, &low, diag)) {
        shadow_destroy(shadow);
        return NULL;
    }
    return shadow;
}

void shadow_destroy(struct shadow *shadow)
{
    if (!shadow)
        return;
    free(shadow->rom);
    free(shadow);
}

bool shadow_set_rom(struct shadow *shadow, const void *bytes, uint64_t size_bytes, struct diag *diag)
{
    assert(!shadow->rom);
    if (size_bytes == 0 || size_bytes > MAX_ROM_BYTES || size_bytes % PAGE_BYTES != 0)
        return diag_add(diag, EXIT_STATUS_BAD_DATA,
                        "firmware of %" PRIu64 " bytes: allowed are multiples of 4 KiB up to 16 MiB",
                        size_bytes);
    shadow->rom = malloc(size_bytes);
    if (!shadow->rom)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "firmware: out of memory");
    memcpy(shadow->rom, bytes, size_bytes);
    shadow->rom_bytes = size_bytes;
    const struct io_range high = {.name = "firmware ROM",
                                  .base = ROM_END - size_bytes,
                                  .size = size_bytes,
                                  .widths = ANY_WIDTH,
                                  .read = read_high,
                                  .write = write_high,
                                  .opaque = shadow};
    return iomap_add(shadow->params.memory, &high, diag);
}

const uint8_t *shadow_rom(const struct shadow *shadow, uint64_t *size_bytes)
{
    *size_bytes = shadow->rom_bytes;
    return shadow->rom;
}

bool shadow_has_rom(const struct shadow *shadow)
{
    return shadow->rom;
}

void shadow_set(struct shadow *shadow, uint32_t at, uint32_t size_bytes, enum shadow_access access)
{
    assert(at >= SHADOW_BASE && size_bytes > 0 && size_bytes <= SHADOW_END - at);
    assert(at % SHADOW_UNIT_BYTES == 0 && size_bytes % SHADOW_UNIT_BYTES == 0);
    for (uint32_t unit = at; unit < at + size_bytes; unit += SHADOW_UNIT_BYTES) {
        enum shadow_access *held = &shadow->access[(unit - SHADOW_BASE) / SHADOW_UNIT_BYTES];
        if (*held == access)
            continue;
        *held = access;
        if (shadow->params.changed)
            shadow->params.changed(shadow->params.opaque, paddr(unit), SHADOW_UNIT_BYTES);
    }
}

bool shadow_is_ram(const struct shadow *shadow, struct paddr page)
{
    assert(page.v >= SHADOW_BASE && page.v < SHADOW_END);
    return access_at(shadow, page.v) == SHADOW_BOTH;
}

bool shadow_reads_ram(const struct shadow *shadow, struct paddr page)
{
    assert(page.v >= SHADOW_BASE && page.v < SHADOW_END);
    return access_at(shadow, page.v) & SHADOW_READ;
}

void shadow_snap(struct shadow *shadow, struct snap *snap)
{
    SNAP_OPEN(snap, shadow);
    SNAP_SKIP(snap, shadow->params);
    for (unsigned i = 0; i < NR_UNITS; i++)
        SNAP_BELOW(snap, shadow->access[i], SHADOW_BOTH + 1);
    SNAP_SKIP(snap, shadow->access);
    SNAP_SKIP(snap, shadow->rom);
    SNAP_SKIP(snap, shadow->rom_bytes);
    SNAP_CLOSE(snap, shadow);
}
