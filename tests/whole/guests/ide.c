/*
 * The primary IDE channel with one disk as device 0: what registers say, PIO, bus-master DMA and its
 * descriptors, errors. Bit 4 of the status register (DSC up to ATA-3) is not looked at: it means nothing
 * since ATA-4.
 *
 * The disk has 131072 sectors. ide.sh made them so that dword j of sector i is i * 1000003 + j; they end as
 * i * 2000003 + j + 5.
 */
#include "guest.h"

enum { NR_SECTORS = 131072, SECTOR_DWORDS = 128 };
enum { DATA, ERROR, COUNT, LOW, MID, HIGH, DEVICE, STATUS };
enum { ERR = 1, DRQ = 8, BSY = 0x80, DSC = 0x10, DRDY = 0x40, ABRT = 4, IDNF = 0x10 };
enum { LBA = 0xe0, SLAVE = 0x10, NO_INTERRUPT = 2, RESET = 4, HIGH_ORDER = 0x80 };
enum { BM_COMMAND, BM_STATUS = 2, BM_LIST = 4, START = 1, TO_MEMORY = 8, ACTIVE = 1, FAILED = 2, ASKED = 4 };
enum { BUFFER = 4 << 20 };
enum {
    READ = 0x20,
    READ_EXT = 0x24,
    READ_DMA_EXT = 0x25,
    READ_MULTIPLE_EXT = 0x29,
    WRITE = 0x30,
    WRITE_EXT = 0x34,
    WRITE_DMA_EXT = 0x35,
    WRITE_MULTIPLE_EXT = 0x39,
    VERIFY = 0x40,
    VERIFY_EXT = 0x42,
    SEEK = 0x70,
    DIAGNOSE = 0x90,
    PARAMETERS = 0x91,
    READ_MULTIPLE = 0xc4,
    WRITE_MULTIPLE = 0xc5,
    SET_MULTIPLE = 0xc6,
    READ_DMA = 0xc8,
    WRITE_DMA = 0xca,
    IDENTIFY = 0xec,
    SET_FEATURES = 0xef
};

static u32 prd[1024] __attribute__((aligned(PAGE)));
static uint16_t words[256];
/* The channel that is asked: ports of its command block, control block and bus master, and its bit at an 8259. */
static uint16_t block = 0x1f0, control = 0x3f6, bus_master;
static unsigned irq_bit = 6;
static bool is_flushing; /* for a machine whose devices do not snoop */

/* ---- Ports ---- */

static void outl(uint16_t port, u32 value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static u32 inl(uint16_t port)
{
    u32 value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static uint16_t inw(uint16_t port)
{
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static u8 reg(unsigned at)
{
    return inb((uint16_t)(block + at));
}

static void set(unsigned at, u8 value)
{
    outb((uint16_t)(block + at), value);
}

static u32 config(u32 function, u32 at)
{
    outl(0xcf8, 0x80000000 | 1 << 11 | function << 8 | at);
    return inl(0xcfc);
}

static void set_config(u32 function, u32 at, u32 value)
{
    outl(0xcf8, 0x80000000 | 1 << 11 | function << 8 | at);
    outl(0xcfc, value);
}

/* ---- Commands ---- */

static void pause(unsigned count)
{
    while (count--)
        inb(0x80);
}

static void reset(u8 value)
{
    outb(control, value | RESET);
    pause(400);
    outb(control, value);
}

/* Waits for the end of a command or its next block; the status without DSC. Status itself is not read. */
static u8 settle(void)
{
    pause(400);
    while (inb(control) & BSY)
        ;
    return inb(control) & (u8)~DSC;
}

static void address_28(u32 lba, unsigned count)
{
    set(DEVICE, LBA | (lba >> 24 & 15));
    set(COUNT, (u8)count);
    set(LOW, (u8)lba);
    set(MID, (u8)(lba >> 8));
    set(HIGH, (u8)(lba >> 16));
}

static void address_ext(u32 lba, unsigned count)
{
    set(DEVICE, LBA);
    set(COUNT, (u8)(count >> 8));
    set(LOW, (u8)(lba >> 24));
    set(MID, 0);
    set(HIGH, 0);
    set(COUNT, (u8)count);
    set(LOW, (u8)lba);
    set(MID, (u8)(lba >> 8));
    set(HIGH, (u8)(lba >> 16));
}

static u8 command(u8 code)
{
    set(STATUS, code);
    return settle();
}

static u8 told(void)
{
    u8 status = reg(STATUS) & (u8)~DSC;
    return status;
}

/* Whether the slave's 8259 sees the channel's IRQ, which main() makes a level. */
static bool asks(void)
{
    outb(0xa0, 0x0a);
    return inb(0xa0) >> irq_bit & 1;
}

/* Blocks of the data register; the status after each must be DRQ until the last. The number of blocks. */
static unsigned read_blocks(u32 to, unsigned dwords_per_block)
{
    unsigned nr_blocks = 0;
    while (settle() == (DRDY | DRQ)) {
        told();
        for (unsigned i = 0; i < dwords_per_block; i++, to += 4)
            *at(to) = inl(block);
        nr_blocks++;
    }
    return nr_blocks;
}

static unsigned write_blocks(u32 from, unsigned dwords_per_block)
{
    unsigned nr_blocks = 0;
    while (settle() == (DRDY | DRQ)) {
        told();
        for (unsigned i = 0; i < dwords_per_block; i++, from += 4)
            outl(block, *at(from));
        nr_blocks++;
    }
    return nr_blocks;
}

/* ---- Sectors ---- */

static void clear(u32 where, unsigned nr_sectors)
{
    for (u32 i = 0; i < nr_sectors * SECTOR_DWORDS; i++)
        at(where)[i] = 0xdeadbeef;
}

static u32 nr_wrong(u32 where, u32 lba, unsigned nr_sectors, u32 factor, u32 more)
{
    u32 nr = 0;
    for (u32 i = 0; i < nr_sectors; i++)
        for (u32 j = 0; j < SECTOR_DWORDS; j++)
            nr += at(where)[i * SECTOR_DWORDS + j] != (lba + i) * factor + j + more;
    return nr;
}

static u32 nr_old(u32 where, u32 lba, unsigned nr_sectors)
{
    return nr_wrong(where, lba, nr_sectors, 1000003, 0);
}

static void make_new(u32 where, u32 lba, unsigned nr_sectors)
{
    for (u32 i = 0; i < nr_sectors; i++)
        for (u32 j = 0; j < SECTOR_DWORDS; j++)
            at(where)[i * SECTOR_DWORDS + j] = (lba + i) * 2000003 + j + 5;
}

/* ---- What is checked ---- */

static void find(void)
{
    check("the ISA bridge", config(0, 0), 0x70008086);
    check("the IDE controller", config(1, 0), 0x70108086);
    check("its class", config(1, 8) >> 8, 0x010180);
    check("its header", config(1, 0x0c) >> 16 & 0x7f, 0);
    check("no interrupt pin", config(1, 0x3c) >> 8 & 0xff, 0);
    set_config(1, 0x40, 0x80008000);
    set_config(1, 4, 5);
    check("its command register", config(1, 4) & 0xffff, 5);
    bus_master = (uint16_t)(config(1, 0x20) & 0xfff0);
    check("its bus masters are at ports", config(1, 0x20) & 15, 1);
    set_config(1, 0x20, 0xffffffff);
    check("of which there are 16", config(1, 0x20) & 0xffff, 0xfff1);
    set_config(1, 0x20, bus_master);
    outb(control, NO_INTERRUPT);
    set(DEVICE, LBA);
    check("ready", settle(), DRDY);
}

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

static void get_identity(void)
{
    check("IDENTIFY DEVICE", command(IDENTIFY), DRDY | DRQ);
    for (unsigned i = 0; i < 256; i++)
        words[i] = inw(block);
    check("which ends", settle(), DRDY);
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

/* By IDNF or by ABRT: ATA/ATAPI-6 allows either for an address that there is not. */
static void check_refused(const char *what)
{
    u8 error = reg(ERROR);
    check(what, (error & (u8) ~(IDNF | ABRT)) == 0 && error, true);
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

static u8 bm_status(void)
{
    return inb(bus_master + BM_STATUS) & 7;
}

/* Sets the list up and starts; the disk has its command after that. */
static void start(bool is_to_memory)
{
    if (is_flushing)
        __asm__ volatile("wbinvd" : : : "memory");
    outb(control, 0);
    outb(bus_master + BM_COMMAND, is_to_memory ? TO_MEMORY : 0);
    outb(bus_master + BM_STATUS, FAILED | ASKED);
    outl(bus_master + BM_LIST, address(prd));
    outb(bus_master + BM_COMMAND, (is_to_memory ? TO_MEMORY : 0) | START);
}

/* Waits for the interrupt; what the bus master says at the end. */
static u8 stop(void)
{
    while (!(bm_status() & ASKED))
        ;
    u8 status = bm_status();
    outb(bus_master + BM_COMMAND, 0);
    return status;
}

static void region(unsigned i, u32 where, u32 nr_bytes, bool is_last)
{
    prd[2 * i] = where;
    prd[2 * i + 1] = (nr_bytes & 0xffff) | (is_last ? 0x80000000 : 0);
}

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

static void use_secondary(bool is_secondary)
{
    if (is_secondary == (block == 0x170))
        return;
    block = is_secondary ? 0x170 : 0x1f0;
    control = is_secondary ? 0x376 : 0x3f6;
    irq_bit = is_secondary ? 7 : 6;
    bus_master = (uint16_t)(is_secondary ? bus_master + 8 : bus_master - 8);
}

static void select(u8 which)
{
    set(DEVICE, LBA | which);
    settle();
}

/* Sector 3 of each of three disks, by PIO, where the first has old sectors, and the others new ones. */
static void check_sector_3(const char *what, u8 which, bool is_new)
{
    clear(BUFFER, 1);
    address_28(3, 1);
    select(which);
    set(STATUS, READ);
    check(what, read_blocks(BUFFER, 128), 1);
    check("its sector", is_new ? nr_wrong(BUFFER, 3, 1, 2000003, 5) : nr_old(BUFFER, 3, 1), 0);
}

/* A slave of 2048 sectors beside the disk, and another disk as the secondary master. */
static void more_disks(void)
{
    outb(control, NO_INTERRUPT);
    select(0);
    set(COUNT, 0x77);
    select(SLAVE);
    check("both take what is written", reg(COUNT), 0x77);
    check("the slave is ready", reg(STATUS) & (u8)~DSC, DRDY);
    get_identity();
    check("the slave's sectors", words[60] | (u32)words[61] << 16, 2048);
    check_sector_3("READ SECTORS of the slave", SLAVE, true);
    check_sector_3("READ SECTORS of the master", 0, false);
    select(SLAVE);
    check("no such command of the slave", command(0xff), DRDY | ERR);
    select(0);
    check("the master has no error", reg(STATUS) & (u8)~DSC, DRDY);
    select(SLAVE);
    check("the slave has it still", reg(ERROR), ABRT);
    address_28(2048, 1);
    select(SLAVE);
    check("READ SECTORS behind the slave's end", command(READ), DRDY | ERR);
    check_refused("refused");
    address_28(2048, 1);
    check("which the master has", command(VERIFY), DRDY);
    select(SLAVE);
    check("EXECUTE DEVICE DIAGNOSTIC", command(DIAGNOSE), DRDY);
    check("it selects the master", reg(DEVICE) & SLAVE, 0);
    for (unsigned i = 0; i < 2; i++) {
        check("diagnosed", reg(ERROR), 1);
        check("signature", reg(COUNT) | reg(LOW) << 8 | reg(MID) << 16 | reg(HIGH) << 24, 0x0101);
        select(SLAVE);
    }
    reset(NO_INTERRUPT);
    check("after a reset", settle(), DRDY);
    check("the master is selected", reg(DEVICE) & SLAVE, 0);
    select(SLAVE);
    check("the slave is ready", reg(STATUS) & (u8)~DSC, DRDY);
    region(0, BUFFER, 1024, true);
    start(true);
    address_28(10, 2);
    set(DEVICE, LBA | SLAVE);
    set(STATUS, READ_DMA);
    check("READ DMA of the slave", stop(), ASKED);
    check("it ends", told(), DRDY);
    check("its sectors", nr_wrong(BUFFER, 10, 2, 2000003, 5), 0);

    use_secondary(true);
    outb(control, NO_INTERRUPT);
    check_sector_3("READ SECTORS of the secondary channel", 0, true);
    select(SLAVE);
    check("no secondary slave", reg(STATUS), 0);
    select(0);
    outb(control, 0);
    check("IRQ 15 is quiet", asks(), false);
    command(0xe7);
    check("IRQ 15", asks(), true);
    use_secondary(false);
    check("not IRQ 14", asks(), false);
    use_secondary(true);
    told();
    check("IRQ 15 is quiet", asks(), false);
}

/* Both channels move at once: 128 sectors of each. */
static void both_channels(void)
{
    enum { OTHER = BUFFER + 0x100000 };
    clear(BUFFER, 128);
    clear(OTHER, 128);
    for (unsigned i = 0; i < 2; i++) {
        use_secondary(i);
        region(2 * i, i ? OTHER : BUFFER, 0, true);
        start(true);
        outb(bus_master + BM_COMMAND, 0);
        outl(bus_master + BM_LIST, address(prd + 4 * i));
        outb(bus_master + BM_COMMAND, TO_MEMORY | START);
        address_28(300 + 100 * i, 128);
        set(STATUS, READ_DMA);
    }
    for (unsigned i = 0; i < 2; i++) {
        use_secondary(i);
        check("READ DMA on both channels", stop(), ASKED);
        check("it ends", told(), DRDY);
    }
    check("the primary one's sectors", nr_old(BUFFER, 300, 128), 0);
    check("the secondary one's sectors", nr_wrong(OTHER, 400, 128, 2000003, 5), 0);
    use_secondary(false);
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
    if (word[0] == 't') {
        more_disks();
        both_channels();
        return;
    }
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
