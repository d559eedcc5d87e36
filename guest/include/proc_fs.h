/* /proc: files that the kernel makes up when somebody reads them (fs/proc/), in the formats of proc(5). */
#pragma once

/* Makes the file system known; mount(2) with the type "proc" shows it. */
void proc_init(void);
