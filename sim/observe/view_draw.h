/*
 * Draws a model. The same model and scale give the same pixels wherever the same fonts and font library are.
 */
#ifndef LK_SIM_OBSERVE_VIEW_DRAW_H
#define LK_SIM_OBSERVE_VIEW_DRAW_H

#include "sim/observe/view_canvas.h"
#include "sim/observe/view_model.h"
#include "sim/observe/view_ui.h"

/* Returns what lies under the pointer. */
struct view_picked view_draw(struct canvas *canvas, const struct view_model *model, const struct view_ui *ui);

/* The same of the panel that is pointed at, without the rest of the picture. */
struct view_picked view_pick(struct canvas *canvas, const struct view_model *model, const struct view_ui *ui);

#endif
