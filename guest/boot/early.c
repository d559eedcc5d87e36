/*
 * C code that runs before paging is on, linked at physical addresses. It may touch its own data directly,
 * and everything else in the kernel only through phys(): the linker put that at PAGE_OFFSET and above,
 * where nothing is yet.
 */
#include "asm/multiboot.h"
#include "asm/page.h"
#include "asm/pgtable_types.h"
#include "asm/setup.h"
#include "boot_early.h"
#include "boot_steps.h"
#include "compiler.h"
#include "lookaside.h"

/* What the boot tables map; the kernel's image and the first memblock allocations must fit. */
#define BOOT_MAP_BYTES (8ul << 20)
#define BOOT_TABLES (BOOT_MAP_BYTES / PMD_SIZE)

extern pgd_t swapper_pg_dir[PTRS_PER_PGD];

static pte_t boot_tables[BOOT_TABLES][PTRS_PER_PTE] __aligned(4096);
#if PAGETABLE_LEVELS == 3
extern pmd_t swapper_pmd[PTRS_PER_PMD];
static pmd_t boot_pmd[PTRS_PER_PMD] __aligned(4096);
#endif

static void *phys(void *linked_address)
{
    return (void *)((uintptr_t)linked_address - PAGE_OFFSET);
}

static void copy_string(char *to, const char *from, u32 size)
{
    u32 i = 0;
    for (; i + 1 < size && from[i]; i++)
        to[i] = from[i];
    to[i] = '\0';
}

static void add_memory(struct boot_info *info, u64 base, u64 bytes, u32 type)
{
    if (bytes == 0 || info->nr_e820 == E820_MAX)
        return;
    info->e820[info->nr_e820++] = (struct e820_entry){.base = base, .bytes = bytes, .type = type};
}

static void copy_memory_map(struct boot_info *info, const struct multiboot_info *mbi)
{
    if (mbi->flags & MULTIBOOT_INFO_MEM_MAP) {
        uintptr_t at = mbi->mmap_addr;
        uintptr_t end = at + mbi->mmap_length;
        while (at < end) {
            const struct multiboot_mmap_entry *entry = (const void *)at;
            add_memory(info, entry->addr, entry->len, entry->type);
            at += entry->size + sizeof(entry->size);
        }
    } else if (mbi->flags & MULTIBOOT_INFO_MEMORY) {
        add_memory(info, 0, (u64)mbi->mem_lower << 10, E820_RAM);
        add_memory(info, 1u << 20, (u64)mbi->mem_upper << 10, E820_RAM);
    }
}

static void copy_boot_info(struct boot_info *info, const struct multiboot_info *mbi)
{
    copy_memory_map(info, mbi);
    if (mbi->flags & MULTIBOOT_INFO_CMDLINE)
        copy_string(info->command_line, (const char *)(uintptr_t)mbi->cmdline, LOADER_COMMAND_LINE_SIZE);
    if (mbi->flags & MULTIBOOT_INFO_MODS) {
        const struct multiboot_mod *mods = (const void *)(uintptr_t)mbi->mods_addr;
        for (u32 i = 0; i < mbi->mods_count && i < MODULES_MAX; i++) {
            info->modules[i].start = mods[i].start;
            info->modules[i].end = mods[i].end;
            info->nr_modules++;
        }
    }
}

static pteval_t entry_for(const void *table, pteval_t flags)
{
    return (pteval_t)(uintptr_t)table | flags;
}

/*
 * Maps the first 8 MiB twice: where they are, so that the instruction after the one that turns paging on
 * can be fetched, and at PAGE_OFFSET, where the kernel was linked. 4 KiB pages, since nobody has asked
 * CPUID for larger ones yet.
 */
static pgd_t *build_boot_tables(void)
{
    pgd_t *pgd = phys(swapper_pg_dir);
#if PAGETABLE_LEVELS == 3
    pmd_t *low = boot_pmd, *high = phys(swapper_pmd);
    /* An entry of the top level has no permissions (SDM 3A 4.4.1). */
    pgd[0].pgd = entry_for(low, _PAGE_PRESENT);
    pgd[PAGE_OFFSET >> PGDIR_SHIFT].pgd = entry_for(high, _PAGE_PRESENT);
#else
    pmd_t *low = (pmd_t *)pgd, *high = low + (PAGE_OFFSET >> PMD_SHIFT);
#endif
    for (u32 table = 0; table < BOOT_TABLES; table++) {
        for (u32 i = 0; i < PTRS_PER_PTE; i++)
            boot_tables[table][i].pte = ((table * PTRS_PER_PTE + i) << PAGE_SHIFT) | _PAGE_KERNEL;
        low[table].pmd = high[table].pmd = entry_for(boot_tables[table], _PAGE_KERNEL);
    }
    return pgd;
}

/*
 * Returns the physical address of the page directory to load; NULL: this CPU lacks what the kernel's tables
 * need.
 */
pgd_t *early_setup(u32 loader_magic, const struct multiboot_info *mbi);

pgd_t *early_setup(u32 loader_magic, const struct multiboot_info *mbi)
{
    if (PAGETABLE_LEVELS == 3 && !early_has_pae()) {
        early_puts("This kernel needs a processor with PAE.\r\n");
        return NULL;
    }
    struct boot_info *info = phys(&boot_info);
    info->loader_magic = loader_magic;
    if (loader_magic == MULTIBOOT_BOOTLOADER_MAGIC)
        copy_boot_info(info, mbi);
    lk_mark(BOOT_STEP_TABLES, "boot page tables");
    return build_boot_tables();
}
