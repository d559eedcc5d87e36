/*
 * The picture of a machine that runs the bundled kernel: the colours of its frames are those of the
 * kernel's own page descriptors, which this test reads by itself, by the names in the kernel's symbol
 * table.
 */
#include "sim/base/event.h"
#include "sim/machine.h"
#include "sim/observe/view_draw.h"
#include "sim/observe/view_heat.h"
#include "tests/unit/booted_guest.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PAGE_OFFSET = 0xc0000000,
    STRUCT_PAGE_BYTES = 32,
    OWNER_AT = 4, /* the byte of struct page, guest/include/mm.h */
    OWNER_FREE = 1,
    NR_OWNERS = 9,
    PANEL_HEIGHT = 444,
};

/* Physical address of a variable of the kernel. */
static uint64_t variable(const char *name)
{
    int fd = open(kernel_image(), O_RDONLY);
    cr_assert_geq(fd, 0, "%s", kernel_image());
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
    uint64_t found = 0;
    GElf_Shdr header;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section)) != NULL;) {
        Elf_Data *data = elf_getdata(section, NULL);
        GElf_Sym symbol;
        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB)
            continue;
        for (int i = 0; gelf_getsym(data, i, &symbol); i++)
            if (strcmp(elf_strptr(elf, header.sh_link, symbol.st_name), name) == 0)
                found = symbol.st_value;
    }
    elf_end(elf);
    close(fd);
    cr_assert_gt(found, (uint64_t)PAGE_OFFSET, "no %s", name);
    return found - PAGE_OFFSET;
}

static uint32_t word(const struct ram *ram, uint64_t at)
{
    uint32_t value = 0;
    cr_assert(ram_read(ram, paddr(at), &value, sizeof value));
    return value;
}

static uint32_t colour_at(struct canvas *canvas, int x, int y)
{
    SDL_Surface *surface = canvas_surface(canvas);
    uint32_t pixel;
    uint8_t r, g, b;
    memcpy(&pixel, (const uint8_t *)surface->pixels + y * surface->pitch + x * 4, sizeof pixel);
    SDL_GetRGB(pixel, surface->format, &r, &g, &b);
    return (uint32_t)r << 16 | (uint32_t)g << 8 | b;
}

static const uint32_t colours[] = {
#define OWNER(id, name, colour) colour,
#include "sim/observe/view_owners.def"
#undef OWNER
};

static struct view_source source_of(const struct booted_guest *guest)
{
    struct machine_parts parts = machine_parts(guest->machine);
    return (struct view_source){.cpu = parts.cpu,
                                .ram = parts.ram,
                                .dtlb = parts.dtlb,
                                .l1d = parts.l1d,
                                .l2 = parts.l2,
                                .dram = parts.dram,
                                .note = parts.note,
                                .note_bytes = parts.note_bytes};
}

/* ---- Where the picture shows which frames ---- */

/* The cells of a zone: a grid, found by pointing at its first cells. */
struct map {
    double x, y, w, h, pitch_x, pitch_y;
    unsigned nr_columns;
    uint64_t first, per_cell, end;
};
enum { MAX_MAPS = 4, FIRST_CELLS_X = 110 };

static struct view_picked pick_at(struct canvas *canvas, const struct view_model *model, double x, double y)
{
    struct view_ui ui = VIEW_UI_START;
    ui.pointer = (struct view_pointer){x, y};
    return view_pick(canvas, model, &ui);
}

static bool is_in_map(const struct map *map, unsigned nr, uint64_t frame)
{
    for (unsigned i = 0; i < nr; i++)
        if (frame >= map[i].first && frame < map[i].end)
            return true;
    return false;
}

static struct map measure(struct canvas *canvas, const struct view_model *model, struct view_picked first)
{
    struct map map = {first.x, first.y, first.w, first.h, 0, 0, 1, first.first_frame, first.nr_frames, 0};
    for (unsigned i = 0; i < model->memory.nr_zones; i++)
        if (model->memory.zone[i].start == map.first)
            map.end = map.first + model->memory.zone[i].nr_frames;
    struct view_picked next;
    map.pitch_x = pick_at(canvas, model, map.x + map.w + 2, map.y + 1).x - map.x;
    map.pitch_y = pick_at(canvas, model, map.x + 1, map.y + map.h + 2).y - map.y;
    cr_assert(map.pitch_x > 3 && map.pitch_y > 3 && map.end > map.first);
    while (next = pick_at(canvas, model, map.x + map.nr_columns * map.pitch_x + 1, map.y + 1),
           next.nr_frames == map.per_cell && next.first_frame == map.first + map.nr_columns * map.per_cell)
        map.nr_columns++;
    return map;
}

static unsigned find_maps(struct canvas *canvas, const struct view_model *model, struct map map[MAX_MAPS])
{
    unsigned nr = 0;
    for (int y = 40; y < PANEL_HEIGHT && nr < MAX_MAPS; y += 4) {
        struct view_picked cell = pick_at(canvas, model, FIRST_CELLS_X, y);
        if (!cell.nr_frames || is_in_map(map, nr, cell.first_frame))
            continue;
        map[nr] = measure(canvas, model, cell);
        nr++;
    }
    cr_assert_eq(nr, model->memory.nr_zones);
    return nr;
}

/* The colour at the bottom of a cell, where its frames in use are. */
static uint32_t colour_of_cell(struct canvas *canvas, const struct map *map, uint64_t cell)
{
    uint64_t column = cell % map->nr_columns, row = cell / map->nr_columns;
    double x = map->x + (double)column * map->pitch_x, y = map->y + (double)row * map->pitch_y;
    return colour_at(canvas, (int)(x + map->w / 2), (int)(y + map->h) - 1);
}

/* ---- What must be there, by the guest's own page descriptors ---- */

enum { FLAGS_AT = 0, ORDER_AT = 5, FIRST_OF_FREE_BLOCK = 2, LARGEST_ORDER = 10 };

static unsigned descriptor_byte(const struct ram *ram, uint64_t mem_map, uint64_t pfn, unsigned at)
{
    uint8_t value = 0;
    cr_assert(ram_read(ram, paddr(mem_map + pfn * STRUCT_PAGE_BYTES + at), &value, 1));
    return value;
}

static uint8_t *read_owners(const struct ram *ram, uint64_t mem_map, uint64_t nr_frames)
{
    uint8_t *owner = calloc(nr_frames, 1);
    for (uint64_t pfn = 0; pfn < nr_frames; pfn++) {
        owner[pfn] = (uint8_t)descriptor_byte(ram, mem_map, pfn, OWNER_AT);
        cr_assert_lt(owner[pfn], NR_OWNERS);
    }
    return owner;
}

static uint8_t *read_free_orders(const struct ram *ram, uint64_t mem_map, uint64_t nr_frames)
{
    uint8_t *order = calloc(nr_frames, 1);
    for (uint64_t pfn = 0; pfn < nr_frames; pfn++) {
        if (!(word(ram, mem_map + pfn * STRUCT_PAGE_BYTES + FLAGS_AT) & FIRST_OF_FREE_BLOCK))
            continue;
        unsigned of_block = descriptor_byte(ram, mem_map, pfn, ORDER_AT);
        for (uint64_t i = 0; i < 1u << of_block; i++)
            order[pfn + i] = (uint8_t)of_block;
    }
    return order;
}

/* Free frames are the lighter the smaller their blocks are: a third of the way to grey at most. */
static uint32_t free_shade(const uint8_t *order, uint64_t first, uint64_t nr_frames)
{
    unsigned sum = 0;
    for (uint64_t pfn = first; pfn < first + nr_frames; pfn++)
        sum += order[pfn];
    unsigned grey = 34 * (100 - sum * 100 / ((unsigned)nr_frames * LARGEST_ORDER)) / 100;
    uint32_t mixed = 0;
    for (unsigned shift = 0; shift < 24; shift += 8)
        mixed |= ((0x93a0adu >> shift & 0xff) * grey + (0x1f2b37u >> shift & 0xff) * (100 - grey)) / 100
                 << shift;
    return mixed;
}

Test(view_machine, colours_are_those_of_the_page_descriptors)
{
    struct booted_guest guest;
    boot_guest(&guest, "machine.ram=64MiB", NULL, "quiet cma=4M init=touch touch.mib=8", 45000000);
    struct view_source source = source_of(&guest);
    struct view_model *model = view_model_create();
    struct canvas *canvas = canvas_create(1280, 720, 1, &guest.diag),
                  *scratch = canvas_create(1280, 720, 1, &guest.diag);
    cr_assert(model && canvas && scratch && view_collect(model, &source, 0));
    const struct ram *ram = source.ram;
    uint64_t mem_map = word(ram, variable("mem_map")) - (uint64_t)PAGE_OFFSET,
             nr_frames = ram->size_bytes / PAGE_BYTES, nr_seen = 0;
    uint8_t *owner = read_owners(ram, mem_map, nr_frames), *order = read_free_orders(ram, mem_map, nr_frames);
    bool has_owner[NR_OWNERS] = {false};
    struct map map[MAX_MAPS];
    view_draw(canvas, model, &VIEW_UI_START);
    unsigned nr_maps = find_maps(scratch, model, map);
    for (unsigned m = 0; m < nr_maps; m++) {
        for (uint64_t at = map[m].first, cell = 0; at < map[m].end; at += map[m].per_cell, cell++) {
            uint64_t nr = map[m].end - at < map[m].per_cell ? map[m].end - at : map[m].per_cell;
            unsigned nr_of[NR_OWNERS] = {0}, most = 0;
            for (uint64_t pfn = at; pfn < at + nr; pfn++)
                nr_of[owner[pfn]] += owner[pfn] != OWNER_FREE;
            for (unsigned i = 0; i < NR_OWNERS; i++)
                most = nr_of[i] > nr_of[most] ? i : most;
            uint32_t expected = nr_of[most] ? colours[most] : free_shade(order, at, nr);
            uint32_t colour = colour_of_cell(canvas, &map[m], cell);
            cr_assert_eq(colour, expected, "frames %lu and %lu more are %06x, not %06x of owner %u",
                         (unsigned long)at, (unsigned long)nr - 1, colour, expected,
                         nr_of[most] ? most : OWNER_FREE);
            has_owner[nr_of[most] ? most : OWNER_FREE] = true;
            nr_seen += nr;
        }
    }
    uint64_t nr_in_zones = 0;
    for (unsigned i = 0; i < model->memory.nr_zones; i++)
        nr_in_zones += model->memory.zone[i].nr_frames;
    cr_assert(nr_seen == nr_in_zones && nr_seen > nr_frames - 100);
    for (unsigned i = 0; i < NR_OWNERS - 2; i++) /* nothing is lent by CMA, and no device holds anything */
        cr_assert(has_owner[i], "no cell shows owner %u", i);
    free(owner);
    free(order);
    canvas_destroy(canvas);
    canvas_destroy(scratch);
    view_model_destroy(model);
    end_guest(&guest);
}

/* ---- Heat ---- */

/* Lines of a frame that caches hold, each asked by itself. */
static unsigned nr_held(const struct machine_parts *parts, uint64_t pfn)
{
    const struct cache *const caches[] = {parts->l1i, parts->l1d, parts->l2, parts->l3};
    unsigned nr = 0;
    for (unsigned i = 0; i < sizeof caches / sizeof *caches; i++)
        for (uint64_t at = 0; caches[i] && at < PAGE_BYTES; at += 1u << cache_front(caches[i])->line_shift)
            nr += cache_contains(caches[i], paddr(pfn * PAGE_BYTES + at));
    return nr;
}

Test(view_machine, heat_is_what_caches_hold_and_took_in_lately)
{
    enum { BEGIN = 40000000, NR_CYCLES = 700000, HOT_LINES = 64, HOT = 0xf0e442 };
    struct booted_guest guest;
    struct view_heat heat;
    boot_guest(&guest, "machine.ram=64MiB", NULL, "quiet init=touch touch.mib=8", BEGIN);
    struct machine_parts parts = machine_parts(guest.machine);
    uint64_t nr_frames = parts.ram->size_bytes / PAGE_BYTES, nr_counted = 0;
    cr_assert(view_heat_init(&heat, nr_frames, BEGIN));
    machine_count_fills(guest.machine, heat.nr_lines, nr_frames);
    uint64_t nr_fills = cache_stats(parts.l1i)->fills + cache_stats(parts.l1d)->fills;
    cr_assert_eq(machine_run(guest.machine, BEGIN + NR_CYCLES), MACHINE_RUNNING);
    nr_fills = cache_stats(parts.l1i)->fills + cache_stats(parts.l1d)->fills - nr_fills;
    for (uint64_t pfn = 0; pfn < nr_frames; pfn++)
        nr_counted += heat.nr_lines[pfn];
    cr_assert(nr_counted == nr_fills && nr_fills > 1000, "%lu of %lu", (unsigned long)nr_counted,
              (unsigned long)nr_fills);

    struct view_source source = source_of(&guest);
    source.l1i = parts.l1i;
    source.l3 = parts.l3;
    source.heat = &heat;
    struct view_model *model = view_model_create();
    struct canvas *canvas = canvas_create(1280, 720, 1, &guest.diag),
                  *scratch = canvas_create(1280, 720, 1, &guest.diag);
    struct view_ui ui = VIEW_UI_START;
    struct map map[MAX_MAPS];
    cr_assert(model && canvas && scratch && view_collect(model, &source, 0));
    for (uint64_t pfn = 0; pfn < nr_frames; pfn++) {
        unsigned expected = nr_held(&parts, pfn) + heat.nr_lines[pfn];
        cr_assert_eq(model->heat[pfn], expected < UINT8_MAX ? expected : UINT8_MAX);
    }
    unsigned nr_maps = find_maps(scratch, model, map), nr_hot = 0, nr_cold = 0;
    ui.colouring = VIEW_BY_HEAT;
    view_draw(canvas, model, &ui);
    for (unsigned m = 0; m < nr_maps; m++) {
        for (uint64_t at = map[m].first, cell = 0; at < map[m].end; at += map[m].per_cell, cell++) {
            unsigned nr_lines = 0;
            for (uint64_t pfn = at; pfn < at + map[m].per_cell && pfn < map[m].end; pfn++)
                nr_lines += model->heat[pfn];
            bool is_hot = colour_of_cell(canvas, &map[m], cell) == HOT;
            cr_assert_eq(is_hot, nr_lines >= HOT_LINES, "frames from %lu on: %u lines", (unsigned long)at,
                         nr_lines);
            nr_hot += is_hot;
            nr_cold += nr_lines == 0;
        }
    }
    cr_assert(nr_hot > 10 && nr_cold > 10, "%u hot, %u cold", nr_hot, nr_cold);

    /* It cools by halves, at multiples of the half-life, however often it is asked to. */
    static const cycle_t after[] = {999999, 1000000, 1000001, 2000000, 4000000};
    uint16_t *before = malloc(nr_frames * sizeof *before);
    cr_assert_not_null(before);
    memcpy(before, heat.nr_lines, nr_frames * sizeof *before);
    for (unsigned i = 0; i < sizeof after / sizeof *after; i++) {
        view_heat_cool(&heat, BEGIN + after[i]);
        for (uint64_t pfn = 0; pfn < nr_frames; pfn++)
            cr_assert_eq(heat.nr_lines[pfn], before[pfn] >> after[i] / VIEW_HEAT_HALF_LIFE_CYCLES);
    }
    view_heat_cool(&heat, UINT64_MAX);
    for (uint64_t pfn = 0; pfn < nr_frames; pfn++)
        cr_assert_eq(heat.nr_lines[pfn], 0);

    free(before);
    canvas_destroy(canvas);
    canvas_destroy(scratch);
    view_model_destroy(model);
    view_heat_fini(&heat);
    end_guest(&guest);
}

/* ---- TLB entries ---- */

enum { PTE_PRESENT = 1, PTE_DIRTY = 1 << 6, MAX_SHOWN = 512 };

/* The entry that maps a page, as the guest's tables have it; 0: none, or a page of 4 MiB. */
static uint32_t pte_of(const struct ram *ram, uint64_t cr3, uint32_t linear)
{
    uint32_t pde = word(ram, (cr3 & ~(uint64_t)PAGE_MASK) + (linear >> 22) * 4);
    if ((pde & (PTE_PRESENT | 1u << 7)) != PTE_PRESENT)
        return 0;
    return word(ram, (pde & ~(uint32_t)PAGE_MASK) + (linear >> 12) % 1024 * 4);
}

/* Where the window shows an entry for a page. */
struct shown_entry {
    uint32_t linear;
    int left, top, right, bottom;
};

static unsigned find_entries(struct canvas *canvas, const struct view_model *model,
                             struct shown_entry entry[MAX_SHOWN])
{
    enum {
        LEFT = 940,
        RIGHT = 1215,
        TOP = 112,
        BOTTOM = 142,
        STEP = 2
    }; /* the DTLB, without its large pages */
    unsigned nr = 0;
    for (int y = TOP; y < BOTTOM; y += STEP)
        for (int x = LEFT; x < RIGHT; x += STEP) {
            struct view_picked picked = pick_at(canvas, model, x, y);
            unsigned i = 0;
            while (i < nr && entry[i].linear != picked.linear)
                i++;
            if (!picked.has_linear || i == MAX_SHOWN)
                continue;
            if (i == nr)
                entry[nr++] = (struct shown_entry){(uint32_t)picked.linear, x, y, x, y};
            entry[i].right = x > entry[i].right ? x : entry[i].right;
            entry[i].bottom = y;
        }
    return nr;
}

Test(view_machine, tlb_entries_have_the_colours_of_the_frames_that_the_tables_name)
{
    enum { PANEL = 0x141a21, STRONG = 0xffffff, CLEAN_PERCENT = 75, DIRTY_PERCENT = 68 };
    static struct shown_entry entry[MAX_SHOWN];
    struct booted_guest guest;
    boot_guest(&guest, "machine.ram=64MiB", NULL, "quiet init=touch touch.mib=8", 42000000);
    struct view_source source = source_of(&guest);
    struct view_model *model = view_model_create();
    struct canvas *canvas = canvas_create(1280, 720, 1, &guest.diag),
                  *scratch = canvas_create(1280, 720, 1, &guest.diag);
    cr_assert(model && canvas && scratch && view_collect(model, &source, 0));
    const struct ram *ram = source.ram;
    uint64_t cr3 = cpu_state(source.cpu).cr3, nr_frames = ram->size_bytes / PAGE_BYTES;
    uint8_t *owner = read_owners(ram, word(ram, variable("mem_map")) - (uint64_t)PAGE_OFFSET, nr_frames);
    view_draw(canvas, model, &VIEW_UI_START);
    unsigned nr = find_entries(scratch, model, entry), nr_dirty = 0, nr_seen = 0;
    for (unsigned i = 0; i < nr; i++) {
        if (entry[i].linear >= PAGE_OFFSET) /* of the kernel: a dot says that they are global */
            continue;
        uint32_t pte = pte_of(ram, cr3, entry[i].linear);
        cr_assert(pte & PTE_PRESENT, "%08x is not mapped", entry[i].linear);
        uint32_t plain = colours[owner[pte >> PAGE_SHIFT]], clean = colour_mix(plain, PANEL, CLEAN_PERCENT),
                 dirty = colour_mix(plain, STRONG, DIRTY_PERCENT),
                 colour = colour_at(canvas, (entry[i].left + entry[i].right) / 2,
                                    (entry[i].top + entry[i].bottom) / 2);
        bool is_dirty = colour == dirty;
        cr_assert(is_dirty ? (pte & PTE_DIRTY) != 0 : colour == clean, "%08x: %06x, not %06x or %06x",
                  entry[i].linear, colour, clean, dirty);
        nr_dirty += is_dirty;
        nr_seen++;
    }
    cr_assert(nr_seen > 40 && nr_dirty > 40, "%u entries, %u dirty", nr_seen, nr_dirty);
    free(owner);
    canvas_destroy(canvas);
    canvas_destroy(scratch);
    view_model_destroy(model);
    end_guest(&guest);
}

/* ---- The first page fault ---- */

static void step_until(struct booted_guest *guest, bool (*is_there)(struct cpu *cpu))
{
    enum { MOST_STEPS = 5000000 };
    struct cpu *cpu = machine_parts(guest->machine).cpu;
    for (unsigned i = 0; i < MOST_STEPS && !is_there(cpu); i++)
        cr_assert_eq(machine_step(guest->machine, EV_NEVER), MACHINE_RUNNING);
    cr_assert(is_there(cpu));
}

static bool has_faulted(struct cpu *cpu)
{
    cpu_settle(cpu);
    return cpu_stats(cpu)->page_faults > 0;
}

static bool has_returned(struct cpu *cpu)
{
    struct cpu_fault_record fault[CPU_FAULT_HISTORY];
    cr_assert_gt(cpu_fault_history(cpu, fault), 0);
    return cpu_state(cpu).rip == fault[0].rip;
}

/* At boot the kernel writes to 12345670h of its own address space, and its handler gives it a page. */
Test(view_machine, the_first_page_fault_gives_a_frame_another_owner)
{
    struct booted_guest guest;
    boot_guest(&guest, "machine.ram=64MiB", NULL, "quiet init=touch", 1000);
    step_until(&guest, has_faulted);
    struct view_source source = source_of(&guest);
    struct view_model *model = view_model_create();
    struct view_memory before = {0};
    struct guest_kernel note;
    uint64_t linear = cpu_state(source.cpu).cr2;
    cr_assert_eq(linear, 0x12345670);
    cr_assert(model && view_collect(model, &source, 0));
    view_collect_focus(model, &source, linear);
    cr_assert(model->cpu.walk.is_fault && model->cpu.walk.linear.v == linear);
    cr_assert(!model->focus.is_mapped && model->focus.walk.nr_steps == 1);
    cr_assert(view_collect_memory(&before, source.ram, cpu_mmu(source.cpu), view_kernel(&note, &source)));

    step_until(&guest, has_returned);
    source.before = &before;
    cr_assert(view_collect(model, &source, 0));
    view_collect_focus(model, &source, linear);
    cr_assert(model->focus.is_mapped && model->focus.walk.nr_steps == 2);
    /* The table that the directory names now, and the frame that the table names: both were free. */
    uint64_t table = word(source.ram, (cpu_state(source.cpu).cr3 & ~0xfffull) + 0x48 * 4) / PAGE_BYTES,
             frame = word(source.ram, table * PAGE_BYTES + 0x345 * 4) / PAGE_BYTES,
             mem_map = word(source.ram, variable("mem_map")) - (uint64_t)PAGE_OFFSET;
    cr_assert_eq(model->focus.physical.v, frame * PAGE_BYTES + 0x670);
    const uint64_t pfn[] = {table, frame};
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(before.owner[pfn[i]], OWNER_FREE);
        cr_assert(model->is_changed[pfn[i]]);
        cr_assert_eq(model->memory.owner[pfn[i]], descriptor_byte(source.ram, mem_map, pfn[i], OWNER_AT));
        cr_assert_neq(model->memory.owner[pfn[i]], OWNER_FREE);
    }
    cr_assert(model->changes.nr >= 2 && model->changes.nr < 8);
    free(before.owner);
    free(before.free_order);
    view_model_destroy(model);
    end_guest(&guest);
}

/* ---- Processes ---- */

enum { MAX_ROOTS = 16, SHARED = 0x7f, NR_ENTRIES = 1024, PRESENT_USER = 5 };

/* Page directories that the kernel loads while the guest goes on; the kernel's own is none of them. */
static unsigned watch_roots(struct booted_guest *guest, uint32_t root[MAX_ROOTS], cycle_t until)
{
    enum { SLICE_CYCLES = 5000 };
    struct cpu *cpu = machine_parts(guest->machine).cpu;
    uint32_t own = (uint32_t)variable("swapper_pg_dir");
    unsigned nr = 0;
    while (cpu_now(cpu) < until) {
        uint32_t now = (uint32_t)cpu_state(cpu).cr3 & ~0xfffu;
        bool is_known = now == own;
        for (unsigned i = 0; i < nr; i++)
            is_known |= root[i] == now;
        if (!is_known && nr < MAX_ROOTS)
            root[nr++] = now;
        cr_assert_eq(machine_run(guest->machine, cpu_now(cpu) + SLICE_CYCLES), MACHINE_RUNNING);
    }
    return nr;
}

/*
 * Frames that the user of these tables can reach, and the tables: `mine`; SHARED behind somebody else.
 * Returns how many.
 */
static uint64_t claim(const struct ram *ram, uint32_t root, uint8_t mine, uint8_t *whose)
{
    uint64_t nr = 0;
    uint8_t *is_mine = calloc(ram->size_bytes / PAGE_BYTES, 1);
    is_mine[root / PAGE_BYTES] = 1;
    for (unsigned i = 0; i < NR_ENTRIES; i++) {
        uint32_t directory = word(ram, root + i * 4);
        if ((directory & PRESENT_USER) != PRESENT_USER)
            continue;
        is_mine[directory / PAGE_BYTES] = 1;
        for (unsigned j = 0; j < NR_ENTRIES; j++) {
            uint32_t entry = word(ram, (directory & ~0xfffu) + j * 4);
            if ((entry & PRESENT_USER) == PRESENT_USER)
                is_mine[entry / PAGE_BYTES] = 1;
        }
    }
    for (uint64_t pfn = 0; pfn < ram->size_bytes / PAGE_BYTES; pfn++)
        if (is_mine[pfn]) {
            whose[pfn] = whose[pfn] ? SHARED : mine;
            nr++;
        }
    free(is_mine);
    return nr;
}

Test(view_machine, processes_have_the_frames_that_their_tables_name)
{
    static const uint32_t of_process[] = {0x56b4e9, 0xe69f00, 0x00b184, 0xd98cb8};
    struct booted_guest guest;
    uint32_t seen[2 * MAX_ROOTS];
    boot_guest(&guest, "machine.ram=16MiB", NULL, "quiet init=stress", 23500000);
    unsigned nr_seen = watch_roots(&guest, seen, 28000000);
    struct view_source source = source_of(&guest);
    struct view_model *model = view_model_create();
    struct canvas *canvas = canvas_create(1280, 720, 1, &guest.diag),
                  *scratch = canvas_create(1280, 720, 1, &guest.diag);
    cr_assert(model && canvas && scratch && view_collect(model, &source, 0));
    const struct view_processes *processes = &model->processes;
    uint64_t nr_frames = source.ram->size_bytes / PAGE_BYTES, nr_shared = 0;
    uint8_t *whose = calloc(nr_frames, 1);
    cr_assert(processes->nr >= 2 && processes->nr <= 4, "%u", processes->nr);
    for (unsigned i = 0; i < processes->nr; i++) {
        cr_assert_str_eq(processes->process[i].task.name, "stress");
        uint64_t nr = claim(source.ram, (uint32_t)processes->process[i].root, (uint8_t)(1 + i), whose);
        cr_assert_eq(processes->process[i].nr_frames + processes->process[i].nr_tables, nr);
    }
    cr_assert_eq(processes->process[processes->shown].root, cpu_state(source.cpu).cr3 & ~0xfffull);
    for (uint64_t pfn = 0; pfn < nr_frames; pfn++) {
        cr_assert_eq(model->frame_process[pfn] & VIEW_FRAME_PROCESS, whose[pfn], "frame %lu",
                     (unsigned long)pfn);
        nr_shared += whose[pfn] == SHARED;
    }
    cr_assert_geq(nr_shared, 2, "text that all of them share");

    /* The picture: each cell by whose most of its frames in use are. */
    struct view_ui ui = VIEW_UI_START;
    struct map map[MAX_MAPS];
    unsigned nr_maps = find_maps(scratch, model, map), nr_cells = 0;
    ui.colouring = VIEW_BY_PROCESS;
    view_draw(canvas, model, &ui);
    for (unsigned m = 0; m < nr_maps; m++) {
        for (uint64_t at = map[m].first, cell = 0; at < map[m].end; at += map[m].per_cell, cell++) {
            unsigned nr_of[SHARED + 1] = {0}, most = 0;
            for (uint64_t pfn = at; pfn < at + map[m].per_cell && pfn < map[m].end; pfn++)
                nr_of[whose[pfn]] += model->memory.owner[pfn] != VIEW_OWNER_FREE;
            for (unsigned i = 0; i <= SHARED; i++)
                most = nr_of[i] > nr_of[most] ? i : most;
            if (most == 0)
                continue; /* of no process */
            cr_assert_eq(colour_of_cell(canvas, &map[m], cell),
                         most == SHARED ? 0xdde4eb : of_process[most - 1], "frames from %lu on",
                         (unsigned long)at);
            nr_cells++;
        }
    }
    cr_assert_geq(nr_cells, 10, "%u", nr_cells);

    /* A chosen process is the one whose address space is shown. */
    unsigned other = processes->shown ? 0 : 1;
    cr_assert(view_collect(model, &source, processes->process[other].root));
    cr_assert(processes->is_chosen && processes->shown == other);
    cr_assert_eq(model->space.root, processes->process[other].root);
    for (uint64_t pfn = 0; pfn < nr_frames; pfn++)
        if (whose[pfn] == other + 1)
            cr_assert(model->frame_process[pfn] & VIEW_FRAME_OF_THE_SHOWN_ONE);
    /* All of them run, before or after. */
    nr_seen += watch_roots(&guest, seen + nr_seen, 36000000);
    for (unsigned i = 0; i < processes->nr; i++) {
        bool is_seen = false;
        for (unsigned j = 0; j < nr_seen; j++)
            is_seen |= seen[j] == processes->process[i].root;
        cr_assert(is_seen, "nobody loads CR3 with the root of process %u", i);
    }
    free(whose);
    canvas_destroy(canvas);
    canvas_destroy(scratch);
    view_model_destroy(model);
    end_guest(&guest);
}

Test(view_machine, areas_are_those_of_the_process)
{
    struct booted_guest guest;
    boot_guest(&guest, "machine.ram=64MiB", NULL, "quiet init=touch touch.mib=8", 45000000);
    struct view_source source = source_of(&guest);
    struct view_model *model = view_model_create();
    cr_assert(model && view_collect(model, &source, 0));
    const struct view_space *space = &model->space;
    cr_assert(space->is_paging && space->has_areas && model->has_task);
    cr_assert_str_eq(model->task.name, "touch");
    /*
     * The program touches each page of 8 MiB from the heap, which its areas and the owners of frames must
     * agree on.
     */
    uint64_t nr_present = 0, nr_heap = 0;
    bool has_text = false, has_stack = false, has_kernel = false;
    for (unsigned i = 0; i < space->nr_areas; i++) {
        const struct view_area *area = &space->area[i];
        if (area->rights & VIEW_AREA_USER)
            nr_present += area->nr_present;
        else
            has_kernel = true;
        if (strcmp(area->name, "heap") == 0)
            nr_heap += area->nr_present;
        has_text |= strcmp(area->name, "text") == 0;
        has_stack |= strcmp(area->name, "stack") == 0;
        uint64_t nr_in_cells = 0, nr_pages = 0;
        for (unsigned c = 0; c < area->nr_cells; c++) {
            cr_assert_leq(area->cell[c].nr_present, area->cell[c].nr_pages);
            nr_in_cells += area->cell[c].nr_present;
            nr_pages += area->cell[c].nr_pages;
        }
        cr_assert_eq(nr_in_cells, area->nr_present);
        cr_assert_eq(nr_pages, (area->end - area->start) / PAGE_BYTES);
    }
    cr_assert(has_text && has_stack && has_kernel);
    cr_assert_geq(nr_heap, 2040, "%lu pages", (unsigned long)nr_heap);
    cr_assert_eq(nr_present, space->nr_user_pages);
    view_model_destroy(model);
    end_guest(&guest);
}
