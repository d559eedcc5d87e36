/* Going on to the next event that the user of the window waits for. */
#ifndef LK_SIM_RUN_VIEW_STEPS_H
#define LK_SIM_RUN_VIEW_STEPS_H

#include "sim/machine.h"
#include "sim/observe/view.h"

/*
 * Runs until there is one more of what `command` names (VIEW_NEXT_..., VIEW_RETURN). Exceptions, their ends,
 * walks and interrupts are found to the instruction, transfers of devices and watermarks to some thousand
 * cycles. Gives up after some million instructions, or when the guest ends. False with a message when nothing
 * came.
 */
bool run_to_next(struct machine *machine, enum view_command command, char message[VIEW_MESSAGE_CHARS]);

#endif
