/* Going on to the next event that the user of the window waits for. */
#ifndef LK_SIM_RUN_VIEW_STEPS_H
#define LK_SIM_RUN_VIEW_STEPS_H

#include "sim/machine.h"
#include "sim/observe/guest_kernel.h"
#include "sim/observe/view.h"

/*
 * Runs until there is one more of what `command` names (VIEW_NEXT_..., VIEW_RETURN). Exceptions, their ends,
 * walks, interrupts and watermarks are found to the instruction, transfers of devices to the event that moves
 * their first burst, or the fetch block that asks for it. Gives up in cycle `until`, after some million
 * instructions, or when the guest ends. False with a message when nothing came. `kernel` may be NULL: without
 * zones no watermark comes.
 */
bool run_to_next(struct machine *machine, const struct guest_kernel *kernel, enum view_command command,
                 cycle_t until, char message[VIEW_MESSAGE_CHARS]);

#endif
