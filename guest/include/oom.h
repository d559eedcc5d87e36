/* Running out of memory (mm/oom_kill.c). */
#pragma once

/*
 * For the current process there is no page: ends it, or another one that has more. Then returns, when that
 * one has had its turn, and the access can be tried again.
 */
void out_of_memory(void);
