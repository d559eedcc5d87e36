/*
 * How commands begin: one row a command code (ATA/ATAPI-6 8; codes of ATA-1 to 3 where disks go on taking
 * them).
 */
#include "dma/ata_internal.h"

#include <string.h>

enum { MAX_LBA28 = 1 << 28 };

enum address { NO_ADDRESS, ADDRESS_28, ADDRESS_48 };

struct row {
    uint8_t first, last; /* command codes */
    void (*begin)(struct ata *ata, const struct row *row);
    enum address address;
    enum ata_step step; /* of transfers: what begins them */
    bool is_multiple;
};

static cycle_t soon(const struct ata *ata)
{
    return ev_now(ata->params.events) + ata->params.timing.command_cycles;
}

/* ---- Transfers ---- */

/* By cylinder, head and sector; false where the geometry has no such sector. */
static bool find_by_geometry(struct ata *ata)
{
    uint64_t cylinder = ata->now.lba[1] | (uint64_t)ata->now.lba[2] << 8;
    unsigned head = ata->device & 0x0f, sector = ata->now.lba[0];
    if (head >= ata->heads || sector == 0 || sector > ata->sectors)
        return false;
    ata->lba = (cylinder * ata->heads + head) * ata->sectors + sector - 1;
    return true;
}

static void find_first_sector(struct ata *ata, enum address address)
{
    const struct ata_task *now = &ata->now, *before = &ata->before;
    ata->is_extended = address == ADDRESS_48;
    ata->left = now->count ? now->count : 256;
    if (ata->is_extended) {
        unsigned count = now->count | (unsigned)before->count << 8;
        ata->left = count ? count : 65536;
    }
    ata->has_addressed = true;
    ata->lba = 0;
    if (!(ata->device & ATA_DEVICE_LBA)) {
        ata->has_addressed = find_by_geometry(ata);
        return;
    }
    for (unsigned i = 0; i < 3; i++) {
        ata->lba |= (uint64_t)now->lba[i] << (8 * i);
        if (ata->is_extended)
            ata->lba |= (uint64_t)before->lba[i] << (24 + 8 * i);
    }
    if (!ata->is_extended)
        ata->lba |= (uint64_t)(ata->device & 0x0f) << 24;
}

static bool is_write(enum ata_step step)
{
    return step == ATA_STEP_ASK_BLOCK || step == ATA_STEP_ASK_DMA;
}

/*
 * A write's seek comes when its first sectors are there (ata.c). Reads, verifications and seeks have to
 * come to the sector first.
 */
static void begin_transfer(struct ata *ata, const struct row *row)
{
    const struct ata_timing *timing = &ata->params.timing;
    bool is_refused = (row->is_multiple && ata->multiple == 0) ||
                      (row->address == ADDRESS_48 && !(ata->device & ATA_DEVICE_LBA)) ||
                      (is_write(row->step) && disk_is_read_only(ata->params.disk));
    if (is_refused) {
        ata_fail(ata, ATA_ABRT);
        return;
    }
    find_first_sector(ata, row->address);
    ata->block = row->is_multiple ? ata->multiple : 1;
    cycle_t due = soon(ata);
    if (!is_write(row->step)) {
        unsigned first = row->step == ATA_STEP_VERIFY ? ata->left : ata->block;
        due += (ata->left < first ? ata->left : first) * timing->sector_cycles;
        if (ata->lba != ata->head_at) {
            ata->params.stats->seeks++;
            due += timing->seek_cycles;
        }
    }
    ata_busy_until(ata, row->step, due);
}

/* ---- The others ---- */

static void identify(struct ata *ata, const struct row *row)
{
    uint16_t words[ATA_IDENTIFY_WORDS];
    (void)row;
    ata_identify(ata, words);
    for (size_t i = 0; i < ATA_IDENTIFY_WORDS; i++) {
        ata->buffer[2 * i] = (uint8_t)words[i];
        ata->buffer[2 * i + 1] = (uint8_t)(words[i] >> 8);
    }
    ata_busy_until(ata, ATA_STEP_IDENTIFY, soon(ata));
}

/* Nothing is left to do but to say so: power modes are all the same, the heads go back to cylinder 0. */
static void agree(struct ata *ata, const struct row *row)
{
    (void)row;
    ata_busy_until(ata, ATA_STEP_FINISH, soon(ata));
}

static void recalibrate(struct ata *ata, const struct row *row)
{
    ata->head_at = 0;
    agree(ata, row);
}

static void seek(struct ata *ata, const struct row *row)
{
    find_first_sector(ata, row->address);
    if (!ata->has_addressed || ata->lba >= disk_nr_sectors(ata->params.disk)) {
        ata_fail(ata, ATA_IDNF);
        return;
    }
    cycle_t moves = ata->lba != ata->head_at ? ata->params.timing.seek_cycles : 0;
    ata->params.stats->seeks += moves != 0;
    ata->head_at = ata->lba;
    ata_busy_until(ata, ATA_STEP_FINISH, soon(ata) + moves);
}

static void check_power_mode(struct ata *ata, const struct row *row)
{
    enum { IS_ACTIVE = 0xff };
    ata->now.count = IS_ACTIVE;
    agree(ata, row);
}

static void flush(struct ata *ata, const struct row *row)
{
    if (disk_flush(ata->params.disk)) {
        agree(ata, row);
        return;
    }
    ata->params.stats->host_errors++;
    ata_fail(ata, ATA_ABRT);
    ata->status |= ATA_DF;
}

static void initialize_parameters(struct ata *ata, const struct row *row)
{
    if (ata->now.count == 0) {
        ata_fail(ata, ATA_ABRT);
        return;
    }
    ata->sectors = ata->now.count;
    ata->heads = (ata->device & 0x0fu) + 1;
    agree(ata, row);
}

static void set_multiple(struct ata *ata, const struct row *row)
{
    unsigned count = ata->now.count;
    if (count > ATA_MAX_MULTIPLE || (count & (count - 1))) {
        ata_fail(ata, ATA_ABRT);
        return;
    }
    ata->multiple = count;
    agree(ata, row);
}

/* SET FEATURES 03h: the transfer mode, in the sector count; PIO changes nothing here. */
static bool set_transfer_mode(struct ata *ata)
{
    enum { MODE = 7, PIO_DEFAULT = 0x00, PIO = 0x08, MULTIWORD = 0x20, ULTRA = 0x40 };
    unsigned mode = ata->now.count & MODE, kind = ata->now.count - mode;
    switch (kind) {
    case PIO_DEFAULT:
        return mode <= 1;
    case PIO:
        return mode <= 4;
    case MULTIWORD:
    case ULTRA:
        if (mode > (kind == ULTRA ? 5 : 2))
            return false;
        ata->dma_mode = ata->now.count;
        return true;
    default:
        return false;
    }
}

static void set_features(struct ata *ata, const struct row *row)
{
    enum {
        WRITE_CACHE_ON = 0x02,
        TRANSFER_MODE = 0x03,
        LOOK_AHEAD_OFF = 0x55,
        KEEP_OVER_RESET = 0x66,
        WRITE_CACHE_OFF = 0x82,
        LOOK_AHEAD_ON = 0xaa,
        REVERT_AT_RESET = 0xcc
    };
    bool is_known = true;
    switch (ata->now.features) {
    case WRITE_CACHE_ON:
    case WRITE_CACHE_OFF:
        ata->has_write_cache = ata->now.features == WRITE_CACHE_ON;
        break;
    case LOOK_AHEAD_ON:
    case LOOK_AHEAD_OFF:
        ata->has_look_ahead = ata->now.features == LOOK_AHEAD_ON;
        break;
    case TRANSFER_MODE:
        is_known = set_transfer_mode(ata);
        break;
    case KEEP_OVER_RESET: /* a software reset changes no setting here, whatever is asked for */
    case REVERT_AT_RESET:
        break;
    default:
        is_known = false;
        break;
    }
    if (is_known)
        agree(ata, row);
    else
        ata_fail(ata, ATA_ABRT);
}

static void diagnose(struct ata *ata, const struct row *row)
{
    (void)row;
    ata_busy_until(ata, ATA_STEP_DIAGNOSE, soon(ata));
}

/* ---- All commands ---- */

static const struct row rows[] = {
    {0x10, 0x1f, recalibrate, NO_ADDRESS, ATA_STEP_NONE, false},
    {0x20, 0x21, begin_transfer, ADDRESS_28, ATA_STEP_READ_BLOCK, false},
    {0x24, 0x24, begin_transfer, ADDRESS_48, ATA_STEP_READ_BLOCK, false},
    {0x25, 0x25, begin_transfer, ADDRESS_48, ATA_STEP_READ_DMA, false},
    {0x29, 0x29, begin_transfer, ADDRESS_48, ATA_STEP_READ_BLOCK, true},
    {0x30, 0x31, begin_transfer, ADDRESS_28, ATA_STEP_ASK_BLOCK, false},
    {0x34, 0x34, begin_transfer, ADDRESS_48, ATA_STEP_ASK_BLOCK, false},
    {0x35, 0x35, begin_transfer, ADDRESS_48, ATA_STEP_ASK_DMA, false},
    {0x39, 0x39, begin_transfer, ADDRESS_48, ATA_STEP_ASK_BLOCK, true},
    {0x40, 0x41, begin_transfer, ADDRESS_28, ATA_STEP_VERIFY, false},
    {0x42, 0x42, begin_transfer, ADDRESS_48, ATA_STEP_VERIFY, false},
    {0x70, 0x7f, seek, ADDRESS_28, ATA_STEP_NONE, false},
    {ATA_EXECUTE_DIAGNOSTIC, ATA_EXECUTE_DIAGNOSTIC, diagnose, NO_ADDRESS, ATA_STEP_NONE, false},
    {0x91, 0x91, initialize_parameters, NO_ADDRESS, ATA_STEP_NONE, false},
    {0xc4, 0xc4, begin_transfer, ADDRESS_28, ATA_STEP_READ_BLOCK, true},
    {0xc5, 0xc5, begin_transfer, ADDRESS_28, ATA_STEP_ASK_BLOCK, true},
    {0xc6, 0xc6, set_multiple, NO_ADDRESS, ATA_STEP_NONE, false},
    {0xc8, 0xc9, begin_transfer, ADDRESS_28, ATA_STEP_READ_DMA, false},
    {0xca, 0xcb, begin_transfer, ADDRESS_28, ATA_STEP_ASK_DMA, false},
    {0xe0, 0xe3, agree, NO_ADDRESS, ATA_STEP_NONE,
     false}, /* STANDBY IMMEDIATE, IDLE IMMEDIATE, STANDBY, IDLE */
    {0xe5, 0xe5, check_power_mode, NO_ADDRESS, ATA_STEP_NONE, false},
    {0xe6, 0xe6, agree, NO_ADDRESS, ATA_STEP_NONE,
     false}, /* SLEEP, from which only a reset wakes a real disk */
    {0xe7, 0xe7, flush, NO_ADDRESS, ATA_STEP_NONE, false},
    {0xea, 0xea, flush, NO_ADDRESS, ATA_STEP_NONE, false},
    {0xec, 0xec, identify, NO_ADDRESS, ATA_STEP_NONE, false},
    {0xef, 0xef, set_features, NO_ADDRESS, ATA_STEP_NONE, false},
};

void ata_execute(struct ata *ata, uint8_t command)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (command >= rows[i].first && command <= rows[i].last) {
            rows[i].begin(ata, &rows[i]);
            return;
        }
    }
    ata_fail(ata, ATA_ABRT);
}
