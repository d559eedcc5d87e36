#include "sim/run_view_steps.h"

#include "cpu/decode.h"
#include "dma/master.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MAX_STEPS = 20000000 };

/* Of exceptions, walks and interrupts. */
static uint64_t count_quick(struct cpu *cpu, enum view_command command)
{
    cpu_settle(cpu);
    switch (command) {
    case VIEW_NEXT_EXCEPTION:
        return cpu_stats(cpu)->exceptions;
    case VIEW_NEXT_WALK:
        return cpu_mmu(cpu)->nr_walks_seen;
    default:
        return cpu_stats(cpu)->interrupts;
    }
}

/* A zone whose free pages may cross a watermark, as its kernel's own words were seen last. */
struct watched_zone {
    struct guest_zone zone;
    uint64_t buddy_pages;
    uint8_t watermarks[GUEST_NR_WATERMARKS * sizeof(uint64_t)];
    unsigned at_or_below; /* a bit for each watermark */
    bool is_near;         /* a block of the buddy system could take it over one */
};
struct watched_zones {
    struct watched_zone watched[GUEST_MAX_ZONES];
    unsigned nr;
};

/* Whether its pages have crossed a watermark since it was seen last; one that was moved does not count. */
static bool has_crossed(struct watched_zone *watched, const struct ram *ram)
{
    enum { LARGEST_BLOCK_PAGES = 2048 };
    unsigned word_bytes = watched->zone.word_bytes, at_or_below = 0;
    uint8_t watermarks[sizeof watched->watermarks] = {0};
    uint64_t pages = 0;
    ram_read(ram, watched->zone.buddy_pages_at, &pages, word_bytes);
    ram_read(ram, watched->zone.watermarks_at, watermarks, (size_t)GUEST_NR_WATERMARKS * word_bytes);
    bool is_moved = memcmp(watermarks, watched->watermarks, sizeof watermarks) != 0;
    if (pages == watched->buddy_pages && !is_moved)
        return false;
    watched->is_near = false;
    for (unsigned i = 0; i < GUEST_NR_WATERMARKS; i++) {
        uint64_t mark = 0;
        memcpy(&mark, watermarks + (size_t)i * word_bytes, word_bytes);
        if (mark == 0)
            continue; /* not set up yet */
        at_or_below |= (unsigned)(pages <= mark) << i;
        watched->is_near |= (pages > mark ? pages - mark : mark - pages) <= LARGEST_BLOCK_PAGES;
    }
    bool is_crossed = !is_moved && at_or_below != watched->at_or_below;
    watched->buddy_pages = pages;
    memcpy(watched->watermarks, watermarks, sizeof watermarks);
    watched->at_or_below = at_or_below;
    return is_crossed;
}

/* Zones come into being while a kernel starts. */
static void watch_new_zones(struct watched_zones *zones, const struct guest_kernel *kernel)
{
    struct watched_zone next = {.is_near = false};
    for (unsigned i = 0; i < GUEST_MAX_ZONES && zones->nr < GUEST_MAX_ZONES; i++) {
        bool is_new = guest_kernel_zone(kernel, i, &next.zone) && next.zone.word_bytes;
        for (unsigned k = 0; k < zones->nr; k++)
            is_new = is_new && zones->watched[k].zone.buddy_pages_at.v != next.zone.buddy_pages_at.v;
        if (!is_new)
            continue;
        has_crossed(&next, kernel->ram);
        zones->watched[zones->nr++] = next;
        next = (struct watched_zone){.is_near = false};
    }
}

/* By blocks, which are some five times faster, as long as one more block of pages does not matter. */
static bool run_to_watermark(struct machine *machine, const struct guest_kernel *kernel, cycle_t until)
{
    enum { NEW_ZONES_STEPS = 1024 };
    const struct cpu *cpu = machine_parts(machine).cpu;
    struct watched_zones zones = {.nr = 0};
    if (!kernel)
        return false;
    for (unsigned i = 0; i < MAX_STEPS && cpu_now(cpu) < until; i++) {
        bool is_near = false, is_there = false;
        if (i % NEW_ZONES_STEPS == 0)
            watch_new_zones(&zones, kernel);
        for (unsigned k = 0; k < zones.nr; k++)
            is_near = is_near || zones.watched[k].is_near;
        enum machine_end why = is_near ? machine_step(machine, until) : machine_run_block(machine, until);
        for (unsigned k = 0; k < zones.nr; k++)
            is_there |= has_crossed(&zones.watched[k], kernel->ram);
        if (is_there)
            return true;
        if (why != MACHINE_RUNNING)
            return false;
    }
    return false;
}

/* Devices move bytes when their events come, or when one of their registers is written. */
static bool run_to_transfer(struct machine *machine, cycle_t until)
{
    const struct cpu *cpu = machine_parts(machine).cpu;
    const struct dma_memory *memory = machine_parts(machine).dma;
    uint64_t before = dma_memory_nr_bursts(memory);
    for (unsigned i = 0; i < MAX_STEPS && cpu_now(cpu) < until; i++) {
        machine_settle(machine);
        if (dma_memory_nr_bursts(memory) != before)
            return true;
        enum machine_end why = machine_run_block(machine, until);
        if (dma_memory_nr_bursts(memory) != before)
            return true;
        if (why != MACHINE_RUNNING)
            return false;
    }
    return false;
}

static bool step_to_next(struct machine *machine, enum view_command command, cycle_t until)
{
    struct cpu *cpu = machine_parts(machine).cpu;
    uint64_t before = count_quick(cpu, command);
    for (unsigned i = 0; i < MAX_STEPS && cpu_now(cpu) < until; i++) {
        enum machine_end why = machine_step(machine, until);
        if (count_quick(cpu, command) != before)
            return true;
        if (why != MACHINE_RUNNING)
            return false;
    }
    return false;
}

/*
 * To where the last exception came from, in its address space: the instruction begins anew, or the one behind
 * it.
 */
static bool step_to_return(struct machine *machine, cycle_t until)
{
    enum { MAX_INSTRUCTION_BYTES = 15 };
    struct cpu *cpu = machine_parts(machine).cpu;
    struct cpu_fault_record fault[CPU_FAULT_HISTORY];
    uint64_t cr3 = cpu_state(cpu).cr3;
    if (cpu_fault_history(cpu, fault) == 0)
        return false;
    for (unsigned i = 0; i < MAX_STEPS && cpu_now(cpu) < until; i++) {
        enum machine_end why = machine_step(machine, until);
        struct cpu_state state = cpu_state(cpu);
        if (state.segment[DEC_SEG_CS].selector == fault[0].cs && state.cr3 == cr3 &&
            state.rip - fault[0].rip <= MAX_INSTRUCTION_BYTES)
            return true;
        if (why != MACHINE_RUNNING)
            return false;
    }
    return false;
}

static bool find_next(struct machine *machine, const struct guest_kernel *kernel, enum view_command command,
                      cycle_t until)
{
    switch (command) {
    case VIEW_RETURN:
        return step_to_return(machine, until);
    case VIEW_NEXT_DMA:
        return run_to_transfer(machine, until);
    case VIEW_NEXT_WATERMARK:
        return run_to_watermark(machine, kernel, until);
    default:
        return step_to_next(machine, command, until);
    }
}

bool run_to_next(struct machine *machine, const struct guest_kernel *kernel, enum view_command command,
                 cycle_t until, char message[VIEW_MESSAGE_CHARS])
{
    static const struct {
        enum view_command command;
        const char *name;
    } names[] = {
        {VIEW_NEXT_EXCEPTION, "exception"},      {VIEW_RETURN, "return from the exception"},
        {VIEW_NEXT_WALK, "page walk"},           {VIEW_NEXT_INTERRUPT, "interrupt"},
        {VIEW_NEXT_DMA, "transfer of a device"}, {VIEW_NEXT_WATERMARK, "watermark that free pages cross"}};
    const char *name = "event";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        name = names[i].command == command ? names[i].name : name;
    bool is_found = find_next(machine, kernel, command, until);
    cycle_t now = cpu_now(machine_parts(machine).cpu);
    const char *words = !is_found                ? "no %s up to cycle %" PRIu64
                        : command == VIEW_RETURN ? "the %s, in cycle %" PRIu64
                                                 : "the next %s, in cycle %" PRIu64;
    snprintf(message, VIEW_MESSAGE_CHARS, words, name, now);
    return is_found;
}
