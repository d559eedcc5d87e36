/* An interrupt line: a device raises and lowers it without knowing which controller listens. */
#ifndef LK_SIM_BASE_IRQ_H
#define LK_SIM_BASE_IRQ_H

#include <stdbool.h>

struct irq_line {
    void (*set)(void *opaque, unsigned number, bool level);
    void *opaque;
    unsigned number;
};

static inline void irq_set(const struct irq_line *line, bool level)
{
    if (line->set)
        line->set(line->opaque, line->number, level);
}

#endif
