/*
 * The primary IDE channel with one disk as device 0: what registers say, PIO, bus-master DMA and its
 * descriptors, errors.
 *
 * The disk has 131072 sectors. ide.sh made them so that dword j of sector i is i * 1000003 + j; they end as
 * i * 2000003 + j + 5.
 */
#include "ide.h"

static u8 cmos(u8 at_index)
{
    outb(0x70, at_index);
    return inb(0x71);
}

static void what_firmware_knows(void)
{
    enum { CYLINDERS = NR_SECTORS / (16 * 63) };
    check("CMOS: one disk", cmos(0x12), 0xf0);
    check("CMOS: of type 47", cmos(0x19) | cmos(0x1a) << 8, 47);
    check("CMOS: its cylinders", cmos(0x1b) | cmos(0x1c) << 8, CYLINDERS);
    check("CMOS: its heads", cmos(0x1d), 16);
    check("CMOS: no write precompensation", cmos(0x1e) | cmos(0x1f) << 8, 0xffff);
    check("CMOS: its control byte", cmos(0x20), 0xc8);
    check("CMOS: where heads land", cmos(0x21) | cmos(0x22) << 8, CYLINDERS);
    check("CMOS: its sectors", cmos(0x23), 63);
    check("CMOS: as it is", cmos(0x39), 0);
}

static void registers(void)
{
    for (unsigned i = COUNT; i <= HIGH; i++)
        set(i, (u8)(0x11 * i));
    for (unsigned i = COUNT; i <= HIGH; i++)
        check("a register reads back", reg(i), 0x11 * i);
    for (unsigned i = COUNT; i <= HIGH; i++)
        set(i, (u8)(0x11 * i + 1));
    outb(control, HIGH_ORDER | NO_INTERRUPT);
    for (unsigned i = COUNT; i <= HIGH; i++)
        check("what it held before", reg(i), 0x11 * i);
    set(DEVICE, LBA);
    check("a write ends that", reg(LOW), 0x11 * LOW + 1);
    outb(control, NO_INTERRUPT);
    check("a word is four registers' two", inw(block + COUNT), 0x3423);
    check("the device register", reg(DEVICE), LBA);
    set(DEVICE, LBA | SLAVE);
    check("no slave: its status", reg(STATUS), 0);
    check("no slave: its other status", inb(control), 0);
    set(STATUS, IDENTIFY);
    check("no slave: it takes no command", settle(), 0);
    set(DEVICE, 0);
    check("bits that are ones", reg(DEVICE), 0xa0);
}

static void resets(void)
{
    reset(NO_INTERRUPT);
    check("after a reset", settle(), DRDY);
    check("diagnosed", reg(ERROR), 1);
    check("signature: count", reg(COUNT), 1);
    check("signature: low", reg(LOW), 1);
    check("signature: middle", reg(MID), 0);
    check("signature: high", reg(HIGH), 0);
    set(DEVICE, LBA | 3);
    check("EXECUTE DEVICE DIAGNOSTIC", command(DIAGNOSE), DRDY);
    check("diagnosed", reg(ERROR), 1);
    check("signature: count", reg(COUNT), 1);
    check("signature: low", reg(LOW), 1);
    check("signature: device", reg(DEVICE), 0xa0);
}

static u8 set_feature(u8 feature, u8 value)
{
    set(ERROR, feature);
    set(COUNT, value);
    return command(SET_FEATURES);
}

static void identity(void)
{
    set(DEVICE, LBA);
    get_identity();
    check("a fixed disk", words[0], 0x0040);
    check("cylinders", words[1], NR_SECTORS / (16 * 63));
    check("heads", words[3], 16);
    check("sectors", words[6], 63);
    check("sectors a block", words[47], 0x8010);
    check("LBA, DMA and IORDY", words[49], 0x0b00);
    check("present geometry", words[54] << 16 | words[55] << 8 | words[56],
          (NR_SECTORS / 1008) << 16 | 0x103f);
    check("words that count", words[53], 7);
    check("its sectors", words[57] | (u32)words[58] << 16, NR_SECTORS / 1008 * 1008);
    check("sectors by LBA", words[60] | (u32)words[61] << 16, NR_SECTORS);
    check("multiword DMA modes", words[63] & 0xff, 7);
    check("PIO modes", words[64], 3);
    check("cycle times", words[65] & words[66] & words[67] & words[68], 120);
    check("ATA/ATAPI-4 to 6", words[80] & 0x70, 0x70);
    check("write cache, NOP", words[82] & 0x4020, 0x4020);
    check("48 bits and flushes", words[83], 0x7400);
    check("they are on", words[86] & 0x3400, 0x3400);
    check("Ultra DMA modes", words[88] & 0x3f, 0x3f);
    check("sectors by 48 bits", words[100] | (u32)words[101] << 16, NR_SECTORS);
    check("and no more", words[102] | words[103], 0);
    check("SET FEATURES: multiword 2", set_feature(3, 0x22), DRDY);
    get_identity();
    check("multiword 2 is used", words[63], 0x0407);
    check("no Ultra mode", words[88], 0x003f);
    check("SET FEATURES: Ultra 2", set_feature(3, 0x42), DRDY);
    get_identity();
    check("no multiword mode", words[63], 0x0007);
    check("Ultra 2 is used", words[88], 0x043f);
    check("SET FEATURES: PIO 4", set_feature(3, 0x0c), DRDY);
    check("SET FEATURES: no write cache", set_feature(0x82, 0), DRDY);
    get_identity();
    check("no write cache", words[85] & 0x20, 0);
    check("SET FEATURES: write cache", set_feature(2, 0), DRDY);
    check("SET FEATURES: look-ahead", set_feature(0xaa, 0), DRDY);
    check("SET FEATURES: a mode that there is not", set_feature(3, 0x80), DRDY | ERR);
    check("SET FEATURES: a feature that there is not", set_feature(0x7f, 0), DRDY | ERR);
    check("why", reg(ERROR), ABRT);
}

static void small_commands(void)
{
    static const u8 unknown[] = {0x00, 0x01, 0x80, 0xa1, 0xff};
    for (unsigned i = 0; i < sizeof unknown; i++) {
        check("no such command", command(unknown[i]), DRDY | ERR);
        check("why", reg(ERROR), ABRT);
    }
    set(COUNT, 0);
    check("CHECK POWER MODE", command(0xe5), DRDY);
    check("active", reg(COUNT), 0xff);
    static const u8 known[] = {0x10, 0xe0, 0xe1, 0xe2, 0xe3, 0xe7, 0xea};
    for (unsigned i = 0; i < sizeof known; i++) {
        check("a command without data", command(known[i]), DRDY);
        check("no error", reg(ERROR), 0);
    }
    address_28(5, 0);
    check("SEEK", command(SEEK), DRDY);
    address_28(100, 40);
    check("READ VERIFY SECTORS", command(VERIFY), DRDY);
    address_ext(100, 300);
    check("READ VERIFY SECTORS EXT", command(VERIFY_EXT), DRDY);
    set(COUNT, 8);
    check("SET MULTIPLE MODE 8", command(SET_MULTIPLE), DRDY);
    set(COUNT, 3);
    check("SET MULTIPLE MODE 3", command(SET_MULTIPLE), DRDY | ERR);
    check("why", reg(ERROR), ABRT);
    set(COUNT, 32);
    check("SET MULTIPLE MODE 32", command(SET_MULTIPLE), DRDY | ERR);
    set(DEVICE, 0xa0 | 7);
    set(COUNT, 32);
    check("INITIALIZE DEVICE PARAMETERS", command(PARAMETERS), DRDY);
}

static void pio(void)
{
    clear(BUFFER, 300);
    address_28(1234, 1);
    set(STATUS, READ);
    check("READ SECTORS: 1", read_blocks(BUFFER, 128), 1);
    check("its sector", nr_old(BUFFER, 1234, 1), 0);
    check("nothing behind it", at(BUFFER)[128], 0xdeadbeef);
    check("it ends", told(), DRDY);
    address_28(70000, 0);
    set(STATUS, READ);
    check("READ SECTORS: 256", read_blocks(BUFFER, 128), 256);
    check("its sectors", nr_old(BUFFER, 70000, 256), 0);
    set(DEVICE, 0xa0 | 5); /* of 8 heads and 32 sectors: cylinder 9, head 5, sector 7 */
    set(COUNT, 2);
    set(LOW, 7);
    set(MID, 9);
    set(HIGH, 0);
    set(STATUS, READ);
    check("READ SECTORS by geometry", read_blocks(BUFFER, 128), 2);
    check("its sectors", nr_old(BUFFER, (9 * 8 + 5) * 32 + 6, 2), 0);
    address_28(40, 20);
    set(STATUS, READ_MULTIPLE);
    clear(BUFFER, 30);
    check("READ MULTIPLE: 8, 8 and 4", settle(), DRDY | DRQ);
    for (u32 i = 0; i < 16 * SECTOR_DWORDS; i++) {
        if (i == 8 * SECTOR_DWORDS)
            settle();
        at(BUFFER)[i] = inl(block);
    }
    check("READ MULTIPLE: the last block", read_blocks(BUFFER + 16 * 512, 4 * 128), 1);
    check("its sectors", nr_old(BUFFER, 40, 20), 0);
    address_ext(131000, 16);
    set(STATUS, READ_MULTIPLE_EXT);
    check("READ MULTIPLE EXT: 2 blocks", read_blocks(BUFFER, 8 * 128), 2);
    check("its sectors", nr_old(BUFFER, 131000, 16), 0);
    address_ext(131000, 2);
    set(STATUS, READ_EXT);
    check("READ SECTORS EXT", read_blocks(BUFFER, 128), 2);
    check("its sectors", nr_old(BUFFER, 131000, 2), 0);
    make_new(BUFFER, 2000, 30);
    address_28(2000, 3);
    set(STATUS, WRITE);
    check("WRITE SECTORS: 3", write_blocks(BUFFER, 128), 3);
    check("it ends", told(), DRDY);
    address_28(2003, 16);
    set(STATUS, WRITE_MULTIPLE);
    check("WRITE MULTIPLE: 2 blocks", write_blocks(BUFFER + 3 * 512, 8 * 128), 2);
    address_ext(2019, 1);
    set(STATUS, WRITE_EXT);
    check("WRITE SECTORS EXT", write_blocks(BUFFER + 19 * 512, 128), 1);
    address_ext(2020, 8);
    set(STATUS, WRITE_MULTIPLE_EXT);
    check("WRITE MULTIPLE EXT", write_blocks(BUFFER + 20 * 512, 8 * 128), 1);
    check("it ends", told(), DRDY);
    clear(BUFFER, 30);
    address_28(2000, 29);
    set(STATUS, READ);
    check("they are read", read_blocks(BUFFER, 128), 29);
    check("as written", nr_wrong(BUFFER, 2000, 28, 2000003, 5), 0);
    check("and no more", nr_old(BUFFER + 28 * 512, 2028, 1), 0);
}

static void no_such_sectors(void)
{
    address_28(NR_SECTORS, 1);
    check("READ SECTORS behind the end", command(READ), DRDY | ERR);
    check_refused("refused");
    address_28(NR_SECTORS - 1, 2);
    set(STATUS, READ);
    check("READ SECTORS across the end", read_blocks(BUFFER, 128), 1);
    check("an error for the second", told(), DRDY | ERR);
    check_refused("refused");
    check("where", reg(LOW) | reg(MID) << 8 | reg(HIGH) << 16 | (reg(DEVICE) & 15) << 24, NR_SECTORS);
    check("how many were left", reg(COUNT), 1);
    address_ext(0xfffffff0, 1);
    check("READ SECTORS EXT far behind the end", command(READ_EXT), DRDY | ERR);
    check_refused("refused");
    address_28(NR_SECTORS, 1);
    set(STATUS, WRITE);
    check("WRITE SECTORS behind the end", write_blocks(BUFFER, 128), 1);
    check("an error", told(), DRDY | ERR);
    check_refused("refused");
}

static void interrupts(void)
{
    reg(STATUS);
    outb(control, 0);
    check("quiet", asks(), false);
    address_28(7, 2);
    command(READ);
    check("a sector asks", asks(), true);
    inb(control);
    check("the other status leaves it", asks(), true);
    reg(STATUS);
    check("the status takes it back", asks(), false);
    for (unsigned i = 0; i < 256; i++)
        inw(block);
    settle();
    check("so does the next", asks(), true);
    reg(STATUS);
    for (unsigned i = 0; i < 256; i++)
        inw(block);
    settle();
    check("their end does not", asks(), false);
    make_new(BUFFER, 2000, 1);
    address_28(2000, 1);
    command(WRITE);
    check("to be given a sector does not", asks(), false);
    for (unsigned i = 0; i < 128; i++)
        outl(block, at(BUFFER)[i]);
    settle();
    check("to have it written does", asks(), true);
    reg(STATUS);
    command(0xff);
    check("an error does", asks(), true);
    reg(STATUS);
    outb(control, NO_INTERRUPT);
    command(0xe7);
    check("with nIEN nothing does", asks(), false);
    reg(STATUS);
}

/* ---- DMA ---- */

static void lists(void)
{
    outl(bus_master + BM_LIST, 0x12345677);
    check("the list begins at a dword", inl(bus_master + BM_LIST), 0x12345674);
    outb(bus_master + BM_STATUS, 0x60);
    check("the drives can do DMA", inb(bus_master + BM_STATUS) & 0x60, 0x60);
    clear(BUFFER, 300);
    region(0, BUFFER, 512, true);
    start(true);
    check("it waits for the disk", bm_status(), ACTIVE);
    address_28(50, 1);
    set(STATUS, READ_DMA);
    check("READ DMA: 1", stop(), ASKED);
    check("the disk asks", asks(), true);
    check("it ends", told(), DRDY);
    check("its sector", nr_old(BUFFER, 50, 1), 0);
    check("nothing behind it", at(BUFFER)[128], 0xdeadbeef);
    address_28(60, 2);
    outb(control, 0);
    set(STATUS, READ_DMA);
    region(0, BUFFER, 100, false);
    region(1, BUFFER + 100, 2, false);
    region(2, BUFFER + 102, 922, true);
    start(true);
    check("READ DMA into three regions, command first", stop(), ASKED);
    told();
    check("its sectors", nr_old(BUFFER, 60, 2), 0);
    clear(BUFFER, 300);
    region(0, BUFFER, 0x10000, false);
    region(1, BUFFER + 0x10000, 0x10000, true);
    start(true);
    address_28(1000, 0);
    set(STATUS, READ_DMA);
    check("READ DMA: 256, regions of 64 KiB", stop(), ASKED);
    told();
    check("its sectors", nr_old(BUFFER, 1000, 256), 0);
    check("nothing behind them", at(BUFFER)[256 * 128], 0xdeadbeef);
    region(0, BUFFER, 4096, true);
    start(true);
    address_28(80, 3);
    set(STATUS, READ_DMA);
    check("a list that is longer", stop(), ACTIVE | ASKED);
    check("start cleared ends it", bm_status(), ASKED);
    check("the disk knows nothing of it", told(), DRDY);
    check("its sectors", nr_old(BUFFER, 80, 3), 0);
    clear(BUFFER, 10);
    region(0, BUFFER, 512, true);
    start(true);
    address_28(90, 3);
    set(STATUS, READ_DMA);
    while (bm_status() & ACTIVE)
        ;
    pause(20000);
    check("a list that is shorter", bm_status(), 0);
    check("nobody asks", asks(), false);
    outb(bus_master + BM_COMMAND, 0);
    reset(NO_INTERRUPT);
    check("a reset ends it", settle(), DRDY);
    make_new(BUFFER, 2100, 100);
    region(0, BUFFER, 3000, false);
    region(1, BUFFER + 3000, 100 * 512 - 3000, true);
    start(false);
    address_28(2100, 100);
    set(STATUS, WRITE_DMA);
    check("WRITE DMA: 100", stop(), ASKED);
    check("it ends", told(), DRDY);
    clear(BUFFER, 100);
    address_28(2100, 100);
    set(STATUS, READ);
    check("they are read", read_blocks(BUFFER, 128), 100);
    check("as written", nr_wrong(BUFFER, 2100, 100, 2000003, 5), 0);
    region(0, BUFFER, 4096, true);
    start(true);
    address_28(NR_SECTORS, 1);
    set(STATUS, READ_DMA);
    check("READ DMA behind the end", stop() & ~ACTIVE, ASKED);
    check("an error", told(), DRDY | ERR);
    check_refused("refused");
    region(0, BUFFER, 0, true);
    start(true);
    address_ext(NR_SECTORS - 1, 100);
    set(STATUS, READ_DMA_EXT);
    check("READ DMA EXT across the end", stop() & ~ACTIVE, ASKED);
    check("an error", told(), DRDY | ERR);
    check_refused("refused");
}

/* All sectors from `first` on, 512 at a time: the old ones are summed up, and new ones written. */
static void whole_disk(u32 first)
{
    enum { PART = 512 };
    u32 nr_old_ones = 0, nr_new_ones = 0;
    bool is_good = true;
    for (unsigned i = 0; i < PART / 128; i++)
        region(i, BUFFER + i * 0x10000, 0, i == PART / 128 - 1);
    for (u32 lba = first; lba < NR_SECTORS; lba += PART) {
        start(true);
        address_ext(lba, PART);
        set(STATUS, READ_DMA_EXT);
        is_good &= stop() == ASKED && told() == DRDY;
        if (lba != 1536 && lba != 2048)
            nr_old_ones += nr_old(BUFFER, lba, PART);
        make_new(BUFFER, lba, PART);
        start(false);
        address_ext(lba, PART);
        set(STATUS, WRITE_DMA_EXT);
        is_good &= stop() == ASKED && told() == DRDY;
    }
    check("the disk is read and written", is_good, true);
    check("what it had", nr_old_ones, 0);
    for (u32 lba = first; lba < NR_SECTORS; lba += PART) {
        start(true);
        address_ext(lba, PART);
        set(STATUS, READ_DMA_EXT);
        is_good &= stop() == ASKED && told() == DRDY;
        nr_new_ones += nr_wrong(BUFFER, lba, PART, 2000003, 5);
    }
    check("it is read again", is_good, true);
    check("what it has", nr_new_ones, 0);
    outb(control, 0);
    check("FLUSH CACHE EXT", command(0xea), DRDY);
}

/* The host cannot write sectors from 65536 on: a fault of the device, and nothing more. */
static void host_fails(void)
{
    enum { DF = 0x20 };
    outb(control, NO_INTERRUPT);
    make_new(BUFFER, 80000, 2);
    address_28(80000, 2);
    set(STATUS, WRITE);
    check("WRITE SECTORS of which the host can write none", write_blocks(BUFFER, 128), 1);
    check("a fault", told(), DRDY | DF | ERR);
    check("why", reg(ERROR), ABRT);
    check("where", reg(LOW) | reg(MID) << 8 | reg(HIGH) << 16, 80000);
    region(0, BUFFER, 1024, true);
    start(false);
    address_28(65535, 2);
    set(STATUS, WRITE_DMA);
    check("WRITE DMA of which the host can write one", stop(), ASKED);
    check("a fault", told(), DRDY | DF | ERR);
    check("where", reg(LOW) | reg(MID) << 8 | reg(HIGH) << 16, 65536);
    start(false);
    address_28(1000, 2);
    set(STATUS, WRITE_DMA);
    check("WRITE DMA of what it can write", stop(), ASKED);
    check("it ends", told(), DRDY);
    start(true);
    address_28(80000, 2);
    set(STATUS, READ_DMA);
    check("READ DMA", stop(), ASKED);
    check("it ends", told(), DRDY);
    check("as before", nr_old(BUFFER, 80000, 2), 0);
}

void main(const char *word)
{
    pic_init();
    outb(0x4d1, inb(0x4d1) | 0xc0);
    find();
    if (word[0] == 'h') {
        host_fails();
        return;
    }
    is_flushing = word[0] == 'f' && word[1] == 'l';
    what_firmware_knows();
    registers();
    resets();
    identity();
    small_commands();
    pio();
    no_such_sectors();
    interrupts();
    lists();
    whole_disk(word[0] == 'i' || is_flushing ? NR_SECTORS - 8192 : 0); /* caches take their time */
}
