/*
 * Soft power-off through the ACPI PM1a control register (ACPI 6.4, 4.8.3.2): SLP_EN with sleep type 0,
 * which is what the "pc" machine of QEMU, and lookaside like it, name as S5 in their tables. Their firmware
 * puts the register at port 604h.
 */
#include "asm/io.h"
#include "asm/irqflags.h"
#include "printk.h"
#include "reboot.h"

#define PM1A_CNT 0x604
#define SLP_EN (1 << 13)

void machine_power_off(void)
{
    pr_emerg("Power down.\n");
    local_irq_disable();
    outw(SLP_EN, PM1A_CNT);
    stop_this_cpu();
}
