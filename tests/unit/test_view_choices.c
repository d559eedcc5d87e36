/* What the user chooses to see: keys, sizes, themes, the walk level by level, what a step has changed. */
#include "cpu/decode.h"
#include "sim/observe/view_draw.h"
#include "sim/observe/view_keys.h"
#include "sim/observe/view_layout.h"
#include "sim/observe/view_model.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { RAM_PAGES = 1024, RAM_BYTES = RAM_PAGES * PAGE_BYTES, NR_OWNERS = VIEW_OWNER_DMA + 1 };

static struct ram ram;
static struct view_model *model;
static struct cfg *cfg;
static struct cpu *cpu;
static struct diag diag;
static struct view_source source;
static struct view_ui ui;

static bool all_is_ram(void *opaque, struct paddr page)
{
    (void)opaque;
    return page.v < RAM_BYTES;
}

static void put_u32(uint64_t at, uint32_t value)
{
    cr_assert(ram_write(&ram, paddr(at), &value, sizeof value));
}

static void put_u64(uint64_t at, uint64_t value)
{
    cr_assert(ram_write(&ram, paddr(at), &value, sizeof value));
}

static void set_paging(uint64_t cr3, uint64_t cr4, uint64_t efer)
{
    struct cpu_state state = {
        .rip = 0x8000, .rflags = 2, .cr0 = CR0_PE | CR0_PG, .cr3 = cr3, .cr4 = cr4, .efer = efer};
    cpu_set_state(cpu, &state);
}

static void setup(void)
{
    diag_init(&diag);
    cfg = cfg_create();
    model = view_model_create();
    cr_assert(cfg && model && cfg_set(cfg, "cpu.model=functional", &diag) && ram_init(&ram, RAM_BYTES));
    cpu = cpu_create(&(struct cpu_params){.config = cfg_values(cfg), .ram = &ram, .is_ram = all_is_ram});
    cr_assert_not_null(cpu);
    source = (struct view_source){.cpu = cpu, .ram = &ram};
    ui = VIEW_UI_START;
}

static void teardown(void)
{
    cpu_destroy(cpu);
    view_model_destroy(model);
    ram_fini(&ram);
    cfg_destroy(cfg);
    diag_fini(&diag);
}

TestSuite(view_choices, .init = setup, .fini = teardown);

static void type(const char *keys)
{
    for (; *keys; keys++)
        view_key(&ui, &source, *keys);
}

/* ---- Sizes ---- */

static bool overlap(const struct box *a, const struct box *b)
{
    return a->x < b->x + b->w && b->x < a->x + a->w && a->y < b->y + b->h && b->y < a->y + a->h;
}

Test(view_choices, panels_lie_beside_each_other_in_the_picture_at_all_sizes)
{
    static const double scales[] = {0, 1, 1.5, 3};
    struct box panel[NR_VIEW_PANELS];
    for (int width = 320; width <= 2600; width += 120) {
        for (int height = 200; height <= 1500; height += 100) {
            for (unsigned n = 0; n < 4 * NR_VIEW_PANELS * 2; n++) {
                struct view_size size = {width, height, scales[n % 4]};
                ui.panel = n / 4 % NR_VIEW_PANELS;
                ui.nr_levels = n / 4 / NR_VIEW_PANELS;
                double scale = view_scale(&size, &ui);
                struct box picture = {0, 0, width / scale, height / scale};
                view_layout(picture, &ui, panel);
                unsigned nr_shown = 0;
                for (unsigned i = 1; i < NR_VIEW_PANELS; i++) {
                    if (panel[i].w <= 0)
                        continue;
                    nr_shown++;
                    cr_assert(panel[i].x >= 0 && panel[i].y >= 0 &&
                                  panel[i].x + panel[i].w <= picture.w + 0.01 &&
                                  panel[i].y + panel[i].h <= picture.h + 0.01,
                              "%d x %d, panel %u", width, height, i);
                    for (unsigned j = 1; j < i; j++)
                        cr_assert_not(panel[j].w > 0 && overlap(&panel[i], &panel[j]), "%d x %d: %u and %u",
                                      width, height, i, j);
                }
                cr_assert_geq(nr_shown, 1);
                if (ui.panel != VIEW_ALL_PANELS)
                    cr_assert(nr_shown == 1 && panel[ui.panel].w > 0);
            }
        }
    }
}

Test(view_choices, text_is_legible_and_usual_sizes_have_all_panels)
{
    static const struct {
        int width, height;
        unsigned nr_panels;
    } usual[] = {{1280, 720, 6}, {1920, 1080, 6}, {2560, 1440, 6},
                 {1366, 768, 6}, {800, 600, 4},   {640, 480, 1}};
    struct box panel[NR_VIEW_PANELS];
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        struct view_size size = {usual[i].width, usual[i].height, 0};
        double scale = view_scale(&size, &ui);
        cr_assert_geq(scale, 1, "the smallest letters have 10 pixels");
        view_layout((struct box){0, 0, size.width / scale, size.height / scale}, &ui, panel);
        unsigned nr = 0;
        for (unsigned p = 1; p < NR_VIEW_PANELS; p++)
            nr += panel[p].w > 0;
        cr_assert_eq(nr, usual[i].nr_panels, "%d x %d: %u", size.width, size.height, nr);
    }
}

/* ---- Keys ---- */

Test(view_choices, keys_change_what_they_say)
{
    type("o");
    cr_assert_eq(ui.colouring, VIEW_BY_PROCESS);
    type("o");
    cr_assert_eq(ui.colouring, VIEW_BY_HEAT);
    type("o");
    cr_assert_eq(ui.colouring, VIEW_BY_OWNER);
    type("h");
    cr_assert_eq(ui.colouring, VIEW_BY_HEAT);
    type("ht4");
    cr_assert(ui.colouring == VIEW_BY_OWNER && ui.theme == VIEW_LIGHT && ui.panel == VIEW_PANEL_ARRAYS);
    type("4");
    cr_assert_eq(ui.panel, VIEW_ALL_PANELS);
    type("60");
    cr_assert_eq(ui.panel, VIEW_ALL_PANELS);
    type("7");
    cr_assert_eq(ui.panel, VIEW_ALL_PANELS, "there is no seventh");
    for (int i = 0; i < 20; i++)
        type("z");
    cr_assert_eq(ui.zoom, VIEW_MAX_ZOOM);
    struct view_size size = VIEW_SIZE_START;
    double large = view_scale(&size, &ui);
    type("Z");
    cr_assert_lt(view_scale(&size, &ui), large);
    cr_assert_eq(view_key(&ui, &source, 'r'), VIEW_RETURN);
    cr_assert_eq(view_key(&ui, &source, '.'), VIEW_STEP_CYCLE);
}

Test(view_choices, escape_takes_back_one_thing_after_the_other)
{
    type("3/1000\r?");
    ui.process_root = 0x1000;
    cr_assert(ui.shows_help && ui.has_focus && ui.panel == VIEW_PANEL_MIDDLE);
    cr_assert_eq(view_key(&ui, &source, VIEW_KEY_ESCAPE), VIEW_NOTHING);
    cr_assert(!ui.shows_help && ui.has_focus);
    cr_assert_eq(view_key(&ui, &source, VIEW_KEY_ESCAPE), VIEW_NOTHING);
    cr_assert(!ui.has_focus && ui.panel == VIEW_PANEL_MIDDLE);
    cr_assert_eq(view_key(&ui, &source, VIEW_KEY_ESCAPE), VIEW_NOTHING);
    cr_assert(ui.panel == VIEW_ALL_PANELS && ui.process_root);
    cr_assert_eq(view_key(&ui, &source, VIEW_KEY_ESCAPE), VIEW_NOTHING);
    cr_assert_eq(ui.process_root, 0);
    cr_assert_eq(view_key(&ui, &source, VIEW_KEY_ESCAPE), VIEW_QUIT);
}

/* ---- The walk level by level ---- */

enum { TABLES = 0x10000 };

/* Tables one behind the other, each with four entries that lead on; the last maps frame 0x123. */
static void make_tables(unsigned nr_levels)
{
    for (unsigned level = 0; level < nr_levels; level++)
        for (unsigned i = 0; i < 512; i += 128)
            put_u64(TABLES + level * PAGE_BYTES + i * 8,
                    (level + 1 == nr_levels ? 0x123000u : TABLES + (level + 1) * PAGE_BYTES) | PTE_P |
                        PTE_RW);
}

/* Every 128th entry of each table is present. */
static void check_tables(unsigned nr_levels)
{
    for (unsigned i = 0; i < nr_levels; i++) {
        const struct view_table *table = &model->focus.table[i];
        cr_assert_eq(model->focus.walk.step[i].at.v, TABLES + i * PAGE_BYTES);
        cr_assert_eq(table->nr_entries, 512);
        cr_assert_eq(table->nr_present, 4);
        for (unsigned part = 0; part < VIEW_TABLE_PARTS; part++)
            cr_assert_eq(table->present[part], part % 16 == 0);
    }
}

/* One `l` a level, one for the end, one back to the short form; a picture at each. */
static void step_through(unsigned nr_levels, bool is_mapped)
{
    struct canvas *canvas = canvas_create(1280, 720, 1, &diag);
    cr_assert_not_null(canvas);
    type("/0\r");
    for (unsigned level = 1; level <= nr_levels + 1; level++) {
        type("l");
        cr_assert_eq(ui.nr_levels, level);
        cr_assert(view_collect(model, &source, 0));
        view_collect_focus(model, &source, ui.focus);
        cr_assert_eq(model->focus.is_mapped, is_mapped);
        cr_assert_eq(model->focus.walk.nr_steps, nr_levels);
        view_draw(canvas, model, &ui);
    }
    check_tables(nr_levels);
    type("L");
    cr_assert_eq(ui.nr_levels, nr_levels);
    type("ll");
    cr_assert(ui.nr_levels == 0 && ui.has_focus);
    canvas_destroy(canvas);
}

Test(view_choices, a_walk_of_four_levels_is_stepped_through)
{
    make_tables(4);
    set_paging(TABLES, CR4_PAE, EFER_LME | EFER_LMA);
    step_through(4, true);
    cr_assert_eq(model->focus.physical.v, 0x123000);
}

Test(view_choices, a_walk_of_five_levels_is_stepped_through)
{
    make_tables(5);
    set_paging(TABLES, CR4_PAE | CR4_LA57, EFER_LME | EFER_LMA);
    step_through(5, true);
}

Test(view_choices, a_walk_that_ends_in_a_large_page_is_stepped_through)
{
    make_tables(3);
    put_u64(TABLES + 2 * PAGE_BYTES, 0x200000 | PTE_P | PTE_RW | PTE_PS);
    set_paging(TABLES, CR4_PAE, EFER_LME | EFER_LMA);
    step_through(3, true);
    cr_assert_eq(model->focus.physical.v, 0x200000);
}

Test(view_choices, a_walk_that_ends_in_a_fault_is_stepped_through)
{
    make_tables(4);
    put_u64(TABLES + 3 * PAGE_BYTES, 0);
    put_u64(TABLES + 3 * PAGE_BYTES + 8, PTE_P);
    set_paging(TABLES, CR4_PAE, EFER_LME | EFER_LMA);
    step_through(4, false);
}

Test(view_choices, pae_walks_and_those_of_nothing_are_drawn)
{
    struct canvas *canvas = canvas_create(800, 600, 1, &diag);
    make_tables(2);
    put_u64(0x8000, TABLES | PTE_P);
    set_paging(0x8000, CR4_PAE, 0);
    for (unsigned quarter = 0; quarter < 2; quarter++) {
        type(quarter ? "/40000000\r" : "/0\r");
        for (unsigned i = 0; i < 4; i++) {
            type("l");
            cr_assert(view_collect(model, &source, 0));
            view_collect_focus(model, &source, ui.focus);
            cr_assert_eq(model->focus.walk.nr_steps, quarter ? 0 : 2);
            view_draw(canvas, model, &ui);
        }
    }
    canvas_destroy(canvas);
}

Test(view_choices, without_a_walk_there_is_a_message)
{
    type("l");
    cr_assert(!ui.has_focus && ui.nr_levels == 0 && ui.message[0]);
    type("c");
    cr_assert_not_null(strstr(ui.message, "not told"));
    source.cpu = NULL;
    type("l");
    cr_assert(!ui.has_focus && ui.message[0]);
}

/* ---- What a step has changed, and owners of all kinds ---- */

static uint32_t colour_at(const struct canvas *canvas, double x, double y)
{
    SDL_Surface *surface = canvas_surface(canvas);
    uint32_t pixel;
    uint8_t r, g, b;
    memcpy(&pixel, (const uint8_t *)surface->pixels + (int)y * surface->pitch + (int)x * 4, sizeof pixel);
    SDL_GetRGB(pixel, surface->format, &r, &g, &b);
    return (uint32_t)r << 16 | (uint32_t)g << 8 | b;
}

static const uint32_t colours[] = {
#define OWNER(id, name, colour) colour,
#include "sim/observe/view_owners.def"
#undef OWNER
};

/* Descriptors of 8 bytes at 80000h, the owner first; every frame has another owner than the next. */
static struct guest_note make_note(void)
{
    enum { POINTERS = 0x70000, DESCRIPTORS = 0x80000, STRIDE = 8, OFFSET = 0x10000000 };
    for (uint32_t pfn = 0; pfn < RAM_PAGES; pfn++)
        put_u32(DESCRIPTORS + pfn * STRIDE, pfn % NR_OWNERS);
    put_u32(POINTERS, OFFSET + DESCRIPTORS);
    put_u32(POINTERS + 4, RAM_PAGES);
    return (struct guest_note){.version = 1,
                               .table_bytes = sizeof(struct guest_note),
                               .page_offset = OFFSET,
                               .page_bytes = PAGE_BYTES,
                               .mem_map_addr = OFFSET + POINTERS,
                               .max_pfn_addr = OFFSET + POINTERS + 4,
                               .struct_page_bytes = STRIDE,
                               .page_flags_offset = 4,
                               .page_order_offset = 4};
}

Test(view_choices, every_owner_has_its_colour_in_both_themes)
{
    struct guest_note note = make_note();
    source.note = &note;
    source.note_bytes = sizeof note;
    cr_assert(view_collect(model, &source, 0) && model->memory.is_from_note);
    for (unsigned theme = 0; theme < NR_VIEW_THEMES; theme++) {
        struct canvas *canvas = canvas_create(1280, 720, 1, &diag);
        struct view_ui pointing = VIEW_UI_START;
        unsigned nr_seen = 0;
        bool has_owner[NR_OWNERS] = {false};
        pointing.theme = theme;
        view_draw(canvas, model, &pointing);
        for (int y = 62; y < 380; y += 60)
            for (int x = 110; x < 500; x += 13) {
                pointing.pointer = (struct view_pointer){x, y};
                struct view_picked cell = view_pick(canvas, model, &pointing);
                if (cell.nr_frames == 0)
                    continue;
                cr_assert_eq(cell.nr_frames, 1, "a cell a frame");
                unsigned owner = (unsigned)(cell.first_frame % NR_OWNERS);
                if (owner != VIEW_OWNER_FREE)
                    cr_assert_eq(colour_at(canvas, cell.x + cell.w / 2, cell.y + cell.h - 1), colours[owner],
                                 "frame %u", (unsigned)cell.first_frame);
                has_owner[owner] = true;
                nr_seen++;
            }
        cr_assert_geq(nr_seen, 50);
        for (unsigned owner = 0; owner < NR_OWNERS; owner++)
            cr_assert(has_owner[owner], "owner %u", owner);
        canvas_destroy(canvas);
    }
}

Test(view_choices, frames_that_changed_owner_are_named)
{
    struct guest_note note = make_note();
    struct view_memory before = {0};
    source.note = &note;
    source.note_bytes = sizeof note;
    const struct guest_kernel kernel = {.ram = &ram, .has_note = true, .note = note};
    cr_assert(view_collect_memory(&before, &ram, cpu_mmu(cpu), &kernel));
    cr_assert(view_collect(model, &source, 0));
    cr_assert_eq(model->changes.nr, 0, "there is nothing to compare with");
    source.before = &before;
    put_u32(0x80000 + 8 * 10, VIEW_OWNER_ANON);
    for (unsigned pfn = 500; pfn < 520; pfn++)
        put_u32(0x80000 + 8 * pfn, VIEW_OWNER_CMA);
    cr_assert(view_collect(model, &source, 0));
    /* Frame 10 was free, and of 20 frames in a row two or three belonged to CMA before. */
    cr_assert(model->changes.nr >= 18 && model->changes.nr <= 19, "%lu", (unsigned long)model->changes.nr);
    cr_assert_eq(model->changes.first[0].pfn, 10);
    cr_assert_eq(model->changes.first[0].before, VIEW_OWNER_FREE);
    cr_assert_eq(model->changes.first[0].after, VIEW_OWNER_ANON);
    cr_assert(model->is_changed[10] && model->is_changed[505] != (505 % NR_OWNERS == VIEW_OWNER_CMA));
    before.is_from_note = false;
    cr_assert(view_collect(model, &source, 0));
    cr_assert_eq(model->changes.nr, 0, "owners of another kind");
    free(before.owner);
    free(before.free_order);
}
