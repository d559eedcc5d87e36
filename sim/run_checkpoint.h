/*
 * Checkpoints of a run: the machine, and what was counted of it by regions, behind a head that says what
 * it was begun with (docs/checkpoints.md).
 */
#ifndef LK_SIM_RUN_CHECKPOINT_H
#define LK_SIM_RUN_CHECKPOINT_H

#include "sim/machine.h"
#include "sim/run_options.h"
#include "sim/run_stats.h"
#include "sim/snapshot/checkpoint_file.h"
#include "sim/snapshot/digest.h"

enum { RUN_PATH_CHARS = 4096 };

/* What a run was begun with. */
struct run_origin {
    bool has_firmware;
    char image[RUN_PATH_CHARS]; /* as it was named: "demo" */
    char file[RUN_PATH_CHARS];  /* where it is */
    struct digest digest;       /* of the file */
    struct run_origin_disk {
        char file[RUN_PATH_CHARS]; /* "": none */
        enum disk_mode mode;
        struct digest digest;
        bool has_digest; /* of a disk that is only read, once is enough */
    } disks[MACHINE_NR_DISKS];
};

/* A line for a file that cannot be read. */
bool run_origin_make(struct run_origin *origin, const struct run_options *options, const char *image_file,
                     struct diag *diag);

/* A run as far as checkpoints are concerned. */
struct run_parts {
    struct cfg *cfg;
    struct run_origin *origin;
    struct machine *machine;
    struct run_stats *stats;
};

/*
 * Writes DIRECTORY/CYCLE.checkpoint, with the cycle in twenty digits, and makes the directory where there is
 * none. `file` (RUN_PATH_CHARS) gets the name.
 */
bool run_checkpoint_write(const struct run_parts *parts, const char *directory, char *file,
                          struct diag *diag);

/*
 * A checkpoint to go on from, or in a directory the one of the latest cycle: what it was begun with, its
 * configuration into `cfg`, which holds the defaults. Then run_checkpoint_read, once the machine is made.
 */
struct checkpoint_file *run_checkpoint_open(const char *path, struct run_origin *origin, struct cfg *cfg,
                                            struct diag *diag);

/* Reads machine and statistics, and frees the checkpoint in either case. */
bool run_checkpoint_read(struct checkpoint_file *checkpoint, struct machine *machine,
                         struct run_stats *stats);

/*
 * Whether image and disks are what they were: those of the command line, where it names some, else those of
 * then, which are put into the options. `what` names the checkpoint.
 */
bool run_origin_continue(const struct run_origin *origin, struct run_options *options, const char *what,
                         struct diag *diag);

/*
 * The state of one machine, made by run_parts, into another of the same guest: of a functional one into one
 * that is timed.
 */
bool run_hand_over(struct machine *from, struct machine *to, struct run_stats *stats, struct diag *diag);

#endif
