/* The screen of a VGA in text mode as a console: 80 x 25. */
#pragma once

void vgacon_init(void);
