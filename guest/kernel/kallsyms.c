/* The table comes from scripts/kallsyms.sh after a first link, which has none yet. */
#include "kallsyms.h"
#include "compiler.h"

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
