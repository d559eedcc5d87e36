/* Text in a buffer (include/seq_file.h). */
#include "seq_file.h"
#include "printk.h"
#include "string.h"

/* Room for the longest of the files shown on the console. */
static char console_buf[8192];

void seq_printf(struct seq_file *m, const char *fmt, ...)
{
    if (seq_has_overflowed(m))
        return;
    va_list args;
    va_start(args, fmt);
    size_t room = m->size - m->count;
    size_t length = (size_t)vsnprintf(m->buf + m->count, room, fmt, args);
    va_end(args);
    m->count = length < room ? m->count + length : m->size;
}

void seq_lines(void (*show)(struct seq_file *m), void (*put_line)(const char *line))
{
    struct seq_file m = {.buf = console_buf, .size = sizeof(console_buf)};
    m.buf[0] = '\0';
    show(&m);
    char *line = m.buf;
    for (char *end = strchr(line, '\n'); end; end = strchr(line, '\n')) {
        *end = '\0';
        put_line(line);
        line = end + 1;
    }
}

static void print_line(const char *line)
{
    pr_info("%s\n", line);
}

void seq_print(void (*show)(struct seq_file *m))
{
    seq_lines(show, print_line);
}
