/*
 * A6's walk of four levels, and A12's PCIDs: an excursion into 64-bit mode, on tables that are made here. The
 * kernel stays one of 32 bits: interrupts are off meanwhile, and any exception would be the end.
 */
#include "asm/cpuid.h"
#include "asm/irqflags.h"
#include "asm/pgtable.h"
#include "lab.h"
#include "own_mm.h"
#include "segment.h"

enum { LONG_MODE_PAGES = 16, LONG_MODE_SPACES = 2 };

/* Where the pages lie; bits 47 to 39, 38 to 30, 29 to 21 and 20 to 12 are indices. */
#define LONG_MODE_ADDRESS 0x123456780000ull

/* Read and written by long_mode_code.S, which knows the offsets. */
struct long_mode {
    u64 address;               /* of the first page */
    u64 cr3[LONG_MODE_SPACES]; /* each has other frames there */
    u64 sum[LONG_MODE_SPACES]; /* of the words that were read, by address space */
};

#define X86_FEATURE_LM (1u << 29)   /* leaf 80000001h, EDX */
#define X86_FEATURE_PCID (1u << 17) /* leaf 1, ECX */
#define CODE_DESCRIPTOR_64 ((struct desc_struct){.a = 0, .b = 0x00209A00})
#define LARGE_PAGE_BYTES (2ul << 20)
enum { LINE_WORDS = 16, NR_ENTRIES = 512, NR_LEVELS = 4, NR_SWITCHES = 2 * 64 /* long_mode_code.S */ };

extern char long_mode_page[];
void long_mode_enter(u32 cr3, void (*code)(void), struct long_mode *run);
void long_mode_walk(void);
void long_mode_switch(void);
void long_mode_switch_pcid(void);

/* ---- Tables ---- */

struct space {
    u64 *tables[NR_LEVELS]; /* from the root to the page table */
    u32 *pages[LONG_MODE_PAGES];
};
static struct space spaces[LONG_MODE_SPACES];
static u64 *lowmem_pointers, *lowmem_directory;
static struct mm_struct *identity_mm; /* has the code's page at its physical address */

static void *take_page(void)
{
    void *page = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, 0);
    BUG_ON(page == NULL);
    return page;
}

static u64 entry_for(const void *lowmem, u64 flags)
{
    return __pa(lowmem) | flags;
}

static u32 index_at(u64 address, u32 level)
{
    return (u32)(address >> (PAGE_SHIFT + 9 * (NR_LEVELS - 1 - level))) & (NR_ENTRIES - 1);
}

/* The first GiB of RAM where it is and at PAGE_OFFSET, as the kernel knows it. */
static void make_lowmem_tables(void)
{
    lowmem_pointers = take_page();
    lowmem_directory = take_page();
    for (u32 i = 0; i < NR_ENTRIES; i++)
        lowmem_directory[i] = (u64)i * LARGE_PAGE_BYTES | _PAGE_KERNEL | _PAGE_PSE;
    lowmem_pointers[0] = lowmem_pointers[PAGE_OFFSET >> 30] = entry_for(lowmem_directory, _PAGE_KERNEL);
}

static void make_space(struct space *space, u32 number, u32 (*word)(u32 space, u32 page))
{
    for (u32 level = 0; level < NR_LEVELS; level++) {
        space->tables[level] = take_page();
        if (level > 0)
            space->tables[level - 1][index_at(LONG_MODE_ADDRESS, level - 1)] =
                entry_for(space->tables[level], _PAGE_KERNEL);
    }
    space->tables[0][0] = entry_for(lowmem_pointers, _PAGE_KERNEL);
    for (u32 i = 0; i < LONG_MODE_PAGES; i++) {
        space->pages[i] = take_page();
        space->pages[i][i * LINE_WORDS] = word(number, i);
        space->tables[NR_LEVELS - 1][index_at(LONG_MODE_ADDRESS, NR_LEVELS - 1) + i] =
            entry_for(space->pages[i], _PAGE_KERNEL);
    }
}

static void free_space(const struct space *space)
{
    for (u32 level = 0; level < NR_LEVELS; level++)
        free_pages((unsigned long)space->tables[level], 0);
    for (u32 i = 0; i < LONG_MODE_PAGES; i++)
        free_pages((unsigned long)space->pages[i], 0);
}

/* In the 32-bit kernel's tables: an area of the process's, with an entry by hand. */
static void map_code(pteval_t flags)
{
    unsigned long address = (unsigned long)__pa(long_mode_page);
    pte_t *pte = pte_alloc(identity_mm, address);
    BUG_ON(pte == NULL);
    set_pte(pte, (pte_t){flags ? address | flags : 0});
    flush_tlb_page(address);
}

static void long_mode_begin(struct long_mode *run, u32 (*word)(u32 space, u32 page))
{
    make_lowmem_tables();
    *run = (struct long_mode){.address = LONG_MODE_ADDRESS};
    for (u32 i = 0; i < LONG_MODE_SPACES; i++) {
        make_space(&spaces[i], i, word);
        run->cr3[i] = __pa(spaces[i].tables[0]);
    }
    identity_mm = new_mm();
    map_anonymous(identity_mm, (unsigned long)__pa(long_mode_page), PAGE_SIZE);
    use_mm(identity_mm);
    map_code(_PAGE_KERNEL);
}

static void long_mode_call(struct long_mode *run, void (*code)(void))
{
    unsigned long flags = local_irq_save();
    set_gdt_entry(LAB_GDT_ENTRY, CODE_DESCRIPTOR_64);
    long_mode_enter((u32)run->cr3[0], code, run);
    set_gdt_entry(LAB_GDT_ENTRY, (struct desc_struct){0});
    local_irq_restore(flags);
}

static void long_mode_end(void)
{
    map_code(0);
    use_mm(NULL);
    mmput(identity_mm);
    for (u32 i = 0; i < LONG_MODE_SPACES; i++)
        free_space(&spaces[i]);
    free_pages((unsigned long)lowmem_pointers, 0);
    free_pages((unsigned long)lowmem_directory, 0);
}

static bool has_long_mode(void)
{
    struct cpuid_regs regs;
    return cpuid(0x80000001, &regs) && (regs.dx & X86_FEATURE_LM);
}

static bool has_pcid(void)
{
    struct cpuid_regs regs;
    return cpuid(1, &regs) && (regs.cx & X86_FEATURE_PCID);
}

static u32 word_of(u32 space, u32 page)
{
    return (space + 1) << 16 | (page + 1);
}

/* ---- Labs ---- */

static struct long_mode run;

static void walk_64(void)
{
    /* 0x123456780000, cut up by hand. */
    static const u32 indices[NR_LEVELS] = {0x024, 0x0D1, 0x0B3, 0x180};
    static const char *const names[NR_LEVELS] = {"PML4E", "PDPTE", "PDE", "PTE"};
    if (!has_long_mode()) {
        lab_skip("64-bit mode, which this processor does not have");
        return;
    }
    long_mode_begin(&run, word_of);
    lab_say("%llx in 64-bit mode: 4 levels, indices and offset of 9/9/9/9/12 bits: %03x/%03x/%03x/%03x/000",
            LONG_MODE_ADDRESS, indices[0], indices[1], indices[2], indices[3]);
    u64 table = run.cr3[0];
    for (u32 level = 0; level < NR_LEVELS; level++) {
        u64 at = table + indices[level] * sizeof(u64), entry = *(volatile u64 *)__va((unsigned long)at);
        lab_say("  %-5s at %08llx + %03x x 8 = %08llx: %016llx", names[level], table, indices[level], at,
                entry);
        table = entry & PAGE_MASK;
    }
    u32 by_hand = *(volatile u32 *)__va((unsigned long)table);
    long_mode_call(&run, long_mode_walk);
    lab_check(run.sum[0] == by_hand && by_hand == word_of(0, 0),
              "the word there is %08x by its physical address, and %08llx by its linear one in 64-bit mode",
              by_hand, run.sum[0]);
    long_mode_end();
}
LAB("walk64", walk_64);

static void check_sums(const char *what)
{
    u64 expected[LONG_MODE_SPACES] = {0};
    for (u32 i = 0; i < LONG_MODE_PAGES * NR_SWITCHES; i++) {
        u32 space = i / LONG_MODE_PAGES % LONG_MODE_SPACES;
        expected[space] += word_of(space, i % LONG_MODE_PAGES);
    }
    lab_check(run.sum[0] == expected[0] && run.sum[1] == expected[1],
              "%s: %u switches between two address spaces, and every word was that of the right one", what,
              NR_SWITCHES);
}

static void pcid(void)
{
    if (!has_long_mode() || !has_pcid()) {
        lab_skip("PCIDs, which this processor does not have (they exist in 64-bit mode only)");
        return;
    }
    long_mode_begin(&run, word_of);
    long_mode_call(&run, long_mode_switch);
    check_sums("without PCIDs");
    long_mode_call(&run, long_mode_switch_pcid);
    check_sums("with PCIDs");
    long_mode_end();
}
LAB("pcid", pcid);
