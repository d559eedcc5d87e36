/* Messages to the consoles. */
#include "printk.h"
#include "string.h"

#define LINE_BYTES 512
#define LOGLEVEL_DEFAULT 7
#define LOGLEVEL_QUIET 4

static struct console *consoles;
static int console_loglevel = LOGLEVEL_DEFAULT;

void register_console(struct console *con)
{
    con->next = consoles;
    consoles = con;
}

void console_write(const char *text, size_t bytes)
{
    for (struct console *con = consoles; con; con = con->next)
        con->write(text, bytes);
}

void console_write_raw(const char *text, size_t bytes)
{
    for (struct console *con = consoles; con; con = con->next)
        con->write_raw(text, bytes);
}

void console_quiet(void)
{
    console_loglevel = LOGLEVEL_QUIET;
}

void printk(const char *fmt, ...)
{
    if (fmt[0] == KERN_SOH[0] && fmt[1]) {
        if (fmt[1] - '0' >= console_loglevel)
            return;
        fmt += 2;
    }
    char line[LINE_BYTES];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    console_write(line, strlen(line));
}
