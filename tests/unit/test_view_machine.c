/*
 * The picture of a machine that runs the bundled kernel: the colours of its frames are those of the
 * kernel's own page descriptors, which this test reads by itself, by the names in the kernel's symbol
 * table.
 */
#include "sim/base/event.h"
#include "sim/machine.h"
#include "sim/observe/view_draw.h"

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
    PANEL_WIDTH = 528,
    PANEL_HEIGHT = 444,
    MIN_CELL_PIXELS = 5,
    CELLS_A_SAMPLE = 4, /* of which one is looked at */
};

static const char *kernel(void)
{
    const char *file = getenv("LK_KERNEL");
    return file ? file : "build/guest/kernel-i386.elf";
}

/* Physical address of a variable of the kernel. */
static uint64_t variable(const char *name)
{
    int fd = open(kernel(), O_RDONLY);
    cr_assert_geq(fd, 0, "%s", kernel());
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

struct guest {
    struct cfg *cfg;
    struct machine *machine;
    struct diag diag;
};

static void boot(struct guest *guest, const char *arguments, cycle_t until)
{
    diag_init(&guest->diag);
    guest->cfg = cfg_create();
    cr_assert(cfg_set(guest->cfg, "machine.ram=64MiB", &guest->diag) && cfg_check(guest->cfg, &guest->diag));
    const struct machine_params params = {.config = cfg_values(guest->cfg)};
    guest->machine = machine_create(&params, &guest->diag);
    cr_assert(machine_load(guest->machine, kernel(), arguments, NULL, 0, &guest->diag), "%s",
              guest->diag.nr_lines ? guest->diag.lines[0] : "");
    cr_assert_eq(machine_run(guest->machine, until), MACHINE_RUNNING);
}

static void end(struct guest *guest)
{
    machine_destroy(guest->machine);
    cfg_destroy(guest->cfg);
    diag_fini(&guest->diag);
}

static struct view_source source_of(const struct guest *guest)
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

/* Which owner's colour a cell must have: of most of its frames that are not free; the first of equals. */
static unsigned owner_of_cell(const struct ram *ram, uint64_t mem_map, const struct view_picked *cell,
                              unsigned *nr_used)
{
    unsigned nr[NR_OWNERS] = {0}, most = 0;
    *nr_used = 0;
    for (uint64_t pfn = cell->first_frame; pfn < cell->first_frame + cell->nr_frames; pfn++) {
        unsigned owner = word(ram, mem_map + pfn * STRUCT_PAGE_BYTES + OWNER_AT) & 0xff;
        cr_assert_lt(owner, NR_OWNERS);
        nr[owner]++;
        *nr_used += owner != OWNER_FREE;
    }
    for (unsigned owner = 0; owner < NR_OWNERS; owner++)
        if (owner != OWNER_FREE && nr[owner] > nr[most])
            most = owner;
    return *nr_used ? most : OWNER_FREE;
}

Test(view_machine, colours_are_those_of_the_page_descriptors)
{
    struct guest guest;
    boot(&guest, "quiet init=touch touch.mib=8", 45000000);
    struct view_source source = source_of(&guest);
    struct view_model *model = view_model_create();
    struct canvas *canvas = canvas_create(1, &guest.diag), *scratch = canvas_create(1, &guest.diag);
    cr_assert(model && canvas && scratch && view_collect(model, &source));
    const struct ram *ram = source.ram;
    uint64_t mem_map = word(ram, variable("mem_map")) - (uint64_t)PAGE_OFFSET,
             nr_frames = ram->size_bytes / PAGE_BYTES;
    bool *is_seen = calloc(nr_frames, 1);
    uint64_t nr_seen = 0, nr_owners_seen = 0;
    bool has_owner[NR_OWNERS] = {false};
    struct view_ui ui = VIEW_UI_START;
    view_draw(canvas, model, &VIEW_UI_START);
    for (int y = 0; y < PANEL_HEIGHT; y += MIN_CELL_PIXELS) {
        int last_x = -1;
        for (int x = 0; x < PANEL_WIDTH; x++) {
            ui.pointer = (struct view_pointer){x, y};
            struct view_picked cell = view_pick(scratch, model, &ui);
            if (!cell.nr_frames) {
                x = last_x < 0 ? x + MIN_CELL_PIXELS - 1 : x; /* until the first cell of the row */
                last_x = last_x < 0 || x < last_x + 2 * MIN_CELL_PIXELS ? last_x : PANEL_WIDTH;
                if (last_x == PANEL_WIDTH)
                    break;
                continue;
            }
            last_x = x = (int)(cell.x + CELLS_A_SAMPLE * (cell.w + 1)) - 1;
            if (is_seen[cell.first_frame])
                continue;
            unsigned nr_used, owner = owner_of_cell(ram, mem_map, &cell, &nr_used);
            uint32_t colour = colour_at(canvas, (int)(cell.x + cell.w / 2), (int)(cell.y + cell.h) - 1);
            cr_assert_eq(colour, colours[owner],
                         "frames %lu and %lu more, %u in use, are %06x, not %06x of owner %u",
                         (unsigned long)cell.first_frame, (unsigned long)cell.nr_frames - 1, nr_used, colour,
                         colours[owner], owner);
            for (uint64_t i = 0; i < cell.nr_frames; i++)
                is_seen[cell.first_frame + i] = true;
            nr_seen += cell.nr_frames;
            nr_owners_seen += !has_owner[owner];
            has_owner[owner] = true;
        }
    }
    cr_assert_geq(nr_seen, nr_frames / (CELLS_A_SAMPLE + 1), "%lu frames", (unsigned long)nr_seen);
    cr_assert_geq(nr_owners_seen, 4, "free, reserved, kernel and anonymous ones at least");
    free(is_seen);
    canvas_destroy(canvas);
    canvas_destroy(scratch);
    view_model_destroy(model);
    end(&guest);
}

Test(view_machine, areas_are_those_of_the_process)
{
    struct guest guest;
    boot(&guest, "quiet init=touch touch.mib=8", 45000000);
    struct view_source source = source_of(&guest);
    struct view_model *model = view_model_create();
    cr_assert(model && view_collect(model, &source));
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
    end(&guest);
}
