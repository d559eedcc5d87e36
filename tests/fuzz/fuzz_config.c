/*
 * Any bytes as a configuration file: read, checked and shown; never a crash, and each refusal has its line.
 */
#include "sim/base/config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes)
{
    char name[64];
    int fd = memfd_create("config", 0);
    if (fd < 0 || write(fd, data, nr_bytes) != (ssize_t)nr_bytes)
        abort();
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);

    struct diag diag;
    diag_init(&diag);
    struct cfg *cfg = cfg_create();
    bool is_good = cfg_load_file(cfg, name, &diag);
    if (is_good != (diag.nr_lines == 0))
        abort();
    cfg_check(cfg, &diag);
    for (size_t i = 0; i < diag.nr_lines; i++) {
        if (strchr(diag.lines[i], '\n'))
            abort();
    }
    FILE *nowhere = fopen("/dev/null", "w");
    cfg_show(cfg, nowhere);
    fclose(nowhere);
    cfg_destroy(cfg);
    diag_fini(&diag);
    close(fd);
    return 0;
}
