/*
 * A local APIC (SDM 3A chapter 10) of the kind of the Pentium 4 and later, without x2APIC: version 14h, six
 * LVT entries, EOI broadcasts. A core has one; others reach it by the bus.
 *
 * Its registers lie 16 bytes apart and are 32 bits wide. A narrower or wider read gives the bytes that lie
 * there, zero between registers; a write of another width or place has no effect. An address that has no
 * register sets "illegal register address" in the ESR.
 *
 * SMIs go nowhere, as there is no SMM. The timer counts `timer_hz` divided as its register says; its
 * TSC-deadline mode is not there, and CPUID does not claim it.
 */
#ifndef LK_SIM_BOARD_LAPIC_H
#define LK_SIM_BOARD_LAPIC_H

#include "sim/base/diag.h"
#include "sim/base/event.h"
#include "sim/base/irq.h"
#include "sim/board/apic_bus.h"

#include <stdint.h>

enum { LAPIC_BYTES = 4096 };
#define LAPIC_DEFAULT_BASE UINT64_C(0xfee00000)

/* IA32_APIC_BASE (SDM 3A 10.4.4). */
enum { LAPIC_BASE_BSP = 1 << 8, LAPIC_BASE_ENABLE = 1 << 11 };

/* What it asks of its core. Each may be NULL. */
struct lapic_core {
    struct irq_line intr; /* a level; the core answers with lapic_acknowledge */
    void (*nmi)(void *opaque);
    void (*init)(void *opaque);
    void (*startup)(void *opaque, uint8_t vector); /* at vector * 4096, if it waits for that */
    void *opaque;
};

struct lapic_params {
    struct ev_queue *events; /* outlives the device */
    uint64_t cpu_hz, timer_hz;
    uint8_t id;
    bool is_boot_processor;
    struct lapic_core core;
    struct apic_bus *bus; /* outlives the device, which adds itself */
};

/* On failure adds a line and returns NULL. Afterwards it is as after a reset. */
struct lapic *lapic_create(const struct lapic_params *params, struct diag *diag);
void lapic_destroy(struct lapic *lapic);

/* As power-on and RESET# leave it: enabled in IA32_APIC_BASE, disabled by software, all of the LVT masked. */
void lapic_reset(struct lapic *lapic);

/*
 * Virtual wire mode, as firmware leaves the boot processor's (MP 1.4, 3.6.2.2): enabled, LINT0 is the 8259's
 * output, LINT1 is NMI.
 */
void lapic_set_virtual_wire(struct lapic *lapic);

/* The core's IA32_APIC_BASE was written. Without the enable bit LINT0 and LINT1 are plain INTR and NMI. */
void lapic_set_base(struct lapic *lapic, uint64_t base);
uint64_t lapic_base(const struct lapic *lapic);

/* By offset from the base; within LAPIC_BYTES. */
uint64_t lapic_read(struct lapic *lapic, uint64_t offset, unsigned size_bytes);
void lapic_write(struct lapic *lapic, uint64_t offset, unsigned size_bytes, uint64_t value);

/* CR8: bits 7 to 4 of the task priority register (SDM 3A 10.8.6.1). */
unsigned lapic_task_priority(const struct lapic *lapic);
void lapic_set_task_priority(struct lapic *lapic, unsigned priority);

/* Its inputs: LINT0, LINT1. */
struct irq_line lapic_line(struct lapic *lapic, unsigned lint);
/* A performance counter of the core has overflowed. */
void lapic_performance_interrupt(struct lapic *lapic);

/*
 * The core takes an interrupt: its vector, or LAPIC_EXTERNAL when the 8259 is to be asked for it. An external
 * interrupt goes first.
 */
enum { LAPIC_EXTERNAL = -1 };
int lapic_acknowledge(struct lapic *lapic);

/* For the bus. lapic_receive: false when it does not take the message. */
bool lapic_is_addressed(const struct lapic *lapic, uint8_t destination, bool is_logical);
bool lapic_is_enabled(const struct lapic *lapic);
uint8_t lapic_priority(const struct lapic *lapic);
bool lapic_receive(struct lapic *lapic, const struct apic_message *message);

struct lapic_stats {
    uint64_t interrupts; /* vectors handed to the core, without external and spurious ones */
    uint64_t spurious;
    uint64_t timer;          /* times that its timer asked for an interrupt */
    uint64_t interprocessor; /* writes of the ICR */
};
const struct lapic_stats *lapic_stats(const struct lapic *lapic);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void lapic_snap(struct lapic *lapic, struct snap *snap);

#endif
