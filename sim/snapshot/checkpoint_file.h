/*
 * A checkpoint as a file: a head with the version, then chunks of the walk's bytes, each compressed and with
 * a checksum that is looked at before a byte of it is used (docs/checkpoints.md). A file bears its name only
 * when it is whole.
 */
#ifndef LK_SIM_SNAPSHOT_CHECKPOINT_FILE_H
#define LK_SIM_SNAPSHOT_CHECKPOINT_FILE_H

#include "sim/base/snap.h"

enum { CHECKPOINT_VERSION = 1 };

struct checkpoint_file;

/* NULL with a line of status 73 when the file cannot be made. */
struct checkpoint_file *checkpoint_file_create(const char *file, struct diag *diag);
/* NULL with a line of status 66 when it cannot be read, 65 when it is no checkpoint of this version. */
struct checkpoint_file *checkpoint_file_open(const char *file, struct diag *diag);

/* The walk that writes or reads it; the same at each call. */
struct snap *checkpoint_file_snap(struct checkpoint_file *checkpoint);

/*
 * The walk is over. A file that was made gets its name, or (with a line) is removed; of one that was read all
 * has to have been read. False if anything was wrong. Frees it in either case.
 */
bool checkpoint_file_finish(struct checkpoint_file *checkpoint);
/* Frees it; what was made is removed. NULL is allowed. */
void checkpoint_file_abandon(struct checkpoint_file *checkpoint);

#endif
