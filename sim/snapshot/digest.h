/* What names a file's contents: for telling that it is not the file it was, not against forgery. */
#ifndef LK_SIM_SNAPSHOT_DIGEST_H
#define LK_SIM_SNAPSHOT_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

struct digest {
    uint64_t nr_bytes;
    uint64_t hash;
};

/* False when the file cannot be read; errno says why. */
bool digest_file(const char *file, struct digest *digest);

#endif
