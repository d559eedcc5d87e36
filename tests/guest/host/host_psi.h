/* The guest's pressure on a clock of the test's own. */
#pragma once

#define HOST_PSI_TASKS 4u
/* As in guest/include/psi.h. */
#define HOST_RUNNING 1u
#define HOST_IOWAIT 2u
#define HOST_MEMSTALL 4u

enum host_pressure { HOST_CPU, HOST_IO, HOST_MEMORY, NR_HOST_PRESSURES };

/* From now on the task is that. */
void host_psi_set(unsigned int task, unsigned int flags);
/* Time goes on, with ticks of 10 ms. */
void host_psi_pass_us(unsigned long long us);
/* What the file in /proc/pressure says. */
const char *host_psi_text(enum host_pressure pressure);
