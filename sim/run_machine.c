/* The machine of a run: made of image and configuration; what it tells while it runs. */
#include "sim/bundled.h"
#include "sim/run.h"
#include "sim/snapshot/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put_console(void *opaque, uint8_t byte)
{
    struct run *run = opaque;
    if (run_output_new(&run->console, 1) == 0)
        return;
    terminal_put(run->terminal, byte);
    run_view_put(run->view, byte);
}

static void put_log(void *opaque, const char *text, size_t nr_bytes)
{
    size_t nr_new = run_output_new(&((struct run *)opaque)->log, nr_bytes);
    fwrite(text + nr_bytes - nr_new, 1, nr_new, stderr);
}

/* The region that --fast-forward has come to is over before it could begin to count. */
static void miss_region(struct run *run)
{
    run->has_region = false;
    fprintf(stderr,
            "lookaside: --warm-up: region %" PRIu32 " began and ended within the warm-up of %" PRIu64
            " cycles and is not counted: make --warm-up shorter, or use --fast-forward N, to a cycle before "
            "the region, with --warm-up marker\n",
            run->region, run->options.warm_up_cycles);
}

void run_take_note(void *opaque, enum machine_note note, uint32_t id, const char *text)
{
    struct run *run = opaque;
    static const enum trace_mark_kind marks[] = {
        [MACHINE_NOTE_ROI_BEGIN] = TRACE_MARK_ROI_BEGIN,
        [MACHINE_NOTE_ROI_END] = TRACE_MARK_ROI_END,
        [MACHINE_NOTE_MARK] = TRACE_MARK_TEXT,
        [MACHINE_NOTE_RESET_STATS] = TRACE_MARK_RESET_STATS,
        [MACHINE_NOTE_DUMP_STATS] = TRACE_MARK_DUMP_STATS,
    };
    if (note == MACHINE_NOTE_CHECKPOINT) {
        run->wants_checkpoint = run->options.checkpoints && !run->is_ahead &&
                                !history_is_going_back(run->history) && !history_is_behind(run->history);
        if (run->wants_checkpoint)
            machine_stop(run->machine);
        return;
    }
    if (note == MACHINE_NOTE_ROI_BEGIN && run->stops_at_region) {
        run->has_region = true;
        run->region = id;
        machine_stop(run->machine);
        return;
    }
    if (note == MACHINE_NOTE_ROI_END && run->is_ahead && run->has_region && id == run->region) {
        miss_region(run);
        return;
    }
    if (note == MACHINE_NOTE_MARK)
        run_view_mark(run->view, text);
    if (run->trace && !run->is_ahead)
        trace_writer_mark(run->trace, marks[note], id, text);
    run_stats_note(run->stats, run->machine, note, id, &run->diag);
}

static void take_mm_event(void *opaque, const struct mm_event *event)
{
    const struct run *run = opaque;
    char text[MM_EVENT_TEXT_CHARS];
    if (!run->trace || run->is_ahead)
        return;
    mm_event_describe(event, text);
    trace_writer_mark(run->trace, TRACE_MARK_MM_EVENT, event->kind, text);
}

/* Where the image's file is. */
static bool find_image(struct run *run)
{
    const struct run_options *o = &run->options;
    run->image = o->image;
    if (o->restore) {
        struct digest digest; /* it is wanted for its symbols only */
        bool is_there = digest_file(run->origin.file, &digest) && digest.hash == run->origin.digest.hash;
        run->image = is_there ? run->origin.file : NULL;
        return true;
    }
    if (!o->has_firmware && strcmp(o->image, "demo") == 0) {
        run->image = run->demo;
        if (!bundled_image("demo", "kernel-i386.elf", run->demo, sizeof run->demo, &run->diag))
            return false;
    }
    return !o->checkpoints || run_origin_make(&run->origin, o, run->image, &run->diag);
}

struct machine *run_create_machine(struct run *run, const struct config *config, struct diag *diag)
{
    bool is_observed = run->trace && !run->is_ahead, is_profiled = run->profiler && !run->is_ahead;
    struct machine_params params = {
        .config = config,
        .observer = is_observed   ? trace_observer(run->trace)
                    : is_profiled ? profiler_observer(run->profiler)
                                  : NULL,
        .dma_observer = is_observed ? trace_dma_observer(run->trace) : NULL,
        .console = put_console,
        .log = put_log,
        .note = run_take_note,
        .mm_event = take_mm_event,
        .opaque = run,
    };
    memcpy(params.disks, run->options.disks, sizeof params.disks);
    params.nic_sent = run->options.nic_sent;
    params.nic_received = run->options.nic_received;
    params.nic_first = run->options.nic_first;
    return machine_create(&params, diag);
}

static bool load_guest(struct run *run)
{
    const struct run_options *o = &run->options;
    const struct load_params guest = {
        .file = run->image,
        .arguments = o->arguments,
        .modules = o->modules,
        .nr_modules = o->nr_modules,
        .protocol = o->protocol,
        .is_unpacked = o->is_unpacked,
        .load_at = o->load_at,
        .entry = o->entry,
    };
    return o->has_firmware ? machine_load_firmware(run->machine, o->image, &run->diag)
                           : machine_load_guest(run->machine, &guest, &run->diag);
}

bool run_make_machine(struct run *run)
{
    struct config config = *cfg_values(run->cfg);
    if (!find_image(run) || !run_make_profiler(run))
        return false;
    run->is_ahead = run->options.forward_cycles || run->options.warm_up_cycles;
    if (run->options.forward_cycles && config.cpu_model == CFG_CPU_FUNCTIONAL)
        return diag_add(
            &run->diag, EXIT_STATUS_USAGE,
            "--fast-forward: cpu.model is functional, which is fast all the time; allowed: inorder");
    if (run->options.warm_up_cycles && config.cpu_model == CFG_CPU_FUNCTIONAL)
        return diag_add(&run->diag, EXIT_STATUS_USAGE,
                        "--warm-up: cpu.model is functional, which has nothing to warm; allowed: inorder");
    if (run->options.forward_cycles)
        config.cpu_model = CFG_CPU_FUNCTIONAL;
    run->machine = run_create_machine(run, &config, &run->diag);
    if (!run->machine)
        return false;
    if (!run->checkpoint)
        return load_guest(run);
    struct checkpoint_file *checkpoint = run->checkpoint;
    run->checkpoint = NULL;
    return run_checkpoint_read(checkpoint, run->machine, run->stats);
}
