/* What a key does: it changes what is shown, or asks something of the machine. */
#ifndef LK_SIM_OBSERVE_VIEW_KEYS_H
#define LK_SIM_OBSERVE_VIEW_KEYS_H

#include "sim/observe/view.h"
#include "sim/observe/view_source.h"

/* Keys that are no characters. */
enum { VIEW_KEY_TAB = '\t', VIEW_KEY_ENTER = '\r', VIEW_KEY_ESCAPE = 27, VIEW_KEY_BACKSPACE = 8 };

/* `key` is a character or one of the above. Looks for what the user typed with source->find. */
enum view_command view_key(struct view_ui *ui, const struct view_source *source, int key);

#endif
