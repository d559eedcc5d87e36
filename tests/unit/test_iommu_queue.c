/* The IOMMU's invalidation queue (Intel VT-d rev. 3.3, 6.5.2): what it does, in order, and its errors. */
#include "tests/unit/iommu_fixture.h"

enum { QUEUE = 0x80000, QUEUE_BYTES = PAGE_BYTES, STATUS = 0x90000, PAGE_A = 0x91000, PAGE_B = 0x92000 };
enum { RW = VTD_ENTRY_READ | VTD_ENTRY_WRITE };

static void start_queue(const struct iommu_world *world, uint64_t address)
{
    set64(world, VTD_IQA, address);
    iommu_write(world->iommu, VTD_IQT, 0);
    iommu_write(world->iommu, VTD_GCMD, (iommu_read(world->iommu, VTD_GSTS) & VTD_TRANSLATION) | VTD_QUEUE);
}

/* Descriptor number `at / 16` of the queue, and everything before it, is done. */
static void give(const struct iommu_world *world, uint32_t at, uint64_t low, uint64_t high)
{
    put64(world, QUEUE + at, low);
    put64(world, QUEUE + at + 8, high);
    iommu_write(world->iommu, VTD_IQT, (at + 16) % QUEUE_BYTES);
    for (cycle_t next; (next = ev_next(world->events)) != EV_NEVER;)
        ev_run(world->events, next);
}

static uint64_t wait(unsigned flags, uint32_t status)
{
    return (uint64_t)status << 32 | flags | VTD_INV_WAIT;
}

Test(iommu_queue, drops_entries_and_says_so)
{
    struct iommu_world world;
    uint8_t byte;
    make_iommu(&world, NULL, 64, 4);
    uint64_t table = new_table(&world);
    put_page(&world, table, 3, 0, 1, PAGE_A | RW);
    put_context(&world, DEVICE, table | VTD_PRESENT, 5 << VTD_CONTEXT_DOMAIN_SHIFT | VTD_WIDTH_3_LEVELS);
    turn_on(&world);
    start_queue(&world, QUEUE);
    cr_expect_eq(iommu_read(world.iommu, VTD_GSTS), VTD_TRANSLATION | VTD_ROOT_TABLE | VTD_QUEUE);
    world.memory.ram.host[PAGE_A] = 'A';
    world.memory.ram.host[PAGE_B] = 'B';
    cr_expect_eq(read_byte(world.device, 0, &byte), DMA_OK);
    put_page(&world, table, 3, 0, 1, PAGE_B | RW);
    /* A page of another domain, another page, then this one. */
    give(&world, 0, 6u << 16 | VTD_SELECTIVE << 4 | VTD_INV_IOTLB, 0);
    give(&world, 16, 5u << 16 | VTD_SELECTIVE << 4 | VTD_INV_IOTLB, 0x1000);
    cr_expect_eq(read_byte(world.device, 0, &byte), DMA_OK);
    cr_expect_eq(byte, 'A');
    give(&world, 32, 5u << 16 | 3 << 6 | VTD_SELECTIVE << 4 | VTD_INV_IOTLB, 1 << 6);
    cr_expect_eq(read_byte(world.device, 0, &byte), DMA_OK);
    cr_expect_eq(byte, 'B');
    put_context(&world, DEVICE, 0, 0);
    give(&world, 48, VTD_DOMAIN << 4 | 6u << 16 | VTD_INV_CONTEXT, 0);
    cr_expect_eq(read_byte(world.device, 0, &byte), DMA_OK, "the old context");
    give(&world, 64, (uint64_t)DEVICE << 32 | 5u << 16 | VTD_SELECTIVE << 4 | VTD_INV_CONTEXT, 0);
    cr_expect_eq(read_byte(world.device, 0, &byte), DMA_IOMMU_FAULT);
    give(&world, 80, wait(VTD_WAIT_STATUS, 0x12345678), STATUS + 4);
    cr_expect_eq(word_at(&world, STATUS), UINT64_C(0x12345678) << 32);
    cr_expect_eq(iommu_read(world.iommu, VTD_ICS), 0);
    cr_expect_eq(iommu_read(world.iommu, VTD_IQH), 96);
    cr_expect_eq(iommu_stats(world.iommu)->queue_reads, 6);
    destroy_iommu(&world);
}

Test(iommu_queue, interrupts_when_it_is_told_to)
{
    struct iommu_world world;
    make_iommu(&world, NULL, 64, 4);
    iommu_write(world.iommu, VTD_IEDATA, 0x61);
    iommu_write(world.iommu, VTD_IEADDR, 0xfee00000);
    iommu_write(world.iommu, VTD_IECTL, 0);
    start_queue(&world, QUEUE);
    give(&world, 0, wait(VTD_WAIT_INTERRUPT | VTD_WAIT_STATUS, 7), STATUS);
    cr_expect_eq(word_at(&world, STATUS), 7);
    cr_expect_eq(world.nr_messages, 1);
    cr_expect_eq(world.message_data, 0x61);
    cr_expect_eq(iommu_read(world.iommu, VTD_ICS), 1);
    give(&world, 16, wait(VTD_WAIT_INTERRUPT, 0), 0);
    cr_expect_eq(world.nr_messages, 1, "the first one has not been seen");
    iommu_write(world.iommu, VTD_ICS, 1);
    iommu_write(world.iommu, VTD_IECTL, VTD_EVENT_MASKED);
    give(&world, 32, wait(VTD_WAIT_INTERRUPT, 0), 0);
    cr_expect_eq(iommu_read(world.iommu, VTD_IECTL), VTD_EVENT_MASKED | VTD_EVENT_WAITS);
    iommu_write(world.iommu, VTD_IECTL, 0);
    cr_expect_eq(world.nr_messages, 2);
    destroy_iommu(&world);
}

Test(iommu_queue, goes_round)
{
    struct iommu_world world;
    make_iommu(&world, NULL, 64, 4);
    start_queue(&world, QUEUE);
    for (uint32_t i = 0; i < 3 * QUEUE_BYTES / 16; i++) {
        give(&world, i * 16 % QUEUE_BYTES, wait(VTD_WAIT_STATUS, i), STATUS);
        cr_assert_eq(word_at(&world, STATUS), i);
        cr_assert_eq(iommu_read(world.iommu, VTD_IQH), (i + 1) * 16 % QUEUE_BYTES);
    }
    iommu_write(world.iommu, VTD_GCMD, 0);
    cr_expect_eq(iommu_read(world.iommu, VTD_GSTS), 0);
    cr_expect_eq(iommu_read(world.iommu, VTD_IQH), 0, "off: the head is reset");
    destroy_iommu(&world);
}

/* An error stops the queue at the descriptor; when it is cleared, that is read again. */
Test(iommu_queue, stops_at_what_it_does_not_know)
{
    static const struct {
        uint64_t low, high;
    } rows[] = {
        {0, 0},
        {3, 0},
        {4, 0},
        {0xf, 0},
        {VTD_INV_CONTEXT, 0}, /* no granularity */
        {VTD_GLOBAL << 4 | VTD_INV_CONTEXT | 1 << 6, 0},
        {VTD_GLOBAL << 4 | VTD_INV_CONTEXT, 1},
        {VTD_INV_IOTLB, 0},
        {VTD_GLOBAL << 4 | VTD_INV_IOTLB | 1 << 8, 0},
        {VTD_SELECTIVE << 4 | VTD_INV_IOTLB, 19}, /* more pages than it can drop at once */
        {VTD_GLOBAL << 4 | VTD_INV_IOTLB, 1 << 7},
        {VTD_INV_WAIT | 1 << 8, 0},
        {VTD_INV_WAIT, 2},
        {VTD_INV_WAIT | VTD_WAIT_STATUS, DMA_RAM_BYTES},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct iommu_world world;
        make_iommu(&world, NULL, 64, 4);
        iommu_write(world.iommu, VTD_FECTL, 0);
        start_queue(&world, QUEUE);
        give(&world, 0, wait(VTD_WAIT_STATUS, 1), STATUS);
        give(&world, 16, rows[i].low, rows[i].high);
        cr_expect_eq(iommu_read(world.iommu, VTD_FSTS), VTD_FSTS_QUEUE_ERROR, "%zu", i);
        cr_expect_eq(iommu_read(world.iommu, VTD_IQH), 16, "%zu", i);
        cr_expect_eq(world.nr_messages, 1);
        give(&world, 32, wait(VTD_WAIT_STATUS, 2), STATUS);
        cr_expect_eq(word_at(&world, STATUS), 1, "%zu: it stands still", i);
        put64(&world, QUEUE + 16, wait(VTD_WAIT_STATUS, 3));
        put64(&world, QUEUE + 24, STATUS + 8);
        iommu_write(world.iommu, VTD_FSTS, VTD_FSTS_QUEUE_ERROR);
        give(&world, 32, wait(VTD_WAIT_STATUS, 2), STATUS);
        cr_expect_eq(word_at(&world, STATUS), 2, "%zu", i);
        cr_expect_eq(word_at(&world, STATUS + 8), 3, "%zu", i);
        destroy_iommu(&world);
    }
}

Test(iommu_queue, stops_where_it_cannot_read)
{
    struct iommu_world world;
    make_iommu(&world, NULL, 64, 4);
    start_queue(&world, DMA_RAM_BYTES);
    give(&world, 0, wait(VTD_WAIT_STATUS, 1), STATUS);
    cr_expect_eq(iommu_read(world.iommu, VTD_FSTS), VTD_FSTS_QUEUE_ERROR);
    iommu_write(world.iommu, VTD_GCMD, 0);
    iommu_write(world.iommu, VTD_FSTS, VTD_FSTS_QUEUE_ERROR);
    start_queue(&world, QUEUE);
    iommu_write(world.iommu, VTD_IQT, QUEUE_BYTES + 16);
    cr_expect_eq(iommu_read(world.iommu, VTD_FSTS), VTD_FSTS_QUEUE_ERROR, "the tail is behind the queue");
    destroy_iommu(&world);
}
