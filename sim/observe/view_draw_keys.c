/* What the colours of the memory map mean, and of how many frames each is. */
#include "sim/observe/view_draw_internal.h"

#include <stdio.h>
#include <string.h>

enum { LEGEND_COLUMNS = 3 };

/* A row of what is below the map: a colour, what it means, of how many frames. */
struct key_row {
    colour_t colour;
    const char *name, *meaning;
    uint64_t nr_frames;
};

static const char *meaning_of(enum view_owner owner)
{
    static const char *const meanings[NR_VIEW_OWNERS] = {
        [VIEW_OWNER_RESERVED] = "no RAM, or RAM that the firmware keeps",
        [VIEW_OWNER_FREE] = "in the buddy system, or on the CPU's list; lighter: in smaller blocks",
        [VIEW_OWNER_KERNEL] = "the kernel's image, its boot allocations, stacks",
        [VIEW_OWNER_SLAB] = "objects of the kernel's: kmalloc and its caches",
        [VIEW_OWNER_PAGE_CACHE] = "contents of files",
        [VIEW_OWNER_ANON] = "pages of processes that no file backs: heap, stack, private copies",
        [VIEW_OWNER_PAGE_TABLE] = "page tables, and page directories among them",
        [VIEW_OWNER_CMA] = "lent by the contiguous memory allocator",
        [VIEW_OWNER_DMA] = "buffers of devices",
        [VIEW_OWNER_UNUSED] = "holds nothing but zeroes",
        [VIEW_OWNER_TOUCHED] = "holds something, and the tables in use do not name it",
        [VIEW_OWNER_MAPPED_KERNEL] = "the tables in use name it, for the kernel alone",
        [VIEW_OWNER_MAPPED_USER] = "the tables in use name it, for the user too",
    };
    return meanings[owner];
}

enum { MAX_KEY_ROWS = 9 };

static unsigned owner_rows(const struct drawing *drawing, struct key_row row[MAX_KEY_ROWS])
{
    const struct view_memory *memory = &drawing->model->memory;
    unsigned nr = 0;
    for (unsigned owner = 0; owner < NR_VIEW_OWNERS; owner++) {
        bool is_guests = owner <= VIEW_OWNER_DMA;
        if (memory->is_from_note ? is_guests : !is_guests || owner == VIEW_OWNER_PAGE_TABLE)
            row[nr++] = (struct key_row){owner_colour(drawing, owner), view_owner_name(owner),
                                         meaning_of(owner), memory->nr_by_owner[owner]};
    }
    return nr;
}

/* The process that is shown, the others as far as there is room, then those of several and of none. */
static unsigned process_rows(const struct drawing *drawing, struct key_row row[MAX_KEY_ROWS],
                             char name[MAX_KEY_ROWS][PROCESS_CHARS])
{
    const struct view_model *model = drawing->model;
    uint64_t nr_shared = 0, nr_nobodys = 0;
    unsigned nr = 0;
    for (pfn_t pfn = 0; pfn < model->memory.nr_frames; pfn++) {
        unsigned whose = model->frame_process[pfn] & VIEW_FRAME_PROCESS;
        nr_shared += whose == VIEW_FRAME_SHARED;
        nr_nobodys += whose == VIEW_FRAME_NOBODYS && !is_idle_owner(model->memory.owner[pfn]);
    }
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < model->processes.nr && nr < MAX_KEY_ROWS - 2; i++) {
            const struct view_process *process = &model->processes.process[i];
            if ((pass == 0) != (i == model->processes.shown))
                continue;
            format_process(name[nr], process);
            row[nr] = (struct key_row){
                process_colour(drawing, VIEW_FRAME_FIRST + i), name[nr],
                "frames that its page tables name for the user, and those tables; [c] chooses it",
                process->nr_frames + process->nr_tables};
            nr++;
        }
    row[nr++] = (struct key_row){process_colour(drawing, VIEW_FRAME_SHARED), "several",
                                 "frames that the page tables of several processes name", nr_shared};
    row[nr++] = (struct key_row){process_colour(drawing, VIEW_FRAME_NOBODYS), "no process",
                                 "in use, and no process can reach it", nr_nobodys};
    return nr;
}

double draw_memory_keys(struct drawing *drawing, struct box inside)
{
    char name[MAX_KEY_ROWS][PROCESS_CHARS];
    struct key_row row[MAX_KEY_ROWS];
    unsigned nr = drawing->ui->colouring == VIEW_BY_PROCESS ? process_rows(drawing, row, name)
                                                            : owner_rows(drawing, row);
    unsigned nr_rows = (MAX_KEY_ROWS + LEGEND_COLUMNS - 1) / LEGEND_COLUMNS;
    double line = canvas_line_height(FONT_SMALL), height = nr_rows * line, top = inside.y + inside.h - height,
           column = inside.w / LEGEND_COLUMNS;
    for (unsigned i = 0; i < nr; i++) {
        unsigned in_column = i / nr_rows, in_row = i % nr_rows;
        double x = inside.x + column * in_column, y = top + line * in_row;
        double end = x + column - 12;
        char count[COUNT_CHARS], fitting[PROCESS_CHARS];
        format_count(count, row[i].nr_frames);
        int nr_chars = (int)((end - x - 18) / canvas_char_width(FONT_SMALL)) - (int)strlen(count);
        snprintf(fitting, sizeof fitting, "%.*s", nr_chars > 0 ? nr_chars : 0, row[i].name);
        draw_legend(drawing, x, y, row[i].colour, fitting);
        canvas_text_right(drawing->canvas, end, y, FONT_SMALL, drawing->theme->text, count);
        hover(drawing, (struct box){x, y, column, line}, "%s, %s frames: %s", row[i].name, count,
              row[i].meaning);
    }
    return height;
}

/* What heat means, in the place of the owners. */
double draw_heat_scale(struct drawing *drawing, struct box inside)
{
    double line = canvas_line_height(FONT_SMALL), height = 3 * line, y = inside.y + inside.h - height;
    struct box scale = {inside.x, y + line, inside.w / 2, line - 4};
    for (unsigned percent = 0; percent < 100; percent++)
        canvas_fill(drawing->canvas,
                    (struct box){scale.x + scale.w * percent / 100, scale.y, scale.w / 100 + 1, scale.h},
                    heat_colour(drawing, percent));
    canvas_text(drawing->canvas, scale.x, y, FONT_SMALL, drawing->theme->dim,
                "lines that caches hold, and took in lately");
    canvas_text(drawing->canvas, scale.x, y + 2 * line, FONT_SMALL, drawing->theme->dim, "none");
    canvas_text_right(drawing->canvas, scale.x + scale.w, y + 2 * line, FONT_SMALL, drawing->theme->dim,
                      "64 and more");
    return height;
}
