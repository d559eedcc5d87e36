/* What the user has chosen to see: no part of the machine, and no part of what is known of it. */
#ifndef LK_SIM_OBSERVE_VIEW_UI_H
#define LK_SIM_OBSERVE_VIEW_UI_H

#include <stdbool.h>
#include <stdint.h>

/* Where the mouse is, in picture coordinates; outside the picture when nobody points. */
struct view_pointer {
    double x, y;
};
#define VIEW_NO_POINTER ((struct view_pointer){-1, -1})

/* What the panel in the middle shows. */
enum view_middle { VIEW_MIDDLE_COUNTERS, VIEW_MIDDLE_SPACE, VIEW_MIDDLE_DMA, NR_VIEW_MIDDLES };

enum { VIEW_PROMPT_CHARS = 48, VIEW_MESSAGE_CHARS = 96 };

struct view_ui {
    struct view_pointer pointer;
    enum view_middle middle;
    bool shows_vga;  /* instead of COM1 */
    bool shows_heat; /* frames by how much of them caches hold, instead of by owner */
    bool shows_help;
    bool has_prompt; /* an address or a symbol is being typed */
    char prompt[VIEW_PROMPT_CHARS];
    bool has_focus; /* an address that was looked for: its walk and its frame are shown */
    uint64_t focus;
    char message[VIEW_MESSAGE_CHARS]; /* what came of the last key; may be empty */
};

/* A picture with nothing chosen. */
#define VIEW_UI_START ((struct view_ui){.pointer = {-1, -1}})

/* What lies under the pointer. */
struct view_picked {
    bool has_linear;
    uint64_t linear;
    uint64_t first_frame, nr_frames; /* of physical memory; nr_frames 0: none */
    double x, y, w, h;               /* where these are drawn */
};

#endif
