/* The two cascaded 8259A interrupt controllers: IRQ 0-7 and 8-15. */
#pragma once

#include "types.h"

/* Programs both to deliver IRQ n as vector first_vector + n, all lines masked. */
void i8259_init(unsigned int first_vector);
void i8259_unmask(unsigned int irq);
void i8259_eoi(unsigned int irq);
/* Whether the line asks for an interrupt that the CPU has not taken yet. */
bool i8259_is_requested(unsigned int irq);
/*
 * Whether this was a glitch: the controller reports its line 7, but has nothing in service. Needs no
 * i8259_eoi().
 */
bool i8259_is_spurious(unsigned int irq);
