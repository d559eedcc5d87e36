/* The console on COM1. Output is polled: it works from the first instruction on, and inside a panic. */
#include "serial8250.h"
#include "asm/io.h"
#include "asm/irq.h"
#include "printk.h"
#include "tty.h"

/* Registers (PC16550D data sheet, table II). */
#define COM1 0x3F8
#define UART_RX 0
#define UART_TX 0  /* also divisor, low byte */
#define UART_IER 1 /* also divisor, high byte */
#define UART_FCR 2
#define UART_LCR 3
#define UART_MCR 4
#define UART_LSR 5

#define UART_LCR_8N1 0x03
#define UART_LCR_DLAB 0x80
#define UART_FCR_ENABLE_AND_CLEAR 0x07
#define UART_IER_RDI 0x01
#define UART_MCR_DTR_RTS 0x03
#define UART_MCR_OUT2 0x08 /* on a PC, the way to the interrupt controller */
#define UART_LSR_DR 0x01
#define UART_LSR_THRE 0x20
#define DIVISOR_115200 1
#define SERIAL_IRQ 4

static void serial_putc(u8 c)
{
    while (!(inb(COM1 + UART_LSR) & UART_LSR_THRE))
        ;
    outb(c, COM1 + UART_TX);
}

static void serial8250_write(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == '\n')
            serial_putc('\r');
        serial_putc((u8)text[i]);
    }
}

static void serial8250_write_raw(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        serial_putc((u8)text[i]);
}

/* What was typed. Reading it takes the interrupt away. */
static void serial8250_interrupt(void)
{
    while (inb(COM1 + UART_LSR) & UART_LSR_DR) {
        char c = (char)inb(COM1 + UART_RX);
        tty_receive(&c, 1);
    }
}

void __init serial8250_tty_init(void)
{
    request_irq(SERIAL_IRQ, serial8250_interrupt, "serial");
    outb(UART_IER_RDI, COM1 + UART_IER);
}

void __init serial8250_console_init(void)
{
    static struct console serial8250_console = {
        .name = "ttyS0", .write = serial8250_write, .write_raw = serial8250_write_raw};

    outb(0, COM1 + UART_IER);
    outb(UART_LCR_DLAB, COM1 + UART_LCR);
    outb(DIVISOR_115200, COM1 + UART_TX);
    outb(0, COM1 + UART_IER);
    outb(UART_LCR_8N1, COM1 + UART_LCR);
    outb(UART_FCR_ENABLE_AND_CLEAR, COM1 + UART_FCR);
    outb(UART_MCR_DTR_RTS | UART_MCR_OUT2, COM1 + UART_MCR);
    register_console(&serial8250_console);
}
