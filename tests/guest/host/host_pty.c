#include "host_pty.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

bool host_pty_open(struct host_pty *pty)
{
    pty->slave = -1;
    pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (pty->master >= 0 && grantpt(pty->master) == 0 && unlockpt(pty->master) == 0)
        pty->slave = open(ptsname(pty->master), O_RDWR | O_NOCTTY | O_NONBLOCK);
    return pty->slave >= 0;
}

void host_pty_close(struct host_pty *pty)
{
    close(pty->slave);
    close(pty->master);
}

void host_pty_set_termios(const struct host_pty *pty, const void *termios)
{
    ioctl(pty->slave, TCSETS, termios);
}

unsigned int host_pty_input_bytes(const struct host_pty *pty)
{
    int bytes = 0;
    ioctl(pty->slave, FIONREAD, &bytes);
    return (unsigned int)bytes;
}

long host_pty_read(int fd, char *to, size_t bytes)
{
    return (long)read(fd, to, bytes);
}

long host_pty_write(int fd, const char *text, size_t bytes)
{
    return (long)write(fd, text, bytes);
}

void host_pty_yield(unsigned int nr_tries)
{
    const struct timespec nap = {.tv_nsec = 200000};
    if (nr_tries < 20)
        sched_yield();
    else
        nanosleep(&nap, NULL);
}
