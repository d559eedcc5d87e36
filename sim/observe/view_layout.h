/* Which panels a picture has room for, where they lie, and how large its text is. */
#ifndef LK_SIM_OBSERVE_VIEW_LAYOUT_H
#define LK_SIM_OBSERVE_VIEW_LAYOUT_H

#include "sim/observe/view_canvas.h"
#include "sim/observe/view_ui.h"

/* Pixels to a unit of the picture. */
double view_scale(const struct view_size *size, const struct view_ui *ui);

/* A panel that is not shown has a width of 0. `picture` begins at 0, 0; VIEW_ALL_PANELS is not filled in. */
void view_layout(struct box picture, const struct view_ui *ui, struct box panel[NR_VIEW_PANELS]);

#endif
