#include "sim/board/uart.h"

#include "sim/base/snap.h"
#include "sim/board/clock.h"

#include <stdlib.h>

enum { FIFO_BYTES = 16, NR_PORTS = 8, TIMEOUT_CHARACTERS = 4 };

/* Offsets of the ports; data sheet, table II. */
enum { REG_DATA, REG_IER, REG_IIR_FCR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCRATCH };

enum { IER_RECEIVED = 1 << 0, IER_THRE = 1 << 1, IER_LINE = 1 << 2, IER_MODEM = 1 << 3, IER_ALL = 0x0f };
enum {
    IIR_MODEM = 0x00,
    IIR_NONE = 0x01,
    IIR_THRE = 0x02,
    IIR_RECEIVED = 0x04,
    IIR_LINE = 0x06,
    IIR_TIMEOUT = 0x0c,
    IIR_FIFOS = 0xc0,
};
enum { FCR_ENABLE = 1 << 0, FCR_CLEAR_RX = 1 << 1, FCR_CLEAR_TX = 1 << 2 };
enum { LCR_LENGTH = 3, LCR_STOP = 1 << 2, LCR_PARITY = 1 << 3, LCR_DLAB = 1 << 7 };
enum {
    MCR_DTR = 1 << 0,
    MCR_RTS = 1 << 1,
    MCR_OUT1 = 1 << 2,
    MCR_OUT2 = 1 << 3,
    MCR_LOOP = 1 << 4,
    MCR_ALL = 0x1f
};
enum { LSR_READY = 1 << 0, LSR_OVERRUN = 1 << 1, LSR_THRE = 1 << 5, LSR_TEMT = 1 << 6 };
enum {
    MSR_DELTAS = 0x0f,
    MSR_CTS = 1 << 4,
    MSR_DSR = 1 << 5,
    MSR_RI = 1 << 6,
    MSR_DCD = 1 << 7,
    MSR_TERI = 1 << 2
};

static const uint8_t trigger_levels[] = {1, 4, 8, 14};

struct fifo {
    uint8_t bytes[FIFO_BYTES];
    unsigned first, nr_bytes;
};

struct uart {
    struct uart_params params;
    struct dev_clock clock;
    struct fifo rx, tx;
    uint8_t ier, lcr, mcr, scratch;
    uint8_t modem_deltas;
    uint16_t divisor;
    bool has_fifos;
    uint8_t trigger_level;
    bool has_overrun;
    bool has_timeout; /* bytes below the trigger level have waited for four characters */
    bool has_thre;    /* the THRE interrupt is due and not yet taken note of */
    bool is_shifting; /* when paced: the shift register holds `shifted` */
    uint8_t shifted;
    struct event sent;     /* the shift register has emptied */
    struct event rx_timer; /* of the timeout */
    uint64_t nr_sent, nr_received;
};

static unsigned capacity(const struct uart *uart)
{
    return uart->has_fifos ? FIFO_BYTES : 1;
}

static void push(struct fifo *fifo, uint8_t byte)
{
    fifo->bytes[(fifo->first + fifo->nr_bytes++) % FIFO_BYTES] = byte;
}

static uint8_t pop(struct fifo *fifo)
{
    uint8_t byte = fifo->bytes[fifo->first];
    fifo->first = (fifo->first + 1) % FIFO_BYTES;
    fifo->nr_bytes--;
    return byte;
}

static uint8_t modem_inputs(const struct uart *uart)
{
    if (!(uart->mcr & MCR_LOOP))
        return MSR_CTS | MSR_DSR | MSR_DCD;
    return (uint8_t)((uart->mcr & MCR_RTS ? MSR_CTS : 0) | (uart->mcr & MCR_DTR ? MSR_DSR : 0) |
                     (uart->mcr & MCR_OUT1 ? MSR_RI : 0) | (uart->mcr & MCR_OUT2 ? MSR_DCD : 0));
}

/* The interrupt of the highest priority, as IIR shows it; data sheet, table V. */
static uint8_t interrupt(const struct uart *uart)
{
    if ((uart->ier & IER_LINE) && uart->has_overrun)
        return IIR_LINE;
    if (uart->ier & IER_RECEIVED) {
        if (uart->rx.nr_bytes >= (uart->has_fifos ? uart->trigger_level : 1))
            return IIR_RECEIVED;
        if (uart->has_timeout)
            return IIR_TIMEOUT;
    }
    if ((uart->ier & IER_THRE) && uart->has_thre)
        return IIR_THRE;
    if ((uart->ier & IER_MODEM) && uart->modem_deltas)
        return IIR_MODEM;
    return IIR_NONE;
}

/* In loopback the modem outputs are held inactive, OUT2 with them. */
static void update_irq(struct uart *uart)
{
    bool is_open = (uart->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;
    irq_set(&uart->params.irq, is_open && interrupt(uart) != IIR_NONE);
}

/* Of one character on the line: start, 5 to 8 data, parity and stop bits of 16 clocks x divisor each. */
static cycle_t character_cycles(const struct uart *uart)
{
    unsigned data = 5u + (uart->lcr & LCR_LENGTH);
    unsigned bits = 1 + data + (uart->lcr & LCR_PARITY ? 1 : 0) + (uart->lcr & LCR_STOP ? 2 : 1);
    unsigned divisor = uart->divisor ? uart->divisor : 0x10000;
    return dev_clock_cycle(&uart->clock, (uint64_t)16 * divisor * bits);
}

static void restart_rx_timer(struct uart *uart)
{
    uart->has_timeout = false;
    if (uart->has_fifos && uart->rx.nr_bytes)
        dev_schedule(uart->params.events, &uart->rx_timer,
                     ev_now(uart->params.events) + TIMEOUT_CHARACTERS * character_cycles(uart));
    else
        ev_cancel(uart->params.events, &uart->rx_timer);
}

static void on_rx_timer(void *opaque, cycle_t now)
{
    struct uart *uart = opaque;
    (void)now;
    uart->has_timeout = true;
    update_irq(uart);
}

static void take_received(struct uart *uart, uint8_t byte)
{
    if (uart->rx.nr_bytes < capacity(uart)) {
        push(&uart->rx, byte);
    } else {
        uart->has_overrun = true;
        /* Without FIFOs the new character replaces the one in the receiver buffer. */
        if (!uart->has_fifos)
            uart->rx.bytes[uart->rx.first] = byte;
    }
    restart_rx_timer(uart);
}

bool uart_receive(struct uart *uart, uint8_t byte)
{
    if ((uart->mcr & MCR_LOOP) || uart->rx.nr_bytes >= capacity(uart))
        return false;
    uart->nr_received++;
    take_received(uart, byte);
    update_irq(uart);
    return true;
}

static void deliver(struct uart *uart, uint8_t byte)
{
    if (uart->mcr & MCR_LOOP) {
        take_received(uart, byte);
        return;
    }
    uart->nr_sent++;
    if (uart->params.host.put)
        uart->params.host.put(uart->params.host.opaque, byte);
}

/* Moves the next byte into the shift register; what waits behind it is empty when the last one has moved. */
static void shift_next(struct uart *uart, cycle_t now)
{
    uart->is_shifting = uart->tx.nr_bytes > 0;
    if (!uart->is_shifting)
        return;
    uart->shifted = pop(&uart->tx);
    if (!uart->tx.nr_bytes)
        uart->has_thre = true;
    dev_schedule(uart->params.events, &uart->sent, now + character_cycles(uart));
}

static void on_sent(void *opaque, cycle_t now)
{
    struct uart *uart = opaque;
    deliver(uart, uart->shifted);
    shift_next(uart, now);
    update_irq(uart);
}

static void transmit(struct uart *uart, uint8_t byte)
{
    uart->has_thre = false;
    if (!uart->params.is_paced) {
        /* Full for no time, but an edge-triggered controller must see the interrupt go and come again. */
        update_irq(uart);
        uart->has_thre = true;
        deliver(uart, byte);
        return;
    }
    if (uart->tx.nr_bytes < capacity(uart))
        push(&uart->tx, byte);
    if (!uart->is_shifting)
        shift_next(uart, ev_now(uart->params.events));
}

static void write_fcr(struct uart *uart, uint8_t value)
{
    bool has_fifos = value & FCR_ENABLE;
    /* Changing the mode empties both; the other bits count only while the first is written as one. */
    bool changes = has_fifos != uart->has_fifos;
    uart->has_fifos = has_fifos;
    if (changes || (has_fifos && (value & FCR_CLEAR_RX))) {
        uart->rx.nr_bytes = 0;
        restart_rx_timer(uart);
    }
    if (changes || (has_fifos && (value & FCR_CLEAR_TX))) {
        if (uart->tx.nr_bytes)
            uart->has_thre = true;
        uart->tx.nr_bytes = 0;
    }
    if (has_fifos)
        uart->trigger_level = trigger_levels[value >> 6];
}

static void write_ier(struct uart *uart, uint8_t value)
{
    /* Enabling the THRE interrupt while the transmitter is empty raises it at once. */
    if (!(uart->ier & IER_THRE) && (value & IER_THRE) && !uart->tx.nr_bytes)
        uart->has_thre = true;
    uart->ier = value & IER_ALL;
}

static void write_mcr(struct uart *uart, uint8_t value)
{
    uint8_t before = modem_inputs(uart);
    uart->mcr = value & MCR_ALL;
    uint8_t after = modem_inputs(uart);
    uint8_t deltas = (uint8_t)((before ^ after) >> 4);
    /* The ring indicator is noted at its trailing edge only. */
    if (!(before & MSR_RI) || (after & MSR_RI))
        deltas &= (uint8_t)~MSR_TERI;
    uart->modem_deltas |= deltas;
}

static void write_divisor(struct uart *uart, unsigned shift, uint8_t value)
{
    uart->divisor = (uint16_t)((uart->divisor & ~(0xffu << shift)) | (unsigned)value << shift);
}

static void write_port(void *opaque, uint64_t offset, unsigned size, uint64_t wide_value)
{
    struct uart *uart = opaque;
    uint8_t value = (uint8_t)wide_value;
    bool dlab = uart->lcr & LCR_DLAB;
    (void)size;
    switch (offset) {
    case REG_DATA:
        if (dlab)
            write_divisor(uart, 0, value);
        else
            transmit(uart, value);
        break;
    case REG_IER:
        if (dlab)
            write_divisor(uart, 8, value);
        else
            write_ier(uart, value);
        break;
    case REG_IIR_FCR:
        write_fcr(uart, value);
        break;
    case REG_LCR:
        uart->lcr = value;
        break;
    case REG_MCR:
        write_mcr(uart, value);
        break;
    case REG_SCRATCH:
        uart->scratch = value;
        break;
    default: /* LSR and MSR are for reading */
        break;
    }
    update_irq(uart);
}

static uint8_t read_data(struct uart *uart)
{
    if (!uart->rx.nr_bytes)
        return 0;
    uint8_t byte = pop(&uart->rx);
    restart_rx_timer(uart);
    return byte;
}

static uint8_t read_iir(struct uart *uart)
{
    uint8_t which = interrupt(uart);
    if (which == IIR_THRE)
        uart->has_thre = false;
    return which | (uart->has_fifos ? IIR_FIFOS : 0);
}

static uint8_t read_lsr(struct uart *uart)
{
    uint8_t value = uart->rx.nr_bytes ? LSR_READY : 0;
    if (uart->has_overrun)
        value |= LSR_OVERRUN;
    if (!uart->tx.nr_bytes)
        value |= uart->is_shifting ? LSR_THRE : LSR_THRE | LSR_TEMT;
    uart->has_overrun = false;
    return value;
}

static uint8_t read_msr(struct uart *uart)
{
    uint8_t value = modem_inputs(uart) | uart->modem_deltas;
    uart->modem_deltas = 0;
    return value;
}

static uint64_t read_port(void *opaque, uint64_t offset, unsigned size)
{
    struct uart *uart = opaque;
    bool dlab = uart->lcr & LCR_DLAB;
    uint8_t value = 0;
    (void)size;
    switch (offset) {
    case REG_DATA:
        value = dlab ? (uint8_t)uart->divisor : read_data(uart);
        break;
    case REG_IER:
        value = dlab ? (uint8_t)(uart->divisor >> 8) : uart->ier;
        break;
    case REG_IIR_FCR:
        value = read_iir(uart);
        break;
    case REG_LCR:
        value = uart->lcr;
        break;
    case REG_MCR:
        value = uart->mcr;
        break;
    case REG_LSR:
        value = read_lsr(uart);
        break;
    case REG_MSR:
        value = read_msr(uart);
        break;
    default:
        value = uart->scratch;
        break;
    }
    update_irq(uart);
    return value;
}

struct uart *uart_create(const struct uart_params *params, struct iomap *ports, struct diag *diag)
{
    struct uart *uart = calloc(1, sizeof(*uart));
    if (!uart) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", params->name);
        return NULL;
    }
    uart->params = *params;
    uart->clock = (struct dev_clock){.cpu_hz = params->cpu_hz, .hz = UART_HZ};
    uart->divisor = 1;
    uart->trigger_level = trigger_levels[0];
    uart->has_thre = true;
    uart->sent = (struct event){.handler = on_sent, .opaque = uart, .name = "UART byte sent"};
    uart->rx_timer = (struct event){.handler = on_rx_timer, .opaque = uart, .name = "UART receive timeout"};
    const struct io_range range = {params->name, params->base, NR_PORTS, IO_WIDTH_1,
                                   read_port,    write_port,   uart};
    if (!iomap_add(ports, &range, diag) || !dev_reserve_event(params->events, &uart->sent, diag) ||
        !dev_reserve_event(params->events, &uart->rx_timer, diag)) {
        uart_destroy(uart);
        return NULL;
    }
    return uart;
}

void uart_destroy(struct uart *uart)
{
    if (!uart)
        return;
    ev_cancel(uart->params.events, &uart->sent);
    ev_cancel(uart->params.events, &uart->rx_timer);
    free(uart);
}

uint64_t uart_nr_sent(const struct uart *uart)
{
    return uart->nr_sent;
}

uint64_t uart_nr_received(const struct uart *uart)
{
    return uart->nr_received;
}

static void fifo_snap(struct fifo *fifo, struct snap *snap)
{
    SNAP_OPEN(snap, fifo);
    SNAP_ARRAY(snap, fifo->bytes);
    SNAP_BELOW(snap, fifo->first, FIFO_BYTES);
    SNAP_BELOW(snap, fifo->nr_bytes, FIFO_BYTES + 1);
    SNAP_CLOSE(snap, fifo);
}

void uart_snap(struct uart *uart, struct snap *snap)
{
    SNAP_OPEN(snap, uart);
    SNAP_SKIP(snap, uart->params);
    SNAP_SKIP(snap, uart->clock);
    fifo_snap(&uart->rx, snap);
    fifo_snap(&uart->tx, snap);
    SNAP(snap, uart->ier);
    SNAP(snap, uart->lcr);
    SNAP(snap, uart->mcr);
    SNAP(snap, uart->scratch);
    SNAP(snap, uart->modem_deltas);
    SNAP(snap, uart->divisor);
    SNAP_FLAG(snap, uart->has_fifos);
    SNAP_BELOW(snap, uart->trigger_level, FIFO_BYTES + 1);
    SNAP_FLAG(snap, uart->has_overrun);
    SNAP_FLAG(snap, uart->has_timeout);
    SNAP_FLAG(snap, uart->has_thre);
    SNAP_FLAG(snap, uart->is_shifting);
    SNAP(snap, uart->shifted);
    snap_event(snap, uart->params.events, &uart->sent);
    snap_event(snap, uart->params.events, &uart->rx_timer);
    SNAP(snap, uart->nr_sent);
    SNAP(snap, uart->nr_received);
    SNAP_CLOSE(snap, uart);
}
