/*
 * VT-d in legacy mode: translations, stale entries, faults and the invalidation queue, as a device at 3.0 of
 * bus 0 meets them. On lookaside that is its DMA engine (docs/dma.md), on QEMU the `edu` device.
 *
 * The engine's ring and the buffer go through the IOMMU too. So they are mapped to themselves, and where
 * nothing is mapped for the device at all, the fault is about what it reads first.
 */
#include "guest.h"

typedef unsigned long long u64;

enum { DEVICE = 3, ENGINE = 0x00014c4b, EDU = 0x11e81234, DOMAIN = 5 };

/* ---- PCI ---- */

static u32 config(u32 offset)
{
    outl(0xcf8, 0x80000000u | DEVICE << 11 | offset);
    return inl(0xcfc);
}

static void set_config(u32 offset, u32 value)
{
    outl(0xcf8, 0x80000000u | DEVICE << 11 | offset);
    outl(0xcfc, value);
}

/* ---- The device: moves a dword from or to a bus address ---- */

static u32 registers;
static bool is_engine;
static volatile u32 ring[16 * 8] __attribute__((aligned(PAGE)));
static volatile u32 buffer __attribute__((aligned(64)));
static u32 nr_given;

static void set64(u32 place, u64 value)
{
    *at(place) = (u32)value;
    *at(place + 4) = (u32)(value >> 32);
}

static void engine_start(void)
{
    enum { CONTROL = 0x100, RING = 0x108, SIZE = 0x110, RESET = 2, RUN = 1 };
    *at(registers + CONTROL) = RESET;
    set64(registers + RING, address(ring));
    *at(registers + SIZE) = 8;
    *at(registers + CONTROL) = RUN;
    nr_given = 0;
}

static void engine_move(u64 from, u64 to)
{
    enum { STATUS = 0x104, TAIL = 0x114, BUSY = 1, COPY = 1 };
    engine_start();
    ring[0] = COPY;
    ring[1] = sizeof(u32);
    set64(address(&ring[2]), from);
    set64(address(&ring[4]), to);
    *at(registers + TAIL) = ++nr_given;
    while (*at(registers + STATUS) & BUSY) {
    }
}

/* Its registers of 64 bits take accesses of 64 bits only. */
static void edu_set(u32 offset, u64 value)
{
    __asm__ volatile("movq %1, %%mm0; movq %%mm0, %0; emms"
                     : "=m"(*(volatile u64 *)(registers + offset))
                     : "m"(value));
}

static void edu_move(u64 from, u64 to, bool is_write)
{
    enum { FROM = 0x80, TO = 0x88, COUNT = 0x90, COMMAND = 0x98, RUN = 1, WRITE = 2 };
    edu_set(FROM, from);
    edu_set(TO, to);
    edu_set(COUNT, sizeof(u32));
    edu_set(COMMAND, RUN | (is_write ? WRITE : 0));
    while (*at(registers + COMMAND) & RUN) {
    }
}

static void device_write(u64 to, u32 value)
{
    enum { EDU_BUFFER = 0x40000 };
    buffer = value;
    if (is_engine) {
        engine_move(address(&buffer), to);
        return;
    }
    edu_move(address(&buffer), EDU_BUFFER, false);
    edu_move(EDU_BUFFER, to, true);
}

static u32 device_read(u64 from)
{
    enum { EDU_BUFFER = 0x40000 };
    if (is_engine) {
        engine_move(from, address(&buffer));
        return buffer;
    }
    edu_move(from, EDU_BUFFER, false);
    edu_move(EDU_BUFFER, address(&buffer), true);
    return buffer;
}

/* ---- The IOMMU ---- */

enum {
    UNIT = (int)0xfed90000,
    CAP = 0x08,
    ECAP = 0x10,
    GCMD = 0x18,
    GSTS = 0x1c,
    RTADDR = 0x20,
    CCMD = 0x28,
    FSTS = 0x34,
    IQH = 0x80,
    IQT = 0x88,
    IQA = 0x90
};
enum { R = 1, W = 2, LARGE = 0x80, PRESENT = 1, QUIET = 2, PASS = 2 << 2 };
enum { LEVELS_3 = 1, LEVELS_4 = 2 };
enum { GLOBAL = 1, OF_DOMAIN = 2, OF_PAGE = 3 };
#define TE 0x80000000u
#define SRTP 0x40000000u
#define QIE 0x04000000u
#define GO 0x80000000u

/* Bus addresses of the tests: pages of all sizes, one that has no right to be written, and one to be read. */
#define SMALL 0x40000000ull
#define MIDDLE 0x40200000ull
#define HUGE 0x80000000ull

static u64 root[512] __attribute__((aligned(PAGE)));
static u64 contexts[512] __attribute__((aligned(PAGE)));
static u64 level4[512] __attribute__((aligned(PAGE)));
static u64 level3[512] __attribute__((aligned(PAGE)));
static u64 level2[2][512] __attribute__((aligned(PAGE)));
static u64 level1[512] __attribute__((aligned(PAGE)));
static u64 queue[512] __attribute__((aligned(PAGE)));
static volatile u32 frames[3][1024] __attribute__((aligned(PAGE)));
static u32 iotlb_registers, records;

static volatile u32 *unit(u32 offset)
{
    return at((u32)UNIT + offset);
}

/* GCMD's bits are set one at a time, beside those that GSTS shows. */
static void command(u32 bit, bool is_on)
{
    u32 status = *unit(GSTS) & (TE | QIE);
    *unit(GCMD) = is_on ? status | bit : status & ~bit;
    while (!!(*unit(GSTS) & bit) != is_on) {
    }
}

static void drop_contexts(void)
{
    *unit(CCMD) = 0;
    *unit(CCMD + 4) = GO | GLOBAL << 29;
    while (*unit(CCMD + 4) & GO) {
    }
}

static void drop_pages(u32 granularity, u32 domain, u64 page)
{
    set64((u32)UNIT + iotlb_registers, page);
    *unit(iotlb_registers + 8) = 0;
    *unit(iotlb_registers + 12) = GO | granularity << 28 | domain;
    while (*unit(iotlb_registers + 12) & GO) {
    }
}

static void drop_all(void)
{
    drop_contexts();
    drop_pages(GLOBAL, 0, 0);
}

static void set_context(u64 low, u64 high)
{
    contexts[DEVICE << 4] = low;
    contexts[(DEVICE << 4) + 1] = high;
    drop_all();
}

static void map_all(void)
{
    root[0] = address(contexts) | PRESENT;
    root[1] = 0;
    level4[0] = address(level3) | R | W;
    level3[0] = address(level2[0]) | R | W;
    level3[1] = address(level2[1]) | R | W;
    level3[2] = LARGE | R | W;
    for (u32 i = 0; i < 16; i++)
        level2[0][i] = i << 21 | LARGE | R | W;
    level2[1][0] = address(level1) | R | W;
    level2[1][1] = LARGE | R | W;
    for (u32 i = 0; i < 3; i++)
        level1[i] = address(frames[i]) | R | W;
    set_context(address(level4) | PRESENT, DOMAIN << 8 | LEVELS_4);
}

/* ---- Checks ---- */

static void translates(const char *what, u64 bus, volatile u32 *place)
{
    *place = 0x1234567 + (u32)bus;
    check(what, device_read(bus), 0x1234567 + (u32)bus);
    device_write(bus, ~(u32)bus);
    check(what, *place, ~(u32)bus);
    check("no fault", *unit(FSTS), 0);
}

/* The record that FSTS points at; cleared. `is_first`: the device's first access meets it, whatever it is. */
static void faults(const char *what, u32 reason, u64 bus, bool is_write, bool is_first)
{
    enum { PPF = 2, VALID = (int)0x80000000, READ = 0x40000000 };
    if (is_write)
        device_write(bus, 1);
    else
        device_read(bus);
    if (is_first && (is_engine || is_write)) {
        bus = is_engine ? address(ring) : address(&buffer);
        is_write = false;
    }
    u32 status = *unit(FSTS), record = (u32)UNIT + records + (status >> 8 & 0xff) * 16;
    check(what, status & 0xff, PPF);
    check(what, *at(record + 12) & 0xff, reason);
    check("its type", *at(record + 12) & (u32)(VALID | READ), (u32)VALID | (is_write ? 0 : READ));
    check("its source", *at(record + 8) & 0xffff, DEVICE << 3);
    check("its page", *at(record) == ((u32)bus & ~4095u) && *at(record + 4) == (u32)(bus >> 32), 1);
    *at(record + 12) = (u32)VALID;
    check("and it is gone", *unit(FSTS), 0);
}

static void translations(void)
{
    map_all();
    translates("a page of 4 KiB", SMALL, &frames[0][0]);
    translates("its last dword", SMALL + 0xffc, &frames[0][1023]);
    translates("another", SMALL + 0x2010, &frames[2][4]);
    translates("a page of 2 MiB", MIDDLE + address(&frames[1][7]), &frames[1][7]);
    translates("a page of 1 GiB", HUGE + address(&frames[1][9]), &frames[1][9]);
    set_context(address(level3) | PRESENT, DOMAIN << 8 | LEVELS_3);
    translates("three levels", SMALL + 0x1000, &frames[1][0]);
    set_context(PRESENT | PASS, DOMAIN << 8 | LEVELS_4);
    translates("passed through", address(&frames[2][2]), &frames[2][2]);
}

static void stale_pages(void)
{
    map_all();
    for (u32 i = 0; i < 3; i++)
        frames[i][0] = 'A' + i;
    check("before", device_read(SMALL), 'A');
    check("before", device_read(SMALL + 0x1000), 'B');
    level1[0] = level1[1] = address(frames[2]) | R | W;
    check("stale", device_read(SMALL), 'A');
    drop_pages(OF_DOMAIN, DOMAIN + 1, 0);
    check("stale: another domain", device_read(SMALL), 'A');
    drop_pages(OF_PAGE, DOMAIN, SMALL + 0x1000);
    check("stale: another page", device_read(SMALL), 'A');
    check("that page", device_read(SMALL + 0x1000), 'C');
    drop_pages(OF_PAGE, DOMAIN, SMALL);
    check("this page", device_read(SMALL), 'C');
    level1[0] = address(frames[1]) | R | W;
    check("stale again", device_read(SMALL), 'C');
    drop_pages(OF_PAGE, DOMAIN, SMALL + 2);
    check("four pages", device_read(SMALL), 'B');
    level1[0] = address(frames[0]) | R | W;
    drop_pages(OF_DOMAIN, DOMAIN, 0);
    check("the domain", device_read(SMALL), 'A');
    level1[0] = address(frames[1]) | R | W;
    drop_pages(GLOBAL, 0, 0);
    check("all", device_read(SMALL), 'B');
}

static void faults_of_contexts(void)
{
    const u64 nowhere = 0x3ff00000000ull, beyond = 1ull << 51;
    map_all();
    root[0] = 0;
    drop_all();
    faults("no root entry", 1, SMALL, false, true);
    root[0] = address(contexts) | PRESENT | 4;
    drop_all();
    faults("root entry, reserved", 0xa, SMALL, true, true);
    root[0] = nowhere | PRESENT;
    drop_all();
    if (is_engine) /* 39 bits of address: reserved there */
        root[0] = 0x3f00000000ull | PRESENT;
    faults("context table outside RAM", 9, SMALL, false, true);
    root[0] = address(contexts) | PRESENT;
    set_context(0, DOMAIN << 8 | LEVELS_4);
    faults("no context", 2, SMALL, true, true);
    set_context(address(level4) | PRESENT | 3 << 2, DOMAIN << 8 | LEVELS_4);
    faults("no such type", 3, SMALL, false, true);
    set_context(address(level4) | PRESENT, DOMAIN << 8 | 5);
    faults("no such width", 3, SMALL, false, true);
    set_context(address(level4) | PRESENT | 0x10, DOMAIN << 8 | LEVELS_4);
    faults("context, reserved", 0xb, SMALL, false, true);
    set_context(address(level4) | PRESENT | beyond, DOMAIN << 8 | LEVELS_4);
    faults("context, too high", 0xb, SMALL, true, true);
    set_context(QUIET, DOMAIN << 8 | LEVELS_4);
    device_read(SMALL);
    check("faults of a quiet context", *unit(FSTS), 0);
}

static void faults_of_pages(void)
{
    map_all();
    level1[0] = address(frames[0]) | R;
    level1[1] = address(frames[1]) | W;
    level1[2] = 0;
    drop_all();
    frames[0][0] = 5;
    faults("may not be written", 5, SMALL, true, false);
    check("and was not", frames[0][0], 5);
    check("may be read", device_read(SMALL), 5);
    faults("may not be read", 6, SMALL + 0x1004, false, false);
    device_write(SMALL + 0x1000, 6);
    check("may be written", frames[1][0], 6);
    faults("is not there", 6, SMALL + 0x2000, false, false);
    faults("is not there", 5, SMALL + 0x2ffc, true, false);
    faults("no table", 6, SMALL + 0x1000000, false, false);
    level2[1][1] = LARGE | R;
    level3[2] = LARGE | W;
    drop_all();
    faults("2 MiB that may not be written", 5, MIDDLE, true, false);
    faults("1 GiB that may not be read", 6, HUGE, false, false);
    level1[0] = address(frames[0]) | R | W;
    level2[1][0] = address(level1) | R;
    drop_all();
    faults("a table that may not be written", 5, SMALL, true, false);
    map_all();
    level1[0] |= 1ull << 51;
    level2[1][1] |= 1 << 13;
    level3[2] |= 1 << 21;
    drop_all();
    faults("page, too high", 0xc, SMALL, false, false);
    faults("page of 2 MiB, reserved", 0xc, MIDDLE, true, false);
    faults("page of 1 GiB, reserved", 0xc, HUGE, false, false);
    map_all();
    level2[1][0] = 0x3f00000000ull | R | W;
    drop_all();
    faults("table outside RAM", 7, SMALL, false, false);
    map_all();
    set_context(address(level3) | PRESENT, DOMAIN << 8 | LEVELS_3);
    faults("more than 39 bits", 4, 1ull << 39 | SMALL, false, false);
    faults("more than 39 bits", 4, 1ull << 39 | SMALL, true, false);
}

/* A descriptor at the tail, which is moved; the queue has one page. */
static u32 give(u64 low, u64 high)
{
    u32 tail = *unit(IQT);
    queue[tail / 8] = low;
    queue[tail / 8 + 1] = high;
    *unit(IQT) = (tail + 16) % PAGE;
    return tail;
}

static void queued(void)
{
    enum { INV_CONTEXT = 1, INV_IOTLB = 2, WAIT = 5, STATUS = 1 << 5, IQE = 1 << 4 };
    static volatile u32 status;
    map_all();
    set64((u32)UNIT + IQA, address(queue));
    *unit(IQT) = 0;
    command(QIE, true);
    check("the head", *unit(IQH), 0);
    for (u32 i = 1; i < 300; i++) {
        give((u64)i << 32 | STATUS | WAIT, address(&status));
        while (status != i) {
        }
    }
    check("it goes round", *unit(IQH), 299 % 256 * 16);
    frames[0][0] = 'A';
    frames[1][0] = 'B';
    check("before", device_read(SMALL), 'A');
    level1[0] = address(frames[1]) | R | W;
    check("stale", device_read(SMALL), 'A');
    give(OF_PAGE << 4 | DOMAIN << 16 | INV_IOTLB, SMALL);
    give(301ull << 32 | STATUS | WAIT, address(&status));
    while (status != 301) {
    }
    check("dropped by the queue", device_read(SMALL), 'B');
    contexts[DEVICE << 4] = 0;
    check("a stale context", device_read(SMALL), 'B');
    give(OF_PAGE << 4 | (u64)(DEVICE << 3) << 32 | DOMAIN << 16 | INV_CONTEXT, 0);
    give(OF_DOMAIN << 4 | DOMAIN << 16 | INV_IOTLB, 0);
    give(302ull << 32 | STATUS | WAIT, address(&status));
    while (status != 302) {
    }
    faults("a context that the queue dropped", 2, SMALL, false, true);
    u32 bad = give(0xe, 0);
    while (!(*unit(FSTS) & IQE)) {
    }
    check("no such descriptor: the head stays", *unit(IQH), bad);
    queue[bad / 8] = 303ull << 32 | STATUS | WAIT;
    queue[bad / 8 + 1] = address(&status);
    *unit(FSTS) = IQE;
    give(GLOBAL << 4 | INV_CONTEXT, 0);
    give(GLOBAL << 4 | INV_IOTLB, 0);
    while (*unit(IQH) != *unit(IQT)) {
    }
    check("mended, it goes on there", status, 303);
    check("cleared", *unit(FSTS), 0);
}

void main(const char *word)
{
    (void)word;
    is_engine = config(0) == ENGINE;
    check("a device at 3.0", is_engine || config(0) == EDU, 1);
    set_config(4, 6); /* memory accesses, bus mastering */
    registers = config(0x10) & ~15u;
    iotlb_registers = (*unit(ECAP) >> 8 & 0x3ff) * 16;
    records = (*unit(CAP) >> 24 & 0xff) * 16 | (*unit(CAP + 4) & 3) << 12;
    check("4 KiB, 2 MiB and 1 GiB", *unit(CAP + 4) >> 2 & 3, 3);
    check("3 and 4 levels", *unit(CAP) >> 9 & 3, 3);
    check("queue and pass-through", *unit(ECAP) & 0x42, 0x42);
    set64((u32)UNIT + RTADDR, address(root));
    *unit(GCMD) = SRTP;
    check("the root table is set", *unit(GSTS), SRTP);
    drop_all();
    map_all();
    command(TE, true);
    translations();
    stale_pages();
    faults_of_contexts();
    faults_of_pages();
    queued();
    command(TE, false);
    frames[0][3] = 3;
    check("off", device_read(address(&frames[0][3])), 3);
    finish();
}
