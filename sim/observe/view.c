#include "sim/observe/view.h"

#include "sim/observe/view_draw.h"
#include "sim/observe/view_keys.h"
#include "sim/observe/view_layout.h"

#include <SDL2/SDL.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_MS = 33, PAUSED_WAIT_MS = 20 };
enum { LEAST_WIDTH = 64, LEAST_HEIGHT = 48 };

struct view {
    SDL_Window *window;
    struct canvas *canvas;
    struct view_model *model;
    struct view_size size;
    double scale;            /* of the canvas */
    double window_to_pixels; /* above 1 where the window system counts in larger units than pixels */
    uint64_t next_frame_ms;
    struct view_ui ui;
    struct view_picked picked; /* in the picture that is shown */
};

/* The picture is as large as the window, drawn anew at that size. False when it cannot be drawn. */
static bool fit_canvas(struct view *view, struct diag *diag)
{
    SDL_Surface *screen = SDL_GetWindowSurface(view->window);
    int width, height;
    if (!screen)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "--view: no window: %s", SDL_GetError());
    SDL_GetWindowSize(view->window, &width, &height);
    view->window_to_pixels = width > 0 ? (double)screen->w / width : 1;
    view->size.width = screen->w > LEAST_WIDTH ? screen->w : LEAST_WIDTH;
    view->size.height = screen->h > LEAST_HEIGHT ? screen->h : LEAST_HEIGHT;
    double scale = view_scale(&view->size, &view->ui);
    SDL_Surface *picture = view->canvas ? canvas_surface(view->canvas) : NULL;
    if (picture && scale == view->scale && picture->w == view->size.width && picture->h == view->size.height)
        return true;
    struct canvas *canvas = canvas_create(view->size.width, view->size.height, scale, diag);
    if (!canvas)
        return false;
    canvas_destroy(view->canvas);
    view->canvas = canvas;
    view->scale = scale;
    return true;
}

/* As the display's resolution asks for, and no larger than it. */
static struct view_size first_size(const struct view_params *params)
{
    static const double usual_dpi = 96;
    struct view_size size = params->size;
    SDL_Rect usable;
    float dpi;
    if (params->has_size)
        return size;
    if (SDL_GetDisplayDPI(0, NULL, &dpi, NULL) == 0 && dpi > 1.4 * usual_dpi) {
        double times = fmin(3, round(2 * dpi / usual_dpi) / 2);
        size.width = (int)(size.width * times);
        size.height = (int)(size.height * times);
    }
    if (SDL_GetDisplayUsableBounds(0, &usable) == 0) {
        size.width = size.width < usable.w ? size.width : usable.w;
        size.height = size.height < usable.h ? size.height : usable.h;
    }
    return size;
}

/*
 * Ctrl-C stays the program's, and looking at a machine keeps no screen awake and takes no other window's
 * place.
 */
static void set_hints(void)
{
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
}

struct view *view_create(const struct view_params *params, struct diag *diag)
{
    struct view *view = calloc(1, sizeof *view);
    set_hints();
    if (!view || SDL_InitSubSystem(SDL_INIT_VIDEO) != 0) {
        diag_add(diag, EXIT_STATUS_INTERNAL, "--view: no window: %s (--screenshot needs no display)",
                 SDL_GetError());
        free(view);
        return NULL;
    }
    const char *driver = SDL_GetCurrentVideoDriver();
    if (!getenv("SDL_VIDEODRIVER") && driver &&
        (strcmp(driver, "offscreen") == 0 || strcmp(driver, "dummy") == 0)) {
        diag_add(diag, EXIT_STATUS_INTERNAL,
                 "--view: no window: there is no display (--screenshot needs none)");
        SDL_QuitSubSystem(SDL_INIT_VIDEO);
        free(view);
        return NULL;
    }
    view->ui = params->choices;
    view->size = first_size(params);
    view->model = view_model_create();
    view->window =
        SDL_CreateWindow(params->title, SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, view->size.width,
                         view->size.height, SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI);
    if (!view->model || !view->window)
        diag_add(diag, EXIT_STATUS_INTERNAL, "--view: no window: %s", SDL_GetError());
    if (!view->model || !view->window || !fit_canvas(view, diag)) {
        view_destroy(view);
        return NULL;
    }
    return view;
}

void view_destroy(struct view *view)
{
    if (!view)
        return;
    canvas_destroy(view->canvas);
    view_model_destroy(view->model);
    if (view->window)
        SDL_DestroyWindow(view->window);
    SDL_QuitSubSystem(SDL_INIT_VIDEO);
    free(view);
}

/* A key that stands for no character of its own; 0 for all others, which come as text. */
static int key_of(SDL_Keycode code)
{
    switch (code) {
    case SDLK_TAB:
        return VIEW_KEY_TAB;
    case SDLK_RETURN:
    case SDLK_KP_ENTER:
        return VIEW_KEY_ENTER;
    case SDLK_ESCAPE:
        return VIEW_KEY_ESCAPE;
    case SDLK_BACKSPACE:
        return VIEW_KEY_BACKSPACE;
    default:
        return 0;
    }
}

static struct view_pointer pointer_of(const struct view *view)
{
    int x, y;
    if (SDL_GetMouseFocus() != view->window)
        return VIEW_NO_POINTER;
    SDL_GetMouseState(&x, &y);
    double to_picture = view->window_to_pixels / view->scale;
    return (struct view_pointer){x * to_picture, y * to_picture};
}

static void take_picked(struct view *view, struct view_picked picked)
{
    view->picked = picked;
    view->ui.has_pointed = picked.has_linear;
    view->ui.pointed = picked.linear;
}

/* A key or a click is for where the mouse is now, which the last picture need not know yet. */
static void point(struct view *view)
{
    if (!view->model->memory.owner)
        return;
    view->ui.pointer = pointer_of(view);
    take_picked(view, view_pick(view->canvas, view->model, &view->ui));
}

static enum view_command take_event(struct view *view, const struct view_source *source,
                                    const SDL_Event *event)
{
    switch (event->type) {
    case SDL_QUIT:
        return VIEW_QUIT;
    case SDL_KEYDOWN:
        return key_of(event->key.keysym.sym) ? view_key(&view->ui, source, key_of(event->key.keysym.sym))
                                             : VIEW_NOTHING;
    case SDL_TEXTINPUT:
        point(view);
        /* One character, but for pasted or composed text. */
        return (unsigned char)event->text.text[0] < 0x80 ? view_key(&view->ui, source, event->text.text[0])
                                                         : VIEW_NOTHING;
    case SDL_MOUSEBUTTONDOWN:
        point(view);
        view->ui.has_focus = view->picked.has_linear;
        view->ui.focus = view->picked.linear;
        view->ui.nr_levels = 0;
        return VIEW_NOTHING;
    case SDL_WINDOWEVENT:
        view->next_frame_ms = 0;
        return VIEW_NOTHING;
    default:
        return VIEW_NOTHING;
    }
}

static void redraw(struct view *view, const struct view_source *source)
{
    struct diag ignored;
    if (!view_collect(view->model, source, view->ui.process_root))
        return;
    /* A size that cannot be drawn keeps the picture that there is. */
    diag_init(&ignored);
    fit_canvas(view, &ignored);
    diag_fini(&ignored);
    view->ui.pointer = pointer_of(view);
    if (view->ui.has_focus)
        view_collect_focus(view->model, source, view->ui.focus);
    take_picked(view, view_draw(view->canvas, view->model, &view->ui));
    SDL_Surface *screen = SDL_GetWindowSurface(view->window);
    if (!screen)
        return;
    SDL_BlitSurface(canvas_surface(view->canvas), NULL, screen, NULL);
    SDL_UpdateWindowSurface(view->window);
}

enum view_command view_frame(struct view *view, const struct view_source *source)
{
    enum view_command command = VIEW_NOTHING;
    SDL_Event event;
    bool has_event = source->is_paused || source->end ? SDL_WaitEventTimeout(&event, PAUSED_WAIT_MS)
                                                      : SDL_PollEvent(&event);
    /* One command a call; the rest stays in the queue for the next. */
    while (has_event) {
        command = take_event(view, source, &event);
        if (command != VIEW_NOTHING)
            break;
        has_event = SDL_PollEvent(&event);
    }
    uint64_t now_ms = SDL_GetTicks64();
    if (now_ms >= view->next_frame_ms) {
        redraw(view, source);
        view->next_frame_ms = SDL_GetTicks64() + FRAME_MS;
    }
    return command;
}

const struct view_ui *view_choices(const struct view *view)
{
    return &view->ui;
}

struct view_size view_size(const struct view *view)
{
    return view->size;
}

void view_say(struct view *view, const char *message)
{
    snprintf(view->ui.message, sizeof view->ui.message, "%s", message);
    view->next_frame_ms = 0;
}

enum view_command view_type(struct view *view, const struct view_source *source, int key)
{
    return view_key(&view->ui, source, key);
}
