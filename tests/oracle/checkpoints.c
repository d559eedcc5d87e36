/*
 * A run that goes from checkpoint to checkpoint, each in a new machine, ends as one that goes through.
 *
 *     checkpoints IMAGE END SEED NR ARGUMENTS [disk=FILE] [PATH=VALUE ...]
 *
 * NR checkpoints at random cycles before END; each is made with the audit that finds fields which were
 * forgotten, read into a machine that was just created, and made again there: the bytes must be the same. At
 * the end all statistics must be. ARGUMENTS are the guest's. The exit status is 0 when all of it held. Run by
 * tests/whole/checkpoints.sh.
 */
#include "sim/machine.h"
#include "tests/unit/snap_fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CHECKPOINTS = 64 };

struct plan {
    const char *image, *arguments;
    struct machine_params params;
    cycle_t end;
    cycle_t at[MAX_CHECKPOINTS]; /* in order */
    unsigned nr;
};

static int give_up(const struct diag *diag, const char *what)
{
    fprintf(stderr, "checkpoints: %s: %s\n", what, diag->nr_lines > 0 ? diag->lines[0] : "failed");
    return 2;
}

static uint64_t random_below(uint64_t *state, uint64_t limit)
{
    *state = *state * 6364136223846793005 + 1442695040888963407;
    return (*state >> 33) % limit;
}

static int compare_cycles(const void *a, const void *b)
{
    cycle_t x = *(const cycle_t *)a, y = *(const cycle_t *)b;
    return x < y ? -1 : x > y;
}

static struct machine *create(const struct plan *plan, struct diag *diag)
{
    return machine_create(&plan->params, diag);
}

static struct machine *begin(const struct plan *plan, struct diag *diag)
{
    struct machine *machine = create(plan, diag);
    if (machine && machine_load(machine, plan->image, plan->arguments, NULL, 0, diag))
        return machine;
    machine_destroy(machine);
    return NULL;
}

/* The first byte that differs, and the section that it is in. */
static void tell_difference(const struct snap_memory *a, const struct snap_memory *b, cycle_t now)
{
    size_t i = 0, nr = a->nr_bytes < b->nr_bytes ? a->nr_bytes : b->nr_bytes;
    while (i < nr && a->bytes[i] == b->bytes[i])
        i++;
    fprintf(stderr,
            "cycle %" PRIu64 ": made again, the checkpoint differs at byte %zu of %zu, in section %s\n", now,
            i, a->nr_bytes, snap_section_at(a, i));
}

/* Into a new machine, and out of it again. NULL: no good. */
static struct machine *pass_on(const struct plan *plan, struct machine *machine, struct diag *diag)
{
    struct snap_memory first = {0}, second = {0};
    cycle_t now = cpu_now(machine_parts(machine).cpu);
    bool is_good = snap_save(machine, &first, diag);
    machine_destroy(machine);
    machine = is_good ? create(plan, diag) : NULL;
    is_good = machine && snap_load(machine, &first, diag) && snap_save(machine, &second, diag);
    if (is_good &&
        (first.nr_bytes != second.nr_bytes || memcmp(first.bytes, second.bytes, first.nr_bytes) != 0)) {
        tell_difference(&first, &second, now);
        is_good = false;
    }
    free(first.bytes);
    free(second.bytes);
    if (is_good)
        return machine;
    machine_destroy(machine);
    return NULL;
}

static char *statistics(struct machine *machine, struct diag *diag)
{
    char name[] = "/tmp/checkpoints.XXXXXX", *text = NULL;
    int fd = mkstemp(name);
    size_t size = 0;
    if (fd < 0 || !stat_write_json(machine_stats(machine), name, NULL, 0, diag))
        return NULL;
    FILE *file = fopen(name, "re");
    if (file && getdelim(&text, &size, '\0', file) < 0)
        text = NULL;
    if (file)
        fclose(file);
    remove(name);
    return text;
}

/* The first line that differs. */
static void compare(const char *through, const char *passed)
{
    while (*through && *passed) {
        size_t a = strcspn(through, "\n"), b = strcspn(passed, "\n");
        if (a != b || strncmp(through, passed, a) != 0) {
            fprintf(stderr, "in one go: %.*s\nby checkpoints: %.*s\n", (int)a, through, (int)b, passed);
            return;
        }
        through += a + (through[a] != '\0');
        passed += b + (passed[b] != '\0');
    }
}

static int run(const struct plan *plan, struct diag *diag)
{
    struct machine *through = begin(plan, diag);
    if (!through)
        return give_up(diag, plan->image);
    enum machine_end end = machine_run(through, plan->end);
    cycle_t last = cpu_now(machine_parts(through).cpu);
    char *expected = statistics(through, diag);
    machine_destroy(through);
    struct machine *machine = begin(plan, diag);
    for (unsigned i = 0; i < plan->nr && machine; i++)
        if (machine_run(machine, plan->at[i]) == MACHINE_RUNNING)
            machine = pass_on(plan, machine, diag);
    if (!machine || !expected)
        return give_up(diag, "checkpoint");
    bool is_good = machine_run(machine, plan->end) == end;
    char *found = statistics(machine, diag);
    is_good = is_good && found && strcmp(expected, found) == 0 && cpu_now(machine_parts(machine).cpu) == last;
    if (!is_good)
        compare(expected, found ? found : "");
    machine_destroy(machine);
    free(expected);
    free(found);
    return is_good ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct diag diag;
    diag_init(&diag);
    if (argc < 6) {
        fprintf(stderr, "usage: checkpoints IMAGE END SEED NR ARGUMENTS [disk=FILE] [PATH=VALUE ...]\n");
        return 2;
    }
    struct plan plan = {.image = argv[1], .end = strtoull(argv[2], NULL, 0), .arguments = argv[5]};
    uint64_t seed = strtoull(argv[3], NULL, 0);
    plan.nr = (unsigned)strtoul(argv[4], NULL, 0);
    if (plan.nr > MAX_CHECKPOINTS || plan.end == 0)
        return give_up(&diag, argv[4]);
    for (unsigned i = 0; i < plan.nr; i++)
        plan.at[i] = 1 + random_below(&seed, plan.end);
    qsort(plan.at, plan.nr, sizeof *plan.at, compare_cycles);
    struct cfg *cfg = cfg_create();
    bool is_good = cfg != NULL;
    for (int i = 6; is_good && i < argc; i++) {
        if (strncmp(argv[i], "disk=", 5) == 0)
            plan.params.disks[0] = (struct disk_source){.file = argv[i] + 5, .mode = DISK_SNAPSHOT};
        else if (strchr(argv[i], '='))
            is_good = cfg_set(cfg, argv[i], &diag);
        else
            is_good = cfg_load_file(cfg, argv[i], &diag);
    }
    if (!is_good || !cfg_check(cfg, &diag))
        return give_up(&diag, "configuration");
    plan.params.config = cfg_values(cfg);
    int status = run(&plan, &diag);
    cfg_destroy(cfg);
    diag_fini(&diag);
    return status;
}
