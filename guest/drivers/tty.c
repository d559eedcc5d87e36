#include "tty.h"
#include "asm/irqflags.h"
#include "asm/uaccess.h"
#include "errno.h"
#include "printk.h"
#include "sched.h"

#define QUEUE_BYTES 1024u /* a power of two */
#define CTRL_D 4

/*
 * Lines that wait to be read, and the one that is being typed: characters from nr_read on, of which those
 * from line_start on can still be taken back. A line ends with a newline, or with CTRL_D, which nobody
 * reads.
 */
static char queue[QUEUE_BYTES];
static u32 nr_read, line_start, nr_typed;
static u32 nr_lines; /* that have ended and are not read to their end */
static DECLARE_WAIT_QUEUE_HEAD(line_came);

static void put(char c)
{
    queue[nr_typed++ % QUEUE_BYTES] = c;
}

static void end_line(char c)
{
    put(c);
    line_start = nr_typed;
    nr_lines++;
    wake_up(&line_came);
}

/* Characters for which there is no room are lost, but for the one that ends the line. */
void tty_receive_char(char c)
{
    u32 room = QUEUE_BYTES - (nr_typed - nr_read);
    if (c == '\b') {
        if (nr_typed != line_start) {
            nr_typed--;
            console_write("\b \b", 3);
        }
        return;
    }
    if (room <= 1 && !(room == 1 && c == '\n'))
        return;
    if (c != CTRL_D)
        console_write(&c, 1);
    if (c == '\n' || c == CTRL_D)
        end_line(c);
    else
        put(c);
}

/* Up to the line's end, which is passed over when it is CTRL_D. */
static u32 take(char *to, u32 bytes)
{
    u32 nr = 0;
    unsigned long flags = local_irq_save();
    while (nr < bytes && nr_lines) {
        char c = queue[nr_read++ % QUEUE_BYTES];
        if (c != CTRL_D)
            to[nr++] = c;
        if (c == '\n' || c == CTRL_D) {
            nr_lines--;
            break;
        }
    }
    local_irq_restore(flags);
    return nr;
}

long tty_read(void __user *to, u32 bytes)
{
    char line[256];
    int error = wait_event_interruptible(line_came, READ_ONCE(nr_lines) != 0);
    if (error)
        return error;
    u32 nr = take(line, min(bytes, (u32)sizeof(line)));
    return copy_to_user(to, line, nr) ? -EFAULT : (long)nr;
}
