/*
 * The window of --view, and the same picture as a file without any display. Neither changes anything in the
 * machine: with the window open or closed a run takes the same cycles. The host's time decides only when the
 * window is redrawn.
 */
#ifndef LK_SIM_OBSERVE_VIEW_H
#define LK_SIM_OBSERVE_VIEW_H

#include "sim/base/diag.h"
#include "sim/observe/view_history.h"
#include "sim/observe/view_source.h"
#include "sim/observe/view_ui.h"

#include <stdbool.h>

struct view_params {
    const char *title;      /* of the window */
    struct view_size size;  /* at the start; the user may resize it */
    bool has_size;          /* false: as large as the display's resolution asks for */
    struct view_ui choices; /* what is shown at the start */
};

/* What the user asks of the machine. */
enum view_command {
    VIEW_NOTHING,
    VIEW_PAUSE,          /* or go on, when paused */
    VIEW_STEP,           /* one instruction; pauses */
    VIEW_STEP_CYCLE,     /* one; pauses */
    VIEW_STEP_CYCLES,    /* some thousand cycles; pauses */
    VIEW_NEXT_EXCEPTION, /* goes on to where there is one more of these; pauses */
    VIEW_RETURN,         /* goes on to behind the end of the last exception's handler; pauses */
    VIEW_NEXT_WALK,
    VIEW_NEXT_INTERRUPT,
    VIEW_NEXT_DMA,
    VIEW_NEXT_WATERMARK, /* a zone's free pages are on the other side of a watermark */
    VIEW_FASTER,
    VIEW_SLOWER,
    VIEW_SCREENSHOT,
    VIEW_QUIT,
};

struct view;

/* Opens a window. Without a display, or without the font, adds a line and returns NULL. */
struct view *view_create(const struct view_params *params, struct diag *diag);
void view_destroy(struct view *view);

/*
 * To be called between slices, every few milliseconds: takes what the user typed and redraws when a redraw is
 * due. While source->is_paused it waits a little for the user, so that a paused machine costs no host time.
 */
enum view_command view_frame(struct view *view, const struct view_source *source);

/* What the user has chosen to see so far; a picture that he asks for is of that. */
const struct view_ui *view_choices(const struct view *view);

/* A key as if it were typed into the window: a character, or what view_keys.h names. */
enum view_command view_type(struct view *view, const struct view_source *source, int key);

/* Says something at the bottom until the next key. */
void view_say(struct view *view, const char *message);

/* What the picture's size is now. */
struct view_size view_size(const struct view *view);

/* Draws and writes a PNG. Needs no display. On failure adds a line; no partial file is left behind. */
bool view_screenshot(const struct view_source *source, const struct view_ui *ui, const struct view_size *size,
                     const char *file, struct diag *diag);

#endif
