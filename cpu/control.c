/* Control registers (SDM 3A 2.5): what may be written, and what a write changes. */
#include "cpu/cpu_internal.h"
#include "cpu/fpu.h"
#include "cpu/long_mode.h"

#include <string.h>

static const uint64_t cr0_known =
    CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG;
/* CR4 bits of features that CPUID claims; the others are reserved (SDM 3A 2.5). */
static uint64_t cr4_known(const struct cpu *cpu)
{
    static const struct {
        enum cpu_feature feature;
        uint64_t bits;
    } rows[] = {
        {FEATURE_VME, CR4_VME | CR4_PVI}, {FEATURE_TSC, CR4_TSD},        {FEATURE_DE, CR4_DE},
        {FEATURE_PSE, CR4_PSE},           {FEATURE_PAE, CR4_PAE},        {FEATURE_PGE, CR4_PGE},
        {FEATURE_MMX, CR4_PCE}, /* came with RDPMC, which has no bit of its own */
        {FEATURE_FXSR, CR4_OSFXSR},       {FEATURE_SSE, CR4_OSXMMEXCPT}, {FEATURE_LA57, CR4_LA57},
        {FEATURE_PCID, CR4_PCIDE},        {FEATURE_SMEP, CR4_SMEP},      {FEATURE_SMAP, CR4_SMAP},
        {FEATURE_FSGSBASE, CR4_FSGSBASE},
    };
    uint64_t known = 0;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        known |= cpu_has(cpu, rows[i].feature) ? rows[i].bits : 0;
    return known;
}

static bool refuse(struct cpu *cpu)
{
    return cpu_set_fault_code(cpu, EXCP_GP, 0);
}

/*
 * PAE paging keeps its four topmost entries in registers, which are loaded all at once or not at all (SDM 3A
 * 4.4.1). What is not RAM reads as all ones.
 */
static bool load_pdptes(struct cpu *cpu, struct paging_mode *mode)
{
    uint64_t pdpte[NR_PDPTES];
    memset(pdpte, 0xff, sizeof pdpte);
    ram_read(cpu->params.ram, paddr(mode->cr3 & 0xffffffe0 & cpu->mmu.address_mask), pdpte, sizeof pdpte);
    for (unsigned i = 0; i < NR_PDPTES; i++)
        if (!paging_is_good_pdpte(mode, pdpte[i]))
            return refuse(cpu);
    memcpy(mode->pdpte, pdpte, sizeof pdpte);
    return true;
}

void cpu_set_control(struct cpu *cpu, const struct cpu_state *state)
{
    struct paging_mode mode = {.cr0 = state->cr0,
                               .cr3 = state->cr3,
                               .cr4 = state->cr4,
                               .efer = state->efer,
                               .physical_bits = cpu_physical_bits(cpu),
                               .has_1gib_pages = cpu_has(cpu, FEATURE_PAGE1GB)};
    cpu->control = mode;
    if (paging_kind(&mode) == PAGING_PAE)
        (void)!load_pdptes(cpu, &cpu->control);
}

/* `mode`, which has passed all checks, takes effect. */
static void set_mode(struct cpu *cpu, const struct paging_mode *mode)
{
    cpu_settle(cpu); /* accesses counted so far belong to the old mode */
    cpu->control = *mode;
    mmu_set_mode(&cpu->mmu, &cpu->control);
    cpu_drop_fronts(cpu);
    cpu_mode_changed(cpu);
    cpu_update_blocked(cpu);
}

/* Whether paging may be switched on or off (SDM 3A 4.1.2, SDM 2B MOV to CR). */
static bool may_switch_paging(const struct cpu *cpu, bool is_on)
{
    const struct paging_mode *now = &cpu->control;
    if (!is_on)
        return !(now->cr4 & CR4_PCIDE) && !cpu_is_64bit(cpu);
    if (!(now->efer & EFER_LME))
        return true;
    return (now->cr4 & CR4_PAE) && !cpu->segment[DEC_SEG_CS].hidden.is_long;
}

static bool write_cr0(struct cpu *cpu, uint64_t value)
{
    if (value >> 32)
        return refuse(cpu);
    struct paging_mode mode = cpu->control;
    mode.cr0 = (value & cr0_known) | CR0_ET;
    uint64_t changes = mode.cr0 ^ cpu->control.cr0;
    if ((mode.cr0 & CR0_PG) && !(mode.cr0 & CR0_PE))
        return refuse(cpu);
    if ((mode.cr0 & CR0_NW) && !(mode.cr0 & CR0_CD))
        return refuse(cpu);
    if ((changes & CR0_PG) && !may_switch_paging(cpu, mode.cr0 & CR0_PG))
        return refuse(cpu);
    mode.efer &= ~(uint64_t)EFER_LMA; /* LMA = LME and PG (SDM 3A 9.8.5) */
    if ((mode.cr0 & CR0_PG) && (mode.efer & EFER_LME))
        mode.efer |= EFER_LMA;
    bool must_load = (changes & (CR0_PG | CR0_CD | CR0_NW)) && paging_kind(&mode) == PAGING_PAE;
    if (must_load && !load_pdptes(cpu, &mode))
        return false;
    set_mode(cpu, &mode);
    cpu_observe_control(cpu, "cr0", mode.cr0);
    return true;
}

/*
 * With PCIDs, bit 63 says that the entries of the one that is named stay; it is not kept (SDM 3A 4.10.4.1).
 */
static bool write_cr3(struct cpu *cpu, uint64_t value)
{
    struct paging_mode mode = cpu->control;
    bool has_pcids = mode.cr4 & CR4_PCIDE, keeps_entries = has_pcids && (value & CR3_KEEP_ENTRIES);
    mode.cr3 = has_pcids ? value & ~CR3_KEEP_ENTRIES : value;
    if (mode.cr3 >> mode.physical_bits)
        return refuse(cpu);
    if (paging_kind(&mode) == PAGING_PAE && !load_pdptes(cpu, &mode))
        return false;
    cpu->control = mode;
    mmu_load_cr3(&cpu->mmu, &mode, keeps_entries);
    if (has_pcids) /* entries of the PCID that is left stay, and shortcuts to them would still look good */
        cpu_drop_fronts(cpu);
    cpu_observe_control(cpu, "cr3", value);
    return true;
}

/* SDM 3A 2.5, 4.1.2, 4.10.1. */
static bool may_write_cr4(const struct cpu *cpu, uint64_t value)
{
    uint64_t changes = value ^ cpu->control.cr4;
    if (value & ~cr4_known(cpu))
        return false;
    if (cpu_is_long_mode(cpu) && (changes & (CR4_PAE | CR4_LA57)))
        return false;
    if (changes & value & CR4_PCIDE)
        return cpu_is_long_mode(cpu) && !(cpu->control.cr3 & CR3_PCID);
    return true;
}

static bool write_cr4(struct cpu *cpu, uint64_t value)
{
    struct paging_mode mode = cpu->control;
    uint64_t changes = value ^ mode.cr4;
    if (!may_write_cr4(cpu, value))
        return refuse(cpu);
    mode.cr4 = value;
    bool must_load = (changes & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP)) && paging_kind(&mode) == PAGING_PAE;
    if (must_load && !load_pdptes(cpu, &mode))
        return false;
    set_mode(cpu, &mode);
    cpu_observe_control(cpu, "cr4", value);
    return true;
}

/* LME may not change while paging is on; LMA is not written but follows (SDM 3A 9.8.5, SDM 4 table 2-2). */
bool cpu_write_efer(struct cpu *cpu, uint64_t value)
{
    struct paging_mode mode = cpu->control;
    uint64_t writable = (cpu_has(cpu, FEATURE_SYSCALL) ? EFER_SCE : 0) |
                        (cpu_has(cpu, FEATURE_LM) ? EFER_LME : 0) | (cpu_has(cpu, FEATURE_NX) ? EFER_NXE : 0);
    if (value & ~(writable | EFER_LMA))
        return false;
    if (((value ^ mode.efer) & EFER_LME) && (mode.cr0 & CR0_PG))
        return false;
    mode.efer = (mode.efer & EFER_LMA) | (value & writable);
    set_mode(cpu, &mode);
    cpu_observe_control(cpu, "efer", mode.efer);
    return true;
}

unsigned cpu_read_cr8(const struct cpu *cpu)
{
    const struct cpu_board *board = &cpu->params.board;
    return board->task_priority ? board->task_priority(board->opaque) : (unsigned)cpu->cr8;
}

void cpu_write_cr8(struct cpu *cpu, unsigned priority)
{
    const struct cpu_board *board = &cpu->params.board;
    cpu->cr8 = priority;
    if (board->set_task_priority)
        board->set_task_priority(board->opaque, priority, stamp_cycle(cpu->clock));
}

bool cpu_write_cr(struct cpu *cpu, unsigned number, uint64_t value)
{
    switch (number) {
    case 0:
        return write_cr0(cpu, value);
    case 2:
        cpu->cr2 = value;
        return true;
    case 3:
        return write_cr3(cpu, value);
    case 4:
        return write_cr4(cpu, value);
    case 8: /* the task priority: four bits */
        if (value > 15)
            return refuse(cpu);
        cpu_write_cr8(cpu, (unsigned)value);
        return true;
    default:
        return cpu_set_fault(cpu, EXCP_UD);
    }
}

void cpu_flush_caches(struct cpu *cpu, bool write_back, cycle_t now)
{
    if (!cpu->is_timed)
        return;
    if (cpu->params.l1i != cpu->params.l1d)
        cpu_ask_flush(cpu, cpu->params.l1i, false, now);
    for (struct cache *cache = cpu->params.l1d; cache; cache = cache_below(cache))
        cpu_ask_flush(cpu, cache, write_back, now);
}

bool cpu_flush_line(struct cpu *cpu, uint64_t linear, stamp_t t)
{
    struct tlb_entry *entry;
    stamp_t known = t;
    bool is_good = cpu_translate(cpu, linear, MMU_READ, cpu->front_kind == FRONT_USER, &known, &entry);
    t = cpu_wait(cpu, t, known);
    cpu->slow_issue = t;
    if (!is_good)
        return false;
    struct paddr at = mmu_physical(&cpu->mmu, entry, laddr(linear));
    if (!cpu->is_timed)
        return true;
    if (cpu->params.l1i != cpu->params.l1d)
        cpu_ask_flush_line(cpu, cpu->params.l1i, at, false, stamp_cycle(t));
    for (struct cache *cache = cpu->params.l1d; cache; cache = cache_below(cache))
        cpu_ask_flush_line(cpu, cache, at, true, stamp_cycle(t));
    cpu_observe_control(cpu, "clflush", at.v);
    return true;
}
