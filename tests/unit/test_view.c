/* The window's model against parts made by hand, and its picture as a file, without any display. */
#include "cpu/decode.h"
#include "sim/observe/view.h"
#include "sim/observe/view_draw.h"
#include "sim/observe/view_png.h"

#include <criterion/criterion.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RAM_PAGES = 2048, RAM_BYTES = RAM_PAGES * PAGE_BYTES, CODE = 0x8000, DATA = 0x100000 };

static char folder[] = "/tmp/test_view.XXXXXX";
static char file[64], other_file[64];
static struct ram ram;
static struct view_model *model;
static struct diag diag;

static void setup(void)
{
    unsetenv("DISPLAY");
    unsetenv("WAYLAND_DISPLAY");
    unsetenv("SDL_VIDEODRIVER");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/a.png", folder);
    snprintf(other_file, sizeof other_file, "%s/b.png", folder);
    cr_assert(ram_init(&ram, RAM_BYTES));
    model = view_model_create();
    cr_assert_not_null(model);
    diag_init(&diag);
}

static void teardown(void)
{
    unlink(file);
    unlink(other_file);
    cr_assert_eq(rmdir(folder), 0, "something was left behind");
    view_model_destroy(model);
    ram_fini(&ram);
    diag_fini(&diag);
}

TestSuite(view, .init = setup, .fini = teardown);

static void put_u32(uint64_t at, uint32_t value)
{
    cr_assert(ram_write(&ram, paddr(at), &value, sizeof value));
}

/* ---- The model ---- */

Test(view, tlb_cells_are_the_entries_most_recent_first)
{
    static const struct tlb_params params = {
        2, {{8, 2, TLB_PAGE_4K, TLB_LRU, 1}, {2, 2, TLB_PAGE_4M, TLB_LRU, 1}}};
    struct tlb *tlb = tlb_create(&params);
    static const struct tlb_entry entries[] = {
        {.page_number = 5, .frame = {0x1000}, .page = TLB_PAGE_4K, .flags = TLB_USER},
        {.page_number = 9, .frame = {0x2000}, .page = TLB_PAGE_4K, .flags = TLB_DIRTY | TLB_WRITABLE},
        {.page_number = 3, .frame = {0x400000}, .page = TLB_PAGE_4M, .flags = TLB_GLOBAL},
    };
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        tlb_fill(tlb, &entries[i]);
    view_collect_tlb(&model->tlb[VIEW_DTLB], tlb);
    const struct view_tlb *seen = &model->tlb[VIEW_DTLB];
    cr_assert(seen->is_there);
    cr_assert_eq(seen->nr_arrays, 2);
    cr_assert_eq(seen->array[0].shape.nr_sets, 4);
    cr_assert_eq(seen->array[0].nr_valid, 2);
    /* Pages 5 and 9 lie in the same set of four; 9 came later. */
    const struct view_tlb_cell *set = &seen->array[0].cell[5 % 4 * 2];
    cr_assert_eq(set[0].page_number, 9);
    cr_assert_eq(set[0].flags, TLB_DIRTY | TLB_WRITABLE);
    cr_assert_eq(set[1].page_number, 5);
    cr_assert_eq(set[1].frame, 0x1000);
    cr_assert_not(seen->array[0].cell[0].is_valid);
    cr_assert_eq(seen->array[1].nr_valid, 1);
    cr_assert_eq(seen->array[1].cell[0].page, TLB_PAGE_4M);
    tlb_destroy(tlb);
}

Test(view, a_large_tlb_is_counted_in_full_and_shown_in_part)
{
    static const struct tlb_params params = {1, {{65536, 4, TLB_PAGE_4K, TLB_LRU, 1}}};
    struct tlb *tlb = tlb_create(&params);
    for (uint64_t page = 0; page < 65536; page++)
        tlb_fill(tlb, &(struct tlb_entry){.page_number = page, .page = TLB_PAGE_4K});
    view_collect_tlb(&model->tlb[VIEW_L2_TLB], tlb);
    const struct view_tlb_array *array = &model->tlb[VIEW_L2_TLB].array[0];
    cr_assert_eq(array->nr_valid, 65536);
    cr_assert_eq(array->shape.set_step, 8);
    cr_assert_eq(array->shape.shown_sets * array->shape.shown_ways, VIEW_MAX_CELLS);
    for (uint64_t set = 0; set < array->shape.shown_sets; set++)
        cr_assert_eq(array->cell[set * 4].page_number % 16384, set * 8);
    tlb_destroy(tlb);
}

static struct dram *make_dram(void)
{
    return dram_create(&(struct dram_params){.nr_banks = 8,
                                             .row_bytes = 8192,
                                             .row_hit_cycles = 40,
                                             .row_miss_cycles = 60,
                                             .row_conflict_cycles = 80,
                                             .burst_cycles = 8});
}

Test(view, cache_cells_are_the_lines_with_the_owner_of_their_frame)
{
    struct dram *dram = make_dram();
    static const struct cache_params params = {
        .size_bytes = 1024, .nr_ways = 2, .line_bytes = 64, .latency_cycles = 3};
    struct cache *cache = cache_create(&params, SERVED_BY_L1, NULL, dram);
    cache_access(cache, paddr(0x3000), false, 0);
    cache_access(cache, paddr(0x5000), true, 100);
    cr_assert(view_collect_memory(&model->memory, &ram, NULL, NULL));
    model->memory.owner[5] = VIEW_OWNER_SLAB;
    view_collect_cache(&model->cache[VIEW_L1D], cache, &model->memory);
    const struct view_cache *seen = &model->cache[VIEW_L1D];
    cr_assert_eq(seen->nr_valid, 2);
    cr_assert_eq(seen->nr_dirty, 1);
    cr_assert_eq(seen->line_bytes, 64);
    cr_assert_eq(seen->cell[0].line * 64, 0x5000);
    cr_assert(seen->cell[0].is_dirty);
    cr_assert_eq(seen->cell[0].owner, VIEW_OWNER_SLAB);
    cr_assert_eq(seen->cell[1].line * 64, 0x3000);
    cr_assert_not(seen->cell[1].is_dirty);
    cr_assert_eq(seen->stats.misses, 2);
    cache_destroy(cache);
    dram_destroy(dram);
}

Test(view, without_a_note_frames_are_known_from_contents_and_page_tables)
{
    struct mmu mmu = {.mode = {.cr0 = CR0_PE | CR0_PG, .cr3 = 0x4000, .cr4 = CR4_PSE}};
    put_u32(0x4000, 0x5000 | PTE_P | PTE_RW | PTE_US);
    put_u32(0x4004, 0x400000 | PTE_P | PTE_RW | PTE_PS);
    put_u32(0x4008, 0xfffff000 | PTE_P);
    put_u32(0x5000 + 4 * 7, 0x8000 | PTE_P | PTE_US);
    put_u32(0x5000 + 4 * 8, 0x9000 | PTE_P);
    put_u32(0x5000 + 4 * 9, 0xa000 | PTE_P | PTE_US);
    put_u32(0x5000 + 4 * 10, 0x8000 | PTE_P);
    put_u32(0x5000 + 4 * 11, 0xb000);
    static const pfn_t used[] = {8, 9, 0xb, 0x410};
    for (size_t i = 0; i < sizeof used / sizeof *used; i++)
        put_u32(used[i] * PAGE_BYTES + 4092, 1);
    cr_assert(view_collect_memory(&model->memory, &ram, &mmu, NULL));
    const struct view_memory *memory = &model->memory;
    cr_assert_not(memory->is_from_note);
    cr_assert_eq(memory->nr_frames, RAM_PAGES);
    cr_assert_eq(memory->owner[4], VIEW_OWNER_PAGE_TABLE);
    cr_assert_eq(memory->owner[5], VIEW_OWNER_PAGE_TABLE);
    cr_assert_eq(memory->owner[8], VIEW_OWNER_MAPPED_USER, "mapped for the kernel too");
    cr_assert_eq(memory->owner[9], VIEW_OWNER_MAPPED_KERNEL);
    cr_assert_eq(memory->owner[0xa], VIEW_OWNER_UNUSED, "mapped, and nothing but zeroes");
    cr_assert_eq(memory->owner[0xb], VIEW_OWNER_TOUCHED, "its entry is not present");
    cr_assert_eq(memory->owner[0x410], VIEW_OWNER_MAPPED_KERNEL, "by a 4 MiB page");
    uint64_t sum = 0;
    for (unsigned i = 0; i < NR_VIEW_OWNERS; i++)
        sum += memory->nr_by_owner[i];
    cr_assert_eq(sum, RAM_PAGES);
    cr_assert_eq(memory->nr_zones, 1);
    cr_assert_eq(memory->zone[0].nr_frames, RAM_PAGES);
}

Test(view, a_page_directory_outside_ram_is_no_harm)
{
    struct mmu mmu = {.mode = {.cr0 = CR0_PE | CR0_PG, .cr3 = 0xfffff000}};
    cr_assert(view_collect_memory(&model->memory, &ram, &mmu, NULL));
    cr_assert_eq(model->memory.nr_by_owner[VIEW_OWNER_UNUSED], RAM_PAGES);
}

/*
 * A note and the structures that it names: descriptors at 1 MiB, two zones of which the second goes beyond
 * RAM.
 */
static struct guest_note make_note(void)
{
    enum { POINTERS = 0x80000, ZONES = 0x81000, DESCRIPTORS = 0x100000, STRIDE = 32, ZONE_BYTES = 64 };
    const uint32_t offset = 0xC0000000;
    for (uint32_t pfn = 0; pfn < RAM_PAGES - 8; pfn++)
        put_u32(DESCRIPTORS + pfn * STRIDE, pfn < 512 ? GUEST_OWNER_KERNEL : GUEST_OWNER_FREE);
    put_u32(DESCRIPTORS + 600 * STRIDE, GUEST_OWNER_ANON);
    put_u32(POINTERS, offset + DESCRIPTORS);
    put_u32(POINTERS + 4, RAM_PAGES - 8);
    static const uint32_t zones[2][9] = {
        {0, 0, 1024, 1024, 1000, 511, 5, 6, 7},
        {0, 1024, 1u << 20, 1024, 1000, 999, 1, 2, 3},
    };
    for (uint32_t zone = 0; zone < 2; zone++)
        for (uint32_t word = 0; word < 9; word++)
            put_u32(ZONES + zone * ZONE_BYTES + word * 4, zones[zone][word]);
    return (struct guest_note){
        .version = 1,
        .table_bytes = sizeof(struct guest_note),
        .page_offset = offset,
        .page_bytes = PAGE_BYTES,
        .mem_map_addr = offset + POINTERS,
        .max_pfn_addr = offset + POINTERS + 4,
        .struct_page_bytes = STRIDE,
        .zones_addr = offset + ZONES,
        .nr_zones = 2,
        .struct_zone_bytes = ZONE_BYTES,
        .zone_start_pfn_offset = 4,
        .zone_spanned_offset = 8,
        .zone_present_offset = 12,
        .zone_managed_offset = 16,
        .zone_free_offset = 20,
        .zone_watermark_offset = 24,
    };
}

Test(view, with_a_note_frames_are_the_kernels_and_zones_are_cut_at_ram)
{
    const struct guest_kernel kernel = {.ram = &ram, .has_note = true, .note = make_note()};
    cr_assert(view_collect_memory(&model->memory, &ram, NULL, &kernel));
    const struct view_memory *memory = &model->memory;
    cr_assert(memory->is_from_note);
    cr_assert_eq(memory->owner[0], VIEW_OWNER_KERNEL);
    cr_assert_eq(memory->owner[600], VIEW_OWNER_ANON);
    cr_assert_eq(memory->owner[700], VIEW_OWNER_FREE);
    cr_assert_eq(memory->owner[RAM_PAGES - 1], VIEW_OWNER_RESERVED, "beyond the descriptors");
    cr_assert_eq(memory->nr_by_owner[VIEW_OWNER_KERNEL], 512);
    cr_assert_eq(memory->nr_zones, 2);
    cr_assert_eq(memory->zone[1].start, 1024);
    cr_assert_eq(memory->zone[1].nr_frames, RAM_PAGES - 1024);
    cr_assert_eq(memory->zone[1].guest.free_pages, 999);
}

Test(view, a_full_history_is_halved_and_keeps_its_totals)
{
    struct view_history history;
    view_history_init(&history);
    for (uint64_t i = 1; i <= 1000; i++)
        view_history_add(&history, &(struct view_sample){.cycle = i * 4096, .instructions = i});
    cr_assert_leq(history.nr_samples, VIEW_HISTORY_SAMPLES);
    cr_assert_geq(history.nr_samples, VIEW_HISTORY_SAMPLES / 2);
    cr_assert_eq(history.sample[history.nr_samples - 1].instructions, 1000);
    for (unsigned i = 1; i < history.nr_samples; i++)
        cr_assert_gt(history.sample[i].cycle, history.sample[i - 1].cycle);
    cr_assert_gt(history.next, 1000 * 4096);
    cr_assert_eq(history.distance_cycles % VIEW_HISTORY_FIRST_CYCLES, 0);
}

/* ---- A machine that is looked at ---- */

/* A core with small caches and TLBs, in a loop that stores over some pages. */
struct machine {
    struct cfg *cfg;
    struct ram ram;
    struct dram *dram;
    struct cache *l1i, *l1d, *l2;
    struct tlb *itlb, *dtlb, *l2_tlb;
    struct cpu *cpu;
};

static bool all_is_ram(void *opaque, struct paddr page)
{
    (void)opaque;
    return page.v < RAM_BYTES;
}

static struct segment flat(uint8_t type)
{
    return (struct segment){.selector = 8,
                            .is_usable = true,
                            .hidden = {.limit_bytes = UINT32_MAX,
                                       .type = type,
                                       .is_code_or_data = true,
                                       .is_present = true,
                                       .is_big = true,
                                       .is_granular = true}};
}

static void start(struct machine *machine)
{
    /* again: mov [ebx], eax; add ebx, 1090h; and ebx, 17fffch; inc eax; jmp again */
    static const uint8_t code[] = {0x89, 0x03, 0x81, 0xc3, 0x90, 0x10, 0x00, 0x00, 0x81,
                                   0xe3, 0xfc, 0xff, 0x17, 0x00, 0x40, 0xeb, 0xef};
    uint32_t identity = PTE_P | PTE_RW | PTE_PS;
    cr_assert(ram_write(&machine->ram, paddr(CODE), code, sizeof code));
    for (uint32_t page = 0; page < 1024; page++) {
        uint32_t entry = page << PAGE_SHIFT | PTE_P | PTE_RW;
        cr_assert(ram_write(&machine->ram, paddr(0x5000 + page * 4), &entry, sizeof entry));
    }
    uint32_t directory[] = {0x5000 | PTE_P | PTE_RW, 0x400000 | identity};
    cr_assert(ram_write(&machine->ram, paddr(0x4000), directory, sizeof directory));
    struct cpu_state state = {
        .rip = CODE, .rflags = 2, .cr0 = CR0_PE | CR0_PG, .cr3 = 0x4000, .cr4 = CR4_PSE};
    state.gpr[CPU_BX] = DATA;
    for (unsigned seg = 0; seg < DEC_NR_SEGS; seg++)
        state.segment[seg] = flat(SEGMENT_WRITABLE | SEGMENT_ACCESSED);
    state.segment[DEC_SEG_CS] = flat(SEGMENT_CODE | SEGMENT_READABLE | SEGMENT_ACCESSED);
    cpu_set_state(machine->cpu, &state);
}

static void machine_init(struct machine *machine)
{
    static const struct tlb_params l1_tlb = {
        2, {{8, 2, TLB_PAGE_4K, TLB_LRU, 1}, {2, 2, TLB_PAGES_LARGE, TLB_LRU, 1}}};
    static const struct tlb_params l2_tlb = {1, {{16, 4, TLB_PAGE_4K | TLB_PAGES_LARGE, TLB_LRU, 1}}};
    static const struct cache_params
        l1 = {.size_bytes = 1024, .nr_ways = 2, .line_bytes = 64, .latency_cycles = 3},
        l2 = {.size_bytes = 8192, .nr_ways = 4, .line_bytes = 64, .latency_cycles = 10};
    *machine = (struct machine){.cfg = cfg_create(), .dram = make_dram()};
    cr_assert(machine->cfg && ram_init(&machine->ram, RAM_BYTES));
    machine->l2 = cache_create(&l2, SERVED_BY_L2, NULL, machine->dram);
    machine->l1i = cache_create(&l1, SERVED_BY_L1, machine->l2, NULL);
    machine->l1d = cache_create(&l1, SERVED_BY_L1, machine->l2, NULL);
    machine->itlb = tlb_create(&l1_tlb);
    machine->dtlb = tlb_create(&l1_tlb);
    machine->l2_tlb = tlb_create(&l2_tlb);
    machine->cpu = cpu_create(&(struct cpu_params){.config = cfg_values(machine->cfg),
                                                   .ram = &machine->ram,
                                                   .itlb = machine->itlb,
                                                   .dtlb = machine->dtlb,
                                                   .l2_tlb = machine->l2_tlb,
                                                   .l1i = machine->l1i,
                                                   .l1d = machine->l1d,
                                                   .walk_cache = machine->l1d,
                                                   .is_ram = all_is_ram});
    cr_assert_not_null(machine->cpu);
    start(machine);
}

static void machine_fini(struct machine *machine)
{
    cpu_destroy(machine->cpu);
    tlb_destroy(machine->itlb);
    tlb_destroy(machine->dtlb);
    tlb_destroy(machine->l2_tlb);
    cache_destroy(machine->l1i);
    cache_destroy(machine->l1d);
    cache_destroy(machine->l2);
    dram_destroy(machine->dram);
    ram_fini(&machine->ram);
    cfg_destroy(machine->cfg);
}

static struct view_source source_of(const struct machine *machine)
{
    return (struct view_source){
        .image_name = "some/folder/image.elf",
        .config_name = "tiny.json",
        .cpu = machine->cpu,
        .ram = &machine->ram,
        .itlb = machine->itlb,
        .dtlb = machine->dtlb,
        .l2_tlb = machine->l2_tlb,
        .l1i = machine->l1i,
        .l1d = machine->l1d,
        .l2 = machine->l2,
        .dram = machine->dram,
        .clock_hz = 1000000000,
    };
}

Test(view, looking_changes_nothing)
{
    struct machine seen, unseen;
    struct view_history history;
    machine_init(&seen);
    machine_init(&unseen);
    view_history_init(&history);
    struct view_source source = source_of(&seen);
    source.history = &history;
    for (cycle_t cycle = 500; cycle <= 100000; cycle += 500) {
        cpu_run(seen.cpu, cycle);
        cpu_run(unseen.cpu, cycle);
        view_history_update(&history, &source);
        cr_assert(view_collect(model, &source, 0));
        cr_assert_eq(cpu_now(seen.cpu), cpu_now(unseen.cpu));
    }
    cpu_settle(unseen.cpu);
    cr_assert_gt(model->cpu.stats.instructions, 1000);
    cr_assert_gt(model->cpu.nr_walks_seen, 10);
    cr_assert_arr_eq(cpu_stats(seen.cpu), cpu_stats(unseen.cpu), sizeof(struct cpu_stats));
    cr_assert_arr_eq(tlb_stats(seen.dtlb), tlb_stats(unseen.dtlb), sizeof(struct tlb_stats));
    cr_assert_arr_eq(cache_stats(seen.l1d), cache_stats(unseen.l1d), sizeof(struct cache_stats));
    cr_assert_arr_eq(dram_stats(seen.dram), dram_stats(unseen.dram), sizeof(struct dram_stats));
    cr_assert_arr_eq(seen.ram.host, unseen.ram.host, RAM_BYTES);
    machine_fini(&seen);
    machine_fini(&unseen);
}

Test(view, the_numbers_are_the_machines)
{
    struct machine machine;
    machine_init(&machine);
    cpu_run(machine.cpu, 50000);
    struct view_source source = source_of(&machine);
    cr_assert(view_collect(model, &source, 0));
    cr_assert_str_eq(model->image_name, "image.elf");
    cr_assert_eq(model->cpu.now, cpu_now(machine.cpu));
    cr_assert_eq(model->cpu.cpl, 0);
    cycle_t sum = 0;
    for (unsigned reason = 0; reason < NR_REASONS; reason++)
        sum += model->cpu.cpi_stack[reason];
    cr_assert_eq(sum, model->cpu.now);
    cr_assert_eq(model->cpu.walk.nr_steps, 2);
    cr_assert_eq(model->cpu.walk.step[0].value & ~(uint64_t)PAGE_MASK, 0x5000);
    cr_assert_eq(model->memory.owner[5], VIEW_OWNER_PAGE_TABLE);
    cr_assert_eq(model->memory.owner[CODE / PAGE_BYTES], VIEW_OWNER_MAPPED_KERNEL);
    for (unsigned i = 0; i < NR_VIEW_TLBS; i++)
        cr_assert_eq(model->tlb[i].stats.accesses, model->tlb[i].stats.hits + model->tlb[i].stats.misses);
    cr_assert_eq(model->tlb[VIEW_L2_TLB].array[0].nr_valid, 16);
    cr_assert_gt(model->cache[VIEW_L1D].nr_dirty, 0);
    machine_fini(&machine);
}

static void put_u64(uint64_t at, uint64_t value)
{
    cr_assert(ram_write(&ram, paddr(at), &value, sizeof value));
}

/*
 * Tables at 1000h, 2000h and so on, of a kind of paging; what the window makes of frames that hold something.
 */
static void collect_long(uint64_t cr4, uint64_t efer, const uint64_t *pdpte)
{
    static struct mmu mmu;
    struct view_source source = {.ram = &ram};
    mmu.mode = (struct paging_mode){.cr0 = CR0_PE | CR0_PG,
                                    .cr3 = 0x1000,
                                    .cr4 = CR4_PAE | cr4,
                                    .efer = efer,
                                    .physical_bits = 40,
                                    .has_1gib_pages = true};
    if (pdpte)
        memcpy(mmu.mode.pdpte, pdpte, sizeof mmu.mode.pdpte);
    cr_assert(view_collect(model, &source, 0));
    cr_assert(view_collect_memory(&model->memory, &ram, &mmu, NULL));
}

Test(view, frames_mapped_by_8_byte_entries_are_found_through_all_levels)
{
    for (uint64_t page = 0x100; page < 0x200; page++)
        put_u64(page << PAGE_SHIFT, 1);
    put_u64(0x1000, 0x2007);
    put_u64(0x1ff8, 0x1003); /* leads to itself, as kernels like it */
    put_u64(0x2000, 0x3007);
    put_u64(0x2008, 0xc0000083); /* 1 GiB, beyond RAM */
    put_u64(0x3000, 0x4007);
    put_u64(0x3008, 0x200083 | PTE_XD);
    put_u64(0x4000, 0x100007);
    put_u64(0x4008, 0x101003 | PTE_XD);
    put_u64(0x200000, 1);
    collect_long(0, EFER_LME | EFER_LMA, NULL);
    const uint8_t *owner = model->memory.owner;
    for (unsigned pfn = 1; pfn <= 4; pfn++)
        cr_assert_eq(owner[pfn], VIEW_OWNER_PAGE_TABLE, "frame %u", pfn);
    cr_assert_eq(owner[0x100], VIEW_OWNER_MAPPED_USER);
    cr_assert_eq(owner[0x101], VIEW_OWNER_MAPPED_KERNEL);
    cr_assert_eq(owner[0x102], VIEW_OWNER_TOUCHED, "mapped by nobody");
    cr_assert_eq(owner[0x200], VIEW_OWNER_MAPPED_KERNEL, "a page of 2 MiB");

    /* The same tables from the third level down, by PAE: entries name the user, so all are his. */
    collect_long(0, 0, (const uint64_t[]){0, 0x3001, 0, 0});
    cr_assert_eq(model->memory.owner[3], VIEW_OWNER_PAGE_TABLE);
    cr_assert_eq(model->memory.owner[0x100], VIEW_OWNER_MAPPED_USER);
    cr_assert_eq(model->memory.owner[0x200], VIEW_OWNER_MAPPED_KERNEL);
}

Test(view, tables_that_lead_to_themselves_everywhere_end)
{
    for (unsigned i = 0; i < 512; i++)
        put_u64(0x1000 + i * 8, 0x1007);
    collect_long(CR4_LA57, EFER_LME | EFER_LMA, NULL);
    cr_assert_eq(model->memory.owner[1], VIEW_OWNER_PAGE_TABLE);
}

/* ---- The picture ---- */

struct picture {
    png_image header;
    uint8_t *pixels;
    unsigned nr_colours; /* counted up to 4096 */
};

static struct picture read_picture(const char *name)
{
    struct picture picture = {.header = {.version = PNG_IMAGE_VERSION}};
    cr_assert(png_image_begin_read_from_file(&picture.header, name), "%s", picture.header.message);
    picture.header.format = PNG_FORMAT_RGB;
    picture.pixels = malloc(PNG_IMAGE_SIZE(picture.header));
    cr_assert(png_image_finish_read(&picture.header, NULL, picture.pixels, 0, NULL));
    static uint8_t seen[1 << 12];
    memset(seen, 0, sizeof seen);
    for (size_t i = 0; i < PNG_IMAGE_SIZE(picture.header); i += 3) {
        uint8_t *flag = &seen[(picture.pixels[i] >> 4) << 8 | (picture.pixels[i + 1] >> 4) << 4 |
                              picture.pixels[i + 2] >> 4];
        picture.nr_colours += !*flag;
        *flag = 1;
    }
    return picture;
}

static uint8_t *read_all(const char *name, size_t *nr_bytes)
{
    FILE *from = fopen(name, "rb");
    struct stat status;
    cr_assert(from && fstat(fileno(from), &status) == 0, "%s", name);
    *nr_bytes = (size_t)status.st_size;
    uint8_t *bytes = malloc(*nr_bytes);
    cr_assert(bytes && fread(bytes, 1, *nr_bytes, from) == *nr_bytes, "%s", name);
    fclose(from);
    return bytes;
}

static void assert_same_files(const char *one, const char *two)
{
    size_t nr_of_one, nr_of_two;
    uint8_t *a = read_all(one, &nr_of_one), *b = read_all(two, &nr_of_two);
    cr_assert_eq(nr_of_one, nr_of_two);
    cr_assert_eq(memcmp(a, b, nr_of_one), 0);
    free(a);
    free(b);
}

Test(view, screenshot_needs_no_display_and_is_the_same_each_time)
{
    struct machine machine;
    machine_init(&machine);
    cpu_run(machine.cpu, 50000);
    struct view_source source = source_of(&machine);
    cr_assert(view_screenshot(&source, &VIEW_UI_START, &VIEW_SIZE_START, file, &diag));
    cr_assert(view_screenshot(&source, &VIEW_UI_START, &VIEW_SIZE_START, other_file, &diag));
    cr_assert_eq(diag.nr_lines, 0);
    struct picture picture = read_picture(file);
    cr_assert_eq(picture.header.width, 1280);
    cr_assert_eq(picture.header.height, 720);
    cr_assert_gt(picture.nr_colours, 40, "%u", picture.nr_colours);
    free(picture.pixels);
    assert_same_files(file, other_file);
    machine_fini(&machine);
}

/* The line at the bottom, as far as what is pointed at is said there. */
static bool has_other_line(const struct canvas *one, const struct canvas *other)
{
    enum { TOP = 700, BOTTOM = 718, WIDTH = 400 };
    const SDL_Surface *a = canvas_surface(one), *b = canvas_surface(other);
    for (int y = TOP; y < BOTTOM; y++)
        if (memcmp((uint8_t *)a->pixels + y * a->pitch, (uint8_t *)b->pixels + y * b->pitch, WIDTH * 4) != 0)
            return true;
    return false;
}

Test(view, everything_says_what_it_is)
{
    /* A row of points for each panel that has to say something, and for the title. */
    static const struct {
        int x, y, step_x, step_y;
        enum view_middle middle;
    } rows[] = {
        {200, 14, 40, 0, VIEW_MIDDLE_COUNTERS},  {112, 64, 3, 0, VIEW_MIDDLE_COUNTERS},
        {30, 410, 20, 0, VIEW_MIDDLE_COUNTERS},  {548, 64, 20, 0, VIEW_MIDDLE_COUNTERS},
        {560, 250, 20, 0, VIEW_MIDDLE_COUNTERS}, {560, 350, 20, 0, VIEW_MIDDLE_COUNTERS},
        {620, 220, 5, 0, VIEW_MIDDLE_SPACE},     {560, 350, 0, -4, VIEW_MIDDLE_DMA},
        {944, 80, 3, 0, VIEW_MIDDLE_COUNTERS},   {944, 240, 3, 0, VIEW_MIDDLE_COUNTERS},
        {20, 500, 10, 0, VIEW_MIDDLE_COUNTERS},  {600, 560, 10, 0, VIEW_MIDDLE_COUNTERS},
    };
    struct machine machine;
    machine_init(&machine);
    struct view_history history;
    view_history_init(&history);
    struct view_source source = source_of(&machine);
    source.history = &history;
    source.console = console_create(&(struct console_params){80, VIEW_CONSOLE_ROWS, 10});
    for (cycle_t end = 10000; end <= 50000; end += 10000) {
        cpu_run(machine.cpu, end);
        view_history_update(&history, &source);
    }
    struct canvas *plain = canvas_create(1280, 720, 1, &diag), *pointed = canvas_create(1280, 720, 1, &diag);
    cr_assert(plain && pointed && view_collect(model, &source, 0));
    model->dma.is_there = true;
    view_draw(plain, model, &VIEW_UI_START);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct view_ui ui = VIEW_UI_START;
        bool is_said = false;
        ui.middle = rows[i].middle;
        for (int n = 0; n < 8 && !is_said; n++) {
            ui.pointer =
                (struct view_pointer){rows[i].x + n * rows[i].step_x, rows[i].y + n * rows[i].step_y};
            view_draw(pointed, model, &ui);
            is_said = has_other_line(plain, pointed);
        }
        cr_assert(is_said, "nothing is said of what lies from %d, %d on, middle %d", rows[i].x, rows[i].y,
                  rows[i].middle);
    }
    canvas_destroy(plain);
    canvas_destroy(pointed);
    console_destroy((struct console *)source.console);
    machine_fini(&machine);
}

Test(view, nothing_but_ram_is_a_picture_too)
{
    struct view_source source = {.ram = &ram};
    cr_assert(view_screenshot(&source, &VIEW_UI_START, &VIEW_SIZE_START, file, &diag));
    struct picture picture = read_picture(file);
    cr_assert_gt(picture.nr_colours, 10);
    free(picture.pixels);
}

Test(view, a_functional_machine_has_a_picture)
{
    struct machine machine = {.cfg = cfg_create()};
    cr_assert(machine.cfg && cfg_set(machine.cfg, "cpu.model=functional", &diag) &&
              ram_init(&machine.ram, RAM_BYTES));
    machine.cpu = cpu_create(
        &(struct cpu_params){.config = cfg_values(machine.cfg), .ram = &machine.ram, .is_ram = all_is_ram});
    start(&machine);
    cpu_run(machine.cpu, 5000);
    struct view_source source = source_of(&machine);
    cr_assert(view_screenshot(&source, &VIEW_UI_START, &VIEW_SIZE_START, file, &diag));
    cr_assert(view_collect(model, &source, 0));
    cr_assert_not(model->cpu.is_timed);
    cr_assert_not(model->tlb[VIEW_DTLB].is_there);
    cr_assert_not(model->has_dram);
    cpu_destroy(machine.cpu);
    ram_fini(&machine.ram);
    cfg_destroy(machine.cfg);
}

Test(view, large_pictures_are_large)
{
    struct view_source source = {.ram = &ram};
    cr_assert(view_collect(model, &source, 0));
    cr_assert(view_write_png(model, &VIEW_UI_START, &(struct view_size){2560, 1440, 0}, file, &diag));
    struct picture picture = read_picture(file);
    cr_assert_eq(picture.header.width, 2560);
    cr_assert_eq(picture.header.height, 1440);
    free(picture.pixels);
}

Test(view, walks_of_all_kinds_and_lengths_are_drawn)
{
    struct view_source source = {.ram = &ram};
    cr_assert(view_collect(model, &source, 0));
    model->cpu.is_there = model->cpu.is_timed = true;
    model->cpu.nr_walks_seen = 1;
    for (enum paging_kind kind = PAGING_TWO_LEVEL; kind <= PAGING_FIVE_LEVEL; kind++) {
        unsigned nr_levels = paging_nr_levels(kind);
        for (unsigned n = 0; n < nr_levels * (nr_levels + 1); n++) {
            unsigned first_level = n / (nr_levels + 1), end = n % (nr_levels + 1);
            bool has_no_step = end == first_level;
            if (end < first_level || (has_no_step && (kind != PAGING_PAE || first_level)))
                continue;
            struct walk *walk = &model->cpu.walk;
            *walk = (struct walk){.linear = laddr(0xfffffffff0123456),
                                  .kind = kind,
                                  .first_level = first_level,
                                  .nr_steps = end - first_level};
            walk->is_fault = end != nr_levels && (has_no_step || !paging_level(kind, end - 1)->large);
            for (unsigned i = 0; i < walk->nr_steps; i++)
                walk->step[i] = (struct walk_step){
                    .value = 0x80000012345670e3, .index = 511, .served_by = i % NR_SERVED_BY};
            cr_assert(view_write_png(model, &VIEW_UI_START, &VIEW_SIZE_START, file, &diag));
        }
    }
}

Test(view, odd_shapes_are_drawn)
{
    static const struct tlb_array_params arrays[] = {
        {1, 1, TLB_PAGE_4K, TLB_LRU, 1},       {7, 7, TLB_PAGE_4K, TLB_LRU, 1},
        {4096, 4096, TLB_PAGE_4K, TLB_LRU, 1}, {65536, 65536, TLB_PAGE_4K, TLB_LRU, 1},
        {4096, 1, TLB_PAGE_4K, TLB_LRU, 1},    {65536, 16, TLB_PAGE_4K, TLB_LRU, 1},
        {21, 7, TLB_PAGE_4K, TLB_LRU, 1},
    };
    struct view_source source = {.ram = &ram};
    cr_assert(view_collect(model, &source, 0));
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        struct tlb *tlb = tlb_create(&(struct tlb_params){2, {arrays[i], arrays[i]}});
        for (unsigned j = 0; j < NR_VIEW_TLBS; j++)
            view_collect_tlb(&model->tlb[j], tlb);
        cr_assert(view_write_png(model, &VIEW_UI_START, &VIEW_SIZE_START, file, &diag));
        tlb_destroy(tlb);
    }
}

Test(view, hostile_zones_and_consoles_are_drawn)
{
    struct guest_note note = make_note();
    struct view_source source = {.ram = &ram, .note = &note, .note_bytes = sizeof note};
    source.console = console_create(&(struct console_params){CONSOLE_MAX_COLUMNS, VIEW_CONSOLE_ROWS, 10});
    for (int i = 0; i < 20000; i++)
        console_put((struct console *)source.console, (uint8_t)(' ' + i % 95));
    for (uint32_t word = 1; word < 9; word++)
        put_u32(0x81000 + word * 4, word == 1 ? 0 : UINT32_MAX);
    cr_assert(view_collect(model, &source, 0));
    cr_assert(view_write_png(model, &VIEW_UI_START, &VIEW_SIZE_START, file, &diag));
    note.nr_zones = UINT32_MAX;
    note.struct_zone_bytes = 0;
    cr_assert(view_collect(model, &source, 0));
    cr_assert_eq(model->memory.nr_zones, GUEST_MAX_ZONES);
    cr_assert(view_write_png(model, &VIEW_UI_START, &VIEW_SIZE_START, file, &diag));
    console_destroy((struct console *)source.console);
}

Test(view, a_file_that_cannot_be_written_is_one_line)
{
    struct view_source source = {.ram = &ram};
    char nowhere[80];
    snprintf(nowhere, sizeof nowhere, "%s/no/such/folder.png", folder);
    cr_assert_not(view_screenshot(&source, &VIEW_UI_START, &VIEW_SIZE_START, nowhere, &diag));
    cr_assert_eq(diag.nr_lines, 1);
    cr_assert_eq(diag.status, EXIT_STATUS_NO_OUTPUT);
    cr_assert_not_null(strstr(diag.lines[0], nowhere));
}

Test(view, no_display_is_one_line)
{
    setenv("SDL_VIDEODRIVER", "x11", 1);
    cr_assert_null(view_create(
        &(struct view_params){.title = "test", .size = VIEW_SIZE_START, .choices = VIEW_UI_START}, &diag));
    cr_assert_eq(diag.nr_lines, 1);
    cr_assert_eq(diag.status, EXIT_STATUS_INTERNAL);
}

Test(view, the_window_draws_and_takes_keys)
{
    setenv("SDL_VIDEODRIVER", "dummy", 1);
    struct view *view = view_create(
        &(struct view_params){.title = "test", .size = VIEW_SIZE_START, .choices = VIEW_UI_START}, &diag);
    cr_assert_not_null(view);
    struct view_source source = {.ram = &ram, .is_paused = true};
    for (int i = 0; i < 3; i++)
        cr_assert_eq(view_frame(view, &source), VIEW_NOTHING);
    view_destroy(view);
}
