#include "sim/observe/view_keys.h"

#include "sim/observe/view_model.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A number is hexadecimal, with or without 0x, unless a symbol has that name. */
static bool find(const struct view_source *source, const char *text, uint64_t *linear)
{
    char *end;
    if (source->find && source->find(source->opaque, text, linear))
        return true;
    errno = 0;
    *linear = strtoull(text, &end, 16);
    return text[0] && !*end && errno == 0 && text[0] != '-' && text[0] != '+' && text[0] != ' ';
}

static void look_for(struct view_ui *ui, const struct view_source *source)
{
    uint64_t linear;
    ui->has_prompt = false;
    ui->nr_levels = 0;
    ui->has_focus = ui->prompt[0] && find(source, ui->prompt, &linear);
    if (ui->has_focus) {
        ui->focus = linear;
        snprintf(ui->message, sizeof ui->message, "%s: 0x%08" PRIx64, ui->prompt, linear);
    } else if (ui->prompt[0]) {
        snprintf(ui->message, sizeof ui->message, "%.32s: no such symbol, and no hexadecimal number",
                 ui->prompt);
    }
}

static void type_at_prompt(struct view_ui *ui, const struct view_source *source, int key)
{
    size_t length = strlen(ui->prompt);
    if (key == VIEW_KEY_ENTER)
        look_for(ui, source);
    else if (key == VIEW_KEY_ESCAPE)
        ui->has_prompt = false;
    else if (key == VIEW_KEY_BACKSPACE && length > 0)
        ui->prompt[length - 1] = 0;
    else if (key > ' ' && key < 0x7f && length + 1 < sizeof ui->prompt)
        ui->prompt[length] = (char)key;
}

/* Esc takes back one thing after the other; the last is the run. */
static enum view_command escape(struct view_ui *ui)
{
    if (ui->shows_help) {
        ui->shows_help = false;
    } else if (ui->has_focus) {
        ui->has_focus = false;
        ui->nr_levels = 0;
    } else if (ui->panel != VIEW_ALL_PANELS) {
        ui->panel = VIEW_ALL_PANELS;
    } else if (ui->process_root) {
        ui->process_root = 0;
    } else {
        return VIEW_QUIT;
    }
    return VIEW_NOTHING;
}

/* What the walk is shown for: what is pointed at, what was looked for, the page of the last walk. */
static bool choose_focus(struct view_ui *ui, const struct view_source *source)
{
    if (ui->has_pointed && !(ui->has_focus && ui->focus == ui->pointed)) {
        ui->has_focus = true;
        ui->focus = ui->pointed;
        ui->nr_levels = 0;
    }
    if (!ui->has_focus && cpu_mmu(source->cpu)->nr_walks_seen) {
        ui->has_focus = true;
        ui->focus = cpu_mmu(source->cpu)->last_walk.linear.v;
        ui->nr_levels = 0;
    }
    return ui->has_focus;
}

/* One level further each time; behind the last comes what the walk leads to, and then the short form. */
static void show_next_level(struct view_ui *ui, const struct view_source *source)
{
    struct walk walk;
    struct paddr physical;
    if (!source->cpu || !choose_focus(ui, source)) {
        snprintf(ui->message, sizeof ui->message,
                 "no page walk so far: point at an address, or find one with /");
        return;
    }
    view_peek(source, ui->process_root, ui->focus, &walk, &physical);
    ui->nr_levels = ui->nr_levels > walk.nr_steps ? 0 : ui->nr_levels + 1;
}

/* The processes one after the other, and in the end the one that runs. */
static void choose_process(struct view_ui *ui, const struct view_source *source, bool is_forward)
{
    struct view_processes processes;
    struct guest_kernel storage;
    view_collect_processes(&processes, source, view_kernel(&storage, source), ui->process_root);
    unsigned nr = 0;
    while (nr < processes.nr && processes.process[nr].has_task)
        nr++;
    if (nr == 0) {
        snprintf(ui->message, sizeof ui->message, "the guest has not told of its processes");
        return;
    }
    unsigned at = processes.is_chosen ? processes.shown + 1 : 0; /* 0: none */
    at = (at + (is_forward ? 1 : nr)) % (nr + 1);
    ui->process_root = at ? processes.process[at - 1].root : 0;
    if (at)
        snprintf(ui->message, sizeof ui->message, "pid %" PRIu32 " %s is chosen",
                 processes.process[at - 1].task.pid, processes.process[at - 1].task.name);
    else
        snprintf(ui->message, sizeof ui->message, "the process that runs is shown");
}

static void change_zoom(struct view_ui *ui, int by)
{
    int zoom = ui->zoom + by;
    ui->zoom = zoom > VIEW_MAX_ZOOM ? VIEW_MAX_ZOOM : zoom < -VIEW_MAX_ZOOM ? -VIEW_MAX_ZOOM : zoom;
}

static void change_colouring(struct view_ui *ui, enum view_colouring colouring)
{
    static const char *const said[NR_VIEW_COLOURINGS] = {
        [VIEW_BY_OWNER] = "coloured by what frames are used for",
        [VIEW_BY_PROCESS] = "coloured by the process that can reach a frame",
        [VIEW_BY_HEAT] = "coloured by what caches hold and took in lately, and by what was used last"};
    ui->colouring = colouring;
    snprintf(ui->message, sizeof ui->message, "%s", said[colouring]);
}

static enum view_command command_of_key(int key)
{
    static const struct {
        int key;
        enum view_command command;
    } keys[] = {
        {' ', VIEW_PAUSE},    {'s', VIEW_STEP},           {'.', VIEW_STEP_CYCLE}, {'n', VIEW_STEP_CYCLES},
        {'r', VIEW_RETURN},   {'f', VIEW_NEXT_EXCEPTION}, {'w', VIEW_NEXT_WALK},  {'i', VIEW_NEXT_INTERRUPT},
        {'d', VIEW_NEXT_DMA}, {'m', VIEW_NEXT_WATERMARK}, {'+', VIEW_FASTER},     {'=', VIEW_FASTER},
        {'-', VIEW_SLOWER},   {'p', VIEW_SCREENSHOT},     {'q', VIEW_QUIT},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].key == key)
            return keys[i].command;
    return VIEW_NOTHING;
}

/* A key that only changes what is shown. False: it is another. */
static bool change_picture(struct view_ui *ui, const struct view_source *source, int key)
{
    switch (key) {
    case VIEW_KEY_TAB:
        ui->middle = (ui->middle + 1) % NR_VIEW_MIDDLES;
        return true;
    case 'v':
        ui->shows_vga = !ui->shows_vga;
        return true;
    case 'o':
        change_colouring(ui, (ui->colouring + 1) % NR_VIEW_COLOURINGS);
        return true;
    case 'h':
        change_colouring(ui, ui->colouring == VIEW_BY_HEAT ? VIEW_BY_OWNER : VIEW_BY_HEAT);
        return true;
    case 'l':
        show_next_level(ui, source);
        return true;
    case 'L':
        ui->nr_levels -= ui->nr_levels > 0;
        return true;
    case 'c':
    case 'C':
        choose_process(ui, source, key == 'c');
        return true;
    case 't':
        ui->theme = (ui->theme + 1) % NR_VIEW_THEMES;
        return true;
    case 'z':
    case 'Z':
        change_zoom(ui, key == 'z' ? 1 : -1);
        return true;
    case '?':
        ui->shows_help = !ui->shows_help;
        return true;
    case '/':
        ui->has_prompt = true;
        memset(ui->prompt, 0, sizeof ui->prompt);
        return true;
    default:
        if (key < '0' || key >= '0' + NR_VIEW_PANELS)
            return false;
        ui->panel =
            ui->panel == (enum view_panel)(key - '0') ? VIEW_ALL_PANELS : (enum view_panel)(key - '0');
        return true;
    }
}

enum view_command view_key(struct view_ui *ui, const struct view_source *source, int key)
{
    if (ui->has_prompt) {
        type_at_prompt(ui, source, key);
        return VIEW_NOTHING;
    }
    if (key != 'p') /* a picture of what is said */
        ui->message[0] = 0;
    if (change_picture(ui, source, key))
        return VIEW_NOTHING;
    return key == VIEW_KEY_ESCAPE ? escape(ui) : command_of_key(key);
}
