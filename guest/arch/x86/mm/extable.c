/* Where to go on after a fault that was allowed for. */
#include "asm/uaccess.h"

extern const struct exception_table_entry __start___ex_table[], __stop___ex_table[];

u32 search_exception_table(u32 ip)
{
    const struct exception_table_entry *entry = __start___ex_table;
    for (; entry < __stop___ex_table; entry++)
        if (entry->insn == ip)
            return entry->fixup;
    return 0;
}
