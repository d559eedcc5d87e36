#include "sim/observe/view_keys.h"

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
    if (!ui->shows_help && !ui->has_focus)
        return VIEW_QUIT;
    if (ui->shows_help)
        ui->shows_help = false;
    else
        ui->has_focus = false;
    return VIEW_NOTHING;
}

static enum view_command command_of_key(int key)
{
    static const struct {
        int key;
        enum view_command command;
    } keys[] = {
        {' ', VIEW_PAUSE},          {'s', VIEW_STEP},           {'n', VIEW_STEP_CYCLES},
        {'f', VIEW_NEXT_EXCEPTION}, {'w', VIEW_NEXT_WALK},      {'i', VIEW_NEXT_INTERRUPT},
        {'d', VIEW_NEXT_DMA},       {'m', VIEW_NEXT_WATERMARK}, {'+', VIEW_FASTER},
        {'=', VIEW_FASTER},         {'-', VIEW_SLOWER},         {'p', VIEW_SCREENSHOT},
        {'q', VIEW_QUIT},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].key == key)
            return keys[i].command;
    return VIEW_NOTHING;
}

enum view_command view_key(struct view_ui *ui, const struct view_source *source, int key)
{
    if (ui->has_prompt) {
        type_at_prompt(ui, source, key);
        return VIEW_NOTHING;
    }
    if (key != 'p') /* a picture of what is said */
        ui->message[0] = 0;
    switch (key) {
    case VIEW_KEY_TAB:
        ui->middle = (ui->middle + 1) % NR_VIEW_MIDDLES;
        return VIEW_NOTHING;
    case VIEW_KEY_ESCAPE:
        return escape(ui);
    case 'v':
        ui->shows_vga = !ui->shows_vga;
        return VIEW_NOTHING;
    case 'h':
        ui->shows_heat = !ui->shows_heat;
        return VIEW_NOTHING;
    case '?':
        ui->shows_help = !ui->shows_help;
        return VIEW_NOTHING;
    case '/':
        ui->has_prompt = true;
        memset(ui->prompt, 0, sizeof ui->prompt);
        return VIEW_NOTHING;
    default:
        return command_of_key(key);
    }
}
