/*
 * Any bytes as an image, by every protocol: loaded, or refused with one line; never a crash.
 * The first byte chooses the protocol, the second whether there are modules and a command line.
 */
#include "sim/load/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes)
{
    enum { CHOICES = 2, RAM_BYTES = 16 << 20 };
    if (nr_bytes < CHOICES)
        return 0;
    char name[64];
    int fd = memfd_create("image", 0);
    if (fd < 0 || write(fd, data + CHOICES, nr_bytes - CHOICES) != (ssize_t)(nr_bytes - CHOICES))
        abort();
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);

    struct ram ram;
    if (!ram_init(&ram, RAM_BYTES))
        abort();
    const struct memory_map map = memory_map(RAM_BYTES);
    const struct load_module modules[] = {{.file = name, .arguments = "text"}, {.file = name}};
    struct load_result result;
    struct diag diag;
    diag_init(&diag);
    bool is_flat = data[0] % (LOAD_FLAT_64 + 1) >= LOAD_FLAT_16;
    const struct load_params params = {
        .file = name,
        .map = &map,
        .protocol = data[0] % (LOAD_FLAT_64 + 1),
        .modules = modules,
        .nr_modules = data[1] % 3,
        .arguments = data[1] & 0x80 ? "root=/dev/ram0" : NULL,
        .has_long_mode = data[1] & 0x40,
        .load_at = is_flat && data[1] & 0x20 ? data[1] * 4096u : 0,
    };
    bool is_good = load_image(&params, &ram, &result, &diag);
    if (is_good != (diag.nr_lines == 0) || diag.nr_lines > 1)
        abort();
    if (!is_good && (diag.status < EXIT_STATUS_USAGE || diag.status > EXIT_STATUS_NO_INPUT ||
                     strchr(diag.lines[0], '\n')))
        abort();
    load_result_fini(&result);
    diag_fini(&diag);
    ram_fini(&ram);
    close(fd);
    return 0;
}
