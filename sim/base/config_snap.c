#include "sim/base/config_internal.h"
#include "sim/base/snap.h"

#include <string.h>

enum { PATH_CHARS = 96, MAX_KEYS = 4096 };

/* As a word of the command line would have it. */
static void format_bare(const struct cfg *cfg, const struct cfg_row *row, char text[CFG_TEXT_CHARS])
{
    char quoted[CFG_TEXT_CHARS];
    cfg_format(row, cfg_value(cfg, row), quoted);
    size_t length = strlen(quoted);
    bool has_quotes = length >= 2 && quoted[0] == '"';
    memset(text, 0, CFG_TEXT_CHARS);
    memcpy(text, quoted + has_quotes, length - 2u * has_quotes);
}

static void save(const struct cfg *cfg, const struct cfg_row *row, struct snap *snap)
{
    char path[PATH_CHARS] = {0}, text[CFG_TEXT_CHARS];
    strncpy(path, row->path, sizeof path - 1);
    format_bare(cfg, row, text);
    snap_string(snap, path, sizeof path);
    snap_string(snap, text, sizeof text);
}

/* What is not the default comes from the checkpoint. */
static void load(struct cfg *cfg, struct snap *snap)
{
    char path[PATH_CHARS] = {0}, text[CFG_TEXT_CHARS] = {0}, now[CFG_TEXT_CHARS];
    size_t nr_rows;
    const struct cfg_row *rows = cfg_rows(&nr_rows);
    snap_string(snap, path, sizeof path);
    snap_string(snap, text, sizeof text);
    if (!snap_is_good(snap))
        return;
    size_t index = cfg_find_row(path);
    if (index == nr_rows) {
        snap_fail(snap, "'%s' is no key of this version's configuration", path);
        return;
    }
    format_bare(cfg, &rows[index], now);
    const struct cfg_found found = {
        .type = CFG_FOUND_BARE, .text = text, .place = snap->file, .status = EXIT_STATUS_BAD_DATA};
    if (strcmp(text, now) != 0 && !cfg_assign(cfg, index, &found, snap->diag))
        snap->has_failed = true;
}

void cfg_snap(struct cfg *cfg, struct snap *snap)
{
    size_t nr_rows;
    const struct cfg_row *rows = cfg_rows(&nr_rows);
    uint32_t nr = (uint32_t)nr_rows;
    SNAP_BELOW(snap, nr, MAX_KEYS);
    for (uint32_t i = 0; i < nr && snap_is_good(snap); i++) {
        if (snap->is_load)
            load(cfg, snap);
        else
            save(cfg, &rows[i], snap);
    }
    SNAP_REQUIRE(snap, nr == nr_rows);
}

/* Whether a functional machine works without the key, so that what continues it may have another value. */
static bool is_of_time(const char *path)
{
    static const char *const groups[] = {"cache.", "tlb.", "dram.", "mmu.", "cpu."};
    static const char *const fixed[] = {"cpu.isa", "cpu.frequency", "cpu.apic"};
    bool is_one = false;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        is_one |= strncmp(path, groups[i], strlen(groups[i])) == 0;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        is_one &= strncmp(path, fixed[i], strlen(fixed[i])) != 0;
    return is_one;
}

bool cfg_continues(const struct cfg *cfg, const struct config *before, const char *what, struct diag *diag)
{
    size_t nr_rows;
    const struct cfg_row *rows = cfg_rows(&nr_rows);
    bool was_functional = before->cpu_model == CFG_CPU_FUNCTIONAL, is_good = true;
    for (size_t i = 0; i < nr_rows; i++) {
        char then[CFG_TEXT_CHARS], now[CFG_TEXT_CHARS];
        uint64_t value;
        memcpy(&value, (const char *)before + rows[i].offset, sizeof value);
        if (value == cfg_value(cfg, &rows[i]) || (was_functional && is_of_time(rows[i].path)))
            continue;
        cfg_format(&rows[i], value, then);
        cfg_format(&rows[i], cfg_value(cfg, &rows[i]), now);
        is_good = diag_add(diag, EXIT_STATUS_BAD_DATA, "%s: %s: it goes on with %s, not %s; allowed: %s",
                           what, rows[i].path, then, now,
                           was_functional ? "other values of keys that a functional machine does not use"
                                          : "the same value");
    }
    return is_good;
}
