/*
 * Paging as programs see it: PAE tables and their registers, no-execute, SMEP, SMAP with EFLAGS.AC, INVPCID,
 * and what MOV to a control register refuses.
 */
#include "cpu/cpu_internal.h"
#include "tests/unit/world_fixture.h"

enum {
    PDPT = 0xb000,
    PD = 0xc000,
    PT = 0xd000,
    USER_CODE = 0x18000, /* pages of the user: this one, DATA and STACK3's */
    FAULT_RSVD_USER = 0xd,
};

static uint32_t pae_pte(uint32_t linear)
{
    return PT + (linear >> PAGE_SHIFT) * 8;
}

static bool is_users(uint32_t at)
{
    return at == USER_CODE || at == DATA || at == STACK3 - PAGE_BYTES;
}

/* PAE paging: 512 KiB one to one in 4 KiB pages, and 2 MiB pages at 2 MiB and 4 MiB that lead to 0. */
static void set_up_pae(struct world *w, uint64_t cr4, uint64_t efer)
{
    set_up(w);
    for (unsigned i = 0; i < NR_PDPTES; i++)
        put64(w, PDPT + i * 8, i == 0 ? PD | PTE_P : 0);
    put64(w, PD, PT | 7);
    put64(w, PD + 8, PTE_PS | 7);
    put64(w, PD + 16, PTE_PS | 3);
    for (uint32_t at = 0; at < CORE_RAM_BYTES; at += PAGE_BYTES)
        put64(w, pae_pte(at), at | (is_users(at) ? 7 : at == GONE ? 2 : 3));
    w->state.cr3 = PDPT;
    w->state.cr4 |= CR4_PAE | cr4;
    w->state.efer = efer;
}

/* The page fault that the program ended in. */
static void expect_page_fault(const struct world *w, uint32_t error, uint64_t address, uint32_t rip)
{
    cr_assert_eq(w->vector, PF, "vector %u", w->vector);
    cr_assert_eq(frame(w, 0), error, "error code %x", frame(w, 0));
    cr_assert_eq(w->state.cr2, address, "CR2 %lx", w->state.cr2);
    cr_assert_eq(frame(w, 1), rip, "EIP %x", frame(w, 1));
}

Test(cpu_paging, pae_translates_through_its_registers_and_not_through_the_table_they_came_from)
{
    struct world w;
    set_up_pae(&w, 0, 0);
    put32(&w, DATA, 0x600d);
    /* mov dword [PDPT], 0; mov eax, [DATA]; mov ecx, [DATA + 2 MiB]; mov ecx, cr3; mov cr3, ecx */
    PROGRAM(&w, 0xc7, 0x05, 0, 0xb0, 0, 0, 0, 0, 0, 0, 0xa1, 0, 0, 2, 0, 0x8b, 0x0d, 0, 0, 0x22, 0, 0x8b,
            0xd9, 0xf4);
    run(&w);
    cr_assert_eq(w.vector, NR_VECTORS);
    cr_assert_eq(w.state.gpr[CPU_AX], 0x600d);
    cr_assert_eq(w.state.gpr[CPU_BX], 0x600d, "through the 2 MiB page");
    cr_assert_eq(core_get32(&w.core[0], pae_pte(DATA)) & 0x60, 0x20, "accessed, not dirty");
    cr_assert_eq(core_get32(&w.core[0], PD + 8) & 0x60, 0x20);
    cr_assert_eq(core_get32(&w.core[0], pae_pte(PDPT)) & 0x60, 0x60, "written: dirty");
    tear_down(&w);
}

Test(cpu_paging, a_pdpte_that_is_not_present_faults_and_one_with_reserved_bits_is_not_loaded)
{
    static const struct {
        uint64_t pdpte;
        bool is_refused;
    } cases[] = {{0, false},
                 {0x1fe, false},
                 {PD | 3, true},
                 {PD | 5, true},
                 {PD | 0x21, true},
                 {PD | 0x101, true},
                 {PD | 0x19, false},
                 {PD | 0xe01, false},
                 {1ull << 63 | 1, true},
                 {1ull << 40 | 1, true}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        set_up_pae(&w, 0, EFER_NXE);
        put64(&w, PDPT + 0x20 + 8, cases[i].pdpte);
        put64(&w, PDPT + 0x20, PD | 1);
        PROGRAM(&w, 0x0f, 0x22, 0xd8, 0xa1, 0, 0, 0, 0x40, 0xf4); /* mov cr3, eax; mov eax, [40000000h] */
        w.state.gpr[CPU_AX] = PDPT + 0x20;
        run(&w);
        if (cases[i].is_refused) {
            cr_assert_eq(w.vector, GP, "case %u: vector %u", i, w.vector);
            cr_assert_eq(frame(&w, 0), 0);
            cr_assert_eq(frame(&w, 1), CODE);
            cr_assert_eq(w.state.cr3, PDPT, "CR3 stays what it was");
        } else if (cases[i].pdpte & 1) {
            cr_assert_eq(w.vector, NR_VECTORS);
        } else {
            expect_page_fault(&w, 0, 0x40000000, CODE + 3);
        }
        tear_down(&w);
    }
}

Test(cpu_paging, pages_that_are_not_to_be_executed_fault_with_the_fetch_bit)
{
    struct world w;
    set_up_pae(&w, 0, EFER_NXE);
    put64(&w, pae_pte(USER_CODE), USER_CODE | 7 | PTE_XD);
    PROGRAM(&w, 0xa1, 0, 0x80, 1, 0, 0xff, 0xe3); /* mov eax, [USER_CODE]; jmp ebx */
    w.state.gpr[CPU_BX] = USER_CODE;
    run(&w);
    expect_page_fault(&w, PF_P | PF_I, USER_CODE, USER_CODE);
    tear_down(&w);

    /* Without NXE the bit is reserved, and the error code knows nothing of fetches. */
    set_up_pae(&w, 0, 0);
    put64(&w, pae_pte(USER_CODE), USER_CODE | 7 | PTE_XD);
    PROGRAM(&w, 0xff, 0xe3);
    w.state.gpr[CPU_BX] = USER_CODE;
    run(&w);
    expect_page_fault(&w, PF_P | PF_RSVD, USER_CODE, USER_CODE);
    tear_down(&w);

    set_up_pae(&w, 0, EFER_NXE);
    enter_ring3(&w);
    put64(&w, pae_pte(USER_CODE), USER_CODE | 7 | PTE_XD);
    w.state.rip = USER_CODE;
    run(&w);
    expect_page_fault(&w, PF_P | PF_U | PF_I, USER_CODE, USER_CODE);
    tear_down(&w);
}

Test(cpu_paging, smep_keeps_the_supervisor_from_the_users_code)
{
    for (unsigned smep = 0; smep < 2; smep++) {
        struct world w;
        set_up_pae(&w, smep ? CR4_SMEP : 0, 0);
        put(&w, USER_CODE, "\xf4", 1);
        PROGRAM(&w, 0xff, 0xe3); /* jmp ebx */
        w.state.gpr[CPU_BX] = USER_CODE;
        run(&w);
        if (smep)
            expect_page_fault(&w, PF_P | PF_I, USER_CODE, USER_CODE);
        else
            cr_assert_eq(w.state.rip, USER_CODE + 1);
        tear_down(&w);
    }
}

Test(cpu_paging, smap_lets_the_supervisor_to_the_users_data_while_ac_is_set)
{
    struct world w;
    set_up_pae(&w, CR4_SMAP, 0);
    PROGRAM(&w, 0xa1, 0, 0, 2, 0); /* mov eax, [DATA] */
    run(&w);
    expect_page_fault(&w, PF_P, DATA, CODE);
    tear_down(&w);

    set_up_pae(&w, CR4_SMAP, 0);
    put32(&w, DATA, 0x600d);
    /* stac; mov eax, [DATA]; mov [DATA + 4], eax; mov ebx, [DATA + 4]; clac; mov [DATA], ecx */
    PROGRAM(&w, 0x0f, 0x01, 0xcb, 0xa1, 0, 0, 2, 0, 0xa3, 4, 0, 2, 0, 0x8b, 0x1d, 4, 0, 2, 0, 0x0f, 0x01,
            0xca, 0x89, 0x0d, 0, 0, 2, 0);
    run(&w);
    expect_page_fault(&w, PF_P | PF_W, DATA, CODE + 22);
    cr_assert_eq(w.state.gpr[CPU_BX], 0x600d);
    cr_assert_eq(get32(&w, DATA + 4), 0x600d);
    tear_down(&w);

    set_up_pae(&w, CR4_SMAP, 0);
    /* stac; mov eax, [DATA]; popf (AC clear); mov eax, [DATA] */
    PROGRAM(&w, 0x0f, 0x01, 0xcb, 0xa1, 0, 0, 2, 0, 0x9d, 0xa1, 0, 0, 2, 0);
    put32(&w, STACK0 - 4, 2);
    w.state.gpr[CPU_SP] = STACK0 - 4;
    run(&w);
    expect_page_fault(&w, PF_P, DATA, CODE + 9);
    tear_down(&w);
}

/* More pages than the list of fronts that AC allowed has room for, then CLAC and the first of them again. */
Test(cpu_paging, smap_forbids_again_all_that_ac_allowed)
{
    for (unsigned nr_pages = MAX_AC_FRONTS - 1; nr_pages < MAX_AC_FRONTS + 3; nr_pages++) {
        for (unsigned again = 0; again < nr_pages; again += nr_pages - 1) {
            struct world w;
            set_up_pae(&w, CR4_SMAP, 0);
            for (unsigned i = 0; i < nr_pages; i++)
                put64(&w, pae_pte(0x40000 + i * PAGE_BYTES), (0x40000 + i * PAGE_BYTES) | 7);
            /* stac; 1: mov eax, [ebx]; add ebx, 4096; loop 1b; clac; mov eax, [edx] */
            PROGRAM(&w, 0x0f, 0x01, 0xcb, 0x8b, 0x03, 0x81, 0xc3, 0, 0x10, 0, 0, 0xe2, 0xf6, 0x0f, 0x01, 0xca,
                    0x8b, 0x02);
            w.state.gpr[CPU_BX] = 0x40000;
            w.state.gpr[CPU_CX] = nr_pages;
            w.state.gpr[CPU_DX] = 0x40000 + again * PAGE_BYTES;
            run(&w);
            expect_page_fault(&w, PF_P, w.state.gpr[CPU_DX], CODE + 16);
            tear_down(&w);
        }
    }
}

/* The GDT in a page of the user: a segment load reads it implicitly, and AC does not help (SDM 3A 4.6.1). */
Test(cpu_paging, smap_forbids_implicit_accesses_whatever_ac_says)
{
    struct world w;
    set_up_pae(&w, CR4_SMAP, 0);
    /* stac; mov eax, [DATA]; mov ds, cx */
    PROGRAM(&w, 0x0f, 0x01, 0xcb, 0xa1, 0, 0, 2, 0, 0x8e, 0xd9);
    w.state.gdt_base = DATA;
    w.state.gpr[CPU_CX] = DATA0;
    for (unsigned i = 0; i < NR_DESCRIPTORS * 8; i += 4)
        put32(&w, DATA + i, get32(&w, GDT + i));
    put64(&w, IDT + PF * 8, core_gate(CODE0, HANDLERS + PF * 16, 0x8e));
    run(&w);
    /* Delivery of the fault would read the GDT as well: #PF, #DF, shutdown. */
    cr_assert_eq(w.stop, CPU_STOP_SHUTDOWN);
    cr_assert_eq(w.state.cr2, DATA + CODE0, "CR2 %lx", w.state.cr2);
    tear_down(&w);
}

Test(cpu_paging, stac_and_clac_are_undefined_outside_ring_0)
{
    for (unsigned i = 0; i < 2; i++) {
        struct world w;
        set_up_pae(&w, CR4_SMAP, 0);
        enter_ring3(&w);
        put(&w, USER_CODE, i ? "\x0f\x01\xcb" : "\x0f\x01\xca", 3);
        w.state.rip = USER_CODE;
        run(&w);
        cr_assert_eq(w.vector, UD);
        tear_down(&w);
    }
}

/* A reserved bit in each level, a user's access, and the walk's error code. */
Test(cpu_paging, reserved_bits_of_pae_entries_fault)
{
    static const uint64_t bad[] = {1ull << 40, 1ull << 51, 1ull << 52, 1ull << 62, 1ull << 63};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        for (unsigned level = 0; level < 2; level++) {
            struct world w;
            set_up_pae(&w, 0, 0);
            enter_ring3(&w);
            put(&w, USER_CODE, "\xa1\x00\x00\x20\x00", 5); /* mov eax, [200000h] or by the table [DATA] */
            put64(&w, level ? pae_pte(DATA) : PD + 8, (level ? DATA : PTE_PS) | 7 | bad[i]);
            if (level)
                put(&w, USER_CODE, "\xa1\x00\x00\x02\x00", 5);
            w.state.rip = USER_CODE;
            run(&w);
            expect_page_fault(&w, FAULT_RSVD_USER, level ? DATA : 0x200000, USER_CODE);
            tear_down(&w);
        }
    }
}

Test(cpu_paging, invlpg_and_invpcid_make_changed_entries_seen)
{
    static const uint8_t invalidations[][5] = {
        {0x0f, 0x01, 0x3b, 0x90, 0x90}, /* invlpg [ebx] */
        {0x66, 0x0f, 0x38, 0x82, 0x02}, /* invpcid eax, [edx] */
        {0x0f, 0x20, 0xd8, 0x90, 0x90}, /* mov eax, cr3, then below: mov cr3, eax */
    };
    for (unsigned i = 0; i < 6; i++) {
        struct world w;
        set_up_pae(&w, 0, 0);
        put32(&w, DATA, 0x01d);
        put32(&w, DATA + 0x1000, 0x600d);
        /*
         * mov ecx, [ebx]; add dword [PTE of DATA], 1000h; invalidation; mov cr3, eax or NOPs; mov ecx, [ebx]
         */
        PROGRAM(&w, 0x8b, 0x0b, 0x81, 0x05, 0x00, 0xd1, 0, 0, 0, 0x10, 0, 0, 0x90, 0x90, 0x90, 0x90, 0x90,
                0x90, 0x90, 0x90, 0x8b, 0x0b, 0xf4);
        put(&w, CODE + 12, invalidations[i < 2 ? i : i < 5 ? 1 : 2], 5);
        if (i == 5)
            put(&w, CODE + 17, "\x0f\x22\xd8", 3);
        cr_assert_eq(pae_pte(DATA), 0xd100);
        w.state.gpr[CPU_AX] = i < 5 ? i - 1 : 0; /* INVPCID's type */
        w.state.gpr[CPU_BX] = DATA;
        w.state.gpr[CPU_DX] = 0x30000 + 0x100;
        put64(&w, 0x30108, DATA + 0x123);
        run(&w);
        cr_assert_eq(w.vector, NR_VECTORS, "case %u: vector %u", i, w.vector);
        cr_assert_eq(w.state.gpr[CPU_CX], 0x600d, "case %u", i);
        tear_down(&w);
    }
}

Test(cpu_paging, invpcid_refuses_bad_types_and_descriptors)
{
    static const struct {
        uint32_t type;
        uint64_t pcid, at;
        bool is_good;
    } cases[] = {{0, 0, 0x12345, true},     {1, 0, 0, true},           {2, 0, 0, true},
                 {3, 0, 0, true},           {4, 0, 0, false},          {0x80000000, 0, 0, false},
                 {0, 1, 0, false}, /* CR4.PCIDE is clear */
                 {1, 1, 0, false},          {2, 1, 0, true},           {2, 0x1000, 0, false},
                 {3, 1ull << 63, 0, false}, {0, 0, 1ull << 47, false}, {0, 0, 0xffff800000000000, true},
                 {1, 0, 1ull << 63, true}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        set_up_pae(&w, 0, 0);
        PROGRAM(&w, 0x66, 0x0f, 0x38, 0x82, 0x02, 0xf4);
        w.state.gpr[CPU_AX] = cases[i].type;
        w.state.gpr[CPU_DX] = DATA;
        put64(&w, DATA, cases[i].pcid);
        put64(&w, DATA + 8, cases[i].at);
        run(&w);
        cr_assert_eq(w.vector, cases[i].is_good ? NR_VECTORS : GP, "case %u: vector %u", i, w.vector);
        tear_down(&w);
    }
}

/* ---- Memory types ---- */

/* mov ecx, 10; 1: mov eax, [DATA]; mov [DATA + 4], ebx; loop 1b; hlt */
static void run_accesses(struct world *w)
{
    PROGRAM(w, 0xb9, 10, 0, 0, 0, 0xa1, 0, 0, 2, 0, 0x89, 0x1d, 4, 0, 2, 0, 0xe2, 0xf3, 0xf4);
    run(w);
    cr_assert_eq(w->vector, NR_VECTORS);
}

Test(cpu_paging, pages_with_pcd_are_not_cached_and_pages_with_pwt_are_written_through)
{
    static const struct {
        uint64_t bits, cr0;
        unsigned uncached, write_throughs, writes;
    } cases[] = {
        {0, 0, 0, 0, 0},         {PTE_PWT, 0, 0, 10, 10},
        {PTE_PCD, 0, 20, 0, 10}, {PTE_PCD | PTE_PWT, 0, 20, 0, 10},
        {0, CR0_CD, 0, 0, 10},   {PTE_PCD, CR0_CD, 20, 0, 10},
    };
    cycle_t cached_cycles = 0;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        set_up_pae(&w, 0, 0);
        put64(&w, pae_pte(DATA), DATA | 0x63 | cases[i].bits);
        w.state.cr0 |= cases[i].cr0;
        run_accesses(&w);
        const struct core *core = &w.core[CORE_INORDER];
        const struct cache_stats *l1d = cache_stats(core->caches.l1d);
        cr_assert_eq(l1d->uncached, cases[i].uncached, "case %u: %lu uncached", i, l1d->uncached);
        cr_assert_eq(l1d->write_throughs, cases[i].write_throughs, "case %u", i);
        cr_assert_eq(cache_contains(core->caches.l1d, paddr(DATA)), cases[i].uncached == 0 && !cases[i].cr0);
        if (cases[i].writes)
            cr_assert_geq(dram_stats(core->dram)->writes, cases[i].writes, "case %u", i);
        if (i == 0)
            cached_cycles = cpu_now(core->cpu);
        else
            cr_assert_gt(cpu_now(core->cpu), cached_cycles + (cases[i].uncached ? 10 * 40 : 40), "case %u",
                         i);
        cr_assert_eq(cpu_now(core->cpu), cpu_now(w.core[CORE_WATCHED].cpu));
        tear_down(&w);
    }
}

/* WRMSR of the MTRRs takes effect at once, in the data's fronts and the code's. */
Test(cpu_paging, what_the_mtrrs_say_counts_from_the_next_access_on)
{
    struct world w;
    set_up_pae(&w, 0, 0);
    put64(&w, pae_pte(DATA), DATA | 0x63);
    /* mov eax, [DATA]; mov eax, 0c00h; wrmsr; mov eax, [DATA]; mov eax, [DATA]; hlt */
    PROGRAM(&w, 0xa1, 0, 0, 2, 0, 0xb8, 0, 0x0c, 0, 0, 0x0f, 0x30, 0xa1, 0, 0, 2, 0, 0xa1, 0, 0, 2, 0, 0xf4);
    w.state.gpr[CPU_CX] = 0x250; /* the fixed range of 0 to 7ffffh: all UC */
    put(&w, CODE + 5, "\x31\xc0\x90\x90\x90", 5);
    run(&w);
    cr_assert_eq(w.vector, NR_VECTORS);
    const struct core *core = &w.core[CORE_INORDER];
    cr_assert_geq(cache_stats(core->caches.l1d)->uncached, 2);
    cr_assert_gt(cache_stats(core->caches.l1i)->uncached, 0, "code comes from memory, too");
    cr_assert_not(cache_contains(core->caches.l1d, paddr(DATA)), "the line that was there is gone");
    tear_down(&w);
}

/*
 * Write combining: ten writes to one line are one access to memory, made when something else wants to go
 * there.
 */
Test(cpu_paging, write_combining_gathers_a_line)
{
    struct world w;
    set_up_pae(&w, 0, 0);
    put64(&w, pae_pte(DATA), DATA | 0x6b); /* PWT selects entry 1 of the PAT */
    /*
     * mov ecx, 277h; wrmsr; mov ecx, 10; 1: mov [DATA + 4 * ecx], ebx; loop 1b; mov [DATA + 1024], ebx;
     * cpuid; hlt
     */
    PROGRAM(&w, 0xb9, 0x77, 2, 0, 0, 0x0f, 0x30, 0xb9, 10, 0, 0, 0, 0x89, 0x1c, 0x8d, 0, 0, 2, 0, 0xe2, 0xf7,
            0x89, 0x1d, 0, 4, 2, 0, 0x0f, 0xa2, 0xf4);
    w.state.gpr[CPU_AX] = 0x00070106;
    w.state.gpr[CPU_DX] = 0x00070106;
    run(&w);
    cr_assert_eq(w.vector, NR_VECTORS);
    cr_assert_eq(cache_stats(w.core[CORE_INORDER].caches.l1d)->uncached, 2, "one for each of the two lines");
    tear_down(&w);
}

/* ---- What MOV to a control register refuses (SDM 3A 2.5, 4.1.2, SDM 2B MOV to CR) ---- */

enum { LONG = EFER_LME | EFER_LMA };
#define PAGED (CR0_PE | CR0_PG | CR0_ET)

Test(cpu_paging, writes_of_control_registers_are_refused_as_the_manual_lists)
{
    static const struct {
        uint64_t cr0, cr3, cr4, efer;
        unsigned number;
        uint64_t value;
        bool is_good;
    } cases[] = {
        {CR0_PE, 0, 0, 0, 0, CR0_PG, false},
        {CR0_PE, 0, 0, 0, 0, CR0_PE | CR0_PG, true},
        {CR0_PE, 0, 0, 0, 0, CR0_PE | CR0_NW, false},
        {CR0_PE, 0, 0, 0, 0, CR0_PE | CR0_NW | CR0_CD, true},
        {CR0_PE, 0, 0, 0, 0, CR0_PE | 1ull << 32, false},
        {CR0_PE, 0, 0, 0, 0, CR0_PE | 1u << 28, true}, /* reserved bits stay clear in silence */
        {CR0_PE, 0, 0, EFER_LME, 0, PAGED, false},     /* LME without PAE */
        {CR0_PE, 0, CR4_PAE, EFER_LME, 0, PAGED, true},
        {PAGED, 0, CR4_PAE, LONG, 0, CR0_PE, true}, /* from compatibility mode */
        {PAGED, 0, CR4_PAE | CR4_PCIDE, LONG, 0, CR0_PE, false},
        {PAGED, 0, CR4_PAE, LONG, 4, 0, false},
        {PAGED, 0, CR4_PAE, LONG, 4, CR4_PAE | CR4_LA57, false},
        {CR0_PE, 0, 0, 0, 4, CR4_LA57, true},
        {PAGED, 0, 0, 0, 4, CR4_PCIDE, false},
        {PAGED, 0, CR4_PAE, LONG, 4, CR4_PAE | CR4_PCIDE, true},
        {PAGED, 1, CR4_PAE, LONG, 4, CR4_PAE | CR4_PCIDE, false},
        {PAGED, 0, CR4_PAE, LONG, 4, CR4_PAE | 1u << 31, false},
        {PAGED, 0, CR4_PAE, LONG, 4, CR4_PAE | 1ull << 32, false},
        {PAGED, 0, CR4_PAE, LONG, 3, 0x1fff, true},
        {PAGED, 0, CR4_PAE, LONG, 3, 1ull << 40, false},
        {PAGED, 0, CR4_PAE, LONG, 3, 1ull << 63, false},
        {PAGED, 0, CR4_PAE | CR4_PCIDE, LONG, 3, 1ull << 63 | 0x1007, true},
        {PAGED, 0, CR4_PAE | CR4_PCIDE, LONG, 3, 1ull << 62, false},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        set_up(&w);
        struct cpu *cpu = w.core[CORE_INORDER].cpu;
        w.state.cr0 = cases[i].cr0, w.state.cr3 = cases[i].cr3, w.state.cr4 = cases[i].cr4;
        w.state.efer = cases[i].efer;
        cpu_set_state(cpu, &w.state);
        cr_assert_eq(cpu_write_cr(cpu, cases[i].number, cases[i].value), cases[i].is_good, "case %u", i);
        struct cpu_state after = cpu_state(cpu);
        if (!cases[i].is_good) {
            cr_assert_eq(cpu->fault.vector, EXCP_GP);
            cr_assert(after.cr0 == cases[i].cr0 && after.cr3 == cases[i].cr3 && after.cr4 == cases[i].cr4,
                      "case %u: nothing has changed", i);
        } else if (cases[i].number == 0) {
            cr_assert_eq(after.cr0, (cases[i].value & ~(1ull << 28)) | CR0_ET);
            cr_assert_eq(!!(after.efer & EFER_LMA), (cases[i].value & CR0_PG) && (cases[i].efer & EFER_LME));
        } else if (cases[i].number == 3) {
            cr_assert_eq(after.cr3, cases[i].value & ~(1ull << 63), "bit 63 is not kept");
        }
        tear_down(&w);
    }
}

/* The watched core takes no shortcut: what the in-order one counts without it is a translation it kept. */
Test(cpu_exec, code_that_is_not_cached_is_translated_anew_after_its_tlb_entry_has_gone)
{
    struct world w;
    set_up(&w);
    PROGRAM(&w, 0x0f, 0x20, 0xc0, 0x0d, 0, 0, 0, 0x40, 0x0f, 0x22,
            0xc0,                                      /* mov eax,cr0; or eax,CD; mov cr0,eax */
            0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8, 0xf4); /* mov eax,cr3; mov cr3,eax; hlt */
    run(&w);
    cr_assert_eq(tlb_stats(w.core[CORE_INORDER].itlb)->misses, 2);
    cr_assert_eq(tlb_stats(w.core[CORE_WATCHED].itlb)->misses, 2);
    tear_down(&w);
}

/* The shortcuts to the two pages of an instruction share a place every 32 MiB. */
Test(cpu_paging, an_instruction_in_two_pages_takes_its_bytes_from_both_wherever_they_lie)
{
    enum { HEAD_FRAME = 0x40000, TAIL_FRAME = 0x42000, LOW_TABLE = 0xe000, HIGH_TABLE = 0xf000 };
    for (uint32_t boundary = 0x1800000; boundary <= 0x6000000; boundary += 0x800000) {
        struct world w;
        set_up(&w);
        uint32_t below = boundary - PAGE_BYTES;
        put32(&w, DIRECTORY + (below >> 22) * 4, LOW_TABLE | 7);
        put32(&w, DIRECTORY + (boundary >> 22) * 4, HIGH_TABLE | 7);
        put32(&w, LOW_TABLE + (below >> PAGE_SHIFT) % 1024 * 4, HEAD_FRAME | 7);
        put32(&w, HIGH_TABLE + (boundary >> PAGE_SHIFT) % 1024 * 4, TAIL_FRAME | 7);
        put(&w, HEAD_FRAME + 0xffe, "\xb8\x78", 2); /* mov eax,12345678h; dec ecx; jnz to the mov; hlt */
        put(&w, TAIL_FRAME, "\x56\x34\x12\x49\x75\xf8\xf4", 7);
        w.state.rip = boundary - 2;
        w.state.gpr[CPU_CX] = 3;
        run(&w);
        cr_assert_eq(w.vector, NR_VECTORS, "boundary %x: vector %u", boundary, w.vector);
        cr_assert_eq(w.state.gpr[CPU_AX], 0x12345678, "boundary %x: EAX %lx", boundary, w.state.gpr[CPU_AX]);
        cr_assert_eq(w.state.gpr[CPU_CX], 0);
        tear_down(&w);
    }
}
