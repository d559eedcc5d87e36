/*
 * For guests that ask an IDE channel. Bit 4 of the status register (DSC up to ATA-3) is not looked at: it
 * means nothing since ATA-4.
 */
#ifndef IDE_H
#define IDE_H

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
/*
 * The channel that is asked: ports of its command block, control block and bus master, and its bit at an
 * 8259.
 */
static uint16_t block = 0x1f0, control = 0x3f6, bus_master;
static unsigned irq_bit = 6;
static bool is_flushing; /* for a machine whose devices do not snoop */

/* ---- Ports ---- */

static inline uint16_t inw(uint16_t port)
{
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline u8 reg(unsigned at)
{
    return inb((uint16_t)(block + at));
}

static inline void set(unsigned at, u8 value)
{
    outb((uint16_t)(block + at), value);
}

static inline u32 config(u32 function, u32 at)
{
    outl(0xcf8, 0x80000000 | 1 << 11 | function << 8 | at);
    return inl(0xcfc);
}

static inline void set_config(u32 function, u32 at, u32 value)
{
    outl(0xcf8, 0x80000000 | 1 << 11 | function << 8 | at);
    outl(0xcfc, value);
}

/* ---- Commands ---- */

static inline void pause(unsigned count)
{
    while (count--)
        inb(0x80);
}

static inline void reset(u8 value)
{
    outb(control, value | RESET);
    pause(400);
    outb(control, value);
}

/* Waits for the end of a command or its next block; the status without DSC. Status itself is not read. */
static inline u8 settle(void)
{
    pause(400);
    while (inb(control) & BSY)
        ;
    return inb(control) & (u8)~DSC;
}

static inline void address_28(u32 lba, unsigned count)
{
    set(DEVICE, LBA | (lba >> 24 & 15));
    set(COUNT, (u8)count);
    set(LOW, (u8)lba);
    set(MID, (u8)(lba >> 8));
    set(HIGH, (u8)(lba >> 16));
}

static inline void address_ext(u32 lba, unsigned count)
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

static inline u8 command(u8 code)
{
    set(STATUS, code);
    return settle();
}

static inline u8 told(void)
{
    u8 status = reg(STATUS) & (u8)~DSC;
    return status;
}

/* Whether the slave's 8259 sees the channel's IRQ, which main() makes a level. */
static inline bool asks(void)
{
    outb(0xa0, 0x0a);
    return inb(0xa0) >> irq_bit & 1;
}

/* Blocks of the data register; the status after each must be DRQ until the last. The number of blocks. */
static inline unsigned read_blocks(u32 to, unsigned dwords_per_block)
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

static inline unsigned write_blocks(u32 from, unsigned dwords_per_block)
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

static inline void clear(u32 where, unsigned nr_sectors)
{
    for (u32 i = 0; i < nr_sectors * SECTOR_DWORDS; i++)
        at(where)[i] = 0xdeadbeef;
}

static inline u32 nr_wrong(u32 where, u32 lba, unsigned nr_sectors, u32 factor, u32 more)
{
    u32 nr = 0;
    for (u32 i = 0; i < nr_sectors; i++)
        for (u32 j = 0; j < SECTOR_DWORDS; j++)
            nr += at(where)[i * SECTOR_DWORDS + j] != (lba + i) * factor + j + more;
    return nr;
}

static inline u32 nr_old(u32 where, u32 lba, unsigned nr_sectors)
{
    return nr_wrong(where, lba, nr_sectors, 1000003, 0);
}

static inline void make_new(u32 where, u32 lba, unsigned nr_sectors)
{
    for (u32 i = 0; i < nr_sectors; i++)
        for (u32 j = 0; j < SECTOR_DWORDS; j++)
            at(where)[i * SECTOR_DWORDS + j] = (lba + i) * 2000003 + j + 5;
}

static inline void get_identity(void)
{
    check("IDENTIFY DEVICE", command(IDENTIFY), DRDY | DRQ);
    for (unsigned i = 0; i < 256; i++)
        words[i] = inw(block);
    check("which ends", settle(), DRDY);
}

/* By IDNF or by ABRT: ATA/ATAPI-6 allows either for an address that there is not. */
static inline void check_refused(const char *what)
{
    u8 error = reg(ERROR);
    check(what, (error & (u8) ~(IDNF | ABRT)) == 0 && error, true);
}

static inline u8 bm_status(void)
{
    return inb(bus_master + BM_STATUS) & 7;
}

/* Sets the list up and starts; the disk has its command after that. */
static inline void start(bool is_to_memory)
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
static inline u8 stop(void)
{
    while (!(bm_status() & ASKED))
        ;
    u8 status = bm_status();
    outb(bus_master + BM_COMMAND, 0);
    return status;
}

static inline void region(unsigned i, u32 where, u32 nr_bytes, bool is_last)
{
    prd[2 * i] = where;
    prd[2 * i + 1] = (nr_bytes & 0xffff) | (is_last ? 0x80000000 : 0);
}

static inline void find(void)
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

#endif
