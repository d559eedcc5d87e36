/*
 * A13. One byte has several addresses: physical 0, which is what RAM is asked for; virtual C0000000, by
 * which this kernel reaches it.
 */
#include "asm/fixmap.h"
#include "asm/pgtable.h"
#include "asm/setup.h"
#include "lab.h"

static void addresses(void)
{
    volatile u8 *direct = __va(0);
    lab_say("The first byte of RAM, by the addresses that it has:");
    phys_addr_t physical = show_page_walk((unsigned long)direct);
    lab_check((unsigned long)direct == 0xC0000000 && physical == 0,
              "virtual %08lx: the page tables lead to physical %08llx", (unsigned long)direct, physical);

    /*
     * Its frame mapped a second time: if what is written by the one is read by the other, they are one
     * byte.
     */
    set_fixmap(FIX_LAB, 0, _PAGE_KERNEL);
    volatile u8 *alias = (volatile u8 *)fix_to_virt(FIX_LAB);
    u8 kept = *direct, other = kept ^ 0xFF;
    *direct = other;
    lab_check(*alias == other, "%02x, written there, is read at physical 0, mapped at %08lx", other,
              (unsigned long)alias);
    *alias = kept;
    lab_check(*direct == kept, "%02x, written at %08lx, is read at %08lx", kept, (unsigned long)alias,
              (unsigned long)direct);
    set_fixmap(FIX_LAB, 0, 0);
}
LAB("addresses", addresses);
