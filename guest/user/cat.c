/* Writes what is typed, a line at a time, until Ctrl-D on an empty line. */
#include "ulib.h"

int main(void);

int main(void)
{
    char line[256];
    long bytes;
    while ((bytes = read(0, line, sizeof(line))) > 0)
        write(1, line, (size_t)bytes);
    return bytes < 0;
}
