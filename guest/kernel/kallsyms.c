/* The table comes from scripts/kallsyms.sh after a first link, which has none yet. */
#include "kallsyms.h"
#include "compiler.h"
#include "printk.h"
#include "seq_file.h"

extern const struct kallsym kallsyms[] __attribute__((weak));

const struct kallsym *kallsyms_lookup(u32 address, u32 *offset)
{
    const struct kallsym *found = NULL;
    for (const struct kallsym *sym = kallsyms; sym && sym->name && sym->address <= address; sym++)
        found = sym;
    if (found)
        *offset = address - found->address;
    return found;
}

void kallsyms_show(struct seq_file *m)
{
    for (const struct kallsym *sym = kallsyms; sym && sym->name; sym++)
        seq_printf(m, "%08x %c %s\n", sym->address, sym->name[-1], sym->name);
}

/*
 * A call that never returns may be its function's last instruction: the return address then lies in the next
 * one.
 */
void sprint_symbol(char *buf, size_t size, unsigned long address)
{
    u32 offset;
    const struct kallsym *sym = kallsyms_lookup((u32)address - 1, &offset);
    if (sym)
        snprintf(buf, size, "%s+0x%x", sym->name, offset + 1);
    else
        snprintf(buf, size, "0x%lx", address);
}
