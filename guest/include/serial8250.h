/* COM1: 16550A, polled, 115200 baud, 8N1. */
#pragma once

/* Sets up the port and registers it as a console. */
void serial8250_console_init(void);
/* From here on, what is typed there goes to the terminal. */
void serial8250_tty_init(void);
