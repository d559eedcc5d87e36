#include "sim/base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void fini(struct outfile *out)
{
    free(out->name);
    free(out->temporary);
    *out = (struct outfile){0};
}

bool outfile_can_open(const char *name, struct diag *diag)
{
    struct outfile out;
    if (!outfile_open(&out, name, diag))
        return false;
    outfile_abandon(&out);
    return true;
}

bool outfile_open(struct outfile *out, const char *name, struct diag *diag)
{
    /* What is renamed over is gone: that must not be a device. */
    struct stat there;
    *out = (struct outfile){0};
    if (stat(name, &there) == 0 && !S_ISREG(there.st_mode))
        return diag_add(diag, EXIT_STATUS_NO_OUTPUT, "%s: cannot be written: %s", name,
                        S_ISDIR(there.st_mode) ? "it is a directory" : "it is not a regular file");
    *out = (struct outfile){.name = strdup(name)};
    size_t room = strlen(name) + 32;
    out->temporary = malloc(room);
    if (!out->name || !out->temporary) {
        fini(out);
        return diag_add(diag, EXIT_STATUS_INTERNAL, "%s: out of memory", name);
    }
    snprintf(out->temporary, room, "%s.tmp.%ld", name, (long)getpid());
    int fd = open(out->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    out->to = fd < 0 ? NULL : fdopen(fd, "w");
    if (!out->to) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        fini(out);
        return diag_add(diag, EXIT_STATUS_NO_OUTPUT, "%s: cannot be written: %s", name, strerror(error));
    }
    return true;
}

bool outfile_commit(struct outfile *out, struct diag *diag)
{
    bool is_good = !ferror(out->to);
    errno = is_good ? errno : EIO;
    if (fflush(out->to) != 0)
        is_good = false;
    int error = errno;
    if (fclose(out->to) != 0 && is_good) {
        is_good = false;
        error = errno;
    }
    if (is_good && rename(out->temporary, out->name) != 0) {
        is_good = false;
        error = errno;
    }
    if (!is_good) {
        unlink(out->temporary);
        diag_add(diag, EXIT_STATUS_NO_OUTPUT, "%s: cannot be written: %s", out->name, strerror(error));
    }
    fini(out);
    return is_good;
}

void outfile_abandon(struct outfile *out)
{
    if (out->to)
        fclose(out->to);
    if (out->temporary)
        unlink(out->temporary);
    fini(out);
}
