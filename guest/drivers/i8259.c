/* 8259A, as the PC wires a pair of them (8259A data sheet, "initialization command words"). */
#include "i8259.h"
#include "asm/io.h"
#include "compiler.h"

#define MASTER_CMD 0x20
#define MASTER_DATA 0x21
#define SLAVE_CMD 0xA0
#define SLAVE_DATA 0xA1
#define CASCADE_IRQ 2

#define ICW1_INIT_WITH_ICW4 0x11
#define ICW4_8086 0x01
#define OCW2_EOI 0x20
#define OCW3_READ_IRR 0x0A
#define OCW3_READ_ISR 0x0B

static u16 masked_irqs = 0xFFFF;

void __init i8259_init(unsigned int first_vector)
{
    outb(ICW1_INIT_WITH_ICW4, MASTER_CMD);
    outb((u8)first_vector, MASTER_DATA);
    outb(1 << CASCADE_IRQ, MASTER_DATA);
    outb(ICW4_8086, MASTER_DATA);

    outb(ICW1_INIT_WITH_ICW4, SLAVE_CMD);
    outb((u8)(first_vector + 8), SLAVE_DATA);
    outb(CASCADE_IRQ, SLAVE_DATA);
    outb(ICW4_8086, SLAVE_DATA);

    outb(0xFF, MASTER_DATA);
    outb(0xFF, SLAVE_DATA);
    i8259_unmask(CASCADE_IRQ);
}

void i8259_unmask(unsigned int irq)
{
    masked_irqs = (u16)(masked_irqs & ~(1u << irq));
    if (irq < 8)
        outb((u8)masked_irqs, MASTER_DATA);
    else
        outb((u8)(masked_irqs >> 8), SLAVE_DATA);
}

void i8259_eoi(unsigned int irq)
{
    if (irq >= 8)
        outb(OCW2_EOI, SLAVE_CMD);
    outb(OCW2_EOI, MASTER_CMD);
}

bool i8259_is_requested(unsigned int irq)
{
    u16 port = irq < 8 ? MASTER_CMD : SLAVE_CMD;
    outb(OCW3_READ_IRR, port);
    return inb(port) & (1u << irq % 8);
}

bool i8259_is_spurious(unsigned int irq)
{
    if (irq != 7 && irq != 15)
        return false;
    u16 port = irq == 7 ? MASTER_CMD : SLAVE_CMD;
    outb(OCW3_READ_ISR, port);
    if (inb(port) & 0x80)
        return false;
    /* The master did see an interrupt on its cascade line. */
    if (irq == 15)
        outb(OCW2_EOI, MASTER_CMD);
    return true;
}
