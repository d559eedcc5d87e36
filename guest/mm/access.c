/* Another process's memory, read by the kernel. */
#include "asm/pgtable.h"
#include "highmem.h"
#include "string.h"

bool read_remote_memory(struct mm_struct *mm, unsigned long address, void *buf, unsigned long bytes)
{
    const pte_t *pte = find_pte(mm, address);
    if (pte == NULL || !pte_present(*pte))
        return false;
    u8 *page = kmap_atomic(pte_page(*pte));
    memcpy(buf, page + (address & ~PAGE_MASK), bytes);
    kunmap_atomic(page);
    return true;
}
