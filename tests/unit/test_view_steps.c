/*
 * Where the window stops at the next crossing of a watermark and at the next transfer of a device. The
 * bundled kernel says of each crossing right behind it (marker 12h), and an observer sees each line that a
 * device moves.
 */
#include "cpu/debugger.h"
#include "dma/master.h"
#include "sim/base/event.h"
#include "sim/run_view_steps.h"
#include "tests/unit/booted_guest.h"

#include <criterion/criterion.h>
#include <string.h>

struct guest {
    struct booted_guest booted;
    struct guest_kernel kernel;
    struct dma_observer observer;
    uint64_t nr_crossings, nr_lines;
    cycle_t first_asked; /* of the lines since nr_lines was 0 */
};

static void take_mm_event(void *opaque, const struct mm_event *event)
{
    struct guest *guest = opaque;
    guest->nr_crossings += event->kind == MM_EVENT_BELOW_WATERMARK || event->kind == MM_EVENT_ABOVE_WATERMARK;
}

static void take_line(void *opaque, const struct dma_seen_line *line)
{
    struct guest *guest = opaque;
    guest->first_asked = guest->nr_lines++ ? guest->first_asked : line->asked;
}

static void boot(struct guest *guest, const char *arguments, cycle_t until)
{
    *guest = (struct guest){.observer = {guest, take_line}};
    const struct machine_params watched = {
        .dma_observer = &guest->observer, .mm_event = take_mm_event, .opaque = guest};
    boot_guest(&guest->booted, "machine.ram=64MiB", &watched, arguments, until);
    struct machine_parts parts = machine_parts(guest->booted.machine);
    guest_kernel_init(&guest->kernel, parts.ram, parts.note, parts.note_bytes);
}

static void end(struct guest *guest)
{
    guest_kernel_fini(&guest->kernel);
    end_guest(&guest->booted);
}

/* Of how many watermarks no more pages are free, in all zones. */
static unsigned nr_at_or_below(const struct guest *guest)
{
    unsigned nr = 0;
    struct guest_zone zone;
    for (unsigned i = 0; i < GUEST_MAX_ZONES; i++) {
        uint32_t pages;
        if (!guest_kernel_zone(&guest->kernel, i, &zone))
            continue;
        cr_assert(ram_read(guest->kernel.ram, zone.buddy_pages_at, &pages, sizeof pages));
        for (unsigned mark = 0; mark < GUEST_NR_WATERMARKS; mark++)
            nr += pages <= zone.watermark_pages[mark];
    }
    return nr;
}

Test(view_steps, a_watermark_is_met_where_the_kernel_crosses_it)
{
    enum { NR_CROSSINGS = 3, MOST_INSTRUCTIONS = 120 };
    char message[VIEW_MESSAGE_CHARS];
    struct guest guest;
    boot(&guest, "quiet init=oom", 82000000); /* the first crossing comes at 84 M */
    for (unsigned i = 0; i < NR_CROSSINGS; i++) {
        uint64_t told = guest.nr_crossings;
        unsigned nr_before = nr_at_or_below(&guest);
        cr_assert(run_to_next(guest.booted.machine, &guest.kernel, VIEW_NEXT_WATERMARK, EV_NEVER, message),
                  "%s", message);
        cr_assert_eq(guest.nr_crossings, told, "one was passed over");
        cr_assert_neq(nr_at_or_below(&guest), nr_before);
        for (unsigned k = 0; k < MOST_INSTRUCTIONS; k++) /* several may be told of */
            machine_step(guest.booted.machine, EV_NEVER);
        cr_assert_neq(guest.nr_crossings, told, "the kernel crossed one and did not say so");
    }
    end(&guest);
}

Test(view_steps, a_transfer_is_met_where_it_begins)
{
    enum { NR_TRANSFERS = 50, LONGEST_BLOCK_CYCLES = 400 };
    char message[VIEW_MESSAGE_CHARS];
    struct guest guest;
    boot(&guest, "quiet lab=dma-coherence", 10000000);
    for (unsigned i = 0; i < NR_TRANSFERS; i++) {
        guest.nr_lines = 0;
        cr_assert(run_to_next(guest.booted.machine, &guest.kernel, VIEW_NEXT_DMA, EV_NEVER, message), "%s",
                  message);
        cr_assert_gt(guest.nr_lines, 0u);
        cycle_t now = cpu_now(machine_parts(guest.booted.machine).cpu);
        cr_assert_leq(now, guest.first_asked + LONGEST_BLOCK_CYCLES);
    }
    end(&guest);
}

Test(view_steps, without_a_kernel_no_watermark_comes)
{
    char message[VIEW_MESSAGE_CHARS];
    struct guest guest;
    boot(&guest, "quiet", 1000);
    cr_assert_not(run_to_next(guest.booted.machine, NULL, VIEW_NEXT_WATERMARK, EV_NEVER, message));
    cr_assert(strncmp(message, "no watermark", 12) == 0, "%s", message);
    end(&guest);
}

/* The second time the core is halted. */
Test(view_steps, no_step_goes_beyond_what_is_due)
{
    enum { DUE_CYCLES = 5000, LONGEST_INSTRUCTION_CYCLES = 400, NR_TIMES = 4 };
    static const cycle_t begin[] = {1000, 5000000};
    static const enum view_command commands[] = {VIEW_NEXT_EXCEPTION, VIEW_RETURN,   VIEW_NEXT_WALK,
                                                 VIEW_NEXT_INTERRUPT, VIEW_NEXT_DMA, VIEW_NEXT_WATERMARK};
    char message[VIEW_MESSAGE_CHARS];
    for (unsigned k = 0; k < sizeof begin / sizeof *begin; k++) {
        struct guest guest;
        boot(&guest, "quiet init=oom", begin[k]);
        struct cpu *cpu = machine_parts(guest.booted.machine).cpu;
        cr_assert_eq(cpu_is_halted(cpu), k == 1);
        cycle_t due = begin[k];
        for (unsigned i = 0; i < NR_TIMES * sizeof commands / sizeof *commands; i++) {
            enum view_command command = commands[i / NR_TIMES];
            due += DUE_CYCLES;
            bool is_found = run_to_next(guest.booted.machine, &guest.kernel, command, due, message);
            cr_assert_lt(cpu_now(cpu), due + LONGEST_INSTRUCTION_CYCLES, "command %u", command);
            cr_assert(is_found || cpu_now(cpu) >= due || command == VIEW_RETURN, "%s", message);
        }
        end(&guest);
    }
}
