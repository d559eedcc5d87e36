/*
 * A 16550A UART with its FIFOs (National PC16550D data sheet): eight ports from `base`, one interrupt line,
 * gated by OUT2 as on a PC's serial card. Breaks, parity and framing errors do not occur: the line to the
 * host is perfect.
 */
#ifndef LK_SIM_BOARD_UART_H
#define LK_SIM_BOARD_UART_H

#include "sim/base/diag.h"
#include "sim/base/event.h"
#include "sim/base/iomap.h"
#include "sim/base/irq.h"

#include <stdint.h>

enum { UART_HZ = 1843200 };

/* Where the bytes go that the guest sends; `put` may be NULL. */
struct uart_host {
    void (*put)(void *opaque, uint8_t byte);
    void *opaque;
};

struct uart_params {
    const char *name; /* "COM1"; outlives the UART */
    uint64_t base;
    struct ev_queue *events; /* outlives the UART */
    uint64_t cpu_hz;
    struct irq_line irq;
    struct uart_host host;
    bool is_paced; /* a byte takes its time on the line; otherwise it is gone at once and no guest waits */
};

struct uart;

/* Registers its ports. On failure adds a line and returns NULL. */
struct uart *uart_create(const struct uart_params *params, struct iomap *ports, struct diag *diag);
void uart_destroy(struct uart *uart);

/* A byte from the host. False when the receiver is full, or in loopback: offer it again later. */
bool uart_receive(struct uart *uart, uint8_t byte);

/* Bytes that the guest sent to the host, and got from it. */
uint64_t uart_nr_sent(const struct uart *uart);
uint64_t uart_nr_received(const struct uart *uart);

/* Its state, for checkpoints (sim/base/snap.h). */
struct snap;
void uart_snap(struct uart *uart, struct snap *snap);

#endif
