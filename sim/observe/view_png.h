/* A model's picture as a PNG file. */
#ifndef LK_SIM_OBSERVE_VIEW_PNG_H
#define LK_SIM_OBSERVE_VIEW_PNG_H

#include "sim/observe/view_model.h"
#include "sim/observe/view_ui.h"
#include <SDL2/SDL_surface.h>

/* On failure adds a line and leaves no partial file. */
bool view_write_png(const struct view_model *model, const struct view_ui *ui, const struct view_size *size,
                    const char *file, struct diag *diag);

/* A surface as a PNG. On failure adds a line; no partial file is left behind. */
bool view_write_surface(SDL_Surface *surface, const char *file, struct diag *diag);

#endif
