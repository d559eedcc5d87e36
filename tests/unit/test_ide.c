/*
 * An IDE channel: who answers where a device is missing, two devices, errors of the host, time in closed
 * form, and the bus master's lists. What one disk says to commands is compared with QEMU's in
 * tests/whole/ide.sh.
 */
#include "dma/ide.h"
#include "tests/unit/board_fixture.h"
#include "tests/unit/disk_fixture.h"
#include "tests/unit/dma_fixture.h"

enum { COMMAND_CYCLES = 1000, SEEK_CYCLES = 5000, SECTOR_CYCLES = 200, NR_SECTORS = 64 };
enum {
    READ = 0x20,
    WRITE = 0x30,
    READ_MULTIPLE = 0xc4,
    SET_MULTIPLE = 0xc6,
    READ_DMA = 0xc8,
    WRITE_DMA = 0xca
};
enum { IDENTIFY = 0xec, PARAMETERS = 0x91, READY = ATA_DRDY | ATA_DSC };
enum { BM_COMMAND, BM_STATUS = 2, BM_LIST = 4, START = 1, TO_MEMORY = 8, ACTIVE = 1, FAILED = 2, ASKED = 4 };
enum { LIST = 0x1000, BUFFER = 0x4000 };

static struct {
    struct board_fixture board;
    struct dma_world world;
    struct disk_image images[2];
    struct disk *disks[2];
    struct dma_master *master;
    struct ata_stats stats;
    struct ide *ide;
    bool may_master;
    unsigned nr_aborts;
} at;

static bool may_master(void *opaque)
{
    (void)opaque;
    return at.may_master;
}

static void aborted(void *opaque)
{
    (void)opaque;
    at.nr_aborts++;
}

/* Which of the two devices are there; caches as in dma_fixture.h. */
static void make(bool has_first, bool has_second, const char *const *caches)
{
    const bool has[] = {has_first, has_second};
    struct dma_master_params master = plain_master();
    fixture_init(&at.board);
    make_dma_world(&at.world, caches);
    at.master = dma_master_create(&master, at.world.memory);
    struct ide_params params = {.events = at.board.events,
                                .timing = {COMMAND_CYCLES, SEEK_CYCLES, SECTOR_CYCLES},
                                .stats = &at.stats,
                                .irq = recording_line(&at.board.irq),
                                .master = at.master,
                                .may_master = may_master,
                                .aborted = aborted};
    for (unsigned i = 0; i < 2; i++) {
        if (!has[i])
            continue;
        at.images[i] = make_image(NR_SECTORS);
        params.disks[i] = at.disks[i] = open_image(&at.images[i], DISK_READ_WRITE);
    }
    at.may_master = true;
    at.ide = ide_create(&params, &at.board.diag);
    cr_assert_not_null(at.ide);
}

static void destroy(void)
{
    ide_destroy(at.ide);
    dma_master_destroy(at.master);
    for (unsigned i = 0; i < 2; i++) {
        disk_close(at.disks[i]);
        if (at.disks[i])
            destroy_image(&at.images[i]);
        at.disks[i] = NULL;
    }
    destroy_dma_world(&at.world);
    fixture_fini(&at.board);
}

static uint8_t reg(unsigned i)
{
    return (uint8_t)ide_read(at.ide, i, 1);
}

static void set(unsigned i, uint8_t value)
{
    ide_write(at.ide, i, 1, value);
}

static uint8_t status(void)
{
    return ide_read_control(at.ide);
}

static void pass(cycle_t cycles)
{
    go_to(&at.board, ev_now(at.board.events) + cycles);
}

static void command(unsigned device, uint64_t lba, uint8_t count, uint8_t code)
{
    set(ATA_DEVICE, (uint8_t)(0xe0 | (device ? ATA_DEVICE_1 : 0)));
    set(ATA_COUNT, count);
    set(ATA_LBA_LOW, (uint8_t)lba);
    set(ATA_LBA_MID, (uint8_t)(lba >> 8));
    set(ATA_LBA_HIGH, (uint8_t)(lba >> 16));
    set(ATA_COMMAND, code);
}

static void identify(unsigned device, uint16_t words[256])
{
    command(device, 0, 0, IDENTIFY);
    pass(COMMAND_CYCLES);
    cr_assert_eq(status(), READY | ATA_DRQ);
    for (unsigned i = 0; i < 256; i++)
        words[i] = (uint16_t)ide_read(at.ide, ATA_DATA, 2);
    cr_assert_eq(reg(ATA_COMMAND), READY);
}

/* ---- Who answers ---- */

Test(ide, nobody_drives_a_cable_without_devices)
{
    make(false, false, NULL);
    for (unsigned device = 0; device < 2; device++) {
        set(ATA_DEVICE, (uint8_t)(device * ATA_DEVICE_1));
        for (unsigned i = ATA_FEATURES; i < ATA_NR_REGISTERS; i++)
            cr_assert_eq(reg(i), 0x7f);
        cr_assert_eq(status(), 0x7f);
        cr_assert_eq(ide_read(at.ide, ATA_DATA, 2), 0xff7f);
        set(ATA_COMMAND, IDENTIFY);
        ide_write(at.ide, ATA_DATA, 4, 0);
    }
    pass(1000000);
    cr_assert_eq(at.board.irq.nr_rises, 0);
    destroy();
}

Test(ide, device_0_answers_for_a_missing_device_1)
{
    make(true, false, NULL);
    set(ATA_DEVICE, ATA_DEVICE_1);
    set(ATA_COUNT, 0x55);
    cr_assert_eq(reg(ATA_COUNT), 0x55);
    cr_assert_eq(reg(ATA_DEVICE), 0xa0 | ATA_DEVICE_1);
    cr_assert_eq(reg(ATA_COMMAND), 0);
    cr_assert_eq(status(), 0);
    set(ATA_COMMAND, IDENTIFY);
    pass(1000000);
    cr_assert_eq(at.board.irq.nr_rises, 0);
    cr_assert_eq(status(), 0);
    set(ATA_COMMAND, ATA_EXECUTE_DIAGNOSTIC); /* which is for both, and selects device 0 */
    cr_assert_eq(status(), READY | ATA_BSY);
    pass(COMMAND_CYCLES);
    cr_assert_eq(status(), READY);
    cr_assert_eq(reg(ATA_FEATURES), ATA_DIAGNOSED);
    cr_assert_eq(at.board.irq.nr_rises, 1);
    destroy();
}

Test(ide, device_1_alone_leaves_device_0_to_nobody)
{
    make(false, true, NULL);
    cr_assert_eq(reg(ATA_COMMAND), 0x7f);
    set(ATA_COUNT, 0x55);
    cr_assert_eq(reg(ATA_COUNT), 0x7f);
    set(ATA_DEVICE, ATA_DEVICE_1);
    cr_assert_eq(reg(ATA_COUNT), 0x55);
    cr_assert_eq(reg(ATA_COMMAND), READY);
    destroy();
}

Test(ide, two_devices_are_two)
{
    uint16_t words[2][256];
    make(true, true, NULL);
    identify(0, words[0]);
    identify(1, words[1]);
    cr_assert_eq(words[0][12], '0' << 8 | '0'); /* the serial numbers: LK00001, LK00002 */
    cr_assert_eq(words[0][13], '1' << 8 | ' ');
    cr_assert_eq(words[1][13], '2' << 8 | ' ');
    command(1, 3, 1, READ);
    pass(COMMAND_CYCLES + SEEK_CYCLES + SECTOR_CYCLES);
    cr_assert(at.board.irq.level);
    for (unsigned i = 0; i < 256; i++)
        ide_read(at.ide, ATA_DATA, 2);
    set(ATA_DEVICE, 0); /* the interrupt of one that is not selected is not on the line */
    cr_assert_not(at.board.irq.level);
    set(ATA_DEVICE, ATA_DEVICE_1);
    cr_assert(at.board.irq.level);
    reg(ATA_COMMAND);
    cr_assert_not(at.board.irq.level);
    set(ATA_COMMAND, ATA_EXECUTE_DIAGNOSTIC);
    pass(COMMAND_CYCLES);
    for (unsigned device = 0; device < 2; device++) {
        cr_assert_eq(reg(ATA_DEVICE), 0xa0 | device * ATA_DEVICE_1);
        cr_assert_eq(reg(ATA_COUNT), 1);
        cr_assert_eq(status(), READY);
        set(ATA_DEVICE, ATA_DEVICE_1);
    }
    destroy();
}

Test(ide, settings_show_in_its_identity)
{
    uint16_t words[256];
    make(true, false, NULL);
    identify(0, words);
    cr_assert_eq(words[59], 0);
    cr_assert_eq(words[60], NR_SECTORS);
    command(0, 0, 4, SET_MULTIPLE);
    pass(COMMAND_CYCLES);
    set(ATA_DEVICE, 7);
    set(ATA_COUNT, 2);
    set(ATA_COMMAND, PARAMETERS);
    pass(COMMAND_CYCLES);
    identify(0, words);
    cr_assert_eq(words[59], 0x104);
    cr_assert_eq(words[54], NR_SECTORS / 16);
    cr_assert_eq(words[55], 8);
    cr_assert_eq(words[56], 2);
    command(0, 0, 0, SET_MULTIPLE);
    pass(COMMAND_CYCLES);
    identify(0, words);
    cr_assert_eq(words[59], 0);
    command(0, 0, 1, READ_MULTIPLE);
    cr_assert_eq(status(), READY | ATA_ERR);
    cr_assert_eq(reg(ATA_FEATURES), ATA_ABRT);
    destroy();
}

/* ---- Time ---- */

static void take_sector(uint64_t sector)
{
    uint8_t wanted[DISK_SECTOR_BYTES];
    fill_sector(wanted, sector);
    cr_assert_eq(status(), READY | ATA_DRQ);
    for (unsigned i = 0; i < DISK_SECTOR_BYTES; i += 4) {
        uint32_t value = ide_read(at.ide, ATA_DATA, 4);
        cr_assert(!memcmp(&value, wanted + i, 4));
    }
}

Test(ide, reads_take_command_seek_and_sectors)
{
    make(true, false, NULL);
    command(0, 10, 2, READ);
    pass(COMMAND_CYCLES + SEEK_CYCLES + SECTOR_CYCLES - 1);
    cr_assert_eq(status(), READY | ATA_BSY);
    pass(1);
    cr_assert(at.board.irq.level);
    take_sector(10);
    pass(SECTOR_CYCLES - 1);
    cr_assert_eq(status(), READY | ATA_BSY);
    pass(1);
    take_sector(11);
    cr_assert_eq(status(), READY);
    command(0, 12, 1, READ); /* behind the last one */
    pass(COMMAND_CYCLES + SECTOR_CYCLES - 1);
    cr_assert_eq(status(), READY | ATA_BSY);
    pass(1);
    take_sector(12);
    cr_assert_eq(at.stats.seeks, 1);
    cr_assert_eq(at.stats.commands, 2);
    cr_assert_eq(at.stats.sectors_read, 3);
    destroy();
}

Test(ide, writes_take_command_then_seek_and_sectors)
{
    uint8_t bytes[DISK_SECTOR_BYTES];
    make(true, false, NULL);
    command(0, 10, 1, WRITE);
    pass(COMMAND_CYCLES);
    cr_assert_eq(status(), READY | ATA_DRQ);
    cr_assert_not(at.board.irq.level);
    for (unsigned i = 0; i < DISK_SECTOR_BYTES; i += 2)
        ide_write(at.ide, ATA_DATA, 2, i);
    pass(SEEK_CYCLES + SECTOR_CYCLES - 1);
    cr_assert_eq(status(), READY | ATA_BSY);
    pass(1);
    cr_assert(at.board.irq.level);
    cr_assert_eq(status(), READY);
    cr_assert(disk_read(at.disks[0], 10, bytes));
    for (unsigned i = 0; i < DISK_SECTOR_BYTES; i += 2)
        cr_assert_eq(bytes[i] | (unsigned)bytes[i + 1] << 8, i);
    destroy();
}

/* ---- What the host cannot do ---- */

Test(ide, a_file_that_has_become_shorter_is_an_unreadable_sector)
{
    make(true, false, NULL);
    cr_assert_eq(ftruncate(at.images[0].fd, 20 * DISK_SECTOR_BYTES), 0);
    command(0, 19, 3, READ);
    pass(COMMAND_CYCLES + SEEK_CYCLES + SECTOR_CYCLES);
    take_sector(19);
    pass(SECTOR_CYCLES);
    cr_assert_eq(status(), READY | ATA_ERR);
    cr_assert_eq(reg(ATA_FEATURES), ATA_UNC);
    cr_assert_eq(reg(ATA_LBA_LOW), 20);
    cr_assert_eq(reg(ATA_COUNT), 2);
    cr_assert_eq(at.stats.errors, 1);
    cr_assert_eq(at.stats.host_errors, 1);
    command(0, 18, 1, READ);
    pass(COMMAND_CYCLES + SEEK_CYCLES + SECTOR_CYCLES);
    take_sector(18);
    destroy();
}

/* ---- The bus master ---- */

static void put_dword(uint32_t where, uint32_t value)
{
    memcpy(at.world.ram.host + where, &value, 4);
}

static void region(unsigned i, uint32_t where, uint32_t count_and_end)
{
    put_dword(LIST + 8 * i, where);
    put_dword(LIST + 8 * i + 4, count_and_end);
}

static uint8_t bm_status(void)
{
    return ide_read_dma(at.ide, BM_STATUS);
}

static void start(uint32_t list, bool is_to_memory)
{
    ide_write_dma(at.ide, BM_STATUS, FAILED | ASKED);
    for (unsigned i = 0; i < 4; i++)
        ide_write_dma(at.ide, BM_LIST + i, (uint8_t)(list >> (8 * i)));
    ide_write_dma(at.ide, BM_COMMAND, 0);
    ide_write_dma(at.ide, BM_COMMAND, (uint8_t)(START | (is_to_memory ? TO_MEMORY : 0)));
}

static void check_memory(uint32_t where, uint64_t sector, uint32_t from, uint32_t nr_bytes)
{
    for (uint32_t i = 0; i < nr_bytes; i++) {
        uint32_t byte = from + i;
        cr_assert_eq(at.world.ram.host[where + i],
                     image_byte(sector + byte / DISK_SECTOR_BYTES, byte % DISK_SECTOR_BYTES), "byte %u",
                     byte);
    }
}

Test(ide, a_list_takes_what_it_has_room_for)
{
    make(true, false, NULL);
    region(0, BUFFER | 1, 101); /* bits 0 are not there: 100 bytes at BUFFER */
    region(1, BUFFER + 0x2000, 412 | 1u << 31);
    start(LIST, true);
    cr_assert_eq(bm_status(), ACTIVE);
    command(0, 5, 2, READ_DMA);
    pass(COMMAND_CYCLES + SEEK_CYCLES + SECTOR_CYCLES);
    check_memory(BUFFER, 5, 0, 100);
    check_memory(BUFFER + 0x2000, 5, 100, 412);
    pass(1000000);
    cr_assert_eq(bm_status(), 0, "the list was too short");
    cr_assert_eq(status(), READY | ATA_DRQ, "and the disk waits");
    cr_assert_not(at.board.irq.level);
    region(0, BUFFER + 0x3000, 0 | 1u << 31); /* another list takes the rest, and had room for 64 KiB */
    start(LIST, true);
    check_memory(BUFFER + 0x3000, 6, 0, DISK_SECTOR_BYTES);
    pass(1);
    cr_assert_eq(bm_status(), ACTIVE | ASKED);
    cr_assert_eq(status(), READY);
    cr_assert(at.board.irq.level);
    ide_write_dma(at.ide, BM_COMMAND, 0);
    cr_assert_eq(bm_status(), ASKED);
    ide_write_dma(at.ide, BM_STATUS, ASKED | 0x60);
    cr_assert_eq(bm_status(), 0x60);
    cr_assert_eq(at.nr_aborts, 0);
    destroy();
}

/* A list or region where no memory is: the transfer so far has happened, error is set, nobody asks. */
static void check_abort(uint32_t list, bool is_to_memory)
{
    unsigned before = at.nr_aborts, rises = at.board.irq.nr_rises;
    start(list, is_to_memory);
    command(0, 5, 2, is_to_memory ? READ_DMA : WRITE_DMA);
    pass(1000000);
    cr_assert_eq(bm_status(), FAILED);
    cr_assert_eq(at.nr_aborts, before + 1);
    cr_assert_eq(at.board.irq.nr_rises, rises);
    cr_assert_eq(status(), READY | ATA_DRQ);
    ide_write_control(at.ide, 4);
    ide_write_control(at.ide, 0);
    pass(COMMAND_CYCLES);
    cr_assert_eq(status(), READY);
}

Test(ide, no_memory_is_an_error_of_the_bus_master)
{
    make(true, false, NULL);
    check_abort(DMA_RAM_BYTES, true);
    check_abort(0xfffffffc, true);
    check_abort(HOLE_PAGE << PAGE_SHIFT, false);
    region(0, BUFFER, 100);
    region(1, HOLE_PAGE << PAGE_SHIFT, 0 | 1u << 31);
    check_abort(LIST, true);
    check_memory(BUFFER, 5, 0, 100);
    check_abort(LIST, false);
    region(0, 0xfffffffe, 1u << 31);
    check_abort(LIST, true);
    /* A list without an end goes on to the end of memory. */
    for (uint32_t i = DMA_RAM_BYTES - 64; i < DMA_RAM_BYTES; i += 8) {
        put_dword(i, BUFFER);
        put_dword(i + 4, 2);
    }
    check_abort(DMA_RAM_BYTES - 64, true);
    destroy();
}

Test(ide, a_region_wraps_within_its_64_kib)
{
    make(true, false, NULL);
    region(0, 0x2ff00, 1024 | 1u << 31);
    start(LIST, true);
    command(0, 5, 2, READ_DMA);
    pass(1000000);
    cr_assert_eq(bm_status(), ASKED);
    check_memory(0x2ff00, 5, 0, 256);
    check_memory(0x20000, 5, 256, 768);
    cr_assert_eq(at.world.ram.host[0x30000], 0);
    destroy();
}

Test(ide, the_first_descriptor_comes_at_the_start)
{
    make(true, false, NULL);
    region(0, BUFFER, 512 | 1u << 31);
    start(LIST, true);
    region(0, BUFFER + 0x1000, 512 | 1u << 31);
    ide_write_dma(at.ide, BM_COMMAND, START); /* too late for another direction, too */
    command(0, 5, 1, READ_DMA);
    pass(1000000);
    cr_assert_eq(bm_status(), ASKED);
    check_memory(BUFFER, 5, 0, 512);
    start(DMA_RAM_BYTES, true);
    cr_assert_eq(bm_status(), FAILED);
    destroy();
}

Test(ide, nothing_moves_in_the_wrong_direction_or_while_it_may_not_master)
{
    make(true, false, NULL);
    region(0, BUFFER, 512 | 1u << 31);
    start(LIST, false);
    command(0, 5, 1, READ_DMA);
    pass(1000000);
    cr_assert_eq(bm_status(), ACTIVE);
    cr_assert_eq(status(), READY | ATA_DRQ);
    cr_assert_eq(dma_master_stats(at.master)->bytes_written, 0);
    at.may_master = false;
    start(LIST, true);
    pass(1000000);
    cr_assert_eq(bm_status(), ACTIVE);
    at.may_master = true;
    ide_try_dma(at.ide);
    pass(1);
    cr_assert_eq(bm_status(), ASKED);
    check_memory(BUFFER, 5, 0, 512);
    destroy();
}

/* The list of `nr_bytes` in regions of random even lengths, with room between. Returns how many. */
static unsigned cut(uint64_t *random, uint32_t nr_bytes, uint32_t *wheres, uint32_t *lengths)
{
    unsigned nr = 0;
    for (uint32_t next = BUFFER; nr_bytes; nr++) {
        uint32_t length = (uint32_t)(2 + 2 * (next_random(random) % 700));
        lengths[nr] = length < nr_bytes ? length : nr_bytes;
        next += (uint32_t)(2 * (next_random(random) % 40));
        wheres[nr] = next;
        next += lengths[nr];
        nr_bytes -= lengths[nr];
        region(nr, wheres[nr], lengths[nr] | (nr_bytes ? 0 : 1u << 31));
    }
    return nr;
}

static void random_transfers(const char *const *caches)
{
    enum { MAX_REGIONS = 0x2000, TRANSFERS = 60 };
    static uint8_t bytes[NR_SECTORS * DISK_SECTOR_BYTES], expected[sizeof bytes];
    static uint32_t wheres[MAX_REGIONS], lengths[MAX_REGIONS];
    uint64_t random = 5;
    make(true, false, caches);
    for (uint64_t i = 0; i < NR_SECTORS; i++)
        fill_sector(expected + i * DISK_SECTOR_BYTES, i);
    for (unsigned i = 0; i < TRANSFERS; i++) {
        uint32_t first = (uint32_t)(next_random(&random) % NR_SECTORS);
        uint32_t count = 1 + (uint32_t)(next_random(&random) % (NR_SECTORS - first)), nr_bytes = count * 512;
        bool is_to_memory = next_random(&random) & 1;
        unsigned nr = cut(&random, nr_bytes, wheres, lengths);
        uint8_t *disk = expected + first * DISK_SECTOR_BYTES, *at_disk = disk;
        for (unsigned j = 0; j < nr && !is_to_memory; at_disk += lengths[j++])
            for (uint32_t k = 0; k < lengths[j]; k++)
                at_disk[k] = at.world.ram.host[wheres[j] + k] = (uint8_t)next_random(&random);
        bool is_first = next_random(&random) & 1;
        if (is_first)
            start(LIST, is_to_memory);
        command(0, first, (uint8_t)count, is_to_memory ? READ_DMA : WRITE_DMA);
        if (!is_first)
            start(LIST, is_to_memory);
        pass(10000000);
        cr_assert_eq(bm_status(), ASKED);
        cr_assert_eq(reg(ATA_COMMAND), READY);
        at_disk = disk;
        for (unsigned j = 0; j < nr; at_disk += lengths[j++])
            cr_assert_arr_eq(at.world.ram.host + wheres[j], at_disk, lengths[j]);
    }
    cr_assert_eq(pread(at.images[0].fd, bytes, sizeof bytes, 0), (ssize_t)sizeof bytes);
    cr_assert_arr_eq(bytes, expected, sizeof bytes);
    destroy();
}

Test(ide, lists_of_any_form_move_what_a_copy_moves)
{
    static const char *const small[] = {"cache.l1d.size=1KiB", "cache.l2.size=4KiB", NULL};
    random_transfers(NULL);
    random_transfers(small);
}

Test(ide, dma_takes_the_memory_s_time_besides)
{
    static const char *const small[] = {"cache.l1d.size=1KiB", "cache.l2.size=4KiB", NULL};
    make(true, false, small);
    region(0, BUFFER, 1024 | 1u << 31);
    start(LIST, true);
    command(0, 5, 2, READ_DMA);
    /* The descriptor has come long since. 8 lines, one after another, and the second sector only then. */
    cycle_t first = COMMAND_CYCLES + SEEK_CYCLES + SECTOR_CYCLES;
    cycle_t second = first + 8 * DRAM_CYCLES + SECTOR_CYCLES;
    pass(second + 8 * DRAM_CYCLES - 1);
    cr_assert_not(at.board.irq.level);
    pass(1);
    cr_assert(at.board.irq.level);
    destroy();
}
