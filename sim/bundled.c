#include "sim/bundled.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool bundled_image(const char *what, const char *name, char *into, size_t size_bytes, struct diag *diag)
{
    ssize_t length = readlink("/proc/self/exe", into, size_bytes);
    if (length < 0 || (size_t)length >= size_bytes)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "%s: cannot tell where this program lies", what);
    into[length] = '\0';
    char *slash = strrchr(into, '/');
    size_t room = size_bytes - (size_t)(slash - into);
    if ((size_t)snprintf(slash, room, "/guest/%s", name) >= room)
        return diag_add(diag, EXIT_STATUS_INTERNAL, "%s: the path of this program is too long", what);
    return true;
}
