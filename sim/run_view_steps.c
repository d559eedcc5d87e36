#include "sim/run_view_steps.h"

#include "cpu/decode.h"
#include "dma/master.h"
#include "sim/observe/guest_note.h"

#include <inttypes.h>
#include <stdio.h>

enum { MAX_STEPS = 20000000, SLICE_CYCLES = 2000, MAX_SLICES = 100000 };

/* Of what is looked for instruction by instruction. */
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

/* Between which watermarks each zone's free pages are: a digit a zone. */
static uint64_t see_watermarks(const struct machine *machine)
{
    struct machine_parts parts = machine_parts(machine);
    struct guest_note note;
    uint64_t digits = 1;
    if (guest_note_parse(&note, parts.note, parts.note_bytes) != NULL)
        return 0;
    for (unsigned i = 0; i < GUEST_MAX_ZONES; i++) {
        struct guest_zone zone;
        unsigned above = 0;
        if (guest_note_zone(&note, parts.ram, i, &zone))
            for (unsigned mark = 0; mark < GUEST_NR_WATERMARKS; mark++)
                above += zone.free_pages > zone.watermark_pages[mark];
        digits = digits * (GUEST_NR_WATERMARKS + 1) + above;
    }
    return digits;
}

static bool step_to_next(struct machine *machine, enum view_command command)
{
    struct cpu *cpu = machine_parts(machine).cpu;
    uint64_t before = count_quick(cpu, command);
    for (unsigned i = 0; i < MAX_STEPS; i++) {
        enum machine_end why = machine_step(machine);
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
static bool step_to_return(struct machine *machine)
{
    enum { MAX_INSTRUCTION_BYTES = 15 };
    struct cpu *cpu = machine_parts(machine).cpu;
    struct cpu_fault_record fault[CPU_FAULT_HISTORY];
    uint64_t cr3 = cpu_state(cpu).cr3;
    if (cpu_fault_history(cpu, fault) == 0)
        return false;
    for (unsigned i = 0; i < MAX_STEPS; i++) {
        enum machine_end why = machine_step(machine);
        struct cpu_state state = cpu_state(cpu);
        if (state.segment[DEC_SEG_CS].selector == fault[0].cs && state.cr3 == cr3 &&
            state.rip - fault[0].rip <= MAX_INSTRUCTION_BYTES)
            return true;
        if (why != MACHINE_RUNNING)
            return false;
    }
    return false;
}

static bool slice_to_next(struct machine *machine, enum view_command command)
{
    struct cpu *cpu = machine_parts(machine).cpu;
    bool is_dma = command == VIEW_NEXT_DMA;
    uint64_t before = is_dma ? dma_bytes_moved(machine_stats(machine), NULL) : see_watermarks(machine);
    if (!is_dma && before == 0)
        return false;
    for (unsigned i = 0; i < MAX_SLICES; i++) {
        enum machine_end why = machine_run(machine, cpu_now(cpu) + SLICE_CYCLES);
        if ((is_dma ? dma_bytes_moved(machine_stats(machine), NULL) : see_watermarks(machine)) != before)
            return true;
        if (why != MACHINE_RUNNING)
            return false;
    }
    return false;
}

bool run_to_next(struct machine *machine, enum view_command command, char message[VIEW_MESSAGE_CHARS])
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
    bool is_quick =
        command == VIEW_NEXT_EXCEPTION || command == VIEW_NEXT_WALK || command == VIEW_NEXT_INTERRUPT;
    bool is_found = command == VIEW_RETURN ? step_to_return(machine)
                    : is_quick             ? step_to_next(machine, command)
                                           : slice_to_next(machine, command);
    cycle_t now = cpu_now(machine_parts(machine).cpu);
    const char *words = !is_found                ? "no %s up to cycle %" PRIu64
                        : command == VIEW_RETURN ? "the %s, in cycle %" PRIu64
                                                 : "the next %s, in cycle %" PRIu64;
    snprintf(message, VIEW_MESSAGE_CHARS, words, name, now);
    return is_found;
}
