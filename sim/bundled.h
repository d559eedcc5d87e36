/* Images that are built with the program and lie beside it, in the folder `guest`. */
#ifndef LK_SIM_BUNDLED_H
#define LK_SIM_BUNDLED_H

#include "sim/base/diag.h"

/* The path of guest/NAME. False with a line; `what` begins it. */
bool bundled_image(const char *what, const char *name, char *into, size_t size_bytes, struct diag *diag);

#endif
