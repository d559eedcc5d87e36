#include "sim/load/file_map.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool cannot_read(const char *name, struct diag *diag)
{
    return diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: cannot read: %s", name, strerror(errno));
}

static bool map_open_file(struct file_map *file, int fd, struct diag *diag)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return cannot_read(file->name, diag);
    if (!S_ISREG(status.st_mode))
        return diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: is a %s; allowed: a regular file", file->name,
                        S_ISDIR(status.st_mode) ? "directory" : "device, pipe or socket");
    if (status.st_size == 0)
        return true;
    void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return cannot_read(file->name, diag);
    file->bytes = bytes;
    file->size = (uint64_t)status.st_size;
    return true;
}

bool file_map_open(struct file_map *file, const char *name, struct diag *diag)
{
    *file = (struct file_map){.name = name};
    /* Without O_NONBLOCK the opening of a pipe would wait for its writer. */
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return cannot_read(name, diag);
    bool is_mapped = map_open_file(file, fd, diag);
    close(fd);
    return is_mapped;
}

void file_map_close(struct file_map *file)
{
    if (file->bytes)
        munmap((void *)(uintptr_t)file->bytes, (size_t)file->size);
    *file = (struct file_map){0};
}
