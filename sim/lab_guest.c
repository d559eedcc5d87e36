/* Runs the guest of a lab and takes down what it says, and what the statistics count in its regions. */
#include "sim/bundled.h"
#include "sim/lab.h"
#include "sim/lab_disk.h"
#include "sim/observe/guest_note.h"
#include "sim/report_stale.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_CHARS = 512, SLICE_CYCLES = 100000000 };
/* Marks with ids below are steps of the boot (guest/labs/report.c). */
enum { FIRST_REGION_ID = 256 };
static const cycle_t limit_cycles = UINT64_C(20000000000);

static const struct {
    const char *tag;
    enum lab_line_kind kind;
} tags[] = {
    {"figure: ", LAB_LINE_FIGURE},
    {"ok: ", LAB_LINE_HOLDS},
    {"FAILED: ", LAB_LINE_FAILED},
    {"skipped: ", LAB_LINE_SKIPPED},
};

struct running {
    struct machine *machine;
    struct lab_outcome *outcome;
    char line[LINE_CHARS];
    size_t line_length;
    uint32_t mark_id; /* the last mark; a region that begins with the same id bears its name */
    char *mark;
    struct {
        struct stat_snapshot *begin; /* NULL: it has ended */
        uint32_t id;
    } open[LAB_MAX_REGIONS]; /* of the region of that number */
    bool keeps_timeline;
    bool is_short_of_memory;
};

static bool add_line(struct lab_lines *lines, enum lab_line_kind kind, const char *text)
{
    struct lab_line *more = realloc(lines->line, (lines->nr + 1) * sizeof *more);
    if (!more)
        return false;
    lines->line = more;
    lines->line[lines->nr].kind = kind;
    lines->line[lines->nr].text = strdup(text);
    return lines->line[lines->nr].text && ++lines->nr;
}

static void take_line(struct running *r)
{
    const char *text = r->line;
    enum lab_line_kind kind = LAB_LINE_SAID;
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        size_t length = strlen(tags[i].tag);
        if (strncmp(text, tags[i].tag, length) == 0) {
            kind = tags[i].kind;
            text += length;
            break;
        }
    }
    r->is_short_of_memory |= !add_line(&r->outcome->lines, kind, text);
}

static void take_byte(void *opaque, uint8_t byte)
{
    struct running *r = opaque;
    if (byte == '\n') {
        r->line[r->line_length] = '\0';
        take_line(r);
        r->line_length = 0;
    } else if (byte >= ' ' && r->line_length + 1 < sizeof r->line) {
        r->line[r->line_length++] = (char)byte;
    }
}

static void begin_region(struct running *r, uint32_t id)
{
    unsigned number = r->outcome->nr_regions;
    if (number == LAB_MAX_REGIONS)
        return;
    struct lab_region *region = &r->outcome->regions[number];
    char name[32];
    snprintf(name, sizeof name, "region %u", (unsigned)id);
    region->name = strdup(r->mark && r->mark_id == id ? r->mark : name);
    r->open[number].begin = stat_snapshot_take(machine_stats(r->machine));
    r->open[number].id = id;
    r->is_short_of_memory |= !region->name || !r->open[number].begin;
    if (region->name && r->keeps_timeline)
        timeline_begin_phase(&r->outcome->timeline, region->name, cpu_now(machine_parts(r->machine).cpu));
    r->outcome->nr_regions++;
}

static void end_region(struct running *r, uint32_t id)
{
    static const char *const statistics[] = {
#define LAB_COUNTER(id, json, heading, statistic) statistic,
#include "sim/lab_counters.def"
#undef LAB_COUNTER
    };
    struct stat_registry *stats = machine_stats(r->machine);
    for (unsigned i = r->outcome->nr_regions; i-- > 0;) {
        if (!r->open[i].begin || r->open[i].id != id)
            continue;
        stat_count_since(stats, r->open[i].begin);
        for (unsigned j = 0; j < NR_LAB_COUNTERS; j++)
            stat_get_count(stats, statistics[j], &r->outcome->regions[i].counts[j]);
        stat_count_since(stats, NULL);
        stat_snapshot_free(r->open[i].begin);
        r->open[i].begin = NULL;
        timeline_end_phase(&r->outcome->timeline, cpu_now(machine_parts(r->machine).cpu));
        return;
    }
}

static void begin_step(struct running *r, const char *name)
{
    struct lab_outcome *outcome = r->outcome;
    if (outcome->nr_steps == LAB_MAX_STEPS)
        return;
    struct lab_step *step = &outcome->steps[outcome->nr_steps++];
    step->name = strdup(name);
    step->cycle = cpu_now(machine_parts(r->machine).cpu);
    stat_get_count(machine_stats(r->machine), "cpu0.instructions", &step->instructions);
    r->is_short_of_memory |= !step->name;
}

static void take_note(void *opaque, enum machine_note note, uint32_t id, const char *text)
{
    struct running *r = opaque;
    if (note == MACHINE_NOTE_MARK) {
        free(r->mark);
        r->mark = strdup(text);
        r->mark_id = id;
        if (id < FIRST_REGION_ID)
            begin_step(r, text);
    } else if (note == MACHINE_NOTE_ROI_BEGIN) {
        begin_region(r, id);
    } else if (note == MACHINE_NOTE_ROI_END) {
        end_region(r, id);
    }
}

/* A pid has a name of its own only in the kernel: it is the running task's, whose event this is. */
static void name_current_task(struct running *r, uint32_t pid)
{
    struct machine_parts parts = machine_parts(r->machine);
    struct guest_note note;
    uint32_t task;
    char name[16] = "";
    if (guest_note_parse(&note, parts.note, parts.note_bytes) == NULL &&
        cpu_peek(parts.cpu, laddr(note.current_task_addr), &task, sizeof task))
        (void)cpu_peek(parts.cpu, laddr((uint64_t)task + note.task_comm_offset), name, sizeof name - 1);
    timeline_name_task(&r->outcome->timeline, pid, name);
}

static void take_mm_event(void *opaque, const struct mm_event *event)
{
    struct running *r = opaque;
    if (!r->keeps_timeline)
        return;
    timeline_add(&r->outcome->timeline, event);
    if (event->kind == MM_EVENT_DIRECT_RECLAIM_BEGIN || event->kind == MM_EVENT_WRITEBACK_BEGIN ||
        event->kind == MM_EVENT_BLOCK_IO_BEGIN || event->kind == MM_EVENT_SWAP_IN_BEGIN ||
        event->kind == MM_EVENT_THROTTLE_BEGIN)
        name_current_task(r, event->edx);
}

/* How a machine ends that the lab did not end itself. */
static const char *other_end(enum machine_end end)
{
    switch (end) {
    case MACHINE_RUNNING:
        return "the lab ends within 20000000000 cycles";
    case MACHINE_TRIPLE_FAULT:
        return "no triple fault ends the lab";
    case MACHINE_PANIC:
        return "no panic ends the lab";
    case MACHINE_HALTED:
        return "the processor is not halted for good in the lab";
    default:
        return "the lab ends as it should";
    }
}

static void judge(struct running *r, const struct lab_row *row, enum machine_end end)
{
    struct lab_outcome *outcome = r->outcome;
    outcome->cycles = cpu_now(machine_parts(r->machine).cpu);
    if (row->panics && end == MACHINE_PANIC)
        return;
    if (end != MACHINE_GUEST_EXIT) {
        r->is_short_of_memory |= !add_line(&outcome->lines, LAB_LINE_FAILED, other_end(end));
        outcome->verdict = LAB_FAILED;
        return;
    }
    unsigned status = machine_guest_status(r->machine);
    outcome->verdict = status == LAB_PASSED ? LAB_PASSED : status == LAB_SKIPPED ? LAB_SKIPPED : LAB_FAILED;
}

/* The events stay in the machine, and their device's names with them: the sentence says them. */
static bool take_stale(struct running *r, const char *image)
{
    size_t nr;
    struct lab_outcome *outcome = r->outcome;
    const struct cache_stale *stale = machine_stale(r->machine, &nr);
    struct elf_symbols *symbols = nr ? elf_symbols_load(image) : NULL;
    bool is_good = true;
    for (size_t i = 0; i < nr && is_good; i++) {
        char text[STALE_TEXT_CHARS];
        uint64_t offset;
        const char *function = elf_symbols_find(symbols, stale[i].ip, &offset);
        struct lab_stale *taken = &outcome->stale[outcome->nr_stale++];
        stale_describe(r->machine, &stale[i], symbols, text);
        taken->stale = stale[i];
        taken->stale.device = NULL;
        taken->sentence = strdup(text);
        taken->function = function ? strdup(function) : NULL;
        is_good = taken->sentence && (taken->function || !function);
    }
    elf_symbols_free(symbols);
    return is_good;
}

static bool run(struct running *r, const struct lab_result *result, struct diag *diag)
{
    const struct lab_row *row = result->row;
    char kernel[64], image[4096], arguments[256];
    snprintf(kernel, sizeof kernel, "kernel-%s.elf", result->kernel);
    snprintf(arguments, sizeof arguments, "quiet lab=%s%s%s", row->name, row->options ? " " : "",
             row->options ? row->options : "");
    if (!bundled_image("lab", kernel, image, sizeof image, diag) ||
        !machine_load(r->machine, image, arguments, NULL, 0, diag))
        return false;
    enum machine_end end = MACHINE_RUNNING;
    cycle_t now = 0;
    while (end == MACHINE_RUNNING && now < limit_cycles) {
        end = machine_run(r->machine, now + SLICE_CYCLES);
        now = cpu_now(machine_parts(r->machine).cpu);
    }
    if (r->line_length)
        take_byte(r, '\n');
    judge(r, row, end);
    r->is_short_of_memory |= !take_stale(r, image);
    return true;
}

static bool run_machine(struct lab_result *result, const struct config *config, const char *disk,
                        struct diag *diag)
{
    struct running r = {.outcome = &result->outcomes[result->nr_outcomes],
                        .keeps_timeline = result->row->has_timeline};
    struct machine_params params = {
        .config = config, .console = take_byte, .note = take_note, .mm_event = take_mm_event, .opaque = &r};
    params.disks[0] =
        (struct disk_source){.file = disk, .mode = result->row->has_root ? DISK_SNAPSHOT : DISK_READ_WRITE};
    r.machine = machine_create(&params, diag);
    if (!r.machine)
        return false;
    result->nr_outcomes++;
    bool is_good = run(&r, result, diag);
    for (unsigned i = 0; i < r.outcome->nr_regions; i++)
        stat_snapshot_free(r.open[i].begin);
    free(r.mark);
    machine_destroy(r.machine);
    if (is_good && (r.is_short_of_memory || r.outcome->timeline.is_short_of_memory))
        is_good = diag_add(diag, EXIT_STATUS_INTERNAL, "lab %s: out of memory", result->row->name);
    return is_good;
}

/* Made by tools/root_image, which needs more than a compiler: it may be missing. */
static bool run_with_root(struct lab_result *result, const struct config *config, struct diag *diag)
{
    char image[4096];
    if (!bundled_image("lab", "root-i386.ext2", image, sizeof image, diag))
        return false;
    if (access(image, R_OK) == 0)
        return run_machine(result, config, image, diag);
    struct lab_outcome *outcome = &result->outcomes[result->nr_outcomes++];
    outcome->verdict = LAB_SKIPPED;
    return add_line(&outcome->lines, LAB_LINE_SKIPPED,
                    "no root file system beside the kernel: tools/root_image makes it") ||
           diag_add(diag, EXIT_STATUS_INTERNAL, "lab %s: out of memory", result->row->name);
}

bool lab_run_guest(struct lab_result *result, const struct config *config, const char *machine,
                   struct diag *diag)
{
    struct lab_outcome *outcome = &result->outcomes[result->nr_outcomes];
    char disk[LAB_DISK_FILE_CHARS];
    outcome->machine = machine;
    if (result->row->has_root)
        return run_with_root(result, config, diag);
    if (!result->row->has_disk)
        return run_machine(result, config, NULL, diag);
    if (!lab_disk_make(disk, diag))
        return false;
    bool is_good = run_machine(result, config, disk, diag);
    outcome->disk = lab_disk_take(disk, diag);
    return is_good && outcome->disk;
}

static void free_lines(struct lab_lines *lines)
{
    for (size_t i = 0; i < lines->nr; i++)
        free(lines->line[i].text);
    free(lines->line);
}

void lab_result_fini(struct lab_result *result)
{
    for (unsigned i = 0; i < result->nr_outcomes; i++) {
        struct lab_outcome *outcome = &result->outcomes[i];
        free_lines(&outcome->lines);
        free(outcome->disk);
        timeline_fini(&outcome->timeline);
        for (unsigned j = 0; j < outcome->nr_regions; j++)
            free(outcome->regions[j].name);
        for (unsigned j = 0; j < outcome->nr_steps; j++)
            free(outcome->steps[j].name);
        for (unsigned j = 0; j < outcome->nr_stale; j++) {
            free(outcome->stale[j].function);
            free(outcome->stale[j].sentence);
        }
    }
    free_lines(&result->claims);
}

void lab_claim(struct lab_result *result, bool holds, const char *format, ...)
{
    char text[LINE_CHARS];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    /* Without memory for it the claim is lost, and with it, at worst, that it holds. */
    if (!add_line(&result->claims, holds ? LAB_LINE_HOLDS : LAB_LINE_FAILED, text))
        result->outcomes[0].verdict = LAB_FAILED;
}

uint64_t lab_count(const struct lab_outcome *outcome, const char *region, enum lab_counter counter)
{
    for (unsigned i = 0; i < outcome->nr_regions; i++) {
        if (strcmp(outcome->regions[i].name, region) == 0)
            return outcome->regions[i].counts[counter];
    }
    return 0;
}
