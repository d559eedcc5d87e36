#include "sim/run_checkpoint.h"

#include "sim/snapshot/memory_snap.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SUFFIX ".checkpoint"

/* ---- What a run was begun with ---- */

static bool is_same_digest(const struct digest *a, const struct digest *b)
{
    return a->nr_bytes == b->nr_bytes && a->hash == b->hash;
}

static bool make_digest(const char *file, struct digest *digest, struct diag *diag)
{
    return digest_file(file, digest) ||
           diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: cannot read: %s", file, strerror(errno));
}

static bool copy_path(char to[RUN_PATH_CHARS], const char *from, struct diag *diag)
{
    return (size_t)snprintf(to, RUN_PATH_CHARS, "%s", from) < RUN_PATH_CHARS ||
           diag_add(diag, EXIT_STATUS_NO_INPUT, "%.80s...: this path is too long", from);
}

bool run_origin_make(struct run_origin *origin, const struct run_options *options, const char *image_file,
                     struct diag *diag)
{
    memset(origin, 0, sizeof *origin);
    origin->has_firmware = options->has_firmware;
    bool is_good = copy_path(origin->image, options->image, diag) &&
                   copy_path(origin->file, image_file, diag) &&
                   make_digest(image_file, &origin->digest, diag);
    for (unsigned i = 0; i < MACHINE_NR_DISKS && is_good; i++) {
        origin->disks[i].mode = options->disks[i].mode;
        if (options->disks[i].file)
            is_good = copy_path(origin->disks[i].file, options->disks[i].file, diag);
    }
    return is_good;
}

/* Of what the guest may write, as it is now; what it may not cannot have changed. */
static bool make_disk_digests(struct run_origin *origin, struct diag *diag)
{
    for (unsigned i = 0; i < MACHINE_NR_DISKS; i++) {
        struct run_origin_disk *disk = &origin->disks[i];
        if (!disk->file[0] || (disk->has_digest && disk->mode != DISK_READ_WRITE))
            continue;
        if (!make_digest(disk->file, &disk->digest, diag))
            return false;
        disk->has_digest = true;
    }
    return true;
}

static void digest_snap(struct digest *digest, struct snap *snap)
{
    SNAP(snap, digest->nr_bytes);
    SNAP(snap, digest->hash);
}

static void origin_snap(struct run_origin *origin, struct snap *snap)
{
    SNAP_FLAG(snap, origin->has_firmware);
    snap_string(snap, origin->image, sizeof origin->image);
    snap_string(snap, origin->file, sizeof origin->file);
    digest_snap(&origin->digest, snap);
    for (unsigned i = 0; i < MACHINE_NR_DISKS; i++) {
        snap_string(snap, origin->disks[i].file, sizeof origin->disks[i].file);
        SNAP_BELOW(snap, origin->disks[i].mode, DISK_SNAPSHOT + 1);
        digest_snap(&origin->disks[i].digest, snap);
    }
}

static bool is_image(const struct run_origin *origin, const char *file, const char *what, struct diag *diag)
{
    struct digest digest;
    if (!make_digest(file, &digest, diag))
        return false;
    return is_same_digest(&digest, &origin->digest) ||
           diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: it goes on with %s, and %s is another image", what,
                    origin->image, file);
}

static bool is_disk(const struct run_origin_disk *disk, unsigned number, const struct disk_source *source,
                    const char *what, struct diag *diag)
{
    static const char *const modes[] = {
        [DISK_READ_WRITE] = "rw", [DISK_READ_ONLY] = "ro", [DISK_SNAPSHOT] = "snapshot"};
    struct digest digest;
    if (!source->file || !disk->file[0])
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: disk %u: it goes on with %s, not %s", what, number,
                        disk->file[0] ? disk->file : "none", source->file ? source->file : "none");
    if (source->mode != disk->mode)
        return diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: disk %u: it goes on with ,%s, not ,%s", what, number,
                        modes[disk->mode], modes[source->mode]);
    if (!make_digest(source->file, &digest, diag))
        return false;
    return is_same_digest(&digest, &disk->digest) ||
           diag_add(diag, EXIT_STATUS_BAD_DATA,
                    "%s: disk %u: %s has other contents than when the checkpoint was made%s", what, number,
                    source->file, disk->mode == DISK_READ_WRITE ? "; ,snapshot keeps what is written" : "");
}

static bool take_disks(const struct run_origin *origin, struct run_options *options, struct diag *diag)
{
    for (unsigned i = 0; i < MACHINE_NR_DISKS; i++) {
        options->disks[i].mode = origin->disks[i].mode;
        options->disks[i].file = origin->disks[i].file[0] ? strdup(origin->disks[i].file) : NULL;
        options->nr_disks = options->disks[i].file ? i + 1 : options->nr_disks;
        if (origin->disks[i].file[0] && !options->disks[i].file)
            return diag_add(diag, EXIT_STATUS_INTERNAL, "out of memory");
    }
    return true;
}

bool run_origin_continue(const struct run_origin *origin, struct run_options *options, const char *what,
                         struct diag *diag)
{
    bool is_good = !options->image || is_image(origin, options->image, what, diag);
    if (options->nr_disks == 0 && !take_disks(origin, options, diag))
        return false;
    for (unsigned i = 0; i < MACHINE_NR_DISKS; i++)
        if (options->disks[i].file || origin->disks[i].file[0])
            is_good &= is_disk(&origin->disks[i], i, &options->disks[i], what, diag);
    options->image = origin->image;
    options->has_firmware = origin->has_firmware;
    return is_good;
}

/* ---- Writing ---- */

static bool make_directory(const char *directory, struct diag *diag)
{
    return mkdir(directory, 0777) == 0 || errno == EEXIST ||
           diag_add(diag, EXIT_STATUS_NO_OUTPUT, "%s: cannot make this directory: %s", directory,
                    strerror(errno));
}

bool run_checkpoint_write(const struct run_parts *parts, const char *directory, char *file, struct diag *diag)
{
    cycle_t now = cpu_now(machine_parts(parts->machine).cpu);
    if ((size_t)snprintf(file, RUN_PATH_CHARS, "%s/%020" PRIu64 SUFFIX, directory, now) >= RUN_PATH_CHARS)
        return diag_add(diag, EXIT_STATUS_NO_OUTPUT, "%.80s...: this path is too long", directory);
    if (!make_directory(directory, diag) || !make_disk_digests(parts->origin, diag))
        return false;
    struct checkpoint_file *checkpoint = checkpoint_file_create(file, diag);
    if (!checkpoint)
        return false;
    struct snap *snap = checkpoint_file_snap(checkpoint);
    snap_section(snap, "run");
    origin_snap(parts->origin, snap);
    cfg_snap(parts->cfg, snap);
    machine_snap(parts->machine, snap);
    run_stats_snap(parts->stats, parts->machine, snap);
    return checkpoint_file_finish(checkpoint);
}

/* ---- Reading ---- */

static bool is_checkpoint_name(const char *name)
{
    size_t length = strlen(name), suffix = sizeof SUFFIX - 1;
    return length > suffix && strcmp(name + length - suffix, SUFFIX) == 0;
}

/* The file itself, or in a directory the last one by its name, which is that of the latest cycle. */
static bool find_file(const char *path, char file[RUN_PATH_CHARS], struct diag *diag)
{
    struct stat there;
    if (stat(path, &there) != 0 || !S_ISDIR(there.st_mode))
        return copy_path(file, path, diag);
    DIR *directory = opendir(path);
    char latest[NAME_MAX + 1] = "";
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        if (is_checkpoint_name(entry->d_name) && strcmp(entry->d_name, latest) > 0)
            snprintf(latest, sizeof latest, "%s", entry->d_name);
    if (directory)
        closedir(directory);
    if (!latest[0])
        return diag_add(diag, EXIT_STATUS_NO_INPUT, "%s: holds no checkpoint (CYCLE" SUFFIX ")", path);
    return (size_t)snprintf(file, RUN_PATH_CHARS, "%s/%s", path, latest) < RUN_PATH_CHARS ||
           diag_add(diag, EXIT_STATUS_NO_INPUT, "%.80s...: this path is too long", path);
}

struct checkpoint_file *run_checkpoint_open(const char *path, struct run_origin *origin, struct cfg *cfg,
                                            struct diag *diag)
{
    char file[RUN_PATH_CHARS];
    memset(origin, 0, sizeof *origin);
    if (!find_file(path, file, diag))
        return NULL;
    struct checkpoint_file *checkpoint = checkpoint_file_open(file, diag);
    if (!checkpoint)
        return NULL;
    struct snap *snap = checkpoint_file_snap(checkpoint);
    snap_section(snap, "run");
    origin_snap(origin, snap);
    cfg_snap(cfg, snap);
    if (snap_is_good(snap))
        return checkpoint;
    checkpoint_file_abandon(checkpoint);
    return NULL;
}

bool run_checkpoint_read(struct checkpoint_file *checkpoint, struct machine *machine, struct run_stats *stats)
{
    struct snap *snap = checkpoint_file_snap(checkpoint);
    machine_snap(machine, snap);
    if (snap_is_good(snap))
        run_stats_snap(stats, machine, snap);
    return checkpoint_file_finish(checkpoint);
}

/* ---- From one machine to another ---- */

/* The machine on one side, and what belongs to its run beside it. */
struct hand {
    struct machine *machine;
    struct run_stats *stats;
};

static void hand_snap(void *opaque, struct snap *snap)
{
    const struct hand *hand = opaque;
    machine_snap(hand->machine, snap);
    if (snap_is_good(snap))
        run_stats_snap(hand->stats, hand->machine, snap);
}

bool run_hand_over(struct machine *from, struct machine *to, struct run_stats *stats, struct diag *diag)
{
    struct memory_snap memory;
    struct hand giver = {.machine = from, .stats = stats}, taker = {.machine = to, .stats = stats};
    const struct memory_snap_walk give = {.walk = hand_snap, .opaque = &giver, .name = "--fast-forward"};
    const struct memory_snap_walk take = {.walk = hand_snap, .opaque = &taker, .name = "--fast-forward"};
    if (!memory_snap_save(&memory, &give, diag))
        return false;
    bool is_good = memory_snap_load(&memory, &take, diag);
    memory_snap_free(&memory);
    return is_good;
}
