#include "sim/board/lapic.h"

#include "sim/base/snap.h"
#include "sim/board/lapic_timer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Offsets of the registers (SDM 3A table 10-1). */
enum reg {
    REG_ID = 0x020,
    REG_VERSION = 0x030,
    REG_TPR = 0x080,
    REG_APR = 0x090,
    REG_PPR = 0x0a0,
    REG_EOI = 0x0b0,
    REG_RRD = 0x0c0,
    REG_LDR = 0x0d0,
    REG_DFR = 0x0e0,
    REG_SVR = 0x0f0,
    REG_ISR = 0x100,
    REG_TMR = 0x180,
    REG_IRR = 0x200,
    REG_ESR = 0x280,
    REG_ICR_LOW = 0x300,
    REG_ICR_HIGH = 0x310,
    REG_LVT = 0x320,
    REG_INITIAL_COUNT = 0x380,
    REG_CURRENT_COUNT = 0x390,
    REG_DIVIDE = 0x3e0,
};
enum { REG_STRIDE = 0x10, REG_BYTES = 4 };

/* In the order of their registers from 320h on. */
enum lvt { LVT_TIMER, LVT_THERMAL, LVT_PERFORMANCE, LVT_LINT0, LVT_LINT1, LVT_ERROR, NR_LVT };

/* Fields of the LVT and the ICR (SDM 3A figures 10-8, 10-12). */
#define VECTOR 0xffu
#define DELIVERY(value) ((enum apic_delivery)((value) >> 8 & 7))
#define ICR_LOGICAL (1u << 11)
#define ACTIVE_LOW (1u << 13)
#define REMOTE_IRR (1u << 14)
#define ICR_ASSERT (1u << 14)
#define LEVEL (1u << 15)
#define MASKED (1u << 16)
#define TIMER_PERIODIC (1u << 17)
#define ICR_SHORTHAND(value) ((enum apic_shorthand)((value) >> 18 & 3))
#define ICR_WRITABLE 0xccfffu

static const uint32_t lvt_writable[NR_LVT] = {
    [LVT_TIMER] = 0x300ff, [LVT_THERMAL] = 0x107ff, [LVT_PERFORMANCE] = 0x107ff,
    [LVT_LINT0] = 0x1a7ff, [LVT_LINT1] = 0x1a7ff,   [LVT_ERROR] = 0x100ff,
};

/* ESR (SDM 3A figure 10-9). */
enum esr {
    ESR_SEND_ILLEGAL_VECTOR = 1 << 5,
    ESR_RECEIVED_ILLEGAL_VECTOR = 1 << 6,
    ESR_ILLEGAL_REGISTER = 1 << 7,
};

enum { SVR_ENABLED = 1 << 8, SVR_WRITABLE = 0x3ff, SVR_RESET = 0xff };
enum { VERSION = 0x14 | (NR_LVT - 1) << 16, DFR_FIXED = 0x0fffffff, NR_LINTS = 2 };
enum { FIRST_VECTOR = 16, NR_VECTOR_WORDS = 8, NO_VECTOR = -1 };
enum { BROADCAST = 0xff };

struct lapic {
    struct lapic_params params;
    uint64_t base;
    uint32_t irr[NR_VECTOR_WORDS], isr[NR_VECTOR_WORDS], tmr[NR_VECTOR_WORDS];
    uint32_t lvt[NR_LVT], svr, dfr, icr_low, icr_high, divide;
    uint8_t id, ldr, tpr;
    uint8_t esr, new_errors; /* what software sees, and what came since it wrote there */
    bool lint[NR_LINTS];     /* the pins as they are driven */
    bool has_external;       /* an ExtINT message that the core has not answered yet */
    bool intr;
    struct lapic_timer timer;
    struct event timer_event;
    struct lapic_stats stats;
};

/* ---- Vectors ---- */

static void set_vector(uint32_t words[NR_VECTOR_WORDS], unsigned vector, bool is_set)
{
    uint32_t bit = 1u << vector % 32;
    words[vector / 32] = is_set ? words[vector / 32] | bit : words[vector / 32] & ~bit;
}

static bool has_vector(const uint32_t words[NR_VECTOR_WORDS], unsigned vector)
{
    return words[vector / 32] >> vector % 32 & 1;
}

static int highest(const uint32_t words[NR_VECTOR_WORDS])
{
    for (int i = NR_VECTOR_WORDS - 1; i >= 0; i--) {
        if (words[i])
            return i * 32 + 31 - __builtin_clz(words[i]);
    }
    return NO_VECTOR;
}

/* The class of a vector: bits 7 to 4. None is the lowest class. */
static unsigned class_of(int vector)
{
    return vector == NO_VECTOR ? 0 : (unsigned)vector & 0xf0;
}

/* SDM 3A 10.8.3.1. */
static uint8_t processor_priority(const struct lapic *lapic)
{
    unsigned in_service = class_of(highest(lapic->isr));
    return (lapic->tpr & 0xf0u) >= in_service ? lapic->tpr : (uint8_t)in_service;
}

/* SDM 3A 10.6.2.4. */
uint8_t lapic_priority(const struct lapic *lapic)
{
    unsigned task = lapic->tpr & 0xf0u, in_service = class_of(highest(lapic->isr)),
             requested = class_of(highest(lapic->irr));
    if (task >= requested && task > in_service)
        return lapic->tpr;
    unsigned rest = task & in_service;
    return (uint8_t)(rest > requested ? rest : requested);
}

static bool is_globally_enabled(const struct lapic *lapic)
{
    return lapic->base & LAPIC_BASE_ENABLE;
}

bool lapic_is_enabled(const struct lapic *lapic)
{
    return is_globally_enabled(lapic) && (lapic->svr & SVR_ENABLED);
}

/* ---- Towards the core ---- */

static bool is_lint_active(const struct lapic *lapic, unsigned lint)
{
    return lapic->lint[lint] != !!(lapic->lvt[LVT_LINT0 + lint] & ACTIVE_LOW);
}

static bool is_external_pending(const struct lapic *lapic)
{
    if (!is_globally_enabled(lapic))
        return lapic->lint[0];
    if (lapic->has_external)
        return true;
    for (unsigned i = 0; i < NR_LINTS; i++) {
        uint32_t lvt = lapic->lvt[LVT_LINT0 + i];
        if (!(lvt & MASKED) && DELIVERY(lvt) == APIC_EXTINT && is_lint_active(lapic, i))
            return true;
    }
    return false;
}

static bool is_vector_pending(const struct lapic *lapic)
{
    return is_globally_enabled(lapic) && class_of(highest(lapic->irr)) > (processor_priority(lapic) & 0xf0u);
}

static void update_output(struct lapic *lapic)
{
    bool intr = is_external_pending(lapic) || is_vector_pending(lapic);
    if (intr == lapic->intr)
        return;
    lapic->intr = intr;
    irq_set(&lapic->params.core.intr, intr);
}

int lapic_acknowledge(struct lapic *lapic)
{
    if (is_external_pending(lapic)) {
        lapic->has_external = false;
        update_output(lapic);
        return LAPIC_EXTERNAL;
    }
    if (!is_vector_pending(lapic)) { /* SDM 3A 10.9 */
        lapic->stats.spurious++;
        return (int)(lapic->svr & VECTOR);
    }
    int vector = highest(lapic->irr);
    set_vector(lapic->irr, (unsigned)vector, false);
    set_vector(lapic->isr, (unsigned)vector, true);
    lapic->stats.interrupts++;
    update_output(lapic);
    return vector;
}

static void raise_nmi(const struct lapic *lapic)
{
    if (lapic->params.core.nmi)
        lapic->params.core.nmi(lapic->params.core.opaque);
}

/* ---- Interrupts that come ---- */

static void note_error(struct lapic *lapic, enum esr error);

static bool accept_vector(struct lapic *lapic, uint8_t vector, bool is_level)
{
    if (vector < FIRST_VECTOR) {
        note_error(lapic, ESR_RECEIVED_ILLEGAL_VECTOR);
        return true;
    }
    set_vector(lapic->irr, vector, true);
    set_vector(lapic->tmr, vector, is_level);
    update_output(lapic);
    return true;
}

/* All but an illegal vector in the error entry itself is told by an interrupt. */
static void note_error(struct lapic *lapic, enum esr error)
{
    uint32_t lvt = lapic->lvt[LVT_ERROR];
    lapic->new_errors |= (uint8_t)error;
    if (!(lvt & MASKED) && (lvt & VECTOR) >= FIRST_VECTOR)
        accept_vector(lapic, lvt & VECTOR, false);
}

bool lapic_receive(struct lapic *lapic, const struct apic_message *message)
{
    const struct lapic_core *core = &lapic->params.core;
    if (!is_globally_enabled(lapic))
        return false;
    switch (message->delivery) {
    case APIC_FIXED:
    case APIC_LOWEST_PRIORITY:
        return lapic_is_enabled(lapic) && accept_vector(lapic, message->vector, message->is_level);
    case APIC_NMI: /* these are taken by one that software has disabled, too (SDM 3A 10.4.7.2) */
        raise_nmi(lapic);
        return true;
    case APIC_INIT:
        if (core->init)
            core->init(core->opaque);
        return true;
    case APIC_STARTUP:
        if (core->startup)
            core->startup(core->opaque, message->vector);
        return true;
    case APIC_EXTINT:
        lapic->has_external = lapic_is_enabled(lapic);
        update_output(lapic);
        return lapic->has_external;
    default: /* there is no SMM */
        return true;
    }
}

bool lapic_is_addressed(const struct lapic *lapic, uint8_t destination, bool is_logical)
{
    if (!is_globally_enabled(lapic))
        return false;
    if (!is_logical)
        return destination == BROADCAST || destination == lapic->id;
    if (lapic->dfr >> 28 == 0xf || destination == BROADCAST) /* flat model */
        return destination & lapic->ldr;
    return destination >> 4 == lapic->ldr >> 4 && (destination & lapic->ldr & 0xf); /* cluster */
}

/* A local source of interrupts asks for what its entry of the LVT says. */
static void local_interrupt(struct lapic *lapic, enum lvt which, bool is_level)
{
    uint32_t lvt = lapic->lvt[which];
    if (!is_globally_enabled(lapic) || (lvt & MASKED))
        return;
    struct apic_message message = {
        .delivery = which == LVT_TIMER || which == LVT_ERROR ? APIC_FIXED : DELIVERY(lvt),
        .vector = lvt & VECTOR,
        .is_level = is_level,
    };
    if (message.delivery != APIC_EXTINT) /* that is a level, as the pin is */
        lapic_receive(lapic, &message);
    update_output(lapic);
}

/* A level-triggered LINT with a vector interrupts while it is active, once for each EOI. */
static void look_at_level(struct lapic *lapic, unsigned lint)
{
    uint32_t *lvt = &lapic->lvt[LVT_LINT0 + lint];
    if (DELIVERY(*lvt) != APIC_FIXED || !(*lvt & LEVEL) || (*lvt & (MASKED | REMOTE_IRR)) ||
        !is_lint_active(lapic, lint))
        return;
    if ((*lvt & VECTOR) >= FIRST_VECTOR)
        *lvt |= REMOTE_IRR;
    local_interrupt(lapic, LVT_LINT0 + lint, true);
}

static void set_line(void *opaque, unsigned lint, bool level)
{
    struct lapic *lapic = opaque;
    bool was_active = is_lint_active(lapic, lint), was = lapic->lint[lint];
    lapic->lint[lint] = level;
    if (!is_globally_enabled(lapic)) { /* plain INTR and NMI */
        if (lint == 1 && level && !was)
            raise_nmi(lapic);
        update_output(lapic);
        return;
    }
    uint32_t lvt = lapic->lvt[LVT_LINT0 + lint];
    if (DELIVERY(lvt) == APIC_FIXED && (lvt & LEVEL))
        look_at_level(lapic, lint);
    else if (is_lint_active(lapic, lint) && !was_active)
        local_interrupt(lapic, LVT_LINT0 + lint, false);
    update_output(lapic);
}

struct irq_line lapic_line(struct lapic *lapic, unsigned lint)
{
    assert(lint < NR_LINTS);
    return (struct irq_line){.set = set_line, .opaque = lapic, .number = lint};
}

void lapic_performance_interrupt(struct lapic *lapic)
{
    local_interrupt(lapic, LVT_PERFORMANCE, false);
    lapic->lvt[LVT_PERFORMANCE] |= MASKED; /* until the handler opens it again (SDM 3B 18.6.2.8) */
}

/* ---- Timer ---- */

static cycle_t now_of(const struct lapic *lapic)
{
    return ev_now(lapic->params.events);
}

/* A timer that is masked goes on counting, but nobody need be woken for it. */
static void schedule_timer(struct lapic *lapic)
{
    bool is_heard = lapic_is_enabled(lapic) && !(lapic->lvt[LVT_TIMER] & MASKED);
    cycle_t next = is_heard ? lapic_timer_next(&lapic->timer, now_of(lapic)) : EV_NEVER;
    dev_schedule(lapic->params.events, &lapic->timer_event, next);
}

static void timer_has_run_out(void *opaque, cycle_t now)
{
    struct lapic *lapic = opaque;
    lapic->stats.timer++;
    local_interrupt(lapic, LVT_TIMER, false);
    dev_schedule(lapic->params.events, &lapic->timer_event, lapic_timer_next(&lapic->timer, now));
}

/* ---- Registers ---- */

static void mask_lvt(struct lapic *lapic)
{
    for (unsigned i = 0; i < NR_LVT; i++)
        lapic->lvt[i] |= MASKED;
}

static void end_of_interrupt(struct lapic *lapic)
{
    int vector = highest(lapic->isr);
    if (vector == NO_VECTOR)
        return;
    set_vector(lapic->isr, (unsigned)vector, false);
    bool was_level = has_vector(lapic->tmr, (unsigned)vector);
    update_output(lapic);
    if (!was_level)
        return;
    for (unsigned i = 0; i < NR_LINTS; i++) {
        uint32_t *lvt = &lapic->lvt[LVT_LINT0 + i];
        if ((*lvt & REMOTE_IRR) && (*lvt & VECTOR) == (uint32_t)vector) {
            *lvt &= ~REMOTE_IRR;
            look_at_level(lapic, i);
        }
    }
    apic_bus_end(lapic->params.bus, (uint8_t)vector);
}

static void send(struct lapic *lapic)
{
    uint32_t icr = lapic->icr_low;
    struct apic_message message = {
        .destination = (uint8_t)(lapic->icr_high >> 24),
        .is_logical = icr & ICR_LOGICAL,
        .shorthand = ICR_SHORTHAND(icr),
        .delivery = DELIVERY(icr),
        .vector = icr & VECTOR,
    };
    bool has_vector = message.delivery == APIC_FIXED || message.delivery == APIC_LOWEST_PRIORITY;
    lapic->stats.interprocessor++;
    if (has_vector && message.vector < FIRST_VECTOR) {
        note_error(lapic, ESR_SEND_ILLEGAL_VECTOR);
        return;
    }
    /* INIT level de-assert only synchronises arbitration IDs, which this bus has none of (SDM 3A 10.6.1). */
    if (message.delivery == APIC_INIT && (icr & LEVEL) && !(icr & ICR_ASSERT))
        return;
    /* Of what is sent to oneself by shorthand only a fixed interrupt is valid (SDM 3A table 10-3). */
    if (message.shorthand == APIC_SELF && message.delivery != APIC_FIXED)
        return;
    if (message.shorthand == APIC_ALL && !has_vector)
        return;
    apic_bus_send(lapic->params.bus, &message, lapic);
}

static uint32_t read_register(struct lapic *lapic, uint32_t reg)
{
    switch (reg) {
    case REG_ID:
        return (uint32_t)lapic->id << 24;
    case REG_VERSION:
        return VERSION;
    case REG_TPR:
        return lapic->tpr;
    case REG_APR:
        return lapic_priority(lapic);
    case REG_PPR:
        return processor_priority(lapic);
    case REG_EOI: /* write-only */
    case REG_RRD: /* remote reads are not there */
        return 0;
    case REG_LDR:
        return (uint32_t)lapic->ldr << 24;
    case REG_DFR:
        return lapic->dfr;
    case REG_SVR:
        return lapic->svr;
    case REG_ISR ... REG_TMR - REG_STRIDE:
        return lapic->isr[(reg - REG_ISR) / REG_STRIDE];
    case REG_TMR ... REG_IRR - REG_STRIDE:
        return lapic->tmr[(reg - REG_TMR) / REG_STRIDE];
    case REG_IRR ... REG_ESR - REG_STRIDE:
        return lapic->irr[(reg - REG_IRR) / REG_STRIDE];
    case REG_ESR:
        return lapic->esr;
    case REG_ICR_LOW:
        return lapic->icr_low;
    case REG_ICR_HIGH:
        return lapic->icr_high;
    case REG_LVT ... REG_LVT + (NR_LVT - 1) * REG_STRIDE:
        return lapic->lvt[(reg - REG_LVT) / REG_STRIDE];
    case REG_INITIAL_COUNT:
        return lapic->timer.initial;
    case REG_CURRENT_COUNT:
        return lapic_timer_count(&lapic->timer, now_of(lapic));
    case REG_DIVIDE:
        return lapic->divide;
    default:
        note_error(lapic, ESR_ILLEGAL_REGISTER);
        return 0;
    }
}

static void write_lvt(struct lapic *lapic, enum lvt which, uint32_t value)
{
    uint32_t kept = lapic->lvt[which] & REMOTE_IRR;
    if (DELIVERY(value) != APIC_FIXED || !(value & LEVEL))
        kept = 0;
    lapic->lvt[which] = (value & lvt_writable[which]) | kept;
    if (!(lapic->svr & SVR_ENABLED))
        lapic->lvt[which] |= MASKED; /* SDM 3A 10.4.7.2 */
    if (which == LVT_TIMER) {
        lapic_timer_set_periodic(&lapic->timer, value & TIMER_PERIODIC, now_of(lapic));
        schedule_timer(lapic);
    }
    if (which == LVT_LINT0 || which == LVT_LINT1)
        look_at_level(lapic, which - LVT_LINT0);
}

static void write_svr(struct lapic *lapic, uint32_t value)
{
    lapic->svr = value & SVR_WRITABLE;
    if (!(lapic->svr & SVR_ENABLED))
        mask_lvt(lapic);
    schedule_timer(lapic);
}

/* SDM 3A figure 10-10: bits 3, 1 and 0 count from a division by 2; the last of them is by 1. */
static void write_divide(struct lapic *lapic, uint32_t value)
{
    lapic->divide = value & 0xb;
    unsigned code = (value >> 1 & 4) | (value & 3);
    lapic_timer_divide(&lapic->timer, (code + 1) & 7, now_of(lapic));
    schedule_timer(lapic);
}

static void write_register(struct lapic *lapic, uint32_t reg, uint32_t value)
{
    switch (reg) {
    case REG_ID:
        lapic->id = (uint8_t)(value >> 24);
        break;
    case REG_TPR:
        lapic->tpr = (uint8_t)value;
        break;
    case REG_EOI:
        end_of_interrupt(lapic);
        break;
    case REG_LDR:
        lapic->ldr = (uint8_t)(value >> 24);
        break;
    case REG_DFR:
        lapic->dfr = value | DFR_FIXED;
        break;
    case REG_SVR:
        write_svr(lapic, value);
        break;
    case REG_ESR: /* what is written does not matter (SDM 3A 10.5.3) */
        lapic->esr = lapic->new_errors;
        lapic->new_errors = 0;
        break;
    case REG_ICR_LOW:
        lapic->icr_low = value & ICR_WRITABLE;
        send(lapic);
        break;
    case REG_ICR_HIGH:
        lapic->icr_high = value & 0xff000000;
        break;
    case REG_LVT ... REG_LVT + (NR_LVT - 1) * REG_STRIDE:
        write_lvt(lapic, (reg - REG_LVT) / REG_STRIDE, value);
        break;
    case REG_INITIAL_COUNT:
        lapic_timer_start(&lapic->timer, value, now_of(lapic));
        schedule_timer(lapic);
        break;
    case REG_DIVIDE:
        write_divide(lapic, value);
        break;
    case REG_VERSION: /* read-only */
    case REG_APR:
    case REG_PPR:
    case REG_RRD:
    case REG_ISR ... REG_ESR - REG_STRIDE:
    case REG_CURRENT_COUNT:
        break;
    default:
        note_error(lapic, ESR_ILLEGAL_REGISTER);
        break;
    }
    update_output(lapic);
    if (reg == REG_ID || reg == REG_LDR || reg == REG_DFR || reg == REG_SVR)
        apic_bus_changed(lapic->params.bus);
}

uint64_t lapic_read(struct lapic *lapic, uint64_t offset, unsigned size_bytes)
{
    assert(offset < LAPIC_BYTES && size_bytes <= 8);
    uint64_t value = 0, within = offset % REG_STRIDE;
    if (within < REG_BYTES)
        value = read_register(lapic, (uint32_t)(offset - within)) >> (8 * within);
    return size_bytes >= 8 ? value : value & ((UINT64_C(1) << (8 * size_bytes)) - 1);
}

void lapic_write(struct lapic *lapic, uint64_t offset, unsigned size_bytes, uint64_t value)
{
    assert(offset < LAPIC_BYTES);
    if (offset % REG_STRIDE == 0 && size_bytes == REG_BYTES)
        write_register(lapic, (uint32_t)offset, (uint32_t)value);
}

unsigned lapic_task_priority(const struct lapic *lapic)
{
    return lapic->tpr >> 4;
}

void lapic_set_task_priority(struct lapic *lapic, unsigned priority)
{
    lapic->tpr = (uint8_t)(priority << 4);
    update_output(lapic);
}

/* ---- Making and resetting ---- */

/* SDM 3A 10.4.7.1. */
static void reset_registers(struct lapic *lapic)
{
    memset(lapic->irr, 0, sizeof lapic->irr);
    memset(lapic->isr, 0, sizeof lapic->isr);
    memset(lapic->tmr, 0, sizeof lapic->tmr);
    memset(lapic->lvt, 0, sizeof lapic->lvt);
    mask_lvt(lapic);
    lapic->svr = SVR_RESET;
    lapic->dfr = UINT32_MAX;
    lapic->icr_low = lapic->icr_high = lapic->divide = 0;
    lapic->ldr = lapic->tpr = lapic->esr = lapic->new_errors = 0;
    lapic->has_external = false;
    lapic->id = lapic->params.id;
    const struct dev_clock clock = {.cpu_hz = lapic->params.cpu_hz, .hz = lapic->params.timer_hz};
    lapic->timer = (struct lapic_timer){.clock = clock, .divide_shift = 1};
    schedule_timer(lapic);
    update_output(lapic);
}

void lapic_reset(struct lapic *lapic)
{
    lapic->base = LAPIC_DEFAULT_BASE | LAPIC_BASE_ENABLE |
                  (lapic->params.is_boot_processor ? (uint64_t)LAPIC_BASE_BSP : 0);
    reset_registers(lapic);
}

void lapic_set_virtual_wire(struct lapic *lapic)
{
    write_register(lapic, REG_SVR, SVR_ENABLED | SVR_RESET);
    write_register(lapic, REG_LVT + LVT_LINT0 * REG_STRIDE, APIC_EXTINT << 8 | LEVEL);
    write_register(lapic, REG_LVT + LVT_LINT1 * REG_STRIDE, APIC_NMI << 8);
}

/* Enabled again it is as after a reset (SDM 3A 10.4.3). */
void lapic_set_base(struct lapic *lapic, uint64_t base)
{
    bool was_enabled = is_globally_enabled(lapic);
    lapic->base = base;
    if (is_globally_enabled(lapic) != was_enabled)
        reset_registers(lapic);
    update_output(lapic);
    apic_bus_changed(lapic->params.bus);
}

uint64_t lapic_base(const struct lapic *lapic)
{
    return lapic->base;
}

struct lapic *lapic_create(const struct lapic_params *params, struct diag *diag)
{
    struct lapic *lapic = calloc(1, sizeof *lapic);
    if (!lapic) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "local APIC: out of memory");
        return NULL;
    }
    lapic->params = *params;
    lapic->timer_event =
        (struct event){.handler = timer_has_run_out, .opaque = lapic, .name = "local APIC timer"};
    if (!dev_reserve_event(params->events, &lapic->timer_event, diag)) {
        lapic_destroy(lapic);
        return NULL;
    }
    lapic_reset(lapic);
    apic_bus_add_lapic(params->bus, lapic);
    return lapic;
}

void lapic_destroy(struct lapic *lapic)
{
    if (!lapic)
        return;
    ev_cancel(lapic->params.events, &lapic->timer_event);
    free(lapic);
}

const struct lapic_stats *lapic_stats(const struct lapic *lapic)
{
    return &lapic->stats;
}

void lapic_snap(struct lapic *lapic, struct snap *snap)
{
    SNAP_OPEN(snap, lapic);
    SNAP_SKIP(snap, lapic->params);
    SNAP(snap, lapic->base);
    SNAP_ARRAY(snap, lapic->irr);
    SNAP_ARRAY(snap, lapic->isr);
    SNAP_ARRAY(snap, lapic->tmr);
    SNAP_ARRAY(snap, lapic->lvt);
    SNAP(snap, lapic->svr);
    SNAP(snap, lapic->dfr);
    SNAP(snap, lapic->icr_low);
    SNAP(snap, lapic->icr_high);
    SNAP(snap, lapic->divide);
    SNAP(snap, lapic->id);
    SNAP(snap, lapic->ldr);
    SNAP(snap, lapic->tpr);
    SNAP(snap, lapic->esr);
    SNAP(snap, lapic->new_errors);
    snap_flags(snap, lapic->lint, NR_LINTS);
    SNAP_FLAG(snap, lapic->has_external);
    SNAP_FLAG(snap, lapic->intr);
    lapic_timer_snap(&lapic->timer, snap);
    snap_event(snap, lapic->params.events, &lapic->timer_event);
    SNAP_COUNTERS(snap, lapic->stats);
    SNAP_CLOSE(snap, lapic);
}
