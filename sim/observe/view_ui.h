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

/* What cells of memory, TLBs and caches are coloured by. */
enum view_colouring {
    VIEW_BY_OWNER,   /* of a frame; a TLB entry's is that of the frame it leads to */
    VIEW_BY_PROCESS, /* whose a frame is */
    VIEW_BY_HEAT, /* a frame: lines that caches hold and took in lately; an entry, a line: when it was used */
    NR_VIEW_COLOURINGS
};

/* In the order of the digits that make one fill the window. */
enum view_panel {
    VIEW_ALL_PANELS,
    VIEW_PANEL_MEMORY,
    VIEW_PANEL_WALK,
    VIEW_PANEL_MIDDLE,
    VIEW_PANEL_ARRAYS,
    VIEW_PANEL_TIME,
    VIEW_PANEL_CONSOLE,
    NR_VIEW_PANELS
};

enum view_theme { VIEW_DARK, VIEW_LIGHT, NR_VIEW_THEMES };

/* The picture's size, and how large its text is. */
struct view_size {
    int width, height; /* pixels */
    double scale;      /* of the text: 1 is made for 1280 x 720. 0: as large as all panels have room for */
};
#define VIEW_SIZE_START ((struct view_size){1280, 720, 0})

enum { VIEW_MAX_ZOOM = 6 };

enum { VIEW_PROMPT_CHARS = 48, VIEW_MESSAGE_CHARS = 96 };

struct view_ui {
    struct view_pointer pointer;
    enum view_middle middle;
    enum view_colouring colouring;
    enum view_theme theme;
    enum view_panel panel; /* that fills the window */
    int zoom;              /* steps by which text is larger than its size says; negative: smaller */
    bool shows_vga;        /* instead of COM1 */
    bool shows_help;
    /* The address space that is shown, and whose frames stand out: of this root; 0: the one in use. */
    uint64_t process_root;
    bool has_prompt; /* an address or a symbol is being typed */
    char prompt[VIEW_PROMPT_CHARS];
    bool has_focus; /* an address that was looked for: its walk and its frame are shown */
    uint64_t focus;
    /* The walk for `focus` is shown in full, so many levels of it. 0: in short. */
    unsigned nr_levels;
    bool has_pointed; /* what the pointer is at has a linear address */
    uint64_t pointed;
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
