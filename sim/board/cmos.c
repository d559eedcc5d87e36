#include "sim/board/cmos.h"

#include "sim/base/snap.h"
#include "sim/board/calendar.h"
#include "sim/board/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { CRYSTAL_HZ = 32768, NR_BYTES = 128, SECONDS_PER_DAY = 86400 };

/* MC146818 data sheet, figure 14, and the bytes above it as IBM's AT and its successors use them. */
enum {
    REG_SECONDS = 0x00,
    REG_SECONDS_ALARM = 0x01,
    REG_MINUTES = 0x02,
    REG_MINUTES_ALARM = 0x03,
    REG_HOURS = 0x04,
    REG_HOURS_ALARM = 0x05,
    REG_WEEKDAY = 0x06,
    REG_DAY = 0x07,
    REG_MONTH = 0x08,
    REG_YEAR = 0x09,
    REG_A = 0x0a,
    REG_B = 0x0b,
    REG_C = 0x0c,
    REG_D = 0x0d,
    RAM_DISK_TYPES = 0x12,
    RAM_EQUIPMENT = 0x14,
    RAM_BASE_KIB = 0x15,
    RAM_EXTENDED_KIB = 0x17,
    RAM_DISK_TYPE_MORE = 0x19,
    RAM_DISK_GEOMETRY = 0x1b,
    RAM_CHECKSUM = 0x2e,
    RAM_EXTENDED_KIB_AGAIN = 0x30,
    RAM_CENTURY = 0x32,
    RAM_ABOVE_16M = 0x34, /* in 64 KiB */
    RAM_DISK_TRANSLATION = 0x39,
    RAM_OTHER_CPUS = 0x5f,
};

enum { A_RATE = 0x0f, A_DIVIDER = 0x70, A_DIVIDER_RUNS = 0x20, A_UIP = 0x80 };
enum {
    B_24_HOURS = 1 << 1,
    B_BINARY = 1 << 2,
    B_SQUARE_WAVE = 1 << 3,
    B_UPDATE_ENDED = 1 << 4,
    B_ALARM = 1 << 5,
    B_PERIODIC = 1 << 6,
    B_SET = 1 << 7,
};
enum { C_UPDATE_ENDED = 1 << 4, C_ALARM = 1 << 5, C_PERIODIC = 1 << 6, C_IRQ = 1 << 7 };
enum { D_VALID = 1 << 7 };
enum { HOURS_PM = 0x80, ALARM_ANY = 0xc0, INDEX_NMI = 0x80 };

/* An update takes 1984 us, and is announced 244 us before (data sheet, table 6), in ticks of the crystal. */
enum { UIP_TICKS = 65 + 8 };

struct cmos {
    uint8_t bytes[NR_BYTES]; /* 0..9 and the century are right only while the clock is stopped */
    uint8_t index;
    bool masks_nmi;
    struct dev_clock clock;
    struct ev_queue *events;
    struct event tick; /* the next moment at which an enabled interrupt may become due */
    struct irq_line irq;

    /* While the clock runs: it showed `base_seconds` when the divider chain stood at 0, at `base_tick`. */
    int64_t base_tick;
    uint64_t base_seconds;
    uint8_t weekday_offset; /* what the guest made of the day of the week, against the calendar */
    int64_t flags_tick;     /* register C is up to date to here */
};

static int64_t present_tick(const struct cmos *cmos)
{
    return (int64_t)dev_clock_ticks(&cmos->clock, ev_now(cmos->events));
}

static bool divider_runs(const struct cmos *cmos)
{
    return (cmos->bytes[REG_A] & A_DIVIDER) == A_DIVIDER_RUNS;
}

static bool is_running(const struct cmos *cmos)
{
    return divider_runs(cmos) && !(cmos->bytes[REG_B] & B_SET);
}

static uint64_t seconds_at(const struct cmos *cmos, int64_t tick)
{
    return cmos->base_seconds + (uint64_t)((tick - cmos->base_tick) / CRYSTAL_HZ);
}

static uint8_t encode(const struct cmos *cmos, unsigned value)
{
    return (uint8_t)(cmos->bytes[REG_B] & B_BINARY ? value : value / 10 << 4 | value % 10);
}

static unsigned decode(const struct cmos *cmos, uint8_t byte)
{
    return cmos->bytes[REG_B] & B_BINARY ? byte : (byte >> 4) * 10u + (byte & 15u);
}

static uint8_t encode_hour(const struct cmos *cmos, unsigned hour)
{
    if (cmos->bytes[REG_B] & B_24_HOURS)
        return encode(cmos, hour);
    return encode(cmos, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOURS_PM : 0);
}

static unsigned decode_hour(const struct cmos *cmos, uint8_t byte)
{
    if (cmos->bytes[REG_B] & B_24_HOURS)
        return decode(cmos, byte);
    return decode(cmos, byte & 0x7f) % 12 + (byte & HOURS_PM ? 12 : 0);
}

/* Brings the time registers up to `tick`. */
static void show_time(struct cmos *cmos, int64_t tick)
{
    if (!is_running(cmos))
        return;
    struct calendar_date date = calendar_date(seconds_at(cmos, tick));
    uint8_t *bytes = cmos->bytes;
    bytes[REG_SECONDS] = encode(cmos, date.second);
    bytes[REG_MINUTES] = encode(cmos, date.minute);
    bytes[REG_HOURS] = encode_hour(cmos, date.hour);
    bytes[REG_WEEKDAY] = encode(cmos, (date.weekday + cmos->weekday_offset) % 7 + 1);
    bytes[REG_DAY] = encode(cmos, date.day);
    bytes[REG_MONTH] = encode(cmos, date.month);
    bytes[REG_YEAR] = encode(cmos, date.year % 100);
    bytes[RAM_CENTURY] = encode(cmos, date.year / 100);
}

/* Takes the time registers as the time at `tick`; the divider chain is not touched by that. */
static void take_time(struct cmos *cmos, int64_t tick)
{
    const uint8_t *bytes = cmos->bytes;
    struct calendar_date date = {
        .year = decode(cmos, bytes[RAM_CENTURY]) * 100 + decode(cmos, bytes[REG_YEAR]) % 100,
        .month = decode(cmos, bytes[REG_MONTH]),
        .day = decode(cmos, bytes[REG_DAY]),
        .hour = decode_hour(cmos, bytes[REG_HOURS]),
        .minute = decode(cmos, bytes[REG_MINUTES]),
        .second = decode(cmos, bytes[REG_SECONDS]),
    };
    if (date.year < 1970)
        date.year = 1970 + date.year % 100;
    uint64_t seconds = calendar_seconds(&date);
    cmos->base_seconds = seconds;
    cmos->base_tick = tick - (tick - cmos->base_tick) % CRYSTAL_HZ;
    unsigned weekday = decode(cmos, bytes[REG_WEEKDAY]) + 6;
    cmos->weekday_offset = (uint8_t)((weekday + 7 - calendar_date(seconds).weekday) % 7);
}

/* Ticks between periodic interrupts, 0 for none; data sheet, table 5. */
static int64_t periodic_ticks(const struct cmos *cmos)
{
    unsigned rate = cmos->bytes[REG_A] & A_RATE;
    if (rate == 0 || !divider_runs(cmos))
        return 0;
    return INT64_C(1) << (rate <= 2 ? rate + 6 : rate - 1);
}

static bool alarm_matches(const struct cmos *cmos, uint64_t seconds)
{
    const uint8_t *bytes = cmos->bytes;
    unsigned in_day = (unsigned)(seconds % SECONDS_PER_DAY);
    return (bytes[REG_SECONDS_ALARM] >= ALARM_ANY || bytes[REG_SECONDS_ALARM] == encode(cmos, in_day % 60)) &&
           (bytes[REG_MINUTES_ALARM] >= ALARM_ANY ||
            bytes[REG_MINUTES_ALARM] == encode(cmos, in_day / 60 % 60)) &&
           (bytes[REG_HOURS_ALARM] >= ALARM_ANY ||
            bytes[REG_HOURS_ALARM] == encode_hour(cmos, in_day / 3600));
}

static bool alarm_matched(const struct cmos *cmos, uint64_t after, uint64_t until)
{
    if (until - after > SECONDS_PER_DAY)
        after = until - SECONDS_PER_DAY;
    while (after < until) {
        if (alarm_matches(cmos, ++after))
            return true;
    }
    return false;
}

static uint8_t enabled_flags(const struct cmos *cmos)
{
    return cmos->bytes[REG_B] & cmos->bytes[REG_C] & (C_PERIODIC | C_ALARM | C_UPDATE_ENDED);
}

/* Sets the flags of register C for what has happened up to `now`. */
static void settle(struct cmos *cmos, int64_t now)
{
    int64_t before = cmos->flags_tick - cmos->base_tick, after = now - cmos->base_tick;
    uint8_t *flags = &cmos->bytes[REG_C];
    if (now <= cmos->flags_tick)
        return;
    cmos->flags_tick = now;
    int64_t period = periodic_ticks(cmos);
    if (period && before / period != after / period)
        *flags |= C_PERIODIC;
    if (is_running(cmos) && before / CRYSTAL_HZ != after / CRYSTAL_HZ) {
        *flags |= C_UPDATE_ENDED;
        uint64_t base = cmos->base_seconds;
        if (!(*flags & C_ALARM) && alarm_matched(cmos, base + (uint64_t)(before / CRYSTAL_HZ),
                                                 base + (uint64_t)(after / CRYSTAL_HZ)))
            *flags |= C_ALARM;
    }
}

static int64_t next_multiple(const struct cmos *cmos, int64_t now, int64_t period)
{
    return now + period - (now - cmos->base_tick) % period;
}

/* Drives the line, and asks to be woken when an enabled flag that is still clear can next be set. */
static void update_irq(struct cmos *cmos, int64_t now)
{
    uint8_t *flags = &cmos->bytes[REG_C];
    *flags &= (uint8_t)~C_IRQ;
    if (enabled_flags(cmos))
        *flags |= C_IRQ;
    irq_set(&cmos->irq, *flags & C_IRQ);

    uint8_t awaited = cmos->bytes[REG_B] & (uint8_t) ~*flags;
    int64_t due = INT64_MAX;
    int64_t period = periodic_ticks(cmos);
    if (period && (awaited & B_PERIODIC))
        due = next_multiple(cmos, now, period);
    if (is_running(cmos) && (awaited & (B_ALARM | B_UPDATE_ENDED))) {
        int64_t update = next_multiple(cmos, now, CRYSTAL_HZ);
        if (update < due)
            due = update;
    }
    if (due == INT64_MAX || (*flags & C_IRQ))
        ev_cancel(cmos->events, &cmos->tick);
    else
        dev_schedule(cmos->events, &cmos->tick, dev_clock_cycle(&cmos->clock, (uint64_t)due));
}

static void on_tick(void *opaque, cycle_t now)
{
    struct cmos *cmos = opaque;
    int64_t tick = (int64_t)dev_clock_ticks(&cmos->clock, now);
    settle(cmos, tick);
    update_irq(cmos, tick);
}

static bool is_time_register(unsigned index)
{
    return index <= REG_YEAR && index != REG_SECONDS_ALARM && index != REG_MINUTES_ALARM &&
           index != REG_HOURS_ALARM;
}

static void write_a(struct cmos *cmos, uint8_t value, int64_t now)
{
    bool was_running = divider_runs(cmos);
    show_time(cmos, now);
    cmos->bytes[REG_A] = value & (uint8_t)~A_UIP;
    /*
     * The first update comes half a second after the divider chain is let go (data sheet, "Divider Control").
     */
    if (!was_running && divider_runs(cmos)) {
        cmos->base_tick = now - CRYSTAL_HZ / 2;
        take_time(cmos, now);
    }
}

static void write_b(struct cmos *cmos, uint8_t value, int64_t now)
{
    bool was_running = is_running(cmos);
    show_time(cmos, now);
    /* Setting SET clears the update-ended enable (data sheet, "Register B"). */
    if (value & B_SET)
        value &= (uint8_t)~B_UPDATE_ENDED;
    cmos->bytes[REG_B] = value;
    if (!was_running && is_running(cmos))
        take_time(cmos, now);
}

static void write_data(void *opaque, uint64_t offset, unsigned size, uint64_t wide_value)
{
    struct cmos *cmos = opaque;
    uint8_t value = (uint8_t)wide_value;
    (void)size;
    if (offset == 0) {
        cmos->index = value & (NR_BYTES - 1);
        cmos->masks_nmi = value & INDEX_NMI;
        return;
    }
    int64_t now = present_tick(cmos);
    settle(cmos, now);
    switch (cmos->index) {
    case REG_A:
        write_a(cmos, value, now);
        break;
    case REG_B:
        write_b(cmos, value, now);
        break;
    case REG_C:
    case REG_D:
        break;
    default:
        show_time(cmos, now);
        cmos->bytes[cmos->index] = value;
        if (is_running(cmos) && (is_time_register(cmos->index) || cmos->index == RAM_CENTURY))
            take_time(cmos, now);
        break;
    }
    update_irq(cmos, now);
}

static uint64_t read_data(void *opaque, uint64_t offset, unsigned size)
{
    struct cmos *cmos = opaque;
    (void)size;
    if (offset == 0)
        return 0xff; /* the index is write-only in an AT */
    int64_t now = present_tick(cmos);
    settle(cmos, now);
    show_time(cmos, now);
    uint8_t value = cmos->bytes[cmos->index];
    if (cmos->index == REG_A && is_running(cmos) && next_multiple(cmos, now, CRYSTAL_HZ) - now <= UIP_TICKS)
        value |= A_UIP;
    if (cmos->index == REG_C) {
        value = (uint8_t)(cmos->bytes[REG_C] & (C_PERIODIC | C_ALARM | C_UPDATE_ENDED));
        value |= enabled_flags(cmos) ? C_IRQ : 0;
        cmos->bytes[REG_C] = 0;
        update_irq(cmos, now);
    }
    return value;
}

static void put_16(uint8_t *at, uint64_t value)
{
    if (value > UINT16_MAX)
        value = UINT16_MAX;
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

/*
 * The two disks of the primary channel by type 47, with their geometry; and for all four how a BIOS makes one
 * up of at most 1024 cylinders: 0, it is small enough, or 1, by LBA.
 */
static void describe_disks(uint8_t *bytes, const uint64_t sectors[CMOS_NR_DISKS])
{
    enum { HEADS = 16, TRACK = 63, MAX_CYLINDERS = 16383, BIOS_CYLINDERS = 1024, BY_LBA = 1 };
    enum { TYPE_47 = 47, NR_TYPED = 2, MANY_HEADS = 0xc8, GEOMETRY_BYTES = 9 };
    for (unsigned i = 0; i < CMOS_NR_DISKS; i++) {
        uint64_t all = sectors[i] / (HEADS * TRACK), cylinders = all < MAX_CYLINDERS ? all : MAX_CYLINDERS;
        uint8_t low = (uint8_t)cylinders, high = (uint8_t)(cylinders >> 8);
        if (cylinders > BIOS_CYLINDERS)
            bytes[RAM_DISK_TRANSLATION] |= (uint8_t)(BY_LBA << (2 * i));
        if (sectors[i] == 0 || i >= NR_TYPED)
            continue;
        const uint8_t geometry[GEOMETRY_BYTES] = {low, high, HEADS, 0xff, 0xff, MANY_HEADS, low, high, TRACK};
        bytes[RAM_DISK_TYPES] |= i == 0 ? 0xf0 : 0x0f;
        bytes[RAM_DISK_TYPE_MORE + i] = TYPE_47;
        memcpy(&bytes[RAM_DISK_GEOMETRY + i * GEOMETRY_BYTES], geometry, GEOMETRY_BYTES);
    }
}

/* What the firmware finds out about the machine, as QEMU's PC has it. */
static void describe_machine(struct cmos *cmos, const struct cmos_params *params)
{
    enum { KIB = 1024, EQUIPMENT_FPU = 0x02 };
    const uint64_t mib = UINT64_C(1) << 20, unit = 64 * KIB;
    uint8_t *bytes = cmos->bytes;
    uint64_t extended = params->ram_bytes > mib ? params->ram_bytes - mib : 0;
    uint64_t above_16m = params->ram_bytes > 16 * mib ? params->ram_bytes - 16 * mib : 0;
    bytes[RAM_EQUIPMENT] = EQUIPMENT_FPU; /* display: its own BIOS; no mouse */
    put_16(&bytes[RAM_BASE_KIB], 640);
    put_16(&bytes[RAM_EXTENDED_KIB], extended / KIB);
    put_16(&bytes[RAM_EXTENDED_KIB_AGAIN], extended / KIB);
    put_16(&bytes[RAM_ABOVE_16M], above_16m / unit);
    bytes[RAM_OTHER_CPUS] = (uint8_t)(params->nr_cpus ? params->nr_cpus - 1 : 0);
    describe_disks(bytes, params->disk_sectors);
    unsigned sum = 0;
    for (unsigned i = 0x10; i < RAM_CHECKSUM; i++)
        sum += bytes[i];
    bytes[RAM_CHECKSUM] = (uint8_t)(sum >> 8);
    bytes[RAM_CHECKSUM + 1] = (uint8_t)sum;
}

struct cmos *cmos_create(const struct cmos_params *params, struct iomap *ports, struct diag *diag)
{
    enum { RATE_1024_HZ = 6 };
    struct cmos *cmos = calloc(1, sizeof(*cmos));
    if (!cmos) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "RTC: out of memory");
        return NULL;
    }
    cmos->clock = (struct dev_clock){.cpu_hz = params->cpu_hz, .hz = CRYSTAL_HZ};
    cmos->events = params->events;
    cmos->irq = params->irq;
    cmos->base_seconds = params->start_seconds;
    cmos->tick = (struct event){.handler = on_tick, .opaque = cmos, .name = "RTC interrupt"};
    cmos->bytes[REG_A] = A_DIVIDER_RUNS | RATE_1024_HZ;
    cmos->bytes[REG_B] = B_24_HOURS;
    cmos->bytes[REG_D] = D_VALID;
    describe_machine(cmos, params);
    const struct io_range range = {"RTC", 0x70, 2, IO_WIDTH_1, read_data, write_data, cmos};
    if (!iomap_add(ports, &range, diag) || !dev_reserve_event(cmos->events, &cmos->tick, diag)) {
        cmos_destroy(cmos);
        return NULL;
    }
    return cmos;
}

void cmos_destroy(struct cmos *cmos)
{
    if (!cmos)
        return;
    ev_cancel(cmos->events, &cmos->tick);
    free(cmos);
}

bool cmos_masks_nmi(const struct cmos *cmos)
{
    return cmos->masks_nmi;
}

uint8_t cmos_peek(const struct cmos *cmos, unsigned index)
{
    assert(index > REG_D && index < NR_BYTES);
    return cmos->bytes[index];
}

void cmos_snap(struct cmos *cmos, struct snap *snap)
{
    const int64_t limit = INT64_C(1) << 60;
    SNAP_OPEN(snap, cmos);
    SNAP_ARRAY(snap, cmos->bytes);
    SNAP_BELOW(snap, cmos->index, NR_BYTES);
    SNAP_FLAG(snap, cmos->masks_nmi);
    SNAP_SKIP(snap, cmos->clock);
    SNAP_SKIP(snap, cmos->events);
    snap_event(snap, cmos->events, &cmos->tick);
    SNAP_SKIP(snap, cmos->irq);
    SNAP(snap, cmos->base_tick);
    SNAP(snap, cmos->base_seconds);
    SNAP_BELOW(snap, cmos->weekday_offset, 7);
    SNAP(snap, cmos->flags_tick);
    SNAP_REQUIRE(snap, cmos->base_tick > -limit && cmos->base_tick < limit);
    SNAP_REQUIRE(snap, cmos->flags_tick > -limit && cmos->flags_tick < limit);
    SNAP_CLOSE(snap, cmos);
}
