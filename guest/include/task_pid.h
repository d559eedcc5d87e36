/* Who is running, for those who need no more of a task than its number. */
#pragma once

#include "types.h"

u32 current_pid(void);
