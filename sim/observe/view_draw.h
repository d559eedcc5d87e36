/*
 * Draws a model. The same model and scale give the same pixels wherever the same fonts and font library are.
 */
#ifndef LK_SIM_OBSERVE_VIEW_DRAW_H
#define LK_SIM_OBSERVE_VIEW_DRAW_H

#include "sim/observe/view_canvas.h"
#include "sim/observe/view_model.h"

/* Where the mouse is, in picture coordinates; outside the picture when nobody points. */
struct view_pointer {
    double x, y;
};
#define VIEW_NO_POINTER ((struct view_pointer){-1, -1})

void view_draw(struct canvas *canvas, const struct view_model *model, struct view_pointer pointer);

#endif
