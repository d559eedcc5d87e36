#include "sim/board/pic.h"

#include "sim/base/snap.h"

#include <assert.h>
#include <stdlib.h>

enum { MASTER, SLAVE, NR_CHIPS };

enum icw1 { ICW1_IC4 = 1 << 0, ICW1_SNGL = 1 << 1, ICW1_MARK = 1 << 4 };
enum icw4 { ICW4_AEOI = 1 << 1, ICW4_SFNM = 1 << 4 };
enum ocw3 {
    OCW3_RIS = 1 << 0,
    OCW3_RR = 1 << 1,
    OCW3_POLL = 1 << 2,
    OCW3_MARK = 1 << 3,
    OCW3_SMM = 1 << 5,
    OCW3_ESMM = 1 << 6
};

/* OCW2's upper three bits: 8259A data sheet, figure 8. */
enum ocw2 {
    OCW2_ROTATE_AEOI_CLEAR = 0,
    OCW2_EOI = 1,
    OCW2_NOP = 2,
    OCW2_EOI_SPECIFIC = 3,
    OCW2_ROTATE_AEOI_SET = 4,
    OCW2_EOI_ROTATE = 5,
    OCW2_SET_PRIORITY = 6,
    OCW2_EOI_SPECIFIC_ROTATE = 7,
};

enum { NO_IRQ = -1 };

struct chip {
    struct pic *pic;
    unsigned which;
    uint8_t lines; /* the inputs as the devices drive them */
    uint8_t edges; /* rising edges not yet acknowledged whose line is still high */
    uint8_t level; /* ELCR: inputs that are level-triggered */
    uint8_t in_service, mask;
    uint8_t vector_base;
    uint8_t lowest;    /* the input with the lowest priority; the next one has the highest */
    unsigned next_icw; /* 2..4 while an initialisation waits for it, else 0 */
    bool wants_icw3, wants_icw4;
    bool auto_eoi, rotate_on_auto_eoi;
    bool special_mask, special_nested;
    bool reads_in_service, polls;
};

struct pic {
    struct chip chips[NR_CHIPS];
    struct irq_line cpu_intr;
    bool intr;
    uint64_t nr_acknowledged[PIC_NR_IRQS], nr_spurious;
};

static uint8_t requests(const struct chip *chip)
{
    return chip->edges | (chip->lines & chip->level);
}

/* The request that INT stands for, NO_IRQ when INT is low. */
static int pending(const struct chip *chip)
{
    unsigned wanted = requests(chip) & ~chip->mask;
    unsigned blocking = chip->in_service;
    if (chip->special_mask)
        blocking &= ~(unsigned)chip->mask;
    /* The slave sorts out its own priorities: being served does not lock it out (8259A data sheet, p.19). */
    if (chip->special_nested && chip->which == MASTER)
        blocking &= ~(1u << PIC_CASCADE_IRQ);
    for (unsigned i = 1; i <= 8; i++) {
        unsigned irq = (chip->lowest + i) & 7;
        if (blocking >> irq & 1)
            return NO_IRQ;
        if (wanted >> irq & 1)
            return (int)irq;
    }
    return NO_IRQ;
}

static void drive_line(struct chip *chip, unsigned irq, bool level)
{
    uint8_t bit = (uint8_t)(1u << irq);
    if (level) {
        if (!(chip->lines & bit) && !(chip->level & bit))
            chip->edges |= bit;
        chip->lines |= bit;
    } else {
        /* The input must stay high until it is acknowledged (8259A data sheet, p.18). */
        chip->edges &= (uint8_t)~bit;
        chip->lines &= (uint8_t)~bit;
    }
}

static void update_output(struct pic *pic)
{
    drive_line(&pic->chips[MASTER], PIC_CASCADE_IRQ, pending(&pic->chips[SLAVE]) != NO_IRQ);
    bool intr = pending(&pic->chips[MASTER]) != NO_IRQ;
    if (intr == pic->intr)
        return;
    pic->intr = intr;
    irq_set(&pic->cpu_intr, intr);
}

static void set_line(void *opaque, unsigned number, bool level)
{
    struct pic *pic = opaque;
    drive_line(&pic->chips[number / 8], number % 8, level);
    update_output(pic);
}

struct irq_line pic_line(struct pic *pic, unsigned irq)
{
    assert(irq < PIC_NR_IRQS && irq != PIC_CASCADE_IRQ);
    return (struct irq_line){.set = set_line, .opaque = pic, .number = irq};
}

/* Takes the pending request into service. NO_IRQ when it has gone. */
static int take(struct chip *chip)
{
    int irq = pending(chip);
    if (irq == NO_IRQ)
        return NO_IRQ;
    uint8_t bit = (uint8_t)(1u << irq);
    chip->edges &= (uint8_t)~bit;
    if (!chip->auto_eoi)
        chip->in_service |= bit;
    else if (chip->rotate_on_auto_eoi)
        chip->lowest = (uint8_t)irq;
    return irq;
}

uint8_t pic_acknowledge(struct pic *pic)
{
    struct chip *chip = &pic->chips[MASTER];
    unsigned first_irq = 0;
    int irq = take(chip);
    if (irq == PIC_CASCADE_IRQ) {
        chip = &pic->chips[SLAVE];
        first_irq = 8;
        irq = take(chip);
        /*
         * INT falls for each acknowledge, so that another request of the slave is a new edge to the master.
         */
        drive_line(&pic->chips[MASTER], PIC_CASCADE_IRQ, false);
    }
    if (irq == NO_IRQ) {
        pic->nr_spurious++;
        irq = 7;
    } else {
        pic->nr_acknowledged[first_irq + (unsigned)irq]++;
    }
    update_output(pic);
    return (uint8_t)(chip->vector_base | (unsigned)irq);
}

static void end_of_interrupt(struct chip *chip, bool rotates)
{
    unsigned ends = chip->in_service;
    /* What the special mask mode has opened is not ended without being named (8259A data sheet, p.16). */
    if (chip->special_mask)
        ends &= ~(unsigned)chip->mask;
    for (unsigned i = 1; i <= 8; i++) {
        unsigned irq = (chip->lowest + i) & 7;
        if (!(ends >> irq & 1))
            continue;
        chip->in_service &= (uint8_t) ~(1u << irq);
        if (rotates)
            chip->lowest = (uint8_t)irq;
        return;
    }
}

static void write_ocw2(struct chip *chip, uint8_t value)
{
    uint8_t irq = value & 7;
    switch ((enum ocw2)(value >> 5)) {
    case OCW2_ROTATE_AEOI_CLEAR:
        chip->rotate_on_auto_eoi = false;
        break;
    case OCW2_ROTATE_AEOI_SET:
        chip->rotate_on_auto_eoi = true;
        break;
    case OCW2_EOI:
        end_of_interrupt(chip, false);
        break;
    case OCW2_EOI_ROTATE:
        end_of_interrupt(chip, true);
        break;
    case OCW2_EOI_SPECIFIC_ROTATE:
        chip->lowest = irq;
        chip->in_service &= (uint8_t) ~(1u << irq);
        break;
    case OCW2_EOI_SPECIFIC:
        chip->in_service &= (uint8_t) ~(1u << irq);
        break;
    case OCW2_SET_PRIORITY:
        chip->lowest = irq;
        break;
    case OCW2_NOP:
        break;
    }
}

static void write_ocw3(struct chip *chip, uint8_t value)
{
    if (value & OCW3_ESMM)
        chip->special_mask = value & OCW3_SMM;
    chip->polls = value & OCW3_POLL;
    if (value & OCW3_RR)
        chip->reads_in_service = value & OCW3_RIS;
}

/* 8259A data sheet, p.11: what ICW1 resets. */
static void write_icw1(struct chip *chip, uint8_t value)
{
    chip->edges = 0;
    chip->mask = 0;
    chip->in_service = 0;
    chip->lowest = 7;
    chip->special_mask = false;
    chip->reads_in_service = false;
    chip->polls = false;
    chip->auto_eoi = false;
    chip->rotate_on_auto_eoi = false;
    chip->special_nested = false;
    chip->wants_icw3 = !(value & ICW1_SNGL);
    chip->wants_icw4 = value & ICW1_IC4;
    chip->next_icw = 2;
}

static void write_later_icw(struct chip *chip, uint8_t value)
{
    switch (chip->next_icw) {
    case 2:
        chip->vector_base = value & 0xf8;
        chip->next_icw = chip->wants_icw3 ? 3 : chip->wants_icw4 ? 4 : 0;
        break;
    case 3:
        chip->next_icw = chip->wants_icw4 ? 4 : 0;
        break;
    default:
        chip->auto_eoi = value & ICW4_AEOI;
        chip->special_nested = value & ICW4_SFNM;
        chip->next_icw = 0;
        break;
    }
}

static void write_port(void *opaque, uint64_t offset, unsigned size, uint64_t wide_value)
{
    struct chip *chip = opaque;
    uint8_t value = (uint8_t)wide_value;
    (void)size;
    if (offset == 0 && (value & ICW1_MARK))
        write_icw1(chip, value);
    else if (offset == 0 && (value & OCW3_MARK))
        write_ocw3(chip, value);
    else if (offset == 0)
        write_ocw2(chip, value);
    else if (chip->next_icw)
        write_later_icw(chip, value);
    else
        chip->mask = value;
    update_output(chip->pic);
}

static uint64_t read_port(void *opaque, uint64_t offset, unsigned size)
{
    struct chip *chip = opaque;
    (void)size;
    if (chip->polls) {
        chip->polls = false;
        int irq = take(chip);
        if (irq != NO_IRQ && chip->which == SLAVE)
            drive_line(&chip->pic->chips[MASTER], PIC_CASCADE_IRQ, false);
        update_output(chip->pic);
        return irq == NO_IRQ ? 0 : 0x80u | (unsigned)irq;
    }
    if (offset == 1)
        return chip->mask;
    return chip->reads_in_service ? chip->in_service : requests(chip);
}

/* IRQ 0, 1, 2, 8 and 13 are wired for edges (82371AB data sheet 4.2.1). */
static const uint8_t elcr_writable[NR_CHIPS] = {0xf8, 0xde};

static uint64_t read_elcr(void *opaque, uint64_t offset, unsigned size)
{
    const struct pic *pic = opaque;
    (void)size;
    return pic->chips[offset].level;
}

static void write_elcr(void *opaque, uint64_t offset, unsigned size, uint64_t value)
{
    struct pic *pic = opaque;
    struct chip *chip = &pic->chips[offset];
    (void)size;
    chip->level = (uint8_t)value & elcr_writable[offset];
    chip->edges &= (uint8_t)~chip->level;
    update_output(pic);
}

static bool register_ports(struct pic *pic, struct iomap *ports, struct diag *diag)
{
    const struct io_range ranges[] = {
        {"PIC", 0x20, 2, IO_WIDTH_1, read_port, write_port, &pic->chips[MASTER]},
        {"second PIC", 0xa0, 2, IO_WIDTH_1, read_port, write_port, &pic->chips[SLAVE]},
        {"PIC ELCR", 0x4d0, 2, IO_WIDTH_1, read_elcr, write_elcr, pic},
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
        if (!iomap_add(ports, &ranges[i], diag))
            return false;
    }
    return true;
}

struct pic *pic_create(struct irq_line cpu_intr, struct iomap *ports, struct diag *diag)
{
    struct pic *pic = calloc(1, sizeof(*pic));
    if (!pic) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "PIC: out of memory");
        return NULL;
    }
    pic->cpu_intr = cpu_intr;
    for (unsigned i = 0; i < NR_CHIPS; i++)
        pic->chips[i] = (struct chip){.pic = pic, .which = i, .mask = 0xff, .lowest = 7};
    if (!register_ports(pic, ports, diag)) {
        pic_destroy(pic);
        return NULL;
    }
    return pic;
}

void pic_destroy(struct pic *pic)
{
    free(pic);
}

uint64_t pic_nr_acknowledged(const struct pic *pic, unsigned irq)
{
    assert(irq < PIC_NR_IRQS);
    return pic->nr_acknowledged[irq];
}

uint64_t pic_nr_spurious(const struct pic *pic)
{
    return pic->nr_spurious;
}

static void chip_snap(struct chip *chip, struct snap *snap)
{
    SNAP_OPEN(snap, chip);
    SNAP_SKIP(snap, chip->pic);
    SNAP_SKIP(snap, chip->which);
    SNAP(snap, chip->lines);
    SNAP(snap, chip->edges);
    SNAP(snap, chip->level);
    SNAP(snap, chip->in_service);
    SNAP(snap, chip->mask);
    SNAP(snap, chip->vector_base);
    SNAP_BELOW(snap, chip->lowest, 8);
    SNAP_BELOW(snap, chip->next_icw, 5);
    SNAP_FLAG(snap, chip->wants_icw3);
    SNAP_FLAG(snap, chip->wants_icw4);
    SNAP_FLAG(snap, chip->auto_eoi);
    SNAP_FLAG(snap, chip->rotate_on_auto_eoi);
    SNAP_FLAG(snap, chip->special_mask);
    SNAP_FLAG(snap, chip->special_nested);
    SNAP_FLAG(snap, chip->reads_in_service);
    SNAP_FLAG(snap, chip->polls);
    SNAP_CLOSE(snap, chip);
}

void pic_snap(struct pic *pic, struct snap *snap)
{
    SNAP_OPEN(snap, pic);
    for (unsigned i = 0; i < NR_CHIPS; i++)
        chip_snap(&pic->chips[i], snap);
    SNAP_SKIP(snap, pic->cpu_intr);
    SNAP_FLAG(snap, pic->intr);
    SNAP_ARRAY(snap, pic->nr_acknowledged);
    SNAP(snap, pic->nr_spurious);
    SNAP_CLOSE(snap, pic);
}
